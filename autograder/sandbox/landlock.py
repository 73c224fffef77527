"""The second way to isolate: Landlock and seccomp, where namespaces are forbidden.

Each fork obeys rules of Landlock's that allow it to read a Python interpreter, its library and NumPy, and to write to
one scratch folder; it opens nothing else, /proc included. What Landlock leaves open is closed by the filter for system
calls: sockets altogether, tracing and every other call that names a process, modes, times and locks of files. Signals
reach the submission's own processes only; from its sixth version on Landlock holds that, too. Processes and files are
counted, because no namespace and no file system of its own bounds them. Root gives each fork a user of its own.

Landlock is asked for by its three system calls (`inside/kernel.py`), 30 lines, and the filter is made with pyseccomp.
Two packages were read before that was decided. `landlock` (1.0.0.dev5, alpha) wraps the same calls for rights on files,
without network and scopes, which would have to be added around it in a process that imports next to nothing. `sandlock`
(0.9.0) is a sandbox by itself, in Rust: it starts a program (0.26 s for NumPy, here as often as there are submissions,
instead of a fork), its way for a running process (`confine`) installs Landlock alone, it asks for version 6 unless told
which protections may be missing, and `prlimit` of the parent got through its filter, which lists what is forbidden.
"""

from __future__ import annotations

import ctypes
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from autograder.sandbox import contents, syscalls
from autograder.sandbox.cgroups import Group
from autograder.sandbox.settings import CAP_CHOWN, Limits, Rules, Settings, fresh_uids, resource_limits
from autograder.sandbox.way import Started

PREFIX = "course-sandbox-"
MOST_FILES = 256
"""Files, folders, links and pipes that a submission may make in all."""

CREATE_RULESET, RULESET_VERSION = 444, 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = (1 << bit for bit in range(6))
MAKE_DIR, MAKE_REG, MAKE_SYM = 1 << 7, 1 << 8, 1 << 12
FIRST_RIGHTS = (1 << 13) - 1
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
BIND_TCP, CONNECT_TCP = 1, 2
ABSTRACT_SOCKETS, SIGNALS = 1, 2

VERSIONS = {
    1: ("5.13", "opening, making and removing files", "nothing more"),
    2: ("5.19", "linking and renaming between folders", "refused altogether"),
    3: ("6.2", "emptying files", "`truncate` does not exist, a file opened for reading cannot be emptied"),
    4: ("6.7", "TCP connections", "no socket can be made"),
    5: ("6.10", "commands to devices", "only six harmless ones exist, and /dev/null is the only device to write to"),
    6: ("6.12", "signals and abstract sockets", "each signal is asked about, no socket can be made"),
}
"""What each version of Landlock's interface adds: first kernel, what it holds back, what does so below that version."""


class Landlock:
    """Landlock and seccomp."""

    name = "landlock"

    def why_unavailable(self) -> str:
        """Why it cannot be taken here, and how to mend that, as far as this is seen without a start."""
        if sys.platform != "linux":
            return f"{sys.platform} does not have Landlock; a Linux container, WSL or a Linux machine has it."
        if reason := syscalls.why_unavailable():
            return reason
        if not version():
            return ("Landlock is not there: it needs Linux 5.13 or newer, built with it and started with it (its name "
                    "in /sys/kernel/security/lsm; if not, add lsm=landlock,... to the kernel's command line). A "
                    "container's own filter for system calls has to let landlock_create_ruleset through.")
        return ""

    def describe(self) -> str:
        """Its version, and whether forks are users of their own."""
        users = "a user of its own for each submission" if fresh_uids(CAP_CHOWN) else "all as the user who grades"
        return f"Landlock, version {version()}, and seccomp; {users}"

    def mend(self, complaint: str) -> str:
        """What may help where a start failed."""
        return ("It needs Linux 5.13 or newer, and a container whose own filter for system calls lets seccomp and "
                "Landlock through.")

    def shortcomings(self) -> list[str]:
        """What this version does not hold, and what no version does."""
        own = version()
        lines = [f"version {own} of Landlock does not hold {what} (version {since}, Linux {kernel}); instead, {instead}"
                 for since, (kernel, what, instead) in VERSIONS.items() if since > own]
        if not fresh_uids(CAP_CHOWN):
            lines.append("submissions run as the user who grades; only the filter for system calls is between them and "
                         "that user's other processes")
        elif not _open_to_all(map(str, _readable()), Path()):
            lines.append("the interpreter or NumPy lies in a folder that only root may enter, so submissions may enter "
                         "all folders of the machine, although they can read nothing there")
        return [*lines, "that a file exists, its size, owner and times can be seen where folders on the way may be "
                "entered, and the names of machine and kernel, its memory and its load"]

    def start(self, limits: Limits, group: Group | None, **options: Any) -> Started:
        """Start a sandbox's first process, in a folder of its own that goes when it ends."""
        _remove_left_over()
        folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-")).resolve()
        try:
            first_uid = fresh_uids(CAP_CHOWN)
            library = _lay_out(folder)
            scratch = folder / "scratch"
            allowed = _rules(folder, scratch)
            settings = Settings(
                _resource_limits(limits, bool(first_uid)), str(scratch), alone=False, first_uid=first_uid,
                reads_everywhere=bool(first_uid) and not _open_to_all((path for path, _ in allowed.allowed), scratch),
                most_files=MOST_FILES, most_processes=limits.processes, rules=allowed)
            python = contents.base_python() if contents.base_python().is_file() else contents.real_python()
            command = [str(python), "-I", "-S", "-B", "-c",
                       contents.bootstrap(folder / "grader", folder / "packages", library=library)]
            process = subprocess.Popen(group.entering(command) if group else command, cwd=scratch,
                                       env=contents.environment(str(scratch)), **options)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return Started(process, settings, False, lambda: shutil.rmtree(folder, ignore_errors=True))


@functools.cache
def version() -> int:
    """Version of Landlock's interface here; 0 if there is none, or if it is switched off."""
    if sys.platform != "linux":
        return 0
    libc = ctypes.CDLL(None, use_errno=True)
    return max(0, int(libc.syscall(ctypes.c_long(CREATE_RULESET), None, ctypes.c_size_t(0), RULESET_VERSION)))


def handled(own: int) -> tuple[int, int, int]:
    """All rights on files, on the network, and scopes that a version knows."""
    files = FIRST_RIGHTS
    for since, right in ((2, REFER), (3, TRUNCATE), (5, IOCTL_DEV)):
        files |= right if own >= since else 0
    return files, BIND_TCP | CONNECT_TCP if own >= 4 else 0, ABSTRACT_SOCKETS | SIGNALS if own >= 6 else 0


def _rules(folder: Path, scratch: Path) -> Rules:
    """What forks may: read what is in a sandbox, write to scratch and nowhere."""
    files, network, scopes = handled(version())
    read = READ_FILE | READ_DIR
    allowed = [(folder, read), *((path, read if path.is_dir() else READ_FILE) for path in _readable())]
    allowed.append((scratch, files & (read | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | MAKE_SYM
                                      | REFER | TRUNCATE)))
    allowed += [(Path(name), READ_FILE) for name in ("/dev/urandom", "/dev/random", "/dev/zero", "/dev/full")]
    allowed.append((Path("/dev/null"), files & (READ_FILE | WRITE_FILE | TRUNCATE)))
    return Rules(files, network, scopes, tuple((str(path), rights) for path, rights in allowed),
                 (("/proc", read),))


@functools.cache
def _readable() -> tuple[Path, ...]:
    """Files and folders that may be read, with all that is in them."""
    found: dict[Path, None] = {}
    places = [contents.standard_library(), Path(sys.base_prefix, "lib"), *map(Path, contents.SYSTEM_LIBRARIES)]
    for place in places:
        for path in _without_others(place.resolve()):
            found[path] = None
    for path in (*contents.allowed_packages().values(), *contents.OWN_FILES.values(), *contents.STAND_INS.values()):
        found[path.resolve()] = None
    return tuple(found)


def _without_others(folder: Path) -> Iterator[Path]:
    """A folder, or as many parts of it as it takes to leave out packages that are not the interpreter's."""
    if not folder.is_dir():
        return
    others = [path for name in contents.OF_OTHERS for path in (*folder.glob(name), *folder.glob(f"*/{name}"))]
    if not others:
        yield folder
        return
    for path in folder.iterdir():
        if path.name not in contents.OF_OTHERS and path.exists():
            if path.is_dir() and not path.is_symlink():
                yield from _without_others(path)
            else:
                yield path.resolve()


def _lay_out(folder: Path) -> tuple[str, ...]:
    """Fill a folder with links to what may be imported, and nothing else; what is on the path beside packages.

    A folder that holds anything else cannot be listed under the rules, and Python finds nothing in it.
    """
    folder.chmod(0o755)
    real = contents.standard_library().resolve()
    library = {path.name: path for path in real.iterdir() if path.name not in contents.OF_OTHERS}
    for name, paths in (("grader", contents.OWN_FILES), ("packages", contents.allowed_packages() | contents.STAND_INS),
                        ("library", library)):
        (folder / name).mkdir(mode=0o755)
        for own, path in paths.items():
            (folder / name / own).symlink_to(path.resolve())
    (folder / "scratch").mkdir(mode=0o700)
    return str(folder / "library"), str(real / "lib-dynload")


def _open_to_all(paths: Iterable[str], owned: Path) -> bool:
    """Whether a user who owns nothing but one folder could read all this."""
    folders: set[Path] = set()
    for path in map(Path, paths):
        if path.exists():
            needed = 0o005 if path.is_dir() else 0o004
            if path != owned and path.stat().st_mode & needed != needed:
                return False
            folders.update(path.parents)
    return all(folder.stat().st_mode & 0o001 for folder in folders)


def _resource_limits(limits: Limits, own_users: bool) -> dict[str, int]:
    """So many files fit that all together are no more than the scratch folder would hold."""
    own = resource_limits(limits) | {"RLIMIT_FSIZE": min(limits.file_bytes, limits.scratch_bytes // MOST_FILES)}
    # The kernel counts all processes of a user, and without users of their own that is whoever grades.
    return own | ({"RLIMIT_NPROC": limits.processes} if own_users else {})


def _remove_left_over() -> None:
    """Remove the folders of processes that were killed."""
    for old in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        number = old.name.removeprefix(PREFIX).partition("-")[0]
        if number.isdigit() and not Path("/proc", number).exists():
            shutil.rmtree(old, ignore_errors=True)
