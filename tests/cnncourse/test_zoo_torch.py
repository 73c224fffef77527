"""The networks of the zoo against PyTorch with the same weights: forward as they are, backward made small."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cnncourse import zoo
from cnncourse.layers import Conv2d, Dropout, Linear
from cnncourse.network import Network
from tests.cnncourse.networks import as_list, output_gradients, prepare
from tests.cnncourse.torch_twin import evaluate_all, peer_step, tensors, torch

pytestmark = pytest.mark.peer

SMALL = [("lenet5", {}), ("lenet5", {"connections": "partial"}), ("all_convolutional", {})]
LARGE = [("alexnet", {}), ("alexnet", {"groups": 1}), ("alexnet", {"variant": "2014"}), ("zfnet", {}),
         ("googlenet", {}), ("vgg11", {}), ("vgg13", {}), ("vgg16", {}), ("vgg19", {}), ("resnet18", {}),
         ("resnet34", {}), ("resnet50", {}), ("resnet50", {"version": "v1.5"}), ("resnet101", {}), ("resnet152", {})]
LIMIT = 1e-5
"""Of the largest score, in single precision; measured up to 2e-6, and as much for PyTorch itself."""


def with_running_statistics(network):
    """Statistics as if the network had seen something."""
    rng = np.random.default_rng(5)
    for name, value in network.buffers.items():
        value[:] = rng.uniform(0.5, 2, value.shape) if name.endswith("var") else 0.3 * rng.standard_normal(value.shape)


def scores(network, x, dtype):
    with torch.no_grad():
        return evaluate_all(network, *tensors(network, x, dtype))[network.outputs[0]].numpy()


@pytest.mark.parametrize(("name", "options"), [
    *SMALL, *(pytest.param(*one, marks=pytest.mark.slow) for one in LARGE)])
def test_scores_in_single_precision(name, options):
    network = getattr(zoo, name)(**options)
    x = prepare(network, dtype=np.float32, batch_size=1)
    with_running_statistics(network)
    expected = scores(network, x, torch.float64)
    limit = LIMIT * np.abs(expected).max()
    found = network.forward(x)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=limit)
    np.testing.assert_allclose(found, scores(network, x, torch.float32), rtol=0, atol=limit)


def narrowed(network, factor):
    """The same graph with fewer filters and features, and without what draws random numbers."""
    small = Network(network.input_shape, network.name)
    for node in network.nodes:
        layer = node.layer
        if isinstance(layer, Conv2d) and layer.connections is None and node.name not in network.outputs:
            layer = replace(layer, out_channels=max(layer.out_channels // factor, layer.groups))
        elif isinstance(layer, Linear) and node.name not in network.outputs:
            layer = replace(layer, out_features=max(layer.out_features // factor, 1))
        elif isinstance(layer, Dropout):
            layer = Dropout(0)
        small.add(layer, *node.inputs, name=node.name)
    small.set_outputs(*network.outputs)
    return small


@pytest.mark.sampled(5)
@pytest.mark.parametrize(("name", "options", "factor"), [
    ("lenet5", {}, 1),
    ("lenet5", {"connections": "partial"}, 1),
    ("all_convolutional", {"input_size": (17, 20)}, 4),
    ("alexnet", {"input_size": (67, 75), "num_classes": 5}, 8),
    ("alexnet", {"input_size": 67, "groups": 1, "num_classes": 5}, 8),
    ("alexnet", {"variant": "2014", "input_size": (63, 80), "num_classes": 5}, 8),
    ("zfnet", {"input_size": (90, 79), "num_classes": 5}, 8),
    ("googlenet", {"auxiliary": True, "input_size": (96, 112), "num_classes": 5}, 8),
    ("vgg11", {"input_size": (33, 48), "num_classes": 5}, 16),
    ("vgg19", {"input_size": 32, "num_classes": 5}, 16),
    ("resnet18", {"input_size": (33, 50), "num_classes": 5}, 8),
    ("resnet50", {"input_size": (40, 33), "num_classes": 5}, 8),
    ("resnet50", {"version": "v1.5", "input_size": (40, 33), "num_classes": 5}, 8),
    ("resnet152", {"input_size": (33, 40), "num_classes": 5}, 16),
])
def test_a_training_step_in_double_precision(name, options, factor):
    network = getattr(zoo, name)(**options)
    network = narrowed(network, factor)
    x = prepare(network, batch_size=3)
    for key, value in network.parameters.items():
        # Residual sums grow from block to block, and rounding with them, unless the branches begin small.
        if key.startswith("bn") and key.endswith("weight") and name.startswith("resnet"):
            value *= 0.5
    gradients = output_gradients(network, [np.zeros((len(x), *network.shape_of(one))) for one in network.outputs])
    wanted, wanted_x, wanted_gradients, wanted_buffers = peer_step(network, x, gradients)
    outputs = [one.copy() for one in as_list(network.forward(x, training=True))]
    grad_x = network.backward(gradients if len(gradients) > 1 else gradients[0])
    pairs = [*zip(outputs, wanted, strict=True), (grad_x, wanted_x)]
    pairs += [(network.gradients[key], wanted_gradients[key]) for key in network.parameters]
    pairs += [(network.buffers[key], wanted_buffers[key]) for key in network.buffers]
    for found, expected in pairs:
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9 * np.abs(expected).max())
