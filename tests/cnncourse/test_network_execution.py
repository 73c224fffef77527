"""Networks forward and backward: against a twin that overwrites nothing, slopes, and what may not happen."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnncourse.errors import ArgumentError, ArrayTypeError, ShapeError
from cnncourse.layers import Add, BatchNorm2d, Conv2d, Dropout, Flatten, Identity, Linear, ReLU, Softmax
from cnncourse.network import Network, schedule
from cnncourse.network.schedule import training as training_schedule
from tests.cnncourse.networks import (
    as_list,
    deep,
    graphs,
    inception,
    lenet,
    output_gradients,
    plain_step,
    prepare,
    residual,
)
from tests.cnncourse.randomly import assert_near, many

WELL_KNOWN = [lenet, residual, inception, lambda: inception(auxiliary=True), deep]


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


def everywhere(graph, nodes):
    """Cut wherever one value alone crosses, whether it pays or not."""
    ends = schedule._crossings(nodes)
    return [nodes[start:end] for start, end in zip([0, *ends], ends, strict=False)]


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


@pytest.mark.parametrize("recompute", [False, True])
def test_nothing_that_belongs_to_the_caller_is_written_to(recompute):
    network = residual()
    x = prepare(network)
    parameters = {name: value.copy() for name, value in network.parameters.items()}
    before, grad = x.copy(), np.ones((3, 5))
    network.forward(x)
    out = network.forward(x, training=True, recompute=recompute)
    kept = out.copy()
    network.backward(grad)
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(grad, 1)
    np.testing.assert_array_equal(out, kept)
    for name, value in network.parameters.items():
        np.testing.assert_array_equal(value, parameters[name])


def test_whoever_changes_an_output_changes_neither_the_input_nor_the_gradients():
    network = Network((4,))
    network.add(Linear(3))
    network.add(Softmax())
    x = prepare(network)
    expected = step(network, x)[2]
    out = network.forward(x, training=True)
    upstream = output_gradients(network, [out])[0]
    out[:] = 7
    network.backward(upstream)
    for name, gradient in expected.items():
        np.testing.assert_array_equal(network.gradients[name], gradient)
    straight = Network((2, 2, 2))
    straight.add(Identity())
    straight.add(Flatten())
    x = np.zeros((1, 2, 2, 2))
    for training in (False, True):
        straight.forward(x, training=training)[:] = 1
        np.testing.assert_array_equal(x, 0)


def test_the_newest_pass_counts_and_looking_in_between_does_not_disturb_it():
    network = residual()
    x = prepare(network)
    expected = step(network, x)
    network.forward(x[:2] + 1, training=True)
    network.forward(x, training=True)
    network.forward(x + 1)
    network.activations(x - 1)
    network.backward(output_gradients(network, expected[0])[0])
    assert_same_step((expected[0], expected[1], network.gradients), expected)


def test_backward_takes_a_forward_pass_of_its_own():
    network = lenet()
    x = prepare(network)
    with pytest.raises(ArgumentError, match=r"LeNet: backward needs a forward pass with training=True"):
        network.backward(np.ones((3, 10)))
    network.forward(x)
    with pytest.raises(ArgumentError, match="training=True"):
        network.backward(np.ones((3, 10)))
    network.forward(x, training=True)
    network.backward(np.ones((3, 10)))
    with pytest.raises(ArgumentError, match="each one serves for one backward pass"):
        network.backward(np.ones((3, 10)))


def test_a_gradient_that_does_not_fit_is_refused_and_the_right_one_taken_after_it():
    network = lenet()
    x = prepare(network)
    network.forward(x, training=True)
    with pytest.raises(ShapeError, match=r"fc3.*\(3, 9\).*\(3, 10\)"):
        network.backward(np.ones((3, 9)))
    with pytest.raises(ArrayTypeError, match="float32"):
        network.backward(np.ones((3, 10), np.float32))
    with pytest.raises(ArgumentError, match="2 were given for 1"):
        network.backward([np.ones((3, 10))] * 2)
    network.backward(np.ones((3, 10)))
    assert network.gradients.keys() == network.parameters.keys()


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


def test_what_an_input_has_to_be():
    network = lenet()
    with pytest.raises(ShapeError, match=r"LeNet: x has shape \(2, 1, 28, 28\).*\(samples, 1, 32, 32\)"):
        network.forward(np.zeros((2, 1, 28, 28), np.float32))
    with pytest.raises(ShapeError, match="4 dimensions"):
        network.forward(np.zeros((1, 32, 32), np.float32))
    with pytest.raises(ArrayTypeError, match="int64"):
        network.forward(np.zeros((2, 1, 32, 32), np.int64))
    network.initialize(0)
    with pytest.raises(ArrayTypeError, match=r"x is float64 and conv1.weight is float32.*x.astype\(np.float32\)"):
        network.forward(np.zeros((2, 1, 32, 32)))


def test_parameters_that_do_not_go_with_the_network_are_named():
    network = lenet()
    network.initialize(0)
    x = np.zeros((1, 1, 32, 32), np.float32)
    weight = network.parameters.pop("fc1.weight")
    with pytest.raises(ArgumentError, match=r"no value for fc1\.weight"):
        network.forward(x)
    network.parameters["fc1.weight"] = weight.T
    with pytest.raises(ShapeError, match=r"fc1.weight has shape \(400, 120\), the network needs \(120, 400\)"):
        network.forward(x)
    network.parameters["fc1.weight"] = weight
    network.add(ReLU())
    assert network.forward(x).min() >= 0
    network.add(Linear(2))
    with pytest.raises(ArgumentError, match=r"fc4.weight, fc4.bias; initialize\(\)"):
        network.forward(x)


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


def test_gradients_of_an_older_step_are_let_go_but_not_taken_away():
    network = lenet()
    x = prepare(network)
    _, _, gradients = step(network, x)
    copies = {name: value.copy() for name, value in gradients.items()}
    network.forward(x, training=True)
    assert network.gradients == {}
    for name, value in gradients.items():
        np.testing.assert_array_equal(value, copies[name])


def test_running_statistics_move_once_for_each_pass_in_training():
    network = Network((2, 4, 4))
    network.add(BatchNorm2d(momentum=0.5))
    x = prepare(network)
    network.forward(x)
    np.testing.assert_array_equal(network.buffers["bn1.running_mean"], 0)
    network.forward(x, training=True)
    mean = x.mean(axis=(0, 2, 3)) / 2
    assert_near(network.buffers["bn1.running_mean"], mean)
    network.backward(np.ones_like(x))
    assert_near(network.buffers["bn1.running_mean"], mean)


def test_an_error_of_a_layer_names_its_node():
    network = Network((2, 1, 1))
    network.add(BatchNorm2d(), name="norm")
    with pytest.raises(ShapeError, match=r"^norm: batch_norm: training takes more than one value"):
        network.forward(np.zeros((1, 2, 1, 1)), training=True)


def test_dropout_draws_from_the_networks_own_generator_unless_one_is_given():
    network = Network((100,))
    network.add(Dropout(0.5))
    x = np.ones((2, 100))
    network.initialize(4)
    first, second = network.forward(x, training=True), network.forward(x, training=True)
    assert (first != second).any()
    network.initialize(4)
    np.testing.assert_array_equal(network.forward(x, training=True), first)
    given = [network.forward(x, training=True, generator=np.random.default_rng(1)) for _ in range(2)]
    np.testing.assert_array_equal(*given)
    np.testing.assert_array_equal(network.forward(x), x)


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
