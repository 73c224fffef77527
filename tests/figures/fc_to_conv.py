"""The figures of 04-fc-to-conv, each drawn once for the tests; they get a small photograph."""

from __future__ import annotations

import numpy as np

from cnncourse import convert, data, plotting
from cnncourse.layers import Conv2d, Flatten, Linear, MaxPool2d, ReLU
from cnncourse.network import Network


def classifier(padding: int = 0, size: int = 12, channels: int = 3) -> Network:
    """A small network with random weights."""
    network = Network((channels, size, size))
    for layer in Conv2d(4, 3, padding=padding), ReLU(), MaxPool2d(2), Flatten(), Linear(5):
        network.add(layer)
    network.initialize(1)
    return network


def scene_and_finds():
    """A scene, and finds of every kind in it."""
    scene, labels, corners = data.digit_scene((70, 90), 4, seed=2)
    found = [(int(row) + 1, int(column), int(label)) for (row, column), label in zip(corners, labels, strict=True)]
    return scene, [found[0], (*found[1][:2], (found[1][2] + 1) % 10), found[2], found[2]], labels, corners


FIGURES = {
    "border_rings": lambda photo: plotting.border_rings({"one": photo - 0.5, "two": 0 * photo}),
    "convolution_as_matrix": lambda photo: plotting.convolution_as_matrix(
        np.arange(1.0, 9).reshape(2, 1, 2, 2), (3, 4)),
    "crops_of_picture": lambda photo: plotting.crops_of_picture(photo, (12, 16), 6),
    "evaluation_costs": lambda photo: plotting.evaluation_costs({"small": (2e6, 3e7), "large\nnet": (3e8, 4.5e9)}),
    "found_digits": lambda photo: plotting.found_digits(*scene_and_finds()),
    "maps_as_vector": lambda photo: plotting.maps_as_vector(np.arange(12.0).reshape(3, 2, 2)),
    "padding_differences": lambda photo: plotting.padding_differences({
        title: convert.padding_effect(classifier(padding), photo[:, :, :24, :32])
        for title, padding in (("none", 0), ("one", 1))}),
    "score_maps": lambda photo: plotting.score_maps(photo[:, :1], {"first": photo[0, 1], "second": -photo[0, 2, ::2]}),
    "weights_as_filters": lambda photo: plotting.weights_as_filters(
        np.arange(-36.0, 36).reshape(6, 12), (2, 2, 3), list("abcdef")),
}
