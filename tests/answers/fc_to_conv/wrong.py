"""Wrong answers written out as students write them, not as the misconceptions are coded."""

from __future__ import annotations

import math

import numpy as np

from tests.answers.fc_to_conv import right
from tests.answers.fc_to_conv.edited import MUTATIONS as MUTATIONS


def function(source: str, name: str):
    """A function out of source text."""
    space = {"np": np, "math": math}
    exec(source, space)
    return space[name]


# ---- linear_forward
def dense(body: str, result: str = "out"):
    return function(f"""
def linear_forward(x, weight, bias):
    N, D = x.shape
    K = weight.shape[0]
    out = np.zeros((N, K))
    for n in range(N):
        for k in range(K):
            {body}
    return {result}
""", "linear_forward")


# ---- linear_backward
def dense_back(order: str = "gx, gw, gb", **changes: str):
    lines = {"gx": "gx = g @ w", "gw": "gw = g.T @ x", "gb": "gb = g.sum(axis=0)"} | changes
    return function("def linear_backward(g, x, w):\n    " + "\n    ".join(lines.values()) + f"\n    return {order}",
                    "linear_backward")


# ---- conv_as_matrix
MATRIX = """
def conv_as_matrix(weight, bias, input_size, stride, padding):
    K, C, KH, KW = weight.shape
    H, W = input_size
    OH = (H + 2 * padding - KH) // stride + 1
    OW = (W + 2 * padding - KW) // stride + 1
    matrix = np.zeros((K * OH * OW, C * H * W))
    long_bias = np.zeros(K * OH * OW)
    for k in range(K):
        for i in range(OH):
            for j in range(OW):
                output = (k * OH + i) * OW + j
                long_bias[output] = bias[k]
                for c in range(C):
                    for u in range(KH):
                        for v in range(KW):
                            row = i * stride + u - padding
                            column = j * stride + v - padding
                            if 0 <= row < H and 0 <= column < W:
                                matrix[output, (c * H + row) * W + column] = weight[k, c, u, v]
    return matrix, long_bias
"""


def matrix(old: str, new: str):
    assert MATRIX.count(old) == 1
    return function(MATRIX.replace(old, new), "conv_as_matrix")


# ---- slide_fc
def slide(block: str, scores: str = "flat @ weight.T + bias", out: str = "(N, len(weight), H - h + 1, W - w + 1)",
          end: str = "out"):
    return function(f"""
def slide_fc(features, weight, bias, window):
    N, C, H, W = features.shape
    h, w = window
    out = np.zeros({out})
    for i in range(out.shape[2]):
        for j in range(out.shape[3]):
            {block}
            flat = block.reshape(N, -1)
            out[:, :, i, j] = {scores}
    return {end}
""", "slide_fc")


BLOCK = "block = features[:, :, i:i + h, j:j + w]"


# ---- crop_scores
def crops(rows: str = "range(0, x.shape[2] - size[0] + 1, stride)", columns: str = "range(0, x.shape[3] - size[1] + 1, "
                                                                                   "stride)",
          crop: str = "x[:, :, i:i + size[0], j:j + size[1]]", end: str = "np.array(found).transpose(2, 3, 0, 1)"):
    return function(f"""
def crop_scores(x, classify, size, stride):
    found = []
    for i in {rows}:
        found.append([])
        for j in {columns}:
            found[-1].append(classify({crop}))
    return {end}
""", "crop_scores")


# ---- sizes and costs
def map_size(body: str):
    return (right.stride_product, function(f"""
def score_map_size(picture_size, layers):
    h, w = picture_size
    for kind, k, (kh, kw), s, p in layers:
        {body}
    return h, w
""", "score_map_size"))


def cost(body: str):
    return (function(f"""
def chain_cost(input_shape, layers):
    c, h, w = input_shape
    total = 0
    for kind, k, (kh, kw), s, p in layers:
        {body}
    return total
""", "chain_cost"), right.both_by_map)


def both(text: str):
    return (right.cost_loop, function(f"""
from tests.answers.fc_to_conv.right import cost_loop as cost, map_size_loop as score_map_size

def crops_against_one_pass(picture, crop, layers):
    rows, columns = score_map_size(picture[1:], layers)
    return {text}
""", "crops_against_one_pass"))


SIZE = "h, w = (h - kh + 2 * p) // s + 1, (w - kw + 2 * p) // s + 1"


# ---- pick_peaks
def peaks(**changes: str):
    parts = {"copy": "left = scores.astype(float)", "stop": "left[i, j] < threshold", "keep": "found.append((i, j))",
             "clear": "left[max(0, i - distance):i + distance + 1, max(0, j - distance):j + distance + 1] = -np.inf",
             "end": "found"} | changes
    return function(f"""
def pick_peaks(scores, threshold, distance):
    {parts["copy"]}
    found = []
    for _ in range(scores.size):
        i, j = np.unravel_index(left.argmax(), left.shape)
        if {parts["stop"]}:
            break
        {parts["keep"]}
        {parts["clear"]}
    return {parts["end"]}
""", "pick_peaks")


FLAT, PLACE = right.flat_reshape, right.place_formula
FILTERS, ROWS = right.filters_reshape, right.rows_reshape
DENSE_COUNT, FILTER_COUNT = right.dense_count, right.filter_count
WRONG: list[tuple] = [
    ("flatten_maps", "channels last", (lambda x: np.moveaxis(x, 1, -1).reshape(len(x), -1), PLACE)),
    ("flatten_maps", "columns before rows", (lambda x: np.array([[m.T.ravel() for m in s] for s in x])
                                             .reshape(len(x), -1), PLACE)),
    ("flatten_maps", "axes counted in reverse", (lambda x: np.array([s.flatten(order="F") for s in x]), PLACE)),
    ("flatten_maps", "samples flattened too", (lambda x: x.flatten(), PLACE)),
    ("flatten_maps", "samples as columns", (lambda x: np.array([s.ravel() for s in x]).T, PLACE)),
    ("flatten_maps", "only the first channel", (lambda x: np.array([s[0].ravel() for s in x]), PLACE)),
    ("flatten_maps", "rows as long as the height",
     (FLAT, lambda c, i, j, s: c * s[1] * s[2] + i * s[1] + j)),
    ("flatten_maps", "channels last", (FLAT, lambda c, i, j, s: i * s[2] * s[0] + j * s[0] + c)),
    ("flatten_maps", "a channel as long as a row", (FLAT, lambda c, i, j, s: c * s[2] + i * s[2] + j)),
    ("flatten_maps", "each index times its own length", (FLAT, lambda c, i, j, s: np.dot((c, i, j), s))),
    ("flatten_maps", "channels summed", (lambda x: np.sum(x, 1).reshape(len(x), -1), PLACE)),
    ("flatten_maps", "rows passed over without their numbers",
     (FLAT, lambda c, i, j, s: c * (s[1] * s[2]) + i + j)),
    ("linear_forward", "an input left out",
     dense("out[n, k] = sum(x[n, d] * weight[k, d] for d in range(D - 1)) + bias[k]")),
    ("linear_forward", "the same weights for all outputs", dense("out[n, k] = x[n] @ weight[0] + bias[k]")),
    ("linear_forward", "bias added along the batch", dense("out[n, k] = x[n] @ weight[k] + bias[n]")),
    ("linear_forward", "samples paired with outputs", lambda x, w, b: np.einsum("kd,kd->k", x, w) + b),
    ("linear_forward", "weights transposed", lambda x, w, b: np.dot(x, w) + b),
    ("linear_forward", "bias forgotten", lambda x, w, b: np.dot(x, w.T)),
    ("linear_forward", "bias added once per input",
     dense("for d in range(D):\n                out[n, k] += x[n, d] * weight[k, d] + bias[k]")),
    ("linear_forward", "only the last input counts",
     dense("for d in range(D):\n                out[n, k] = x[n, d] * weight[k, d] + bias[k]")),
    ("linear_forward", "mean instead of sum", dense("out[n, k] = np.mean(x[n] * weight[k]) + bias[k]")),
    ("linear_forward", "outputs along the first axis", dense("out[n, k] = x[n] @ weight[k] + bias[k]", "out.T")),
    ("linear_forward", "bias added along the batch", lambda x, w, b: (w @ x.T + b).T),
    ("linear_forward", "negative outputs cut off", lambda x, w, b: np.maximum(x @ w.T + b, 0)),
    ("linear_forward", "samples summed", lambda x, w, b: np.sum(x @ w.T + b, axis=0)),
    ("linear_backward", "averaged over the batch", dense_back(gw="gw = g.T @ x / len(g)", gb="gb = g.mean(axis=0)")),
    ("linear_backward", "averaged over the batch", lambda g, x, w: right.dense_back_matmul(g / len(g), x, w)),
    ("linear_backward", "weight gradient without the input", dense_back(gw="gw = g.T @ np.ones_like(x)")),
    ("linear_backward", "only the first sample counts", dense_back(gw="gw = np.outer(g[0], x[0])")),
    ("linear_backward", "gradient of the bias averaged", dense_back(gb="gb = g.sum(0) / g.shape[0]")),
    ("linear_backward", "weight gradient transposed", dense_back(gw="gw = np.dot(x.T, g)")),
    ("linear_backward", "bias gradient per sample", dense_back(gb="gb = g * 1")),
    ("linear_backward", "bias gradient summed over outputs", dense_back(gb="gb = np.sum(g, axis=1)")),
    ("linear_backward", "bias gradient summed over everything", dense_back(gb="gb = np.sum(g)")),
    ("linear_backward", "weights transposed for the input", dense_back(gx="gx = g.dot(w.T)")),
    ("linear_backward", "gradients in another order", dense_back("gw, gb, gx")),
    ("linear_backward", "only the last sample counts",
     dense_back(gw="for n in range(len(x)): gw = g[n][:, None] * x[n][None]")),
    ("linear_backward", "bias gradient without the upstream one", dense_back(gb="gb = np.ones(len(w)) * len(x)")),
    ("fc_to_filters", "channels last",
     (lambda w, s: w.reshape(len(w), s[1], s[2], s[0]).transpose(0, 3, 1, 2), ROWS)),
    ("fc_to_filters", "height and width of the maps swapped",
     (lambda w, s: np.reshape(w, (-1, s[0], s[2], s[1])), ROWS)),
    ("fc_to_filters", "weights transposed first", (lambda w, s: np.transpose(w).reshape(-1, *s), ROWS)),
    ("fc_to_filters", "filters without depth",
     (lambda w, s: w[:, :s[1] * s[2]].reshape(len(w), s[1], s[2]), ROWS)),
    ("fc_to_filters", "flipped kernel", (lambda w, s: np.flip(w.reshape(-1, *s), (2, 3)), ROWS)),
    ("fc_to_filters", "channels last",
     (FILTERS, lambda w: np.moveaxis(w, 1, 3).reshape(w.shape[0], -1))),
    ("fc_to_filters", "all filters in one row", (FILTERS, lambda w: w.flatten())),
    ("fc_to_filters", "one column for each filter", (FILTERS, lambda w: np.array([f.ravel() for f in w]).T)),
    ("conv_as_matrix", "flipped kernel", matrix("weight[k, c, u, v]", "weight[k, c, KH - 1 - u, KW - 1 - v]")),
    ("conv_as_matrix", "kernel transposed", lambda w, *rest: right.matrix_indices(w.transpose(0, 1, 3, 2), *rest)),
    ("conv_as_matrix", "positions before filters", matrix("(k * OH + i) * OW + j", "(i * OW + j) * K + k")),
    ("conv_as_matrix", "positions counted downwards", matrix("(k * OH + i) * OW + j", "(k * OW + j) * OH + i")),
    ("conv_as_matrix", "inputs with channels last", matrix("(c * H + row) * W + column", "(row * W + column) * C + c")),
    ("conv_as_matrix", "biases one after the other", matrix("return matrix, long_bias",
                                                            "return matrix, np.concatenate([bias] * (OH * OW))")),
    ("conv_as_matrix", "one bias for each filter", matrix("return matrix, long_bias", "return matrix, bias")),
    ("conv_as_matrix", "stride missing in the window's position",
     function(MATRIX.replace("i * stride + u", "i + u").replace("j * stride + v", "j + v"), "conv_as_matrix")),
    ("conv_as_matrix", "weights in the padding wrap around", matrix("if 0 <= row < H and 0 <= column < W:",
                                                                    "if row < H and column < W:")),
    ("conv_as_matrix", "padding ignored",
     lambda w, b, z, s, p: right.matrix_indices(w, b, z, s, 0)),
    ("conv_as_matrix", "padding left out of the position",
     function(MATRIX.replace("+ u - padding", "+ u").replace("+ v - padding", "+ v"), "conv_as_matrix")),
    ("conv_as_matrix", "stride missing in the window's position", matrix("column = j * stride", "column = j")),
    ("conv_as_matrix", "the same filter for every output", matrix("weight[k, c, u, v]", "weight[0, c, u, v]")),
    ("conv_as_matrix", "the first channel for all channels", matrix("weight[k, c, u, v]",
                                                                              "weight[k, 0, u, v]")),
    ("conv_as_matrix", "bias for the first outputs only", matrix("long_bias[output] = bias[k]",
                                                                 "long_bias[k] = bias[k]")),
    ("conv_as_matrix", "matrix transposed", matrix("return matrix, long_bias", "return matrix.T, long_bias")),
    ("conv_as_matrix", "only the first channel", matrix("for c in range(C):", "for c in range(1):")),
    ("conv_as_matrix", "height and width swapped", matrix("H, W = input_size", "W, H = input_size")),
    ("fc_conv_parameters", "depth forgotten", (lambda s, k: (s[1] * s[2] * k, k), FILTER_COUNT)),
    ("fc_conv_parameters", "biases forgotten", (lambda s, k: [math.prod(s) * k, 0], FILTER_COUNT)),
    ("fc_conv_parameters", "depth forgotten",
     (DENSE_COUNT, lambda s, k, f, stride: (math.prod(f) * k, k))),
    ("fc_conv_parameters", "counted at each position",
     (DENSE_COUNT, lambda s, k, f, stride: tuple(
         ((s[1] - f[0]) // stride + 1) * ((s[2] - f[1]) // stride + 1) * n for n in (math.prod(f) * s[0] * k, k)))),
    ("fc_conv_parameters", "biases forgotten", (DENSE_COUNT, lambda s, k, f, _: (s[0] * math.prod(f) * k, 0))),
    ("slide_fc", "channels last",
     slide(BLOCK, "block.transpose(0, 2, 3, 1).reshape(N, -1) @ weight.T + bias")),
    ("slide_fc", "columns before rows",
     slide(BLOCK, "block.swapaxes(2, 3).reshape(N, -1) @ weight.T + bias")),
    ("slide_fc", "bias forgotten", slide(BLOCK, "flat @ weight.T")),
    ("slide_fc", "one position too few", slide(BLOCK, out="(N, len(weight), H - h, W - w)")),
    ("slide_fc", "windows side by side",
     slide("block = features[:, :, i * h:(i + 1) * h, j * w:(j + 1) * w]", out="(N, len(weight), H // h, W // w)")),
    ("slide_fc", "scores along the last axis", slide(BLOCK, end="np.moveaxis(out, 1, -1)")),
    ("slide_fc", "scores and positions mixed",
     slide(BLOCK, end="np.ascontiguousarray(np.moveaxis(out, 1, 3)).reshape(out.shape)")),
    ("slide_fc", "bias added along the width", slide(BLOCK, "flat @ weight.T", end="out + bias")),
    ("slide_fc", "window height and width swapped", lambda x, w, b, z: right.slide_windows(x, w, b, (z[1], z[0]))),
    ("slide_fc", "always the same block", slide("block = features[:, :, :h, :w]")),
    ("slide_fc", "weights reshaped instead of transposed",
     slide(BLOCK, "flat @ weight.reshape(-1, len(weight)) + bias")),
    ("slide_fc", "samples summed", slide(BLOCK, "(flat @ weight.T + bias).sum(axis=0)")),
    ("slide_fc", "mean instead of sum", slide(BLOCK, "flat @ weight.T / flat.shape[1] + bias")),
    ("crop_scores", "crops side by side",
     crops("range(0, x.shape[2] - size[0] + 1, size[0])", "range(0, x.shape[3] - size[1] + 1, size[1])")),
    ("crop_scores", "stride ignored", crops("range(x.shape[2] - size[0] + 1)", "range(x.shape[3] - size[1] + 1)")),
    ("crop_scores", "one row and column too few", crops("range(0, x.shape[2] - size[0], stride)",
                                              "range(0, x.shape[3] - size[1], stride)")),
    ("crop_scores", "stride missing in the window's position",
     crops("range((x.shape[2] - size[0]) // stride + 1)", "range((x.shape[3] - size[1]) // stride + 1)")),
    ("crop_scores", "height and width of the crop swapped",
     lambda x, f, z, s: right.crops_lists(x, f, tuple(reversed(z)), s)),
    ("crop_scores", "rows and columns of the map swapped", crops(end="np.array(found).transpose(2, 3, 1, 0)")),
    ("crop_scores", "scores along the last axis", crops(end="np.array(found).transpose(2, 0, 1, 3)")),
    ("crop_scores", "scores and positions mixed",
     crops(end="np.array(found).reshape(len(x), -1, len(found), len(found[0]))")),
    ("crop_scores", "always the same crop", crops(crop="x[:, :, :size[0], :size[1]]")),
    ("crop_scores", "crops reach past the picture",
     crops("range(0, x.shape[2], stride)", "range(0, x.shape[3], stride)")),
    ("crop_scores", "crops as large as the stride", crops(crop="x[:, :, i:i + stride, j:j + stride]")),
    ("crop_scores", "only square crops", lambda x, f, z, s: right.crops_loops(x, f, (z[0], z[0]), s)),
    ("score_map_size", "strides added", (lambda layers: sum(s for _, _, _, s, _ in layers), right.map_size_loop)),
    ("score_map_size", "strides of pooling left out",
     (lambda layers: math.prod(s for kind, _, _, s, _ in layers if kind == "conv"), right.map_size_loop)),
    ("score_map_size", "one forgotten", map_size("h, w = (h - kh + 2 * p) // s, (w - kw + 2 * p) // s")),
    ("score_map_size", "padding counted once", map_size("h, w = (h - kh + p) // s + 1, (w - kw + p) // s + 1")),
    ("score_map_size", "width computed from the height",
     map_size("h = (h - kh + 2 * p) // s + 1; w = (h - kw + 2 * p) // s + 1")),
    ("score_map_size", "not rounded", map_size("h, w = (h - kh + 2 * p) / s + 1, (w - kw + 2 * p) / s + 1")),
    ("score_map_size", "only the first layer", map_size(SIZE + "; return h, w")),
    ("score_map_size", "pooling left out", map_size("if kind == 'conv': " + SIZE)),
    ("score_map_size", "columns before rows in the result",
     (right.stride_product, lambda picture, layers: right.map_size_counted(picture, layers)[::-1])),
    ("score_map_size", "picture divided by the stride",
     (right.stride_product, lambda picture, layers: tuple(n // right.stride_math(layers) for n in picture))),
    ("sliding_cost", "input size instead of output size",
     cost(f"total += (kind == 'conv') * k * c * kh * kw * h * w; {SIZE}; c = k")),
    ("sliding_cost", "depth forgotten", cost(f"{SIZE}; total += (kind == 'conv') * k * kh * kw * h * w")),
    ("sliding_cost", "filters in place of the channels",
     cost(f"{SIZE}; c = k; total += (kind == 'conv') * k * c * kh * kw * h * w")),
    ("sliding_cost", "a square map of crops", both("cost(picture, layers), rows ** 2 * cost(crop, layers)")),
    ("sliding_cost", "one pass counted at each position",
     both("rows * columns * cost(picture, layers), rows * columns * cost(crop, layers)")),
    ("sliding_cost", "biases counted as multiply-adds",
     cost(f"{SIZE}; total += (kind == 'conv') * k * (c * kh * kw + 1) * h * w; c = "
                                             "k")),
    ("sliding_cost", "pooling counted", cost(f"{SIZE}; total += k * c * kh * kw * h * w; c = k")),
    ("sliding_cost", "channels of the picture in all layers",
     cost(f"{SIZE}; total += (kind == 'conv') * k * c * kh * kw * h * w")),
    ("sliding_cost", "work without positions", cost("total += (kind == 'conv') * k * c * kh * kw; c = k")),
    ("sliding_cost", "only the last layer", cost(f"{SIZE}; total = (kind == 'conv') * k * c * kh * kw * h * w; c = k")),
    ("sliding_cost", "crops counted once", both("cost(picture, layers), cost(crop, layers)")),
    ("sliding_cost", "a crop at each pixel", both(
        "cost(picture, layers), (picture[1] - crop[1] + 1) * (picture[2] - crop[2] + 1) * cost(crop, layers)")),
    ("sliding_cost", "crops next to each other", both(
        "cost(picture, layers), (picture[1] // crop[1]) * (picture[2] // crop[2]) * cost(crop, layers)")),
    ("sliding_cost", "always 36 crops", both("cost(picture, layers), 36 * cost(crop, layers)")),
    ("sliding_cost", "the two numbers swapped", both("rows * columns * cost(crop, layers), cost(picture, layers)")),
    ("pick_peaks", "nothing crossed out", peaks(clear="left[i, j] = -np.inf")),
    ("pick_peaks", "negative start of a slice",
     peaks(clear="left[i - distance:i + distance + 1, j - distance:j + distance + 1] = -np.inf")),
    ("pick_peaks", "one row and column too few crossed out",
     peaks(clear="left[max(0, i - distance):max(i + distance, i + 1), max(0, j - distance):max(j + distance, j + 1)]"
                 " = -np.inf")),
    ("pick_peaks", "crossed out below and to the right only",
     peaks(clear="left[i:i + distance + 1, j:j + distance + 1] = -np.inf")),
    ("pick_peaks", "place in the flattened map", peaks(keep="found.append(left.argmax())")),
    ("pick_peaks", "one row and column too many crossed out",
     peaks(clear="left[max(0, i - distance - 1):i + distance + 2, max(0, j - distance - 1):j + distance + 2] = "
                 "-np.inf")),
    ("pick_peaks", "equal scores down the columns", lambda s, t, d: [p[::-1] for p in right.peaks_greedy(s.T, t, d)]),
    ("pick_peaks", "only above the threshold", peaks(stop="left[i, j] <= threshold")),
    ("pick_peaks", "crossed out with zero", peaks(
        clear="left[max(0, i - distance):i + distance + 1, max(0, j - distance):j + distance + 1] = 0")),
    ("pick_peaks", "column before row", peaks(keep="found.append((j, i))")),
    ("pick_peaks", "sorted by place", peaks(end="sorted(found)")),
    ("pick_peaks", "scores with the positions", peaks(keep="found.append((i, j, scores[i, j]))")),
]
FRIENDLY_ONLY: list[tuple] = [
    ("linear_forward", "as many outputs as inputs", lambda x, w, b: x @ (w if w.shape[0] == w.shape[1] else w.T) + b),
    ("flatten_maps", "taller than wide", (lambda x: np.concatenate(
        [x[:, c, i, :x.shape[2]] for c in range(x.shape[1]) for i in range(x.shape[3])], axis=1), PLACE)),
    ("slide_fc", "wider than tall", slide(BLOCK, out="(N, len(weight), H - h + 1, H - h + 1)")),
    ("crop_scores", "a stride larger than the crops",
     lambda x, f, z, s: right.crops_loops(x, f, z, min(s, *z))),
    ("conv_as_matrix", "padding 1", matrix("if 0 <= row < H and 0 <= column < W:", "if not padding:")),
    ("pick_peaks", "all scores below zero", lambda s, t, d: right.peaks_greedy(np.maximum(s, 0), max(t, 1e-9), d)),
    ("fc_to_filters", "taller than wide", (lambda w, s: w.reshape(len(w), s[0], s[1], s[1]), ROWS)),
]
