"""How good a network is: classes, accuracy, loss, and which classes are taken for which."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncourse import functional as F
from cnncourse.errors import ArgumentError, ShapeError
from cnncourse.functional.arguments import Array
from cnncourse.geometry.settings import whole
from cnncourse.network import Network

Labels = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Evaluation:
    """Mean loss, and the share of samples whose largest score is that of their class."""

    loss: float
    accuracy: float

    def __str__(self) -> str:
        return f"loss {self.loss:.4f}, accuracy {self.accuracy:.2%}"


def predict(network: Network, x: Array, *, batch_size: int = 256) -> NDArray[np.int64]:
    """The class with the largest score, for every sample.

    Parameters
    ----------
    network : Network
    x : ndarray, shape (N, *input_shape)
    batch_size : int, optional
        How many samples are run at once; more take more memory and give the same.

    Returns
    -------
    ndarray of int64, shape (N,), or (N, P, Q) where scores are maps

    Raises
    ------
    ArgumentError, ShapeError, ArrayTypeError
    """
    found = [scores.argmax(axis=1) for scores, _ in _batches(network, x, batch_size)]
    return np.concatenate(found) if found else np.empty((0, *network.output_shape[1:]), np.int64)


def evaluate(network: Network, x: Array, y: Labels, *, batch_size: int = 256) -> Evaluation:
    """Loss and accuracy on samples whose classes are known.

    Parameters
    ----------
    network : Network
    x : ndarray, shape (N, *input_shape)
    y : ndarray of int, shape (N,)
        The right classes, from 0.
    batch_size : int, optional
        As in `predict`.

    Returns
    -------
    Evaluation

    Raises
    ------
    ArgumentError, ShapeError, ArrayTypeError
        Also if a label is no class of the network.
    """
    y = checked_labels("evaluate", network, x, y)
    loss = right = 0.0
    for scores, part in _batches(network, x, batch_size):
        loss += F.cross_entropy(scores, y[part]) * len(scores)
        right += float(np.mean(scores.argmax(axis=1) == y[part])) * len(scores)
    return Evaluation(loss / len(x), right / len(x))


def confusion_matrix(y_true: Labels, y_pred: Labels, classes: int | None = None) -> NDArray[np.int64]:
    """How often each class was taken for each.

    Parameters
    ----------
    y_true, y_pred : ndarray of int, of one shape
        The right classes and those found, from 0.
    classes : int, optional
        By default one more than the largest label in either.

    Returns
    -------
    ndarray of int64, shape (classes, classes)
        Rows are the right classes, columns those found: the diagonal counts what is right.

    Raises
    ------
    ShapeError
        If the shapes differ.
    ArgumentError
        If a label is not a whole number from 0 to below `classes`.
    """
    first, second = _whole_numbers("confusion_matrix", y_true), _whole_numbers("confusion_matrix", y_pred)
    if first.shape != second.shape:
        raise ShapeError(f"confusion_matrix: y_true has shape {first.shape} and y_pred {second.shape}; there has to be "
                         "one prediction for each label")
    largest = max((int(labels.max()) for labels in (first, second) if labels.size), default=-1)
    count = largest + 1 if classes is None else whole("confusion_matrix: classes", classes, 1)
    for labels in (first, second):
        _check_range("confusion_matrix", labels, count)
    pairs = first.reshape(-1).astype(np.int64) * count + second.reshape(-1)
    return np.bincount(pairs, minlength=count * count).reshape(count, count).astype(np.int64)


def checked_labels(operation: str, network: Network, x: Array, y: Any) -> Labels:
    """Labels for the samples x, after a look at shapes, kind and range."""
    labels = _whole_numbers(operation, y)
    if not isinstance(x, np.ndarray) or x.shape[1:] != network.input_shape or not len(x):
        given = f"an array of shape {x.shape}" if isinstance(x, np.ndarray) else f"a {type(x).__name__}"
        raise ShapeError(f"{operation}: x has to be an array of shape (samples, "
                         f"{', '.join(map(str, network.input_shape))}) with at least one sample, {given} was given")
    expected = (len(x), *network.output_shape[1:])
    if labels.shape != expected:
        raise ShapeError(f"{operation}: y has shape {labels.shape}; for {len(x)} samples it has to have {expected}: "
                         "one class for each, not one column for each class")
    _check_range(operation, labels, network.output_shape[0])
    return labels


def _whole_numbers(operation: str, labels: Any) -> Labels:
    array = np.asarray(labels)
    if array.dtype.kind not in "iu":
        raise ArgumentError(f"{operation}: labels have to be whole numbers, an array of {array.dtype} was given; "
                            "y.astype(int) converts it")
    return array


def _check_range(operation: str, labels: Labels, classes: int) -> None:
    if labels.size and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
        wrong = labels[(labels < 0) | (labels >= classes)]
        raise ArgumentError(f"{operation}: with {classes} classes labels have to be from 0 to {classes - 1}; "
                            f"{len(wrong)} are not, the first one is {wrong[0]}")


def _batches(network: Network, x: Array, batch_size: int) -> Iterator[tuple[Array, slice]]:
    """Scores of one batch after the other, and which samples these are."""
    size = whole("batch_size", batch_size, 1)
    for first in range(0, len(x), size):
        part = slice(first, first + size)
        with np.errstate(over="ignore", invalid="ignore"):  # the loss tells
            scores = network.forward(x[part])
        yield scores, part
