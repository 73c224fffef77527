"""Networks as graphs: names, shapes, counts, tables; no weights needed."""

from __future__ import annotations

import time
import tracemalloc
from html.parser import HTMLParser

import numpy as np
import pytest

from cnncourse.errors import ArgumentError, GeometryError, ShapeError
from cnncourse.layers import (
    Add,
    BatchNorm2d,
    Conv2d,
    Flatten,
    Identity,
    Linear,
    MaxPool2d,
    ReLU,
    Tanh,
)
from cnncourse.network import Network
from cnncourse.network.schedule import training
from tests.cnncourse.networks import inception, lenet, residual


def vgg16():
    """Configuration D of Simonyan and Zisserman."""
    network = Network((3, 224, 224), "VGG-16")
    for filters, times in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(times):
            network.add(Conv2d(filters, 3, padding=1))
            network.add(ReLU())
        network.add(MaxPool2d(2))
    network.add(Flatten())
    for features in (4096, 4096):
        network.add(Linear(features))
        network.add(ReLU())
    network.add(Linear(1000))
    return network


def test_published_counts():
    """Figures of LeNet with a full C3 table and of VGG-16."""
    network = lenet()
    assert (network.parameter_count(), network.multiply_adds(), network.activation_count()) == (61_706, 416_520, 9_118)
    network = vgg16()
    assert network.parameter_count() == 138_357_544
    assert network.multiply_adds() == 15_470_264_320
    assert network.activation_count() == 15_237_608


def test_a_network_is_known_before_it_has_weights():
    tracemalloc.start()
    start = time.process_time()
    network = vgg16()
    count, text = network.parameter_count(), str(network.summary())
    elapsed, peak = time.process_time() - start, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 138_357_544 and f"{count:,}" in text
    assert network.parameters == {}
    assert peak < 2**20
    assert elapsed < 0.5


def test_names_count_the_layers_of_a_kind():
    network = Network((1, 8, 8))
    names = [network.add(layer) for layer in (Conv2d(2, 3), ReLU(), Conv2d(2, 3), ReLU(), Flatten(), Linear(3))]
    assert names == ["conv1", "relu1", "conv2", "relu2", "flatten1", "fc1"]
    assert [node.name for node in network.nodes] == names
    network.add(Linear(3), name="fc3")
    assert network.add(Linear(3)) == "fc4"


def test_a_node_reads_the_one_before_it_unless_told_otherwise():
    network = Network((4,))
    assert network.outputs == ("input",)
    first = network.add(Linear(3), name="first")
    network.add(Linear(3), "input", name="second")
    network.add(Add(), first, "second")
    assert [node.inputs for node in network.nodes] == [("input",), ("input",), ("first", "second")]
    assert network.node("add1").input_shapes == ((3,), (3,))
    assert network.outputs == ("add1",)
    assert network.shape_of("input") == (4,)
    assert network.output_shape == (3,)


def test_errors_of_shape_name_the_node_its_input_and_the_rule():
    network = lenet()
    before = network.nodes
    with pytest.raises(ShapeError, match=r"^conv3 after fc3 \(10,\): Conv2d takes .* the input has shape \(10,\)$"):
        network.add(Conv2d(3, 3))
    with pytest.raises(GeometryError, match=r"^deep after pool2 \(16, 5, 5\): .*window of 6 does not fit into 5"):
        network.add(Conv2d(3, 6), "pool2", name="deep")
    with pytest.raises(ShapeError, match=r"^add1 after pool1 \(6, 14, 14\), pool2 \(16, 5, 5\): "):
        network.add(Add(), "pool1", "pool2")
    assert network.nodes == before, "a node that was refused left something behind"


def test_names_that_do_not_exist_or_cannot_be_given():
    network = lenet()
    with pytest.raises(ArgumentError, match=r"LeNet has no node 'pol2'; did you mean pool2"):
        network.add(ReLU(), "pol2")
    with pytest.raises(ArgumentError, match=r"has no node 'zzz'; there are input, conv1, relu1"):
        network.shape_of("zzz")
    with pytest.raises(ArgumentError, match=r"there is a node of this name already: 'fc1'"):
        network.add(ReLU(), name="fc1")
    for name in ("input", "", "a.b"):
        with pytest.raises(ArgumentError, match="without dots"):
            network.add(ReLU(), name=name)
    with pytest.raises(ArgumentError, match="add takes a layer"):
        network.add(ReLU)
    with pytest.raises(ArgumentError, match="no node"):
        network.set_outputs("fc3", "fc4")
    with pytest.raises(ArgumentError, match="each named once"):
        network.set_outputs("fc3", "fc3")
    for inputs, name in ((["conv1"], "relu"), (1, "relu"), ("input", 3)):
        with pytest.raises(ArgumentError, match="add takes the names of nodes"):
            network.add(ReLU(), inputs, name=name)


@pytest.mark.parametrize("shape", [(), (3, 0, 4), (1.5, 2, 2), 7, ("a",), (True, 2, 2)])
def test_an_input_shape_that_cannot_be(shape):
    with pytest.raises(ArgumentError, match="whole numbers of at least 1"):
        Network(shape)


def test_initial_weights_follow_he_where_a_relu_comes_next_and_lecun_elsewhere():
    network = Network((64, 12, 12))
    for layer in (Conv2d(128, 3, groups=2), BatchNorm2d(), ReLU(), Conv2d(200, 3), Tanh(), Flatten(), Linear(100)):
        network.add(layer)
    network.initialize(3)
    inputs = {"conv1": 32 * 9, "conv2": 128 * 9, "fc1": 200 * 64}
    for name, gain in (("conv1", 2), ("conv2", 1), ("fc1", 1)):
        weight = network.parameters[f"{name}.weight"].astype(np.float64)
        assert weight.var() * inputs[name] == pytest.approx(gain, rel=0.03)
        assert abs(weight.mean()) < 4 * weight.std() / weight.size**0.5
        assert not network.parameters[f"{name}.bias"].any()
    np.testing.assert_array_equal(network.parameters["bn1.weight"], 1)
    np.testing.assert_array_equal(network.buffers["bn1.running_var"], 1)
    np.testing.assert_array_equal(network.buffers["bn1.running_mean"], 0)


def test_a_residual_branch_counts_as_followed_by_the_relu_after_the_addition():
    network = residual()
    network.initialize(0)
    weight = network.parameters["conv5.weight"]
    assert weight.var() * 6 * 9 == pytest.approx(2, rel=0.3)


def test_the_same_seed_gives_the_same_weights_and_names_as_shapes_say():
    first, second, other = inception(), inception(), inception()
    first.initialize(7)
    second.initialize(np.random.default_rng(7))
    other.initialize(8)
    assert {name: value.shape for name, value in first.parameters.items()} == first.parameter_shapes
    for name, value in first.parameters.items():
        np.testing.assert_array_equal(value, second.parameters[name])
        assert value.dtype == np.float32
    assert (first.parameters["conv1.weight"] != other.parameters["conv1.weight"]).any()
    first.initialize(7, np.float64)
    assert all(value.dtype == np.float64 for value in first.parameters.values())
    with pytest.raises(TypeError, match="float32 or float64, float16"):
        first.initialize(0, np.float16)


def test_a_summary_lists_every_node_and_adds_up():
    network = residual()
    summary = network.summary()
    text = str(summary)
    lines = text.splitlines()
    assert lines[0] == "residual"
    assert len({len(line) for line in lines if line.startswith("-")}) == 1
    assert [line.split()[0] for line in lines if line[0] != "-"][1:] == [
        "node", "input", *(node.name for node in network.nodes), "total"]
    assert summary.total.parameters == network.parameter_count()
    assert summary.total.multiply_adds == network.multiply_adds()
    assert summary.total.activation_bytes == 4 * network.activation_count()
    assert f"{network.parameter_count():,}" in lines[-1]
    assert "Conv2d(6, 3, stride=2, padding=1, bias=False)" in text
    assert any(line.startswith("add1") and "bn3, bn4" in line for line in lines), "an addition says what it reads"


def test_a_summary_in_a_notebook_is_a_table_with_everything_escaped():
    class Cells(HTMLParser):
        def __init__(self):
            super().__init__()
            self.open, self.text = [], []

        def handle_starttag(self, tag, attrs):
            self.open.append(tag)

        def handle_endtag(self, tag):
            assert self.open.pop() == tag

        def handle_data(self, data):
            self.text.append(data)

    network = Network((4,), "a <b> & c")
    network.add(Linear(3), name="<i>")
    network.add(Identity())
    cells = Cells()
    cells.feed(network.summary()._repr_html_())
    assert cells.open == []
    assert "a <b> & c" in cells.text
    assert "<i>" in cells.text
    assert cells.text.count("15") == 2, "the layer's parameters and the total"


def test_a_network_shows_itself_in_a_line():
    assert repr(lenet()) == "<Network LeNet: 12 layers, (1, 32, 32) to (10,), 61,706 parameters>"


def test_nodes_of_a_further_output_do_not_stand_in_the_way_of_cuts():
    """A head that was added last still takes its place after the layer that it branches from."""
    network = Network((2, 8, 8))
    for _ in range(12):
        network.add(Conv2d(4, 3, padding=1))
        network.add(Tanh())
    network.add(Flatten())
    main = network.add(Linear(3))
    network.add(Flatten(), "tanh3")
    network.set_outputs(main, network.add(Linear(3)))
    segments = training(network, True).segments
    assert len(segments) > 2
    assert [name for segment in segments for name in segment.names if name == "fc2"] == ["fc2"]
    assert any("fc2" in segment.names and "tanh3" in segment.names for segment in segments[:-1])
