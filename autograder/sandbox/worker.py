"""The process that runs strangers' cells: alone in the sandbox, it knows inputs and nothing else.

It starts once, imports NumPy, and then lends a fork of itself to each submission, which costs milliseconds instead of
the start of an interpreter. The judge sends "begin" with two pipes of that submission over a socket that no stranger
ever holds; the fork reads frames from one pipe and answers on the other (see `wire`):

    {"op": "cell", "name", "source", "apart"}   ->  {"status": "ok" | "error", "error_type", "text"}
    {"op": "answer", "name": ...}                   nothing: a fork of the fork now takes this answer's calls
    {"op": "call"}, arguments                   ->  {"kind": ..., "error_type", "text", "changed"} and a value
    {"op": "done"}                                  nothing: the answer's fork ends, and with it all that it has changed

Frames may have been sent ahead; each question has an "id", which its answer repeats. On "end" every process but this
one is killed, the scratch folder is emptied, and "ready" goes back. Whatever strangers say is believed by nobody: the
judge outside checks every byte, and counts the time itself. This file imports the standard library, NumPy and `wire`
only, and little of it: every page of memory that is in use here is paid for in every fork. So numpy.random is left to
those who use it: it brings along Python's random and threading, which work in every fork, 0.4 ms an answer.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import linecache
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import wire

REHEARSALS = 40
"""Python writes into code that it has not run often enough yet, and every page written to is copied in every fork."""

REFERENCE_NAMES = ("F", "functional", "geometry", "cnncourse", "autograder")
NOT_HERE = " (the reference package does not exist where answers are graded: an answer has to stand on its own)"
PR_SET_DUMPABLE = 4
CLEARING_SECONDS = 2.0
FINISHED = 113
"""Exit code of a fork that came to its end; strangers' code that ends its process hardly ever gives this one."""


def main() -> None:
    """Limit this process, then serve: one submission after the other, or the one whose author is trusted."""
    settings = dict(argument.split("=") for argument in sys.argv[1:])
    control, answers = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):  # prints of strangers go nowhere
        os.dup2(null, descriptor)
    os.close(null)
    processor_time = {"RLIMIT_CPU": settings.pop("RLIMIT_CPU")}
    _limit(settings)
    np.seterr(all="ignore")
    if "scratch" not in settings:
        _limit(processor_time)
        _serve(control, answers)
        return
    os.close(answers)
    _rehearse()
    gc.collect()
    gc.freeze()
    # The same user runs the strangers: without this they could write into this process through /proc.
    if ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError("this process could not be protected from those that it starts")
    _lend_forks(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, control), settings["scratch"], processor_time)


def _rehearse() -> None:
    """Do what every answer's process does, and what many answers do."""
    def answer(x: np.ndarray, n: int, pair: tuple[int, ...]) -> Any:
        padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (n, n)))
        window = padded[:, :, :2, :2]
        return np.stack([window.sum(axis=(1, 2)), window.max(axis=(1, 2))]), window.mean(), np.zeros(pair), pair

    for _ in range(REHEARSALS):
        question = wire.pack({"op": "call", "id": ""}, (np.ones((2, 3, 4, 5)), 1, (2, 3)))
        header, arguments = wire.open_frame(question, formulas=True)
        wire.open_frame(_call(answer, arguments, {"id": header["id"]}))


def _lend_forks(control: socket.socket, scratch: str, processor_time: dict[str, str]) -> None:
    """A fork for each "begin"; nothing of it is left before the next one is made."""
    while True:
        control.send(b"ready")
        _, descriptors, _, _ = socket.recv_fds(control, 16, 2)
        if not descriptors:
            return
        child = os.fork()
        if child == 0:
            control.close()
            with contextlib.suppress(BaseException):
                os.setsid()
                _limit(processor_time)
                _serve(*descriptors)
            os._exit(0)
        for descriptor in descriptors:
            os.close(descriptor)
        if not control.recv(16):
            return
        _clear(scratch)


def _clear(scratch: str) -> None:
    """Kill every other process in here, wait until they are gone, and empty the folder that they could write to.

    An exception ends this process; the judge then starts a new sandbox.
    """
    if os.getppid() != 1:
        raise PermissionError("only where all processes are ours may all be killed")
    deadline = time.monotonic() + CLEARING_SECONDS
    while _kill_all_others():
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, 0):
                pass
        if time.monotonic() > deadline:
            raise TimeoutError("a process does not go away")
    for folder, folders, files in os.walk(scratch, topdown=False):
        for path in (os.path.join(folder, name) for name in folders + files):
            if os.path.isdir(path) and not os.path.islink(path):
                os.rmdir(path)
            else:
                os.unlink(path)


def _kill_all_others() -> bool:
    """Kill whatever is left; False if nothing was, not even a process that is dead and not yet reaped."""
    try:
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _serve(given: int, answers: int) -> None:
    """Run the cells of one submission in one namespace, and its answers in forks."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    while (frame := wire.read_frame(_reading(given))) is not None:
        header, _ = frame
        if header["op"] == "cell":
            told = _run_cell(header["name"], header["source"], namespace, header["apart"])
            _write_all(answers, wire.pack({**told, "id": header["id"]}))
        elif header["op"] == "answer":
            _in_fork(partial(_take_calls, namespace.get(header["name"]), header["name"], given, answers))


def _in_fork(work: Callable[[], None]) -> None:
    """Do something in a fork; if that ends in any other way than by finishing, end here too."""
    if not hasattr(os, "fork"):
        work()
        return
    child = os.fork()
    if child == 0:
        code = 1
        with contextlib.suppress(BaseException):
            work()
            code = FINISHED
        os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status) != FINISHED:
        os._exit(1)


def _take_calls(function: Any, name: str, given: int, answers: int) -> None:
    """Call one answer on case after case, until "done"; once it turns out not to be there, that holds for all."""
    absent: dict[str, Any] = {}
    if not callable(function):
        absent = {"kind": "missing", "text": f"There is no function called {name}."}
    while (frame := wire.read_frame(_reading(given), formulas=True)) is not None:
        header, arguments = frame
        if header["op"] == "done":
            return
        told: dict[str, Any] = {"id": header["id"]}
        if not absent:
            try:
                _write_all(answers, _call(function, arguments, told))
                continue
            except NotImplementedError:
                absent = {"kind": "not written"}
        _write_all(answers, wire.pack(absent | told))


def _reading(descriptor: int) -> Callable[[int], bytes]:
    """Read as many bytes as are asked for and not one more: what follows may be for another process."""
    def read(count: int) -> bytes:
        chunks = []
        while count and (chunk := os.read(descriptor, min(count, 1 << 20))):
            chunks.append(chunk)
            count -= len(chunk)
        return b"".join(chunks)
    return read


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _limit(limits: dict[str, str]) -> None:
    """Set resource limits, then give up every privilege; there is no way back from either."""
    try:
        import resource
    except ImportError:  # Windows, where only trusted submissions run
        return
    for name, value in limits.items():
        if name.startswith("RLIMIT_") and hasattr(resource, name):
            resource.setrlimit(getattr(resource, name), (int(value), int(value)))
    if "uid" in limits:
        uid = int(limits["uid"])
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)


def _run_cell(name: str, source: str, namespace: dict[str, Any], apart: bool) -> dict[str, Any]:
    """Run a cell; apart means one statement after the other, whatever becomes of those before."""
    filename = f"<{name}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    told: dict[str, Any] = {"status": "ok"}
    try:
        pieces = _statements(source) if apart else [source]
        for piece in pieces:
            try:
                exec(_compile(piece, filename), namespace)
            except (Exception, SystemExit, KeyboardInterrupt, RecursionError) as error:
                if told["status"] == "ok":
                    told = {"status": "error", "error_type": type(error).__name__, "text": _explain(error)}
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        told = {"status": "error", "error_type": type(error).__name__, "text": _explain(error)}
    return told


def _statements(source: str) -> list[Any]:
    import ast

    return [ast.Module([statement], []) for statement in ast.parse(source).body]


def _compile(source: Any, filename: str) -> Any:
    """Compile a cell; if it is not Python because of notebook magics, compile it without those lines."""
    try:
        return compile(source, filename, "exec")
    except SyntaxError:
        for indented in (False, True):
            plain = _without_magics(source, indented) if isinstance(source, str) else source
            if plain != source:
                with contextlib.suppress(SyntaxError):
                    return compile(plain, filename, "exec")
        raise


def _without_magics(source: str, indented: bool) -> str:
    lines = []
    for line in source.splitlines():
        text = line.lstrip(" \t") if indented else line
        lines.append(line[:len(line) - len(text)] + "pass" if text and text[0] in "%!?" else line)
    return "\n".join(lines)


def _call(function: Callable[..., Any], arguments: tuple[Any, ...], told: dict[str, Any]) -> bytes:
    before = wire.snapshots(arguments)
    try:
        value = function(*arguments)
        return wire.pack({**told, "kind": "value", "changed": wire.changed(before)}, value)
    except NotImplementedError:
        raise
    except wire.MalformedError as error:
        return wire.pack({**told, "kind": "rejected", "text": str(error)})
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        return wire.pack({**told, "kind": "error", "error_type": type(error).__name__, "text": _explain(error),
                          "refused": wire.raised_by_hand(error, _is_own)})


def _is_own(filename: str) -> bool:
    """Whether code is a stranger's own: cells have no file."""
    return filename.startswith("<")


def _explain(error: BaseException) -> str:
    """Class, message and the student's own line, of bounded length."""
    try:
        text = "".join(traceback.format_exception_only(error)).strip()[-1000:]
        frames = [f for f in traceback.extract_tb(error.__traceback__) if _is_own(f.filename)]
        if frames and frames[-1].line and not isinstance(error, SyntaxError):
            text += f"  (line {frames[-1].lineno}: {frames[-1].line[:200]})"
        if isinstance(error, NameError) and error.name in REFERENCE_NAMES:
            text += NOT_HERE
        return text
    except Exception:  # the exception's own __str__ may be a stranger's code
        return type(error).__name__


if __name__ == "__main__":
    main()
