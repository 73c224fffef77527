"""Norms, losses, activations and pools against PyTorch: random settings, special values, planes of several bands."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cnncourse import functional as F
from tests.cnncourse.randomly import DTYPES, assert_near, many, upstream
from tests.cnncourse.test_functional_layers_naive import maps, vectors
from tests.needs import peer

torch = peer("torch")
T = torch.nn.functional
pytestmark = pytest.mark.peer


def tensors(*arrays):
    return [torch.tensor(array, requires_grad=True) for array in arrays]


def gradients(out, grad_out, *inputs):
    return [found.numpy() for found in torch.autograd.grad(out, inputs, torch.from_numpy(grad_out))]


def sprinkled(x, seed):
    """With some NaN, infinities and zeros of both signs in it."""
    rng = np.random.default_rng(seed)
    x = x.copy()
    for value in (np.nan, np.inf, -np.inf, 0.0, -0.0):
        x.flat[rng.integers(0, x.size, max(1, x.size // 12))] = value
    return x


@many
@given(maps(), st.booleans(), st.sampled_from((1e-5, 0.1)), st.sampled_from((0.1, 1.0)), st.booleans())
def test_batch_norm_agrees(x, training, eps, momentum, affine):
    assume(not training or x.size > x.shape[1])
    weight, bias, mean, var = vectors(x, 4)
    given_x, given_weight, given_bias = tensors(x, weight, bias)
    theirs = torch.tensor(mean), torch.tensor(var)
    scales = (given_weight, given_bias) if affine else (None, None)
    expected = T.batch_norm(given_x, *theirs, *scales, training, momentum, eps)
    ours = (weight, bias) if affine else (None, None)
    out = F.batch_norm(x, *ours, mean, var, training=training, momentum=momentum, eps=eps)
    statistics = None
    if training:
        out, statistics = out
        assert_near(statistics.running_mean, theirs[0].numpy())
        assert_near(statistics.running_var, theirs[1].numpy())
    assert_near(out, expected.detach().numpy(), factor=3)
    grad_out = upstream(out)
    found = F.batch_norm_backward(grad_out, x, ours[0], mean, var, training=training, eps=eps, statistics=statistics)
    wanted = gradients(expected, grad_out, given_x, *(scales if affine else ()))
    # Two values of a channel that are near each other blow up whatever rounding there is.
    factor = 3 / min(1, np.abs(statistics.var).min() ** 1.5 + eps**1.5) if training else 3
    for one, other in zip(found, wanted, strict=False):
        assert_near(one, other, factor=factor)


@many
@given(maps(channels=9), st.integers(1, 8), st.sampled_from((0.75, 0.5, 1.0, 2.0)), st.sampled_from((1e-4, 0.7)),
       st.sampled_from((1.0, 2.0)))
def test_local_response_norm_agrees_for_even_sizes_too(x, size, beta, alpha, k):
    if x.ndim < 3:
        x = x[..., None]  # PyTorch takes no less
    (given_x,) = tensors(x)
    expected = T.local_response_norm(given_x, size, alpha, beta, k)
    out = F.local_response_norm(x, size, alpha, beta, k)
    assert_near(out, expected.detach().numpy())
    grad_out = upstream(out)
    assert_near(F.local_response_norm_backward(grad_out, x, size, alpha, beta, k),
                *gradients(expected, grad_out, given_x))


@pytest.mark.parametrize("dtype", DTYPES)
def test_local_response_norm_agrees_on_many_channels_and_places(dtype):
    x = np.random.default_rng(0).standard_normal((2, 70, 19, 31)).astype(dtype) * 20
    (given_x,) = tensors(x)
    expected = T.local_response_norm(given_x, 5, 1e-2, 0.75, 2)
    assert_near(F.local_response_norm(x, 5, 1e-2, 0.75, 2), expected.detach().numpy())
    grad_out = upstream(x)
    assert_near(F.local_response_norm_backward(grad_out, x, 5, 1e-2, 0.75, 2), *gradients(expected, grad_out, given_x))


@many
@given(maps(channels=7), st.integers(0, 2**32), st.booleans())
def test_losses_agree(x, seed, special):
    targets = np.random.default_rng(seed).integers(0, x.shape[1], (x.shape[0], *x.shape[2:]))
    x = sprinkled(x, seed) if special else x
    (given_x,) = tensors(x)
    shares = T.softmax(given_x, 1)
    assert_near(F.softmax(x), shares.detach().numpy())
    if not special:
        grad_out = upstream(x)
        assert_near(F.softmax_backward(grad_out, F.softmax(x)), *gradients(shares, grad_out, given_x))
    expected = T.cross_entropy(given_x, torch.from_numpy(targets))
    assert_near(np.array(F.cross_entropy(x, targets), x.dtype), expected.detach().numpy())
    assert_near(F.cross_entropy_backward(x, targets), *gradients(expected, np.array(1, x.dtype), given_x))


@many
@given(maps(), st.integers(0, 2**32), st.sampled_from(("relu", "tanh", "sigmoid")))
def test_activations_agree_on_special_values_too(x, seed, name):
    x = sprinkled(x, seed)
    (given_x,) = tensors(x)
    expected = getattr(torch, name)(given_x)
    out = getattr(F, name)(x)
    assert_near(out, expected.detach().numpy())
    grad_out = sprinkled(upstream(x), seed + 1)
    kept = x if name == "relu" else out
    with np.errstate(invalid="ignore"):
        assert_near(getattr(F, f"{name}_backward")(grad_out, kept), *gradients(expected, grad_out, given_x))


def same(found, wanted):
    """Equal to the last bit, the sign of zeros included, and NaN in the same places."""
    np.testing.assert_array_equal(found, wanted)
    numbers = ~np.isnan(wanted)
    np.testing.assert_array_equal(np.signbit(found[numbers]), np.signbit(wanted[numbers]))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("size", "kernel", "stride", "padding", "dilation"), [
    ((150, 131), 3, 2, 1, 1), ((61, 300), 2, 2, 0, 1), ((70, 90), (5, 4), (1, 3), (2, 1), (2, 3)),
    ((3, 5000), (3, 7), (2, 1), (1, 3), 1), ((40, 40), 6, 1, 3, 1), ((33, 34), (1, 8), (4, 4), (0, 4), (1, 2)),
])
def test_max_pool2d_agrees_on_planes_of_several_bands(size, kernel, stride, padding, dilation, dtype):
    rng = np.random.default_rng(0)
    x = sprinkled(np.round(rng.standard_normal((2, 2, *size)) * 3), 1).astype(dtype)  # ties everywhere
    (given_x,) = tensors(x)
    for ceil_mode in (False, True):
        expected, where = T.max_pool2d(given_x, kernel, stride, padding, dilation, ceil_mode, return_indices=True)
        settings = (kernel, stride, padding)
        out, indices = F.max_pool2d(x, *settings, dilation=dilation, ceil_mode=ceil_mode, return_indices=True)
        same(out, expected.detach().numpy())
        same(F.max_pool2d(x, *settings, dilation=dilation, ceil_mode=ceil_mode), expected.detach().numpy())
        np.testing.assert_array_equal(indices, where.numpy())
        grad_out = upstream(out)
        shape_of_x = np.broadcast_to(dtype(0), x.shape)
        found = F.max_pool2d_backward(grad_out, shape_of_x, *settings, dilation=dilation, ceil_mode=ceil_mode,
                                      indices=indices)
        assert_near(found, *gradients(expected, grad_out, given_x))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("size", "kernel", "stride", "padding"), [
    ((150, 131), 3, 2, 1), ((61, 300), 2, 2, 0), ((7, 7), 7, 1, 0), ((70, 90), (5, 4), (1, 3), (2, 1)),
    ((3, 5000), (3, 7), (2, 1), (1, 3)), ((40, 40), 6, 1, 3), ((129, 129), 129, 1, 0),
])
def test_means_and_norms_agree_on_planes_of_several_bands(size, kernel, stride, padding, dtype):
    x = np.random.default_rng(0).standard_normal((2, 2, *size)).astype(dtype)
    (given_x,) = tensors(x)
    for ceil_mode in (False, True):
        for counted in (False, True):
            expected = T.avg_pool2d(given_x, kernel, stride, padding, ceil_mode, counted)
            rules = {"ceil_mode": ceil_mode, "count_include_pad": counted}
            out = F.avg_pool2d(x, kernel, stride, padding, **rules)
            assert_near(out, expected.detach().numpy())
            grad_out = upstream(out)
            shape_of_x = np.broadcast_to(dtype(0), x.shape)
            assert_near(F.avg_pool2d_backward(grad_out, shape_of_x, kernel, stride, padding, **rules),
                        *gradients(expected, grad_out, given_x))
        for power in (1, 2, 3):
            positive = np.abs(x) + dtype(0.1)
            (given_p,) = tensors(positive)
            expected = T.lp_pool2d(given_p, power, kernel, stride, ceil_mode)
            out = F.lp_pool2d(positive, power, kernel, stride, ceil_mode=ceil_mode)
            assert_near(out, expected.detach().numpy())
            grad_out = upstream(out)
            assert_near(F.lp_pool2d_backward(grad_out, positive, power, kernel, stride, ceil_mode=ceil_mode),
                        *gradients(expected, grad_out, given_p))


@many
@given(maps(), st.integers(0, 2**32))
def test_global_avg_pool2d_agrees(x, seed):
    x = x.reshape(*x.shape, *[1] * (4 - x.ndim))
    x = sprinkled(x, seed) if seed % 2 else x
    (given_x,) = tensors(x)
    expected = T.adaptive_avg_pool2d(given_x, 1)
    out = F.global_avg_pool2d(x)
    assert_near(out, expected.detach().numpy())
    grad_out = upstream(out)
    shape_of_x = np.broadcast_to(x.dtype.type(0), x.shape)
    assert_near(F.global_avg_pool2d_backward(grad_out, shape_of_x), *gradients(expected, grad_out, given_x))
