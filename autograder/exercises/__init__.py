"""The exercises of the course, one module or package per notebook; importing this declares them all."""

from autograder.exercises import local_connectivity

__all__ = ["local_connectivity"]
