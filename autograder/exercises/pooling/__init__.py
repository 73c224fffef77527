"""Exercises of 03-pooling; the order of the imports is the order of the notebook."""
