"""Compile every kernel ahead of time, so that nobody waits for it later."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from cnncourse import config

Step = tuple[str, Callable[[], Any]]


@dataclass(frozen=True)
class Warmed:
    """What `warm` did.

    Attributes
    ----------
    seconds : float
        Under one or two if everything had been compiled before.
    folder : str
        Below which the machine code is kept; empty if no folder may be written, and every process has to compile again.
    """

    seconds: float
    folder: str


def warm(announce: Callable[[str, int, int], None] | None = None, begin: float = 0.0) -> Warmed:
    """Call each operation once on small arrays of both precisions, which compiles what is not compiled yet.

    Parameters
    ----------
    announce : callable, optional
        Called with the name of the next operation, its number from 0 on, and how many there are.
    begin : float, optional
        At which part of the operations to begin, from 0 to 1. Processes that warm at once share the work if each of
        them begins elsewhere.

    Returns
    -------
    Warmed
    """
    from cnncourse.machinery.compiling import code_folder

    began = time.perf_counter()
    steps = [step for dtype in (np.float32, np.float64) for step in _steps(np.dtype(dtype))]
    first = int(begin * len(steps)) % len(steps)
    for number, (name, call) in enumerate(steps[first:] + steps[:first]):
        if announce is not None:
            announce(name, number, len(steps))
        call()
    return Warmed(time.perf_counter() - began, code_folder())


def _steps(dtype: np.dtype[Any]) -> Iterator[Step]:
    from cnncourse import functional as F

    def some(*shape: int) -> np.ndarray:
        values: np.ndarray = np.linspace(0.1, 1, int(np.prod(shape))).reshape(shape).astype(dtype)
        return values

    x, weight, vector, rows = some(2, 4, 8, 8), some(4, 4, 3, 3), some(4), some(3, 6)
    grouped = some(4, 1, 3, 3)

    def named(name: str, call: Callable[[], Any]) -> Step:
        return f"{name}, {dtype}", call

    yield named("convolution", lambda: F.conv2d(x, weight, vector))
    yield named("its gradients", lambda: F.conv2d_backward(some(2, 4, 6, 6), x, weight))
    yield named("1x1 convolution", lambda: F.conv2d_backward(x, x, weight[:, :, :1, :1]))
    yield named("depthwise convolution", lambda: F.conv2d(x, grouped, groups=4))
    yield named("its gradients", lambda: F.conv2d_backward(some(2, 4, 6, 6), x, grouped, groups=4))
    if dtype == np.float32:
        yield named("Winograd's convolution", lambda: F.conv2d(some(1, 64, 32, 32), some(64, 64, 3, 3)))
    yield named("patches as columns", lambda: F.col2im(F.im2col(x, 3), 8, 3))
    yield named("locally connected layer", lambda: F.locally_connected2d(x, some(6, 6, 3, 4, 3, 3)))
    yield named("its gradients",
                lambda: F.locally_connected2d_backward(some(2, 3, 6, 6), x, some(6, 6, 3, 4, 3, 3)))
    for size in (2, 3, 4):
        yield named(f"pooling {size}x{size}", partial(_pool, x, size))
    yield named("global pooling", lambda: F.global_avg_pool2d_backward(F.global_avg_pool2d(x), x))
    yield named("activations", lambda: [
        F.relu_backward(F.relu(x), x), F.tanh(x), F.sigmoid(x), F.add(x, x), F.concatenate([x, x])])
    yield named("linear layer", lambda: F.linear_backward(F.linear(rows, some(5, 6), some(5)), rows, some(5, 6)))
    yield named("local response norm",
                lambda: F.local_response_norm_backward(F.local_response_norm(x, 5), x, 5))
    yield named("batch norm", lambda: [
        F.batch_norm(x, vector, vector, vector, vector, training=training) for training in (True, False)])
    yield named("its gradients", lambda: [
        F.batch_norm_backward(x, x, vector, vector, vector, training=training) for training in (True, False)])
    yield named("loss", lambda: F.cross_entropy_backward(rows, np.array([0, 1, 2])))
    yield named("steps of optimizers", lambda: _steps_of_optimizers(some))
    yield named("threads", lambda: _with_two_threads(lambda: F.conv2d(some(2, 32, 32, 32), some(32, 32, 3, 3))))


def _pool(x: np.ndarray, size: int) -> None:
    from cnncourse import functional as F

    out, _ = F.max_pool2d(x, size, 2, return_indices=True)
    F.max_pool2d_backward(out, x, size, 2)
    F.avg_pool2d_backward(F.avg_pool2d(x, size, 2), x, size, 2)
    F.lp_pool2d_backward(F.lp_pool2d(x, 2, size, 2), x, 2, size, 2)


def _steps_of_optimizers(some: Callable[..., np.ndarray]) -> None:
    from cnncourse import functional as F

    parameter, gradient, first, second = (some(3) for _ in range(4))
    F.sgd_step(parameter, gradient, 0.1)
    for nesterov in (False, True):
        F.momentum_step(parameter, gradient, first, 0.1, nesterov=nesterov)
    F.rmsprop_step(parameter, gradient, second, 0.1)
    F.adam_step(parameter, gradient, first, second, 1, 0.1)


def _with_two_threads(call: Callable[[], Any]) -> None:
    before = config.get_num_threads()
    config.set_num_threads(2)
    try:
        call()
    finally:
        config.set_num_threads(before)


if __name__ == "__main__":
    warm()
