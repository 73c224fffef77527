"""Exercises of 07-train-a-cnn; the order of the imports is the order of the notebook."""
