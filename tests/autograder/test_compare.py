"""What is said about a value that is not the expected one; above all about several values at once."""

from __future__ import annotations

import numpy as np
import pytest

from autograder.errors import DeclarationError
from autograder.judging.compare import compare
from autograder.judging.exercise import Case, Exercise, Misconception, exercise
from autograder.judging.judge import judge
from autograder.judging.local import LocalRunner
from autograder.showing.picture import difference_picture

NAMES = ("grad_x", "grad_weight", "grad_bias")
PARTS = (np.ones((2, 3, 4)), np.arange(24.0).reshape(4, 6), np.array([1.0, -2.0]))


def off_by_one(*which):
    return tuple(part + (name in which) for name, part in zip(NAMES, PARTS, strict=True))


@pytest.mark.parametrize("wrong, said", [
    (("grad_weight",), "grad_weight: 24 of 24 entries differ; the first is at [0, 0]: got 1, expected 0. "
                       "(grad_x and grad_bias are right.)"),
    (("grad_x", "grad_weight"), "grad_x: 24 of 24 entries differ; the first is at [0, 0, 0]: got 2, expected 1. "
                                "(grad_bias is right, grad_weight differs too.)"),
    (NAMES, "grad_x: 24 of 24 entries differ; the first is at [0, 0, 0]: got 2, expected 1. "
            "(grad_weight and grad_bias differ too.)"),
])
def test_several_values_are_told_by_their_names_with_the_others_beside(wrong, said):
    assert compare(PARTS, off_by_one(*wrong), names=NAMES).text == said
    assert compare(PARTS, list(off_by_one(*wrong)), names=NAMES).part == wrong[0]


def test_without_names_they_are_counted():
    assert compare(PARTS, off_by_one("grad_weight")).text.startswith("Value 2 of 3: 24 of 24 entries differ")
    assert compare(((1, 2), (3, 4)), ((1, 2), (3, 5))).text == "Value 2 of 2: Value 2 of 2: Got 5, expected 4."


@pytest.mark.parametrize("given, said", [
    (PARTS[:1], "3 values are expected, (grad_x, grad_weight, grad_bias); got 1: (an array of shape (2, 3, 4),)."),
    (PARTS[0], "3 values are expected, (grad_x, grad_weight, grad_bias); got 2: an array of shape (2, 3, 4)."),
    (5, "3 values are expected, (grad_x, grad_weight, grad_bias); got a number."),
])
def test_a_wrong_number_of_values_is_told_with_the_names_of_the_right_ones(given, said):
    assert compare(PARTS, given, names=NAMES).text == said


def test_the_picture_says_which_value_it_shows():
    verdict = compare(PARTS, off_by_one("grad_weight"), names=NAMES)
    assert ">grad_weight; 24 of 24 entries differ" in difference_picture(verdict).svg


def declare(**members) -> Exercise:
    """A declared exercise."""
    def total_and_mean(x):
        return np.sum(x, axis=0), np.mean(x)

    body = type("Body", (), {
        "__doc__": "Sum of the rows, and mean.", "total_and_mean": total_and_mean, "hints": ("a", "b", "c"),
        "cases": lambda rng: [Case("rows", (rng.standard_normal((3, 2)),))],
        "misconceptions": (Misconception("no mean", "...", lambda x: (np.sum(x, axis=0), 0)),)} | members)
    return exercise("total_and_mean", notebook="none", points=1)(body)


@pytest.mark.parametrize("returns", [("total", "mean"), {"total_and_mean": ("total", "mean")}])
def test_an_exercise_declares_the_names(returns):
    declared = declare(returns=returns)
    result = judge(declared, LocalRunner({"total_and_mean": lambda x: (np.sum(x, axis=0), 99.0)}))
    assert "mean: Got 99, expected " in result.message
    assert "(total is right.)" in result.message


def test_right_values_in_another_order_are_recognized():
    declared = declare(returns=("total", "mean"))
    result = judge(declared, LocalRunner({"total_and_mean": lambda x: (np.mean(x), np.sum(x, axis=0))}))
    assert result.misconceptions == ("values in another order",)
    other = judge(declared, LocalRunner({"total_and_mean": lambda x: (np.mean(x), 2 * np.sum(x, axis=0))}))
    assert other.misconceptions == ()


@pytest.mark.parametrize("returns, said", [
    ({"total": ("total", "mean")}, "returns for ['total'], which are not among ('total_and_mean',)"),
    ("total", "returns takes a tuple of names"),
])
def test_names_that_cannot_be_right_are_refused(returns, said):
    with pytest.raises(DeclarationError) as error:
        declare(returns=returns)
    assert said in str(error.value)
