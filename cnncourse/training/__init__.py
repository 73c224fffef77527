"""Training: losses go down, and one can see why."""

from cnncourse.training.gradients import GradientCheck, check_gradient, numerical_gradient
from cnncourse.training.optimizers import SGD, Adam, Momentum, Optimizer, RMSProp

__all__ = [
    "SGD",
    "Adam",
    "GradientCheck",
    "Momentum",
    "Optimizer",
    "RMSProp",
    "check_gradient",
    "numerical_gradient",
]
