import itertools

import numpy as np
import pytest

from cnncourse import data
from cnncourse.errors import ArgumentError


def test_every_digit_of_a_scene_is_where_it_says_and_one_of_its_part():
    x_train, y_train, x_test, y_test = data.digits(16)
    for part, pictures, known in (("test", x_test, y_test), ("train", x_train, y_train)):
        scene, labels, corners = data.digit_scene((90, 130), 12, part=part, seed=3)
        left = scene.copy()
        assert scene.shape == (1, 1, 90, 130) and scene.dtype == np.float32
        used = set()
        for label, (row, column) in zip(labels, corners, strict=True):
            piece = scene[0, :, row:row + 16, column:column + 16]
            same = np.flatnonzero((pictures == piece).all(axis=(1, 2, 3)))
            assert len(same) and known[same[0]] == label
            used.add(int(same[0]))
            left[0, 0, row:row + 16, column:column + 16] = 0
        assert len(used) == 12
        assert not left.any(), "nothing but digits"


@pytest.mark.parametrize("gap", [0, 2, 5])
def test_digits_keep_their_distance(gap):
    _, _, corners = data.digit_scene((120, 200), 20, gap=gap, digit_size=12, seed=1)
    assert corners.min() >= gap
    assert (corners + 12 + gap <= (120, 200)).all()
    for one, other in itertools.combinations(corners, 2):
        assert np.abs(one - other).max() >= 12 + gap


def test_a_seed_gives_the_same_scene_and_another_one_another():
    one, same, other = (data.digit_scene((80, 80), 4, seed=seed)[0] for seed in (5, 5, 6))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_digit_that_just_fits_lies_in_the_middle():
    assert data.digit_scene((20, 22), 1, gap=2)[2].tolist() in ([[2, column]] for column in (2, 3, 4))


@pytest.mark.parametrize(("size", "count", "settings", "told"), [
    ((40, 40), 9, {}, "do not fit into 40 x 40"), ((15, 90), 1, {}, "16 x 16 with gaps of 2 do not fit"),
    ((999, 999), 356, {}, "355 digits to test with, 356"), ((99, 99), 0, {}, "at least 1"),
    ((99, 99), 2, {"gap": -1}, "gap at least 0"), ((99, 99), 2, {"part": "both"}, 'test" or "train'),
    ((99, 99), 2, {"digit_size": 7}, "from 8 to 64"),
])
def test_what_makes_no_sense_is_refused_in_words(size, count, settings, told):
    with pytest.raises(ArgumentError, match=told):
        data.digit_scene(size, count, **settings)


def test_finds_are_paired_with_the_digits_that_are_there():
    labels, corners = np.array([3, 7, 7, 0]), np.array([[10, 10], [10, 40], [50, 8], [60, 60]])
    found = [(12, 9, 3), (10, 44, 1), (55, 8, 7), (11, 11, 3), (60, 57, 0)]
    finds = data.compare_finds(found, labels, corners)
    assert (finds.right, finds.mistaken, finds.missed, finds.extra) == ((0, 3), (1,), (2,), (2, 3))
    assert str(finds) == ("3 of 4 digits found, 1 of them taken for another digit, 2 found where there is none")
    assert data.compare_finds(found, labels, corners, tolerance=5).missed == ()


def test_nothing_found_is_everything_missed():
    _, labels, corners = data.digit_scene((60, 60), 3)
    assert data.compare_finds([], labels, corners).missed == (0, 1, 2)
