"""Other machines than this one, for one command: an ordinary user, a container that forbids namespaces.

Root runs the command in a mount namespace in which folders that only root may enter are replaced by open ones, and,
where namespaces shall be forbidden, in a user namespace of its own that allows no further ones, without capabilities.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

NOBODY = 65534
FORBID = """
import ctypes, os, sys
ready, go = os.pipe(), os.pipe()
child = os.fork()
if child:
    os.read(ready[0], 1)
    for name in ("uid_map", "gid_map"):
        with open(f"/proc/{child}/{name}", "w") as file: file.write("0 0 100000")
    os.write(go[1], b"x")
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
if ctypes.CDLL(None).unshare(0x10000000): sys.exit("unshare: not permitted")
os.write(ready[1], b"x")
os.read(go[0], 1)
with open("/proc/sys/user/max_user_namespaces", "w") as file: file.write("0")
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""A user namespace in which no other one can be made; its root maps to root outside."""


@dataclass(frozen=True)
class Machine:
    """A machine that is played.

    Attributes
    ----------
    ordinary : bool
        Whether an ordinary user runs the command.
    namespaces : bool
        Whether that user may make namespaces.
    """

    ordinary: bool
    namespaces: bool

    def __str__(self) -> str:
        return ("ordinary user" if self.ordinary else "root") + ("" if self.namespaces else " without namespaces")

    def run(
        self, command: Sequence[str], *needed: Path | str, environment: Mapping[str, str], cwd: Path | str = "/"
    ) -> subprocess.CompletedProcess[str]:
        """Run a command there.

        Parameters
        ----------
        command : sequence of str
        *needed : Path or str
            Folders that it has to see, whoever may enter them.
        environment : mapping of str to str
        cwd : Path or str, optional
        """
        wrapped = [*self._wrapping(list(map(str, needed))), *command]
        return subprocess.run(wrapped, cwd=cwd, env=dict(environment), text=True, check=False, capture_output=True,
                              errors="replace")

    def _wrapping(self, needed: list[str]) -> list[str]:
        drop = ["setpriv", "--inh-caps=-all"]
        if self.ordinary:
            drop += [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        elif not self.namespaces:
            drop += ["--bounding-set=-all"]
        forbid = [] if self.namespaces else [sys.executable, "-c", FORBID]
        if not (self.ordinary or forbid):
            return []
        return ["unshare", "--mount", "sh", "-c", _opening(needed), "sh", *forbid, *drop, "--"]


def _opening(needed: list[str]) -> str:
    """A shell's commands that put open folders in place of closed ones, with what is needed in them."""
    closed = {str(parent) for path in needed for parent in Path(path).parents if not parent.stat().st_mode & 1}
    tops = sorted(top for top in closed if not any(top.startswith(other + "/") for other in closed))
    inside = [path for path in dict.fromkeys(needed) if any(path.startswith(top + "/") for top in tops)]
    steps = ["set -e", "kept=/mnt", "mount -t tmpfs none $kept"]
    for number, path in enumerate(inside):
        steps.append(f"mkdir $kept/{number}; mount --bind '{path}' $kept/{number}")
    steps += [f"mount -t tmpfs -o mode=0755 none '{top}'" for top in tops]
    steps += [f"mkdir -p '{path}'; mount --bind $kept/{number} '{path}'" for number, path in enumerate(inside)]
    return "\n".join([*steps, 'exec "$@"'])


MACHINES = tuple(Machine(ordinary, namespaces) for namespaces in (True, False) for ordinary in (False, True))


def why_not_played() -> str:
    """Why this machine cannot play others; empty if it can."""
    if not hasattr(os, "getuid") or os.getuid() != 0:
        return "only root can play other machines"
    ran = subprocess.run(["unshare", "--mount", sys.executable, "-c", FORBID, "true"], capture_output=True, text=True,
                         check=False)
    return "" if ran.returncode == 0 else f"this machine does not let root play others: {ran.stderr.strip()[-200:]}"
