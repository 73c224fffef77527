"""Functions of any form, judged in this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autograder.errors import AutograderError
from autograder.exercises.contents import find
from autograder.judging.exercise import Exercise
from autograder.judging.judge import judge
from autograder.judging.local import LocalRunner
from autograder.judging.result import Result


def grade_answers(
    exercise_name: str, functions: Callable[..., Any] | Sequence[Callable[..., Any]] | Mapping[str, Callable[..., Any]],
    seed: int = 0,
) -> Result:
    """Judge functions in this process, without a notebook.

    Parameters
    ----------
    exercise_name : str
        One of `autograder.exercises()`.
    functions : callable, sequence of callables, or mapping of names to callables
        The answers, in the exercise's order where they have no names.
    seed : int, optional
        From which the inputs are drawn; the same seed gives the same inputs.

    Returns
    -------
    Result
        With `.passed`, `.score` (0 to 1), `.misconceptions` (names, the likeliest first) and `.message`.

    Raises
    ------
    UnknownExerciseError
        If there is no such exercise.
    AutograderError
        If the number or the names of the functions are not the exercise's.
    """
    exercise = find(exercise_name)
    return judge(exercise, LocalRunner(by_name(exercise, functions)), seed)


def by_name(exercise: Exercise, functions: Any) -> Mapping[str, Callable[..., Any]]:
    """Functions in any form that `grade_answers` takes, by the names of the exercise's answers."""
    takes = f"{exercise.name} takes {len(exercise.answers)} function(s): {', '.join(exercise.answers)}"
    if isinstance(functions, Mapping):
        if unknown := set(functions) - set(exercise.answers):
            raise AutograderError(f"{takes}; {', '.join(sorted(map(str, unknown)))} is not among them")
        return functions
    functions = (functions,) if callable(functions) else tuple(functions)
    if len(functions) != len(exercise.answers):
        raise AutograderError(f"{takes}; {len(functions)} given")
    for function in functions:
        if not callable(function):
            raise AutograderError(f"{takes}; {function!r} is not a function: pass it by name, without calling it")
    return dict(zip(exercise.answers, functions, strict=True))
