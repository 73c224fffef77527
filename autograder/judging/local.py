"""Where an answer is called: here, in the reader's own process, or elsewhere (see `autograder.sandbox`)."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

import numpy as np

from autograder.sandbox import wire
from autograder.sandbox.outcome import Outcome
from cnncourse.language import say


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
            return Outcome("missing", text=say("There is no function called {name}.", name=answer))
        fresh = wire.copy(arguments)
        before = wire.snapshots(fresh)
        try:
            with np.errstate(all="ignore"):
                value = wire.copy(function(*fresh))
        except NotImplementedError:
            return Outcome("not written")
        except wire.MalformedError as error:
            return Outcome("rejected", text=str(error))
        except (Exception, SystemExit) as error:
            return Outcome("error", error_type=type(error).__name__, text=_explain(error), refused=_on_purpose(error))
        return Outcome("value", value, changed_inputs=tuple(wire.changed(before, fresh)))


def _on_purpose(error: BaseException) -> bool:
    """Whether the answer itself raised; an array operation that fails by accident raises a ValueError too."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename != __file__]
    if not frames or frames[-1].filename != frames[0].filename:
        return False
    line = frames[-1].line or ""
    return bool(wire.RAISES.search(line)) if line else "broadcast" not in str(error)


def _explain(error: BaseException) -> str:
    """Class, message, and the student's own line, without our frames."""
    text = "".join(traceback.format_exception_only(error)).strip()
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename != __file__]
    own = [f for f in frames if f.filename == frames[0].filename]
    if own and own[-1].line:
        text += say("  (line {number}: {line})", number=own[-1].lineno, line=own[-1].line)
    return text
