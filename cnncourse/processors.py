"""How many processors this process may use: those that it is bound to, and no more than its control groups grant.

A pod with a quota of two processors on a machine of 64 sees all of them and may run on any. But once its threads
together have used up their share of a period, they all stand still until the next period begins: threads for
processors that are not there do not help, they cost.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

MOUNTS, MEMBERSHIP = Path("/proc/self/mountinfo"), Path("/proc/self/cgroup")
"""Which folders show control groups, and in which groups this process is."""


def available() -> int:
    """How many processors this process may use at once.

    Returns
    -------
    int
        At least 1. A part of a processor that a quota grants beside whole ones is not counted: a thread for it would
        make all others wait.
    """
    bound, granted = _bound(), quota()
    return bound if bound <= granted else max(1, int(granted))


def quota(mounts: Path = MOUNTS, membership: Path = MEMBERSHIP) -> float:
    """Processors that the control groups of this process grant: its own group and all above it, the least counts.

    Parameters
    ----------
    mounts, membership : Path, optional
        In the form of /proc/self/mountinfo and /proc/self/cgroup.

    Returns
    -------
    float
        Infinite where there is no quota, or none that can be read.
    """
    return min((_granted(folder) for folder in _groups(mounts, membership)), default=math.inf)


def _bound() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


def _groups(mounts: Path, membership: Path) -> Iterator[Path]:
    """Folders of the groups that this process is in, as far up as they can be seen from here."""
    own: dict[str, PurePosixPath] = {}
    for line in _text(membership).splitlines():  # "0::/user.slice"; in version 1 "4:cpu,cpuacct:/user.slice"
        if line.count(":") >= 2:
            _, controllers, group = line.split(":", 2)
            own |= dict.fromkeys(controllers.split(","), PurePosixPath(group))
    for line in _text(mounts).splitlines():  # "30 23 0:26 /user.slice /sys/fs/cgroup rw shared:4 - cgroup2 cgroup rw"
        fields, _, system = (part.split() for part in line.partition(" - "))
        if len(fields) < 5 or len(system) < 3:
            continue
        if system[0] == "cgroup2":
            path = own.get("")
        else:
            path = own.get("cpu") if system[0] == "cgroup" and "cpu" in system[2].split(",") else None
        if path is None:
            continue
        shown, place = map(_unescaped, fields[3:5])
        # In a container the own path may be one that only the machine outside knows; there the top is the own group.
        known = path.is_relative_to(shown) and ".." not in path.parts
        inner = path.relative_to(shown).parts if known else ()
        yield from (Path(place, *inner[:depth]) for depth in range(len(inner) + 1))


def _granted(group: Path) -> float:
    """What one group grants by itself: quota / period, both in microseconds."""
    both = _text(group / "cpu.max").split() or [
        *_text(group / "cpu.cfs_quota_us").split(), *_text(group / "cpu.cfs_period_us").split()]
    try:
        quota, period = map(int, both)
    except ValueError:  # "max", or nothing that makes sense
        return math.inf
    return quota / period if quota > 0 and period > 0 else math.inf


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""


def _unescaped(field: str) -> str:
    """Spaces in paths stand as \\040."""
    return re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), field)
