"""The fully connected layer itself: maps written as a vector, and what the layer makes of it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.exercises import words
from autograder.exercises.fc_to_conv.common import NOTEBOOK, draw_dense, single
from autograder.exercises.making import in_answer
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F


def _flattened(x: np.ndarray, *axes: int) -> np.ndarray:
    """Each sample as a vector, after its axes have been brought into another order."""
    return x.transpose(axes or (0, 1, 2, 3)).reshape(len(x), -1)


@exercise("flatten_maps", notebook=NOTEBOOK, points=2, answers=("flatten_maps", "place_in_vector"))
class FlattenMaps:
    """Write the maps of each sample as one vector, and say where a number has gone.

    flatten_maps turns x of shape (N, C, H, W) into shape (N, C * H * W): for each sample channel after channel, in
    each channel row after row. place_in_vector returns the index, from 0, at which the number in channel `channel`,
    row `row` and column `column` of maps of the shape `maps_shape` = (C, H, W) stands in that vector.
    """

    def flatten_maps(x):
        return x.reshape(len(x), -1)

    def place_in_vector(channel, row, column, maps_shape):
        return int(np.ravel_multi_index((channel, row, column), maps_shape))

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def maps(*shape: int) -> np.ndarray:
            return rng.standard_normal(shape)

        yield Case("one sample, one channel", (maps(1, 1, 2, 2),))
        yield Case("one sample, several channels", (maps(1, 3, 2, 2),))
        yield Case("several samples", (maps(3, 2, 2, 2),))
        yield Case("taller than wide", (maps(2, 2, 4, 3),))
        yield Case("wider than tall", (maps(2, 3, 2, 4),))
        yield Case("maps of 1 x 1", (maps(2, 4, 1, 1),))
        yield Case("single precision", single(maps(2, 3, 2, 3)))
        yield Case("strided memory", (maps(2, 2, 3, 8)[..., ::2],))
        yield Case("Fortran order", (np.asfortranarray(maps(2, 3, 4, 2)),))
        place = "place_in_vector"
        yield Case("the first number", (0, 0, 0, (2, 3, 3)), place)
        yield Case("the first row of the first channel", (0, 0, 2, (2, 3, 4)), place)
        yield Case("further down", (0, 2, 1, (2, 3, 4)), place)
        yield Case("the next channel", (1, 0, 0, (2, 4, 3)), place)
        yield Case("the last number", (1, 4, 2, (2, 5, 3)), place)
        yield Case("VGG's last maps", (511, 6, 5, (512, 7, 7)), place)
        for number in range(2):
            shape = tuple(int(n) for n in rng.permutation([4, 5, 7]))
            channel, row, column = (int(n) for n in rng.integers(2, np.array(shape)))
            yield Case(f"a place drawn at random ({number + 1})", (channel, row, column, shape), place)

    misconceptions = (
        Misconception(*words.CHANNELS_LAST, lambda x: _flattened(x, 0, 2, 3, 1)),
        Misconception(*words.COLUMNS_FIRST, lambda x: _flattened(x, 0, 1, 3, 2)),
        Misconception(*words.FORTRAN_ORDER, lambda x: _flattened(x, 0, 3, 2, 1)),
        Misconception("order of the memory",
                      "Flattening follows the axes, not the way in which an array happens to lie in memory: the same "
                      "numbers at the same indices give the same vector, in Fortran order too.",
                      lambda x: x.ravel("K").reshape(len(x), -1)),
        Misconception("samples flattened too", "Each sample becomes a vector of its own. Here all of them became one.",
                      np.ravel),
        Misconception("samples as columns",
                      "The first axis counts the samples, also after flattening: one row for each.",
                      lambda x: x.reshape(len(x), -1).T),
        Misconception("samples mixed",
                      "A reshape keeps the order of the numbers, and the sample counts slowest: it has to stay the "
                      "first axis. Here numbers of different samples stand in one row.",
                      lambda x: x.reshape(-1, len(x)).T),
        Misconception(*words.FIRST_CHANNEL, lambda x: _flattened(x[:, :1])),
        Misconception("channels summed",
                      "Nothing is computed when maps become a vector: it holds every number of every channel.",
                      lambda x: x.sum(axis=1).reshape(len(x), -1),
                      also=(lambda x: x.mean(axis=1).reshape(len(x), -1),)),
        Misconception("each map averaged",
                      "Every number of a map has its own place in the vector; here a map became a single number.",
                      lambda x: x.mean(axis=(2, 3)), also=(lambda x: x.sum(axis=(2, 3)),)),
        Misconception(*words.FIRST_SAMPLE, lambda x: x[0].reshape(1, -1), also=(lambda x: x[0].ravel(),)),
        Misconception("rows kept apart",
                      "The vector has one axis: rows and columns of a channel are written one after the other.",
                      lambda x: x.reshape(*x.shape[:2], -1)),
        *in_answer(
            "place_in_vector",
            Misconception(*words.CHANNELS_LAST, lambda c, i, j, s: (i * s[2] + j) * s[0] + c,
                          detail="Before channel c stand c whole channels."),
            Misconception(*words.COLUMNS_FIRST, lambda c, i, j, s: (c * s[2] + j) * s[1] + i,
                          detail="Before row i of a channel stand i whole rows."),
            Misconception("rows as long as the height", "A row has as many numbers as the maps are wide.",
                          lambda c, i, j, s: (c * s[2] + i) * s[1] + j,
                          also=(lambda c, i, j, s: c * s[1] * s[1] + i * s[1] + j,)),
            Misconception("a channel as long as a row",
                          "Before channel c stand c channels with all of their rows, height times width numbers each.",
                          lambda c, i, j, s: (c + i) * s[2] + j, also=(lambda c, i, j, s: c * s[1] + i * s[2] + j,)),
            Misconception("each index times its own length",
                          "An index is multiplied by how many numbers one step of it skips: what comes after it in "
                          "the shape decides, not its own axis.", lambda c, i, j, s: s[0] * c + s[1] * i + j,
                          also=(lambda c, i, j, s: s[0] * c + s[1] * i + s[2] * j,
                                lambda c, i, j, s: s[0] * s[1] * c + s[1] * i + j)),
            Misconception(*words.COUNTED_FROM_ONE, lambda c, i, j, s: (c * s[1] + i) * s[2] + j + 1,
                          also=(lambda c, i, j, s: (c * s[1] + i) * s[2] + j - 1,
                                lambda c, i, j, s: ((c - 1) * s[1] + i) * s[2] + j,
                                lambda c, i, j, s: ((c - 1) * s[1] + i - 1) * s[2] + j,
                                lambda c, i, j, s: ((c - 1) * s[1] + i - 1) * s[2] + j - 1)),
            Misconception("rows passed over without their numbers",
                          "Before row i of a channel stand i whole rows, and each of them holds as many numbers as "
                          "the maps are wide.", lambda c, i, j, s: c * s[1] * s[2] + i + j,
                          also=(lambda c, i, j, s: c + i + j,)),
            Misconception("channel left out", "In which channel the number stands decides too.",
                          lambda c, i, j, s: i * s[2] + j),
        ),
    )
    hints = (
        "Write the numbers of maps with 2 channels, 2 rows and 3 columns on paper, in the order of the text. At which "
        "index does channel 1 start?",
        "reshape keeps the order of the axes, the last one counting fastest, and NCHW is in the right order already. "
        "For the place, count what stands before the number.",
        "Keep the first axis and let reshape find the length of the rest (-1). Before the number stand `channel` whole "
        "channels, `row` whole rows, and `column` numbers.",
    )


def _dense(x, weight, bias):
    """One product after the other."""
    (samples, inputs), outputs = x.shape, len(weight)
    out = np.zeros((samples, outputs))
    for n, k in np.ndindex(samples, outputs):
        total = 0.0
        for d in range(inputs):
            total += x[n, d] * weight[k, d]
        out[n, k] = total + bias[k]
    return out


LOOPS = Written.of(_dense)


@exercise("linear_forward", notebook=NOTEBOOK, points=2)
class LinearForward:
    """A fully connected layer: every output sees every input.

    x has shape (N, D), one sample a row; weight (K, D), one output a row; bias (K,). Return shape (N, K): entry (n, k)
    is the dot product of x[n] and weight[k], plus bias[k].
    """

    def linear_forward(x, weight, bias):
        return F.linear(x, weight, bias)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        yield Case("one sample", draw_dense(rng, 1, 4, 3))
        yield Case("several samples", draw_dense(rng, 4, 5, 2))
        yield Case("as many outputs as inputs", draw_dense(rng, 2, 3, 3))
        yield Case("as many samples as outputs", draw_dense(rng, 3, 4, 3))
        yield Case("samples, inputs and outputs of one number", draw_dense(rng, 4, 4, 4))
        yield Case("more outputs than inputs", draw_dense(rng, 2, 3, 6))
        yield Case("one output", draw_dense(rng, 3, 4, 1))
        yield Case("one input", draw_dense(rng, 3, 1, 2))
        yield Case("single precision", single(*draw_dense(rng, 3, 5, 4)))
        x, weight, bias = draw_dense(rng, 3, 10, 4)
        yield Case("strided memory", (x[:, ::2], weight[:, 1::2], bias))
        x, weight, bias = draw_dense(rng, 3, 4, 5)
        yield Case("Fortran order", (np.asfortranarray(x), np.asfortranarray(weight), bias))

    misconceptions = (
        Misconception("weights transposed",
                      "Row k of the weights belongs to output k: its entries meet the entries of x[n]. Here the "
                      "columns do, which works at all only where there are as many outputs as inputs.",
                      lambda x, w, b: x @ w + b, also=(LOOPS.edited({"weight[k, d]": "weight[d, k]"}),)),
        Misconception(*words.BIAS_FORGOTTEN, LOOPS.edited({" + bias[k]": ""})),
        Misconception("bias added along the batch",
                      "bias[k] belongs to output k, in every sample. Here it seems to be paired with the samples.",
                      lambda x, w, b: x @ w.T + b[:, np.newaxis],
                      also=(lambda x, w, b: w @ x.T + b, LOOPS.edited({"bias[k]": "bias[n]"}))),
        Misconception("bias added once per input",
                      "The bias is added once to each output, after the sum over the inputs.",
                      LOOPS.edited({"+ bias": "+ inputs * bias"})),
        Misconception(*words.ONE_BIAS_FOR_OUTPUTS, LOOPS.edited({"bias[k]": "bias[0]"}),
                      also=(LOOPS.edited({"bias[k]": "bias.sum()"}),)),
        Misconception("bias subtracted", "The bias is added.", LOOPS.edited({"+ bias": "- bias"})),
        Misconception("bias multiplied", "The bias is added to the sum of products.",
                      LOOPS.edited({"+ bias": "* bias"})),
        Misconception("bias added once per sample", "The bias is added once to each output of each sample.",
                      LOOPS.edited({"+ bias": "+ samples * bias"})),
        Misconception("the same weights for all outputs",
                      "Output k has weights of its own, row k; here every output uses the same row.",
                      LOOPS.edited({"weight[k, d]": "weight[0, d]"})),
        Misconception("an input left out",
                      "The sum runs over all inputs, from the first to the last: where does the loop begin, and where "
                      "does range end?", LOOPS.edited({"range(inputs)": "range(inputs - 1)"}),
                      also=(LOOPS.edited({"range(inputs)": "range(1, inputs)"}),)),
        Misconception(*words.MEAN_INSTEAD_OF_SUM, LOOPS.edited({"total + bias": "total / inputs + bias"})),
        Misconception("only the last input counts",
                      "The products of all inputs are summed. Here each one replaces what was there before: look at "
                      "where `=` stands and `+=` should.", LOOPS.edited({"total +=": "total ="})),
        Misconception(*words.FIRST_SAMPLE, LOOPS.edited({"ndindex(samples": "ndindex(1"}),
                      also=(LOOPS.edited({"x[n, d]": "x[0, d]"}),)),
        Misconception(*words.SAMPLES_SUMMED, LOOPS.returning("out.sum(axis=0)"),
                      also=(LOOPS.returning("out.mean(axis=0)"),
                            lambda x, w, b: _dense(x.sum(axis=0, keepdims=True), w, b))),
        Misconception("samples paired with outputs",
                      "Every sample gets every output. Here row 0 of x meets row 0 of weight, row 1 meets row 1, and "
                      "so on.", lambda x, w, b: np.sum(x * w, axis=1) + b,
                      also=(lambda x, w, b: np.sum(x * w) + b, lambda x, w, b: x * w + b)),
        Misconception("outputs along the first axis", "The result has one row for each sample, as x has.",
                      LOOPS.returning("out.T")),
        Misconception(*words.NEGATIVE_CUT_OFF, LOOPS.returning("np.maximum(out, 0)")),
    )
    hints = (
        "One output of one sample first: which row of x, which row of weight?",
        "All dot products of rows of x with rows of weight are one matrix product. In a product A @ B the rows of A "
        "meet the columns of B.",
        "The shapes have to come out as (N, D) @ (D, K): which of the two matrices has to be turned? A bias of shape "
        "(K,) is added to each row by NumPy itself.",
    )
