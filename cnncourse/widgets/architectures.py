"""Famous networks side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cnncourse import zoo
from cnncourse.language import mark
from cnncourse.network import Network
from cnncourse.network.graph import INPUT
from cnncourse.widgets.figure import Figure

MEASURES = ("parameters", "multiply_adds", "memory", "depth", "top5")

TOP5_ERRORS = {
    "AlexNet": 18.2,
    "ZF Net": 16.5,
    "GoogLeNet": 9.15,
    "VGG-16": 9.33,
    "ResNet-34": 7.46,
    "ResNet-50": 6.71,
    "ResNet-101": 6.05,
    "ResNet-152": 5.71,
}
"""Top-5 errors in percent on the validation pictures of ImageNet 2012: one network, mean over ten crops."""

LABELS = {
    "title": mark("Famous networks side by side"),
    "about": mark("Two of parameters, multiply-adds, memory, depth and error can be chosen as axes."),
    "x": mark("Across"),
    "y": mark("Up"),
    "area": mark("Area of a disc"),
    "no_area": mark("all alike"),
    "network": mark("Network"),
    "logarithmic": mark("logarithmic axes"),
    "parameters": mark("parameters"),
    "multiply_adds": mark("multiply-adds"),
    "memory": mark("activations, MiB"),
    "depth": mark("depth"),
    "top5": mark("top-5 error"),
    "table": mark("The same numbers as a table"),
    "missing": mark("Without a published number, and so not drawn: {names}."),
    "sources": mark("Per picture, forward, in single precision; depth counts layers with weights. Errors: one "
                    "network, ten crops, validation pictures of ImageNet 2012, as published."),
    "chart_description": mark("Networks as discs, {x} across and {y} up: {count} of them. The table below has the "
                              "numbers."),
}


def architecture_comparison(*networks: Network, labels: Mapping[str, str] | None = None) -> Figure:
    """Networks as points over two measures to be chosen, and as a table.

    Parameters
    ----------
    *networks : Network, optional
        By default those of the zoo that were made for ImageNet; VGG and ResNet in several depths.
    labels : mapping of str to str, optional
        Words to take instead of the English ones; see `cnncourse.widgets.architectures.LABELS` for their names.

    Returns
    -------
    Figure
        Its data hold for each network `parameters`, `multiply_adds`, `memory` (MiB of one picture's activations,
        forward, in single precision), `depth` and `top5`, which is None where no number is known.

    References
    ----------
    Top-5 errors: Krizhevsky, Sutskever and Hinton, 2012, table 2; Zeiler and Fergus, 2014, table 2; the others from
    He, Zhang, Ren and Sun: Deep residual learning for image recognition, 2016, table 3.
    """
    chosen = networks or (zoo.alexnet(), zoo.zfnet(), zoo.googlenet(), zoo.vgg16(), zoo.vgg19(), zoo.resnet18(),
                          zoo.resnet34(), zoo.resnet50(), zoo.resnet101(), zoo.resnet152())
    data = {"networks": [_measured(one) for one in chosen], "measures": MEASURES}
    settings = {"x": "multiply_adds", "y": "parameters", "area": "memory", "network": chosen[-1].name,
                "logarithmic": True}
    return Figure(("architectures",), data, settings, LABELS, labels)


def _measured(network: Network) -> dict[str, Any]:
    return {"name": network.name, "parameters": network.parameter_count(), "multiply_adds": network.multiply_adds(),
            "memory": round(4 * network.activation_count() / 2**20, 2), "depth": depth(network),
            "top5": TOP5_ERRORS.get(network.name)}


def depth(network: Network) -> int:
    """Layers with weights on the longest way through a network.

    Parameters
    ----------
    network : Network

    Returns
    -------
    int
    """
    depths = {INPUT: 0}
    for node in network.nodes:
        depths[node.name] = max(depths[one] for one in node.inputs) + (node.multiply_adds > 0)
    return depths[network.outputs[0]]
