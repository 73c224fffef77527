"""What one submission may use, and what the first process of a sandbox is told."""

from __future__ import annotations

import functools
import json
import os
import secrets
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.sandbox import syscalls

FIRST_FRESH_UID, LAST_FRESH_UID = 1 << 28, 1 << 29
"""Users that no system gives to anyone; where fewer are mapped, as in most containers, the last of those that are."""
UIDS_OF_A_SANDBOX = 1 << 12
"""A user for each submission; then the sandbox is renewed."""
BLOCKS_AT_THE_END = 4
LOWEST_FRESH_UID = 10_000

CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_KILL, CAP_SETGID, CAP_SETUID, CAP_SYS_ADMIN = 0, 1, 5, 6, 7, 21


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    Attributes
    ----------
    cell_seconds, call_seconds, total_seconds : float
        Wall time for one cell, for one call of an answer, and for the submission as a whole.
    memory_bytes : int
        Address space of each process; where there are control groups, also memory of all together, without files.
    processes : int
        Processes and threads together.
    file_bytes, scratch_bytes : int
        One file; all files together. Where files are counted instead of measured, so many fit that all together are
        no more, and each is smaller.
    """

    cell_seconds: float = 10.0
    call_seconds: float = 4.0
    total_seconds: float = 90.0
    memory_bytes: int = 2 << 30
    processes: int = 48
    file_bytes: int = 8 << 20
    scratch_bytes: int = 32 << 20


@dataclass(frozen=True)
class Rules:
    """Landlock's rules for strangers' code: what is handled is forbidden, but for what is allowed.

    Attributes
    ----------
    files, network, scopes : int
        Rights that are handled, as bits.
    allowed : tuple of (str, int)
        Paths, and the rights on what is there and below.
    lenders : tuple of (str, int)
        What the first process may beside that, and its forks may not.
    """

    files: int
    network: int
    scopes: int
    allowed: tuple[tuple[str, int], ...]
    lenders: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Settings:
    """What the first process of a sandbox is told before anything else.

    Attributes
    ----------
    limits : dict of str to int
        Resource limits by their names.
    scratch : str
        The one folder that can be written to.
    alone : bool
        Whether all processes that it can see are of the sandbox.
    first_uid : int
        First of the users that it gives to submissions, one each; 0 if it may not choose any.
    reads_everywhere : bool
        Whether these may read what only root may, as far as the rules go.
    most_files, most_processes : int
        What is counted, where it is; see `syscalls.programs`.
    rules : Rules or None
    """

    limits: dict[str, int]
    scratch: str
    alone: bool
    first_uid: int = 0
    reads_everywhere: bool = False
    most_files: int = 0
    most_processes: int = 0
    rules: Rules | None = field(default=None)

    def message(self) -> bytes:
        """As it is sent."""
        programs = syscalls.programs(counts=self.most_processes > 0)
        told: dict[str, Any] = {
            name: getattr(self, name) for name in ("limits", "scratch", "alone", "first_uid", "reads_everywhere",
                                                   "most_files", "most_processes")}
        told |= {"uids": UIDS_OF_A_SANDBOX, "numbers": programs.numbers, "rules": self.rules and vars(self.rules),
                 "allowed": b64encode(programs.allowed).decode(), "watched": b64encode(programs.watched).decode(),
                 "silenced": b64encode(programs.silenced).decode()}
        return json.dumps(told).encode()


def resource_limits(limits: Limits) -> dict[str, int]:
    """Resource limits of one process, by their names; all but the number of processes."""
    return {
        "RLIMIT_AS": limits.memory_bytes,
        "RLIMIT_CORE": 0,
        "RLIMIT_CPU": int(limits.total_seconds) + 1,
        "RLIMIT_FSIZE": limits.file_bytes,
        "RLIMIT_MEMLOCK": 0,
        "RLIMIT_MSGQUEUE": 0,
        "RLIMIT_NOFILE": 64,
        "RLIMIT_SIGPENDING": 256,
    }


def fresh_uids(*capabilities: int) -> int:
    """First of a block of users that no process has been; 0 if this process may not choose any.

    Parameters
    ----------
    *capabilities : int
        What is needed beside changing users and ending their processes.
    """
    if not _may(CAP_SETUID, CAP_SETGID, CAP_KILL, *capabilities):
        return 0
    first, last = _mapped_block()
    blocks = (last - first) // UIDS_OF_A_SANDBOX
    return first + UIDS_OF_A_SANDBOX * secrets.randbelow(blocks) if blocks > 0 else 0


def _may(*capabilities: int) -> bool:
    """Whether this process is root and has these capabilities in effect."""
    if not hasattr(os, "getuid") or os.getuid() != 0:
        return False
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return False
    effective = next((int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapEff:")), 0)
    return all(effective >> number & 1 for number in capabilities)


@functools.cache
def _mapped_block(maps: tuple[Path, ...] = (Path("/proc/self/uid_map"), Path("/proc/self/gid_map"))) -> tuple[int, int]:
    """Users and groups that nobody else is; from the first, up to and without the last."""
    first, last = FIRST_FRESH_UID, LAST_FRESH_UID
    for path in maps:
        try:
            ranges = [tuple(map(int, line.split())) for line in path.read_text().splitlines()]
        except OSError:
            return 0, 0
        if any(start <= first and last <= start + count for start, _, count in ranges):
            continue
        start, _, count = max(ranges, key=lambda own: own[2])
        last = min(last, start + count)
        first = max(min(first, last - BLOCKS_AT_THE_END * UIDS_OF_A_SANDBOX), start, LOWEST_FRESH_UID)
    return first, last
