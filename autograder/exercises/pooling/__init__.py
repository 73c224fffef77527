"""Exercises of 03-pooling; the order of the imports is the order of the notebook."""

from autograder.exercises.pooling import maximum  # isort: skip
from autograder.exercises.pooling import kept  # isort: skip
from autograder.exercises.pooling import average  # isort: skip
from autograder.exercises.pooling import norm  # isort: skip
from autograder.exercises.pooling import located  # isort: skip
from autograder.exercises.pooling import indices  # isort: skip
from autograder.exercises.pooling import routes  # isort: skip
from autograder.exercises.pooling import average_backward  # isort: skip
from autograder.exercises.pooling import norm_backward  # isort: skip
from autograder.exercises.pooling import strided  # isort: skip
from autograder.exercises.pooling import libraries  # isort: skip

__all__ = ["average", "average_backward", "indices", "kept", "libraries", "located", "maximum", "norm",
           "norm_backward", "routes", "strided"]
