"""Which system calls strangers' code may make: those of a Python program that computes, about itself, and no others.

`CALLS` is the whole list, each with what it can change outside of the process that makes it and why that is allowed.
What is not listed, or is asked about another process, does not exist in there (ENOSYS), so that the C library takes the
older call where it knows one. Left out on purpose are all sockets, new namespaces, tracing and reading other processes,
io_uring, eBPF, keys, System V memory and message queues that outlive their process, mounting, modules, clocks; also
modes and times of files, which may belong to whoever grades, and locks and leases on files that others have open.
`setsid` and `setpgid` do nothing and say that they did: all processes of a submission stay in one group, which can be
ended at once. Signals are let through one by one, by whoever lends the fork (see `inside/doorkeeper.py`).

libseccomp makes the programs through pyseccomp. Each fork installs them itself, once it has become whoever it shall be.
"""

from __future__ import annotations

import errno
import functools
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from types import ModuleType

from autograder.errors import SandboxUnavailableError

ITSELF = "nothing: it reads, or changes the process that calls"
SCRATCH = "files: only in the scratch folder, which is emptied; the rest cannot be opened for writing"
PIPE = "what its own descriptors lead to: the two pipes to the judge, who believes nothing, and files in scratch"
FAMILY = "processes that it has started itself, which end with it"
ASKED = "a signal to another process: let through only within the submission, one by one"

Where = tuple["Is", ...]
"""Conditions on arguments that hold together."""


@dataclass(frozen=True)
class Is:
    """A condition on one argument: its bits under a mask have a value; or it is at most that, or another.

    Attributes
    ----------
    argument : int
        Its number, from 0.
    value : int
    mask : int or None
        All bits, if None.
    at_most, differs : bool
    """

    argument: int
    value: int
    mask: int | None = None
    at_most: bool = False
    differs: bool = False

    def __str__(self) -> str:
        name = f"argument {self.argument + 1}"
        if self.at_most:
            return f"{name} at most {self.value}"
        return f"{name} is {self.value:#x}" if self.mask is None else f"{name} & {self.mask:#x} is {self.value:#x}"


@dataclass(frozen=True)
class Call:
    """A system call that strangers' code may make.

    Attributes
    ----------
    name : str
    outside : str
        What it can change outside of the process that makes it, and why that is allowed.
    where : tuple of tuple of Is
        Sets of conditions of which one has to hold; empty if it is always allowed.
    """

    name: str
    outside: str = ITSELF
    where: tuple[Where, ...] = ()


OWN = ((Is(0, 0),),)
"""The first argument names a process: 0, which is the caller. The C library passes it on as it gets it."""
OTHERS = ((Is(0, 0, differs=True),),)
"""Any other process or group."""
OWN_CLOCK = ((Is(0, 15, at_most=True),),)
"""Clocks of this machine; larger numbers are those of other processes."""

O_ACCMODE, O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_TMPFILE = 3, 1, 2, 0o100, 0o1000, 0o20000000
FOREIGN_CHILDREN = 0x7E020000 | 0x8000 | 0x2000
"""CLONE_NEW...: all kinds of namespaces. CLONE_PARENT: the child would be the lender's. CLONE_PTRACE."""


def _emptying_only_what_is_written(flags: int) -> tuple[Where, ...]:
    """Without the third version of Landlock, a file that may only be read could be emptied while it is opened."""
    return ((Is(flags, 0, O_TRUNC),), (Is(flags, O_WRONLY, O_ACCMODE),), (Is(flags, O_RDWR, O_ACCMODE),))


def _one_of(argument: int, *values: int) -> tuple[Where, ...]:
    return tuple((Is(argument, value),) for value in values)


def _calls(names: str, outside: str = ITSELF, where: tuple[Where, ...] = ()) -> tuple[Call, ...]:
    return tuple(Call(name, outside, where) for name in names.split())


FCNTL = {"F_DUPFD": 0, "F_GETFD": 1, "F_SETFD": 2, "F_GETFL": 3, "F_SETFL": 4, "F_DUPFD_CLOEXEC": 1030,
         "F_ADD_SEALS": 1033, "F_GET_SEALS": 1034}
"""No locks, which others see; no owners and signals of descriptors, which reach other processes; no leases."""
IOCTL = {"TCGETS": 0x5401, "TIOCGWINSZ": 0x5413, "FIONREAD": 0x541B, "FIONBIO": 0x5421, "FIONCLEX": 0x5450,
         "FIOCLEX": 0x5451}
PRCTL = {"PR_GET_DUMPABLE": 3, "PR_SET_NAME": 15, "PR_GET_NAME": 16, "PR_GET_SECCOMP": 21, "PR_CAPBSET_READ": 23,
         "PR_SET_VMA": 0x53564D41}
DIES_WITH_PARENT = (Is(0, 1), Is(1, 9))
"""PR_SET_PDEATHSIG, SIGKILL: to be ended with its parent is all that a process may wish for."""

CALLS: tuple[Call, ...] = (
    # files
    *_calls("access chdir close close_range dup dup2 dup3 faccessat faccessat2 fchdir fstat fstatfs getcwd getdents "
            "getdents64 lseek lstat newfstatat pread64 preadv preadv2 read readlink readlinkat readv stat statfs statx "
            "umask"),
    *_calls("copy_file_range fallocate fdatasync fsync ftruncate link linkat mkdir mkdirat rename renameat renameat2 "
            "rmdir symlink symlinkat unlink unlinkat", SCRATCH),
    Call("open", SCRATCH, _emptying_only_what_is_written(1)),
    Call("openat", SCRATCH, _emptying_only_what_is_written(2)),
    *_calls("memfd_create", "nothing: memory without a name, which ends with its last descriptor"),
    *_calls("write writev pwrite64 pwritev pwritev2 sendfile", PIPE),
    Call("fcntl", "flags of the two pipes to the judge, whose own ends are other ones",
         _one_of(1, *FCNTL.values())),
    Call("ioctl", "as fcntl", _one_of(1, *IOCTL.values())),
    # waiting
    *_calls("epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 pause pipe "
            "pipe2 poll ppoll pselect6 select"),
    *_calls("futex futex_waitv", FAMILY + ", with which it shares memory"),
    # memory
    *_calls("brk get_mempolicy madvise mmap mprotect mremap msync munmap"),
    # processes
    *_calls("arch_prctl execve exit exit_group getcpu getegid geteuid getgid getgroups getpgrp getpid getppid "
            "getresgid getresuid getrlimit getrusage gettid getuid rseq sched_get_priority_max sched_get_priority_min "
            "sched_yield set_robust_list set_tid_address setrlimit sysinfo times uname"),
    *_calls("fork vfork", FAMILY),
    Call("clone", FAMILY, ((Is(0, 0, FOREIGN_CHILDREN),),)),
    *_calls("wait4 waitid", FAMILY),
    *_calls("getpgid getsid sched_getaffinity sched_getparam sched_getscheduler", where=OWN),
    *_calls("prlimit64 sched_setaffinity", "limits and processors of any process of the same user, by its number: "
            "refused for any number but 0, the caller", OWN),
    Call("getpriority", where=((Is(0, 0), Is(1, 0)),)),
    Call("setpriority", "the nice value of processes, groups and users: refused but for the caller",
         ((Is(0, 0), Is(1, 0)),)),
    Call("prctl", where=(*_one_of(0, *PRCTL.values()), DIES_WITH_PARENT)),
    # signals and time
    Call("kill", ASKED),
    *_calls("rt_sigqueueinfo rt_tgsigqueueinfo tgkill tkill", ASKED),
    *_calls("alarm getitimer getrandom gettimeofday nanosleep restart_syscall rt_sigaction rt_sigpending "
            "rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigtimedwait setitimer sigaltstack time timer_delete "
            "timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime"),
    *_calls("clock_getres clock_gettime clock_nanosleep timer_create", where=OWN_CLOCK),
)
WITHOUT_EFFECT = ("setpgid", "setsid")
"""They return 0 and do nothing."""

SIGNALS = tuple(call.name for call in CALLS if call.outside == ASKED)
COUNTED_FILES: tuple[tuple[str, tuple[Where, ...]], ...] = (
    ("open", ((Is(1, O_CREAT, O_CREAT),), (Is(1, O_TMPFILE, O_TMPFILE),))),
    ("openat", ((Is(2, O_CREAT, O_CREAT),), (Is(2, O_TMPFILE, O_TMPFILE),))),
    *((name, ()) for name in ("link", "linkat", "memfd_create", "mkdir", "mkdirat", "pipe", "pipe2", "symlink",
                              "symlinkat")))
"""What makes something that takes room on a disk, in memory, or of what a user may have of pipes."""
COUNTED_PROCESSES = ("clone", "fork", "vfork")


@dataclass(frozen=True)
class Programs:
    """What a fork installs, as the kernel takes it.

    Attributes
    ----------
    allowed : bytes
        Refuses what is not in `CALLS`.
    watched : bytes
        Asks whoever lends the fork about signals, and about new files and processes if these are counted; empty where
        libseccomp or the kernel cannot ask (before Linux 5.5).
    silenced : bytes
        Instead of asking, refuses all signals but those to the caller's own group.
    numbers : dict of str to list of int
        System calls that are asked about, by what they do: "signals", "files", "processes"; and "seccomp" itself.
    """

    allowed: bytes
    watched: bytes
    silenced: bytes
    numbers: dict[str, list[int]]


def why_unavailable() -> str:
    """Why no filter can be made here, and how to mend it; empty if one can."""
    try:
        _seccomp()
    except (ImportError, RuntimeError, OSError) as error:
        return (f"The filter for system calls cannot be made: {error}. Install the system's package libseccomp2 "
                "(Debian, Ubuntu) or libseccomp, and run python3 course.py again.")
    return ""


@functools.cache
def programs(counts: bool) -> Programs:
    """The programs that each fork installs.

    Parameters
    ----------
    counts : bool
        Whether new files and processes are counted, because nothing else bounds them.

    Raises
    ------
    SandboxUnavailableError
        If no filter can be made here.
    """
    if reason := why_unavailable():
        raise SandboxUnavailableError(reason)
    seccomp = _seccomp()
    allowed = seccomp.SyscallFilter(seccomp.ERRNO(errno.ENOSYS))
    for call in CALLS:
        _add(allowed, seccomp.ALLOW, call.name, call.where)
    for name in WITHOUT_EFFECT:
        _add(allowed, seccomp.ERRNO(0), name)
    silenced = seccomp.SyscallFilter(seccomp.ALLOW)
    for name in SIGNALS:
        _add(silenced, seccomp.ERRNO(errno.EPERM), name, OTHERS)
    return Programs(_exported(allowed), _asking(counts), _exported(silenced), {
        "signals": _numbers(SIGNALS), "files": _numbers(name for name, _ in COUNTED_FILES),
        "processes": _numbers(COUNTED_PROCESSES), "seccomp": _numbers(["seccomp"])})


def _asking(counts: bool) -> bytes:
    seccomp = _seccomp()
    rules = seccomp.SyscallFilter(seccomp.ALLOW)
    try:
        for name in SIGNALS:
            _add(rules, seccomp.NOTIFY, name)
        for name, where in COUNTED_FILES if counts else ():
            _add(rules, seccomp.NOTIFY, name, where)
        for name in COUNTED_PROCESSES if counts else ():
            _add(rules, seccomp.NOTIFY, name)
    except (OSError, ValueError):
        return b""
    return _exported(rules)


def table() -> str:
    """All calls as a table in Markdown, those that reach further than the caller first."""
    rows: dict[tuple[str, str], list[str]] = {}
    for call in CALLS:
        limits = " or ".join(" and ".join(map(str, where)) for where in call.where)
        rows.setdefault((call.outside, limits), []).append(f"`{call.name}`")
    rows[("nothing: they say that they did, and do nothing", "")] = [f"`{name}`" for name in WITHOUT_EFFECT]
    ordered = sorted(rows.items(), key=lambda row: row[0][0].startswith("nothing"))
    lines = ["| calls | what they can change outside of the caller | only where |", "| --- | --- | --- |"]
    return "\n".join(lines + [f"| {' '.join(names)} | {outside} | {limits} |" for (outside, limits), names in ordered])


def _add(rules: object, action: int, name: str, where: tuple[Where, ...] = ()) -> None:
    if not _numbers([name]):
        return  # not every machine has every call
    for conditions in where or ((),):
        rules.add_rule_exactly(action, name, *map(_argument, conditions))  # type: ignore[attr-defined]


def _argument(condition: Is) -> object:
    seccomp = _seccomp()
    if condition.at_most:
        return seccomp.Arg(condition.argument, seccomp.LE, condition.value)
    if condition.mask is None:
        return seccomp.Arg(condition.argument, seccomp.NE if condition.differs else seccomp.EQ, condition.value)
    return seccomp.Arg(condition.argument, seccomp.MASKED_EQ, condition.mask, condition.value)


def _exported(rules: object) -> bytes:
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)  # type: ignore[attr-defined]
        file.seek(0)
        return file.read()


def _numbers(names: Iterable[str]) -> list[int]:
    seccomp = _seccomp()
    found = (seccomp.resolve_syscall(seccomp.system_arch(), name) for name in names)
    return [number for number in found if number >= 0]


def _seccomp() -> ModuleType:
    """libseccomp's binding, which looks for the library when it is imported."""
    import pyseccomp

    return pyseccomp


if __name__ == "__main__":
    print(table())
