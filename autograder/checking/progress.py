"""How far a student is: kept in a small file of their own, never a reason for an error."""

from __future__ import annotations

import contextlib
import json
import math
import os
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.errors import UnknownExerciseError
from autograder.exercises.contents import every
from autograder.judging.exercise import HINT_LEVELS, Exercise
from cnncourse.language import mark, say

if TYPE_CHECKING:
    from autograder.judging.result import Result

STATE_VARIABLE = "CNNCOURSE_STATE"
HEADERS = (mark("exercise"), mark("state"), mark("points"), mark("last mistake"))
_last_notebook = ""


@dataclass(frozen=True)
class ExerciseProgress:
    """How far a student is with one exercise.

    Parameters
    ----------
    tries : int
        Checks so far, those of an answer that was not written yet left out.
    score : float
        Of the last check, 0 to 1.
    passed, cases : int
        Of the last check.
    mistake : str
        The misconception that the last check found, in English; empty if it found none.
    hints : int
        How many hints were shown.
    when : float
        Time of the last check, in seconds since 1970; 0 if there was none.
    """

    tries: int = 0
    score: float = 0.0
    passed: int = 0
    cases: int = 0
    mistake: str = ""
    hints: int = 0
    when: float = 0.0

    @property
    def done(self) -> bool:
        """Whether every case passed."""
        return self.score == 1

    @property
    def text(self) -> str:
        """Passed, tried, or not started; in words and with a sign that needs no color."""
        tries = say("tried 1 time") if self.tries == 1 else say("tried {count} times", count=self.tries)
        if self.done:
            return say("✓ passed, {tries}", tries=tries)
        if self.tries:
            return say("✗ {count} of {total} cases, {tries}", count=self.passed, total=self.cases, tries=tries)
        return say("· not started")


def record(result: Result) -> None:
    """Note the outcome of a check.

    Parameters
    ----------
    result : Result
    """
    global _last_notebook
    _last_notebook = result.exercise.notebook
    known = by_exercise()
    before = known.get(result.exercise.name, ExerciseProgress())
    _write(known | {result.exercise.name: replace(
        before, tries=before.tries + (not result.not_written), score=result.score,
        passed=sum(case.passed for case in result.cases), cases=len(result.cases),
        mistake=result.misconceptions[0] if result.misconceptions else "", when=time.time())})


def next_hint_level(name: str) -> int:
    """Which hints of an exercise to show now, 1 to 3; each call goes one further, at most to the last.

    Parameters
    ----------
    name : str
    """
    known = by_exercise()
    before = known.get(name, ExerciseProgress())
    after = replace(before, hints=min(before.hints + 1, HINT_LEVELS))
    _write(known | {name: after})
    return after.hints


def by_exercise() -> dict[str, ExerciseProgress]:
    """How far a student is, by the exercise; what was never checked is not in it."""
    try:
        kept = json.loads(_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {name: _progress_of(entry) for name, entry in kept.items()} if isinstance(kept, dict) else {}


class ProgressReport:
    """The state of every exercise of a notebook, as a table.

    Parameters
    ----------
    notebook : str, optional
        By default that of the last check in this session, or else all.

    Raises
    ------
    UnknownExerciseError
        If no exercise belongs to such a notebook.
    """

    def __init__(self, notebook: str | None = None) -> None:
        self.notebook = notebook or _last_notebook or None
        self.exercises = list(every(self.notebook))
        if not self.exercises:
            known = sorted({e.notebook for e in every()})
            raise UnknownExerciseError(f"There are no exercises of {notebook!r}; the notebooks are: "
                                                    f"{', '.join(known)}")
        self.known = by_exercise()

    @property
    def rows(self) -> list[tuple[str, str, str, str]]:
        """Exercise, state, points and last mistake."""
        return [self._row(exercise) for exercise in self.exercises]

    @property
    def points(self) -> tuple[float, float]:
        """Points earned, and how many there are."""
        earned = sum(e.points * self._progress_of(e).score for e in self.exercises)
        return earned, sum(e.points for e in self.exercises)

    def _progress_of(self, exercise: Exercise) -> ExerciseProgress:
        return self.known.get(exercise.name, ExerciseProgress())

    def _row(self, exercise: Exercise) -> tuple[str, str, str, str]:
        own = self._progress_of(exercise)
        points = say("{earned:g} of {possible:g}", earned=exercise.points * own.score, possible=exercise.points)
        return exercise.name, own.text, points, say(own.mistake) if own.mistake else ""

    def __repr__(self) -> str:
        earned, possible = self.points
        headers = [say(header) for header in HEADERS]
        widths = [max(len(row[i]) for row in (headers, *self.rows)) for i in range(len(headers))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
                 for row in (headers, *self.rows)]
        return "\n".join([say("{notebook}: {earned:g} of {possible:g} points", notebook=self.notebook or
                              say("All notebooks"), earned=earned, possible=possible), *lines])

    def _repr_html_(self) -> str:
        from autograder.showing.templating import template

        earned, possible = self.points
        return template("progress.html.j2").render(
            title=self.notebook or say("All notebooks"), earned=f"{earned:g}", possible=f"{possible:g}",
            headers=[say(header) for header in HEADERS], rows=self.rows)


def progress(notebook: str | None = None) -> ProgressReport:
    """Show how far you are.

    Parameters
    ----------
    notebook : str, optional
        By default the notebook of the last check in this session, or else all.

    Returns
    -------
    ProgressReport
        Displays itself as a table.
    """
    return ProgressReport(notebook)


def _file() -> Path:
    if folder := os.environ.get(STATE_VARIABLE):
        return Path(folder, "progress.json")
    import platformdirs

    return platformdirs.user_state_path("cnncourse") / "progress.json"


def _progress_of(entry: Any) -> ExerciseProgress:
    """What an entry of the file says; of a value that makes no sense, that there was none."""
    fresh = asdict(ExerciseProgress())
    kept = entry if isinstance(entry, dict) else {}
    return ExerciseProgress(**{key: type(value)(kept[key]) if _fits(kept.get(key), value) else value
                       for key, value in fresh.items()})


def _fits(kept: Any, fresh: Any) -> bool:
    if isinstance(fresh, str):
        return isinstance(kept, str)
    return isinstance(kept, int | float) and math.isfinite(kept)


def _write(known: dict[str, ExerciseProgress]) -> None:
    """Replace the file in one step; where that is impossible, progress is simply not kept."""
    path = _file()
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
            json.dump({name: asdict(own) for name, own in known.items()}, file)
        os.replace(file.name, path)
