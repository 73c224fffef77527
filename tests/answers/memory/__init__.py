"""Answers to 06-memory."""
