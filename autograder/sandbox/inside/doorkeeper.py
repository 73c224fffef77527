"""Decides on the system calls of a submission that have to be asked for, in the process that lent it a fork.

Signals go to processes of the same submission only, all of which are in one process group. Where neither a user of its
own nor a file system of its own bounds what a submission makes, its processes and threads, and the files that it has
made, are counted. All that is looked at are numbers in the call itself, which cannot be changed once it is asked about.

This file also lies in the sandbox: it imports the standard library and `kernel` only.
"""

from __future__ import annotations

import contextlib
import errno
import os

import kernel

GROUP, THREADS = 2, 17
"""Fields of /proc/PID/stat behind the name."""


class Doorkeeper:
    """Answers the questions of one submission.

    Parameters
    ----------
    listener : int
        Where the kernel asks; see `kernel.watch_calls`.
    group : int
        The submission's process group.
    numbers : dict of str to list of int
        System calls by what they do: "signals", "files", "processes".
    most_files, most_processes : int
        What the submission may make in all, and have at once.
    """

    def __init__(
        self, listener: int, group: int, numbers: dict[str, list[int]], most_files: int, most_processes: int
    ) -> None:
        self.listener = listener
        self._group = group
        self._files, self._processes = frozenset(numbers["files"]), frozenset(numbers["processes"])
        self._files_left = most_files
        self._most_processes = most_processes
        self._processes_left = most_processes - 1

    def answer(self) -> None:
        """Decide on one call; its process may have been killed in the meantime."""
        with contextlib.suppress(OSError):
            identity, number, arguments = kernel.receive_question(self.listener)
            kernel.answer_question(self.listener, identity, self._error(number, arguments))

    def close(self) -> None:
        """Answer no more: from now on these calls do not exist."""
        os.close(self.listener)

    def _error(self, number: int, arguments: tuple[int, ...]) -> int:
        """What the call fails with; 0 if it may go on."""
        if number in self._files:
            self._files_left -= 1
            return 0 if self._files_left >= 0 else errno.ENOSPC
        if number in self._processes:
            return 0 if self._may_have_another() else errno.EAGAIN
        return self._error_of_signal(_signed(arguments[0]))

    def _error_of_signal(self, target: int) -> int:
        """Whether a process, or a thread, or the group may be sent a signal."""
        if target in (0, -self._group):  # the caller's own group, which it cannot leave
            return 0
        if target < 0:
            return errno.EPERM
        try:
            return 0 if os.getpgid(target) == self._group else errno.EPERM
        except OSError:
            return errno.ESRCH

    def _may_have_another(self) -> bool:
        """Counting takes milliseconds, so it is done when as many were allowed as may be there at once."""
        if self._processes_left <= 0:
            self._processes_left = self._most_processes - self._living()
        self._processes_left -= 1
        return self._processes_left >= 0

    def _living(self) -> int:
        """Threads of all processes of the group, the dead ones that nobody has waited for included."""
        count = 0
        for name in os.listdir("/proc"):
            if name.isdigit():
                with contextlib.suppress(OSError, ValueError, IndexError):
                    with open(f"/proc/{name}/stat", "rb", buffering=0) as file:
                        fields = file.read(4096).rpartition(b")")[2].split()
                    if int(fields[GROUP]) == self._group:
                        count += int(fields[THREADS])
        return count


def _signed(value: int) -> int:
    """The lower half of a register as the kernel reads a process's number from it."""
    return (value & 0xFFFFFFFF) - ((value & 0x80000000) << 1)
