"""What the exercises on layers share: inputs that bring mistakes to light."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograder.judging.exercise import Case

NOTEBOOK = "01-local-connectivity"


def draw_layer(rng: np.random.Generator, x: tuple[int, ...], weight: tuple[int, int, int]) -> tuple[Any, Any, Any]:
    """Input, weights and biases for filters of (out_channels, height, width); no bias is near zero or like another."""
    filters, rows, columns = weight
    bias = rng.permutation(filters) + rng.uniform(0.5, 1.0, filters)
    return rng.standard_normal(x), rng.standard_normal((filters, x[1], rows, columns)), bias


def layer_cases(rng: np.random.Generator, answer: str) -> Iterator[Case]:
    """Calls of a layer with stride and padding."""
    def case(
        name: str, x: tuple[int, ...], weight: tuple[int, int, int], stride: int, padding: int, **more: Any
    ) -> Case:
        return Case(name, (*draw_layer(rng, x, weight), stride, padding), answer, **more)

    channels, filters = (int(n) for n in rng.integers([2, 2], [5, 5]))
    yield case("one channel, one filter", (1, 1, 5, 5), (1, 3, 3), 1, 0)
    yield case("several channels and filters", (1, channels, 5, 5), (filters, 3, 3), 1, 0)
    yield case("two samples", (2, 2, 5, 5), (3, 3, 3), 1, 0)
    yield case("padding 1", (1, 2, 4, 4), (2, 3, 3), 1, 1)
    yield case("stride 2", (1, 2, 7, 7), (2, 3, 3), 2, 0)
    yield case("taller than wide, stride 2, padding 1", (2, 3, 9, 5), (2, 3, 3), 2, 1)
    yield case("wider than tall, padding 1", (1, 2, 4, 9), (3, 3, 3), 1, 1)
    yield case("a kernel taller than wide", (2, 2, 6, 7), (3, 4, 2), 1, 0)
    yield case("a kernel wider than tall, stride 2", (1, 2, 6, 9), (2, 2, 3), 2, 0)
    yield case("an even kernel, padding 2", (1, 2, 5, 4), (2, 2, 2), 1, 2)
    yield case("a stride larger than the kernel", (1, 2, 8, 11), (2, 2, 2), 3, 0)
    yield case("windows side by side", (1, 3, 6, 4), (2, 2, 2), 2, 0)
    yield case("a 1x1 kernel", (2, 5, 3, 4), (4, 1, 1), 1, 0)
    yield case("a kernel larger than the input without its padding", (1, 2, 2, 3), (2, 3, 4), 1, 1)
    yield case("a window as large as the input", (2, 2, 3, 4), (3, 3, 4), 1, 0)
    x, weight, bias = (array.astype(np.float32) for array in draw_layer(rng, (1, 2, 6, 5), (3, 3, 3)))
    yield Case("single precision", (x, weight, bias, 1, 1), answer)
    x, weight, bias = draw_layer(rng, (2, 2, 5, 12), (2, 3, 3))
    yield Case("strided memory", (x[..., ::2], weight, bias, 1, 1), answer)
    x, weight, bias = draw_layer(rng, (2, 3, 5, 6), (2, 3, 2))
    yield Case("Fortran order", (np.asfortranarray(x), np.asfortranarray(weight), bias, 1, 0), answer)
    yield case("other numbers in the shapes of an earlier case", (2, 3, 9, 5), (2, 3, 3), 2, 1)
    yield case("a stride that does not divide evenly", (1, 2, 6, 8), (2, 3, 3), 2, 0, may_raise=True)
