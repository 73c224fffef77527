"""Exercises of 04-fc-to-conv; the order of the imports is the order of the notebook."""

from autograder.exercises.fc_to_conv import dense  # isort: skip
from autograder.exercises.fc_to_conv import backward  # isort: skip
from autograder.exercises.fc_to_conv import conversion  # isort: skip
from autograder.exercises.fc_to_conv import parameters  # isort: skip
from autograder.exercises.fc_to_conv import sliding  # isort: skip
from autograder.exercises.fc_to_conv import map_sizes  # isort: skip
from autograder.exercises.fc_to_conv import cost  # isort: skip
from autograder.exercises.fc_to_conv import peaks  # isort: skip

__all__ = ["backward", "conversion", "cost", "dense", "map_sizes", "parameters", "peaks", "sliding"]
