"""The operations against PyTorch on random settings: shapes, values, gradients, indices, ties, rounding up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncourse import functional as F
from tests.effort import examples
from tests.needs import peer

torch = peer("torch")
pytestmark = pytest.mark.peer
EXAMPLES = settings(max_examples=examples(150), deadline=None)
TOLERANCE = {np.dtype(np.float32): 2e-6, np.dtype(np.float64): 1e-14}
DTYPES = st.sampled_from([np.float32, np.float64])
SEEDS = st.integers(0, 2 ** 32 - 1)


def pairs(low: int, high: int):
    return st.tuples(st.integers(low, high), st.integers(low, high))


def assert_close(ours, theirs, summed: float = 0.0) -> None:
    """Equal to rounding, relative to the largest value; or to what was summed, where terms may cancel."""
    theirs = theirs.detach().numpy()
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    assert np.array_equal(np.isnan(ours), np.isnan(theirs))
    finite = np.isfinite(theirs)
    assert np.array_equal(ours[~finite], theirs[~finite], equal_nan=True)
    scale = np.abs(theirs[finite]).max(initial=max(summed, 1e-30))
    assert np.abs(ours[finite] - theirs[finite]).max(initial=0) <= TOLERANCE[ours.dtype] * scale


def tensor(array):
    return torch.tensor(array, requires_grad=True)


@EXAMPLES
@given(dtype=DTYPES, seed=SEEDS, samples=st.integers(1, 3), groups=st.integers(1, 3), per_group=pairs(1, 3),
       size=pairs(1, 12), kernel=pairs(1, 5), stride=pairs(1, 4), padding=pairs(0, 3), dilation=pairs(1, 3),
       biased=st.booleans())
def test_convolution_and_its_gradients(dtype, seed, samples, groups, per_group, size, kernel, stride, padding, dilation,
                                       biased):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((samples, groups * per_group[0], *size)).astype(dtype)
    weight = rng.standard_normal((groups * per_group[1], per_group[0], *kernel)).astype(dtype)
    bias = rng.standard_normal(len(weight)).astype(dtype) if biased else None
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    inputs = tensor(x), tensor(weight), None if bias is None else tensor(bias)
    if any(d * (k - 1) + 1 > n + 2 * p for n, k, p, d in zip(size, kernel, padding, dilation, strict=True)):
        with pytest.raises(ValueError, match="does not fit"):
            F.conv2d(x, weight, bias, **options)
        return
    theirs = torch.nn.functional.conv2d(*inputs, **options)
    terms = F.conv2d(np.abs(x), np.abs(weight), None if bias is None else np.abs(bias), **options)
    assert_close(F.conv2d(x, weight, bias, **options), theirs, summed=terms.max(initial=0))
    grad_out = rng.standard_normal(theirs.shape).astype(dtype)
    theirs.backward(torch.tensor(grad_out))
    gradients = F.conv2d_backward(grad_out, x, weight, **options)
    for ours, other in zip(gradients, inputs, strict=True):
        if other is not None:
            assert_close(ours, other.grad, summed=np.abs(grad_out).sum(axis=(0, 2, 3)).max())


POOLS = {"dtype": DTYPES, "seed": SEEDS, "size": pairs(1, 12), "kernel": pairs(1, 5),
         "stride": st.none() | pairs(1, 4), "ceil_mode": st.booleans(), "data": st.data()}


def pool_input(seed, size, dtype):
    """Halves, so that there are ties, of both signs."""
    return (np.random.default_rng(seed).integers(-4, 5, (2, 2, *size)) / 2).astype(dtype)


def half(data, kernel, dilation=(1, 1)):
    return tuple(data.draw(st.integers(0, (d * (k - 1) + 1) // 2)) for k, d in zip(kernel, dilation, strict=True))


def compare_pools(x, ours, theirs, backward, seed):
    """Both refuse, or both agree, gradients included."""
    other = tensor(x)
    try:
        out = theirs(other)
    except RuntimeError:
        with pytest.raises(ValueError):
            ours(x)
        return
    mine = ours(x)
    assert_close(mine, out)
    # Where dilation steps over the whole input PyTorch's own index lies outside of the plane, and its backward pass
    # writes there.
    if backward is not None and not np.isinf(mine).any():
        grad_out = np.random.default_rng(seed).standard_normal(mine.shape).astype(x.dtype)
        out.backward(torch.tensor(grad_out))
        assert_close(backward(grad_out, x), other.grad, summed=np.abs(grad_out).max(initial=0))


@EXAMPLES
@given(dilation=pairs(1, 3), **POOLS)
def test_max_pooling_its_indices_and_its_gradient(dtype, seed, size, kernel, stride, ceil_mode, dilation, data):
    x, padding = pool_input(seed, size, dtype), half(data, kernel, dilation)
    more = {"dilation": dilation, "ceil_mode": ceil_mode}
    compare_pools(x, lambda x: F.max_pool2d(x, kernel, stride, padding, **more),
                  lambda x: torch.nn.functional.max_pool2d(x, kernel, stride, padding, **more),
                  lambda g, x: F.max_pool2d_backward(g, x, kernel, stride, padding, **more), seed)
    try:
        out, indices = F.max_pool2d(x, kernel, stride, padding, return_indices=True, **more)
    except ValueError:
        return
    if not np.isinf(out).any():
        theirs = torch.nn.functional.max_pool2d(torch.tensor(x), kernel, stride, padding, return_indices=True, **more)
        assert np.array_equal(indices, theirs[1].numpy())


@EXAMPLES
@given(count_include_pad=st.booleans(), **POOLS)
def test_average_pooling_and_its_gradient(dtype, seed, size, kernel, stride, ceil_mode, count_include_pad, data):
    x, padding = pool_input(seed, size, dtype), half(data, kernel)
    more = {"ceil_mode": ceil_mode, "count_include_pad": count_include_pad}
    compare_pools(x, lambda x: F.avg_pool2d(x, kernel, stride, padding, **more),
                  lambda x: torch.nn.functional.avg_pool2d(x, kernel, stride, padding, **more),
                  lambda g, x: F.avg_pool2d_backward(g, x, kernel, stride, padding, **more), seed)


@EXAMPLES
@given(norm_type=st.sampled_from([1.0, 2.0, 3.0, 2.5]), **POOLS)
def test_norm_pooling_and_its_gradient(dtype, seed, size, kernel, stride, ceil_mode, norm_type, data):
    x = np.abs(pool_input(seed, size, dtype)) + dtype(0.25)  # PyTorch has no gradient at a norm of zero
    compare_pools(x, lambda x: F.lp_pool2d(x, norm_type, kernel, stride, ceil_mode=ceil_mode),
                  lambda x: torch.nn.functional.lp_pool2d(x, norm_type, kernel, stride, ceil_mode=ceil_mode),
                  lambda g, x: F.lp_pool2d_backward(g, x, norm_type, kernel, stride, ceil_mode=ceil_mode), seed)


@EXAMPLES
@given(seed=SEEDS, dtype=DTYPES, size=pairs(2, 9), kernel=pairs(1, 3), stride=pairs(1, 3), padding=pairs(0, 2),
       dilation=pairs(1, 2))
def test_im2col_and_col2im(seed, dtype, size, kernel, stride, padding, dilation):
    x = np.random.default_rng(seed).standard_normal((2, 3, *size)).astype(dtype)
    more = {"stride": stride, "padding": padding, "dilation": dilation}
    try:
        theirs = torch.nn.functional.unfold(torch.tensor(x), kernel, dilation, padding, stride)
    except RuntimeError:
        with pytest.raises(ValueError):
            F.im2col(x, kernel, **more)
        return
    columns = F.im2col(x, kernel, **more)
    assert_close(columns, theirs)
    assert_close(F.col2im(columns, size, kernel, **more),
                 torch.nn.functional.fold(theirs, size, kernel, dilation, padding, stride))


@EXAMPLES
@given(seed=SEEDS, dtype=DTYPES, shape=st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(1, 6)))
def test_linear_relu_and_their_gradients(seed, dtype, shape):
    samples, features, outputs = shape
    rng = np.random.default_rng(seed)
    x, weight, bias, grad_out = (rng.standard_normal(s).astype(dtype) for s in (
        (samples, features), (outputs, features), (outputs,), (samples, outputs)))
    inputs = tensor(x), tensor(weight), tensor(bias)
    theirs = torch.nn.functional.linear(*inputs)
    terms = F.linear(np.abs(x), np.abs(weight), np.abs(bias)).max()
    assert_close(F.linear(x, weight, bias), theirs, summed=terms)
    activated = torch.relu(theirs)
    assert_close(F.relu(F.linear(x, weight, bias)), activated, summed=terms)
    activated.backward(torch.tensor(grad_out))
    gradients = F.linear_backward(F.relu_backward(grad_out, F.linear(x, weight, bias)), x, weight)
    terms = F.linear_backward(np.abs(grad_out), np.abs(x), np.abs(weight))
    for ours, other, summed in zip(gradients, inputs, terms, strict=True):
        assert_close(ours, other.grad, summed=summed.max())


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_go_the_same_way(value):
    x = np.arange(50.0).reshape(1, 2, 5, 5)
    x[0, 0, 2, 2] = value
    weight = np.ones((1, 2, 3, 3))
    assert_close(F.conv2d(x, weight), torch.nn.functional.conv2d(torch.tensor(x), torch.tensor(weight)))
    assert np.array_equal(F.max_pool2d(x, 2, 1), torch.nn.functional.max_pool2d(torch.tensor(x), 2, 1).numpy(),
                          equal_nan=True)
    assert np.array_equal(F.relu(x), torch.relu(torch.tensor(x)).numpy(), equal_nan=True)
