"""Steps of optimizers: against plain loops, in place, and the words for what they cannot take."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnncourse import functional as F
from cnncourse.errors import ArgumentError, ArrayTypeError, CNNCourseError, ShapeError
from tests import naive_layers as naive
from tests.cnncourse.randomly import DTYPES, assert_near, many

rates, kept, decays = st.floats(0, 2), st.floats(0, 0.999), st.sampled_from((0.0, 0.01, 0.5))
COMMON = {"learning_rate": rates, "weight_decay": decays}
STEPS = {
    "sgd": (F.sgd_step, naive.sgd, 0, COMMON),
    "momentum": (F.momentum_step, naive.momentum, 1, {**COMMON, "momentum": kept, "nesterov": st.booleans()}),
    "rmsprop": (F.rmsprop_step, naive.rmsprop, 1, {**COMMON, "alpha": kept, "eps": st.floats(0.01, 1)}),
    "adam": (F.adam_step, naive.adam, 2, {**COMMON, "betas": st.tuples(kept, kept), "eps": st.floats(0.01, 1),
                                          "number": st.integers(1, 1000)}),
}
shapes = st.sampled_from(((), (1,), (7,), (0, 3), (2, 3, 1, 5), (9, 4)))


@pytest.mark.parametrize("name", STEPS)
@many
@given(data=st.data())
def test_a_step_is_what_plain_loops_do_and_is_done_in_place(name, data):
    operation, rule, count, choices = STEPS[name]
    settings = {setting: data.draw(choice, setting) for setting, choice in choices.items()}
    shape, dtype = data.draw(shapes), data.draw(st.sampled_from(DTYPES))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    parameter, first, second = (np.asarray(rng.standard_normal(shape), dtype) for _ in range(3))
    state = [first, second][:count]
    if name in ("rmsprop", "adam"):
        np.abs(state[-1], out=state[-1])  # of squares
    gradient = np.asarray(rng.standard_normal(shape), dtype)
    if shape and data.draw(st.booleans(), "strided"):
        gradient = np.asfortranarray(gradient)
    gradient.flags.writeable = data.draw(st.booleans(), "writeable")
    before = gradient.copy()
    expected, later = naive.step(rule, parameter, gradient, state, settings)
    assert operation(parameter, gradient, *state, **settings) is None
    assert_near(parameter, expected)
    for found, wanted in zip(state, later, strict=True):
        assert_near(found, wanted)
    np.testing.assert_array_equal(gradient, before)


def zeros(*shape, dtype=np.float32):
    return np.zeros(shape, dtype)


REFUSALS = [
    (lambda: F.sgd_step(zeros(2), zeros(3), 0.1), ShapeError, "parameter has shape (2,) and gradient (3,)"),
    (lambda: F.sgd_step(zeros(2), zeros(2, dtype=float), 0.1), ArrayTypeError,
     "parameter is float32 and gradient float64"),
    (lambda: F.sgd_step(zeros(2, dtype=int), zeros(2), 0.1), ArrayTypeError, "parameter is int64"),
    (lambda: F.sgd_step([0.0], zeros(1), 0.1), ArrayTypeError, "parameter has to be an array, a list was given"),
    (lambda: F.sgd_step(zeros(1), [0.0], 0.1), ArrayTypeError, "gradient has to be an array of float32 or float64"),
    (lambda: F.sgd_step(zeros(4)[::2], zeros(2), 0.1), ArgumentError, "parameter cannot be changed in place"),
    (lambda: F.sgd_step(zeros(2), zeros(2), -0.1), ArgumentError, "learning_rate has to be at least 0, -0.1"),
    (lambda: F.sgd_step(zeros(2), zeros(2), 0.1, weight_decay="a"), ArgumentError, "weight_decay has to be a number"),
    (lambda: F.momentum_step(zeros(2), zeros(2), zeros(4)[::2], 0.1), ArgumentError, "velocity cannot be changed in"),
    (lambda: F.momentum_step(zeros(2), zeros(2), zeros(2), 0.1, 1.0), ArgumentError, "momentum .* below 1, 1.0 was"),
    (lambda: F.rmsprop_step(zeros(2), zeros(2), zeros(1), 0.1), ShapeError, "squares has shape (1,) and gradient (2,)"),
    (lambda: F.rmsprop_step(zeros(2), zeros(2), zeros(2), 0.1, eps=np.nan), ArgumentError, "eps has to be at least 0"),
    (lambda: F.adam_step(zeros(2), zeros(2), zeros(2), zeros(2), 0, 0.1), ArgumentError,
     "number has to be a whole number of at least 1, 0 was given"),
    (lambda: F.adam_step(zeros(2), zeros(2), zeros(2), zeros(2), 1, 0.1, 0.9), ArgumentError, "betas has to be two"),
]


@pytest.mark.parametrize(("call", "kind", "words"), REFUSALS)
def test_a_refusal_names_the_argument_and_the_rule(call, kind, words):
    with pytest.raises(CNNCourseError) as refusal:
        call()
    assert type(refusal.value) is kind
    for part in words.split(" .* "):
        assert part in str(refusal.value)


def test_a_refused_step_changes_nothing():
    parameter, velocity = zeros(2), zeros(2)
    with pytest.raises(ShapeError):
        F.adam_step(parameter, np.ones(2, np.float32), velocity, zeros(3), 1, 0.1)
    assert not parameter.any() and not velocity.any()
