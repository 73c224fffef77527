"""Exercises of 02-parameter-sharing."""
