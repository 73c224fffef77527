"""Fresh machines: bare Debian systems in which the first command of the README is tried.

    python3 tests/machines/roots.py                       # every one, as root and as an ordinary user
    python3 tests/machines/roots.py bookworm --user root  # one
    python3 tests/machines/roots.py trixie -- course.py doctor

Standard library only, as root, with Debian's debootstrap. The bare systems are kept in CNNCOURSE_MACHINES, by default
/var/tmp/cnncourse-machines, and copied for each try; packages come the way that this machine is configured for.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
USERS = ("root", "ada")
DEMO = ("course.py", "demo")

CONFIGURATION = ("/etc/resolv.conf", "/etc/hosts", "/etc/pip.conf", "/etc/xdg/pip",
                 "/etc/ssl/certs/ca-certificates.crt")
"""What says how this machine comes to packages."""

HANDED_ON = ("PIP_", "SSL_CERT", "REQUESTS_CA", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
"""Beginnings of the environment variables that say the same."""

ENTER = """\
set -e
mount --bind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount --rbind /dev dev
mount --rbind /sys sys
mkdir -p .before
pivot_root . .before
umount -l /.before
shift
exec "$@"
"""
"""Makes a folder the root. A process that has merely changed its root may not make user namespaces."""


@dataclass(frozen=True)
class Machine:
    """A bare system, and which of its Pythons is called.

    Attributes
    ----------
    suite : str
        Of Debian.
    python : str
    packages : tuple of str
        Installed beside the least that there can be.
    """

    suite: str
    python: str
    packages: tuple[str, ...]


_SID = ("python3.14", "python3.14-venv", "python3.15", "python3.15-venv")
MACHINES = {
    "bookworm": Machine("bookworm", "python3", ("python3", "python3-venv")),
    "trixie": Machine("trixie", "python3", ("python3", "python3-venv")),
    "sid-3.14": Machine("sid", "python3.14", _SID),
    "sid-3.15": Machine("sid", "python3.15", _SID),
}


@dataclass(frozen=True)
class Tried:
    """How a command went: exit status, wall time, and what it printed."""

    status: int
    seconds: float
    output: str

    @property
    def last_line(self) -> str:
        return next((line for line in reversed(self.output.splitlines()) if line.strip()), "")


def why_unavailable() -> str:
    """Why no machine can be made here; empty if one can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "fresh machines are made by root on Linux"
    if shutil.which("debootstrap") is None:
        return "debootstrap is not installed"
    return ""


@contextlib.contextmanager
def fresh(machine: Machine, user: str) -> Iterator[Path]:
    """A copy of a bare system with the checkout in the user's home; gone afterwards."""
    bare = _bare(machine)
    with tempfile.TemporaryDirectory(dir=bare.parent, prefix="try-", ignore_cleanup_errors=True) as folder:
        root = Path(folder, "root")
        subprocess.run(["cp", "--archive", "--reflink=auto", bare, root], check=True)
        for name in CONFIGURATION:
            if os.path.exists(name):
                subprocess.run(["cp", "--recursive", "--dereference", "--parents", name, root], check=True)
        if user != "root":
            subprocess.run(["chroot", root, "useradd", "--create-home", user], check=True)
        home = _home(root, user)
        _copy_checkout(home / "course")
        if user != "root":
            subprocess.run(["chroot", root, "chown", "--recursive", f"{user}:", f"/home/{user}"], check=True)
        yield root


def run(root: Path, machine: Machine, user: str, command: Sequence[str] = DEMO, **more: str) -> Tried:
    """Call Python with a command in the checkout of a fresh machine; `more` goes into the environment."""
    home = "/" + str(_home(root, user).relative_to(root))
    environment = {"HOME": home, "USER": user, "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8"}
    environment |= {name: value for name, value in os.environ.items() if name.upper().startswith(HANDED_ON)} | more
    become = [] if user == "root" else ["setpriv", "--reuid", user, "--regid", user, "--init-groups",
                                        "--inh-caps=-all", "--bounding-set=-all"]
    began = time.monotonic()
    ran = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, "sh", str(root), *become,
         "env", "--chdir", f"{home}/course", machine.python, *command],
        env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", check=False)
    return Tried(ran.returncode, time.monotonic() - began, ran.stdout)


def _home(root: Path, user: str) -> Path:
    return root / "root" if user == "root" else root / "home" / user


def _copy_checkout(to: Path) -> None:
    """What git knows or would add, as it is now."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                            capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, to / name)


def _bare(machine: Machine) -> Path:
    """The bare system, made unless it is there."""
    folder = Path(os.environ.get("CNNCOURSE_MACHINES", "/var/tmp/cnncourse-machines"))
    bare = folder / "-".join([machine.suite, *machine.packages])
    if not bare.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix="making-", ignore_cleanup_errors=True) as half:
            made = subprocess.run(
                ["debootstrap", "--variant=minbase", f"--include={','.join(['ca-certificates', *machine.packages])}",
                 machine.suite, f"{half}/root", *_mirror()], capture_output=True, text=True, check=False)
            if made.returncode:
                raise RuntimeError(f"debootstrap could not make {machine.suite}: {made.stdout[-2000:]}{made.stderr}")
            Path(half, "root").rename(bare)
    return bare


def _mirror() -> list[str]:
    """Where this machine has Debian's packages from; debootstrap's own choice, if it has none."""
    listed = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Label: Debian"],
                            capture_output=True, text=True, check=False)
    return listed.stdout.split()[:1]


def main() -> None:
    """Try a command on fresh machines; print wall time and last line of each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("machines", nargs="*", help=f"some of {', '.join(MACHINES)}; by default all")
    parser.add_argument("--user", choices=USERS, help="by default root and an ordinary one, one after the other")
    parser.add_argument("--log", type=Path, help="folder for all that was printed")
    mine, command = sys.argv[1:], list(DEMO)
    if "--" in mine:
        mine, command = mine[:mine.index("--")], mine[mine.index("--") + 1:]
    options = parser.parse_args(mine)
    if reason := why_unavailable():
        sys.exit(reason)
    failed = False
    for name in options.machines or MACHINES:
        for user in [options.user] if options.user else USERS:
            with fresh(MACHINES[name], user) as root:
                tried = run(root, MACHINES[name], user, command)
            failed |= tried.status != 0
            print(f"{name:9} {user:5} {tried.seconds:4.0f} s, status {tried.status}: {tried.last_line}", flush=True)
            if options.log:
                options.log.mkdir(parents=True, exist_ok=True)
                (options.log / f"{name}-{user}.txt").write_text(tried.output)
    sys.exit(failed)


if __name__ == "__main__":
    main()
