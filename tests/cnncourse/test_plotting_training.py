"""What the figures on training show, and what their descriptions say."""

import matplotlib as mpl
import numpy as np
import pytest

from cnncourse import functional as F
from cnncourse import plotting, training
from tests.figures.training import LABELS, PICTURES, SCORES, downhill


def texts(figure):
    return [text.get_text() for text in figure.findobj(mpl.text.Text)]


def test_probability_bars_show_what_softmax_and_loss_give():
    scores, label = np.array([0.5, -1.0, 2.0]), 1
    figure = plotting.probability_bars(scores, label)
    heights = [bar.get_height() for bar in figure.axes[1].patches]
    assert np.allclose(heights, F.softmax(scores[None])[0])
    loss = F.cross_entropy(scores[None], np.array([label]))
    assert f"loss {loss:.3g}." in figure.alt
    assert [bar.get_hatch() is not None for bar in figure.axes[0].patches] == [False, True, False]


def test_probability_bars_stay_finite_for_large_scores():
    assert "loss 1e+03." in plotting.probability_bars(np.array([1000.0, 0.0]), 1).alt


def test_numbers_keep_their_size_with_the_root_of_two_over_n_and_vanish_with_a_small_constant():
    figure = plotting.signal_sizes({"fitting": lambda noise: noise * np.sqrt(2 / noise[0].size),
                                    "small": lambda noise: 0.01 * noise}, layers=10)
    fitting, small = (line.get_ydata() for line in figure.axes[0].lines)
    assert 0.2 < fitting[-1] < 5
    assert small[-1] < 1e-9
    assert len(fitting) == 11


def test_paths_are_what_the_given_step_does():
    figure = plotting.descent_paths(downhill, {"plain": (0.03, 0.0)}, steps=5)
    path = figure.axes[0].lines[0].get_xydata()
    factors = 1 - 0.03 * np.array([1.0, 20.0])
    assert np.allclose(path, [np.array([-4, 0.9]) * factors**n for n in range(6)])
    assert "The loss is 16.1 at the beginning" in figure.alt


def test_a_step_that_goes_uphill_is_seen():
    def uphill(weight, gradient, velocity, learning_rate, momentum, weight_decay):
        return weight + learning_rate * gradient, velocity

    last = plotting.descent_paths(uphill, {"uphill": (0.02, 0.0)}).alt.split()[-1]
    assert float(last.rstrip(".")) > 1000


def test_schedule_is_drawn_as_it_is_given():
    figure = plotting.rate_schedule(lambda epoch, epochs, warmup, peak: peak * epoch / epochs, 8, 1, 0.4)
    assert figure.axes[0].lines[0].get_ydata()[-1] == pytest.approx(0.4)
    assert "largest after 8 epochs with 0.4, 0.2 at half of the time" in figure.alt


def test_training_curves_average_half_an_epoch_of_batches():
    losses = np.linspace(2, 1, 40)
    figure = plotting.training_curves(losses, {"training": [0.9] * 4, "held out": [0.8, 0.9, 0.95, 0.97]})
    _, means = figure.axes[0].lines
    assert np.allclose(means.get_ydata(), np.convolve(losses, np.ones(5) / 5, mode="valid"))
    assert "held out from 80.0% after the first epoch to 97.0% after the last" in figure.alt


def test_losses_that_explode_are_told_and_not_drawn():
    figure = plotting.losses_compared({"good": [2.0, 1, 1, 1], "bad": [2.0, 4, np.nan, np.inf]}, width=2)
    assert "good, 1; bad, no number any more" in figure.alt
    assert np.isfinite(figure.axes[0].lines[1].get_ydata()).all()


def test_accuracy_by_samples_has_a_panel_for_each_way_and_a_line_for_each_name():
    figure = plotting.accuracy_by_samples((10, 100), {"one": {"a": [0.1, 0.2]}, "two": {"a": [0.3, 0.4]}})
    assert [axes.get_title() for axes in figure.axes] == ["one", "two"]
    assert "one, a: 10%, 20%; two, a: 30%, 40%." in figure.alt


def test_confusion_table_counts_and_names_the_mistakes():
    counts = training.confusion_matrix(np.array([0, 0, 1, 1, 1]), np.array([0, 1, 1, 0, 0]))
    figure = plotting.confusion_table(counts)
    assert figure.alt.endswith("2 of 5 are right. Wrong: 1 as 0 twice, 0 as 1 once.")
    assert plotting.confusion_table(np.diag([3, 4])).alt.endswith("Wrong: none.")


def test_misread_digits_shows_the_wrong_ones_only_the_surest_first():
    probabilities = F.softmax(SCORES)
    wrong = np.flatnonzero(probabilities.argmax(1) != LABELS)
    surest = wrong[probabilities[wrong].max(1).argmax()]
    figure = plotting.misread_digits(PICTURES, LABELS, SCORES)
    assert figure.alt.startswith(f"Misread: {len(wrong)} of 12 pictures; shown are a {LABELS[surest]} read as "
                                 f"{SCORES[surest].argmax()} with")
    assert np.array_equal(figure.axes[0].images[0].get_array(), PICTURES[surest, 0])
    assert len([axes for axes in figure.axes if axes.images]) == len(wrong)


def test_misread_digits_without_mistakes_says_so():
    figure = plotting.misread_digits(PICTURES, LABELS, np.eye(5)[LABELS])
    assert figure.alt == "Misread: 0 of 12 pictures."
    assert "no mistakes" in texts(figure)


def test_digit_examples_carry_their_labels():
    figure = plotting.digit_examples(PICTURES[:3], LABELS[:3])
    assert [text.get_text() for text in figure.axes[0].texts] == ["0", "1", "2"]
    assert np.array_equal(figure.axes[0].images[1].get_array(), PICTURES[1, 0])
    assert figure.alt.startswith("Digits: 3 pictures of 8 by 8 pixels")


def test_filters_that_stayed_are_counted():
    rng = np.random.default_rng(0)
    before = rng.standard_normal((4, 1, 3, 3))
    after = before + 0.01 * rng.standard_normal(before.shape)
    after[0] *= -1
    assert "3 of them still look nearly as they began" in plotting.filters_before_and_after(before, after).alt


def test_stages_show_the_first_maps_and_name_the_winner():
    figure = plotting.network_stages({"maps": np.eye(3)[None].repeat(9, 0), "scores": np.array([0.1, 2.0, -1.0])}, 4)
    assert len(figure.axes[0].images) == 4
    assert np.array_equal(figure.axes[0].images[0].get_array(), np.eye(3))
    assert "9 maps of 3 by 3, 67% zeros; scores, 3 numbers, the largest at 1." in figure.alt
