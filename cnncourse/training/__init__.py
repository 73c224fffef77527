"""Training: losses go down, and one can see why."""

from cnncourse.training.optimizers import SGD, Adam, Momentum, Optimizer, RMSProp

__all__ = [
    "SGD",
    "Adam",
    "Momentum",
    "Optimizer",
    "RMSProp",
]
