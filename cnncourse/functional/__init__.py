"""Operations on NCHW arrays, forward and backward, named and shaped as in torch.nn.functional."""

from cnncourse.functional.columns import col2im, im2col
from cnncourse.functional.convolution import conv2d, conv2d_backward
from cnncourse.functional.dense import linear, linear_backward, relu, relu_backward
from cnncourse.functional.pooling import (
    avg_pool2d,
    avg_pool2d_backward,
    lp_pool2d,
    lp_pool2d_backward,
    max_pool2d,
    max_pool2d_backward,
)

__all__ = [
    "avg_pool2d",
    "avg_pool2d_backward",
    "col2im",
    "conv2d",
    "conv2d_backward",
    "im2col",
    "linear",
    "linear_backward",
    "lp_pool2d",
    "lp_pool2d_backward",
    "max_pool2d",
    "max_pool2d_backward",
    "relu",
    "relu_backward",
]
