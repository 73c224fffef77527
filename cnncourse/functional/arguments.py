"""Arguments as they are given, turned into what the kernels take; every complaint names the argument and the rule."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cnncourse.config import get_num_threads
from cnncourse.errors import ArgumentError, ArrayTypeError, GeometryError, ShapeError
from cnncourse.geometry import dilated_extent, onnx_output_size, same_padding
from cnncourse.geometry.settings import PADDING_FORMS, per_axis, sides_per_axis

_PRECISIONS = (np.dtype(np.float32), np.dtype(np.float64))
Array = NDArray[np.floating[Any]]
Pair = int | tuple[int, int]
LARGEST = 2**31 - 1
"""Of every setting of a window: positions are computed in 64 bits."""
Padding = int | tuple[int | tuple[int, int], int | tuple[int, int]] | Literal["same", "valid"]


@dataclass(frozen=True)
class Windows:
    """Settings of a sliding window along both axes, checked, and the number of its positions.

    Attributes
    ----------
    kernel, stride, dilation, output : (int, int)
        Vertical, horizontal.
    vertical, horizontal : (int, int)
        Padding before and after.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    vertical: tuple[int, int]
    horizontal: tuple[int, int]
    output: tuple[int, int]

    @property
    def before(self) -> tuple[int, int]:
        """Padding above and on the left."""
        return self.vertical[0], self.horizontal[0]

    @property
    def steps(self) -> tuple[int, int, int, int, int, int]:
        """sh, sw, ph, pw, dh, dw, as the kernels take them."""
        return (*self.stride, self.vertical[0], self.horizontal[0], *self.dilation)


def windows(
    operation: str, size: tuple[int, int], kernel_size: Any, stride: Any, padding: Any, dilation: Any,
    ceil_mode: bool = False,
) -> Windows:
    """Check the settings of a sliding window and count its positions.

    Raises
    ------
    ArgumentError
        If a setting is not a whole number, or too small.
    GeometryError
        If the window is larger than the padded input.
    ShapeError
        If a side of the input is zero.
    """
    return _remembered(operation, size, kernel_size, stride, padding, dilation, ceil_mode, pooling=False)


def pooling_windows(
    operation: str, size: tuple[int, int], kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> Windows:
    """The same for pooling: the stride is the kernel size by default, and no window may lie in the padding alone.

    Raises
    ------
    GeometryError
        If the same padding on both sides is more than half of the kernel, as in PyTorch, or a side of uneven or
        "same" padding as large as the window.
    """
    stride = kernel_size if stride is None else stride
    return _remembered(operation, size, kernel_size, stride, padding, dilation, ceil_mode, pooling=True)


def _remembered(operation: str, *settings: Any, pooling: bool) -> Windows:
    *setting, ceil_mode = settings
    # True and 2.0 are equal to whole numbers, and must not find what was remembered for these.
    found: Windows = (_windows if all(map(_is_plain, setting)) else _windows.__wrapped__)(
        operation, *setting, bool(ceil_mode), pooling)
    return found


def _is_plain(setting: Any) -> bool:
    kind = type(setting)
    return kind is int or kind is str or (kind is tuple and all(map(_is_plain, setting)))


@lru_cache(maxsize=1024)
def _windows(
    operation: str, size: tuple[int, int], kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool,
    pooling: bool,
) -> Windows:
    for name, length in zip(("height", "width"), size, strict=True):
        if length == 0:
            raise ShapeError(f"{operation}: the {name} of the input is 0; only the number of samples may be")
    kernel = per_axis(f"{operation}: kernel_size", kernel_size, 1)
    step = per_axis(f"{operation}: stride", stride, 1)
    spread = per_axis(f"{operation}: dilation", dilation, 1)
    if not isinstance(padding, str):
        vertical, horizontal = sides_per_axis(f"{operation}: padding", padding)
    elif padding == "same":
        vertical, horizontal = (same_padding(*axis) for axis in zip(size, kernel, step, spread, strict=True))
    elif padding == "valid":
        vertical, horizontal = (0, 0), (0, 0)
    else:
        raise ArgumentError(f"{operation}: padding has to be {PADDING_FORMS}; {padding!r} was given")
    if max(*kernel, *step, *spread, *vertical, *horizontal) > LARGEST:
        raise ArgumentError(f"{operation}: kernel_size, stride, padding and dilation may be at most {LARGEST}; "
                            f"{kernel}, {step}, {(vertical, horizontal)} and {spread} were given")
    counts = []
    for name, *axis in zip(("height", "width"), size, kernel, step, (vertical, horizontal), spread, strict=True):
        try:
            # ONNX's rule is PyTorch's, made for padding that may differ from side to side.
            counts.append(onnx_output_size(*axis, ceil_mode=ceil_mode))
        except GeometryError as error:
            raise GeometryError(f"{operation}: along the {name}, {error}") from None
    found = Windows(kernel, step, spread, vertical, horizontal, (counts[0], counts[1]))
    if pooling:
        _check_that_windows_see_inputs(operation, found, padding == "same")
    return found


def _check_that_windows_see_inputs(operation: str, found: Windows, same: bool) -> None:
    for taps, gap, (before, after) in zip(
            found.kernel, found.dilation, (found.vertical, found.horizontal), strict=True):
        extent = dilated_extent(taps, gap)
        most = taps // 2 if before == after and not same else extent - 1
        if max(before, after) > most:
            raise GeometryError(f"{operation}: padding {before} + {after} for a kernel of {taps} that spans {extent}: "
                                f"at most {most} on a side, so that every window sees some of the input")


def array(
    operation: str, name: str, value: Any, dimensions: int | None = None, like: Array | None = None,
    reference: str = "x",
) -> Array:
    """An array of the right kind as C-contiguous memory; a copy only if it is not, or read-only.

    Raises
    ------
    ArrayTypeError
        If it is no array of float32 or float64, or not of the precision of `like`, which is called `reference`.
    ShapeError
        If it has another number of dimensions.
    """
    checked = shaped(operation, name, value, dimensions, like, reference)
    if checked.flags.carray and type(checked) is np.ndarray:
        return checked
    # A read-only array is copied too: Numba would compile every kernel once more for it.
    return np.require(checked, requirements=["C", "A", "W", "E"])


def shaped(
    operation: str, name: str, value: Any, dimensions: int | None = None, like: Array | None = None,
    reference: str = "x",
) -> Array:
    """The same where only shape and precision matter: whatever lies in memory, it is not copied.

    Raises
    ------
    ArrayTypeError, ShapeError
        As `array`.
    """
    if not isinstance(value, np.ndarray) or value.dtype not in _PRECISIONS:
        given = f"an array of {value.dtype}" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"
        raise ArrayTypeError(f"{operation}: {name} has to be an array of float32 or float64, {given} was given; "
                             f"{name}.astype(np.float32) converts an array")
    if dimensions is not None and value.ndim != dimensions:
        raise ShapeError(f"{operation}: {name} has to have {dimensions} dimensions, its shape is {value.shape}")
    if like is not None and value.dtype != like.dtype:
        raise ArrayTypeError(f"{operation}: {name} is {value.dtype} and {reference} is {like.dtype}; both have to be "
                             f"the same: {name}.astype(np.{like.dtype}) converts it")
    return value


def result(operation: str, out: Any, shape: tuple[int, ...], like: Array) -> Array:
    """Where a result goes: new memory, or what the caller gave for it.

    Raises
    ------
    ArrayTypeError, ShapeError
        If what was given is not C-contiguous and writeable, or of another shape or precision.
    """
    if out is None:
        return np.empty(shape, like.dtype)
    if array(operation, "out", out, len(shape), like) is not out:
        raise ArrayTypeError(f"{operation}: out has to be writeable C-contiguous memory; without out a new array is "
                             "made")
    if out.shape != shape:
        raise ShapeError(f"{operation}: out has shape {out.shape}, the result has {shape}")
    return np.asarray(out)


def gradient(
    operation: str, value: Any, shape: tuple[int, ...], like: Array, reference: str = "x"
) -> Array:
    """An upstream gradient, which has to have the shape of the operation's output.

    Raises
    ------
    ArrayTypeError, ShapeError
    """
    checked = array(operation, "grad_out", value, len(shape), like, reference)
    if checked.shape != shape:
        raise ShapeError(f"{operation}: grad_out has shape {checked.shape}; with these settings the output has "
                         f"{shape}, and its gradient the same")
    return checked


def parts(entries: int) -> int | None:
    """Into how many parts one pass over so many entries is cut: one if a second thread is not worth asking.

    Below some 100 microseconds of work for each thread, parts are not worth handing out one by one.
    """
    if entries < 80_000:
        return 1
    return get_num_threads() if entries < 1_000_000 else None
