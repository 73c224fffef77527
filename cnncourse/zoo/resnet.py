"""Residual networks: blocks that add what they compute to what they got."""

from __future__ import annotations

from typing import Literal

from cnncourse.layers import Add, BatchNorm2d, Conv2d, Flatten, GlobalAvgPool2d, Layer, Linear, MaxPool2d, ReLU
from cnncourse.network import Network
from cnncourse.zoo.building import chain, choice, picture

Version = Literal["v1", "v1.5"]


def resnet18(*, num_classes: int = 1000, input_size: int | tuple[int, int] = 224) -> Network:
    """ResNet-18: 2, 2, 2 and 2 blocks of two 3x3 convolutions.

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
    11,689,512 parameters, 1,814,073,344 multiply-adds and 2,836,456 activations at 224.

    References
    ----------
    He, Zhang, Ren and Sun: Deep residual learning for image recognition, 2016, table 1.
    """
    return _resnet("ResNet-18", (2, 2, 2, 2), None, num_classes, input_size)


def resnet34(*, num_classes: int = 1000, input_size: int | tuple[int, int] = 224) -> Network:
    """ResNet-34: 3, 4, 6 and 3 blocks of two 3x3 convolutions.

    Parameters, errors and reference are those of `resnet18`.

    Notes
    -----
    21,797,672 parameters, 3,663,761,408 multiply-adds and 4,090,856 activations at 224.
    """
    return _resnet("ResNet-34", (3, 4, 6, 3), None, num_classes, input_size)


def resnet50(
    version: Version = "v1", *, num_classes: int = 1000, input_size: int | tuple[int, int] = 224
) -> Network:
    """ResNet-50: 3, 4, 6 and 3 bottlenecks of 1x1, 3x3 and 1x1 convolutions.

    Parameters
    ----------
    version : {"v1", "v1.5"}, optional
        Where a bottleneck that halves the size has its stride: on the first 1x1 convolution, as in the paper, or on
        the 3x3, as in most libraries today, which skips no inputs.
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
    25,557,032 parameters. At 224, 3,857,973,248 multiply-adds and 10,941,416 activations with "v1"; 4,089,184,256 and
    11,468,264 with "v1.5".

    References
    ----------
    He, Zhang, Ren and Sun: Deep residual learning for image recognition, 2016, table 1.
    Goyal et al.: Accurate, large minibatch SGD: training ImageNet in 1 hour, 2017, section 5.1, for "v1.5".
    """
    return _bottlenecks("ResNet-50", (3, 4, 6, 3), version, num_classes, input_size)


def resnet101(
    version: Version = "v1", *, num_classes: int = 1000, input_size: int | tuple[int, int] = 224
) -> Network:
    """ResNet-101: 3, 4, 23 and 3 bottlenecks.

    Parameters, errors and references are those of `resnet50`.

    Notes
    -----
    44,549,160 parameters. At 224, 7,570,194,432 multiply-adds and 16,059,368 activations with "v1"; 7,801,405,440 and
    16,586,216 with "v1.5".
    """
    return _bottlenecks("ResNet-101", (3, 4, 23, 3), version, num_classes, input_size)


def resnet152(
    version: Version = "v1", *, num_classes: int = 1000, input_size: int | tuple[int, int] = 224
) -> Network:
    """ResNet-152: 3, 8, 36 and 3 bottlenecks.

    Parameters, errors and references are those of `resnet50`.

    Notes
    -----
    60,192,808 parameters. At 224, 11,282,415,616 multiply-adds and 22,381,544 activations with "v1"; 11,513,626,624
    and 22,908,392 with "v1.5".
    """
    return _bottlenecks("ResNet-152", (3, 8, 36, 3), version, num_classes, input_size)


def _bottlenecks(
    name: str, counts: tuple[int, ...], version: str, num_classes: int, input_size: int | tuple[int, int]
) -> Network:
    choice(name, "version", version, ("v1", "v1.5"))
    return _resnet(name, counts, version, num_classes, input_size)


def _resnet(
    name: str, counts: tuple[int, ...], version: str | None, num_classes: int, input_size: int | tuple[int, int]
) -> Network:
    """A version says where bottlenecks have their stride; without one the blocks are two 3x3 convolutions."""
    network = picture(name, 3, input_size)
    chain(network, Conv2d(64, 7, stride=2, padding=3, bias=False), BatchNorm2d(), ReLU(), MaxPool2d(3, 2, padding=1))
    for stage, count in enumerate(counts):
        for block in range(count):
            stride = 2 if stage > 0 and block == 0 else 1
            width = 64 * 2**stage
            # Named as in the paper's table: the first convolution gives stage 1, the first blocks are stage 2.
            prefix = f"conv{stage + 2}_{block + 1}"
            if version is None:
                _block(network, prefix, [_convolution(width, 3, stride), _convolution(width, 3, 1)], stride)
            else:
                first, second = (stride, 1) if version == "v1" else (1, stride)
                _block(network, prefix, [_convolution(width, 1, first), _convolution(width, 3, second),
                                         _convolution(4 * width, 1, 1)], stride)
    chain(network, GlobalAvgPool2d(), Flatten(), ("fc", Linear(num_classes)))
    return network


def _block(network: Network, prefix: str, convolutions: list[Conv2d], stride: int) -> None:
    """Convolutions with batch norm, ReLU between them, and a way around: straight, or a 1x1 convolution."""
    before = network.outputs[0]
    last = before
    for number, convolution in enumerate(convolutions, 1):
        layers: list[Layer | tuple[str, Layer]] = [(f"{prefix}_{number}", convolution), BatchNorm2d()]
        last = chain(network, *layers, *([ReLU()] if number < len(convolutions) else []), after=last)
    around = before
    filters = convolutions[-1].out_channels
    if stride > 1 or network.shape_of(before)[0] != filters:
        shortcut = _convolution(filters, 1, stride)
        around = chain(network, (f"{prefix}_shortcut", shortcut), BatchNorm2d(), after=before)
    chain(network, ReLU(), after=network.add(Add(), last, around))


def _convolution(filters: int, kernel_size: int, stride: int) -> Conv2d:
    return Conv2d(filters, kernel_size, stride=stride, padding=kernel_size // 2, bias=False)
