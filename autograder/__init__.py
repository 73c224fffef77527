"""The judge of the course: checks in the notebook, trusted grading outside of it."""

from pathlib import Path

from autograder.checking.answers import grade_answers
from autograder.checking.check import check, hint, preview
from autograder.checking.progress import progress
from autograder.exercises.contents import exercises
from cnncourse.language import register as _register
from cnncourse.language import use as use_language

_register(Path(__file__).with_name("locale"))

__all__ = ["check", "exercises", "grade_answers", "hint", "preview", "progress", "use_language"]
