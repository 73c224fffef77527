"""Exercises of 01-local-connectivity."""
