"""The figures of 07-train-a-cnn, each drawn once for the tests; they get a small photograph."""

from __future__ import annotations

import numpy as np

from cnncourse import plotting

RNG = np.random.default_rng(7)
PICTURES, LABELS = RNG.random((12, 1, 8, 8)), np.arange(12) % 5
SCORES = 2 * RNG.standard_normal((12, 5))
FILTERS = RNG.standard_normal((2, 8, 1, 3, 5))


def downhill(weight, gradient, velocity, learning_rate, momentum, weight_decay):
    """Gradient descent with momentum."""
    velocity = momentum * velocity + gradient + weight_decay * weight
    return weight - learning_rate * velocity, velocity


FIGURES = {
    "accuracy_by_samples": lambda photo: plotting.accuracy_by_samples(
        (50, 400), {"plain": {"training": [1, 1], "held out": [0.5, 0.75]},
                    "moved": {"training": [0.9, 0.9], "held out": [0.6, 0.8]}}),
    "confusion_table": lambda photo: plotting.confusion_table(np.array([[5, 0, 2], [0, 6, 0], [1, 0, 7]])),
    "descent_paths": lambda photo: plotting.descent_paths(downhill, {"slow": (0.02, 0.0), "heavy": (0.02, 0.8)}),
    "digit_examples": lambda photo: plotting.digit_examples(PICTURES, LABELS, columns=6),
    "filters_before_and_after": lambda photo: plotting.filters_before_and_after(FILTERS[0], FILTERS[1]),
    "losses_compared": lambda photo: plotting.losses_compared(
        {"falls": [2.0, 1, 0.5, 0.25], "explodes": [2.0, 20, np.inf, np.nan]}, width=2),
    "misread_digits": lambda photo: plotting.misread_digits(PICTURES, LABELS, SCORES),
    "network_stages": lambda photo: plotting.network_stages(
        {"picture": photo[0], "maps": np.maximum(FILTERS[0, :, 0], 0), "filtered": FILTERS[1, :, 0],
         "scores": SCORES[0]}),
    "probability_bars": lambda photo: plotting.probability_bars(np.array([1.0, 3, -1, 2]), 3),
    "rate_schedule": lambda photo: plotting.rate_schedule(
        lambda epoch, epochs, warmup, peak: peak * min(1, epoch / warmup) * (1 - epoch / epochs), 10, 2, 0.5),
    "signal_sizes": lambda photo: plotting.signal_sizes(
        {"small": lambda noise: 0.01 * noise, "fitting": lambda noise: noise * np.sqrt(2 / noise[0].size)}, 4, 8),
    "training_curves": lambda photo: plotting.training_curves(
        2 * np.exp(-np.arange(40) / 10), {"training": [0.8, 0.97, 1.0, 1.0], "held out": [0.75, 0.9, 0.95, 0.94]}),
}
