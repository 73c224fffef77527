"""The way back through average pooling: the share that each input gets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.exercises.pooling.average import (
    ALWAYS_WINDOW,
    NEVER_WINDOW,
    SHARED_HEIGHT,
    SWITCHED,
    average,
    padded_settings,
)
from autograder.exercises.pooling.common import (
    FIRST_CHANNEL,
    FIRST_SAMPLE,
    NEGATIVE_START,
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
)
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F


def _back(
    grad_out: np.ndarray, size: Pair, kernel_size: Any, stride: Any, padding: int, counted: bool
) -> np.ndarray:
    return F.avg_pool2d_backward(grad_out, np.empty((*grad_out.shape[:2], *size), grad_out.dtype), kernel_size, stride,
                                 padding, count_include_pad=bool(counted))


def _divisors(
    grad_out: np.ndarray, size: Pair, kernel_size: Pair, stride: int, padding: int, counted: bool
) -> np.ndarray:
    """How many entries each window counts: (1, 1, P, Q)."""
    if counted:
        return np.full((1, 1, *grad_out.shape[2:]), kernel_size[0] * kernel_size[1], grad_out.dtype)
    ones = np.ones((1, 1, *size), grad_out.dtype)
    return average(ones, kernel_size, stride, padding, True) * grad_out.dtype.type(kernel_size[0] * kernel_size[1])


def _uncropped(
    grad_out: np.ndarray, size: Pair, kernel_size: Pair, stride: int, padding: int, counted: bool,
    *, entries: int | None = None, overwrite: bool = False,
) -> np.ndarray:
    """The gradient of the padded input; only the first `entries` of a window get something, summed or overwritten."""
    padded = (size[0] + 2 * padding, size[1] + 2 * padding)
    share = grad_out / _divisors(grad_out, size, kernel_size, stride, padding, counted)
    sent = np.repeat(share[..., None], kernel_size[0] * kernel_size[1], axis=-1)
    where = places(padded[1], grad_out.shape[2:], kernel_size, stride)
    return folded(sent[..., :entries], where[..., :entries], padded, overwrite=overwrite)


def _cut_to_nothing(
    grad_out: np.ndarray, size: Pair, kernel_size: Pair, stride: int, padding: int, counted: bool
) -> np.ndarray:
    """out[:, :, p:-p, p:-p]."""
    out = _uncropped(grad_out, size, kernel_size, stride, padding, counted)
    return out[:, :, padding:-padding, padding:-padding]


def _cropped(**how: Any) -> Callable[..., np.ndarray]:
    """The same without its border."""
    def wrong(grad_out, size, kernel_size, stride, padding, counted):  # type: ignore[no-untyped-def]
        out = _uncropped(grad_out, size, kernel_size, stride, padding, counted, **how)
        return out[:, :, padding:padding + size[0], padding:padding + size[1]]
    return wrong


def _shares(divisor: Callable[..., Any]) -> Callable[..., np.ndarray]:
    """A gradient in which each window divides by another number: from (right divisors, kernel_size, stride)."""
    def wrong(grad_out, size, kernel_size, stride, padding, counted):  # type: ignore[no-untyped-def]
        right = _divisors(grad_out, size, kernel_size, stride, padding, counted)
        given = np.multiply(grad_out * right, 1 / divisor(right, kernel_size, stride), dtype=grad_out.dtype)
        return _back(given, size, kernel_size, stride, padding, counted)
    return wrong


def _mean_over_windows(
    grad_out: np.ndarray, size: Pair, kernel_size: Pair, stride: int, padding: int, counted: bool
) -> np.ndarray:
    """Divided by how many windows hold an input, in place of how many inputs a window holds."""
    settings = (size, kernel_size, stride, padding, True)
    factor = grad_out.dtype.type(kernel_size[0] * kernel_size[1])
    held = _back(np.ones_like(grad_out), *settings) * factor
    return _back(grad_out, *settings) * factor / np.maximum(np.round(held), 1)


def _wrong_windows(change: Callable[[Pair, int], tuple[Pair, Any]]) -> Callable[..., np.ndarray]:
    """Windows of another size or step, cut off at the border of the padded input."""
    def wrong(grad_out, size, kernel_size, stride, padding, counted):  # type: ignore[no-untyped-def]
        window, step = change(kernel_size, stride)
        down, across = step if isinstance(step, tuple) else (step, step)
        divisor = _divisors(grad_out, size, kernel_size, stride, padding, counted)
        share = grad_out / divisor
        out = np.zeros((*grad_out.shape[:2], size[0] + 2 * padding, size[1] + 2 * padding), grad_out.dtype)
        for i, j in np.ndindex(grad_out.shape[2:]):
            top, left = i * down, j * across
            out[:, :, top:top + window[0], left:left + window[1]] += share[:, :, i:i + 1, j:j + 1]
        return out[:, :, padding:padding + size[0], padding:padding + size[1]]
    return wrong


def _repeated(grad_out, size, kernel_size, stride, padding, counted):  # type: ignore[no-untyped-def]
    """Each share repeated over a block of the window's size, cut off or filled up with zeros."""
    blocks = grad_out.repeat(kernel_size[0], axis=2).repeat(kernel_size[1], axis=3)[:, :, :size[0], :size[1]]
    out = np.zeros((*grad_out.shape[:2], *size), grad_out.dtype)
    out[:, :, :blocks.shape[2], :blocks.shape[3]] = blocks / grad_out.dtype.type(kernel_size[0] * kernel_size[1])
    return out


def _negative_starts(grad_out, size, kernel_size, stride, padding, counted):  # type: ignore[no-untyped-def]
    """Slices of the picture itself; what begins at a negative number is counted from the end, and mostly empty."""
    out = np.zeros((*grad_out.shape[:2], *size), grad_out.dtype)
    for i, j in np.ndindex(grad_out.shape[2:]):
        top, left = i * stride - padding, j * stride - padding
        block = out[:, :, top:top + kernel_size[0], left:left + kernel_size[1]]
        count = kernel_size[0] * kernel_size[1] if counted else max(block[0, 0].size, 1)
        block += grad_out[:, :, i:i + 1, j:j + 1] / grad_out.dtype.type(count)
    return out


def _square(grad_out, size, kernel_size, stride, padding, counted):  # type: ignore[no-untyped-def]
    """As many columns of windows as there are rows of them."""
    side, width = grad_out.shape[2:]
    if side > width:
        raise IndexError("index is out of bounds")
    kept = grad_out.copy()
    kept[..., side:] = 0
    return _back(kept, size, kernel_size, stride, padding, counted)


@exercise("avg_pool2d_backward", notebook=NOTEBOOK, points=4)
class AvgPool2dBackward:
    """Gradient of average pooling.

    grad_out has shape (N, C, OH, OW), input_size is (H, W), the other arguments are those of avg_pool2d_forward. Return
    an array of shape (N, C, H, W): each window hands to each of its entries its gradient divided by the number that the
    forward pass has divided by; where windows overlap, the shares are summed; what falls on the padding is dropped.
    """

    def avg_pool2d_backward(grad_out, input_size, kernel_size, stride, padding, count_include_pad):
        return _back(grad_out, input_size, kernel_size, stride, padding, count_include_pad)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def gradient(shape: tuple[int, ...], kernel_size: Pair, stride: int, padding: int) -> np.ndarray:
            return rng.standard_normal((*shape[:2], *((shape[a + 2] + 2 * padding - kernel_size[a]) // stride + 1
                                                      for a in (0, 1))))

        for name, shape, *settings in padded_settings(rng):
            yield Case(name, (gradient(shape, *settings[:3]), shape[2:], *settings))  # type: ignore[arg-type]
        yield Case("one window over everything", (rng.standard_normal((2, 3, 1, 1)), (3, 4), (3, 4), 1, 0, True))
        yield Case("single precision", (gradient((2, 2, 5, 6), (3, 2), 2, 1).astype(np.float32), (5, 6), (3, 2), 2, 1,
                                        False))
        wide = gradient((2, 2, 5, 12), (2, 3), 1, 1)
        yield Case("strided memory", (np.repeat(wide, 2, axis=3)[..., ::2], (5, 12), (2, 3), 1, 1, True))
        yield Case("Fortran order", (np.asfortranarray(gradient((2, 3, 4, 5), (3, 2), 2, 1)), (4, 5), (3, 2), 2, 1,
                                     False))

    misconceptions = (
        Misconception(*OVERWRITTEN, _cropped(overwrite=True)),
        Misconception("not divided",
                      "The output is a mean: moving one entry by 1 moves it by 1 divided by the number of entries. "
                      "Here each entry gets the whole gradient.",
                      _shares(lambda right, k, s: 1)),
        Misconception(*ALWAYS_WINDOW, lambda g, size, k, s, p, c: _back(g, size, k, s, p, True)),
        Misconception(*NEVER_WINDOW, lambda g, size, k, s, p, c: _back(g, size, k, s, p, False)),
        Misconception(*SWITCHED, lambda g, size, k, s, p, c: _back(g, size, k, s, p, not c)),
        Misconception("gradient not cropped back from the padding",
                      "The padding is not part of the input: what windows send there is dropped, and the result has "
                      "the size of the input.",
                      _uncropped),
        Misconception("padding of zero cut off to nothing",
                      "The slice p : -p is empty for p = 0, since -0 is 0: count from the start how far it goes.",
                      _cut_to_nothing),
        Misconception("padding not taken off the place",
                      "The result has the right size, but everything lies `padding` rows and columns too far down and "
                      "to the right: window (i, j) begins at row i * stride of the padded input, and the input lies in "
                      "the middle of that.",
                      lambda g, size, k, s, p, c: _uncropped(g, size, k, s, p, c)[:, :, :size[0], :size[1]]),
        Misconception("gradient to one entry only",
                      "In a mean all entries of the window have the same weight, so all get the same share.",
                      _cropped(entries=1)),
        Misconception("divided by the number of windows",
                      "Each window divides by the number of its entries. By how many windows hold an entry nothing is "
                      "divided: their shares are summed.",
                      _mean_over_windows),
        Misconception(*SHARED_HEIGHT, _shares(lambda right, k, s: right * k[0] / k[1]),
                      also=(_shares(lambda right, k, s: right * k[1] / k[0]),)),
        Misconception("divided by the stride",
                      "How far windows lie apart has nothing to do with how many entries one of them holds.",
                      _shares(lambda right, k, s: s**2)),
        Misconception(*ONES, lambda g, *rest: _back(np.ones_like(g), *rest)),
        Misconception("stride missing in the window's position",
                      "The window of output (i, j) starts at row i * stride and column j * stride of the padded input.",
                      _wrong_windows(lambda k, s: (k, 1)),
                      also=(_wrong_windows(lambda k, s: (k, (s, 1))), _wrong_windows(lambda k, s: (k, (1, s))))),
        Misconception(*STRIDE_IS_WINDOW, _wrong_windows(lambda k, s: (k, k)), also=(_repeated,)),
        Misconception(*NEGATIVE_START, _negative_starts,
                      also=(lambda g, size, k, s, p, c: _negative_starts(g, size, k, s, p, True),)),
        Misconception(*SWAPPED, _wrong_windows(lambda k, s: (k[::-1], s))),
        Misconception(*SQUARE_WINDOWS, _wrong_windows(lambda k, s: ((k[0], k[0]), s)),
                      also=(_wrong_windows(lambda k, s: ((k[1], k[1]), s)),)),
        Misconception(*SQUARE_INPUTS, _square),
        Misconception(*FIRST_SAMPLE, only(0, _back)),
        Misconception(*FIRST_CHANNEL, only(1, _back)),
    )
    hints = (
        "One window of four entries with the gradient 8: what does each entry get? And an entry that lies in two such "
        "windows?",
        "Start with zeros of the padded size. For each output add its share to the whole block of its window, then "
        "cut the padding off.",
        "The share is grad_out[n, c, i, j] divided by the number that the forward pass has used for this window: KH * "
        "KW, or the number of its entries that lie in the picture.",
    )

