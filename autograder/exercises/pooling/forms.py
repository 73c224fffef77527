"""Wrong forms of pooling layers: mistakes about windows that can be made whatever is made of a window.

The loops that they are edits of are written alike::

    KH, KW = kernel_size
    down = across = stride
    OH, OW = ...
    ...
        top, left = i * down, j * across
        rows, columns = slice(top, top + KH), slice(left, left + KW)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.exercises import words
from autograder.exercises.written import Written
from autograder.judging.exercise import Misconception

QUARTER = "With stride 2 about a quarter of the positions remain."
STEP, PLACE, SIZE = "down = across = stride", "i * down, j * across", "slice(top, top + KH), slice(left, left + KW)"


def of_windows(loops: Written) -> Iterator[Misconception]:
    """Mistakes of every layer, forward or backward."""
    yield Misconception(*words.WINDOW_SWAPPED, loops.given("kernel_size = kernel_size[::-1]"))
    yield Misconception(*words.SQUARE_WINDOWS, loops.given("kernel_size = kernel_size[0], kernel_size[0]"),
                        also=(loops.given("kernel_size = kernel_size[1], kernel_size[1]"),))
    yield Misconception(*words.FIRST_SAMPLE, loops.ending("out[1:] = 0"))
    yield Misconception(*words.FIRST_CHANNEL, loops.ending("out[:, 1:] = 0"),
                        detail="Each channel is pooled on its own.")


def of_forward(loops: Written, *more_side_by_side: Callable[..., Any]) -> Iterator[Misconception]:
    """Mistakes of every forward pass; the other ways to put windows side by side depend on the layer."""
    yield from of_windows(loops)
    yield Misconception(*words.STRIDE_IGNORED, loops.given("stride = 1"), detail=QUARTER)
    yield Misconception(*words.STRIDE_IS_WINDOW, loops.edited({STEP: "down, across = KH, KW"}),
                        also=(loops.edited({PLACE: "i * KH, j * KW"}), *more_side_by_side))
    yield Misconception(*words.STRIDE_ALONG_ROWS_ONLY, loops.edited({STEP: "down, across = stride, 1"}))
    yield Misconception(*words.STRIDE_ALONG_COLUMNS_ONLY, loops.edited({STEP: "down, across = 1, stride"}))
    yield Misconception(*words.STRIDE_NOT_IN_POSITION, loops.edited({PLACE: "i, j"}),
                        also=(loops.edited({PLACE: "i * down, j"}), loops.edited({PLACE: "i, j * across"})),
                        detail="The size of the output is right.")
    yield Misconception(*words.WINDOW_AS_LARGE_AS_STRIDE,
                        loops.edited({SIZE: "slice(top, top + stride), slice(left, left + stride)"}))
    yield Misconception(*words.OUTPUT_TRANSPOSED, loops.edited({PLACE: "j * across, i * down"}))
    yield Misconception(*words.SQUARE_INPUTS, loops.edited({"out = np.zeros": "OW = OH; out = np.zeros"}),
                        also=(loops.edited({STEP: f"W = H; {STEP}"}),))


def of_backward(
    loops: Written, *, overwriting: tuple[Written, ...] = (), side_by_side: tuple[Callable[..., Any], ...] = ()
) -> Iterator[Misconception]:
    """Mistakes of every backward pass that looks at windows; other ways to make them depend on the layer."""
    yield from of_windows(loops)
    yield Misconception(*words.OVERWRITTEN, loops.edited({"+= grad_out": "= grad_out"}), also=overwriting)
    yield Misconception(*words.UPSTREAM_IGNORED, loops.given("grad_out = np.ones_like(grad_out)"),
                        also=(loops.given("grad_out = np.ones_like(grad_out)").ending("out = np.minimum(out, 1)"),))
    yield Misconception(*words.STRIDE_NOT_IN_POSITION, loops.edited({PLACE: "i, j"}),
                        also=(loops.edited({PLACE: "i * down, j"}), loops.edited({PLACE: "i, j * across"})))
    yield Misconception(*words.STRIDE_IS_WINDOW, loops.edited({PLACE: "i * KH, j * KW"}), also=side_by_side)
    yield Misconception(*words.SQUARE_INPUTS, loops.edited({"OH, OW = grad_out.shape[2:]":
                                                            "OH = OW = grad_out.shape[2]"}))


def averaged(backward: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """A gradient divided by the number of windows that send something to an input."""
    def wrong(grad_out: np.ndarray, *settings: Any) -> np.ndarray:
        return backward(grad_out, *settings) / np.maximum(backward(np.ones_like(grad_out), *settings), 1)
    return wrong


def tiles(x: np.ndarray, kernel_size: tuple[int, int]) -> np.ndarray:
    """Windows side by side by a reshape, as long as their number comes out whole: (N, C, OH, KH, OW, KW)."""
    samples, channels, height, width = x.shape
    rows, columns = kernel_size
    return x.reshape(samples, channels, height // rows, rows, width // columns, columns)
