"""Answers to 02-parameter-sharing."""
