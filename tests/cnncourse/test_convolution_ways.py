"""Convolution whichever way it goes: by blocks, by Winograd's transforms, directly; with any number of threads."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import tracemalloc

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cnncourse import config
from cnncourse import functional as F
from cnncourse.functional.demand import conv2d_demand
from cnncourse.kernels import ways
from cnncourse.machinery import threads as kernel_threads
from tests.cnncourse.randomly import many

MIB = 1 << 20


@pytest.fixture(autouse=True)
def number_of_threads():
    """Set back what a test sets."""
    before = config.get_num_threads()
    yield
    config.set_num_threads(before)


def twin(x, weight, bias, stride, padding, dilation, groups):
    """Convolution as one sum over all windows, in double precision; padding is ((top, bottom), (left, right))."""
    x, weight = x.astype(np.float64), weight.astype(np.float64)
    x = np.pad(x, ((0, 0), (0, 0), *padding))
    extent = [d * (k - 1) + 1 for k, d in zip(weight.shape[2:], dilation, strict=True)]
    found = np.lib.stride_tricks.sliding_window_view(x, extent, axis=(2, 3))
    found = found[:, :, ::stride[0], ::stride[1], ::dilation[0], ::dilation[1]]
    parts = [np.einsum("nchwrs,kcrs->nkhw", one, two, optimize=True)
             for one, two in zip(np.split(found, groups, 1), np.split(weight, groups), strict=True)]
    return np.concatenate(parts, axis=1) + bias.astype(np.float64)[:, None, None]


def assert_matches(found, expected, tolerance):
    assert found.shape == expected.shape
    assert np.abs(found - expected).max(initial=0) <= tolerance * max(np.abs(expected).max(initial=0), 1)


def drawn(seed, dtype, batch, channels, size, filters, kernel, groups=1):
    rng = np.random.default_rng(seed)
    shapes = (batch, channels, *size), (filters, channels // groups, *kernel), (filters,)
    return tuple(rng.standard_normal(shape).astype(dtype) for shape in shapes)


sides = st.tuples(st.integers(0, 4), st.integers(0, 4))


@settings(many, max_examples=max(many.max_examples // 2, 10))
@given(seed=st.integers(0, 2 ** 32), dtype=st.sampled_from([np.float32, np.float64]), threads=st.integers(1, 3),
       batch=st.integers(1, 4), groups=st.sampled_from([1, 1, 1, 2, 3]), depth=st.integers(1, 40),
       per_group=st.integers(1, 40), size=st.tuples(st.integers(1, 24), st.integers(1, 24)),
       kernel=st.tuples(st.integers(1, 7), st.integers(1, 7)) | st.sampled_from([(1, 1), (3, 3), (5, 5)]),
       stride=st.tuples(st.integers(1, 4), st.integers(1, 4)), padding=st.tuples(sides, sides),
       dilation=st.tuples(st.integers(1, 3), st.integers(1, 3)) | st.just((1, 1)))
def test_many_channels_filters_and_threads(
        seed, dtype, threads, batch, groups, depth, per_group, size, kernel, stride, padding, dilation):
    assume(all(d * (k - 1) + 1 <= n + sum(p) for n, k, p, d in zip(size, kernel, padding, dilation, strict=True)))
    config.set_num_threads(threads)
    x, weight, bias = drawn(seed, dtype, batch, groups * depth, size, groups * per_group, kernel, groups)
    given_settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    tolerance = 2e-5 if dtype == np.float32 else 1e-13
    out = F.conv2d(x, weight, bias, **given_settings)
    assert_matches(out, twin(x, weight, bias, stride, padding, dilation, groups), tolerance)
    # The gradients are the transposed maps: against any direction, both sides of the scalar product agree.
    rng = np.random.default_rng(seed)
    grad_out, toward_x, toward_weight = (rng.standard_normal(a.shape).astype(dtype) for a in (out, x, weight))
    grad_x, grad_weight, grad_bias = F.conv2d_backward(grad_out, x, weight, **given_settings)
    nothing = np.zeros(len(weight))
    for grad, toward, moved in (
            (grad_x, toward_x, twin(toward_x, weight, nothing, stride, padding, dilation, groups)),
            (grad_weight, toward_weight, twin(x, toward_weight, nothing, stride, padding, dilation, groups))):
        terms = grad_out.astype(np.float64) * moved
        difference = np.sum(grad.astype(np.float64) * toward) - terms.sum()
        assert abs(difference) <= tolerance * np.sqrt(terms.size) * max(np.abs(terms).max(), 1)
    assert_matches(grad_bias, grad_out.sum(axis=(0, 2, 3), dtype=np.float64), tolerance)


@pytest.mark.parametrize("filters", [1, 2, 33])
@pytest.mark.parametrize("size", [(9, 15), (12, 16), (13, 19)])
@pytest.mark.parametrize("batch", [1, 3])
def test_one_by_one_kernels_where_pictures_meet_within_a_tile(batch, size, filters):
    x, weight, bias = drawn(0, np.float32, batch, 5, size, filters, (1, 1))
    assert_matches(F.conv2d(x, weight, bias), twin(x, weight, bias, (1, 1), ((0, 0), (0, 0)), (1, 1), 1), 1e-6)


WINOGRAD = [  # batch, channels, size, filters, padding
    (1, 64, (32, 28), 64, ((1, 1), (1, 1))),
    (3, 40, (21, 35), 72, ((0, 0), (0, 0))),
    (2, 33, (30, 37), 50, ((2, 2), (0, 3))),
    (1, 48, (64, 18), 96, ((4, 0), (3, 4))),
    (5, 128, (14, 14), 130, ((1, 1), (1, 1))),
]


def taken_by_winograd(case):
    """Arguments for which Winograd's way is taken, in both directions."""
    batch, channels, size, filters, padding = case
    x, weight, bias = drawn(1, np.float32, batch, channels, size, filters, (3, 3))
    out = twin(x, weight, bias, (1, 1), padding, (1, 1), 1)
    for result in (out, x):
        assert ways._winograd_pays(weight, result, (1, 1), (1, 1), 1)
    return x, weight, bias, padding, out


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("case", WINOGRAD)
def test_winograd_rounds_little_more_than_plain_sums(case, threads):
    config.set_num_threads(threads)
    x, weight, bias, padding, expected = taken_by_winograd(case)
    out = F.conv2d(x, weight, bias, padding=padding)
    assert_matches(out, expected, 5e-6)
    with config.exact():
        plain = F.conv2d(x, weight, bias, padding=padding)
    assert_matches(plain, expected, 2e-6)
    assert not np.array_equal(out, plain)  # else the way was not taken
    grad_out = np.random.default_rng(2).standard_normal(out.shape, np.float32)
    found = F.conv2d_backward(grad_out, x, weight, padding=padding)
    wide = (array.astype(np.float64) for array in (grad_out, x, weight))
    for one, other in zip(found, F.conv2d_backward(*wide, padding=padding), strict=True):
        assert_matches(one, other, 1e-5)


@pytest.mark.parametrize("case", [
    (1, 128, (14, 14), 128, ((1, 1), (1, 1))), (1, 256, (12, 17), 64, ((1, 1), (0, 1)))])
def test_what_is_left_in_memory_does_not_keep_winograd_away(case):
    """Fewer tiles than fit into a strip: the rest of it is never written."""
    config.set_num_threads(1)
    x, weight, bias, padding, expected = taken_by_winograd(case)
    F.conv2d(x, weight, bias, padding=padding)
    for left in kernel_threads._kept.memory.values():
        left[:] = 255  # NaN, whichever way one looks at it
    out = F.conv2d(x, weight, bias, padding=padding)
    assert_matches(out, expected, 5e-6)
    with config.exact():
        assert not np.array_equal(out, F.conv2d(x, weight, bias, padding=padding))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
def test_winograd_does_not_spread_what_is_not_finite(value):
    x, weight, bias, padding, _ = taken_by_winograd(WINOGRAD[0])
    x[0, 3, 9, 13] = value
    with np.errstate(all="ignore"):
        out = F.conv2d(x, weight, bias, padding=padding)
    beyond = np.ones(out.shape[2:], bool)
    beyond[8:11, 12:15] = False
    assert np.isfinite(out[:, :, beyond]).all()
    if not np.isfinite(value):
        assert not np.isfinite(out[:, :, ~beyond]).any()


def test_weights_that_are_not_finite_spoil_their_own_filter_only():
    x, weight, bias, padding, _ = taken_by_winograd(WINOGRAD[0])
    weight[5, 2, 1, 1] = np.nan
    out = F.conv2d(x, weight, bias, padding=padding)
    assert np.isnan(out[:, 5]).all()
    assert np.isfinite(np.delete(out, 5, axis=1)).all()


CASES = {
    "by blocks": ((2, 24, (19, 17), 30, (5, 5)), {"stride": (2, 1), "padding": 2}),
    "one by one": ((2, 96, (14, 14), 70, (1, 1)), {}),
    "winograd": ((2, 64, (30, 30), 64, (3, 3)), {"padding": 1}),
    "depthwise": ((2, 24, (40, 40), 24, (3, 3), 24), {"padding": 1, "groups": 24}),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CASES)
def test_each_run_gives_the_same_bits_and_each_number_of_threads_the_same_but_rounding(name, dtype):
    shapes, given_settings = CASES[name]
    x, weight, bias = drawn(3, dtype, *shapes)

    def everything():
        out = F.conv2d(x, weight, bias, **given_settings)
        return out, *F.conv2d_backward(out, x, weight, **given_settings)

    found = {}
    for threads in (1, 2, 5):
        config.set_num_threads(threads)
        found[threads] = everything()
        for once, again in zip(found[threads], everything(), strict=True):
            assert once.tobytes() == again.tobytes()
    for one, two, five in zip(*found.values(), strict=True):
        assert_matches(two, one, 1e-5 if dtype == np.float32 else 1e-13)
        assert_matches(five, one, 1e-5 if dtype == np.float32 else 1e-13)


def test_several_threads_may_call_at_once():
    config.set_num_threads(2)
    arguments = [drawn(seed, np.float32, 1, 32, (30, 30), 32, (3, 3)) for seed in range(4)]
    expected = [F.conv2d(*one, padding=1) for one in arguments]
    wrong = []

    def work(index):
        for _ in range(20):
            if not np.array_equal(F.conv2d(*arguments[index], padding=1), expected[index]):
                wrong.append(index)

    callers = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not wrong


LARGE = {
    "deep, 3x3": ((4, 512, (28, 28), 512, (3, 3)), {"padding": 1}),
    "large maps, 3x3": ((2, 64, (112, 112), 64, (3, 3)), {"padding": 1}),
    "first layer": ((8, 3, (224, 224), 64, (7, 7)), {"stride": 2, "padding": 3}),
    "a fully connected layer": ((2, 256, (7, 7), 2048, (7, 7)), {}),
    "many filters": ((8, 256, (32, 32), 2048, (3, 3)), {"padding": 1}),
    "one by one, deep": ((2, 2048, (7, 7), 4096, (1, 1)), {}),
}


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 8, 32])
@pytest.mark.parametrize("name", LARGE)
def test_a_convolution_takes_at_most_64_mib_beyond_its_results(name, threads):
    shapes, given_settings = LARGE[name]
    config.set_num_threads(threads)
    x, weight, bias = drawn(4, np.float32, *shapes)
    out = F.conv2d(x, weight, bias, **given_settings)

    def beyond(operation):
        tracemalloc.start()
        try:
            results = operation()
            return tracemalloc.get_traced_memory()[1] - sum(result.nbytes for result in results)
        finally:
            tracemalloc.stop()

    # What threads keep from one call to the next counts too, however many there are.
    for backward in (False, True):
        demand = conv2d_demand(x.shape, weight.shape, x.dtype, backward=backward, **given_settings)
        assert sum(demand.standing.values()) + demand.passing <= 64 * MIB
    assert beyond(lambda: (F.conv2d(x, weight, bias, **given_settings),)) <= 64 * MIB
    assert beyond(lambda: F.conv2d_backward(out, x, weight, **given_settings)) <= 64 * MIB


OTHER_MACHINE = """
import llvmlite.binding as binding
real = binding.get_host_cpu_features()
class Features(type(real)):
    def get(self, name, default=None):
        return {features!r}.get(name, super().get(name, default))
binding.get_host_cpu_features = lambda: Features(real)
from cnncourse.machinery import tiles
assert (tiles.VECTOR_BYTES, tiles.ROWS) == {expected!r}
import sys, pytest
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:xdist", {file!r}, "-k",
                      "many_channels or rounds_little or meet_within"]))
"""


@pytest.mark.slow
@pytest.mark.skipif(os.environ.get("CNNCOURSE_OTHER_MACHINE") == "1", reason="this is the other machine")
@pytest.mark.parametrize("features, expected", [
    ({"avx512f": True}, (64, 12)),
    ({"avx512f": False, "avx2": False}, (16, 6)),
])
def test_vectors_of_other_machines(features, expected, tmp_path):
    program = OTHER_MACHINE.format(features=features, expected=expected, file=__file__)
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "CNNCOURSE_OTHER_MACHINE": "1",
                   "CNNCOURSE_EXAMPLES": "30"}
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-1000:]
