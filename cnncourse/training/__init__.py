"""Training: losses go down, and one can see why."""

from cnncourse.training.checking import NetworkCheck, check_network
from cnncourse.training.evaluation import Evaluation, confusion_matrix, evaluate, predict
from cnncourse.training.gradients import GradientCheck, check_gradient, numerical_gradient
from cnncourse.training.history import Epoch, History
from cnncourse.training.loop import Step, train, training_step
from cnncourse.training.optimizers import SGD, Adam, Momentum, Optimizer, RMSProp
from cnncourse.training.schedules import CosineDecay, ExponentialDecay, StepDecay

__all__ = [
    "SGD",
    "Adam",
    "CosineDecay",
    "Epoch",
    "Evaluation",
    "ExponentialDecay",
    "GradientCheck",
    "History",
    "Momentum",
    "NetworkCheck",
    "Optimizer",
    "RMSProp",
    "Step",
    "StepDecay",
    "check_gradient",
    "check_network",
    "confusion_matrix",
    "evaluate",
    "numerical_gradient",
    "predict",
    "train",
    "training_step",
]
