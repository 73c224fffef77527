"""Exercises of 01-local-connectivity; the order of the imports is the order of the notebook."""

from autograder.exercises.local_connectivity import one_neuron  # isort: skip
from autograder.exercises.local_connectivity import borders  # isort: skip
from autograder.exercises.local_connectivity import layers  # isort: skip
from autograder.exercises.local_connectivity import matmul  # isort: skip
from autograder.exercises.local_connectivity import variants  # isort: skip
from autograder.exercises.local_connectivity import settings  # isort: skip

__all__ = ["borders", "layers", "matmul", "one_neuron", "settings", "variants"]
