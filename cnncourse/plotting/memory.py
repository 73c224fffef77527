"""Figures of where memory goes: by kind, by layer, by batch, and as predicted and measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from cnncourse.layers.base import size_of
from cnncourse.memory import OPTIMIZERS, account
from cnncourse.memory.accounting import OptimizerName
from cnncourse.network.graph import INPUT, Graph
from cnncourse.plotting.illustration import (
    BLUE,
    GRAY,
    GREEN,
    INK,
    ORANGE,
    PALE,
    RED,
    SKY,
    Illustration,
    counted,
    illustrated,
)

MIB, GIB = 2**20, 2**30
KINDS = {  # color and hatching of each kind of memory, in the order in which they are stacked
    "parameters": (BLUE, ""),
    "gradients": (SKY, "///"),
    "optimizer": (GREEN, "..."),
    "input": (PALE, ""),
    "activations": (ORANGE, ""),
    "workspace": (GRAY, "\\\\\\"),
}
OPTIMIZER_TITLES = {"sgd": "plain SGD", "momentum": "momentum", "rmsprop": "RMSProp", "adam": "Adam"}


def size_text(count: float) -> str:
    """Bytes in the binary unit that suits them."""
    for unit, step in (("GiB", GIB), ("MiB", MIB), ("KiB", 2**10)):
        if count >= step:
            return f"{count / step:.1f} {unit}"
    return f"{count:.0f} B"


@illustrated
def parameter_copies(parameter_count: int, bytes_per_number: int = 4) -> Illustration:
    """What training keeps for the parameters, for each optimizer.

    Parameters
    ----------
    parameter_count : int
    bytes_per_number : int, optional

    Returns
    -------
    Illustration
        A bar for each optimizer: parameters, gradients, and what the optimizer remembers.
    """
    once = parameter_count * bytes_per_number
    figure = Illustration(7.0, 2.9)
    axes = figure.subplots()
    told = []
    for row, (name, optimizer) in enumerate(OPTIMIZERS.items()):
        parts = ["parameters", "gradients", *["optimizer"] * len(optimizer.kept)]
        for place, kind in enumerate(parts):
            color, hatch = KINDS[kind]
            axes.barh(row, once / MIB, left=place * once / MIB, height=0.66, color=color, hatch=hatch, edgecolor=INK)
        axes.text(len(parts) * once / MIB, row, f"  {len(parts)} x = {size_text(len(parts) * once)}", va="center")
        told.append(f"{OPTIMIZER_TITLES[name]} {len(parts)} times, {size_text(len(parts) * once)}")
    _legend(axes, ("parameters", "gradients", "optimizer"), ("parameters", "gradients", "kept by the optimizer"))
    axes.set(yticks=range(len(OPTIMIZERS)), yticklabels=[OPTIMIZER_TITLES[name] for name in OPTIMIZERS],
             xlabel="MiB", xlim=(0, 5.1 * once / MIB))
    axes.invert_yaxis()
    figure.alt = (f"Memory for {parameter_count:,} parameters of {bytes_per_number} bytes, which take "
                  f"{size_text(once)} once: {'; '.join(told)}.")
    return figure


@illustrated
def memory_by_kind(
    networks: Sequence[Graph], batch_size: int, optimizer: OptimizerName = "momentum", training: bool = True
) -> Illustration:
    """Memory of networks at the moment when it is largest, by what it is for.

    Parameters
    ----------
    networks : sequence of Network
    batch_size : int
    optimizer : {"sgd", "momentum", "rmsprop", "adam"}, optional
    training : bool, optional

    Returns
    -------
    Illustration
        A stacked bar for each network.
    """
    found = [account(network, batch_size, optimizer=optimizer, training=training) for network in networks]
    figure = Illustration(7.0, 1.7 + 0.42 * len(found))
    axes = figure.subplots()
    left = np.zeros(len(found))
    at_peak = dict(zip(("input", "parameters", "gradients", "optimizer", "activations", "workspace"),
                       zip(*(one.at_peak for one in found), strict=True), strict=True))
    for kind, (color, hatch) in KINDS.items():
        width = np.array(at_peak[kind]) / MIB
        axes.barh(range(len(found)), width, left=left, height=0.66, color=color, hatch=hatch, edgecolor=INK,
                  linewidth=0.8)
        left += width
    for row, one in enumerate(found):
        axes.text(left[row], row, f"  {size_text(one.peak)}", va="center")
    _legend(axes, tuple(KINDS), tuple(KINDS))
    axes.set(yticks=range(len(found)), yticklabels=[one.network for one in found], xlabel="MiB at the peak",
             xlim=(0, 1.2 * left.max()))
    axes.invert_yaxis()
    told = []
    for one in found:
        share = (one.at_peak[4] + one.at_peak[0]) / one.peak
        told.append(f"{one.network} {size_text(one.peak)}, {share:.0%} of it input and activations")
    what = f"training with {OPTIMIZER_TITLES[optimizer]}" if training else "inference"
    figure.alt = f"Memory at its peak, {what}, batch of {batch_size}: {'; '.join(told)}."
    return figure


@illustrated
def memory_by_layer(network: Graph, batch_size: int = 1, bytes_per_number: int = 4) -> Illustration:
    """Activations and parameters of each layer, side by side, from the input on top to the output.

    Parameters
    ----------
    network : Network
    batch_size : int, optional
        Of the activations; parameters do not depend on it.
    bytes_per_number : int, optional

    Returns
    -------
    Illustration
        Bars of activations to the left and of parameters to the right; layers that work in place are left out.
    """
    rows = [(INPUT, size_of(network.input_shape), 0)]
    rows += [(node.name, size_of(node.output_shape), node.parameter_count)
             for node in network.nodes if node.layer.stored]
    activations = np.array([row[1] for row in rows]) * batch_size * bytes_per_number / MIB
    parameters = np.array([row[2] for row in rows]) * bytes_per_number / MIB
    figure = Illustration(7.0, 1.3 + 0.2 * len(rows))
    left, right = figure.subplots(1, 2, sharey=True)
    left.barh(range(len(rows)), activations, color=ORANGE, edgecolor=INK, linewidth=0.6)
    right.barh(range(len(rows)), parameters, color=BLUE, edgecolor=INK, linewidth=0.6)
    left.invert_xaxis()
    left.invert_yaxis()
    pictures = counted(batch_size, "picture")
    left.set(yticks=range(len(rows)), yticklabels=[row[0] for row in rows], xlabel="MiB",
             title=f"activations of {pictures}: {activations.sum():,.1f} MiB")
    right.set(xlabel="MiB", title=f"parameters: {parameters.sum():,.1f} MiB")
    left.tick_params(axis="y", labelsize=9.5)
    figure.alt = (
        f"Memory of {network.name} by layer. Activations of {pictures}: {activations.sum():,.1f} MiB, most in "
        f"{rows[int(activations.argmax())][0]} with {activations.max():,.1f} MiB. Parameters: {parameters.sum():,.1f} "
        f"MiB, most in {rows[int(parameters.argmax())][0]} with {parameters.max():,.1f} MiB.")
    return figure


@illustrated
def batch_budget(
    networks: Sequence[Graph], budgets: Sequence[float] = (12, 16, 24, 80), optimizer: OptimizerName = "momentum"
) -> Illustration:
    """Memory of a training step against the batch, and about how large a batch fits into each budget.

    Parameters
    ----------
    networks : sequence of Network
    budgets : sequence of float, optional
        In GiB, increasing.
    optimizer : {"sgd", "momentum", "rmsprop", "adam"}, optional

    Returns
    -------
    Illustration
        Dots are accounts; the line through those of 32 and 64 pictures is a fixed part and so much for each picture.
        The batch is written where it meets a budget. Both axes are logarithmic, which bends the line.
    """
    figure = Illustration(7.0, 4.2)
    axes = figure.subplots()
    told, most = [], 1.0
    for number, (network, color, marker) in enumerate(zip(networks, (BLUE, RED, GREEN), "os^", strict=False)):
        peaks = {n: account(network, n, optimizer=optimizer).peak for n in (1, 4, 16, 32, 64, 256)}
        each = (peaks[64] - peaks[32]) / 32
        fixed = peaks[32] - 32 * each
        batches = [max(int((budget * GIB - fixed) // each), 0) for budget in budgets]
        most = max(most, *batches)
        x = np.geomspace(1, max(batches[-1], 2), 60)
        axes.plot(x, (fixed + each * x) / GIB, color=color)
        axes.plot(list(peaks), [peak / GIB for peak in peaks.values()], marker, color=color, markersize=5.5,
                  label=network.name, linestyle="none")
        for batch, budget in zip(batches, budgets, strict=True):
            axes.annotate(f"{batch:,}", (max(batch, 1), budget), (-7, 3) if number % 2 == 0 else (7, -11),
                          textcoords="offset points", ha="right" if number % 2 == 0 else "left", fontsize=10.5,
                          color=INK, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6})
            axes.plot(max(batch, 1), budget, marker, color="white", markeredgecolor=color, markersize=8,
                      markeredgewidth=2)
        told.append(f"{network.name} {', '.join(f'{n:,}' for n in batches)}, with {size_text(fixed)} fixed and "
                    f"{size_text(each)} for each picture")
    for budget in budgets:
        axes.axhline(budget, color=GRAY, linewidth=0.9, linestyle="--", zorder=0)
    axes.set(xscale="log", yscale="log", xlabel="batch size", ylabel="GiB at the peak", xlim=(0.9, 2.5 * most))
    axes.set_yticks([0.1, 1, *budgets], minor=False)
    axes.set_yticks([], minor=True)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.legend(frameon=False, loc="lower right")
    figure.alt = (f"Largest batch for budgets of {', '.join(f'{b:g}' for b in budgets)} GiB, training with "
                  f"{OPTIMIZER_TITLES[optimizer]}, about: {'; '.join(told)}.")
    return figure


@illustrated
def predicted_and_measured(
    batch_sizes: Sequence[int], predicted: Sequence[int], measured: Sequence[int]
) -> Illustration:
    """Memory of training steps as an account predicts it and as it was measured.

    Parameters
    ----------
    batch_sizes : sequence of int
        Increasing.
    predicted, measured : sequence of int
        Bytes.

    Returns
    -------
    Illustration
        A line of what was predicted, crosses of what was measured, and how far they are apart.
    """
    figure = Illustration(7.0, 3.2)
    axes = figure.subplots()
    axes.plot(batch_sizes, np.array(predicted) / MIB, "-", color=BLUE, linewidth=2, label="predicted")
    axes.plot(batch_sizes, np.array(measured) / MIB, "x", color=RED, markersize=11, markeredgewidth=2.5,
              label="measured here")
    differences = [one / other - 1 for one, other in zip(predicted, measured, strict=True)]
    for batch, other, difference in zip(batch_sizes, measured, differences, strict=True):
        axes.annotate(f"{round(difference, 3) + 0.0:+.1%}".replace("-", "−"), (batch, other / MIB), (6, -16),
                      textcoords="offset points", fontsize=10)
    axes.set(xlabel="batch size", ylabel="MiB at the peak", xticks=list(batch_sizes),
             xlim=(0, 1.14 * max(batch_sizes)), ylim=(0, 1.12 * max(*predicted, *measured) / MIB))
    axes.legend(frameon=False)
    largest = max(differences, key=abs)
    figure.alt = (f"Memory at the peak for batches of {', '.join(map(str, batch_sizes))}: predicted "
                  f"{', '.join(map(size_text, predicted))}; measured {', '.join(map(size_text, measured))}. The "
                  f"largest difference is {abs(largest):.1%}.")
    return figure


def _legend(axes: Axes, kinds: Sequence[str], titles: Sequence[str]) -> None:
    handles = [Patch(facecolor=KINDS[kind][0], hatch=KINDS[kind][1], edgecolor=INK, label=title)
               for kind, title in zip(kinds, titles, strict=True)]
    axes.legend(handles=handles, frameon=False, ncols=3, loc="lower center", bbox_to_anchor=(0.45, 1.0), fontsize=10.5,
                handlelength=1.6, columnspacing=1.2)
