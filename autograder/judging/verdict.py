"""What is kept of a result: by the ledger, the gradebook's notebooks, the report and the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any, Self

from autograder.judging.result import Result
from autograder.sandbox.outcome import Ending


class How(StrEnum):
    """How an exercise went, in words for a report; `sign` needs no color."""

    RIGHT = "right"
    IN_PART = "in part"
    WRONG = "wrong"
    NOT_FINISHED = "did not finish"
    NOT_WRITTEN = "not written"
    NOT_JUDGED = "not judged"

    @property
    def sign(self) -> str:
        """One character for a narrow column."""
        return {How.RIGHT: "✓", How.IN_PART: "½", How.NOT_WRITTEN: "·", How.NOT_JUDGED: "?"}.get(self, "✗")


@dataclass(frozen=True)
class Verdict:
    """The judgment of one exercise, without the arrays behind it.

    Attributes
    ----------
    score : float
        Share that is right, 0 to 1.
    points, max_points : float
    passed, cases : int
    misconceptions : tuple of str
        Names of the mistakes that explain the failures, the likeliest first.
    not_written : bool
        Whether nothing of the exercise is written yet.
    ended : Ending or None
        How the first call that failed ended; None if none failed. Where the judge itself failed on any case, that.
    message : str
        The judgment in plain text, in the language of the notebook.
    """

    score: float
    points: float
    max_points: float
    passed: int = 0
    cases: int = 0
    misconceptions: tuple[str, ...] = ()
    not_written: bool = False
    ended: Ending | None = None
    message: str = ""

    @classmethod
    def of(cls, result: Result, *, partial_credit: bool = False) -> Self:
        """What is kept of a result.

        Parameters
        ----------
        result : Result
        partial_credit : bool, optional
            Give the share of the cases that pass; by default each answer counts as a whole.
        """
        failure = result.first_failure
        if result.faults:
            return cls(0.0, 0.0, result.exercise.points, sum(case.passed for case in result.cases), len(result.cases),
                       ended=Ending.FAULT, message=result.message)
        passed, cases = sum(case.passed for case in result.cases), len(result.cases)
        score = passed / cases if partial_credit and cases else result.score
        return cls(score, score * result.exercise.points, result.exercise.points, passed, cases, result.misconceptions,
                   result.not_written, failure.outcome.ending if failure else None, result.message)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave; what an older or newer version kept beside is left out."""
        known = {part.name: kept[part.name] for part in fields(cls) if part.name in kept}
        ended = known.get("ended") or None
        return cls(**known | {"misconceptions": tuple(known.get("misconceptions", ())),
                              "ended": Ending(ended) if ended in set(Ending) else None})

    def to_json(self) -> dict[str, Any]:
        """For JSON: text, numbers and lists."""
        return asdict(self) | {"misconceptions": list(self.misconceptions), "ended": self.ended or ""}

    @property
    def how(self) -> How:
        """How it went."""
        if self.ended is Ending.FAULT:
            return How.NOT_JUDGED
        if self.not_written:
            return How.NOT_WRITTEN
        if self.score == 1:
            return How.RIGHT
        if self.ended is not None and self.ended.unfinished:
            return How.NOT_FINISHED
        return How.IN_PART if self.score > 0 else How.WRONG
