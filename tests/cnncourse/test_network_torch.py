"""Whole networks, forward and backward, against PyTorch with the same weights."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnncourse.layers import Dropout, Tanh
from cnncourse.network import Network
from cnncourse.network.graph import INPUT
from tests.cnncourse.networks import (
    as_list,
    deep,
    graphs,
    inception,
    lenet,
    needed_nodes,
    output_gradients,
    own,
    prepare,
    residual,
)
from tests.cnncourse.randomly import assert_near, many, peer

pytestmark = pytest.mark.peer
torch = peer("torch")
T = torch.nn.functional


def evaluate(node, inputs, parameters, buffers, training):
    """A node's output by PyTorch."""
    layer, (x, *_) = node.layer, inputs
    weight, bias = parameters.get("weight"), parameters.get("bias")
    kind = type(layer).__name__
    if kind == "Conv2d":
        return T.conv2d(x, weight, bias, layer.stride, layer.padding, layer.dilation, layer.groups)
    if kind == "LocallyConnected2d":
        return locally_connected(x, weight, bias, layer)
    if kind == "BatchNorm2d":
        return T.batch_norm(x, buffers["running_mean"], buffers["running_var"], weight, bias, training,
                            layer.momentum, layer.eps)
    if kind == "TrainableAvgPool2d":
        means = T.avg_pool2d(x, layer.kernel_size, layer.stride or layer.kernel_size)
        return means * weight[:, None, None] + bias[:, None, None]
    return {
        "Linear": lambda: T.linear(x, weight, bias),
        "Flatten": lambda: x.flatten(1),
        "Identity": lambda: x,
        "ReLU": lambda: T.relu(x),
        "Tanh": lambda: torch.tanh(x),
        "Sigmoid": lambda: torch.sigmoid(x),
        "Softmax": lambda: T.softmax(x, 1),
        "MaxPool2d": lambda: T.max_pool2d(x, layer.kernel_size, layer.stride, layer.padding, layer.dilation,
                                          layer.ceil_mode),
        "AvgPool2d": lambda: T.avg_pool2d(x, layer.kernel_size, layer.stride, layer.padding, layer.ceil_mode,
                                          layer.count_include_pad),
        "LpPool2d": lambda: T.lp_pool2d(x, layer.norm_type, layer.kernel_size, layer.stride, layer.ceil_mode),
        "GlobalAvgPool2d": lambda: x.mean((2, 3), keepdim=True),
        "LocalResponseNorm": lambda: local_response_norm(x, layer),
        "Concatenate": lambda: torch.cat(inputs, 1),
        "Add": lambda: sum(inputs[1:], inputs[0]),
    }[kind]()


def local_response_norm(x, layer):
    """PyTorch's own with channels in a fourth dimension, as its backward pass wants it."""
    return T.local_response_norm(x, layer.size, layer.alpha, layer.beta, layer.k)


def locally_connected(x, weight, bias, layer):
    """Filters of each position times the patch that `unfold` finds there."""
    rows, columns, filters, *one = weight.shape
    patches = T.unfold(x, one[1:], padding=layer.padding, stride=layer.stride)
    flat = weight.reshape(rows * columns, filters, -1)
    return torch.einsum("ndp,pkd->nkp", patches, flat).reshape(len(x), filters, rows, columns) + bias


def peer_step(network, x, gradients, training=True):
    """Outputs, the gradient of x, gradients and running statistics, all by PyTorch."""
    parameters = {name: torch.tensor(value, requires_grad=True) for name, value in network.parameters.items()}
    buffers = {name: torch.tensor(value) for name, value in network.buffers.items()}
    values = {INPUT: torch.tensor(x, requires_grad=True)}
    for node in needed_nodes(network):
        values[node.name] = evaluate(node, [values[name] for name in node.inputs], own(parameters, node),
                                     own(buffers, node), training)
    outputs = [values[name] for name in network.outputs]
    loss = sum((out * torch.tensor(gradient)).sum() for out, gradient in zip(outputs, gradients, strict=True))
    loss.backward()
    grads = {name: np.zeros(value.shape, x.dtype) if value.grad is None else value.grad.numpy()
             for name, value in parameters.items()}
    grad_x = values[INPUT].grad
    return ([out.detach().numpy() for out in outputs], np.zeros_like(x) if grad_x is None else grad_x.numpy(), grads,
            {name: value.numpy() for name, value in buffers.items()})


def without_dropout(network):
    """The same network without layers that draw random numbers."""
    plain = Network(network.input_shape, network.name)
    for node in network.nodes:
        layer = Tanh() if isinstance(node.layer, Dropout) else node.layer
        plain.add(layer, *node.inputs, name=node.name)
    plain.set_outputs(*network.outputs)
    return plain


def compare(network, x, recompute, factor):
    """One step by both; float32 is compared with PyTorch's float64, whose rounding does not count then."""
    outputs = [np.copy(one) for one in as_list(network.forward(x))]
    shapes = [np.zeros((len(x), *network.shape_of(name)), x.dtype) for name in network.outputs]
    gradients = output_gradients(network, shapes)
    doubled = network_in_double(network)
    in_double = [gradient.astype(np.float64) for gradient in gradients]
    looked = peer_step(doubled, x.astype(np.float64), in_double, training=False)
    assert_near(outputs[0], looked[0][0].astype(x.dtype), factor=factor)
    expected = peer_step(doubled, x.astype(np.float64), in_double)
    outputs = [one.copy() for one in as_list(network.forward(x, training=True, recompute=recompute))]
    grad_x = network.backward(gradients if len(gradients) > 1 else gradients[0])
    for found, other in zip(outputs, expected[0], strict=True):
        assert_near(found, other.astype(x.dtype), factor=factor)
    assert_near(grad_x, expected[1].astype(x.dtype), factor=factor)
    for name, gradient in network.gradients.items():
        assert_near(gradient, expected[2][name].astype(x.dtype), factor=factor)
    for name, value in network.buffers.items():
        assert_near(value, expected[3][name].astype(x.dtype), factor=factor)


def network_in_double(network):
    """The same network and weights in double precision."""
    double = Network(network.input_shape)
    for node in network.nodes:
        double.add(node.layer, *node.inputs, name=node.name)
    double.set_outputs(*network.outputs)
    double.parameters = {name: value.astype(np.float64) for name, value in network.parameters.items()}
    double.buffers = {name: value.astype(np.float64) for name, value in network.buffers.items()}
    return double


@pytest.mark.parametrize("build", [lenet, residual, inception, lambda: inception(auxiliary=True), deep])
@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_well_known_shapes_of_networks(build, recompute, dtype):
    network = without_dropout(build())
    compare(network, prepare(network, dtype=dtype, batch_size=4), recompute, factor=10)


@many
@given(graphs(), st.booleans(), st.integers(0, 1000))
def test_any_graph(network, recompute, seed):
    network = without_dropout(network)
    x = prepare(network, seed)
    # Products of many gradients may be large beside the output: rounding is measured by the largest value.
    compare(network, x, recompute, factor=1000)
