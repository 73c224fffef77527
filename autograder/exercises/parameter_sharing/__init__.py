"""Exercises of 02-parameter-sharing; the order of the imports is the order of the notebook."""
