"""Layers as facts: frozen dataclasses that know shapes, parameters and costs, and compute through `functional`."""

from cnncourse.layers.activation import Dropout, ReLU, Sigmoid, Softmax, Tanh
from cnncourse.layers.base import Kept, Layer, Mode, Shape, Work
from cnncourse.layers.convolution import Conv2d, LocallyConnected2d
from cnncourse.layers.dense import Flatten, Identity, Linear
from cnncourse.layers.joining import Add, Concatenate
from cnncourse.layers.normalization import BatchNorm2d, LocalResponseNorm
from cnncourse.layers.pooling import AvgPool2d, GlobalAvgPool2d, LpPool2d, MaxPool2d, TrainableAvgPool2d
from cnncourse.layers.radial import RadialBasis

__all__ = [
    "Add",
    "AvgPool2d",
    "BatchNorm2d",
    "Concatenate",
    "Conv2d",
    "Dropout",
    "Flatten",
    "GlobalAvgPool2d",
    "Identity",
    "Kept",
    "Layer",
    "Linear",
    "LocalResponseNorm",
    "LocallyConnected2d",
    "LpPool2d",
    "MaxPool2d",
    "Mode",
    "RadialBasis",
    "ReLU",
    "Shape",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "TrainableAvgPool2d",
    "Work",
]
