"""Wrong answers written out as students write them, not as the misconceptions are coded."""

from __future__ import annotations

import numpy as np

from tests.answers.mutations import Edit, Mutations

BACKWARD = '''
def conv2d_backward(grad_out, x, weight, stride, padding):
    N, C, H, W = x.shape
    K, _, KH, KW = weight.shape
    OH, OW = grad_out.shape[2:]
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    dxp = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
    dw = np.zeros((K, C, KH, KW))
    db = np.zeros(K)
    for n in range(N):
        for k in range(K):
            for i in range(OH):
                for j in range(OW):
                    a, b = i * stride, j * stride
                    g = grad_out[n, k, i, j]
                    dw[k] += g * xp[n, :, a:a + KH, b:b + KW]
                    dxp[n, :, a:a + KH, b:b + KW] += g * weight[k]
                    db[k] += g
    dx = dxp[:, :, padding:padding + H, padding:padding + W]
    return dx, dw, db
'''
BACKWARD_EDITS = (
    Edit("gradient of the weights overwritten", "dw[k] += g", "dw[k] = g"),
    Edit("gradient of the input overwritten", "b:b + KW] += g", "b:b + KW] = g"),
    Edit("gradient of the bias overwritten", "db[k] += g", "db[k] = g"),
    Edit("empty without padding", "padding:padding + H, padding:padding + W]", "padding:-padding, padding:-padding]"),
    Edit("cropped at the wrong place", "padding:padding + H, padding:padding + W]", ":H, :W]"),
    Edit("upstream gradient ignored", "g = grad_out[n, k, i, j]", "g = 1.0"),
    Edit("stride ignored", "a, b = i * stride, j * stride", "a, b = i, j"),
    Edit("flipped kernel in the gradient of the input", "g * weight[k]", "g * weight[k, :, ::-1, ::-1]"),
    Edit("input and weights exchanged", "g * weight[k]", "g * xp[n, :, a:a + KH, b:b + KW]"),
    Edit("no room for the padding", "g * xp[n", "g * x[n"),
    Edit("", "for k in range(K)", "for k in range(K - 1)"),
    Edit("", "a, b = i * stride", "a, b = j * stride"),
    Edit("", "db[k] += g", "db += g"),
)


def edited(source: str, function: str, *pairs: tuple[str, str]):
    """A function from a source text in which some pieces are replaced."""
    for old, new in pairs:
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    space = {"np": np}
    exec(source, space)
    return space[function]


def backward(*pairs: tuple[str, str]):
    return edited(BACKWARD, "conv2d_backward", *pairs)


COLUMNS = '''
def im2col(x, kernel_size, stride, padding):
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    view = np.lib.stride_tricks.sliding_window_view(xp, kernel_size, axis=(2, 3))[:, :, ::stride, ::stride]
    return view.transpose(0, 1, 4, 5, 2, 3).reshape(len(x), x.shape[1] * kernel_size[0] * kernel_size[1], -1)

def fold(columns, x_shape, kernel_size, stride, padding):
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH = (H + 2 * padding - KH) // stride + 1
    OW = (W + 2 * padding - KW) // stride + 1
    xp = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
    for t in range(OH * OW):
        i, j = divmod(t, OW)
        patch = columns[:, :, t].reshape(N, C, KH, KW)
        xp[:, :, i * stride:i * stride + KH, j * stride:j * stride + KW] += patch
    return xp[:, :, padding:H + padding, padding:W + padding]

def col2im(columns, x_shape, kernel_size, stride, padding):
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH = (H + 2 * padding - KH) // stride + 1
    OW = (W + 2 * padding - KW) // stride + 1
    out = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
    parts = columns.reshape(N, C, KH, KW, OH, OW)
    for u in range(KH):
        for v in range(KW):
            out[:, :, u:u + stride * (OH - 1) + 1:stride, v:v + stride * (OW - 1) + 1:stride] += parts[:, :, u, v]
    return out[:, :, padding:H + padding, padding:W + padding]

def conv2d_backward_matmul(grad_out, x, weight, stride, padding):
    N, K = grad_out.shape[:2]
    G = grad_out.reshape(N, K, -1)
    X = im2col(x, weight.shape[2:], stride, padding)
    dW = (G @ X.transpose(0, 2, 1)).sum(axis=0).reshape(weight.shape)
    dX = weight.reshape(K, -1).T @ G
    return fold(dX, x.shape, weight.shape[2:], stride, padding), dW, G.sum(axis=(0, 2))
'''
COLUMNS_EDITS = (
    Edit("overlapping windows overwritten", ":stride] += parts[:, :, u, v]",
         ":stride] = parts[:, :, u, v]"),
    Edit("empty without padding", "return out[:, :, padding:H + padding, padding:W + padding]",
         "return out[:, :, padding:-padding, padding:-padding]"),
    Edit("padding not cut off", "return out[:, :, padding:H + padding, padding:W + padding]", "return out"),
    Edit("cropped at the wrong place", "return out[:, :, padding:H + padding, padding:W + padding]",
         "return out[:, :, :H, :W]"),
    Edit("channel as the fastest index", "parts = columns.reshape(N, C, KH, KW, OH, OW)",
         "parts = columns.reshape(N, KH, KW, C, OH, OW).transpose(0, 3, 1, 2, 4, 5)"),
    Edit("positions counted downwards", "parts = columns.reshape(N, C, KH, KW, OH, OW)",
         "parts = columns.reshape(N, C, KH, KW, OW, OH).swapaxes(4, 5)"),
    Edit("kernel columns before rows", "parts = columns.reshape(N, C, KH, KW, OH, OW)",
         "parts = columns.reshape(N, C, KW, KH, OH, OW).swapaxes(2, 3)"),
    Edit("gradient of the weights averaged, in the layer", ".sum(axis=0).reshape", ".mean(axis=0).reshape"),
    Edit("samples and filters mixed", "G = grad_out.reshape(N, K, -1)",
         "G = grad_out.reshape(K, N, -1).transpose(1, 0, 2)"),
    Edit("gradient of the bias not summed over samples, in the layer", "G.sum(axis=(0, 2))", "G.sum(axis=2)"),
    Edit("gradient of the bias along the wrong axis, in the layer", "G.sum(axis=(0, 2))",
         "grad_out.sum(axis=(0, 1, 2))"),
    Edit("flipped kernel in the gradient of the input, in the layer", "dX = weight.reshape",
         "dX = weight[:, :, ::-1, ::-1].reshape"),
    Edit("filters and positions mixed", "G @ X.transpose(0, 2, 1)",
         "G.reshape(N, -1, K).transpose(0, 2, 1) @ X.transpose(0, 2, 1)"),
)

COUNTS = '''
def unshared_parameters(in_shape, out_channels, kernel_size, stride, padding, bias):
    C, H, W = in_shape
    KH, KW = kernel_size
    OH = (H + 2 * padding - KH) // stride + 1
    OW = (W + 2 * padding - KW) // stride + 1
    neurons = out_channels * OH * OW
    each = C * KH * KW + int(bias)
    return neurons * each

def shared_parameters(in_shape, out_channels, kernel_size, stride, padding, bias):
    weights = out_channels * in_shape[0] * kernel_size[0] * kernel_size[1]
    return weights + out_channels * bias
'''
LOCAL = '''
def locally_connected(x, weight, bias, stride, padding):
    OH, OW, K, C, KH, KW = weight.shape
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    out = np.zeros((len(x), K, OH, OW))
    for i in range(OH):
        for j in range(OW):
            block = xp[:, :, i * stride:i * stride + KH, j * stride:j * stride + KW]
            for k in range(K):
                out[:, k, i, j] = np.sum(block * weight[i, j, k], axis=(1, 2, 3)) + bias[k, i, j]
    return out
'''
SHIFTS = '''
def move(x, rows, columns):
    result = np.zeros_like(x)
    for i in range(x.shape[2]):
        for j in range(x.shape[3]):
            if 0 <= i - rows < x.shape[2] and 0 <= j - columns < x.shape[3]:
                result[..., i, j] = x[..., i - rows, j - columns]
    return result

def shift(x, down, right):
    H, W = x.shape[2:]
    out = np.zeros_like(x)
    for i in range(H):
        for j in range(W):
            a, b = i - down, j - right
            if 0 <= a < H and 0 <= b < W:
                out[:, :, i, j] = x[:, :, a, b]
    return out

def moves_along(layer, x, down, right, stride):
    first = layer(move(x, down * stride, right * stride))
    second = move(layer(x), down, right)
    return np.isclose(first, second)
'''
FREE = '''
def border_free(input_size, kernel_size, stride, padding):
    outputs = (input_size + 2 * padding - kernel_size) // stride + 1
    found = []
    for i in range(outputs):
        start = i * stride - padding
        end = start + kernel_size
        if start >= 0 and end <= input_size:
            found.append(i)
    if not found:
        return 0, 0
    return found[0], found[-1] + 1
'''
SUMS = '''
def unshared_gradients(grad_out, x, kernel_size, stride, padding):
    N, K, OH, OW = grad_out.shape
    KH, KW = kernel_size
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    out = np.zeros((N, OH, OW, K, x.shape[1], KH, KW))
    for n, i, j, k in np.ndindex(N, OH, OW, K):
        a, b = i * stride, j * stride
        out[n, i, j, k] = grad_out[n, k, i, j] * xp[n, :, a:a + KH, b:b + KW]
    return out

def shared_gradient(unshared):
    total = np.zeros(unshared.shape[3:])
    for n in range(unshared.shape[0]):
        for i in range(unshared.shape[1]):
            for j in range(unshared.shape[2]):
                total += unshared[n, i, j]
    return total
'''
SLOPES = '''
def numerical_gradient(f, x, step):
    x = x.astype(float)
    out = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        old = x[index]
        x[index] = old + step
        above = f(x)
        x[index] = old - step
        below = f(x)
        x[index] = old
        out[index] = (above - below) / (2 * step)
    return out
'''


def add_by_fancy_index(columns, x_shape, kernel_size, stride, padding):
    """col2im with a[indices] += b, which adds once where an index comes twice."""
    samples, channels, height, width = x_shape
    size = (channels, height + 2 * padding, width + 2 * padding)
    table = np.arange(np.prod(size)).reshape(size)
    windows = np.lib.stride_tricks.sliding_window_view(table, kernel_size, axis=(1, 2))[:, ::stride, ::stride]
    places = windows.transpose(0, 3, 4, 1, 2).reshape(columns.shape[1:])
    out = np.zeros((samples, np.prod(size)))
    out[:, places] += columns
    return out.reshape(samples, *size)[:, :, padding:padding + height, padding:padding + width]


def matmul_with(*pairs: tuple[str, str]):
    """Both answers of conv2d_backward_matmul."""
    return tuple(edited(COLUMNS, name, *pairs) for name in ("col2im", "conv2d_backward_matmul"))


def counts(*pairs: tuple[str, str]):
    return tuple(edited(COUNTS, name, *pairs) for name in ("unshared_parameters", "shared_parameters"))


def shifts(*pairs: tuple[str, str]):
    return tuple(edited(SHIFTS, name, *pairs) for name in ("shift", "moves_along"))


def sums(*pairs: tuple[str, str]):
    return tuple(edited(SUMS, name, *pairs) for name in ("unshared_gradients", "shared_gradient"))


def bias_by_samples(grad_out, x, weight, stride, padding):
    dx, dw, _ = backward()(grad_out, x, weight, stride, padding)
    return dx, dw, np.sum(grad_out, axis=0)


def full_correlation_of_the_last_filter(grad_out, x, weight, stride, padding):
    dx, dw, db = backward(("g * weight[k]", "g * weight[k] * (k == K - 1)"))(grad_out, x, weight, stride, padding)
    return dx, dw, db


def sizes_computed_back(grad_out, x, weight, stride, padding):
    """The input's size from the output's."""
    dx, dw, db = backward()(grad_out, x, weight, stride, padding)
    rows = (grad_out.shape[2] - 1) * stride + weight.shape[2] - 2 * padding
    columns = (grad_out.shape[3] - 1) * stride + weight.shape[3] - 2 * padding
    return dx[:, :, :rows, :columns], dw, db


WRONG: list[tuple] = [
    ("sharing_parameters", "biases forgotten when sharing", counts(("weights + out_channels * bias", "weights"))),
    ("sharing_parameters", "biases forgotten", counts((" + int(bias)", ""))),
    ("sharing_parameters", "biases counted always", counts(("int(bias)", "1"))),
    ("sharing_parameters", "one bias for all filters", counts(("+ out_channels * bias", "+ bias"))),
    ("sharing_parameters", "one bias for each map",
     counts((" + int(bias)", ""), ("return neurons * each", "return neurons * each + out_channels * bias"))),
    ("sharing_parameters", "padding counted once",
     counts(("H + 2 * padding", "H + padding"), ("W + 2 * padding", "W + padding"))),
    ("locally_connected", "the same filters at every position",
     edited(LOCAL, "locally_connected", ("weight[i, j, k]", "weight[0, 0, k]"))),
    ("locally_connected", "the same bias at every position",
     edited(LOCAL, "locally_connected", ("bias[k, i, j]", "bias[k, 0, 0]"))),
    ("locally_connected", "rows and columns of positions swapped",
     edited(LOCAL, "locally_connected", ("weight[i, j, k]", "weight[j, i, k]"))),
    ("locally_connected", "padding ignored", edited(LOCAL, "locally_connected", ("block = xp", "block = x"))),
    ("shift_equivariance", "wraps around", (lambda x, d, r: np.roll(np.roll(x, d, 2), r, 3), shifts()[1])),
    ("shift_equivariance", "moved the other way", shifts(("a, b = i - down, j - right", "a, b = i + down, j + right"))),
    ("shift_equivariance", "output not moved", shifts(("move(layer(x), down, right)", "layer(x)"))),
    ("shift_equivariance", "one answer for all",
     (shifts()[0], lambda layer, *rest: np.all(shifts()[1](layer, *rest)))),
    ("shift_equivariance", "input moved without the stride",
     shifts(("down * stride, right * stride", "down, right"))),
    ("border_free", "last output instead of stop", edited(FREE, "border_free", ("found[-1] + 1", "found[-1]"))),
    ("border_free", "all outputs", edited(FREE, "border_free", ("if start >= 0 and end <= input_size", "if True"))),
    ("border_free", "first output rounded down",
     lambda w, f, s, p: (p // s, (w + p - f) // s + 1) if (w + p - f) // s + 1 > p // s else (0, 0)),
    ("shared_gradient", "averaged over the samples",
     (sums()[0], lambda u: u.sum(axis=(1, 2)).sum(axis=0) / len(u))),
    ("shared_gradient", "filters summed as well", (sums()[0], lambda u: u.sum(axis=(0, 1, 2, 3)))),
    ("shared_gradient", "only the last position", sums(("total += unshared", "total = unshared"))),
    ("shared_gradient", "stride missing in the window's position", sums(("i * stride, j * stride", "i, j"))),
    ("numerical_gradient", "forward difference",
     edited(SLOPES, "numerical_gradient", ("old - step", "old"), ("(2 * step)", "step"))),
    ("numerical_gradient", "computed in the type of x",
     edited(SLOPES, "numerical_gradient", ("x = x.astype(float)", "x = x.copy()"))),
    ("numerical_gradient", "step ignored",
     edited(SLOPES, "numerical_gradient", ("x = x.astype(float)", "x = x.astype(float); step = 1e-5"))),
    ("numerical_gradient", "all entries moved at once",
     lambda f, x, step: np.ones(x.shape) * (f(x + step) - f(x - step)) / (2 * step)),
    ("conv2d_backward", "no room for the padding",
     backward(("np.zeros((N, C, H + 2 * padding, W + 2 * padding))", "np.zeros_like(x)"),
              ("dx = dxp[:, :, padding:padding + H, padding:padding + W]", "dx = dxp"))),
    ("conv2d_backward_matmul", "reshaped where transposing is meant",
     matmul_with(("dX = weight.reshape(K, -1).T @ G", "dX = weight.reshape(-1, K) @ G"))),
    ("sharing_parameters", "rounded up",
     counts(("(H + 2 * padding - KH) // stride", "-((KH - H - 2 * padding) // stride)"),
            ("(W + 2 * padding - KW) // stride", "-((KW - W - 2 * padding) // stride)"))),
    ("sharing_parameters", "only square filters", counts(("KH * KW", "KH * KH"))),
    ("locally_connected", "stride along one axis only",
     edited(LOCAL, "locally_connected", ("j * stride:j * stride + KW", "j:j + KW"))),
    ("locally_connected", "edge values instead of zeros",
     edited(LOCAL, "locally_connected", ("(padding, padding)))", "(padding, padding)), mode='edge')"))),
    ("locally_connected", "bias added once per weight",
     edited(LOCAL, "locally_connected", ("block * weight[i, j, k],", "block * weight[i, j, k] + bias[k, i, j],"),
            (" + bias[k, i, j]\n", "\n"))),
    ("shift_equivariance", "only columns moved", shifts(("a, b = i - down", "a, b = i"))),
    ("shift_equivariance", "moved around the border",
     (shifts()[0], lambda layer, x, d, r, s: np.isclose(layer(shifts()[0](x, d * s, r * s)),
                                                        np.roll(layer(x), (d, r), (2, 3))))),
    ("shared_gradient", "windows of the first sample only", sums(("xp[n, :", "xp[0, :"))),
    ("shared_gradient", "summed over the filter itself", (sums()[0], lambda u: u.sum(axis=(4, 5, 6)))),
    ("numerical_gradient", "brackets missing", edited(SLOPES, "numerical_gradient", ("/ (2 * step)", "/ 2 * step"))),
    ("numerical_gradient", "step relative to the entry",
     edited(SLOPES, "numerical_gradient", ("old + step", "old * (1 + step)"), ("old - step", "old * (1 - step)"))),
    ("conv2d_backward", "the first filter for all outputs", backward(("g * weight[k]", "g * weight[0]"))),
    ("conv2d_backward", "all windows from the first sample", backward(("g * xp[n", "g * xp[0"))),
    ("conv2d_backward", "all samples sent back into the first", backward(("dxp[n", "dxp[0"))),
    ("locally_connected", "the same filters at every position",
     lambda x, w, b, s, p: edited(LOCAL, "locally_connected")(
         x, np.tile(w[:1, :1], (*w.shape[:2], 1, 1, 1, 1)), np.tile(b[:, :1, :1], (1, *w.shape[:2])), s, p)),
    ("sharing_parameters", "not rounded", counts(("KH) // stride", "KH) / stride"), ("KW) // stride",
                                                                                               "KW) / stride"))),
    ("conv2d_backward", "cropped on one side",
     backward(("padding:padding + H, padding:padding + W]", "padding:, padding:]"))),
    ("conv2d_backward", "all gradients averaged", backward(("return dx, dw, db", "return dx / N, dw / N, db / N"))),
    ("conv2d_backward", "gradients in another order", backward(("return dx, dw, db", "return dw, db, dx"))),
    ("conv2d_backward", "gradient of the bias averaged",
     backward(("return dx, dw, db", "return dx, dw, db / (N * OH * OW)"))),
    ("conv2d_backward", "gradient of the weights flipped",
     backward(("return dx, dw, db", "return dx, dw[:, :, ::-1, ::-1], db"))),
    ("conv2d_backward", "only the first sample counts", backward(("for n in range(N)", "for n in range(1)"))),
    ("conv2d_backward", "as many columns as rows",
     backward(("for j in range(OW)", "for j in range(OH)"))),
    ("conv2d_backward", "only square kernels",
     backward(("K, _, KH, KW = weight.shape", "K, _, KH, KW = (*weight.shape[:3], weight.shape[2])"))),
    ("conv2d_backward", "padding not cut off",
     backward(("dx = dxp[:, :, padding:padding + H, padding:padding + W]", "dx = dxp"))),
    ("conv2d_backward", "gradient of the bias summed over samples only", bias_by_samples),
    ("conv2d_backward", "only one filter in the gradient of the input", full_correlation_of_the_last_filter),
    ("conv2d_backward", "rows that no window reads are missing", sizes_computed_back),
    ("conv2d_backward", "everything overwritten",
     backward(("dw[k] += g", "dw[k] = g"), ("b:b + KW] += g", "b:b + KW] = g"), ("db[k] += g", "db[k] = g"))),
    ("conv2d_backward", "only the last sample counts",
     backward(("    for n in range(N):", "    for n in range(N):\n        dw[:] = 0; db[:] = 0"))),
    ("conv2d_backward", "stride missing in the gradient of the weights",
     backward(("g * xp[n, :, a:a + KH, b:b + KW]", "g * xp[n, :, i:i + KH, j:j + KW]"))),
    ("conv2d_backward", "stride missing in the gradient of the input",
     backward(("dxp[n, :, a:a + KH, b:b + KW]", "dxp[n, :, i:i + KH, j:j + KW]"))),
    ("conv2d_backward", "gradient of the bias not summed over samples",
     backward(("return dx, dw, db", "return dx, dw, grad_out.sum(axis=(2, 3))"))),
    ("conv2d_backward_matmul", "overlapping windows overwritten", (add_by_fancy_index, matmul_with()[1])),
    ("conv2d_backward_matmul", "stride ignored",
     matmul_with(("out[:, :, u:u + stride * (OH - 1) + 1:stride, v:v + stride * (OW - 1) + 1:stride]",
                  "out[:, :, u:u + OH, v:v + OW]"))),
    ("conv2d_backward_matmul", "upstream gradient ignored, in the layer",
     matmul_with(("G = grad_out.reshape(N, K, -1)", "G = np.ones((N, K, grad_out[0, 0].size))"))),
]
FRIENDLY_ONLY: list[tuple] = [
    ("conv2d_backward", "padding 1", backward(("padding:padding + H, padding:padding + W]", ":H, :W]"))),
    ("conv2d_backward", "one channel, one filter",
     backward(("padding:padding + H, padding:padding + W]", "padding:-padding, padding:-padding]"))),
    ("conv2d_backward", "windows side by side", backward(("for j in range(OW)", "for j in range(OH)"))),
    ("conv2d_backward", "a kernel taller than wide", backward(("b:b + KW] += g", "b:b + KH] += g"))),
    ("conv2d_backward", "rows and columns that no window reads", sizes_computed_back),
    ("locally_connected", "taller than wide",
     edited(LOCAL, "locally_connected", ("for j in range(OW)", "for j in range(OH)"))),
    ("shift_equivariance", "up and to the left",
     (lambda x, d, r: np.pad(x, ((0, 0), (0, 0), (d, 0), (r, 0)))[:, :, :x.shape[2], :x.shape[3]], shifts()[1])),
    ("border_free", "stride 2", lambda w, f, s, p: (p, (w + 2 * p - f) // s + 1 - p)),
    ("numerical_gradient", "Fortran order", lambda f, x, step: _flat_slopes(f, x, step)),
]


def _flat_slopes(f, x, step):
    x = x if x.dtype == np.float64 else x.astype(float)
    found, flat = np.zeros(x.size), x.reshape(-1)
    for index in range(x.size):
        old, ends = flat[index], []
        for sign in (1, -1):
            flat[index] = old + sign * step
            ends.append(f(x))
        flat[index] = old
        found[index] = (ends[0] - ends[1]) / (2 * step)
    return found.reshape(x.shape)


MUTATIONS: list[Mutations] = [
    Mutations("sharing_parameters", COUNTS, (
        Edit("positions forgotten", "neurons = out_channels * OH * OW", "neurons = out_channels"),
        Edit("only one feature map", "neurons = out_channels * OH * OW", "neurons = OH * OW"),
        Edit("depth of the filter forgotten", "each = C * KH", "each = KH"),
        Edit("a bias for every channel", "each = C * KH * KW + int(bias)", "each = C * (KH * KW + int(bias))"),
        Edit("biases forgotten", " + int(bias)", ""),
        Edit("one bias for all filters", "+ out_channels * bias", "+ bias"),
        Edit("biases forgotten when sharing", "weights + out_channels * bias", "weights"),
        Edit("only square kernels", "kernel_size[0] * kernel_size[1]", "kernel_size[0] ** 2"),
        Edit("depth of the shared filter forgotten", "out_channels * in_shape[0] * kernel", "out_channels * kernel"),
        Edit("", "OW = (W + 2", "OW = (H + 2"),
        Edit("", "neurons = out_channels", "neurons = C * out_channels"),
    )),
    Mutations("locally_connected", LOCAL, (
        Edit("the same filters at every position", "weight[i, j, k]", "weight[0, 0, k]"),
        Edit("the same filters along a row", "weight[i, j, k]", "weight[i, 0, k]"),
        Edit("the same filters down a column", "weight[i, j, k]", "weight[0, j, k]"),
        Edit("the same filter for every map", "weight[i, j, k]", "weight[i, j, 0]"),
        Edit("flipped kernel", "weight[i, j, k]", "weight[i, j, k, :, ::-1, ::-1]"),
        Edit("the same bias at every position", "bias[k, i, j]", "bias[k, 0, 0]"),
        Edit("bias forgotten", " + bias[k, i, j]", ""),
        Edit("mean instead of sum", "np.sum(block", "np.mean(block"),
        Edit("padding ignored", "block = xp", "block = x"),
        Edit("only the last channel counts", "np.sum(block * weight[i, j, k], axis=(1, 2, 3))",
             "(block * weight[i, j, k])[:, -1].sum(axis=(1, 2))"),
        Edit("", "i * stride:i * stride + KH", "i:i + KH"),
        Edit("", "bias[k, i, j]", "bias[k, i, 0]"),
    )),
    Mutations("shift_equivariance", SHIFTS, (
        Edit("moved the other way", "a, b = i - down, j - right", "a, b = i + down, j + right"),
        Edit("down and right exchanged", "a, b = i - down, j - right", "a, b = i - right, j - down"),
        Edit("only the first channel moved", "out[:, :, i, j] = x[:, :, a, b]",
             "out[:, 0, i, j] = x[:, 0, a, b]; out[:, 1:] = x[:, 1:]"),
        Edit("only rows moved", "a, b = i - down, j - right", "a, b = i - down, j"),
        Edit("input moved without the stride", "down * stride, right * stride", "down, right"),
        Edit("output not moved", "second = move(layer(x), down, right)", "second = layer(x)"),
        Edit("output moved by the stride too", "second = move(layer(x), down, right)",
             "second = move(layer(x), down * stride, right * stride)"),
        Edit("agreement and difference exchanged", "return np.isclose(first, second)",
             "return ~np.isclose(first, second)"),
        Edit("one answer for all", "return np.isclose(first, second)", "return np.allclose(first, second)"),
        Edit("", "return np.isclose(first, second)", "return np.abs(first - second)"),
        Edit("", "0 <= a < H and", "0 < a < H and"),
    )),
    Mutations("border_free", FREE, (
        Edit("last output instead of stop", "found[-1] + 1", "found[-1]"),
        Edit("all outputs", "if start >= 0 and end <= input_size", "if True"),
        Edit("one output more on the left", "start >= 0", "start >= (1 if padding else 0)"),
        Edit("padding on the right counted as input", "end <= input_size", "end <= input_size + padding"),
        Edit("no padding added on the left", "start = i * stride - padding", "start = i * stride"),
        Edit("", "end = start + kernel_size", "end = start + kernel_size - 1"),
        Edit("", "start >= 0 and", ""),
        Edit("", "- padding\n        end", "- padding // 2\n        end"),
    )),
    Mutations("shared_gradient", SUMS, (
        Edit("upstream gradient ignored", "grad_out[n, k, i, j] * xp", "xp"),
        Edit("the same upstream gradient for all filters", "grad_out[n, k, i, j] * xp", "grad_out[n, 0, i, j] * xp"),
        Edit("stride missing in the window's position", "a, b = i * stride, j * stride", "a, b = i, j"),
        Edit("padding ignored", "* xp[n", "* x[n"),
        Edit("window turned around", "xp[n, :, a:a + KH, b:b + KW]", "xp[n, :, a:a + KH, b:b + KW][:, ::-1, ::-1]"),
        Edit("only the last position", "total += unshared", "total = unshared"),
        Edit("averaged over the samples", "return total", "return total / len(unshared)"),
        Edit("averaged over the positions", "return total", "return total / unshared[0, :, :, 0, 0, 0, 0].size"),
        Edit("averaged over everything", "return total", "return total / unshared[:, :, :, 0, 0, 0, 0].size"),
        Edit("", "in range(unshared.shape[1])", "in range(unshared.shape[1] - 1)"),
        Edit("", "return total", "return np.abs(total)"),
    )),
    Mutations("numerical_gradient", SLOPES, (
        Edit("divided by one step", "/ (2 * step)", "/ step"),
        Edit("divided by one step", "(above - below) / (2 * step)", "(above - below) * (1 / step)"),
        Edit("the sign turned", "(above - below)", "(below - above)"),
        Edit("difference not divided", " / (2 * step)", ""),
        Edit("computed in the type of x", "x = x.astype(float)", "x = x.copy()"),
        Edit("slopes without sign", "(above - below)", "abs(above - below)"),
        Edit("result in the type of x", "x = x.astype(float)\n    out = np.zeros(x.shape)",
             "out = np.zeros_like(x)\n    x = x.astype(float)"),
        Edit("", "old - step", "old"),
        Edit("", "        x[index] = old\n", ""),
        Edit("", "old + step", "old + 2 * step"),
    )),
    Mutations("conv2d_backward", BACKWARD, BACKWARD_EDITS),
    Mutations("conv2d_backward_matmul", COLUMNS, COLUMNS_EDITS),
]
