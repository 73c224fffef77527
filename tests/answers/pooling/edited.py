"""Right answers as text with the edits that make them wrong."""

from __future__ import annotations

from tests.answers.mutations import Edit, Mutations

MUTATIONS: list[Mutations] = [
    Mutations("max_pool2d_forward", """
        def max_pool2d_forward(x, kernel_size, stride):
            N, C, H, W = x.shape
            KH, KW = kernel_size
            OH = (H - KH) // stride + 1
            OW = (W - KW) // stride + 1
            out = np.zeros((N, C, OH, OW))
            for n in range(N):
                for c in range(C):
                    for i in range(OH):
                        for j in range(OW):
                            top, left = i * stride, j * stride
                            out[n, c, i, j] = x[n, c, top:top + KH, left:left + KW].max()
            return out
        """, (
        Edit("window height and width swapped", "KH, KW = kernel_size", "KW, KH = kernel_size"),
        Edit("stride missing in the window's position", "top, left = i * stride, j * stride", "top, left = i, j"),
        Edit("stride ignored", "OH = (H - KH) // stride + 1",
             "stride = 1\n    OH = (H - KH) // stride + 1"),
        Edit("mean instead of maximum", ".max()", ".mean()"),
        Edit("minimum instead of maximum", "= x[n, c, top", "= -(-x)[n, c, top"),
        Edit("only the first sample", "for n in range(N)", "for n in range(1)"),
        Edit("only the first channel", "for c in range(C)", "for c in range(1)"),
        Edit("one maximum for all channels", "x[n, c, top", "x[n, :, top"),
        Edit("last row and column of the window left out", "top:top + KH, left:left + KW",
             "top:top + KH - 1, left:left + KW - 1"),
        Edit("window one row and column too large", "top + KH, left:left + KW", "top + KH + 1, left:left + KW + 1"),
        Edit("maximum started at zero", "return out", "return np.where(out > 0, out, 0)"),
    )),
    Mutations("activations_kept", """
        def activations_kept(height, width, kernel_size, stride):
            KH, KW = kernel_size
            OH = (height - KH) // stride + 1
            OW = (width - KW) // stride + 1
            rows = OH * KH if stride > KH else (OH - 1) * stride + KH
            columns = OW * KW if stride > KW else (OW - 1) * stride + KW
            return OH * OW / (height * width), height * width - rows * columns
        """, (
        Edit("window height and width swapped", "KH, KW = kernel_size", "KW, KH = kernel_size"),
        Edit("", "(height - KH) // stride + 1", "(height - KH) // stride"),
        Edit("", "OH * KH if stride > KH else (OH - 1) * stride + KH", "(OH - 1) * stride + KH"),
        Edit("only one axis", "OH * OW / (height * width)", "OH / height"),
        Edit("share that is removed", "OH * OW / (height * width)", "1 - OH * OW / (height * width)"),
        Edit("percent instead of a share", "return OH * OW", "return 100 * OH * OW"),
        Edit("entries that are read", "height * width - rows * columns", "rows * columns"),
        Edit("overlaps counted twice", "rows * columns", "OH * KH * OW * KW"),
    )),
    Mutations("avg_pool2d_forward", """
        def avg_pool2d_forward(x, kernel_size, stride, padding, count_include_pad):
            N, C, H, W = x.shape
            KH, KW = kernel_size
            around = ((0, 0), (0, 0), (padding, padding), (padding, padding))
            px = np.pad(x, around)
            ones = np.pad(np.ones_like(x), around)
            OH, OW = (H + 2 * padding - KH) // stride + 1, (W + 2 * padding - KW) // stride + 1
            out = np.zeros((N, C, OH, OW))
            for n, c, i, j in np.ndindex(N, C, OH, OW):
                block = (n, c, slice(i * stride, i * stride + KH), slice(j * stride, j * stride + KW))
                count = KH * KW if count_include_pad else ones[block].sum()
                out[n, c, i, j] = px[block].sum() / count
            return out
        """, (
        Edit("window height and width swapped", "KH, KW = kernel_size", "KW, KH = kernel_size"),
        Edit("count_include_pad the wrong way round", "if count_include_pad", "if not count_include_pad"),
        Edit("always divided by the number of inputs", "KH * KW if count_include_pad else ones[block].sum()",
             "ones[block].sum()"),
        Edit("always divided by the window's size", "KH * KW if count_include_pad else ones[block].sum()", "KH * KW"),
        Edit("sum instead of mean", "px[block].sum() / count", "px[block].sum()"),
        Edit("edge values instead of zeros", "np.pad(x, around)", "np.pad(x, around, mode='edge')"),
        Edit("padding ignored", "N, C, H, W = x.shape", "N, C, H, W = x.shape\n    padding = 0"),
        Edit("only the first channel", "np.ndindex(N, C, OH, OW)", "np.ndindex(N, 1, OH, OW)"),
        Edit("divided by a square", "count = KH * KW if", "count = KH * KH if"),
    )),
    Mutations("l2_pool2d_forward", """
        def l2_pool2d_forward(x, kernel_size, stride):
            N, C, H, W = x.shape
            KH, KW = kernel_size
            out = np.zeros((N, C, (H - KH) // stride + 1, (W - KW) // stride + 1))
            for n, c, i, j in np.ndindex(out.shape):
                top, left = i * stride, j * stride
                window = x[n, c, top:top + KH, left:left + KW]
                out[n, c, i, j] = np.sqrt(np.sum(window ** 2))
            return out
        """, (
        Edit("L2 without the root", "np.sqrt(np.sum(window ** 2))", "np.sum(window ** 2)"),
        Edit("mean of the squares", "np.sum(window ** 2)", "np.mean(window ** 2)"),
        Edit("L1 instead of L2", "np.sqrt(np.sum(window ** 2))", "np.sum(np.abs(window))"),
        Edit("spectral norm", "np.sqrt(np.sum(window ** 2))", "np.linalg.norm(window, 2)"),
        Edit("stride missing in the window's position", "top, left = i * stride, j * stride", "top, left = i, j"),
        Edit("window height and width swapped", "KH, KW = kernel_size", "KW, KH = kernel_size"),
        Edit("an epsilon that changes the result", "np.sum(window ** 2))", "np.sum(window ** 2) + 1e-4)"),
    )),
    Mutations("max_pool2d_with_indices", """
        def max_pool2d_with_indices(x, kernel_size, stride, padding):
            N, C, H, W = x.shape
            KH, KW = kernel_size
            px = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)), constant_values=-np.inf)
            OH, OW = (H + 2 * padding - KH) // stride + 1, (W + 2 * padding - KW) // stride + 1
            out = np.zeros((N, C, OH, OW))
            indices = np.zeros((N, C, OH, OW), dtype=int)
            for n, c, i, j in np.ndindex(N, C, OH, OW):
                top, left = i * stride, j * stride
                window = px[n, c, top:top + KH, left:left + KW]
                a, b = divmod(window.argmax(), KW)
                out[n, c, i, j] = window.max()
                indices[n, c, i, j] = (top + a - padding) * W + left + b - padding
            return out, indices
        """, (
        Edit("padding with zeros wins", ", constant_values=-np.inf", ""),
        Edit("window's entry taken apart by its height", "divmod(window.argmax(), KW)", "divmod(window.argmax(), KH)"),
        Edit("row times height", "(top + a - padding) * W + left", "(top + a - padding) * H + left"),
        Edit("padding not taken off the index", "(top + a - padding) * W + left + b - padding",
             "(top + a) * W + left + b"),
        Edit("stride missing in the index", "(top + a - padding) * W + left + b", "(i + a - padding) * W + j + b"),
        Edit("corner of the window", "(top + a - padding) * W + left + b", "(top - padding) * W + left"),
        Edit("index within the window", "(top + a - padding) * W + left + b - padding", "a * KW + b"),
        Edit("values and indices swapped", "return out, indices", "return indices, out"),
        Edit("counted from one", "left + b - padding", "left + b - padding + 1"),
        Edit("window height and width swapped", "KH, KW = kernel_size", "KW, KH = kernel_size"),
    )),
    Mutations("max_pool2d_backward_by_indices", """
        def max_pool2d_backward_by_indices(grad_out, indices, input_size):
            N, C, OH, OW = grad_out.shape
            H, W = input_size
            out = np.zeros((N, C, H, W))
            for n, c, i, j in np.ndindex(N, C, OH, OW):
                row, column = divmod(indices[n, c, i, j], W)
                out[n, c, row, column] += grad_out[n, c, i, j]
            return out
        """, (
        Edit("overlapping windows overwritten", "+= grad_out", "= grad_out"),
        Edit("index taken apart by the height", "indices[n, c, i, j], W)", "indices[n, c, i, j], H)"),
        Edit("the same indices for all planes", "indices[n, c, i, j]", "indices[0, 0, i, j]"),
        Edit("the same indices for all channels", "indices[n, c, i, j]", "indices[n, 0, i, j]"),
        Edit("height and width swapped", "H, W = input_size", "W, H = input_size"),
        Edit("upstream gradient ignored", "+= grad_out[n, c, i, j]", "+= 1"),
        Edit("only the first sample", "np.ndindex(N, C, OH, OW)", "np.ndindex(1, C, OH, OW)"),
    )),
    Mutations("max_pool2d_backward", """
        def max_pool2d_backward(grad_out, x, kernel_size, stride):
            N, C, OH, OW = grad_out.shape
            KH, KW = kernel_size
            grad_x = np.zeros_like(x)
            for n, c, i, j in np.ndindex(N, C, OH, OW):
                top, left = i * stride, j * stride
                window = x[n, c, top:top + KH, left:left + KW]
                a, b = np.unravel_index(window.argmax(), window.shape)
                grad_x[n, c, top + a, left + b] += grad_out[n, c, i, j]
            return grad_x
        """, (
        Edit("overlapping windows overwritten", "+= grad_out", "= grad_out"),
        Edit("minimum instead of maximum", "window.argmax()", "window.argmin()"),
        Edit("largest magnitude", "window.argmax()", "np.abs(window).argmax()"),
        Edit("gradient at the window's corner", "grad_x[n, c, top + a, left + b]", "grad_x[n, c, top, left]"),
        Edit("entry of the window taken for a place in the plane", "grad_x[n, c, top + a, left + b]",
             "grad_x[n, c].reshape(-1)[window.argmax()]"),
        Edit("stride missing in the window's position", "top, left = i * stride, j * stride", "top, left = i, j"),
        Edit("stride taken for the window's size", "top, left = i * stride, j * stride", "top, left = i * KH, j * KW"),
        Edit("window height and width swapped", "KH, KW = kernel_size", "KW, KH = kernel_size"),
        Edit("upstream gradient ignored", "+= grad_out[n, c, i, j]", "+= 1"),
        Edit("multiplied by the input", "+= grad_out[n, c, i, j]", "+= window.max() * grad_out[n, c, i, j]"),
        Edit("divided by the window's size", "+= grad_out[n, c, i, j]", "+= grad_out[n, c, i, j] / window.size"),
        Edit("only the first channel", "np.ndindex(N, C, OH, OW)", "np.ndindex(N, 1, OH, OW)"),
    )),
    Mutations("avg_pool2d_backward", """
        def avg_pool2d_backward(grad_out, input_size, kernel_size, stride, padding, count_include_pad):
            N, C, OH, OW = grad_out.shape
            H, W = input_size
            KH, KW = kernel_size
            px = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
            for i, j in np.ndindex(OH, OW):
                top, left = i * stride, j * stride
                rows = min(top + KH, H + padding) - max(top, padding)
                columns = min(left + KW, W + padding) - max(left, padding)
                count = KH * KW if count_include_pad else rows * columns
                px[:, :, top:top + KH, left:left + KW] += grad_out[:, :, i:i + 1, j:j + 1] / count
            return px[:, :, padding:padding + H, padding:padding + W]
        """, (
        Edit("overlapping windows overwritten", "+= grad_out", "= grad_out"),
        Edit("not divided", "j:j + 1] / count", "j:j + 1]"),
        Edit("always divided by the window's size", "KH * KW if count_include_pad else rows * columns", "KH * KW"),
        Edit("count_include_pad the wrong way round", "if count_include_pad", "if not count_include_pad"),
        Edit("padding not cut off", "px[:, :, padding:padding + H, padding:padding + W]", "px"),
        Edit("padding not taken off the place", "padding:padding + H, padding:padding + W", ":H, :W"),
        Edit("stride taken for the window's size", "top, left = i * stride, j * stride", "top, left = i * KH, j * KW"),
        Edit("upstream gradient ignored", "grad_out[:, :, i:i + 1, j:j + 1] / count", "1 / count"),
        Edit("gradient to one entry only", "top:top + KH, left:left + KW", "top:top + 1, left:left + 1"),
    )),
    Mutations("l2_pool2d_backward", """
        def l2_pool2d_backward(grad_out, x, kernel_size, stride):
            N, C, OH, OW = grad_out.shape
            KH, KW = kernel_size
            grad_x = np.zeros_like(x)
            for n, c, i, j in np.ndindex(N, C, OH, OW):
                block = (n, c, slice(i * stride, i * stride + KH), slice(j * stride, j * stride + KW))
                window = x[block]
                norm = np.sqrt(np.sum(window ** 2))
                if norm > 0:
                    grad_x[block] += grad_out[n, c, i, j] * window / norm
            return grad_x
        """, (
        Edit("overlapping windows overwritten", "+= grad_out", "= grad_out"),
        Edit("divided by zero", "if norm > 0:", "if True:"),
        Edit("not divided by the norm", "* window / norm", "* window"),
        Edit("not multiplied by the entry", "* window / norm", "/ norm"),
        Edit("divided by the square of the norm", "np.sqrt(np.sum(window ** 2))", "np.sum(window ** 2)"),
        Edit("a factor of two", "+= grad_out[n, c, i, j]", "+= 2 * grad_out[n, c, i, j]"),
        Edit("sign of the entry lost", "window = x[block]", "window = np.abs(x[block])"),
        Edit("window height and width swapped", "KH, KW = kernel_size", "KW, KH = kernel_size"),
    )),
    Mutations("pooling_as_convolution", """
        def average_weights(channels, kernel_size):
            KH, KW = kernel_size
            weights = np.zeros((channels, channels, KH, KW))
            for c in range(channels):
                weights[c, c, :, :] = 1 / (KH * KW)
            return weights

        def subsampling_weights(channels, kernel_size):
            rows, columns = kernel_size
            picked = np.zeros((channels, channels, rows, columns))
            for c in range(channels):
                picked[c, c, 0, 0] = 1
            return picked
        """, (
        Edit("channels mixed", "weights[c, c, :, :]", "weights[c, :, :, :]"),
        Edit("not divided", "= 1 / (KH * KW)", "= 1"),
        Edit("divided by the channels too", "= 1 / (KH * KW)", "= 1 / (KH * KW * channels)"),
        Edit("divided by one side only", "= 1 / (KH * KW)", "= 1 / KH"),
        Edit("window height and width swapped", "KH, KW = kernel_size", "KW, KH = kernel_size"),
        Edit("", "picked[c, c, 0, 0] = 1", "picked[c, 0, 0, 0] = 1"),
        Edit("", "picked[c, c, 0, 0] = 1", "picked[c, c, -1, -1] = 1"),
        Edit("", "rows, columns = kernel_size", "columns, rows = kernel_size"),
    )),
    Mutations("pooled_size", """
        def pooled_size(input_size, kernel_size, stride, padding, library):
            if library == "TensorFlow SAME":
                return -(-input_size // stride)
            free = input_size - kernel_size + 2 * padding
            if library == "TensorFlow VALID" or library == "PyTorch":
                return free // stride + 1
            size = -(-free // stride) + 1
            if library == "PyTorch ceil_mode" or padding > 0:
                if (size - 1) * stride >= input_size + padding:
                    size = size - 1
            return size
        """, (
        Edit("SAME rounded down", "-(-input_size // stride)", "input_size // stride"),
        Edit("padding counted once", "+ 2 * padding", "+ padding"),
        Edit("Caffe drops a window without padding", 'library == "PyTorch ceil_mode" or padding > 0', "True"),
        Edit("window beyond the picture kept by PyTorch", 'library == "PyTorch ceil_mode" or padding > 0',
             "padding > 0"),
        Edit("window in the padding kept by Caffe", " or padding > 0", ""),
        Edit("PyTorch rounded up", ' or library == "PyTorch"', ""),
        Edit("window behind the picture kept by both", "size = size - 1", "pass"),
    )),
]
