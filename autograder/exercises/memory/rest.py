"""The third kind of memory, the rest: room to work in, and data on their way."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.exercises import words
from autograder.exercises.making import in_answer
from autograder.exercises.memory.common import NOTEBOOK
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import geometry
from cnncourse.layers.base import size_of


def _outputs(size: int, kernel: int, stride: int, padding: int) -> int:
    return geometry.output_size(size, kernel, stride, padding, rounding="floor")


def _columns(x_shape, kernel_size, stride, padding, bytes_per_number):
    """A right answer, of which wrong ones are edits."""
    pictures, channels, height, width = x_shape
    down, right = kernel_size
    rows = (height + 2 * padding - down) // stride + 1
    columns = (width + 2 * padding - right) // stride + 1
    return pictures * channels * down * right * rows * columns * bytes_per_number


def _data(raw_shape, crop_shape, batch_size, waiting, versions):
    """A right answer, of which wrong ones are edits."""
    raw = waiting * size_of(raw_shape)
    cut = 4 * versions * size_of(crop_shape)
    return batch_size * (raw + cut)


MATRIX, DATA = Written.of(_columns), Written.of(_data)


@exercise("workspace_and_data", notebook=NOTEBOOK, points=4, answers=("im2col_bytes", "batch_data_bytes"))
class WorkspaceAndData:
    """Bytes of an im2col matrix, and of batches on their way to the network.

    `im2col_bytes` gives the bytes of the matrix that im2col makes of a whole batch of shape (N, C, H, W): one column
    of C KH KW numbers for each position of the window, in each picture. Output sizes are rounded down.

    `batch_data_bytes` gives the bytes of data: `waiting` batches of raw pictures, whose numbers take one byte each,
    and `versions` augmented versions of the batch, cut to another shape, whose numbers take four bytes each.
    """

    def im2col_bytes(x_shape, kernel_size, stride, padding, bytes_per_number):
        n, c, h, w = x_shape
        positions = _outputs(h, kernel_size[0], stride, padding) * _outputs(w, kernel_size[1], stride, padding)
        return n * c * kernel_size[0] * kernel_size[1] * positions * bytes_per_number

    def batch_data_bytes(raw_shape, crop_shape, batch_size, waiting, versions):
        return _data(raw_shape, crop_shape, batch_size, waiting, versions)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def n(low: int, high: int) -> int:
            return int(rng.integers(low, high))

        yield Case("one picture, one channel", ((1, 1, 6, 6), (3, 3), 1, 0, 4), "im2col_bytes")
        yield Case("several channels", ((1, 3, 6, 6), (3, 3), 1, 0, 4), "im2col_bytes")
        yield Case("a batch of 8", ((8, 3, 6, 6), (3, 3), 1, 0, 4), "im2col_bytes")
        yield Case("padding that keeps the size", ((2, 3, 8, 8), (3, 3), 1, 1, 4), "im2col_bytes")
        yield Case("stride 2", ((2, 3, 9, 9), (3, 3), 2, 0, 4), "im2col_bytes")
        yield Case("half precision", ((2, 3, 7, 7), (2, 2), 1, 0, 2), "im2col_bytes")
        yield Case("double precision", ((2, 2, 7, 7), (3, 3), 1, 1, 8), "im2col_bytes")
        yield Case("taller than wide", ((3, 2, 11, 5), (3, 3), 2, 1, 4), "im2col_bytes")
        yield Case("a kernel taller than wide", ((2, 3, 7, 7), (4, 2), 1, 0, 4), "im2col_bytes")
        yield Case("a kernel wider than tall, stride 3", ((2, 4, 6, 14), (1, 5), 3, 0, 4), "im2col_bytes")
        yield Case("padding 2 and a stride that does not divide evenly", ((3, 2, 8, 7), (3, 4), 2, 2, 4),
                   "im2col_bytes")
        yield Case("a 1x1 kernel", ((2, 5, 4, 6), (1, 1), 1, 0, 4), "im2col_bytes")
        yield Case("VGG-16's second layer, 32 pictures", ((32, 64, 224, 224), (3, 3), 1, 1, 4), "im2col_bytes")
        yield Case("drawn at random", ((n(2, 9), n(2, 7), n(20, 30), n(10, 20)), (n(2, 4), n(4, 6)), 2, n(1, 3),
                                       int(rng.choice([2, 8]))), "im2col_bytes")
        yield Case("one batch waits, one version", ((3, 8, 8), (3, 8, 8), 4, 1, 1), "batch_data_bytes")
        yield Case("three batches wait", ((3, 8, 8), (3, 8, 8), 4, 3, 1), "batch_data_bytes")
        yield Case("five versions", ((3, 8, 8), (3, 8, 8), 4, 1, 5), "batch_data_bytes")
        yield Case("versions are smaller", ((3, 10, 12), (3, 8, 7), 4, 2, 3), "batch_data_bytes")
        yield Case("gray pictures", ((1, 10, 12), (1, 8, 7), 6, 4, 2), "batch_data_bytes")
        yield Case("nothing waits", ((3, 10, 12), (3, 8, 7), 5, 0, 2), "batch_data_bytes")
        yield Case("no version yet", ((3, 10, 12), (3, 8, 7), 5, 2, 0), "batch_data_bytes")
        yield Case("photographs of 256 x 256 cut to 224 x 224", ((3, 256, 256), (3, 224, 224), 128, 4, 2),
                   "batch_data_bytes")
        yield Case("data drawn at random", ((3, n(30, 40), n(40, 50)), (3, n(10, 20), n(20, 30)), n(3, 20), n(5, 9),
                                            n(2, 5)), "batch_data_bytes")

    misconceptions = (
        Misconception("only one picture", "The matrix is that of the whole batch: columns for each of its pictures.",
                      MATRIX.given("x_shape = (1, *x_shape[1:])")),
        Misconception(*words.DEPTH_FORGOTTEN, MATRIX.edited({"* channels ": ""})),
        Misconception("overlapping windows counted once",
                      "Windows that overlap are written out one by one: a number that lies in nine windows stands in "
                      "the matrix nine times. This is the size of the input.",
                      MATRIX.edited({"down * right * rows * columns": "height * width"}),
                      also=(MATRIX.edited({"down * right * rows * columns":
                                           "(height + 2 * padding) * (width + 2 * padding)"}),)),
        Misconception("kernel size left out of the columns",
                      "Each position has a column of C KH KW numbers; here it has C.",
                      MATRIX.edited({"down * right * ": ""})),
        Misconception("a column for every pixel",
                      "Columns are as many as the positions of the window. Only with stride 1 and a padding that keeps "
                      "the size is that the number of pixels.", MATRIX.edited({"rows * columns": "height * width"})),
        Misconception(*words.NOT_ROUNDED, MATRIX.edited({"down) //": "down) /", "right) //": "right) /"})),
        Misconception(*words.STRIDE_IGNORED, MATRIX.given("stride = 1")),
        Misconception(*words.PADDING_IGNORED, MATRIX.given("padding = 0")),
        Misconception(*words.PADDING_COUNTED_ONCE, MATRIX.given("padding /= 2")),
        Misconception(*words.ONE_FORGOTTEN, MATRIX.edited({"down) // stride + 1": "down) // stride",
                                                           "right) // stride + 1": "right) // stride"})),
        Misconception(*words.ROUNDED_UP, MATRIX.edited({"down) // stride": "down + stride - 1) // stride",
                                                        "right) // stride": "right + stride - 1) // stride"})),
        Misconception(*words.SQUARE_INPUTS, MATRIX.edited({"(width +": "(height +"})),
        Misconception(*words.SQUARE_KERNELS, MATRIX.edited({"= kernel_size": "= kernel_size[0], kernel_size[0]"}),
                      also=(MATRIX.edited({"= kernel_size": "= kernel_size[1], kernel_size[1]"}),
                            MATRIX.edited({"padding - right)": "padding - down)"}),
                            MATRIX.edited({"padding - down)": "padding - right)"}),
                            MATRIX.edited({"down * right *": "down * down *"}),
                            MATRIX.edited({"down * right *": "right * right *"}))),
        Misconception(*words.STRIDE_ALONG_ONE_AXIS, MATRIX.edited({"right) // stride": "right)"}),
                      also=(MATRIX.edited({"down) // stride": "down)"}),)),
        Misconception("padding on one axis only", "Zeros lie above and below, and to the left and right.",
                      MATRIX.edited({"(width + 2 * padding": "(width"}),
                      also=(MATRIX.edited({"(height + 2 * padding": "(height"}),)),
        Misconception("rows and columns of positions added",
                      "The window stops at every row of positions, and in each of them at every column.",
                      MATRIX.edited({"rows * columns": "(rows + columns)"})),
        Misconception("kernel size left out of the positions",
                      "The window has to lie in the padded picture as a whole: its own size has to be subtracted.",
                      MATRIX.edited({" - down)": ")", " - right)": ")"}),
                      also=(MATRIX.edited({" - down)": " - 1)", " - right)": " - 1)"}),)),
        Misconception("shapes read with channels last", "Shapes are (N, C, H, W): channels are the second length.",
                      MATRIX.edited({"channels, height, width =": "height, width, channels ="})),
        Misconception(*words.KERNEL_SWAPPED, MATRIX.edited({"down, right =": "right, down ="})),
        Misconception(*words.ELEMENTS, MATRIX.given("bytes_per_number = 1")),
        Misconception(*words.BITS, MATRIX.given("bytes_per_number *= 8")),
        Misconception(*words.FOUR_BYTES, MATRIX.given("bytes_per_number = 4")),
        *in_answer(
            "batch_data_bytes",
            Misconception("raw pictures in four bytes",
                          "Raw pictures hold whole numbers from 0 to 255, which fit into one byte each.",
                          DATA.edited({"waiting *": "4 * waiting *"})),
            Misconception("versions in one byte",
                          "Augmented pictures are ready for the network: numbers in single precision.",
                          DATA.edited({"4 * ": ""})),
            Misconception("bytes exchanged",
                          "It is the raw pictures that take one byte for each number, and their versions that take "
                          "four.", DATA.edited({"waiting *": "4 * waiting *", "4 * versions": "versions"})),
            Misconception("batch size left out", "Both parts are batches, of as many pictures.",
                          DATA.given("batch_size = 1")),
            Misconception("batch size on one part only",
                          "What waits are batches, and the versions are versions of a batch.",
                          DATA.edited({"(raw + cut)": "raw + cut"}),
                          also=(DATA.edited({"batch_size * (raw + cut)": "raw + batch_size * cut"}),)),
            Misconception("waiting batches and versions exchanged",
                          "`waiting` belongs to the raw pictures, `versions` to those that were cut out.",
                          DATA.given("waiting, versions = versions, waiting")),
            Misconception("another precision for the versions",
                          "The numbers of a version take four bytes each: single precision.",
                          DATA.edited({"4 *": "8 *"}), also=(DATA.edited({"4 *": "2 *"}),)),
            Misconception(*words.LENGTHS_ADDED, DATA.given("size_of = sum")),
            Misconception("always three channels", "Pictures may have another number of channels: gray ones have one.",
                          DATA.given("raw_shape, crop_shape = (3, *raw_shape[1:]), (3, *crop_shape[1:])")),
            Misconception("only one batch waits", "There are `waiting` batches of raw pictures in memory.",
                          DATA.given("waiting = 1")),
            Misconception("only one version", "There are `versions` augmented versions of the batch in memory.",
                          DATA.given("versions = 1")),
            Misconception("versions of everything that waits",
                          "Only the batch whose turn it is has versions; the others wait as they are.",
                          DATA.edited({"* versions": "* waiting * versions"})),
            Misconception("everything in the raw shape", "The versions are cut to a shape of their own.",
                          DATA.given("crop_shape = raw_shape")),
            Misconception("everything in the cut shape", "Waiting pictures have not been cut yet.",
                          DATA.given("raw_shape = crop_shape")),
            Misconception("data that wait left out", "Batches that wait for their turn are in memory, too.",
                          DATA.given("waiting = 0")),
            Misconception("versions left out", "Every augmented version is an array of its own.",
                          DATA.given("versions = 0")),
            Misconception("channels left out of the pictures", "A color picture has three numbers at each pixel.",
                          DATA.given("raw_shape, crop_shape = raw_shape[1:], crop_shape[1:]")),
        ),
    )
    hints = (
        "Matrix: how many numbers stand in one column, and how many columns does one picture have? Data: two sums, one "
        "for what waits and one for what is ready.",
        "Matrix: the number of columns is output height times output width, by the rule of notebook 1, each with its "
        "own size. Data: np.prod(shape) numbers for each picture.",
        "Matrix: N * (C * KH * KW) * (OH * OW) * bytes_per_number. Data: batch_size times what one picture needs, "
        "raw and in all its versions.",
    )
