"""A bar that shows how far training is, in a terminal and in a notebook."""

from __future__ import annotations

import html
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

Bar = Callable[[int, str], None]
"""Takes the number of batches that are done, and a few words."""

PAUSE = 0.1
"""Seconds between two pictures in a notebook."""


@contextmanager
def bar(wanted: bool, batches: int) -> Iterator[Bar]:
    """A bar if one is wanted and somebody watches: not where output goes to a file or another program.

    Parameters
    ----------
    wanted : bool
    batches : int
        In all.

    Yields
    ------
    callable
    """
    if not wanted:
        yield lambda done, words: None
        return
    if _is_notebook():
        yield _in_notebook(batches)
        return
    if find_spec("rich"):
        # Importing it takes longer than an epoch of a small network.
        from rich.console import Console

        console = Console()
        if console.is_terminal:
            with _in_terminal(console, batches) as show:
                yield show
            return
    yield lambda done, words: None


def _is_notebook() -> bool:
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    shell = get_ipython()  # type: ignore[no-untyped-call]
    return shell is not None and hasattr(shell, "kernel")


@contextmanager
def _in_terminal(console: Any, batches: int) -> Iterator[Bar]:
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"),
               TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=batches)
        yield lambda done, words: progress.update(task, completed=done, description=words)


def _in_notebook(batches: int) -> Bar:
    """One output that is drawn anew; rich's own needs widgets, and swallows what callbacks print meanwhile."""
    from IPython.display import HTML, display

    handle = display(HTML(""), display_id=True)
    drawn = 0.0

    def show(done: int, words: str) -> None:
        nonlocal drawn
        if done == batches or time.monotonic() - drawn > PAUSE:
            drawn = time.monotonic()
            percent = f"{done / batches:.0%}"
            handle.update(HTML(f'<progress value="{done}" max="{batches}" aria-label="training">{percent}</progress> '
                               f"{percent}, {html.escape(words)}"))

    return show
