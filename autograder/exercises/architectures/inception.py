"""The Inception block: several layers side by side, joined along the channels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from autograder.exercise import Case, Misconception, exercise
from autograder.exercises.architectures.patterns import NOTEBOOK
from cnncourse import functional as F
from cnncourse.layers import Concatenate, Conv2d, MaxPool2d
from cnncourse.network import Network

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
                      "sizes.",
                      _joined(join=partial(np.concatenate, axis=0)),
                      also=tuple(_joined(join=partial(np.concatenate, axis=axis)) for axis in (2, 3))),
        Misconception("branches in another order",
                      "The order is 1x1, 3x3, 5x5, pooling: the layer after the block expects its channels there.",
                      _joined(join=lambda b: np.concatenate([b[0], b[2], b[1], b[3]], axis=1)),
                      also=(_joined(join=lambda b: np.concatenate([b[3], *b[:3]], axis=1)),
                            _joined(join=lambda b: np.concatenate(b[::-1], axis=1)))),
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
                      "convolutions in a row are one.",
                      _joined(inside=_bare)),
        Misconception("no ReLU at all",
                      "Every convolution is followed by a ReLU.", _joined(inside=_bare, outside=_bare)),
        Misconception("nothing pooled", "The fourth branch looks for the largest neighbor first, then comes its 1x1.",
                      _joined(pool=_bare)),
        Misconception("pooled after the convolution",
                      "In the fourth branch pooling comes first, then the 1x1 convolution.",
                      _projected_first),
        Misconception("average instead of maximum", "The fourth branch begins with *max* pooling.",
                      _joined(pool=lambda x: F.avg_pool2d(x, 3, 1, padding=1)),
                      also=(_joined(pool=lambda x: F.avg_pool2d(x, 3, 1, padding=1, count_include_pad=False)),)),
        Misconception("zeros win in the pooling",
                      "Padding of a max pool must never be the maximum: where all inputs are negative, a zero from the "
                      "border would be.",
                      _joined(pool=_max_of_zeros)),
        Misconception("biases forgotten", "A layer is a pair: weight and bias.",
                      _joined(conv=lambda x, layer: _conv(x, (layer[0], np.zeros_like(layer[1]))))),
        Misconception("padding forgotten",
                      "Without padding a 3x3 layer takes away two rows and columns, a 5x5 layer four: the branches no "
                      "longer fit side by side.",
                      _joined(conv=_padding_left_out)),
        Misconception("kernels turned", "A layer does not flip its filters.",
                      _joined(conv=lambda x, layer: _conv(x, (layer[0][:, :, ::-1, ::-1], layer[1])))),
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


def _block(channels: int, height: int, width: int, filters: Filters, reduced: bool) -> Network:
    """The block as a network: with the 1x1 layers before 3x3, before 5x5 and after the pool, or without them."""
    one, before_three, three, before_five, five, after_pool = filters
    network = Network((channels, height, width))
    read = "input"
    ends = [network.add(Conv2d(one, 1), read)]
    for before, count, size in ((before_three, three, 3), (before_five, five, 5)):
        start = network.add(Conv2d(before, 1), read) if reduced else read
        ends.append(network.add(Conv2d(count, size, padding=size // 2), start))
    pooled = network.add(MaxPool2d(3, 1, padding=1), read)
    ends.append(network.add(Conv2d(after_pool, 1), pooled) if reduced else pooled)
    network.add(Concatenate(), *ends)
    return network


def _layers(c: int, filters: Filters, reduced: bool) -> list[tuple[int, int, int]]:
    """Filters, channels that they see, and side of each convolution."""
    one, before_three, three, before_five, five, after_pool = filters
    if not reduced:
        return [(one, c, 1), (three, c, 3), (five, c, 5)]
    return [(one, c, 1), (before_three, c, 1), (three, before_three, 3), (before_five, c, 1), (five, before_five, 5),
            (after_pool, c, 1)]


def _weights(c: int, filters: Filters, reduced: bool) -> int:
    return sum(k * d * s * s for k, d, s in _layers(c, filters, reduced))


def _biases(c: int, filters: Filters, reduced: bool) -> int:
    return sum(k for k, _, _ in _layers(c, filters, reduced))


def _all_read_the_input(c: int, filters: Filters, reduced: bool) -> int:
    return sum(k * c * s * s for k, _, s in _layers(c, filters, reduced))


def _small_layers_free(c: int, filters: Filters, reduced: bool) -> list[tuple[int, int, int]]:
    layers = _layers(c, filters, reduced)
    return [layers[0], layers[2], layers[4], layers[5]] if reduced else layers


def _no_projection(c: int, filters: Filters, reduced: bool) -> list[tuple[int, int, int]]:
    return _layers(c, filters, reduced)[:5]


@exercise("inception_cost", notebook=NOTEBOOK, points=4,
          answers=("inception_channels", "inception_parameters", "inception_multiply_adds"), tolerance=1e-12)
class InceptionCost:
    """What an Inception block costs with its 1x1 layers, and what it would cost without them.

    `filters` holds six numbers, in the order of the block's layers: (one, before_three, three, before_five, five,
    after_pool). If `reduced` is False, the layers before_three, before_five and after_pool are left out: the 3x3 and
    the 5x5 layer read the block's input, and the pooled channels go to the output as they are.
    """

    def inception_channels(in_channels, filters, reduced):
        return _block(in_channels, 1, 1, filters, reduced).output_shape[0]

    def inception_parameters(in_channels, filters, reduced):
        return _block(in_channels, 1, 1, filters, reduced).parameter_count()

    def inception_multiply_adds(in_channels, height, width, filters, reduced):
        return _block(in_channels, height, width, filters, reduced).multiply_adds()

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        drawn = tuple(int(n) for n in rng.choice(np.arange(3, 40), 6, replace=False))
        channels, height, width = (int(n) for n in rng.choice(np.arange(40, 80), 3, replace=False))
        blocks = (
            ("one filter in every layer", 2, 4, 4, (1, 1, 1, 1, 1, 1)),
            ("GoogLeNet's block 3a", 192, 28, 28, (64, 96, 128, 16, 32, 32)),
            ("GoogLeNet's block 4d", 512, 14, 14, (112, 144, 288, 32, 64, 64)),
            ("taller than wide", 16, 12, 5, (3, 5, 7, 2, 4, 6)),
            ("more channels in the block than in its input", 6, 9, 20, (8, 12, 10, 9, 11, 7)),
            ("drawn at random", channels, height, width, drawn),
        )
        for name, c, h, w, filters in blocks:
            for reduced in (True, False):
                told = f"{name}, {'with' if reduced else 'without'} the 1x1 layers"
                yield Case(told, (c, filters, reduced), "inception_channels")
                yield Case(told, (c, filters, reduced), "inception_parameters")
                yield Case(told, (c, h, w, filters, reduced), "inception_multiply_adds")

    misconceptions = (
        Misconception("all layers counted as output",
                      "Only the last layer of each branch goes to the output; what stands before it does not.",
                      lambda c, f, r: sum(f) if r else f[0] + f[2] + f[4] + c),
        Misconception("pooled channels forgotten", "The pooling branch goes to the output too.",
                      lambda c, f, r: f[0] + f[2] + f[4] + (f[5] if r else 0),
                      also=(lambda c, f, r: f[0] + f[2] + f[4],)),
        Misconception("pooling passes everything on",
                      "With the 1x1 layers, one of them follows the pool and decides how many channels come out.",
                      lambda c, f, r: f[0] + f[2] + f[4] + c),
        Misconception("after_pool kept without the 1x1 layers",
                      "If `reduced` is False, nothing follows the pool, and pooling keeps the number of channels.",
                      lambda c, f, r: f[0] + f[2] + f[4] + f[5]),
        Misconception("channels as in a sum", "Branches are put side by side: their channels add up.",
                      lambda c, f, r: max(f[0], f[2], f[4], f[5] if r else c)),
        Misconception("the input's channels",
                      "A block may change the number of channels: add up what the branches give.",
                      lambda c, f, r: c),
        Misconception("biases forgotten",
                      "Every filter of all six layers has a bias.", _weights, "inception_parameters"),
        Misconception("3x3 and 5x5 read the input",
                      "With the 1x1 layers before them, these filters are only as deep as those layers have filters.",
                      lambda c, f, r: _all_read_the_input(c, f, r) + _biases(c, f, r), "inception_parameters"),
        Misconception("1x1 layers before others free", "The 1x1 layers have weights and biases too.",
                      lambda c, f, r: sum(k * (d * s * s + 1) for k, d, s in _small_layers_free(c, f, r)),
                      "inception_parameters"),
        Misconception("the layer after the pool free", "Pooling has no parameters; the 1x1 convolution after it does.",
                      lambda c, f, r: sum(k * (d * s * s + 1) for k, d, s in _no_projection(c, f, r)),
                      "inception_parameters"),
        Misconception("always with the 1x1 layers", "If `reduced` is False, three of the six layers are not there.",
                      lambda c, f, r: _weights(c, f, True) + _biases(c, f, True), "inception_parameters"),
        Misconception("1x1 layers before others kept",
                      "If `reduced` is False, the 3x3 and 5x5 layers read the block's input, and no 1x1 layer stands "
                      "before them or after the pool.",
                      lambda c, f, r: sum(k * (d * s * s + 1) for k, d, s in (
                          _layers(c, f, r) + ([] if r else [(f[1], c, 1), (f[3], c, 1), (f[5], c, 1)]))),
                      "inception_parameters"),
        Misconception("after_pool counted without the 1x1 layers", "If `reduced` is False, nothing follows the pool.",
                      lambda c, f, r: _weights(c, f, r) + _biases(c, f, r) + (0 if r else f[5] * (c + 1)),
                      "inception_parameters"),
        Misconception("kernels not squared", "A 3x3 filter has 9 weights for each channel, a 5x5 filter 25.",
                      lambda c, f, r: sum(k * (d * s + 1) for k, d, s in _layers(c, f, r)), "inception_parameters"),
        Misconception("biases counted as multiply-adds", "Multiply-adds are counted without biases.",
                      lambda c, h, w, f, r: h * w * (_weights(c, f, r) + _biases(c, f, r)), "inception_multiply_adds"),
        Misconception("positions forgotten", "Each weight works at every position: height times width of them.",
                      lambda c, h, w, f, r: _weights(c, f, r), "inception_multiply_adds",
                      also=(lambda c, h, w, f, r: _weights(c, f, r) + _biases(c, f, r),)),
        Misconception("work of 3x3 and 5x5 on the input",
                      "With the 1x1 layers before them, these filters are only as deep as those layers have filters.",
                      lambda c, h, w, f, r: h * w * _all_read_the_input(c, f, r), "inception_multiply_adds"),
        Misconception("work of the 1x1 layers forgotten", "The 1x1 layers before 3x3 and 5x5 work too.",
                      lambda c, h, w, f, r: h * w * sum(k * d * s * s for k, d, s in _small_layers_free(c, f, r)),
                      "inception_multiply_adds"),
        Misconception("work after the pool forgotten", "The 1x1 layer after the pool works too.",
                      lambda c, h, w, f, r: h * w * sum(k * d * s * s for k, d, s in _no_projection(c, f, r)),
                      "inception_multiply_adds"),
        Misconception("work without padding", "Padding keeps height and width: all layers have the same positions.",
                      lambda c, h, w, f, r: sum(k * d * s * s * (h - s + 1) * (w - s + 1)
                                                for k, d, s in _layers(c, f, r)),
                      "inception_multiply_adds"),
        Misconception("a square picture", "Height and width are two numbers.",
                      lambda c, h, w, f, r: h * h * _weights(c, f, r), "inception_multiply_adds",
                      also=(lambda c, h, w, f, r: w * w * _weights(c, f, r),)),
        Misconception("work always with the 1x1 layers",
                      "If `reduced` is False, three of the six layers are not there.",
                      lambda c, h, w, f, r: h * w * _weights(c, f, True), "inception_multiply_adds"),
        Misconception("pooling counted as work", "Pooling compares, it does not multiply: it is not counted.",
                      lambda c, h, w, f, r: h * w * (_weights(c, f, r) + 9 * c), "inception_multiply_adds"),
    )
    hints = (
        "Draw the block and write on each arrow how many channels go along it.",
        "List the convolutions as (filters, channels that they see, side of the kernel): six with the 1x1 layers, "
        "three without them. The rest is a sum over this list.",
        "Each convolution has filters * (channels * side * side + 1) parameters, and without the + 1 that many "
        "multiply-adds at each of height * width positions. The output has the filters of the four last layers; "
        "without the 1x1 layers the fourth branch passes in_channels on.",
    )
