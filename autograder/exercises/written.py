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
    LOOPS.returning("out / len(x)")   # a mean
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from textwrap import dedent
from typing import Any

import numpy as np

from autograder.errors import DeclarationError


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


def functions(text: str) -> dict[str, Any]:
    """What a text of Python defines; NumPy is there as np."""
    space: dict[str, Any] = {"np": np}
    exec(text, space)
    return space


@dataclass(frozen=True)
class Written:
    """An answer as text, which is compiled when it is called first.

    Parameters
    ----------
    text : str
        Defines one function, which ends with a line `return out`; NumPy is there as np.
    """

    text: str

    def __call__(self, *arguments: Any) -> Any:
        """What the answer gives."""
        return self._function(*arguments)

    @cached_property
    def _function(self) -> Callable[..., Any]:
        found = re.search(r"^def (\w+)", dedent(self.text), re.MULTILINE)
        if found is None:
            raise DeclarationError(f"no function is defined in {self.text}")
        return functions(dedent(self.text))[found[1]]  # type: ignore[no-any-return]

    def edited(self, edits: Mapping[str, str]) -> Written:
        """The answer with pieces of its text replaced, each of which occurs once."""
        return Written(edited(self.text, edits))

    def given(self, statement: str) -> Written:
        """The answer with a statement before all others, which changes what was given: `stride = 1`."""
        return Written(re.sub(r"^( *)(def .*:\n)", rf"\1\2\1    {statement}\n", self.text, count=1, flags=re.MULTILINE))

    def returning(self, value: str) -> Written:
        """The answer with another value handed back than `out`."""
        return self.edited({"return out\n": f"return {value}\n"})
