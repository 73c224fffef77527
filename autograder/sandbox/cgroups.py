"""Control groups (version 2): what all processes of one sandbox may use together, where this machine lets us say so.

Resource limits hold for each process by itself; a group also bounds the sum. A group can be made where a group above
our own hands on the memory and pids controllers and may be written to: as root, or as the user of a delegated part
(`systemd-run --user --scope course grade ...`). Elsewhere the resource limits hold alone.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import subprocess
import time
from pathlib import Path

NAME = "course-sandbox"
CONTROLLERS = {"memory", "pids"}
OF_BUBBLEWRAP = 8
"""Processes of the sandbox itself, which are no stranger's."""

REMOVAL_SECONDS = 2.0
ENTER = 'echo 0 > "$0" && exec "$@"'
"""A shell enters the group and becomes the program: put in from outside, its children might already be elsewhere."""

_numbers = itertools.count()


class Group:
    """A group for one sandbox.

    Parameters
    ----------
    parent : Path
        Where it is made; see `parent`.
    memory_bytes, processes : int
        What its processes may use together.
    """

    def __init__(self, parent: Path, memory_bytes: int, processes: int) -> None:
        self.path = parent / f"{NAME}-{os.getpid()}-{next(_numbers)}"
        self.path.mkdir()
        try:
            (self.path / "memory.max").write_text(str(memory_bytes))
            (self.path / "pids.max").write_text(str(processes + OF_BUBBLEWRAP))
            with contextlib.suppress(OSError):  # machines without swap do not have it
                (self.path / "memory.swap.max").write_text("0")
        except OSError:
            self.remove()
            raise

    def entering(self, command: list[str]) -> list[str]:
        """The command with everything that it starts in this group."""
        return ["/bin/sh", "-c", ENTER, str(self.path / "cgroup.procs"), *command]

    def remove(self) -> None:
        """End what is left in it and remove it."""
        with contextlib.suppress(OSError):
            (self.path / "cgroup.kill").write_text("1")
        deadline = time.monotonic() + REMOVAL_SECONDS
        while self.path.is_dir() and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                self.path.rmdir()
                return
            time.sleep(0.01)


@functools.cache
def parent(
    mounts: Path = Path("/proc/self/mounts"), membership: Path = Path("/proc/self/cgroup")
) -> Path | None:
    """The nearest group above in which a group with limits can be made and entered; None if there is none."""
    try:
        # "cgroup2 /sys/fs/cgroup cgroup2 rw,... 0 0" and "0::/user.slice/..."
        roots = [line.split()[1] for line in mounts.read_text().splitlines() if line.split()[2:3] == ["cgroup2"]]
        own = [line.removeprefix("0::/") for line in membership.read_text().splitlines() if line.startswith("0::/")]
    except OSError:
        return None
    if not roots or not own:
        return None
    root = Path(roots[0])
    folder = root / own[0]
    for candidate in (folder, *folder.parents):
        if _can_hold(candidate):
            return candidate
        if candidate == root:
            break
    return None


def _can_hold(folder: Path) -> bool:
    try:
        if not set((folder / "cgroup.subtree_control").read_text().split()) >= CONTROLLERS:
            return False
        _remove_left_over(folder)
        group = Group(folder, 1 << 30, 1)
        try:
            return subprocess.run(group.entering(["/bin/sh", "-c", ":"]), stderr=subprocess.DEVNULL, timeout=10,
                                  check=False).returncode == 0
        finally:
            group.remove()
    except (OSError, subprocess.TimeoutExpired):
        return False


def _remove_left_over(folder: Path) -> None:
    """Remove the empty groups of processes that were killed."""
    for old in folder.glob(f"{NAME}-*-*"):
        if not Path("/proc", old.name.split("-")[-2]).exists():
            with contextlib.suppress(OSError):
                old.rmdir()


def description() -> str:
    """One line on whether groups bound what a sandbox uses, for `course doctor`."""
    folder = parent()
    if folder is None:
        return "limits hold for each process; this machine lets us make no control group that bounds their sum"
    return f"limits hold for each process, and for a sandbox as a whole in control groups below {folder}"
