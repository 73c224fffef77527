"""`kill -9` of what grading needs, at random moments, and what is different in the end.

    course bench faults                              10 tries of each kind
    course bench faults --kind command --tries 100   only one kind

A class is graded by the real command, from one of three beginnings: hardly anybody graded, everybody graded on earlier
work, everything graded and graded again by force. At a random moment of it something is killed: the command, one of its
workers, a process of a sandbox, the scheduler of a Dask cluster or one of its workers, a PostgreSQL server or the
process of it that serves the command. What was killed is started again, and so is the command until it ends well. Then
every row of the gradebook, the ledger, every autograded notebook and every page is held against an undisturbed run.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from rich.console import Console
from rich.table import Table

from tests import killing
from tests.faults import BEGINNINGS, Beginnings
from tests.places import KINDS, place

ROOT = Path(__file__).resolve().parent.parent
MOST_DRAWS = 5
"""A moment at which the command has already ended is drawn anew so many times."""
MOST_CHARACTERS = 300
"""That are shown of a row or a path; of what the command has said, everything that was kept is shown."""


def bench(kind: str, tries: int, seed: int, folder: Path, beginnings: Beginnings, say: Callable[..., Any],
          ) -> list[killing.Outcome]:
    """All tries of one kind."""
    outcomes = []
    with place(kind, folder, beginnings) as here:
        lengths = {}
        for beginning in BEGINNINGS:
            own = beginnings.copy(beginning, folder / "undisturbed")
            calm = killing.try_once(own, beginning, 0.0, lambda process: "", beginnings.expected,
                                    options=here.options, db_url=here.db_url(beginning), services=here.services)
            if calm.faults:
                raise SystemExit(f"{kind}, undisturbed: " + "\n".join(calm.faults))
            lengths[beginning] = calm.seconds
            shutil.rmtree(own)
        for number in range(tries):
            rng = Random(f"{seed} {kind} {number}")
            for _ in range(MOST_DRAWS):
                beginning = rng.choice(BEGINNINGS)
                own = beginnings.copy(beginning, folder / "try")
                outcome = killing.try_once(
                    own, beginning, rng.uniform(0, lengths[beginning]), partial(here.strike, rng=rng),
                    beginnings.expected, options=here.options, mend=here.mend, db_url=here.db_url(beginning),
                    services=here.services)
                shutil.rmtree(own)
                if outcome.victim or outcome.faults:
                    break
            outcomes.append(outcome)
            say(number, outcome)
    return outcomes


def row(kind: str, outcomes: list[killing.Outcome]) -> list[str]:
    """One line of the table."""
    struck = [outcome for outcome in outcomes if outcome.victim]
    count = [sum(map(bool, found)) for found in zip(*(
        (one.differences.lost, one.differences.doubled, one.half_written, one.differences.stray, one.left_over,
         one.unclear) for one in struck), strict=True)] or [0] * 6
    return [kind, str(len(struck)), *map(str, count), f"{max((one.seconds for one in struck), default=0):.1f}"]


def main() -> None:
    """Parse the options and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=KINDS, action="append", help="may be repeated; by default all")
    parser.add_argument("--tries", type=int, default=10)
    parser.add_argument("--students", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 140)
    table = Table(title=f"Tries with something else in the end than an undisturbed run, {options.students} students")
    for header in ("killed", "tries", "lost", "doubled", "half-written", "stray files", "left-over processes",
                   "unclear end", "slowest recovery, s"):
        table.add_column(header, justify="right" if header != "killed" else "left")
    with tempfile.TemporaryDirectory(prefix="bench-faults-") as name:
        folder = Path(name)
        beginnings = Beginnings(ROOT, folder / "beginnings", options.students)
        for kind in options.kind or KINDS:
            def say(number: int, outcome: killing.Outcome, kind: str = kind) -> None:
                console.print(f"{kind} {number + 1}: {outcome.beginning}, {outcome.victim or 'nothing'} killed at "
                              f"{outcome.moment:.2f} s, {outcome.runs} more runs, {outcome.seconds:.1f} s",
                              markup=False, highlight=False, soft_wrap=True)
                for fault in outcome.faults:
                    shown = fault if fault.startswith("unclear") else fault[:MOST_CHARACTERS]
                    console.print(f"    {shown}", markup=False, highlight=False, soft_wrap=True)

            table.add_row(*row(kind, bench(kind, options.tries, options.seed, folder, beginnings, say)))
    console.print(table)


if __name__ == "__main__":
    main()
