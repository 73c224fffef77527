"""How many positions a window has, exactly or rounded."""

from __future__ import annotations

from typing import Any, Literal, overload

from cnncourse.errors import ArgumentError, GeometryError
from cnncourse.geometry.fitting import Settings, not_whole, too_large
from cnncourse.geometry.padding import Padding
from cnncourse.geometry.settings import is_pair, per_axis, sides_per_axis

Rounding = Literal["exact", "floor", "ceil"]
Padding2d = int | tuple[int | tuple[int, int], int | tuple[int, int]] | Literal["same", "valid"]


@overload
def output_size(
    input_size: int, kernel_size: int, stride: int = 1, padding: Padding = 0, dilation: int = 1,
    rounding: Rounding = "exact",
) -> int: ...


@overload
def output_size(
    input_size: tuple[int, int], kernel_size: int | tuple[int, int], stride: int | tuple[int, int] = 1,
    padding: Padding2d = 0, dilation: int | tuple[int, int] = 1, rounding: Rounding = "exact",
) -> tuple[int, int]: ...


def output_size(
    input_size: Any, kernel_size: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    rounding: Rounding = "exact",
) -> Any:
    """Number of positions of a window that slides over a padded input.

    Whether one axis or two are meant is decided by `input_size` alone.

    Parameters
    ----------
    input_size : int or (height, width)
        W. An int asks about one axis and gets an int; a pair asks about two and gets a pair.
    kernel_size : int or pair of int
        F. A pair (vertical, horizontal) only if `input_size` is a pair; likewise below.
    stride : int or pair of int, optional
        S.
    padding : int, pair, "same" or "valid", optional
        One axis: an int P for both sides, or (before, after). Two axes: an int for all four sides,
        (vertical, horizontal), or ((top, bottom), (left, right)). "same" is `same_padding` along each axis,
        "valid" is no padding.
    dilation : int or pair of int, optional
        d.
    rounding : {"exact", "floor", "ceil"}, optional
        What happens if the stride does not divide evenly: an error, the last inputs are left out, or the last window
        reaches past the border. "ceil" is the plain formula; the rules by which libraries drop a
        last window are in `pytorch_pool_output_size` and its neighbors.

    Returns
    -------
    int or (int, int)

    Raises
    ------
    GeometryError
        If the window does not fit the padded input, or in exact mode its stride does not. The message
        names the nearest settings that fit.
    ArgumentError
        If a setting is not a whole number, or too small.

    Notes
    -----
    (W - (d (F - 1) + 1) + 2 P) / S + 1, rounded as asked. With d = 1 this is (W - F + 2 P) / S + 1.

    References
    ----------
    Dumoulin and Visin: A guide to convolution arithmetic for deep learning, 2016, relationships 6 and 15.

    Examples
    --------
    >>> output_size(227, 11, stride=4)
    55
    >>> output_size((7, 9), 3, padding=(1, 0))
    (7, 7)
    """
    if rounding not in ("exact", "floor", "ceil"):
        raise ArgumentError(f"rounding has to be 'exact', 'floor' or 'ceil', {rounding!r} was given")
    if not is_pair(input_size):
        return _one_axis(input_size, kernel_size, stride, padding, dilation, rounding)
    around: tuple[Any, Any] = (padding, padding) if isinstance(padding, str) else sides_per_axis("padding", padding)
    settings = zip(
        per_axis("input_size", input_size, 1),
        per_axis("kernel_size", kernel_size, 1),
        per_axis("stride", stride, 1),
        around,
        per_axis("dilation", dilation, 1),
        strict=True,
    )
    return tuple(_one_axis(*one, rounding) for one in settings)


def _one_axis(
    input_size: int, kernel_size: int, stride: int, padding: Padding, dilation: int, rounding: Rounding
) -> int:
    settings = Settings(input_size, kernel_size, stride, padding, dilation)
    if padding == "same":
        return -(-settings.input_size // settings.stride)
    if settings.free < 0:
        raise GeometryError(too_large(settings))
    if rounding == "exact" and settings.free % settings.stride:
        raise GeometryError(not_whole(settings))
    steps = -(-settings.free // settings.stride) if rounding == "ceil" else settings.free // settings.stride
    return steps + 1
