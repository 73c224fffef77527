"""Exercises of 06-memory."""
