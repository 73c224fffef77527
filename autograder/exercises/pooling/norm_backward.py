"""The way back through L2 pooling: each entry gets its share of the window's length."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.exercises.pooling.common import (
    FIRST_CHANNEL,
    FIRST_SAMPLE,
    NOT_IN_POSITION,
    NOTEBOOK,
    ONES,
    OVERWRITTEN,
    SQUARE_INPUTS,
    SQUARE_WINDOWS,
    STRIDE_IS_WINDOW,
    SWAPPED,
    Pair,
    folded,
    only,
    places,
    pooling_cases,
    unfolded,
)
from autograder.exercises.pooling.norm import EPSILONS, norm
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F


def _back(grad_out: np.ndarray, x: np.ndarray, kernel_size: Pair, stride: Any) -> np.ndarray:
    return F.lp_pool2d_backward(grad_out, x, 2, kernel_size, stride)


def _sent(
    entry: Callable[[np.ndarray, np.ndarray], np.ndarray], *, overwrite: bool = False, step: Any = None,
) -> Callable[..., np.ndarray]:
    """Each window sends its gradient times `entry(its entries, its norm)`; not a number where that is."""
    def backward(grad_out: np.ndarray, x: np.ndarray, kernel_size: Pair, stride: int) -> np.ndarray:
        rows, columns = grad_out.shape[2:]
        steps = stride if step is None else step(stride)
        windows = unfolded(x, kernel_size, steps)[:, :, :rows, :columns]
        norms = np.sqrt((windows**2).sum(axis=-1, keepdims=True))
        sent = (grad_out[..., None] * entry(windows, norms)).astype(x.dtype)
        where = places(x.shape[3], (rows, columns), kernel_size, steps)
        return folded(sent, where, x.shape[2:], overwrite=overwrite)
    return backward


def _ratio(windows: np.ndarray, norms: np.ndarray) -> np.ndarray:
    """The right factor."""
    return np.where(norms > 0, windows / np.where(norms > 0, norms, 1), 0)


def _guarded(epsilon: float, *, under_the_root: bool = False) -> Callable[..., np.ndarray]:
    """Divided by a norm with a small number added."""
    def entry(windows: np.ndarray, norms: np.ndarray) -> np.ndarray:
        small = windows.dtype.type(epsilon)
        return windows / (np.sqrt(norms**2 + small) if under_the_root else norms + small)
    return _sent(entry)


def _other_windows(block: Callable[[Pair, int], tuple[Pair, Pair]]) -> Callable[..., np.ndarray]:
    """Windows of another size or step, cut off at the border."""
    def backward(grad_out: np.ndarray, x: np.ndarray, kernel_size: Pair, stride: int) -> np.ndarray:
        out = np.zeros_like(x)
        (height, width), (down, across) = block(kernel_size, stride)
        for i, j in np.ndindex(grad_out.shape[2:]):
            at = (..., slice(i * down, i * down + height), slice(j * across, j * across + width))
            norms = np.sqrt((x[at]**2).sum(axis=(2, 3), keepdims=True))
            out[at] += grad_out[:, :, i:i + 1, j:j + 1] * _ratio(x[at], norms)
        return out
    return backward


def _one_norm(grad_out: np.ndarray, x: np.ndarray, kernel_size: Pair, stride: int) -> np.ndarray:
    """np.linalg.norm of a block of all samples and channels."""
    out = np.zeros_like(x)
    for i, j in np.ndindex(grad_out.shape[2:]):
        at = (..., slice(i * stride, i * stride + kernel_size[0]), slice(j * stride, j * stride + kernel_size[1]))
        out[at] += grad_out[:, :, i:i + 1, j:j + 1] * _ratio(x[at], np.sqrt((x[at]**2).sum()))
    return out


def _square(grad_out: np.ndarray, x: np.ndarray, kernel_size: Pair, stride: int) -> np.ndarray:
    """As many columns of windows as there are rows of them."""
    side, width = grad_out.shape[2:]
    if side > width:
        raise IndexError("index is out of bounds")
    kept = grad_out.copy()
    kept[..., side:] = 0
    return _back(kept, x, kernel_size, stride)


@exercise("l2_pool2d_backward", notebook=NOTEBOOK, points=3)
class L2Pool2dBackward:
    """Gradient of L2 pooling.

    grad_out has shape (N, C, OH, OW), x (N, C, H, W), kernel_size is (KH, KW); windows as in l2_pool2d_forward. Return
    an array of the shape of x: each window hands to each of its entries its gradient times the entry, divided by the
    window's norm; shares of overlapping windows are summed. A window whose norm is zero hands on nothing.
    """

    def l2_pool2d_backward(grad_out, x, kernel_size, stride):
        return _back(grad_out, x, kernel_size, stride)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        for case in pooling_cases(rng):
            x, kernel_size, stride = case.arguments
            if kernel_size == (1, 1):  # whoever adds a tiny number to the norm shall not fail by bad luck
                x = np.copysign(rng.uniform(0.5, 3, x.shape), x)
            grad_out = rng.standard_normal(norm(x, kernel_size, stride).shape).astype(x.dtype)
            yield Case(case.name, (grad_out, x, kernel_size, stride))
        x = rng.standard_normal((1, 2, 4, 6))
        x[:, :, :2, :2] = 0
        yield Case("a window of zeros", (rng.standard_normal((1, 2, 2, 3)), x, (2, 2), 2))
        x = rng.standard_normal((1, 2, 5, 6))
        x[:, :, 1:4, 2:5] = 0
        yield Case("overlapping windows of zeros", (rng.standard_normal((1, 2, 4, 5)), x, (2, 2), 1))
        yield Case("nothing but zeros", (rng.standard_normal((1, 1, 2, 3)), np.zeros((1, 1, 4, 6)), (2, 2), 2))

    misconceptions = (
        Misconception("divided by zero",
                      "A window of zeros has the norm zero, and 0 / 0 is not a number. At this point the norm has a "
                      "kink and no derivative; the agreement is that such a window sends nothing.",
                      _sent(lambda windows, norms: windows / norms)),
        Misconception("not divided by the norm",
                      "The root has a derivative of its own, which divides by the norm. Without it, an input of twice "
                      "the size would get twice the gradient.",
                      _sent(lambda windows, norms: windows), also=(_sent(lambda windows, norms: 2 * windows),)),
        Misconception("not multiplied by the entry",
                      "An entry acts on the norm as much as its share in it: the derivative of a square contains the "
                      "entry itself. Here all entries of a window get the same.",
                      _sent(lambda windows, norms: np.where(norms > 0, 1 / np.where(norms > 0, norms, 1), 0)
                            + 0 * windows)),
        Misconception("sign of the entry lost",
                      "Making a negative entry larger makes the norm smaller: its gradient has the opposite sign.",
                      _sent(lambda windows, norms: np.abs(_ratio(windows, norms)))),
        Misconception("a factor of two",
                      "The 2 of the square's derivative and the 1/2 of the root's cancel. Here one of the two is "
                      "missing.",
                      _sent(lambda windows, norms: 2 * _ratio(windows, norms)),
                      also=(_sent(lambda windows, norms: _ratio(windows, norms) / 2),)),
        Misconception("divided by the square of the norm",
                      "The derivative of a root divides by the root, not by what stands under it.",
                      _sent(lambda windows, norms: np.where(norms > 0, _ratio(windows, norms)
                                                            / np.where(norms > 0, norms, 1), 0))),
        Misconception("multiplied by the norm", "The derivative of a root has the root below the line, not above it.",
                      _sent(lambda windows, norms: windows * norms)),
        Misconception("norm of all planes",
                      "Each picture of the batch and each channel has windows of its own. Here one norm is taken over "
                      "all samples and channels at once: a loop is missing, or the axes of the sum.",
                      _one_norm),
        Misconception("divided by the window's size",
                      "Shares of 1 divided by the number of entries belong to average pooling.",
                      _sent(lambda windows, norms: _ratio(windows, norms) / windows.shape[-1]),
                      also=(_sent(lambda windows, norms: 1 / windows.shape[-1] + 0 * windows),
                            _sent(lambda windows, norms: _ratio(windows, norms) / np.sqrt(windows.shape[-1])))),
        Misconception("gradient of L1",
                      "The sign alone is the derivative of a sum of absolute values. In the length of a vector, large "
                      "entries have a larger share than small ones.",
                      _sent(lambda windows, norms: np.sign(windows))),
        Misconception("all of it to the largest entry",
                      "Handing everything to one entry belongs to max pooling. All entries of the window act on its "
                      "norm.",
                      lambda g, x, k, s: F.max_pool2d_backward(g, x, k, s)),
        Misconception("an epsilon that changes the result",
                      "A number added so that nothing is divided by zero has to be so small that it does not show "
                      "elsewhere; or treat the norm zero separately.",
                      _guarded(EPSILONS[0]),
                      also=(*map(_guarded, EPSILONS[1:]), *(_guarded(e, under_the_root=True) for e in EPSILONS))),
        Misconception(*OVERWRITTEN, _sent(_ratio, overwrite=True)),
        Misconception(*ONES, lambda g, x, k, s: _back(np.ones_like(g), x, k, s)),
        Misconception(*NOT_IN_POSITION, _sent(_ratio, step=lambda s: 1),
                      also=(_sent(_ratio, step=lambda s: (s, 1)), _sent(_ratio, step=lambda s: (1, s)))),
        Misconception(*STRIDE_IS_WINDOW, _other_windows(lambda k, s: (k, k))),
        Misconception(*SWAPPED, _other_windows(lambda k, s: (k[::-1], (s, s)))),
        Misconception(*SQUARE_WINDOWS, _other_windows(lambda k, s: ((k[0], k[0]), (s, s))),
                      also=(_other_windows(lambda k, s: ((k[1], k[1]), (s, s))),)),
        Misconception(*SQUARE_INPUTS, _square),
        Misconception(*FIRST_SAMPLE, only(0, _back)),
        Misconception(*FIRST_CHANNEL, only(1, _back)),
    )
    hints = (
        "For a window of two entries a and b the norm is sqrt(a**2 + b**2). What is its derivative with respect to a?",
        "One window after the other, as in the backward pass of average pooling: add to the whole block of the window. "
        "What is added differs from entry to entry, and depends on the window's norm.",
        "Add grad_out[n, c, i, j] * window / norm to the block, and only if the norm is not zero.",
    )
