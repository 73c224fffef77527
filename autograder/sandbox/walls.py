"""Do the walls hold? A program tries to get out of a real sandbox, as a stranger would."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from autograder.errors import SandboxUnavailableError
from autograder.sandbox import contents
from autograder.sandbox.outcome import Ending
from autograder.sandbox.session import Cell, SandboxRunner

BREAKOUT = '''
import os
above = os.getppid()  # of the cells' process; an answer's is one of the submission itself

def breakout(*paths):
    """Try what a stranger might; name everything that works."""
    import ctypes, resource, socket
    worked = []

    def attempt(what, action):
        try:
            if action():
                worked.append(what)
        except (OSError, ImportError):
            pass

    for name in (*paths, "/etc/passwd", "/home"):
        attempt("read " + name, lambda: os.listdir(name) or True if os.path.isdir(name) else [open(name).read()])
    for name in (*paths, "/grader/tenant.py", "/packages/numpy/x", "/usr/x", "/usr/lib/x", "/dev/x", "/x"):
        attempt("write " + name, lambda: open(name, "a"))
        attempt("change the mode of " + name, lambda: os.chmod(name, 0o777) is None)
        attempt("change the times of " + name, lambda: os.utime(name) is None)

    def connect():
        try:
            return socket.create_connection(("127.0.0.1", 1), timeout=1)
        except ConnectionRefusedError:
            return False  # a loopback device of the sandbox's own, with nobody listening
    attempt("open a network connection", connect)
    attempt("open a socket", lambda: socket.socket())
    attempt("import the reference", lambda: __import__("cnncourse.functional"))
    attempt("become root", lambda: os.setuid(0) or os.getuid() == 0)
    attempt("see other processes", lambda: sum(name.isdigit() for name in os.listdir("/proc")) > 8)
    attempt("look into the process above", lambda: open(f"/proc/{above}/environ", "rb").read() is not None)
    attempt("set limits of the process above", lambda: resource.prlimit(above, resource.RLIMIT_CPU, (99, 99)))
    attempt("slow down the process above", lambda: os.setpriority(os.PRIO_PROCESS, above, 19) is None)
    attempt("move the process above", lambda: os.sched_setaffinity(above, os.sched_getaffinity(0)) is None)
    attempt("signal the process above", lambda: os.kill(above, 0) is None)
    attempt("signal everything", lambda: os.kill(-1, 0) is None)

    libc = ctypes.CDLL(None, use_errno=True)
    calls = {
        "trace processes": lambda: libc.ptrace(0, 0, 0, 0),
        "mount": lambda: libc.mount(b"none", b"/scratch", b"tmpfs", 0, None),
        "make namespaces": lambda: libc.unshare(0x10000000),
        "load a program into the kernel": lambda: libc.syscall(321, 5, bytes(128), 128),
    }
    for what, call in calls.items():
        attempt(what, lambda: call() >= 0)
    if set(os.environ) - {"HOME", "LANG", "MPLBACKEND", "MPLCONFIGDIR", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS",
                          "PATH", "PWD", "LC_CTYPE", "TMPDIR"}:
        worked.append("read the environment")
    return ", ".join(worked)
'''


def what_gets_out(sandbox: str = "auto", private: Iterable[Path] = ()) -> str:
    """What a test program in a sandbox could do that it must not, in words; empty if nothing.

    Parameters
    ----------
    sandbox : str, optional
        Which way to isolate; see `isolation.choose`.
    private : iterable of Path, optional
        Files and folders that nobody inside may read or change, beside those that are always tried.

    Raises
    ------
    SandboxUnavailableError
        If no sandbox can start here.
    """
    with tempfile.NamedTemporaryFile(prefix="of-the-judge-") as own:
        os.chmod(own.name, 0o666)  # only the walls are in the way
        targets = (own.name, str(contents.HERE), str(Path.home() / ".ssh"), *map(str, private))
        with SandboxRunner([Cell("breakout", BREAKOUT)], sandbox=sandbox) as runner:
            outcome = runner.call("breakout", targets)
        if Path(own.name).stat().st_size:
            return f"write {own.name}"
    return str(outcome.value) if outcome.ending is Ending.VALUE else f"the test program did not end: {outcome.text}"


def assert_walls_hold(sandbox: str = "auto", private: Iterable[Path] = ()) -> None:
    """Try to break out, before strangers do; takes about as long as the start of one sandbox, which then stays.

    Parameters
    ----------
    sandbox : str, optional
        Which way to isolate; see `isolation.choose`.
    private : iterable of Path, optional
        See `what_gets_out`.

    Raises
    ------
    SandboxUnavailableError
        If no sandbox can start here, or if something gets out of one.
    """
    if escaped := what_gets_out(sandbox, private):
        raise SandboxUnavailableError(f"The sandbox does not hold; a test program in it could still do this: {escaped}."
                                      " No submission was run. `course doctor` repeats the test.")
