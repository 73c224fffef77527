"""Exercises of 01-local-connectivity, in the order of the notebook."""

from autograder.exercises.local_connectivity import layers, one_neuron, settings

__all__ = ["layers", "one_neuron", "settings"]
