"""What the cells of a notebook mean: one namespace, cell after cell, statement after statement, as in Jupyter.

Not everything is here that is there: no reference, no pictures of the course, no files of the student's. So a statement
that fails need not have failed in Jupyter, and the ones after it run; only what ends a cell on purpose ends it here,
too. An answer is what its name holds at the end, with some allowances for the order in which people work:

- A function that only raises NotImplementedError is not written, and replaces nothing that is.
- A name that was bound to a function and then to something that cannot be called keeps the function.
- What no answer can see does not run, see `needed`.
- A check has seen the names of its moment. If an answer is still the one that was checked, it finds these names again,
  whatever later cells have bound them to; if it was written anew below its check, it finds those of the end.

This file also lies in the sandbox, and imports the standard library, `needed` and `standins` only.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import linecache
import signal
import time
import traceback
from collections.abc import Iterator, Sequence
from typing import Any

import standins
from needed import is_blank, needed

REFERENCE_NAMES = ("F", "functional", "geometry", "cnncourse", "autograder")
NOT_HERE = " (the reference package does not exist where answers are graded: an answer has to stand on its own)"
LOOKING_SECONDS = 2.0
"""What finding out may take which statements matter."""
DEFINITION_SECONDS = 1.0
"""What the definitions below an endless statement may take."""
RINGING_SECONDS = 0.2
"""The alarm rings again, for a bare `except` may have taken the first one for an error."""
DEFINING = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)


class OutOfTimeError(BaseException):
    """Raised in the middle of a stranger's statement when its time is over."""


class Notebook:
    """One submission: the namespace that its cells share, and the answers in it.

    Attributes
    ----------
    names : tuple of str
        Names of the answers that are asked for.
    namespace : dict
    """

    def __init__(self) -> None:
        self.names: tuple[str, ...] = ()
        self.namespace: dict[str, Any] = {"__name__": "__main__", **dict.fromkeys(standins.LOOKED_AT, standins.nothing)}
        self.namespace["get_ipython"] = standins.Shell(self.namespace).itself
        self._own: dict[str, str] = {}
        self._others: dict[str, str] = {}
        self._needed: dict[str, list[ast.stmt]] | None = None
        self._written: dict[str, Any] = {}
        self._blank: dict[str, Any] = {}
        self._moments: dict[str, dict[str, Any]] = {}
        self._end: dict[str, Any] | None = None
        self._own_seconds = 0.0
        self._loop: Any = None

    def take(self, name: str, source: str, own: bool) -> None:
        """Take the text of a cell; all are here before the first one runs."""
        (self._own if own else self._others)[name] = source

    def run(self, cell: dict[str, Any]) -> dict[str, Any]:
        """Run a cell and say how it went: the first error, or nothing.

        Parameters
        ----------
        cell : dict
            "name"; "seconds" that it may take; "own": whether it shares these with all others of its kind;
            "definitions": whether only what it defines is run; "checks": answers that have been looked at after it.
        """
        filename = f"<{cell['name']}>"
        source, seconds = (self._own if cell["own"] else self._others)[cell["name"]], cell["seconds"]
        linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
        began = time.monotonic()
        if cell["own"]:
            seconds -= self._own_seconds
        run = _Run(self, source, filename, seconds, cell["definitions"] or seconds <= 0)
        told = run.told(self._statements_that_matter(cell["name"]) if cell["own"] else None)
        if cell["own"]:
            self._own_seconds += time.monotonic() - began
        self._note_what_is_written()
        if cell["checks"]:
            moment = dict(self.namespace)
            self._moments.update((name, moment) for name in cell["checks"])
        return told

    def answer(self, name: str) -> tuple[Any, dict[str, Any]]:
        """What an answer is, and the names that it finds; for `find_names`."""
        if self._end is None:
            self._end = dict(self.namespace)
        function = self._written.get(name, self._end.get(name))
        moment = self._moments.get(name, {})
        checked = moment if moment.get(name) is function else {}
        return function, self._end | checked | self._written

    def find_names(self, names: dict[str, Any]) -> None:
        """Have the functions of the notebook find these names."""
        self.namespace.clear()
        self.namespace.update(names)

    def execute(self, code: Any) -> None:
        """Run compiled code in the namespace; with a loop of asyncio, if it waits for something."""
        if not code.co_flags & inspect.CO_COROUTINE:
            exec(code, self.namespace)
            return
        if self._loop is None:
            self._loop = standins.loop_without_sockets()
        self._loop.run_until_complete(standins.awaited(eval(code, self.namespace)))

    def replaces_nothing(self, statement: ast.stmt) -> bool:
        """Whether it defines an answer that is not written, where one is."""
        return (is_blank(statement) and statement.name in self.names  # type: ignore[attr-defined]
                and self._is_written(statement.name))  # type: ignore[attr-defined]

    def note_blank(self, statement: ast.stmt) -> None:
        """Remember an answer that is not written, after its definition has run."""
        if is_blank(statement):
            name = statement.name  # type: ignore[attr-defined]
            self._blank[name] = self.namespace.get(name)

    def _statements_that_matter(self, name: str) -> list[ast.stmt] | None:
        """Statements of a student's own cell that an answer can see; None where that cannot be told."""
        if self._needed is None:
            self._needed = {}
            with contextlib.suppress(OutOfTimeError, RecursionError, MemoryError, ValueError), _alarm(LOOKING_SECONDS):
                self._needed = needed(self._own, list(self._others.values()), self.names)
        return self._needed.get(name)

    def _is_written(self, name: str) -> bool:
        value = self.namespace.get(name)
        return name in self._written or (callable(value) and value is not self._blank.get(name))

    def _note_what_is_written(self) -> None:
        for name in self.names:
            value = self.namespace.get(name)
            if callable(value) and value is not self._blank.get(name):
                self._written[name] = value


class _Run:
    """One cell while it runs.

    It is compiled as a whole, which is fast, and taken apart where that does not do: after an error, or where an
    answer may be a stub.
    """

    def __init__(self, notebook: Notebook, source: str, filename: str, seconds: float, definitions: bool) -> None:
        self._notebook = notebook
        self._source = source
        self._filename = filename
        self._seconds = seconds
        self._definitions = definitions
        self._told: dict[str, Any] = {"status": "ok"}

    def told(self, statements: Sequence[ast.stmt] | None = None) -> dict[str, Any]:
        """Run it, or only these statements of it, and say how it went."""
        if statements is not None and not statements:
            return self._told
        if self._definitions and self._seconds <= 0:
            self._note("spent", "the time for cells of the student's own was over; only what it defines was used.")
        plain = not self._definitions and "NotImplementedError" not in self._source and ";" not in self._source
        try:
            with _alarm(DEFINITION_SECONDS if self._definitions else self._seconds):
                if statements is not None:
                    self._run_rest(statements)
                elif not (plain and self._run_whole()):
                    self._run_rest(ast.parse(self._source, self._filename).body)
        except OutOfTimeError:
            self._note("time", "it did not finish.")
        except BaseException as error:  # it is no Python, or too much of it
            self._note(type(error).__name__, explain(error))
        return self._told

    def _run_whole(self) -> bool:
        """Run all of it together; False if it has to be run by statements."""
        try:
            code = _compile(self._source, self._filename)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
        try:
            self._notebook.execute(code)
        except BaseException as error:
            line = _line(error, self._filename)
            statements = ast.parse(self._source).body
            failed = sum(_first_line(statement) <= line for statement in statements)
            if self._goes_on_after(error, statements[failed - 1] if failed else None):
                self._run_rest(statements[failed:])
        return True

    def _run_rest(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            if self._notebook.replaces_nothing(statement) or (self._definitions and not _defines(statement)):
                continue
            try:
                self._notebook.execute(_compile(ast.Module([statement], []), self._filename))
            except BaseException as error:
                if not self._goes_on_after(error, statement):
                    return
            self._notebook.note_blank(statement)

    def _goes_on_after(self, error: BaseException, statement: ast.stmt | None) -> bool:
        """Note an error; whether the statements behind it run. After an endless one only definitions do."""
        if isinstance(error, OutOfTimeError):
            where = explain(error).partition("  (")[2].removesuffix(")")
            self._note("time", f"it did not finish within {self._seconds:g} s" + (f" ({where})" if where else "")
                       + "; of what stands below only definitions were used.")
            self._definitions = True
            _ring_in(DEFINITION_SECONDS)
            return True
        self._note(type(error).__name__, explain(error))
        return not isinstance(error, SystemExit) and not isinstance(statement, ast.Raise)

    def _note(self, kind: str, text: str) -> None:
        if self._told["status"] == "ok":
            self._told = {"status": "error", "error_type": kind, "text": text}


def explain(error: BaseException) -> str:
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


def _compile(source: Any, filename: str) -> Any:
    """Compile as IPython does. Annotations stay text, as in this file: they may name what is not here."""
    return compile(source, filename, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def _defines(statement: ast.stmt) -> bool:
    """Whether it only binds names, and takes no time for it: a function, a class, an import, a literal."""
    if isinstance(statement, (ast.Assign, ast.AnnAssign)) and statement.value is not None:
        with contextlib.suppress(ValueError, TypeError, RecursionError, MemoryError):
            ast.literal_eval(statement.value)
            return True
    return isinstance(statement, DEFINING)


def _first_line(statement: ast.stmt) -> int:
    decorators = getattr(statement, "decorator_list", ())
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def _line(error: BaseException, filename: str) -> int:
    """The line of a cell in which it stood when the error came."""
    step = error.__traceback__
    while step is not None and step.tb_frame.f_code.co_filename != filename:
        step = step.tb_next
    return step.tb_lineno if step is not None else 0


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raise OutOfTimeError in what runs when time is over; where signals do not exist, others have to see to it."""
    if not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGALRM, _ring)
    _ring_in(seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        with contextlib.suppress(TypeError, ValueError):
            signal.signal(signal.SIGALRM, before)


def _ring_in(seconds: float) -> None:
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds, RINGING_SECONDS)


def _ring(*_: Any) -> None:
    raise OutOfTimeError
