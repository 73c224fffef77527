"""What others could have changed of a process that lives on, and of the room that it shares with them.

The process that lends forks takes this down before the first one, and again before it says that it is ready for the
next: where anything differs, it ends, and the judge starts a new sandbox. Whatever a system call can set of another
process, or of an object that outlives the process that made it, belongs in here, whether the filter allows that call
or not. Counters that only grow are left out: numbers of processes and of files, seconds and faults that were used.

This file also lies in the sandbox: it imports the standard library and `kernel` only.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import signal
import stat
from collections.abc import Callable
from typing import Any

import kernel

OF_A_STATUS = ("State", "Uid", "Gid", "Groups", "Umask", "Threads", "TracerPid", "SigPnd", "ShdPnd", "SigBlk", "SigIgn",
               "SigCgt", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Seccomp_filters",
               "Cpus_allowed", "Mems_allowed", "THP_enabled", "CoreDumping", "Speculation_Store_Bypass")
"""Lines of /proc/self/status that do not count anything."""
OF_A_PROCESS = ("oom_score_adj", "autogroup", "coredump_filter", "timers", "cgroup", "attr/current")
SHARED = ("/proc/sysvipc/shm", "/proc/sysvipc/sem", "/proc/sysvipc/msg", "/proc/locks", "/proc/mounts")
"""Objects of the kernel's; in namespaces of the sandbox's own, all that there are."""
SHARED_FOLDERS = ("/dev/shm", "/dev/mqueue", "/tmp", "/var/tmp", "/run")
MOST_DESCRIPTORS = 64
A_MOMENT = 10**9
"""Times of the scratch folder are set to this; they could carry a message."""


def of_process() -> dict[str, Any]:
    """Everything that is this process's own: what other processes of the same user could set."""
    found: dict[str, Any] = {
        f"limit {name}": resource.getrlimit(getattr(resource, name))
        for name in dir(resource) if name.startswith("RLIMIT_")}
    status = _text("/proc/self/status")
    for line in status.splitlines():
        name, _, value = line.partition(":")
        if name in OF_A_STATUS:
            found[name] = value.strip()
    more: dict[str, Callable[[], Any]] = {
        "nice": lambda: os.getpriority(os.PRIO_PROCESS, 0),
        "scheduler": lambda: (os.sched_getscheduler(0), os.sched_getparam(0).sched_priority),
        "processors": lambda: sorted(os.sched_getaffinity(0)),
        "parent, group, session": lambda: (os.getppid(), os.getpgrp(), os.getsid(0)),
        "alarms": lambda: [signal.getitimer(which) for which in range(3)],
        "personality": kernel.personality,
        "timer slack": kernel.timer_slack,
        "descriptors": descriptors,
        "environment": lambda: dict(os.environ),
        "children": children,
    }
    found |= {name: look() for name, look in more.items()}
    found |= {name: _link(f"/proc/self/{name}") for name in ("cwd", "root")}
    found |= {f"namespace {name}": _link(f"/proc/self/ns/{name}") for name in _names("/proc/self/ns")}
    return found | {name: _text(f"/proc/self/{name}") for name in OF_A_PROCESS}


def of_sandbox() -> dict[str, Any]:
    """What all processes of a sandbox with namespaces of its own share, the scratch folder excepted."""
    found: dict[str, Any] = {name: _text(name) for name in SHARED}
    # "1a2b3c4d I--Q---     5 perm 3f030000 65534 65534 keyring   name: 2"; the third counts those who use it
    found["keys"] = [(line[0], *line[5:]) for line in map(str.split, _text("/proc/keys").splitlines())]
    for folder in SHARED_FOLDERS:
        found[folder] = _names(folder)
    return found


def of_scratch(folder: str) -> dict[str, Any]:
    """The emptied scratch folder itself, its times set to a moment that tells nothing."""
    os.utime(folder, (A_MOMENT, A_MOMENT))
    own = os.stat(folder)
    extended: tuple[tuple[str, bytes], ...] = ()
    with contextlib.suppress(OSError):
        extended = tuple((name, os.getxattr(folder, name)) for name in sorted(os.listxattr(folder)))
    return {"scratch": (stat.filemode(own.st_mode), own.st_uid, own.st_gid, own.st_ino, own.st_mtime, extended,
                        _names(folder))}


def descriptors() -> list[tuple[int, str, int, int]]:
    """Open descriptors: where they lead, their flags, and their owner, which are shared with forks."""
    found = []
    for number in range(MOST_DESCRIPTORS):
        with contextlib.suppress(OSError):
            flags, owner = fcntl.fcntl(number, fcntl.F_GETFL), fcntl.fcntl(number, fcntl.F_GETOWN)
            found.append((number, _link(f"/proc/self/fd/{number}"), flags, owner))
    return found


def children() -> bool:
    """Whether there is any child, living or dead."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _text(path: str) -> str:
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read(1 << 16).decode(errors="replace")
    except OSError:
        return ""


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
