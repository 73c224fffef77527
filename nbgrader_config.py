"""nbgrader for this checkout: assignments from solutions/, trusted grading, everything in this folder."""

from autograder.configuration import configure

configure(get_config(), source="build/source", release="notebooks")  # noqa: F821  nbgrader defines it
