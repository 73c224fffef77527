"""What a course has decided about marks: partial credit, which attempt counts, and what feedback tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

ATTEMPTS = ("last", "best", "first")
FEEDBACK = ("mistake", "case", "mark")


@dataclass(frozen=True)
class Policy:
    """The decisions, with what holds where nothing was decided.

    Attributes
    ----------
    partial_credit : bool
        Whether an exercise gives the share of its cases that pass; by default each answer counts as a whole.
    attempt : str
        Which attempt counts where somebody hands in again: "last", "best" or "first".
    feedback : str
        What a page tells of a wrong answer: the "mistake" and its explanation, only the "case" that differs, or only
        the "mark".
    """

    partial_credit: bool = False
    attempt: str = "last"
    feedback: str = "mistake"

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """A policy as somebody has written it down.

        Raises
        ------
        ValueError
            If there is no such decision, or it cannot be made like this; with a sentence.
        """
        names = [part.name for part in fields(cls)]
        for name, value in told.items():
            if name not in names:
                raise ValueError(f"there is no policy {name!r}; there are: {', '.join(names)}")
            choices = {"attempt": ATTEMPTS, "feedback": FEEDBACK, "partial_credit": (True, False)}[name]
            if value not in choices or isinstance(value, bool) != (name == "partial_credit"):
                raise ValueError(f"{name} is {value!r}; it can be {', '.join(map(str, choices))}")
        return cls(**told)


USUAL = Policy()
"""Where nothing was decided."""
