"""Random settings and arrays for the tests of the reference, and how near two results have to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from tests.effort import examples

many = settings(deadline=None, max_examples=examples(60))
"""How often a property is tried."""

DTYPES = (np.float32, np.float64)
TOLERANCE = {np.dtype(np.float32): 2e-5, np.dtype(np.float64): 1e-12}


@dataclass(frozen=True)
class Sliding:
    """Settings of a window and the sizes of what it slides over; pairs are (vertical, horizontal)."""

    size: tuple[int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[tuple[int, int], tuple[int, int]]
    dilation: tuple[int, int]
    ceil_mode: bool = False

    @property
    def given(self) -> dict[str, Any]:
        return {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}

    @property
    def even(self) -> tuple[int, int]:
        """Padding that is alike on both sides, as PyTorch takes it."""
        return self.padding[0][0], self.padding[1][0]


@st.composite
def _axis(draw: st.DrawFn, symmetric: bool, pooling: bool, dilated: bool, ceil_mode: bool) -> tuple[Any, ...]:
    kernel = draw(st.integers(1, 4))
    dilation = draw(st.integers(1, 3)) if dilated else 1
    extent = dilation * (kernel - 1) + 1
    most = kernel // 2 if pooling else 3
    before = draw(st.integers(0, most))
    after = before if symmetric else draw(st.integers(0, most))
    stride = draw(st.integers(1, 5))
    # Rounded up, there is one position even where the window is larger than the padded input by less than a stride.
    size = extent - before - after + draw(st.integers(1 - stride if ceil_mode else 0, 6))
    return max(1, size), kernel, stride, (before, after), dilation


@st.composite
def sliding(
    draw: st.DrawFn, symmetric: bool = False, pooling: bool = False, dilated: bool = True, ceil_mode: bool | None = None
) -> Sliding:
    """A window that fits: even and odd kernels, strides beyond the kernel, padding up to three, axes that differ."""
    if ceil_mode is None:
        ceil_mode = pooling and draw(st.booleans())
    vertical, horizontal = (draw(_axis(symmetric, pooling, dilated, ceil_mode)) for _ in range(2))
    size, kernel, stride, padding, dilation = zip(vertical, horizontal, strict=True)
    return Sliding(size, kernel, stride, padding, dilation, ceil_mode)


@dataclass(frozen=True)
class Convolution:
    """Arguments of a convolution that fit each other."""

    x: np.ndarray
    weight: np.ndarray
    bias: np.ndarray
    sliding: Sliding
    groups: int

    @property
    def given(self) -> dict[str, Any]:
        return {**self.sliding.given, "groups": self.groups}


@st.composite
def convolutions(
    draw: st.DrawFn, dtypes: tuple[type, ...] = DTYPES, smallest_batch: int = 0, dilated: bool = True
) -> Convolution:
    """Batches of up to two, groups of up to three with up to three channels and filters each."""
    found = draw(sliding(dilated=dilated))
    groups, depth, filters = (draw(st.integers(1, 3)) for _ in range(3))
    batch = draw(st.integers(smallest_batch, 2))
    rng, dtype = np.random.default_rng(draw(st.integers(0, 2**32))), draw(st.sampled_from(dtypes))
    x: np.ndarray = rng.standard_normal((batch, groups * depth, *found.size)).astype(dtype)
    weight: np.ndarray = rng.standard_normal((groups * filters, depth, *found.kernel)).astype(dtype)
    return Convolution(x, weight, rng.standard_normal(len(weight)).astype(dtype), found, groups)


@st.composite
def planes(draw: st.DrawFn, found: Sliding, dtypes: tuple[type, ...] = DTYPES) -> np.ndarray:
    """Up to two samples of up to three channels; half of the time whole numbers, so that many are equal."""
    rng, dtype = np.random.default_rng(draw(st.integers(0, 2**32))), draw(st.sampled_from(dtypes))
    x = rng.standard_normal((draw(st.integers(0, 2)), draw(st.integers(1, 3)), *found.size)) * 2
    rounded: np.ndarray = np.round(x) if draw(st.booleans()) else x
    return rounded.astype(dtype)


def upstream(out: np.ndarray) -> np.ndarray:
    """A gradient for an output: no two entries alike, both signs."""
    return np.random.default_rng(out.size).standard_normal(out.shape).astype(out.dtype)


def assert_near(given: np.ndarray, expected: np.ndarray, dtype: Any = None, factor: float = 1) -> None:
    """Equal but for rounding, measured by the largest expected value; NaN and infinities in the same places."""
    assert given.shape == expected.shape
    limit = factor * TOLERANCE[np.dtype(dtype or given.dtype)]
    finite = np.abs(expected[np.isfinite(expected)])
    np.testing.assert_allclose(given, expected, rtol=0, atol=limit * max(finite.max(initial=0), 1))
