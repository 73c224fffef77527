"""What a check says beside its verdict: where the answer will not be in grading what it is here.

An answer is looked at as it is in this kernel, with all functions of the notebook that it calls: which modules they
import and use, which names they take from the notebook, and whether the cell that defines them has been changed since.
"""

from __future__ import annotations

import builtins
import contextlib
import dis
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import CodeType, FunctionType, ModuleType
from typing import Any

from autograder.checking import ran
from autograder.sandbox.contents import allowed_packages
from cnncourse.language import say

COURSE = ("autograder", "cnncourse")


def stale(names: Iterable[str]) -> str:
    """Why the functions here are not those that were written last; empty if they are.

    Parameters
    ----------
    names : iterable of str
        Of the answers.
    """
    for name in names:
        attempt = ran.last_attempt(name)
        if attempt is not None and attempt.error:
            return say("The cell with {name} ended with {error} when it ran last, so an older {name} is still there, "
                       "and it is not judged. Mend the cell and run it, then check again.", name=name,
                       error=attempt.error)
    return ""


def cautions(
    functions: Mapping[str, Callable[..., Any]], saved: Callable[[float], Sequence[str]] = lambda since: ()
) -> list[str]:
    """What grading does not have, or would see otherwise, of some answers.

    Parameters
    ----------
    functions : mapping of str to callable
        The answers by name.
    saved : callable, optional
        Sources of the notebook's code cells, if its file is known and newer than a time.
    """
    said: list[str] = []
    after_all = "\n".join(saved(ran.last_time()))
    for name, function in functions.items():
        used = list(_with_helpers(function))
        for module in dict.fromkeys(module for one in used for module in _modules(one)):
            what = (say("the course's own packages") if module in COURSE else f"`{module}`")
            said.append(say("{name} uses {module}, which grading does not have: an answer has Python's library and "
                            "NumPy.", name=name, module=what))
        for own in dict.fromkeys(own for one in used for own in _own_names(one)) if after_all else ():
            if not _binds(after_all, own):
                said.append(say("{name} uses {own}, which no cell of the saved notebook defines: after a restart it "
                                "would be missing.", name=name, own=own))
        attempt = ran.last_attempt(name)
        cells = {cell.strip() for cell in saved(attempt.when)} if attempt else set()
        if attempt and attempt.source.strip() not in cells and any(_binds(cell, name) for cell in cells):
            said.append(say("The cell with {name} was changed after it ran: what was checked is the older one.",
                            name=name))
    return list(dict.fromkeys(said))


def _binds(text: str, name: str) -> bool:
    """Whether a text may define a name: by def, class, import or any assignment, or in a way unknown here."""
    word = rf"(?<![\w.]){re.escape(name)}\b"
    return bool(re.search(rf"\b(?:def|class|import|as|for|global)\b[^\n]*{word}|{word}[^\n]*=(?!=)|import +\*|%run",
                          text))


def _with_helpers(function: Any) -> Iterator[FunctionType]:
    """A function and those of the notebook that it can call."""
    waiting, seen = [function], set()
    while waiting:
        one = waiting.pop()
        one = getattr(one, "__wrapped__", one)
        if not isinstance(one, FunctionType) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        for value in _values(one):
            if isinstance(value, FunctionType) and value.__module__ == one.__module__:
                waiting.append(value)


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Code, and that of the functions in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _names(code: CodeType) -> set[str]:
    """Names that code looks up in the notebook or among Python's own."""
    return {instruction.argval for one in _codes(code) for instruction in dis.get_instructions(one)
            if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME")}


def _modules(function: FunctionType) -> Iterator[str]:
    """Packages that a function uses and that grading does not have."""
    imported = {str(instruction.argval).partition(".")[0] for one in _codes(function.__code__)
                for instruction in dis.get_instructions(one) if instruction.opname == "IMPORT_NAME"}
    for value in _values(function):
        homes = [value.__name__] if isinstance(value, ModuleType) else []
        if callable(value):  # what a decorator has made may say that it is the notebook's
            homes += [getattr(value, "__module__", ""), type(value).__module__]
        imported.update(home.partition(".")[0] for home in homes if isinstance(home, str))
    there = {name.removesuffix(".py").partition(".")[0] for name in allowed_packages()} | sys.stdlib_module_names
    yield from sorted(imported - there - {"", "__main__", "__mp_main__", function.__module__.partition(".")[0]})


def _values(function: FunctionType) -> Iterator[Any]:
    """What a function finds under the names that it takes from around it."""
    for name in _names(function.__code__):
        yield function.__globals__.get(name)
    for cell in function.__closure__ or ():
        with contextlib.suppress(ValueError):  # nothing is in it yet
            yield cell.cell_contents


def _own_names(function: FunctionType) -> Iterator[str]:
    """Names of the notebook's own that a function uses."""
    for name in sorted(_names(function.__code__)):
        if name in function.__globals__ and not hasattr(builtins, name):
            yield name
