"""How far a dilated kernel reaches, and the padding that "same" stands for."""

from __future__ import annotations

from typing import Any, Literal

from cnncourse.geometry.settings import sides, whole

Padding = int | tuple[int, int] | Literal["same", "valid"]


def dilated_extent(kernel_size: int, dilation: int = 1) -> int:
    """How many inputs a dilated kernel spans along one axis.

    Parameters
    ----------
    kernel_size : int
        Number of taps F.
    dilation : int, optional
        Distance d from one tap to the next; 1 means without gaps, as in PyTorch, TensorFlow and ONNX.

    Returns
    -------
    int

    Raises
    ------
    ArgumentError
        If either is not a whole number of at least 1.

    Notes
    -----
    F taps have F - 1 steps of d between them, so they span d (F - 1) + 1 inputs.
    """
    return whole("dilation", dilation, 1) * (whole("kernel_size", kernel_size, 1) - 1) + 1


def same_padding(input_size: int, kernel_size: int, stride: int = 1, dilation: int = 1) -> tuple[int, int]:
    """Padding that "same" stands for: the output has as many positions as strides fit in the input.

    Parameters
    ----------
    input_size, kernel_size : int
        Along one axis.
    stride, dilation : int, optional

    Returns
    -------
    (before, after) : tuple of int
        Where the total is odd, the extra one comes after.

    Raises
    ------
    ArgumentError
        If a setting is not a whole number of at least 1.

    Notes
    -----
    The output size is ceil(W / S); the total padding is max((ceil(W / S) - 1) S + d (F - 1) + 1 - W, 0).
    At stride 1 this is d (F - 1), which is what PyTorch's "same" adds. At larger strides it is TensorFlow's SAME
    and ONNX's SAME_UPPER; PyTorch has no "same" there.
    """
    extent = dilated_extent(kernel_size, dilation)
    size, step = whole("input_size", input_size, 1), whole("stride", stride, 1)
    total = max((-(-size // step) - 1) * step + extent - size, 0)
    return total // 2, total - total // 2


def resolved(input_size: int, kernel_size: int, stride: int, padding: Any, dilation: int) -> tuple[int, int]:
    """Padding along one axis, in whatever form, as (before, after)."""
    if isinstance(padding, str) and padding == "valid":
        return 0, 0
    if isinstance(padding, str) and padding == "same":
        return same_padding(input_size, kernel_size, stride, dilation)
    return sides("padding", padding)
