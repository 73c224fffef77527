"""Which system calls strangers' code may make: those of a Python program that computes, and no others.

What is not listed does not exist in there (ENOSYS), so that the C library takes the older call where it knows one.
Left out on purpose are all sockets, new namespaces, tracing and reading other processes, io_uring, eBPF, keys, System V
memory that outlives its process, mounting, modules, clocks. libseccomp makes the filter, bubblewrap installs it.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import tempfile
from collections.abc import Iterator
from types import ModuleType

from autograder.errors import SandboxUnavailableError

FILES = """
    access chdir chmod close close_range copy_file_range dup dup2 dup3 faccessat faccessat2 fadvise64 fallocate fchdir
    fchmod fchmodat fcntl fdatasync flock fstat fstatfs fsync ftruncate getcwd getdents getdents64 ioctl link linkat
    lseek lstat memfd_create mkdir mkdirat newfstatat open openat openat2 pread64 preadv preadv2 pwrite64 pwritev
    pwritev2 read readlink readlinkat readv rename renameat renameat2 rmdir sendfile stat statfs statx symlink symlinkat
    truncate umask unlink unlinkat utime utimensat utimes write writev
"""
WAITING = """
    epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 futex futex_waitv pause
    pipe pipe2 poll ppoll pselect6 select
"""
MEMORY = "brk get_mempolicy madvise membarrier mincore mlock mmap mprotect mremap msync munlock munmap"
PROCESSES = """
    arch_prctl capget execve exit exit_group fork get_robust_list getcpu getegid geteuid getgid getgroups getpgid
    getpgrp getpid getppid getpriority getresgid getresuid getrlimit getrusage getsid gettid getuid kill prctl prlimit64
    rseq sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getparam sched_getscheduler
    sched_setaffinity sched_yield set_robust_list set_tid_address setgroups setpgid setpriority setresgid setresuid
    setrlimit setsid sysinfo tgkill times tkill uname vfork wait4 waitid
"""
SIGNALS_AND_TIME = """
    alarm clock_getres clock_gettime clock_nanosleep getitimer getrandom gettimeofday nanosleep restart_syscall
    rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait setitimer
    sigaltstack time timer_create timer_delete timer_gettime timer_settime timerfd_create timerfd_gettime
    timerfd_settime
"""
ONE_SOCKET = "getsockname getsockopt recvfrom recvmsg sendto"
"""For the socket to the judge, which no stranger holds; new ones cannot be made."""

ALLOWED = tuple(" ".join((FILES, WAITING, MEMORY, PROCESSES, SIGNALS_AND_TIME, ONE_SOCKET)).split())

NEW_NAMESPACES = 0x7E020000
"""All CLONE_NEW... flags that fork or a new thread could carry."""


def why_unavailable() -> str:
    """Why no filter can be made here, and how to mend it; empty if one can."""
    try:
        _seccomp()
    except (ImportError, RuntimeError, OSError) as error:
        return (f"The filter for system calls cannot be made: {error}. Install the system's package libseccomp2 "
                "(Debian, Ubuntu) or libseccomp, and run python3 course.py again.")
    return ""


@contextlib.contextmanager
def filter_file() -> Iterator[int]:
    """A descriptor from which bubblewrap reads the filter; for one start.

    Raises
    ------
    SandboxUnavailableError
        If no filter can be made here.
    """
    with tempfile.TemporaryFile() as file:
        file.write(_program())
        file.seek(0)
        yield file.fileno()


@functools.cache
def _program() -> bytes:
    """The filter as the kernel takes it."""
    if reason := why_unavailable():
        raise SandboxUnavailableError(reason)
    seccomp = _seccomp()
    rules = seccomp.SyscallFilter(seccomp.ERRNO(errno.ENOSYS))
    for name in ALLOWED:
        with contextlib.suppress(OSError):  # not every machine has every call
            rules.add_rule(seccomp.ALLOW, name)
    rules.add_rule(seccomp.ALLOW, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, NEW_NAMESPACES, 0))
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


def _seccomp() -> ModuleType:
    """libseccomp's binding, which looks for the library when it is imported."""
    import pyseccomp

    return pyseccomp
