"""A right answer with edits that make it wrong: mistakes as students type them, alone and two at a time."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from textwrap import dedent
from typing import Any

from autograder.exercises.contents import find
from autograder.exercises.written import edited, functions


@dataclass(frozen=True)
class Edit:
    """One mistake in a source text.

    Parameters
    ----------
    name : str
        The misconception that the judge has to name first; empty where being caught is enough.
    old, new : str
        A piece that occurs once in the source, and what stands in its place.
    """

    name: str
    old: str
    new: str


@dataclass(frozen=True)
class Mutations:
    """A right answer as text, and what can go wrong in it.

    Parameters
    ----------
    exercise : str
    source : str
        Defines all answers of the exercise; NumPy is there as np.
    edits : tuple of Edit
    """

    exercise: str
    source: str
    edits: tuple[Edit, ...]

    def functions(self, *edits: Edit) -> dict[str, Callable[..., Any]]:
        """The answers with some edits made, in this order."""
        space = functions(edited(dedent(self.source), {edit.old: edit.new for edit in edits}))
        return {answer: space[answer] for answer in find(self.exercise).answers}

    def pairs(self) -> Iterator[tuple[Edit, Edit]]:
        """Any two edits of different places."""
        for one, two in itertools.combinations(self.edits, 2):
            changed = dedent(self.source).replace(one.old, one.new)
            if changed.count(two.old) == 1:
                yield one, two
