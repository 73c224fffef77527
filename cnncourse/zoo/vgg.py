"""The networks of the Visual Geometry Group: nothing but 3x3 convolutions and 2x2 pooling, and many of them."""

from __future__ import annotations

from cnncourse.layers import Conv2d, MaxPool2d, ReLU
from cnncourse.network import Network
from cnncourse.zoo.building import chain, classifier, picture

FILTERS = (64, 128, 256, 512, 512)
"""Filters of each convolution in the five blocks."""


def vgg11(*, num_classes: int = 1000, input_size: int | tuple[int, int] = 224) -> Network:
    """VGG-11, the paper's network A: 1, 1, 2, 2 and 2 convolutions before the pools.

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
    132,863,336 parameters, 7,609,090,048 multiply-adds and 9,116,136 activations at 224.

    References
    ----------
    Simonyan and Zisserman: Very deep convolutional networks for large-scale image recognition, 2015, table 1.
    """
    return _vgg("VGG-11", (1, 1, 2, 2, 2), num_classes, input_size)


def vgg13(*, num_classes: int = 1000, input_size: int | tuple[int, int] = 224) -> Network:
    """VGG-13, the paper's network B: two convolutions before each pool.

    Parameters, errors and reference are those of `vgg11`.

    Notes
    -----
    133,047,848 parameters, 11,308,466,176 multiply-adds and 13,933,032 activations at 224.
    """
    return _vgg("VGG-13", (2, 2, 2, 2, 2), num_classes, input_size)


def vgg16(*, num_classes: int = 1000, input_size: int | tuple[int, int] = 224) -> Network:
    """VGG-16, the paper's network D: 2, 2, 3, 3 and 3 convolutions before the pools.

    Parameters, errors and reference are those of `vgg11`.

    Notes
    -----
    138,357,544 parameters, 15,470,264,320 multiply-adds and 15,237,608 activations at 224: 58.1 MiB for one picture in
    single precision. (The notes of CS231n say 24M and 93 MB; their own column sums up to this.)
    """
    return _vgg("VGG-16", (2, 2, 3, 3, 3), num_classes, input_size)


def vgg19(*, num_classes: int = 1000, input_size: int | tuple[int, int] = 224) -> Network:
    """VGG-19, the paper's network E: 2, 2, 4, 4 and 4 convolutions before the pools.

    Parameters, errors and reference are those of `vgg11`.

    Notes
    -----
    143,667,240 parameters, 19,632,062,464 multiply-adds and 16,542,184 activations at 224.
    """
    return _vgg("VGG-19", (2, 2, 4, 4, 4), num_classes, input_size)


def _vgg(name: str, counts: tuple[int, ...], num_classes: int, input_size: int | tuple[int, int]) -> Network:
    network = picture(name, 3, input_size)
    for block, (count, filters) in enumerate(zip(counts, FILTERS, strict=True), 1):
        for number in range(1, count + 1):
            chain(network, (f"conv{block}_{number}", Conv2d(filters, 3, padding=1)), ReLU())
        network.add(MaxPool2d(2))
    classifier(network, num_classes)
    return network
