"""A gradient by measuring: move one entry up and down, and see how the function follows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.exercises.parameter_sharing.common import NOTEBOOK
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Formula, Misconception, exercise

Array = np.ndarray

ON_COPIES = Written("""
    def numerical_gradient(f, x, step):
        kind = x.dtype
        x = np.array(x, float)
        out = np.zeros(x.shape)
        for index in np.ndindex(x.shape):
            high, low = x.copy(), x.copy()
            high[index] += step
            low[index] -= step
            out[index] = (f(high) - f(low)) / (2 * step)
        return out
    """)
IN_ONE_ARRAY = Written("""
    def numerical_gradient(f, x, step):
        moved = x = np.array(x, float)
        out = np.zeros(x.shape)
        for index in np.ndindex(x.shape):
            moved[index] += step
            above = f(x)
            moved[index] -= 2 * step
            out[index] = (above - f(x)) / (2 * step)
            moved[index] = moved[index] + step
        return out
    """)


def _between(up: str, down: str, way: str) -> Written:
    """The slope from another lower point to another upper one."""
    return ON_COPIES.edited({"+= step": f"+= {up}", "-= step": f"-= {down}", "(2 * step)": way})


def _divided(by: str) -> Written:
    """The right difference, divided by something else."""
    return ON_COPIES.edited({" / (2 * step)": by})


@exercise("numerical_gradient", notebook=NOTEBOOK, points=3, tolerance=1e-6)
class NumericalGradient:
    """The gradient of a function by central differences.

    f takes an array and returns a number; x is an array of any shape; `step` is a small number. Return an array of
    the shape of x, in double precision: entry by entry (f(x with the entry raised by step) - f(x with it lowered by
    step)) / (2 * step). x itself stays as it is. It may come in single precision or as whole numbers: compute in
    double precision then too.
    """

    def numerical_gradient(f, x, step):
        return ON_COPIES(f, x, step)

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
                      _between("step", "0", "step")),
        Misconception("backward difference",
                      "This compares f at x with f at x - step. Central differences compare two points on either side.",
                      _between("0", "step", "step")),
        Misconception("divided by one step",
                      "From x - step to x + step the way is two steps long.", _divided(" / step")),
        Misconception("moved by half a step", "The entry is raised by `step` and lowered by `step`.",
                      _between("step / 2", "step / 2", "step")),
        Misconception("the sign turned", "f at the raised point comes first: a function that grows has a positive "
                      "gradient.", ON_COPIES.edited({"f(high) - f(low)": "f(low) - f(high)"})),
        Misconception("difference not divided", "A slope is a difference divided by the way: divide by two steps.",
                      _divided("")),
        Misconception("brackets missing",
                      "Python divides from left to right: `/ 2 * step` divides by two and multiplies by the step.",
                      _divided(" / 2 * step")),
        Misconception("divided once too often", "The way between the two points is two steps long: divide by it once.",
                      _divided(" / (2 * step) / step"), also=(_divided(" / (2 * step) / 2"),)),
        Misconception("step relative to the entry",
                      "Each entry is raised and lowered by `step` itself, whatever its size.",
                      ON_COPIES.edited({"+= step": "*= 1 + step", "-= step": "*= 1 - step"})),
        Misconception("step ignored", "Use the step that is given, not one of your own.",
                      ON_COPIES.given("step = 1e-5"),
                      also=(ON_COPIES.given("step = 1e-6"), ON_COPIES.given("step = 1e-4"))),
        Misconception("entries not moved back",
                      "Before the next entry is moved, this one has to stand where it was: only one differs at a time.",
                      IN_ONE_ARRAY.edited({"moved[index] = moved[index] + step": "pass"})),
        Misconception("all entries moved at once",
                      "Each entry of the gradient says how f follows one entry of x while all others stay.",
                      ON_COPIES.edited({"high[index] +=": "high +=", "low[index] -=": "low -="}),
                      also=(lambda f, x, step: (f(x + step) - f(x - step)) / (2 * step),)),
        Misconception("whole rows moved",
                      "A loop over x goes through its first axis: x[i] is a row. Each single entry has a slope of its "
                      "own; np.ndindex(x.shape) goes through all of them.",
                      ON_COPIES.edited({"np.ndindex(x.shape)": "range(len(x))"})),
        Misconception("computed in the type of x",
                      "In single precision differences drown in rounding, and whole numbers cannot be moved by a small "
                      "step at all. Begin with a copy in double precision.",
                      ON_COPIES.edited({"x = np.array(x, float)": "x = x.copy()"})),
        Misconception("result in the type of x",
                      "np.zeros_like(x) makes an array of the type of x, and whole numbers cut off what comes after "
                      "the point. The result is in double precision.",
                      ON_COPIES.edited({"np.zeros(x.shape)": "np.zeros(x.shape, kind)"})),
        Misconception("x is changed",
                      "x belongs to the caller. Moving an entry up and down again does not even bring it back exactly: "
                      "work on a copy.",
                      IN_ONE_ARRAY.edited({"moved = x = np.array(x, float)": "moved = x"})),
        Misconception("entries of a copy moved",
                      "reshape and ravel give a copy if the array does not lie in memory in one piece: then moving "
                      "its entries does not move x, and f never notices. Move entries by their index.",
                      IN_ONE_ARRAY.edited({"moved = x = np.array(x, float)":
                                           "x = x.astype(float); moved = x.reshape(-1).reshape(x.shape)"})),
        Misconception("slopes without sign", "Where the function falls, the gradient is negative.",
                      ON_COPIES.ending("out = np.abs(out)")),
    )
    hints = (
        "Which two values of f do you need for one entry of the gradient? How far are the two points apart?",
        "Loop over np.ndindex(x.shape). For each index make two copies of x in double precision, one with the entry "
        "raised, one with it lowered.",
        "x.astype(float) makes a copy in double precision. Inside of the loop the entry is "
        "(f(raised) - f(lowered)) / (2 * step).",
    )
