"""Launcher: `python3 course.py COMMAND` sets up what is missing, then runs the `course` command.

Standard library only. It makes a virtual environment in .venv, installs the pinned dependencies into it when
pyproject.toml or constraints.txt changed, and hands over. `python3 course.py --help` lists the commands.
"""

import hashlib
import itertools
import os
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
OLDEST, NEWEST = (3, 11), (3, 13)
PEER_VARIABLE = "CNNCOURSE_REQUIRE_PEER"


def extras(command: str) -> list[str]:
    """Optional dependencies that a command needs: tests bring their tools, CI brings PyTorch too."""
    if command == "book":
        return ["book"]
    if command != "test":
        return []
    return ["test", "peer"] if os.environ.get(PEER_VARIABLE) == "1" else ["test"]


def fingerprint() -> str:
    """Changes whenever what has to be installed changes."""
    files = (ROOT / "pyproject.toml", ROOT / "constraints.txt")
    return hashlib.sha256(b"".join(file.read_bytes() for file in files) + sys.version.encode()).hexdigest()


def run_quietly(what: str, command: list[str]) -> None:
    """Run a command with a sign of life instead of its output; show the output if it fails."""
    began = time.monotonic()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=ROOT)
        for sign in itertools.cycle("|/-\\"):
            if process.poll() is not None:
                break
            if sys.stderr.isatty():
                print(f"\r{sign} {what} ({time.monotonic() - began:.0f} s) ", end="", file=sys.stderr, flush=True)
            time.sleep(0.2)
        end = "\r" if sys.stderr.isatty() else ""
        print(f"{end}{what}: {time.monotonic() - began:.0f} s        ", file=sys.stderr)
        if process.returncode:
            log.seek(0)
            sys.exit(f"{log.read().decode(errors='replace')}\n{what} failed; mend it and run the same command again.")


def set_up(wanted: list[str]) -> None:
    """Make the environment and install into it what is not there yet."""
    stamp = ENVIRONMENT / "installed.txt"
    installed = stamp.read_text().split() if stamp.is_file() else []
    if installed[:1] == [fingerprint()] and set(wanted) <= set(installed[1:]) and PYTHON.is_file():
        return
    wanted = sorted({*wanted, *installed[1:]})
    if not PYTHON.is_file():
        print("making a virtual environment in .venv", file=sys.stderr)
        venv.create(ENVIRONMENT, with_pip=True, clear=True, symlinks=os.name != "nt")
    target = f".[{','.join(wanted)}]" if wanted else "."
    run_quietly("installing packages, the first time takes a minute or two", [
        str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--constraint", "constraints.txt",
        "--editable", target])
    stamp.write_text(" ".join([fingerprint(), *wanted]))


def main() -> None:
    """Set up, then run the `course` command with the same arguments."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        sys.exit(f"Python {OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]} is needed, this is "
                 f"{sys.version.split()[0]}. Call another one, for instance: python3.12 course.py demo")
    arguments = sys.argv[1:]
    set_up(extras(arguments[0] if arguments else ""))
    command = [str(PYTHON), "-m", "autograder.cli", *arguments]
    if os.name == "nt":
        sys.exit(subprocess.run(command, check=False).returncode)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
