"""Exercises of 07-train-a-cnn; the order of the imports is the order of the notebook."""

from autograder.exercises.training import probabilities  # isort: skip
from autograder.exercises.training import activation  # isort: skip
from autograder.exercises.training import convolution  # isort: skip
from autograder.exercises.training import pooling  # isort: skip
from autograder.exercises.training import chain  # isort: skip
from autograder.exercises.training import network  # isort: skip
from autograder.exercises.training import descent  # isort: skip
from autograder.exercises.training import epochs  # isort: skip
from autograder.exercises.training import counting  # isort: skip
from autograder.exercises.training import augmentation  # isort: skip

__all__ = [
    "activation",
    "augmentation",
    "chain",
    "convolution",
    "counting",
    "descent",
    "epochs",
    "network",
    "pooling",
    "probabilities",
]
