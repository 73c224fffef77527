"""Wrong gradients of a convolution, whether they are computed by loops or by matrix products."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations
from typing import Any

from autograder.exercises import words
from autograder.exercises.written import Written
from autograder.judging.exercise import Misconception

LOOPS = Written("""
    def conv2d_backward(grad_out, x, weight, stride, padding):
        N, C, H, W = x.shape
        K, C, KH, KW = weight.shape
        OH, OW = grad_out.shape[2:]
        around = ((0, 0), (0, 0), (padding, padding), (padding, padding))
        padded = np.pad(x, around)
        grad_padded, grad_weight, grad_bias = np.zeros_like(padded), np.zeros_like(weight), np.zeros(K, x.dtype)
        for n, k, i, j in np.ndindex(N, K, OH, OW):
            top, left = i * stride, j * stride
            window = (n, slice(None), slice(top, top + KH), slice(left, left + KW))
            upstream = grad_out[n, k, i, j]
            grad_padded[window] += upstream * weight[k]
            grad_weight[k] += upstream * padded[window]
            grad_bias[k] += upstream
        grad_x = grad_padded[:, :, padding : padding + H, padding : padding + W]
        return grad_x, grad_weight, grad_bias
    """)
INTO_X, INTO_WEIGHT, INTO_BIAS = "grad_padded[window]", "grad_weight[k]", "grad_bias[k]"
TO_X, TO_WEIGHT = "upstream * weight[k]", "upstream * padded[window]"
CROP = "grad_padded[:, :, padding : padding + H, padding : padding + W]"
AT_ONCE = Written("""
    def conv2d_backward(grad_out, x, weight, stride, padding):
        grad_x, grad_weight, grad_bias = F.conv2d_backward(grad_out, x, weight, stride=stride, padding=padding)
        N, T = len(x), grad_out[0, 0].size
        return grad_x, grad_weight, grad_bias
    """)
"""The same, faster: for what is changed before or after."""


def of_gradients(answer: str) -> Iterator[Misconception]:
    """Mistakes of any backward pass of a convolution."""
    def known(words_of_it: tuple[str, str], *forms: Written, detail: str = "") -> Misconception:
        return Misconception(*words_of_it, forms[0], answer, also=forms[1:], detail=detail)

    def named(name: str, explanation: str, *forms: Written) -> Misconception:
        return known((name, explanation), *forms)

    yield known(words.UPSTREAM_IGNORED,
                AT_ONCE.given("grad_out = np.ones_like(grad_out)"), LOOPS.edited({TO_X: "weight[k]"}),
                LOOPS.edited({TO_WEIGHT: "padded[window]"}),
                LOOPS.edited({f"{INTO_BIAS} += upstream": f"{INTO_BIAS} += 1"}),
                detail="All three gradients are sums in which every term has an entry of grad_out as a factor.")
    right_order = ("grad_x", "grad_weight", "grad_bias")
    yield known(words.GRADIENTS_IN_ANOTHER_ORDER,
                *(AT_ONCE.returning(", ".join(order)) for order in permutations(right_order) if order != right_order),
                detail="The result is the gradient of the input, then of the weights, then of the bias, in this order.")
    yield known(words.PADDING_KEPT, LOOPS.edited({CROP: "grad_padded"}))
    yield known(words.EMPTY_WITHOUT_PADDING,
                LOOPS.edited({CROP: "grad_padded[:, :, padding:-padding, padding:-padding]"}))
    yield known(words.CROPPED_AT_WRONG_PLACE,
                LOOPS.edited({CROP: "grad_padded[:, :, :H, :W]"}),
                LOOPS.edited({CROP: "grad_padded[:, :, 2 * padding :, 2 * padding :]"}))
    yield named("cropped on one side",
                "Padding was added before and after: it has to be cut off at both ends.",
                LOOPS.edited({CROP: "grad_padded[:, :, padding:, padding:]"}),
                LOOPS.edited({CROP: "grad_padded[:, :, : H + padding, : W + padding]"}))
    yield named("rows that no window reads are missing",
                "The gradient of the input has the shape of x. Where the stride does not divide evenly, the last rows "
                "and columns are read by no window: their gradient is zero, but it is there.",
                LOOPS.edited({"grad_x = ": "H, W = (OH - 1) * stride + KH - 2 * padding, (OW - 1) * stride + KW "
                                           "- 2 * padding; grad_x = "}))
    yield named("flipped kernel in the gradient of the input",
                "An output used weight[k] as it is, unflipped: what goes back into its window is weight[k] times "
                "an entry of grad_out.",
                AT_ONCE.given("weight = weight[:, :, ::-1, ::-1]"))
    yield named("gradient of the weights flipped",
                "The weight at the top left met the top left of each window, so its gradient stands there too.",
                AT_ONCE.ending("grad_weight = grad_weight[:, :, ::-1, ::-1]"))
    yield named("gradient of the weights averaged",
                "Contributions of samples and positions are added. If the loss is a mean over samples, its division "
                "is in grad_out already.",
                *(AT_ONCE.ending(f"grad_weight /= {count}") for count in ("N", "T", "N * T")))
    yield known(words.BIAS_GRADIENT_AVERAGED,
                *(AT_ONCE.ending(f"grad_bias /= {count}") for count in ("N", "T", "N * T")))
    yield named("weights and bias averaged",
                "A sum over samples and positions is wanted, for the weights and for the bias. If the loss is a mean, "
                "its division is in grad_out already.",
                AT_ONCE.ending("grad_weight /= N; grad_bias /= N"),
                AT_ONCE.ending("grad_weight /= N * T; grad_bias /= N * T"))
    yield named("all gradients averaged",
                "Nothing is divided here, not even by the number of samples. If the loss is a mean, its division is "
                "in grad_out already.",
                AT_ONCE.ending("grad_x /= N; grad_weight /= N; grad_bias /= N"))
    yield named("gradient of the bias not summed over samples",
                "All samples use the same bias: one number for each filter remains, of shape (K,).",
                _bias("grad_out.sum(axis=(2, 3))"))
    yield named("gradient of the bias summed over samples only",
                "The bias of a filter is added at every position: its gradient sums over rows and columns, too.",
                _bias("grad_out.sum(axis=0)"))
    yield named("one gradient for all biases",
                "Each filter has its own bias; its gradient sums the entries of its own map.",
                _bias("grad_out.sum()"), _bias("np.full_like(grad_bias, grad_out.sum())"))
    yield named("gradient of the bias along the wrong axis",
                "The filters are the second axis of grad_out: sum over all axes but this one.",
                *(_bias(f"grad_out.sum(axis={axes})") for axes in ((1, 2, 3), (0, 1, 2), (0, 1, 3))))
    yield known(words.LAST_SAMPLE_COUNTS, *_of_sample("N - 1"))
    yield known(words.FIRST_SAMPLE_COUNTS, *_of_sample("0"), AT_ONCE.ending("grad_x[1:] = 0"),
                detail="Each has a gradient of its own with respect to its input, too.")
    yield named("only one filter in the gradient of the input",
                "Every filter has looked at the input: what they send back is added over all filters.",
                LOOPS.edited({TO_X: f"(k == K - 1) * {TO_X}"}), LOOPS.edited({TO_X: f"(k == 0) * {TO_X}"}))
    yield known(words.FIRST_CHANNEL,
                AT_ONCE.ending("grad_x[:, 1:] = 0; grad_weight[:, 1:] = 0"), AT_ONCE.ending("grad_x[:, 1:] = 0"),
                AT_ONCE.ending("grad_weight[:, 1:] = 0"),
                detail="Windows and filters run through all channels, and so do their gradients.")
    yield named("filters summed in the gradient of the weights",
                "Sharing goes on within one feature map: each filter keeps a gradient of its own.",
                AT_ONCE.ending("grad_weight[...] = grad_weight.sum(axis=0)"),
                AT_ONCE.ending("grad_weight = grad_weight.sum(axis=0)"))
    yield named("all windows from the first sample",
                "Output (n, k, i, j) looked at the window of sample n: that window belongs into the gradient of the "
                "weights.",
                AT_ONCE.given("x = x[:1].repeat(len(x), axis=0)"))
    yield named("all samples sent back into the first",
                "What an output of sample n sends back goes into the input of sample n.",
                AT_ONCE.ending("grad_x[0] = grad_x.sum(axis=0); grad_x[1:] = 0"))
    yield named("the first filter for all outputs",
                "An output of map k used filter k, and that filter goes back into its window.",
                AT_ONCE.given("weight = weight[:1].repeat(len(weight), axis=0)"))
    yield named("all filters' gradients in the first",
                "Each filter has a gradient of its own: what map k contributes belongs to filter k.",
                AT_ONCE.ending("grad_weight[0] = grad_weight.sum(axis=0); grad_weight[1:] = 0"))
    yield known(words.FIRST_CHANNEL_FOR_ALL, AT_ONCE.given("x = x[:, :1].repeat(x.shape[1], axis=1)"))
    yield named("filters and channels exchanged",
                "The gradient of the weights is laid out as the weights: filters first, then channels.",
                AT_ONCE.ending("grad_weight = grad_weight.swapaxes(0, 1)"))
    yield known(words.KERNEL_TRANSPOSED, AT_ONCE.ending("grad_weight = grad_weight.swapaxes(2, 3)"))
    yield known(words.STRIDE_IGNORED, LOOPS.edited({"i * stride, j * stride": "i, j"}),
                detail="Output (i, j) belongs to the window at row i * stride and column j * stride, in the gradient "
                       "of the input and in that of the weights.")
    yield named("stride missing in the gradient of the input",
                "The gradient of the weights is right. But what output (i, j) sends back goes into the window at row "
                "i * stride and column j * stride.",
                LOOPS.edited({INTO_X: "grad_padded[n, :, i : i + KH, j : j + KW]"}))
    yield named("stride missing in the gradient of the weights",
                "The gradient of the input is right. But output (i, j) has looked at the window at row i * stride and "
                "column j * stride.",
                LOOPS.edited({TO_WEIGHT: "upstream * padded[n, :, i : i + KH, j : j + KW]"}))


def _bias(gradient: str) -> Written:
    return AT_ONCE.ending(f"grad_bias = {gradient}")


def _of_sample(index: str) -> Iterator[Written]:
    """Only one sample counts: in weights and bias, in one of them, or everywhere."""
    weight = {f"{INTO_WEIGHT} += ": f"{INTO_WEIGHT} += (n == {index}) * "}
    bias = {f"{INTO_BIAS} += ": f"{INTO_BIAS} += (n == {index}) * "}
    yield from map(LOOPS.edited, (weight | bias, weight, bias, weight | bias | {TO_X: f"(n == {index}) * {TO_X}"}))


def partly(wrong: Callable[..., Any], *parts: int) -> Callable[..., tuple[Any, ...]]:
    """The named gradients (0: input, 1: weights, 2: bias) from a wrong implementation, the others right."""
    def backward(*arguments: Any) -> tuple[Any, ...]:
        ours, theirs = AT_ONCE(*arguments), wrong(*arguments)
        return tuple(theirs[part] if part in parts else ours[part] for part in range(3))
    return backward
