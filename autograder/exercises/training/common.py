"""What the exercises of this notebook share: inputs, the right formulas, and layers as text."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncourse import functional as F

Array = NDArray[Any]

NOTEBOOK = "07-train-a-cnn"


def exponentials(scores: Array) -> Array:
    """Exponentials of the scores, after the largest of each row is subtracted: what a softmax divides by their sum."""
    return np.exp(scores - scores.max(axis=1, keepdims=True))


def probabilities(scores: Array) -> Array:
    """A right softmax."""
    terms = exponentials(scores)
    return terms / terms.sum(axis=1, keepdims=True)


def naive_probabilities(scores: Array) -> Array:
    """A softmax that overflows."""
    terms = np.exp(scores)
    return terms / terms.sum(axis=1, keepdims=True)


def batch_probabilities(scores: Array) -> Array:
    """A softmax along the samples."""
    return probabilities(scores.T).T


def logarithms(scores: Array) -> Array:
    """Logarithms of the probabilities, without a detour through numbers that round to zero."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def loss(scores: Array, labels: Array) -> Any:
    """The mean cross-entropy in the precision of the scores, so that it is compared as such."""
    return scores.dtype.type(F.cross_entropy(scores, labels))


def of_labels(table: Array, labels: Array) -> Array:
    """The entry of its label from each row."""
    return table[np.arange(len(labels)), labels]


def one_hot(labels: Array, classes: int, dtype: Any = float) -> Array:
    """Rows of zeros with a one at the label."""
    return np.eye(classes, dtype=dtype)[labels]


def half(kernel_size: tuple[int, ...]) -> tuple[int, int]:
    """The padding of a convolution that keeps height and width."""
    return kernel_size[0] // 2, kernel_size[1] // 2


def strided(array: Array) -> Array:
    """The same values in memory with gaps along the last axis."""
    wide = np.repeat(array, 2, axis=-1)
    return wide[..., ::2]
