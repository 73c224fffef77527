import re

import numpy as np
import pytest

from cnncourse import data, plotting, zoo


def test_network_profiles_follow_the_longest_way():
    figure = plotting.network_profiles(zoo.lenet5(), zoo.googlenet(), zoo.resnet50())
    assert "LeNet-5: 5 layers with weights" in figure.alt
    assert "GoogLeNet: 22 layers with weights" in figure.alt
    assert "ResNet-50: 50 layers with weights, 224 rows down to 1" in figure.alt
    lenet = [bar.get_height() for bar in figure.axes[0].patches]
    assert np.allclose(lenet, np.log2([2 * side for side in (28, 14, 10, 5, 1, 1, 1)]))


def test_network_costs_puts_each_disc_where_its_network_is():
    figure = plotting.network_costs(zoo.vgg16(), zoo.alexnet())
    places = np.concatenate([disc.get_offsets() for disc in figure.axes[0].collections])
    assert np.allclose(places, [[138.357544, 15470.26432], [60.965224, 724.406816]])
    areas = [disc.get_sizes()[0] for disc in figure.axes[0].collections]
    assert areas[0] / areas[1] == pytest.approx(15_237_608 / 936_323)


@pytest.mark.parametrize("network", [zoo.vgg16(), zoo.googlenet(), zoo.resnet18()], ids=lambda network: network.name)
def test_shares_of_the_layers_add_up_to_the_whole(network):
    figure = plotting.cost_by_layer(network)
    for axes in figure.axes:
        assert sum(bar.get_height() for bar in axes.patches) == pytest.approx(100)
    assert f"{network.parameter_count():,}" in figure.alt


def test_vgg_has_its_parameters_in_fc6_and_its_activations_in_conv1():
    alt = plotting.cost_by_layer(zoo.vgg16()).alt
    assert "Parameters 138,357,544, most in fc6 (74.3 %)" in alt
    assert "activations 15,237,608, most in conv1 (42.1 %)" in alt


def test_receptive_fields_are_those_worked_out_by_hand():
    alt = plotting.field_growth(zoo.alexnet(), zoo.vgg16(), zoo.resnet50()).alt
    for network, layers in ((zoo.alexnet(), [(11, 4), (3, 2), (5, 1), (3, 2), (3, 1), (3, 1), (3, 1), (3, 2)]),
                            (zoo.vgg16(), [(3, 1)] * 2 + [(2, 2)] + [(3, 1)] * 2 + [(2, 2)] + [(3, 1)] * 3 + [(2, 2)]
                             + [(3, 1)] * 3 + [(2, 2)] + [(3, 1)] * 3 + [(2, 2)])):
        size = 1
        for kernel, stride in reversed(layers):
            size = (size - 1) * stride + kernel
        assert re.search(rf"{network.name}: {size} after", alt), (size, alt)


def test_an_inception_block_has_four_ways_and_a_residual_block_a_free_one():
    alt = plotting.block_diagram(zoo.googlenet(), "inception3a").alt
    assert "from 192 x 28 x 28 to 256 x 28 x 28" in alt
    assert "2: 1x1 conv, ReLU, then 3x3 conv, ReLU, 129,248 parameters" in alt
    assert "4: 3x3 pool, then 1x1 conv, ReLU, 6,176 parameters" in alt
    alt = plotting.block_diagram(zoo.resnet50(), "add2").alt
    assert "2: nothing, straight to the end, 0 parameters. They meet in: add, ReLU." in alt
    assert "2: 1x1 conv, BN, 16,896 parameters" in plotting.block_diagram(zoo.resnet50(), "add1").alt


def test_only_nodes_that_join_something_have_a_block():
    with pytest.raises(ValueError, match="conv1 is a Conv2d"):
        plotting.block_diagram(zoo.resnet18(), "conv1")


def test_gradients_of_small_weights_survive_only_with_shortcuts():
    alt = plotting.gradient_depth(10, (0.5,), channels=8, size=8).alt
    plain, shortcuts = (float(number) for number in re.findall(r"x 0\.5: ([\d.e+-]+\d)", alt))
    assert plain < 1e-4
    assert 0.3 < shortcuts < 3


def test_shortcuts_in_the_figure_give_the_gradient_that_numbers_give():
    from cnncourse import functional as F
    from cnncourse.plotting import blocks

    with_shortcut, without = (blocks._norms(1, shortcut, 1.0, 2, 3) for shortcut in (True, False))
    rng = np.random.default_rng(0)
    first, second = (np.sqrt(2 / 18) * rng.standard_normal((1, 2, 2, 2, 3, 3)))[0]
    x = rng.standard_normal((1, 2, 3, 3))
    grad = rng.standard_normal(x.shape)

    def value(x, shortcut):
        inner = F.conv2d(F.relu(F.conv2d(x, first, padding=1)), second, padding=1)
        return float(np.sum(grad * F.relu(inner + x if shortcut else inner)))

    for shortcut, norms in ((True, with_shortcut), (False, without)):
        steps = 1e-6 * np.eye(x.size).reshape(-1, *x.shape)
        slopes = [(value(x + step, shortcut) - value(x - step, shortcut)) / 2e-6 for step in steps]
        assert norms[1] == pytest.approx(np.linalg.norm(slopes) / np.linalg.norm(grad), rel=1e-5)


def test_stamps_overlap_evenly_where_the_stride_divides_the_kernel():
    alt = plotting.stamp_overlaps((2, 2), (3, 2), (4, 2)).alt
    assert "kernel 2, stride 2: 1 at a pixel inside" in alt
    assert "kernel 3, stride 2: 1 or 2 or 4 at a pixel inside" in alt
    assert "kernel 4, stride 2: 4 at a pixel inside" in alt


def test_square_pictures_tell_what_is_lost():
    photo = data.photograph("temple", shrink=12)
    alt = plotting.square_pictures(photo, 16).alt
    assert "35 x 53" in alt and "1.51 times too narrow" in alt and "keeps 66 %" in alt
    tall = plotting.square_pictures(photo.transpose(0, 1, 3, 2), 16).alt
    assert "1.51 times too wide" in tall
    panels = plotting.square_pictures(np.full((1, 3, 10, 20), 0.5), 8).axes
    framed = panels[3].images[0].get_array()
    assert framed.shape == (8, 8, 3)
    assert np.allclose(framed[0], 0) and np.allclose(framed[4], 0.5)
