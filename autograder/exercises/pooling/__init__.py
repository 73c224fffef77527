"""Exercises of 03-pooling."""
