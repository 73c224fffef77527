import re

import numpy as np
import pytest
from matplotlib.patches import Circle

from cnncourse import functional as F
from cnncourse import plotting
from cnncourse.plotting.shifts import change

PLANE = np.array([[1, 5, 2, 1, 3], [4, 2, -1, 6, 2], [0, -3, 7, 1, -2]])


def written(axes):
    """The numbers in a panel, in reading order."""
    return [float(text.get_text().replace("−", "-")) for text in axes.texts]


def panels(figure):
    return {axes.get_title(): axes for axes in figure.get_axes()}


def test_pooled_windows_write_maximum_mean_and_length_of_every_window():
    shown = panels(plotting.pooled_windows(PLANE, (2, 2), 1))
    windows = [PLANE[i:i + 2, j:j + 2] for i in range(2) for j in range(4)]
    assert written(shown["maximum"]) == [window.max() for window in windows]
    assert written(shown["mean"]) == pytest.approx([window.mean() for window in windows], abs=0.051)
    assert written(shown["L2 norm"]) == pytest.approx([np.linalg.norm(window) for window in windows], abs=0.051)
    assert len(shown["input, 3 x 5"].patches) == len(shown["maximum"].patches) == 8


def test_maxima_are_ringed_where_the_indices_point():
    figure = plotting.maxima_and_indices(PLANE, (3, 2), 2)
    shown = panels(figure)
    left = figure.get_axes()[0]
    rings = {(int(ring.center[1]), int(ring.center[0])) for ring in left.patches if isinstance(ring, Circle)}
    assert rings == {(0, 1), (2, 2)}
    assert written(shown["out"]) == [5, 7]
    assert written(shown["indices"]) == [1, 12]
    assert "they are the entries [[1, 12]]" in figure.alt


def test_gradient_routes_write_what_each_kind_hands_back():
    grad_out = np.array([[4.0, -2, 1, 3], [3, 5, -1, 2]])
    shown = panels(plotting.gradient_routes(PLANE, grad_out, (2, 2), 1))
    maximum, mean = np.zeros(PLANE.shape), np.zeros(PLANE.shape)
    for i, j in np.ndindex(grad_out.shape):
        window = PLANE[i:i + 2, j:j + 2]
        maximum[i:i + 2, j:j + 2] += (window == window.max()) * grad_out[i, j]
        mean[i:i + 2, j:j + 2] += grad_out[i, j] / 4
    assert written(shown["maximum"]) == maximum.ravel().tolist()
    assert written(shown["mean"]) == pytest.approx(mean.ravel(), abs=0.051)
    assert written(shown["gradient from above"]) == grad_out.ravel().tolist()


def test_shares_kept_are_those_of_the_output_and_reach_a_quarter_at_even_sizes_only():
    figure = plotting.shares_kept(range(3, 15), ((2, 2),))
    (line,) = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    for size, share in zip(line.get_xdata(), line.get_ydata(), strict=True):
        pooled = F.max_pool2d(np.zeros((1, 1, size, size)), 2)
        assert share == pytest.approx(100 * pooled.size / size**2)
        assert (share == 25) == (size % 2 == 0)
    assert "at most 25 %" in figure.alt


def test_moving_dot_counts_the_steps_that_change_nothing_and_the_places_that_are_not_seen():
    figure = plotting.moving_dot({"tiles": lambda x: F.max_pool2d(x, (1, 3), (1, 3)), "skips": lambda x: x[..., ::3]},
                                 size=9)
    assert "tiles: 6 of 8 steps change nothing, at 0 places the dot is not seen" in figure.alt
    assert "skips: 3 of 8 steps change nothing, at 6 places the dot is not seen" in figure.alt
    tiles = figure.axes[0].images[0].get_array()
    assert np.array_equal(tiles, np.eye(3).repeat(3, axis=0))


def test_change_is_zero_for_what_a_layer_does_not_see_and_measured_in_standard_deviations():
    x = np.random.default_rng(0).standard_normal((1, 2, 6, 30))
    periodic = np.tile([0.0, 1, 2, 3], 6).reshape(1, 1, 1, 24)
    assert change(periodic, lambda y: F.max_pool2d(y, (1, 4), (1, 4)), 1, 20) == 0
    assert change(x, lambda y: y, 0, 20) == 0
    assert change(x, lambda y: y, 5, 20) == pytest.approx(np.sqrt(2), abs=0.3), "independent values differ by root 2"
    assert change(x, F.global_avg_pool2d, 5, 20) < 0.3


def test_shift_curves_tell_the_first_and_the_last_change():
    x = np.random.default_rng(1).standard_normal((1, 1, 4, 12))
    figure = plotting.shift_curves(x, {"as it is": lambda y: y}, range(4), 9)
    first, last = re.search(r"as it is: ([\d.]+) after 1, ([\d.]+) after 3", figure.alt).groups()
    assert float(first) == pytest.approx(change(x, lambda y: y, 1, 9), rel=0.05)
    assert float(last) == pytest.approx(change(x, lambda y: y, 3, 9), rel=0.05)
