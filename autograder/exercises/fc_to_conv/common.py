"""What the exercises of this notebook share: the notebook's name, and inputs that bring mistakes to light."""

from __future__ import annotations

from typing import Any

import numpy as np

from cnncourse import geometry

NOTEBOOK = "04-fc-to-conv"

Layers = tuple[tuple[str, int, tuple[int, int], int, int], ...]
"""Descriptions of layers: (kind, out_channels, kernel_size, stride, padding), kind "conv" or "pool"."""


def draw_dense(rng: np.random.Generator, samples: int, inputs: int, outputs: int) -> tuple[Any, Any, Any]:
    """Input, weights and biases of a fully connected layer; biases far from zero and all different."""
    bias = rng.permutation(outputs) + rng.uniform(1.5, 2.0, outputs)
    return rng.standard_normal((samples, inputs)), rng.standard_normal((outputs, inputs)), bias


def single(*arrays: np.ndarray) -> tuple[np.ndarray, ...]:
    """The same in single precision."""
    return tuple(array.astype(np.float32) for array in arrays)


def sizes(size: tuple[int, int], layers: Layers) -> list[tuple[int, int]]:
    """Height and width before the first layer and after each one."""
    found = [size]
    for _, _, kernel_size, stride, padding in layers:
        found.append(tuple(  # type: ignore[arg-type]
            geometry.output_size(length, taps, stride, padding, rounding="floor")
            for length, taps in zip(found[-1], kernel_size, strict=True)))
    return found


def conv(out_channels: int, kernel_size: int | tuple[int, int], stride: int = 1, padding: int = 0) -> Any:
    """The description of a convolution."""
    window = kernel_size if isinstance(kernel_size, tuple) else (kernel_size, kernel_size)
    return "conv", out_channels, window, stride, padding


def pool(channels: int, kernel_size: int | tuple[int, int] = 2, stride: int = 2, padding: int = 0) -> Any:
    """The description of a pooling layer."""
    return ("pool", *conv(channels, kernel_size, stride, padding)[1:])


def vgg16() -> Layers:
    """VGG-16 with its fully connected layers as convolutions."""
    layers = []
    for channels, repeated in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        layers += [conv(channels, 3, 1, 1)] * repeated + [pool(channels)]
    return (*layers, conv(4096, 7), conv(4096, 1), conv(1000, 1))
