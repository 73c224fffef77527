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
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table
from sqlalchemy import create_engine, insert, select, text

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from nbgrader.api import Base, Gradebook  # noqa: E402

from autograder.cohort import ledger  # noqa: E402
from tests import killing, services  # noqa: E402
from tests.faults import BEGINNINGS, Beginnings  # noqa: E402

KINDS = ("command", "worker", "sandbox", "scheduler", "database")
DASK_WORKERS = 2
MOST_DRAWS = 5
"""A moment at which the command has already ended is drawn anew so many times."""
MOST_CHARACTERS = 300
"""That are shown of a row or a path; of what the command has said, everything that was kept is shown."""


class Here:
    """A command with workers of its own; what is killed is one of its processes.

    Parameters
    ----------
    kind : str
    """

    options: tuple[str, ...] = ()

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def db_url(self, beginning: str) -> str | None:
        """A database that stands as the beginning says; None for the one in the folder."""
        return None

    def strike(self, process: psutil.Popen, rng: Random) -> str:
        """Kill something; say what."""
        if self.kind == "command":
            return killing.at_the_command(process)
        return (killing.at_a_worker if self.kind == "worker" else killing.at_a_sandbox)(process, rng)

    def mend(self) -> None:
        """Start again what was killed."""

    def services(self) -> set[int]:
        """Processes that stay when the command ends."""
        return set()

    def end(self) -> None:
        """End what was started."""


class OnCluster(Here):
    """A Dask cluster of which the scheduler or a worker is killed."""

    def __init__(self, folder: Path) -> None:
        super().__init__("scheduler")
        self._cluster = services.DaskCluster(DASK_WORKERS, folder)
        self.options = ("--scheduler", self._cluster.address, "--batch", "2")

    def strike(self, process: psutil.Popen, rng: Random) -> str:
        if process.poll() is not None:
            return ""
        scheduler = self._cluster.scheduler
        assert scheduler is not None
        victim = rng.choice([scheduler, scheduler, *self._cluster.workers])
        killing.kill(victim.pid)
        return "scheduler" if victim is scheduler else "worker of the cluster"

    def mend(self) -> None:
        if self._cluster.scheduler is not None and self._cluster.scheduler.poll() is not None:
            for worker in self._cluster.workers:  # they may be about to end without their scheduler, or not
                killing.kill(worker.pid)
                worker.wait()
        self._cluster.start()

    def services(self) -> set[int]:
        own = [*self._cluster.workers, *([self._cluster.scheduler] if self._cluster.scheduler else [])]
        return {process.pid for process in own}

    def end(self) -> None:
        self._cluster.kill()


class OnDatabase(Here):
    """A PostgreSQL server that is killed, or the one process of it that serves the command."""

    def __init__(self, folder: Path, beginnings: Beginnings) -> None:
        super().__init__("database")
        folder.parent.chmod(0o755)
        self._data, self._number = folder, 0
        self._server = services.PostgreSQL(folder)
        for beginning in BEGINNINGS:
            self._sql(f"CREATE DATABASE {beginning}")
            copy_database(f"sqlite:///{beginnings.folder / beginning / 'gradebook.db'}", self._url(beginning))

    def db_url(self, beginning: str) -> str:
        if self._number:
            self._sql(f"DROP DATABASE IF EXISTS try{self._number} WITH (FORCE)")
        self._number += 1
        self._sql(f"CREATE DATABASE try{self._number} TEMPLATE {beginning}")
        return self._url(f"try{self._number}")

    def strike(self, process: psutil.Popen, rng: Random) -> str:
        if process.poll() is not None:
            return ""
        postmaster = self._postmaster()
        serving = [child for child in postmaster.children() if f"try{self._number}" in " ".join(child.cmdline())]
        if serving and rng.random() < 1 / 3:
            killing.kill(serving[0].pid)
            return "process that serves"
        self._kill(postmaster)
        return "server"

    def mend(self) -> None:
        if not (self._data / "postmaster.pid").exists():
            self._server.start()
        deadline = time.monotonic() + services.WAIT_SECONDS
        while True:  # after one of its processes was killed, the server recovers by itself
            try:
                return self._sql("SELECT 1")
            except Exception:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def services(self) -> set[int]:
        return {self._postmaster().pid} if (self._data / "postmaster.pid").exists() else set()

    def end(self) -> None:
        if (self._data / "postmaster.pid").exists():
            self._kill(self._postmaster())

    def _url(self, name: str) -> str:
        return f"{self._server.url.rpartition('/')[0]}/{name}"

    def _postmaster(self) -> psutil.Process:
        return psutil.Process(int((self._data / "postmaster.pid").read_text().split()[0]))

    def _kill(self, postmaster: psutil.Process) -> None:
        processes = [postmaster, *postmaster.children(recursive=True)]
        os.kill(postmaster.pid, signal.SIGSTOP)  # so that it starts nothing in between
        for process in reversed(processes):
            killing.kill(process.pid)
        psutil.wait_procs(processes, timeout=services.WAIT_SECONDS)
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    def _sql(self, statement: str) -> None:
        engine = create_engine(self._server.url, isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.execute(text(statement))
        finally:
            engine.dispose()


def copy_database(source: str, target: str) -> None:
    """Copy all rows of a gradebook into an empty database."""
    Gradebook(target, "").close()
    here, there = create_engine(source), create_engine(target)
    ledger.make_table(there)
    with here.connect() as reader, there.begin() as writer:
        for table in [*Base.metadata.sorted_tables, ledger.LEDGER]:
            writer.execute(table.delete())
            if rows := [dict(row) for row in reader.execute(select(table)).mappings()]:
                writer.execute(insert(table), rows)
    here.dispose()
    there.dispose()


@contextlib.contextmanager
def place(kind: str, folder: Path, beginnings: Beginnings) -> Iterator[Here]:
    """Where the command works, and what is killed there."""
    own: Here = (OnCluster(folder / "dask") if kind == "scheduler"
                 else OnDatabase(folder / "postgresql", beginnings) if kind == "database" else Here(kind))
    try:
        yield own
    finally:
        own.end()


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
