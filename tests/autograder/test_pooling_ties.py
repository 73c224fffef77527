"""Where maxima are tied: every gradient that hands on each window's share is right, and no other one."""

from __future__ import annotations

import numpy as np
import pytest

from autograder.exercises.pooling.common import folded, places, unfolded
from autograder.exercises.pooling.ties import nearest_gradient, nearest_indices
from cnncourse import functional as F


def drawn(seed):
    """Few different values, windows of any size and stride; a gradient, and which entries are maxima."""
    rng = np.random.default_rng(seed)
    kernel_size, stride = tuple(rng.integers(1, 4, 2).tolist()), int(rng.integers(1, 4))
    x = rng.integers(-1, 2, (2, 2, *rng.integers(4, 8, 2))).astype(float)
    grad_out = rng.standard_normal(F.max_pool2d(x, kernel_size, stride).shape)
    windows = unfolded(x, kernel_size, stride)
    where = places(x.shape[3], grad_out.shape[2:], kernel_size, stride)
    return rng, (grad_out, x, kernel_size, stride), windows == windows.max(axis=-1, keepdims=True), where


@pytest.mark.parametrize("seed", range(40))
def test_any_division_among_tied_entries_is_its_own_nearest_right_gradient(seed):
    rng, arguments, tied, where = drawn(seed)
    shares = tied * rng.uniform(0, 1, tied.shape) ** 4
    shares /= shares.sum(axis=-1, keepdims=True)
    given = folded(shares * arguments[0][..., None], where, arguments[1].shape[2:])
    assert nearest_gradient(given, *arguments) == pytest.approx(given, abs=1e-10)


@pytest.mark.parametrize("seed", range(40))
def test_the_nearest_right_gradient_is_right_whatever_is_given(seed):
    """Each plane's sum is handed on, nothing comes to an entry that is no maximum, and the reference is no nearer."""
    rng, arguments, tied, where = drawn(seed)
    grad_out, x = arguments[:2]
    given = rng.standard_normal(x.shape)
    nearest = nearest_gradient(given, *arguments)
    assert nearest.sum(axis=(2, 3)) == pytest.approx(grad_out.sum(axis=(2, 3)))
    reached = folded(tied.astype(float), where, x.shape[2:]) > 0
    assert not nearest[~reached].any()
    assert np.abs(nearest - given).sum() <= np.abs(F.max_pool2d_backward(*arguments) - given).sum() + 1e-9


def test_overlapping_windows_decide_together_what_is_possible():
    """Two windows share the middle one of three equal entries."""
    x, grad_out = np.zeros((1, 1, 1, 3)), np.array([1.0, 10.0]).reshape(1, 1, 1, 2)
    for middle in (0.0, 1, 4.5, 10, 11):
        for first in np.linspace(max(0, 1 - middle), min(1, 11 - middle), 3):
            given = np.array([first, middle, 11 - first - middle]).reshape(x.shape)
            fits = given[0, 0, 0, 2] <= 10
            assert np.allclose(nearest_gradient(given, grad_out, x, (1, 2), 1), given) == fits
    negative = np.array([-1.0, 2, 10]).reshape(x.shape)
    assert not np.allclose(nearest_gradient(negative, grad_out, x, (1, 2), 1), negative)


def test_a_mistake_elsewhere_is_the_only_difference_that_is_left():
    x = np.array([[0, 0, 5, 1, 3, 2]], dtype=float).reshape(1, 1, 1, 6)
    grad_out = np.array([4.0, 6, 8]).reshape(1, 1, 1, 3)
    given = np.array([1.0, 3, 6, 0, 0, 8]).reshape(x.shape)
    assert nearest_gradient(given, grad_out, x, (1, 2), 2).ravel().tolist() == [1, 3, 6, 0, 8, 0]


@pytest.mark.parametrize("given", [
    None, "text", np.zeros(3), np.full((1, 1, 2, 2), np.nan), [[[[1], [2, 3]]]], object()])
def test_what_is_no_gradient_is_compared_with_the_reference(given):
    x, grad_out = np.zeros((1, 1, 2, 2)), np.ones((1, 1, 1, 1))
    assert nearest_gradient(given, grad_out, x, (2, 2), 2).ravel().tolist() == [1, 0, 0, 0]
    out, indices = nearest_indices(given, x, (2, 2), 2, 0)
    assert (out.item(), indices.item()) == (0, 0)


def test_an_index_is_right_if_it_names_a_maximum_of_its_own_window():
    x = np.array([[1.0, 1, 0, 1], [0, 1, 1, 0]]).reshape(1, 1, 2, 4)
    for given, right in (((0, 3), (0, 3)), ((5, 6), (5, 6)), ((4, 3), (0, 3)), ((3, 3), (0, 3)), ((-1, 99), (0, 3)),
                         ((0.5, 6.0), (0, 6))):
        indices = np.array(given).reshape(1, 1, 1, 2)
        assert nearest_indices((np.ones((1, 1, 1, 2)), indices), x, (2, 2), 2, 0)[1].ravel().tolist() == list(right)
