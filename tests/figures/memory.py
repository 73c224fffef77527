"""The figures of 06-memory, each drawn once for the tests; they get a small photograph."""

from __future__ import annotations

from cnncourse import plotting, zoo

SIZES = (9, 6, 6, 3, 4, 4, 2, 3, 3, 1)

FIGURES = {
    "batch_budget": lambda photo: plotting.batch_budget([zoo.lenet5(), zoo.resnet18()], (1, 2)),
    "memory_by_kind": lambda photo: plotting.memory_by_kind([zoo.lenet5(), zoo.alexnet()], 8, "adam"),
    "memory_by_layer": lambda photo: plotting.memory_by_layer(zoo.lenet5(), 2),
    "memory_timeline": lambda photo: plotting.memory_timeline(zoo.vgg11(), 2),
    "parameter_copies": lambda photo: plotting.parameter_copies(10**6),
    "predicted_and_measured": lambda photo: plotting.predicted_and_measured((8, 16), (2**20, 2**21), (2**20, 2**20)),
    "segment_lengths": lambda photo: plotting.segment_lengths(SIZES, "MiB"),
    "segments": lambda photo: plotting.segments(SIZES, 3),
}
