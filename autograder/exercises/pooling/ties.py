"""Gradients of max pooling where maxima are tied: which ones are right, and which right one is nearest.

A window hands its gradient to its maximum. Where several entries share the maximum, any way of dividing the gradient
among them is right, as long as no share is negative and the shares add up to the whole: the first one gets all, the
last one, each the same, or anything in between (these are the subgradients of the maximum). Where windows overlap, an
entry can get shares of several windows, and only their sum is seen. Whether shares exist that add up to what somebody
computed is a question of flows: from windows through their tied entries to what is wanted there, and the other way
round where signs are negative. The largest flow gives the shares whose sums differ least, in total, from
what was given; what does not get through is the difference, once on each side. The sum of differences, rather than of
their squares, keeps what is right exactly as it was given and leaves the rest of the difference on the entries that are
wrong.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.exercises.pooling.common import Pair, folded, places, unfolded
from cnncourse import functional as F

NOTHING = 1e-13
"""What is less of the largest number is rounding."""


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
    whole_sum = np.abs(gradients).sum()
    wanted = np.clip(wanted, -whole_sum, whole_sum)  # no entry can get more, so the nearest shares stay the same
    window, entry = np.nonzero(tied)
    touched, row = np.unique(where[window, entry], return_inverse=True)
    # Nodes are the windows, the entries, where flow comes from, and where it goes to.
    windows, entries = np.arange(len(gradients)), len(gradients) + np.arange(len(touched))
    source, sink = len(gradients) + len(touched), len(gradients) + len(touched) + 1
    room = np.zeros((sink + 1, sink + 1))
    room[source, windows], room[windows, sink] = np.maximum(gradients, 0), np.maximum(-gradients, 0)
    room[entries, sink], room[source, entries] = np.maximum(wanted[touched], 0), np.maximum(-wanted[touched], 0)
    upwards = gradients[window] > 0
    room[window[upwards], entries[row[upwards]]] = np.inf
    room[entries[row[~upwards]], window[~upwards]] = np.inf
    left = _most_flow(room, source, sink)
    # What has flowed can flow back; what is left of a window goes to the first of its entries, as in the reference.
    sent = np.where(upwards, left[entries[row], window], -left[window, entries[row]])
    sent[np.unique(window, return_index=True)[1]] += gradients - np.bincount(window, sent, len(gradients))
    out = np.zeros_like(wanted)
    out[touched] = np.bincount(row, sent, len(touched))
    return out


def _most_flow(room: np.ndarray, source: int, sink: int) -> np.ndarray:
    """The room that the largest flow between two nodes leaves, always by a shortest way (Edmonds and Karp, 1972)."""
    left = room.copy()
    least = NOTHING * room[np.isfinite(room)].max()
    while True:
        before = np.full(len(left), -1)
        before[source] = source
        reached = [source]
        for node in reached:
            new = np.flatnonzero((left[node] > least) & (before < 0))
            before[new] = node
            reached += new.tolist()
        if before[sink] < 0:
            return left
        way = [sink]
        while way[-1] != source:
            way.append(int(before[way[-1]]))
        to, start = np.array(way[:-1]), np.array(way[1:])
        amount = left[start, to].min()
        left[start, to] -= amount
        left[to, start] += amount


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
