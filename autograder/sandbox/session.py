"""The judge's side of one submission: its cells, and calls of its answers, in a sandbox.

Nothing that comes from inside is believed. Every wait has an end, every message is checked, and processes that die
or hang are replaced by fresh ones that leave out the cell at fault, so that the other answers keep their chance.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

from autograder.errors import SandboxLostError
from autograder.sandbox import wire
from autograder.sandbox.exchange import Tenant
from autograder.sandbox.isolation import Limits, choose
from autograder.sandbox.lending import greeted, tenant_for
from autograder.sandbox.outcome import SAID_INSIDE, Ending, Outcome
from autograder.sandbox.trusted import trusted_tenant
from autograder.sandbox.way import Way
from cnncourse.language import say

MAX_TEXT = 2000
SANDBOX = "sandbox"
"""Stands for a cell's name where something happened to the sandbox."""

MOST_SANDBOXES = 3
"""How many sandboxes may fail before one has run anything of a submission's."""
GRACE_SECONDS = 1.0
"""For the tenant, which ends an endless statement itself as long as that lets it."""
MOST_REASONS = 3
TOLD = ("time", "spent", "SyntaxError", "IndentationError", "MemoryError", "RecursionError")
"""What is said of a student's own cell even if no answer needs it."""


@dataclass(frozen=True)
class Cell:
    """One piece of code to run in the sandbox.

    Attributes
    ----------
    name : str
        What to call it in messages; no two cells of a submission have the same name.
    source : str
        Python.
    own : bool
        Whether the student has added it. All of these together have the time of one cell.
    checks : tuple of str
        Answers that a check looks at right after it, see `autograder.sandbox.meaning`.
    """

    name: str
    source: str
    own: bool = False
    checks: tuple[str, ...] = ()


class SandboxRunner:
    """Calls the answers of one submission; a `Runner` and a context manager.

    Parameters
    ----------
    cells : sequence of Cell
        The instructor's setup cells and the student's cells, in the notebook's order.
    limits : Limits, optional
    answers : sequence of str, optional
        Names of what is to be defined; by default those of the cells.
    trusted : bool, optional
        Run without walls; for submissions whose authors are trusted.
    bare : bool, optional
        Without walls, import only what a sandbox has.
    sandbox : str, optional
        How it is isolated; see `isolation.choose`.

    Attributes
    ----------
    isolated : str
        How it was isolated, in words, once entered.
    problems : dict of str to str
        What went wrong while running a cell, by its name. A student's own cell that only met what is not here, such as
        the reference, is not among them. Once left, also what had
        happened to the sandbox.
    seconds : float
        Wall time of the whole, once left.

    Raises
    ------
    SandboxUnavailableError
        On entering, if no sandbox can start here.
    """

    def __init__(
        self, cells: Sequence[Cell], limits: Limits | None = None, *, answers: Sequence[str] | None = None,
        trusted: bool = False, bare: bool = False, sandbox: str = "auto",
    ) -> None:
        self.cells = tuple(cells)
        self.answers = [cell.name for cell in cells] if answers is None else list(answers)
        self.limits = limits or Limits()
        self.trusted = trusted
        self.bare = bare
        self.sandbox = sandbox
        self.isolated = ""
        self.problems: dict[str, str] = {}
        self._failures: dict[str, str] = {}
        self._reduced: set[str] = set()
        self._spent = ""
        self._left_out: set[str] = set()
        self._lost_once: set[str] = set()
        self._said: list[str] = []
        self._way: Way | None = None
        self._tenant: Tenant | None = None
        self._answer = ""
        self._began = 0.0
        self._deadline = 0.0
        self._paused = 0.0
        self.seconds = 0.0

    def __enter__(self) -> SandboxRunner:
        self._way = None if self.trusted else choose(self.sandbox).way
        self.isolated = self._way.describe() if self._way else "not at all: submissions are trusted"
        self._began = time.monotonic()
        for cell in self.cells:
            if not _can_be_sent(cell):
                self.problems[cell.name] = "it is too long."
                self._left_out.add(cell.name)
        self._deadline = self._began + self.limits.total_seconds
        self._start()
        self._paused = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        if self._said:
            self.problems[SANDBOX] = f"it was replaced after this submission ({'; '.join(self._said)})."
        self.seconds = time.monotonic() - self._began

    def call(self, answer: str, arguments: tuple[Any, ...]) -> Outcome:
        """Call one answer in the sandbox; whatever happens there becomes an outcome."""
        (outcome,) = self.calls(answer, [arguments])
        return outcome

    def calls(self, answer: str, arguments: Sequence[tuple[Any, ...]]) -> Generator[Outcome, None, None]:
        """Call one answer on one tuple of arguments after the other; the next ones run while an outcome is looked at.

        Calls of the same answer, one after the other, share a process, as they do in a notebook; another answer never
        sees what they have left behind. Take all outcomes, or close the generator, before anything else is called.
        The time that passes between two calls, or while an outcome is looked at, is not the submission's.
        """
        self._deadline += time.monotonic() - self._paused
        try:
            for outcome in self._outcomes(answer, arguments):
                self._paused = time.monotonic()
                yield outcome
                self._deadline += time.monotonic() - self._paused
        finally:
            self._paused = time.monotonic()

    def _outcomes(self, answer: str, arguments: Sequence[tuple[Any, ...]]) -> Generator[Outcome, None, None]:
        done = 0
        while done < len(arguments):
            if time.monotonic() >= self._deadline:
                yield Outcome(Ending.TIME, text=say("The submission had used up its {seconds:g} s.",
                                                seconds=self.limits.total_seconds))
            elif self._tenant is None and not self._start():
                yield Outcome(Ending.CRASH, text=self.problems.get("", say("The process could not be started again.")))
            else:
                for outcome in self._calls_of_one_tenant(answer, arguments[done:]):
                    yield outcome
                    done += 1
                continue
            done += 1

    def _calls_of_one_tenant(
        self, answer: str, arguments: Sequence[tuple[Any, ...]]
    ) -> Generator[Outcome, None, None]:
        """Outcomes until all are there, the tenant is lost, or the time of the whole submission is over."""
        tenant, seconds = self._tenant, self.limits.call_seconds
        assert tenant is not None
        self._turn_to(tenant, answer)
        answers = tenant.exchange([({"op": "call"}, given) for given in arguments], seconds)
        try:
            for given in arguments:
                if time.monotonic() >= self._deadline:
                    self._stop()
                    return
                yield self._believe_little(answer, *next(answers), len(given))
        except SandboxLostError as error:
            self._stop()
            if self._may_be_lost_by_others(answer, error):
                return  # this one gets a fresh tenant
            if error.late:
                yield Outcome(Ending.TIME, text=say("It did not finish within {seconds:g} s.", seconds=seconds))
            else:
                yield Outcome(Ending.CRASH, text=say("Its process ended before there was a result."))
        finally:
            if tenant is self._tenant:
                self._finish(tenant)

    def _finish(self, tenant: Tenant) -> None:
        """Leave nothing of this answer on its way."""
        try:
            tenant.drop_answers(self.limits.call_seconds)
        except SandboxLostError:
            self._stop()

    def _turn_to(self, tenant: Tenant, answer: str) -> None:
        """Let a process of its own take the calls of an answer."""
        if answer != self._answer:
            if self._answer:
                tenant.tell({"op": "done"})
            tenant.tell({"op": "answer", "name": answer})
            self._answer = answer

    def _believe_little(self, answer: str, header: dict[str, Any], value: Any, count: int) -> Outcome:
        kind = header.get("kind")
        if kind not in SAID_INSIDE:
            raise SandboxLostError("an answer of no known kind")
        changed = header.get("changed") or []
        if not (isinstance(changed, list) and len(changed) <= count
                and all(type(i) is int and 0 <= i < count for i in changed)):
            raise SandboxLostError("inputs that do not exist")
        text = _text(header.get("text"))
        error_type = _text(header.get("error_type"))[:100]
        if kind == Ending.MISSING:
            text += self._reasons(answer)
        elif error_type == "NameError" and (name := re.search(r"name '(\w+)'", text)):
            text += self._reasons(name[1])
        return Outcome(Ending(kind), value, error_type, text, tuple(sorted(set(changed))),
                       header.get("refused") is True)

    def _reasons(self, name: str) -> str:
        """What went wrong in the cells that may have defined a name, for a message that it is not there."""
        if name in self.problems:
            return f" Cell {name}: {self.problems[name]}"
        failed = self._failures | self.problems
        word = re.compile(rf"\b{re.escape(name)}\b")
        reasons = [f" Cell {cell.name}: {failed[cell.name]}" for cell in self.cells
                   if cell.name in failed and word.search(cell.source)]
        return "".join(reasons[:MOST_REASONS])

    def _start(self) -> bool:
        """Start a tenant and run the cells, until all that are not left out end."""
        while time.monotonic() < self._deadline:
            self._tenant = self._new_tenant()
            if self._run_cells(self._tenant):
                return True
            self._stop()
        return False

    def _new_tenant(self) -> Tenant:
        """A tenant that answers; until then it is the sandbox's time and the sandbox's failure."""
        began = time.monotonic()
        for attempt in range(MOST_SANDBOXES):
            tenant = None
            try:
                tenant = (tenant_for(self.limits, self._way) if self._way else
                          trusted_tenant(self.limits, bare=self.bare))
                greeted(tenant)
                break
            except SandboxLostError:
                if tenant is not None:
                    tenant.discard()
                if attempt == MOST_SANDBOXES - 1:
                    raise
        assert tenant is not None
        self._deadline += time.monotonic() - began
        return tenant

    def _may_be_lost_by_others(self, name: str, error: SandboxLostError) -> bool:
        """Whether a cell or an answer is tried again: another answer's bytes may have come, or the machine may have
        ended the process, for want of memory for instance. What happens twice is its own doing."""
        again = not error.late and name not in self._lost_once
        self._lost_once.add(name)
        return again

    def _run_cells(self, tenant: Tenant) -> bool:
        """Run every cell; False if the tenant was lost. A cell that takes it down is reduced to what it defines the
        next time, and left out if that takes it down, too."""
        cells = [cell for cell in self.cells if cell.name not in self._left_out]
        tenant.tell({"op": "answers", "names": self.answers})
        for cell in cells:
            tenant.tell(_as_text(cell))
        results = tenant.exchange(map(self._question, cells), self.limits.cell_seconds + GRACE_SECONDS)
        for cell in cells:
            if time.monotonic() >= self._deadline:
                return False
            try:
                header, _ = next(results)
            except SandboxLostError as error:
                self._give_up(cell, error)
                return False
            if header.get("status") != "ok":
                self._note(cell, _text(header.get("error_type")), _text(header.get("text")) or "it raised an error.")
        return True

    def _question(self, cell: Cell) -> tuple[dict[str, Any], None]:
        return {"op": "cell", "name": cell.name, "own": cell.own, "checks": cell.checks,
                "seconds": self.limits.cell_seconds, "definitions": cell.name in self._reduced}, None

    def _give_up(self, cell: Cell, error: SandboxLostError) -> None:
        """Use less of a cell that took the tenant down."""
        if self._may_be_lost_by_others(f"cell {cell.name}", error):
            return
        (self._left_out if cell.name in self._reduced else self._reduced).add(cell.name)
        self.problems[cell.name] = (f"it did not finish within {self.limits.cell_seconds:g} s." if error.late
                                    else "running it ended the process.")

    def _note(self, cell: Cell, kind: str, text: str) -> None:
        """Note what was wrong with a cell: for everybody to see, unless it may be right where the reference is."""
        if cell.name in self._reduced or (kind == "spent" and self._spent not in ("", cell.name)):
            return
        if kind == "spent":
            self._spent = cell.name
        told = not cell.own or kind in TOLD or (kind == "ModuleNotFoundError" and "'autograder" not in text)
        (self.problems if told else self._failures)[cell.name] = text

    def _stop(self) -> None:
        if self._tenant is not None:
            self._tenant.end()
            self._said += [self._tenant.said] if self._tenant.said else []
            self._tenant = None
            self._answer = ""


def _as_text(cell: Cell) -> dict[str, Any]:
    return {"op": "text", "name": cell.name, "source": cell.source, "own": cell.own}


def _can_be_sent(cell: Cell) -> bool:
    with contextlib.suppress(wire.MalformedError):
        return 16 * len(cell.source) < wire.MAX_HEADER or bool(wire.pack(_as_text(cell)))
    return False


def _text(value: Any) -> str:
    """A message from inside: a short string without control characters, or nothing."""
    if not isinstance(value, str):
        return ""
    return "".join(c for c in value[:MAX_TEXT] if c.isprintable() or c == "\n")
