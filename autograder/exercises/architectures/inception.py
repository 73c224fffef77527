"""The Inception block: several layers side by side, joined along the channels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from autograder.exercises import words
from autograder.exercises.architectures.patterns import NOTEBOOK
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F

Array = np.ndarray
Pair = tuple[Array, Array]
Filters = tuple[int, int, int, int, int, int]


def _conv(x: Array, layer: Pair) -> Array:
    weight, bias = layer
    return F.conv2d(x, weight, bias, padding=weight.shape[2] // 2)


def _bare(x: Array) -> Array:
    return x


def _max(x: Array) -> Array:
    return F.max_pool2d(x, 3, 1, padding=1)


def _max_of_zeros(x: Array) -> Array:
    """Pooling over an input that was padded with zeros."""
    return F.max_pool2d(np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))), 3, 1)


def _branches(
    x: Array, one: Pair, before_three: Pair, three: Pair, before_five: Pair, five: Pair, after_pool: Pair, *,
    conv: Callable[[Array, Pair], Array] = _conv, inside: Callable[[Array], Array] = F.relu,
    outside: Callable[[Array], Array] = F.relu, pool: Callable[[Array], Array] = _max,
) -> list[Array]:
    """The four branches, with other things in the places of their parts."""
    return [
        outside(conv(x, one)),
        outside(conv(inside(conv(x, before_three)), three)),
        outside(conv(inside(conv(x, before_five)), five)),
        outside(conv(pool(x), after_pool)),
    ]


_SIDE_BY_SIDE = partial(np.concatenate, axis=1)


def _joined(
    join: Callable[[Sequence[Array]], Array] = _SIDE_BY_SIDE, **parts: Any
) -> Callable[..., Array]:
    return lambda *arguments: join(_branches(*arguments, **parts))


def _summed(branches: Sequence[Array]) -> Array:
    first, *others = branches
    for other in others:
        first = first + other
    return first


def _projected_first(x: Array, *layers: Pair) -> Array:
    *branches, _ = _branches(x, *layers)
    return np.concatenate([*branches, _max(F.relu(_conv(x, layers[-1])))], axis=1)


def _pool_not_rectified(x: Array, *layers: Pair) -> Array:
    *branches, _ = _branches(x, *layers)
    return np.concatenate([*branches, _conv(_max(x), layers[-1])], axis=1)


def _all_joined(x: Array, one: Pair, before_three: Pair, three: Pair, before_five: Pair, *others: Pair) -> Array:
    ends = _branches(x, one, before_three, three, before_five, *others)
    between = [F.relu(_conv(x, layer)) for layer in (before_three, before_five)]
    return np.concatenate([ends[0], between[0], ends[1], between[1], *ends[2:]], axis=1)


def _padding_left_out(x: Array, layer: Pair) -> Array:
    if x.shape[2] < layer[0].shape[2] or x.shape[3] < layer[0].shape[3]:
        raise ValueError("negative dimensions are not allowed")
    return F.conv2d(x, *layer)


def _draw(
    rng: np.random.Generator, shape: tuple[int, int, int, int], filters: Filters, low: float = -1.5
) -> tuple[Any, ...]:
    """A picture and the six layers; biases far enough from zero that forgetting one shows."""
    one, before_three, three, before_five, five, after_pool = filters
    sizes = ((one, shape[1], 1), (before_three, shape[1], 1), (three, before_three, 3), (before_five, shape[1], 1),
             (five, before_five, 5), (after_pool, shape[1], 1))
    layers = tuple((rng.standard_normal((k, c, side, side)), rng.uniform(0.3, 1.0, k) * rng.choice([-1, 1], k))
                   for k, c, side in sizes)
    return rng.uniform(low, low + 3, shape), *layers


@exercise("inception_forward", notebook=NOTEBOOK, points=4)
class InceptionForward:
    """An Inception block: four branches read the same input and are joined along the channels.

    Each layer is a pair (weight, bias). The branches, in the order of the output's channels: `one` (1x1);
    `before_three` (1x1), then `three` (3x3, padding 1); `before_five` (1x1), then `five` (5x5, padding 2); max pooling
    of 3x3 with stride 1 and padding 1, then `after_pool` (1x1). Every convolution is followed by a ReLU.
    """

    def inception_forward(x, one, before_three, three, before_five, five, after_pool):
        return F.concatenate(_branches(x, one, before_three, three, before_five, five, after_pool))

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        yield Case("one filter in every layer", _draw(rng, (1, 1, 5, 5), (1, 1, 1, 1, 1, 1)))
        yield Case("the same number of filters in every branch", _draw(rng, (1, 3, 6, 6), (2, 3, 2, 1, 2, 2)))
        yield Case("different numbers of filters", _draw(rng, (1, 4, 6, 6), (2, 3, 4, 1, 3, 1)))
        yield Case("two samples", _draw(rng, (2, 3, 5, 5), (1, 2, 2, 2, 1, 3)))
        yield Case("taller than wide", _draw(rng, (1, 2, 8, 4), (2, 1, 3, 2, 2, 1)))
        yield Case("wider than tall", _draw(rng, (2, 3, 3, 7), (1, 2, 3, 1, 2, 2)))
        yield Case("only negative inputs", _draw(rng, (1, 3, 4, 5), (2, 2, 1, 2, 2, 2), low=-4))
        yield Case("a picture of one pixel", _draw(rng, (2, 3, 1, 1), (2, 2, 3, 1, 1, 2)))
        x, *layers = _draw(rng, (1, 3, 5, 4), (2, 2, 2, 1, 2, 1))
        yield Case("single precision",
                   (x.astype(np.float32), *((w.astype(np.float32), b.astype(np.float32)) for w, b in layers)))
        x, *layers = _draw(rng, (2, 2, 4, 12), (1, 2, 2, 1, 1, 2))
        yield Case("strided memory", (x[..., ::2], *layers))
        x, *layers = _draw(rng, (2, 3, 5, 6), (2, 1, 1, 2, 2, 1))
        yield Case("Fortran order", (np.asfortranarray(x), *layers))

    misconceptions = (
        Misconception("branches added up",
                      "Branches are put side by side, not added: each keeps its own channels in the output.",
                      _joined(join=_summed)),
        Misconception("joined along the wrong axis",
                      "In an array of shape (N, C, H, W) the channels are axis 1. The branches agree in all other "
                      "sizes.", _joined(join=partial(np.concatenate, axis=0)),
                      also=tuple(_joined(join=partial(np.concatenate, axis=axis)) for axis in (2, 3))),
        Misconception("branches in another order",
                      "The order is 1x1, 3x3, 5x5, pooling: the layer after the block expects its channels there.",
                      _joined(join=lambda b: np.concatenate([b[0], b[2], b[1], b[3]], axis=1)),
                      also=(_joined(join=lambda b: np.concatenate([b[3], *b[:3]], axis=1)),
                            _joined(join=lambda b: np.concatenate(b[::-1], axis=1)))),
        Misconception("1x1 layers before others joined too",
                      "What stands before the 3x3 and the 5x5 layer is not an output of the block: only the ends of "
                      "the four branches are joined.", _all_joined),
        Misconception("branches not joined", "The four branches become one array: they are joined along the channels.",
                      _joined(join=tuple)),  # type: ignore[arg-type]
        Misconception("pooling branch left out", "There are four branches: one begins with pooling.",
                      _joined(join=lambda b: np.concatenate(b[:3], axis=1))),
        Misconception("1x1 branch left out", "There are four branches: one is a single 1x1 convolution.",
                      _joined(join=lambda b: np.concatenate(b[1:], axis=1))),
        Misconception("no ReLU at the end of branches", "Every convolution is followed by a ReLU, the last ones too.",
                      _joined(outside=_bare)),
        Misconception("no ReLU after the pooling branch", "Every convolution is followed by a ReLU, this one too.",
                      _pool_not_rectified),
        Misconception("no ReLU inside of branches",
                      "Every convolution is followed by a ReLU, the 1x1 ones before 3x3 and 5x5 too. Without it two "
                      "convolutions in a row are one.", _joined(inside=_bare)),
        Misconception("no ReLU at all", "Every convolution is followed by a ReLU.",
                      _joined(inside=_bare, outside=_bare)),
        Misconception("nothing pooled", "The fourth branch looks for the largest neighbor first, then comes its 1x1.",
                      _joined(pool=_bare)),
        Misconception("pooled after the convolution",
                      "In the fourth branch pooling comes first, then the 1x1 convolution.", _projected_first),
        Misconception(*words.AVERAGE, _joined(pool=lambda x: F.avg_pool2d(x, 3, 1, padding=1)),
                      also=(_joined(pool=lambda x: F.avg_pool2d(x, 3, 1, padding=1, count_include_pad=False)),)),
        Misconception("zeros win in the pooling",
                      "Padding of a max pool must never be the maximum: where all inputs are negative, a zero from "
                      "the border would be.", _joined(pool=_max_of_zeros)),
        Misconception(*words.BIASES_FORGOTTEN,
                      _joined(conv=lambda x, layer: _conv(x, (layer[0], np.zeros_like(layer[1]))))),
        Misconception("padding forgotten",
                      "Without padding a 3x3 window takes away two rows and columns, in the pool as well, a 5x5 layer "
                      "four: the branches no longer fit side by side.", _joined(conv=_padding_left_out)),
        Misconception(*words.FLIPPED, _joined(conv=lambda x, layer: _conv(x, (layer[0][:, :, ::-1, ::-1], layer[1])))),
        Misconception("input rectified first", "The block reads its input as it is; ReLUs come after convolutions.",
                      lambda x, *layers: np.concatenate(_branches(F.relu(x), *layers), axis=1)),
    )
    hints = (
        "Write the four branches as four lines; each begins with x.",
        "Six convolutions, each with a ReLU right after it. What padding keeps the size for 3x3, and for 5x5? "
        "Check the shapes of the four results: only one number may differ.",
        "relu(conv2d(relu(conv2d(x, *before_three)), *three, padding=1)) is the second branch. Join the four with "
        "np.concatenate along the axis of the channels.",
    )
