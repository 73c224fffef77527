"""Whole networks, forward and backward, against PyTorch with the same weights."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnncourse.layers import Dropout, Tanh
from cnncourse.network import Network
from tests.cnncourse.networks import (
    as_list,
    deep,
    graphs,
    inception,
    lenet,
    output_gradients,
    prepare,
    residual,
)
from tests.cnncourse.randomly import assert_near, many
from tests.cnncourse.torch_twin import peer_step

pytestmark = pytest.mark.peer


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
