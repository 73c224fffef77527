"""Wrong layers: mistakes of any convolution with stride and padding, whether by loops or by a matrix product."""

from __future__ import annotations

from collections.abc import Iterator

from autograder.exercises import words
from autograder.exercises.written import Written
from autograder.judging.exercise import Misconception

LOOPS = Written("""
    def conv2d_forward(x, weight, bias, stride, padding):
        N, C, H, W = x.shape
        K, C, KH, KW = weight.shape
        padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        OH, OW = (H + 2 * padding - KH) // stride + 1, (W + 2 * padding - KW) // stride + 1
        out = np.zeros((N, K, OH, OW))
        for n, k, i, j in np.ndindex(N, K, OH, OW):
            top, left = i * stride, j * stride
            window = padded[n, :, top : top + KH, left : left + KW]
            out[n, k, i, j] = np.sum(window * weight[k]) + bias[k]
        return out
    """)
AT_ONCE = Written("""
    def conv2d_forward(x, weight, bias, stride, padding):
        out = F.conv2d(x, weight, bias, stride=stride, padding=padding)
        return out
    """)
"""The same, faster: for what is changed before or after."""
WITHOUT_BIAS = AT_ONCE.edited({"weight, bias, stride=": "weight, stride="})

OUTPUT_ROWS_AND_COLUMNS = "np.ndindex(N, K, OH, OW)"
SUM = "np.sum(window * weight[k])"
FLIPPED_DETAIL = ("What the mathematicians call convolution turns the filter by half a turn first, as np.convolve and "
                  "scipy.signal.convolve2d do; this layer is a cross-correlation.")


def padded(rows: str, columns: str = "", mode: str = "constant") -> Written:
    """A layer whose input is padded in another way: pairs of numbers before and after each axis of the picture."""
    return AT_ONCE.given(f"x, padding = np.pad(x, ((0, 0), (0, 0), {rows}, {columns or rows}), mode='{mode}'), 0")


def window_at(place: str) -> Written:
    """A layer whose window of output (i, j) starts elsewhere."""
    return LOOPS.edited({"i * stride, j * stride": place})


def of_parameters(layer: Written, answer: str, more_filters: tuple[Written, ...] = ()) -> Iterator[Misconception]:
    """Mistakes of any layer with filters and biases, whatever else is given to it."""
    yield Misconception(*words.BIAS_FORGOTTEN, layer.given("bias = 0 * bias"), answer,
                        detail="Every output of filter k is a dot product plus the filter's own bias, bias[k].")
    yield Misconception(*words.ONE_BIAS, layer.given("bias = bias[:1].repeat(len(bias))"), answer,
                        also=(layer.given("bias = bias.sum() + 0 * bias"),),
                        detail="Only bias[k] is added to the map of filter k.")
    yield Misconception(*words.ONE_FILTER, layer.given("weight = weight[:1].repeat(len(weight), axis=0)"), answer,
                        also=more_filters)


def of_channels(layer: Written, answer: str) -> Iterator[Misconception]:
    """Mistakes in which channels or samples are lost."""
    yield Misconception(*words.BIAS_PER_CHANNEL, layer.given("bias = bias * x.shape[1]"), answer)
    yield Misconception(*words.FIRST_CHANNEL, layer.given("x, weight = x[:, :1], weight[:, :1]"), answer,
                        detail="The filter spans the full depth: the dot product runs over all channels of the window.")
    yield Misconception(*words.LAST_CHANNEL, layer.given("x, weight = x[:, -1:], weight[:, -1:]"), answer)
    yield Misconception(*words.FIRST_SAMPLE, layer.given("x = x[:1].repeat(len(x), axis=0)"), answer,
                        also=(layer.ending("out[1:] = 0"), layer.given("x = x[:1]")))


def of_layers(answer: str) -> Iterator[Misconception]:
    """Mistakes of any layer with stride and padding."""
    yield from of_parameters(AT_ONCE, answer, (
        AT_ONCE.given("weight, bias = weight[:1].repeat(len(weight), axis=0), bias[:1].repeat(len(bias))"),
        LOOPS.edited({"weight[k]": "weight[n]"})))
    yield Misconception(*words.FLIPPED, AT_ONCE.given("weight = np.flip(weight, (2, 3))"), answer,
                        also=tuple(AT_ONCE.given(f"weight = np.flip(weight, {axes})")
                                   for axes in ((1, 2, 3), (1, 2), 2, 3)),
                        detail=FLIPPED_DETAIL)
    yield Misconception(*words.PADDING_IGNORED, AT_ONCE.given("padding = 0"), answer,
                        detail="Add the zeros before you slide.")
    yield Misconception(*words.EDGE_VALUES, padded("(padding, padding)", mode="edge"), answer,
                        also=(padded("(padding, padding)", mode="symmetric"),))
    yield Misconception(*words.STRIDE_IGNORED, AT_ONCE.given("stride = 1"), answer,
                        detail="With stride 2 about a quarter of the positions remain.")
