"""A class at play: `course demo`."""
