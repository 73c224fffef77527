"""Exercises of 05-architectures; the order of the imports is the order of the notebook."""

from autograder.exercises.architectures import patterns  # isort: skip
from autograder.exercises.architectures import halving  # isort: skip
from autograder.exercises.architectures import sizes  # isort: skip
from autograder.exercises.architectures import costs  # isort: skip
from autograder.exercises.architectures import fields  # isort: skip
from autograder.exercises.architectures import networks  # isort: skip
from autograder.exercises.architectures import inception  # isort: skip
from autograder.exercises.architectures import inception_costs  # isort: skip
from autograder.exercises.architectures import residual  # isort: skip
from autograder.exercises.architectures import cheaper  # isort: skip
from autograder.exercises.architectures import upwards  # isort: skip

__all__ = [
    "cheaper", "costs", "fields", "halving", "inception", "inception_costs", "networks", "patterns", "residual",
    "sizes", "upwards",
]
