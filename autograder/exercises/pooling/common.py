"""What the exercises on pooling share: windows laid out one by one, inputs that bring mistakes to light, and words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.judging.exercise import Case
from cnncourse import functional as F

NOTEBOOK = "03-pooling"

Pair = tuple[int, int]
Pool = Callable[[np.ndarray, Pair, int], np.ndarray]

STRIDE_IGNORED = ("stride ignored",
                  "The window moves by the stride, down and to the right: with stride 2 about a quarter of the "
                  "positions remain. Here it stops everywhere.")
STRIDE_IS_WINDOW = ("stride taken for the window's size",
                    "Windows lie one stride apart, and the stride need not be the window's size: a smaller one makes "
                    "windows overlap, a larger one leaves gaps.")
ROWS_ONLY = ("stride along the rows only",
             "The window moves by the stride along both axes; here it moves by one along the columns.")
COLUMNS_ONLY = ("stride along the columns only",
                "The window moves by the stride along both axes; here it moves by one along the rows.")
NOT_IN_POSITION = ("stride missing in the window's position",
                   "The size of the output is right. But the window of output (i, j) starts at row i * stride and "
                   "column j * stride.")
STRIDE_AS_SIZE = ("window as large as the stride",
                  "The stride says how far the window moves. How many rows and columns it holds is told by "
                  "kernel_size: look at where your slice ends.")
TRANSPOSED = ("row and column of the output swapped",
              "The first place index i of the output belongs to the rows of the input and the second one, j, to the "
              "columns. Here they have changed places.")
NEGATIVE_START = ("slice that starts before the picture",
                  "With padding, the first windows begin at a negative row or column. In a slice a negative start "
                  "counts from the end: let it begin at 0, or slide over a padded array.")
SWAPPED = ("window height and width swapped",
           "kernel_size is (height, width): the first number belongs to the rows.")
SQUARE_WINDOWS = ("only square windows",
                  "A window has a height and a width, kernel_size[0] and kernel_size[1]. Here one of them seems to be "
                  "used for both.")
SQUARE_INPUTS = ("only square inputs",
                 "Height and width of a picture are two numbers. Here the output's width seems to be computed from the "
                 "height.")
FIRST_SAMPLE = ("only the first sample", "Every sample of the batch is pooled; here all but the first stay zero.")
FIRST_CHANNEL = ("only the first channel", "Every channel is pooled; here all but the first stay zero.")
OVERWRITTEN = ("overlapping windows overwritten",
               "Where windows overlap, one input can belong to several of them, and its gradient is the sum of what "
               "they send. Here a later window replaces what an earlier one has left there: look for `=` where `+=` "
               "belongs.")
ONES = ("gradient from above ignored",
        "What reaches a window's output from the layers above is grad_out, and the chain rule multiplies by it. Here "
        "the result does not depend on it.")
ONE_FORGOTTEN = ("one forgotten",
                 "The division counts the steps of the window. Before its first step the window has a position too.")
ALL_PLANES = ("one maximum for all planes",
              "Each picture of the batch and each channel is pooled on its own. Here a window's maximum is taken over "
              "all samples and channels at once: a loop is missing, or the axes along which the maximum runs.")
AVERAGED = ("mean of what windows send",
            "An input that is the maximum of several windows acts on all their outputs, and its gradient is the sum of "
            "theirs. Here it is divided by their number.")


def unfolded(x: np.ndarray, kernel_size: Pair, stride: int | Pair) -> np.ndarray:
    """Every window as a row: (N, C, P, Q, KH * KW), rounded down."""
    vertical, horizontal = pair(stride)
    view = np.lib.stride_tricks.sliding_window_view(x, kernel_size, axis=(2, 3))[:, :, ::vertical, ::horizontal]
    return view.reshape(*view.shape[:4], kernel_size[0] * kernel_size[1])


def places(width: int, output: tuple[int, int], kernel_size: Pair, stride: int | Pair) -> np.ndarray:
    """Where the entries of every window lie in a plane of this width: (P, Q, KH * KW)."""
    vertical, horizontal = pair(stride)
    rows = np.arange(output[0])[:, None] * vertical + np.arange(kernel_size[0])
    columns = np.arange(output[1])[:, None] * horizontal + np.arange(kernel_size[1])
    return (rows[:, None, :, None] * width + columns[None, :, None, :]).reshape(*output, -1)


def folded(sent: np.ndarray, where: np.ndarray, size: Pair, *, overwrite: bool = False) -> np.ndarray:
    """What the windows send, (N, C, ..., A), put to its places in planes of this size and summed up there."""
    samples, channels = sent.shape[:2]
    out = np.zeros((samples, channels, size[0] * size[1]), sent.dtype)
    for plane, values, at in zip(out.reshape(samples * channels, -1), sent.reshape(samples * channels, -1),
                                 np.broadcast_to(where, sent.shape).reshape(samples * channels, -1), strict=True):
        if overwrite:
            plane[at] = values
        else:
            np.add.at(plane, at, values)
    return out.reshape(samples, channels, *size)


def pair(value: int | Pair) -> Pair:
    """One number for both axes, or two."""
    return value if isinstance(value, tuple) else (value, value)


def settings_of_windows(rng: np.random.Generator) -> Iterator[tuple[str, tuple[int, int, int, int], Pair, int]]:
    """Shapes and windows that tell the mistakes of any kind of pooling apart: name, shape of x, kernel_size, stride."""
    channels = int(rng.integers(2, 4))
    yield "one window", (1, 1, 2, 2), (2, 2), 2
    yield "windows side by side", (1, channels, 4, 4), (2, 2), 2
    yield "two samples", (2, channels, 4, 4), (2, 2), 2
    yield "taller than wide", (2, 2, 8, 4), (2, 2), 2
    yield "wider than tall", (1, 3, 4, 10), (2, 2), 2
    yield "overlapping windows", (1, 2, 7, 7), (3, 3), 2
    yield "windows that move by one", (2, 2, 5, 6), (3, 3), 1
    yield "a window taller than wide", (2, 2, 7, 6), (3, 2), 2
    yield "a window wider than tall", (1, 2, 5, 9), (2, 4), 1
    yield "a stride larger than the window", (2, 2, 8, 11), (2, 2), 3
    yield "a row and a column left over", (1, 2, 7, 9), (2, 2), 2
    yield "a window as large as the input", (2, 3, 3, 4), (3, 4), 1
    yield "a window of one entry, stride 2", (1, 2, 5, 6), (1, 1), 2


def pooling_cases(rng: np.random.Generator) -> Iterator[Case]:
    """Calls of a pooling layer without padding: (x, kernel_size, stride)."""
    for name, shape, kernel_size, stride in settings_of_windows(rng):
        yield Case(name, (rng.standard_normal(shape), kernel_size, stride))
    yield Case("only negative inputs", (-rng.uniform(0.5, 3, (2, 2, 5, 6)), (2, 3), 1))
    yield Case("inputs far below zero", (-rng.uniform(2e6, 3e6, (1, 2, 4, 5)), (2, 2), 1))
    yield Case("inputs that grow smaller", (descending(rng, (1, 2, 5, 6)), (3, 3), 2))
    yield Case("equal inputs within a window", (rng.integers(-2, 3, (2, 2, 6, 6)).astype(float), (2, 3), 2))
    yield Case("single precision", (rng.standard_normal((2, 2, 5, 6)).astype(np.float32), (3, 2), 2))
    yield Case("strided memory", (rng.standard_normal((2, 3, 6, 10))[..., ::2], (2, 2), 1))
    yield Case("Fortran order", (np.asfortranarray(rng.standard_normal((2, 3, 6, 5))), (2, 3), 2))


def descending(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Values of both signs that grow smaller in reading order."""
    values = np.sort(rng.standard_normal(int(np.prod(shape))))[::-1]
    return values.reshape(shape)


def moved(pool: Pool, steps: Callable[[int], Pair]) -> Pool:
    """A pooling layer of the right output size whose windows lie elsewhere."""
    def wrong(x: np.ndarray, kernel_size: Pair, stride: int) -> np.ndarray:
        rows, columns = ((x.shape[a + 2] - kernel_size[a]) // stride + 1 for a in (0, 1))
        return pool(x, kernel_size, steps(stride))[:, :, :rows, :columns]  # type: ignore[arg-type]
    return wrong


def only(axis: int, pool: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """A layer that leaves all but the first sample (axis 0) or channel (axis 1) zero."""
    def wrong(*arguments: Any) -> np.ndarray:
        out = pool(*arguments)
        (out if axis == 0 else out.swapaxes(0, 1))[1:] = 0
        return out
    return wrong


def square_output(pool: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """A layer that takes its output's width to be its height."""
    def wrong(*arguments: Any) -> np.ndarray:
        out = pool(*arguments)
        rows, columns = out.shape[2:]
        if rows > columns:
            raise ValueError("attempt to get argmax of an empty sequence")
        return out[..., :rows]
    return wrong


def placed(reduce: Callable[..., np.ndarray], block: Callable[[int, int, Pair, int], tuple[slice, slice]]) -> Pool:
    """A layer of the right output size that reduces another block of the input: `block(i, j, kernel_size, stride)`."""
    def wrong(x: np.ndarray, kernel_size: Pair, stride: int) -> np.ndarray:
        rows, columns = ((x.shape[a + 2] - kernel_size[a]) // stride + 1 for a in (0, 1))
        out = np.zeros((*x.shape[:2], rows, columns), x.dtype)
        for i, j in np.ndindex(rows, columns):
            out[:, :, i, j] = reduce(x[(..., *block(i, j, kernel_size, stride))], axis=(2, 3))
        return out
    return wrong


def side_by_side(i: int, j: int, kernel_size: Pair, stride: int) -> tuple[slice, slice]:
    return (slice(i * kernel_size[0], (i + 1) * kernel_size[0]), slice(j * kernel_size[1], (j + 1) * kernel_size[1]))


def as_large_as_the_stride(i: int, j: int, kernel_size: Pair, stride: int) -> tuple[slice, slice]:
    return slice(i * stride, (i + 1) * stride), slice(j * stride, (j + 1) * stride)


def transposed(i: int, j: int, kernel_size: Pair, stride: int) -> tuple[slice, slice]:
    return slice(j * stride, j * stride + kernel_size[0]), slice(i * stride, i * stride + kernel_size[1])


def cut_apart(reduce: Callable[..., np.ndarray]) -> Pool:
    """Windows side by side by a reshape, as long as their number comes out whole."""
    def wrong(x: np.ndarray, kernel_size: Pair, stride: int) -> np.ndarray:
        samples, channels, height, width = x.shape
        rows, columns = kernel_size
        return reduce(x.reshape(samples, channels, height // rows, rows, width // columns, columns), axis=(3, 5))
    return wrong


def max_pool(x: np.ndarray, kernel_size: Pair, stride: Any) -> np.ndarray:
    """The right maximum, for building wrong ones."""
    return F.max_pool2d(x, kernel_size, stride)


def first_maximum(x: np.ndarray, kernel_size: Pair, stride: int | Pair) -> np.ndarray:
    """1 at the first maximum of every window, 0 elsewhere: (N, C, P, Q, KH * KW)."""
    windows = unfolded(x, kernel_size, stride)
    return (np.arange(windows.shape[-1]) == windows.argmax(axis=-1)[..., None]).astype(x.dtype)
