import subprocess
import sys

import numpy as np
import pytest

from cnncourse import data


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
