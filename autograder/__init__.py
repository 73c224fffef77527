"""The judge of the course: checks in the notebook, trusted grading outside of it."""

from __future__ import annotations

from pathlib import Path

from autograder.checking.answers import grade_answers
from autograder.checking.check import check, hint, preview
from autograder.checking.progress import progress
from autograder.checking.ran import watch as _watch
from autograder.exercises.contents import exercises
from cnncourse.language import register as _register
from cnncourse.language import use as use_language

_register(Path(__file__).with_name("locale"))
_watch()


def rehearse(notebook: str | Path | None = None) -> None:
    """Show what grading would give for your notebook as it is saved; returns nothing.

    Parameters
    ----------
    notebook : str or Path, optional
        The file; by default the notebook in which this is called.
    """
    from autograder.rehearsal import rehearse as run  # it reads and runs notebooks, which no check has to

    run(notebook)


__all__ = ["check", "exercises", "grade_answers", "hint", "preview", "progress", "rehearse", "use_language"]
