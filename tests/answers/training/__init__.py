"""Answers to 07-train-a-cnn."""
