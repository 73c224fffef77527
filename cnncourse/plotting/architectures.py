"""Figures of whole networks: how deep they are, what they cost, and where; what their neurons see."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from cnncourse import geometry
from cnncourse.geometry.settings import per_axis
from cnncourse.layers import Conv2d, GlobalAvgPool2d, Layer, Linear
from cnncourse.network import Network
from cnncourse.network.graph import INPUT, Node
from cnncourse.plotting.illustration import BLUE, GRAY, GREEN, INK, ORANGE, PALE, RED, SKY, Illustration, illustrated

KINDS = {"convolution": BLUE, "pooling": ORANGE, "fully connected": GREEN}
LINES = (BLUE, RED, GREEN, ORANGE, SKY, GRAY)
MARKERS = ("o", "s", "^", "D", "v", "P")
MILLION = 1e6


def _kind(layer: Layer) -> str:
    if isinstance(layer, Conv2d):
        return "convolution"
    return "fully connected" if isinstance(layer, Linear) else "pooling"


def _weighted(node: Node) -> bool:
    return node.multiply_adds > 0


def _depths(network: Network) -> dict[str, int]:
    """For each node, how many layers with weights lie on the longest way to it, its own included."""
    depths = {INPUT: 0}
    for node in network.nodes:
        depths[node.name] = max(depths[one] for one in node.inputs) + _weighted(node)
    return depths


def _longest_way(network: Network) -> list[Node]:
    """The nodes that store something along a way through the most layers with weights."""
    depths = _depths(network)
    way = []
    name = network.outputs[0]
    while name != INPUT:
        node = network.node(name)
        if node.layer.stored:
            way.append(node)
        name = max(node.inputs, key=depths.__getitem__)
    return way[::-1]


@illustrated
def network_profiles(*networks: Network) -> Illustration:
    """Networks one below the other on one scale: each layer a bar, as tall as its output.

    Parameters
    ----------
    *networks : Network
        For pictures; where a network branches, the longest way through it is drawn.

    Returns
    -------
    Illustration
        Convolutions, pools and fully connected layers from left to right; heights are logarithmic.
    """
    ways = [_longest_way(network) for network in networks]
    largest = max(network.input_shape[1] for network in networks)
    figure = Illustration(7.0, 1.15 * len(networks) + 0.7 + 0.6 * (len(networks) == 1))
    panels = figure.subplots(len(networks), 1, sharex=True, squeeze=False)[:, 0]
    for axes, network, way in zip(panels, networks, ways, strict=True):
        for place, node in enumerate(way, 1):
            side = node.output_shape[1] if len(node.output_shape) == 3 else 1
            # A side of one is drawn too, as a low bar.
            axes.bar(place, np.log2(2 * side), 0.82, color=KINDS[_kind(node.layer)])
        depth = _depths(network)[network.outputs[0]]
        parameters = _millions(network.parameter_count())
        axes.set_title(f"{network.name}: {depth} layers with weights, {parameters} parameters", loc="left",
                       fontsize=11.5)
        sides = [side for side in (1, 14, largest) if side <= largest]
        axes.set(yticks=[np.log2(2 * side) for side in sides], yticklabels=[str(side) for side in sides],
                 ylim=(0, np.log2(2 * largest) * 1.02), xlim=(0.3, max(map(len, ways)) + 0.7))
        axes.tick_params(labelsize=10)
    panels[-1].set_xlabel("layer, pools included")
    figure.supylabel("height of the output", fontsize=11.5)
    figure.legend(handles=[Patch(color=color, label=kind) for kind, color in KINDS.items()], ncols=3, frameon=False,
                  loc="outside upper center")
    told = "; ".join(
        f"{network.name}: {_depths(network)[network.outputs[0]]} layers with weights, {network.input_shape[1]} rows "
        f"down to {[n.output_shape[1] for n in way if len(n.output_shape) == 3][-1]}, "
        f"{_millions(network.parameter_count())} parameters" for network, way in zip(networks, ways, strict=True))
    figure.alt = f"Networks as rows of bars, one for each layer, as tall as the layer's output. {told}."
    return figure


def _millions(number: int) -> str:
    return f"{number / MILLION:.1f} M" if number >= MILLION else f"{number:,}"


@illustrated
def network_costs(*networks: Network) -> Illustration:
    """Parameters against multiply-adds; the area of each disc shows the activations.

    Parameters
    ----------
    *networks : Network

    Returns
    -------
    Illustration
        Both axes are logarithmic.
    """
    figure = Illustration(7.0, 4.3)
    axes = figure.subplots()
    points = [(n.name, n.parameter_count(), n.multiply_adds(), n.activation_count()) for n in networks]
    most = max(activations for *_, activations in points)
    for (_, parameters, work, activations), color in zip(points, np.resize(LINES, len(points)), strict=True):
        axes.scatter(parameters / MILLION, work / MILLION, s=max(1600 * activations / most, 6), color=color, alpha=0.6,
                     edgecolor=INK, linewidth=0.8, zorder=3)
    axes.set(xscale="log", yscale="log", xlabel="parameters, millions", ylabel="multiply-adds, millions")
    axes.margins(0.12, 0.12)
    _label(axes, [(name, parameters / MILLION, work / MILLION) for name, parameters, work, _ in points])
    axes.grid(color=PALE, zorder=0)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:,.9g}")
    axes.set_title("area of a disc: activations", fontsize=11.5)
    told = "; ".join(f"{name}: {_millions(parameters)} parameters, {_millions(work)} multiply-adds, "
                     f"{_millions(activations)} activations" for name, parameters, work, activations in points)
    figure.alt = f"Networks as discs over parameters and multiply-adds, both logarithmic. {told}."
    return figure


def _label(axes: Axes, points: Sequence[tuple[str, float, float]]) -> None:
    """Names in a column on the right, in the order of the discs from top to bottom, each with a line to its disc."""
    places = np.linspace(0.04, 0.96, len(points))
    for place, (name, x, y) in zip(places, sorted(points, key=lambda point: point[2]), strict=True):
        axes.annotate(name, (x, y), (1.06, place), textcoords="axes fraction", va="center", zorder=4,
                      arrowprops={"arrowstyle": "-", "color": GRAY, "linewidth": 0.8, "shrinkA": 2, "shrinkB": 0})


@illustrated
def cost_by_layer(network: Network) -> Illustration:
    """Where a network's parameters, multiply-adds and activations sit.

    Parameters
    ----------
    network : Network

    Returns
    -------
    Illustration
        A bar for each group of layers whose names agree up to the first underscore, as a share of the whole.
    """
    parts = _groups(network)
    totals = {"parameters": network.parameter_count(), "multiply-adds": network.multiply_adds(),
              "activations": network.activation_count()}
    figure = Illustration(7.0, 4.4)
    panels = figure.subplots(3, 1, sharex=True)
    told = []
    for index, (axes, (what, total)) in enumerate(zip(panels, totals.items(), strict=True)):
        shares = [100 * counts[index] / total for counts, _ in parts.values()]
        axes.bar(range(len(parts)), shares, color=[KINDS.get(kind, GRAY) for _, kind in parts.values()])
        axes.set(ylim=(0, max(shares) * 1.25), ylabel="%")
        axes.set_title(f"{what}: {total:,}", loc="left", fontsize=11.5)
        for place, share in enumerate(shares):
            if share >= 3:
                axes.text(place, share, f"{share:.0f}", ha="center", va="bottom", fontsize=10.5)
        largest = sorted(zip(shares, parts, strict=True), reverse=True)[:3]
        told.append(f"{what} {total:,}, most in " + ", ".join(f"{name} ({share:.1f} %)" for share, name in largest))
    panels[-1].set_xticks(range(len(parts)), list(parts), rotation=60, ha="right", rotation_mode="anchor")
    figure.legend(handles=[Patch(color=color, label=kind) for kind, color in KINDS.items()], ncols=3, frameon=False,
                  loc="outside upper center")
    figure.alt = f"Shares of {network.name}'s layers in what it costs. {_sentence(told)}."
    return figure


def _sentence(parts: Sequence[str]) -> str:
    text = "; ".join(parts)
    return text[:1].upper() + text[1:]


def _groups(network: Network) -> dict[str, tuple[list[int], str]]:
    """What each group of layers costs in parameters, multiply-adds and activations, and its kind."""
    found: dict[str, tuple[list[int], str]] = {INPUT: ([0, 0, int(np.prod(network.input_shape))], "")}
    for node in network.nodes:
        if not (node.layer.stored or node.parameter_count):
            continue
        # Batch norm has names of its own; it belongs to the convolution that it reads.
        owner = node if node.layer.stored else network.node(node.inputs[0])
        counts, _ = found.setdefault(owner.name.split("_")[0], ([0, 0, 0], _kind(owner.layer)))
        stored = int(np.prod(node.output_shape)) if node.layer.stored else 0
        for index, number in enumerate((node.parameter_count, node.multiply_adds, stored)):
            counts[index] += number
    return found


@illustrated
def field_growth(*networks: Network) -> Illustration:
    """How the receptive field grows with depth, up to the last convolution.

    Parameters
    ----------
    *networks : Network
        For pictures.

    Returns
    -------
    Illustration
        For each network a line: the widest field of any neuron with so many layers of weights below it.
    """
    figure = Illustration(7.0, 3.9)
    axes = figure.subplots()
    told = []
    for network, color, marker in zip(networks, np.resize(LINES, len(networks)), np.resize(MARKERS, len(networks)),
                                      strict=True):
        depths, sizes = zip(*sorted(_fields(network).items()), strict=True)
        axes.plot(depths, sizes, color=color, marker=marker, markersize=4.5, label=network.name)
        axes.annotate(f"{sizes[-1]}", (depths[-1], sizes[-1]), (5, -3), textcoords="offset points", color=color,
                      va="top")
        told.append(f"{network.name}: {sizes[-1]} after {depths[-1]} layers")
    size = max(network.input_shape[1] for network in networks)
    axes.axhline(size, color=GRAY, linestyle="--", linewidth=1)
    axes.text(axes.get_xlim()[1], size, f"picture: {size}", ha="right", va="bottom", color=INK)
    axes.set(xlabel="layers with weights, counted from the picture", ylabel="receptive field, pixels")
    axes.legend(frameon=False)
    figure.alt = (f"Receptive field against depth, up to the last convolution. {'; '.join(told)}; the picture has "
                  f"{size} pixels.")
    return figure


def _fields(network: Network) -> dict[int, int]:
    """The widest field at each depth, along the rows."""
    depths = _depths(network)
    fields = {INPUT: (1, 1)}
    widest = {0: 1}
    for node in network.nodes:
        below = [fields[one] for one in node.inputs if one in fields]
        if len(below) < len(node.inputs) or isinstance(node.layer, (GlobalAvgPool2d, Linear)):
            continue
        size, jump = max(below)
        if (kernel := getattr(node.layer, "kernel_size", None)) is not None:
            given = getattr(node.layer, "stride", None)
            taps, _ = per_axis("kernel_size", kernel, 1)
            stride, _ = per_axis("stride", kernel if given is None else given, 1)
            dilation, _ = per_axis("dilation", getattr(node.layer, "dilation", 1), 1)
            layer = geometry.receptive_field([geometry.Window(taps, stride, dilation=dilation)])
            size, jump = size + (layer.size - 1) * jump, jump * stride
        fields[node.name] = size, jump
        depth = depths[node.name]
        widest[depth] = max(widest.get(depth, 0), size)
    return widest
