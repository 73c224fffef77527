"""Wrong answers written out as students write them, not as the misconceptions are coded."""

from __future__ import annotations

import numpy as np

from tests.answers.local_connectivity.edited import CONV, MATMUL, MUTATIONS, PAD, TO_MINUS_PADDING
from tests.answers.mutations import Edit

__all__ = ["FRIENDLY_ONLY", "MUTATIONS", "WRONG"]


def step_over_input(x, weight, bias, stride, padding):
    N, _, H, W = x.shape
    K, _, KH, KW = weight.shape
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    out = np.zeros((N, K, (H + 2 * padding - KH) // stride + 1, (W + 2 * padding - KW) // stride + 1))
    for n in range(N):
        for k in range(K):
            for i in range(0, H + 2 * padding - KH, stride):
                for j in range(0, W + 2 * padding - KW, stride):
                    out[n, k, i // stride, j // stride] = np.sum(xp[n, :, i:i+KH, j:j+KW] * weight[k]) + bias[k]
    return out


BY_NUMBER = """
def conv2d_forward(x, weight, bias, stride, padding):
    N, C, H, W = x.shape
    K, _, KH, KW = weight.shape
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    OH, OW = (H + 2 * padding - KH) // stride + 1, (W + 2 * padding - KW) // stride + 1
    out = np.zeros((N, K, OH, OW))
    for n in range(N):
        {anew_for_sample}
        for k in range(K):
            {anew_for_filter}
            for i in range(OH):
                for j in range(OW):
                    {anew}
                    for c, u, v in np.ndindex(C, KH, KW):
                        total {add} xp[n, c, i * stride + u, j * stride + v] * weight[{taps}]
                    out[n, k, i, j] = {value}
    return out
"""


def by_number(**changes):
    """conv2d_forward with seven loops and some parts replaced."""
    parts = {"anew_for_sample": "pass", "anew_for_filter": "pass", "anew": "total = 0", "add": "+=",
             "taps": "k, c, u, v", "value": "total + bias[k]"}
    space = {"np": np}
    exec(BY_NUMBER.format(**(parts | changes)), space)
    return space["conv2d_forward"]


def row_by_row(x, weight, bias, stride, padding):
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    K, C, KH, KW = weight.shape
    OH, OW = xp.shape[2] - KH + 1, xp.shape[3] - KW + 1
    out = np.zeros((len(x), K, OH, OW))
    for n, k, c, i, u in np.ndindex(len(x), K, C, OH, KH):
        out[n, k, i] += np.convolve(xp[n, c, i + u], weight[k, c, u], mode="valid")
    return (out + bias[:, None, None])[:, :, ::stride, ::stride]


def remembering():
    """A layer that keeps what it computed, and looks at the shapes only."""
    kept = {}

    def layer(x, weight, bias, stride, padding):
        key = (x.shape, weight.shape, stride, padding)
        if key not in kept:
            kept[key] = CONV.functions()["conv2d_forward"](x, weight, bias, stride, padding)
        return kept[key]
    return layer


def counted_windows(input_size, kernel_size, stride, padding):
    count, start = 0, -padding
    while start + kernel_size < input_size + padding:
        count, start = count + 1, start + stride
    return count


def cleared(x, padding):
    x[:, :, :padding] = 0
    x[:, :, -padding:] = 0
    x[:, :, :, :padding] = 0
    x[:, :, :, -padding:] = 0
    return x


def stacked_rows(x, padding):
    rows = np.zeros((padding, x.shape[3]))
    return np.array([[np.vstack([rows, channel, rows]) for channel in sample] for sample in x])


def batch_product(x, weight, bias, stride, padding):
    windows = np.lib.stride_tricks.sliding_window_view(
        np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding))), weight.shape[2:],
        axis=(2, 3))[:, :, ::stride, ::stride]
    table = windows.transpose(1, 4, 5, 0, 2, 3).reshape(weight[0].size, -1)
    return (weight.reshape(len(weight), -1) @ table + bias[:, None]).reshape(len(x), len(weight), *windows.shape[2:4])


def every_second(x, weight, bias, dilation):
    small = x[:, :, ::dilation, ::dilation]
    return CONV.functions()["conv2d_forward"](small, weight, bias, 1, 0)


_right_columns = MATMUL.functions()["im2col"]
_windows = np.lib.stride_tricks.sliding_window_view

WRONG = [
    ("output_size", "not rounded", lambda w, f, s, p: 1 + (w - f + 2 * p) / s),
    ("output_size", "rounded up", lambda w, f, s, p: -((f - w - 2 * p) // s) + 1),
    ("output_size", "only a part divided by the stride", lambda w, f, s, p: 1 + 2 * p + (w - f) // s),
    ("output_size", "only a part divided by the stride", lambda w, f, s, p: w + 2 * p - f // s + 1),
    ("output_size", "divided by the kernel size", lambda w, f, s, p: (w + 2 * p - f + f) // f),
    ("output_size", "one forgotten", counted_windows),
    ("receptive_field_slice", "only one channel", lambda x, i, j, k, s: x[0][i * s:i * s + k[0], j * s:j * s + k[1]]),
    ("receptive_field_slice", "one entry too few",
     lambda x, i, j, k, s: x[:, i * s:i * s + k[0] - 1, j * s:j * s + k[1] - 1]),
    ("receptive_field_slice", "only square kernels",
     lambda x, i, j, k, s: x[:, i * s:][:, :k[0], j * s:][:, :, :k[0]]),
    ("receptive_field_slice", "stride used as a step in the block",
     lambda x, i, j, k, s: x[:, i:i + k[0] * s:s, j:j + k[1] * s:s]),
    ("zero_pad", "all four axes padded", lambda x, p: np.pad(x, ((p, p),) * 4)),
    ("zero_pad", "padding before only", lambda x, p: np.pad(x, ((0, 0), (0, 0), (p, 0), (p, 0)))),
    ("zero_pad", "twice as many zeros", lambda x, p: np.pad(x, [(0, 0)] * 2 + [(2 * p, 2 * p)] * 2)),
    ("zero_pad", "rows padded only", stacked_rows),
    ("zero_pad", "border cleared instead of added", cleared),
    ("zero_pad", "right values in another shape",
     lambda x, p: [np.pad(channel, p) for sample in x for channel in sample]),
    ("conv2d_forward", "entries left at zero", step_over_input),
    ("conv2d_forward", "flipped kernel", row_by_row),
    ("conv2d_forward", "sum not started anew", by_number(anew="pass", anew_for_filter="total = 0")),
    ("conv2d_forward", "sum not started anew", by_number(anew="pass", anew_for_sample="total = 0")),
    ("conv2d_forward", "only the last product counts", by_number(add="=")),
    ("conv2d_forward", "bias added once per weight", by_number(add="+= bias[k] +", value="total")),
    ("conv2d_forward", "kernel transposed", by_number(taps="k, c, v, u")),
    ("conv2d_forward", "bias added along the width",
     lambda x, w, b, s, p: np.einsum("nchwrs,kcrs->nkhw", _windows(
         np.pad(x, ((0, 0), (0, 0), (p, p), (p, p))), w.shape[2:], axis=(2, 3))[:, :, ::s, ::s], w) + b),
    ("conv2d_forward", "bias forgotten", lambda x, w, b, s, p: np.einsum("nchwrs,kcrs->nkhw", _windows(
        np.pad(x, ((0, 0), (0, 0), (p, p), (p, p))), w.shape[2:], axis=(2, 3))[:, :, ::s, ::s], w)),
    ("conv2d_matmul", "filters and samples mixed", (_right_columns, batch_product)),
    ("conv1x1", "channels and pixels mixed",
     lambda x, w, b: (x.reshape(len(x), -1, x.shape[1]) @ w.T + b).reshape(len(x), -1, *x.shape[2:])),
    ("conv1x1", "channels and pixels mixed",
     lambda x, w, b: (np.moveaxis(x, 1, -1) @ w.T + b).reshape(len(x), len(w), *x.shape[2:])),
    ("conv1x1", "weight transposed", lambda x, w, b: np.einsum("nchw,ck->nkhw", x, w) + b[:, None, None]),
    ("conv1x1", "axes swapped", lambda x, w, b: np.tensordot(w, x, axes=(1, 1)) + b[:, None, None, None]),
    ("dilated_conv2d", "dilation and stride together", every_second),
    ("settings_that_fit", "lists walked through side by side", lambda w, ks, ss, ps: [
        (f, s, p) for f in ks for s, p in zip(ss, ps, strict=False) if w + 2 * p >= f and (w + 2 * p - f) % s == 0]),
    ("settings_that_fit", "loops in another order", lambda w, ks, ss, ps: [
        (f, s, p) for s in ss for f in ks for p in ps if w + 2 * p >= f and (w + 2 * p - f) % s == 0]),
]
"""(exercise, the name that the judge has to say first, functions)."""

FRIENDLY_ONLY = [
    ("conv2d_forward", "taller than wide", CONV.functions(Edit("", "(W + 2 * padding - S)", "(H + 2 * padding - R)"))),
    ("conv2d_forward", "a kernel taller than wide",
     CONV.functions(Edit("", "j*stride:j*stride+S", "j*stride:j*stride+R"))),
    ("conv2d_forward", "other numbers in the shapes of an earlier case", remembering()),
    ("zero_pad", "wider than tall",
     lambda x, p: np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))[:, :, :, :x.shape[2] + 2 * p]),
    ("zero_pad", "no padding at all", PAD.functions(TO_MINUS_PADDING)),
    ("output_size", "the stride does not divide", lambda w, f, s, p: (w - f + 2 * p) / s + 1),
]
"""Right on friendly inputs only, and a piece of the name of the case that has to be shown."""
