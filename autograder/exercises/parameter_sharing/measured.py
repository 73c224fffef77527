"""A gradient by measuring: move one entry up and down, and see how the function follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.exercises.parameter_sharing.counting import NOTEBOOK
from autograder.judging.exercise import Case, Formula, Misconception, exercise

Array = np.ndarray
Function = Callable[[Array], Any]


def _quotient(below: float, above: float, width: float, kind: type = float) -> Callable[..., Array]:
    """(f(x + above h) - f(x + below h)) / (width h), entry by entry, in the precision `kind` (None: that of x)."""
    def gradient(f: Function, x: Array, step: float) -> Array:
        x = np.array(x, kind)
        found = np.zeros(x.shape)
        for index in np.ndindex(x.shape):
            low, high = x.copy(), x.copy()
            low[index] += below * step
            high[index] += above * step
            found[index] = (f(high) - f(low)) / (width * step)
        return found
    return gradient


_central = _quotient(-1, 1, 2)


def _in_the_type_of_x(f: Function, x: Array, step: float) -> Array:
    """Whole numbers are moved by whole numbers only, single precision rounds."""
    found = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        ends = []
        for sign in (-1, 1):
            end = x.copy()
            end[index] = x[index] + sign * step
            ends.append(f(end))
        found[index] = (ends[1] - ends[0]) / (2 * step)
    return found


def _result_in_the_type_of_x(f: Function, x: Array, step: float) -> Array:
    """np.zeros_like(x) holds the result: whole numbers cut it off."""
    found = np.zeros_like(x)
    with np.errstate(all="ignore"):
        found[...] = _central(f, x, step).astype(x.dtype)
    return found


def _not_moved_back(f: Function, x: Array, step: float) -> Array:
    """Every entry stays where it was moved last."""
    x = np.array(x, float)
    found = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        x[index] += step
        above = f(x)
        x[index] -= 2 * step
        found[index] = (above - f(x)) / (2 * step)
    return found


def _all_at_once(f: Function, x: Array, step: float) -> Array:
    x = np.array(x, float)
    return np.full(x.shape, (f(x + step) - f(x - step)) / (2 * step))


def _first_axis_only(f: Function, x: Array, step: float) -> Array:
    """A loop over len(x): whole rows are moved."""
    x = np.array(x, float)
    found = np.zeros(x.shape)
    for row in range(len(x)):
        low, high = x.copy(), x.copy()
        low[row] -= step
        high[row] += step
        found[row] = (f(high) - f(low)) / (2 * step)
    return found


def _in_place(f: Function, x: Array, step: float) -> Array:
    """Moves the caller's array and forgets to move it back exactly."""
    found = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        x[index] += step
        above = f(x)
        x[index] -= 2 * step
        found[index] = (above - f(x)) / (2 * step)
        x[index] += step
    return found


def _relative(f: Function, x: Array, step: float) -> Array:
    """Entries multiplied by 1 + step and 1 - step; an entry of zero does not move."""
    x = np.array(x, float)
    found = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        low, high = x.copy(), x.copy()
        low[index] *= 1 - step
        high[index] *= 1 + step
        found[index] = (f(high) - f(low)) / (2 * step)
    return found


def _lost_in_a_copy(f: Function, x: Array, step: float) -> Array:
    """reshape makes a copy of an array that does not lie in one piece: moving its entries does not move x."""
    x = x.astype(float)
    flat, found = x.reshape(-1), np.zeros(x.size)
    for index in range(x.size):
        old = flat[index]
        flat[index] = old + step
        above = f(x)
        flat[index] = old - step
        found[index] = (above - f(x)) / (2 * step)
        flat[index] = old
    return found.reshape(x.shape)


@exercise("numerical_gradient", notebook=NOTEBOOK, points=3, tolerance=1e-6)
class NumericalGradient:
    """The gradient of a function by central differences.

    f takes an array and returns a number; x is an array of any shape; `step` is a small number. Return an array of
    the shape of x, in double precision: entry by entry (f(x with the entry raised by step) - f(x with it lowered by
    step)) / (2 * step). x itself stays as it is. It may come in single precision or as whole numbers: compute in
    double precision then too.
    """

    def numerical_gradient(f, x, step):
        return _central(f, x, step)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def case(name: str, f: str, x: Array, step: float = 1e-4) -> Case:
            return Case(name, (Formula(f), x, step))

        def draw(*shape: int) -> Array:
            return rng.standard_normal(shape) + np.where(rng.random(shape) < 0.5, -0.5, 0.5)

        yield case("one number", "lambda x: x[0] ** 2", draw(1))
        yield case("a sum of squares", "lambda x: np.sum(x ** 2)", draw(4))
        yield case("different weights", "lambda x: np.sum(np.arange(1, 6) * x)", draw(5))
        yield case("a table, taller than wide", "lambda x: np.sum(x ** 3)", draw(4, 2))
        yield case("neighbors multiplied", "lambda x: np.sum(x[1:] * x[:-1])", draw(5))
        yield case("a large step: third powers", "lambda x: np.sum(x ** 3)", draw(2, 3), 0.5)
        yield case("a large step: exponentials", "lambda x: np.sum(np.exp(x[::-1] * x))", draw(3), 0.25)
        yield case("a kink at zero", "lambda x: np.sum(np.abs(x) + 2 * x)", np.array([0.0, -1.5, 2.0]), 1e-3)
        yield case("a batch of pictures", "lambda x: np.sum(x[:, :, 1:] * x[:, :, :-1] ** 2)", draw(2, 1, 3, 2))
        yield case("a product of all", "lambda x: np.prod(x)", draw(2, 2))
        yield case("single precision", "lambda x: np.sum(x ** 2 + x)", draw(2, 3).astype(np.float32))
        yield case("whole numbers", "lambda x: np.sum(x ** 2 / 2 + 0.25 * x)", rng.integers(1, 9, (2, 3)))
        yield case("strided memory", "lambda x: np.sum(x ** 2 * np.arange(1, 5))", draw(2, 7)[:, ::2])
        yield case("Fortran order", "lambda x: np.sum(x[0] * x[1])", np.asfortranarray(draw(2, 3)))

    misconceptions = (
        Misconception("forward difference",
                      "This compares f at x + step with f at x. Central differences compare two points on either side "
                      "of x; their error shrinks with the square of the step.",
                      _quotient(0, 1, 1)),
        Misconception("backward difference",
                      "This compares f at x with f at x - step. Central differences compare two points on either side.",
                      _quotient(-1, 0, 1)),
        Misconception("divided by one step",
                      "From x - step to x + step the way is two steps long.", _quotient(-1, 1, 1)),
        Misconception("moved by half a step", "The entry is raised by `step` and lowered by `step`.",
                      _quotient(-0.5, 0.5, 1)),
        Misconception("the sign turned", "f at the raised point comes first: a function that grows has a positive "
                      "gradient.", _quotient(1, -1, 2)),
        Misconception("not divided", "A slope is a difference divided by the way: divide by two steps.",
                      lambda f, x, step: _central(f, x, step) * 2 * step),
        Misconception("brackets missing",
                      "Python divides from left to right: `/ 2 * step` divides by two and multiplies by the step.",
                      lambda f, x, step: _central(f, x, step) * step**2),
        Misconception("divided once too often", "The way between the two points is two steps long: divide by it once.",
                      lambda f, x, step: _central(f, x, step) / step,
                      also=(lambda f, x, step: _central(f, x, step) / 2,)),
        Misconception("step relative to the entry",
                      "Each entry is raised and lowered by `step` itself, whatever its size.",
                      _relative),
        Misconception("step ignored", "Use the step that is given, not one of your own.",
                      lambda f, x, step: _central(f, x, 1e-5), also=(lambda f, x, step: _central(f, x, 1e-6),
                                                                     lambda f, x, step: _central(f, x, 1e-4))),
        Misconception("entries not moved back",
                      "Before the next entry is moved, this one has to stand where it was: only one differs at a time.",
                      _not_moved_back),
        Misconception("all entries moved at once",
                      "Each entry of the gradient says how f follows one entry of x while all others stay.",
                      _all_at_once, also=(lambda f, x, step: (f(x + step) - f(x - step)) / (2 * step),)),
        Misconception("whole rows moved",
                      "A loop over x goes through its first axis: x[i] is a row. Each single entry has a slope of its "
                      "own; np.ndindex(x.shape) goes through all of them.",
                      _first_axis_only),
        Misconception("computed in the type of x",
                      "In single precision differences drown in rounding, and whole numbers cannot be moved by a small "
                      "step at all. Begin with a copy in double precision.",
                      _in_the_type_of_x),
        Misconception("result in the type of x",
                      "np.zeros_like(x) makes an array of the type of x, and whole numbers cut off what comes after "
                      "the point. The result is in double precision.",
                      _result_in_the_type_of_x),
        Misconception("x is changed",
                      "x belongs to the caller. Moving an entry up and down again does not even bring it back exactly: "
                      "work on a copy.",
                      _in_place),
        Misconception("entries of a copy moved",
                      "reshape and ravel give a copy if the array does not lie in memory in one piece: then moving "
                      "its entries does not move x, and f never notices. Move entries by their index.",
                      _lost_in_a_copy),
        Misconception("slopes without sign", "Where the function falls, the gradient is negative.",
                      lambda f, x, step: np.abs(_central(f, x, step))),
    )
    hints = (
        "Which two values of f do you need for one entry of the gradient? How far are the two points apart?",
        "Loop over np.ndindex(x.shape). For each index make two copies of x in double precision, one with the entry "
        "raised, one with it lowered.",
        "x.astype(float) makes a copy in double precision. Inside of the loop the entry is "
        "(f(raised) - f(lowered)) / (2 * step).",
    )
