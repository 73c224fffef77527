"""Wrong answers written out as students write them, not as the misconceptions are coded: (exercise, name, function).

The name is what the judge has to say first.
"""

from __future__ import annotations

import numpy as np

from tests.answers.mutations import Mutations

LAYER = '''
def conv2d_forward(x, weight, bias, stride, padding):
    N, C, H, W = x.shape
    K, _, R, S = weight.shape
    xp = np.pad(x, {pad})
    OH = {height}
    OW = {width}
    out = np.zeros((N, K, OH, OW))
    for n in range({samples}):
        for k in range(K):
            for i in range(OH):
                for j in range(OW):
                    {body}
    return out
'''
PARTS = {
    "pad": "((0, 0), (0, 0), (padding, padding), (padding, padding))",
    "height": "(H + 2 * padding - R) // stride + 1",
    "width": "(W + 2 * padding - S) // stride + 1",
    "samples": "N",
    "body": "out[n, k, i, j] = np.sum(xp[n, :, i*stride:i*stride+R, j*stride:j*stride+S] * weight[k]) + bias[k]",
}


def layer(**changes: str):
    """conv2d_forward by loops with some parts replaced."""
    space = {"np": np}
    exec(LAYER.format(**(PARTS | changes)), space)
    return space["conv2d_forward"]


def body(text: str):
    """conv2d_forward with another innermost line."""
    return layer(body=text.replace("\n", "\n" + " " * 20))


WINDOW = "xp[n, :, i*stride:i*stride+R, j*stride:j*stride+S]"
WRONG = [
    ("conv2d_forward", "flipped kernel",
     body(f"out[n, k, i, j] = np.sum({WINDOW} * np.rot90(weight[k], 2, (1, 2))) + bias[k]")),
    ("conv2d_forward", "bias forgotten", body(f"out[n, k, i, j] = np.vdot({WINDOW}, weight[k])")),
    ("conv2d_forward", "bias added once per channel",
     body(f"for c in range(C):\n    out[n, k, i, j] += np.sum(({WINDOW})[c] * weight[k, c]) + bias[k]")),
    ("conv2d_forward", "only the last channel counts",
     body(f"for c in range(C):\n    out[n, k, i, j] = np.sum(({WINDOW})[c] * weight[k, c]) + bias[k]")),
    ("conv2d_forward", "only the first channel",
     body("out[n, k, i, j] = np.sum(xp[n, 0, i*stride:i*stride+R, j*stride:j*stride+S] * weight[k, 0]) + bias[k]")),
    ("conv2d_forward", "the same filter for every output",
     body(f"out[n, k, i, j] = np.sum({WINDOW} * weight[0]) + bias[k]")),
    ("conv2d_forward", "stride missing in the window's position",
     body("out[n, k, i, j] = np.sum(xp[n, :, i:i+R, j:j+S] * weight[k]) + bias[k]")),
    ("conv2d_forward", "stride missing in the window's column",
     body("out[n, k, i, j] = np.sum(xp[n, :, i*stride:i*stride+R, j:j+S] * weight[k]) + bias[k]")),
    ("conv2d_forward", "mean instead of sum", body(f"out[n, k, i, j] = np.mean({WINDOW} * weight[k]) + bias[k]")),
    ("conv2d_forward", "edge values instead of zeros", layer(pad=PARTS["pad"] + ", mode='edge'")),
    ("conv2d_forward", "only the first sample", layer(samples="1")),
    ("conv2d_forward", "one row and column too few",
     layer(height="(H + 2 * padding - R) // stride", width="(W + 2 * padding - S) // stride")),
    ("conv2d_forward", "padding before only", layer(height="(H + padding - R) // stride + 1",
                                                    width="(W + padding - S) // stride + 1")),
    ("conv2d_forward", "only square inputs", layer(width="(H + 2 * padding - S) // stride + 1")),
    ("conv2d_forward", "bias added along the width",
     lambda x, w, b, s, p: np.einsum("nchwrs,kcrs->nkhw", np.lib.stride_tricks.sliding_window_view(
         np.pad(x, ((0, 0), (0, 0), (p, p), (p, p))), w.shape[2:], axis=(2, 3))[:, :, ::s, ::s], w) + b),
    ("conv2d_forward", "negative outputs cut off",
     body(f"out[n, k, i, j] = max(0, np.sum({WINDOW} * weight[k]) + bias[k])")),
    ("output_size", "not rounded", lambda w, f, s, p: 1 + (w - f + 2 * p) / s),
    ("output_size", "rounded up", lambda w, f, s, p: -((f - w - 2 * p) // s) + 1),
    ("zero_pad", "all four axes padded", lambda x, p: np.pad(x, ((p, p),) * 4)),
    ("zero_pad", "padding before only", lambda x, p: np.pad(x, ((0, 0), (0, 0), (p, 0), (p, 0)))),
    ("conv1x1", "channels and pixels mixed",
     lambda x, w, b: (x.reshape(len(x), -1, x.shape[1]) @ w.T + b).reshape(len(x), -1, *x.shape[2:])),
    ("receptive_field_slice", "only one channel",
     lambda x, i, j, k, s: x[0][i * s:i * s + k[0], j * s:j * s + k[1]]),
]
FRIENDLY_ONLY = [
    ("conv2d_forward", "taller than wide", layer(width=PARTS["height"])),
    ("conv2d_forward", "a kernel taller than wide",
     body("out[n, k, i, j] = np.sum(xp[n, :, i*stride:i*stride+R, j*stride:j*stride+R] * weight[k]) + bias[k]")),
    ("zero_pad", "wider than tall",
     lambda x, p: np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))[:, :, :, :x.shape[2] + 2 * p]),
    ("output_size", "the stride does not divide", lambda w, f, s, p: (w - f + 2 * p) / s + 1),
]
"""Right on friendly inputs only, and a piece of the name of the case that has to be shown."""

MUTATIONS: list[Mutations] = []
