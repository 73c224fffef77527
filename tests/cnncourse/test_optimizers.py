"""Optimizers: step by step as PyTorch's, in place, and with no memory but their state."""

from __future__ import annotations

import tracemalloc
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnncourse import config
from cnncourse.errors import ArgumentError, ArrayTypeError, ShapeError
from cnncourse.training import SGD, Adam, Momentum, RMSProp
from tests.cnncourse.randomly import many
from tests.needs import peer

SHAPES = {"conv1.weight": (4, 3, 3, 2), "conv1.bias": (4,), "fc1.weight": (70, 1000), "scale": ()}
EVERY = [SGD(0.1), Momentum(0.1), Momentum(0.1, nesterov=True), RMSProp(0.01), Adam(0.01)]


def draw(rng, dtype=np.float32):
    """Gradients as they come: most of order one, some tiny, some exactly zero."""
    return {name: np.asarray(rng.standard_normal(shape) * rng.choice((1, 1, 1e-6, 0), shape)).astype(dtype)
            for name, shape in SHAPES.items()}


def in_torch(torch, optimizer, tensors):
    """PyTorch's optimizer with the same settings."""
    common = {"lr": optimizer.learning_rate, "weight_decay": optimizer.weight_decay, "foreach": False}
    match optimizer:
        case SGD():
            return torch.optim.SGD(tensors, **common)
        case Momentum():
            return torch.optim.SGD(tensors, momentum=optimizer.momentum, nesterov=optimizer.nesterov, **common)
        case RMSProp():
            return torch.optim.RMSprop(tensors, alpha=optimizer.alpha, eps=optimizer.eps, **common)
        case Adam():
            return torch.optim.Adam(tensors, betas=optimizer.betas, eps=optimizer.eps, **common)


rates, kept = st.floats(1e-5, 1), st.floats(0.3, 0.999)
# Gradient and decay may cancel; a tiny eps would turn what rounding leaves of them into a step of full length.
damping = st.sampled_from(({"eps": 1e-10}, {"eps": 1e-4}, {"eps": 0.01, "weight_decay": 0.01},
                           {"eps": 0.1, "weight_decay": 0.5}))
decays = st.sampled_from((0, 0.01, 0.5))
optimizers = st.one_of(
    st.builds(SGD, rates, weight_decay=decays),
    st.builds(Momentum, rates, st.floats(0.001, 0.999), st.booleans(), weight_decay=decays),
    st.builds(lambda rate, alpha, others: RMSProp(rate, alpha, **others), rates, kept, damping),
    st.builds(lambda rate, betas, others: Adam(rate, betas, **others), rates, st.tuples(kept, kept), damping))


@pytest.mark.peer
@many
@given(optimizers, st.sampled_from((np.float32, np.float64)), st.integers(0, 2**32))
def test_every_step_is_that_of_pytorch(optimizer, dtype, seed):
    torch = peer("torch")
    rng = np.random.default_rng(seed)
    parameters = draw(rng, dtype)
    tensors = {name: torch.tensor(value, requires_grad=True) for name, value in parameters.items()}
    theirs = in_torch(torch, optimizer, list(tensors.values()))
    limit = 20 * np.finfo(dtype).eps
    largest = {name: np.abs(value).max() for name, value in parameters.items()}
    for _ in range(5):
        gradients = draw(rng, dtype)
        for name, tensor in tensors.items():
            tensor.grad = torch.tensor(gradients[name])
        theirs.step()
        optimizer.step(parameters, gradients)
        for name, tensor in tensors.items():
            expected = tensor.detach().numpy()
            # A step divided by a root near zero may be much larger than where it leads.
            largest[name] = max(largest[name], np.abs(expected).max())
            np.testing.assert_allclose(parameters[name], expected, rtol=limit, atol=limit * largest[name])


@pytest.mark.parametrize("optimizer", [type(one)() for one in EVERY], ids=repr)
@pytest.mark.peer
def test_defaults_are_those_of_pytorch(optimizer):
    torch = peer("torch")
    tensor = torch.zeros(3, requires_grad=True)
    theirs = {SGD: torch.optim.SGD([tensor], lr=0.01), Momentum: torch.optim.SGD([tensor], lr=0.01, momentum=0.9),
              RMSProp: torch.optim.RMSprop([tensor]), Adam: torch.optim.Adam([tensor])}[type(optimizer)]
    known = {"learning_rate": "lr"}
    for setting in (field.name for field in fields(optimizer)):
        if setting != "state":
            assert getattr(optimizer, setting) == theirs.defaults[known.get(setting, setting)], setting


def test_adam_by_hand():
    parameters = {"w": np.array([1.0])}
    Adam(0.5, eps=0).step(parameters, {"w": np.array([-3.0])})
    np.testing.assert_allclose(parameters["w"], [1.5], rtol=1e-15)  # the first step has the length of the rate


def test_nesterov_looks_ahead():
    plain, ahead = {"w": np.array([0.0])}, {"w": np.array([0.0])}
    Momentum(1, 0.5).step(plain, {"w": np.array([1.0])})
    Momentum(1, 0.5, nesterov=True).step(ahead, {"w": np.array([1.0])})
    assert (plain["w"], ahead["w"]) == (-1, -1.5)


@pytest.mark.parametrize("optimizer", EVERY, ids=repr)
def test_arrays_are_changed_in_place_and_gradients_are_not(optimizer):
    optimizer.state.clear()
    rng = np.random.default_rng(0)
    parameters, gradients = draw(rng), draw(rng)
    before, copies = dict(parameters), {name: value.copy() for name, value in gradients.items()}
    old = {name: value.copy() for name, value in parameters.items()}
    optimizer.step(parameters, gradients)
    for name in parameters:
        assert parameters[name] is before[name]
        np.testing.assert_array_equal(gradients[name], copies[name])
        assert not np.array_equal(parameters[name], old[name]) or not gradients[name].any()


@pytest.mark.parametrize("optimizer", EVERY, ids=repr)
def test_a_step_takes_no_memory_but_the_state(optimizer):
    rng = np.random.default_rng(0)
    parameters, gradients = ({"w": rng.standard_normal(1 << 20).astype(np.float32)} for _ in range(2))
    optimizer.state.clear()
    optimizer.step(parameters, gradients)  # compiles
    optimizer.state.clear()
    size = parameters["w"].nbytes
    for expected in (len(optimizer.kept) * size, 0):
        tracemalloc.start()
        optimizer.step(parameters, gradients)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert expected <= peak < expected + 0.01 * size


@pytest.mark.parametrize("optimizer", EVERY, ids=repr)
def test_the_number_of_threads_changes_nothing(optimizer):
    results = []
    for threads in (1, 5):
        before = config.get_num_threads()
        config.set_num_threads(threads)
        try:
            optimizer.state.clear()
            rng = np.random.default_rng(0)
            parameters = draw(rng)
            for _ in range(3):
                optimizer.step(parameters, draw(rng))
            results.append(parameters)
        finally:
            config.set_num_threads(before)
    for name in SHAPES:
        np.testing.assert_array_equal(results[0][name], results[1][name])


def test_a_rate_can_be_given_for_one_step():
    parameters, gradients = {"w": np.zeros(3)}, {"w": np.ones(3)}
    SGD(1).step(parameters, gradients, learning_rate=0.25)
    np.testing.assert_array_equal(parameters["w"], [-0.25] * 3)


def test_a_part_of_the_parameters_can_be_trained():
    parameters = {"a": np.zeros(2), "b": np.zeros(2)}
    Adam().step({"a": parameters["a"]}, {"a": np.ones(2), "b": np.ones(2)})
    assert parameters["a"].all() and not parameters["b"].any()


def test_a_gradient_of_strided_memory_counts_like_its_copy():
    gradient = np.arange(12.0).reshape(3, 4)
    parameters = {"w": np.zeros((4, 3))}
    SGD(1).step(parameters, {"w": gradient.T})
    np.testing.assert_array_equal(parameters["w"], -gradient.T)


@pytest.mark.parametrize("build, says", [
    (lambda: SGD(-0.1), "SGD: learning_rate .* at least 0, -0.1"),
    (lambda: SGD(float("nan")), "learning_rate"),
    (lambda: SGD(weight_decay=-1), "weight_decay"),
    (lambda: Momentum(momentum=1.0), "momentum .* below 1"),
    (lambda: RMSProp(alpha=1.5), "alpha"),
    (lambda: RMSProp(eps=-1), "eps"),
    (lambda: Adam(betas=(0.9, 1.0)), "betas .* below 1"),
    (lambda: Adam(betas=(0.9,)), "two numbers"),
    (lambda: Adam(betas=0.9), "two numbers"),
    (lambda: SGD("0.1"), "SGD: learning_rate has to be a number"),
])
def test_settings_that_cannot_work_are_refused(build, says):
    with pytest.raises(ArgumentError, match=says):
        build()


def test_what_does_not_go_together_is_refused_before_anything_changes():
    good, gradient = np.zeros((2, 2)), np.ones((2, 2))

    def step(error, says, optimizer=None, **arrays):
        parameters = {"good": good, **{name: pair[0] for name, pair in arrays.items()}}
        gradients = {"good": gradient, **{name: pair[1] for name, pair in arrays.items() if pair[1] is not None}}
        with pytest.raises(error, match=says):
            (optimizer or SGD(1)).step(parameters, gradients)
        assert not good.any()

    step(ArgumentError, "no gradient for w; .* backward pass", w=(np.zeros(2), None))
    step(ShapeError, r"w has shape \(2,\) and its gradient \(3,\)", w=(np.zeros(2), np.zeros(3)))
    step(ArrayTypeError, "float64 and its gradient float32", w=(np.zeros(2), np.zeros(2, np.float32)))
    step(ArrayTypeError, "w is int64", w=(np.zeros(2, int), np.zeros(2, int)))
    step(ArgumentError, "cannot be changed in place", w=(np.zeros((2, 3)).T, np.zeros((3, 2))))
    used = Momentum(1)
    used.step({"w": np.zeros(5)}, {"w": np.zeros(5)})
    step(ShapeError, r"state 'velocity' of an earlier step \(5,\)", used, w=(np.zeros(2), np.zeros(2)))
