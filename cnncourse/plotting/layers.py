"""A whole small network as one figure."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from cnncourse import functional as F
from cnncourse.plotting.illustration import GRAY, INK, Illustration, bare, illustrated

SHIFT = 0.13
"""How far each map is drawn behind the one before it, in widths of the photograph."""


@illustrated
def three_kinds(photo: np.ndarray, classes: int = 5) -> Illustration:
    """From pixels to scores: a convolutional layer with its activation, a pooling layer, a fully connected layer.

    Parameters
    ----------
    photo : array of shape (1, 3, H, W)
    classes : int, optional
        Number of scores.

    Returns
    -------
    Illustration
        What each layer makes of the photograph, computed with filters for edges and with random scores.
    """
    stages = _stages(photo, classes)
    figure = Illustration(9.0, 2.3)
    axes = bare(figure.subplots())
    tall = photo.shape[2] / photo.shape[3]
    left = 0.0
    for index, (name, values) in enumerate(stages):
        scores = values.ndim == 2
        width = 0.25 if scores else values.shape[3] / photo.shape[3]
        depth = 0.0 if scores else SHIFT * (min(values.shape[1], 4) - 1)
        if scores:
            _column(axes, left, width, tall, values[0])
        else:
            _cards(axes, left, width, tall, values)
        shape = f"{values.shape[1]} scores" if scores else " x ".join(map(str, values.shape[1:]))
        axes.text(left + (width + depth) / 2, tall + 0.26, f"{name}\n{shape}", ha="center", va="top")
        left += width + depth + 0.46
        if index < len(stages) - 1:
            axes.annotate("", (left - 0.08, tall / 2), (left - 0.34, tall / 2),
                          arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 1.5})
    axes.set(xlim=(-0.05, left), ylim=(tall + 0.7, -0.3), aspect="equal")
    told = ", then ".join(f"{name} ({' x '.join(map(str, values.shape[1:]))})" for name, values in stages)
    figure.alt = f"A small network step by step, with the shape after each layer: {told}."
    return figure


def _stages(photo: np.ndarray, classes: int) -> list[tuple[str, np.ndarray]]:
    edge = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 12
    patterns = np.stack([edge, edge.T, -edge, -edge.T])
    weight = np.repeat(patterns[:, np.newaxis], 3, axis=1).astype(photo.dtype)
    filtered = F.conv2d(photo, weight, np.zeros(4, photo.dtype), padding=1)
    rectified = F.relu(filtered)
    pooled = F.max_pool2d(rectified, 2, stride=2)
    flat = pooled.reshape(1, -1)
    weight = np.random.default_rng(0).standard_normal((classes, flat.shape[1])).astype(photo.dtype)
    scores = F.linear(flat, weight, np.zeros(classes, photo.dtype))
    return [("pixels", photo), ("convolution", filtered), ("activation", rectified), ("pooling", pooled),
            ("fully connected", scores)]


def _cards(axes: Axes, left: float, width: float, tall: float, volume: np.ndarray) -> None:
    height = width * volume.shape[2] / volume.shape[3]
    top = (tall - height) / 2
    bound = float(np.percentile(np.abs(volume), 99))
    for depth in reversed(range(min(volume.shape[1], 4))):
        x, y = left + SHIFT * depth, top + SHIFT * (1 - depth)
        extent = (x, x + width, y + height, y)
        if volume.shape[1] == 3:
            color = np.zeros((*volume.shape[2:], 3))
            color[:, :, depth] = volume[0, depth]
            axes.imshow(color, extent=extent, zorder=10 - depth)
        else:
            axes.imshow(volume[0, depth], cmap="cividis", vmin=-bound, vmax=bound, extent=extent, zorder=10 - depth)
        # matplotlib draws frames above pictures unless it is told which of them is farther away.
        axes.add_patch(Rectangle((x, y), width, height, facecolor="none", edgecolor="white", linewidth=1.5,
                                 zorder=10 - depth))


def _column(axes: Axes, left: float, width: float, tall: float, scores: np.ndarray) -> None:
    bound = float(np.abs(scores).max())
    axes.imshow(scores[:, np.newaxis], cmap="cividis", vmin=-bound, vmax=bound, extent=(left, left + width, tall, 0))
    for cell in range(len(scores)):
        axes.add_patch(Rectangle((left, cell * tall / len(scores)), width, tall / len(scores), facecolor="none",
                                 edgecolor=GRAY))
