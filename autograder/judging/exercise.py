"""What an exercise is: declared once, used by the check, the grader, the tests and the book.

An exercise is a class with the decorator `exercise`; the class is only a way to write the declaration down,
what comes out is a frozen `Exercise`::

    @exercise("relu", notebook="03-pooling", points=1)
    class Relu:
        \"\"\"Keep what is positive, replace the rest by zero.\"\"\"

        def relu(x):
            return functional.relu(x)

        def cases(rng):
            yield Case("mixed signs", (rng.standard_normal((2, 3)),))

        misconceptions = (
            Misconception("absolute value", "A negative input has to become 0 ...", np.abs),
        )
        hints = ("Which entries change?", "np.maximum compares entry by entry.", "Compare with 0.")
"""

from __future__ import annotations

import inspect
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from autograder.errors import DeclarationError
from autograder.sandbox.wire import Formula as Formula
from autograder.sandbox.wire import Listed

HINT_LEVELS = 3
@dataclass(frozen=True)
class Case:
    """One call of one answer.

    Parameters
    ----------
    name : str
        What is special about the inputs, in words that a student reads: "taller than wide, stride 2".
    arguments : tuple
        Positional arguments: arrays, numbers, strings, a `Formula`, or tuples of these. The layout of an array in
        memory (C, Fortran, strided) reaches the answer as it is here.
    answer : str
        Which of the exercise's answers is called; empty means the first.
    may_raise : bool
        True where the settings do not fit, so that an answer may refuse them, with a ValueError or an AssertionError
        of its own, instead of returning the reference's value.
    """

    name: str
    arguments: tuple[Any, ...]
    answer: str = ""
    may_raise: bool = False


@dataclass(frozen=True)
class Misconception:
    """A mistake that students really make, as words and as code.

    Parameters
    ----------
    name : str
        Two to six words: "flipped kernel".
    explanation : str
        Which rule of the text the answer contradicts and what to look at; never the answer itself.
    wrong : callable
        An implementation that makes just this mistake; same arguments as the answer.
    answer : str
        The answer that it replaces; empty means the first.
    also : tuple of callable
        Other implementations that show the same mistake with other values.
    detail : str
        What is particular to this exercise, where the explanation is one that others share; shown after it.
    """

    name: str
    explanation: str
    wrong: Callable[..., Any]
    answer: str = ""
    also: tuple[Callable[..., Any], ...] = ()
    detail: str = ""

    @property
    def forms(self) -> tuple[Callable[..., Any], ...]:
        """All implementations of the mistake."""
        return (self.wrong, *self.also)


@dataclass(frozen=True, eq=False)
class Exercise:
    """One exercise with everything that is known about it.

    Attributes
    ----------
    name, notebook, points, title, statement
        Identity; `statement` is the docstring of the declaration, `title` its first line.
    answers : tuple of str
        Names of the functions that a student writes, in the order in which `check` takes them.
    references : dict of str to callable
        The right implementation of each answer.
    misconceptions : tuple of Misconception
    hints : tuple of str
        Three levels, from a nudge to nearly the solution.
    tolerance : float
        Largest accepted error relative to the largest expected value, for float64 inputs.
    alternatives : dict of str to callable
        Where more than one value is right: a function of what an answer gave and the case's arguments that returns
        the right value nearest to it.
    returns : dict of str to tuple of str
        What the values are called that an answer returns together: {"conv2d_backward": ("grad_x", "grad_weight")}.
        In a declaration the names alone, without a dict, hold for every answer.
    lists : tuple of str
        Arguments that the text calls lists: an answer is given lists there, although the cases have tuples.
    module : str
        Where it is declared.
    """

    name: str
    notebook: str
    points: float
    statement: str
    answers: tuple[str, ...]
    references: dict[str, Callable[..., Any]]
    generate: Callable[[np.random.Generator], Iterable[Case]]
    misconceptions: tuple[Misconception, ...]
    hints: tuple[str, ...]
    tolerance: float = 1e-7
    alternatives: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    returns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lists: tuple[str, ...] = ()
    module: str = ""

    @property
    def title(self) -> str:
        """First line of the statement."""
        return self.statement.splitlines()[0]

    def cases(self, seed: int = 0) -> tuple[Case, ...]:
        """All cases for one seed, with `answer` filled in; the same seed gives the same inputs."""
        rng = np.random.default_rng([seed, zlib.crc32(self.name.encode())])
        return tuple(
            Case(case.name, case.arguments, case.answer or self.answers[0], case.may_raise)
            for case in self.generate(rng)
        )

    def handed(self, case: Case) -> tuple[Any, ...]:
        """The arguments of a case as an answer is given them."""
        if not self.lists:
            return case.arguments
        names = self.parameter_names(case.answer or self.answers[0])
        return tuple(Listed(value) if name in self.lists and isinstance(value, tuple) else value
                     for name, value in zip(names, case.arguments, strict=True))

    def parameter_names(self, answer: str) -> tuple[str, ...]:
        """Names of an answer's arguments, as the reference calls them."""
        return tuple(inspect.signature(self.references[answer]).parameters)


def exercise(
    name: str,
    *,
    notebook: str,
    points: float,
    answers: tuple[str, ...] = (),
    tolerance: float = 1e-7,
) -> Callable[[type], Exercise]:
    """Declare an exercise from a class; see the module's example.

    Parameters
    ----------
    name : str
        The name that `check` and the gradebook use.
    notebook : str
        The assignment that it belongs to.
    points : float
        What it is worth; the check cell's points must agree.
    answers : tuple of str, optional
        The functions that a student writes; by default one, called as the exercise.
    tolerance : float, optional
        See `Exercise`.

    Raises
    ------
    DeclarationError
        If a part is missing, or a misconception replaces an answer that is not there.
    """

    def declare(body: type) -> Exercise:
        declared = Exercise(
            name=name,
            notebook=notebook,
            points=points,
            statement=inspect.cleandoc(body.__doc__ or ""),
            answers=answers or (name,),
            references={answer: _member(body, name, answer) for answer in answers or (name,)},
            generate=_member(body, name, "cases"),
            misconceptions=tuple(
                replace(m, answer=m.answer or (answers or (name,))[0])
                for m in _member(body, name, "misconceptions")
            ),
            hints=tuple(_member(body, name, "hints")),
            tolerance=tolerance,
            alternatives=dict(vars(body).get("alternatives", {})),
            returns=_names_of_values(vars(body).get("returns", {}), answers or (name,)),
            lists=tuple(vars(body).get("lists", ())),
            module=body.__module__,
        )
        _validate(declared)
        return declared

    return declare


def _names_of_values(
    declared: tuple[str, ...] | Mapping[str, tuple[str, ...]], answers: tuple[str, ...]
) -> dict[str, tuple[str, ...]]:
    return dict(declared) if isinstance(declared, Mapping) else dict.fromkeys(answers, declared)


def _member(body: type, name: str, member: str) -> Any:
    if member not in vars(body):
        raise DeclarationError(f"exercise {name!r}: the declaration has no {member!r}")
    return vars(body)[member]


def _validate(declared: Exercise) -> None:
    where = f"exercise {declared.name!r}"
    if not declared.statement:
        raise DeclarationError(f"{where}: the class needs a docstring, it is the statement")
    if len(declared.hints) != HINT_LEVELS:
        raise DeclarationError(f"{where}: {HINT_LEVELS} hints expected, {len(declared.hints)} given")
    for misconception in declared.misconceptions:
        if misconception.answer not in declared.answers:
            raise DeclarationError(f"{where}: {misconception.name!r} replaces {misconception.answer!r}, "
                                   f"which is not among {declared.answers}")
    for what, answers in (("alternatives", declared.alternatives), ("returns", declared.returns)):
        if unknown := set(answers) - set(declared.answers):
            raise DeclarationError(f"{where}: {what} for {sorted(unknown)}, which are not among {declared.answers}")
    known = {parameter for answer in declared.answers for parameter in declared.parameter_names(answer)}
    if unknown := set(declared.lists) - known:
        raise DeclarationError(f"{where}: lists names {sorted(unknown)}, which no answer takes")
    if any(isinstance(values, str) for values in declared.returns.values()):
        raise DeclarationError(f"{where}: returns takes a tuple of names, ('grad_x', 'grad_weight')")
    names = [(misconception.answer, misconception.name) for misconception in declared.misconceptions]
    if len(set(names)) != len(names):
        raise DeclarationError(f"{where}: two misconceptions of one answer share a name")


