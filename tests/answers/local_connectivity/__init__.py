"""Answers to 01-local-connectivity."""
