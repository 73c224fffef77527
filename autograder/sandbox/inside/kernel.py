"""What the sandbox asks of Linux and Python has no words for: Landlock, seccomp, capabilities, a few settings.

This file also lies in the sandbox: it imports the standard library only.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import struct

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_KEEPCAPS, PR_SET_SECCOMP = 1, 4, 8, 22
PR_GET_TIMERSLACK, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 30, 36, 38
SECCOMP_MODE_FILTER, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER = 2, 1, 8
SIGKILL = 9
NOTIFICATION = struct.Struct("=QIIiIQ6Q")
"""struct seccomp_notif: id, pid, flags; number, architecture, address, arguments of the call."""
REPLY = struct.Struct("=QqiI")
"""struct seccomp_notif_resp: id, value, error, flags."""
RECEIVE, SEND = 0xC0502100, 0xC0182101
CONTINUE = 1

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
"""Landlock's calls, which have the same numbers on every machine."""
RULESET_VERSION = 1
PATH_BENEATH = 1
RULESET = struct.Struct("=QQQ")
"""struct landlock_ruleset_attr: rights on files, on the network, scopes."""
RULE = struct.Struct("=Qi")

CAPABILITIES_3 = 0x20080522
DAC_READ_SEARCH = 2

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def _prctl(what: str, option: int, *values: int) -> int:
    given = [ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4]]
    return _checked(_libc.prctl(option, *given), what)


def give_up_new_privileges() -> None:
    """No program that is started from here on has more rights than this one."""
    _prctl("no new privileges", PR_SET_NO_NEW_PRIVS, 1)


def hide_memory(hidden: bool = True) -> None:
    """Others of the same user can neither read nor write this process's memory through /proc."""
    _prctl("memory out of sight", PR_SET_DUMPABLE, int(not hidden))


def adopt_orphans() -> None:
    """Become the parent of all descendants whose own parents end."""
    _prctl("adopting orphans", PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Be ended as soon as the parent ends."""
    _prctl("dying with the parent", PR_SET_PDEATHSIG, SIGKILL)


def timer_slack() -> int:
    """How late timers may be, in nanoseconds."""
    return _prctl("timer slack", PR_GET_TIMERSLACK)


def personality() -> int:
    """The execution domain, unchanged."""
    return int(_libc.personality(ctypes.c_ulong(0xFFFFFFFF)))


def become(uid: int, reads_everywhere: bool) -> None:
    """Change user and group for good, and give up every capability, reading what the user may not excepted if so asked.

    Parameters
    ----------
    uid : int
        Also the group's number.
    reads_everywhere : bool
        Keep CAP_DAC_READ_SEARCH: something else says what may be read, and it lies in folders of root's.
    """
    if reads_everywhere:
        _prctl("keeping capabilities", PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    kept = 1 << DAC_READ_SEARCH if reads_everywhere else 0
    header = struct.pack("=Ii", CAPABILITIES_3, 0)
    data = struct.pack("=6I", kept, kept, 0, 0, 0, 0)
    _checked(_libc.capset(header, data), "giving up capabilities")


def filter_calls(program: bytes) -> None:
    """Install a filter for system calls, for good; needs `give_up_new_privileges`."""
    own = _as_program(program)
    _prctl("filtering system calls", PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(own))


def watch_calls(program: bytes, seccomp: int) -> int:
    """Install a filter that asks about some calls; the descriptor on which it asks.

    Parameters
    ----------
    program : bytes
    seccomp : int
        Number of the call `seccomp` on this machine.
    """
    own = _as_program(program)
    return _checked(_libc.syscall(ctypes.c_long(seccomp), SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                                  ctypes.byref(own)), "watching system calls")


def _as_program(program: bytes) -> _Program:
    own = _Program(len(program) // 8, program)
    own.kept = program
    return own


def receive_question(listener: int) -> tuple[int, int, tuple[int, ...]]:
    """The next call that is asked about: the question's id, the call's number, its arguments."""
    room = bytearray(NOTIFICATION.size)
    fcntl.ioctl(listener, RECEIVE, room)
    identity, _, _, number, _, _, *arguments = NOTIFICATION.unpack(room)
    return identity, number, tuple(arguments)


def answer_question(listener: int, identity: int, error: int) -> None:
    """Let the call go on, or make it fail with an error."""
    fcntl.ioctl(listener, SEND, REPLY.pack(identity, 0, -error, 0 if error else CONTINUE))


def landlock_version() -> int:
    """Version of Landlock's interface here; 0 if there is none, or if it is switched off."""
    return max(0, int(_libc.syscall(ctypes.c_long(CREATE_RULESET), None, ctypes.c_size_t(0), RULESET_VERSION)))


def new_rules(files: int, network: int, scopes: int) -> int:
    """A descriptor of a set of rules that forbids all these rights.

    Parameters
    ----------
    files, network, scopes : int
        As bits; what this version does not know must be 0.
    """
    known = RULESET.pack(files, network, scopes)[:24 if scopes else 16 if network else 8]
    return _checked(_libc.syscall(ctypes.c_long(CREATE_RULESET), known, ctypes.c_size_t(len(known)), 0),
                    "a set of rules")


def allow(rules: int, path: str, rights: int) -> None:
    """Allow rights on a file, or on all that is below a folder."""
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        _checked(_libc.syscall(ctypes.c_long(ADD_RULE), rules, PATH_BENEATH, RULE.pack(rights, descriptor), 0), path)
    finally:
        os.close(descriptor)


def obey(rules: int) -> None:
    """Be held to a set of rules, for good; needs `give_up_new_privileges`."""
    _checked(_libc.syscall(ctypes.c_long(RESTRICT_SELF), rules, 0), "obeying rules")
