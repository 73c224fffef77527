"""Which cells have run in this kernel, when, and how they ended: remembered from the import of the judge on."""

from __future__ import annotations

import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path.cwd()
"""Where the kernel has started, beside its notebook; cells may change the folder later."""

MOST_CELLS = 10_000


@dataclass(frozen=True)
class Ran:
    """A cell that has run.

    Attributes
    ----------
    source : str
    when : float
        Time of its end, in seconds since 1970.
    error : str
        The class of what it raised, or of what is wrong with its syntax; empty if it ended well.
    """

    source: str
    when: float
    error: str = ""


_cells: list[Ran] = []


def shell() -> Any:
    """IPython's shell; None outside of it."""
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython

    return get_ipython()  # type: ignore[no-untyped-call]


def variables() -> dict[str, Any]:
    """The notebook's names; empty outside of one."""
    here = shell()
    return {} if here is None else here.user_ns


def watch() -> None:
    """Remember cells from now on; does nothing outside of a notebook."""
    here = shell()
    if here is not None and remember not in here.events.callbacks["post_run_cell"]:
        here.events.register("post_run_cell", remember)


def remember(result: Any) -> None:
    """Called by IPython after each cell."""
    error = result.error_before_exec or result.error_in_exec
    _cells.append(Ran(result.info.raw_cell or "", time.time(), type(error).__name__ if error else ""))
    del _cells[:-MOST_CELLS]


def last_time() -> float:
    """When the last cell ended, in seconds since 1970; infinite if none is known."""
    return _cells[-1].when if _cells else float("inf")


def last_attempt(name: str) -> Ran | None:
    """The last cell that was to define a function, whether it did or not."""
    defines = re.compile(rf"^[ \t]*(?:async[ \t]+)?def {re.escape(name)}\s*\(", re.MULTILINE)
    return next((cell for cell in reversed(_cells) if defines.search(cell.source)), None)


def last_definition(name: str) -> str | None:
    """Source of the cell that has defined a function last."""
    cell = last_attempt(name)
    return cell.source if cell is not None and not cell.error else None
