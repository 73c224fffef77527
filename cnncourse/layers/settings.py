"""Settings of sliding windows, checked as soon as a layer is written down."""

from __future__ import annotations

from typing import Any

from cnncourse.errors import ArgumentError
from cnncourse.geometry.settings import PADDING_FORMS, per_axis, sides_per_axis


def check_window(layer: str, kernel_size: Any, stride: Any, padding: Any, dilation: Any = 1) -> None:
    """Complain about what could not work for any input; a stride of None is the kernel size."""
    per_axis(f"{layer}: kernel_size", kernel_size, 1)
    per_axis(f"{layer}: stride", kernel_size if stride is None else stride, 1)
    per_axis(f"{layer}: dilation", dilation, 1)
    if not isinstance(padding, str):
        sides_per_axis(f"{layer}: padding", padding)
    elif padding not in ("same", "valid"):
        raise ArgumentError(f"{layer}: padding has to be {PADDING_FORMS}; {padding!r} was given")
