"""Right answers as text, with the edits that make them wrong."""

from __future__ import annotations

from tests.answers.mutations import Edit, Mutations

FLATTENING = Mutations("flatten_maps", """
    def flatten_maps(x):
        samples, channels, height, width = x.shape
        out = np.zeros((samples, channels * height * width))
        for n in range(samples):
            for c in range(channels):
                for i in range(height):
                    for j in range(width):
                        out[n, c * height * width + i * width + j] = x[n, c, i, j]
        return out

    def place_in_vector(channel, row, column, maps_shape):
        channels, height, width = maps_shape
        return (channel * height + row) * width + column
    """, (
    Edit("channels last", "c * height * width + i * width + j", "(i * width + j) * channels + c"),
    Edit("columns before rows", "+ i * width + j]", "+ j * height + i]"),
    Edit("axes counted in reverse", "n, c * height * width + i * width + j", "n, (j * height + i) * channels + c"),
    Edit("", "range(channels)", "range(1)"),
    Edit("", "range(samples)", "range(1)"),
    Edit("", "= x[n, c, i, j]", "= x[0, c, i, j]"),
    Edit("channels last", "(channel * height + row) * width + column",
         "(row * width + column) * channels + channel"),
    Edit("rows as long as the height", "(channel * height + row) * width + column",
         "(channel * width + row) * height + column"),
    Edit("counted from one", "* width + column", "* width + column + 1"),
    Edit("a channel as long as a row", "(channel * height + row)", "(channel + row)"),
))

DENSE = Mutations("linear_forward", """
    def linear_forward(x, weight, bias):
        N, D = x.shape
        K = len(bias)
        out = np.zeros((N, K))
        for n in range(N):
            for k in range(K):
                total = 0
                for d in range(D):
                    total += x[n, d] * weight[k, d]
                out[n, k] = total + bias[k]
        return out
    """, (
    Edit("weights transposed", "weight[k, d]", "weight[d, k]"),
    Edit("bias forgotten", "total + bias[k]", "total"),
    Edit("one bias for all outputs", "+ bias[k]", "+ bias[0]"),
    Edit("only the last input counts", "total += x", "total = x"),
    Edit("only the first sample", "range(N)", "range(1)"),
    Edit("bias subtracted", "+ bias", "- bias"),
    Edit("bias added once per input", "total += x[n, d] * weight[k, d]\n            out[n, k] = total + bias[k]",
         "total += x[n, d] * weight[k, d] + bias[k]\n            out[n, k] = total"),
    Edit("mean instead of sum", "= total", "= total / D"),
    Edit("outputs along the first axis", "return out", "return out.T"),
    Edit("", "x[n, d]", "x[0, d]"),
))

DENSE_BACK = Mutations("linear_backward", """
    def linear_backward(grad_out, x, weight):
        grad_x, grad_weight, grad_bias = np.zeros(x.shape), np.zeros(weight.shape), np.zeros(len(weight))
        for n in range(len(x)):
            for k in range(len(weight)):
                grad_x[n] += grad_out[n, k] * weight[k]
                grad_weight[k] += grad_out[n, k] * x[n]
                grad_bias[k] += grad_out[n, k]
        return grad_x, grad_weight, grad_bias
    """, (
    Edit("only the last sample counts", "grad_weight[k] +=", "grad_weight[k] ="),
    Edit("only the last sample counts", "grad_bias[k] +=", "grad_bias[k] ="),
    Edit("", "grad_x[n] +=", "grad_x[n] ="),
    Edit("weight gradient transposed", "return grad_x, grad_weight,", "return grad_x, grad_weight.T,"),
    Edit("averaged over the batch", "* x[n]", "* x[n] / len(x)"),
    Edit("gradient of the bias averaged", "grad_bias[k] += grad_out[n, k]", "grad_bias[k] += grad_out[n, k] / len(x)"),
    Edit("bias gradient without the upstream one", "grad_bias[k] += grad_out[n, k]", "grad_bias[k] += 1"),
    Edit("gradients in another order", "return grad_x, grad_weight, grad_bias", "return grad_weight, grad_bias, "
                                                                                "grad_x"),
    Edit("input gradient times the input", "* weight[k]", "* weight[k] * x[n]"),
    Edit("", "range(len(weight))", "range(len(x))"),
))

FILTERS = Mutations("fc_to_filters", """
    def fc_to_filters(weight, maps_shape):
        C, H, W = maps_shape
        return weight.reshape(len(weight), C, H, W)

    def filters_to_fc(weight):
        K, C, H, W = weight.shape
        out = weight.reshape(K, C * H * W)
        return out
    """, (
    Edit("height and width of the maps swapped", "len(weight), C, H, W)", "len(weight), C, W, H)"),
    Edit("columns before rows", "len(weight), C, H, W)", "len(weight), C, W, H).swapaxes(2, 3)"),
    Edit("channels last", "len(weight), C, H, W)", "len(weight), H, W, C).transpose(0, 3, 1, 2)"),
    Edit("weights transposed first", "return weight.reshape(", "return weight.T.reshape("),
    Edit("filters without depth", "len(weight), C, H, W)", "len(weight), C, H, W)[:, 0]"),
    Edit("axes counted in reverse", "C, H, W)\n", "C, H, W, order='F')\n"),
    Edit("channels last", "out = weight.reshape", "out = weight.transpose(0, 2, 3, 1).reshape"),
    Edit("all filters in one row", "(K, C * H * W)", "(K * C * H * W)"),
    Edit("rows for channels", "(K, C * H * W)", "(K * C, H * W)"),
    Edit("one column for each filter", "return out", "return out.T"),
))

MATRIX = Mutations("conv_as_matrix", """
    def conv_as_matrix(weight, bias, input_size, stride, padding):
        K, C, KH, KW = weight.shape
        H, W = input_size
        OH = (H + 2 * padding - KH) // stride + 1
        OW = (W + 2 * padding - KW) // stride + 1
        matrix = np.zeros((K, OH, OW, C, H + 2 * padding, W + 2 * padding))
        for k in range(K):
            for i in range(OH):
                for j in range(OW):
                    top, left = i * stride, j * stride
                    matrix[k, i, j, :, top:top + KH, left:left + KW] = weight[k]
        inside = matrix[..., padding:padding + H, padding:padding + W]
        return inside.reshape(K * OH * OW, C * H * W), np.repeat(bias, OH * OW)
    """, (
    Edit("flipped kernel", "= weight[k]", "= weight[k, :, ::-1, ::-1]"),
    Edit("stride missing in the window's position", "top, left = i * stride, j * stride", "top, left = i, j"),
    Edit("biases one after the other", "np.repeat(bias", "np.tile(bias"),
    Edit("one bias for each filter", "np.repeat(bias, OH * OW)", "bias"),
    Edit("height and width swapped", "H, W = input_size", "W, H = input_size"),
    Edit("", "OW = (W + 2 * padding - KW)", "OW = (W + 2 * padding - KH)"),
    Edit("", "OH = (H + 2 * padding", "OH = (H + padding"),
    Edit("only the first channel", "matrix[k, i, j, :, top:top + KH, left:left + KW] = weight[k]",
         "matrix[k, i, j, :1, top:top + KH, left:left + KW] = weight[k, :1]"),
    Edit("positions before filters", "inside.reshape(", "inside.transpose(1, 2, 0, 3, 4, 5).reshape("),
    Edit("inputs with channels last", "inside.reshape(", "inside.transpose(0, 1, 2, 4, 5, 3).reshape("),
    Edit("", "padding:padding + H, padding:padding + W", ":H, :W"),
))

PARAMETERS = Mutations("fc_conv_parameters", """
    def fc_parameters(input_shape, out_features):
        C, H, W = input_shape
        return C * H * W * out_features, out_features

    def conv_parameters(input_shape, out_channels, kernel_size, stride):
        channels, height, width = input_shape
        KH, KW = kernel_size
        weights = channels * KH * KW * out_channels
        biases = out_channels
        return weights, biases
    """, (
    Edit("depth forgotten", "C * H * W * out_features", "H * W * out_features"),
    Edit("biases forgotten", "* out_features, out_features", "* out_features, 0"),
    Edit("biases counted as weights", "C * H * W * out_features", "(C * H * W + 1) * out_features"),
    Edit("depth forgotten", "channels * KH * KW", "KH * KW"),
    Edit("as large as the input", "channels * KH * KW", "channels * height * width"),
    Edit("biases forgotten", "biases = out_channels", "biases = 0"),
    Edit("a bias for each channel of a filter", "biases = out_channels", "biases = out_channels * channels"),
    Edit("one filter only", "KW * out_channels", "KW"),
    Edit("only square kernels", "KH * KW", "KH * KH"),
))

SLIDING = Mutations("slide_fc", """
    def slide_fc(features, weight, bias, window):
        h, w = window
        N, C, H, W = features.shape
        K = len(weight)
        out = np.zeros((N, K, H - h + 1, W - w + 1))
        for i in range(H - h + 1):
            for j in range(W - w + 1):
                block = features[:, :, i:i + h, j:j + w]
                out[:, :, i, j] = block.reshape(N, -1) @ weight.T + bias
        return out
    """, (
    Edit("bias forgotten", "@ weight.T + bias", "@ weight.T"),
    Edit("bias added once per channel", "+ bias", "+ C * bias"),
    Edit("channels last", "block.reshape", "block.transpose(0, 2, 3, 1).reshape"),
    Edit("columns before rows", "block.reshape", "block.swapaxes(2, 3).reshape"),
    Edit("flipped kernel", "j:j + w]", "j:j + w][:, :, ::-1, ::-1]"),
    Edit("", "for j in range(W - w + 1)", "for j in range(W - w)"),
    Edit("", "for j in range(W - w + 1)", "for j in range(H - h + 1)"),
    Edit("scores along the last axis", "return out", "return out.transpose(0, 2, 3, 1)"),
    Edit("rows and columns of the map swapped", "return out", "return out.swapaxes(2, 3)"),
    Edit("", "i:i + h", "i:i + w"),
    Edit("", "h, w = window", "w, h = window"),
))

CROPS = Mutations("crop_scores", """
    def crop_scores(x, classify, size, stride):
        N, C, H, W = x.shape
        h, w = size
        rows, columns = (H - h) // stride + 1, (W - w) // stride + 1
        found = []
        for i in range(rows):
            for j in range(columns):
                top, left = i * stride, j * stride
                found.append(classify(x[:, :, top:top + h, left:left + w]))
        table = np.array(found).reshape(rows, columns, N, -1)
        return table.transpose(2, 3, 0, 1)
    """, (
    Edit("stride missing in the window's position", "top, left = i * stride, j * stride", "top, left = i, j"),
    Edit("height and width of the crop swapped", "h, w = size", "w, h = size"),
    Edit("only square crops", "h, w = size", "h, w = size[0], size[0]"),
    Edit("one row and column too few",
         "(H - h) // stride + 1, (W - w) // stride + 1", "(H - h) // stride, (W - w) // stride"),
    Edit("scores along the last axis", "transpose(2, 3, 0, 1)", "transpose(2, 0, 1, 3)"),
    Edit("rows and columns of the map swapped", "transpose(2, 3, 0, 1)", "transpose(2, 3, 1, 0)"),
    Edit("always the same crop", "top:top + h, left:left + w", ":h, :w"),
    Edit("", "left:left + w", "left:left + h"),
    Edit("", "top:top + h", "top:top + h - 1"),
))

SIZES = Mutations("score_map_size", """
    def network_stride(layers):
        total = 1
        for kind, channels, kernel, step, zeros in layers:
            total *= step
        return total

    def score_map_size(picture_size, layers):
        height, width = picture_size
        for kind, out_channels, (kernel_height, kernel_width), stride, padding in layers:
            height = (height - kernel_height + 2 * padding) // stride + 1
            width = (width - kernel_width + 2 * padding) // stride + 1
        return height, width
    """, (
    Edit("only the last stride", "total *= step", "total = step"),
    Edit("strides of pooling left out", "total *= step", "total *= step if kind == 'conv' else 1"),
    Edit("strides of convolutions left out", "total *= step", "total *= step if kind == 'pool' else 1"),
    Edit("kernel sizes multiplied", "total *= step", "total *= kernel[0]"),
    Edit("only square kernels", "width - kernel_width", "width - kernel_height"),
    Edit("columns before rows in the result", "return height, width", "return width, height"),
    Edit("", "(height - kernel_height + 2 * padding)", "(height - kernel_height + padding)"),
    Edit("", "// stride + 1\n        width", "// stride\n        width"),
    Edit("only square inputs", "height, width = picture_size", "height = width = picture_size[0]"),
    Edit("last layers left out", "padding in layers:", "padding in layers[:-1]:"),
))

COST = Mutations("sliding_cost", """
    def chain_cost(input_shape, layers):
        channels, height, width = input_shape
        total = 0
        for kind, filters, (kh, kw), stride, padding in layers:
            height = (height - kh + 2 * padding) // stride + 1
            width = (width - kw + 2 * padding) // stride + 1
            if kind == "conv":
                total += filters * channels * kh * kw * height * width
            channels = filters
        return total

    def crops_against_one_pass(picture_shape, crop_shape, layers):
        total_stride = 1
        for layer in layers:
            total_stride *= layer[3]
        rows = (picture_shape[1] - crop_shape[1]) // total_stride + 1
        columns = (picture_shape[2] - crop_shape[2]) // total_stride + 1
        one = chain_cost(crop_shape, layers)
        return chain_cost(picture_shape, layers), rows * columns * one
    """, (
    Edit("depth forgotten", "filters * channels * kh", "filters * kh"),
    Edit("filters forgotten", "filters * channels * kh", "channels * kh"),
    Edit("work without positions", "kh * kw * height * width", "kh * kw"),
    Edit("channels of the picture in all layers", "channels = filters", "pass"),
    Edit("pooling counted", 'if kind == "conv":', "if True:"),
    Edit("only the last layer", "total += filters", "total = filters"),
    Edit("only square kernels", "* kh * kw *", "* kh * kh *"),
    Edit("crops counted once", "rows * columns * one", "one"),
    Edit("crops along one axis only", "rows * columns * one", "rows * one"),
    Edit("a crop at each pixel", "total_stride *= layer[3]", "pass"),
    Edit("each crop as large as the picture", "one = chain_cost(crop_shape", "one = chain_cost(picture_shape"),
))

PEAKS = Mutations("pick_peaks", """
    def pick_peaks(scores, threshold, distance):
        left = scores.astype(float)
        found = []
        while np.max(left) >= threshold:
            row, column = np.unravel_index(np.argmax(left), left.shape)
            found.append((row, column))
            for i in range(len(left)):
                for j in range(left.shape[1]):
                    if abs(i - row) <= distance and abs(j - column) <= distance:
                        left[i, j] = -np.inf
        return found
    """, (
    Edit("only above the threshold", ">= threshold", "> threshold"),
    Edit("rows or columns instead of both", "distance and abs", "distance or abs"),
    Edit("column before row", "append((row, column))", "append((column, row))"),
    Edit("", "abs(j - column) <= distance", "abs(j - column) < max(distance, 1)"),
    Edit("", "abs(i - row) <= distance", "0 <= i - row <= distance"),
    Edit("rows and columns of distance summed", "abs(i - row) <= distance and abs(j - column) <= distance",
         "abs(i - row) + abs(j - column) <= distance"),
    Edit("worst first", "return found", "return found[::-1]"),
    Edit("sorted by place", "return found", "return sorted(found)"),
    Edit("only the best position", "left[i, j] = -np.inf", "left[:] = -np.inf"),
    Edit("", "np.unravel_index(np.argmax(left), left.shape)", "np.argwhere(left == left.max())[-1]"),
))

MUTATIONS = [FLATTENING, DENSE, DENSE_BACK, FILTERS, MATRIX, PARAMETERS, SLIDING, CROPS, SIZES, COST, PEAKS]
