"""Wrong answers written out as students write them, not as the misconceptions are coded."""

from __future__ import annotations

import math

import numpy as np

from tests.answers.architectures.right import (
    bottleneck_parameters_list,
    bottleneck_work_list,
    channels_cases,
    conv,
    convolution_parameters_formula,
    convolution_work_formula,
    inception_parameters_list,
    inception_work_list,
    network_followed,
    relu,
    separable_parameters_sum,
    separable_work_sum,
    sizes_divmod,
    stack_kept_product,
    stack_parameters_sum,
    stack_work_sum,
    windows_of,
)
from tests.answers.mutations import Edit, Mutations


def pools_inside(n, m, k, pool):
    names = ["INPUT"]
    for _ in range(m):
        for _ in range(n):
            names += ["CONV", "RELU"]
            if pool:
                names.append("POOL")
    return names + ["FC", "RELU"] * k + ["FC"]


def pool_at_the_end(n, m, k, pool):
    names = ["INPUT"]
    for _ in range(m):
        for _ in range(n):
            names += ["CONV", "RELU"]
    if pool:
        names.append("POOL")
    for _ in range(k):
        names += ["FC", "RELU"]
    return (*names, "FC")


def relu_everywhere(n, m, k, pool):
    names = ["INPUT"] + (["CONV", "RELU"] * n + ["POOL"] * pool) * m
    for _ in range(k + 1):
        names += ["FC", "RELU"]
    return names


def halved_while_above_one(height, width):
    count = 0
    while min(height, width) > 1:
        height, width, count = height // 2, width // 2, count + 1
    return count


def halved_while_either(height, width):
    count = 0
    while height % 2 == 0 or width % 2 == 0:
        count += 1
        if height % 2 == 0:
            height //= 2
        if width % 2 == 0:
            width //= 2
        if height % 2 and width % 2:
            break
    return count


def sizes_with_ceil(size, layers):
    height, width = size
    sizes, misfits = [], []
    for number, (k, s, p) in enumerate(layers):
        if k > height + 2 * p or k > width + 2 * p:
            return sizes, [*misfits, number]
        if (height - k + 2 * p) % s or (width - k + 2 * p) % s:
            misfits.append(number)
        height, width = math.ceil((height - k + 2 * p) / s) + 1, math.ceil((width - k + 2 * p) / s) + 1
        sizes.append((height, width))
    return sizes, misfits


def sizes_by_height_only(size, layers):
    """The check looks at rows only; sizes are right."""
    height, width = size
    sizes, misfits = [], []
    for number, (k, s, p) in enumerate(layers):
        if height + 2 * p < k or width + 2 * p < k:
            misfits.append(number)
            break
        if (height + 2 * p - k) % s != 0:
            misfits.append(number)
        height, width = (height + 2 * p - k) // s + 1, (width + 2 * p - k) // s + 1
        sizes.append((height, width))
    return sizes, misfits


def sizes_never_updated(size, layers):
    sizes, misfits = [], []
    for number, (k, s, p) in enumerate(layers):
        ways = [side + 2 * p - k for side in size]
        if min(ways) < 0 or any(way % s for way in ways):
            misfits.append(number)
        if min(ways) >= 0:
            sizes.append(tuple(way // s + 1 for way in ways))
    return sizes, misfits


def sizes_below_zero(size, layers):
    """A window may hang over: sizes become zero or negative, and nothing stops."""
    height, width = size
    sizes, misfits = [], []
    for number, (k, s, p) in enumerate(layers):
        if (height - k + 2 * p) % s or (width - k + 2 * p) % s:
            misfits.append(number)
        height, width = (height - k + 2 * p) // s + 1, (width - k + 2 * p) // s + 1
        sizes.append((height, width))
    return sizes, misfits


def sizes_that_just_stop(size, layers):
    sizes, misfits = [], []
    for number, (k, s, p) in enumerate(layers):
        ways = [side - k + 2 * p for side in size]
        if min(ways) < 0:
            break
        if ways[0] % s or ways[1] % s:
            misfits.append(number)
        size = [way // s + 1 for way in ways]
        sizes.append(size)
    return sizes, misfits


def square_sizes(size, layers):
    """Follows the height and takes the width to be the same."""
    found, misfits = sizes_divmod((size[0], size[0]), layers)
    return found, misfits


def field_with_running_product(layers):
    size = jump = 1
    for kernel, stride, dilation in layers:
        jump *= stride
        size += dilation * (kernel - 1) * jump
    return size


def field_of_vgg_only(layers):
    """Right as long as every stride is 1."""
    return 1 + sum(dilation * (kernel - 1) for kernel, _, dilation in layers)


def field_stretched(layers):
    size = 1
    for kernel, stride, dilation in layers:
        size = size * stride + dilation * (kernel - 1)
    return size


def field_from_top(layers):
    size = 1
    for kernel, stride, dilation in layers[::-1]:
        size = stride * size + dilation * (kernel - 1)
    return size


def network_with_pool_channels(in_shape, layers):
    """Pooling halves the channels as well."""
    changed = []
    channels, *sides = in_shape
    parameters = work = 0
    kept = math.prod(in_shape)
    for kind, *settings in layers:
        if kind == "FC":
            inputs = channels * math.prod(sides)
            parameters += (inputs + 1) * settings[0]
            work += inputs * settings[0]
            channels, sides = settings[0], []
        else:
            kernel, stride, padding = settings[1:4] if kind == "CONV" else settings
            sides = [(side + 2 * padding - kernel) // stride + 1 for side in sides]
            if kind == "CONV":
                weights = settings[0] * (channels // settings[4]) * kernel**2
                parameters += weights + settings[0]
                work += weights * sides[0] * sides[1]
                channels = settings[0]
            else:
                channels = max(channels // kernel, 1)
        changed.append(channels)
        kept += channels * math.prod(sides)
    return parameters, work, kept


def network_with_maps_to_the_end(in_shape, layers):
    """After an FC height and width are still those of the last pool."""
    c, h, w = in_shape
    parameters, work, kept = 0, 0, c * h * w
    for kind, *settings in layers:
        if kind == "FC":
            units, = settings
            parameters += (c * h * w + 1) * units
            work += c * h * w * units
            kept += units
            c = units
            continue
        k, s, p = settings[1:4] if kind == "CONV" else settings
        h, w = (h - k + 2 * p) // s + 1, (w - k + 2 * p) // s + 1
        if kind == "CONV":
            weights = settings[0] * c // settings[4] * k * k
            parameters, work, c = parameters + weights + settings[0], work + weights * h * w, settings[0]
        kept += c * h * w
    return parameters, work, kept


def network_square(in_shape, layers):
    return network_followed((in_shape[0], in_shape[1], in_shape[1]), layers)


def inception_with(join=None, pool=None, inside=relu, outside=relu):
    def inception(x, one, before_three, three, before_five, five, after_pool):
        pooled = pool(x) if pool else windows_of(x, (3, 3), 1, 1, -np.inf).max(axis=(-2, -1))
        branches = [
            outside(conv(x, one)),
            outside(conv(inside(conv(x, before_three)), three, padding=1)),
            outside(conv(inside(conv(x, before_five)), five, padding=2)),
            outside(conv(pooled, after_pool)),
        ]
        return join(branches) if join else np.concatenate(branches, axis=1)
    return inception


def inception_for_positive_inputs(x, *layers):
    """Max pooling over zeros at the border: right where nothing is negative."""
    return inception_with(pool=lambda x: windows_of(x, (3, 3), 1, 1, 0.0).max(axis=(-2, -1)))(x, *layers)


def rectified_branch(x, first, second, shortcut, stride):
    out = relu(conv(x, first, stride, 1))
    out = relu(conv(out, second, 1, 1))
    return out + (x if shortcut is None else conv(x, shortcut, stride))


def plain_layers(x, first, second, shortcut, stride):
    return relu(conv(relu(conv(x, first, stride, 1)), second, 1, 1))


def never_a_projection(x, first, second, shortcut, stride):
    return relu(conv(relu(conv(x, first, stride, 1)), second, 1, 1) + x)


def one_after_the_other(grad_out, x, branch, branch_backward):
    grad_out = grad_out * (x + branch(x) > 0)
    return branch_backward(grad_out, x)


def without_a_mask(grad_out, x, branch, branch_backward):
    return grad_out + branch_backward(grad_out, x)


def stamps_that_overwrite(x, weight, bias, stride):
    (n, c, h, w), (_, k, r, s) = x.shape, weight.shape
    out = np.zeros((n, k, (h - 1) * stride + r, (w - 1) * stride + s))
    for i in range(h):
        for j in range(w):
            stamp = sum(x[:, ch, i, j, None, None, None] * weight[ch] for ch in range(c))
            out[:, :, i * stride:i * stride + r, j * stride:j * stride + s] = stamp
    return out + bias[:, None, None]


def stamps_with_bias(x, weight, bias, stride):
    (n, c, h, w), (_, k, r, s) = x.shape, weight.shape
    out = np.zeros((n, k, (h - 1) * stride + r, (w - 1) * stride + s))
    for i in range(h):
        for j in range(w):
            stamp = sum(x[:, ch, i, j, None, None, None] * weight[ch] for ch in range(c)) + bias[:, None, None]
            out[:, :, i * stride:i * stride + r, j * stride:j * stride + s] += stamp
    return out


def stamps_of_square_kernels(x, weight, bias, stride):
    (n, c, h, w), (_, k, r, _) = x.shape, weight.shape
    out = np.zeros((n, k, (h - 1) * stride + r, (w - 1) * stride + r))
    for b, ch, i, j in np.ndindex(n, c, h, w):
        out[b, :, i * stride:i * stride + r, j * stride:j * stride + r] += x[b, ch, i, j] * weight[ch]
    return out + bias[:, None, None]


WRONG = [
    ("expand_pattern", "a pool after every convolution", pools_inside),
    ("expand_pattern", "one pool for all blocks", pool_at_the_end),
    ("expand_pattern", "a ReLU after the last FC", relu_everywhere),
    ("expand_pattern", "N and M swapped",
     lambda n, m, k, pool: ["INPUT", *(["CONV", "RELU"] * m + ["POOL"] * pool) * n, *["FC", "RELU"] * k, "FC"]),
    ("expand_pattern", "the last FC forgotten",
     lambda n, m, k, pool: ["INPUT"] + (["CONV", "RELU"] * n + ["POOL"] * pool) * m + ["FC", "RELU"] * k),
    ("expand_pattern", "one text instead of a list",
     lambda n, m, k, pool: "INPUT " + ("CONV RELU " * n + "POOL " * pool) * m + "FC RELU " * k + "FC"),
    ("expand_pattern", "lists within the list",
     lambda n, m, k, pool: ["INPUT"] + [["CONV", "RELU"] * n + ["POOL"] * pool] * m + ["FC", "RELU"] * k + ["FC"]),
    ("expand_pattern", "names spelled otherwise",
     lambda n, m, k, pool: ["Input"] + (["Conv", "ReLU"] * n + ["Pool"] * pool) * m + ["FC", "ReLU"] * k + ["FC"]),
    ("halvings", "rounded down on the way", halved_while_above_one),
    ("halvings", "a logarithm", lambda h, w: np.log2(min(h, w))),
    ("halvings", "the better of the two axes", halved_while_either),
    ("halvings", "only the height", lambda h, w: next(n for n in range(64) if h % 2 ** (n + 1))),
    ("follow_sizes", "rounded up", sizes_with_ceil),
    ("follow_sizes", "only the height checked", sizes_by_height_only),
    ("follow_sizes", "every layer gets the picture", sizes_never_updated),
    ("follow_sizes", "too large windows go on", sizes_below_zero),
    ("follow_sizes", "too large window not noted", sizes_that_just_stop),
    ("follow_sizes", "counted from 1",
     lambda size, layers: (sizes_divmod(size, layers)[0], [n + 1 for n in sizes_divmod(size, layers)[1]])),
    ("convolution_cost", "biases forgotten",
     (lambda c, k, f, g: k * c * f[0] * f[1] // g, convolution_work_formula)),
    ("convolution_cost", "groups ignored",
     (lambda c, k, f, g: (c * f[0] * f[1] + 1) * k, convolution_work_formula)),
    ("convolution_cost", "only square kernels",
     (lambda c, k, f, g: (c // g * f[0] * f[0] + 1) * k, convolution_work_formula)),
    ("convolution_cost", "work without positions",
     (convolution_parameters_formula, lambda shape, k, f, s, p, g: shape[0] // g * k * f[0] * f[1])),
    ("convolution_cost", "biases counted as multiply-adds",
     (convolution_parameters_formula,
      lambda shape, k, f, s, p, g: convolution_parameters_formula(shape[0], k, f, g) * math.prod(
          (n - m + 2 * p) // s + 1 for n, m in zip(shape[1:], f, strict=True)))),
    ("convolution_cost", "work at the input's positions",
     (convolution_parameters_formula,
      lambda shape, k, f, s, p, g: shape[1] * shape[2] * k * (shape[0] // g) * f[0] * f[1])),
    ("stack_receptive_field", "a layer's own stride counted", field_with_running_product),
    ("stack_receptive_field", "stride ignored", field_of_vgg_only),
    ("stack_receptive_field", "one step too many", field_from_top),
    ("stack_receptive_field", "kernels multiplied", lambda layers: np.prod([k for k, _, _ in layers], dtype=int)),
    ("stack_receptive_field", "the field multiplied on the way up", field_stretched),
    ("stack_cost", "all layers like the first",
     (lambda c, ks: len(ks) * (ks[0] ** 2 * c + 1) * c, stack_work_sum, stack_kept_product)),
    ("stack_cost", "channels left out",
     (lambda c, ks: sum(k**2 for k in ks), stack_work_sum, stack_kept_product)),
    ("stack_cost", "biases forgotten",
     (lambda c, ks: c * c * sum(k**2 for k in ks), stack_work_sum, stack_kept_product)),
    ("stack_cost", "only the last output kept", (stack_parameters_sum, stack_work_sum, lambda c, h, w, ks: c * h * w)),
    ("stack_cost", "work without positions",
     (stack_parameters_sum, lambda c, h, w, ks: sum(k**2 * c**2 for k in ks), stack_kept_product)),
    ("network_cost", "pooling changes the channels", network_with_pool_channels),
    ("network_cost", "a second FC reads the maps again", network_with_maps_to_the_end),
    ("network_cost", "pools moved by their window",
     lambda shape, layers: network_followed(shape, [(*layer[:2], layer[1], layer[3]) if layer[0] == "POOL" else layer
                                                    for layer in layers])),
    ("network_cost", "input not among the activations",
     lambda shape, layers: (*network_followed(shape, layers)[:2],
                            network_followed(shape, layers)[2] - math.prod(shape))),
    ("inception_forward", "joined along the wrong axis", inception_with(join=lambda b: np.concatenate(b))),
    ("inception_forward", "branches not joined", inception_with(join=list)),
    ("inception_forward", "branches added up", inception_with(join=lambda b: b[0] + b[1] + b[2] + b[3])),
    ("inception_forward", "no ReLU inside of branches", inception_with(inside=lambda x: x)),
    ("inception_forward", "zeros win in the pooling", inception_for_positive_inputs),
    ("inception_forward", "nothing pooled", inception_with(pool=lambda x: x)),
    ("inception_cost", "all layers counted as output",
     (lambda c, f, r: sum(f) if r else f[0] + f[2] + f[4] + c, inception_parameters_list, inception_work_list)),
    ("inception_cost", "3x3 and 5x5 read the input",
     (channels_cases,
      lambda c, f, r: sum(k * (c * s * s + 1) for k, s in zip(f, (1, 1, 3, 1, 5, 1), strict=True)) if r
      else inception_parameters_list(c, f, r), inception_work_list)),
    ("inception_cost", "biases counted as multiply-adds",
     (channels_cases, inception_parameters_list, lambda c, h, w, f, r: h * w * inception_parameters_list(c, f, r))),
    ("residual_forward", "ReLU before the addition", rectified_branch),
    ("residual_forward", "shortcut forgotten", plain_layers),
    ("residual_forward", "1x1 shortcut unused", never_a_projection),
    ("residual_forward", "shortcut's stride forgotten",
     lambda x, a, b, c, s: relu(conv(relu(conv(x, a, s, 1)), b, 1, 1) + (conv(x, c) if c else x))),
    ("residual_backward", "multiplied by the output",
     lambda grad_out, x, branch, back: (lambda g: g + back(g, x))(grad_out * relu(x + branch(x)))),
    ("residual_backward", "shortcut's gradient forgotten", one_after_the_other),
    ("residual_backward", "ReLU forgotten", without_a_mask),
    ("residual_backward", "ReLU applied to the gradient",
     lambda grad_out, x, branch, back: relu(grad_out) + back(relu(grad_out), x)),
    ("bottleneck_cost", "batch norm forgotten",
     (lambda c, m, s: c * m + 13 * m * m + (4 * m * c if s > 1 or c != 4 * m else 0), bottleneck_work_list)),
    ("bottleneck_cost", "shortcut's convolution forgotten",
     (lambda c, m, s: c * m + 13 * m * m + 12 * m, bottleneck_work_list)),
    ("bottleneck_cost", "versions swapped",
     (bottleneck_parameters_list, lambda c, m, h, w, s, v: bottleneck_work_list(
         c, m, h, w, s, {"v1": "v1.5", "v1.5": "v1"}[v]))),
    ("separable_cost", "one ordinary convolution", (lambda c, k, f: (c * f * f + 1) * k, separable_work_sum)),
    ("separable_cost", "pointwise layer forgotten",
     (separable_parameters_sum, lambda c, k, f, h, w: c * f * f * h * w)),
    ("transposed_conv2d", "overlaps overwritten", stamps_that_overwrite),
    ("transposed_conv2d", "bias in every stamp", stamps_with_bias),
]

FRIENDLY_ONLY = [
    ("expand_pattern", "two blocks", lambda n, m, k, pool: ["INPUT"] + ["CONV", "RELU"] * n + ["POOL"] * pool
     + ["FC", "RELU"] * k + ["FC"]),
    ("halvings", "odd by even", lambda h, w: next(n for n in range(64) if min(h, w) % 2 ** (n + 1))),
    ("follow_sizes", "only the height", square_sizes),
    ("convolution_cost", "a kernel wider than tall",
     (lambda c, k, f, g: k * (c // g * f[0] ** 2 + 1), convolution_work_formula)),
    ("stack_receptive_field", "pooling below", field_of_vgg_only),
    ("network_cost", "one FC", network_square),
    ("residual_forward", "1x1 shortcut", never_a_projection),
    ("transposed_conv2d", "a kernel wider than tall", stamps_of_square_kernels),
]

MUTATIONS = [
    Mutations("expand_pattern", """
        def expand_pattern(n, m, k, pool):
            names = ["INPUT"]
            for block in range(m):
                for layer in range(n):
                    names += ["CONV", "RELU"]
                if pool:
                    names.append("POOL")
            for layer in range(0, k):
                names += ["FC", "RELU"]  # hidden
            names.append("FC")
            return names
    """, (
        Edit("a pool after every convolution", "    if pool:\n            names.append", "        if pool:\n"
             "                names.append"),
        Edit("INPUT forgotten", '["INPUT"]', "[]"),
        Edit("never a pool", "if pool:", "if False:"),
        Edit("pooling turned around", "if pool:", "if not pool:"),
        Edit("the last FC forgotten", '    names.append("FC")\n', ""),
        Edit("K counts the last FC too", "range(0, k)", "range(1, k)"),
        Edit("no ReLU between the FCs", '["FC", "RELU"]  # hidden', '["FC"]'),
        Edit("no ReLU after convolutions", '["CONV", "RELU"]', '["CONV"]'),
        Edit("the outer bracket only once", "range(m)", "range(1)"),
    )),
    Mutations("halvings", """
        def halvings(height, width):
            count = 0
            while height % 2 == 0 and width % 2 == 0:
                height, width = height // 2, width // 2
                count += 1
            return count
    """, (
        Edit("only the height", " and width % 2 == 0", ""),
        Edit("only the width", "height % 2 == 0 and ", ""),
        Edit("the one that fails counted too", "count = 0", "count = 1"),
        Edit("rounded down on the way", "height % 2 == 0 and width % 2 == 0", "height > 1 and width > 1"),
        Edit("at most one", "while", "if"),
        Edit("the factor instead of the count", "return count", "return 2 ** count"),
    )),
    Mutations("follow_sizes", """
        def follow_sizes(size, layers):
            height, width = size
            sizes, misfits = [], []
            for number, (kernel, stride, padding) in enumerate(layers):
                down = height - kernel + 2 * padding
                across = width - kernel + 2 * padding
                if down < 0 or across < 0:
                    misfits.append(number)
                    break
                if down % stride or across % stride:
                    misfits.append(number)  # goes on
                height = down // stride + 1
                width = across // stride + 1
                sizes.append((height, width))
            return sizes, misfits
    """, (
        Edit("only the height checked", "down % stride or across % stride", "down % stride"),
        Edit("only the width checked", "down % stride or across % stride", "across % stride"),
        Edit("a misfit only if both axes leave something over", "stride or across", "stride and across"),
        Edit("counted from 1", "enumerate(layers)", "enumerate(layers, 1)"),
        Edit("stopped at the first misfit", "misfits.append(number)  # goes on", "return sizes, [number]"),
        Edit("height and width swapped", "(height, width))", "(width, height))"),
        Edit("", "across = width - kernel + 2 * padding", "across = width - kernel + padding"),
        Edit("", "down // stride + 1", "down // stride"),
    )),
    Mutations("convolution_cost", """
        def convolution_parameters(in_channels, out_channels, kernel_size, groups):
            rows, columns = kernel_size
            weights = out_channels * (in_channels // groups) * rows * columns
            return weights + out_channels

        def convolution_multiply_adds(in_shape, out_channels, kernel_size, stride, padding, groups):
            channels, height, width = in_shape
            out_height = (height - kernel_size[0] + 2 * padding) // stride + 1
            out_width = (width - kernel_size[1] + 2 * padding) // stride + 1
            one = channels // groups * kernel_size[0] * kernel_size[1]
            return out_channels * out_height * out_width * one
    """, (
        Edit("biases forgotten", "return weights + out_channels", "return weights"),
        Edit("one bias for all filters", "return weights + out_channels", "return weights + 1"),
        Edit("groups ignored", "(in_channels // groups)", "in_channels"),
        Edit("only square kernels", "rows * columns", "rows * rows"),
        Edit("groups ignored", "channels // groups * kernel", "channels * kernel"),
        Edit("work without positions", "out_channels * out_height * out_width * one", "out_channels * one"),
        Edit("one map only", "out_channels * out_height * out_width * one", "out_height * out_width * one"),
        Edit("", "(width - kernel_size[1] + 2 * padding)", "(width - kernel_size[0] + 2 * padding)"),
    )),
    Mutations("stack_receptive_field", """
        def stack_receptive_field(layers):
            size, step = 1, 1
            for kernel, stride, dilation in layers:
                size += dilation * (kernel - 1) * step
                step *= stride
            return size
    """, (
        Edit("stride ignored", "step *= stride", "step *= 1"),
        Edit("only the stride just below", "step *= stride", "step = stride"),
        Edit("strides added", "step *= stride", "step += stride"),
        Edit("dilation left out", "dilation * (kernel - 1)", "(kernel - 1)"),
        Edit("kernels added up", "(kernel - 1)", "kernel"),
        Edit("begun with zero", "size, step = 1, 1", "size, step = 0, 1"),
        Edit("the stack upside down", "in layers", "in layers[::-1]"),
        Edit("the area instead of the side", "return size", "return size * size"),
    )),
    Mutations("stack_cost", """
        def stack_parameters(channels, kernel_sizes):
            total = 0
            for size in kernel_sizes:
                total += size * size * channels * channels + channels
            return total

        def stack_multiply_adds(channels, height, width, kernel_sizes):
            work = 0
            for side in kernel_sizes:
                work += side ** 2 * channels ** 2 * height * width
            return work

        def stack_kept(channels, height, width, kernel_sizes):
            return len(kernel_sizes) * channels * width * height
    """, (
        Edit("biases forgotten", " + channels\n", "\n"),
        Edit("channels counted once", "channels * channels + channels", "channels + channels"),
        Edit("kernel not squared", "size * size * channels", "size * channels"),
        Edit("work without positions", " * height * width\n    return work", "\n    return work"),
        Edit("work of one channel only", "channels ** 2", "channels"),
        Edit("kernel not squared", "side ** 2", "side"),
        Edit("only the last output kept", "len(kernel_sizes) * ", ""),
        Edit("input counted", "len(kernel_sizes)", "(len(kernel_sizes) + 1)"),
        Edit("one map for each layer", "* channels * width", "* width"),
    )),
    Mutations("network_cost", """
        def network_cost(in_shape, layers):
            channels, height, width = in_shape
            parameters, work, kept = 0, 0, channels * height * width
            for kind, *settings in layers:
                if kind == "FC":
                    units = settings[0]
                    inputs = channels * height * width
                    parameters += inputs * units + units
                    work += inputs * units
                    channels, height, width = units, 1, 1
                else:
                    kernel, stride, padding = settings[1:4] if kind == "CONV" else settings
                    height = (height - kernel + 2 * padding) // stride + 1
                    width = (width - kernel + 2 * padding) // stride + 1
                if kind == "CONV":
                    filters, groups = settings[0], settings[4]
                    weights = filters * (channels // groups) * kernel * kernel
                    parameters += weights + filters
                    work += weights * (height * width)
                    channels = filters
                kept += channels * height * width
            return parameters, work, kept
    """, (
        Edit("biases of convolutions forgotten", "weights + filters", "weights"),
        Edit("biases of FC layers forgotten", "inputs * units + units", "inputs * units"),
        Edit("groups ignored", "(channels // groups)", "channels"),
        Edit("kernel not squared", "kernel * kernel", "kernel"),
        Edit("work without positions", "weights * (height * width)", "weights"),
        Edit("work of FC layers forgotten", "work += inputs * units\n", "work += 0\n"),
        Edit("FC reads one number for each channel", "inputs = channels * height * width", "inputs = channels"),
        Edit("input not among the activations", "0, 0, channels * height * width", "0, 0, 0"),
        Edit("values in another order", "return parameters, work, kept", "return work, parameters, kept"),
        Edit("", "(width - kernel + 2 * padding)", "(width - kernel + padding)"),
    )),
    Mutations("inception_forward", """
        def conv(x, layer):
            weight, bias = layer
            n, c, h, w = x.shape
            p = weight.shape[2] // 2
            padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
            windows = np.lib.stride_tricks.sliding_window_view(padded, weight.shape[2:], axis=(2, 3))
            return np.einsum("nchwrs,kcrs->nkhw", windows, weight) + bias[:, None, None]

        def pool(x):
            padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
            return np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3)).max(axis=(4, 5))

        def inception_forward(x, one, before_three, three, before_five, five, after_pool):
            relu = lambda x: np.maximum(x, 0)
            a = relu(conv(x, one))
            b = relu(conv(relu(conv(x, before_three)), three))
            c = relu(conv(relu(conv(x, before_five)), five))
            d = relu(conv(pool(x), after_pool))
            return np.concatenate([a, b, c, d], axis=1)
    """, (
        Edit("joined along the wrong axis", "[a, b, c, d], axis=1", "[a, b, c, d], axis=0"),
        Edit("branches in another order", "[a, b, c, d]", "[a, c, b, d]"),
        Edit("pooling branch left out", "[a, b, c, d]", "[a, b, c]"),
        Edit("nothing pooled", "conv(pool(x)", "conv(x"),
        Edit("pooled after the convolution", "d = relu(conv(pool(x), after_pool))",
             "d = pool(relu(conv(x, after_pool)))"),
        Edit("zeros win in the pooling", ", constant_values=-np.inf", ""),
        Edit("average instead of maximum", ", constant_values=-np.inf)\n    return np.lib.stride_tricks."
             "sliding_window_view(padded, (3, 3), axis=(2, 3)).max(", ")\n    return np.lib.stride_tricks."
             "sliding_window_view(padded, (3, 3), axis=(2, 3)).mean("),
        Edit("no ReLU after the pooling branch", "d = relu(conv(pool(x), after_pool))",
             "d = conv(pool(x), after_pool)"),
        Edit("biases forgotten", " + bias[:, None, None]", ""),
        Edit("", "b = relu(conv(relu(conv(x, before_three)), three))", "b = relu(conv(conv(x, before_three), three))"),
    )),
    Mutations("inception_cost", """
        def inception_channels(in_channels, filters, reduced):
            one, before_three, three, before_five, five, after_pool = filters
            last = after_pool if reduced else in_channels
            return one + three + five + last

        def convolutions(c, filters, reduced):
            one, before_three, three, before_five, five, after_pool = filters
            if reduced:
                return [(c, one, 1), (c, before_three, 1), (before_three, three, 9), (c, before_five, 1),
                        (before_five, five, 25), (c, after_pool, 1)]
            return [(c, one, 1), (c, three, 9), (c, five, 25)]

        def inception_parameters(in_channels, filters, reduced):
            return sum(seen * k * taps + k for seen, k, taps in convolutions(in_channels, filters, reduced))

        def inception_multiply_adds(in_channels, height, width, filters, reduced):
            weights = sum(seen * k * taps for seen, k, taps in convolutions(in_channels, filters, reduced))
            return weights * height * width
    """, (
        Edit("pooling passes everything on", "after_pool if reduced else in_channels", "in_channels"),
        Edit("after_pool kept without the 1x1 layers", "after_pool if reduced else in_channels", "after_pool"),
        Edit("pooled channels forgotten", "one + three + five + last", "one + three + five"),
        Edit("biases forgotten", "taps + k for", "taps for"),
        Edit("work without positions", "weights * height * width", "weights"),
        Edit("only square inputs", "weights * height * width", "weights * height * height"),
        Edit("", "(before_five, five, 25)", "(before_five, five, 5)"),
        Edit("", "(before_three, three, 9)", "(c, three, 9)"),
    )),
    Mutations("residual_forward", """
        def conv(x, layer, stride, padding):
            weight, bias = layer
            padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
            windows = np.lib.stride_tricks.sliding_window_view(padded, weight.shape[2:], axis=(2, 3))
            return np.einsum("nchwrs,kcrs->nkhw", windows[:, :, ::stride, ::stride], weight) + bias[:, None, None]

        def residual_forward(x, first, second, shortcut, stride):
            inner = conv(x, first, stride, 1)
            inner = np.maximum(inner, 0)
            inner = conv(inner, second, 1, 1)
            around = x
            if shortcut is not None:
                around = conv(x, shortcut, stride, 0)
            total = inner + around
            return np.maximum(total, 0)
    """, (
        Edit("shortcut forgotten", "total = inner + around", "total = inner"),
        Edit("subtracted instead of added", "inner + around", "inner - around"),
        Edit("multiplied instead of added", "inner + around", "inner * around"),
        Edit("no ReLU after the addition", "return np.maximum(total, 0)", "return total"),
        Edit("no ReLU between the convolutions", "    inner = np.maximum(inner, 0)\n", ""),
        Edit("ReLUs before and after the addition", "inner + around", "np.maximum(inner, 0) + around"),
        Edit("shortcut rectified", "inner + around", "inner + np.maximum(around, 0)"),
        Edit("1x1 shortcut unused", "around = conv(x, shortcut, stride, 0)", "around = x"),
        Edit("biases forgotten", " + bias[:, None, None]", ""),
        Edit("stride in both convolutions", "conv(inner, second, 1, 1)", "conv(inner, second, stride, 1)"),
    )),
    Mutations("residual_backward", """
        def residual_backward(grad_out, x, branch, branch_backward):
            total = x + branch(x)
            g = grad_out * (total > 0)
            inner = branch_backward(g, x)
            return g + inner
    """, (
        Edit("shortcut's gradient forgotten", "return g + inner", "return inner"),
        Edit("branch's gradient forgotten", "return g + inner", "return g"),
        Edit("paths multiplied", "g + inner", "g * inner"),
        Edit("ReLU forgotten", "grad_out * (total > 0)", "grad_out"),
        Edit("zero let through", "total > 0", "total >= 0"),
        Edit("ReLU applied to the gradient", "(total > 0)", "(grad_out > 0)"),
        Edit("ReLU judged by x", "total = x + branch(x)", "total = x"),
        Edit("ReLU judged by the branch", "total = x + branch(x)", "total = branch(x)"),
        Edit("branch taken at the wrong place", "branch_backward(g, x)", "branch_backward(g, total)"),
        Edit("ReLU only on the shortcut", "branch_backward(g, x)", "branch_backward(grad_out, x)"),
        Edit("ReLU only on the branch", "return g + inner", "return grad_out + inner"),
    )),
    Mutations("bottleneck_cost", """
        def bottleneck_parameters(in_channels, middle, stride):
            wide = 4 * middle
            layers = [(in_channels, middle, 1), (middle, middle, 9), (middle, wide, 1)]
            if stride > 1 or in_channels != wide:
                layers.append((in_channels, wide, 1))
            return sum(c * k * taps + 2 * k for c, k, taps in layers)

        def bottleneck_multiply_adds(in_channels, middle, height, width, stride, version):
            rows, columns = (height - 1) // stride + 1, (width - 1) // stride + 1
            fine, coarse = height * width, rows * columns
            first = coarse if version == "v1" else fine
            work = first * in_channels * middle
            work += coarse * 9 * middle ** 2
            work += coarse * 4 * middle ** 2
            if stride != 1 or in_channels != 4 * middle:
                work += coarse * in_channels * 4 * middle
            return work
    """, (
        Edit("batch norm forgotten", " + 2 * k for", " for"),
        Edit("one number for batch norm", "2 * k for", "k for"),
        Edit("shortcut decided by the channels alone", "stride > 1 or in_channels", "in_channels"),
        Edit("shortcut decided by the stride alone", "stride > 1 or in_channels != wide", "stride > 1"),
        Edit("version ignored", 'coarse if version == "v1" else fine', "coarse"),
        Edit("versions swapped", 'version == "v1"', 'version == "v1.5"'),
        Edit("halved sizes rounded down", "(height - 1) // stride + 1, (width - 1) // stride + 1",
             "height // stride, width // stride"),
        Edit("shortcut's work at all positions", "coarse * in_channels", "fine * in_channels"),
        Edit("shortcut's work forgotten", "    work += coarse * in_channels * 4 * middle\n", "    pass\n"),
    )),
    Mutations("separable_cost", """
        def separable_parameters(in_channels, out_channels, kernel_size):
            depthwise = in_channels * (kernel_size ** 2 + 1)
            pointwise = out_channels * (in_channels + 1)
            return depthwise + pointwise

        def separable_multiply_adds(in_channels, out_channels, kernel_size, height, width):
            first = in_channels * kernel_size ** 2
            second = in_channels * out_channels
            return height * width * (first + second)
    """, (
        Edit("depthwise biases forgotten", "kernel_size ** 2 + 1", "kernel_size ** 2"),
        Edit("pointwise biases forgotten", "(in_channels + 1)", "in_channels"),
        Edit("pointwise layer forgotten", "return depthwise + pointwise", "return depthwise"),
        Edit("kernel not squared", "(kernel_size ** 2 + 1)", "(kernel_size + 1)"),
        Edit("work without positions", "height * width * (first + second)", "first + second"),
        Edit("pointwise layer forgotten", "(first + second)", "first"),
        Edit("work of the depthwise layer forgotten", "(first + second)", "second"),
        Edit("only square inputs", "height * width * (first", "height ** 2 * (first"),
    )),
    Mutations("transposed_conv2d", """
        def transposed_conv2d(x, weight, bias, stride):
            n, c, h, w = x.shape
            _, k, rows, columns = weight.shape
            out = np.zeros((n, k, (h - 1) * stride + rows, (w - 1) * stride + columns))
            for b, ch, i, j in np.ndindex(n, c, h, w):
                top, left = i * stride, j * stride
                out[b, :, top:top + rows, left:left + columns] += x[b, ch, i, j] * weight[ch]
            out += bias[:, None, None]
            return out
    """, (
        Edit("bias forgotten", "    out += bias[:, None, None]\n", ""),
        Edit("stamps one pixel apart", "i * stride, j * stride", "i, j"),
        Edit("stamp flipped", "weight[ch]", "weight[ch, :, ::-1, ::-1]"),
        Edit("only the first channel", "np.ndindex(n, c, h, w)", "np.ndindex(n, 1, h, w)"),
        Edit("only the first sample", "np.ndindex(n, c, h, w)", "np.ndindex(1, c, h, w)"),
        Edit("bias in every stamp", "    out += bias[:, None, None]\n",
             "    for i, j in np.ndindex(h, w):\n"
             "        top, left = i * stride, j * stride\n"
             "        out[:, :, top:top + rows, left:left + columns] += bias[:, None, None]\n"),
        Edit("", "(w - 1) * stride + columns)", "w * stride + columns)"),
        Edit("", "+= x[b, ch", "= x[b, ch"),
    )),
]
