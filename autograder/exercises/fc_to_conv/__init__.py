"""Exercises of 04-fc-to-conv; the order of the imports is the order of the notebook."""
