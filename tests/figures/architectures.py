"""The figures of 05-architectures, each drawn once for the tests; they get a small photograph."""

from __future__ import annotations

from cnncourse import plotting, zoo

FIGURES = {
    "block_diagram": lambda photo: plotting.block_diagram(zoo.googlenet(), "inception3a"),
    "cost_by_layer": lambda photo: plotting.cost_by_layer(zoo.alexnet()),
    "field_growth": lambda photo: plotting.field_growth(zoo.vgg16(), zoo.resnet18()),
    "gradient_depth": lambda photo: plotting.gradient_depth(4, (0.5,), channels=4, size=5),
    "network_costs": lambda photo: plotting.network_costs(zoo.lenet5(), zoo.alexnet(), zoo.vgg16()),
    "network_profiles": lambda photo: plotting.network_profiles(zoo.lenet5(), zoo.vgg11()),
    "square_pictures": lambda photo: plotting.square_pictures(photo, 32),
    "stamp_overlaps": lambda photo: plotting.stamp_overlaps((3, 2), (4, 2)),
}
