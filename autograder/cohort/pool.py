"""Where batches are worked on: in this process, in processes of this machine, or on a cluster of Dask.

All three are executors with futures, so the grading loop does not know which one it has.
"""

from __future__ import annotations

import contextlib
import logging
import math
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from typing import Any, Protocol

from autograder.errors import AutograderError, WorkerLostError
from cnncourse import processors

FEW = 6
"""So many submissions are graded sooner in this process than processes start."""
MOST_IN_A_LOCAL_BATCH = 16
BATCH = 100
"""Submissions in one task of a cluster."""
CLOSING_SECONDS = 5.0
"""How long processes of this machine are waited for that were told to end."""
RETRIES = 3
"""How often a cluster tries a task again whose worker was lost."""


class Pool(Protocol):
    """Somewhere to send batches."""

    workers: int

    def batch_size(self, submissions: int) -> int:
        """How many submissions to send together."""

    def submit(self, work: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Send a call; its future raises WorkerLostError if its process ends."""

    def close(self) -> None:
        """End all that was started."""


def pool_for(
    submissions: int, workers: int | None = None, scheduler: str | None = None, batch: int = BATCH,
    warm_up: Callable[[], None] = lambda: None,
) -> Pool:
    """The pool that a number of submissions needs.

    Parameters
    ----------
    submissions : int
    workers : int, optional
        Processes on this machine; by default one for each processor, as far as this process may use them, none for a
        handful of submissions.
    scheduler : str, optional
        Address of a Dask scheduler, tcp://host:port.
    batch : int, optional
        Submissions a task on a cluster.
    warm_up : callable, optional
        Called before processes of this machine start, which then have what it has loaded.

    Raises
    ------
    AutograderError
        If the cluster cannot be reached or has no workers.
    """
    if scheduler:
        return Cluster(scheduler, batch)
    count = workers or (1 if submissions <= FEW else processors.available())
    return LocalProcesses(count, warm_up) if count > 1 else ThisProcess()


class ThisProcess:
    """No processes: a call is done when it is submitted."""

    workers = 1

    def batch_size(self, submissions: int) -> int:
        """One, so that progress shows."""
        return 1

    def submit(self, work: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Do it now."""
        future: Future[Any] = Future()
        try:
            future.set_result(work(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future

    def close(self) -> None:
        """Nothing was started."""


class LocalProcesses:
    """Processes of this machine; when one is killed, all are replaced.

    Parameters
    ----------
    workers : int
    warm_up : callable, optional
        See `pool_for`.
    """

    def __init__(self, workers: int, warm_up: Callable[[], None] = lambda: None) -> None:
        self.workers = workers
        # A fork has everything loaded at once, but is safe only as long as there are no threads.
        forks = sys.platform == "linux" and threading.active_count() == 1
        if forks:
            warm_up()
        self._executor = self._start("fork" if forks and threading.active_count() == 1 else "")
        self._executor.submit(_nothing)  # with this all of them start

    def batch_size(self, submissions: int) -> int:
        """Small enough that all processes end at about the same time."""
        return max(1, min(MOST_IN_A_LOCAL_BATCH, math.ceil(submissions / (4 * self.workers))))

    def submit(self, work: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Send a call to whichever process is free."""
        try:
            inner = self._executor.submit(work, *arguments)
        except BrokenProcessPool:
            self._executor.shutdown(wait=False)
            self._executor = self._start()
            inner = self._executor.submit(work, *arguments)
        return _translated(inner, (BrokenProcessPool,))

    def close(self) -> None:
        """End the processes; what they have not finished is lost."""
        processes = list((self._executor._processes or {}).values())
        manager: Any = self._executor._executor_manager_thread
        self._executor.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()
        if manager is not None:  # or the interpreter, at its end, may write into a pipe that this thread has closed
            manager.join(CLOSING_SECONDS)

    def _start(self, method: str = "") -> ProcessPoolExecutor:
        if not method:
            method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
        context = multiprocessing.get_context(method)
        if method == "forkserver":
            context.set_forkserver_preload(["autograder.cohort.forkserver"])
        return ProcessPoolExecutor(self.workers, mp_context=context, initializer=_prepare_process)


class Cluster:
    """Workers of a Dask scheduler.

    Parameters
    ----------
    address : str
    batch : int, optional
    seconds : float, optional
        How long to wait for the scheduler.

    Raises
    ------
    AutograderError
        If Dask is not installed, the scheduler does not answer, or no worker is there.
    """

    def __init__(self, address: str, batch: int = BATCH, seconds: float = 20.0) -> None:
        try:
            from distributed import Client
            from distributed.scheduler import KilledWorker
        except ImportError:
            raise AutograderError("Grading on a cluster needs dask.distributed: pip install cnncourse[cluster]"
                                  ) from None
        for name in ("distributed", "distributed.client"):  # what it says of a lost scheduler is said here, in words
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        try:
            self._client = Client(address, timeout=seconds, name="course grade", set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise AutograderError(f"The Dask scheduler at {address} does not answer: {error}") from error
        self.workers = len(self._client.scheduler_info(n_workers=-1)["workers"])
        if not self.workers:
            self._client.close()
            raise AutograderError(f"The Dask scheduler at {address} has no workers. Start some, for instance with: "
                                  f"dask worker {address} --nthreads 1")
        self._batch, self._lost = batch, (KilledWorker,)
        self._executor = self._client.get_executor(pure=False, retries=RETRIES)

    def batch_size(self, submissions: int) -> int:
        """As wanted, but no worker goes without."""
        return max(1, min(self._batch, math.ceil(submissions / self.workers)))

    def submit(self, work: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Send a task to the cluster; it is tried again elsewhere if its worker is lost."""
        return _translated(self._executor.submit(work, *arguments), self._lost)

    def close(self) -> None:
        """Leave the cluster; its scheduler and workers stay."""
        with contextlib.suppress(OSError, TimeoutError):
            self._client.close(timeout=5)


def _translated(inner: Future[Any], lost: tuple[type[BaseException], ...]) -> Future[Any]:
    """A future whose exception says in our words that a process was lost."""
    outer: Future[Any] = Future()

    def hand_on(done: Future[Any]) -> None:
        error = BaseException() if done.cancelled() else done.exception()
        if error is None:
            outer.set_result(done.result())
        elif done.cancelled():
            outer.set_exception(AutograderError("The scheduler gave up: it was stopped or cannot be reached any more. "
                                                "What is finished is kept; start it again and grade again."))
        else:
            outer.set_exception(WorkerLostError(str(error)) if isinstance(error, lost) else error)

    inner.add_done_callback(hand_on)
    return outer


def _nothing() -> None:
    """A call that does nothing."""


def _prepare_process() -> None:
    """A worker stops when the command does, and uses one processor."""
    from cnncourse import config

    if sys.platform != "win32":
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches everybody; the command ends the workers
    config.set_num_threads(1)
    command = multiprocessing.parent_process()
    assert command is not None

    def stop_with_it() -> None:
        wait([command.sentinel])
        os._exit(1)

    threading.Thread(target=stop_with_it, daemon=True).start()
