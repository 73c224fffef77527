import subprocess
import sys

import numpy as np
import pytest

from cnncourse import data
from cnncourse.errors import ArgumentError
from tests.needs import peer


@pytest.mark.parametrize("name", data.PHOTOGRAPHS)
def test_photograph_is_one_color_picture_between_zero_and_one(name):
    photo = data.photograph(name)
    assert photo.shape == (1, 3, 142, 213)
    assert photo.dtype == np.float32
    assert photo.flags.c_contiguous
    assert 0 <= photo.min() < 0.1
    assert 0.9 < photo.max() <= 1


def test_each_pixel_is_the_mean_of_its_square():
    whole, small = data.photograph("flower", shrink=1), data.photograph("flower", shrink=4)
    assert whole.shape == (1, 3, 427, 640)
    assert small.shape == (1, 3, 106, 160)
    np.testing.assert_allclose(small[0, :, 7, 11], whole[0, :, 28:32, 44:48].mean(axis=(1, 2)), atol=1e-6)


def test_channels_are_red_green_blue():
    red, green, blue = data.photograph("flower")[0, :, 60:80, 90:110].mean(axis=(1, 2))
    assert red > green > blue, "the dahlia is orange"


def test_photographs_differ_and_belong_to_the_caller():
    first = data.photograph("temple")
    first[:] = 0
    assert data.photograph("temple").max() > 0.9
    assert not np.array_equal(data.photograph("temple"), data.photograph("flower"))


def test_unknown_photograph_is_refused_with_the_names_there_are():
    with pytest.raises(ValueError, match=r"'cat'.*'temple' and 'flower'"):
        data.photograph("cat")


@pytest.mark.parametrize("shrink", [0, -1, 65, 1.5, "3", None])
def test_shrink_has_to_be_a_sensible_whole_number(shrink):
    with pytest.raises(ValueError, match="whole number from 1 to 64"):
        data.photograph(shrink=shrink)


def test_the_package_stays_light_until_a_picture_is_asked_for():
    code = "import sys, cnncourse, cnncourse.data; print([m for m in ('sklearn', 'matplotlib') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_digits_are_all_there_once():
    from sklearn.datasets import load_digits

    x_train, y_train, x_test, y_test = data.digits()
    assert (x_train.shape, x_test.shape) == ((1442, 1, 8, 8), (355, 1, 8, 8))
    assert {x_train.dtype, x_test.dtype} == {np.dtype(np.float32)}
    assert {y_train.dtype, y_test.dtype} == {np.dtype(np.int64)}
    pixels, labels = load_digits(return_X_y=True)
    ours = np.column_stack([np.concatenate([x_train, x_test]).reshape(1797, 64) * 16, [*y_train, *y_test]])
    theirs = np.column_stack([pixels, labels])
    np.testing.assert_array_equal(ours[np.lexsort(ours.T)], theirs[np.lexsort(theirs.T)])


def test_a_fifth_of_each_digit_is_held_out_and_always_the_same():
    _, y_train, x_test, y_test = data.digits()
    held_out, all_digits = np.bincount(y_test), np.bincount(y_train) + np.bincount(y_test)
    np.testing.assert_array_equal(held_out, all_digits // 5)
    np.testing.assert_array_equal(x_test, data.digits()[2])


def test_digits_belong_to_the_caller():
    data.digits()[0][:] = 7
    assert data.digits()[0].max() == 1


@pytest.mark.peer
@pytest.mark.parametrize("size", [8, 9, 15, 32, 64])
def test_digits_are_enlarged_like_pytorch_does(size):
    torch = peer("torch")
    small, large = data.digits(), data.digits(size)
    for part in (0, 2):
        expected = torch.nn.functional.interpolate(torch.from_numpy(small[part]), (size, size), mode="bilinear",
                                                   align_corners=False)
        np.testing.assert_allclose(large[part], expected.numpy(), atol=1e-6)
        assert large[part].flags.c_contiguous
    np.testing.assert_array_equal(large[1], small[1])


@pytest.mark.parametrize("size", [7, 65, 16.5, "32", None])
def test_the_size_of_digits_has_to_be_a_sensible_whole_number(size):
    with pytest.raises(ArgumentError, match="whole number from 8 to 64"):
        data.digits(size)
