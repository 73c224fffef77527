"""Answers written as text: right as they stand, wrong by the edits that are asked for and by no others."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re

import pytest

from autograder.errors import DeclarationError
from autograder.exercises.contents import every
from autograder.exercises.written import Written, edited
from autograder.judging.judge import judge
from autograder.judging.local import LocalRunner

EXERCISE_OF = {answer: exercise for exercise in every() for answer in exercise.answers}
TOTAL = Written("""
    def total(x, scale):
        out = 0
        for one in x:
            out += scale * one
        return out
    """)


def texts():
    """All texts that modules of exercises write down as they are: where, and what."""
    package = importlib.import_module("autograder.exercises")
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        module = importlib.import_module(found.name)
        for node in ast.parse(inspect.getsource(module)).body:
            if (isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
                    and isinstance(node.value.func, ast.Name) and node.value.func.id == "Written"):
                name = node.targets[0].id
                where = found.name.removeprefix(f"{package.__name__}.")
                yield pytest.param(getattr(module, name), id=f"{where}.{name}")


@pytest.mark.parametrize("written", list(texts()))
def test_what_wrong_answers_are_edits_of_is_right(written):
    answer = re.search(r"def (\w+)", written.text)[1]
    exercise = EXERCISE_OF[answer]
    for seed in range(3):
        result = judge(exercise, LocalRunner(exercise.references | {answer: written}), seed)
        assert result.passed, result.message


def test_an_answer_is_changed_in_the_piece_before_and_after_it_and_in_what_it_returns():
    assert TOTAL([1, 2, 3], 2) == 12
    assert TOTAL.edited({"+=": "="})([1, 2, 3], 2) == 6
    assert TOTAL.given("scale = 1")([1, 2, 3], 2) == 6
    assert TOTAL.ending("out /= len(x)")([1, 2, 3], 2) == 4
    assert TOTAL.returning("-out")([1, 2, 3], 2) == -12
    assert TOTAL.given("scale = 1").ending("out += 1").returning("(out, scale)")([1, 2, 3], 2) == (7, 1)
    assert TOTAL([1, 2, 3], 2) == 12


def test_an_answer_is_a_function_of_a_module_too_and_knows_what_its_module_knows():
    assert Written.of(_smallest)([2, 1]) == 1
    assert Written.of(_smallest).edited({"LARGEST": "0"})([2, 1]) == 0


LARGEST = 99


def _smallest(x):
    return min(*x, LARGEST)


@pytest.mark.parametrize("piece", ["out", "in", "product"])
def test_a_piece_that_does_not_occur_exactly_once_is_refused_where_the_mistake_is_declared(piece):
    with pytest.raises(DeclarationError, match=f"'{piece}' occurs"):
        edited("out += in_ + in_ + out", {piece: "x"})


def test_edits_are_made_one_after_the_other():
    assert edited("a = b", {"a": "c", "c = b": "done"}) == "done"
