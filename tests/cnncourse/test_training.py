"""The training loop: it learns, it does what PyTorch does, it is the same each time, and it says what is wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from cnncourse import data, zoo
from cnncourse.errors import ArgumentError, ArrayTypeError, DivergenceError, ShapeError
from cnncourse.layers import (
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    Linear,
    MaxPool2d,
    ReLU,
    Softmax,
    Tanh,
)
from cnncourse.network import Network
from cnncourse.training import (
    SGD,
    Adam,
    CosineDecay,
    ExponentialDecay,
    Momentum,
    StepDecay,
    check_network,
    confusion_matrix,
    evaluate,
    predict,
    train,
    training_step,
)
from tests.needs import peer


def chain(*layers, input_shape=(1, 8, 8), seed=0, dtype=np.float32):
    network = Network(input_shape)
    for layer in layers:
        network.add(layer)
    network.initialize(seed, dtype)
    return network


def small(seed=0, dtype=np.float32):
    return chain(Conv2d(6, 3), ReLU(), MaxPool2d(2), Flatten(), Linear(10), seed=seed, dtype=dtype)


@pytest.fixture(scope="module")
def few():
    """Some digits: 300 to train on, 100 others."""
    x_train, y_train, x_test, y_test = data.digits()
    return x_train[:300], y_train[:300], x_test[:100], y_test[:100]


@pytest.mark.slow
def test_lenet_learns_to_read_digits_that_it_has_not_seen():
    x_train, y_train, x_test, y_test = data.digits(32)
    network = zoo.lenet5()
    network.initialize(0)
    history = train(network, x_train, y_train, epochs=12, batch_size=32, optimizer=Momentum(0.03),
                    schedule=CosineDecay(12), progress=False)
    assert history.losses[-1] < 0.1 * history.losses[0]
    assert evaluate(network, x_test, y_test).accuracy >= 0.97


def test_a_small_network_learns(few):
    x, y, x_test, y_test = few
    network = small()
    before = evaluate(network, x_test, y_test)
    history = train(network, x, y, epochs=8, batch_size=16, optimizer=Adam(0.01), progress=False)
    after = evaluate(network, x_test, y_test)
    assert before.accuracy < 0.3 < 0.8 < after.accuracy
    assert before.loss > after.loss
    assert history.losses == tuple(sorted(history.losses, reverse=True))


@pytest.mark.peer
def test_steps_are_those_of_pytorch():
    torch = peer("torch")
    ours = chain(Conv2d(4, 3, padding=1), BatchNorm2d(), ReLU(), MaxPool2d(2), Flatten(), Linear(5), dtype=np.float64)
    theirs = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3, padding=1), torch.nn.BatchNorm2d(4), torch.nn.ReLU(),
                                 torch.nn.MaxPool2d(2), torch.nn.Flatten(), torch.nn.Linear(64, 5)).double()
    names = [("conv1", 0), ("bn1", 1), ("fc1", 5)]
    with torch.no_grad():
        for name, number in names:
            for key, parameter in theirs[number].named_parameters():
                parameter.copy_(torch.from_numpy(ours.parameters[f"{name}.{key}"]))
    optimizer, other = Adam(0.01), torch.optim.Adam(theirs.parameters(), 0.01)
    rng = np.random.default_rng(0)
    for _ in range(4):
        x, y = rng.standard_normal((7, 1, 8, 8)), rng.integers(0, 5, 7)
        step = training_step(ours, x, y, optimizer)
        other.zero_grad()
        scores = theirs(torch.from_numpy(x))
        loss = torch.nn.functional.cross_entropy(scores, torch.from_numpy(y))
        loss.backward()
        other.step()
        np.testing.assert_allclose(step.loss, loss.item(), rtol=1e-9)
        assert step.accuracy == (scores.argmax(1) == torch.from_numpy(y)).double().mean()
    for name, number in names:
        for key, tensor in theirs[number].state_dict().items():
            if key != "num_batches_tracked":
                array = {**ours.parameters, **ours.buffers}[f"{name}.{key}"]
                np.testing.assert_allclose(array, tensor.numpy(), rtol=1e-7, atol=1e-9)


def test_auxiliary_classifiers_count_less():
    network = chain(Conv2d(4, 3), ReLU(), Flatten())
    main = network.add(Linear(10), "flatten1")
    auxiliary = network.add(Linear(10), "flatten1")
    network.set_outputs(main, auxiliary)
    network.initialize(0)
    for name in (main, auxiliary):  # zero scores: each loss is log 10, and gradients differ by their weight alone
        network.parameters[f"{name}.weight"][:] = 0
    x, y = np.random.default_rng(0).standard_normal((6, 1, 8, 8)).astype(np.float32), np.arange(6)
    step = training_step(network, x, y, SGD(0))
    np.testing.assert_allclose(step.loss, 1.3 * np.log(10), rtol=1e-6)
    np.testing.assert_allclose(network.gradients[f"{auxiliary}.weight"], 0.3 * network.gradients[f"{main}.weight"],
                               rtol=1e-5, atol=1e-7)


def test_the_same_seeds_give_the_same_network(few):
    x, y = few[:2]
    found = []
    for seed in (1, 1, 2):
        network = chain(Conv2d(6, 3), BatchNorm2d(), ReLU(), GlobalAvgPool2d(), Flatten(), Dropout(0.2), Linear(10))
        history = train(network, x, y, epochs=2, batch_size=32, optimizer=Momentum(0.1), generator=seed, progress=False)
        found.append((history.batch_losses, network.parameters["conv1.weight"].tobytes()))
    assert found[0] == found[1]
    assert found[0] != found[2]


def test_recomputing_changes_nothing_but_memory(few):
    x, y = few[:2]
    networks = small(), small()
    for network, recompute in zip(networks, (False, True), strict=True):
        train(network, x, y, epochs=1, batch_size=64, optimizer=SGD(0.1), recompute=recompute, progress=False)
    for name, value in networks[0].parameters.items():
        np.testing.assert_array_equal(value, networks[1].parameters[name])


def test_every_sample_is_seen_once_in_each_epoch_in_another_order():
    x = np.zeros((10, 1, 8, 8), np.float32)
    x[:, 0, 0, 0] = np.arange(10)
    seen = []

    class Watched(Network):
        def forward(self, x, **settings):
            seen.append(x[:, 0, 0, 0].astype(int))
            return super().forward(x, **settings)

    network = Watched((1, 8, 8))
    network.add(Flatten())
    network.add(Linear(3))
    history = train(network, x, np.arange(10) % 3, epochs=2, batch_size=4, optimizer=SGD(0), progress=False)
    assert [len(batch) for batch in seen] == [4, 4, 2] * 2
    first, second = np.concatenate(seen[:3]), np.concatenate(seen[3:])
    np.testing.assert_array_equal(np.sort(first), np.arange(10))
    np.testing.assert_array_equal(np.sort(second), np.arange(10))
    assert (first != second).any()
    assert len(history.batch_losses) == 6
    weights = np.array([4, 4, 2]) / 10
    np.testing.assert_allclose(history.losses[0], weights @ history.batch_losses[:3])


def test_the_history_tells_of_every_epoch(few):
    x, y, x_test, y_test = few
    told = []
    network = small()
    history = train(network, x, y, epochs=3, batch_size=64, optimizer=Adam(0.01), validation=(x_test, y_test),
                    callback=told.append, progress=False)
    assert told == list(history.epochs)
    assert [epoch.number for epoch in told] == [1, 2, 3]
    assert history.validation_accuracies[-1] == evaluate(network, x_test, y_test).accuracy
    assert len(history.losses) == len(history.accuracies) == len(history.validation_losses) == len(history.seconds) == 3
    assert all(seconds > 0 for seconds in history.seconds)
    assert not history.interrupted
    assert str(history).count("\n") == 2
    assert "epoch 3: loss" in str(history)


def test_a_callback_can_end_the_training(few):
    history = train(small(), *few[:2], epochs=9, batch_size=64, optimizer=SGD(0.1), progress=False,
                    callback=lambda epoch: epoch.number == 2)
    assert len(history.epochs) == 2


def test_the_schedule_sets_the_rate_of_every_step(few):
    x, y = few[:2]
    asked = []
    train(small(), x[:100], y[:100], epochs=2, batch_size=40, optimizer=SGD(0.1), progress=False,
          schedule=lambda epoch: asked.append(epoch) or 0.0)
    np.testing.assert_allclose(asked, [0, 1 / 3, 2 / 3, 1, 4 / 3, 5 / 3])
    one, other = small(), small()
    train(one, x, y, epochs=2, batch_size=64, optimizer=SGD(0.2), schedule=lambda epoch: 0.5, progress=False)
    history = train(other, x, y, epochs=2, batch_size=64, optimizer=SGD(0.1), progress=False)
    np.testing.assert_array_equal(one.parameters["fc1.weight"], other.parameters["fc1.weight"])
    assert history.epochs[0].learning_rate == 0.1


@pytest.mark.peer
@pytest.mark.parametrize("ours, build", [
    (StepDecay(3, 0.5), lambda lr, o: lr.StepLR(o, 3, 0.5)),
    (ExponentialDecay(0.8), lambda lr, o: lr.ExponentialLR(o, 0.8)),
    (CosineDecay(10, last=0.25), lambda lr, o: lr.CosineAnnealingLR(o, 10, 0.25)),
])
def test_schedules_are_those_of_pytorch_at_whole_epochs(ours, build):
    torch = peer("torch")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    theirs = build(torch.optim.lr_scheduler, optimizer)
    for epoch in range(10):
        np.testing.assert_allclose(ours(epoch), theirs.get_last_lr()[0], rtol=1e-9)
        optimizer.step()
        theirs.step()


def test_a_warm_up_rises_in_a_straight_line():
    schedule = CosineDecay(10, warmup=2)
    assert [schedule(0), schedule(0.5), schedule(2), schedule(6), schedule(10), schedule(12)] == [0, 0.25, 1, 0.5, 0, 0]


@pytest.mark.parametrize("build", [lambda: StepDecay(0), lambda: StepDecay(2, float("nan")), lambda: CosineDecay(-1),
                                   lambda: CosineDecay(3, warmup=3), lambda: ExponentialDecay(0),
                                   lambda: StepDecay("2"), lambda: CosineDecay(3, warmup=None)])
def test_schedules_that_cannot_work_are_refused(build):
    with pytest.raises(ArgumentError):
        build()


def test_an_interruption_keeps_what_was_learned(few, capsys):
    x, y = few[:2]
    network = small()
    before = network.parameters["conv1.weight"].copy()

    def interrupt(epoch):
        if epoch > 1.5:
            raise KeyboardInterrupt
        return 1.0

    history = train(network, x, y, epochs=5, batch_size=100, optimizer=SGD(0.1), schedule=interrupt, progress=False)
    assert history.interrupted
    assert len(history.epochs) == 1
    assert len(history.batch_losses) == 5
    assert str(history).endswith("interrupted")
    assert "interrupted in epoch 2 of 5, after 5 batches" in capsys.readouterr().out
    assert not np.array_equal(network.parameters["conv1.weight"], before)
    assert train(network, x, y, epochs=1, batch_size=100, optimizer=SGD(0.1), progress=False).epochs


def test_the_bar_is_shown_where_somebody_watches(few, capsys, monkeypatch):
    x, y = few[:2]
    for variable in ("FORCE_COLOR", "TTY_COMPATIBLE", "NO_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    train(small(), x, y, epochs=1, batch_size=100, optimizer=SGD(0.1))
    assert capsys.readouterr() == ("", "")
    monkeypatch.setenv("FORCE_COLOR", "1")
    train(small(), x, y, epochs=2, batch_size=100, optimizer=SGD(0.1))
    shown = capsys.readouterr().out
    assert "epoch 2 of 2, loss" in shown
    assert "100 %" in shown
    train(small(), x, y, epochs=2, batch_size=100, optimizer=SGD(0.1), progress=False)
    assert capsys.readouterr() == ("", "")


@pytest.mark.slow
def test_the_bar_works_in_a_notebook(root, tmp_path):
    import nbformat
    from nbclient import NotebookClient

    code = """
from cnncourse import data, zoo
from cnncourse.layers import Flatten, Linear
from cnncourse.network import Network
from cnncourse.training import SGD, train
x, y, _, _ = data.digits()
network = Network((1, 8, 8))
network.add(Flatten())
network.add(Linear(10))
history = train(network, x, y, epochs=3, batch_size=100, optimizer=SGD(0.1))
"""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(root)}}).execute()
    output, = notebook.cells[0].outputs
    assert output.output_type == "display_data"
    assert 'value="45" max="45"' in output.data["text/html"]
    assert "100%, epoch 3 of 3, loss" in output.data["text/html"]


def test_a_loss_that_is_no_number_ends_training_and_says_where(few):
    x, y = few[:2]
    network = chain(Flatten(), Linear(20), Linear(10))
    with pytest.raises(DivergenceError, match=r"in epoch \d+, batch \d of 5; a smaller learning rate may help, 10 for"):
        train(network, x, y, epochs=99, batch_size=64, optimizer=SGD(100), progress=False)
    broken = x.copy()
    broken[7, 0, 0, 0] = np.nan
    with pytest.raises(DivergenceError, match=r"epoch 1, batch \d of 5; x holds values that are infinite or not"):
        train(small(), broken, y, epochs=1, batch_size=64, optimizer=SGD(0.1), progress=False)


def test_a_step_with_an_infinite_loss_changes_no_parameter(few):
    x, y = few[:2]
    network = small()
    before = {name: value.copy() for name, value in network.parameters.items()}
    with pytest.raises(DivergenceError, match="the loss is nan"):
        training_step(network, np.full_like(x, np.nan), y, SGD(0.1))
    for name, value in network.parameters.items():
        np.testing.assert_array_equal(value, before[name])


def test_samples_that_do_not_fit_are_refused(few):
    x, y = few[:2]

    def fails(error, says, x=x, y=y, network=None, **settings):
        arguments = {"epochs": 1, "batch_size": 32, "optimizer": SGD(0.1), "progress": False, **settings}
        with pytest.raises(error, match=says):
            train(network or small(), x, y, **arguments)

    fails(ArgumentError, "with 10 classes labels have to be from 0 to 9; 1 are not, the first one is 10",
          y=np.where(np.arange(300) == 5, 10, y))
    fails(ArgumentError, "the first one is -1", y=np.where(np.arange(300) == 5, -1, y))
    fails(ArgumentError, "whole numbers, an array of float64", y=y.astype(float))
    fails(ShapeError, r"y has shape \(299,\); for 300 samples", y=y[:-1])
    fails(ShapeError, "one class for each", y=np.eye(10, dtype=int)[y])
    fails(ShapeError, r"\(samples, 1, 8, 8\)", x=x[:, 0])
    fails(ShapeError, "at least one sample", x=x[:0], y=y[:0])
    fails(ArrayTypeError, "float32", x=(x * 16).astype(np.uint8))
    fails(ArrayTypeError, "x is float64", x=x.astype(np.float64))
    fails(ArgumentError, "epochs", epochs=0)
    fails(ArgumentError, "batch_size", batch_size=0)
    fails(ArgumentError, "train, validation: .* the first one is 10", validation=(x, y + 2))
    for given in (x, (x,), 3):
        fails(ArgumentError, r"validation has to be a pair \(x, y\)", validation=given)
    fails(ArgumentError, r"such as SGD\(0\.1\); 'sgd' was given", optimizer="sgd")
    fails(ArgumentError, "optimizer has to be an optimizer with its settings", optimizer=SGD)
    fails(ArgumentError, "train: generator has to be .* 'seed' was given", generator="seed")
    fails(ArgumentError, "ends in softmax1, a softmax", network=chain(Flatten(), Linear(10), Softmax()))


def test_predictions_do_not_depend_on_the_batches(few):
    x, y = few[:2]
    network = small()
    expected = network.forward(x).argmax(axis=1)
    for batch_size in (1, 7, 300, 1000):
        np.testing.assert_array_equal(predict(network, x, batch_size=batch_size), expected)
        found = evaluate(network, x, y, batch_size=batch_size)
        np.testing.assert_allclose(found.loss, evaluate(network, x, y).loss, rtol=1e-6)
        assert found.accuracy == pytest.approx(np.mean(expected == y))
    assert predict(network, x[:0]).shape == (0,)
    assert "accuracy" in str(found)


def test_confusions_are_counted_as_in_scikit_learn():
    from sklearn import metrics

    rng = np.random.default_rng(0)
    truth, found = rng.integers(0, 4, 100), rng.integers(0, 5, 100)
    np.testing.assert_array_equal(confusion_matrix(truth, found), metrics.confusion_matrix(truth, found))
    assert confusion_matrix(truth, found, classes=7).shape == (7, 7)
    assert confusion_matrix(np.array([2]), np.array([0])).tolist() == [[0, 0, 0], [0, 0, 0], [1, 0, 0]]
    with pytest.raises(ArgumentError, match="with 3 classes"):
        confusion_matrix(truth, found, classes=3)
    with pytest.raises(ShapeError, match=r"\(100,\) and y_pred \(99,\)"):
        confusion_matrix(truth, found[1:])


def test_whole_networks_pass_the_gradient_check():
    network = chain(Conv2d(3, 3, padding=1), BatchNorm2d(), ReLU(), MaxPool2d(2), Dropout(0.3), Flatten(), Linear(6),
                    Tanh(), Linear(4))
    before = {name: value.copy() for name, value in {**network.parameters, **network.buffers}.items()}
    x = np.random.default_rng(0).standard_normal((3, 1, 8, 8)).astype(np.float32)
    found = check_network(network, x, np.array([0, 3, 1]))
    assert found.passed, str(found)
    assert set(found.checks) == {"input", *network.parameters}
    assert len(str(found).splitlines()) == len(found.checks)
    for name, value in {**network.parameters, **network.buffers}.items():
        np.testing.assert_array_equal(value, before[name])


@dataclass(frozen=True, repr=False)
class Slack(Tanh):
    """A layer whose gradient is a little wrong."""

    def backward(self, grad_out, kept, parameters, wanted, overwrite=False):
        (grad_x,), _ = super().backward(grad_out, kept, parameters, wanted, overwrite)
        return (grad_x * 1.001,), {}


def test_a_wrong_layer_is_noticed_by_all_before_it_and_none_after():
    network = chain(Flatten(), Linear(6), Slack(), Linear(4))
    found = check_network(network, np.random.default_rng(0).standard_normal((3, 1, 8, 8)), np.array([0, 3, 1]))
    assert not found
    assert found.worst in ("input", "fc1.weight", "fc1.bias")
    assert {name for name, check in found.checks.items() if check.passed} == {"fc2.weight", "fc2.bias"}
