"""Figures of blocks with several ways through them, of gradients in deep stacks, and of pictures made to fit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from cnncourse import functional as F
from cnncourse.geometry.settings import per_axis
from cnncourse.layers import Add, BatchNorm2d, Concatenate, Conv2d, ReLU
from cnncourse.network import Network
from cnncourse.network.graph import INPUT, Node
from cnncourse.plotting.illustration import (
    BLUE,
    INK,
    ORANGE,
    PALE,
    RED,
    SKY,
    Illustration,
    bare,
    illustrated,
    outline,
)

WIDTH, HEIGHT, STEP = 1.8, 0.72, 1.25
"""Of a box, and from one row of boxes to the next."""


def _shape(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))


@illustrated
def block_diagram(network: Network, join: str) -> Illustration:
    """The ways through a block that meet in one node, with the shapes and parameters of its layers.

    Parameters
    ----------
    network : Network
    join : str
        Name of the node where the ways meet: an addition or a concatenation.

    Returns
    -------
    Illustration
        From the node where the ways part, on top, down to where they meet; batch norm and ReLU stand in the box of
        their convolution.

    Raises
    ------
    ValueError
        If the node joins nothing.
    """
    node = network.node(join)
    if not isinstance(node.layer, (Add, Concatenate)):
        raise ValueError(f"{join} is a {type(node.layer).__name__}; ways meet in an Add or a Concatenate only")
    start = _parting(network, node)
    ways = [_boxes(_way(network, end, start)) for end in node.inputs]
    rows = max(map(len, ways))
    figure = Illustration(7.0, 1.05 * (rows + 2))
    axes = bare(figure.subplots())
    gap = WIDTH + 0.3
    middle = gap * (len(ways) - 1) / 2
    bottom = -STEP * (rows + 1)
    _box(axes, middle, 0, f"{'the picture' if start == INPUT else 'input'}\n{_shape(network.shape_of(start))}", PALE)
    for column, way in enumerate(ways):
        places = [-STEP * (row + 1 + (rows - len(way)) / 2) for row in range(len(way))]
        _line(axes, (middle, column * gap, middle), (0, *places, bottom), RED if not way else INK)
        for place, (text, color, _) in zip(places, way, strict=True):
            _box(axes, column * gap, place, text, color)
    joined = "add" if isinstance(node.layer, Add) else "concatenate"
    if any(after.inputs == (join,) and isinstance(after.layer, ReLU) for after in network.nodes):
        joined += ", ReLU"
    _box(axes, middle, bottom, f"{joined}\n{_shape(node.output_shape)}", SKY)
    axes.set(xlim=(-WIDTH / 2 - 0.1, gap * (len(ways) - 1) + WIDTH / 2 + 0.1),
             ylim=(bottom - HEIGHT / 2 - 0.1, HEIGHT / 2 + 0.1))
    counts = [sum(count for *_, count in way) for way in ways]
    axes.set_title(f"{network.name}, {join}: {sum(counts):,} parameters")
    told = "; ".join(f"{number}: {_told(way)}, {count:,} parameters"
                     for number, (way, count) in enumerate(zip(ways, counts, strict=True), 1))
    figure.alt = (f"A block of {network.name} that ends in {join}, from {_shape(network.shape_of(start))} to "
                  f"{_shape(node.output_shape)}. Way {told}. They meet in: {joined}.")
    return figure


def _told(way: list[tuple[str, str, int]]) -> str:
    return ", then ".join(text.split("\n")[0] for text, _, _ in way) or "nothing, straight to the end"


def _parting(network: Network, join: Node) -> str:
    """The last node that all ways to `join` have in common."""
    def before(name: str) -> set[str]:
        return {name} if name == INPUT else {name}.union(*map(before, network.node(name).inputs))

    common = set.intersection(*map(before, join.inputs))
    return next((node.name for node in reversed(network.nodes) if node.name in common), INPUT)


def _way(network: Network, end: str, start: str) -> list[Node]:
    way = []
    while end != start:
        way.append(network.node(end))
        end = way[-1].inputs[0]
    return way[::-1]


def _boxes(way: Sequence[Node]) -> list[tuple[str, str, int]]:
    """Text, color and parameters; batch norm and ReLU are added to the box before them."""
    boxes: list[tuple[str, str, int]] = []
    for node in way:
        if isinstance(node.layer, (BatchNorm2d, ReLU)) and boxes:
            text, color, count = boxes[-1]
            word = "BN" if isinstance(node.layer, BatchNorm2d) else "ReLU"
            first, second, *others = text.split("\n")
            boxes[-1] = "\n".join([f"{first}, {word}", second, *others]), color, count + node.parameter_count
            continue
        rows, columns = per_axis("kernel_size", getattr(node.layer, "kernel_size", 1), 1)
        name = "conv" if isinstance(node.layer, Conv2d) else "pool"
        stride = getattr(node.layer, "stride", 1)
        step = f" /{stride}" if stride not in (1, (1, 1), None) else ""
        color = "white" if name == "conv" else "#FFF1D6"
        boxes.append((f"{rows}x{columns} {name}{step}\n{_shape(node.output_shape)}", color, node.parameter_count))
    return boxes


def _box(axes: Axes, x: float, y: float, text: str, color: str) -> None:
    axes.add_patch(FancyBboxPatch((x - WIDTH / 2, y - HEIGHT / 2), WIDTH, HEIGHT, facecolor=color, edgecolor=INK,
                                  boxstyle="round,pad=0,rounding_size=0.1", linewidth=1.2, zorder=3))
    axes.text(x, y, text, ha="center", va="center", fontsize=10.5, zorder=4)


def _line(axes: Axes, across: tuple[float, float, float], down: tuple[float, ...], color: str) -> None:
    """A way from the first place down to the last, at right angles: across between the rows, straight through boxes."""
    start, column, end = across
    upper, lower = -STEP / 2, down[-1] + STEP / 2
    axes.plot([start, start, column, column, end, end], [0, upper, upper, lower, lower, down[-1] + HEIGHT / 2],
              color=color, linewidth=1.4, zorder=2)
    for place in down[1:]:
        x = column if place != down[-1] else end
        axes.annotate("", (x, place + HEIGHT / 2), (x, place + HEIGHT / 2 + 0.05), zorder=2,
                      arrowprops={"arrowstyle": "-|>", "color": color, "shrinkA": 0, "shrinkB": 0})


@illustrated
def gradient_depth(
    blocks: int = 20, scales: Sequence[float] = (0.5, 1.0), channels: int = 16, size: int = 12
) -> Illustration:
    """How large the gradient still is after a way down through many blocks, with shortcuts and without.

    Parameters
    ----------
    blocks : int, optional
        Each is two 3x3 convolutions with a ReLU after the first and one at the end.
    scales : sequence of float, optional
        Standard deviations of the weights, in units of the square root of 2 / (9 channels).
    channels, size : int, optional
        Of the maps.

    Returns
    -------
    Illustration
        Norm of the gradient at each block's input, relative to the gradient that came in at the top; logarithmic.
    """
    figure = Illustration(7.0, 3.7)
    axes = figure.subplots()
    told = []
    for shortcut, color in ((False, BLUE), (True, RED)):
        for scale, style in zip(scales, ("-", "--", ":"), strict=False):
            norms = _norms(blocks, shortcut, scale, channels, size)
            name = f"{'with shortcuts' if shortcut else 'plain'}, weights x {scale:g}"
            axes.plot(range(blocks + 1), norms, style, color=color, linewidth=2, label=name)
            told.append(f"{name}: {norms[-1]:.1e}")
    axes.set(yscale="log", xticks=range(0, blocks + 1, max(1, blocks // 5)), xlabel="blocks on the way down",
             ylabel="norm of the gradient,\nrelative to the top")
    axes.legend(frameon=False, fontsize=10.5)
    figure.alt = f"The gradient's norm after {blocks} blocks, relative to the top: {'; '.join(told)}."
    return figure


def _norms(blocks: int, shortcut: bool, scale: float, channels: int, size: int) -> list[float]:
    rng = np.random.default_rng(0)
    weights = scale * np.sqrt(2 / (9 * channels)) * rng.standard_normal((blocks, 2, channels, channels, 3, 3))
    x: np.ndarray = rng.standard_normal((1, channels, size, size))
    kept = []
    for first, second in weights:
        hidden = F.relu(F.conv2d(x, first, padding=1))
        inner = F.conv2d(hidden, second, padding=1)
        total = F.add(inner, x) if shortcut else inner
        kept.append((x, hidden, total))
        x = F.relu(total)
    grad = rng.standard_normal(x.shape)
    norms = [float(np.linalg.norm(grad))]
    for (first, second), (below, hidden, total) in zip(weights[::-1], kept[::-1], strict=True):
        through = F.relu_backward(grad, total)
        inside = F.relu_backward(_gradient(through, hidden, second), hidden)
        grad = _gradient(inside, below, first) + (through if shortcut else 0)
        norms.append(float(np.linalg.norm(grad)))
    return [norm / norms[0] for norm in norms]


def _gradient(grad_out: np.ndarray, x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    grad, _, _ = F.conv2d_backward(grad_out, x, weight, padding=1)
    assert grad is not None
    return grad


@illustrated
def stamp_overlaps(*settings: tuple[int, int], size: int = 5) -> Illustration:
    """How many stamps of a transposed convolution meet at each output pixel.

    Parameters
    ----------
    *settings : (kernel_size, stride)
        One panel each.
    size : int, optional
        Of the input.

    Returns
    -------
    Illustration
    """
    figure = Illustration(7.0, 7.0 / len(settings) + 0.5)
    told = []
    for axes, (kernel, stride) in zip(np.atleast_1d(figure.subplots(1, len(settings))), settings, strict=True):
        side = (size - 1) * stride + kernel
        counts, _, _ = F.conv2d_backward(np.ones((1, 1, size, size)), np.zeros((1, 1, side, side)),
                                         np.ones((1, 1, kernel, kernel)), stride=stride)
        assert counts is not None
        plane = np.rint(counts[0, 0]).astype(int)
        axes.imshow(plane, cmap="cividis", vmin=0, vmax=max(plane.max(), 4))
        for (row, column), count in np.ndenumerate(plane):
            axes.text(column, row, str(count), ha="center", va="center", fontsize=9,
                      color="white" if count < 3 else INK)
        inside = sorted({int(n) for n in plane[kernel:-kernel, kernel:-kernel].ravel()})
        bare(axes, f"kernel {kernel}, stride {stride}\ninside: {', '.join(map(str, inside))}")
        told.append(f"kernel {kernel}, stride {stride}: {' or '.join(map(str, inside))} at a pixel inside, "
                    f"{side} x {side} pixels out of {size} x {size}")
    figure.alt = f"Numbers of stamps that meet at each pixel of a transposed convolution, {'; '.join(told)}."
    return figure


@illustrated
def square_pictures(photo: np.ndarray, size: int = 224) -> Illustration:
    """Three ways to make a square of a photograph: squeezed, cut out of the middle, or framed.

    Parameters
    ----------
    photo : array of shape (1, 3, H, W), values 0 to 1
    size : int, optional
        Height and width of the squares.

    Returns
    -------
    Illustration
        The photograph with the square that is cut out of it, and the three results.
    """
    height, width = photo.shape[2:]
    short, long = min(height, width), max(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    framed = np.zeros((1, 3, long, long), photo.dtype)
    framed[:, :, (long - height) // 2:(long + height) // 2, (long - width) // 2:(long + width) // 2] = photo
    pictures = {
        "squeezed": photo, "shorter side fitted,\nmiddle cut out": photo[:, :, top:top + short, left:left + short],
        "longer side fitted,\nframed": framed,
    }
    figure = Illustration(8.0, 2.9)
    panels = figure.subplots(1, 4, width_ratios=[width / height, 1, 1, 1])
    panels[0].imshow(photo[0].transpose(1, 2, 0).clip(0, 1))
    outline(panels[0], top, left, short, short, edgecolor=ORANGE)
    bare(panels[0], f"photograph\n{height} x {width}")
    for axes, (name, picture) in zip(panels[1:], pictures.items(), strict=True):
        axes.imshow(_resized(picture, size)[0].transpose(1, 2, 0).clip(0, 1))
        bare(axes, name)
    kept = short / long
    figure.alt = (f"A photograph of {height} x {width} made a square of {size} x {size} in three ways: squeezed, which "
                  f"makes things {long / short:.2f} times too {'narrow' if width > height else 'wide'}; the middle cut "
                  f"out, which keeps {100 * kept:.0f} % of it; framed, which leaves {100 * (1 - kept):.0f} % of the "
                  "square black.")
    return figure


def _resized(picture: np.ndarray, size: int) -> np.ndarray:
    """Linear interpolation along both axes."""
    return np.asarray(np.einsum("ih,nchw,jw->ncij", *(
        part for part in (_interpolation(picture.shape[2], size), picture, _interpolation(picture.shape[3], size))),
        optimize=True))


def _interpolation(old: int, new: int) -> np.ndarray:
    centers = (np.arange(new) + 0.5) * old / new - 0.5
    return np.array([np.interp(centers, np.arange(old), row) for row in np.eye(old)]).T
