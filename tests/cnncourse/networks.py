"""Small networks for the tests: well-known shapes, random graphs, and twins that run them without any cleverness."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from hypothesis import strategies as st

from cnncourse.layers import (
    Add,
    AvgPool2d,
    BatchNorm2d,
    Concatenate,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    Identity,
    Kept,
    Linear,
    LocallyConnected2d,
    LocalResponseNorm,
    LpPool2d,
    MaxPool2d,
    Mode,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
    TrainableAvgPool2d,
)
from cnncourse.network import Network
from cnncourse.network.graph import INPUT
from tests.cnncourse.randomly import assert_near


def lenet():
    """A chain: LeNet with ReLU and average pooling."""
    network = Network((1, 32, 32), "LeNet")
    for layer in (Conv2d(6, 5), ReLU(), AvgPool2d(2), Conv2d(16, 5), ReLU(), AvgPool2d(2), Flatten(),
                  Linear(120), ReLU(), Linear(84), ReLU(), Linear(10)):
        network.add(layer)
    return network


def residual(blocks=2):
    """A stem and residual blocks, the first of which changes the number of channels."""
    network = Network((3, 12, 10), "residual")
    network.add(Conv2d(4, 3, padding=1, bias=False))
    network.add(BatchNorm2d())
    before = network.add(ReLU())
    for number in range(blocks):
        stride = 2 if number == 0 else 1
        network.add(Conv2d(6, 3, stride, 1, bias=False), before)
        network.add(BatchNorm2d())
        network.add(ReLU())
        network.add(Conv2d(6, 3, padding=1, bias=False))
        branch = network.add(BatchNorm2d())
        if number == 0:
            network.add(Conv2d(6, 1, stride, bias=False), before)
            before = network.add(BatchNorm2d())
        network.add(Add(), branch, before)
        before = network.add(ReLU())
    for layer in GlobalAvgPool2d(), Flatten(), Linear(5):
        network.add(layer)
    return network


def inception(auxiliary=False):
    """Branches that meet in a concatenation, with local response norm, dropout, and perhaps a second output."""
    network = Network((3, 11, 9), "inception")
    network.add(Conv2d(4, 3, padding=1))
    network.add(ReLU())
    network.add(LocalResponseNorm(3, alpha=0.1))
    start = network.add(MaxPool2d(3, 2, ceil_mode=True))
    ends = []
    for branch in ((Conv2d(2, 1),), (Conv2d(3, 1), ReLU(), Conv2d(4, 3, padding=1)),
                   (Conv2d(2, 1), ReLU(), Conv2d(3, 5, padding=2)), (MaxPool2d(3, 1, 1), Conv2d(2, 1))):
        last = start
        for layer in (*branch, ReLU()):
            last = network.add(layer, last)
        ends.append(last)
    joined = network.add(Concatenate(), *ends)
    network.add(Conv2d(6, 3))
    for layer in ReLU(), AvgPool2d(2, ceil_mode=True), Dropout(0.3), Flatten(), Linear(5):
        network.add(layer)
    if auxiliary:
        main = network.outputs[0]
        network.add(AvgPool2d(3, 2), joined)
        for layer in Flatten(), Linear(7), ReLU(), Linear(5):
            network.add(layer)
        network.set_outputs(main, network.outputs[0])
    return network


def deep():
    """A long chain, worth cutting into segments."""
    network = Network((2, 8, 8), "deep")
    for _ in range(9):
        for layer in Conv2d(4, 3, padding=1), ReLU(), Dropout(0.2), BatchNorm2d():
            network.add(layer)
    network.add(Flatten())
    network.add(Linear(3))
    return network


@st.composite
def graphs(draw):
    """A network of up to a dozen layers of any kind, each on any earlier ones that fit; up to two outputs."""
    channels = draw(st.integers(1, 3))
    network = Network((channels, draw(st.integers(3, 6)), draw(st.integers(3, 6))))
    names = [INPUT]
    for _ in range(draw(st.integers(1, 12))):
        # Mostly on what was added last, so that there are deep graphs too.
        name = draw(st.sampled_from(names[-3:] + names[-1:] * 3))
        shape = network.shape_of(name)
        layer = draw(st.sampled_from(_fitting(shape)))
        inputs = [name]
        if isinstance(layer, (Add, Concatenate)):
            same = [one for one in names if network.shape_of(one) == shape]
            inputs = [name, *draw(st.lists(st.sampled_from(same), min_size=1, max_size=2))]
        names.append(network.add(layer, *inputs))
    if draw(st.booleans()):
        network.set_outputs(*dict.fromkeys([names[-1], draw(st.sampled_from(names[1:]))]))
    return network


def _fitting(shape):
    anywhere = [ReLU(), ReLU(), Tanh(), Sigmoid(), Softmax(), Dropout(0.4), Dropout(0), Identity(), Flatten(), Add(),
                Concatenate()]
    if len(shape) == 1:
        return [*anywhere, Linear(4), Linear(3, bias=False)]
    maps = [Conv2d(3, 3, padding=1), Conv2d(2, 1, bias=False), BatchNorm2d(), BatchNorm2d(affine=False),
            LocalResponseNorm(3, alpha=0.3), MaxPool2d(3, 1, 1), AvgPool2d(3, 1, 1), LocallyConnected2d(2, 3, 2, 1)]
    if min(shape[1:]) >= 2:
        maps += [MaxPool2d(2), AvgPool2d(2, ceil_mode=True), LpPool2d(2, 2), TrainableAvgPool2d(2), GlobalAvgPool2d()]
    return anywhere + maps


def prepare(network, seed=0, dtype=np.float64, batch_size=3):
    """Random parameters, biases included, so that no value is exactly zero by chance; and a batch."""
    network.initialize(seed, dtype)
    rng = np.random.default_rng(seed + 1)
    for name, value in network.parameters.items():
        if value.ndim == 1 or name.endswith("bias"):
            value += 0.3 * rng.standard_normal(value.shape)
    return rng.standard_normal((batch_size, *network.input_shape)).astype(dtype)


def output_gradients(network, outputs):
    """A random gradient for each output."""
    return [np.random.default_rng(number).standard_normal(one.shape).astype(one.dtype)
            for number, one in enumerate(outputs)]


def as_list(outputs):
    """Outputs of a training pass, of which there may be one or several."""
    return list(outputs) if isinstance(outputs, tuple) else [outputs]


def needed_nodes(network):
    """Nodes that lead to an output."""
    needed = set(network.outputs)
    for node in reversed(network.nodes):
        if node.name in needed:
            needed.update(node.inputs)
    return [node for node in network.nodes if node.name in needed]


def plain_step(network, x, gradients, generator):
    """A training step with everything kept, nothing overwritten, and every gradient a new array.

    Returns outputs, the gradient of x, and those of the parameters. Running statistics stay as they are.
    """
    nodes = needed_nodes(network)
    values, kept = {INPUT: x}, {}
    mode = Mode(training=True, keep=True, generator=generator)
    for node in nodes:
        inputs = tuple(values[name].copy() for name in node.inputs)
        parameters, buffers = own(network.parameters, node), own(network.buffers, node)
        out, extra = node.layer.forward(inputs, parameters, buffers, mode)
        values[node.name] = out.copy()
        kept[node.name] = Kept(node.input_shapes, inputs, values[node.name], extra)
    sums = defaultdict(list)
    for name, gradient in zip(network.outputs, gradients, strict=True):
        sums[name].append(gradient)
    found = {name: np.zeros_like(value) for name, value in network.parameters.items()}
    for node in reversed(nodes):
        grad_out = sum(sums[node.name][1:], sums[node.name][0].copy())
        terms, slopes = node.layer.backward(grad_out, kept[node.name], own(network.parameters, node),
                                            (True,) * len(node.inputs))
        for name, term in zip(node.inputs, terms, strict=True):
            sums[name].append(term.copy())
        found |= {f"{node.name}.{key}": slope for key, slope in slopes.items()}
    grad_x = sum(sums[INPUT][1:], sums[INPUT][0].copy()) if sums[INPUT] else np.zeros_like(x)
    return [values[name] for name in network.outputs], grad_x, found


def own(arrays, node):
    """A node's arrays, by the layer's names."""
    return {key.split(".")[1]: value for key, value in arrays.items() if key.split(".")[0] == node.name}


def step(network, x, recompute=False, input_gradient=True, seed=5):
    """Outputs, grad_x, gradients of the parameters."""
    given = as_list(network.forward(x, training=True, recompute=recompute, generator=np.random.default_rng(seed)))
    outputs = [one.copy() for one in given]
    for one in given:
        one[:] = np.nan  # they belong to the caller, who may do with them whatever they like
    gradients = output_gradients(network, outputs)
    grad_x = network.backward(gradients if len(gradients) > 1 else gradients[0], input_gradient)
    for one, other in zip(gradients, output_gradients(network, outputs), strict=True):
        np.testing.assert_array_equal(one, other)
        if grad_x is not None:
            assert not np.shares_memory(grad_x, one)
    return outputs, grad_x, network.gradients


def assert_same_step(found, expected, exact=False):
    """Equal outputs and gradients."""
    compare = np.testing.assert_array_equal if exact else assert_near
    for one, other in zip(found[0], expected[0], strict=True):
        compare(one, other)
    if found[1] is not None and expected[1] is not None:
        compare(found[1], expected[1])
    assert found[2].keys() == expected[2].keys()
    for name, gradient in found[2].items():
        compare(gradient, expected[2][name])
