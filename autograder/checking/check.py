"""What a student calls in a notebook: check an answer, ask for a hint, look at what one's own code does."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from autograder.checking import ran
from autograder.checking.answers import by_name
from autograder.checking.cautions import cautions, stale
from autograder.checking.own_file import saved_cells
from autograder.checking.progress import next_hint_level, record
from autograder.errors import AutograderError
from autograder.exercises.contents import find
from autograder.judging.exercise import HINT_LEVELS, Case
from autograder.judging.judge import judge
from autograder.judging.local import LocalRunner
from autograder.judging.result import Result, plain
from cnncourse.language import say

SIGN_OF_LIFE_SECONDS = 1.0
VALIDATING = "NBGRADER_VALIDATING"


class CheckReport:
    """A result that displays itself: rich in a notebook, plain elsewhere.

    Parameters
    ----------
    result : Result
    cautions : sequence of str, optional
        What to say beside it.
    """

    def __init__(self, result: Result, cautions: Sequence[str] = ()) -> None:
        self.result = result
        self.cautions = cautions

    def __repr__(self) -> str:
        return "\n".join([plain(self.result), *(f"! {caution}" for caution in self.cautions)])

    def _repr_html_(self) -> str:
        from autograder.showing.html import notebook_html

        return notebook_html(self.result, self.cautions)


def check(exercise_name: str, *functions: Callable[..., Any]) -> None:
    """Check your answer and show what was found; returns nothing. Under nbgrader's Validate, failure raises.

    Parameters
    ----------
    exercise_name : str
        One of `autograder.exercises()`.
    *functions : callable
        Your functions, in the exercise's order, by name and without calling them: check("zero_pad", zero_pad).
    """
    running: list[Case] = []
    began = time.monotonic()
    status = Status()

    def announce(case: Case) -> None:
        running[:] = [case]
        if time.monotonic() - began > SIGN_OF_LIFE_SECONDS:
            status.show(say("{exercise}: running the case {case} ...", exercise=exercise_name,
                            case=say(case.name)))

    try:
        exercise = find(exercise_name)
        answers = by_name(exercise, functions)
        if problem := stale(answers):
            _show(problem)
            return
        result = judge(exercise, LocalRunner(answers), announce=announce)
        said = [] if result.not_written else cautions(answers, saved_cells)
    except AutograderError as error:
        _show(say("This check could not run. {problem}", problem=error))
        return
    except KeyboardInterrupt:
        _show(say("{exercise}: interrupted during the case {case}. Does a loop there ever end?",
                  exercise=exercise_name, case=say(running[0].name)) if running else
              say("{exercise}: interrupted.", exercise=exercise_name))
        return
    finally:
        status.clear()
    record(result)
    report = CheckReport(result, said)
    display_or_print(report)
    # nbgrader's Validate looks for cells that raise; what grading does not have would fail there.
    if os.environ.get(VALIDATING) == "1" and (said or not result.passed):
        raise AssertionError(repr(report))


def hint(exercise_name: str) -> None:
    """Show a hint; each call shows one more, three in all.

    Parameters
    ----------
    exercise_name : str
        One of `autograder.exercises()`.
    """
    try:
        exercise = find(exercise_name)
    except AutograderError as error:
        _show(str(error))
        return
    level = next_hint_level(exercise.name)
    lines = [say("Hint {number} of {count}: {text}", number=number + 1, count=HINT_LEVELS, text=say(text))
             for number, text in enumerate(exercise.hints[:level])]
    if level == HINT_LEVELS:
        lines.append(say("That was the last one."))
    _show("\n".join(lines))


def preview(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call something that uses your answers, and stay friendly if they are not written yet.

    Parameters
    ----------
    function : callable
    *args, **kwargs
        Passed on to it.

    Returns
    -------
    object
        What the function returns; None if an answer is not written yet or raises.
    """
    try:
        return function(*args, **kwargs)
    except NotImplementedError as error:
        frames = traceback.extract_tb(error.__traceback__)
        _show(say("Not yet written: {name}. Once it is, run this cell again.", name=frames[-1].name))
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        last = next((frame for frame in reversed(frames) if "site-packages" not in frame.filename), frames[-1])
        _show(say("{name} raised {type}: {error}\n  line {number}: {line}", name=last.name,
                  type=type(error).__name__, error=error, number=last.lineno, line=last.line))
    return None


class Status:
    """One line that is replaced by the next, and gone in the end."""

    def __init__(self) -> None:
        self.handle: Any = None

    def show(self, text: str) -> None:
        if not _in_kernel():
            return
        from IPython.display import Pretty, display

        if self.handle is None:
            self.handle = display(Pretty(text), display_id=True)
        else:
            self.handle.update(Pretty(text))

    def clear(self) -> None:
        if self.handle is not None:
            from IPython.display import Pretty

            self.handle.update(Pretty(""))


def _in_kernel() -> bool:
    """Whether somebody looks at this in a notebook."""
    return hasattr(ran.shell(), "kernel")


def display_or_print(report: Any) -> None:
    """Show a report, rich in a notebook and plain elsewhere."""
    if _in_kernel():
        from IPython.display import display

        display(report)
    else:
        print(report)


def _show(text: str) -> None:
    print(text)
