"""Operations on NCHW arrays, forward and backward, named and shaped as in torch.nn.functional; steps of optimizers."""

from cnncourse.functional.activations import (
    dropout,
    dropout_backward,
    relu,
    relu_backward,
    sigmoid,
    sigmoid_backward,
    tanh,
    tanh_backward,
)
from cnncourse.functional.columns import col2im, im2col
from cnncourse.functional.convolution import conv2d, conv2d_backward
from cnncourse.functional.dense import linear, linear_backward
from cnncourse.functional.joining import add, concatenate, concatenate_backward
from cnncourse.functional.local import locally_connected2d, locally_connected2d_backward
from cnncourse.functional.losses import cross_entropy, cross_entropy_backward, softmax, softmax_backward
from cnncourse.functional.normalization import (
    BatchStatistics,
    batch_norm,
    batch_norm_backward,
    local_response_norm,
    local_response_norm_backward,
)
from cnncourse.functional.pooling import (
    avg_pool2d,
    avg_pool2d_backward,
    global_avg_pool2d,
    global_avg_pool2d_backward,
    lp_pool2d,
    lp_pool2d_backward,
    max_pool2d,
    max_pool2d_backward,
)
from cnncourse.functional.radial import squared_distances, squared_distances_backward
from cnncourse.functional.steps import adam_step, momentum_step, rmsprop_step, sgd_step

__all__ = [
    "BatchStatistics",
    "adam_step",
    "add",
    "avg_pool2d",
    "avg_pool2d_backward",
    "batch_norm",
    "batch_norm_backward",
    "col2im",
    "concatenate",
    "concatenate_backward",
    "conv2d",
    "conv2d_backward",
    "cross_entropy",
    "cross_entropy_backward",
    "dropout",
    "dropout_backward",
    "global_avg_pool2d",
    "global_avg_pool2d_backward",
    "im2col",
    "linear",
    "linear_backward",
    "local_response_norm",
    "local_response_norm_backward",
    "locally_connected2d",
    "locally_connected2d_backward",
    "lp_pool2d",
    "lp_pool2d_backward",
    "max_pool2d",
    "max_pool2d_backward",
    "momentum_step",
    "relu",
    "relu_backward",
    "rmsprop_step",
    "sgd_step",
    "sigmoid",
    "sigmoid_backward",
    "softmax",
    "softmax_backward",
    "squared_distances",
    "squared_distances_backward",
    "tanh",
    "tanh_backward",
]
