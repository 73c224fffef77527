"""Real pictures that ship with a dependency; nothing is downloaded.

The two photographs come with scikit-learn. Both are released under the Creative Commons license CC BY 2.0:
the temple by danielbuechele, the flower by vultilion, both from flickr.com.
"""

from __future__ import annotations

import operator

import numpy as np

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
    ValueError
        If there is no such photograph, or `shrink` is not a whole number from 1 to 64.

    Notes
    -----
    Averaging whole squares, instead of dropping pixels, keeps fine regular structures from turning into
    patterns that are not in the picture. Rows and columns left over at the lower and right border are cut off.
    """
    if name not in _FILES:
        raise ValueError(f"there is no photograph {name!r}; there are {' and '.join(map(repr, PHOTOGRAPHS))}")
    try:
        size = operator.index(shrink)
    except TypeError:
        size = 0
    if not 1 <= size <= 64:
        raise ValueError(f"shrink has to be a whole number from 1 to 64, {shrink!r} was given")

    # scikit-learn takes a second to import, so only those pay who ask for a picture.
    from sklearn.datasets import load_sample_image

    pixels = np.asarray(load_sample_image(_FILES[name]))
    height, width = (extent // size for extent in pixels.shape[:2])
    squares = pixels[: height * size, : width * size].reshape(height, size, width, size, 3)
    averages = squares.mean(axis=(1, 3), dtype=np.float32) / np.float32(255)
    return np.ascontiguousarray(averages.transpose(2, 0, 1)[np.newaxis])
