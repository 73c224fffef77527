"""The judge of the course: checks in the notebook, trusted grading outside of it."""

from autograder.check import check, hint, preview
from autograder.exercise import exercises
from autograder.judge import grade_answers
from autograder.progress import progress

__all__ = ["check", "exercises", "grade_answers", "hint", "preview", "progress"]
