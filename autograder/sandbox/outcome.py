"""What came of calling an answer, and who calls it: the sandbox, or the reader's own process."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol


class Ending(StrEnum):
    """How a call of an answer ended."""

    VALUE = "value"
    ERROR = "error"
    NOT_WRITTEN = "not written"
    MISSING = "missing"
    TIME = "time"
    CRASH = "crash"
    REJECTED = "rejected"
    FAULT = "fault"

    @property
    def gives_up(self) -> bool:
        """Whether the other cases of the same answer are not tried: they would end alike, only later."""
        return self in (Ending.NOT_WRITTEN, Ending.MISSING, Ending.TIME, Ending.CRASH)

    @property
    def unfinished(self) -> bool:
        """Whether nothing is known of what the answer would have returned."""
        return self in (Ending.TIME, Ending.CRASH)


SAID_INSIDE = (Ending.VALUE, Ending.ERROR, Ending.NOT_WRITTEN, Ending.MISSING, Ending.REJECTED)
"""What the inside of a sandbox may report; the rest is seen from outside."""


@dataclass(frozen=True)
class Outcome:
    """What came of calling an answer once.

    Attributes
    ----------
    ending : Ending
        A value; an error (it raised); not written (it raised NotImplementedError); missing (no such function); time (it
        did not finish); crash (its process ended); rejected (its result could not be read); fault (the judge failed).
    value : object
        What it returned, where it ended with a value.
    error_type, text : str
        The exception's class name, and what a person needs to know: of an error the last lines of its traceback.
    changed_inputs : tuple of int
        Positions of the arguments that the call wrote into.
    refused : bool
        Whether the exception was raised on purpose, by a raise or assert of the answer's own.
    """

    ending: Ending
    value: Any = None
    error_type: str = ""
    text: str = ""
    changed_inputs: tuple[int, ...] = ()
    refused: bool = False


class Runner(Protocol):
    """Calls answers by name."""

    def calls(self, answer: str, arguments: Sequence[tuple[Any, ...]]) -> Generator[Outcome, None, None]:
        """Call one answer on one tuple of arguments after the other, on fresh copies: an outcome each, in order.

        Calls may run ahead of the outcomes that are taken. Close the generator to leave out what is left.
        """
