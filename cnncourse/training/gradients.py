"""Is a gradient right? Move one number up and down, and see how the output follows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncourse.errors import ArgumentError, ArrayTypeError, ShapeError
from cnncourse.functional.arguments import Array

Function = Callable[[Array], Any]

STEP = float(np.cbrt(np.finfo(np.float64).eps))
"""Where cutting off the series, of order h^2, and rounding, of order eps / h, weigh the same."""

NEGLIGIBLE = 1e-3
"""Entries smaller than this part of the largest one are measured by it: their own digits drown in the rounding."""


@dataclass(frozen=True)
class GradientCheck:
    """What came out of a check; `str` says it in a sentence.

    Attributes
    ----------
    error : float
        Largest relative error; infinity where either side is not a number.
    where : tuple of int
        Where it is.
    given, numerical : float
        The two gradients there.
    checked, entries : int
        How many entries were tried, and how many there are.
    kinks : int
        How many of those tried lie at a kink, where a function has no slope but one on either side; anything between
        the two is right there.
    tolerance : float
    """

    error: float
    where: tuple[int, ...]
    given: float
    numerical: float
    checked: int
    entries: int
    kinks: int
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether no entry is off by more than the tolerance."""
        return self.error <= self.tolerance

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        kinks = f"; {self.kinks} at a kink" if self.kinks else ""
        share = f"{self.checked} of {self.entries} entries"
        place = f"at {self.where}: {self.given:.8g} was given, differences say {self.numerical:.8g}"
        if self.passed:
            return f"right: {share}, largest relative error {self.error:.1e}{kinks}"
        return f"wrong: relative error {self.error:.1e} {place} ({share}, {self.tolerance:g} is allowed{kinks})"


def numerical_gradient(function: Function, x: Array, grad_out: Array | None = None, *, step: float = STEP) -> Array:
    """Gradient by central differences, one entry after the other: slow, and right for any smooth function.

    Parameters
    ----------
    function : callable
        Takes an array like x; returns a number or an array.
    x : ndarray of any shape
        Computed with in double precision.
    grad_out : ndarray, shape of what the function returns, optional
        Gradient of a loss with respect to that; needed where it is not a single number.
    step : float, optional
        Times max(1, |x|): how far each entry is moved.

    Returns
    -------
    ndarray, shape of x, float64

    Raises
    ------
    ShapeError
        If the function returns an array and `grad_out` does not have its shape.
    ArrayTypeError
        If the function computes in single precision, where differences drown in rounding.

    Notes
    -----
    (f(x + h) - f(x - h)) / 2h, where what is summed up are differences weighted by `grad_out`, not weighted outputs:
    outputs that an entry does not touch then add nothing, not even rounding.
    """
    x = np.array(x, np.float64)
    slopes = _Slopes(function, x, grad_out)
    found = [slopes.central(index, step)[0] for index in np.ndindex(x.shape)]
    return np.array(found, np.float64).reshape(x.shape)


def check_gradient(
    function: Function, gradient: Array | Callable[..., Array], x: Array, grad_out: Array | None = None, *,
    samples: int = 500, tolerance: float = 1e-6, step: float = STEP, seed: int = 0,
) -> GradientCheck:
    """Compare a gradient with central differences.

    Parameters
    ----------
    function : callable
        Takes an array like x; returns a number or an array.
    gradient : callable or ndarray
        gradient(x) if the function returns a number, and gradient(grad_out, x) if it returns an array, as all
        backward functions of this package are called; or the gradient itself.
    x : ndarray of any shape
        Computed with in double precision.
    grad_out : ndarray, optional
        Random numbers by default, which tell more than ones: with those, mistakes in different places may cancel.
    samples : int, optional
        How many entries are tried; if there are more, they are drawn.
    tolerance : float, optional
        Largest relative error that passes.
    step : float, optional
        As in `numerical_gradient`.
    seed : int, optional
        For what is drawn.

    Returns
    -------
    GradientCheck

    Raises
    ------
    ShapeError
        If the gradient does not have the shape of x, or `grad_out` not that of the output.
    ArrayTypeError
        If the function computes in single precision.
    ArgumentError
        If a gradient given as an array leaves open of what, because the function returns an array and there is no
        `grad_out`; or there is nothing to try.

    Notes
    -----
    The error of an entry is |given - numerical| over the larger of the two; or over a thousandth of the largest entry
    tried, or what rounding leaves undecided, if that is more. Where they differ, slopes on either side are compared at
    h and at h / 2. If they do not approach each other, or the central slope changes, there is a kink within h, such as
    that of ReLU at 0 or of maximum pooling at equal inputs, and any gradient between the two slopes is right.

    Examples
    --------
    >>> from cnncourse import functional as F
    >>> x = np.linspace(-2, 3, 12).reshape(3, 4)
    >>> print(check_gradient(lambda x: np.sum(x ** 3), lambda x: 3 * x ** 2, x).passed)
    True
    """
    x = np.array(x, np.float64)
    if samples < 1 or not x.size:
        raise ArgumentError(f"check_gradient: x and samples have to be at least one number; x has {x.size}, samples "
                            f"is {samples}")
    rng = np.random.default_rng(seed)
    out = np.asarray(function(x.copy()))
    if grad_out is None and out.ndim:
        if not callable(gradient):
            raise ArgumentError(f"check_gradient: the function returns an array of shape {out.shape}; grad_out has to "
                                "say of which loss the gradient was taken")
        grad_out = rng.standard_normal(out.shape)
    if callable(gradient):
        gradient = gradient(x.copy()) if grad_out is None else gradient(grad_out.copy(), x.copy())
    given = np.asarray(gradient, np.float64)
    if given.shape != x.shape:
        raise ShapeError(f"check_gradient: the gradient has shape {given.shape} and x {x.shape}; each entry of x has "
                         "one")
    chosen = np.arange(x.size) if x.size <= samples else np.sort(rng.choice(x.size, samples, replace=False))
    return _compare(_Slopes(function, x, grad_out), given, chosen, tolerance, step)


class _Slopes:
    """How much the weighted output of a function changes if one entry of x moves."""

    def __init__(self, function: Function, x: Array, grad_out: Array | None) -> None:
        self._function = function
        self._x = x
        self._grad_out = np.ones(()) if grad_out is None else np.asarray(grad_out, np.float64)

    def between(self, index: tuple[int, ...], low: float, high: float) -> tuple[float, float]:
        """The slope from x + low to x + high along one axis, and how far rounding of the outputs may move it."""
        (start, below), (end, above) = self._moved(index, low), self._moved(index, high)
        with np.errstate(invalid="ignore", over="ignore"):
            change = (above - below) * self._grad_out
            sizes = np.abs(above * self._grad_out) + np.abs(below * self._grad_out)
            # Outputs that stay the same say that there is no slope, if others move; else it may be too small to see.
            unsure = sizes[above != below].sum() or sizes.max(initial=0)
            width = end - start
            return float(change.sum() / width), float(np.finfo(np.float64).eps * unsure / width)

    def central(self, index: tuple[int, ...], step: float) -> tuple[float, float]:
        """The slope across x."""
        reach = step * max(1.0, abs(float(self._x[index])))
        return self.between(index, -reach, reach)

    def sides(self, index: tuple[int, ...], step: float) -> tuple[float, float]:
        """The slopes to the left and to the right."""
        reach = step * max(1.0, abs(float(self._x[index])))
        return self.between(index, -reach, 0)[0], self.between(index, 0, reach)[0]

    def _moved(self, index: tuple[int, ...], by: float) -> tuple[float, Array]:
        x = self._x.copy()  # the function may write to it
        x[index] += by
        place = float(x[index])
        out = np.asarray(self._function(x))
        if out.dtype != np.float64:
            raise ArrayTypeError(f"the function was given float64 and returned {out.dtype}; in anything but double "
                                 "precision differences drown in rounding")
        if out.shape != self._grad_out.shape:
            raise ShapeError(f"the function returns an array of shape {out.shape}; grad_out has to have that shape, "
                             f"its shape is {self._grad_out.shape}")
        return place, out


def _compare(
    slopes: _Slopes, given: Array, chosen: NDArray[np.intp], tolerance: float, step: float
) -> GradientCheck:
    """Compare the chosen entries, and look twice at those that differ."""
    places = [tuple(map(int, np.unravel_index(number, given.shape))) for number in chosen]
    found = [(float(given[place]), *slopes.central(place, step)) for place in places]
    sizes = [max(abs(ours), abs(theirs)) for ours, theirs, _ in found]
    floor = NEGLIGIBLE * max((size for size in sizes if math.isfinite(size)), default=0.0)
    worst, kinks = (0.0, places[0], *found[0][:2]), 0
    for place, (ours, theirs, rounding) in zip(places, found, strict=True):
        least = max(floor, rounding / tolerance)
        error = _relative(ours, theirs, least)
        if error > tolerance and (bounds := _kink(slopes, place, theirs, least, tolerance, step)):
            kinks += 1
            error = _relative(ours, min(max(ours, bounds[0]), bounds[1]), least)
        if error > worst[0]:
            worst = (error, place, ours, theirs)
    return GradientCheck(*worst, len(places), given.size, kinks, tolerance)


def _kink(
    slopes: _Slopes, place: tuple[int, ...], across: float, least: float, tolerance: float, step: float
) -> tuple[float, float] | None:
    """The smallest and the largest slope around an entry, if it lies at a kink."""
    left, right = slopes.sides(place, step)
    near_left, near_right = slopes.sides(place, step / 2)
    # Where there is a second derivative, halving the step halves how much the two sides differ.
    stays = abs(near_right - near_left) > 0.75 * abs(right - left)
    parted = stays and _relative(near_left, near_right, least) > tolerance
    moved = _relative(across, (near_left + near_right) / 2, least) > tolerance
    sides = left, right, near_left, near_right
    return (min(sides), max(sides)) if (parted or moved) and all(map(math.isfinite, sides)) else None


def _relative(first: float, second: float, least: float) -> float:
    if not (math.isfinite(first) and math.isfinite(second)):
        return math.inf
    return abs(first - second) / max(abs(first), abs(second), least) if first != second else 0.0
