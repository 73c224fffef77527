"""What runs strangers' cells: it knows inputs and nothing else.

It reads frames from one pipe and answers on the other (see `wire`):

    {"op": "hello"}                             ->  {"status": "ok"}, before anything of a stranger's has run
    {"op": "answers", "names": [...]}               nothing: what the notebook has to define
    {"op": "text", "name", "source", "own"}         nothing: a cell that will run
    {"op": "cell", "name", ...}                 ->  {"status": "ok" | "error", "error_type", "text"}
    {"op": "answer", "name": ...}                   nothing: a fork of the fork now takes this answer's calls
    {"op": "call"}, arguments                   ->  {"kind": ..., "error_type", "text", "changed"} and a value
    {"op": "done"}                                  nothing: the answer's fork ends, and with it all that it has changed

Frames may have been sent ahead; each question has an "id", which its answer repeats. Whatever strangers say is believed
by nobody: the judge outside checks every byte, and counts the time itself. Usually it is a fork that `inside/lender.py`
has put behind walls; where the author is trusted, it is a process of its own. This file imports the standard library,
NumPy, `wire`, and `meaning`, where it is decided what a notebook means, and little of it: every page of memory that is
in use here is paid for in every fork. So numpy.random is left to those who use it: it brings along Python's random and
threading, which work in every fork, 0.4 ms an answer.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import meaning
import numpy as np
import wire

REHEARSALS = 40
"""Python writes into code that it has not run often enough yet, and every page written to is copied in every fork."""

FINISHED = 113
"""Exit code of a fork that came to its end; strangers' code that ends its process hardly ever gives this one."""


def main() -> None:
    """Limit this process, then serve the one submission whose author is trusted."""
    given, answers = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):  # prints go nowhere
        os.dup2(null, descriptor)
    os.close(null)
    limit(json.loads(sys.argv[1]))
    np.seterr(all="ignore")
    serve(given, answers)


def rehearse() -> None:
    """Do what every answer's process does, and what many answers do."""
    def answer(x: np.ndarray, n: int, pair: tuple[int, ...]) -> Any:
        padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (n, n)))
        window = padded[:, :, :2, :2]
        return np.stack([window.sum(axis=(1, 2)), window.max(axis=(1, 2))]), window.mean(), np.zeros(pair), pair

    for _ in range(REHEARSALS):
        notebook = meaning.Notebook()
        notebook.names = ("answer",)
        notebook.take("answer", "import math\ndef answer(x):\n    return math.pi * x\n", False)
        notebook.run({"name": "answer", "own": False, "seconds": 9.0, "definitions": False, "checks": ["answer"]})
        notebook.find_names(notebook.answer("answer")[1])
        question = wire.pack({"op": "call", "id": ""}, (np.ones((2, 3, 4, 5)), 1, (2, 3)))
        header, arguments = wire.open_frame(question, formulas=True)
        wire.open_frame(_call(answer, arguments, {"id": header["id"]}))


def serve(given: int, answers: int, in_each_fork: Callable[[], None] = lambda: None) -> None:
    """Run the cells of one submission in one namespace, and its answers in forks.

    Parameters
    ----------
    given, answers : int
        Descriptors from which questions are read, and to which answers are written.
    in_each_fork : callable, optional
        What an answer's process does first.
    """
    notebook = meaning.Notebook()
    while (frame := wire.read_frame(_reading(given))) is not None:
        header, _ = frame
        if header["op"] == "hello":
            _write_all(answers, wire.pack({"status": "ok", "id": header["id"]}))
        elif header["op"] == "cell":
            _write_all(answers, wire.pack({**notebook.run(header), "id": header["id"]}))
        elif header["op"] == "text":
            notebook.take(header["name"], header["source"], header["own"])
        elif header["op"] == "answers":
            notebook.names = tuple(header["names"])
        elif header["op"] == "answer":
            _in_fork(partial(_take_calls, notebook, header["name"], given, answers), in_each_fork)


def _in_fork(work: Callable[[], None], first: Callable[[], None]) -> None:
    """Do something in a fork; if that ends in any other way than by finishing, end here too."""
    if not hasattr(os, "fork"):
        work()
        return
    child = os.fork()
    if child == 0:
        code = 1
        with contextlib.suppress(BaseException):
            first()
            work()
            code = FINISHED
        os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status) != FINISHED:
        os._exit(1)


def _take_calls(notebook: meaning.Notebook, name: str, given: int, answers: int) -> None:
    """Call one answer on case after case, until "done"; once it turns out not to be there, that holds for all."""
    function, names = notebook.answer(name)
    notebook.find_names(names)
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


def limit(limits: dict[str, int]) -> None:
    """Set resource limits, by their names; there is no way back."""
    try:
        import resource
    except ImportError:  # Windows, where only trusted submissions run
        return
    for name, value in limits.items():
        if hasattr(resource, name):
            resource.setrlimit(getattr(resource, name), (value, value))


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
        return wire.pack({**told, "kind": "error", "error_type": type(error).__name__, "text": meaning.explain(error),
                          "refused": wire.raised_by_hand(error, _is_own)})


def _is_own(filename: str) -> bool:
    """Whether code is a stranger's own: cells have no file."""
    return filename.startswith("<")


if __name__ == "__main__":
    main()
