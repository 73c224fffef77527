"""Exercises of 06-memory; the order of the imports is the order of the notebook."""

from autograder.exercises.memory import units  # isort: skip
from autograder.exercises.memory import activations  # isort: skip
from autograder.exercises.memory import parameters  # isort: skip
from autograder.exercises.memory import rest  # isort: skip
from autograder.exercises.memory import modes  # isort: skip
from autograder.exercises.memory import budget  # isort: skip
from autograder.exercises.memory import recomputing  # isort: skip
from autograder.exercises.memory import precision  # isort: skip

__all__ = ["activations", "budget", "modes", "parameters", "precision", "recomputing", "rest", "units"]
