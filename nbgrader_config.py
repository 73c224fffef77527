"""nbgrader for this checkout: assignments from solutions/, trusted grading, everything in this folder."""

from autograder.configuration import configure

configure(get_config(), course=__file__)  # noqa: F821  nbgrader defines it
