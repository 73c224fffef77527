"""Exercises of 02-parameter-sharing; the order of the imports is the order of the notebook."""

from autograder.exercises.parameter_sharing import counting  # isort: skip
from autograder.exercises.parameter_sharing import local  # isort: skip
from autograder.exercises.parameter_sharing import shifts  # isort: skip
from autograder.exercises.parameter_sharing import borders  # isort: skip
from autograder.exercises.parameter_sharing import summed  # isort: skip
from autograder.exercises.parameter_sharing import measured  # isort: skip
from autograder.exercises.parameter_sharing import backward  # isort: skip
from autograder.exercises.parameter_sharing import columns  # isort: skip

__all__ = ["backward", "borders", "columns", "counting", "local", "measured", "shifts", "summed"]
