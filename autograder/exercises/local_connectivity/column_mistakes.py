"""Wrong tables of windows, and wrong products with them."""

from __future__ import annotations

import numpy as np

from cnncourse import functional as F


def channels_last_rows(x: np.ndarray, kernel_size: tuple[int, int], stride: int, padding: int) -> np.ndarray:
    """im2col with the channel as the fastest index of a row."""
    columns = F.im2col(x, kernel_size, stride=stride, padding=padding)
    apart = columns.reshape(len(x), x.shape[1], -1, columns.shape[2])
    return apart.swapaxes(1, 2).reshape(columns.shape)


def fortran_rows(x: np.ndarray, kernel_size: tuple[int, int], stride: int, padding: int) -> np.ndarray:
    """im2col with each window flattened in Fortran's order: channel, then row, then column as the fastest index."""
    columns = F.im2col(x, kernel_size, stride=stride, padding=padding)
    apart = columns.reshape(len(x), x.shape[1], *kernel_size, columns.shape[2])
    return apart.transpose(0, 3, 2, 1, 4).reshape(columns.shape)


def numbered_by_height(x: np.ndarray, kernel_size: tuple[int, int], stride: int, padding: int) -> np.ndarray:
    """Window (i, j) in column i OH + j: some columns are overwritten, others stay empty."""
    right = F.im2col(x, kernel_size, stride=stride, padding=padding)
    rows = (x.shape[2] + 2 * padding - kernel_size[0]) // stride + 1
    width = right.shape[2] // rows
    columns = np.zeros_like(right)
    for i, j in np.ndindex(rows, width):
        columns[:, :, i * rows + j] = right[:, :, i * width + j]
    return columns


def stride_not_in_position(x: np.ndarray, kernel_size: tuple[int, int], stride: int, padding: int) -> np.ndarray:
    """As many windows as there should be, but one input apart."""
    dense = F.im2col(x, kernel_size, padding=padding)
    heights, widths = (x.shape[2 + a] + 2 * padding - kernel_size[a] for a in (0, 1))
    apart = dense.reshape(*dense.shape[:2], heights + 1, widths + 1)
    return apart[:, :, : heights // stride + 1, : widths // stride + 1].reshape(*dense.shape[:2], -1)


def side_by_side(x: np.ndarray, kernel_size: tuple[int, int], stride: int, padding: int) -> np.ndarray:
    """As many windows as there should be, one kernel size apart."""
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    height, width = kernel_size
    rows, columns = ((padded.shape[2 + a] - kernel_size[a]) // stride + 1 for a in (0, 1))
    out = np.zeros((len(x), x.shape[1] * height * width, rows * columns))
    for i, j in np.ndindex(rows, columns):
        window = padded[:, :, i * height : (i + 1) * height, j * width : (j + 1) * width]
        out[:, :, i * columns + j] = window.reshape(len(x), x.shape[1] * window.shape[2] * window.shape[3])
    return out


def square_kernels(x: np.ndarray, kernel_size: tuple[int, int], stride: int, padding: int) -> np.ndarray:
    """Windows that do not fit into the columns made for them."""
    if kernel_size[0] != kernel_size[1]:
        raise ValueError("could not broadcast")
    return F.im2col(x, kernel_size, stride=stride, padding=padding)


def taps_transposed(x: np.ndarray, kernel_size: tuple[int, int], stride: int, padding: int) -> np.ndarray:
    """im2col with the kernel's columns before its rows."""
    columns = F.im2col(x, kernel_size, stride=stride, padding=padding)
    apart = columns.reshape(len(x), x.shape[1], *kernel_size, -1)
    return apart.swapaxes(2, 3).reshape(columns.shape)


def positions_transposed(x: np.ndarray, kernel_size: tuple[int, int], stride: int, padding: int) -> np.ndarray:
    """im2col with positions counted down the columns first."""
    columns = F.im2col(x, kernel_size, stride=stride, padding=padding)
    rows = (x.shape[2] + 2 * padding - kernel_size[0]) // stride + 1
    apart = columns.reshape(*columns.shape[:2], rows, -1)
    return apart.swapaxes(2, 3).reshape(columns.shape)


def scrambled(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int, padding: int) -> np.ndarray:
    """Filters and samples in each other's place: one product for the whole batch, reshaped without a transposition."""
    out = F.conv2d(x, weight, bias, stride=stride, padding=padding)
    return np.ascontiguousarray(out.swapaxes(0, 1)).reshape(out.shape)


def pixels_scrambled(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int, padding: int) -> np.ndarray:
    """Positions times filters, reshaped to filters times positions without a transposition."""
    out = F.conv2d(x, weight, bias, stride=stride, padding=padding)
    return np.ascontiguousarray(out.transpose(0, 2, 3, 1)).reshape(out.shape)


def filters_taken_for_pixels(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int, padding: int
) -> np.ndarray:
    """Filters times positions, reshaped as if the filters came last, then transposed."""
    out = F.conv2d(x, weight, bias, stride=stride, padding=padding)
    samples, filters, rows, columns = out.shape
    return out.reshape(samples, rows, columns, filters).transpose(0, 3, 1, 2)


def bias_along_positions(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int, padding: int) -> np.ndarray:
    """A bias of shape (K,) added to the product of shape (N, K, OH * OW)."""
    out = F.conv2d(x, weight, stride=stride, padding=padding)
    return (out.reshape(*out.shape[:2], -1) + bias).reshape(*out.shape[:3], -1)
