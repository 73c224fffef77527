"""What a network does with what it is given and what it keeps: whose arrays are whose, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from cnncourse.errors import ArgumentError, ArrayTypeError, ShapeError
from cnncourse.layers import BatchNorm2d, Dropout, Flatten, Identity, Linear, ReLU, Softmax
from cnncourse.network import Network
from tests.cnncourse.networks import (
    assert_same_step,
    lenet,
    output_gradients,
    prepare,
    residual,
    step,
)
from tests.cnncourse.randomly import assert_near


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
    for nothing, kind in ((None, "NoneType"), (1.0, "float")):
        with pytest.raises(ArrayTypeError, match=f"fc3: grad_out has to be an array .* a {kind} was given"):
            network.backward(nothing)
    with pytest.raises(ArgumentError, match="2 were given for 1"):
        network.backward([np.ones((3, 10))] * 2)
    network.backward(np.ones((3, 10)))
    assert network.gradients.keys() == network.parameters.keys()


@pytest.mark.parametrize("generator", ["seed", -1, 1.5])
def test_a_seed_that_is_none_is_refused_before_anything_changes(generator):
    network = lenet()
    network.initialize(0)
    before = network.parameters
    with pytest.raises(ArgumentError, match=f"initialize: generator has to be .*{generator}"):
        network.initialize(generator)
    assert network.parameters is before


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
