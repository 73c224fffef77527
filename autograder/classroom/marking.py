"""From verdicts to marks: what is entered by itself, what a person has to look at, and what lateness costs.

The rules are nbgrader's, except that points for code come from verdicts alone. nbgrader's own converter and the
cohort's both enter what these functions say, so the same work gets the same marks on either way.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import AssignLatePenalties
from nbgrader.utils import compute_checksum, determine_grade, is_solution, is_task
from traitlets.config import Config

NO_RESPONSE = "No response."


@dataclass(frozen=True)
class Earlier:
    """What people have entered for one cell, which grading never changes.

    Attributes
    ----------
    manual_score, extra_credit : float or None
    comment : str or None
    """

    manual_score: float | None = None
    extra_credit: float | None = None
    comment: str | None = None


@dataclass(frozen=True)
class NotebookMarks:
    """What grading enters for one notebook of one student.

    Attributes
    ----------
    scores : mapping of str to (float or None, bool)
        Automatic points of each graded cell, and whether a person has to look.
    comments : mapping of str to (str or None)
        nbgrader's automatic comments on answers.
    late_penalty : float or None
    """

    scores: Mapping[str, tuple[float | None, bool]]
    comments: Mapping[str, str | None] = field(default_factory=dict)
    late_penalty: float | None = None


@dataclass(frozen=True)
class Standing:
    """What the gradebook says of a submission before it is graded.

    Attributes
    ----------
    seconds_late : float
        Extensions taken into account.
    earlier : mapping of str to mapping of str to Earlier
        What people have entered, by notebook and cell.
    penalties : mapping of str to float
        Late penalty of each notebook, as it was entered last.
    automatic : mapping of str to mapping of str to (float or None)
        Automatic points, by notebook and cell, as they were entered last.
    automatic_comments : mapping of str to mapping of str to (str or None)
    """

    seconds_late: float
    earlier: Mapping[str, Mapping[str, Earlier]]
    penalties: Mapping[str, float] = field(default_factory=dict)
    automatic: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    automatic_comments: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)

    @property
    def score(self) -> float:
        """Points that are in the gradebook."""
        return sum(notebook_score(
            NotebookMarks({cell: (points, False) for cell, points in cells.items()},
                          late_penalty=self.penalties.get(name)), self.earlier.get(name, {}))
            for name, cells in self.automatic.items())


def notebook_score(marks: NotebookMarks, earlier: Mapping[str, Earlier]) -> float:
    """Points of one notebook, hand marks, extra credit and lateness included, as nbgrader adds them up."""
    points = sum(total(automatic, earlier.get(cell, Earlier())) for cell, (automatic, _) in marks.scores.items())
    return max(0.0, points - (marks.late_penalty or 0.0))


def automatic_score(cell: NotebookNode, shares: Mapping[str, float], max_score: float) -> tuple[float | None, bool]:
    """Points that a graded cell gets by itself, and whether there is nothing to go by, so that a person has to look.

    Parameters
    ----------
    cell : NotebookNode
        Of the rebuilt notebook.
    shares : mapping of str to float
        Share of each judged cell that is right, by grade_id.
    max_score : float

    Returns
    -------
    tuple of (float or None, bool)
        No verdict is no points, never full marks.
    """
    if is_solution(cell):
        points, _ = determine_grade(cell)
        return points, points is None
    share = shares.get(cell.metadata["nbgrader"]["grade_id"])
    return (share or 0.0) * max_score, share is None


def automatic_comment(cell: NotebookNode) -> str | None:
    """nbgrader's comment on an answer that is still the one handed out."""
    if is_task(cell) or cell.metadata["nbgrader"].get("checksum") != compute_checksum(cell):
        return None
    return NO_RESPONSE


def total(automatic: float | None, earlier: Earlier) -> float:
    """Points of one cell: a person's mark goes before the automatic one, extra credit comes on top."""
    points = earlier.manual_score if earlier.manual_score is not None else automatic
    return 0.0 if points is None else points + (earlier.extra_credit or 0.0)


def penalties_fingerprint(config: Config) -> str:
    """Of everything that says what lateness costs: the plugin, its settings, and its code if it is the course's own."""
    preprocessor = AssignLatePenalties(config=config)
    preprocessor.init_plugin()
    plugin = preprocessor.plugin_inst
    settings = {name: str(plugin.trait_values().get(name)) for name in sorted(plugin.trait_names(config=True))}
    source = inspect.getsourcefile(type(plugin))
    code = Path(source).read_bytes() if source and Path(source).is_file() else b""
    return hashlib.sha256(f"{type(plugin).__qualname__}{settings}".encode() + code).hexdigest()


class LatePenalties:
    """What lateness costs, by the plugin that the course's configuration names.

    Parameters
    ----------
    config : Config
    """

    def __init__(self, config: Config) -> None:
        self._preprocessor = AssignLatePenalties(config=config)
        self._preprocessor.init_plugin()

    def penalty(self, student: str, score: float, seconds_late: float) -> float | None:
        """Points to take off one notebook; None for none."""
        if seconds_late <= 0:
            return None
        points: Any = self._preprocessor.plugin_inst.late_submission_penalty(student, score, seconds_late)
        if points is None:
            return None
        return self._preprocessor._check_late_penalty(SimpleNamespace(score=score), points)
