"""What the figures on memory show is what the accounting says."""

from __future__ import annotations

import re

import numpy as np
import pytest

from cnncourse import memory, plotting, zoo
from cnncourse.layers import Conv2d, Flatten, Linear, ReLU
from cnncourse.network import Network
from cnncourse.plotting.recomputing import _moments

MIB, GIB = 2**20, 2**30


def mib(text):
    """The amounts with a unit in a text, in MiB."""
    steps = {"GiB": 1024, "MiB": 1, "KiB": 1 / 1024}
    return [float(number) * steps[unit] for number, unit in re.findall(r"([\d.]+) (GiB|MiB|KiB)", text)]


def deep():
    """A chain of equal layers."""
    network = Network((4, 16, 16), "deep")
    for _ in range(16):
        network.add(Conv2d(4, 3, padding=1))
        network.add(ReLU())
    network.add(Flatten())
    network.add(Linear(5))
    return network


def test_copies_of_the_parameters_are_two_three_three_and_four():
    alt = plotting.parameter_copies(2**20).alt
    assert "take 4.0 MiB once" in alt
    assert re.findall(r"(\w+) (\d) times, ([\d.]+) MiB", alt) == [
        ("SGD", "2", "8.0"), ("momentum", "3", "12.0"), ("RMSProp", "3", "12.0"), ("Adam", "4", "16.0")]


@pytest.mark.parametrize("training", [True, False])
def test_bars_by_kind_add_up_to_the_peak(training):
    networks = [zoo.alexnet(), zoo.resnet18()]
    figure = plotting.memory_by_kind(networks, 16, "adam", training)
    for row, network in enumerate(networks):
        bars = [bar for container in figure.axes[0].containers for bar in container
                if bar.get_y() + bar.get_height() / 2 == pytest.approx(row)]
        peak = memory.account(network, 16, optimizer="adam", training=training).peak
        assert sum(bar.get_width() for bar in bars) == pytest.approx(peak / MIB)
        assert network.name in figure.alt
    assert ("inference" in figure.alt) is not training


def test_activations_sit_in_front_and_parameters_at_the_end():
    figure = plotting.memory_by_layer(zoo.vgg16())
    left, right = figure.axes
    assert sum(bar.get_width() for bar in left.patches) == pytest.approx(4 * 15_237_608 / MIB)
    assert sum(bar.get_width() for bar in right.patches) == pytest.approx(4 * 138_357_544 / MIB)
    assert "most in conv1_1 with 12.2 MiB" in figure.alt and "most in fc6 with 392.0 MiB" in figure.alt
    double = plotting.memory_by_layer(zoo.vgg16(), batch_size=2)
    assert "Activations of 2 pictures: 116.3 MiB" in double.alt and "Parameters: 527.8 MiB" in double.alt


def test_batches_at_the_budgets_are_nearly_the_largest():
    network = zoo.resnet18()
    alt = plotting.batch_budget([network], (2, 3), "adam").alt
    found = [int(number) for number in re.search(r"about: ResNet-18 (\d+), (\d+), with", alt).groups()]
    for batch, budget in zip(found, (2, 3), strict=True):
        assert batch == pytest.approx(memory.max_batch_size(network, budget * GIB, optimizer="adam"), rel=0.03)


def test_a_network_too_large_for_a_budget_gets_no_batch():
    assert "VGG-16 0, " in plotting.batch_budget([zoo.vgg16()], (1, 12)).alt


@pytest.mark.parametrize(("training", "recompute"), [(False, False), (True, False), (True, True)])
def test_every_moment_is_told_and_the_highest_is_the_peak_of_the_account(training, recompute):
    diary = _moments(deep(), 64, training, recompute)
    account = memory.account(deep(), 64, optimizer="momentum", training=training, recompute=recompute)
    totals = [sum(kinds.values()) for _, kinds in diary.moments]
    assert max(totals) == account.peak
    assert diary.moments[int(np.argmax(totals))][0] == account.moment
    assert len(diary.moments) == len(deep().nodes) if not training else len(diary.moments) > 2 * len(deep().nodes)


def test_the_timeline_says_that_recomputing_takes_less_and_inference_least():
    inference, training, again = mib(plotting.memory_timeline(deep(), 256).alt)
    assert inference < again < 0.7 * training


def test_predictions_are_compared_with_what_was_measured():
    alt = plotting.predicted_and_measured((8, 16), (10 * MIB, 21 * MIB), (10 * MIB, 20 * MIB)).alt
    assert "predicted 10.0 MiB, 21.0 MiB; measured 10.0 MiB, 20.0 MiB." in alt
    assert alt.endswith("largest difference is 5.0%.")


def test_segments_tell_what_is_kept_and_what_is_computed_again():
    figure = plotting.segments((9, 6, 6, 3, 4, 4, 2, 3, 3, 1), 3)
    assert figure.alt.endswith("Kept: 15; sums of what lies between: 12, 8, 6, 0; together 27 of 41.")
    hatched = [bar for bar in figure.axes[0].patches if bar.get_hatch()]
    assert [bar.get_height() for bar in hatched] == [6, 6]


@pytest.mark.parametrize("count", [16, 36, 100])
def test_for_equal_sizes_the_best_length_is_the_root(count):
    root = int(count**0.5)
    figure = plotting.segment_lengths((1,) * count)
    assert f"least with length {root}, {2 * root - 1}: {root} kept and {root - 1}" in figure.alt
