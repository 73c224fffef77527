"""The gradient check: right ones pass, each kind of wrong one fails and is found, kinks are neither."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from cnncourse import functional as F
from cnncourse.errors import ArgumentError, ArrayTypeError, ShapeError
from cnncourse.training import check_gradient, numerical_gradient
from tests.cnncourse.randomly import convolutions, many


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


@many
@given(convolutions(dtypes=(np.float64,), smallest_batch=1))
def test_the_gradients_of_convolution_pass(case):
    x, weight, bias = case.x, case.weight, case.bias
    backward = [lambda g, x: F.conv2d_backward(g, x, weight, **case.given)[0],
                lambda g, w: F.conv2d_backward(g, x, w, **case.given)[1],
                lambda g, b: F.conv2d_backward(g, x, weight, **case.given)[2]]
    forward = [lambda x: F.conv2d(x, weight, bias, **case.given), lambda w: F.conv2d(x, w, bias, **case.given),
               lambda b: F.conv2d(x, weight, b, **case.given)]
    for function, gradient, at in zip(forward, backward, (x, weight, bias), strict=True):
        found = check_gradient(function, gradient, at, samples=10)
        assert found.passed, str(found)
        assert found.kinks == 0


def test_central_differences_are_exact_for_parabolas():
    x = normal(3, 4)
    np.testing.assert_allclose(numerical_gradient(lambda x: np.sum(3 * x ** 2), x), 6 * x, rtol=1e-9)


def test_upstream_gradients_weigh_the_outputs():
    x, grad_out = normal(5), normal(5, seed=1)
    np.testing.assert_allclose(numerical_gradient(np.exp, x, grad_out), grad_out * np.exp(x), rtol=1e-8)


def test_single_precision_inputs_are_computed_with_in_double():
    x = normal(4).astype(np.float32)
    found = numerical_gradient(lambda x: np.sum(x ** 3), x)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, 3 * x.astype(np.float64) ** 2, rtol=1e-8)


def test_a_number_has_a_gradient_too():
    assert check_gradient(np.sin, np.cos(0.3), np.array(0.3))


@pytest.mark.parametrize("size", [1e-150, 1e-12, 1.0, 1e12])
def test_the_scale_of_the_loss_does_not_matter(size):
    x = normal(30)
    assert check_gradient(lambda x: size * np.sum(np.sin(x)), size * np.cos(x), x)
    assert not check_gradient(lambda x: size * np.sum(np.sin(x)), size * 1.00001 * np.cos(x), x)


def test_a_large_constant_beside_the_loss_is_no_mistake():
    x = normal(6)
    assert check_gradient(lambda x: 1e6 + np.sum(np.sin(x)), np.cos(x), x)
    assert not check_gradient(lambda x: 1e6 + np.sum(np.sin(x)), 1.01 * np.cos(x), x)


def test_rounding_in_place_of_a_slope_of_zero_is_no_mistake():
    x = normal(3)
    assert check_gradient(lambda x: 2 + 0 * x.sum(), np.full(3, 1e-17), x)
    assert not check_gradient(lambda x: 2 + 0 * x.sum(), np.full(3, 1e-9), x)


def test_one_wrong_entry_is_found_and_shown():
    x = normal(4, 5)
    gradient = 2 * x
    gradient[2, 3] += 0.01
    found = check_gradient(lambda x: np.sum(x ** 2), gradient, x)
    assert not found.passed
    assert found.where == (2, 3)
    assert found.given == gradient[2, 3]
    np.testing.assert_allclose(found.numerical, 2 * x[2, 3], rtol=1e-8)
    assert str(found).startswith("wrong: relative error")
    assert "(2, 3)" in str(found)


@pytest.mark.parametrize("wrong", [
    lambda g, x: g, lambda g, x: -F.relu_backward(g, x), lambda g, x: F.relu_backward(g, -x),
    lambda g, x: np.zeros_like(x), lambda g, x: F.relu_backward(g, x) + 1e-4, lambda g, x: np.full_like(x, np.nan)])
def test_wrong_gradients_fail_though_there_are_kinks(wrong):
    x = normal(30)
    x[::5] = 0
    assert not check_gradient(F.relu, wrong, x)


def test_between_the_slopes_at_a_kink_everything_is_right():
    x = np.array([-1.0, 0.0, 1.0])
    for at_zero in (0, 0.3, 1):
        found = check_gradient(lambda x: np.sum(F.relu(x)), np.array([0, at_zero, 1]), x)
        assert found.passed
        assert found.kinks == 1
        assert "1 at a kink" in str(found)
    for at_zero in (-0.1, 1.1):
        assert not check_gradient(lambda x: np.sum(F.relu(x)), np.array([0, at_zero, 1]), x)


def test_a_kink_beside_the_entry_is_seen_too():
    x = np.array([2e-6, -3e-6])  # within a step
    found = check_gradient(lambda x: np.sum(F.relu(x)), np.array([1.0, 0.0]), x)
    assert found.passed
    assert found.kinks == 2


def test_ties_of_maximum_pooling_may_be_broken_either_way():
    x = np.round(normal(1, 2, 6, 6))
    found = check_gradient(lambda x: F.max_pool2d(x, 2), lambda g, x: F.max_pool2d_backward(g, x, 2), x)
    assert found.passed
    assert found.kinks > 0


def test_a_steep_curve_is_no_kink():
    x = np.linspace(-1, 1, 9)
    assert check_gradient(lambda x: np.sum(np.exp(20 * x)), 20 * np.exp(20 * x), x, tolerance=1e-5).kinks == 0
    found = check_gradient(lambda x: np.sum(np.exp(20 * x)), 20.001 * np.exp(20 * x), x, tolerance=1e-5)
    assert not found.passed
    assert found.kinks == 0


def test_a_root_with_an_infinite_slope_fails():
    assert check_gradient(lambda x: np.sum(np.sqrt(x)), np.array([np.inf]), np.array([1.0])).error == np.inf


def test_of_many_entries_some_are_drawn():
    x = normal(100, 100)
    found = check_gradient(lambda x: np.sum(x ** 2), 2 * x, x, samples=20)
    assert (found.checked, found.entries) == (20, 10_000)
    assert "20 of 10000" in str(found)
    gradient = 2 * x
    gradient[50:] = 0
    assert not check_gradient(lambda x: np.sum(x ** 2), gradient, x, samples=20)


def test_a_function_that_writes_to_its_input_is_checked_all_the_same():
    def square(x):
        x *= x
        return x.sum()

    x = normal(5)
    before = x.copy()
    assert check_gradient(square, lambda x: 2 * x, x)
    np.testing.assert_array_equal(x, before)


def test_what_cannot_be_checked_is_refused():
    x = normal(3)
    with pytest.raises(ShapeError, match=r"gradient has shape \(2,\) and x \(3,\)"):
        check_gradient(np.sum, np.ones(2), x)
    with pytest.raises(ArgumentError, match="of which loss"):
        check_gradient(np.sin, np.cos(x), x)
    with pytest.raises(ShapeError, match=r"returns an array of shape \(3,\)"):
        numerical_gradient(np.sin, x)
    with pytest.raises(ArrayTypeError, match="returned float32"):
        check_gradient(lambda x: np.float32(x.sum()), np.ones(3), x)
    with pytest.raises(ArgumentError, match="samples is 0"):
        check_gradient(np.sum, np.ones(3), x, samples=0)
    with pytest.raises(ArgumentError, match="x has 0"):
        check_gradient(np.sum, np.ones((0, 2)), np.ones((0, 2)))
