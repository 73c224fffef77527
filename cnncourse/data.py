"""Real pictures that ship with a dependency; nothing is downloaded.

The two photographs come with scikit-learn. Both are released under the Creative Commons license CC BY 2.0:
the temple by danielbuechele, the flower by vultilion, both from flickr.com.

The digits come with scikit-learn as well: 1,797 of those that E. Alpaydin and C. Kaynak gave to the UCI Machine
Learning Repository in 1998 (Optical Recognition of Handwritten Digits, license CC BY 4.0). Thirteen people wrote them;
each pixel counts the dark ones in a square of 4 x 4 of the scan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncourse.errors import ArgumentError
from cnncourse.geometry.settings import whole

PHOTOGRAPHS = ("temple", "flower")
"""Names of the photographs."""

_FILES = {"temple": "china.jpg", "flower": "flower.jpg"}


def photograph(name: str = "temple", *, shrink: int = 3) -> np.ndarray:
    """One color photograph as a batch of one picture.

    Parameters
    ----------
    name : {"temple", "flower"}, optional
        A red pavilion with three green roofs between trees, a lake and a pale sky behind it; or an orange dahlia
        before dark leaves.
    shrink : int, optional
        Each square of `shrink` times `shrink` pixels is averaged into one; 1 keeps all 427 x 640 pixels.

    Returns
    -------
    ndarray of shape (1, 3, 427 // shrink, 640 // shrink), float32
        Red, green and blue in this order, from 0 (dark) to 1 (bright). A new array at each call.

    Raises
    ------
    ArgumentError
        If there is no such photograph, or `shrink` is not a whole number from 1 to 64.

    Notes
    -----
    Averaging whole squares, instead of dropping pixels, keeps fine regular structures from turning into
    patterns that are not in the picture. Rows and columns left over at the lower and right border are cut off.
    """
    if name not in _FILES:
        raise ArgumentError(f"there is no photograph {name!r}; there are {' and '.join(map(repr, PHOTOGRAPHS))}")
    size = whole("photograph: shrink", shrink, 1, 64)

    # scikit-learn takes a second to import, so only those pay who ask for a picture.
    from sklearn.datasets import load_sample_image

    pixels = np.asarray(load_sample_image(_FILES[name]))
    height, width = (extent // size for extent in pixels.shape[:2])
    squares = pixels[: height * size, : width * size].reshape(height, size, width, size, 3)
    averages = squares.mean(axis=(1, 3), dtype=np.float32) / np.float32(255)
    return np.ascontiguousarray(averages.transpose(2, 0, 1)[np.newaxis])


def digits(size: int = 8) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Handwritten digits to train on and others to test with.

    Parameters
    ----------
    size : int, optional
        Height and width, from 8, as they are, to 64; LeNet-5 takes 32.

    Returns
    -------
    x_train : ndarray of shape (1442, 1, size, size), float32
        From 0 (paper) to 1 (ink).
    y_train : ndarray of shape (1442,), int64
        The digits, 0 to 9.
    x_test : ndarray of shape (355, 1, size, size), float32
    y_test : ndarray of shape (355,), int64
        All four are new arrays at each call.

    Raises
    ------
    ArgumentError
        If `size` is not a whole number from 8 to 64.

    Notes
    -----
    Every fifth picture of each digit is for testing, so that both parts hold all digits in the same shares, today as
    tomorrow. The same people wrote both parts: the handwriting of others is harder to read.

    Pictures are enlarged by linear interpolation along both axes. Pixel i of the large picture has its center at
    (i + 1/2) 8 / size - 1/2 on the small one; beyond the outermost centers the border's value goes on. This is
    PyTorch's interpolate(mode="bilinear", align_corners=False).

    References
    ----------
    Alpaydin and Kaynak: Cascading classifiers, Kybernetika, 1998.
    """
    side = whole("digits: size", size, 8, 64)

    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    small = pixels.reshape(-1, 8, 8) / 16
    rows = _linear(8, side)
    pictures = np.ascontiguousarray((rows @ small @ rows.T)[:, np.newaxis], np.float32)
    labels = labels.astype(np.int64)
    held_out = np.zeros(len(labels), bool)
    for digit in range(10):
        held_out[np.flatnonzero(labels == digit)[4::5]] = True
    return pictures[~held_out], labels[~held_out], pictures[held_out], labels[held_out]


def digit_scene(
    size: tuple[int, int] = (160, 240), count: int = 36, *, digit_size: int = 16, gap: int = 2, part: str = "test",
    seed: int = 0,
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """A large picture with digits scattered over it, and what is where.

    Parameters
    ----------
    size : (int, int), optional
        Height and width of the picture.
    count : int, optional
        How many digits.
    digit_size : int, optional
        Height and width of each digit, as in `digits`.
    gap : int, optional
        How many pixels at least lie between two digits, and between a digit and the border.
    part : {"test", "train"}, optional
        Whether the digits are those of `digits` to test with, or those to train on.
    seed : int, optional
        Another seed gives other digits at other places.

    Returns
    -------
    scene : ndarray of shape (1, 1, height, width), float32
        From 0 (paper) to 1 (ink).
    labels : ndarray of shape (count,), int64
        The digits, 0 to 9; no picture of a digit comes twice.
    corners : ndarray of shape (count, 2), int64
        Row and column of each digit's top left pixel.

    Raises
    ------
    ArgumentError
        If a setting makes no sense, or the digits do not fit.
    """
    if part not in ("test", "train"):
        raise ArgumentError(f'digit_scene: part has to be "test" or "train", {part!r} was given')
    if count < 1 or gap < 0:
        raise ArgumentError(f"digit_scene: count has to be at least 1 and gap at least 0, {count} and {gap} were given")
    x_train, y_train, x_test, y_test = digits(digit_size)
    pictures, known = (x_test, y_test) if part == "test" else (x_train, y_train)
    if count > len(pictures):
        raise ArgumentError(f"digit_scene: there are {len(pictures)} digits to {part} with, {count} were asked for")
    rng = np.random.default_rng(seed)
    corners = _scattered(size, count, digit_size, gap, rng)
    chosen = rng.choice(len(pictures), count, replace=False)
    scene = np.zeros((1, 1, *size), np.float32)
    for (row, column), picture in zip(corners, pictures[chosen], strict=True):
        scene[0, 0, row:row + digit_size, column:column + digit_size] = picture[0]
    return scene, known[chosen], corners


@dataclass(frozen=True)
class Finds:
    """What was found in a scene, beside what is there.

    Attributes
    ----------
    right, mistaken : tuple of int
        Numbers of the digits that were found, and read rightly or taken for another digit.
    missed : tuple of int
        Numbers of the digits that were not found.
    extra : tuple of int
        Numbers of the finds where no digit is, or one that was found before.
    """

    right: tuple[int, ...]
    mistaken: tuple[int, ...]
    missed: tuple[int, ...]
    extra: tuple[int, ...]

    def __str__(self) -> str:
        there = len(self.right) + len(self.mistaken) + len(self.missed)
        return (f"{len(self.right) + len(self.mistaken)} of {there} digits found, {len(self.mistaken)} of them taken "
                f"for another digit, {len(self.extra)} found where there is none")


def compare_finds(
    found: Sequence[tuple[int, int, int]], labels: NDArray[Any], corners: NDArray[Any], tolerance: int = 4
) -> Finds:
    """Pair what was found in a scene with what is there.

    Parameters
    ----------
    found : sequence of (row, column, digit)
        Top left pixel and digit of each find; of two finds of one digit the first one counts.
    labels, corners
        As `digit_scene` returns them.
    tolerance : int, optional
        How many rows and how many columns a find may be off.

    Returns
    -------
    Finds
    """
    right: list[int] = []
    mistaken: list[int] = []
    extra: list[int] = []
    for number, (row, column, digit) in enumerate(found):
        distances = np.abs(corners - (row, column)).max(axis=1)
        nearest = int(distances.argmin())
        if distances[nearest] > tolerance or nearest in right or nearest in mistaken:
            extra.append(number)
        else:
            (right if labels[nearest] == digit else mistaken).append(nearest)
    missed = [number for number in range(len(labels)) if number not in right and number not in mistaken]
    return Finds(tuple(right), tuple(mistaken), tuple(missed), tuple(extra))


def _scattered(
    size: tuple[int, int], count: int, side: int, gap: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Corners of squares that keep their distance from each other and the border, one after the other by chance."""
    room = np.array(size) - side - 2 * gap
    corners = np.empty((0, 2), np.int64)
    for _ in range(1000 * count if room.min() >= 0 else 0):
        corner = gap + rng.integers(0, room + 1)
        if (np.abs(corners - corner).max(axis=1) >= side + gap).all():
            corners = np.concatenate([corners, corner[np.newaxis]])
            if len(corners) == count:
                return corners
    raise ArgumentError(f"digit_scene: {count} digits of {side} x {side} with gaps of {gap} do not fit into "
                        f"{size[0]} x {size[1]} pixels by chance; {len(corners)} did. A larger picture or fewer digits "
                        "will do")


def _linear(small: int, large: int) -> NDArray[np.float64]:
    """Matrix of linear interpolation from `small` points to `large` ones over the same length."""
    centers = np.clip((np.arange(large) + 0.5) * small / large - 0.5, 0, small - 1)
    return np.maximum(0, 1 - np.abs(centers[:, np.newaxis] - np.arange(small)))
