"""Exercises of 07-train-a-cnn."""
