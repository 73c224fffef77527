"""The compiled kernels against their plain-loop twins, on random settings."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnncourse import functional as F
from tests import naive
from tests.cnncourse.randomly import assert_near, convolutions, many, planes, sliding, upstream


@many
@given(convolutions())
def test_conv2d_is_a_sum_of_products_over_each_window(case):
    out = F.conv2d(case.x, case.weight, case.bias, **case.given)
    assert out.dtype == case.x.dtype
    assert_near(out, naive.conv2d(case.x, case.weight, case.bias, **case.given))


@many
@given(convolutions())
def test_conv2d_backward_hands_back_to_every_factor(case):
    grad_out = upstream(F.conv2d(case.x, case.weight, **case.given))
    grads = F.conv2d_backward(grad_out, case.x, case.weight, **case.given)
    for found, expected in zip(grads, naive.conv2d_backward(grad_out, case.x, case.weight, **case.given), strict=True):
        assert found.dtype == case.x.dtype
        assert_near(found, expected)


@many
@given(st.data(), sliding(pooling=True))
def test_max_pool2d_finds_the_first_maximum_of_each_window(data, found):
    x = data.draw(planes(found))
    settings = (found.kernel, found.stride, found.padding)
    out, indices = F.max_pool2d(x, *settings, dilation=found.dilation, ceil_mode=found.ceil_mode, return_indices=True)
    expected, where = naive.max_pool2d(x, *settings, found.dilation, found.ceil_mode)
    assert out.dtype == x.dtype
    np.testing.assert_array_equal(out, expected)
    np.testing.assert_array_equal(indices, where)
    grad_out = upstream(out)
    grad_x = F.max_pool2d_backward(grad_out, x, *settings, dilation=found.dilation, ceil_mode=found.ceil_mode)
    assert_near(grad_x, naive.max_pool2d_backward(grad_out, x, *settings, found.dilation, found.ceil_mode))
    remembered = F.max_pool2d_backward(
        grad_out, x, *settings, dilation=found.dilation, ceil_mode=found.ceil_mode, indices=indices)
    np.testing.assert_array_equal(remembered, grad_x)


@many
@given(st.data(), sliding(pooling=True, dilated=False), st.booleans())
def test_avg_pool2d_divides_by_what_it_counts(data, found, count_include_pad):
    x = data.draw(planes(found))
    settings = (found.kernel, found.stride, found.padding)
    rules = {"ceil_mode": found.ceil_mode, "count_include_pad": count_include_pad}
    out = F.avg_pool2d(x, *settings, **rules)
    assert out.dtype == x.dtype
    assert_near(out, naive.avg_pool2d(x, *settings, **rules))
    grad_out = upstream(out)
    grad_x = F.avg_pool2d_backward(grad_out, x, *settings, **rules)
    assert grad_x.dtype == x.dtype
    assert_near(grad_x, naive.avg_pool2d_backward(grad_out, x, *settings, **rules))


@many
@given(st.data(), sliding(pooling=True, dilated=False), st.sampled_from((0.5, 1, 2, 2.5, 3, 4)))
def test_lp_pool2d_is_the_root_of_a_sum_of_powers(data, found, power):
    x = data.draw(planes(found))
    if power not in (1, 2, 4):  # sums of odd powers may nearly cancel, which no rounding survives
        x = np.abs(x) + 1
    settings = (found.kernel, found.stride, found.padding)
    out = F.lp_pool2d(x, power, *settings, ceil_mode=found.ceil_mode)
    assert out.dtype == x.dtype
    assert_near(out, naive.lp_pool2d(x, power, *settings, found.ceil_mode))
    grad_out = upstream(out)
    grad_x = F.lp_pool2d_backward(grad_out, x, power, *settings, ceil_mode=found.ceil_mode)
    assert grad_x.dtype == x.dtype
    assert_near(grad_x, naive.lp_pool2d_backward(grad_out, x, power, *settings, found.ceil_mode), factor=10)


@many
@given(st.data(), sliding())
def test_im2col_copies_windows_and_col2im_adds_them_back(data, found):
    x = data.draw(planes(found))
    columns = F.im2col(x, found.kernel, **found.given)
    assert columns.dtype == x.dtype
    np.testing.assert_array_equal(columns, naive.im2col(x, found.kernel, **found.given))
    values = upstream(columns)
    image = F.col2im(values, found.size, found.kernel, **found.given)
    assert_near(image, naive.col2im(values, found.size, found.kernel, **found.given))


@many
@given(convolutions())
def test_conv2d_is_a_matrix_product_of_columns(case):
    out = F.conv2d(case.x, case.weight, **case.given)
    columns = F.im2col(case.x, case.sliding.kernel, **case.sliding.given)
    columns = columns.reshape(len(case.x), case.groups, int(np.prod(case.weight.shape[1:])), columns.shape[2])
    filters = case.weight.reshape(case.groups, len(case.weight) // case.groups, -1)
    assert_near(out, (filters @ columns).reshape(out.shape))


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_special_values_reach_exactly_the_windows_that_hold_them(special):
    rng = np.random.default_rng(3)
    x, weight = rng.standard_normal((1, 2, 6, 7)), rng.standard_normal((2, 2, 3, 2))
    x[0, 1, 2, 3] = special
    settings = {"stride": (2, 1), "padding": ((1, 2), (0, 1)), "dilation": (1, 2), "groups": 1}
    out = F.conv2d(x, weight, **settings)
    expected = naive.conv2d(x, weight, np.zeros(2), **settings)
    assert 0 < np.isfinite(expected).sum() < expected.size
    assert_near(out, expected)
    grads = F.conv2d_backward(np.ones_like(out), x, weight, **settings)
    for found, wanted in zip(grads, naive.conv2d_backward(np.ones_like(out), x, weight, **settings), strict=True):
        assert_near(found, wanted)
    window = ((3, 2), (2, 1), ((1, 1), (0, 1)))
    np.testing.assert_array_equal(F.max_pool2d(x, *window), naive.max_pool2d(x, *window, (1, 1), False)[0])
    assert_near(F.avg_pool2d(x, *window), naive.avg_pool2d(x, *window, False, True))


def test_max_pool2d_of_minus_infinity_everywhere_points_to_the_first_input():
    x = np.full((1, 1, 3, 3), -np.inf)
    out, indices = F.max_pool2d(x, 2, 1, 1, return_indices=True)
    assert (out == -np.inf).all()
    assert indices[0, 0].tolist() == [[0, 0, 1, 2], [0, 0, 1, 2], [3, 3, 4, 5], [6, 6, 7, 8]]


def test_max_pool2d_tells_where_dilation_steps_over_the_whole_input():
    x = np.array([[[[1.0, 2.0]]]])
    out, indices = F.max_pool2d(x, 2, 1, 1, dilation=2, return_indices=True)
    assert (out == -np.inf).all()
    assert (indices == -1).all()
    assert (F.max_pool2d_backward(np.ones_like(out), x, 2, 1, 1, dilation=2) == 0).all()
