"""Rows of cells as aligned text and as an HTML table."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

Rows = Sequence[Sequence[str]]


def text_table(headers: Sequence[str], rows: Rows, numbers: int, totals: int = 0) -> str:
    """Columns aligned with spaces.

    Parameters
    ----------
    headers : sequence of str
    rows : sequence of sequence of str
    numbers : int
        How many of the last columns hold numbers, which are aligned to the right.
    totals : int, optional
        How many of the last rows are sums, which are set apart by a line.

    Returns
    -------
    str
    """
    widths = [max(len(row[column]) for row in (headers, *rows)) for column in range(len(headers))]

    def line(cells: Sequence[str]) -> str:
        first = len(cells) - numbers
        return "  ".join(cell.ljust(width) if column < first else cell.rjust(width)
                         for column, (cell, width) in enumerate(zip(cells, widths, strict=True))).rstrip()

    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    lines = [line(headers), rule, *map(line, rows)]
    if totals:
        lines.insert(len(lines) - totals, rule)
    return "\n".join(lines)


def html_table(caption: str, headers: Sequence[str], rows: Rows, numbers: int, totals: int = 0) -> str:
    """The same for a notebook.

    Parameters
    ----------
    caption : str
    headers, rows, numbers, totals
        As in `text_table`.

    Returns
    -------
    str
    """
    first = len(headers) - numbers

    def cells(row: Sequence[str], kind: str) -> str:
        parts = []
        for column, cell in enumerate(row):
            side = "right" if column >= first else "left"
            scope = ' scope="col"' if kind == "th" else ""
            parts.append(f'<{kind}{scope} style="text-align: {side}">{escape(cell)}</{kind}>')
        return f"<tr>{''.join(parts)}</tr>"

    body = [cells(row, "td") for row in rows]
    foot = body[len(body) - totals:] if totals else []
    return "".join((
        f'<table><caption style="text-align: left; font-weight: bold; white-space: nowrap">{escape(caption)}</caption>',
        f"<thead>{cells(headers, 'th')}</thead>",
        f"<tbody>{''.join(body[:len(body) - totals])}</tbody>",
        f'<tfoot style="font-weight: bold; border-top: 1px solid">{"".join(foot)}</tfoot>' if foot else "",
        "</table>",
    ))


def short(text: str, most: int = 48) -> str:
    """A text that fits into a cell.

    Parameters
    ----------
    text : str
    most : int, optional

    Returns
    -------
    str
    """
    return text if len(text) <= most else f"{text[:most - 3]}..."
