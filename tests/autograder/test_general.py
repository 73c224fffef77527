"""Mistakes of any exercise are recognized from what comes back, and only where every failing case shows them."""

from __future__ import annotations

import numpy as np
import pytest

from autograder import grade_answers
from autograder.judging.general import GENERAL
from tests.answers import RIGHT

(right_conv,) = RIGHT["conv2d_forward"][1]
(right_pad,) = RIGHT["zero_pad"][0]


def conv_then(change):
    return lambda *arguments: change(right_conv(*arguments))


def with_last_row_zero(out):
    out[:, :, -1] = 0
    return out


def reserved(x, padding):
    n, c, h, w = x.shape
    out = np.full((n, c, h + 2 * padding, w + 2 * padding), np.nan)
    out[:, :, padding:padding + h, padding:padding + w] = x
    return out


SHOWN = [
    ("nothing returned", "zero_pad", lambda x, padding: None),
    ("array not filled", "zero_pad", reserved),
    ("negative values cut off", "conv1x1", lambda x, w, b: np.maximum(RIGHT["conv1x1"][0][0](x, w, b), 0)),
    ("only zeros", "conv2d_forward", conv_then(np.zeros_like)),
    ("a fraction where a whole number belongs", "conv2d_forward",
     lambda x, w, b, s, p: np.zeros((x.shape[0], w.shape[0], (x.shape[2] + 2 * p - w.shape[2]) / s + 1, 1))),
    ("a fraction where a whole number belongs", "zero_pad", lambda x, p: x[:, :, : x.shape[2] / 2]),
    ("a fraction where a whole number belongs", "zero_pad", lambda x, p: [x[:, :, i / 2] for i in range(len(x))]),
    ("a fraction where a whole number belongs", "settings_that_fit",
     lambda size, kernels, strides, paddings: sum(range(size / 1))),
    ("entries left at zero", "conv2d_forward", conv_then(with_last_row_zero)),
    ("fractions cut off", "conv2d_forward", conv_then(lambda out: out.astype(int))),
    ("rounded", "conv2d_forward", conv_then(lambda out: np.round(out, 2))),
    ("wrong sign", "conv2d_forward", conv_then(np.negative)),
    ("off by a constant factor", "conv2d_forward", conv_then(lambda out: out / out.shape[1] / 7)),
    ("off by a constant", "conv2d_forward", conv_then(lambda out: out + 1)),
    ("shapes that do not go together", "conv1x1", lambda x, w, b: w[:, :, None] * x[0, 0, 0, 0] + np.ones((7, 2, 2))),
    ("index beyond the end", "conv1x1", lambda x, w, b: x[:, x.shape[1]]),
    ("right values in another shape", "conv2d_forward", conv_then(np.ravel)),
    ("axes swapped", "conv2d_forward", conv_then(lambda out: out.transpose(2, 3, 0, 1))),
]


def test_each_has_an_example_here_or_among_the_comparisons():
    assert {mistake.name for mistake in GENERAL} - {name for name, *_ in SHOWN} == {"values in another order"}


@pytest.mark.parametrize("name, exercise, answer", SHOWN, ids=[name for name, *_ in SHOWN])
def test_what_comes_back_tells_the_mistake(name, exercise, answer):
    for seed in range(3):
        result = grade_answers(exercise, answer, seed)
        assert result.misconceptions == (name,)
        assert name in result.message


@pytest.mark.parametrize("name, exercise, answer", SHOWN, ids=[name for name, *_ in SHOWN])
def test_one_failing_case_that_does_not_show_it_speaks_against_it(name, exercise, answer):
    calls = []

    def at_times(*arguments):
        calls.append(arguments)
        return np.full((2, 3), 0.5) if len(calls) == 2 else answer(*arguments)

    result = grade_answers(exercise, at_times)
    assert not [d for d in result.diagnoses if d.name == name and d.certainty == 1]
    assert name not in result.misconceptions or result.cases[0].outcome.ending == "error"
