"""Notebooks as no program writes them: values of other types, lost keys, cut bytes; and what has to survive in them."""

from __future__ import annotations

import copy
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from autograder.assignment.cells import grade_id
from autograder.classroom.submission import MAX_SOURCE_CHARACTERS

HUGE, DEEP = "@huge@", "@deep@"
"""Stand in the tree for what `json` cannot write: an integer of 6,000 digits, lists in lists in lists."""
DEPTHS = (50, 300, 100_000)
ENCODINGS = ("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32")
SCALARS = (None, True, False, 0, -1, 3, 1e308, float("nan"), float("inf"), "", "x", "\ud800", "x\udfffy", "\x00",
           "\u2028", "<script>alert(1)</script>", "code", "markdown", "raw", "source", HUGE, DEEP)


WEIGHTY = ("cells", "source", "nbgrader", "grade_id", "metadata", "attachments", "outputs", "cell_type", "nbformat")


def tree_mutated(notebook: dict[str, Any], rng: Random) -> bytes:
    """A file with one to four changes to the notebook's tree, in some encoding."""
    tree = copy.deepcopy(notebook)
    for _ in range(rng.randint(1, 4)):
        rng.choice(TREE_CHANGES)(tree, rng)
    return written(tree, rng)


def bytes_mutated(notebook: dict[str, Any], rng: Random) -> bytes:
    """A file with one to six changes to its bytes; a single one often leaves it JSON."""
    content = bytearray(json.dumps(notebook).encode())
    for _ in range(rng.choice((1, 1, 1, 2, 6))):
        rng.choice(BYTE_CHANGES)(content, rng)
    return bytes(content)


def written(tree: Any, rng: Random) -> bytes:
    """The tree as a file."""
    text = json.dumps(tree, ensure_ascii=rng.random() < 0.5)
    depth = rng.choice(DEPTHS)
    text = text.replace(f'"{HUGE}"', "9" * 6000).replace(f'"{DEEP}"', "[" * depth + "]" * depth)
    return text.encode(rng.choice(ENCODINGS), "surrogatepass")


def legible(content: bytes) -> dict[str, str] | None:
    """Answers that nobody can read in two ways, by name; None if there is no list of cells.

    Every cell of that name holds the same text, and nothing but text.
    """
    cells = cells_in(content)
    if cells is None:
        return None
    found: dict[str, set[str | None]] = defaultdict(set)
    for cell in cells:
        source = cell.get("source", cell.get("input"))
        parts = source if isinstance(source, list) else [source]
        text = "".join(parts) if all(isinstance(part, str) for part in parts) else None
        if text is not None and (len(text) > MAX_SOURCE_CHARACTERS or any("\ud800" <= c <= "\udfff" for c in text)):
            text = None
        found[grade_id(cell)].add(text)
    return {name: text for name, texts in found.items() if len(texts) == 1 and (text := next(iter(texts))) is not None}


def cells_in(content: bytes) -> list[dict[str, Any]] | None:
    """Cells of a file that are objects; None if there is no list of them."""
    try:
        tree = json.loads(content, parse_int=float)
    except (ValueError, RecursionError):
        return None
    if not isinstance(tree, dict):
        return None
    cells = tree.get("cells")
    if cells is None and isinstance(tree.get("worksheets"), list):
        sheets = [sheet.get("cells") for sheet in tree["worksheets"] if isinstance(sheet, dict)]
        cells = [cell for sheet in sheets if isinstance(sheet, list) for cell in sheet]
    return [cell for cell in cells if isinstance(cell, dict)] if isinstance(cells, list) else None


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every list or object of a tree with every index or key in it."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        for key in node if isinstance(node, dict) else range(len(node)):
            yield node, key
            if isinstance(node[key], (dict, list)):
                waiting.append(node[key])


def _place(tree: Any, rng: Random) -> tuple[Any, Any]:
    """A place, half of the time in one of few: the top, a cell, an answer's metadata."""
    places = list(_places(tree))
    if rng.random() < 0.5:
        places = [place for place in places if place[1] in WEIGHTY] or places
    return rng.choice(places) if places else ({"": None}, "")


def _value(tree: Any, rng: Random) -> Any:
    if rng.random() < 0.6:
        return rng.choice(SCALARS)
    kind = rng.randrange(4)
    if kind == 0:
        return [rng.choice(SCALARS) for _ in range(rng.randint(0, 3))]
    if kind == 1:
        return {str(rng.choice(SCALARS)): rng.choice(SCALARS) for _ in range(rng.randint(0, 3))}
    container, key = _place(tree, rng)
    return copy.deepcopy(container[key])


def _replace(tree: Any, rng: Random) -> None:
    container, key = _place(tree, rng)
    container[key] = _value(tree, rng)


def _drop(tree: Any, rng: Random) -> None:
    container, key = _place(tree, rng)
    del container[key]


def _nest(tree: Any, rng: Random) -> None:
    container, key = _place(tree, rng)
    container[key] = rng.choice(([container[key]], {"cells": container[key]}, {str(key): container[key]}))


def _retype(tree: Any, rng: Random) -> None:
    container, key = _place(tree, rng)
    old = container[key]
    items = list(old) if isinstance(old, (str, dict)) else [old]
    container[key] = rng.choice((str(old), items, {"0": old}, [old, 7, old]))


def _rename(tree: Any, rng: Random) -> None:
    names = [place for place in _places(tree) if place[1] == "grade_id"]
    if names:
        (one, key), (other, _) = rng.choice(names), rng.choice(names)
        one[key] = copy.deepcopy(other["grade_id"])  # it may hold the other


def _insert(tree: Any, rng: Random) -> None:
    cells = _cells(tree)
    cells.insert(rng.randint(0, len(cells)), _value(tree, rng))


def _duplicate(tree: Any, rng: Random) -> None:
    cells = _cells(tree)
    if cells:
        cells.insert(rng.randint(0, len(cells)), copy.deepcopy(rng.choice(cells)))


def _reorder(tree: Any, rng: Random) -> None:
    cells = _cells(tree)
    cells.sort(key=json.dumps, reverse=rng.random() < 0.5)


def _renumber(tree: Any, rng: Random) -> None:
    if isinstance(tree, dict):
        tree |= {"nbformat": rng.randint(2, 5), "nbformat_minor": rng.choice((0, 2, 4, 5, 99, -1, None, "5", HUGE))}


def _to_worksheets(tree: Any, rng: Random) -> None:
    cells = _cells(tree)
    for cell in cells:
        if isinstance(cell, dict) and "source" in cell:
            cell["input"] = cell.pop("source")
    cut = rng.randint(0, len(cells))
    tree.pop("cells", None)
    tree |= {"nbformat": 3, "worksheets": [{"cells": cells[:cut]}, rng.choice(({}, None, {"cells": 3})),
                                           {"cells": cells[cut:]}]}


def _cells(tree: Any) -> list[Any]:
    return tree["cells"] if isinstance(tree.get("cells"), list) else []


def _span(content: bytearray, rng: Random) -> tuple[int, int]:
    start = rng.randint(0, len(content))
    return start, min(len(content), start + rng.choice((1, 2, 7, 60, 900, 20_000)))


def _flip(content: bytearray, rng: Random) -> None:
    if content:
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)


def _cut(content: bytearray, rng: Random) -> None:
    start, end = _span(content, rng)
    del content[start:end]


def _truncate(content: bytearray, rng: Random) -> None:
    del content[rng.randint(0, len(content)) :]


def _repeat(content: bytearray, rng: Random) -> None:
    start, end = _span(content, rng)
    place = rng.randint(0, len(content))
    content[place:place] = content[start:end] * rng.choice((1, 2, 5))


def _overwrite(content: bytearray, rng: Random) -> None:
    start, end = _span(content, rng)
    piece = rng.choice((b"\x00", b"\xff", b"[", b"{", b'"', b"\\", b"\\ud800", b"1e999", b"\xf0\x9f", b"NaN", b","))
    content[start : rng.choice((start, end))] = piece * rng.choice((1, 3, 4000))


TREE_CHANGES: tuple[Callable[[Any, Random], None], ...] = (
    _replace, _replace, _replace, _drop, _drop, _nest, _retype, _rename, _insert, _duplicate, _reorder, _renumber,
    _to_worksheets)
BYTE_CHANGES: tuple[Callable[[bytearray, Random], None], ...] = (
    _flip, _flip, _flip, _cut, _cut, _truncate, _repeat, _overwrite)
