"""Gradescope's results.json.

See https://gradescope-autograders.readthedocs.io/en/latest/specs/. Every text is marked as plain, because parts of it
are a student's. This imports next to nothing: it has to work where the judge does not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autograder.files import replace_file
from cnncourse.language import say

RESULTS_FILE = "results.json"
LONGEST = 10_000
"""Characters of one text."""


def message(
    lines: Sequence[str], visibility: str = "visible", tests: Sequence[Mapping[str, Any]] = (), seconds: float = 0.0,
    status: str = "failed",
) -> dict[str, Any]:
    """Results with a text for the whole submission; without tests the score is 0, and the text should say why.

    Parameters
    ----------
    lines : sequence of str
    visibility : str, optional
    tests : sequence of mapping, optional
    seconds : float, optional
    status : str, optional
        "graded" or "failed", for whoever reads the results by program.
    """
    made: dict[str, Any] = {
        "output": "\n".join(lines)[:LONGEST], "output_format": "text", "visibility": visibility,
        "stdout_visibility": "hidden", "execution_time": round(seconds, 2), "extra_data": {"status": status}}
    return made | ({"tests": list(tests)} if tests else {"score": 0})


def write(results: Mapping[str, Any], place: Path) -> None:
    """Write them where Gradescope looks; the file is whole at any time."""
    folder = place / "results"
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / RESULTS_FILE, json.dumps(results, indent=1).encode(), 0o600)


def not_judged(why: str) -> dict[str, Any]:
    """Results that say that there are none.

    Parameters
    ----------
    why : str
        Words that follow "Nothing was judged:".
    """
    return message([say("Nothing was judged: {why}. This is no fault of yours, and the 0 is no mark. Please tell the "
                        "course staff, who can let it be judged again.", why=why)])


def plain(text: str) -> str:
    """A text of a stranger's without what a terminal or a file of text could not show."""
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text)
