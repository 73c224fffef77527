"""A fully connected head, turned into a convolution, over a picture that is larger than it was made for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np

from cnncourse import convert, functional, geometry
from cnncourse import data as pictures
from cnncourse.errors import ArgumentError
from cnncourse.language import mark
from cnncourse.layers import Conv2d, Flatten, Linear, MaxPool2d, ReLU
from cnncourse.network import Network
from cnncourse.widgets.figure import Figure
from cnncourse.widgets.pictures import data_address

DIGIT, WINDOW = 16, 20
"""Pixels of a digit, and of the window that the default network looks through."""
NOTHING = 10
"""Class of windows without a whole digit in the middle."""

LABELS = {
    "title": mark("A classifier slides over a picture"),
    "about": mark("Sliders move the window and change the picture's size; its scores and the work of one pass and "
                  "of crops are shown."),
    "row": mark("Window row"),
    "column": mark("Window column"),
    "shown": mark("Map of"),
    "height": mark("Picture height"),
    "width": mark("Picture width"),
    "picture": mark("picture with the window; click to move it"),
    "map": mark("map of scores: bright is high"),
    "scores": mark("all scores of this window"),
    "one_pass": mark("One pass: {count} multiply-adds for a map of {rows} x {columns}"),
    "crop_by_crop": mark("Crop by crop: {positions} crops, {count} multiply-adds"),
    "shared": mark("One pass takes {ratio} times fewer: what windows share is computed once. A pixel lies in up to "
                   "{windows} windows."),
    "picture_description": mark("A picture of {height} x {width} pixels; the window of {window_height} x "
                                "{window_width} begins at row {top}, column {left}."),
    "map_description": mark("Scores for {name} at {rows} x {columns} positions."),
    "spoken": mark("The window from pixel row {top}, column {left} is entry ({row}, {column}) of the map. Best "
                   "score: {best}, {score}. One pass takes {ratio} times fewer multiply-adds than crops."),
}


def fc_to_conv_slider(
    network: Network | None = None, picture: np.ndarray | None = None, classes: Sequence[str] | None = None, *,
    labels: Mapping[str, str] | None = None,
) -> Figure:
    """Scores of a classifier at all positions of a picture, from one pass of its head as a convolution.

    Parameters
    ----------
    network : Network, optional
        A classifier with a fully connected head that pads nowhere; by default a small one that knows the digits, and
        a class "nothing".
    picture : array of shape (1, C, H, W), optional
        At least as large as the network's input, values from 0 to 1; by default digits that the network has not
        learned from, scattered over a page.
    classes : sequence of str, optional
        Names of the scores, by default their numbers.
    labels : mapping of str to str, optional
        Words to take instead of the English ones; see `cnncourse.widgets.sliding.LABELS` for their names.

    Returns
    -------
    Figure
        Its data are `scores` (classes, rows, columns), rounded to three decimals, `crop`, the multiply-adds of one
        window, and `sliding`, the a, b, c and d of one pass: a + b rows + c columns + d rows columns.

    Raises
    ------
    ArgumentError
        If the network pads, so that scores would depend on the picture's size, or the names are too few or too many.
    GeometryError, ShapeError

    Notes
    -----
    Each size of a layer's maps grows by a constant with each step of the window, so the work of one pass is a
    polynomial of degree one in rows and in columns. Four sizes tell its coefficients.
    """
    if network is None:
        network = digit_finder()
        classes = [*map(str, range(10)), "nothing"] if classes is None else classes
    if padded := convert.padded_nodes(network):
        raise ArgumentError(f"fc_to_conv_slider: the network must not pad, {', '.join(padded)} does")
    if picture is None:
        picture = pictures.digit_scene((64, 96), 7, digit_size=DIGIT, seed=3)[0]
    scores = convert.sliding_scores(network, picture)[0]
    names = [str(index) for index in range(len(scores))] if classes is None else list(classes)
    if len(names) != len(scores):
        raise ArgumentError(f"fc_to_conv_slider: {len(scores)} scores have to have as many names, {len(names)} were "
                            "given")
    step = convert.total_stride(network)
    size = network.input_shape[1:]
    rows, columns = (geometry.output_size(length, taps, stride, rounding="floor")
                     for length, taps, stride in zip(picture.shape[2:], size, step, strict=True))

    def work(more_rows: int, more_columns: int) -> int:
        height, width = size[0] + more_rows * step[0], size[1] + more_columns * step[1]
        return convert.evaluation_cost(network, (height, width)).sliding

    one, taller, wider, both = work(0, 0), work(1, 0), work(0, 1), work(1, 1)
    d = both - taller - wider + one
    b, c = taller - one - d, wider - one - d
    shown = picture[0, :, : size[0] + (rows - 1) * step[0], : size[1] + (columns - 1) * step[1]]
    if shown.shape[0] == 1:
        shown = 1 - shown  # ink on paper
    data = {"picture": {"png": data_address(shown), "size": list(shown.shape[1:])}, "window": list(size),
            "step": list(step), "classes": names, "crop": one, "sliding": [one - b - c - d, b, c, d],
            "scores": np.round(scores[:, :rows, :columns].astype(float), 3).tolist()}
    foreground = _foreground(scores[:, :rows, :columns])
    data["brightness"] = [float(scores.min()), float(foreground.max())]
    best, row, column = (int(place) for place in np.unravel_index(foreground.argmax(), foreground.shape))
    settings = {"row": row, "column": column, "rows": rows, "columns": columns, "shown": str(best)}
    return Figure(("sliding",), data, settings, LABELS, labels)


def _foreground(scores: np.ndarray) -> np.ndarray:
    """Scores without those of the class that is best at the most positions, which become -infinity."""
    background = np.bincount(scores.argmax(axis=0).ravel()).argmax()
    return np.where(np.arange(len(scores))[:, np.newaxis, np.newaxis] == background, -np.inf, scores)


@cache
def digit_finder() -> Network:
    """A small network that tells digits from each other and from windows without a whole one in the middle.

    Returns
    -------
    Network
        For windows of 20 x 20 pixels. Its convolution has random filters; its head is the least-squares solution
        with a penalty on large weights, so that there is nothing to wait for.
    """
    network = Network((1, WINDOW, WINDOW), "digit finder")
    for layer in (Conv2d(8, 5), ReLU(), MaxPool2d(2), Flatten(), Linear(NOTHING + 1)):
        network.add(layer)
    network.initialize(0)
    x, y = _windows(np.random.default_rng(0))
    maps = functional.relu(functional.conv2d(x, network.parameters["conv1.weight"], network.parameters["conv1.bias"]))
    features = functional.max_pool2d(maps, 2).reshape(len(x), -1).astype(float)
    center, wanted = features.mean(axis=0), 2 * np.eye(NOTHING + 1)[y] - 1
    features -= center
    weight = np.linalg.solve(features.T @ features + 30 * np.eye(features.shape[1]),
                             features.T @ (wanted - wanted.mean(axis=0)))
    network.parameters["fc1.weight"] = np.ascontiguousarray(weight.T, np.float32)
    network.parameters["fc1.bias"] = (wanted.mean(axis=0) - center @ weight).astype(np.float32)
    return network


def _windows(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Digits up to one pixel off the middle, twice each, and windows of pages with no digit near the middle."""
    digits, labels = pictures.digits(DIGIT)[:2]
    x, y = [], []
    for _ in range(2):
        placed = np.zeros((len(digits), 1, WINDOW, WINDOW), np.float32)
        for window, digit, (row, column) in zip(placed, digits, rng.integers(1, 4, (len(digits), 2)), strict=True):
            window[0, row:row + DIGIT, column:column + DIGIT] = digit[0]
        x.append(placed)
        y.append(labels)
    border = (WINDOW - DIGIT) // 2
    for seed in range(6):
        page, _, corners = pictures.digit_scene(digit_size=DIGIT, part="train", seed=seed)
        every = convert.crops(page, WINDOW, 1)[0]
        away = np.abs(np.indices(every.shape[:2])[..., np.newaxis] + border - corners.T[:, np.newaxis, np.newaxis])
        rows, columns = rng.permutation(np.argwhere(away.max(axis=0).min(axis=-1) >= 4))[:400].T
        x.append(every[rows, columns])
        y.append(np.full(len(rows), NOTHING))
    return np.concatenate(x), np.concatenate(y)
