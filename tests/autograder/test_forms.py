"""Wrong forms of mistakes: what they are edits of is right, and they fail as the mistake does, not by accident."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from dataclasses import replace

import pytest

from autograder.errors import DeclarationError
from autograder.exercises.contents import every, find
from autograder.exercises.making import in_answer
from autograder.judging.exercise import Case, Misconception, exercise
from autograder.judging.judge import judge
from autograder.judging.local import LocalRunner

MEANT = {"ValueError", "GeometryError", "IndexError", "ZeroDivisionError"}
"""What sizes that do not fit raise; a name that is missing or a wrong number of arguments is an accident."""

ALL = list(every())


def edited_functions():
    """Functions of modules that wrong forms are edits of."""
    package = importlib.import_module("autograder.exercises")
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        module = importlib.import_module(found.name)
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Written.of":
                function = getattr(module, ast.unparse(node.args[0]))
                where = found.name.removeprefix(f"{package.__name__}.")
                yield pytest.param(function, id=f"{where}.{function.__name__}")


@pytest.mark.parametrize("function", list(edited_functions()))
def test_what_wrong_forms_are_edits_of_answers_an_exercise_of_its_module_rightly(function):
    def right(known, answer):
        return all(judge(known, LocalRunner(known.references | {answer: function}), seed).passed for seed in range(3))

    assert [answer for known in ALL for answer, reference in known.references.items()
            if reference.__module__ == function.__module__ and right(known, answer)]


def accidents(known):
    """Errors that no mistake is about: the mistake, the case and what was raised."""
    found = []
    for mistake in known.misconceptions:
        for form in mistake.forms:
            runner = LocalRunner({mistake.answer: form})
            for case in known.cases():
                if case.answer == mistake.answer:
                    outcome = runner.call(case.answer, case.arguments)
                    if outcome.ending != "value" and outcome.error_type not in MEANT:
                        found.append((mistake.name, case.name, outcome.ending, outcome.text))
    return found


@pytest.mark.parametrize("known", ALL, ids=lambda e: f"{e.notebook}/{e.name}")
def test_no_form_of_a_mistake_raises_by_accident(known):
    assert accidents(known) == []


@pytest.mark.parametrize("raising", [lambda *given: undefined, lambda: 0], ids=["a name", "arguments"])  # noqa: F821
def test_a_form_that_raises_by_accident_is_found(raising):
    known = find("zero_pad")
    mistake = replace(known.misconceptions[0], wrong=raising)
    assert accidents(replace(known, misconceptions=(mistake,)))


def test_mistakes_of_another_answer_are_told_by_it():
    one, other = (Misconception("one too many", "Count again.", wrong) for wrong in (sum, len))
    assert in_answer("second", one, other) == (replace(one, answer="second"), replace(other, answer="second"))


def test_an_answer_has_one_mistake_of_a_name():
    class Two:
        """Two functions."""

        def first(x):
            return x

        second = first

        def cases(rng):
            yield Case("one", (1,))

        misconceptions = (Misconception("one too many", "Count again.", lambda x: x + 1),
                          Misconception("one too many", "Count once more.", lambda x: x + 2))
        hints = ("Look.", "Look closely.", "Return it.")

    with pytest.raises(DeclarationError, match="two misconceptions of one answer share a name"):
        exercise("two_functions", notebook="01-local-connectivity", points=1, answers=("first", "second"))(Two)
