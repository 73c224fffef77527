"""CSV files that are safe to open in a spreadsheet.

A spreadsheet takes a cell that begins with = + - @ or a control character for a formula, and a formula can send data
away or start programs. Texts of strangers that begin so get an apostrophe in front, the sign by which spreadsheets
know a text. Numbers of our own are no texts and stay numbers, negative ones too.

Where the comma is for decimals, in most of Europe for instance, Excel separates cells by semicolons and does not see
our quotation marks, which stand inside of its cells then. So what follows a semicolon, a tab or a line's end begins a
cell, too, and is treated alike.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from pathlib import Path

SIGNS = "=+-@＝＋－＠﹦﹢﹣﹫⁼⁺⁻₌₊₋"
FORMULA_STARTS = (*SIGNS, "\t", "\r", "\n")
CELL_INSIDE = re.compile(rf"(^|[;\t\n\r\v\f\x1c-\x1e\x85\u2028\u2029])([\s\"]*)(?=[{re.escape(SIGNS)}])")
"""A place in a text at which a spreadsheet may begin a cell, and with which sign it goes on there."""


def defuse(cell: object) -> object:
    """A cell that no spreadsheet takes for a formula.

    Parameters
    ----------
    cell : object
        Text becomes harmless; anything else stays as it is.
    """
    if not isinstance(cell, str):
        return cell
    return CELL_INSIDE.sub(r"\1\2'", "'" + cell if cell.startswith(FORMULA_STARTS) else cell)


def write_csv(path: Path, rows: Iterable[Iterable[object]], *, defused: bool = False) -> Path:
    """Write rows as UTF-8.

    Parameters
    ----------
    path : Path
    rows : iterable of iterable
        The first is the header.
    defused : bool, optional
        Whether the rows are harmless already.

    Returns
    -------
    Path
        The same path.
    """
    # A folder's name need not be text; what UTF-8 cannot hold is spelled out instead of stopping the export.
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        writer = csv.writer(file)
        for row in rows:
            writer.writerow(row if defused else [defuse(cell) for cell in row])
    return path
