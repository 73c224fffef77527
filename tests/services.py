"""Servers that tests start and end: PostgreSQL, and a Dask scheduler with workers."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

WAIT_SECONDS = 60.0
SERVER_USERS = ("postgres", "nobody")
"""A server that root starts runs as one of these: PostgreSQL refuses to be root."""


class PostgreSQL:
    """A server of its own in a folder.

    Parameters
    ----------
    folder : Path
        Empty or not there yet; the server's user has to be able to reach it.
    """

    def __init__(self, folder: Path) -> None:
        programs = find_postgresql()
        assert programs is not None
        self._programs, self._data, self.port = programs, folder, free_port()
        self._user = next(pwd.getpwnam(name) for name in SERVER_USERS if _exists(name)) if os.getuid() == 0 else None
        folder.mkdir(parents=True, exist_ok=True)
        if self._user:
            os.chown(folder, self._user.pw_uid, self._user.pw_gid)
        self._run("initdb", "--pgdata", str(folder), "--username", "course", "--auth", "trust", "--no-sync")
        self._server: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        """For SQLAlchemy."""
        return f"postgresql+psycopg://course@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it, also after `kill`, and wait until it answers."""
        command = [self._programs / "postgres", "-D", self._data, "-p", str(self.port), "-h", "127.0.0.1",
                   "-k", "", "-c", "fsync=off"]
        self._server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        start_new_session=True, **self._as_user())
        deadline = time.monotonic() + WAIT_SECONDS
        ready = [self._programs / "pg_isready", "-h", "127.0.0.1", "-p", str(self.port), "-q"]
        while subprocess.run(ready, check=False).returncode:
            if time.monotonic() > deadline or self._server.poll() is not None:
                raise TimeoutError("the PostgreSQL server does not start")
            time.sleep(0.05)

    @property
    def postmaster(self) -> psutil.Process | None:
        """The first of its processes; None if the server does not run."""
        return None if self._server is None or self._server.poll() is not None else psutil.Process(self._server.pid)

    def kill(self) -> None:
        """End all of its processes without any warning."""
        if (first := self.postmaster) is not None:
            first.suspend()  # so that it starts nothing in between
            processes = [first, *first.children(recursive=True)]
            for process in reversed(processes):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(processes, timeout=WAIT_SECONDS)
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        self._server = None

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run([self._programs / program, *arguments], check=True, stdout=subprocess.DEVNULL,
                       **self._as_user())

    def _as_user(self) -> dict:
        own: dict = {"cwd": "/"}
        if self._user:
            own |= {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}
        return own


class DaskCluster:
    """A scheduler and workers, each a process of its own.

    Parameters
    ----------
    workers : int
    folder : Path
        Where workers keep what they spill.
    """

    def __init__(self, workers: int, folder: Path) -> None:
        self._folder, self._count, self.port = folder, workers, free_port()
        self.scheduler: subprocess.Popen[bytes] | None = None
        self.workers: list[subprocess.Popen[bytes]] = []
        self.start()

    @property
    def address(self) -> str:
        """Of the scheduler."""
        return f"tcp://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start what is not running, and wait until all workers are there."""
        if self.scheduler is None or self.scheduler.poll() is not None:
            self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard",
                                         "--no-show")
        self.workers = [worker for worker in self.workers if worker.poll() is None]
        while len(self.workers) < self._count:
            self.workers.append(self._start("worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard",
                                            "--local-directory", str(self._folder)))
        self._wait()

    def kill(self) -> None:
        """End all processes without any warning."""
        for process in [*self.workers, *([self.scheduler] if self.scheduler else [])]:
            process.kill()
            process.wait()
        self.workers, self.scheduler = [], None

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", "dask", *arguments], stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)

    def _wait(self) -> None:
        from distributed import Client

        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                with Client(self.address, timeout="5s", set_as_default=False) as client:
                    client.wait_for_workers(self._count, timeout=deadline - time.monotonic())
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise


def find_postgresql() -> Path | None:
    """Folder of the newest PostgreSQL server's programs here; Debian does not put them on the path."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    if on_path := shutil.which("postgres"):
        found.append(Path(on_path).resolve().parent)
    complete = [folder for folder in found if (folder / "initdb").is_file()]
    return max(complete, key=lambda folder: (len(str(folder)), str(folder)), default=None)


@contextlib.contextmanager
def postgresql(folder: Path) -> Iterator[PostgreSQL]:
    """A server that ends with the context."""
    server = PostgreSQL(folder)
    try:
        yield server
    finally:
        server.kill()


@contextlib.contextmanager
def dask_cluster(workers: int, folder: Path) -> Iterator[DaskCluster]:
    """A cluster that ends with the context."""
    cluster = DaskCluster(workers, folder)
    try:
        yield cluster
    finally:
        cluster.kill()


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def free_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
