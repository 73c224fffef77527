"""Predicted memory: by hand where a hand can count, and against what tracemalloc measures."""

from __future__ import annotations

import gc
import subprocess
import sys
import time
import tracemalloc
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnncourse import functional as F
from cnncourse import memory, training, zoo
from cnncourse.errors import ArgumentError, ArrayTypeError
from cnncourse.functional.demand import conv2d_demand
from cnncourse.layers import BatchNorm2d, Conv2d, Dropout, Flatten, GlobalAvgPool2d, Linear, MaxPool2d, ReLU
from cnncourse.memory import account, max_batch_size
from cnncourse.network import Network
from tests.cnncourse.networks import deep, graphs, inception, lenet, residual
from tests.cnncourse.randomly import convolutions, many
from tests.effort import rest_slow

KINDS = ("input", "parameters", "gradients", "optimizer", "activations", "workspace")


def traced(work):
    """Bytes of arrays at the peak of some work, beyond those that are there before; garbage is not counted."""
    gc.collect()
    tracemalloc.start()
    try:
        _ = work()
        peak = tracemalloc.get_traced_memory()[1]
        others = tracemalloc.take_snapshot().filter_traces(
            [tracemalloc.DomainFilter(False, np.lib.tracemalloc_domain)])
    finally:
        tracemalloc.stop()
    return peak - sum(trace.size for trace in others.traces)


def step(network, x, y, optimizer, recompute):
    training.training_step(network, x, y, optimizer, recompute=recompute)


def small():
    """A chain on which everything can be counted by hand."""
    network = Network((3, 8, 8))
    for layer in (Conv2d(4, 3, padding=1), BatchNorm2d(), ReLU(), MaxPool2d(2), Dropout(0.5), Flatten(), Linear(5)):
        network.add(layer)
    return network


def test_what_a_chain_keeps_counted_by_hand():
    found = account(small(), batch_size=10)
    kept = {one.name: one.kept for one in found.layers}
    maps, pooled = 4 * 8 * 8 * 10, 4 * 4 * 4 * 10
    assert kept == {
        "conv1": 4 * maps,  # for batch norm; the convolution itself keeps the batch, which is the caller's
        "bn1": 4 * maps + (2 * 8 + 2 * 4) * 4,  # its output, overwritten by the ReLU, and four statistics a channel
        "relu1": 0,
        "pool1": 8 * pooled,  # where each maximum was; the maxima themselves nobody needs again
        "dropout1": 4 * pooled + pooled,  # for the linear layer, and a mask
        "flatten1": 0,
        "fc1": 0,
    }
    assert found.input == 4 * 3 * 8 * 8 * 10
    assert found.parameters == 4 * (small().parameter_count() + 8)
    assert found.gradients == 4 * small().parameter_count()


def test_inference_holds_what_the_next_layer_reads_and_no_more():
    found = account(lenet(), batch_size=10, training=False)
    first, pooled = 6 * 28 * 28, 6 * 14 * 14  # ReLU works in place
    assert found.activations == 4 * 10 * (first + pooled)
    assert found.gradients == 0
    assert all(one.kept == 0 for one in found.layers)


def test_backward_lets_go_of_what_it_has_used():
    """In the chain's last convolution its own output is gone, and two gradients have taken its place."""
    network = Network((2, 16, 16))
    for _ in range(6):
        network.add(Conv2d(2, 3, padding=1))
        network.add(ReLU())
    network.add(GlobalAvgPool2d())
    network.add(Flatten())
    found = account(network, 1000)
    maps = 4 * 2 * 16 * 16 * 1000
    passing = {one.name: one.workspace for one in found.layers}["conv6"]
    standing = sum(_standing(network, 1000, np.float32).values())
    assert found.moment == "backward, conv6"
    assert abs(found.activations - 6 * maps) < maps / 20
    assert abs(found.peak - (found.input + (5 + 2) * maps + passing + standing)) < maps / 20


@pytest.mark.parametrize(("optimizer", "times"), [("sgd", 0), ("momentum", 1), ("rmsprop", 1), ("adam", 2), (None, 0)])
def test_what_optimizers_remember(optimizer, times):
    network = lenet()
    found = account(network, optimizer=optimizer)
    assert found.optimizer == times * 4 * network.parameter_count()
    if optimizer is not None:
        network.initialize(0)
        used = memory.OPTIMIZERS[optimizer](learning_rate=0.1)
        used.step(network.parameters, network.parameters)
        assert sum(array.nbytes for array in used.state.values() if array.ndim) == found.optimizer
    assert account(network, optimizer=optimizer, training=False).optimizer == 0


@many
@given(graphs(), st.integers(1, 5), st.booleans())
def test_every_account_adds_up(network, batch_size, recompute):
    for inference in (False, True):
        found = account(network, batch_size, training=not inference, recompute=recompute)
        assert sum(found.at_peak) == found.peak <= found.total
        assert all(0 <= there <= getattr(found, kind) for kind, there in zip(KINDS, found.at_peak, strict=True))
        assert found.total == sum(getattr(found, kind) for kind in KINDS)
        double = account(network, batch_size, np.float64, training=not inference, recompute=recompute)
        assert double.input == 2 * found.input
        assert double.parameters == 2 * found.parameters
    assert found.gradients == found.optimizer == 0


@pytest.mark.sampled(5)
@pytest.mark.parametrize(("build", "batch_size"), [(lenet, 128), (residual, 256), (inception, 256), (deep, 256),
                                                   (lambda: inception(auxiliary=True), 256), (small, 512)])
@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_training_step_takes_what_was_predicted(build, batch_size, recompute, dtype):
    network = build()
    network.initialize(0, dtype)
    rng = np.random.default_rng(0)
    optimizer = training.Momentum(0.001)
    x = rng.standard_normal((batch_size, *network.input_shape)).astype(dtype)
    y = rng.integers(0, network.output_shape[0], batch_size)
    predicted = account(network, batch_size, dtype, "momentum", recompute=recompute)
    there = (sum(array.nbytes for arrays in (network.parameters, network.buffers) for array in arrays.values())
             + predicted.optimizer + x.nbytes)
    step(network, x, y, optimizer, recompute)
    network.gradients = {}
    # Memory that threads have kept from other work is not made anew, and so not measured.
    standing = sum(_standing(network, batch_size, dtype).values())
    measured = traced(lambda: step(network, x, y, optimizer, recompute)) + there
    assert measured <= 1.03 * predicted.peak
    assert measured >= 0.97 * (predicted.peak - standing)
    assert standing < predicted.workspace


@pytest.mark.parametrize(("build", "batch_size"), [(lenet, 128), (residual, 256), (inception, 256), (deep, 256)])
def test_inference_takes_what_was_predicted(build, batch_size):
    network = build()
    network.initialize(0)
    x = np.zeros((batch_size, *network.input_shape), np.float32)
    network.forward(x)
    predicted = account(network, batch_size, training=False)
    there = sum(array.nbytes for arrays in (network.parameters, network.buffers) for array in arrays.values())
    standing = sum(_standing(network, batch_size, np.float32, backward=False).values())
    measured = traced(lambda: network.forward(x)) + there + x.nbytes
    assert 0.97 * (predicted.peak - standing) <= measured <= 1.03 * predicted.peak


def _standing(network, batch_size, dtype, backward=True):
    """What threads keep for the next convolution, by purpose and thread."""
    found = {}
    for node in network.nodes:
        if isinstance(node.layer, Conv2d):
            for back in (False, True)[:1 + backward]:
                demand = conv2d_demand(
                    (batch_size, *node.input_shapes[0]), node.parameter_shapes["weight"], dtype, backward=back,
                    stride=node.layer.stride, padding=node.layer.padding)
                for key, count in demand.standing.items():
                    found[key] = max(found.get(key, 0), count)
    return found


@pytest.mark.parametrize(("name", "batch_size"), rest_slow([
    ("lenet5", 256), ("alexnet", 8), ("zfnet", 4), ("googlenet", 4), ("vgg16", 1), ("resnet50", 2)]))
@pytest.mark.parametrize("mode", ["training", "recomputing", "inference"])
def test_the_networks_of_the_zoo_take_what_was_predicted(root, name, batch_size, mode):
    command = [sys.executable, "-m", "bench.memory", "--one", "--network", name, "--batch-size", str(batch_size),
               "--mode", mode, "--optimizer", "momentum"]
    ran = subprocess.run(command, check=True, capture_output=True, text=True, cwd=root)
    predicted, measured = map(int, ran.stdout.split())
    assert 0.97 < predicted / measured < 1.03


@pytest.mark.parametrize("budget", [2**20, 10 * 2**20, 64 * 2**20])
@pytest.mark.parametrize("recompute", [False, True])
def test_the_largest_batch_fits_and_one_more_does_not(budget, recompute):
    network = residual()
    found = max_batch_size(network, budget, optimizer="adam", recompute=recompute)
    if found:
        assert account(network, found, optimizer="adam", recompute=recompute).peak <= budget
    assert account(network, found + 1, optimizer="adam", recompute=recompute).peak > budget


def test_not_even_one_sample_may_fit():
    assert max_batch_size(zoo.vgg16(), 2**29) == 0
    assert max_batch_size(zoo.vgg16(), 2**30, training=False) > 0


def test_recomputing_keeps_less_and_inference_least():
    network = zoo.resnet50()
    plain, again, looking = (account(network, 8, recompute=False), account(network, 8, recompute=True),
                             account(network, 8, training=False))
    assert again.activations < plain.activations / 2
    assert looking.peak < again.peak < plain.peak
    assert plain.parameters == again.parameters == looking.parameters


def test_an_account_takes_no_time_and_no_memory_of_that_size():
    network = zoo.vgg16()
    account(network)  # imports
    tracemalloc.start()
    start = time.process_time()
    found = account(network, 64, optimizer="adam")
    elapsed, peak = time.process_time() - start, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.peak > 5 * 2**30
    assert peak < 2**20
    assert elapsed < 2
    assert network.parameters == {}


def test_tables():
    found = account(small(), 1000, recompute=True)
    text, layers, html = str(found), found.table(), found._repr_html_()
    assert "network, training, recomputing, batch of 1000, float32" in text
    assert f"{found.peak / 2**20:,.2f}" in text.splitlines()[-2]
    assert found.moment in text
    assert [line.split()[0] for line in layers.splitlines()[3:-2]] == [node.name for node in small().nodes]
    assert html.count("<table>") == html.count("</table>") == 2
    assert "batch of 1, float64" in str(account(small(), dtype="float64"))


def test_arguments():
    with pytest.raises(ArgumentError, match="optimizer has to be one of sgd, momentum, rmsprop, adam or None, 'lion'"):
        account(small(), optimizer="lion")
    with pytest.raises(ArgumentError, match="optimizer has to be one of"):
        account(small(), optimizer=["sgd"])
    with pytest.raises(ArgumentError, match="a function of the zoo has to be called; <function"):
        account(small)
    with pytest.raises(ArrayTypeError, match="dtype has to be float32 or float64, single was expected"):
        account(small(), dtype="single was expected")
    with pytest.raises(ArgumentError, match="batch_size has to be a whole number of at least 1, 0 was given"):
        account(small(), 0)
    with pytest.raises(ArrayTypeError, match="float16"):
        account(small(), dtype=np.float16)
    with pytest.raises(ArgumentError, match="budget"):
        max_batch_size(small(), 0.5)


@many
@given(convolutions(smallest_batch=1), st.booleans())
def test_a_convolution_takes_what_it_says(case, input_gradient):
    def traced(work):
        """All that is traced, Python's own small objects too; no time for more, so many cases are tried."""
        tracemalloc.start()
        try:
            _ = work()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    small = 16384
    forward = conv2d_demand(case.x.shape, case.weight.shape, case.x.dtype, **case.given)
    out = F.conv2d(case.x, case.weight, case.bias, **case.given)
    measured = traced(lambda: F.conv2d(case.x, case.weight, case.bias, **case.given)) - out.nbytes
    assert forward.passing <= measured <= forward.passing + sum(forward.standing.values()) + small
    backward = conv2d_demand(case.x.shape, case.weight.shape, case.x.dtype, backward=True,
                             input_gradient=input_gradient, **case.given)
    given_back = F.conv2d_backward(out, case.x, case.weight, input_gradient=input_gradient, **case.given)
    assert (given_back[0] is None) == (not input_gradient)
    results = sum(array.nbytes for array in given_back if array is not None)
    measured = traced(lambda: F.conv2d_backward(out, case.x, case.weight, input_gradient=input_gradient, **case.given))
    assert backward.passing <= measured - results <= backward.passing + sum(backward.standing.values()) + small


def test_helper_threads_do_not_hold_on_to_arrays():
    """After a call returns, its arrays belong to the caller alone, however slow another thread is in cleaning up."""
    alive = 0
    for _ in range(200):
        x = np.ones((4, 16, 64, 64), np.float32)
        found = weakref.ref(x)
        F.relu(x)
        del x
        alive += found() is not None
    assert alive == 0
