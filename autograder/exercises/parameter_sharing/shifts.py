"""What sharing buys: the output moves with the input, except where the border is seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from autograder.exercises import words
from autograder.exercises.parameter_sharing.common import NOTEBOOK
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Formula, Misconception, exercise

Array = np.ndarray

LOOPS = Written("""
    def shift(x, down, right):
        H, W = x.shape[2:]
        out = np.zeros_like(x)
        for i, j in np.ndindex(H, W):
            if 0 <= i - down < H and 0 <= j - right < W:
                out[:, :, i, j] = x[:, :, i - down, j - right]
        return out
    """)


def moved(x: Array, down: int, right: int) -> Array:
    """The picture moved within its frame; zeros come in, what leaves the frame is lost."""
    height, width = x.shape[2:]
    rows, columns = np.arange(height) - down, np.arange(width) - right
    seen = ((rows >= 0) & (rows < height))[:, None] & (columns >= 0) & (columns < width)
    return np.where(seen, np.roll(x, (down, right), (2, 3)), x.dtype.type(0))


def _rolled(x: Array, down: int, right: int) -> Array:
    """What leaves the frame comes in on the other side."""
    return np.roll(x, (down, right), (2, 3))


def _moved_by_slices(x: Array, down: int, right: int) -> Array:
    """x[:, :, :-down, :-right] into out[:, :, down:, right:], which works for positive numbers only."""
    out = np.zeros_like(x)
    out[:, :, down:, right:] = x[:, :, :-down, :-right]
    return out


def _grown(x: Array, down: int, right: int) -> Array:
    """Zeros put before, which works for positive numbers only."""
    return np.pad(x, ((0, 0), (0, 0), (down, 0), (right, 0)))


def _measured(
    before: Callable[..., Array] = moved, after: Callable[..., Array] = moved,
    compared: Callable[[Array, Array], Array] = np.isclose,
) -> Callable[..., Array]:
    """How outputs agree, if the input and the output are moved in certain ways."""
    def mask(layer: Callable[[Array], Array], x: Array, down: int, right: int, stride: int) -> Array:
        return compared(layer(before(x, down * stride, right * stride)), after(layer(x), down, right))
    return mask


SUM3 = ("lambda x: sum((3 * i + j - 2) * np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))"
        "[:, :, i : i + x.shape[2], j : j + x.shape[3]] for i in range(3) for j in range(3))")
STRIDE2 = ("lambda x: sum((i - 2 * j + 2) * np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))"
           "[:, :, i : i + x.shape[2] : 2, j : j + x.shape[3] : 2] for i in range(3) for j in range(3))")
VALID = "lambda x: 2 * x[:, :, 1:, :-1] - x[:, :, :-1, 1:] + 3"


@exercise("shift_equivariance", notebook=NOTEBOOK, points=4, answers=("shift", "moves_along"))
class ShiftEquivariance:
    """Move a picture, and see where a layer's output moves along.

    shift moves every picture of a batch (N, C, H, W) down and to the right (up and to the left for negative numbers)
    within its frame: zeros come in, what leaves is lost. moves_along takes a layer, a function from arrays to arrays,
    and returns a Boolean array of the shape of layer(x): True where the layer's output on the input moved by
    (down * stride, right * stride) equals its output on x, moved by (down, right).
    """

    def shift(x, down, right):
        return moved(x, down, right)

    def moves_along(layer, x, down, right, stride):
        return _measured()(layer, x, down, right, stride)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def picture(*shape: int) -> Array:
            return rng.integers(1, 10, shape).astype(np.float64) * rng.choice([-1, 1], shape)

        yield Case("down and to the right", (picture(1, 1, 4, 5), 1, 2), "shift")
        yield Case("several pictures and channels", (picture(2, 3, 4, 3), 2, 1), "shift")
        yield Case("up and to the left", (picture(1, 2, 5, 4), -2, -1), "shift")
        yield Case("down and to the left", (picture(1, 1, 5, 6), 1, -3), "shift")
        yield Case("to the right only", (picture(1, 1, 3, 4), 0, 2), "shift")
        yield Case("up only", (picture(1, 1, 4, 3), -1, 0), "shift")
        yield Case("no shift", (picture(2, 1, 3, 3), 0, 0), "shift")
        yield Case("out of the frame", (picture(1, 1, 3, 4), 4, 1), "shift")
        yield Case("out of the frame to the left", (picture(1, 2, 4, 3), 1, -5), "shift")
        yield Case("single precision, strided", (picture(1, 2, 4, 8).astype(np.float32)[..., ::2], 1, -1), "shift")

        def case(name: str, layer: str, shape: tuple[int, ...], down: int, right: int, stride: int = 1) -> Case:
            return Case(name, (Formula(layer), picture(*shape), down, right, stride), "moves_along")

        yield case("each pixel by itself", "lambda x: np.maximum(x, 0)", (1, 1, 4, 5), 1, 2)
        yield case("a number added to each pixel", "lambda x: x + 1", (1, 2, 4, 5), 2, 1)
        yield case("a layer with padding 1", SUM3, (1, 1, 6, 7), 2, 1)
        yield case("two pictures, up and to the left", SUM3, (2, 1, 6, 5), -1, -2)
        yield case("a layer without padding", VALID, (1, 2, 5, 6), 1, -1)
        yield case("stride 2", STRIDE2, (1, 1, 9, 8), 1, 2, 2)
        yield case("stride 2, up and to the left", STRIDE2, (2, 1, 8, 10), -1, -1, 2)
        yield case("every third pixel", "lambda x: x[:, :, ::3, ::3]", (1, 1, 9, 10), 1, 2, 3)
        yield case("weights that depend on the column", "lambda x: x * np.arange(x.shape[3])", (1, 1, 4, 6), 0, 1)
        yield case("weights that depend on the row", "lambda x: x * np.arange(x.shape[2])[:, None]",
                   (1, 1, 5, 4), 1, 1)
        yield case("upside down", "lambda x: x[:, :, ::-1]", (1, 1, 6, 4), 2, 0)

    misconceptions = (
        Misconception("wraps around",
                      "What leaves the frame on one side comes in on the other: that is what np.roll does. A camera "
                      "that is moved sees something new there; here it is zeros.",
                      _rolled),
        Misconception("moved the other way",
                      "With down = 1 the picture moves down: row 0 of x is row 1 of the result.",
                      LOOPS.given("down, right = -down, -right")),
        Misconception("down and right exchanged",
                      "`down` counts rows, the third axis; `right` counts columns, the fourth.",
                      LOOPS.given("down, right = right, down")),
        Misconception("slices for positive shifts only",
                      "A slice like x[:, :, :-down] is empty for down = 0 and takes the wrong end for negative "
                      "numbers. There are three cases, or a way to count that covers them all.",
                      _moved_by_slices, also=(lambda x, d, r: _grown(x, d, r)[:, :, : x.shape[2], : x.shape[3]],)),
        Misconception("the frame grows", "The result has the shape of x: what leaves the frame is lost.", _grown,
                      also=(lambda x, d, r: np.pad(x, ((0, 0), (0, 0), (max(d, 0), max(-d, 0)),
                                                       (max(r, 0), max(-r, 0)))),)),
        Misconception(*words.EDGE_VALUES,
                      LOOPS.edited({"if 0 <= i - down < H and 0 <= j - right < W": "if True",
                                    "i - down, j - right]":
                                    "np.clip(i - down, 0, H - 1), np.clip(j - right, 0, W - 1)]"})),
        Misconception("only the first channel moved", "Every channel of every picture moves.",
                      LOOPS.ending("out[:, 1:] = x[:, 1:]")),
        Misconception("only the first picture moved", "Every picture of the batch moves.",
                      LOOPS.ending("out[1:] = x[1:]")),
        Misconception("only rows moved", "The picture moves down and to the right.", LOOPS.given("right = 0")),
        Misconception("only columns moved", "The picture moves down and to the right.", LOOPS.given("down = 0")),
        Misconception("the frame shrinks",
                      "The result has the shape of x: what leaves is lost, and zeros come in on the other side.",
                      lambda x, d, r: x[:, :, : x.shape[2] - d, : x.shape[3] - r],
                      also=(lambda x, d, r: x[:, :, max(-d, 0) : x.shape[2] - max(d, 0),
                                              max(-r, 0) : x.shape[3] - max(r, 0)],)),
        Misconception("output not moved",
                      "This asks whether the output stays the same, which would be invariance. Here it is compared "
                      "with the old output moved: equivariance.",
                      _measured(after=lambda y, d, r: y), "moves_along"),
        Misconception("input moved without the stride",
                      "A layer with stride 2 moves its output by one when its input moves by two: the input has to "
                      "move by the shift times the stride.",
                      lambda layer, x, d, r, s: _measured()(layer, x, d, r, 1), "moves_along"),
        Misconception("output moved by the stride too",
                      "The output moves by (down, right); only the input moves by stride times as much.",
                      lambda layer, x, d, r, s: np.isclose(layer(moved(x, d * s, r * s)),
                                                           moved(layer(x), d * s, r * s)), "moves_along"),
        Misconception("one answer for all",
                      "The question is where the two agree: an array with an answer for each output, not one for "
                      "the whole.",
                      lambda layer, *rest: bool(_measured()(layer, *rest).all()), "moves_along",
                      also=(lambda layer, *rest: float(_measured()(layer, *rest).mean()),
                            lambda layer, *rest: _measured()(layer, *rest).all(axis=(1, 2, 3)))),
        Misconception("difference instead of an answer",
                      "The result says whether the two are equal, True or False, not by how much they differ.",
                      _measured(compared=np.subtract), "moves_along",
                      also=(_measured(compared=lambda one, other: np.abs(one - other)),)),
        Misconception("output's down and right exchanged", "The output moves down and to the right as the input does.",
                      _measured(after=lambda y, d, r: moved(y, r, d)), "moves_along"),
        Misconception("agreement and difference exchanged", "True stands where the two are equal.",
                      lambda *a: ~_measured()(*a), "moves_along"),
        Misconception("output moved back",
                      "The output of the moved picture is compared with the old output moved the same way.",
                      _measured(after=lambda y, d, r: moved(y, -d, -r)), "moves_along"),
        Misconception("moved around the border",
                      "Both shifts lose what leaves the frame; here it comes in on the other side, as with np.roll.",
                      _measured(before=_rolled, after=_rolled), "moves_along",
                      also=(_measured(after=_rolled), _measured(before=_rolled))),
        Misconception("compared before the layer",
                      "It is the layer's output that moves along or not: call the layer on both pictures.",
                      lambda layer, x, d, r, s: np.isclose(layer(moved(x, d * s, r * s)), layer(x))
                      & np.isclose(layer(x), moved(layer(x), d, r)), "moves_along"),
    )
    hints = (
        "Row i of the result is row i - down of x, if there is such a row, and zeros otherwise. For moves_along, "
        "make two arrays and compare them entry by entry.",
        "For shift, begin with zeros and copy what stays in the frame; loops over rows and columns are fine. For "
        "moves_along: move then apply the layer, apply the layer then move; your own shift does the moving.",
        "np.arange(H) - down says from which row each row of the result comes; keep those from 0 to H - 1. Compare "
        "with np.isclose, which forgives rounding; the input moves by stride times as much as the output.",
    )
