"""A network without pooling and without fully connected layers."""

from __future__ import annotations

from cnncourse.layers import Conv2d, Dropout, Flatten, GlobalAvgPool2d, ReLU
from cnncourse.network import Network
from cnncourse.zoo.building import chain, picture


def all_convolutional(*, num_classes: int = 10, input_size: int | tuple[int, int] = 32) -> Network:
    """All-CNN-C: convolutions of stride 2 in place of pooling, and a mean in place of fully connected layers.

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
    1,369,738 parameters, 270,798,336 multiply-adds and 349,042 activations at 32. The paper tells of about 1.4 million
    parameters, and of a mean over 6x6 positions; these come about if the seventh convolution has no padding. A ReLU
    follows the last convolution too.

    References
    ----------
    Springenberg, Dosovitskiy, Brox and Riedmiller: Striving for simplicity: the all convolutional net, 2015, tables 1
    and 2.
    """
    network = picture("All-CNN-C", 3, input_size)
    chain(network, Dropout(0.2),
          Conv2d(96, 3, padding=1), ReLU(), Conv2d(96, 3, padding=1), ReLU(),
          Conv2d(96, 3, stride=2, padding=1), ReLU(), Dropout(),
          Conv2d(192, 3, padding=1), ReLU(), Conv2d(192, 3, padding=1), ReLU(),
          Conv2d(192, 3, stride=2, padding=1), ReLU(), Dropout(),
          Conv2d(192, 3), ReLU(), Conv2d(192, 1), ReLU(), Conv2d(num_classes, 1), ReLU(),
          GlobalAvgPool2d(), Flatten())
    return network
