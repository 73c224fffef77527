"""The same network by PyTorch: one call of torch.nn.functional for each node, and its gradients."""

from __future__ import annotations

import numpy as np

from cnncourse.network.graph import INPUT
from tests.cnncourse.networks import needed_nodes, own
from tests.needs import peer

torch = peer("torch")
T = torch.nn.functional


def tensors(network, x, dtype=None, requires_grad=False):
    """Parameters, buffers and the input as tensors, in another precision if one is given."""
    kind = dtype or torch.from_numpy(x).dtype
    parameters = {name: torch.tensor(value, dtype=kind, requires_grad=requires_grad)
                  for name, value in network.parameters.items()}
    buffers = {name: torch.tensor(value, dtype=kind) for name, value in network.buffers.items()}
    return parameters, buffers, torch.tensor(x, dtype=kind, requires_grad=requires_grad)


def evaluate_all(network, parameters, buffers, x, training=False):
    """What every node gives that the outputs depend on, by name."""
    values = {INPUT: x}
    for node in needed_nodes(network):
        values[node.name] = evaluate(node, [values[name] for name in node.inputs], own(parameters, node),
                                     own(buffers, node), training)
    return values


def peer_step(network, x, gradients, training=True):
    """Outputs, the gradient of x, gradients and running statistics, all by PyTorch."""
    parameters, buffers, given = tensors(network, x, requires_grad=True)
    values = evaluate_all(network, parameters, buffers, given, training)
    outputs = [values[name] for name in network.outputs]
    loss = sum((out * torch.tensor(gradient)).sum() for out, gradient in zip(outputs, gradients, strict=True))
    loss.backward()
    grads = {name: np.zeros(value.shape, x.dtype) if value.grad is None else value.grad.numpy()
             for name, value in parameters.items()}
    grad_x = given.grad
    return ([out.detach().numpy() for out in outputs], np.zeros_like(x) if grad_x is None else grad_x.numpy(), grads,
            {name: value.numpy() for name, value in buffers.items()})


def evaluate(node, inputs, parameters, buffers, training):
    """A node's output by PyTorch."""
    layer, (x, *_) = node.layer, inputs
    weight, bias = parameters.get("weight"), parameters.get("bias")
    kind = type(layer).__name__
    if kind == "Conv2d":
        weight = weight if layer.connections is None else among_zeros(weight, layer.connections, x.shape[1])
        return T.conv2d(x, weight, bias, layer.stride, layer.padding, layer.dilation, layer.groups)
    if kind == "LocallyConnected2d":
        return locally_connected(x, weight, bias, layer)
    if kind == "BatchNorm2d":
        return T.batch_norm(x, buffers["running_mean"], buffers["running_var"], weight, bias, training,
                            layer.momentum, layer.eps)
    if kind == "TrainableAvgPool2d":
        means = T.avg_pool2d(x, layer.kernel_size, layer.stride or layer.kernel_size)
        return means * weight[:, None, None] + bias[:, None, None]
    if kind == "Dropout":
        assert not training or layer.p == 0, "PyTorch draws other masks"
        return x
    return {
        "Linear": lambda: T.linear(x, weight, bias),
        "RadialBasis": lambda: -((x[:, None] - torch.tensor(layer.centers, dtype=x.dtype)) ** 2).sum(2),
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
        "LocalResponseNorm": lambda: T.local_response_norm(x, layer.size, layer.alpha, layer.beta, layer.k),
        "Concatenate": lambda: torch.cat(inputs, 1),
        "Add": lambda: sum(inputs[1:], inputs[0]),
    }[kind]()


def among_zeros(weight, connections, channels):
    """Kernels of a partly connected layer in a tensor for all pairs."""
    rows = []
    kernels = iter(weight)
    for seen in connections:
        own_kernels = {channel: next(kernels) for channel in seen}
        rows.append(torch.stack([own_kernels.get(channel, torch.zeros_like(weight[0])) for channel in range(channels)]))
    return torch.stack(rows)


def locally_connected(x, weight, bias, layer):
    """Filters of each position times the patch that `unfold` finds there."""
    rows, columns, filters, *one = weight.shape
    patches = T.unfold(x, one[1:], padding=layer.padding, stride=layer.stride)
    flat = weight.reshape(rows * columns, filters, -1)
    return torch.einsum("ndp,pkd->nkp", patches, flat).reshape(len(x), filters, rows, columns) + bias
