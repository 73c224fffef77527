"""What the exercises on pooling share: windows laid out one by one, and inputs that bring mistakes to light."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.judging.exercise import Case

NOTEBOOK = "03-pooling"

Pair = tuple[int, int]


def unfolded(x: np.ndarray, kernel_size: Pair, stride: int) -> np.ndarray:
    """Every window as a row: (N, C, P, Q, KH * KW), rounded down."""
    view = np.lib.stride_tricks.sliding_window_view(x, kernel_size, axis=(2, 3))[:, :, ::stride, ::stride]
    return view.reshape(*view.shape[:4], kernel_size[0] * kernel_size[1])


def places(width: int, output: tuple[int, int], kernel_size: Pair, stride: int) -> np.ndarray:
    """Where the entries of every window lie in a plane of this width: (P, Q, KH * KW)."""
    rows = np.arange(output[0])[:, None] * stride + np.arange(kernel_size[0])
    columns = np.arange(output[1])[:, None] * stride + np.arange(kernel_size[1])
    return (rows[:, None, :, None] * width + columns[None, :, None, :]).reshape(*output, -1)


def folded(sent: np.ndarray, where: np.ndarray, size: Pair) -> np.ndarray:
    """What the windows send, (N, C, ..., A), put to its places in planes of this size and summed up there."""
    samples, channels = sent.shape[:2]
    out = np.zeros((samples, channels, size[0] * size[1]), sent.dtype)
    for plane, values, at in zip(out.reshape(samples * channels, -1), sent.reshape(samples * channels, -1),
                                 np.broadcast_to(where, sent.shape).reshape(samples * channels, -1), strict=True):
        np.add.at(plane, at, values)
    return out.reshape(samples, channels, *size)


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
