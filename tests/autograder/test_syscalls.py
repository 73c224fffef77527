"""What strangers' code may ask of the kernel: each call is looked at, and those that reach further say why they may."""

from __future__ import annotations

import errno
import platform

import pytest

from autograder.sandbox import syscalls
from autograder.sandbox.isolation import Limits
from autograder.sandbox.session import Cell, SandboxRunner


def words(text: str) -> set[str]:
    return set(text.split())


ONLY_THE_CALLER = words("""
    access alarm arch_prctl brk chdir clock_getres clock_gettime clock_nanosleep close close_range dup dup2 dup3
    epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 execve exit exit_group
    faccessat faccessat2 fchdir fstat fstatfs get_mempolicy getcpu getcwd getdents getdents64 getegid geteuid getgid
    getgroups getitimer getpgid getpgrp getpid getppid getpriority getrandom getresgid getresuid getrlimit getrusage
    getsid gettid gettimeofday getuid lseek lstat madvise mmap mprotect mremap msync munmap nanosleep newfstatat pause
    pipe pipe2 poll ppoll prctl pread64 preadv preadv2 pselect6 read readlink readlinkat readv restart_syscall rseq
    rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigtimedwait sched_get_priority_max
    sched_get_priority_min sched_getaffinity sched_getparam sched_getscheduler sched_yield select set_robust_list
    set_tid_address setitimer setrlimit sigaltstack stat statfs statx sysinfo time timer_create timer_delete
    timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime times umask uname
""")
"""Calls that change nothing but the process that makes them, or what it has opened by itself; the manual says so."""

REACH_FURTHER = words("""
    clone copy_file_range fallocate fcntl fdatasync fork fsync ftruncate futex futex_waitv ioctl kill link linkat
    memfd_create mkdir mkdirat open openat prlimit64 pwrite64 pwritev pwritev2 rename renameat renameat2 rmdir
    rt_sigqueueinfo rt_tgsigqueueinfo sched_setaffinity sendfile setpriority symlink symlinkat tgkill tkill unlink
    unlinkat vfork wait4 waitid write writev
""")
"""Calls that can change other processes, files, or open files that are shared."""

NAME_OTHERS = {"getpgid": 0, "getsid": 0, "getpriority": 1, "prlimit64": 0, "sched_getaffinity": 0, "sched_getparam": 0,
               "sched_getscheduler": 0, "sched_setaffinity": 0, "setpriority": 1}
"""Calls that name a process by an argument; all others that could are refused, or asked about."""


def test_every_call_is_listed_once_and_known_for_what_it_reaches():
    names = [call.name for call in syscalls.CALLS]
    assert len(names) == len(set(names))
    assert set(names) == ONLY_THE_CALLER | REACH_FURTHER
    assert not ONLY_THE_CALLER & REACH_FURTHER


def test_a_call_that_reaches_further_says_what_and_why_it_may():
    for call in syscalls.CALLS:
        assert (call.outside == syscalls.ITSELF) is (call.name in ONLY_THE_CALLER), call.name
        assert len(call.outside) > 5


@pytest.mark.parametrize("name", NAME_OTHERS)
def test_a_call_that_names_a_process_may_name_the_caller_only(name):
    (call,) = [call for call in syscalls.CALLS if call.name == name]
    assert call.where and all(syscalls.Is(NAME_OTHERS[name], 0) in where for where in call.where)


def test_the_table_for_the_documentation_holds_every_call():
    lines = syscalls.table().splitlines()
    for name in [call.name for call in syscalls.CALLS] + list(syscalls.WITHOUT_EFFECT):
        assert sum(f"`{name}`" in line for line in lines) == 1, name


WALK = """
import ctypes, os, signal
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
def walk(first, last, values):
    there = []
    for number in range(first, last):
        child = os.fork()
        if child == 0:
            signal.setitimer(signal.ITIMER_REAL, 0.2)  # what waits is there
            result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(v) for v in values])
            os._exit(0 if result == -1 and ctypes.get_errno() == 38 else 1)
        if os.waitpid(child, 0)[1]: there.append(number)
    return tuple(there)
"""
LAST = 480
PAST_EVERY_FILTER = {335, 336}
"""uretprobe and uprobe: the kernel lets them past seccomp and ends whoever calls them, but for its own trampolines."""
VALUES = {"zeros": (0, 0, 0, 0, 0, 0), "another process": (1, 0, 0, 0, 0, 0), "minus one": (-1, -1, -1, -1, -1, -1)}


def _allowed(values: tuple[int, ...]) -> set[str]:
    """Calls that exist with these arguments."""
    def holds(condition: syscalls.Is) -> bool:
        value = values[condition.argument] & 0xFFFFFFFFFFFFFFFF
        if condition.at_most:
            return value <= condition.value
        return value == condition.value if condition.mask is None else value & condition.mask == condition.value
    return {call.name for call in syscalls.CALLS
            if not call.where or any(all(map(holds, where)) for where in call.where)} | set(syscalls.WITHOUT_EFFECT)


@pytest.mark.sandbox
@pytest.mark.usefixtures("each_way")
@pytest.mark.skipif(platform.machine() != "x86_64", reason="numbers above 470 and those of old calls differ")
@pytest.mark.parametrize("what", VALUES)
def test_a_walk_over_all_numbers_finds_those_calls_and_no_others(what):
    """Each number is called in a process of its own; what does not exist says so."""
    seccomp = syscalls._seccomp()
    architecture = seccomp.system_arch()
    limits = Limits(call_seconds=20.0)
    found: set[str] = set()
    with SandboxRunner([Cell("walk", WALK)], limits) as runner:
        for first in range(0, LAST, 80):
            outcome = runner.call("walk", (first, first + 80, VALUES[what]))
            assert outcome.ending == "value", outcome
            found |= {seccomp.resolve_syscall(architecture, number).decode()
                      for number in outcome.value if number not in PAST_EVERY_FILTER}
    # Whoever makes the first three cannot tell what came of it; the last one refuses its own minus one like this.
    silent = {"exit", "exit_group", "rt_sigreturn", "futex"}
    assert found - silent == _allowed(VALUES[what]) - silent


@pytest.mark.sandbox
@pytest.mark.usefixtures("each_way")
def test_conditions_on_arguments_hold_for_the_caller_and_against_everybody_else():
    source = """
import ctypes, os, resource, signal
lender = os.getppid()
libc = ctypes.CDLL(None, use_errno=True)
def tried(action):
    try: action()
    except OSError as error: return error.errno
    return 0
def for_oneself(x):
    os.setpriority(os.PRIO_PROCESS, 0, 19)
    os.sched_setaffinity(0, os.sched_getaffinity(0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return os.getpriority(os.PRIO_PROCESS, 0), os.getpgid(0) == os.getpgrp(), os.getsid(0) == os.getpgrp()
def for_others(x):
    return tuple(tried(action) for action in (
        lambda: os.setpriority(os.PRIO_PROCESS, lender, 5), lambda: os.setpriority(os.PRIO_USER, 0, 5),
        lambda: os.setpriority(os.PRIO_PGRP, 0, 5), lambda: os.sched_setaffinity(lender, {0}),
        lambda: resource.prlimit(lender, resource.RLIMIT_CPU, (9, 9)), lambda: os.getsid(lender),
        lambda: resource.prlimit(lender, resource.RLIMIT_CPU), lambda: os.sched_getaffinity(lender)))
def signals(x):
    return tuple(tried(action) for action in (
        lambda: os.kill(lender, 0), lambda: os.kill(-1, 0), lambda: os.kill(-lender, 0), lambda: os.kill(1, 0)))
"""
    with SandboxRunner([Cell("f", source)]) as runner:
        assert runner.call("for_oneself", (1,)).value == (19, True, True)
        assert set(runner.call("for_others", (1,)).value) == {errno.ENOSYS}
        assert set(runner.call("signals", (1,)).value) <= {errno.EPERM, errno.ESRCH}
