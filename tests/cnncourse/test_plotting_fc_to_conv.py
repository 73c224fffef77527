"""What the figures of 04-fc-to-conv show is what is there."""

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from cnncourse import convert, plotting
from tests.figures.fc_to_conv import classifier, scene_and_finds


def test_maps_as_vector_lists_the_numbers_in_the_order_of_the_given_function():
    maps = np.arange(12.0).reshape(2, 2, 3)
    right, last = plotting.maps_as_vector(maps).alt, plotting.maps_as_vector(
        maps, lambda x: x.transpose(0, 2, 3, 1).reshape(1, -1)).alt
    assert right.endswith(": 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11.")
    assert last.endswith(": 0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11.")
    with pytest.raises(ValueError, match="have to differ"):
        plotting.maps_as_vector(np.zeros((1, 2, 2)))


def test_weights_as_filters_draws_what_the_given_function_returns():
    weight = np.arange(-12.0, 12).reshape(2, 12)

    def transposed(weight, maps_shape):
        return weight.reshape(2, 2, 3, 2)

    for function, shape in ((None, (2, 3)), (transposed, (3, 2))):
        figure = plotting.weights_as_filters(weight, (2, 2, 3), ["a", "b"], function)
        matrix, *filters = [image.get_array() for axes in figure.findobj(lambda one: hasattr(one, "images"))
                            for image in axes.images]
        assert np.array_equal(matrix, weight)
        assert [one.shape for one in filters] == [shape] * 2
        assert np.array_equal(filters[1].ravel(), weight[1, :6])


def test_convolution_as_matrix_counts_zeros_and_marks_what_is_no_weight():
    weight = np.arange(1.0, 5).reshape(1, 1, 2, 2)
    figure = plotting.convolution_as_matrix(weight, (3, 3))
    assert "4 x 9 weights" in figure.alt and "20 of its 36 entries are zero" in figure.alt
    right = figure.axes[0].images[0].get_array()
    assert right.max() == 4, "each of the four weights has its number"

    def averaged(weight, bias, input_size, stride, padding):
        return np.full((4, 9), 2.5), bias

    assert (plotting.convolution_as_matrix(weight, (3, 3), conv_as_matrix=averaged)
            .axes[0].images[0].get_array() == 5).all(), "drawn in the color for what is no weight"


def test_crops_of_picture_counts_the_crops_that_see_each_pixel():
    photo = np.zeros((1, 3, 20, 30), np.float32)
    figure = plotting.crops_of_picture(photo, (8, 10), 4)
    seen = figure.axes[1].images[0].get_array()
    assert figure.alt.startswith("A set of 24 crops of 8 x 10 pixels")
    assert seen.sum() == 24 * 80
    assert (seen[0, 0], seen[4, 5], seen[11, 17]) == (1, 4, 6)
    frames = [(patch.get_y() + 0.5, patch.get_x() + 0.5) for patch in figure.axes[0].patches]
    assert frames == [(0, 0), (0, 4), (12, 20)]


def test_border_rings_mark_what_differs_in_any_channel():
    ring = np.zeros((1, 2, 4, 5))
    ring[0, 1, 0], ring[0, 0, :, 4], ring[0, 0, 2, 2] = 1, -1, 1e-9
    figure = plotting.border_rings({"after one": ring, "after none": 0 * ring})
    drawn = figure.axes[0].images[0].get_array()
    assert drawn.sum() == 8 and drawn[0].all() and drawn[:, 4].all()
    assert figure.alt.endswith("after one: 40%; after none: 0% of the positions.")


def test_padding_differences_are_nothing_without_padding_and_something_with_it():
    photo = np.random.default_rng(0).random((1, 3, 24, 30), np.float32)
    effects = {title: convert.padding_effect(classifier(padding), photo) for title, padding in (("no", 0), ("yes", 1))}
    figure = plotting.padding_differences(effects)
    none, some = (axes.images[0].get_array() for axes in figure.axes[:2])
    assert none.max() < 1e-5 < 1e-3 < some.max()
    assert figure.axes[0].images[0].norm.vmax == figure.axes[1].images[0].norm.vmax == some.max()


def test_evaluation_costs_tell_how_many_times():
    figure = plotting.evaluation_costs({"one\nnet": (2e9, 22.4e9), "another": (5.0, 10.0)})
    assert "one, net: one pass 2 billion, crop by crop 22.4 billion, 11.2 times as much." in figure.alt
    assert [patch.get_width() for patch in figure.axes[0].patches] == [2e9, 22.4e9, 5, 10]


def test_found_digits_frames_every_find_by_its_kind_and_circles_what_was_missed():
    figure = plotting.found_digits(*scene_and_finds())
    lines = [patch.get_linestyle() for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
    assert lines == ["-", "--", "-", ":"]
    assert len(figure.axes[0].lines) == 1
    assert "3 of 4 digits found, 1 of them taken for another digit, 1 found where there is none" in figure.alt


def test_score_maps_draw_each_map_and_tell_its_range():
    maps = {"some": np.array([[-1.0, 3.0], [0.5, 2.0]])}
    figure = plotting.score_maps(np.zeros((1, 1, 6, 8)), maps)
    assert np.array_equal(figure.axes[1].images[0].get_array(), maps["some"])
    assert "some, 2 x 2, from \u22121 to 3, above zero at 75% of the positions" in figure.alt
