"""Building blocks of wrong answers: each does one thing that students really do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cnncourse import convert
from cnncourse.layers import Conv2d, Layer

Matrix = tuple[np.ndarray, np.ndarray]
Size = tuple[int, int]


def _positions(weight: np.ndarray, size: Size, stride: int, padding: int) -> Size:
    rows, columns = ((length + 2 * padding - taps) // stride + 1
                     for length, taps in zip(size, weight.shape[2:], strict=True))
    return rows, columns


def _right(weight: np.ndarray, bias: np.ndarray, size: Size, stride: int, padding: int) -> Matrix:
    layer = Conv2d(len(weight), weight.shape[2:], stride=stride, padding=padding)
    found = convert.to_fully_connected(layer, (weight.shape[1], *size), weight, bias)
    assert found.bias is not None
    return found.weight, found.bias


def _by_axes(weight: np.ndarray, matrix: np.ndarray, size: Size, positions: Size) -> np.ndarray:
    """The matrix with the axes K, OH, OW, C, H, W."""
    return matrix.reshape(len(weight), *positions, weight.shape[1], *size)


def rows_in_order(*axes: int) -> Callable[..., Matrix]:
    """conv_as_matrix whose rows are counted in another order of (K, OH, OW)."""
    def as_matrix(weight: np.ndarray, bias: np.ndarray, size: Size, stride: int, padding: int) -> Matrix:
        matrix, long = _right(weight, bias, size, stride, padding)
        positions = _positions(weight, size, stride, padding)
        turned = _by_axes(weight, matrix, size, positions).transpose(*axes, 3, 4, 5)
        return turned.reshape(matrix.shape), long.reshape(len(weight), *positions).transpose(axes).reshape(-1)
    return as_matrix


def columns_in_order(*axes: int) -> Callable[..., Matrix]:
    """conv_as_matrix whose columns are counted in another order of (C, H, W)."""
    def as_matrix(weight: np.ndarray, bias: np.ndarray, size: Size, stride: int, padding: int) -> Matrix:
        matrix, long = _right(weight, bias, size, stride, padding)
        apart = matrix.reshape(len(matrix), weight.shape[1], *size)
        return apart.transpose(0, *(axis + 1 for axis in axes)).reshape(matrix.shape), long
    return as_matrix


def with_bias(found: Matrix, change: Callable[[np.ndarray], np.ndarray]) -> Matrix:
    """The right matrix with another bias."""
    return found[0], change(found[1])


def _written(
    weight: np.ndarray, bias: np.ndarray, size: Size, stride: int, padding: int,
    place: Callable[[int, int, int, int], Size | None],
) -> Matrix:
    """Each weight of each position written where `place(i, j, r, s)` says."""
    positions = _positions(weight, size, stride, padding)
    matrix = np.zeros((len(weight), *positions, weight.shape[1], *size), weight.dtype)
    for i, j in np.ndindex(*positions):
        for r, s in np.ndindex(*weight.shape[2:]):
            where = place(i, j, r, s)
            if where is not None:
                matrix[:, i, j, :, where[0], where[1]] = weight[:, :, r, s]
    return matrix.reshape(-1, weight.shape[1] * size[0] * size[1]), np.repeat(bias, positions[0] * positions[1])


def without_stride_in_position(
    weight: np.ndarray, bias: np.ndarray, size: Size, stride: int, padding: int
) -> Matrix:
    """As many positions as the stride leaves, but one input apart."""
    def place(i: int, j: int, r: int, s: int) -> Size | None:
        row, column = i + r - padding, j + s - padding
        return (row, column) if 0 <= row < size[0] and 0 <= column < size[1] else None
    return _written(weight, bias, size, stride, padding, place)


def stride_along(axis: int) -> Callable[..., Matrix]:
    """As many positions as the stride leaves, but along one axis only the stride apart."""
    def as_matrix(weight: np.ndarray, bias: np.ndarray, size: Size, stride: int, padding: int) -> Matrix:
        down, right = (stride, 1) if axis == 0 else (1, stride)

        def place(i: int, j: int, r: int, s: int) -> Size | None:
            row, column = i * down + r - padding, j * right + s - padding
            return (row, column) if 0 <= row < size[0] and 0 <= column < size[1] else None
        return _written(weight, bias, size, stride, padding, place)
    return as_matrix


def one_fewer(weight: np.ndarray, bias: np.ndarray, size: Size, stride: int, padding: int) -> Matrix:
    """The last row and the last column of positions left out."""
    matrix, _ = _right(weight, bias, size, stride, padding)
    positions = _positions(weight, size, stride, padding)
    kept = matrix.reshape(len(weight), *positions, -1)[:, :-1, :-1]
    count = kept.shape[1] * kept.shape[2]
    return kept.reshape(len(weight) * count, matrix.shape[1]), np.repeat(bias, count)


def wrapped(weight: np.ndarray, bias: np.ndarray, size: Size, stride: int, padding: int) -> Matrix:
    """Taps in the padding come out at the other side of the maps."""
    return _written(weight, bias, size, stride, padding, lambda i, j, r, s: (
        (i * stride + r - padding) % size[0], (j * stride + s - padding) % size[1]))


def clamped(weight: np.ndarray, bias: np.ndarray, size: Size, stride: int, padding: int) -> Matrix:
    """Taps in the padding are written to the nearest input, each one over the last."""
    return _written(weight, bias, size, stride, padding, lambda i, j, r, s: (
        min(max(i * stride + r - padding, 0), size[0] - 1), min(max(j * stride + s - padding, 0), size[1] - 1)))


def without_padding_in_position(
    weight: np.ndarray, bias: np.ndarray, size: Size, stride: int, padding: int
) -> Matrix:
    """As many positions as with padding, counted from the first input instead of from the padding."""
    def place(i: int, j: int, r: int, s: int) -> Size | None:
        row, column = i * stride + r, j * stride + s
        return (row, column) if row < size[0] and column < size[1] else None
    return _written(weight, bias, size, stride, padding, place)


def cut_at_minus_zero(weight: np.ndarray, bias: np.ndarray, size: Size, stride: int, padding: int) -> Matrix:
    """The border cut off by `padding:-padding`."""
    matrix, long = _right(weight, bias, size, stride, padding)
    return (matrix if padding else matrix[:, :0]), long


def wrapped_before(weight: np.ndarray, bias: np.ndarray, size: Size, stride: int, padding: int) -> Matrix:
    """Taps before the first input wrap around, those after the last are left out."""
    def place(i: int, j: int, r: int, s: int) -> Size | None:
        row, column = i * stride + r - padding, j * stride + s - padding
        return (row, column) if row < size[0] and column < size[1] else None
    return _written(weight, bias, size, stride, padding, place)


def wrapped_in_vector(sides: int) -> Callable[..., Matrix]:
    """Places computed in the vector without a look at the borders: before the input, or before and after it."""
    def as_matrix(weight: np.ndarray, bias: np.ndarray, size: Size, stride: int, padding: int) -> Matrix:
        (filters, channels), positions = weight.shape[:2], _positions(weight, size, stride, padding)
        matrix = np.zeros((filters, *positions, channels * size[0] * size[1]), weight.dtype)
        for i, j, c, r, s in np.ndindex(*positions, *weight.shape[1:]):
            row, column = i * stride + r - padding, j * stride + s - padding
            if sides == 2 or (row < size[0] and column < size[1]):
                matrix[:, i, j, (c * size[0] + row) * size[1] + column] = weight[:, c, r, s]
        return matrix.reshape(-1, matrix.shape[-1]), np.repeat(bias, positions[0] * positions[1])
    return as_matrix


def no_room_for_padding(weight: np.ndarray, bias: np.ndarray, size: Size, stride: int, padding: int) -> Matrix:
    """The number of positions counts the padding, but the windows are written where there is none."""
    if padding:
        raise ValueError("could not broadcast input array from one shape into another")
    return _right(weight, bias, size, stride, padding)


def in_one_piece(weight: np.ndarray, bias: np.ndarray, size: Size, stride: int, padding: int) -> Matrix:
    """A channel of the filter written as one run of numbers from the window's first input on."""
    positions = _positions(weight, size, stride, padding)
    matrix = np.zeros((len(weight), *positions, weight.shape[1], size[0] * size[1]), weight.dtype)
    run = weight.reshape(*weight.shape[:2], -1)
    for i, j in np.ndindex(*positions):
        start = max(0, (i * stride - padding) * size[1] + j * stride - padding)
        room = matrix[:, i, j, :, start:start + run.shape[2]]
        room[...] = run[:, :, :room.shape[2]]
    return matrix.reshape(-1, weight.shape[1] * size[0] * size[1]), np.repeat(bias, positions[0] * positions[1])


def first_position(weight: np.ndarray, bias: np.ndarray, size: Size, stride: int, padding: int) -> Matrix:
    """All rows but the first of each filter stay zero."""
    matrix, long = _right(weight, bias, size, stride, padding)
    rows = matrix.reshape(len(weight), -1, matrix.shape[1]).copy()
    rows[:, 1:] = 0
    return rows.reshape(matrix.shape), long


def first_channel(weight: np.ndarray, bias: np.ndarray, size: Size, stride: int, padding: int) -> Matrix:
    """All columns but those of the first channel stay zero."""
    matrix, long = _right(weight, bias, size, stride, padding)
    matrix = matrix.copy()
    matrix[:, size[0] * size[1]:] = 0
    return matrix, long


def counted(layer: Layer, *shape: Any) -> tuple[int, int]:
    """Weights and biases of a layer."""
    sizes = {name: int(np.prod(one)) for name, one in layer.parameter_shapes(*shape).items()}
    return sizes["weight"], sizes["bias"]


def at_each_position(
    shape: tuple[int, int, int], filters: int, kernel: Size, stride: int, what: tuple[bool, bool]
) -> tuple[int, int]:
    """Parameters of a convolution, weights or biases or both counted at each position."""
    positions = int(np.prod([(length - taps) // stride + 1 for length, taps in zip(shape[1:], kernel, strict=True)]))
    weights, biases = shape[0] * kernel[0] * kernel[1] * filters, filters
    return weights * positions if what[0] else weights, biases * positions if what[1] else biases


def axes_reshaped(scores: np.ndarray, order: tuple[int, ...]) -> np.ndarray:
    """Scores collected with their axes in another order, and reshaped instead of transposed."""
    return np.ascontiguousarray(scores.transpose(order)).reshape(scores.shape)


def same_everywhere(scores: np.ndarray) -> np.ndarray:
    """The score of the first position at all positions."""
    return np.ascontiguousarray(np.broadcast_to(scores[:, :, :1, :1], scores.shape))


def summed_samples(scores: np.ndarray) -> np.ndarray:
    """Every sample gets the sum of all."""
    return np.ascontiguousarray(np.broadcast_to(scores.sum(axis=0), scores.shape))


def first_sample(scores: np.ndarray) -> np.ndarray:
    """All samples but the first stay zero."""
    scores[1:] = 0
    return scores


def first_biased(scores: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """The bias added at the first position only."""
    scores[:, :, 0, 0] += bias
    return scores


def refilled(scores: np.ndarray) -> np.ndarray:
    """Scores put into the map down the columns."""
    return np.ascontiguousarray(scores.swapaxes(2, 3)).reshape(scores.shape)


def listed(scores: np.ndarray) -> np.ndarray:
    """The map as one row of positions."""
    return scores.reshape(*scores.shape[:2], -1)
