"""Pictures that move: more to learn from, at no cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from autograder.exercises.training import common
from autograder.exercises.training.common import NOTEBOOK, Array
from autograder.judging.exercise import Case, Misconception, exercise


def shifted(x: Array, down: Array, right: Array) -> Array:
    """Each picture moved by its own numbers of rows and columns; zeros come in, what goes out is lost."""
    height, width = x.shape[2:]
    rows = np.arange(height)[None, :, None] - down[:, None, None]
    columns = np.arange(width)[None, None, :] - right[:, None, None]
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    samples = np.arange(len(x))[:, None, None]
    moved = x[samples, :, np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)]
    return np.moveaxis(np.where(inside[..., None], moved, moved.dtype.type(0)), -1, 1)


def _rolled(x: Array, down: Array, right: Array) -> Array:
    return np.stack([np.roll(picture, (d, r), axis=(1, 2)) for picture, d, r in zip(x, down, right, strict=True)])


def _edges(x: Array, down: Array, right: Array) -> Array:
    far = 1 + int(max(np.abs(down).max(), np.abs(right).max()))
    wide = np.pad(x, ((0, 0), (0, 0), (far, far), (far, far)), mode="edge")
    return shifted(wide, down, right)[:, :, far:-far, far:-far]


def _sliced(x: Array, down: Array, right: Array) -> Array:
    """Slices that are right as long as no number in them is negative."""
    moved = np.zeros_like(x)
    for n, (d, r) in enumerate(zip(down, right, strict=True)):
        moved[n, :, d:, r:] = x[n, :, : x.shape[2] - d, : x.shape[3] - r]
    return moved


def _everywhere(number: int) -> Callable[[Array, Array, Array], Array]:
    """The shift of one picture for all."""
    return lambda x, down, right: shifted(x, np.full_like(down, down[number]), np.full_like(right, right[number]))


@exercise("shift_pictures", notebook=NOTEBOOK, points=3)
class ShiftPictures:
    """Move each picture of a batch by a few pixels.

    x has shape (N, C, H, W); down and right hold a whole number for each picture: by how many rows it moves down and
    by how many columns to the right, up and to the left if negative. Return an array of the shape of x. Zeros come in
    at one side, what moves out at the other side is lost.
    """

    def shift_pictures(x, down, right):
        return shifted(x, down, right)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def pictures(*shape: int) -> Array:
            return rng.uniform(0.5, 2, shape) * rng.choice([-1.0, 1.0], shape)

        def case(name: str, shape: tuple[int, ...], down: list[int], right: list[int]) -> Case:
            return Case(name, (pictures(*shape), np.array(down), np.array(right)))

        yield case("one picture, one row down", (1, 1, 3, 3), [1], [0])
        yield case("one picture, one column to the right", (1, 1, 3, 4), [0], [1])
        yield case("up and to the left", (1, 1, 4, 4), [-1], [-2])
        yield case("pictures with shifts of their own", (3, 1, 4, 4), [1, 0, -1], [0, -1, 1])
        yield case("no shift", (2, 1, 3, 3), [0, 0], [0, 0])
        yield case("taller than wide", (2, 1, 5, 3), [2, -1], [1, -1])
        yield case("wider than tall, three channels", (2, 3, 3, 5), [-1, 1], [2, -2])
        yield case("moved out of sight", (2, 1, 3, 4), [3, 1], [0, -4])
        yield case("moved further than the picture is large", (2, 1, 3, 3), [5, 0], [0, -4])
        yield Case("single precision", (pictures(2, 1, 4, 3).astype(np.float32), np.array([1, -1]), np.array([-1, 1])))
        yield Case("strided memory", (common.strided(pictures(2, 2, 4, 3)), np.array([1, -2]), np.array([1, 0])))

    misconceptions = (
        Misconception("wrapped around",
                      "What moves out at one side is lost. np.roll brings it in again at the other side, and a digit "
                      "would get a piece of itself at its back.", _rolled),
        Misconception("all directions turned around",
                      "Rows are counted from the top: row 0 moves to row 1 if down is 1. Here it moves up.",
                      lambda x, d, r: shifted(x, -d, -r)),
        Misconception("up instead of down", "Rows are counted from the top: row 0 moves to row 1 if down is 1.",
                      lambda x, d, r: shifted(x, -d, r)),
        Misconception("left instead of right", "Column 0 moves to column 1 if right is 1.",
                      lambda x, d, r: shifted(x, d, -r)),
        Misconception("rows and columns exchanged", "down moves along axis 2, the rows; right along axis 3.",
                      lambda x, d, r: shifted(x, r, d)),
        Misconception("one shift for all pictures", "Each picture has its own numbers, down[n] and right[n].",
                      _everywhere(0), also=(_everywhere(-1),)),
        Misconception("edge values come in", "What comes in at the border is zeros, the color of paper.", _edges),
        Misconception("old pixels left behind",
                      "Where the picture has moved away nothing is left of it: begin with zeros, not with a copy.",
                      lambda x, d, r: np.where(shifted(np.ones_like(x), d, r) > 0, shifted(x, d, r), x)),
        Misconception("only the rows moved", "The picture moves along both axes.",
                      lambda x, d, r: shifted(x, d, 0 * r)),
        Misconception("only the columns moved", "The picture moves along both axes.",
                      lambda x, d, r: shifted(x, 0 * d, r)),
        Misconception("size of the shift only", "A negative number moves the picture the other way.",
                      lambda x, d, r: shifted(x, np.abs(d), np.abs(r))),
        Misconception("slices with negative numbers",
                      "In a slice a negative number counts from the end. A picture that moves up or to the left needs "
                      "slices of its own, or room around the picture.", _sliced),
        Misconception("channels and rows taken for rows and columns",
                      "Without the batch's axis a picture is (C, H, W): its rows are axis 1 and its columns axis 2.",
                      lambda x, d, r: np.stack([np.roll(picture, (i, j), axis=(0, 1))
                                                for picture, i, j in zip(x, d, r, strict=True)])),
        Misconception("only the first picture", "All pictures of the batch are moved.",
                      lambda x, d, r: np.concatenate([shifted(x[:1], d[:1], r[:1]), np.zeros_like(x[1:])]),
                      also=(lambda x, d, r: np.concatenate([shifted(x[:1], d[:1], r[:1]), x[1:]]),)),
        Misconception("both numbers added up", "down moves the rows, right the columns, each by itself.",
                      lambda x, d, r: shifted(x, d + r, 0 * r), also=(lambda x, d, r: shifted(x, 0 * d, d + r),)),
        Misconception("two moved copies added", "One picture is moved along both axes, one after the other.",
                      lambda x, d, r: shifted(x, d, 0 * r) + shifted(x, 0 * d, r)),
        Misconception("one pixel at most", "A picture may move by more than one pixel.",
                      lambda x, d, r: shifted(x, np.sign(d), np.sign(r))),
        Misconception("ones come in", "What comes in at the border is zeros, the color of paper.",
                      lambda x, d, r: np.where(shifted(np.ones_like(x), d, r) > 0, shifted(x, d, r), 1)),
    )
    hints = (
        "Moving a picture of 3 rows down by 1: which rows of the result come from which rows of the picture?",
        "Put each picture into a larger array of zeros, so that nothing is lost, and cut the result out at the right "
        "place; or loop over the pixels and ask whether each one is still inside.",
        "With m zeros around it on all sides, where m is the largest shift, the moved picture is the block of H rows "
        "that begins at row m - down[n] and of W columns that begins at column m - right[n].",
    )
