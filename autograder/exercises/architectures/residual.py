"""The residual block: a way around, forward and backward."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograder.exercises import words
from autograder.exercises.architectures.patterns import NOTEBOOK
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Formula, Misconception, exercise
from cnncourse import functional as F

Array = np.ndarray
Pair = tuple[Array, Array]


def _block(x, first, second, shortcut, stride):
    """A right answer, of which wrong ones are edits."""
    inside = F.relu(F.conv2d(x, *first, stride=stride, padding=1))
    branch = F.conv2d(inside, *second, padding=1)
    around = x if shortcut is None else F.conv2d(x, *shortcut, stride=stride)
    return F.relu(branch + around)


FORWARD = Written.of(_block)


def _joined(value: str) -> Written:
    """The two ways put together otherwise."""
    return FORWARD.edited({"F.relu(branch + around)": value})


def _draw(
    rng: np.random.Generator, shape: tuple[int, int, int, int], filters: int, stride: int = 1, projected: bool = False
) -> tuple[Any, ...]:
    def layer(k: int, c: int, side: int) -> Pair:
        return rng.standard_normal((k, c, side, side)) / side, rng.uniform(0.3, 1.0, k) * rng.choice([-1, 1], k)

    shortcut = layer(filters, shape[1], 1) if projected else None
    return (rng.standard_normal(shape) * 2, layer(filters, shape[1], 3), layer(filters, filters, 3), shortcut, stride)


@exercise("residual_forward", notebook=NOTEBOOK, points=3)
class ResidualForward:
    """A residual block: two 3x3 convolutions, and a way around them that is added before the last ReLU.

    `first` and `second` are pairs (weight, bias) of 3x3 convolutions with padding 1, the first with the given stride,
    the second with stride 1; there is a ReLU between them. What they give is added to the input, and a ReLU follows
    the addition. If `shortcut` is not None, it is the pair of a 1x1 convolution with the given stride, without padding,
    through which the input goes before it is added.
    """

    def residual_forward(x, first, second, shortcut, stride):
        return _block(x, first, second, shortcut, stride)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        yield Case("one channel, straight shortcut", _draw(rng, (1, 1, 5, 5), 1))
        yield Case("several channels, straight shortcut", _draw(rng, (1, 3, 5, 5), 3))
        yield Case("two samples, taller than wide", _draw(rng, (2, 2, 7, 4), 2))
        yield Case("more channels, 1x1 shortcut", _draw(rng, (1, 2, 4, 5), 4, projected=True))
        yield Case("as many channels, 1x1 shortcut", _draw(rng, (2, 3, 4, 4), 3, projected=True))
        yield Case("stride 2", _draw(rng, (1, 2, 6, 8), 4, 2, True))
        yield Case("stride 2, odd sizes", _draw(rng, (2, 3, 7, 5), 3, 2, True))
        yield Case("stride 2, down to one pixel", _draw(rng, (2, 2, 2, 2), 3, 2, True))
        yield Case("stride 3", _draw(rng, (1, 2, 8, 10), 2, 3, True))
        yield Case("a picture of one pixel", _draw(rng, (3, 2, 1, 1), 2))
        x, first, second, _, stride = _draw(rng, (1, 2, 5, 6), 2)
        single = [(w.astype(np.float32), b.astype(np.float32)) for w, b in (first, second)]
        yield Case("single precision", (x.astype(np.float32), *single, None, stride))
        x, *others = _draw(rng, (2, 2, 4, 12), 3, 2, True)
        yield Case("strided memory", (x[..., ::2], *others))
        x, *others = _draw(rng, (2, 3, 5, 4), 3)
        yield Case("Fortran order", (np.asfortranarray(x), *others))

    misconceptions = (
        Misconception("shortcut forgotten",
                      "The input goes around the convolutions too and is added to what they give.",
                      _joined("F.relu(branch)")),
        Misconception("ReLU before the addition",
                      "The sum is rectified, not what the convolutions give: they must be able to take something away.",
                      _joined("F.relu(branch) + around")),
        Misconception("ReLUs before and after the addition",
                      "Before the addition there is none: what the convolutions give may be negative.",
                      _joined("F.relu(F.relu(branch) + around)")),
        Misconception("no ReLU after the addition", "A ReLU follows the addition.", _joined("branch + around")),
        Misconception("no ReLU between the convolutions",
                      "A ReLU stands between the two convolutions; without it they could do no more than one.",
                      FORWARD.edited({"inside = F.relu": "inside = "})),
        Misconception("shortcut rectified", "The way around has no ReLU of its own.",
                      _joined("F.relu(branch + F.relu(around))")),
        Misconception("ReLU before each convolution",
                      "That is the order of a later variant. Here the convolutions read the input as it is.",
                      FORWARD.edited({"F.conv2d(x, *first": "F.conv2d(F.relu(x), *first",
                                      "F.relu(branch + around)": "branch + around"}),
                      also=(FORWARD.edited({"F.conv2d(x, *first": "F.conv2d(F.relu(x), *first"}),)),
        Misconception("concatenated instead of added",
                      "Both ways give arrays of the same shape, and those are added number by number: the channels do "
                      "not become more.", _joined("F.relu(np.concatenate([branch, around], axis=1))")),
        Misconception("multiplied instead of added", "The two ways are added.", _joined("F.relu(branch * around)")),
        Misconception("subtracted instead of added", "The two ways are added.", _joined("F.relu(branch - around)"),
                      also=(_joined("F.relu(around - branch)"),)),
        Misconception("averaged instead of added", "The two ways are added, not averaged.",
                      _joined("F.relu(branch + around) / x.dtype.type(2)")),
        Misconception("added before the second convolution", "The way around leads past both convolutions.",
                      _joined("F.relu(F.conv2d(inside + around, *second, padding=1))")),
        Misconception("1x1 shortcut unused",
                      "If `shortcut` is not None, the input goes through that convolution before it is added.",
                      _joined("F.relu(branch + x)"), also=(_joined("F.relu(branch + x[:, :, ::stride, ::stride])"),)),
        Misconception("shortcut's bias forgotten", "The 1x1 convolution of the shortcut has a bias too.",
                      FORWARD.edited({"*shortcut": "shortcut[0]"})),
        Misconception("stride in the second convolution",
                      "The stride belongs to the first convolution and the shortcut.",
                      FORWARD.edited({"first, stride=stride,": "first,", "*second,": "*second, stride=stride,"})),
        Misconception("stride in both convolutions",
                      "If both convolutions have the stride, what they give is smaller than what comes around.",
                      FORWARD.edited({"*second,": "*second, stride=stride,"})),
        Misconception("shortcut's stride forgotten",
                      "With a stride the branch's maps are smaller; the shortcut's convolution has to make x as small.",
                      FORWARD.edited({"*shortcut, stride=stride": "*shortcut"})),
        Misconception("padding on the shortcut",
                      "A 1x1 convolution looks at single pixels: padding would only make its output larger.",
                      FORWARD.edited({"*shortcut, stride": "*shortcut, padding=1, stride"})),
        Misconception(*words.BIASES_FORGOTTEN,
                      FORWARD.edited({"*first": "first[0]", "*second": "second[0]", "*shortcut": "shortcut[0]"})),
    )
    hints = (
        "Two ways lead from x to the addition. Write each in a line of its own and compare their shapes.",
        "Along the one way: convolution, ReLU, convolution. Along the other: nothing, or one convolution. Which ReLU "
        "is the last thing that happens?",
        "inner = conv2d(relu(conv2d(x, *first, stride=stride, padding=1)), *second, padding=1); the other way is x "
        "itself or conv2d(x, *shortcut, stride=stride). Add them, then relu.",
    )


SQUARE = "lambda x: x ** 2 - 2", "lambda g, x: 2 * x * g"
SCALED = "lambda x: -0.5 * x", "lambda g, x: -0.5 * g"
RUNNING = ("lambda x: np.cumsum(x, axis=-1) - 1",
           "lambda g, x: np.flip(np.cumsum(np.flip(g, axis=-1), axis=-1), axis=-1)")
ROWS = ("lambda x: 2 * x[:, :, ::-1] - x.sum(axis=1, keepdims=True)",
        "lambda g, x: 2 * g[:, :, ::-1] - g.sum(axis=1, keepdims=True)")
SINE = "lambda x: np.sin(2 * x)", "lambda g, x: 2 * np.cos(2 * x) * g"


def _way_back(grad_out, x, branch, branch_backward):
    """A right answer, of which wrong ones are edits."""
    total = x + branch(x)
    g = grad_out * (total > 0)
    return g + branch_backward(g, x)


BACKWARD = Written.of(_way_back)


def _let_through(condition: str) -> Written:
    """What the ReLU multiplies the gradient by."""
    return BACKWARD.edited({"(total > 0)": condition})


def _collected(value: str) -> Written:
    """What comes back along the two ways, put together otherwise."""
    return BACKWARD.edited({"g + branch_backward(g, x)": value})


@exercise("residual_backward", notebook=NOTEBOOK, points=3)
class ResidualBackward:
    """The gradient on its way down through a residual block with a straight shortcut.

    The block gave relu(x + branch(x)). `grad_out` is the gradient of the loss with respect to that; return the
    gradient with respect to x. `branch_backward(g, x)` takes a gradient with respect to branch(x) and gives the one
    with respect to x. Where the sum is exactly zero, the ReLU lets nothing through.
    """

    def residual_backward(grad_out, x, branch, branch_backward):
        g = F.relu_backward(grad_out, F.add(x, branch(x)))
        return F.add(g, branch_backward(g, x))

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def drawn(name: str, shape: tuple[int, ...], branch: tuple[str, str]) -> Case:
            return Case(name, (rng.standard_normal(shape), 2 * rng.standard_normal(shape), *map(Formula, branch)))

        yield drawn("a branch that scales", (1, 1, 4, 4), SCALED)
        yield drawn("a branch that squares", (1, 2, 3, 5), SQUARE)
        yield drawn("a branch that mixes columns", (2, 3, 4, 6), RUNNING)
        yield drawn("a branch that mixes rows and channels", (2, 3, 5, 2), ROWS)
        yield drawn("a branch that oscillates", (3, 1, 2, 7), SINE)
        x = rng.integers(-2, 3, (1, 2, 4, 5)).astype(float)
        yield Case("sums that are exactly zero", (rng.standard_normal(x.shape), x, *map(Formula, SQUARE)))
        x = -rng.uniform(0.5, 2, (1, 2, 3, 3))
        yield Case("only negative sums", (rng.standard_normal(x.shape), x, *map(Formula, SCALED)))
        x = rng.uniform(0.5, 2, (1, 2, 3, 4))
        yield Case("only positive sums", (rng.standard_normal(x.shape), x, *map(Formula, SCALED)))
        single = rng.standard_normal((2, 2, 2, 3, 4)).astype(np.float32)
        yield Case("single precision", (single[0], single[1], *map(Formula, SQUARE)))
        x, grad_out = rng.standard_normal((2, 2, 3, 8)), rng.standard_normal((2, 2, 3, 4))
        yield Case("strided memory", (grad_out, x[..., ::2], *map(Formula, RUNNING)))
        x, grad_out = rng.standard_normal((2, 3, 4, 2)), rng.standard_normal((2, 3, 4, 2))
        yield Case("Fortran order", (np.asfortranarray(grad_out), np.asfortranarray(x), *map(Formula, ROWS)))

    misconceptions = (
        Misconception("shortcut's gradient forgotten",
                      "x reaches the sum along two ways. Here the gradient comes back along one of them, through the "
                      "branch.", _collected("branch_backward(g, x)")),
        Misconception("branch's gradient forgotten",
                      "x reaches the sum along two ways. Here the gradient comes back along the shortcut only.",
                      _collected("g")),
        Misconception("ReLU forgotten", "On its way down the gradient meets the last ReLU first.", _let_through("1")),
        Misconception("ReLU judged by x", "The ReLU has looked at the sum, not at x.", _let_through("(x > 0)")),
        Misconception("ReLU judged by the branch", "The ReLU has looked at the sum, not at the branch alone.",
                      _let_through("(branch(x) > 0)")),
        Misconception("ReLU applied to the gradient",
                      "A gradient may be negative and passes all the same: what counts is whether the *sum* was "
                      "positive.", _let_through("(grad_out > 0)"),
                      also=(_collected("np.maximum(g + branch_backward(g, x), 0)"),
                            _collected("np.maximum(grad_out + branch_backward(grad_out, x), 0)"))),
        Misconception("zero let through", "Where the sum is exactly zero nothing passes.",
                      _let_through("(total >= 0)")),
        Misconception("ReLU turned around", "The gradient passes where the sum was positive.",
                      _let_through("(total <= 0)")),
        Misconception("ReLU only on the branch", "The ReLU comes after the addition: both ways go through it.",
                      _collected("grad_out + branch_backward(g, x)")),
        Misconception("ReLU only on the shortcut", "The ReLU comes after the addition: both ways go through it.",
                      _collected("g + branch_backward(grad_out, x)")),
        Misconception("paths multiplied",
                      "What comes back along two ways is added, as a change along both ways adds up.",
                      _collected("g * branch_backward(g, x)")),
        Misconception("paths averaged", "What comes back along two ways is added, not averaged.",
                      _collected("(g + branch_backward(g, x)) / g.dtype.type(2)")),
        Misconception("x instead of the shortcut's gradient", "The gradient of x with respect to x is one, not x.",
                      _collected("x + branch_backward(g, x)")),
        Misconception(*words.TIMES_OUTPUT, _let_through("np.maximum(total, 0)")),
        Misconception("branch's gradient stopped a second time",
                      "The only ReLU between the loss and the sum is the last one. What the branch does inside is the "
                      "business of branch_backward.", _collected("g + branch_backward(g * (branch(x) > 0), x)")),
        Misconception("branch taken number by number",
                      "A branch may mix numbers: its backward pass has to be given the gradient itself, not ones.",
                      _collected("g * (1 + branch_backward(np.ones_like(x), x))")),
        Misconception("branch taken at the wrong place", "branch_backward needs what went into the branch, which is x.",
                      _collected("g + branch_backward(g, total)"),
                      also=(_collected("g + branch_backward(g, branch(x))"),)),
    )
    hints = (
        "Follow the gradient down: which operation of the block does it meet first?",
        "The ReLU lets pass what stands where the sum was positive. The addition hands what is left to both of its "
        "inputs.",
        "g = grad_out * (x + branch(x) > 0). Along the shortcut g arrives unchanged, along the branch as "
        "branch_backward(g, x). What does x get, if it has two ways?",
    )
