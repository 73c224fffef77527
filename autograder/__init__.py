"""The judge of the course: checks in the notebook, trusted grading outside of it."""

from autograder.exercise import exercises
from autograder.judge import grade_answers

__all__ = ["exercises", "grade_answers"]
