"""Exercises of 06-memory; the order of the imports is the order of the notebook."""
