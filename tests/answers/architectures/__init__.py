"""Answers to 05-architectures."""
