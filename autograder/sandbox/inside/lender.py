"""The first process of a sandbox: it starts once, imports NumPy, and lends a fork of itself to each submission.

The judge sends it its settings over a socket that no stranger ever holds, and for each submission "begin" with two
pipes. Before the fork runs anything of a stranger's it becomes a user of its own where the lender may choose one, obeys
Landlock's rules where these are the walls, and installs the filter for system calls; `tenant` does the rest. On "end",
or when the judge is gone, everything of the submission is killed and the scratch folder is emptied. Then the lender
looks at itself and at all that it shares with the forks (see `state`), and goes on only where nothing has changed.
Without namespaces an heir (see `heir`) waits for its end, however that comes, and then kills what it has lent.

This file also lies in the sandbox: it imports the standard library, NumPy, and the files beside it only.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import json
import os
import select
import signal
import socket
import time
from base64 import b64decode
from typing import Any

import kernel
import numpy as np
import state
import tenant
from doorkeeper import Doorkeeper
from heir import Heir

CLEARING_SECONDS = 2.0
WALLS_SECONDS = 10.0
"""How long a fork may take until it stands behind its walls, on a machine that has much to do."""
MOST_SETTINGS, MOST_TOLD = 1 << 20, 1 << 10
WALLS = b"walls"
FIRST_HIGH = 48
"""Descriptors from here on are free."""


def main() -> None:
    """Take the settings, get ready, lend forks until there is nobody to lend them to."""
    control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, os.dup(0))
    settings = json.loads(control.recv(MOST_SETTINGS))
    try:
        _open_nothing()
        own = dict(settings["limits"])
        tenant.limit({name: value for name, value in own.items() if name != "RLIMIT_CPU"})
        np.seterr(all="ignore")
        tenant.rehearse()
        gc.collect()
        gc.freeze()
        Lender(control, settings, own["RLIMIT_CPU"]).lend()
    except Exception as error:
        with contextlib.suppress(OSError):
            control.send(f"failed: {type(error).__name__}: {error}"[:1000].encode())
        raise


class Lender:
    """What lends forks.

    Parameters
    ----------
    control : socket
        To the judge.
    settings : dict
        See `isolation.Settings`.
    processor_seconds : int
        For each process of a submission.
    """

    def __init__(self, control: socket.socket, settings: dict[str, Any], processor_seconds: int) -> None:
        self.control = control
        self.scratch: str = settings["scratch"]
        self.alone: bool = settings["alone"]
        self.limits = {"RLIMIT_CPU": processor_seconds}
        self.first_uid: int = settings["first_uid"]
        self.uids_left: int = settings["uids"]
        self.reads_everywhere: bool = settings["reads_everywhere"]
        self.most_files: int = settings["most_files"]
        self.most_processes: int = settings["most_processes"]
        self.numbers: dict[str, list[int]] = settings["numbers"]
        self.allowed, self.watched, self.silenced = (
            b64decode(settings[name]) for name in ("allowed", "watched", "silenced"))
        self.judge = -1 if self.alone else os.pidfd_open(os.getppid())
        kernel.give_up_new_privileges()
        # Where there is but one user, strangers could write into this process through /proc without this.
        kernel.hide_memory()
        self.heir = Heir(needed=not self.alone)
        kernel.adopt_orphans()
        self.rules = -1
        if settings["rules"]:
            kernel.obey(_rules(settings["rules"], settings["rules"]["lenders"]))
            self.rules = _rules(settings["rules"], [])

    def lend(self) -> None:
        """A fork for each "begin"; nothing of it is left before the next one is made."""
        before = self._state()
        self.control.send(b"ready")
        while self._lend_one():
            now = self._state()
            if changed := [name for name in now if now[name] != before.get(name)]:
                self.control.send(f"changed: {', '.join(changed)}"[:1000].encode())
                return
            if self.first_uid and not self.uids_left:
                self.control.send(b"used up")
                return
            self.control.send(b"ready")

    def _lend_one(self) -> bool:
        """Lend a fork and clear up after it; False if there is nobody to lend it to."""
        if not self._is_spoken_to():
            return False
        _, descriptors, _, _ = socket.recv_fds(self.control, 16, 2)
        if len(descriptors) != 2:
            return False
        uid = self._next_uid()
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                try:
                    pipes = self._wall_in(there, uid, *descriptors)
                except Exception as error:
                    there.send(f"a fork could not be walled in: {error}"[:900].encode())
                    raise
                for one in (self.control, here, there):
                    one.detach()  # closed already, and the numbers may be others' by now
                tenant.serve(*pipes, kernel.die_with_parent)
            os._exit(0)
        there.close()
        for descriptor in descriptors:
            os.close(descriptor)
        try:
            self.heir.inherits(child)
            self.control.send(b"lent %d" % child)
            goes_on = self._watch(here, child)
        finally:
            here.close()
            self._clear(child)
            self.heir.inherits(0)
        return goes_on

    def _is_spoken_to(self) -> bool:
        """Wait for the judge; False once it has ended, although a fork of it may hold the socket open."""
        poll = select.poll()
        poll.register(self.control, select.POLLIN)
        if self.judge >= 0:
            poll.register(self.judge, select.POLLIN)
        return all(descriptor == self.control.fileno() for descriptor, _ in poll.poll())

    def _next_uid(self) -> int | None:
        """A user that no process has been, who gets the scratch folder; None where the lender's own has to do."""
        if not self.first_uid:
            return None
        self.uids_left -= 1
        uid = self.first_uid + self.uids_left
        if not self.alone:
            os.chown(self.scratch, uid, uid)
        return uid

    def _wall_in(self, there: socket.socket, uid: int | None, given: int, answers: int) -> tuple[int, int]:
        """In the fork: become whoever may run strangers' code; there is no way back. Its two pipes, newly numbered."""
        os.setsid()
        tenant.limit(self.limits)
        if uid is not None:
            kernel.become(uid, self.reads_everywhere)
        kernel.hide_memory()
        kernel.die_with_parent()
        if self.rules >= 0:
            kernel.obey(self.rules)
        socket.send_fds(there, [WALLS], self._have_calls_watched())
        pipes = _keep_only(given, answers)
        _open_nothing()
        kernel.filter_calls(self.allowed)
        return pipes

    def _have_calls_watched(self) -> list[int]:
        """Where the kernel asks about calls; nowhere if it cannot and nothing is counted, and all signals are refused.

        It cannot before Linux 5.5, and where what has started us is asked already.
        """
        try:
            return [kernel.watch_calls(self.watched, self.numbers["seccomp"][0])]
        except OSError:
            if self.most_processes:
                raise
        kernel.filter_calls(self.silenced)
        return []

    def _watch(self, here: socket.socket, child: int) -> bool:
        """Answer what the submission has to ask for until its end; False if the judge is gone."""
        here.settimeout(WALLS_SECONDS)
        told, listeners, _, _ = socket.recv_fds(here, MOST_TOLD, 1)
        if told != WALLS:
            raise OSError(told.decode() or "a fork ended before it was walled in")
        doorkeepers = [Doorkeeper(listener, child, self.numbers, self.most_files, self.most_processes)
                       for listener in listeners]
        poll = select.poll()
        poll.register(self.control, select.POLLIN)
        for doorkeeper in doorkeepers:
            poll.register(doorkeeper.listener, select.POLLIN)
        if self.judge >= 0:
            poll.register(self.judge, select.POLLIN)
        try:
            while True:
                for descriptor, event in poll.poll():
                    if descriptor == self.judge:
                        return False
                    if descriptor == self.control.fileno():
                        return bool(self.control.recv(16))
                    if event & select.POLLIN:
                        doorkeepers[0].answer()
                    else:  # nobody is left to ask
                        poll.unregister(descriptor)
        finally:
            # Whoever asks from now on gets no answer until it is killed: no new process escapes that.
            self._kill_group(child)
            for doorkeeper in doorkeepers:
                doorkeeper.close()

    def _kill_group(self, child: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)

    def _clear(self, child: int) -> None:
        """End every other process of the submission, wait until they are gone, and empty the scratch folder.

        An exception ends this process; the judge then starts a new sandbox.
        """
        self._kill_group(child)
        deadline = time.monotonic() + CLEARING_SECONDS
        while (self.alone and _kill_all_others()) or state.children():
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, 0):
                    pass
            if time.monotonic() > deadline:
                raise TimeoutError("a process does not go away")
        for folder, folders, files in os.walk(self.scratch, topdown=False):
            for path in (os.path.join(folder, name) for name in folders + files):
                if os.path.isdir(path) and not os.path.islink(path):
                    os.rmdir(path)
                else:
                    os.unlink(path)
        if self.first_uid and not self.alone:
            os.chown(self.scratch, os.getuid(), os.getgid())

    def _state(self) -> dict[str, Any]:
        """All that must be the same before each submission."""
        shared = state.of_sandbox() if self.alone else {}
        return state.of_process() | shared | state.of_scratch(self.scratch)


def _rules(settings: dict[str, Any], more: list[tuple[str, int]]) -> int:
    """Landlock's rules, as a descriptor."""
    rules = kernel.new_rules(settings["files"], settings["network"], settings["scopes"])
    for path, rights in [*settings["allowed"], *more]:
        with contextlib.suppress(FileNotFoundError):
            kernel.allow(rules, path, rights)
    os.set_inheritable(rules, False)
    return rules


def _open_nothing() -> None:
    """Prints of strangers go nowhere, by descriptors that they do not share with others."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)


def _keep_only(given: int, answers: int) -> tuple[int, int]:
    """Close everything but two pipes, which become the lowest descriptors after the standard ones."""
    high = [fcntl.fcntl(pipe, fcntl.F_DUPFD, FIRST_HIGH) for pipe in (given, answers)]
    os.closerange(3, FIRST_HIGH)
    low = [fcntl.fcntl(pipe, fcntl.F_DUPFD, 3) for pipe in high]
    os.closerange(FIRST_HIGH, state.MOST_DESCRIPTORS)
    return low[0], low[1]


def _kill_all_others() -> bool:
    """Kill whatever is left in a sandbox where all processes are ours; False if nothing was."""
    if os.getppid() != 1:
        raise PermissionError("only where all processes are ours may all be killed")
    try:
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    main()
