"""Figures of what pooling does to a picture that moves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np
from matplotlib.ticker import MaxNLocator

from cnncourse.plotting.illustration import BLUE, GREEN, INK, ORANGE, RED, Illustration, illustrated

Layer = Callable[[np.ndarray], np.ndarray]


@illustrated
def moving_dot(layers: Mapping[str, Layer], size: int = 12) -> Illustration:
    """A single bright entry moves along an axis: what a layer makes of each of its places.

    Parameters
    ----------
    layers : mapping of str to callable
        From a title to a function of an array (N, 1, 1, W).
    size : int, optional
        Number of entries, and of places.

    Returns
    -------
    Illustration
        A panel for each layer; its row p is the layer's output when the dot is at p.
    """
    dots = np.eye(size).reshape(size, 1, 1, size)
    figure = Illustration(7.0, 3.1)
    told = []
    panels = figure.subplots(1, len(layers), sharey=True)
    for axes, (name, layer) in zip(np.atleast_1d(panels), layers.items(), strict=True):
        out = layer(dots)[:, 0, 0]
        axes.imshow(out, cmap="cividis", vmin=0, vmax=1, aspect="auto")
        for line in range(1, size):
            axes.axhline(line - 0.5, color="white", linewidth=0.6)
        for line in range(1, out.shape[1]):
            axes.axvline(line - 0.5, color="white", linewidth=0.6)
        axes.set(title=name, xlabel="output")
        axes.xaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
        same = sum(np.array_equal(one, two) for one, two in pairwise(out))
        lost = int((out.sum(axis=1) == 0).sum())
        told.append(f"{name}: {same} of {size - 1} steps change nothing, at {lost} places the dot is not seen")
    np.atleast_1d(panels)[0].set(ylabel="place of the dot")
    np.atleast_1d(panels)[0].yaxis.set_major_locator(MaxNLocator(integer=True))
    flat = [text.replace("\n", " ") for text in told]
    figure.alt = f"A bright dot moves through {size} places, one step at a time. {'; '.join(flat)}."
    return figure


def change(x: np.ndarray, layer: Layer, shift: int, width: int) -> float:
    """By how much a layer's output changes when its input moves by `shift` columns, relative to how it varies.

    Parameters
    ----------
    x : array of shape (1, C, H, W)
        Wider than `width` by `shift` columns at least, so that what moves in is real.
    layer : callable
    shift, width : int

    Returns
    -------
    float
        Root mean square of the difference of the outputs, divided by the standard deviation, of the unmoved output
        or of the input, whichever is larger: a layer that averages all differences away shall not look unsteady.
    """
    here, there = layer(x[..., :width]), layer(x[..., shift : shift + width])
    return float(np.sqrt(np.mean((here - there) ** 2)) / max(here.std(), x.std()))


@illustrated
def shift_curves(x: np.ndarray, layers: Mapping[str, Layer], shifts: Sequence[int], width: int) -> Illustration:
    """How much outputs change when the picture moves sideways.

    Parameters
    ----------
    x : array of shape (1, C, H, W)
        At least `width` + the largest shift wide.
    layers : mapping of str to callable
        From a label to a function of an array (1, C, H, width).
    shifts : sequence of int
        By how many columns the picture moves, rising.
    width : int

    Returns
    -------
    Illustration
    """
    figure = Illustration(7.0, 3.6)
    axes = figure.subplots()
    told = []
    styles = zip((INK, BLUE, ORANGE, RED, GREEN), "osDv^", strict=True)
    for (name, layer), (color, marker) in zip(layers.items(), styles, strict=False):
        changes = [change(x, layer, shift, width) for shift in shifts]
        axes.plot(shifts, changes, "-" + marker, color=color, markersize=6, label=name)
        told.append(f"{name}: {changes[min(1, len(changes) - 1)]:.2g} after {shifts[min(1, len(shifts) - 1)]}, "
                    f"{changes[-1]:.2g} after {shifts[-1]}")
    axes.set(xlabel="the picture moves by this many columns", ylabel="change of the output", ylim=(0, None),
             xticks=list(shifts))
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=10.5)
    figure.alt = ("Change of a layer's output, relative to how much it varies, when the picture moves sideways by 0 to "
                  f"{shifts[-1]} columns. {'; '.join(told)}.")
    return figure
