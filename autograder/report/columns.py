"""Two answers in two columns, with what differs marked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest

MOST_LINES = 120
MOST_CHARACTERS = 160

Piece = tuple[str, bool]
"""Text, and whether it differs from the other column."""


@dataclass(frozen=True)
class Line:
    """One line of both columns; a column that has no such line has no number.

    Attributes
    ----------
    left, right : tuple of Piece
    left_number, right_number : int
        0 where there is no line.
    differs : bool
    """

    left: tuple[Piece, ...]
    right: tuple[Piece, ...]
    left_number: int
    right_number: int
    differs: bool


def side_by_side(left: str, right: str) -> list[Line]:
    """Compare two sources line by line, and lines that stand for each other word by word.

    Parameters
    ----------
    left, right : str
        Lines beyond `MOST_LINES` and characters beyond `MOST_CHARACTERS` in a line are cut off.
    """
    ours, theirs = _lines(left), _lines(right)
    lines: list[Line] = []
    for what, a, b, c, d in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        for i, j in zip_longest(range(a, b), range(c, d)):
            first, second = (ours[i] if i is not None else ""), (theirs[j] if j is not None else "")
            pieces = (((first, False),), ((second, False),)) if what == "equal" else _words(first, second)
            lines.append(Line(*pieces, 0 if i is None else i + 1, 0 if j is None else j + 1, what != "equal"))
    return lines


def _lines(source: str) -> list[str]:
    lines = source.strip("\n").splitlines()
    shown = [line if len(line) <= MOST_CHARACTERS else line[:MOST_CHARACTERS] + " …" for line in lines[:MOST_LINES]]
    return shown + [f"… {len(lines) - MOST_LINES} more lines"] * (len(lines) > MOST_LINES)


def _words(left: str, right: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    ours, theirs = (re.findall(r"\w+|\s+|.", text) for text in (left, right))
    codes = SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes()
    return (tuple(_pieces((what, ours[a:b]) for what, a, b, _, _ in codes)),
            tuple(_pieces((what, theirs[c:d]) for what, _, _, c, d in codes)))


def _pieces(parts: Iterator[tuple[str, list[str]]]) -> Iterator[Piece]:
    for what, words in parts:
        if words:
            yield "".join(words), what != "equal"
