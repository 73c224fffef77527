"""How far a student is: kept in a small file of their own, never a reason for an error."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder import exercise as declarations
from autograder.exercise import HINT_LEVELS, Exercise
from cnncourse.language import mark, say

if TYPE_CHECKING:
    from autograder.judge import Result

STATE_VARIABLE = "CNNCOURSE_STATE"
HEADERS = (mark("exercise"), mark("state"), mark("points"), mark("last mistake"))
_last_notebook = ""


def record(result: Result) -> None:
    """Note the outcome of a check.

    Parameters
    ----------
    result : Result
    """
    global _last_notebook
    _last_notebook = result.exercise.notebook
    state = _read()
    entry = _entry(state, result.exercise.name)
    if not result.not_written:
        entry["tries"] += 1
    entry["score"] = result.score
    entry["passed"] = sum(case.passed for case in result.cases)
    entry["cases"] = len(result.cases)
    entry["mistake"] = result.misconceptions[0] if result.misconceptions else ""
    _write(state)


def next_hint_level(name: str) -> int:
    """Which hints of an exercise to show now, 1 to 3; each call goes one further, at most to the last.

    Parameters
    ----------
    name : str
    """
    state = _read()
    entry = _entry(state, name)
    entry["hints"] = min(entry["hints"] + 1, HINT_LEVELS)
    _write(state)
    return int(entry["hints"])


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
        self.exercises = list(declarations.every(self.notebook))
        if not self.exercises:
            known = sorted({e.notebook for e in declarations.every()})
            raise declarations.UnknownExerciseError(f"There are no exercises of {notebook!r}; the notebooks are: "
                                                    f"{', '.join(known)}")
        self.state = _read()

    @property
    def rows(self) -> list[tuple[str, str, str, str]]:
        """Exercise, state, points and last mistake."""
        return [self._row(exercise) for exercise in self.exercises]

    @property
    def points(self) -> tuple[float, float]:
        """Points earned, and how many there are."""
        earned = sum(e.points * _entry(self.state, e.name)["score"] for e in self.exercises)
        return earned, sum(e.points for e in self.exercises)

    def _row(self, exercise: Exercise) -> tuple[str, str, str, str]:
        entry = _entry(self.state, exercise.name)
        tries = say("tried 1 time") if entry["tries"] == 1 else say("tried {count} times", count=entry["tries"])
        if entry["score"] == 1:
            state = say("✓ passed, {tries}", tries=tries)
        elif entry["tries"]:
            state = say("✗ {count} of {total} cases, {tries}", count=entry["passed"], total=entry["cases"], tries=tries)
        else:
            state = say("· not started")
        points = say("{earned:g} of {possible:g}", earned=exercise.points * entry["score"], possible=exercise.points)
        return exercise.name, state, points, say(entry["mistake"]) if entry["mistake"] else ""

    def __repr__(self) -> str:
        earned, possible = self.points
        headers = [say(header) for header in HEADERS]
        widths = [max(len(row[i]) for row in (headers, *self.rows)) for i in range(len(headers))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
                 for row in (headers, *self.rows)]
        return "\n".join([say("{notebook}: {earned:g} of {possible:g} points", notebook=self.notebook or
                              say("All notebooks"), earned=earned, possible=possible), *lines])

    def _repr_html_(self) -> str:
        from autograder.feedback import _template

        earned, possible = self.points
        return _template("progress.html.j2").render(
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


def _read() -> dict[str, Any]:
    """What was kept; empty if there is nothing, or nothing that makes sense."""
    try:
        state = json.loads(_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def _entry(state: dict[str, Any], name: str) -> dict[str, Any]:
    fresh = {"tries": 0, "score": 0.0, "passed": 0, "cases": 0, "mistake": "", "hints": 0}
    kept = state.get(name)
    if isinstance(kept, dict):
        fresh |= {key: kept[key] for key, value in fresh.items()
                  if isinstance(kept.get(key), (str,) if isinstance(value, str) else (int, float))}
    state[name] = fresh
    return fresh


def _write(state: dict[str, Any]) -> None:
    """Replace the file in one step; where that is impossible, progress is simply not kept."""
    path = _file()
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
            json.dump(state, file)
        os.replace(file.name, path)
