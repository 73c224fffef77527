"""One classifier at every position: sliding over maps, and crop by crop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.exercises.fc_to_conv import mistakes
from autograder.exercises.fc_to_conv.common import (
    FLIPPED,
    NO_BIAS,
    NOTEBOOK,
    draw_dense,
    single,
)
from autograder.judging.exercise import Case, Formula, Misconception, exercise
from cnncourse import convert
from cnncourse import functional as F
from cnncourse.layers import Linear

Pair = tuple[int, int]


def _slide(x: np.ndarray, w: np.ndarray, b: np.ndarray, window: Pair, **options: Any) -> np.ndarray:
    filters = convert.to_convolution(Linear(len(w)), (x.shape[1], *window), w, b)
    return F.conv2d(x, filters.weight, b, **options)


def _slide_filters(change: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """Sliding with the filters that `change(rows of weights, (K, C, h, w))` gives."""
    def slide(x: np.ndarray, w: np.ndarray, b: np.ndarray, window: Pair) -> np.ndarray:
        return F.conv2d(x, np.ascontiguousarray(change(w, (len(w), x.shape[1], *window))), b)
    return slide


@exercise("slide_fc", notebook=NOTEBOOK, points=4)
class SlideFC:
    """A fully connected layer at all positions of maps that are larger than those it was made for.

    features has shape (N, C, H, W). The layer was made for maps of C x h x w, with window = (h, w): weight has shape
    (K, C * h * w), in the order of flatten_maps, bias (K,). Return shape (N, K, H - h + 1, W - w + 1): entry
    (n, k, i, j) is output k of the layer for the h x w block of features[n] whose top left corner is row i, column j.
    """

    def slide_fc(features, weight, bias, window):
        return _slide(features, weight, bias, window)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def draw(name: str, shape: tuple[int, ...], outputs: int, window: Pair) -> Case:
            _, weight, bias = draw_dense(rng, 1, shape[1] * window[0] * window[1], outputs)
            return Case(name, (rng.standard_normal(shape), weight, bias, window))

        yield draw("one channel, one output", (1, 1, 4, 4), 1, (3, 3))
        yield draw("several channels and outputs", (1, 3, 4, 4), 2, (2, 2))
        yield draw("several samples", (3, 2, 4, 4), 2, (2, 2))
        yield draw("maps of the size that the layer was made for", (2, 2, 3, 4), 3, (3, 4))
        yield draw("wider than tall", (2, 2, 3, 7), 3, (2, 2))
        yield draw("taller than wide", (1, 2, 6, 3), 2, (2, 2))
        yield draw("a window taller than wide", (1, 2, 6, 5), 3, (4, 2))
        yield draw("a window wider than tall", (2, 3, 4, 6), 2, (2, 3))
        yield draw("a window of 1 x 1", (2, 4, 2, 3), 3, (1, 1))
        yield draw("as many outputs as columns of the map", (2, 2, 4, 5), 3, (3, 3))
        case = draw("single precision", (2, 2, 5, 4), 3, (2, 3))
        yield Case(case.name, (*single(*case.arguments[:3]), case.arguments[3]))
        _, weight, bias = draw_dense(rng, 1, 24, 3)
        yield Case("strided memory", (rng.standard_normal((2, 2, 4, 8))[..., ::2], weight[:, ::2], bias, (3, 2)))
        yield Case("Fortran order", (np.asfortranarray(rng.standard_normal((2, 2, 5, 4))),
                                     np.asfortranarray(weight[:, :12]), bias, (2, 3)))

    misconceptions = (
        Misconception("weights read with channels last",
                      "A row of the weights holds channel after channel, as flatten_maps wrote them. Here the channel "
                      "counts fastest.",
                      _slide_filters(lambda w, s: w.reshape(s[0], s[2], s[3], s[1]).transpose(0, 3, 1, 2))),
        Misconception("weights read columns before rows",
                      "Within a channel a row of the weights goes along the rows of the maps, not down the columns.",
                      _slide_filters(lambda w, s: w.reshape(s[0], s[1], s[3], s[2]).swapaxes(2, 3))),
        Misconception("window's height and width swapped",
                      "window is (height, width): its first number belongs to the rows.",
                      _slide_filters(lambda w, s: w.reshape(s[0], s[1], s[3], s[2]))),
        Misconception(*FLIPPED, _slide_filters(lambda w, s: w.reshape(s)[:, :, ::-1, ::-1])),
        Misconception(*NO_BIAS, lambda x, w, b, window: _slide(x, w, 0 * b, window)),
        Misconception("bias added once per channel",
                      "At each position the bias is added once to each output, after the sum over all channels.",
                      lambda x, w, b, window: _slide(x, w, b * b.dtype.type(x.shape[1]), window)),
        Misconception("one bias for all outputs", "Output k has its own bias, bias[k].",
                      lambda x, w, b, window: _slide(x, w, np.full_like(b, b[0]), window)),
        Misconception("bias added once per weight",
                      "The bias is added once to each output, not to each product.",
                      lambda x, w, b, window: _slide(x, w, b * b.dtype.type(w.shape[1]), window)),
        Misconception("bias at the first position only",
                      "The layer with its bias is evaluated at each position: every score has the bias in it.",
                      lambda x, w, b, window: mistakes.first_biased(_slide(x, w, 0 * b, window), b)),
        Misconception("bias added along the width",
                      "NumPy lines up shapes from the last axis: a bias of shape (K,) added to (N, K, OH, OW) meets "
                      "the columns of the map. It needs the shape (K, 1, 1).",
                      lambda x, w, b, window: _slide(x, w, 0 * b, window) + b),
        Misconception("windows side by side",
                      "The window moves by one row or column at a time; neighboring positions overlap.",
                      lambda x, w, b, window: _slide(x, w, b, window, stride=window)),
        Misconception("one position too few",
                      "The window has H - h + 1 positions: before its first step it has one too.",
                      lambda x, w, b, window: _slide(x, w, b, window)[:, :, :-1, :-1],
                      also=(lambda x, w, b, window: _slide(x, w, b, window)[:, :, :-1],
                            lambda x, w, b, window: _slide(x, w, b, window)[:, :, :, :-1])),
        Misconception("padded to keep the size",
                      "Nothing is padded: the window stays within the maps, and the map of scores is smaller than "
                      "they.",
                      lambda x, w, b, window: _slide(x, w, b, window, padding="same"),
                      also=(lambda x, w, b, window: _slide(
                          x, w, b, window, padding=(window[0] // 2, window[1] // 2))[:, :, :x.shape[2], :x.shape[3]],)),
        Misconception("only the first channel", "The layer sees all channels of its block.",
                      lambda x, w, b, window: _slide(x[:, :1], w[:, :window[0] * window[1]], b, window)),
        Misconception("the first channel for all channels", "Each channel of the block meets weights of its own.",
                      lambda x, w, b, window: _slide(np.repeat(x[:, :1], x.shape[1], axis=1), w, b, window)),
        Misconception("only the first position",
                      "The layer is evaluated at all positions of the maps, not only at the top left.",
                      lambda x, w, b, window: _slide(x[:, :, :window[0], :window[1]], w, b, window),
                      also=(lambda x, w, b, window: _slide(x, w, b, window)[:, :, 0, 0],)),
        Misconception("always the same block",
                      "At each position another block of the maps lies under the window; here it is always the first.",
                      lambda x, w, b, window: mistakes.same_everywhere(_slide(x, w, b, window))),
        Misconception("only the first sample", "Each sample has its own map of scores.",
                      lambda x, w, b, window: mistakes.first_sample(_slide(x, w, b, window)),
                      also=(lambda x, w, b, window: _slide(np.repeat(x[:1], len(x), axis=0), w, b, window),)),
        Misconception("samples summed", "Each sample has its own map of scores: nothing is summed over the batch.",
                      lambda x, w, b, window: mistakes.summed_samples(_slide(x, w, b, window))),
        Misconception("mean instead of sum", "An output is a sum of products; it is not divided by their number.",
                      lambda x, w, b, window: _slide(x, w / w.dtype.type(w.shape[1]), b, window),
                      also=(lambda x, w, b, window: _slide(x, w / w.dtype.type(window[0] * window[1]), b, window),)),
        Misconception("weights reshaped instead of transposed",
                      "Row k of the weights belongs to output k. A reshape to another shape mixes the rows: turn the "
                      "matrix by .T.",
                      _slide_filters(lambda w, s: w.reshape(w.shape[::-1]).T.reshape(s))),
        Misconception("outputs and positions mixed",
                      "The shape is right, but a reshape does not move an axis: outputs that were the last axis have "
                      "to be brought before the positions by transpose or moveaxis.",
                      lambda x, w, b, window: mistakes.axes_reshaped(_slide(x, w, b, window), (0, 2, 3, 1)),
                      also=(lambda x, w, b, window: mistakes.axes_reshaped(_slide(x, w, b, window), (2, 3, 0, 1)),)),
        Misconception("scores along the last axis", "The result is (N, K, rows, columns): the outputs' axis comes "
                                                    "second.",
                      lambda x, w, b, window: _slide(x, w, b, window).transpose(0, 2, 3, 1)),
        Misconception("rows and columns of the map swapped", "The third axis of the result counts rows, the fourth "
                                                             "columns.",
                      lambda x, w, b, window: _slide(x, w, b, window).swapaxes(2, 3)),
    )
    hints = (
        "What is the result for maps that are just as large as the window? And for maps with one more column?",
        "You wrote a function that turns the weights into filters. What is left is a convolution, which you know from "
        "the first notebook: stride 1, no padding.",
        "Loop over the positions (i, j). The block features[:, :, i : i + h, j : j + w] of all samples, flattened, is "
        "the input of linear_forward, and its outputs are entry [:, :, i, j] of the result.",
    )


Classifier = Callable[[np.ndarray], np.ndarray]


def _cropped(
    x: np.ndarray, classify: Classifier, size: Pair, steps: Pair, moved: Pair | None = None, fewer: int = 0
) -> np.ndarray:
    """Scores of crops; `moved` is how far they really lie apart, `fewer` how many positions are left out."""
    rows, columns = ((length - crop) // step + 1 - fewer
                     for length, crop, step in zip(x.shape[2:], size, steps, strict=True))
    down, right = moved or steps
    found = [[classify(x[:, :, i * down:i * down + size[0], j * right:j * right + size[1]]) for j in range(columns)]
             for i in range(rows)]
    scores: np.ndarray = np.array(found).transpose(2, 3, 0, 1)
    return scores


def _cut_short(x: np.ndarray, classify: Classifier, size: Pair, stride: int, fitting: Pair) -> np.ndarray:
    """Scores of crops that may be cut off by the picture's end; `fitting` is what of them has to lie inside."""
    starts = [range(0, length - inside, stride) for length, inside in zip(x.shape[2:], fitting, strict=True)]
    found = [[classify(x[:, :, i:i + size[0], j:j + size[1]]) for j in starts[1]] for i in starts[0]]
    scores: np.ndarray = np.array(found).transpose(2, 3, 0, 1)
    return scores


CLASSIFIERS = (
    # Every number of a crop counts in its own way; not linear, and of any number of samples.
    "lambda crops: crops.reshape(len(crops), -1) @ np.cos(np.outer(np.arange(1, crops[0].size + 1), (0.7, 1.9, 3.2)))",
    "lambda crops: np.tanh(crops.reshape(len(crops), -1) @ np.sin(np.outer(np.arange(1, crops[0].size + 1), (1, "
    "2.3))))",
)


@exercise("crop_scores", notebook=NOTEBOOK, points=3)
class CropScores:
    """A classifier for pictures of one size, asked about one crop after the other.

    x has shape (N, C, H, W). classify is a function: crops of shape (N, C, h, w) go in, scores of shape (N, K) come
    out. Cut crops of size = (h, w) out of x, `stride` pixels apart, the first one at the top left, as many as fit
    completely. Return shape (N, K, rows, columns).
    """

    def crop_scores(x, classify, size, stride):
        return _cropped(x, classify, size, (stride, stride))

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def draw(name: str, shape: tuple[int, ...], size: Pair, stride: int, which: int = 0) -> Case:
            return Case(name, (rng.standard_normal(shape), Formula(CLASSIFIERS[which]), size, stride))

        yield draw("crops of the picture's size", (2, 1, 4, 4), (4, 4), 1)
        yield draw("stride 1", (1, 1, 5, 5), (3, 3), 1)
        yield draw("several samples and channels", (3, 2, 4, 4), (3, 3), 1)
        yield draw("stride 2", (1, 2, 7, 7), (3, 3), 2, 1)
        yield draw("wider than tall", (2, 1, 4, 9), (3, 3), 2)
        yield draw("taller than wide", (1, 2, 8, 4), (2, 2), 2, 1)
        yield draw("crops taller than wide", (2, 2, 7, 6), (5, 2), 1)
        yield draw("crops wider than tall, stride 2", (1, 3, 6, 8), (2, 4), 2)
        yield draw("a stride larger than the crops", (2, 1, 7, 10), (2, 2), 3, 1)
        yield draw("pixels left over on the right and below", (1, 2, 8, 9), (3, 4), 2)
        yield Case("single precision", (rng.standard_normal((2, 2, 6, 5)).astype(np.float32), Formula(CLASSIFIERS[0]),
                                        (3, 2), 1))
        yield Case("strided memory", (rng.standard_normal((2, 1, 5, 12))[..., ::2], Formula(CLASSIFIERS[1]), (3, 3), 1))
        yield Case("Fortran order", (np.asfortranarray(rng.standard_normal((2, 2, 5, 6))), Formula(CLASSIFIERS[0]),
                                     (2, 3), 2))

    misconceptions = (
        Misconception("crops side by side",
                      "The crops lie `stride` pixels apart, and overlap where the stride is smaller than they are.",
                      lambda x, f, z, s: _cropped(x, f, z, z)),
        Misconception("stride ignored", "From crop to crop the window moves by `stride` pixels, along both axes.",
                      lambda x, f, z, s: _cropped(x, f, z, (1, 1))),
        Misconception("stride missing in the crop's position",
                      "The number of crops is right, but crop (i, j) starts at row i * stride and column j * stride.",
                      lambda x, f, z, s: _cropped(x, f, z, (s, s), (1, 1))),
        Misconception("stride along the rows only", "The crops lie `stride` pixels apart to the right too.",
                      lambda x, f, z, s: _cropped(x, f, z, (s, 1))),
        Misconception("stride along the columns only", "The crops lie `stride` pixels apart downwards too.",
                      lambda x, f, z, s: _cropped(x, f, z, (1, s))),
        Misconception("one crop too few",
                      "Before its first step the window has a position too, and the last crop may end with the "
                      "picture.",
                      lambda x, f, z, s: _cropped(x, f, z, (s, s), fewer=1),
                      also=(lambda x, f, z, s: _cropped(x[:, :, :-1, :-1], f, z, (s, s)),)),
        Misconception("always the same crop", "Each position has a crop of its own; here all of them are the first "
                                              "one.",
                      lambda x, f, z, s: _cropped(x, f, z, (s, s), (0, 0))),
        Misconception("height and width of the crop swapped", "size is (height, width).",
                      lambda x, f, z, s: _cropped(x, f, z[::-1], (s, s))),
        Misconception("only square crops", "size holds two numbers, height and width.",
                      lambda x, f, z, s: _cropped(x, f, (z[0], z[0]), (s, s)),
                      also=(lambda x, f, z, s: _cropped(x, f, (z[1], z[1]), (s, s)),)),
        Misconception("rows and columns of the map swapped",
                      "The third axis counts rows of crops, the fourth columns.",
                      lambda x, f, z, s: _cropped(x, f, z, (s, s)).swapaxes(2, 3)),
        Misconception("filled down the columns",
                      "The map has the right shape, but the scores were put into it down the columns, and the crops "
                      "taken along the rows, or the other way round.",
                      lambda x, f, z, s: mistakes.refilled(_cropped(x, f, z, (s, s)))),
        Misconception("scores along the last axis", "The result is (N, K, rows, columns): the scores' axis comes "
                                                    "second.",
                      lambda x, f, z, s: _cropped(x, f, z, (s, s)).transpose(0, 2, 3, 1),
                      also=(lambda x, f, z, s: _cropped(x, f, z, (s, s)).transpose(2, 3, 0, 1),)),
        Misconception("crops reach past the picture",
                      "A crop that would reach past the picture is left out. Slices do not complain there, they only "
                      "become shorter: crops of another size have been classified.",
                      lambda x, f, z, s: _cut_short(x, f, z, s, (0, 0)),
                      also=(lambda x, f, z, s: _cut_short(x, f, z, s, (z[0] - s, z[1] - s)),)),
        Misconception("crops as large as the stride", "A crop has the size `size`; `stride` is how far it moves.",
                      lambda x, f, z, s: _cropped(np.asarray(x), lambda crop: f(crop[:, :, :s, :s]), z, (s, s))),
        Misconception("only the first channel", "A crop has all channels of the picture.",
                      lambda x, f, z, s: _cropped(x[:, :1], f, z, (s, s))),
        Misconception("classes instead of scores", "Return what classify returns, all scores; which one is largest is "
                                                   "decided later.",
                      lambda x, f, z, s: _cropped(x, f, z, (s, s)).argmax(axis=1),
                      also=(lambda x, f, z, s: _cropped(x, f, z, (s, s)).max(axis=1),
                            lambda x, f, z, s: _cropped(x, f, z, (s, s)).max(axis=1, keepdims=True))),
        Misconception("only the first sample", "Each sample has its own map of scores.",
                      lambda x, f, z, s: _cropped(x[:1], f, z, (s, s))),
        Misconception("samples averaged", "Each sample has its own map of scores.",
                      lambda x, f, z, s: _cropped(x, f, z, (s, s)).mean(axis=0, keepdims=True),
                      also=(lambda x, f, z, s: _cropped(x, f, z, (s, s)).sum(axis=0, keepdims=True),)),
        Misconception("scores and positions mixed",
                      "The shape is right, but a reshape does not move an axis: the list of crops counts positions "
                      "first. They have to be brought to the end by transpose or moveaxis.",
                      lambda x, f, z, s: mistakes.axes_reshaped(_cropped(x, f, z, (s, s)), (2, 3, 0, 1)),
                      also=(lambda x, f, z, s: mistakes.axes_reshaped(_cropped(x, f, z, (s, s)), (0, 2, 3, 1)),)),
        Misconception("positions in one row",
                      "The scores belong into a map with rows and columns, not into a list of positions.",
                      lambda x, f, z, s: mistakes.listed(_cropped(x, f, z, (s, s)))),
    )
    hints = (
        "How many crops are there along one axis? It is the rule for the positions of a window.",
        "Two loops over the rows and columns of crops. Each time classify the same crop of all samples at once, and "
        "put the scores into [:, :, i, j] of an array that you make before.",
        "K is known once classify has returned something. You can also collect the scores in a list of lists, make an "
        "array of the shape (rows, columns, N, K) of it, and bring its axes into order.",
    )
