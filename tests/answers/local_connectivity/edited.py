"""A right answer to every exercise, and what students mistype in it."""

from __future__ import annotations

from tests.answers.mutations import Edit, Mutations

OUTPUT_SIZE = Mutations("output_size", '''
    def output_size(input_size, kernel_size, stride, padding):
        padded = input_size + 2 * padding
        way = padded - kernel_size
        steps = way // stride
        return steps + 1
    ''', (
    Edit("padding counted once", "input_size + 2 * padding", "input_size + padding"),
    Edit("padding ignored", "input_size + 2 * padding", "input_size"),
    Edit("padding subtracted", "input_size + 2 * padding", "input_size - 2 * padding"),
    Edit("kernel size ignored", "way = padded - kernel_size", "way = padded"),
    Edit("not rounded", "way // stride", "way / stride"),
    Edit("rounded to the nearest", "way // stride", "round(way / stride)"),
    Edit("stride ignored", "way // stride", "way"),
    Edit("one forgotten", "return steps + 1", "return steps"),
    Edit("", "return steps + 1", "return steps + 2"),
    Edit("", "kernel_size, stride", "stride, kernel_size"),
))

FIELD = Mutations("receptive_field_slice", '''
    def receptive_field_slice(x, row, column, kernel_size, stride):
        height, width = kernel_size
        top = row * stride
        left = column * stride
        bottom = top + height
        right = left + width
        return x[:, top:bottom, left:right]
    ''', (
    Edit("kernel height and width swapped", "height, width = kernel_size", "width, height = kernel_size"),
    Edit("stride forgotten in the position", "left = column * stride", "left = column"),
    Edit("the end does not move",
         "bottom = top + height\n    right = left + width", "bottom = height\n    right = width"),
    Edit("", "top = row * stride", "top = row + stride"),
    Edit("", "bottom = top + height", "bottom = top + height + 1"),
    Edit("", "right = left + width", "right = width"),
    Edit("", "top:bottom, left:right", "left:right, top:bottom"),
    Edit("only one channel", "x[:, top", "x[0, top"),
    Edit("channels cut instead of rows", "x[:, top", "x[top"),
    Edit("summed up already", "left:right]", "left:right].sum(axis=0)"),
    Edit("right values in another shape", "left:right]", "left:right].reshape(len(x), -1)"),
))

TO_MINUS_PADDING = Edit("empty without padding", "padding:padding + H, padding:padding + W",
                        "padding:-padding, padding:-padding")
PAD = Mutations("zero_pad", '''
    def zero_pad(x, padding):
        N, C, H, W = x.shape
        taller = H + 2 * padding
        wider = W + 2 * padding
        out = np.zeros((N, C, taller, wider), dtype=x.dtype)
        out[:, :, padding:padding + H, padding:padding + W] = x
        return out
    ''', (
    Edit("only square inputs", "wider = W + 2 * padding", "wider = taller"),
    Edit("", "N, C, H, W = x.shape", "N, H, W, C = x.shape"),
    Edit("", "taller = H + 2 * padding", "taller = H + padding"),
    Edit("ones instead of zeros", "np.zeros(", "np.ones("),
    Edit("array not filled", "np.zeros((N, C, taller, wider), ", "np.full((N, C, taller, wider), np.nan, "),
    Edit("fractions cut off", "dtype=x.dtype", "dtype=int"),
    TO_MINUS_PADDING,
    Edit("all padding on one side", "padding:padding + H, padding:padding + W", ":H, :W"),
    Edit("only the first sample", "out[:, :, padding:padding + H, padding:padding + W] = x",
         "out[0, :, padding:padding + H, padding:padding + W] = x[0]"),
    Edit("nothing returned", "return out", "print('done')"),
))

CONV = Mutations("conv2d_forward", '''
    def conv2d_forward(x, weight, bias, stride, padding):
        N, C, H, W = x.shape
        K, _, R, S = weight.shape
        xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        OH = (H + 2 * padding - R) // stride + 1
        OW = (W + 2 * padding - S) // stride + 1
        out = np.zeros((N, K, OH, OW))
        for n in range(N):
            for k in range(K):
                for i in range(OH):
                    for j in range(OW):
                        window = xp[n, :, i*stride:i*stride+R, j*stride:j*stride+S]
                        out[n, k, i, j] = np.sum(window * weight[k]) + bias[k]
        return out
    ''', (
    Edit("shapes that do not go together", "(padding, padding), (padding, padding)", "(0, padding), (0, padding)"),
    Edit("edge values instead of zeros", "(padding, padding)))", "(padding, padding)), mode='edge')"),
    Edit("only square inputs", "(W + 2", "(H + 2"),
    Edit("only square inputs", "N, C, H, W = x.shape", "N, C, W, H = x.shape"),
    Edit("only square kernels", "K, _, R, S = weight.shape", "K, _, S, R = weight.shape"),
    Edit("fractions cut off", "OH, OW))", "OH, OW), dtype=int)"),
    Edit("only the first sample", "range(N)", "range(1)"),
    Edit("entries left at zero", "range(K)", "range(K - 1)"),
    Edit("entries left at zero", "range(OH)", "range(OH - 1)"),
    Edit("only square inputs", "range(OW)", "range(OH)"),
    Edit("stride missing in the window's row", "i*stride:i*stride+R", "i:i+R"),
    Edit("stride missing in the window's column", "j*stride:j*stride+S", "j:j+S"),
    Edit("only square kernels", "j*stride:j*stride+S", "j*stride:j*stride+R"),
    Edit("", "i*stride:i*stride+R", "i*stride:i*stride+R-1"),
    Edit("wrong sign", "out[n, k, i, j] =", "out[n, k, i, j] -="),
    Edit("rows and columns of the output swapped", "out[n, k, i, j]", "out[n, k, j, i]"),
    Edit("mean instead of sum", "np.sum(", "np.mean("),
    Edit("matrix product of window and filter", "window * weight", "window @ weight"),
    Edit("the same filter for every output", "weight[k]", "weight[0]"),
    Edit("flipped kernel", "weight[k]", "weight[k, :, ::-1, ::-1]"),
    Edit("kernel transposed", "weight[k]", "weight[k].transpose(0, 2, 1)[:, :R, :S]"),
    Edit("one bias for all filters", "bias[k]", "bias[0]"),
    Edit("bias added once per weight", "weight[k]) + bias[k]", "weight[k] + bias[k])"),
    Edit("bias forgotten", " + bias[k]", ""),
    Edit("negative outputs cut off", "return out", "return np.maximum(out, 0)"),
    Edit("only the first sample", "    return out", "        return out"),
    Edit("axes swapped", "return out", "return out.transpose(0, 2, 3, 1)"),
))

MATMUL = Mutations("conv2d_matmul", '''
    def im2col(x, kernel_size, stride, padding):
        N, C, H, W = x.shape
        KH, KW = kernel_size
        xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        OH = (H + 2 * padding - KH) // stride + 1
        OW = (W + 2 * padding - KW) // stride + 1
        columns = np.zeros((N, C * KH * KW, OH * OW))
        for i in range(OH):
            for j in range(OW):
                top, left = i * stride, j * stride
                block = xp[:, :, top:top + KH, left:left + KW]
                columns[:, :, i * OW + j] = block.reshape(N, -1)
        return columns

    def conv2d_matmul(x, weight, bias, stride, padding):
        K, C, R, S = weight.shape
        oh = (x.shape[2] + 2 * padding - R) // stride + 1
        table = np.array([im2col_of(sample, (R, S), stride, padding) for sample in x])
        rows = weight.reshape(K, -1)
        out = rows @ table + bias[:, None]
        return out.reshape(len(x), K, oh, -1)

    def im2col_of(sample, kernel_size, stride, padding):
        xp = np.pad(sample, ((0, 0), (padding, padding), (padding, padding)))
        windows = np.lib.stride_tricks.sliding_window_view(xp, kernel_size, axis=(1, 2))[:, ::stride, ::stride]
        return windows.transpose(0, 3, 4, 1, 2).reshape(len(sample) * kernel_size[0] * kernel_size[1], -1)
    ''', (
    Edit("kernel height and width swapped", "KH, KW = kernel_size", "KW, KH = kernel_size"),
    Edit("stride missing in the window's position", "i * stride, j * stride", "i, j"),
    Edit("the kernel size used as stride", "i * stride, j * stride", "i * KH, j * KW"),
    Edit("positions numbered by the height", "i * OW + j", "i * OH + j"),
    Edit("positions counted downwards", "i * OW + j", "j * OH + i"),
    Edit("channel as the fastest index", "block.reshape(N, -1)", "block.reshape(N, -1, order='F')"),
    Edit("only the first sample", "block.reshape(N, -1)", "block[0].ravel()"),
    Edit("patches in rows", "return columns", "return columns.swapaxes(1, 2)"),
    Edit("samples side by side", "return columns", "return np.hstack(list(columns))"),
    Edit("fractions cut off", "OH * OW))", "OH * OW), dtype=int)"),
    Edit("a reshape in place of flattening", "weight.reshape(K, -1)", "weight.reshape(-1, K).T"),
    Edit("filters flattened in another order", "weight.reshape(K, -1)", "weight.transpose(0, 2, 3, 1).reshape(K, -1)"),
    Edit("flipped kernel in the layer", "weight.reshape(K, -1)", "weight.reshape(K, -1)[:, ::-1]"),
    Edit("bias added to the positions", "bias[:, None]", "bias"),
    Edit("bias forgotten in the layer", " + bias[:, None]", ""),
    Edit("filters and positions mixed", "out.reshape(len(x), K, oh, -1)",
         "np.moveaxis(out.reshape(len(x), oh, -1, K), 3, 1)"),
    Edit("", "out.reshape(len(x), K, oh, -1)", "out.reshape(K, len(x), oh, -1)"),
))

PIXELS = Mutations("conv1x1", '''
    def conv1x1(x, weight, bias):
        N, C, H, W = x.shape
        K = weight.shape[0]
        out = np.zeros((N, K, H, W))
        for k in range(K):
            for c in range(C):
                out[:, k] += weight[k, c] * x[:, c]
        out += bias.reshape(1, K, 1, 1)
        return out
    ''', (
    Edit("only the last channel counts", "out[:, k] +=", "out[:, k] ="),
    Edit("weight transposed", "weight[k, c]", "weight[c, k]"),
    Edit("the same filter for every output", "weight[k, c]", "weight[0, c]"),
    Edit("only the first channel", "x[:, c]", "x[:, 0] * (c == 0)"),
    Edit("only the first sample", "x[:, c]", "x[0, c]"),
    Edit("bias added once per channel", "bias.reshape", "C * bias.reshape"),
    Edit("one bias for all filters", "bias.reshape(1, K, 1, 1)", "bias[0]"),
    Edit("bias added along the width", "out += bias.reshape(1, K, 1, 1)", "out = out + bias"),
    Edit("bias added along the height", "out += bias.reshape(1, K, 1, 1)", "out = out + bias.reshape(K, 1)"),
    Edit("channels averaged", "weight[k, c] *", "weight[k, c] / C *"),
    Edit("channels last in the result", "return out", "return out.transpose(0, 2, 3, 1)"),
    Edit("channels and pixels mixed", "return out", "return out.transpose(0, 2, 3, 1).reshape(out.shape)"),
    Edit("negative values cut off", "return out", "return np.maximum(out, 0)"),
))

DILATED = Mutations("dilated_conv2d", '''
    def dilated_conv2d(x, weight, bias, dilation):
        N, C, H, W = x.shape
        K, _, KH, KW = weight.shape
        span = dilation * (KH - 1) + 1
        width = dilation * (KW - 1) + 1
        OH = H - span + 1
        OW = W - width + 1
        out = np.zeros((N, K, OH, OW))
        for n in range(N):
            for k in range(K):
                for i in range(OH):
                    for j in range(OW):
                        window = x[n, :, i:i + span:dilation, j:j + width:dilation]
                        out[n, k, i, j] = np.sum(window * weight[k]) + bias[k]
        return out
    ''', (
    Edit("dilation counted from zero", "    span =", "    dilation = dilation + 1\n    span ="),
    Edit("span counted as d F", "dilation * (KH - 1) + 1\n    width = dilation * (KW - 1) + 1",
         "dilation * KH\n    width = dilation * KW"),
    Edit("", "dilation * (KH - 1) + 1\n    width = dilation * (KW - 1) + 1",
         "dilation * (KH - 1)\n    width = dilation * (KW - 1)"),
    Edit("only square kernels", "width = dilation * (KW - 1) + 1", "width = span"),
    Edit("dilation ignored", "i:i + span:dilation, j:j + width:dilation", "i:i + KH, j:j + KW"),
    Edit("", "i:i + span:dilation", "i*dilation:i*dilation + span:dilation"),
    Edit("span of the filter miscounted",
         "OH = H - span + 1\n    OW = W - width + 1", "OH = H - KH + 1\n    OW = W - KW + 1"),
    Edit("only the first sample", "x[n, :", "x[0, :"),
    Edit("the same filter for every output", "weight[k]", "weight[0]"),
    Edit("flipped kernel", "weight[k]", "weight[k, :, ::-1, ::-1]"),
    Edit("one bias for all filters", "bias[k]", "bias[0]"),
    Edit("bias forgotten", " + bias[k]", ""),
))

SETTINGS = Mutations("settings_that_fit", '''
    def settings_that_fit(input_size, kernel_sizes, strides, paddings):
        found = []
        for kernel_size in kernel_sizes:
            for stride in strides:
                for padding in paddings:
                    left = input_size + 2 * padding - kernel_size
                    if left >= 0 and left % stride == 0:
                        found.append((kernel_size, stride, padding))
        return found
    ''', (
    Edit("padding counted once", "2 * padding", "padding"),
    Edit("padding ignored", " + 2 * padding", ""),
    Edit("kernel size not subtracted", " - kernel_size\n", "\n"),
    Edit("one added before dividing", " - kernel_size\n", " - kernel_size + 1\n"),
    Edit("too large kernels kept", "left >= 0 and ", ""),
    Edit("a kernel that fills the input left out", "left >= 0", "left > 0"),
    Edit("kernels compared with the bare input", "left >= 0", "kernel_size <= input_size"),
    Edit("more conditions than two", "left >= 0", "left >= 0 and stride <= kernel_size"),
    Edit("whole division instead of a remainder", "left % stride == 0", "left // stride == 0"),
    Edit("turned around", "left % stride == 0", "left % stride"),
    Edit("triples in another order", "(kernel_size, stride, padding)", "(stride, kernel_size, padding)"),
    Edit("the first padding that fits", "stride, padding))", "stride, padding))\n                    break"),
    Edit("list begun anew in a loop",
         "        for stride in strides:", "        found = []\n        for stride in strides:"),
    Edit("returned too early", "    return found", "        return found"),
    Edit("returned too early", "    return found", "                return found"),
))

MUTATIONS = [OUTPUT_SIZE, FIELD, PAD, CONV, MATMUL, PIXELS, DILATED, SETTINGS]
