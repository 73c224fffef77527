"""Figures of photographs and of what layers make of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes

from cnncourse import functional as F
from cnncourse.plotting.illustration import RED, Illustration, bare, illustrated, outline


@illustrated
def photographs(*pictures: np.ndarray, titles: Sequence[str] = ()) -> Illustration:
    """Pictures side by side.

    Parameters
    ----------
    *pictures : arrays of shape (1, 3, H, W), values 0 to 1, or (1, 1, H, W), any values
    titles : sequence of str, optional
        One for each picture.

    Returns
    -------
    Illustration
    """
    shapes = [f"{' x '.join(map(str, picture.shape))}" for picture in pictures]
    heights = [picture.shape[2] / picture.shape[3] for picture in pictures]
    figure = Illustration(7.0, 7.0 / len(pictures) * max(heights) + 0.25)
    named = titles or shapes
    for axes, picture, title in zip(np.atleast_1d(figure.subplots(1, len(pictures))), pictures, named, strict=True):
        (_show if picture.shape[1] == 3 else _show_map)(axes, picture, title)
    figure.alt = "Pictures: " + "; ".join(
        f"{title}, {shape}" if titles else shape for title, shape in zip(named, shapes, strict=True)) + "."
    return figure


@illustrated
def filtered_photograph(
    photo: np.ndarray, weight: np.ndarray, names: Sequence[str], conv2d_forward: Callable[..., np.ndarray] | None = None
) -> Illustration:
    """A bank of filters, and what each of them sees in a photograph.

    Parameters
    ----------
    photo : array of shape (1, 3, H, W)
    weight : array of shape (K, 3, KH, KW)
        Odd sizes; the photograph is padded so that it keeps its height.
    names : sequence of str
        One for each filter.
    conv2d_forward : callable, optional
        Called as conv2d_forward(x, weight, bias, stride, padding) with bias zero and stride 1; by default the
        reference.

    Returns
    -------
    Illustration
        The photograph and, for each filter, its response with a small picture of the filter. The line below
        compares the responses with the reference's.
    """
    padding = weight.shape[2] // 2
    bias = np.zeros(len(weight), dtype=photo.dtype)
    right = F.conv2d(photo, weight, bias, padding=padding)
    given = right if conv2d_forward is None else np.asarray(conv2d_forward(photo, weight, bias, 1, padding))
    columns = 3 if len(names) > 3 else 2
    rows = -(-(len(names) + 1) // columns)
    figure = Illustration(7.0, rows * (7.0 / columns * photo.shape[2] / photo.shape[3] + 0.3) + 0.3)
    grid = [bare(axes) for axes in figure.subplots(rows, columns, squeeze=False).ravel()]
    _show(grid[0], photo, "photograph")
    bound = float(np.abs(weight).max())
    for axes, name, response, kernel in zip(grid[1:], names, given[0], weight, strict=False):
        _response(axes, response, name)
        corner = axes.inset_axes((0.0, 0.72, 0.28 * photo.shape[2] / photo.shape[3], 0.28))
        corner.imshow(kernel.transpose(1, 2, 0) / (2 * bound) + 0.5)
        corner.set(xticks=[], yticks=[])
        for side in corner.spines.values():
            side.set(visible=True, edgecolor="white", linewidth=2)
    error = float(np.abs(given - right).max()) if given.shape == right.shape else float("nan")
    compared = (f"largest difference from the reference: {error:.1g}" if given.shape == right.shape else
                f"the shape is {given.shape}, the reference's {right.shape}")
    if conv2d_forward is not None:
        figure.supxlabel(compared, fontsize=11.5)
    figure.alt = (f"A photograph and its responses to {len(names)} filters: {', '.join(names)}. Bright where the "
                  "filter finds what it looks for, dark where it finds the opposite."
                  + ("" if conv2d_forward is None else f" The {compared}."))
    return figure


def _show(axes: Axes, picture: np.ndarray, title: str) -> None:
    axes.imshow(np.clip(picture[0].transpose(1, 2, 0), 0, 1))
    bare(axes, title).set_anchor("N")


def _show_map(axes: Axes, picture: np.ndarray, title: str) -> None:
    _response(axes, picture[0, 0], title)


def _response(axes: Axes, response: np.ndarray, title: str) -> None:
    """A map of responses: a picture where it is one, otherwise a difference, with zero in the middle of the colors."""
    low, high = (float(value) for value in np.percentile(response, (0.5, 99.5)))
    if low < -0.2 * high:
        bound = max(-low, high)
        axes.imshow(response, cmap="cividis", vmin=-bound, vmax=bound)
    else:
        axes.imshow(response, cmap="gray", vmin=min(low, 0.0), vmax=max(high, 1.0))
    bare(axes, title).set_anchor("N")


@illustrated
def mixed_channels(
    photo: np.ndarray, weight: np.ndarray, names: Sequence[str], conv1x1: Callable[..., np.ndarray] | None = None
) -> Illustration:
    """A 1x1 convolution of a photograph: each output is one mixture of red, green and blue, the same at all pixels.

    Parameters
    ----------
    photo : array of shape (1, 3, H, W)
    weight : array of shape (K, 3)
    names : sequence of str
        One for each row of `weight`.
    conv1x1 : callable, optional
        Called as conv1x1(x, weight, bias) with bias zero; by default the reference.

    Returns
    -------
    Illustration
    """
    bias = np.zeros(len(weight), dtype=photo.dtype)
    mixed = (F.conv2d(photo, weight[:, :, np.newaxis, np.newaxis], bias) if conv1x1 is None
             else np.asarray(conv1x1(photo, weight, bias)))
    columns = 2 if len(names) < 4 else 3
    rows = -(-(len(names) + 1) // columns)
    figure = Illustration(7.0, rows * (7.0 / columns * photo.shape[2] / photo.shape[3] + 0.5))
    grid = [bare(axes) for axes in figure.subplots(rows, columns, squeeze=False).ravel()]
    _show(grid[0], photo, "photograph\n")
    recipes = [" ".join(f"{value:+.2g} {color}" for value, color in zip(row, "RGB", strict=True)).replace("-", "−")
               for row in weight]
    for axes, name, recipe, response in zip(grid[1:], names, recipes, mixed[0], strict=False):
        _response(axes, response, f"{name}\n{recipe}")
    figure.alt = ("A photograph and mixtures of its color channels, pixel by pixel: "
                  + "; ".join(f"{name}: {recipe}" for name, recipe in zip(names, recipes, strict=True)) + ".")
    return figure


@illustrated
def output_volume(volume: np.ndarray, highlight: int = 0) -> Illustration:
    """All slices of a layer's output side by side; one of them is one feature map.

    Parameters
    ----------
    volume : array of shape (1, K, OH, OW)
    highlight : int, optional
        Index of the feature map that is framed.

    Returns
    -------
    Illustration
    """
    _, channels, height, width = volume.shape
    columns = min(channels, 16 if channels > 32 else 8)
    rows = -(-channels // columns)
    figure = Illustration(7.0, 7.0 * rows / columns * height / width + 0.65)
    axes = bare(figure.subplots())
    gap = max(1, width // 20)
    wall = np.full((rows * (height + gap), columns * (width + gap)), np.nan)
    for channel in range(channels):
        top, left = channel // columns * (height + gap), channel % columns * (width + gap)
        feature = volume[0, channel]
        wall[top : top + height, left : left + width] = feature / (np.abs(feature).max() or 1.0)
    axes.imshow(wall, cmap="cividis", vmin=-1, vmax=1)
    outline(axes, highlight // columns * (height + gap), highlight % columns * (width + gap), height, width,
            edgecolor=RED)
    axes.set_title(f"output volume: {channels} x {height} x {width}\nframed: one feature map, {height} x {width}")
    figure.alt = (f"The {channels} slices of an output volume of {channels} x {height} x {width} side by side. A frame "
                  f"marks slice {highlight}: one feature map of {height} x {width}.")
    return figure
