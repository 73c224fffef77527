"""Norms, locally connected layers, losses, activations and joins against plain loops, and what they promise."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cnncourse import functional as F
from tests import naive, naive_layers
from tests.cnncourse.randomly import DTYPES, assert_near, many, sliding, upstream


@st.composite
def maps(draw, channels=5, smallest_batch=1):
    """(N, C), (N, C, L) or (N, C, H, W), with values around a mean that is not zero."""
    samples, count = draw(st.integers(smallest_batch, 3)), draw(st.integers(1, channels))
    shape = (samples, count, *draw(st.lists(st.integers(1, 5), max_size=2)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    return (rng.standard_normal(shape) * 2 + 0.5).astype(draw(st.sampled_from(DTYPES)))


def vectors(x, number):
    """Numbers for each channel; the last are positive."""
    found = np.random.default_rng(x.size).standard_normal((number, x.shape[1])).astype(x.dtype)
    found[-1] = np.abs(found[-1]) + x.dtype.type(0.1)
    return found


@many
@given(maps(), st.sampled_from((1e-5, 0.1)))
def test_batch_norm_uses_the_running_statistics_in_inference(x, eps):
    weight, bias, mean, var = vectors(x, 4)
    assert_near(F.batch_norm(x, weight, bias, mean, var, eps=eps),
                naive_layers.batch_norm(x, weight, bias, mean, var, eps))


@many
@given(maps(), st.sampled_from((1e-5, 0.1)), st.sampled_from((0.1, 1.0)))
def test_batch_norm_uses_the_batch_in_training_and_moves_the_running_statistics(x, eps, momentum):
    assume(x.size > x.shape[1])
    weight, bias, mean, var = vectors(x, 4)
    before = mean.copy(), var.copy()
    out, found = F.batch_norm(x, weight, bias, mean, var, training=True, momentum=momentum, eps=eps)
    expected = naive_layers.batch_norm_in_training(x, weight, bias, mean, var, momentum, eps)
    for one, other in zip((out, found.running_mean, found.running_var), expected, strict=True):
        assert one.dtype == x.dtype
        assert_near(one, other)
    np.testing.assert_array_equal((mean, var), before)
    means, variances = zip(*(naive_layers.moments(x, c) for c in range(x.shape[1])), strict=True)
    np.testing.assert_allclose(found.mean, means, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(found.var, variances, rtol=1e-12, atol=1e-13)


def test_batch_norm_stays_exact_far_from_zero():
    x = np.random.default_rng(0).standard_normal((4, 2, 9, 9)) + 1e4
    expected = (x - x.mean((0, 2, 3), keepdims=True)) / x.std((0, 2, 3), keepdims=True)
    single = x.astype(np.float32)
    out, _ = F.batch_norm(single, training=True, eps=0)
    # The input itself was rounded to 1e-3; nothing worse may be added.
    assert np.abs(out - expected).max() < 1.5e-3
    wide = single.astype(np.float64)
    exact = (wide - wide.mean((0, 2, 3), keepdims=True)) / wide.std((0, 2, 3), keepdims=True)
    assert np.abs(out - exact).max() < 1e-5


def test_batch_norm_without_weights_and_running_statistics_standardizes():
    x = np.random.default_rng(0).standard_normal((4, 3, 5, 5)) * 3 + 2
    out, found = F.batch_norm(x, training=True, eps=0)
    np.testing.assert_allclose(out.mean((0, 2, 3)), 0, atol=1e-14)
    np.testing.assert_allclose(out.var((0, 2, 3)), 1)
    assert found.running_mean is None
    assert found.running_var is None


def test_batch_norm_of_no_samples_leaves_the_running_statistics_as_they_are():
    mean, var = np.ones(3), np.full(3, 2.0)
    out, found = F.batch_norm(np.zeros((0, 3, 2, 2)), None, None, mean, var, training=True)
    assert out.shape == (0, 3, 2, 2)
    np.testing.assert_array_equal(found.running_mean, mean)
    np.testing.assert_array_equal(found.running_var, var)


def test_batch_norm_backward_finds_statistics_that_it_is_not_given():
    x = np.random.default_rng(0).standard_normal((3, 2, 4, 4))
    out, found = F.batch_norm(x, training=True)
    grad_out = upstream(out)
    for one, other in zip(F.batch_norm_backward(grad_out, x, training=True),
                          F.batch_norm_backward(grad_out, x, training=True, statistics=found), strict=True):
        np.testing.assert_array_equal(one, other)


@many
@given(maps(channels=9), st.integers(1, 7), st.sampled_from((0.75, 0.5, 1.0, 0.6)), st.sampled_from((1.0, 2.0)))
def test_local_response_norm_divides_by_its_neighbors(x, size, beta, k):
    out = F.local_response_norm(x, size, 0.8, beta, k)
    assert out.dtype == x.dtype
    assert_near(out, naive_layers.local_response_norm(x, size, 0.8, beta, k))
    grad_out = upstream(out)
    assert_near(F.local_response_norm_backward(grad_out, x, size, 0.8, beta, k),
                naive_layers.local_response_norm_backward(grad_out, x, size, 0.8, beta, k))


def test_local_response_norm_looks_no_further_than_its_neighbors():
    x = np.ones((1, 6, 1, 2))
    x[0, 2, 0, 1] = np.inf
    out = F.local_response_norm(x, 3, 1.0)
    assert np.isnan(out[0, 2, 0, 1])
    assert out[0, :, 0, 1].tolist()[1:4:2] == [0, 0]
    assert (out[0, [0, 4, 5], 0, 1] == out[0, [0, 4, 5], 0, 0]).all()


@many
@given(sliding(dilated=False), st.integers(1, 2), st.integers(1, 3), st.integers(1, 3), st.sampled_from(DTYPES),
       st.integers(0, 2**32))
def test_locally_connected2d_has_weights_for_each_position(found, samples, channels, filters, dtype, seed):
    rng = np.random.default_rng(seed)
    count = naive.output_shape(found.size, found.kernel, found.stride, found.padding)
    x, weight, bias = (rng.standard_normal(shape).astype(dtype) for shape in (
        (samples, channels, *found.size), (*count, filters, channels, *found.kernel), (filters, *count)))
    settings = {"stride": found.stride, "padding": found.padding}
    out = F.locally_connected2d(x, weight, bias, **settings)
    assert out.dtype == dtype
    assert_near(out, naive_layers.locally_connected2d(x, weight, bias, **settings))
    grad_out = upstream(out)
    for one, other in zip(F.locally_connected2d_backward(grad_out, x, weight, **settings),
                          naive_layers.locally_connected2d_backward(grad_out, x, weight, **settings), strict=True):
        assert one.dtype == dtype
        assert_near(one, other)


def test_a_convolution_is_locally_connected_with_one_filter_everywhere():
    rng = np.random.default_rng(2)
    x, weight, bias = rng.standard_normal((2, 3, 7, 6)), rng.standard_normal((4, 3, 3, 2)), rng.standard_normal(4)
    settings = {"stride": (2, 1), "padding": ((1, 1), (0, 2))}
    out = F.conv2d(x, weight, bias, **settings)
    positions = out.shape[2:]
    everywhere = np.broadcast_to(weight, (*positions, *weight.shape))
    biases = np.broadcast_to(bias[:, None, None], out.shape[1:])
    np.testing.assert_allclose(F.locally_connected2d(x, everywhere, biases, **settings), out, rtol=1e-12, atol=1e-12)
    grad_out = upstream(out)
    shared = F.conv2d_backward(grad_out, x, weight, **settings)
    unshared = F.locally_connected2d_backward(grad_out, x, everywhere, **settings)
    np.testing.assert_allclose(unshared[0], shared[0], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(unshared[1].sum((0, 1)), shared[1], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(unshared[2].sum((1, 2)), shared[2], rtol=1e-12, atol=1e-12)


@many
@given(maps(), st.integers(0, 2**32))
def test_softmax_and_cross_entropy_are_what_they_are_called(x, seed):
    shares = F.softmax(x)
    for n, *place in np.ndindex(x.shape[0], *x.shape[2:]):
        expected = naive_layers.softmax([float(value) for value in x[(n, slice(None), *place)]])
        assert_near(shares[(n, slice(None), *place)], np.array(expected))
    targets = np.random.default_rng(seed).integers(0, x.shape[1], (x.shape[0], *x.shape[2:]))
    loss = F.cross_entropy(x, targets)
    expected = naive_layers.cross_entropy(x, targets)
    assert loss == pytest.approx(expected, rel=1e-5 if x.dtype == np.float32 else 1e-12, abs=1e-6)
    hot = np.moveaxis(np.eye(x.shape[1])[targets], -1, 1)
    assert_near(F.cross_entropy_backward(x, targets, 0.3), 0.3 * (shares - hot) / targets.size, x.dtype)


def test_the_gradient_of_cross_entropy_is_the_slope():
    rng = np.random.default_rng(4)
    logits, targets = rng.standard_normal((3, 4, 2)), rng.integers(0, 4, (3, 2))
    slope = naive.numerical_gradient(lambda x: np.array(F.cross_entropy(x, targets)), logits, np.ones(()))
    np.testing.assert_allclose(F.cross_entropy_backward(logits, targets), slope, rtol=1e-6, atol=1e-9)


def test_losses_survive_scores_that_exp_does_not():
    logits = np.array([[1e4, 0, -1e4], [-1e30, 1e30, 0]], np.float32)
    assert F.softmax(logits).tolist() == [[1, 0, 0], [0, 1, 0]]
    assert F.cross_entropy(logits[:1], np.array([1])) == 1e4
    assert F.cross_entropy(logits, np.array([0, 1])) == 0
    assert F.cross_entropy(np.zeros((2, 10)), np.array([3, 9])) == pytest.approx(math.log(10))


def test_softmax_of_maps_of_several_strips_is_that_of_rows():
    for dtype in DTYPES:
        x = (np.random.default_rng(0).standard_normal((2, 7, 23, 29)) * 5).astype(dtype)
        x[0, 3, 4, 5], x[1, 2, 3, 4], x[1, :, 0, 0] = np.nan, np.inf, -np.inf
        rows = np.ascontiguousarray(np.moveaxis(x, 1, -1))
        assert_near(F.softmax(x), np.moveaxis(F.softmax(rows, -1), -1, 1))


def test_softmax_may_run_along_any_dimension():
    x = np.random.default_rng(0).standard_normal((2, 3, 4))
    for dim in range(-3, 3):
        np.testing.assert_allclose(F.softmax(x, dim).sum(dim), 1)
        np.testing.assert_allclose(F.softmax(x, dim), np.moveaxis(F.softmax(np.moveaxis(x, dim, 1)), 1, dim))


def test_dropout_keeps_the_mean_and_its_mask_comes_from_the_generator():
    x = np.random.default_rng(0).standard_normal((100, 100)).astype(np.float32) + 3
    out, mask = F.dropout(x, 0.3, np.random.default_rng(1))
    assert abs(mask.mean() - 0.7) < 0.02
    np.testing.assert_array_equal(out, np.where(mask, x * np.float32(1 / 0.7), 0))
    assert abs(out.mean() - x.mean()) < 0.1
    again, same = F.dropout(x.astype(np.float64), 0.3, np.random.default_rng(1))
    np.testing.assert_array_equal(mask, same)
    assert again.dtype == np.float64
    grad_out = upstream(x)
    np.testing.assert_array_equal(F.dropout_backward(grad_out, mask, 0.3),
                                  np.where(mask, grad_out * np.float32(1 / 0.7), 0))


def test_dropout_of_nothing_and_of_everything():
    x = np.array([1.0, np.nan, -2.0])
    out, mask = F.dropout(x, 0, np.random.default_rng(0))
    assert mask.all()
    np.testing.assert_array_equal(out, x)
    out, mask = F.dropout(x, 1, np.random.default_rng(0))
    assert not mask.any()
    np.testing.assert_array_equal(out, [0, np.nan, 0])  # a NaN does not go unnoticed


def test_concatenate_puts_channels_one_after_the_other_and_backward_takes_them_apart():
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal((2, channels, 3, 4)).astype(np.float32) for channels in (3, 1, 0, 2)]
    out = F.concatenate(arrays)
    assert out.shape == (2, 6, 3, 4)
    for start, one in zip((0, 3, 4, 4), arrays, strict=True):
        np.testing.assert_array_equal(out[:, start:start + one.shape[1]], one)
    for one, other in zip(F.concatenate_backward(out, [3, 1, 0, 2]), arrays, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.flags.c_contiguous
        assert not np.shares_memory(one, out)


def test_add_takes_any_number_from_two():
    arrays = np.random.default_rng(0).standard_normal((4, 2, 3))
    np.testing.assert_allclose(F.add(*arrays), arrays.sum(0), rtol=1e-14)


def test_sigmoid_and_tanh_saturate_without_a_warning():
    x = np.array([-1e4, -100.0, 0.0, 100.0, 1e4, np.inf, -np.inf, np.nan], np.float32)
    np.testing.assert_array_equal(F.sigmoid(x)[2:], np.float32([0.5, 1, 1, 1, 0, np.nan]))
    assert F.sigmoid(x)[0] == 0
    np.testing.assert_array_equal(F.tanh(x)[[0, 2, 4, 5, 6, 7]], np.float32([-1, 0, 1, 1, -1, np.nan]))


def test_relu_backward_takes_the_output_in_the_place_of_the_input():
    x = np.random.default_rng(0).standard_normal(5000)
    x[:4] = 0, -0.0, np.nan, np.inf
    grad_out = upstream(x)
    np.testing.assert_array_equal(F.relu_backward(grad_out, F.relu(x)), F.relu_backward(grad_out, x))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("length", [0, 1, 3, 4, 5, 7, 8, 9, 31, 32, 33])
def test_relu_in_place_of_any_length(length, dtype):
    x = np.random.default_rng(length).standard_normal(length).astype(dtype)
    x[::5] = np.nan
    x[1::6] = -np.inf
    x[2::7] = np.inf
    grad_out = upstream(x)
    expected, slope = np.where(x <= 0, 0, x), np.where(x <= 0, 0, grad_out)
    np.testing.assert_array_equal(F.relu_backward(grad_out, x, out=grad_out), slope)
    np.testing.assert_array_equal(F.relu(x, out=x), expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("samples", "features", "outputs"), [
    (0, 5, 3), (1, 1, 1), (1, 2500, 33), (2, 1024, 1), (3, 1025, 64), (4, 30, 65), (5, 7, 2), (9, 3000, 31),
    (70, 40, 9),
])
def test_linear_is_a_matrix_product(samples, features, outputs, dtype):
    rng = np.random.default_rng(0)
    x, weight, bias = (rng.standard_normal(shape).astype(dtype)
                       for shape in ((samples, features), (outputs, features), (outputs,)))
    wide = x.astype(np.longdouble), weight.astype(np.longdouble)
    out = F.linear(x, weight, bias)
    assert out.dtype == dtype
    assert_near(out, (wide[0] @ wide[1].T + bias).astype(np.float64))
    assert_near(F.linear(x, weight), (wide[0] @ wide[1].T).astype(np.float64))
    grad_out = upstream(out)
    expected = grad_out @ wide[1], grad_out.T @ wide[0], grad_out.sum(0, dtype=np.longdouble)
    for found, wanted in zip(F.linear_backward(grad_out, x, weight), expected, strict=True):
        assert found.dtype == dtype
        assert_near(found, wanted.astype(np.float64))


def test_linear_lets_special_values_reach_exactly_the_outputs_that_see_them():
    x, weight = np.ones((5, 1100)), np.ones((7, 1100))
    x[4, 3], weight[5, 1099] = np.nan, np.inf
    out = F.linear(x, weight)
    assert np.isnan(out[4]).all()
    assert (out[:4, 5] == np.inf).all()
    assert (out[:4, [0, 1, 2, 3, 4, 6]] == 1100).all()
