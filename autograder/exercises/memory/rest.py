"""The third kind of memory, the rest: room to work in, and data on their way."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from autograder.exercises.memory.common import BITS, ELEMENTS, FOUR_BYTES, NOTEBOOK
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import geometry
from cnncourse.layers.base import size_of

Shape = tuple[int, ...]
Columns = Callable[[Shape, tuple[int, int], int, int, int], float]


def _outputs(size: int, kernel: int, stride: int, padding: int) -> int:
    return geometry.output_size(size, kernel, stride, padding, rounding="floor")


def _columns(
    stride: Callable[[int], int] = int, padding: Callable[[int], float] = float, fewer: int = 0,
    width: Callable[[int], int] = int, pictures: Callable[[int], int] = int, channels: Callable[[int], int] = int,
    kernel: Callable[[tuple[int, int]], tuple[int, int]] = lambda kernel: kernel,
    picture: Callable[[Shape], Shape] = lambda sides: sides,
    rounding: Callable[[float], float] = np.floor,
) -> Columns:
    """Bytes of the matrix by some rule; by default the right one."""
    def columns(x_shape: Shape, kernel_size: tuple[int, int], step: int, zeros: int, bytes_per_number: int) -> float:
        n, c, *sides = x_shape
        window = kernel(kernel_size)
        positions = 1.0
        for side, extent in zip(picture(tuple(sides)), window, strict=True):
            positions *= rounding((side + 2 * padding(zeros) - extent) / stride(step)) + 1 - fewer
        return pictures(n) * channels(c) * size_of(window) * positions * width(bytes_per_number)
    return columns


_right = _columns()


def _scaled(x_shape: Shape, kernel_size: tuple[int, int], stride: int, padding: int, width: int) -> int:
    """The matrix without the kernel's entries: the size of the layer's output, for C filters."""
    return int(_right(x_shape, kernel_size, stride, padding, width)) // size_of(kernel_size)


def _along_axes(
    strides: tuple[int, int] = (1, 1), paddings: tuple[int, int] = (1, 1),
    windows: Callable[[int, int], tuple[int, int]] = lambda kh, kw: (kh, kw),
    joined: Callable[[int, int], int] = lambda rows, columns: rows * columns,
) -> Columns:
    """Bytes of the matrix where the axes are treated differently: stride and padding hold where the factor is 1."""
    def columns(x_shape: Shape, kernel_size: tuple[int, int], stride: int, padding: int, width: int) -> float:
        n, c, *sides = x_shape
        positions = [(side - extent + 2 * padding * padded) // (stride if strided else 1) + 1
                     for side, extent, strided, padded
                     in zip(sides, windows(*kernel_size), strides, paddings, strict=True)]
        return n * c * size_of(kernel_size) * joined(*positions) * width
    return columns


def _data(
    raw_width: int = 1, crop_width: int = 4, waiting: Callable[[int, int], int] = lambda w, v: w,
    versions: Callable[[int, int], int] = lambda w, v: v, batch: Callable[[int], int] = int,
    raw: Callable[[Shape, Shape], Shape] = lambda r, c: r, crop: Callable[[Shape, Shape], Shape] = lambda r, c: c,
    of: Callable[[Shape], int] = size_of,
) -> Callable[[Shape, Shape, int, int, int], int]:
    """Bytes of data by some rule; by default the right one."""
    def data(raw_shape: Shape, crop_shape: Shape, batch_size: int, w: int, v: int) -> int:
        return batch(batch_size) * (waiting(w, v) * of(raw(raw_shape, crop_shape)) * raw_width
                                    + versions(w, v) * of(crop(raw_shape, crop_shape)) * crop_width)
    return data


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
        return _data()(raw_shape, crop_shape, batch_size, waiting, versions)

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
                      _columns(pictures=lambda n: 1)),
        Misconception("channels left out of the columns",
                      "A column holds the whole block that a filter sees, and that is as deep as the input.",
                      _columns(channels=lambda c: 1)),
        Misconception("overlapping windows counted once",
                      "Windows that overlap are written out one by one: a number that lies in nine windows stands in "
                      "the matrix nine times. This is the size of the input.",
                      lambda x, k, s, p, width: size_of(x) * width,
                      also=(lambda x, k, s, p, width: size_of((*x[:2], x[2] + 2 * p, x[3] + 2 * p)) * width,)),
        Misconception("kernel size left out of the columns",
                      "Each position has a column of C KH KW numbers; here it has C.", _scaled),
        Misconception("a column for every pixel",
                      "Columns are as many as the positions of the window. Only with stride 1 and a padding that keeps "
                      "the size is that the number of pixels.",
                      lambda x, k, s, p, width: size_of(x) * size_of(k) * width),
        Misconception("positions not rounded",
                      "A number of positions is a whole number: what is left over at the border is rounded down.",
                      _columns(rounding=float)),
        Misconception("stride left out", "With stride 2 the window stops at about a quarter of the positions.",
                      _columns(stride=lambda s: 1)),
        Misconception("padding left out", "The window also stops where it sees some of the zeros around the picture.",
                      _columns(padding=lambda p: 0)),
        Misconception("padding counted once", "Zeros lie on both sides of the picture.",
                      _columns(padding=lambda p: p / 2)),
        Misconception("first position forgotten",
                      "Along each axis the number of positions is the number of steps plus one.", _columns(fewer=1)),
        Misconception("positions rounded up",
                      "Where the stride does not divide evenly, a window that would stick out is left out.",
                      _columns(rounding=np.ceil)),
        Misconception("only square inputs", "Height and width of the picture are two numbers.",
                      _columns(picture=lambda sides: (sides[0], sides[0]))),
        Misconception("only square kernels", "Height and width of the kernel are two numbers.",
                      _columns(kernel=lambda k: (k[0], k[0])),
                      also=(_columns(kernel=lambda k: (k[1], k[1])),
                            _along_axes(windows=lambda kh, kw: (kh, kh)), _along_axes(windows=lambda kh, kw: (kw, kw)),
                            lambda x, k, s, p, width: _right(x, k, s, p, width) // k[1] * k[0],
                            lambda x, k, s, p, width: _right(x, k, s, p, width) // k[0] * k[1])),
        Misconception("stride on one axis only", "The window moves in steps of `stride` in both directions.",
                      _along_axes(strides=(1, 0)), also=(_along_axes(strides=(0, 1)),)),
        Misconception("padding on one axis only", "Zeros lie above and below, and to the left and right.",
                      _along_axes(paddings=(1, 0)), also=(_along_axes(paddings=(0, 1)),)),
        Misconception("rows and columns of positions added",
                      "The window stops at every row of positions, and in each of them at every column.",
                      _along_axes(joined=lambda rows, columns: rows + columns)),
        Misconception("kernel size left out of the positions",
                      "The window has to lie in the padded picture as a whole: its own size has to be subtracted.",
                      _along_axes(windows=lambda kh, kw: (0, 0)), also=(_along_axes(windows=lambda kh, kw: (1, 1)),)),
        Misconception("channels last", "Shapes are (N, C, H, W): channels are the second length.",
                      lambda x, k, s, p, width: _right((x[0], x[3], x[1], x[2]), k, s, p, width)),
        Misconception("kernel height and width swapped",
                      "kernel_size is (height, width): the first number belongs to the rows.",
                      _columns(kernel=lambda k: (k[1], k[0]))),
        Misconception(*ELEMENTS, _columns(width=lambda width: 1)),
        Misconception(*BITS, _columns(width=lambda width: 8 * width)),
        Misconception(*FOUR_BYTES, _columns(width=lambda width: 4)),
        Misconception("raw pictures in four bytes",
                      "Raw pictures hold whole numbers from 0 to 255, which fit into one byte each.",
                      _data(raw_width=4), "batch_data_bytes"),
        Misconception("versions in one byte",
                      "Augmented pictures are ready for the network: numbers in single precision.",
                      _data(crop_width=1), "batch_data_bytes"),
        Misconception("bytes exchanged",
                      "It is the raw pictures that take one byte for each number, and their versions that take four.",
                      _data(raw_width=4, crop_width=1), "batch_data_bytes"),
        Misconception("batch size left out", "Both parts are batches, of as many pictures.",
                      _data(batch=lambda n: 1), "batch_data_bytes"),
        Misconception("batch size on one part only",
                      "What waits are batches, and the versions are versions of a batch.",
                      lambda r, c, n, w, v: n * w * size_of(r) + 4 * v * size_of(c), "batch_data_bytes",
                      also=(lambda r, c, n, w, v: w * size_of(r) + 4 * n * v * size_of(c),)),
        Misconception("waiting batches and versions exchanged",
                      "`waiting` belongs to the raw pictures, `versions` to those that were cut out.",
                      _data(waiting=lambda w, v: v, versions=lambda w, v: w), "batch_data_bytes"),
        Misconception("another precision for the versions",
                      "The numbers of a version take four bytes each: single precision.",
                      _data(crop_width=8), "batch_data_bytes", also=(_data(crop_width=2),)),
        Misconception("lengths added instead of multiplied",
                      "A picture holds the product of its three lengths, not their sum.",
                      _data(of=sum), "batch_data_bytes"),
        Misconception("always three channels", "Pictures may have another number of channels: gray ones have one.",
                      _data(of=lambda shape: 3 * size_of(shape[1:])), "batch_data_bytes"),
        Misconception("only one batch waits", "There are `waiting` batches of raw pictures in memory.",
                      _data(waiting=lambda w, v: 1), "batch_data_bytes"),
        Misconception("only one version", "There are `versions` augmented versions of the batch in memory.",
                      _data(versions=lambda w, v: 1), "batch_data_bytes"),
        Misconception("versions of everything that waits",
                      "Only the batch whose turn it is has versions; the others wait as they are.",
                      _data(versions=lambda w, v: w * v), "batch_data_bytes"),
        Misconception("everything in the raw shape", "The versions are cut to a shape of their own.",
                      _data(crop=lambda r, c: r), "batch_data_bytes"),
        Misconception("everything in the cut shape", "Waiting pictures have not been cut yet.",
                      _data(raw=lambda r, c: c), "batch_data_bytes"),
        Misconception("data that wait left out",
                      "Batches that wait for their turn are in memory, too.", _data(waiting=lambda w, v: 0),
                      "batch_data_bytes"),
        Misconception("versions left out", "Every augmented version is an array of its own.",
                      _data(versions=lambda w, v: 0), "batch_data_bytes"),
        Misconception("channels left out of the pictures", "A color picture has three numbers at each pixel.",
                      _data(of=lambda shape: size_of(shape[1:])), "batch_data_bytes"),
    )
    hints = (
        "Matrix: how many numbers stand in one column, and how many columns does one picture have? Data: two sums, one "
        "for what waits and one for what is ready.",
        "Matrix: the number of columns is output height times output width, by the rule of notebook 1, each with its "
        "own size. Data: np.prod(shape) numbers for each picture.",
        "Matrix: N * (C * KH * KW) * (OH * OW) * bytes_per_number. Data: batch_size times what one picture needs, "
        "raw and in all its versions.",
    )
