"""Exercises of 04-fc-to-conv."""
