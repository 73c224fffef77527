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
    # Lines that differ in names only stand beside each other, so that an added line does not shift all that follow.
    left_shapes, right_shapes = [_shape(line) for line in ours], [_shape(line) for line in theirs]
    lines: list[Line] = []
    for _, a, b, c, d in SequenceMatcher(None, left_shapes, right_shapes, autojunk=False).get_opcodes():
        for i, j in zip_longest(range(a, b), range(c, d)):
            first, second = (ours[i] if i is not None else ""), (theirs[j] if j is not None else "")
            differs = i is None or j is None or first != second
            pieces = _words(first, second) if differs else (((first, False),), ((second, False),))
            lines.append(Line(*pieces, 0 if i is None else i + 1, 0 if j is None else j + 1, differs))
    return lines


def _lines(source: str) -> list[str]:
    lines = source.strip("\n").splitlines()
    shown = [line if len(line) <= MOST_CHARACTERS else line[:MOST_CHARACTERS] + " …" for line in lines[:MOST_LINES]]
    return shown + [f"… {len(lines) - MOST_LINES} more lines"] * (len(lines) > MOST_LINES)


def _shape(line: str) -> str:
    return "".join(re.sub(r"[^\W\d]\w*", "n", line).split())


def _words(left: str, right: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    ours, theirs = (re.findall(r"\w+|\s+|.", text) for text in (left, right))
    codes = SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes()
    return (tuple(_pieces((what, ours[a:b]) for what, a, b, _, _ in codes)),
            tuple(_pieces((what, theirs[c:d]) for what, _, _, c, d in codes)))


def _pieces(parts: Iterator[tuple[str, list[str]]]) -> Iterator[Piece]:
    for what, words in parts:
        if words:
            yield "".join(words), what != "equal"
