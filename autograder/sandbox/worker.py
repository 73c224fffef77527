"""The process that runs a stranger's cells: alone in the sandbox, it knows inputs and nothing else.

It reads frames from standard input and answers each with one frame on standard output (see `wire`):

    {"op": "cell", "name": ..., "source": ...}      ->  {"status": "ok" | "error", "error_type", "text"}
    {"op": "call", "answer": ..., "seconds": ...}   ->  {"kind": ..., "error_type", "text", "changed"} and a value

Cells run here, one after the other, in one namespace; every call runs in a fork of its own, so that nothing that a
call leaves behind reaches the next one. Whatever this process says is believed by nobody: the judge outside checks
every byte, and counts the time itself. This file imports the standard library, NumPy and `wire` only.
"""

from __future__ import annotations

import contextlib
import linecache
import os
import select
import signal
import sys
import time
import traceback
from typing import Any, BinaryIO

import numpy as np
import wire

REFERENCE_NAMES = ("F", "functional", "geometry", "cnncourse", "autograder")
NOT_HERE = " (the reference package does not exist where answers are graded: an answer has to stand on its own)"


def main() -> None:
    """Limit this process, then answer frames until the input ends."""
    limits = dict(argument.split("=") for argument in sys.argv[1:])
    control_in, control_out = _take_over_streams()
    _limit(limits)
    np.seterr(all="ignore")
    namespace: dict[str, Any] = {"__name__": "__main__"}
    while (frame := wire.read_frame(control_in.read, formulas=True)) is not None:
        header, value = frame
        if header["op"] == "cell":
            reply = wire.pack(_run_cell(header["name"], header["source"], namespace))
        else:
            reply = _call_in_fork(namespace, header["answer"], value, header["seconds"], (control_in, control_out))
        control_out.write(reply)
        control_out.flush()


def _take_over_streams() -> tuple[BinaryIO, BinaryIO]:
    """Keep the two pipes to the judge for ourselves; prints of strangers go nowhere."""
    control_in, control_out = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)
    return control_in, control_out


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


def _run_cell(name: str, source: str, namespace: dict[str, Any]) -> dict[str, Any]:
    filename = f"<{name}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    try:
        exec(_compile(source, filename), namespace)
    except (Exception, SystemExit, KeyboardInterrupt, RecursionError) as error:
        return {"status": "error", "error_type": type(error).__name__, "text": _explain(error)}
    return {"status": "ok"}


def _compile(source: str, filename: str) -> Any:
    """Compile a cell; if it is not Python because of notebook magics, compile it without those lines."""
    try:
        return compile(source, filename, "exec")
    except SyntaxError:
        lines = source.splitlines()
        plain = ["pass" if line[:1] in "%!?" and line else line for line in lines]
        if plain == lines:
            raise
        return compile("\n".join(plain), filename, "exec")


def _call_in_fork(
    namespace: dict[str, Any], answer: str, arguments: Any, seconds: float, private: tuple[BinaryIO, BinaryIO]
) -> bytes:
    """Call an answer in a process of its own and collect what it writes into a pipe, for a limited time."""
    if not hasattr(os, "fork"):
        return _call(namespace, answer, arguments)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        with contextlib.suppress(BaseException):
            os.setsid()
            os.close(reader)
            for stream in private:
                os.close(stream.fileno())
            _write_all(writer, _call(namespace, answer, arguments))
            code = 0
        os._exit(code)
    os.close(writer)
    data, ended = _read_until(reader, time.monotonic() + seconds)
    os.close(reader)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if not ended:
        return wire.pack({"kind": "time", "text": f"It did not finish within {seconds:g} s."})
    if not _is_frame(data):
        return wire.pack({"kind": "crash", "text": f"Its process ended before there was a result ({_ending(status)})."})
    return data


def _call(namespace: dict[str, Any], answer: str, arguments: tuple[Any, ...]) -> bytes:
    function = namespace.get(answer)
    if not callable(function):
        return wire.pack({"kind": "missing", "text": f"There is no function called {answer}."})
    before = wire.copy(arguments)
    try:
        value = function(*arguments)
        changed = [
            i for i, (old, new) in enumerate(zip(before, arguments, strict=True))
            if isinstance(old, np.ndarray) and not np.array_equal(old, new, equal_nan=old.dtype.kind == "f")
        ]
        return wire.pack({"kind": "value", "changed": changed}, value)
    except NotImplementedError:
        return wire.pack({"kind": "not written"})
    except wire.MalformedError as error:
        return wire.pack({"kind": "rejected", "text": str(error)})
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        return wire.pack({"kind": "error", "error_type": type(error).__name__, "text": _explain(error),
                          "refused": _on_purpose(error)})


def _on_purpose(error: BaseException) -> bool:
    """Whether the exception comes from a raise or assert of the stranger's own."""
    frames = traceback.extract_tb(error.__traceback__)
    return frames[-1].filename.startswith("<") and (frames[-1].line or "").startswith(("raise", "assert"))


def _explain(error: BaseException) -> str:
    """Class, message and the student's own line, of bounded length."""
    try:
        text = "".join(traceback.format_exception_only(error)).strip()[-1000:]
        frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith("<")]
        if frames and frames[-1].line and not isinstance(error, SyntaxError):
            text += f"  (line {frames[-1].lineno}: {frames[-1].line[:200]})"
        if isinstance(error, NameError) and error.name in REFERENCE_NAMES:
            text += NOT_HERE
        return text
    except Exception:  # the exception's own __str__ may be a stranger's code
        return type(error).__name__


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _read_until(descriptor: int, deadline: float) -> tuple[bytes, bool]:
    """What comes through a pipe until it closes; False if time or room ran out first."""
    chunks: list[bytes] = []
    size = 0
    while size <= wire.MAX_BODY + wire.MAX_HEADER:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([descriptor], [], [], left)[0]:
            return b"", False
        chunk = os.read(descriptor, 1 << 20)
        if not chunk:
            return b"".join(chunks), True
        chunks.append(chunk)
        size += len(chunk)
    return b"", True


def _is_frame(data: bytes) -> bool:
    if len(data) < wire.PREFIX.size:
        return False
    return sum(wire.PREFIX.unpack(data[: wire.PREFIX.size])) + wire.PREFIX.size == len(data)


def _ending(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"signal {signal.Signals(os.WTERMSIG(status)).name}"
    return f"exit code {os.WEXITSTATUS(status)}"


if __name__ == "__main__":
    main()
