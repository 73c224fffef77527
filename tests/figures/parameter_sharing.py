"""The figures of 02-parameter-sharing, each drawn once for the tests; they get a small photograph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cnncourse import plotting

UPSTREAM = np.array([[1.0, 2, 0], [3, -1, 1]])
KERNEL = np.array([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]])


def moved(photo: np.ndarray) -> plotting.Illustration:
    mask = np.ones((1, 1, *photo.shape[2:]), bool)
    mask[:, :, :2] = False
    outputs = (photo[:, :1] - 0.5, np.roll(photo[:, :1], 2, 2) - 0.5)
    return plotting.moved_outputs((photo, np.roll(photo, 2, 2)), {"a layer": outputs}, {"a layer": mask})


FIGURES: dict[str, Callable[..., Any]] = {
    "accuracy_when_moved": lambda photo: plotting.accuracy_when_moved((-1, 0, 1), {"shared": (0.5, 0.6, 0.5)}),
    "moved_outputs": moved,
    "one_step": lambda photo: plotting.one_step(np.ones((1, 2, 4, 5)), np.ones((2, 2, 3, 3)), np.array([1.0, -2]), 2,
                                                1, filter=1, position=(1, 2)),
    "parameter_growth": lambda photo: plotting.parameter_growth((16, 32), 3, 8, 5, 2),
    "shared_weights": lambda photo: plotting.shared_weights(5, 2),
    "spread_back": lambda photo: plotting.spread_back(UPSTREAM, KERNEL, (6, 7), stride=2),
    "step_errors": lambda photo: plotting.step_errors(lambda x: float(np.sum(x**3)), np.array([3.0, 12.0]),
                                                      np.array([1.0, 2.0]), (0.1, 0.01)),
    "summed_gradients": lambda photo: plotting.summed_gradients(np.ones((2, 3, 3, 3)), np.full((3, 3), 6.0)),
}
