"""Answers to 03-pooling."""
