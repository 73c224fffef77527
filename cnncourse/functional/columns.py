"""Patches as columns of a matrix, and back: convolution as one matrix product."""

from __future__ import annotations

import numpy as np

from cnncourse.errors import ShapeError
from cnncourse.functional.arguments import Array, Padding, Pair, array, windows
from cnncourse.geometry.settings import per_axis
from cnncourse.kernels import columns as kernels


def im2col(
    x: Array, kernel_size: Pair, *, stride: Pair = 1, padding: Padding = 0, dilation: Pair = 1
) -> Array:
    """Copy every patch that a kernel sees into a column of a matrix.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W), float32 or float64
    kernel_size : int or (vertical, horizontal)
    stride, padding, dilation : optional
        As in `conv2d`.

    Returns
    -------
    ndarray, shape (N, C R S, P Q)
        Row (c R + r) S + s is tap (r, s) of channel c, column p Q + q is position (p, q): the order of
        torch.nn.functional.unfold.

    Raises
    ------
    GeometryError, ArrayTypeError, ShapeError, ArgumentError

    References
    ----------
    Chellapilla, Puri and Simard: High performance convolutional neural networks for document processing, 2006.
    """
    x = array("im2col", "x", x, 4)
    found = windows("im2col", x.shape[2:], kernel_size, stride, padding, dilation)
    (rows, taps), (height, width) = found.kernel, found.output
    columns = np.zeros((len(x), x.shape[1] * rows * taps, height * width), x.dtype)
    kernels.im2col(x, columns, rows, taps, height, width, *found.steps)
    return columns


def col2im(
    columns: Array, output_size: Pair, kernel_size: Pair, *, stride: Pair = 1, padding: Padding = 0, dilation: Pair = 1
) -> Array:
    """Add every column back to the patch that it came from; where patches overlap, entries sum up.

    Parameters
    ----------
    columns : ndarray, shape (N, C R S, P Q), float32 or float64
    output_size : int or (height, width)
        Size of the picture that comes out.
    kernel_size : int or (vertical, horizontal)
    stride, padding, dilation : optional
        As given to `im2col`.

    Returns
    -------
    ndarray, shape (N, C, height, width)

    Raises
    ------
    ShapeError
        If the columns do not come from such a picture.
    GeometryError, ArrayTypeError, ArgumentError

    Notes
    -----
    This is the transpose of `im2col`: the gradient of its input, given the gradient of its columns.
    """
    columns = array("col2im", "columns", columns, 3)
    size = per_axis("col2im: output_size", output_size, 1)
    found = windows("col2im", size, kernel_size, stride, padding, dilation)
    (rows, taps), (height, width) = found.kernel, found.output
    if columns.shape[1] % (rows * taps) or columns.shape[2] != height * width:
        raise ShapeError(f"col2im: columns has shape {columns.shape}; for a picture of {size} and a kernel of "
                         f"{found.kernel} it has to be (samples, channels * {rows * taps}, {height * width})")
    x = np.zeros((len(columns), columns.shape[1] // (rows * taps), *size), columns.dtype)
    kernels.col2im(columns, x, rows, taps, height, width, *found.steps)
    return x
