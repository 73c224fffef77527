"""A student's code as pages show it: all of it, unless it is longer than any answer.

Whoever opens a page has its code highlighted, here and again in nbgrader's formgrader, by regular expressions whose
time can grow with the square of a line's length. So what is shown is bounded where the notebook is written.
"""

from __future__ import annotations

from cnncourse.language import say

LONGEST_LINE = 300
MOST_CHARACTERS = 10_000
"""What is shown of one cell; the longest solution of the course has a sixth of it."""

MARK = 100
"""Room for saying so."""


def folded(source: str) -> str:
    """Code with the rest of very long lines, and the end of a very long text, left out; each place says so.

    Parameters
    ----------
    source : str
    """
    lines = [line if len(line) <= LONGEST_LINE else
             line[:LONGEST_LINE] + say("  # ... and {count:,} more characters", count=len(line) - LONGEST_LINE)
             for line in source.split("\n")]
    shown, characters = 0, 0
    while shown < len(lines) and characters + len(lines[shown]) < MOST_CHARACTERS:
        characters += len(lines[shown]) + 1
        shown += 1
    if shown < len(lines):
        rest = len(lines) - shown
        lines[shown:] = [say("# ... and {count:,} more lines, in the file that was handed in", count=rest)]
    return "\n".join(lines)


def is_short(source: str) -> bool:
    """Whether a text is as short as what `folded` leaves, so that it may be highlighted."""
    return (len(source) <= MOST_CHARACTERS + MARK and
            max(map(len, source.split("\n"))) <= LONGEST_LINE + MARK)
