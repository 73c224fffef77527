"""Gradients of max pooling where maxima are tied: which ones are right, and which right one is nearest.

A window hands its gradient to its maximum. Where several entries share the maximum, any way of dividing the gradient
among them is right, as long as no share is negative and the shares add up to the whole: the first one gets all, the
last one, each the same, or anything in between (these are the subgradients of the maximum). Where windows overlap, an
entry can get shares of several windows, and only their sum is seen. Whether shares exist that add up to what somebody
computed is a linear program; the one solved here finds the shares whose sums differ least, in total, from what was
given. The sum of differences, rather than of their squares, keeps what is right exactly as it was given and leaves the
rest of the difference on the entries that are wrong.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.exercises.pooling.common import Pair, folded, places, unfolded
from cnncourse import functional as F

EXACT = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}


def nearest_gradient(given: Any, grad_out: np.ndarray, x: np.ndarray, kernel_size: Pair, stride: int) -> np.ndarray:
    """The right gradient of max pooling that differs least from a given one.

    Parameters
    ----------
    given : object
        What an answer returned.
    grad_out, x, kernel_size, stride
        As given to `max_pool2d_backward`.

    Returns
    -------
    ndarray, shape and dtype of x
        The reference's, which gives all to the first of tied entries, where `given` is no array of numbers.
    """
    expected = F.max_pool2d_backward(grad_out, x, kernel_size, stride)
    wanted = _real(given, x.shape)
    windows = unfolded(x, kernel_size, stride)
    tied = windows == windows.max(axis=-1, keepdims=True)
    open_windows = tied.sum(axis=-1) > 1
    if wanted is None or not open_windows.any():
        return expected
    height, width = x.shape[2:]
    where = places(width, grad_out.shape[2:], kernel_size, stride)
    settled = np.where(open_windows[..., None], 0, tied * grad_out[..., None].astype(np.float64))
    sums = folded(settled, where, (height, width)).reshape(*x.shape[:2], -1)
    for n, c in np.argwhere(open_windows.any(axis=(2, 3))):
        at = np.nonzero(open_windows[n, c])
        sums[n, c] += _shared(wanted[n, c].ravel() - sums[n, c], grad_out[n, c][at].astype(np.float64),
                              tied[n, c][at], where[at])
    return sums.reshape(x.shape).astype(x.dtype)


def _shared(wanted: np.ndarray, gradients: np.ndarray, tied: np.ndarray, where: np.ndarray) -> np.ndarray:
    """What some windows of one plane send when their shares are chosen to come near to what is wanted.

    Parameters
    ----------
    wanted : array of shape (H * W,)
    gradients : array of shape (windows,)
    tied, where : arrays of shape (windows, entries)
        Which entries of a window are its maxima, and where they lie in the plane.
    """
    from scipy.optimize import linprog  # takes a third of a second to import, which only those pay who need it

    scale = np.abs(gradients).max() or 1.0  # the solver's tolerances are absolute
    whole_sum = np.abs(gradients).sum()
    wanted = np.clip(wanted, -whole_sum, whole_sum)  # no entry can get more, so the nearest shares stay the same
    window, entry = np.nonzero(tied)
    touched, row = np.unique(where[window, entry], return_inverse=True)
    shares, entries = len(window), len(touched)
    # Unknown are the shares, and by how much each entry gets too little and too much.
    balance = np.zeros((entries + len(gradients), shares + 2 * entries))
    sent, whole = balance[:entries, :shares], balance[entries:, :shares]
    sent[row, np.arange(shares)] = gradients[window] / scale
    whole[window, np.arange(shares)] = 1
    balance[:entries, shares:] = np.hstack([np.eye(entries), -np.eye(entries)])
    solution = linprog(np.r_[np.zeros(shares), np.ones(2 * entries)], A_eq=balance,
                       b_eq=np.r_[wanted[touched] / scale, np.ones(len(gradients))], method="highs", options=EXACT)
    share = np.maximum(solution.x[:shares], 0) if solution.success else np.ones(shares)
    share /= np.bincount(window, share)[window]
    out = np.zeros_like(wanted)
    out[touched] = sent @ share * scale
    return out


def nearest_indices(
    given: Any, x: np.ndarray, kernel_size: Pair, stride: int, padding: int
) -> tuple[np.ndarray, np.ndarray]:
    """Maxima and their indices, with the given index wherever it names a maximum of its window."""
    out, indices = F.max_pool2d(x, kernel_size, stride, padding, return_indices=True)
    try:
        wanted = _real(given[1], indices.shape)
    except (TypeError, IndexError, KeyError):
        wanted = None
    if wanted is None:
        return out, indices
    height, width = x.shape[2:]
    inside = (wanted == np.floor(wanted)) & (wanted >= 0) & (wanted < height * width)
    flat = np.where(inside, wanted, 0).astype(np.int64)
    row, column = np.divmod(flat, width)
    top = np.arange(out.shape[2])[:, None] * stride - padding
    left = np.arange(out.shape[3]) * stride - padding
    inside &= (row >= top) & (row < top + kernel_size[0]) & (column >= left) & (column < left + kernel_size[1])
    values = np.take_along_axis(x.reshape(*x.shape[:2], -1), flat.reshape(*x.shape[:2], -1), axis=2)
    inside &= values.reshape(out.shape) == out
    return out, np.where(inside, flat, indices)


def _real(given: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    """As finite numbers of this shape, if it is anything like it."""
    try:
        array = np.asarray(given)
    except (ValueError, TypeError, OverflowError):
        return None
    if array.shape != shape or array.dtype.kind not in "biufc" or not np.isfinite(array).all():
        return None
    return np.real(array).astype(np.float64)
