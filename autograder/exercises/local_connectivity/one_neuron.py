"""How many neurons there are, and what one of them sees."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.exercises import words
from autograder.exercises.local_connectivity.common import NOTEBOOK
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import geometry

SIZE = Written("""
    def output_size(W, F, S, P):
        return (W - F + 2 * P) // S + 1
    """)
BLOCK = Written("""
    def receptive_field_slice(x, row, column, kernel_size, stride):
        KH, KW = kernel_size
        top, left = row * stride, column * stride
        return x[:, top : top + KH, left : left + KW]
    """)


def _block_at(place: str) -> Written:
    """The block starts elsewhere."""
    return BLOCK.edited({"row * stride, column * stride": place})


def _slices(rows: str, columns: str) -> Written:
    """Other rows and columns are cut out."""
    return BLOCK.edited({"top : top + KH": rows, "left : left + KW": columns})


SPREAD = _slices("top : top + KH * stride : stride", "left : left + KW * stride : stride")
"""A block whose inputs lie one stride apart."""


@exercise("output_size", notebook=NOTEBOOK, points=2)
class OutputSize:
    """How many positions a window has along one axis.

    A window of `kernel_size` inputs slides over `input_size` inputs with `padding` zeros on either side, `stride`
    inputs at a time. Return the number of its positions as a whole number. Where the stride does not divide evenly,
    round down, as PyTorch does; raising a ValueError there is accepted as well.
    """

    def output_size(input_size, kernel_size, stride, padding):
        return geometry.output_size(input_size, kernel_size, stride, padding, rounding="floor")

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        yield Case("no padding, stride 1", (7, 3, 1, 0))
        yield Case("padding that keeps the size", (5, 3, 1, 1))
        yield Case("stride 2", (7, 3, 2, 0))
        yield Case("AlexNet's first layer", (227, 11, 4, 0))
        yield Case("padding 2", (32, 5, 1, 2))
        yield Case("a window as large as the input", (7, 7, 1, 0))
        yield Case("a window of one input", (9, 1, 1, 0))
        yield Case("an even window", (8, 4, 2, 1))
        yield Case("a stride larger than the window", (10, 2, 4, 0))
        yield Case("padding larger than the window", (4, 2, 1, 3))
        for number in range(2):
            kernel, stride, padding = (int(n) for n in rng.integers([2, 2, 1], [7, 5, 4]))
            steps = int(rng.integers(4, 30))
            size = steps * stride + kernel - 2 * padding
            if size < kernel:
                size += stride * -(-(kernel - size) // stride)
            yield Case(f"settings drawn at random that fit ({number + 1})", (size, kernel, stride, padding))
        yield Case("the stride does not divide: one half is left over", (10, 3, 2, 0), may_raise=True)
        yield Case("the stride does not divide: one third is left over", (12, 3, 3, 2), may_raise=True)
        yield Case("the stride does not divide: two thirds are left over", (12, 4, 3, 0), may_raise=True)
        stride = int(rng.integers(3, 6))
        size = stride * int(rng.integers(5, 20)) + 5 + int(rng.integers(1, stride))
        yield Case("the stride does not divide, drawn at random", (size, 5, stride, 0), may_raise=True)

    misconceptions = (
        Misconception(*words.ONE_FORGOTTEN, SIZE.returning("(W - F + 2 * P) // S"),
                      also=(SIZE.returning("len(range(0, W - F + 2 * P, S))"),),
                      detail="With 7 inputs and a window of 7 there are no steps, and one position."),
        Misconception(*words.PADDING_COUNTED_ONCE, SIZE.edited({"2 * P": "P"})),
        Misconception(*words.PADDING_IGNORED, SIZE.given("P = 0")),
        Misconception(*words.NOT_ROUNDED, SIZE.edited({"//": "/"}),
                      detail="The last inputs are left out, so the steps are rounded down."),
        Misconception(*words.ROUNDED_UP, SIZE.returning("-(-(W - F + 2 * P) // S) + 1"),
                      detail="Caffe's pooling rounds up, convolution does not."),
        Misconception(*words.ROUNDED_TO_NEAREST, SIZE.returning("int((W - F + 2 * P) / S + 0.5) + 1"),
                      also=(SIZE.returning("round((W - F + 2 * P) / S) + 1"),
                            SIZE.returning("round((W - F + 2 * P) / S + 1)"))),
        Misconception(*words.STRIDE_IGNORED, SIZE.given("S = 1"),
                      detail="With stride 2 the window stops at about half of the places."),
        Misconception("one added before the division",
                      "The one stands for the first position, not for an input: it is added after the division by the "
                      "stride.",
                      SIZE.returning("(W - F + 2 * P + 1) // S")),
        Misconception("kernel size ignored",
                      "A window that spans F inputs cannot start at the last F - 1 of them.",
                      SIZE.given("F = 0"), also=(SIZE.returning("len(range(0, W + 2 * P, S))"),)),
        Misconception("only a part divided by the stride",
                      "Input, window and padding belong under one fraction; dividing only a part of them by the stride "
                      "gives another number. In Python as on paper, a division binds tighter than a sum: look at your "
                      "brackets.",
                      SIZE.returning("W - F + 2 * P // S + 1"),
                      also=tuple(map(SIZE.returning, ("(W - F) // S + 2 * P + 1", "int((W - F) / S) + 2 * P + 1",
                                                      "(W + 2 * P) // S - F + 1", "W + 2 * P - F // S + 1",
                                                      "W // S - F + 2 * P + 1")))),
        Misconception("divided by the kernel size",
                      "The window moves by the stride; its own size only decides how far it can move. Dividing by the "
                      "kernel size counts windows that stand side by side.",
                      SIZE.edited({"// S": "// F"}),
                      also=(SIZE.returning("(W - S + 2 * P) // F + 1"), SIZE.returning("(W + 2 * P) // F"))),
        Misconception("padding subtracted",
                      "Padding adds zeros to the axis, so it makes room for more positions, not for fewer.",
                      SIZE.given("P = -P")),
        Misconception("SAME rule of TensorFlow",
                      "ceil(W / S) is the size that TensorFlow's SAME padding is chosen to give. Here the padding is "
                      "given, and the size follows from it.",
                      SIZE.returning("-(-W // S)")),
    )
    hints = (
        "Draw 7 inputs and a window of 3. At how many places can its first input lie? And with stride 2?",
        "Make the axis longer by the padding, find the last place where the window can start, and count the steps of "
        "the stride that lead there.",
        "Divide what is left of the padded input after one window by the stride, without a remainder, and do not "
        "forget the position before the first step.",
    )


@exercise("receptive_field_slice", notebook=NOTEBOOK, points=2)
class ReceptiveFieldSlice:
    """The block of the input that one output neuron sees.

    x is one picture of shape (C, H, W), padded already if it has to be. Return the block that the neuron in row `row`
    and column `column` of the output sees: all C channels, `kernel_size` = (KH, KW) rows and columns, so an array
    of shape (C, KH, KW). Neighboring neurons look `stride` inputs apart.
    """

    def receptive_field_slice(x, row, column, kernel_size, stride):
        top, left = row * stride, column * stride
        return x[:, top : top + kernel_size[0], left : left + kernel_size[1]]

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def picture(*shape: int) -> np.ndarray:
            return rng.standard_normal(shape)

        yield Case("the first neuron", (picture(1, 5, 5), 0, 0, (3, 3), 1))
        yield Case("three channels", (picture(3, 5, 5), 0, 0, (3, 3), 1))
        yield Case("a neuron further down", (picture(2, 6, 6), 2, 1, (3, 3), 1))
        yield Case("stride 2", (picture(2, 9, 9), 1, 2, (3, 3), 2))
        yield Case("wider than tall", (picture(2, 5, 10), 1, 5, (3, 3), 1))
        yield Case("taller than wide, stride 2", (picture(3, 11, 6), 4, 1, (3, 3), 2))
        yield Case("a kernel taller than wide", (picture(2, 8, 7), 2, 3, (4, 2), 1))
        yield Case("a kernel wider than tall, stride 3", (picture(2, 9, 12), 2, 1, (2, 5), 3))
        yield Case("a stride larger than the kernel", (picture(1, 8, 9), 1, 2, (2, 1), 3))
        yield Case("the last neuron", (picture(4, 7, 8), 4, 5, (3, 3), 1))
        yield Case("single precision", (picture(2, 6, 7).astype(np.float32), 1, 2, (2, 3), 2))
        yield Case("strided memory", (picture(2, 6, 14)[:, :, ::2], 3, 4, (3, 2), 1))
        yield Case("other numbers in the shape of an earlier case", (picture(2, 8, 7), 2, 3, (4, 2), 1))

    misconceptions = (
        Misconception("stride forgotten in the position",
                      "The neuron in row 1 sees a block that starts `stride` inputs further down, not one; likewise to "
                      "the right.",
                      _block_at("row, column"),
                      also=(_block_at("row * stride, column"), _block_at("row, column * stride"))),
        Misconception("only one channel",
                      "A neuron looks at a small block of rows and columns, but through the full depth: all channels.",
                      BLOCK.edited({"x[:,": "x[0,"})),
        Misconception("row and column swapped",
                      "The first index of the neuron counts rows, from the top; the second counts columns.",
                      BLOCK.given("row, column = column, row")),
        Misconception(*words.KERNEL_SWAPPED, BLOCK.given("kernel_size = kernel_size[::-1]")),
        Misconception(*words.SQUARE_KERNELS, BLOCK.given("kernel_size = kernel_size[0], kernel_size[0]"),
                      also=(BLOCK.given("kernel_size = kernel_size[1], kernel_size[1]"),),
                      detail="They are kernel_size[0] and kernel_size[1]."),
        Misconception("channels cut instead of rows",
                      "In (C, H, W) the first axis is the channels. They are all kept: the slices belong to the second "
                      "axis and the third.",
                      BLOCK.edited({"x[:,": "x["})),
        Misconception("one entry too many",
                      "A slice ends before its stop: start : start + n has n entries already.",
                      BLOCK.edited({"KH, KW = kernel_size": "KH, KW = kernel_size[0] + 1, kernel_size[1] + 1"})),
        Misconception("one entry too few",
                      "A slice ends before its stop, so nothing has to be taken off: start : start + n has n entries.",
                      BLOCK.edited({"KH, KW = kernel_size": "KH, KW = kernel_size[0] - 1, kernel_size[1] - 1"})),
        Misconception("the end does not move",
                      "Both ends of the slice move with the neuron; the end lies one kernel size after the start.",
                      _slices("top : KH", "left : KW"), also=(_slices("top : row + KH", "left : column + KW"),)),
        Misconception("stride used as a step in the block",
                      "The stride moves the block from neuron to neuron. Inside of the block the inputs are neighbors.",
                      SPREAD, also=(SPREAD.edited({"row * stride, column * stride": "row, column"}),)),
        Misconception(*words.KERNEL_AS_STRIDE, _block_at("row * KH, column * KW")),
        Misconception("summed up already",
                      "This function hands over the block itself. Multiplying and adding comes later.",
                      BLOCK.edited({"left + KW]": "left + KW].sum()"}),
                      also=(BLOCK.edited({"left + KW]": "left + KW].sum(axis=0)"}),
                            BLOCK.edited({"left + KW]": "left + KW].mean(axis=0)"}))),
        Misconception("centered on the neuron",
                      "The block of neuron 0 starts at input 0 of the padded picture; it is not centered there.",
                      _block_at("row * stride - KH // 2, column * stride - KW // 2").edited(
                          {"[:, top :": "[:, max(top, 0) :", "left : left": "max(left, 0) : left"})),
    )
    hints = (
        "Where does the block of neuron (0, 0) start, and how far is it to that of neuron (1, 0)?",
        "You need a slice along each axis: everything along the channels, and along rows and columns a start and a "
        "stop, the stop one kernel size after the start.",
        "The start along the rows is the neuron's row times the stride, and likewise along the columns.",
    )
