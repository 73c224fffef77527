"""A right answer as a student writes it, as text, and wrong ones that differ from it in a few characters.

Most mistakes are a small change of a right answer. Told as that change, a mistake is short, reads as students make it,
and fails where theirs fail, with the same kind of error::

    LOOPS = Written('''
    def total(x, scale):
        out = 0
        for i in range(len(x)):
            out += scale * x[i]
        return out
    ''')
    LOOPS.edited({"+=": "="})         # only the last product counts
    LOOPS.given("scale = 1")          # the scale ignored
    LOOPS.ending("out /= len(x)")     # a mean in place of a sum
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from textwrap import dedent
from typing import Any

import numpy as np

from autograder.errors import DeclarationError
from cnncourse import functional


def edited(text: str, edits: Mapping[str, str]) -> str:
    """A text after some edits, made one after the other.

    Parameters
    ----------
    text : str
    edits : dict of str to str
        Pieces of the text and what stands in their place.

    Raises
    ------
    DeclarationError
        If a piece does not occur exactly once.
    """
    for old, new in edits.items():
        if text.count(old) != 1:
            raise DeclarationError(f"{old!r} occurs {text.count(old)} times, not once, in {text}")
        text = text.replace(old, new)
    return text


def functions(text: str, known: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What a text of Python defines; NumPy is there as np, the reference's functions as F, with whatever is known."""
    space: dict[str, Any] = {"np": np, "F": functional, **(known or {})}
    exec(text, space)
    return space


@dataclass(frozen=True)
class Written:
    """An answer as text, which is compiled when it is called first.

    Parameters
    ----------
    text : str
        Defines one function, whose last line is a return; NumPy is there as np, the reference's functions as F.
    known : dict of str to object
        What else the text may name.
    """

    text: str
    known: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, function: Callable[..., Any]) -> Written:
        """A function of a module as text; it may name what its module knows."""
        return cls(inspect.getsource(function), function.__globals__)

    def __call__(self, *arguments: Any) -> Any:
        """What the answer gives."""
        return self._function(*arguments)

    @cached_property
    def _function(self) -> Callable[..., Any]:
        found = re.search(r"def (\w+)", self.text)
        if found is None:
            raise DeclarationError(f"no function is defined in {self.text}")
        return functions(dedent(self.text), self.known)[found[1]]  # type: ignore[no-any-return]

    def edited(self, edits: Mapping[str, str]) -> Written:
        """The answer with pieces of its text replaced, each of which occurs once."""
        return replace(self, text=edited(self.text, edits))

    def given(self, statement: str) -> Written:
        """The answer with a statement before all others, which changes what was given: `stride = 1`."""
        inserted = re.sub(r"^( *)(def .*:\n)", rf"\1\2\1    {statement}\n", self.text, count=1, flags=re.MULTILINE)
        return replace(self, text=inserted)

    def ending(self, statement: str) -> Written:
        """The answer with a statement before its last line, which changes what is handed back: `out[1:] = 0`."""
        before, last, value = self.text.rpartition("return ")
        return replace(self, text=f"{before}{statement}; {last}{value}")

    def returning(self, value: str) -> Written:
        """The answer with another value handed back."""
        before, last, _ = self.text.rpartition("return ")
        return replace(self, text=f"{before}{last}{value}\n")
