"""Two mistakes in different values of one answer: neither explains the whole, each explains its value."""

import numpy as np

from autograder import grade_answers
from cnncourse import functional as F


def with_changes(**changes):
    """conv2d_backward with some of its three values changed."""
    def backward(grad_out, x, weight, stride, padding):
        names = ("grad_x", "grad_weight", "grad_bias")
        values = F.conv2d_backward(grad_out, x, weight, stride=stride, padding=padding)
        return tuple(changes.get(name, lambda value, n: value)(value, len(x))
                     for name, value in zip(names, values, strict=True))
    return backward


def test_each_of_two_mistakes_is_named_as_likely():
    wrong = with_changes(grad_weight=lambda w, n: w[:, :, ::-1, ::-1], grad_bias=lambda b, n: b / n)
    result = grade_answers("conv2d_backward", wrong)
    assert result.misconceptions == ("gradient of the weights flipped", "gradient of the bias averaged")
    assert all(0 < diagnosis.certainty < 1 for diagnosis in result.diagnoses)


def test_a_known_mistake_beside_a_strange_one_is_named_alone():
    wrong = with_changes(grad_weight=lambda w, n: 1.37 * w + 0.2, grad_bias=lambda b, n: b / n)
    assert grade_answers("conv2d_backward", wrong).misconceptions == ("gradient of the bias averaged",)


def test_one_mistake_in_all_values_is_still_one():
    wrong = with_changes(**dict.fromkeys(("grad_x", "grad_weight", "grad_bias"), lambda g, n: g / n))
    (found,) = grade_answers("conv2d_backward", wrong).diagnoses
    assert (found.name, found.certainty) == ("all gradients averaged", 1)


def test_values_of_another_number_or_kind_explain_nothing():
    for wrong in (lambda *_: np.ones(3), lambda *_: (1, 2), lambda *_: 1 / 0):
        assert grade_answers("conv2d_backward", wrong).misconceptions == ()
