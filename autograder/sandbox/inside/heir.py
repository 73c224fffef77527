"""A process that waits for nothing but the end of the one that lends forks, however that comes.

Where namespaces do not end what a submission has started together with the sandbox, somebody has to. The heir can be
neither seen nor signaled by a submission: it is in another process group, or another user's.

This file also lies in the sandbox: it imports the standard library only.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal

HIGH = 48
"""Descriptors from here on are free."""

NUMBER = 8
"""Bytes of a process group's number."""


class Heir:
    """Who kills a process group if this process ends.

    Parameters
    ----------
    needed : bool
        Whether there has to be one.
    """

    def __init__(self, needed: bool) -> None:
        self._tells = -1
        if not needed:
            return
        reads, self._tells = os.pipe()
        if (child := os.fork()) == 0:
            if os.fork() == 0:  # nobody's child, so that it is never waited for
                with contextlib.suppress(OSError):
                    _wait(reads)
            os._exit(0)
        os.waitpid(child, 0)
        os.close(reads)

    def inherits(self, group: int) -> None:
        """Say which group is to be killed if this process ends from now on; 0 for none."""
        if self._tells >= 0:
            os.write(self._tells, group.to_bytes(NUMBER, "little"))


def _wait(reads: int) -> None:
    """Wait until nobody can say anything any more, and kill the group that was named last."""
    own = fcntl.fcntl(reads, fcntl.F_DUPFD, HIGH)
    os.closerange(3, HIGH)
    group = 0
    while told := os.read(own, NUMBER):
        group = int.from_bytes(told, "little")
    if group:
        os.killpg(group, signal.SIGKILL)
