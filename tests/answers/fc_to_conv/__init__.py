"""Answers to 04-fc-to-conv."""
