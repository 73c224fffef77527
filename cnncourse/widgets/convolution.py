"""A convolution with several channels and filters, entry by entry."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cnncourse.language import mark
from cnncourse.widgets.figure import GEOMETRY_LABELS, Figure

LIMITS = {"height": (3, 8), "width": (3, 8), "kernel_height": (1, 4), "kernel_width": (1, 4), "stride": (1, 3),
          "padding": (0, 2), "dilation": (1, 3)}
"""Smallest and largest value of each slider."""

LABELS = {
    "title": mark("A convolution, entry by entry"),
    "about": mark("Sliders change the input's size, the filter's size, stride, padding and dilation; each entry of "
                  "the output is shown with all its products."),
    "height": mark("Input height"),
    "width": mark("Input width"),
    "kernel_height": mark("Filter height"),
    "kernel_width": mark("Filter width"),
    "stride": mark("Stride"),
    "padding": mark("Padding"),
    "dilation": mark("Dilation"),
    "position": mark("Entry"),
    "place": mark("filter {filter}, row {row}, column {column}"),
    "nothing": mark("no entry"),
    "input": mark("input, channel {channel}"),
    "filter": mark("filter"),
    "products": mark("products"),
    "output": mark("output of filter {filter}"),
    "channel_sum": mark("Sum of channel {channel}: {sum}"),
    "total": mark("Filter {filter}, row {row}, column {column}\nchannels + bias:\n{sums} = {result}"),
    "input_description": mark("Channel {channel} of the input, {height} x {width}, with {padding} zeros around it; "
                              "the framed entries lie under the filter."),
    "filter_description": mark("Channel {channel} of filter {filter}, row by row: {values}"),
    "output_description": mark("Output of filter {filter}, {rows} x {columns}; entries after the framed one are "
                               "still empty."),
    "spoken": mark("Output {filters} x {rows} x {columns}. Filter {filter}, row {row}, column {column}: {sums} = "
                   "{result}."),
    "does_not_fit": mark("These settings do not fit."),
    **GEOMETRY_LABELS,
}


def convolution_stepper(
    *, channels: int = 3, filters: int = 2, seed: int = 0, labels: Mapping[str, str] | None = None
) -> Figure:
    """A convolution that is stepped through or plays, with every product of the current entry of the output.

    Parameters
    ----------
    channels : int, optional
        Of the input.
    filters : int, optional
    seed : int, optional
        Of the small whole numbers that are convolved.
    labels : mapping of str to str, optional
        Words to take instead of the English ones; see `cnncourse.widgets.convolution.LABELS` for their names.

    Returns
    -------
    Figure
        Its data are `x` (channels, H, W), `weight` (filters, channels, KH, KW) and `bias` (filters,), each as large
        as the sliders allow; smaller settings take the upper left part.
    """
    rng = np.random.default_rng(seed)
    largest = {name: high for name, (_, high) in LIMITS.items()}
    x = rng.integers(-2, 4, (channels, largest["height"], largest["width"]))
    weight = rng.integers(-1, 2, (filters, channels, largest["kernel_height"], largest["kernel_width"]))
    bias = rng.integers(-1, 3, filters)
    data = {"x": x.tolist(), "weight": weight.tolist(), "bias": bias.tolist(),
            "limits": {**LIMITS, "x": 3, "weight": 1, "output": 3 * int(np.sqrt(9 * channels))}}
    settings = {"height": 5, "width": 7, "kernel_height": 3, "kernel_width": 3, "stride": 2, "padding": 1,
                "dilation": 1, "position": 0}
    return Figure(("geometry", "convolution"), data, settings, LABELS, labels)
