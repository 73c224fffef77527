"""One classifier at every position: sliding over maps, and crop by crop."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.exercises import words
from autograder.exercises.fc_to_conv.common import NOTEBOOK, draw_dense, single
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Formula, Misconception, exercise
from cnncourse import convert
from cnncourse import functional as F
from cnncourse.layers import Linear

Pair = tuple[int, int]


def _slid(features, weight, bias, window):
    """The layer at one position after the other."""
    samples, _, height, width = features.shape
    down, right = window
    rows, columns = height - down + 1, width - right + 1
    scores = np.zeros((samples, len(weight), rows, columns))
    for i, j in np.ndindex(rows, columns):
        block = features[:, :, i:i + down, j:j + right]
        scores[:, :, i, j] = block.reshape(samples, -1) @ weight.T + bias
    return scores


SLID = Written.of(_slid)


def _with_zeros(x: np.ndarray, window: Pair, before: int) -> np.ndarray:
    """Maps with so many zeros around them that the window keeps their size; `before` is 1 if the odd one comes last."""
    odd = [(size - before) // 2 for size in window]
    return np.pad(x, ((0, 0), (0, 0), *((first, size - 1 - first) for first, size in zip(odd, window, strict=True))))


@exercise("slide_fc", notebook=NOTEBOOK, points=4)
class SlideFC:
    """A fully connected layer at all positions of maps that are larger than those it was made for.

    features has shape (N, C, H, W). The layer was made for maps of C x h x w, with window = (h, w): weight has shape
    (K, C * h * w), in the order of flatten_maps, bias (K,). Return shape (N, K, H - h + 1, W - w + 1): entry
    (n, k, i, j) is output k of the layer for the h x w block of features[n] whose top left corner is row i, column j.
    """

    def slide_fc(features, weight, bias, window):
        filters = convert.to_convolution(Linear(len(weight)), (features.shape[1], *window), weight, bias)
        return F.conv2d(features, filters.weight, bias)

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
        Misconception(*words.CHANNELS_LAST, SLID.edited({"block.reshape": "block.transpose(0, 2, 3, 1).reshape"})),
        Misconception(*words.COLUMNS_FIRST, SLID.edited({"block.reshape": "block.swapaxes(2, 3).reshape"})),
        Misconception(*words.WINDOW_SWAPPED, lambda x, w, b, window: _slid(x, w, b, window[::-1])),
        Misconception(*words.FLIPPED, SLID.edited({"block.reshape": "block[:, :, ::-1, ::-1].reshape"})),
        Misconception(*words.BIAS_FORGOTTEN, SLID.edited({" + bias": ""})),
        Misconception(*words.BIAS_PER_CHANNEL, SLID.edited({"+ bias": "+ features.shape[1] * bias"})),
        Misconception(*words.ONE_BIAS_FOR_OUTPUTS, SLID.edited({"+ bias": "+ bias[0]"})),
        Misconception(*words.BIAS_PER_WEIGHT, SLID.edited({"+ bias": "+ weight.shape[1] * bias"})),
        Misconception("bias at the first position only",
                      "The layer with its bias is evaluated at each position: every score has the bias in it.",
                      SLID.edited({"+ bias": "+ bias * (i == j == 0)"})),
        Misconception(*words.BIAS_ALONG_WIDTH, SLID.edited({" + bias": "", "return scores": "return scores + bias"})),
        Misconception("windows side by side",
                      "The window moves by one row or column at a time; neighboring positions overlap.",
                      SLID.edited({"height - down + 1, width - right + 1": "height // down, width // right",
                              "i:i + down, j:j + right": "i * down:(i + 1) * down, j * right:(j + 1) * right"})),
        Misconception(*words.ONE_POSITION_FEWER, SLID.edited({"down + 1, width - right + 1": "down, width - right"}),
                      also=(SLID.edited({"- down + 1": "- down"}), SLID.edited({"- right + 1": "- right"}))),
        Misconception(*words.PADDED_TO_KEEP_SIZE,
                      lambda x, w, b, window: _slid(_with_zeros(x, window, 1), w, b, window),
                      also=(lambda x, w, b, window: _slid(_with_zeros(x, window, 0), w, b, window),)),
        Misconception(*words.FIRST_CHANNEL,
                      SLID.edited({"[:, :, i:i": "[:, :1, i:i", "weight.T": "weight[:, :down * right].T"})),
        Misconception(*words.FIRST_CHANNEL_FOR_ALL,
                      SLID.edited({"block.reshape": "block[:, :1].repeat(features.shape[1], axis=1).reshape"})),
        Misconception(*words.ONLY_FIRST_POSITION, SLID.returning("scores[:, :, :1, :1]"),
                      also=(SLID.returning("scores[:, :, 0, 0]"),)),
        Misconception("always the same block",
                      "At each position another block of the maps lies under the window; here it is always the first.",
                      SLID.edited({"i:i + down, j:j + right": ":down, :right"})),
        Misconception(*words.FIRST_SAMPLE, SLID.edited({"return scores": "scores[1:] = 0\n    return scores"}),
                      also=(SLID.edited({"features[:, :, i": "features[[0] * samples, :, i"}),)),
        Misconception(*words.SAMPLES_SUMMED, SLID.returning("0 * scores + scores.sum(axis=0)")),
        Misconception(*words.MEAN_INSTEAD_OF_SUM, SLID.edited({"weight.T": "weight.T / weight.shape[1]"}),
                      also=(SLID.edited({"weight.T": "weight.T / (down * right)"}),)),
        Misconception("weights reshaped instead of transposed",
                      "Row k of the weights belongs to output k. A reshape to another shape mixes the rows: turn the "
                      "matrix by .T.", SLID.edited({"weight.T": "weight.reshape(-1, len(weight))"})),
        Misconception(*words.SCORES_MIXED,
                      SLID.returning("scores.transpose(0, 2, 3, 1).reshape(scores.shape)"),
                      also=(SLID.edited({"return scores":
                                         "return scores.transpose(2, 3, 0, 1).reshape(scores.shape)"}),)),
        Misconception(*words.SCORES_LAST, SLID.returning("scores.transpose(0, 2, 3, 1)")),
        Misconception(*words.MAP_SWAPPED, SLID.returning("scores.swapaxes(2, 3)")),
    )
    hints = (
        "What is the result for maps that are just as large as the window? And for maps with one more column?",
        "You wrote a function that turns the weights into filters. What is left is a convolution, which you know from "
        "the first notebook: stride 1, no padding.",
        "Loop over the positions (i, j). The block features[:, :, i : i + h, j : j + w] of all samples, flattened, is "
        "the input of linear_forward, and its outputs are entry [:, :, i, j] of the result.",
    )


def _cropped(x, classify, size, stride):
    """Crop after crop."""
    high, wide = size
    rows, columns = (x.shape[2] - high) // stride + 1, (x.shape[3] - wide) // stride + 1
    scores = []
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            scores.append(classify(x[:, :, top:top + high, left:left + wide]))
    return np.array(scores).reshape(rows, columns, len(x), -1).transpose(2, 3, 0, 1)


CROPS = Written.of(_cropped)


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
        return _cropped(x, classify, size, stride)

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
                      "The crops lie one stride apart, and overlap where the stride is smaller than they are.",
                      CROPS.edited({"// stride + 1, ": "// high + 1, ", "wide) // stride": "wide) // wide",
                                    "i * stride, j * stride": "i * high, j * wide"})),
        Misconception(*words.STRIDE_IGNORED, lambda x, f, z, s: _cropped(x, f, z, 1)),
        Misconception(*words.STRIDE_NOT_IN_POSITION, CROPS.edited({"i * stride, j * stride": "i, j"})),
        Misconception(*words.STRIDE_ALONG_ROWS_ONLY,
                      CROPS.edited({"wide) // stride + 1": "wide) + 1", "j * stride": "j"})),
        Misconception(*words.STRIDE_ALONG_COLUMNS_ONLY,
                      CROPS.edited({"high) // stride + 1": "high) + 1", "i * stride": "i"})),
        Misconception(*words.ONE_ROW_AND_COLUMN_FEWER,
                      CROPS.edited({"high) // stride + 1": "high) // stride",
                                     "wide) // stride + 1": "wide) // stride"}),
                      also=(lambda x, f, z, s: _cropped(x[:, :, :-1, :-1], f, z, s),)),
        Misconception("always the same crop", "Each position has a crop of its own; here all of them are the first "
                                              "one.", CROPS.edited({"i * stride, j * stride": "0, 0"})),
        Misconception("height and width of the crop swapped", "size is (height, width).",
                      lambda x, f, z, s: _cropped(x, f, z[::-1], s)),
        Misconception("only square crops", "size holds two numbers, height and width.",
                      lambda x, f, z, s: _cropped(x, f, (z[0], z[0]), s),
                      also=(lambda x, f, z, s: _cropped(x, f, (z[1], z[1]), s),)),
        Misconception(*words.MAP_SWAPPED, CROPS.edited({"(2, 3, 0, 1)": "(2, 3, 1, 0)"})),
        Misconception("filled down the columns",
                      "The map has the right shape, but the scores were put into it down the columns, and the crops "
                      "taken along the rows, or the other way round.",
                      CROPS.edited({"(rows, columns, len(x), -1)": "(columns, rows, len(x), -1)",
                                    "(2, 3, 0, 1)": "(2, 3, 1, 0)"}),
                      also=(CROPS.edited({"transpose(2, 3, 0, 1)":
                                          "transpose(2, 3, 1, 0).reshape(len(x), -1, rows, columns)"}),)),
        Misconception(*words.SCORES_LAST, CROPS.edited({"(2, 3, 0, 1)": "(2, 0, 1, 3)"}),
                      also=(CROPS.edited({".transpose(2, 3, 0, 1)": ""}),)),
        Misconception("crops reach past the picture",
                      "A crop that would reach past the picture is left out. Slices do not complain there, they only "
                      "become shorter: crops of another size have been classified.",
                      CROPS.edited({"(x.shape[2] - high) // stride + 1": "-(-x.shape[2] // stride)",
                                    "(x.shape[3] - wide) // stride + 1": "-(-x.shape[3] // stride)"}),
                      also=(CROPS.edited({"(x.shape[2] - high)": "(x.shape[2] - high + stride - 1)",
                                          "(x.shape[3] - wide)": "(x.shape[3] - wide + stride - 1)"}),)),
        Misconception("crops as large as the stride", "A crop has the size `size`; `stride` is how far it moves.",
                      CROPS.edited({"top:top + high, left:left + wide": "top:top + stride, left:left + stride"})),
        Misconception(*words.FIRST_CHANNEL, lambda x, f, z, s: _cropped(x[:, :1], f, z, s)),
        Misconception(*words.CLASSES_INSTEAD_OF_SCORES, lambda x, f, z, s: _cropped(x, f, z, s).argmax(axis=1),
                      also=(lambda x, f, z, s: _cropped(x, f, z, s).max(axis=1),
                            lambda x, f, z, s: _cropped(x, f, z, s).max(axis=1, keepdims=True))),
        Misconception(*words.FIRST_SAMPLE, lambda x, f, z, s: _cropped(x[:1], f, z, s)),
        Misconception(*words.SAMPLES_SUMMED, lambda x, f, z, s: _cropped(x, f, z, s).sum(axis=0, keepdims=True),
                      also=(lambda x, f, z, s: _cropped(x, f, z, s).mean(axis=0, keepdims=True),)),
        Misconception(*words.SCORES_MIXED,
                      CROPS.edited({".transpose(2, 3, 0, 1)": ".reshape(len(x), -1, rows, columns)"}),
                      also=(CROPS.edited({"transpose(2, 3, 0, 1)":
                                          "transpose(2, 0, 1, 3).reshape(len(x), -1, rows, columns)"}),)),
        Misconception("positions in one row",
                      "The scores belong into a map with rows and columns, not into a list of positions.",
                      CROPS.edited({"(2, 3, 0, 1)": "(2, 3, 0, 1).reshape(len(x), -1, rows * columns)"})),
    )
    hints = (
        "How many crops are there along one axis? It is the rule for the positions of a window.",
        "Two loops over the rows and columns of crops. Each time classify the same crop of all samples at once, and "
        "put the scores into [:, :, i, j] of an array that you make before.",
        "K is known once classify has returned something. You can also collect the scores in a list of lists, make an "
        "array of the shape (rows, columns, N, K) of it, and bring its axes into order.",
    )
