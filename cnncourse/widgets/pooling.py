"""Pooling forward and backward, window by window."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from cnncourse.errors import ShapeError
from cnncourse.language import mark
from cnncourse.widgets.figure import Figure

LIMITS = {"kernel_height": (1, 3), "kernel_width": (1, 3), "stride": (1, 3)}
"""Smallest and largest value of each slider."""

LABELS = {
    "title": mark("Pooling, forward and backward"),
    "about": mark("Sliders change window and stride; for each window it is shown which inputs it takes and where "
                  "its gradient goes."),
    "kind": mark("Pooling"),
    "max": mark("maximum"),
    "average": mark("average"),
    "kernel_height": mark("Window height"),
    "kernel_width": mark("Window width"),
    "stride": mark("Stride"),
    "position": mark("Window"),
    "place": mark("row {row}, column {column}"),
    "forward": mark("Forward"),
    "backward": mark("Backward"),
    "input": mark("input"),
    "output": mark("output"),
    "grad_out": mark("gradient of the output"),
    "grad_in": mark("gradient of the input"),
    "key": mark("Framed: the window. Underlined: its switch. With a bar above: the sum of what several windows send."),
    "sizes": mark("Output {rows} x {columns}, rounded down; rows never read: {left_rows}, columns never read: "
                  "{left_columns}."),
    "max_forward": mark("max({values}) = {value}. Switch: row {row}, column {column}, which is index {row}·{width} "
                        "+ {column} = {index}."),
    "max_backward": mark("{given} goes to the switch alone. Windows with this switch: {windows}; row {row}, column "
                         "{column} gets {terms} = {sum}."),
    "average_forward": mark("({values}) / {count} = {value}"),
    "average_backward": mark("{given} / {count} = {share} goes to each input of the window; where windows overlap, "
                             "shares add up."),
    "input_description": mark("Input, {height} x {width}; the framed entries lie in the window of row {row}, column "
                              "{column}."),
    "output_description": mark("Output, {rows} x {columns}."),
    "grad_out_description": mark("Gradient of the output, {rows} x {columns}."),
    "grad_in_description": mark("Gradient of the input, {height} x {width}; empty where no window sends anything."),
    "spoken": mark("Output {rows} x {columns}. Window of row {row}, column {column}: {value} forward, {given} comes "
                   "back. Inputs that receive from several windows: {shared}."),
}

PLANE = ((1, 5, 2, 1, 3, 1, 0), (4, 2, -1, 6, 2, 2, 1), (0, -3, 7, 1, -2, -4, 3), (2, 1, 1, 3, -1, -5, 0),
         (-2, 4, 0, 2, 8, 1, -1), (1, 3, -3, 0, 5, 2, 4))


def pooling_explorer(
    plane: ArrayLike = PLANE, *, seed: int = 0, labels: Mapping[str, str] | None = None
) -> Figure:
    """Maximum and average pooling of one plane, window by window, forward and backward.

    Parameters
    ----------
    plane : array of shape (H, W), optional
        At least 3 x 3; about 6 x 7 small numbers are drawn well.
    seed : int, optional
        Of the gradient of the output.
    labels : mapping of str to str, optional
        Words to take instead of the English ones; see `cnncourse.widgets.pooling.LABELS` for their names.

    Returns
    -------
    Figure
        Its data are `x` (H, W) and `grad` (H, W), whose upper left part is the gradient of the output.

    Raises
    ------
    ShapeError
        If the plane does not have two axes of at least 3.

    Notes
    -----
    Of equal maxima the first one in the window is taken, as in `cnncourse.functional.max_pool2d`.
    """
    x = np.asarray(plane)
    if x.ndim != 2 or min(x.shape) < 3:
        raise ShapeError(f"pooling_explorer: plane has to have two axes of at least 3, its shape is {x.shape}")
    grad = np.random.default_rng(seed).integers(1, 6, x.shape)
    grad[::2, 1::2] *= -1
    data = {"x": x.tolist(), "grad": grad.tolist(),
            "limits": {**LIMITS, "x": float(np.abs(x).max()), "grad": 8}}
    settings = {"kind": "max", "kernel_height": 2, "kernel_width": 2, "stride": 1, "position": 9}
    return Figure(("pooling",), data, settings, LABELS, labels)
