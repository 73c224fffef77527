"""The same gradients as matrix products: columns back into pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from autograder.exercises import words
from autograder.exercises.parameter_sharing import forms
from autograder.exercises.parameter_sharing.backward import backward_cases
from autograder.exercises.parameter_sharing.common import NOTEBOOK
from autograder.exercises.parameter_sharing.forms import AT_ONCE, partly
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F

COL2IM = Written("""
    def col2im(columns, x_shape, kernel_size, stride, padding):
        N, C, H, W = x_shape
        KH, KW = kernel_size
        OH, OW = (H + 2 * padding - KH) // stride + 1, (W + 2 * padding - KW) // stride + 1
        apart = columns.reshape(N, C, KH, KW, OH, OW)
        padded = np.zeros((N, C, H + 2 * padding, W + 2 * padding), columns.dtype)
        for i, j in np.ndindex(OH, OW):
            top, left = i * stride, j * stride
            padded[:, :, top : top + KH, left : left + KW] += apart[:, :, :, :, i, j]
        out = padded[:, :, padding : padding + H, padding : padding + W]
        return out
    """)
CROP = "padded[:, :, padding : padding + H, padding : padding + W]"
BY_TAPS = COL2IM.edited({
    "np.ndindex(OH, OW)": "np.ndindex(KH, KW)", "i * stride, j * stride": "i, j",
    "top : top + KH, left : left + KW": "top : top + OH * stride : stride, left : left + OW * stride : stride",
    "] += apart[:, :, :, :, i, j]": "][:, :, :OH, :OW] += apart[:, :, i, j]"})
"""The same by a loop over the taps of the kernel in place of the positions."""
SAMPLES_MIXED = AT_ONCE.given(
    "grad_out = grad_out.reshape(len(weight), len(x), *grad_out.shape[2:]).swapaxes(0, 1)")
POSITIONS_MIXED = AT_ONCE.given(
    "grad_out = grad_out.reshape(len(x), *grad_out.shape[2:], len(weight)).transpose(0, 3, 1, 2)")


def _listed(*axes: str) -> Written:
    """Columns read as if their six axes had been written in another order."""
    back = np.argsort([("N", "C", "KH", "KW", "OH", "OW").index(axis) for axis in axes]).tolist()
    return COL2IM.edited({"reshape(N, C, KH, KW, OH, OW)": f"reshape({', '.join(axes)}).transpose({back})"})


@exercise("conv2d_backward_matmul", notebook=NOTEBOOK, points=5, answers=("col2im", "conv2d_backward_matmul"))
class Conv2dBackwardMatmul:
    """The same gradients by matrix products.

    col2im is the way back from im2col: it takes columns of shape (N, C * KH * KW, OH * OW) and adds each to the
    window that it belongs to; entries of windows that overlap are summed. It returns an array of x_shape
    (N, C, H, W), without the padding. conv2d_backward_matmul returns what conv2d_backward does, with matrix products.
    """

    def col2im(columns, x_shape, kernel_size, stride, padding):
        return F.col2im(columns, tuple(x_shape[2:]), tuple(kernel_size), stride=stride, padding=padding)

    def conv2d_backward_matmul(grad_out, x, weight, stride, padding):
        return F.conv2d_backward(grad_out, x, weight, stride=stride, padding=padding)

    returns: ClassVar = {"conv2d_backward_matmul": ("grad_x", "grad_weight", "grad_bias")}

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def draw(x_shape: tuple[int, ...], kernel_size: tuple[int, int], stride: int, padding: int) -> np.ndarray:
            rows, columns = ((size + 2 * padding - k) // stride + 1
                             for size, k in zip(x_shape[2:], kernel_size, strict=True))
            return rng.standard_normal((x_shape[0], x_shape[1] * kernel_size[0] * kernel_size[1], rows * columns))

        def case(name: str, *settings: Any) -> Case:
            return Case(name, (draw(*settings), *settings), "col2im")

        yield case("one channel, windows side by side", (1, 1, 4, 4), (2, 2), 2, 0)
        yield case("windows that overlap", (1, 1, 3, 3), (2, 2), 1, 0)
        yield case("three channels", (1, 3, 4, 4), (2, 2), 1, 0)
        yield case("two samples", (2, 2, 4, 4), (3, 3), 1, 0)
        yield case("padding 1", (1, 2, 3, 3), (3, 3), 1, 1)
        yield case("stride 2, padding 2", (1, 2, 5, 5), (3, 3), 2, 2)
        yield case("taller than wide", (2, 2, 6, 4), (3, 3), 1, 0)
        yield case("a kernel wider than tall, stride 2, padding 1", (1, 2, 4, 7), (2, 3), 2, 1)
        yield case("a kernel taller than wide", (2, 3, 6, 5), (4, 2), 1, 0)
        yield case("a stride larger than the kernel", (1, 2, 8, 5), (2, 2), 3, 0)
        yield case("rows and columns that no window reads", (1, 1, 6, 8), (3, 3), 2, 0)
        settings: tuple[Any, ...] = (2, 2, 4, 5), (3, 2), 1, 1
        columns = draw(*settings).astype(np.float32).repeat(2, axis=2)[..., ::2]
        yield Case("strided memory, single precision", (columns, *settings), "col2im")
        settings = (2, 3, 4, 3), (2, 2), 1, 0
        yield Case("Fortran order", (np.asfortranarray(draw(*settings)), *settings), "col2im")
        yield from backward_cases(rng, "conv2d_backward_matmul")

    misconceptions = (
        Misconception(*words.OVERWRITTEN, COL2IM.edited({"+=": "="}), also=(BY_TAPS.edited({"+=": "="}),),
                      detail="Note that NumPy's a[indices] += b adds only once where an index comes twice."),
        Misconception(*words.DIVIDED_BY_WINDOWS,
                      lambda columns, *settings: COL2IM(columns, *settings)
                      / np.maximum(COL2IM(np.ones_like(columns), *settings), 1),
                      detail="col2im does not undo im2col, it sums up."),
        Misconception(*words.PADDING_KEPT, COL2IM.edited({CROP: "padded"})),
        Misconception(*words.EMPTY_WITHOUT_PADDING,
                      COL2IM.edited({CROP: "padded[:, :, padding:-padding, padding:-padding]"})),
        Misconception(*words.CROPPED_AT_WRONG_PLACE, COL2IM.edited({CROP: "padded[:, :, :H, :W]"}),
                      also=(COL2IM.edited({CROP: "padded[:, :, 2 * padding :, 2 * padding :]"}),)),
        Misconception(*words.STRIDE_IGNORED, COL2IM.edited({"i * stride, j * stride": "i, j"}),
                      detail="Column i * OW + j belongs to the window at row i * stride, column j * stride."),
        Misconception(*words.CHANNEL_FASTEST, _listed("N", "KH", "KW", "C", "OH", "OW")),
        Misconception(*words.KERNEL_COLUMNS_FIRST, _listed("N", "C", "KW", "KH", "OH", "OW")),
        Misconception(*words.POSITIONS_DOWNWARDS, _listed("N", "C", "KH", "KW", "OW", "OH")),
        Misconception(*words.PATCHES_IN_ROWS, _listed("N", "OH", "OW", "C", "KH", "KW")),
        Misconception(*words.FIRST_SAMPLE, COL2IM.ending("out[1:] = 0"), detail="Every sample has columns of its own."),
        *(replace(m, name=f"{m.name}, in the layer") for m in forms.of_gradients("conv2d_backward_matmul")),
        Misconception("samples and filters mixed",
                      "grad_out lists samples first, then filters. A reshape keeps the order of the entries: move the "
                      "axes first, or multiply sample by sample.",
                      SAMPLES_MIXED, "conv2d_backward_matmul",
                      also=(partly(SAMPLES_MIXED, 1), partly(SAMPLES_MIXED, 0))),
        Misconception(*words.FILTERS_AND_POSITIONS_MIXED, POSITIONS_MIXED, "conv2d_backward_matmul",
                      also=(partly(POSITIONS_MIXED, 1), partly(POSITIONS_MIXED, 0)),
                      detail="A matrix (K, T) becomes (T, K) by transposing."),
        Misconception("reshaped where transposing is meant",
                      "weight.reshape(-1, K) has the shape of the transposed matrix and not its entries: a reshape "
                      "keeps the order of the numbers. Make rows of the filters first, then transpose.",
                      AT_ONCE.given("weight = weight.reshape(-1, len(weight)).T.reshape(weight.shape)"),
                      "conv2d_backward_matmul"),
        Misconception(*words.FILTERS_IN_ANOTHER_ORDER,
                      AT_ONCE.given("weight = weight.transpose(0, 3, 2, 1).reshape(weight.shape)"),
                      "conv2d_backward_matmul",
                      also=(AT_ONCE.ending("grad_weight = grad_weight.reshape(len(weight), *weight.shape[:0:-1])"
                                           ".transpose(0, 3, 2, 1)"),),
                      detail="Their gradient has to be put back in it."),
    )
    hints = (
        "For each of the three matrices in Y = W X: which shape has its gradient? Only one way of multiplying "
        "the other two has that shape.",
        "The gradient of W is G times X transposed, summed over the samples; the gradient of X is W transposed times "
        "G, and col2im brings it back. For col2im, loop over the positions, or over the taps of the kernel, and add.",
        "G is grad_out.reshape(N, K, -1); np.swapaxes(columns, 1, 2) transposes each sample's matrix; "
        "weight.reshape(K, -1).T @ G has the shape that col2im takes. In col2im, reshape the columns to "
        "(N, C, KH, KW, OH, OW) first: [..., i, j] is then added to one window of a padded array of zeros.",
    )
