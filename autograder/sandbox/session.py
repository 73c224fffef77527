"""The judge's side of one submission: its cells, and calls of its answers, in a sandbox.

Nothing that comes from inside is believed. Every wait has an end, every message is checked, and processes that die
or hang are replaced by fresh ones that leave out the cell at fault, so that the other answers keep their chance.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

from autograder.errors import SandboxLostError
from autograder.sandbox import wire
from autograder.sandbox.exchange import Worker
from autograder.sandbox.isolation import Limits
from autograder.sandbox.lending import START_SECONDS, worker_for
from autograder.sandbox.outcome import SAID_INSIDE, Ending, Outcome
from cnncourse.language import say

MAX_TEXT = 2000


@dataclass(frozen=True)
class Cell:
    """One piece of code to run in the sandbox.

    Attributes
    ----------
    name : str
        The cell's grade_id, for messages.
    source : str
    apart : bool
        Whether its statements run one by one, so that one that fails takes no other along.
    """

    name: str
    source: str
    apart: bool = False


class SandboxRunner:
    """Calls the answers of one submission; a `Runner` and a context manager.

    Parameters
    ----------
    cells : sequence of Cell
        The instructor's setup cells and the student's answer cells, in the notebook's order.
    limits : Limits, optional
    trusted : bool, optional
        Run without walls; for submissions whose authors are trusted.

    Attributes
    ----------
    problems : dict of str to str
        What went wrong while running a cell, by its name.
    seconds : float
        Wall time of the whole, once left.

    Raises
    ------
    SandboxUnavailableError
        On entering, if no sandbox can start here.
    """

    def __init__(self, cells: Sequence[Cell], limits: Limits | None = None, *, trusted: bool = False) -> None:
        self.cells = tuple(cells)
        self.limits = limits or Limits()
        self.trusted = trusted
        self.problems: dict[str, str] = {}
        self._left_out: set[str] = set()
        self._lost_once: set[str] = set()
        self._worker: Worker | None = None
        self._answer = ""
        self._began = 0.0
        self._deadline = 0.0
        self.seconds = 0.0

    def __enter__(self) -> SandboxRunner:
        self._began = time.monotonic()
        for cell in self.cells:
            if not _can_be_sent(cell):
                self.problems[cell.name] = "it is too long."
                self._left_out.add(cell.name)
        self._deadline = self._began + self.limits.total_seconds
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        self.seconds = time.monotonic() - self._began

    def call(self, answer: str, arguments: tuple[Any, ...]) -> Outcome:
        """Call one answer in the sandbox; whatever happens there becomes an outcome."""
        (outcome,) = self.calls(answer, [arguments])
        return outcome

    def calls(self, answer: str, arguments: Sequence[tuple[Any, ...]]) -> Generator[Outcome, None, None]:
        """Call one answer on one tuple of arguments after the other; the next ones run while an outcome is looked at.

        Calls of the same answer, one after the other, share a process, as they do in a notebook; another answer never
        sees what they have left behind. Take all outcomes, or close the generator, before anything else is called.
        """
        done = 0
        while done < len(arguments):
            if time.monotonic() >= self._deadline:
                yield Outcome(Ending.TIME, text=say("The submission had used up its {seconds:g} s.",
                                                seconds=self.limits.total_seconds))
            elif self._worker is None and not self._start():
                yield Outcome(Ending.CRASH, text=self.problems.get("", say("The process could not be started again.")))
            else:
                for outcome in self._calls_of_one_worker(answer, arguments[done:]):
                    yield outcome
                    done += 1
                continue
            done += 1

    def _calls_of_one_worker(
        self, answer: str, arguments: Sequence[tuple[Any, ...]]
    ) -> Generator[Outcome, None, None]:
        """Outcomes until all are there, the worker is lost, or the time of the whole submission is over."""
        worker, seconds = self._worker, self.limits.call_seconds
        assert worker is not None
        self._turn_to(worker, answer)
        answers = worker.exchange([({"op": "call"}, given) for given in arguments], seconds)
        try:
            for given in arguments:
                if time.monotonic() >= self._deadline:
                    self._stop()
                    return
                yield self._believe_little(answer, *next(answers), len(given))
        except SandboxLostError as error:
            self._stop()
            if self._may_be_lost_by_others(answer, error):
                return  # this one gets a fresh worker
            if error.late:
                yield Outcome(Ending.TIME, text=say("It did not finish within {seconds:g} s.", seconds=seconds))
            else:
                yield Outcome(Ending.CRASH, text=say("Its process ended before there was a result."))
        finally:
            if worker is self._worker:
                self._finish(worker)

    def _finish(self, worker: Worker) -> None:
        """Leave nothing of this answer on its way."""
        try:
            worker.drop_answers(self.limits.call_seconds)
        except SandboxLostError:
            self._stop()

    def _turn_to(self, worker: Worker, answer: str) -> None:
        """Let a process of its own take the calls of an answer."""
        if answer != self._answer:
            if self._answer:
                worker.tell({"op": "done"})
            worker.tell({"op": "answer", "name": answer})
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
        if kind == Ending.MISSING:
            relevant = {answer: self.problems[answer]} if answer in self.problems else self.problems
            text += "".join(f" Cell {name}: {problem}" for name, problem in relevant.items())
        return Outcome(Ending(kind), value, _text(header.get("error_type"))[:100], text, tuple(sorted(set(changed))),
                       header.get("refused") is True)

    def _start(self) -> bool:
        """Start a worker and run the cells, until all that are not left out end."""
        while time.monotonic() < self._deadline:
            self._worker = worker_for(self.limits, trusted=self.trusted)
            if self._run_cells(self._worker):
                return True
            self._stop()
        return False

    def _may_be_lost_by_others(self, name: str, error: SandboxLostError) -> bool:
        """Whether a cell or an answer is tried again: another answer's bytes may have come, or the machine may have
        ended the process, for want of memory for instance. What happens twice is its own doing."""
        again = not error.late and name not in self._lost_once
        self._lost_once.add(name)
        return again

    def _run_cells(self, worker: Worker) -> bool:
        """Run every cell; False if the worker was lost. A cell that takes it down is left out the next time."""
        cells = [cell for cell in self.cells if cell.name not in self._left_out]
        questions = [({"op": "cell", "name": cell.name, "source": cell.source, "apart": cell.apart}, None)
                     for cell in cells]
        seconds, start_seconds = self.limits.cell_seconds, START_SECONDS if self.trusted else 0.0
        answers = worker.exchange(questions, seconds, start_seconds)
        for cell in cells:
            try:
                header, _ = next(answers)
            except SandboxLostError as error:
                if self._may_be_lost_by_others(f"cell {cell.name}", error):
                    return False
                self._left_out.add(cell.name)
                self.problems[cell.name] = (f"it did not finish within {seconds + start_seconds:g} s." if error.late
                                            else "running it ended the process.")
                return False
            if header.get("status") != "ok":
                self.problems[cell.name] = _text(header.get("text")) or "it raised an error."
            start_seconds = 0.0
        return True

    def _stop(self) -> None:
        if self._worker is not None:
            self._worker.end()
            self._worker = None
            self._answer = ""


def _can_be_sent(cell: Cell) -> bool:
    with contextlib.suppress(wire.MalformedError):
        return 16 * len(cell.source) < wire.MAX_HEADER or bool(wire.pack({}, cell.source + cell.name))
    return False


def _text(value: Any) -> str:
    """A message from inside: a short string without control characters, or nothing."""
    if not isinstance(value, str):
        return ""
    return "".join(c for c in value[:MAX_TEXT] if c.isprintable() or c == "\n")
