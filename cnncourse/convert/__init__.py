"""Fully connected layers as convolutions and back, and what for: a classifier that slides over larger pictures."""

from cnncourse.convert.layers import Converted, to_convolution, to_fully_connected
from cnncourse.convert.networks import to_convolutional
from cnncourse.convert.sliding import (
    Cost,
    PaddingEffect,
    crops,
    evaluation_cost,
    padded_nodes,
    padding_effect,
    sliding_scores,
    total_stride,
)

__all__ = [
    "Converted",
    "Cost",
    "PaddingEffect",
    "crops",
    "evaluation_cost",
    "padded_nodes",
    "padding_effect",
    "sliding_scores",
    "to_convolution",
    "to_convolutional",
    "to_fully_connected",
    "total_stride",
]
