"""Fully connected layers as convolutions and back, and classifiers that slide over larger pictures."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnncourse import functional as F
from cnncourse import zoo
from cnncourse.convert import (
    crops,
    evaluation_cost,
    padded_nodes,
    padding_effect,
    sliding_scores,
    to_convolution,
    to_convolutional,
    to_fully_connected,
    total_stride,
)
from cnncourse.errors import ArgumentError, ArrayTypeError, GeometryError, ShapeError
from cnncourse.layers import (
    Add,
    AvgPool2d,
    BatchNorm2d,
    Concatenate,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    Linear,
    LocallyConnected2d,
    LocalResponseNorm,
    LpPool2d,
    MaxPool2d,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
)
from cnncourse.network import Network
from cnncourse.pattern import parse
from tests import naive
from tests.cnncourse.networks import prepare
from tests.cnncourse.randomly import assert_near, convolutions, many


def chain(input_shape, *layers):
    network = Network(input_shape)
    for layer in layers:
        network.add(layer)
    return network


# One layer.


@pytest.mark.parametrize("shape", [(512, 7, 7), (3, 4, 6), (10, 1, 1)])
def test_a_fully_connected_layer_is_a_convolution_with_the_same_memory_in_another_shape(shape):
    rng = np.random.default_rng(0)
    weight, bias = rng.standard_normal((6, int(np.prod(shape)))), rng.standard_normal(6)
    x = rng.standard_normal((2, *shape))
    converted = to_convolution(Linear(6), shape, weight, bias)
    assert converted.weight.shape == (6, *shape)
    assert converted.weight.base is weight and converted.bias is bias
    assert converted.layer.output_shape(shape) == converted.output_shape == (6, 1, 1)
    assert converted.layer.multiply_adds(shape) == Linear(6).multiply_adds((weight.shape[1],))
    expected = F.linear(x.reshape(2, -1), weight, bias)
    settings = {"stride": converted.layer.stride, "padding": converted.layer.padding}
    assert_near(F.conv2d(x, converted.weight, converted.bias, **settings)[:, :, 0, 0], expected)


def test_the_numbers_of_the_note_weights_before_and_after_are_as_many():
    layer = Linear(4096)
    weight = np.broadcast_to(np.float32(0), (4096, 25088))  # without memory
    converted = to_convolution(layer, (512, 7, 7), weight, np.zeros(4096, np.float32))
    assert weight.size == converted.weight.size == 102_760_448
    assert converted.layer == Conv2d(4096, 7)


def test_there_and_back_is_the_same_memory():
    weight = np.arange(5 * 24, dtype=np.float32).reshape(5, 24)
    there = to_convolution(Linear(5, bias=False), (2, 3, 4), weight)
    assert there.layer == Conv2d(5, (3, 4), bias=False)
    back = to_fully_connected(there.layer, (2, 3, 4), there.weight)
    assert back.layer == Linear(5, bias=False)
    assert back.weight.shape == weight.shape and np.shares_memory(back.weight, weight)
    np.testing.assert_array_equal(back.weight, weight)
    assert back.bias is None


@many
@given(convolutions(dtypes=(np.float64,)))
def test_a_convolution_is_a_matrix_exactly(case):
    # Whole numbers are added without rounding, in whatever order.
    x, weight, bias = (np.round(4 * array) for array in (case.x, case.weight, case.bias))
    layer = Conv2d(len(weight), weight.shape[2:], **case.given)
    converted = to_fully_connected(layer, x.shape[1:], weight, bias)
    found = F.linear(x.reshape(len(x), converted.weight.shape[1]), converted.weight, converted.bias)
    settings = (case.sliding.stride, case.sliding.padding, case.sliding.dilation, case.groups)
    expected = naive.conv2d(x, weight, bias, *settings)
    assert converted.output_shape == expected.shape[1:]
    assert converted.layer == Linear(len(converted.weight))
    np.testing.assert_array_equal(found, expected.reshape(found.shape))


def test_a_convolutions_matrix_holds_each_weight_at_every_position_and_zeros():
    layer = Conv2d(2, 3, stride=2, padding=1, bias=False)
    weight = np.arange(1.0, 2 * 3 * 9 + 1).reshape(2, 3, 3, 3)
    matrix = to_fully_connected(layer, (3, 6, 7), weight).weight
    assert matrix.shape == (2 * 3 * 4, 3 * 6 * 7)
    values, counts = np.unique(matrix[matrix != 0], return_counts=True)
    np.testing.assert_array_equal(values, weight.ravel())
    # A tap is used at each of the 3 x 4 positions, but for those where it lies in the padding: above for the first row
    # of taps, left for the first column and right for the last.
    used = counts.reshape(weight.shape)
    np.testing.assert_array_equal(used[1, 2], [[2 * 3, 2 * 4, 2 * 3], [3 * 3, 3 * 4, 3 * 3], [3 * 3, 3 * 4, 3 * 3]])


def test_a_partly_connected_convolution_is_a_matrix_too():
    layer = Conv2d(3, 2, connections=((0, 2), (1,), (2, 0, 1)))
    x = np.round(3 * np.random.default_rng(0).standard_normal((2, 3, 4, 5)))
    weight = np.arange(6.0 * 4).reshape(6, 2, 2)
    bias = np.array([1.0, 2.0, 3.0])
    converted = to_fully_connected(layer, (3, 4, 5), weight, bias)
    network = chain((3, 4, 5), layer)
    network.parameters = {"conv1.weight": weight, "conv1.bias": bias}
    np.testing.assert_array_equal(F.linear(x.reshape(2, -1), converted.weight, converted.bias),
                                  network.forward(x).reshape(2, -1))


def test_a_window_over_the_whole_input_is_copied_only_where_zeros_have_to_come_in():
    weight = np.arange(1.0, 9).reshape(2, 1, 2, 2)
    assert np.shares_memory(to_fully_connected(Conv2d(2, 2, bias=False), (1, 2, 2), weight).weight, weight)
    grouped = to_fully_connected(Conv2d(2, 2, groups=2, bias=False), (2, 2, 2), weight)
    np.testing.assert_array_equal(grouped.weight, [[1, 2, 3, 4, 0, 0, 0, 0], [0, 0, 0, 0, 5, 6, 7, 8]])
    strided = to_fully_connected(Conv2d(2, 2, stride=5, padding=((1, 0), (1, 0)), bias=False), (1, 2, 2), weight)
    np.testing.assert_array_equal(strided.weight, [[4, 0, 0, 0], [8, 0, 0, 0]])


REFUSALS = [
    (lambda: to_fully_connected(Conv2d(96, 11, 4), (3, 227, 227), np.zeros((96, 3, 11, 11), np.float32),
                                np.zeros(96, np.float32)),
     ArgumentError, "290,400 x 154,587 entries and take 171,250 MiB, for 34,848 different weights; max_bytes allows 1"),
    (lambda: to_fully_connected(Conv2d(1, 3), (1, 8, 8), np.zeros((1, 1, 3, 3)), np.zeros(1), max_bytes=18_431),
     ArgumentError, "36 x 64 entries"),
    (lambda: to_fully_connected(Conv2d(1, 3), (1, 8, 8), np.zeros((1, 1, 3, 3), int), np.zeros(1)),
     ArrayTypeError, "weight has to be an array of float32 or float64"),
    (lambda: to_convolution(Linear(2), (1, 2, 2), [[0.0] * 4] * 2), ArrayTypeError, "a list was given"),
    (lambda: to_convolution(Linear(2), (1, 2, 2), np.zeros((2, 4)), np.zeros(2, np.float32)), ArrayTypeError, "bias"),
    (lambda: to_fully_connected(Conv2d(2, 3), (1, 8, 8), np.zeros((2, 1, 3, 2)), np.zeros(2)),
     ShapeError, "weight has shape (2, 1, 3, 2), Conv2d(2, 3) on this input needs (2, 1, 3, 3)"),
    (lambda: to_fully_connected(Conv2d(2, 3), (1, 8, 8), np.zeros((2, 1, 3, 3))), ShapeError, "has a bias, none was"),
    (lambda: to_convolution(Linear(2, False), (1, 2, 2), np.zeros((2, 4)), np.zeros(2)), ShapeError, "has no bias, on"),
    (lambda: to_convolution(Linear(2), (1, 2, 2), np.zeros((2, 4)), np.zeros(3)), ShapeError, "bias has shape (3,)"),
    (lambda: to_convolution(Linear(2), (1, 2, 3), np.zeros((2, 4)), np.zeros(2)), ShapeError, "needs (2, 6)"),
    (lambda: to_convolution(Linear(2), (4,), np.zeros((2, 4)), np.zeros(2)), ShapeError, "feature maps"),
    (lambda: to_convolutional(chain((7,), Linear(3))), ArgumentError, "network takes vectors of 7 features"),
    (lambda: to_convolutional(zoo.lenet5(), (3, 40, 40)), ShapeError, "input_shape has to be (1, height, width)"),
    (lambda: to_convolutional(zoo.lenet5(), (1, 30, 40)), GeometryError, "fc1 after pool2 (16, 4, 7)"),
    (lambda: to_convolutional(zoo.lenet5("partial")), ArgumentError, "rbf1, RadialBasis, reads vectors"),
    (lambda: to_convolutional(chain((2, 3, 3), Flatten(), Softmax())), ArgumentError, "softmax1, Softmax, reads"),
    (lambda: to_convolutional(chain((2, 9, 9), LocallyConnected2d(3, 3)), (2, 12, 12)), ArgumentError,
     "local1 is locally connected; it has learned filters for each position of 9 x 9 inputs"),
    (lambda: crops(np.zeros((1, 1, 8, 8)), 9, 1), GeometryError, "crops of 9 x 9 do not fit into pictures of 8 x 8"),
    (lambda: crops(np.zeros((1, 1, 8, 8)), 4, 0), ArgumentError, "crops: stride"),
    (lambda: padding_effect(chain((2, 6, 6), Conv2d(3, 3)), np.zeros((1, 2, 8, 8), np.float32)), ArgumentError,
     "network gives maps of (3, 4, 4)"),
    (lambda: sliding_scores(zoo.lenet5(), np.zeros((1, 1, 31, 40), np.float32)), GeometryError, "fc1 after"),
]


@pytest.mark.parametrize(("call", "kind", "words"), REFUSALS)
def test_a_refusal_says_which_rule_is_broken(call, kind, words):
    with pytest.raises(kind, match=re.escape(words)):
        call()


def test_a_matrix_may_be_just_as_large_as_it_is_allowed_to_be():
    found = to_fully_connected(Conv2d(1, 3), (1, 8, 8), np.ones((1, 1, 3, 3)), np.zeros(1), max_bytes=36 * 64 * 8)
    assert found.weight.nbytes == 36 * 64 * 8


# Whole networks.


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("name", "options"), [
    ("lenet5", {}), ("alexnet", {"input_size": 99}), ("zfnet", {"input_size": 99}), ("vgg11", {"input_size": 64}),
    ("googlenet", {"input_size": 64}), ("resnet18", {"input_size": 64}), ("all_convolutional", {}),
])
def test_a_converted_network_gives_the_same_scores_with_the_same_memory(name, options):
    network = getattr(zoo, name)(**options, num_classes=7)
    x = prepare(network, dtype=np.float32, batch_size=2)
    converted = to_convolutional(network)
    assert converted.output_shape == (7, 1, 1)
    assert_near(converted.forward(x)[:, :, 0, 0], network.forward(x))
    assert converted.parameters.keys() == network.parameters.keys() == converted.parameter_shapes.keys()
    assert all(np.shares_memory(value, network.parameters[key]) for key, value in converted.parameters.items())
    assert all(value is network.buffers[key] for key, value in converted.buffers.items())
    assert not any(isinstance(node.layer, (Linear, Flatten, GlobalAvgPool2d)) for node in converted.nodes)
    assert converted.parameter_count() == network.parameter_count()
    assert converted.multiply_adds() == network.multiply_adds()


def test_converting_allocates_nothing_where_there_are_no_weights_yet():
    converted = to_convolutional(zoo.vgg16(), (3, 384, 384))
    assert converted.parameters == {}
    assert converted.shape_of("pool5") == (512, 12, 12)
    assert [converted.shape_of(name) for name in ("fc6", "fc7", "fc8")] == [(4096, 6, 6), (4096, 6, 6), (1000, 6, 6)]
    assert converted.node("fc6").layer == Conv2d(4096, 7)
    assert converted.node("fc7").layer == Conv2d(4096, 1)


def test_auxiliary_classifiers_are_converted_too():
    network = zoo.googlenet(auxiliary=True, input_size=96, num_classes=3)
    converted = to_convolutional(network, (3, 128, 160))
    assert converted.outputs == ("fc", "auxiliary1_fc2", "auxiliary2_fc2")
    assert converted.output_shape == (3, 2, 3)
    assert evaluation_cost(network, 96).sliding == zoo.googlenet(input_size=96, num_classes=3).multiply_adds()


def test_vectors_that_branch_and_meet_are_converted():
    network = Network((2, 4, 5))
    network.add(Conv2d(3, 2))
    flat = network.add(Flatten())
    one = network.add(Linear(4), flat)
    other = network.add(Linear(4), flat)
    summed = network.add(Add(), one, network.add(Sigmoid(), other))
    joined = network.add(Concatenate(), summed, one, other)
    network.add(Flatten(), joined)
    network.add(Linear(3))
    network.add(Softmax())
    whole = network.add(Concatenate(), flat, flat)
    network.add(Linear(2), whole)
    network.set_outputs("softmax1", "fc4")
    x = prepare(network, batch_size=3)
    converted = to_convolutional(network)
    assert converted.outputs == network.outputs
    wanted = network.activations(x, network.outputs)
    for name, found in converted.activations(x, network.outputs).items():
        assert_near(found[:, :, 0, 0], wanted[name])


def test_training_the_one_trains_the_other():
    network = chain((1, 6, 6), Conv2d(2, 3), ReLU(), Flatten(), Linear(3))
    x = prepare(network)
    converted = to_convolutional(network)
    before = converted.forward(x)
    for value in network.parameters.values():
        value *= 2
    assert_near(converted.forward(x)[:, :, 0, 0], network.forward(x))
    assert np.abs(converted.forward(x) - before).max() > 0.1


# Larger pictures.


def test_crops_are_views_from_the_top_left_corner_on():
    x = np.arange(2 * 3 * 10 * 13, dtype=np.float32).reshape(2, 3, 10, 13)
    found = crops(x, (4, 5), (3, 4))
    assert found.shape == (2, 3, 3, 3, 4, 5)
    assert np.shares_memory(found, x) and not found.flags.writeable
    for row, column in np.ndindex(3, 3):
        top, left = 3 * row, 4 * column
        np.testing.assert_array_equal(found[:, row, column], x[:, :, top:top + 4, left:left + 5])


def test_lenet_pads_nothing_and_slides_exactly():
    network = zoo.lenet5()
    prepare(network, dtype=np.float32)
    x = np.random.default_rng(3).standard_normal((2, 1, 50, 43)).astype(np.float32)
    assert padded_nodes(network) == ()
    assert total_stride(network) == (4, 4)
    found = sliding_scores(network, x)
    assert found.shape == (2, 10, 5, 3)
    for row, column in np.ndindex(5, 3):
        piece = x[:, :, 4 * row:4 * row + 32, 4 * column:4 * column + 32]
        assert_near(found[:, :, row, column], network.forward(piece))


@st.composite
def unpadded(draw):
    """A classifier that pads nothing, and by how much the picture is larger."""
    network = Network((draw(st.integers(1, 2)), draw(st.integers(7, 14)), draw(st.integers(7, 14))))
    pair = st.tuples(st.integers(1, 3), st.integers(1, 3))
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(("conv", "max", "average", "norm", "other", "block")))
        kernel, stride, dilation = draw(pair), draw(st.tuples(st.integers(1, 2), st.integers(1, 2))), draw(pair)
        size = network.output_shape[1:]
        if any(d * (k - 1) + 1 > n for d, k, n in zip(dilation, kernel, size, strict=True)):
            kernel, dilation = (1, 1), (1, 1)
        if kind == "conv":
            network.add(Conv2d(draw(st.integers(1, 3)), kernel, stride, dilation=dilation))
            network.add(draw(st.sampled_from((ReLU(), Tanh()))))
        elif kind == "max":
            network.add(MaxPool2d(kernel, stride, dilation=dilation))
        elif kind == "average":
            # Rounding up changes nothing where the strides divide evenly.
            even = all((n - k) % s == 0 for n, k, s in zip(size, kernel, stride, strict=True))
            ceil_mode = even and draw(st.booleans())
            network.add(draw(st.sampled_from((AvgPool2d(kernel, stride, ceil_mode=ceil_mode), LpPool2d(2, kernel)))))
        elif kind == "norm":
            network.add(draw(st.sampled_from((BatchNorm2d(), LocalResponseNorm(3, alpha=0.5)))))
        elif kind == "block" and network.nodes:
            before = network.outputs[0]
            around = network.add(Conv2d(network.output_shape[0], 1), before)
            network.add(Add(), around, before)
        else:
            network.add(draw(st.sampled_from((Dropout(), ReLU()))))
    if draw(st.booleans()):
        network.add(GlobalAvgPool2d())
    for layer in (Flatten(), Linear(3), *draw(st.sampled_from(((), (ReLU(), Linear(4)), (Softmax(),))))):
        network.add(layer)
    return network, (draw(st.integers(0, 9)), draw(st.integers(0, 9)))


@many
@given(unpadded(), st.integers(0, 1000))
def test_what_pads_nothing_slides_exactly(case, seed):
    network, more = case
    prepare(network, seed)
    size = tuple(length + extra for length, extra in zip(network.input_shape[1:], more, strict=True))
    x = np.random.default_rng(seed).standard_normal((2, network.input_shape[0], *size))
    effect = padding_effect(network, x)
    assert effect.padded == ()
    rows, columns = effect.cost.positions
    assert effect.crops.shape == (2, network.output_shape[0], rows, columns)
    down, right = total_stride(network)
    assert (rows, columns) == (more[0] // down + 1, more[1] // right + 1)
    assert_near(effect.sliding, effect.crops)
    last = x[:, :, (rows - 1) * down:, (columns - 1) * right:][:, :, :network.input_shape[1], :network.input_shape[2]]
    np.testing.assert_array_equal(effect.crops[:, :, -1, -1], network.forward(last))


@pytest.mark.parametrize(("layers", "padded"), [
    ((Conv2d(2, 3),), ()),
    ((Conv2d(2, 3, padding=1), Conv2d(2, 3)), ("conv1",)),
    ((Conv2d(2, 3, padding=((0, 0), (0, 1))),), ("conv1",)),
    ((Conv2d(2, 3, padding="same"),), ("conv1",)),
    ((Conv2d(2, 1, padding="same"),), ()),
    ((Conv2d(2, 3, padding="valid"), MaxPool2d(2)), ()),
    ((MaxPool2d(2, ceil_mode=True),), ("pool1",)),  # 9 rows: the fifth window hangs over
    ((MaxPool2d(3, 2, ceil_mode=True), AvgPool2d(2, 1, 1)), ("pool2",)),
    ((LpPool2d(2, 3, 3, ceil_mode=True), ReLU()), ()),
])
def test_padding_is_found_where_it_is(layers, padded):
    assert padded_nodes(chain((3, 9, 9), *layers)) == padded


def test_padding_makes_a_difference_that_shrinks_towards_the_middle_of_shallow_networks():
    # With one padded convolution only the crop's border sees zeros where the picture has inputs. The mean over the maps
    # then differs a little; without padding it does not.
    for padding in (0, 1):
        network = chain((2, 12, 12), Conv2d(4, 3, padding=padding), ReLU(), GlobalAvgPool2d(), Flatten(), Linear(5))
        prepare(network)
        x = np.random.default_rng(1).standard_normal((3, 2, 20, 17))
        effect = padding_effect(network, x)
        assert effect.by_position.shape == effect.cost.positions == (9, 6)
        np.testing.assert_array_equal(effect.difference, effect.sliding - effect.crops)
        worst = np.abs(effect.difference).max() / np.abs(effect.crops).max()
        assert effect.by_position.max() == pytest.approx(worst)
        if padding:
            assert effect.padded == ("conv1",)
            assert effect.by_position.min() > 1e-3
            assert 0 < effect.agreement < 1
        else:
            assert effect.padded == ()
            assert effect.by_position.max() < 1e-13
            assert effect.agreement == 1
            assert effect.cost.ratio > 5


def test_a_picture_of_the_networks_own_size_shows_no_effect_of_padding():
    network = parse("INPUT(3, 8, 8) -> [CONV(4) -> RELU -> POOL]*2 -> FC(5)")
    x = prepare(network)
    effect = padding_effect(network, x)
    assert effect.padded == ("conv1", "conv2")
    assert effect.cost.positions == (1, 1)
    assert effect.cost.ratio == 1
    assert_near(effect.sliding, effect.crops)


def test_the_cost_of_vgg_on_384_is_eleven_times_less_than_that_of_36_crops():
    cost = evaluation_cost(zoo.vgg16(), 384)
    assert cost.positions == (6, 6)
    convolutions_of_a_crop = 15_470_264_320 - 123_633_664
    assert cost.sliding == convolutions_of_a_crop * 384**2 // 224**2 + 36 * 123_633_664 == 49_551_114_240
    assert cost.crops == 36 * 15_470_264_320
    assert cost.ratio == pytest.approx(11.2395, abs=1e-4)


@pytest.mark.parametrize(("name", "stride"), [
    ("lenet5", 4), ("alexnet", 32), ("zfnet", 32), ("googlenet", 32), ("vgg16", 32), ("resnet50", 32),
    ("all_convolutional", 4),
])
def test_total_strides(name, stride):
    assert total_stride(getattr(zoo, name)()) == (stride, stride)


def test_strides_of_two_axes_and_branches():
    network = chain((1, 20, 20), Conv2d(1, 3, (2, 1)), MaxPool2d((1, 3)), ReLU(), Flatten(), Linear(2))
    assert total_stride(network) == (2, 3)
    network = Network((1, 5, 5))
    one = network.add(Conv2d(1, 3, 2), "input")
    other = network.add(Conv2d(1, 4), "input")
    network.add(Add(), one, other)
    with pytest.raises(ArgumentError, match=re.escape("meet in add1 have total strides of (1, 1) and (2, 2)")):
        total_stride(network)


@pytest.mark.slow
def test_vgg_on_384_differs_from_its_crops_at_every_position():
    network = zoo.vgg16()
    network.initialize(0)
    x = np.random.default_rng(0).standard_normal((1, 3, 384, 384)).astype(np.float32)
    effect = padding_effect(network, x)
    assert effect.sliding.shape == effect.crops.shape == (1, 1000, 6, 6)
    assert len(effect.padded) == 13
    # Far beyond rounding, which is below 1e-5, everywhere.
    assert effect.by_position.min() > 1e-3
