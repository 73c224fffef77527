"""Machines that a class has: fresh ones, and this one with the restrictions of others put in place."""
