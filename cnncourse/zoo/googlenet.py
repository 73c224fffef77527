"""GoogLeNet: nine Inception modules, each of four branches that meet again."""

from __future__ import annotations

from cnncourse.layers import (
    AvgPool2d,
    Concatenate,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    Linear,
    LocalResponseNorm,
    MaxPool2d,
    ReLU,
)
from cnncourse.network import Network
from cnncourse.zoo.building import chain, picture

MODULES = {
    "3a": (64, 96, 128, 16, 32, 32), "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64), "4b": (160, 112, 224, 24, 64, 64), "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64), "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128), "5b": (384, 192, 384, 48, 128, 128),
}
"""Table 1 of the paper: filters of 1x1, before 3x3, 3x3, before 5x5, 5x5, after pooling."""


def googlenet(
    auxiliary: bool = False, *, num_classes: int = 1000, input_size: int | tuple[int, int] = 224
) -> Network:
    """GoogLeNet, which won the ImageNet challenge of 2014 with a ninth of AlexNet's parameters.

    Parameters
    ----------
    auxiliary : bool, optional
        Two further classifiers half way, as further outputs for training; the paper adds 0.3 of each one's loss.
    num_classes : int, optional
    input_size : int or (height, width), optional

    Returns
    -------
    Network

    Raises
    ------
    ArgumentError, GeometryError

    Notes
    -----
    | | parameters | multiply-adds | activations |
    |---|---|---|---|
    | 224 | 6,998,552 | 1,582,671,872 | 4,796,184 |
    | with auxiliary classifiers | 13,378,280 | 1,591,044,096 | 4,820,968 |

    With biases, response normalization around the second stage as in figure 3, and no batch norm. Pools of stride 2
    round up: 112, 56, 28, 14, 7. What normalization is, the paper does not tell; the constants are Caffe's. Many
    libraries have another network under this name, with batch norm and 3x3 in place of 5x5.

    References
    ----------
    Szegedy et al.: Going deeper with convolutions, 2015.
    """
    network = picture("GoogLeNet", 3, input_size)
    chain(network,
          Conv2d(64, 7, stride=2, padding=3), ReLU(), MaxPool2d(3, 2, ceil_mode=True), LocalResponseNorm(5),
          ("conv2reduce", Conv2d(64, 1)), ReLU(), ("conv2", Conv2d(192, 3, padding=1)), ReLU(), LocalResponseNorm(5),
          MaxPool2d(3, 2, ceil_mode=True))
    for name, filters in MODULES.items():
        _inception(network, f"inception{name}", *filters)
        if name in ("3b", "4e"):
            network.add(MaxPool2d(3, 2, ceil_mode=True))
    main = chain(network, GlobalAvgPool2d(), Dropout(0.4), Flatten(), ("fc", Linear(num_classes)))
    if auxiliary:
        heads = [_auxiliary(network, f"auxiliary{number}", before, num_classes)
                 for number, before in enumerate(("inception4a", "inception4d"), 1)]
        network.set_outputs(main, *heads)
    return network


def _inception(
    network: Network, name: str, one: int, reduce_three: int, three: int, reduce_five: int, five: int, projection: int
) -> None:
    before = network.outputs[0]

    def branch(*layers: tuple[str, Conv2d] | MaxPool2d) -> str:
        last = before
        for layer in layers:
            last = (network.add(layer, last, name=f"{name}_pool") if isinstance(layer, MaxPool2d)
                    else chain(network, (f"{name}_{layer[0]}", layer[1]), ReLU(), after=last))
        return last

    ends = (
        branch(("1x1", Conv2d(one, 1))),
        branch(("3x3reduce", Conv2d(reduce_three, 1)), ("3x3", Conv2d(three, 3, padding=1))),
        branch(("5x5reduce", Conv2d(reduce_five, 1)), ("5x5", Conv2d(five, 5, padding=2))),
        branch(MaxPool2d(3, 1, padding=1), ("projection", Conv2d(projection, 1))),
    )
    network.add(Concatenate(), *ends, name=name)


def _auxiliary(network: Network, name: str, before: str, num_classes: int) -> str:
    return chain(network, (f"{name}_pool", AvgPool2d(5, 3)), (f"{name}_conv", Conv2d(128, 1)), ReLU(),
                 Flatten(), (f"{name}_fc1", Linear(1024)), ReLU(), Dropout(0.7),
                 (f"{name}_fc2", Linear(num_classes)), after=before)
