"""Where an answer is called: here, in the reader's own process, or elsewhere (see `autograder.sandbox`)."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autograder.sandbox import wire
from autograder.sandbox.outcome import Ending, Outcome
from cnncourse import config
from cnncourse.language import say

INSTALLED = (*{sysconfig.get_path(kind) for kind in ("stdlib", "platstdlib", "purelib", "platlib")},
             str(Path(config.__file__).parent))
"""Where code lies that is nobody's answer."""
DECLARED = str(Path(__file__).parents[1] / "exercises")
"""Wrong answers of the declarations are called as students' are."""


class LocalRunner:
    """Calls functions in this process: for a student's own check, where nothing has to be isolated.

    Parameters
    ----------
    functions : mapping of str to callable
        The answers by name.
    """

    def __init__(self, functions: Mapping[str, Callable[..., Any]]) -> None:
        self.functions = functions

    def calls(self, answer: str, arguments: Sequence[tuple[Any, ...]]) -> Generator[Outcome, None, None]:
        """Call one answer on one tuple of arguments after the other, each when its outcome is taken."""
        for given in arguments:
            yield self.call(answer, given)

    def call(self, answer: str, arguments: tuple[Any, ...]) -> Outcome:
        """Call one answer; whatever it raises becomes an outcome, except a keyboard interrupt."""
        function = self.functions.get(answer)
        if function is None:
            return Outcome(Ending.MISSING, text=say("There is no function called {name}.", name=answer))
        fresh = wire.copy(arguments)
        before = wire.snapshots(fresh)
        try:
            with np.errstate(all="ignore"):
                value = wire.copy(function(*fresh))
        except NotImplementedError:
            return Outcome(Ending.NOT_WRITTEN)
        except wire.MalformedError as error:
            return Outcome(Ending.REJECTED, text=str(error))
        except (Exception, SystemExit) as error:
            return Outcome(Ending.ERROR, error_type=type(error).__name__, text=_explain(error),
                           refused=wire.raised_by_hand(error, _is_own))
        return Outcome(Ending.VALUE, value, changed_inputs=tuple(wire.changed(before)))


def _is_own(filename: str) -> bool:
    """Whether code belongs to an answer: a cell or a file that is not installed."""
    return filename.startswith(DECLARED) or not filename.startswith(INSTALLED)


def _explain(error: BaseException) -> str:
    """Class, message, and the last line of the student's own that was reached."""
    text = "".join(traceback.format_exception_only(error)).strip()
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_own(frame.filename)]
    if own and own[-1].line:
        text += say("  (line {number}: {line})", number=own[-1].lineno, line=own[-1].line)
    return text
