"""The residual block: a way around, forward and backward."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.exercises.architectures.patterns import NOTEBOOK
from autograder.judging.exercise import Case, Formula, Misconception, exercise
from cnncourse import functional as F

Array = np.ndarray
Pair = tuple[Array, Array]


def _around(x: Array, shortcut: Pair | None, stride: int) -> Array:
    return x if shortcut is None else F.conv2d(x, *shortcut, stride=stride)


def _inner(x: Array, first: Pair, second: Pair, stride: int, between: Callable[[Array], Array] = F.relu) -> Array:
    return F.conv2d(between(F.conv2d(x, *first, stride=stride, padding=1)), *second, padding=1)


def _right(x: Array, first: Pair, second: Pair, shortcut: Pair | None, stride: int) -> Array:
    return F.relu(F.add(_inner(x, first, second, stride), _around(x, shortcut, stride)))


def _bare(x: Array) -> Array:
    return x


def _side_by_side(x: Array, first: Pair, second: Pair, shortcut: Pair | None, stride: int) -> Array:
    return np.asarray(F.relu(np.concatenate([_inner(x, first, second, stride), _around(x, shortcut, stride)], axis=1)))


def _added_early(x: Array, first: Pair, second: Pair, shortcut: Pair | None, stride: int) -> Array:
    """The way around ends before the second convolution."""
    inside = F.relu(F.conv2d(x, *first, stride=stride, padding=1))
    return F.relu(F.conv2d(inside + _around(x, shortcut, stride), *second, padding=1))


def _stride_in_second(x: Array, first: Pair, second: Pair, shortcut: Pair | None, stride: int) -> Array:
    inside = F.relu(F.conv2d(x, *first, padding=1))
    return F.relu(F.conv2d(inside, *second, stride=stride, padding=1) + _around(x, shortcut, stride))


def _stride_in_both(x: Array, first: Pair, second: Pair, shortcut: Pair | None, stride: int) -> Array:
    inside = F.relu(F.conv2d(x, *first, stride=stride, padding=1))
    return F.relu(F.conv2d(inside, *second, stride=stride, padding=1) + _around(x, shortcut, stride))


def _shortcut_unused(x: Array, first: Pair, second: Pair, shortcut: Pair | None, stride: int) -> Array:
    return F.relu(_inner(x, first, second, stride) + x)


def _shortcut_cut(x: Array, first: Pair, second: Pair, shortcut: Pair | None, stride: int) -> Array:
    """The input without its skipped pixels, where the 1x1 convolution should be."""
    return F.relu(_inner(x, first, second, stride) + x[:, :, ::stride, ::stride])


def _rectified(pair: Pair | None, x: Array, stride: int) -> Array:
    return F.relu(_around(x, pair, stride))


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
        return _right(x, first, second, shortcut, stride)

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
                      lambda x, a, b, c, s: F.relu(_inner(x, a, b, s))),
        Misconception("ReLU before the addition",
                      "The sum is rectified, not what the convolutions give: they must be able to take something away.",
                      lambda x, a, b, c, s: F.relu(_inner(x, a, b, s)) + _around(x, c, s)),
        Misconception("ReLUs before and after the addition",
                      "Before the addition there is none: what the convolutions give may be negative.",
                      lambda x, a, b, c, s: F.relu(F.relu(_inner(x, a, b, s)) + _around(x, c, s))),
        Misconception("no ReLU after the addition", "A ReLU follows the addition.",
                      lambda x, a, b, c, s: _inner(x, a, b, s) + _around(x, c, s)),
        Misconception("no ReLU between the convolutions",
                      "A ReLU stands between the two convolutions; without it they could do no more than one.",
                      lambda x, a, b, c, s: F.relu(_inner(x, a, b, s, _bare) + _around(x, c, s))),
        Misconception("shortcut rectified", "The way around has no ReLU of its own.",
                      lambda x, a, b, c, s: F.relu(_inner(x, a, b, s) + _rectified(c, x, s))),
        Misconception("ReLU before each convolution",
                      "That is the order of a later variant. Here the convolutions read the input as it is.",
                      lambda x, a, b, c, s: _inner(F.relu(x), a, b, s) + _around(x, c, s),
                      also=(lambda x, a, b, c, s: F.relu(_inner(F.relu(x), a, b, s) + _around(x, c, s)),)),
        Misconception("concatenated instead of added",
                      "Both ways give arrays of the same shape, and those are added number by number: the channels do "
                      "not become more.",
                      _side_by_side),
        Misconception("multiplied instead of added", "The two ways are added.",
                      lambda x, a, b, c, s: F.relu(_inner(x, a, b, s) * _around(x, c, s))),
        Misconception("subtracted instead of added", "The two ways are added.",
                      lambda x, a, b, c, s: F.relu(_inner(x, a, b, s) - _around(x, c, s)),
                      also=(lambda x, a, b, c, s: F.relu(_around(x, c, s) - _inner(x, a, b, s)),)),
        Misconception("averaged instead of added", "The two ways are added, not averaged.",
                      lambda x, a, b, c, s: F.relu((_inner(x, a, b, s) + _around(x, c, s)) / x.dtype.type(2))),
        Misconception("added before the second convolution", "The way around leads past both convolutions.",
                      _added_early),
        Misconception("1x1 shortcut unused",
                      "If `shortcut` is not None, the input goes through that convolution before it is added.",
                      _shortcut_unused, also=(_shortcut_cut,)),
        Misconception("shortcut's bias forgotten", "The 1x1 convolution of the shortcut has a bias too.",
                      lambda x, a, b, c, s: F.relu(_inner(x, a, b, s) + (x if c is None
                                                                         else F.conv2d(x, c[0], stride=s)))),
        Misconception("stride in the second convolution",
                      "The stride belongs to the first convolution and the shortcut.",
                      _stride_in_second),
        Misconception("stride in both convolutions",
                      "If both convolutions have the stride, what they give is smaller than what comes around.",
                      _stride_in_both),
        Misconception("shortcut's stride forgotten",
                      "With a stride the branch's maps are smaller; the shortcut's convolution has to make x as small.",
                      lambda x, a, b, c, s: F.relu(_inner(x, a, b, s) + _around(x, c, 1))),
        Misconception("padding on the shortcut",
                      "A 1x1 convolution looks at single pixels: padding would only make its output larger.",
                      lambda x, a, b, c, s: F.relu(_inner(x, a, b, s) + (x if c is None else F.conv2d(
                          x, *c, stride=s, padding=1)))),
        Misconception("biases forgotten", "Each convolution is a pair: weight and bias.",
                      lambda x, a, b, c, s: _right(x, (a[0], 0 * a[1]), (b[0], 0 * b[1]),
                                                   None if c is None else (c[0], 0 * c[1]), s)),
    )
    hints = (
        "Two ways lead from x to the addition. Write each in a line of its own and compare their shapes.",
        "Along the one way: convolution, ReLU, convolution. Along the other: nothing, or one convolution. Which ReLU "
        "is the last thing that happens?",
        "inner = conv2d(relu(conv2d(x, *first, stride=stride, padding=1)), *second, padding=1); the other way is x "
        "itself or conv2d(x, *shortcut, stride=stride). Add them, then relu.",
    )


def _through(
    mask: Callable[[Array, Array, Array], Array], join: Callable[[Array, Array], Array] = np.add,
) -> Callable[..., Array]:
    """Both paths of a gradient that was multiplied by `mask(x, what the branch gave, grad_out)`."""
    def backward(grad_out: Array, x: Array, branch: Any, branch_backward: Any) -> Array:
        g = grad_out * mask(x, branch(x), grad_out)
        return join(g, branch_backward(g, x))
    return backward


def _positive(x: Array, inner: Array, grad_out: Array) -> Array:
    return x + inner > 0


def _paths_masked(shortcut: bool, branch_too: bool) -> Callable[..., Array]:
    """Only one of the two paths goes through the ReLU."""
    def backward(grad_out: Array, x: Array, branch: Any, branch_backward: Any) -> Array:
        g = grad_out * (x + branch(x) > 0)
        return (g if shortcut else grad_out) + branch_backward(g if branch_too else grad_out, x)
    return backward


SQUARE = "lambda x: x ** 2 - 2", "lambda g, x: 2 * x * g"
SCALED = "lambda x: -0.5 * x", "lambda g, x: -0.5 * g"
RUNNING = ("lambda x: np.cumsum(x, axis=-1) - 1",
           "lambda g, x: np.flip(np.cumsum(np.flip(g, axis=-1), axis=-1), axis=-1)")
ROWS = ("lambda x: 2 * x[:, :, ::-1] - x.sum(axis=1, keepdims=True)",
        "lambda g, x: 2 * g[:, :, ::-1] - g.sum(axis=1, keepdims=True)")
SINE = "lambda x: np.sin(2 * x)", "lambda g, x: 2 * np.cos(2 * x) * g"


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
                      "branch.",
                      _through(_positive, lambda g, inner: inner)),
        Misconception("branch's gradient forgotten",
                      "x reaches the sum along two ways. Here the gradient comes back along the shortcut only.",
                      lambda grad_out, x, branch, back: grad_out * (x + branch(x) > 0)),
        Misconception("ReLU forgotten", "On its way down the gradient meets the last ReLU first.",
                      _through(lambda x, inner, g: np.ones_like(x))),
        Misconception("ReLU judged by x", "The ReLU has looked at the sum, not at x.", _through(lambda x, i, g: x > 0)),
        Misconception("ReLU judged by the branch", "The ReLU has looked at the sum, not at the branch alone.",
                      _through(lambda x, inner, g: inner > 0)),
        Misconception("ReLU applied to the gradient",
                      "A gradient may be negative and passes all the same: what counts is whether the *sum* was "
                      "positive.",
                      _through(lambda x, inner, g: g > 0),
                      also=(lambda g, x, branch, back: F.relu(_through(_positive)(g, x, branch, back)),
                            lambda g, x, branch, back: F.relu(g + back(g, x)))),
        Misconception("zero let through", "Where the sum is exactly zero nothing passes.",
                      _through(lambda x, inner, g: x + inner >= 0)),
        Misconception("ReLU turned around", "The gradient passes where the sum was positive.",
                      _through(lambda x, inner, g: x + inner <= 0)),
        Misconception("ReLU only on the branch", "The ReLU comes after the addition: both ways go through it.",
                      _paths_masked(shortcut=False, branch_too=True)),
        Misconception("ReLU only on the shortcut", "The ReLU comes after the addition: both ways go through it.",
                      _paths_masked(shortcut=True, branch_too=False)),
        Misconception("paths multiplied",
                      "What comes back along two ways is added, as a change along both ways adds up.",
                      _through(_positive, np.multiply)),
        Misconception("paths averaged", "What comes back along two ways is added, not averaged.",
                      _through(_positive, lambda g, inner: (g + inner) / g.dtype.type(2))),
        Misconception("x instead of the shortcut's gradient", "The gradient of x with respect to x is one, not x.",
                      lambda grad_out, x, branch, back: (lambda g: x + back(g, x))(grad_out * (x + branch(x) > 0))),
        Misconception("multiplied by the output",
                      "The ReLU lets the gradient pass or stops it; how large the sum was does not matter.",
                      _through(lambda x, inner, g: np.maximum(x + inner, 0))),
        Misconception("branch's gradient stopped a second time",
                      "The only ReLU between the loss and the sum is the last one. What the branch does inside is the "
                      "business of branch_backward.",
                      lambda g, x, branch, back: g * (x + branch(x) > 0) + back(
                          g * (x + branch(x) > 0) * (branch(x) > 0), x)),
        Misconception("branch taken number by number",
                      "A branch may mix numbers: its backward pass has to be given the gradient itself, not ones.",
                      lambda g, x, branch, back: g * (x + branch(x) > 0) * (1 + back(np.ones_like(x), x))),
        Misconception("branch taken at the wrong place",
                      "branch_backward needs what went into the branch, which is x.",
                      lambda grad_out, x, branch, back: (lambda s: grad_out * (s > 0) + back(grad_out * (s > 0), s))(
                          x + branch(x)),
                      also=(lambda grad_out, x, branch, back: (lambda s: grad_out * (s > 0)
                                                               + back(grad_out * (s > 0), branch(x)))(x + branch(x)),)),
    )
    hints = (
        "Follow the gradient down: which operation of the block does it meet first?",
        "The ReLU lets pass what stands where the sum was positive. The addition hands what is left to both of its "
        "inputs.",
        "g = grad_out * (x + branch(x) > 0). Along the shortcut g arrives unchanged, along the branch as "
        "branch_backward(g, x). What does x get, if it has two ways?",
    )
