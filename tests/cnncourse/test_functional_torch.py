"""The reference against PyTorch where it takes more than one call: uneven padding, special values, odd norms."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cnncourse import functional as F
from tests.cnncourse.randomly import assert_near, convolutions, many, planes, sliding, upstream
from tests.needs import peer

torch = peer("torch")
T = torch.nn.functional
pytestmark = pytest.mark.peer


def tensors(*arrays):
    return [torch.tensor(array, requires_grad=True) for array in arrays]


def gradients(out, grad_out, *inputs):
    return [found.numpy() for found in torch.autograd.grad(out, inputs, torch.from_numpy(grad_out))]


def padded(x, padding):
    """Zeros around a tensor that may differ from side to side, which PyTorch's operations do not take themselves."""
    (top, bottom), (left, right) = padding
    return T.pad(x, (left, right, top, bottom))


@many
@given(convolutions())
def test_conv2d_agrees(case):
    x, weight, bias = tensors(case.x, case.weight, case.bias)
    expected = T.conv2d(padded(x, case.sliding.padding), weight, bias, case.sliding.stride, 0, case.sliding.dilation,
                        case.groups)
    out = F.conv2d(case.x, case.weight, case.bias, **case.given)
    assert_near(out, expected.detach().numpy())
    grad_out = upstream(out)
    grads = F.conv2d_backward(grad_out, case.x, case.weight, **case.given)
    for found, wanted in zip(grads, gradients(expected, grad_out, x, weight, bias), strict=True):
        assert_near(found, wanted)


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@many
@given(convolutions(), st.sampled_from(("same", "valid")))
def test_conv2d_agrees_on_padding_by_name(case, name):
    x, weight = tensors(case.x, case.weight)
    axes = zip(case.sliding.size, case.sliding.kernel, case.sliding.dilation, strict=True)
    assume(name == "same" or all(size > dilation * (kernel - 1) for size, kernel, dilation in axes))
    expected = T.conv2d(x, weight, None, 1, name, case.sliding.dilation, case.groups)
    found = F.conv2d(case.x, case.weight, padding=name, dilation=case.sliding.dilation, groups=case.groups)
    assert_near(found, expected.detach().numpy())


@many
@given(st.data(), sliding(symmetric=True, pooling=True))
def test_max_pool2d_agrees_on_which_of_many_special_values_wins(data, found):
    x = data.draw(planes(found, dtypes=(np.float64,)))
    x[x > 1], x[x < -2] = np.nan, -np.inf
    expected, where = T.max_pool2d(torch.from_numpy(x), found.kernel, found.stride, found.even, found.dilation,
                                   found.ceil_mode, return_indices=True)
    out, indices = F.max_pool2d(x, found.kernel, found.stride, found.even, dilation=found.dilation,
                                ceil_mode=found.ceil_mode, return_indices=True)
    np.testing.assert_array_equal(out, expected.numpy())
    np.testing.assert_array_equal(indices[indices >= 0], where.numpy()[indices >= 0])


@many
@given(st.data(), sliding(pooling=True, dilated=False, ceil_mode=False), st.sampled_from((1, 2, 2.5, 3, 4, np.inf)))
def test_lp_pool2d_agrees(data, found, power):
    x = data.draw(planes(found))
    if power in (2.5, 3):  # sums of odd powers may nearly cancel, which no rounding survives
        x = np.abs(x) + 1
    (given_x,) = tensors(x)
    # Padded beforehand, the input is longer, and with it may be the last window: only rounded down it is the same.
    expected = T.lp_pool2d(padded(given_x, found.padding), power, found.kernel, found.stride)
    out = F.lp_pool2d(x, power, found.kernel, found.stride, found.padding)
    assert_near(out, expected.detach().numpy())
    grad_out = upstream(out)
    grad_x = F.lp_pool2d_backward(grad_out, x, power, found.kernel, found.stride, found.padding)
    wanted = gradients(expected, grad_out, given_x)[0]
    assert_near(grad_x, wanted, factor=10)


@pytest.mark.parametrize("power", [1, 3, 2.5, 0.5])
def test_lp_pool2d_agrees_on_negative_values(power):
    x = np.array([[[[1.0, -2.0, -3.0, 5.0], [0.5, 1.5, 0.0, -4.0]]]])
    (given_x,) = tensors(x)
    expected = T.lp_pool2d(given_x, power, 2, (1, 1))
    out = F.lp_pool2d(x, power, 2, 1)
    assert np.isnan(out).any() == (power != 1)
    assert_near(out, expected.detach().numpy())
    grad_out = np.ones_like(out)
    assert_near(F.lp_pool2d_backward(grad_out, x, power, 2, 1), *gradients(expected, grad_out, given_x))


@pytest.mark.parametrize("power", [1, 2, 3, np.inf])
def test_lp_pool2d_agrees_that_a_window_of_zeros_has_no_gradient(power):
    x = np.zeros((1, 1, 3, 3))
    (given_x,) = tensors(x)
    expected = T.lp_pool2d(given_x, power, 2, 1)
    wanted = gradients(expected, np.ones((1, 1, 2, 2)), given_x)[0]
    assert (wanted == 0).all()
    assert (F.lp_pool2d_backward(np.ones((1, 1, 2, 2)), x, power, 2, 1) == 0).all()


def test_relu_agrees_on_nan():
    x = np.array([np.nan, -np.inf, np.inf, 0.0, -1.0])
    (given_x,) = tensors(x)
    np.testing.assert_array_equal(F.relu(x), T.relu(given_x).detach().numpy())
    np.testing.assert_array_equal(F.relu_backward(np.ones(5), x), *gradients(T.relu(given_x), np.ones(5), given_x))
