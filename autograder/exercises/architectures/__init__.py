"""Exercises of 05-architectures."""
