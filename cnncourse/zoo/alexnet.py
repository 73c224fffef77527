"""AlexNet, its later variant, and ZF Net, which looked into it."""

from __future__ import annotations

from typing import Literal

from cnncourse.errors import ArgumentError
from cnncourse.layers import Conv2d, LocalResponseNorm, MaxPool2d, ReLU
from cnncourse.network import Network
from cnncourse.zoo.building import chain, choice, classifier, picture


def alexnet(
    groups: int | None = None, variant: Literal["2012", "2014"] = "2012", *, num_classes: int = 1000,
    input_size: int | tuple[int, int] | None = None,
) -> Network:
    """AlexNet, with which deep networks won the ImageNet challenge of 2012.

    Parameters
    ----------
    groups : {2, 1}, optional
        2, the default for "2012", is the paper's network, whose second, fourth and fifth convolution were split
        between two graphics cards; 1 is the same on one.
    variant : {"2012", "2014"}, optional
        "2014" is the network of one tower with 64-192-384-256-256 filters, for inputs of 224 with padding 2, that most
        libraries today call AlexNet. Its author's configuration had response normalization too, and no padding
        but windows that hang over; here it is as in those libraries.
    num_classes : int, optional
    input_size : int or (height, width), optional
        227 for "2012" (the paper says 224, which gives no whole number), 224 for "2014".

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
    | two groups, 227 | 60,965,224 | 724,406,816 | 936,323 |
    | one group, 227 | 62,378,344 | 1,135,256,096 | 936,323 |
    | "2014", 224 | 61,100,840 | 714,188,480 | 733,032 |

    Normalization follows the first two ReLUs and comes before pooling, whose windows overlap. The paper adds
    alpha = 1e-4 times the sum over 5 channels; `LocalResponseNorm` divides alpha by the 5, so that it is given 5e-4.

    References
    ----------
    Krizhevsky, Sutskever and Hinton: ImageNet classification with deep convolutional neural networks, 2012.
    Krizhevsky: One weird trick for parallelizing convolutional neural networks, 2014.
    """
    choice("alexnet", "variant", variant, ("2012", "2014"))
    if variant == "2014":
        if groups not in (None, 1):
            raise ArgumentError(f'alexnet: variant "2014" has one tower, groups={groups!r} was given')
        return _one_tower(num_classes, 224 if input_size is None else input_size)
    groups = 2 if groups is None else groups
    choice("alexnet", "groups", groups, (2, 1))
    network = picture("AlexNet", 3, 227 if input_size is None else input_size)
    chain(network,
          Conv2d(96, 11, stride=4), ReLU(), _normalization(), MaxPool2d(3, 2),
          Conv2d(256, 5, padding=2, groups=groups), ReLU(), _normalization(), MaxPool2d(3, 2),
          Conv2d(384, 3, padding=1), ReLU(),
          Conv2d(384, 3, padding=1, groups=groups), ReLU(),
          Conv2d(256, 3, padding=1, groups=groups), ReLU(), MaxPool2d(3, 2))
    classifier(network, num_classes)
    return network


def _one_tower(num_classes: int, input_size: int | tuple[int, int]) -> Network:
    network = picture("AlexNet of 2014", 3, input_size)
    chain(network,
          Conv2d(64, 11, stride=4, padding=2), ReLU(), MaxPool2d(3, 2),
          Conv2d(192, 5, padding=2), ReLU(), MaxPool2d(3, 2),
          Conv2d(384, 3, padding=1), ReLU(), Conv2d(256, 3, padding=1), ReLU(),
          Conv2d(256, 3, padding=1), ReLU(), MaxPool2d(3, 2))
    classifier(network, num_classes)
    return network


def zfnet(*, num_classes: int = 1000, input_size: int | tuple[int, int] = 224) -> Network:
    """ZF Net: AlexNet with a first layer of 7x7 and stride 2, found by looking at what AlexNet's had learned.

    Parameters
    ----------
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
    | 224 | 62,357,608 | 1,168,032,896 | 2,010,312 |

    Figure 3 of the paper gives the sizes 110, 55, 26, 13, 6 but no padding. They follow, rounded down, with padding 1
    in the first convolution and the first two pools. Here contrast is normalized after pooling, over feature maps; the
    constants, which the paper does not tell, are AlexNet's.

    References
    ----------
    Zeiler and Fergus: Visualizing and understanding convolutional networks, 2014.
    """
    network = picture("ZF Net", 3, input_size)
    chain(network,
          Conv2d(96, 7, stride=2, padding=1), ReLU(), MaxPool2d(3, 2, padding=1), _normalization(),
          Conv2d(256, 5, stride=2), ReLU(), MaxPool2d(3, 2, padding=1), _normalization(),
          Conv2d(384, 3, padding=1), ReLU(), Conv2d(384, 3, padding=1), ReLU(),
          Conv2d(256, 3, padding=1), ReLU(), MaxPool2d(3, 2))
    classifier(network, num_classes)
    return network


def _normalization() -> LocalResponseNorm:
    return LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)
