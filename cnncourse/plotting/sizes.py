"""Figures of output sizes: which positions a filter takes, what is left over, and who rounds how."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from cnncourse import geometry
from cnncourse.plotting.illustration import (
    BLUE,
    GRAY,
    INK,
    ORANGE,
    PALE,
    RED,
    SKY,
    Illustration,
    bare,
    counted,
    illustrated,
)


@illustrated
def sliding_window(input_size: int, kernel_size: int, stride: int = 1, padding: int = 0) -> Illustration:
    """Every position that a filter takes along one axis, and the entries that no position reaches.

    Parameters
    ----------
    input_size, kernel_size : int
    stride, padding : int, optional

    Returns
    -------
    Illustration
        The padded input on top, one bar for each output below it; a hatched bar where the next step would
        stick out.

    Raises
    ------
    GeometryError
        If the kernel does not fit into the padded input at all.
    """
    outputs = geometry.output_size(input_size, kernel_size, stride, padding, rounding="floor")
    padded = input_size + 2 * padding
    left_over = (padded - kernel_size) % stride
    figure = Illustration(7.0, 0.85 + 0.36 * (outputs + (left_over > 0)))
    axes = bare(figure.subplots())
    _input_cells(axes, input_size, padding, left_over)
    for position in range(outputs):
        start, row = position * stride - padding, position + 1.6
        axes.add_patch(Rectangle((start + 0.06, row), kernel_size - 0.12, 0.7, facecolor=BLUE, edgecolor=INK))
        axes.text(start + kernel_size / 2, row + 0.37, f"output {position}" if kernel_size > 2 else str(position),
                  color="white", ha="center", va="center")
    right = padded - padding
    if left_over:
        start, row = outputs * stride - padding, outputs + 1.6
        axes.add_patch(Rectangle((start + 0.06, row), kernel_size - 0.12, 0.7, facecolor="white", edgecolor=RED,
                                 hatch="////", linewidth=1.5))
        axes.text(start - 0.3, row + 0.37, "would stick out:", color=RED, ha="right", va="center")
        right = max(right, start + kernel_size)
    size = Fraction(padded - kernel_size, stride) + 1
    formula = f"({input_size} − {kernel_size} + 2·{padding}) / {stride} + 1 = {float(size):g}"
    axes.set(xlim=(-padding - 0.3, right + 0.3), ylim=(outputs + 1.45 + (left_over > 0), 0.1), title=formula)
    ending = (f"The last {counted(left_over, 'entry')} of the padded input "
              f"{'is' if left_over == 1 else 'are'} never read." if left_over else "Nothing is left over.")
    figure.alt = (f"A filter of {kernel_size} entries slides over {input_size} entries with {padding} zeros on either "
                  f"side, {counted(stride, 'entry')} at a time: "
                  f"{counted(outputs, 'position')}. {formula}. {ending}")
    return figure


def _input_cells(axes: Axes, input_size: int, padding: int, left_over: int) -> None:
    for index in range(-padding, input_size + padding):
        real = 0 <= index < input_size
        lost = index >= input_size + padding - left_over
        axes.add_patch(Rectangle((index, 0.2), 1, 1, facecolor=SKY if real else "white", edgecolor=INK,
                                 linestyle="-" if real else "--", hatch="xx" if lost else None))
        axes.text(index + 0.5, 0.7, str(index) if real else "0", ha="center", va="center", color=INK if real else GRAY,
                  bbox={"facecolor": SKY if real else "white", "edgecolor": "none", "pad": 1} if lost else None)


@illustrated
def output_sizes(
    input_size: int, kernel_size: int, padding: int = 0, strides: Sequence[int] = tuple(range(1, 9))
) -> Illustration:
    """Output size against stride: where the formula gives a whole number, and what flooring makes of the others.

    Parameters
    ----------
    input_size, kernel_size : int
    padding : int, optional
    strides : sequence of int, optional

    Returns
    -------
    Illustration
        Full discs fit; crosses do not, and the hollow squares below them are what floor leaves.
    """
    exact = [Fraction(input_size - kernel_size + 2 * padding, stride) + 1 for stride in strides]
    floored = [geometry.output_size(input_size, kernel_size, s, padding, rounding="floor") for s in strides]
    fits = [size.denominator == 1 for size in exact]
    figure = Illustration(7.0, 3.4)
    axes = figure.subplots()
    axes.plot(strides, [float(size) for size in exact], color=GRAY, linewidth=1, zorder=1)
    for stride, size, whole, fit in zip(strides, exact, floored, fits, strict=True):
        if fit:
            axes.plot(stride, float(size), "o", color=BLUE, markersize=10)
            axes.annotate(str(whole), (stride, float(size)), (0, 10), textcoords="offset points", ha="center")
        else:
            axes.plot([stride, stride], [float(size), whole], color=RED, linewidth=1)
            axes.plot(stride, float(size), "x", color=RED, markersize=9, markeredgewidth=2.5)
            axes.plot(stride, whole, "s", color="white", markeredgecolor=INK, markersize=8)
            axes.annotate(f"{float(size):.4g}", (stride, float(size)), (0, 10), textcoords="offset points", ha="center")
    for marker, color, label in (("o", BLUE, "fits"), ("x", RED, "does not fit"), ("s", "white", "after floor")):
        axes.plot([], [], marker, color=color, markeredgecolor=INK if color == "white" else color, label=label,
                  markersize=8, markeredgewidth=2 if marker == "x" else 1)
    axes.legend(frameon=False)
    axes.set(xlabel="stride S", ylabel="output size", xticks=list(strides), ylim=(0, float(max(exact)) * 1.18),
             title=f"W = {input_size}, F = {kernel_size}, P = {padding}")
    fitting = ", ".join(str(stride) for stride, fit in zip(strides, fits, strict=True) if fit) or "none"
    figure.alt = (f"Output size against stride for input {input_size}, filter {kernel_size}, padding {padding}. "
                  f"Strides that give a whole number: {fitting}. Sizes: "
                  f"{'; '.join(f'stride {s}: {float(e):.4g}' for s, e in zip(strides, exact, strict=True))}.")
    return figure


@illustrated
def rounding_rules(input_sizes: Sequence[int], kernel_size: int, stride: int) -> Illustration:
    """What the libraries make of the same settings, without padding of one's own.

    Parameters
    ----------
    input_sizes : sequence of int
    kernel_size, stride : int

    Returns
    -------
    Illustration
        A row for each library and operation, a column for each input size; columns where the formula gives
        no whole number are hatched on top.
    """
    rules = _rules(kernel_size, stride)
    table = np.array([[rule(size) for size in input_sizes] for rule in rules.values()])
    exact = [Fraction(size - kernel_size, stride) + 1 for size in input_sizes]
    figure = Illustration(7.0, 0.36 * len(rules) + 1.25)
    axes = bare(figure.subplots(), f"output sizes for F = {kernel_size}, S = {stride}, no padding given")
    for column, (size, value) in enumerate(zip(input_sizes, exact, strict=True)):
        fits = value.denominator == 1
        axes.text(column, -2, f"W = {size}", ha="center", va="center")
        axes.add_patch(Rectangle((column - 0.48, -1.4), 0.96, 0.8, facecolor="white", edgecolor=INK if fits else RED,
                                 hatch=None if fits else "///"))
        axes.text(column, -1, f"{float(value):.4g}", ha="center", va="center", weight="bold",
                  bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5})
        for row, given in enumerate(table[:, column]):
            differs = given != value.__floor__()
            axes.add_patch(Rectangle((column - 0.48, row - 0.45), 0.96, 0.9, facecolor=ORANGE if differs else PALE))
            axes.text(column, row, f"{given}{' ▲' if differs else ''}", ha="center", va="center")
    axes.text(-0.65, -1, "formula", ha="right", va="center", weight="bold")
    for row, name in enumerate(rules):
        axes.text(-0.65, row, name, ha="right", va="center")
    axes.set(xlim=(-0.6, len(input_sizes) - 0.4), ylim=(len(rules) - 0.4, -2.4))
    axes.text(len(input_sizes) / 2 - 0.5, len(rules), "▲ larger than the floor", ha="center", va="top", fontsize=10.5)
    figure.alt = (f"Output sizes for filter {kernel_size}, stride {stride} and inputs {list(input_sizes)}. "
                  + " ".join(f"{name}: {row.tolist()}." for name, row in zip(rules, table, strict=True)))
    return figure



@illustrated
def first_layer_sizes(
    input_sizes: Sequence[int] = (224, 227), kernel_size: int = 11, stride: int = 4, target: int = 55,
    paddings: Sequence[int] = tuple(range(9)),
) -> Illustration:
    """Which total padding, of both sides together, gives the wanted output size: by default AlexNet's 55.

    Parameters
    ----------
    input_sizes : sequence of int, optional
        Candidates for the size of the picture.
    kernel_size, stride, target : int, optional
        Of the layer, and the output size that it is known to have.
    paddings : sequence of int, optional
        Totals to try.

    Returns
    -------
    Illustration
        In the shaded band, floor gives the target; full markers give it without rounding.
    """
    figure = Illustration(7.0, 3.3)
    axes = figure.subplots()
    axes.axhspan(target, target + 1, color=PALE, zorder=0)
    axes.text(max(paddings) + 0.3, target + 0.5, f"floor\ngives {target}", ha="right", va="center")
    told = []
    for size, marker, color in zip(input_sizes, "osD", (BLUE, ORANGE, RED), strict=False):
        exact = [Fraction(size - kernel_size + total, stride) + 1 for total in paddings]
        good = [total for total in paddings
                if geometry.output_size(size + total, kernel_size, stride, 0, rounding="floor") == target]
        axes.plot(paddings, [float(value) for value in exact], "-", color=color, linewidth=1, zorder=1)
        for total, value in zip(paddings, exact, strict=True):
            axes.plot(total, float(value), marker, color=color if value.denominator == 1 else "white",
                      markeredgecolor=color, markeredgewidth=2, markersize=9)
        axes.plot([], [], marker, color=color, markersize=9, label=f"picture of {size}")
        told.append(f"{size} gives {target} with a total padding of {', '.join(map(str, good)) or 'none of these'}")
    axes.set(xlabel="rows of zeros on both sides together", ylabel="(W − F + padding) / S + 1", xticks=list(paddings),
             title=f"F = {kernel_size}, S = {stride}; full markers are whole numbers")
    axes.legend(frameon=False, loc="upper left")
    figure.alt = f"Output size against total padding for filter {kernel_size} and stride {stride}. {'; '.join(told)}."
    return figure


def _rules(kernel_size: int, stride: int) -> dict[str, Callable[[int], int]]:
    """From each library's operation, as it is named in the figure, to what it does with an input size."""
    return {
        "Caffe convolution": lambda size: geometry.caffe_conv_output_size(size, kernel_size, stride),
        "PyTorch convolution": lambda size: geometry.pytorch_conv_output_size(size, kernel_size, stride),
        "ONNX convolution": lambda size: geometry.onnx_output_size(size, kernel_size, stride),
        "TensorFlow VALID": lambda size: geometry.tensorflow_output_size(size, kernel_size, stride, padding="VALID"),
        "TensorFlow SAME": lambda size: geometry.tensorflow_output_size(size, kernel_size, stride, padding="SAME"),
        "Caffe pooling": lambda size: geometry.caffe_pool_output_size(size, kernel_size, stride),
        "PyTorch pooling": lambda size: geometry.pytorch_pool_output_size(size, kernel_size, stride),
        "PyTorch pooling, ceil_mode": lambda size: geometry.pytorch_pool_output_size(
            size, kernel_size, stride, ceil_mode=True),
        "ONNX pooling, ceil_mode": lambda size: geometry.onnx_output_size(size, kernel_size, stride, ceil_mode=True),
    }
