"""To change something for whoever comes next: attacks drawn from which call, on whom, with what value, and when.

What a submission can reach of its neighbors is the process that lends forks to all of them, the objects of the kernel's
that outlive it, and files. Nothing here is a list of what once worked: `draw` puts an attack together from parts.
"""

from __future__ import annotations

import resource
from collections.abc import Callable
from random import Random

from tests.attacks.model import HEADER, WRONG, ZEROS, Attack, source

PREPARE = """
import contextlib, ctypes, fcntl, os, resource, signal, struct, threading, time
_libc = ctypes.CDLL(None, use_errno=True)
_lender = os.getppid()
def _call(number, *values):
    return _libc.syscall(ctypes.c_long(number), *[v if isinstance(v, bytes) else ctypes.c_long(v) for v in values])
def _write(path, text):
    with open(path, "w") as file: file.write(text)
"""
"""What drawn attacks need; while a cell runs, the parent is the process that lends forks."""

WHOM = ("_lender", "_lender", "0", "1", "os.getpid()", "-1", "-_lender", "os.getpgrp()", "-os.getpgrp()",
        "os.getpgid(0)", "_lender - 1", "_lender + 1", "os.getuid()", "2", "(1 << 32)", "(1 << 32) + _lender")
LIMITS = tuple(name for name in dir(resource) if name.startswith("RLIMIT_"))
VALUES = ("(2, 2)", "(0, 0)", "(1, 1)", "((1 << 40) + 1195, (1 << 40) + 1195)", "(64, 64)",
          "(int.from_bytes(b'note', 'big'),) * 2", "(resource.RLIM_INFINITY,) * 2")
SIGNALS = ("SIGSTOP", "SIGKILL", "SIGTERM", "SIGUSR1", "SIGCONT", "SIGTSTP", "SIGALRM", "SIGXCPU", "SIGPIPE", "SIGCHLD")
FILES = ("'.'", "os.environ.get('HOME', '/')", "'/'", "'/dev/null'", "ctypes.__file__", "'/grader/tenant.py'",
         "'/packages'", "f'/proc/{_lender}'", "'/dev/shm'", "'/tmp'", "'/run'", "'/usr/lib'", "'..'", "'../packages'")
OF_PROC = ("oom_score_adj", "coredump_filter", "autogroup", "timerslack_ns", "comm", "mem", "clear_refs", "loginuid",
           "attr/current", "setgroups", "uid_map", "limits", "sched")
PLACES = ("x", "../x", "/dev/shm/x", "/tmp/x", "/var/tmp/x", "/run/x", "/x", "/dev/mqueue/x", "../packages/x.py",
          "../library/x.py", "/packages/x.py", "/grader/x.py")
SYSTEM_CALLS = {
    "shmget": "_call(29, 0x1234, 4096, 0o1666)", "semget": "_call(64, 0x1234, 4, 0o1666)",
    "msgget": "_call(68, 0x1234, 0o1666)", "mq_open": "_call(240, b'note', 0o102, 0o666, 0)",
    "add_key": "_call(248, b'user', b'note', b'for you', 7, -4)", "keyctl": "_call(250, 1, b'note')",
    "personality": "_call(135, 0x0040000)", "unshare": "_call(272, 0x10000000)", "mlockall": "_call(151, 3)",
    "a child of the lender": "os._exit(0) if _call(56, 0x8000 | 17, 0, 0, 0, 0) == 0 else None",
    "core scheduling": "_call(157, 62, 2, _lender, 0, 0)", "subreaper": "_call(157, 36, 1, 0, 0, 0)",
    "timer slack": "_call(157, 29, 77777, 0, 0, 0)", "dumpable": "_call(157, 4, 1, 0, 0, 0)",
    "a clock": "_call(227, 0, struct.pack('qq', 10 ** 9, 0))", "swap": "_call(167, b'/dev/null', 0)",
    "a host name": "_call(170, b'note', 4)", "a file handle": "_call(304, -100, bytes(16), 0)",
    "a page cache": "_call(221, 0, 0, 0, 4)", "memory of others": "_call(311, _lender, bytes(16), 1, bytes(16), 1, 0)",
    "io_uring": "_call(425, 8, bytes(120))", "bpf": "_call(321, 5, bytes(128), 128)",
    "a filter": "_call(317, 1, 0, bytes(16))", "rules": "_call(446, 0, 0)",
}


def _on_somebody(rng: Random) -> str:
    """A call that names a process, a group or a user."""
    whom = rng.choice(WHOM)
    limit, values, number = rng.choice(LIMITS), rng.choice(VALUES), rng.choice(SIGNALS)
    return rng.choice((
        f"resource.prlimit({whom}, resource.{limit}, {values})",
        f"_call(302, {whom}, resource.{limit}, struct.pack('qq', *{values}), 0)",
        f"os.setpriority(os.{rng.choice(('PRIO_PROCESS', 'PRIO_PGRP', 'PRIO_USER'))}, {whom}, {rng.randrange(20)})",
        f"os.sched_setaffinity({whom}, {{{rng.randrange(2)}}})",
        f"os.sched_setscheduler({whom}, {rng.choice((0, 1, 3, 5))}, os.sched_param({rng.randrange(3)}))",
        f"_call(314, {whom}, struct.pack('IIQiIQQQ', 48, 5, 0, 19, 0, 0, 0, 0), 0)",
        f"_call(251, {rng.randrange(1, 4)}, {whom}, {rng.randrange(1, 4) << 13 | 7})",
        f"os.kill({whom}, signal.{number})",
        f"_call(234, {whom}, {whom}, signal.{number})",
        f"_call(200, {whom}, signal.{number})",
        f"_call(129, {whom}, signal.{number}, struct.pack('iiiiQ', 0, 0, -1, 0, 0x6e6f7465) + bytes(96))",
        f"_call(424, _call(434, {whom}, 0), signal.{number}, 0, 0)",
        f"os.setpgid({whom}, {rng.choice(WHOM)})",
        f"fcntl.fcntl({rng.randrange(8)}, fcntl.F_SETOWN, {whom})",
        f"_call(101, {rng.choice((16, 0x4206))}, {whom}, 0, 0)",
        f"_call(256, {whom}, 64, bytes(8), bytes(8))",
    ))


def _on_a_file(rng: Random) -> str:
    """A change of a file that stays, or of what others see of it."""
    path, place = rng.choice(FILES), rng.choice(PLACES)
    return rng.choice((
        f"os.utime({path}, (1195, {rng.randrange(1 << 40)}))",
        f"os.chmod({path}, {rng.choice((0, 0o777, 0o1777, 0o200))})",
        f"os.setxattr({path}, 'user.note', b'for you')",
        f"os.chown({path}, {rng.randrange(1 << 20)}, -1)",
        f"fcntl.flock(os.open({path}, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)",
        f"fcntl.lockf(os.open({path}, os.O_RDONLY), fcntl.LOCK_SH | fcntl.LOCK_NB)",
        f"fcntl.fcntl(os.open({path}, os.O_RDONLY), fcntl.F_SETLEASE, fcntl.F_RDLCK)",
        f"os.open({path}, os.O_RDONLY | os.O_TRUNC)",
        f"os.rename({path}, 'y')", f"os.rename('x', {path} + '/x')",
        f"_write({place!r}, 'for you')", f"os.makedirs({place + '/a/b'!r})", f"os.symlink('/etc', {place!r})",
        f"os.mkfifo({place!r})", f"(os.umask(0o777), os.makedirs({place + 'z'!r}))",
        f"_write(f'/proc/{{{rng.choice(WHOM[:5])}}}/{rng.choice(OF_PROC)}', '{rng.choice(('0', '1', '1000', '15'))}')",
        f"_write('/proc/sys/{rng.choice(('kernel/core_pattern', 'kernel/hostname', 'kernel/shmmax', 'vm/swappiness'))}'"
        ", '1')",
        "[_write(f'n{number}', 'for you') for number in range(300)]",
    ))


def _on_oneself(rng: Random) -> str:
    """A change of the caller that would last if anybody else were changed with it."""
    return rng.choice((
        f"resource.setrlimit(resource.{rng.choice(LIMITS)}, {rng.choice(VALUES)})",
        f"os.nice({rng.randrange(20)})", f"os.umask({rng.randrange(0o1000)})",
        "os.chdir('/')", "os.chroot('.')", "os.setsid()", "os.environ.update(NOTE='for you')",
        f"signal.signal(signal.{rng.choice(SIGNALS)}, signal.SIG_IGN)",
        f"signal.pthread_sigmask(signal.SIG_BLOCK, range(1, {rng.randrange(2, 64)}))",
        f"signal.setitimer(signal.ITIMER_{rng.choice(('REAL', 'VIRTUAL', 'PROF'))}, 0.2, 0.2)",
        f"os.set_blocking({rng.randrange(8)}, False)",
        f"fcntl.fcntl({rng.randrange(4)}, fcntl.F_SETFL, os.O_APPEND | os.O_NONBLOCK | {rng.choice((0, 0o20000))})",
        f"os.closerange({rng.randrange(3, 64)}, 64)", "os.memfd_create('note')",
        "threading.Thread(target=time.sleep, args=(9,), daemon=True).start()",
    ))


def _by_number(rng: Random) -> str:
    return rng.choice(list(SYSTEM_CALLS.values()))


KINDS: tuple[Callable[[Random], str], ...] = (_on_somebody, _on_somebody, _on_a_file, _on_oneself, _by_number)
WHENS = ("cell", "cell", "first call", "later call", "fork", "daemon", "thread", "at exit")


def draw(rng: Random, count: int = 1) -> str:
    """Strangers' code that tries so many drawn changes; it defines f(x), which gives back x + 1.

    Parameters
    ----------
    rng : Random
    count : int, optional
    """
    when = rng.choice(WHENS)
    lines = "".join(f"    with contextlib.suppress(Exception): {rng.choice(KINDS)(rng)}\n" for _ in range(count))
    text = f"{PREPARE}def _change():\n{lines}"
    if when == "cell":
        return text + "_change()\ndef f(x):\n    return x + 1\n"
    if when in ("first call", "later call"):
        return text + f"def f(x):\n    if x == {0 if when == 'first call' else 2}: _change()\n    return x + 1\n"
    later = {"fork": "if os.fork() == 0:\n    _change()\n    os._exit(0)\n",
             "daemon": "if os.fork() == 0:\n    os.setsid()\n    while True:\n        _change()\n        time.sleep(0.01)\n",
             "thread": "threading.Thread(target=_change, daemon=True).start()\n",
             "at exit": "import atexit\natexit.register(_change)\n"}[when]
    return f"{text}{later}def f(x):\n    return x + 1\n"


LOOK = """
import contextlib, ctypes, fcntl, os, resource, signal, threading
import numpy as np
_lender = os.getppid()
_libc = ctypes.CDLL(None, use_errno=True)
def _seen(look):
    try: return repr(look())
    except Exception as error: return type(error).__name__
def _named(what):
    return getattr(what, "__qualname__", what)  # not where it lies
def _text(path):
    with open(path, errors="replace") as file: return file.read()
def _counts(line):
    return line.startswith(("Vm", "Rss", "Hugetlb", "volun", "nonvol", "SigQ", "Pid", "Tgid", "Ngid", "NSpid", "NSpgid",
                            "NStgid", "NSsid", "PPid", "Uid", "Gid", "Groups", "Name", "FDSize"))
def _status(path):
    return [line for line in _text(path).splitlines() if not _counts(line)]
def _stat(path):
    own = os.stat(path)
    return own.st_mode, own.st_nlink, own.st_mtime, own.st_size if not os.path.isdir(path) else 0
def _umask():
    own = os.umask(0)
    os.umask(own)
    return own
def _a_child():
    child = os.fork()
    if child == 0: os._exit(3)
    return os.waitpid(child, 0)[1]
def _a_thread():
    found = []
    one = threading.Thread(target=found.append, args=(1,))
    one.start(); one.join()
    return found
def _a_file():
    with open("own", "wb") as file: file.write(bytes(100_000))
    size = os.path.getsize("own")
    os.remove("own")
    return size
def _descriptors():
    kept = [os.dup(0) for _ in range(40)]
    for one in kept: os.close(one)
    return len(kept)
def _everything():
    limits = [name for name in dir(resource) if name.startswith("RLIMIT_")]
    looks = {name: lambda name=name: resource.getrlimit(getattr(resource, name)) for name in limits}
    looks |= {f"lender's {name}": lambda name=name: resource.prlimit(_lender, getattr(resource, name)) for name in limits}
    looks |= {f"descriptor {n}": lambda n=n: (fcntl.fcntl(n, fcntl.F_GETFL), fcntl.fcntl(n, fcntl.F_GETOWN))
              for n in range(64)}
    looks |= {f"flags {n}": lambda n=n: fcntl.fcntl(n, fcntl.F_GETFL) for n in range(64)}
    looks |= {f"signal {n}": lambda n=n: _named(signal.getsignal(n)) for n in range(1, 65)}
    looks |= {f"lender's {name}": lambda name=name: _text(f"/proc/{_lender}/{name}") for name in (
        "limits", "oom_score_adj", "coredump_filter", "comm", "cgroup", "timerslack_ns", "loginuid")}
    looks["lender's autogroup"] = lambda: _text(f"/proc/{_lender}/autogroup").split()[1:]  # without its number
    looks |= {path: lambda path=path: _text(path) for path in (
        "/proc/sysvipc/shm", "/proc/sysvipc/sem", "/proc/sysvipc/msg", "/proc/locks", "/proc/mounts",
        "/proc/sys/kernel/hostname")}
    looks |= {f"list {path}": lambda path=path: sorted(os.listdir(path)) for path in (
        ".", "..", "/dev/shm", "/dev/mqueue", "/tmp", "/var/tmp", "/run", "/", "/packages", "../packages")}
    looks |= {f"stat {path}": lambda path=path: _stat(path) for path in (".", "/dev/null")}
    looks |= {
        "stat of a library": lambda: _stat(ctypes.__file__),
        "lender": lambda: _status(f"/proc/{_lender}/status"), "own status": lambda: _status("/proc/self/status"),
        "nice": lambda: os.getpriority(os.PRIO_PROCESS, 0), "scheduler": lambda: os.sched_getscheduler(0),
        "lender's nice": lambda: os.getpriority(os.PRIO_PROCESS, _lender),
        "processors": lambda: os.sched_getaffinity(0), "mask": lambda: signal.pthread_sigmask(signal.SIG_BLOCK, []),
        "timers": lambda: [(left > 0, every) for left, every in map(signal.getitimer, range(3))], "umask": _umask,
        "home": lambda: os.getcwd() == os.environ["HOME"], "environment": lambda: sorted(os.environ),
        "attributes": lambda: os.listxattr("."), "personality": lambda: _libc.personality(0xffffffff),
        "slack": lambda: _libc.prctl(30, 0, 0, 0, 0), "group": lambda: os.getpgrp() == os.getsid(0),
        "a lock": lambda: fcntl.flock(os.open(ctypes.__file__, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB),
        "a child": _a_child, "a thread": _a_thread, "a file": _a_file, "descriptors": _descriptors,
        "memory": lambda: len(bytearray(50 << 20)),
    }
    return {name: _seen(look) for name, look in looks.items()}
_loaded = _everything()
def look(x):
    return tuple((name, value[:2000]) for name, value in sorted(_loaded.items()))
def again(x):
    return tuple((name, value[:2000]) for name, value in sorted(_everything().items()))
def f(x):
    return np.cumsum(x) @ x
"""
"""An honest submission that looks at everything it can see, while it is loaded and when it is called."""


def _drawn(number: int) -> Attack:
    """One of the class: it changes what it can, and hands in a wrong answer."""
    rng = Random(number)
    text = draw(rng, 12).replace("def f(x):\n", HEADER).replace("if x == 0: ", "").replace("if x == 2: ", "")
    return Attack(f"drawn {number}", "neighbors", source(text.replace("return x + 1", f"return {ZEROS}")),
                  told="", harms_itself=True, not_plain="what is drawn may end other programs of the machine")


def _limiting(limit: str, values: str) -> Attack:
    return Attack(f"set {limit} of the process that lends forks to {values}", "neighbors", source(
        f"{PREPARE}try: resource.prlimit(_lender, resource.{limit}, {values})\nexcept OSError: pass\n{WRONG}"),
        not_plain="what is changed is the kernel's manager, for everybody")


ATTACKS = (
    *(_limiting(f"RLIMIT_{name}", "(2, 2)") for name in ("CPU", "NOFILE", "NPROC", "FSIZE")),
    _limiting("RLIMIT_AS", "(1 << 20, 1 << 20)"), _limiting("RLIMIT_SIGPENDING", "((1 << 40) + 1195,) * 2"),
    Attack("slow down the process that lends forks", "neighbors", source(
        f"{PREPARE}for _which in (os.PRIO_PROCESS, os.PRIO_PGRP, os.PRIO_USER):\n"
        "    for _whom in (_lender, 0, os.getuid()):\n"
        f"        try: os.setpriority(_which, _whom, 19)\n        except OSError: pass\n{WRONG}"), harms_itself=True),
    *(_drawn(number) for number in range(16)),
)
