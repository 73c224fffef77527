"""The zoo: every figure that is published, and the details by which one network differs from another."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from cnncourse import functional as F
from cnncourse import zoo
from cnncourse.errors import ArgumentError, GeometryError, ShapeError
from cnncourse.layers import (
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    Kept,
    Linear,
    LocalResponseNorm,
    MaxPool2d,
    Mode,
    RadialBasis,
    ReLU,
    TrainableAvgPool2d,
)
from tests.cnncourse.networks import as_list, prepare

PUBLISHED = [  # network, options, parameters, multiply-adds, activations
    ("lenet5", {}, 61_706, 416_520, 9_118),
    ("lenet5", {"connections": "partial"}, 60_000, 326_520, 9_118),
    ("alexnet", {}, 60_965_224, 724_406_816, 936_323),
    ("alexnet", {"groups": 1}, 62_378_344, 1_135_256_096, 936_323),
    ("alexnet", {"variant": "2014"}, 61_100_840, 714_188_480, 733_032),
    ("zfnet", {}, 62_357_608, 1_168_032_896, 2_010_312),
    ("googlenet", {}, 6_998_552, 1_582_671_872, 4_796_184),
    ("googlenet", {"auxiliary": True}, 13_378_280, 1_591_044_096, 4_820_968),
    ("vgg11", {}, 132_863_336, 7_609_090_048, 9_116_136),
    ("vgg13", {}, 133_047_848, 11_308_466_176, 13_933_032),
    ("vgg16", {}, 138_357_544, 15_470_264_320, 15_237_608),
    ("vgg19", {}, 143_667_240, 19_632_062_464, 16_542_184),
    ("resnet18", {}, 11_689_512, 1_814_073_344, 2_836_456),
    ("resnet34", {}, 21_797_672, 3_663_761_408, 4_090_856),
    ("resnet50", {}, 25_557_032, 3_857_973_248, 10_941_416),
    ("resnet50", {"version": "v1.5"}, 25_557_032, 4_089_184_256, 11_468_264),
    ("resnet101", {}, 44_549_160, 7_570_194_432, 16_059_368),
    ("resnet101", {"version": "v1.5"}, 44_549_160, 7_801_405_440, 16_586_216),
    ("resnet152", {}, 60_192_808, 11_282_415_616, 22_381_544),
    ("resnet152", {"version": "v1.5"}, 60_192_808, 11_513_626_624, 22_908_392),
    ("all_convolutional", {}, 1_369_738, 270_798_336, 349_042),
]

LIBRARIES = {  # thousands of millions of multiply-adds, as the model pages of PyTorch's vision library round them
    ("alexnet", "2014"): 0.71, ("vgg11", None): 7.61, ("vgg13", None): 11.31, ("vgg16", None): 15.47,
    ("vgg19", None): 19.63, ("resnet18", None): 1.81, ("resnet34", None): 3.66, ("resnet50", "v1.5"): 4.09,
    ("resnet101", "v1.5"): 7.80, ("resnet152", "v1.5"): 11.51,
}


def test_every_network_is_in_the_table():
    assert {name for name, *_ in PUBLISHED} == set(zoo.__all__)


@pytest.mark.parametrize(("name", "options", "parameters", "multiply_adds", "activations"), PUBLISHED)
def test_published_figures(name, options, parameters, multiply_adds, activations):
    network = getattr(zoo, name)(**options)
    assert network.parameter_count() == parameters
    assert network.multiply_adds() == multiply_adds
    assert network.activation_count() == activations
    total = network.summary().total
    assert (total.parameters, total.multiply_adds, total.activation_bytes) == (
        parameters, multiply_adds, 4 * activations)
    # The docstring tells the same, and no weights were made for any of this.
    for figure in (parameters, multiply_adds, activations):
        assert f"{figure:,}" in getattr(zoo, name).__doc__
    assert network.parameters == {}


@pytest.mark.parametrize(("name", "option"), LIBRARIES)
def test_libraries_round_the_same_figures(name, option):
    options = {} if option is None else {"variant" if name == "alexnet" else "version": option}
    found = getattr(zoo, name)(**options).multiply_adds()
    assert found / 1e9 == pytest.approx(LIBRARIES[name, option], abs=0.0051)


SIZES = [  # network, options, sizes of feature maps and channels at some of the nodes, from the papers' figures
    ("lenet5", {"connections": "partial"}, {"conv1": (6, 28, 28), "pool1": (6, 14, 14), "conv2": (16, 10, 10),
                                            "pool2": (16, 5, 5), "fc1": (120,), "fc2": (84,), "rbf1": (10,)}),
    ("alexnet", {}, {"conv1": (96, 55, 55), "pool1": (96, 27, 27), "conv2": (256, 27, 27), "pool2": (256, 13, 13),
                     "conv3": (384, 13, 13), "conv4": (384, 13, 13), "conv5": (256, 13, 13), "pool3": (256, 6, 6)}),
    ("alexnet", {"variant": "2014"}, {"conv1": (64, 55, 55), "conv2": (192, 27, 27), "pool3": (256, 6, 6)}),
    ("zfnet", {}, {"conv1": (96, 110, 110), "pool1": (96, 55, 55), "conv2": (256, 26, 26), "pool2": (256, 13, 13),
                   "conv5": (256, 13, 13), "pool3": (256, 6, 6)}),
    ("vgg16", {}, {"conv1_2": (64, 224, 224), "conv3_3": (256, 56, 56), "pool5": (512, 7, 7)}),
    ("vgg19", {}, {"conv5_4": (512, 14, 14), "fc6": (4096,)}),
    ("googlenet", {}, {"conv1": (64, 112, 112), "pool1": (64, 56, 56), "conv2": (192, 56, 56), "pool2": (192, 28, 28),
                       "inception3a": (256, 28, 28), "inception3b": (480, 28, 28), "inception4a": (512, 14, 14),
                       "inception4d": (528, 14, 14), "inception4e": (832, 14, 14), "inception5b": (1024, 7, 7)}),
    ("googlenet", {"auxiliary": True}, {"auxiliary1_pool": (512, 4, 4), "auxiliary2_pool": (528, 4, 4)}),
    ("resnet18", {}, {"conv1": (64, 112, 112), "pool1": (64, 56, 56), "conv2_2_2": (64, 56, 56),
                      "conv3_1_shortcut": (128, 28, 28), "conv5_2_2": (512, 7, 7)}),
    ("resnet50", {}, {"conv2_1_3": (256, 56, 56), "conv3_4_3": (512, 28, 28), "conv4_6_3": (1024, 14, 14),
                      "conv5_3_3": (2048, 7, 7), "conv3_1_1": (128, 28, 28), "conv2_1_shortcut": (256, 56, 56)}),
    ("resnet50", {"version": "v1.5"}, {"conv3_1_1": (128, 56, 56), "conv3_1_2": (128, 28, 28)}),
    ("resnet152", {}, {"conv3_8_3": (512, 28, 28), "conv4_36_3": (1024, 14, 14)}),
    ("all_convolutional", {}, {"conv3": (96, 16, 16), "conv6": (192, 8, 8), "conv7": (192, 6, 6), "conv9": (10, 6, 6)}),
]


@pytest.mark.parametrize(("name", "options", "sizes"), SIZES)
def test_sizes_of_the_papers(name, options, sizes):
    network = getattr(zoo, name)(**options)
    assert {node: network.shape_of(node) for node in sizes} == sizes


@pytest.mark.parametrize("name", zoo.__all__)
def test_classes_and_sizes_are_free(name):
    network = getattr(zoo, name)(num_classes=7, input_size=(67, 97))
    assert network.input_shape[1:] == (67, 97)
    assert network.output_shape == (7,)


@pytest.mark.parametrize(("name", "depth"), [
    ("lenet5", 5), ("alexnet", 8), ("zfnet", 8), ("vgg11", 11), ("vgg13", 13), ("vgg16", 16), ("vgg19", 19),
    ("googlenet", 22), ("resnet18", 18), ("resnet34", 34), ("resnet50", 50), ("resnet101", 101), ("resnet152", 152),
])
def test_depth_is_the_longest_way_through_layers_with_weights(name, depth):
    depths = {"input": 0}
    network = getattr(zoo, name)()
    for node in network.nodes:
        weighted = isinstance(node.layer, (Conv2d, Linear))
        depths[node.name] = max(depths[before] for before in node.inputs) + weighted
    assert depths[network.outputs[0]] == depth


def kinds(network, *wanted):
    return [type(node.layer).__name__ for node in network.nodes if isinstance(node.layer, wanted)]


def test_alexnet_normalizes_before_pooling_and_zf_net_after_it():
    order = (Conv2d, ReLU, LocalResponseNorm, MaxPool2d)
    first = ["Conv2d", "ReLU", "LocalResponseNorm", "MaxPool2d"]
    assert kinds(zoo.alexnet(), *order)[:10] == [*first, *first, "Conv2d", "ReLU"]
    assert kinds(zoo.zfnet(), *order)[:4] == ["Conv2d", "ReLU", "MaxPool2d", "LocalResponseNorm"]
    assert not kinds(zoo.alexnet(variant="2014"), LocalResponseNorm)
    assert kinds(zoo.googlenet(), Conv2d, LocalResponseNorm, MaxPool2d)[:7] == [
        "Conv2d", "MaxPool2d", "LocalResponseNorm", "Conv2d", "Conv2d", "LocalResponseNorm", "MaxPool2d"]


def test_alexnets_normalization_is_the_papers_formula():
    network = zoo.alexnet(input_size=67)
    x = np.random.default_rng(0).standard_normal((1, 3, 67, 67)) * 300
    network.initialize(0, np.float64)
    found = network.activations(x, ["relu1", "lrn1"])
    maps = found["relu1"]
    for channel in (0, 1, 50, 95):
        near = maps[:, max(channel - 2, 0):channel + 3]
        expected = maps[:, channel] / (2 + 1e-4 * (near**2).sum(axis=1)) ** 0.75
        np.testing.assert_allclose(found["lrn1"][:, channel], expected, rtol=1e-12)


def test_dropout_stands_where_the_papers_have_it():
    for network in (zoo.alexnet(), zoo.zfnet(), zoo.vgg16()):
        assert [node.inputs for node in network.nodes if isinstance(node.layer, Dropout)] == [
            (name,) for name in (_relu_after(network, "fc6"), _relu_after(network, "fc7"))]
    rates = [node.layer.p for node in zoo.googlenet(auxiliary=True).nodes if isinstance(node.layer, Dropout)]
    assert rates == [0.4, 0.7, 0.7]
    assert [node.layer.p for node in zoo.all_convolutional().nodes if isinstance(node.layer, Dropout)] == [0.2, .5, .5]


def _relu_after(network, name):
    return next(node.name for node in network.nodes if node.inputs == (name,) and isinstance(node.layer, ReLU))


def test_resnets_have_batch_norm_after_every_convolution_and_no_biases():
    network = zoo.resnet50()
    after = {node.inputs[0] for node in network.nodes if isinstance(node.layer, BatchNorm2d)}
    convolutions = [node for node in network.nodes if isinstance(node.layer, Conv2d)]
    assert len(convolutions) == 53
    assert all(node.name in after and not node.layer.bias for node in convolutions)


def test_googlenets_auxiliary_classifiers_are_further_outputs_for_training():
    plain, helped = (zoo.googlenet(auxiliary, num_classes=5, input_size=96) for auxiliary in (False, True))
    assert len(plain.outputs) == 1
    assert helped.outputs == (plain.outputs[0], "auxiliary1_fc2", "auxiliary2_fc2")
    x = prepare(helped, dtype=np.float32, batch_size=2)
    prepare(plain, dtype=np.float32)
    plain.parameters = {name: helped.parameters[name] for name in plain.parameters}
    np.testing.assert_array_equal(helped.forward(x), plain.forward(x))
    assert [one.shape for one in helped.forward(x, training=True)] == [(2, 5)] * 3


def test_lenets_connections_are_the_papers_table():
    connections = zoo.lenet.CONNECTIONS
    assert [len(row) for row in connections] == [3] * 6 + [4] * 9 + [6]
    assert len(set(connections)) == 16
    # Every map of S2 is seen by ten of C3's.
    assert [sum(channel in row for row in connections) for channel in range(6)] == [10] * 6
    # The first rows take three and four neighbors, counted around.
    for start in range(6):
        assert set(connections[start]) == {(start + step) % 6 for step in range(3)}
        assert set(connections[6 + start]) == {(start + step) % 6 for step in range(4)}


def test_the_lenet_of_1998_has_as_many_connections_as_its_paper_says():
    def connections(node):
        outputs = int(np.prod(node.output_shape))
        if isinstance(node.layer, TrainableAvgPool2d):
            return outputs * (2 * 2 + 1)
        biased = "bias" in node.parameter_shapes
        return node.multiply_adds + outputs * biased

    network = zoo.lenet5(connections="partial")
    found = {node.name: connections(node) for node in network.nodes if node.multiply_adds or node.parameter_shapes}
    assert found == {"conv1": 122_304, "pool1": 5_880, "conv2": 151_600, "pool2": 2_000, "fc1": 48_120,
                     "fc2": 10_164, "rbf1": 840}
    assert sum(found.values()) == 340_908


def test_the_digits_that_lenet_compares_with_differ_clearly():
    centers = np.array(next(node.layer for node in zoo.lenet5(connections="partial").nodes
                            if isinstance(node.layer, RadialBasis)).centers) * 1.7159
    np.testing.assert_allclose(np.abs(centers), 1)
    distances = [int((one != other).sum()) for one, other in itertools.combinations(np.sign(centers), 2)]
    assert centers.shape == (10, 84)
    assert min(distances) >= 6


REFUSALS = [
    (lambda: zoo.lenet5(connections="some"), ArgumentError, "connections has to be 'full' or 'partial', 'some' was"),
    (lambda: zoo.lenet5("partial", num_classes=26), ArgumentError, "num_classes has to be 10, 26 was given"),
    (lambda: zoo.alexnet(3), ArgumentError, "groups has to be 2 or 1, 3 was given"),
    (lambda: zoo.alexnet(variant="2013"), ArgumentError, "variant has to be '2012' or '2014'"),
    (lambda: zoo.alexnet(2, "2014"), ArgumentError, 'variant "2014" has one tower, groups=2 was given'),
    (lambda: zoo.resnet50("v2"), ArgumentError, "version has to be 'v1' or 'v1.5', 'v2' was given"),
    (lambda: zoo.resnet101(None), ArgumentError, "version has to be 'v1' or 'v1.5', None was given"),
    (lambda: zoo.vgg16(input_size=0), ArgumentError, "VGG-16: input_size has to be a whole number of at least 1"),
    (lambda: zoo.vgg16(num_classes=0), ArgumentError, "out_features"),
    (lambda: zoo.alexnet(input_size=30), GeometryError, "pool2 after lrn2 (256, 2, 2)"),
    (lambda: zoo.googlenet(True, input_size=64), GeometryError, "auxiliary1_pool after inception4a (512, 4, 4)"),
]


@pytest.mark.parametrize(("call", "kind", "words"), REFUSALS)
def test_a_refusal_names_the_option_or_the_layer(call, kind, words):
    with pytest.raises(kind, match=re.escape(words)):
        call()


# The one layer that the zoo alone needs.


def test_radial_basis_scores_are_minus_the_squared_distances():
    rng = np.random.default_rng(0)
    x, centers = rng.standard_normal((4, 5)), rng.standard_normal((3, 5))
    layer = RadialBasis(tuple(map(tuple, centers)))
    out, _ = layer.forward((x[::-1],), {}, {}, Mode())
    expected = [[-sum((float(a) - float(b)) ** 2 for a, b in zip(row, center, strict=True)) for center in centers]
                for row in x[::-1]]
    np.testing.assert_allclose(out, expected, rtol=1e-13)
    grad_out = rng.standard_normal(out.shape)
    (grad_x,), gradients = layer.backward(grad_out, Kept(((5,),), (x,)), {}, (True,))
    assert gradients == {}
    step = 1e-6
    for n, j in np.ndindex(x.shape):
        moved = [x.copy(), x.copy()]
        moved[0][n, j] += step
        moved[1][n, j] -= step
        up, down = ((-F.squared_distances(one, centers) * grad_out).sum() for one in moved)
        assert grad_x[n, j] == pytest.approx((up - down) / (2 * step), rel=1e-6)


def test_radial_basis_takes_features_of_the_length_of_its_centers():
    layer = RadialBasis(((0.0, 1.0, 2.0), (1.0, 1.0, 1.0)))
    assert layer.output_shape((3,)) == (2,)
    assert layer.multiply_adds((3,)) == 6
    with pytest.raises(ShapeError, match="takes a vector of 3 features"):
        layer.output_shape((4,))
    for centers in ((), ((),), ((1.0,), (1.0, 2.0))):
        with pytest.raises(ArgumentError, match="all of one length"):
            RadialBasis(centers)
    with pytest.raises(ShapeError, match="x has 2 features, centers have 3"):
        F.squared_distances(np.zeros((1, 2)), np.zeros((1, 3)))
    with pytest.raises(ShapeError, match="grad_out has shape"):
        F.squared_distances_backward(np.zeros((1, 2)), np.zeros((1, 3)), np.zeros((1, 3)))


def test_training_the_lenet_of_1998_moves_every_parameter():
    network = zoo.lenet5(connections="partial")
    x = prepare(network, dtype=np.float64, batch_size=4)
    scores = as_list(network.forward(x, training=True))[0]
    network.backward(F.cross_entropy_backward(scores, np.array([0, 1, 2, 3])))
    assert set(network.gradients) == set(network.parameters)
    assert all(np.abs(gradient).max() > 0 for gradient in network.gradients.values())
    assert not any(isinstance(node.layer, Flatten) and node.parameter_shapes for node in network.nodes)
