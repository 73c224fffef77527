"""Launcher: `python3 course.py COMMAND` sets up what is missing, then runs the `course` command.

Standard library only. It makes a virtual environment in .venv, installs into it what the command needs, in the tested
versions, and hands over. An environment that is not whole, of another Python, or moved here is made anew.
`python3 course.py --help` lists the commands.
"""

# Any Python 3 has to be able to read this file, so that it can say that it is too old: no newer syntax here.
import contextlib
import hashlib
import importlib.util
import itertools
import operator
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
RECORD = ENVIRONMENT / "installed.txt"
UNFINISHED = "unfinished"
PEER_VARIABLE = "CNNCOURSE_REQUIRE_PEER"
COMPARE = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "!=": operator.ne}


def unfit(version: tuple) -> str:
    """Why a Python does not serve, by pyproject.toml; empty if it does."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    allowed = re.search('^requires-python = "(.*)"', text, re.MULTILINE).group(1)
    rules = [(sign, tuple(map(int, number.split(".")))) for sign, number in re.findall(r"([<>!=]+)([\d.]+)", allowed)]
    if all(COMPARE[sign](version, number) for sign, number in rules):
        return ""
    fit = (minor for minor in range(40, 0, -1) if all(COMPARE[sign]((3, minor, 99), number) for sign, number in rules))
    others = [f"python3.{minor}" for minor in fit if shutil.which(f"python3.{minor}")]
    advice = f"Call another one: {others[0]} course.py" if others else "Install one of these"
    return f"Python {allowed} is needed, this is {'.'.join(map(str, version))}. {advice}"


def extras(arguments: list) -> set:
    """Optional dependencies that a command needs: a student's lab little, an instructor's commands more."""
    command = arguments[0] if arguments else ""
    if command == "test":
        return {"test", "peer"} if os.environ.get(PEER_VARIABLE) == "1" else {"test"}
    student = command in ("", "--help") or (command == "lab" and "--instructor" not in arguments)
    wanted = {"lab"} if student else {"grade"}
    wanted |= {"book"} if command == "book" else set()
    wanted |= {"cluster"} if any(option.startswith("--scheduler") for option in arguments) else set()
    return wanted | ({"postgresql"} if any("postgresql" in option for option in arguments) else set())


def place() -> str:
    """Changes with the Python and the folder: an environment serves no other ones."""
    return digest(sys.implementation.cache_tag, sysconfig.get_platform(), sys.base_prefix, str(ROOT))


def pins() -> str:
    """Changes with what has to be installed."""
    return digest(*((ROOT / name).read_text(encoding="utf-8") for name in ("pyproject.toml", "constraints.txt")))


def digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()


def files() -> set:
    """Everything in the environment but what Python itself compiles there."""
    found, top = set(), len(str(ENVIRONMENT)) + 1
    for folder, folders, names in os.walk(str(ENVIRONMENT)):
        folders[:] = [name for name in folders if name != "__pycache__"]
        found.update(ascii(os.path.join(folder[top:], name)) for name in names)
    return found


def set_up(wanted: set) -> None:
    """Make the environment unless it is whole, and install into it what is not there yet."""
    known = RECORD.read_text(encoding="utf-8").splitlines() if RECORD.is_file() else []
    whole = len(known) > 3 and known[0] == place() and PYTHON.is_file() and files().issuperset(known[3:])
    kept = set(known[2].split()) if len(known) > 3 else set()
    if whole and known[1] == pins() and wanted <= kept:
        return
    before = os.umask(0o022)  # whom the sandbox takes for a submission has to be able to read what is installed
    if whole:
        RECORD.write_text(UNFINISHED)
    else:
        make_anew()
    run_quietly("installing packages, the first time takes a minute or two", [
        str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--constraint", "constraints.txt",
        "--editable", f".[{','.join(sorted(wanted | kept))}]"])
    RECORD.write_text("\n".join([place(), pins(), " ".join(sorted(wanted | kept)), *sorted(files())]), encoding="utf-8")
    os.umask(before)


def make_anew() -> None:
    """An empty environment; of one that is there, what this file made goes, and what it did not is moved aside."""
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        package = "python{}.{}-venv".format(*sys.version_info)
        sys.exit("This Python cannot make virtual environments: a part of it, venv or ensurepip, is not installed. On "
                 f"Debian and Ubuntu: apt install {package}. Then run the same command again.")
    if RECORD.is_file():
        print("The environment in .venv is not whole, of another Python, or moved; it is made anew.", file=sys.stderr)
        for path in set(ENVIRONMENT.iterdir()) - {RECORD}:
            shutil.rmtree(str(path)) if path.is_dir() and not path.is_symlink() else path.unlink()
    elif os.path.lexists(str(ENVIRONMENT)) and not (ENVIRONMENT.is_dir() and not any(ENVIRONMENT.iterdir())):
        names = (f".venv-{number}" for number in itertools.count(1))
        aside = next(name for name in names if not os.path.lexists(str(ROOT / name)))
        ENVIRONMENT.rename(ROOT / aside)
        print(f"The environment in .venv was not made by course.py, or not to its end; it is in {aside} now.",
              file=sys.stderr)
    ENVIRONMENT.mkdir(exist_ok=True)
    RECORD.write_text(UNFINISHED)
    base = getattr(sys, "_base_executable", sys.executable)  # not the one in .venv, if that runs this
    run_quietly("making a virtual environment in .venv", [base, "-m", "venv", str(ENVIRONMENT)])


def run_quietly(what: str, command: list) -> None:
    """Run a command with a sign of life instead of its output; show the end of the output if it fails."""
    began = time.monotonic()
    lively = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=str(ROOT),
                                   env=dict(os.environ, PIP_USER="0"), start_new_session=True)
        try:
            for sign in itertools.cycle("|/-\\"):
                if process.poll() is not None:
                    break
                if lively:
                    line = f"{sign} {what} ({time.monotonic() - began:.0f} s)"
                    print("\r" + line[:shutil.get_terminal_size().columns - 1], end="", file=sys.stderr, flush=True)
                time.sleep(0.2)
        finally:
            if process.poll() is None:  # with all that it has started: pip leaves what it builds with behind
                process.terminate() if os.name == "nt" else os.killpg(process.pid, signal.SIGTERM)
                process.wait()
        print(f"{chr(13) if lively else ''}{what}: {time.monotonic() - began:.0f} s        ", file=sys.stderr)
        if process.returncode:
            log.seek(0)
            said = log.read().decode(errors="replace").strip().splitlines()[-20:]
            sys.exit("\n".join([*said, "", f"{what} failed; mend it and run the same command again."]))


@contextlib.contextmanager
def alone():
    """Wait until no other launcher sets up this checkout; where files cannot be locked, trust that there is none."""
    with open(str(ROOT / "pyproject.toml")) as file:
        with contextlib.suppress(ImportError, OSError):
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print("waiting for another course.py that installs", file=sys.stderr)
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main() -> None:
    """Set up, then run the `course` command with the same arguments."""
    reason = unfit(sys.version_info[:3])
    if reason:
        sys.exit(reason)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that an installation ends with this
    arguments = sys.argv[1:]
    try:
        with alone():
            set_up(extras(arguments))
    except KeyboardInterrupt:
        print("\nStopped. Run the same command again to go on.", file=sys.stderr)
        sys.exit(130)
    except OSError as error:
        sys.exit(f"{error}. Mend it and run the same command again.")
    command = [str(PYTHON), "-m", "autograder.cli", *arguments]
    if os.name == "nt":
        sys.exit(subprocess.run(command, check=False).returncode)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
