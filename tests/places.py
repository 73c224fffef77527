"""Where the grading command works, and what of it is killed: itself, its processes, a cluster, a database."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import psutil
from nbgrader.api import Base, Gradebook
from sqlalchemy import create_engine, insert, select, text

from autograder.cohort import ledger
from tests import killing, services
from tests.faults import BEGINNINGS, Beginnings

KINDS = ("command", "worker", "sandbox", "scheduler", "database")
DASK_WORKERS = 2


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
        self._number = 0
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
        postmaster = self._server.postmaster
        assert postmaster is not None
        serving = [child for child in postmaster.children() if f"try{self._number}" in " ".join(child.cmdline())]
        if serving and rng.random() < 1 / 3:
            killing.kill(serving[0].pid)
            return "process that serves"
        self._server.kill()
        return "server"

    def mend(self) -> None:
        if self._server.postmaster is None:
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
        return {postmaster.pid} if (postmaster := self._server.postmaster) is not None else set()

    def end(self) -> None:
        self._server.kill()

    def _url(self, name: str) -> str:
        return f"{self._server.url.rpartition('/')[0]}/{name}"

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
