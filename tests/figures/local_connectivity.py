"""The figures of 01-local-connectivity, each drawn once for the tests; they get a small photograph."""

from __future__ import annotations

import numpy as np

from cnncourse import plotting

EDGE = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=np.float32)
BANK = np.stack([np.multiply.outer(color, EDGE) for color in ([1, 1, 1], [1, -1, 0], [0, 1, 2])]).astype(np.float32)
NAMES = ["gray", "red to green", "mostly blue"]

FIGURES = {
    "dot_product": lambda photo: plotting.dot_product(np.ones((2, 3, 2)), np.full((2, 3, 2), -2.0), 0.5),
    "effective_field": lambda photo: plotting.effective_field((1, 3)),
    "filtered_photograph": lambda photo: plotting.filtered_photograph(photo, BANK, NAMES),
    "first_layer_sizes": lambda photo: plotting.first_layer_sizes(),
    "flipped_kernel": lambda photo: plotting.flipped_kernel(np.array([[1.0, 2, 0], [0, 0, 3]])),
    "mixed_channels": lambda photo: plotting.mixed_channels(photo, BANK[:, :, 0, 2], NAMES),
    "output_sizes": lambda photo: plotting.output_sizes(10, 3),
    "output_volume": lambda photo: plotting.output_volume(np.zeros((1, 20, 4, 6)), highlight=19),
    "patches_as_columns": lambda photo: plotting.patches_as_columns(np.arange(24.0).reshape(1, 2, 3, 4), (2, 3)),
    "photographs": lambda photo: plotting.photographs(photo, photo[:, :1] - 1, titles=("<color>", "dark")),
    "receptive_field": lambda photo: plotting.receptive_field((3, 7, 9), 5, 3, 2, (1, 2)),
    "rounding_rules": lambda photo: plotting.rounding_rules((7, 8, 9, 10), 3, 2),
    "sliding_window": lambda photo: plotting.sliding_window(10, 3, 2, 1),
    "taps": lambda photo: plotting.taps((1, 1), (1, 3), kernel_size=2),
    "three_kinds": lambda photo: plotting.three_kinds(photo),
}
