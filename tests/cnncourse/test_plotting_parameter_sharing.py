"""What the figures of 02-parameter-sharing show is what is computed."""

import matplotlib as mpl
import numpy as np
import pytest

from cnncourse import functional as F
from cnncourse import plotting

EDGE = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])


def texts(figure):
    return [text.get_text() for text in figure.findobj(mpl.text.Text)]


def test_shared_weights_come_back_and_unshared_ones_do_not():
    figure = plotting.shared_weights(6, 3)
    above, below = ([text.get_text() for text in axes.texts if len(text.get_text()) == 1] for axes in figure.axes)
    assert sorted(above) == list("abcdefghijkl")
    assert sorted(below) == sorted(4 * "abc")
    assert "locally connected: own weights for each output: 12 weights" in texts(figure)
    assert "convolution: shared weights: 3 weights" in texts(figure)


def test_parameters_without_sharing_grow_with_the_picture_and_shared_ones_do_not():
    alt = plotting.parameter_growth((32, 227)).alt
    assert "locally connected: 1,257,984 at 32, 105,705,600 at 227" in alt
    assert "shared weights: 34,944 at 32, 34,944 at 227" in alt
    assert f"each neuron sees all pixels: {96 * 6 * 6 * (3 * 32 * 32 + 1):,} at 32" in alt


def test_one_step_spells_out_the_layer_and_shows_no_later_output():
    rng = np.random.default_rng(0)
    x, weight, bias = rng.integers(0, 3, (1, 3, 5, 5)), rng.integers(-1, 2, (2, 3, 3, 3)), np.array([1, 0])
    out = F.conv2d(x.astype(float), weight.astype(float), bias.astype(float), stride=2, padding=1)
    figure = plotting.one_step(x, weight, bias, 2, 1, filter=1, position=(1, 1))
    assert figure.alt.endswith(f" = {out[0, 1, 1, 1]:g}.".replace("-", "−"))
    first, second = ([text.get_text() for text in axes.texts] for axes in figure.axes[-2:])
    assert first == [f"{value:g}".replace("-", "−") for value in out[0, 0].ravel()]
    assert second[:5] == [f"{value:g}".replace("-", "−") for value in out[0, 1].ravel()[:5]]
    assert second[5:] == 4 * ["?"]


def test_one_step_refuses_a_position_that_does_not_exist():
    with pytest.raises(ValueError, match=r"filter 0, position \(3, 0\) is outside of the output of shape \(1, 3, 3\)"):
        plotting.one_step(np.ones((1, 1, 5, 5)), np.ones((1, 1, 3, 3)), np.zeros(1), position=(3, 0))


def test_moved_outputs_tells_the_share_of_each_layer():
    view = np.full((1, 1, 6, 8), 0.5)
    masks = {"one": np.ones((1, 1, 6, 8), bool), "other": np.arange(48).reshape(1, 1, 6, 8) % 4 == 0}
    alt = plotting.moved_outputs((view, view), dict.fromkeys(masks, (view, view)), masks).alt
    assert "one: 100.0% of the outputs" in alt and "other: 25.0% of the outputs" in alt


def test_summed_gradients_admits_a_sum_that_is_none():
    unshared = np.random.default_rng(0).standard_normal((3, 4, 2, 2))
    assert plotting.summed_gradients(unshared, unshared.sum((0, 1))).alt.endswith("by at most 0.")
    assert plotting.summed_gradients(unshared, unshared.sum((0, 1)) + np.eye(2) / 2).alt.endswith("at most 0.5.")


@pytest.mark.parametrize(("size", "stride", "padding", "left"), [
    ((6, 7), 2, 0, "1 row and 0 columns"), ((4, 5), 2, 1, "1 row and 0 columns"),
    ((4, 5), 1, 0, "0 rows and 0 columns")])
def test_spread_back_shows_the_gradient_of_the_padded_input(size, stride, padding, left):
    upstream = np.array([[1.0, 2, 0], [3, -1, 1]])
    whole = np.zeros((1, 1, *(extent + 2 * padding for extent in size)))
    right = F.conv2d_backward(upstream[None, None], whole, EDGE[None, None], stride=stride)[0][0, 0]
    figure = plotting.spread_back(upstream, EDGE, size, stride, padding)
    assert np.array_equal(figure.axes[-1].images[0].get_array(), right)
    assert f"No window reads the last {left}." in figure.alt


def test_central_differences_are_best_at_a_larger_step_and_far_more_exact():
    x = np.linspace(-1, 1, 5)
    figure = plotting.step_errors(lambda x: float(np.sum(np.exp(x))), np.exp(x), x)
    one_sided, central = (np.asarray(line.get_ydata()) for line in figure.axes[0].lines[:2])
    assert central.min() < one_sided.min() / 100
    assert np.argmin(central) < np.argmin(one_sided)


def test_accuracy_is_drawn_in_percent():
    figure = plotting.accuracy_when_moved((-1, 0), {"shared": (0.5, 0.625)})
    assert list(figure.axes[0].lines[0].get_ydata()) == [50, 62.5]
    assert "50 % at −1, 62 % at 0" in figure.alt
