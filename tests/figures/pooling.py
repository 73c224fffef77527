"""The figures of 03-pooling, each drawn once for the tests; they get a small photograph."""

from __future__ import annotations

import numpy as np

from cnncourse import functional as F
from cnncourse import plotting

PLANE = np.array([[1, 5, 2, 0], [4, 2, -1, 6], [0, -3, 7, 1]])
LAYERS = {"as it is": lambda x: x, "pooled": lambda x: F.max_pool2d(x, (1, 2), (1, 2))}

FIGURES = {
    "gradient_routes": lambda photo: plotting.gradient_routes(PLANE, np.array([[1, -2, 3], [4, 5, -6]]), (2, 2), 1),
    "maxima_and_indices": lambda photo: plotting.maxima_and_indices(PLANE, (3, 2), 2),
    "moving_dot": lambda photo: plotting.moving_dot(LAYERS, 6),
    "pooled_windows": lambda photo: plotting.pooled_windows(PLANE, (2, 2), 1),
    "shares_kept": lambda photo: plotting.shares_kept(range(2, 9)),
    "shift_curves": lambda photo: plotting.shift_curves(photo, LAYERS, range(4), photo.shape[3] - 3),
}
