"""Networks forward and backward: against a twin that overwrites nothing, against slopes, and from run to run."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnncourse.layers import Add, Conv2d, ReLU
from cnncourse.network import Network, schedule
from cnncourse.network.schedule import training as training_schedule
from tests.cnncourse.networks import (
    as_list,
    assert_same_step,
    deep,
    graphs,
    inception,
    lenet,
    output_gradients,
    plain_step,
    prepare,
    residual,
    step,
)
from tests.cnncourse.randomly import assert_near, many

WELL_KNOWN = [lenet, residual, inception, lambda: inception(auxiliary=True), deep]


def everywhere(graph, nodes):
    """Cut wherever one value alone crosses, whether it pays or not."""
    ends = schedule._crossings(nodes)
    return [nodes[start:end] for start, end in zip([0, *ends], ends, strict=False)]


@many
@given(graphs(), st.booleans(), st.integers(0, 1000))
def test_any_graph_computes_what_a_twin_without_any_reuse_of_memory_does(network, recompute, seed):
    x = prepare(network, seed)
    before = x.copy()
    with mock.patch.object(schedule, "_cut", everywhere):
        found = step(network, x, recompute)
    expected = plain_step(network, before.copy(), output_gradients(network, found[0]), np.random.default_rng(5))
    assert_same_step(found, expected)
    np.testing.assert_array_equal(x, before)


@many
@given(graphs(), st.integers(0, 1000))
def test_a_look_at_all_activations_gives_what_the_plain_pass_gives(network, seed):
    x = prepare(network, seed)
    everything = network.activations(x)
    np.testing.assert_array_equal(network.forward(x), everything[network.outputs[0]])
    again = {}
    for node in network.nodes:
        again |= network.activations(x, [node.name])
    for name, value in everything.items():
        np.testing.assert_array_equal(value, again[name])
        assert value.shape == (len(x), *network.shape_of(name))


@pytest.mark.parametrize("build", WELL_KNOWN)
def test_recomputing_gives_the_same_bits(build):
    network = build()
    x = prepare(network, dtype=np.float32)
    plain = step(network, x)
    buffers = {name: value.copy() for name, value in network.buffers.items()}
    prepare(network, dtype=np.float32)
    again = step(network, x, recompute=True)
    assert_same_step(again, plain, exact=True)
    for name, value in network.buffers.items():
        np.testing.assert_array_equal(value, buffers[name])


def test_recomputing_cuts_a_deep_network_and_draws_the_same_masks():
    network = deep()
    assert len(training_schedule(network, True).segments) > 2
    assert len(training_schedule(network).segments) == 1
    x = prepare(network)
    generator, other = np.random.default_rng(3), np.random.default_rng(3)
    network.forward(x, training=True, generator=generator)
    network.forward(x, training=True, generator=other, recompute=True)
    network.backward(np.ones((3, 3)))
    assert generator.random() == other.random(), "recomputing drew from the caller's generator"


@pytest.mark.parametrize("build", WELL_KNOWN)
@pytest.mark.parametrize("recompute", [False, True])
def test_gradients_are_slopes(build, recompute):
    network = build()
    x = prepare(network, batch_size=2)
    outputs, grad_x, gradients = step(network, x, recompute)
    upstream = output_gradients(network, outputs)

    def loss():
        outs = as_list(network.forward(x, training=True, generator=np.random.default_rng(5)))
        return sum(float((one * gradient).sum()) for one, gradient in zip(outs, upstream, strict=True))

    rng = np.random.default_rng(0)
    for array, gradient in [(x, grad_x), *((network.parameters[name], gradients[name]) for name in gradients)]:
        index = tuple(rng.integers(length) for length in array.shape)
        value, width = array[index], 1e-6
        sides = []
        for shifted in (value + width, value - width):
            array[index] = shifted
            sides.append(loss())
        array[index] = value
        slope = (sides[0] - sides[1]) / (2 * width)
        assert abs(slope - gradient[index]) < 1e-6 * max(1, abs(slope), np.abs(gradient).max())


def test_without_the_gradient_of_the_input_the_others_are_the_same():
    network = inception()
    x = prepare(network)
    with_input = step(network, x)
    without = step(network, x, input_gradient=False)
    assert without[1] is None
    assert_same_step(without, with_input, exact=True)


def test_the_gradient_of_the_input_is_there_without_any_parameter():
    network = Network((3,))
    network.add(ReLU())
    x = np.array([[1.0, -1.0, 2.0]])
    network.forward(x, training=True)
    np.testing.assert_array_equal(network.backward(np.ones((1, 3))), [[1, 0, 1]])
    network.forward(x, training=True)
    assert network.backward(np.ones((1, 3)), input_gradient=False) is None
    assert network.gradients == {}


def test_further_outputs_come_out_in_training_only_and_may_go_without_a_gradient():
    network = inception(auxiliary=True)
    x = prepare(network)
    assert isinstance(network.forward(x), np.ndarray)
    main, further = network.forward(x, training=True, generator=np.random.default_rng(5))
    assert main.shape == further.shape == (3, 5)
    network.backward([main, None])
    found = network.gradients
    head = [name for name in found if name.split(".")[0] in ("fc2", "fc3")]
    assert head and all(not found[name].any() for name in head)
    alone = inception()
    alone.parameters = {name: network.parameters[name] for name in alone.parameter_shapes}
    out = alone.forward(x, training=True, generator=np.random.default_rng(5))
    np.testing.assert_array_equal(out, main)
    alone.backward(main)
    for name, gradient in alone.gradients.items():
        assert_near(found[name], gradient)


@pytest.mark.parametrize("build", WELL_KNOWN)
def test_the_same_from_run_to_run(build):
    results = []
    for _ in range(2):
        network = build()
        x = np.random.default_rng(0).standard_normal((2, *network.input_shape)).astype(np.float32)
        outputs = as_list(network.forward(x, training=True))  # nobody initialized, nobody gave a generator
        grad_x = network.backward(outputs if len(outputs) > 1 else outputs[0])
        results.append((outputs, grad_x, network.gradients))
    assert_same_step(*results, exact=True)


@pytest.mark.parametrize("build", WELL_KNOWN)
def test_an_empty_batch_passes(build):
    network = build()
    x = prepare(network, batch_size=0)
    assert network.forward(x).shape == (0, *network.output_shape)
    outputs = as_list(network.forward(x, training=True))
    assert network.backward(outputs).shape == x.shape
    assert all(not gradient.any() for gradient in network.gradients.values())


def test_a_batch_may_lie_anyhow_in_memory():
    network = inception()
    x = prepare(network)
    expected = step(network, x)
    strided = np.asfortranarray(x)
    strided.flags.writeable = False
    assert_same_step(step(network, strided), expected, exact=True)


def test_where_memory_is_used_again():
    """ReLU after a layer that keeps its input only is done in place; what somebody still reads is not overwritten."""
    network = Network((2, 5, 5))
    conv = network.add(Conv2d(3, 3, padding=1))
    network.add(ReLU())
    network.add(Conv2d(3, 3, padding=1))
    network.add(Add(), "conv2", conv)
    steps = {one.node.name: one for one in training_schedule(network).segments[0].forward.steps}
    assert not steps["relu1"].overwrite, "conv1 is read again by the addition"
    assert steps["add1"].overwrite
    chain = lenet()
    steps = {one.node.name: one for one in training_schedule(chain).segments[0].forward.steps}
    assert all(steps[f"relu{number}"].overwrite for number in (1, 2, 3, 4))
