"""Exercises of 05-architectures; the order of the imports is the order of the notebook."""
