"""The reference against ONNX Runtime, which knows what PyTorch does not: sides that differ, and padding by rule."""

from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
from hypothesis import assume, given
from hypothesis import strategies as st
from onnx import helper
from onnx.reference import ReferenceEvaluator

from cnncourse import functional as F
from cnncourse import geometry
from tests.cnncourse.randomly import assert_near, convolutions, many, planes, sliding

AUTO_PADS = ("SAME_UPPER", "SAME_LOWER", "VALID")


def model(operator, arrays, attributes):
    """A model of one operator with these inputs; x is the first one."""
    names = ["x", "second", "third", "fourth", "fifth"][: len(arrays)]
    outputs = ["out", "indices"] if operator == "MaxPool" else ["out"]
    kinds = [helper.np_dtype_to_tensor_dtype(arrays[0].dtype), onnx.TensorProto.INT64]
    graph = helper.make_graph(
        [helper.make_node(operator, names, outputs, **attributes)], "one operator",
        [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
         for name, array in zip(names, arrays, strict=True)],
        [helper.make_tensor_value_info(name, kind, None) for name, kind in zip(outputs, kinds, strict=False)])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10), names


def run(operator, *arrays, **attributes):
    """The outputs of one operator by ONNX Runtime."""
    made, names = model(operator, arrays, attributes)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, dict(zip(names, arrays, strict=True)))


def refer(operator, *arrays, **attributes):
    """The outputs of one operator by the reference of ONNX, which is slow and knows what ONNX Runtime refuses."""
    made, names = model(operator, arrays, attributes)
    return ReferenceEvaluator(made).run(None, dict(zip(names, arrays, strict=True)))


def pads(padding):
    (top, bottom), (left, right) = padding
    return [top, left, bottom, right]


def around(found, auto_pad):
    """What ONNX's rule adds along both axes."""
    return tuple(geometry.onnx_padding(*axis, auto_pad) for axis in zip(
        found.size, found.kernel, found.stride, found.dilation, strict=True))


def plane_starts(x):
    """ONNX counts through all planes: where each one begins."""
    return np.arange(x.shape[0] * x.shape[1]).reshape(*x.shape[:2], 1, 1) * x.shape[2] * x.shape[3]


def too_small(found):
    """Whether the window does not fit without padding."""
    return any(size <= d * (k - 1) for size, k, d in zip(found.size, found.kernel, found.dilation, strict=True))


def overlapping(found):
    """With strides that leave no input out: ONNX Runtime else starts further in, as if padding could be negative."""
    return replace(found, stride=tuple(map(min, found.stride, found.kernel)))


@many
@given(convolutions(dtypes=(np.float32,), smallest_batch=1))
def test_conv2d_agrees_where_padding_differs_from_side_to_side(case):
    (expected,) = run("Conv", case.x, case.weight, case.bias, strides=case.sliding.stride, group=case.groups,
                      dilations=case.sliding.dilation, pads=pads(case.sliding.padding))
    assert_near(F.conv2d(case.x, case.weight, case.bias, **case.given), expected)


@many
@given(convolutions(dtypes=(np.float32,), smallest_batch=1, dilated=False), st.sampled_from(AUTO_PADS))
def test_conv2d_agrees_on_padding_by_rule(case, auto_pad):
    found = overlapping(case.sliding)
    assume(auto_pad != "VALID" or not too_small(found))
    (expected,) = run("Conv", case.x, case.weight, case.bias, strides=found.stride, group=case.groups,
                      auto_pad=auto_pad)
    settings = {"stride": found.stride, "groups": case.groups}
    out = F.conv2d(case.x, case.weight, case.bias, padding=around(found, auto_pad), **settings)
    assert_near(out, expected)
    if auto_pad == "SAME_UPPER":
        np.testing.assert_array_equal(F.conv2d(case.x, case.weight, case.bias, padding="same", **settings), out)


@many
@given(st.data(), sliding(pooling=True))
def test_max_pool2d_agrees(data, found):
    x = data.draw(planes(found).filter(len))
    expected, where = run("MaxPool", x, kernel_shape=found.kernel, strides=found.stride, dilations=found.dilation,
                          pads=pads(found.padding), ceil_mode=int(found.ceil_mode))
    out, indices = F.max_pool2d(x, found.kernel, found.stride, found.padding, dilation=found.dilation,
                                ceil_mode=found.ceil_mode, return_indices=True)
    assert out.shape == expected.shape
    seen = indices >= 0  # a window that sees nothing gives the lowest finite number there
    np.testing.assert_array_equal(out[seen], expected[seen])
    np.testing.assert_array_equal((indices + plane_starts(x))[seen], where[seen])


@many
@given(st.data(), sliding(pooling=True, dilated=False), st.booleans())
def test_avg_pool2d_agrees(data, found, count_include_pad):
    x = data.draw(planes(found, dtypes=(np.float32,)).filter(len))
    (expected,) = run("AveragePool", x, kernel_shape=found.kernel, strides=found.stride, pads=pads(found.padding),
                      ceil_mode=int(found.ceil_mode), count_include_pad=int(count_include_pad))
    out = F.avg_pool2d(x, found.kernel, found.stride, found.padding, ceil_mode=found.ceil_mode,
                       count_include_pad=count_include_pad)
    assert_near(out, expected)


@many
@given(st.data(), sliding(pooling=True, dilated=False), st.sampled_from(AUTO_PADS))
def test_pooling_agrees_on_padding_by_rule(data, found, auto_pad):
    found = overlapping(found)
    x = data.draw(planes(found, dtypes=(np.float32,)).filter(len))
    assume(auto_pad != "VALID" or not too_small(found))
    shape = {"kernel_shape": found.kernel, "strides": found.stride, "auto_pad": auto_pad}
    settings = (found.kernel, found.stride, around(found, auto_pad))
    expected, where = run("MaxPool", x, **shape)
    out, indices = F.max_pool2d(x, *settings, return_indices=True)
    np.testing.assert_array_equal(out, expected)
    np.testing.assert_array_equal(indices + plane_starts(x), where)
    for counts in False, True:
        (expected,) = run("AveragePool", x, count_include_pad=int(counts), **shape)
        assert_near(F.avg_pool2d(x, *settings, count_include_pad=counts), expected)
    assert_near(F.lp_pool2d(x, 2, *settings), run("LpPool", x, **shape)[0])


@many
@given(st.data(), sliding(pooling=True, dilated=False, ceil_mode=False), st.sampled_from((1, 2, 3)))
def test_lp_pool2d_agrees_on_magnitudes_where_no_window_is_cut_off(data, found, power):
    x = data.draw(planes(found, dtypes=(np.float32,)).filter(len))
    (expected,) = run("LpPool", x, kernel_shape=found.kernel, strides=found.stride, pads=pads(found.padding), p=power)
    assert_near(F.lp_pool2d(np.abs(x), power, found.kernel, found.stride, found.padding), expected)


@many
@given(convolutions(dtypes=(np.float32,), smallest_batch=1), st.sampled_from(("SAME_UPPER", "SAME_LOWER")))
def test_dilated_conv2d_agrees_on_padding_by_rule(case, auto_pad):
    found = case.sliding
    assume(all(stride <= d * (k - 1) + 1
               for stride, d, k in zip(found.stride, found.dilation, found.kernel, strict=True)))
    (expected,) = refer("Conv", case.x, case.weight, case.bias, strides=found.stride, dilations=found.dilation,
                        kernel_shape=found.kernel, auto_pad=auto_pad, group=case.groups)
    out = F.conv2d(case.x, case.weight, case.bias, stride=found.stride, padding=around(found, auto_pad),
                   dilation=found.dilation, groups=case.groups)
    assert_near(out, expected, factor=5)


@many
@given(st.data(), sliding(pooling=True, ceil_mode=False))
def test_dilated_max_pool2d_agrees_on_padding_by_rule(data, found):
    x = data.draw(planes(found, dtypes=(np.float32,)).filter(len))
    # ONNX Runtime forgets the dilation in the padding by rule, so that the rule's is put around the input before.
    sides = around(found, "SAME_UPPER")
    padded = np.pad(x, ((0, 0), (0, 0), *sides), constant_values=np.finfo(np.float32).min)
    expected = run("MaxPool", padded, kernel_shape=found.kernel, strides=found.stride, dilations=found.dilation)[0]
    out = F.max_pool2d(x, found.kernel, found.stride, "same", dilation=found.dilation)
    assert out.shape[2:] == tuple(-(-size // stride) for size, stride in zip(found.size, found.stride, strict=True))
    seen = np.isfinite(out)
    np.testing.assert_array_equal(out[seen], expected[seen])


@many
@given(sliding(), st.integers(1, 2), st.integers(1, 3), st.integers(0, 2**32))
def test_col2im_agrees(found, samples, channels, seed):
    counts = [geometry.onnx_output_size(*axis) for axis in zip(
        found.size, found.kernel, found.stride, found.padding, found.dilation, strict=True)]
    rng = np.random.default_rng(seed)
    shape = (samples, channels * found.kernel[0] * found.kernel[1], counts[0] * counts[1])
    columns = rng.standard_normal(shape).astype(np.float32)
    (expected,) = run("Col2Im", columns, np.array(found.size), np.array(found.kernel), strides=found.stride,
                      dilations=found.dilation, pads=pads(found.padding))
    assert_near(F.col2im(columns, found.size, found.kernel, **found.given), expected)


@many
@given(st.integers(1, 2), st.integers(1, 9), st.integers(1, 9), st.floats(1e-4, 2), st.floats(0.1, 1.5),
       st.floats(0.5, 3), st.integers(0, 2**32))
def test_local_response_norm_agrees(samples, channels, size, alpha, beta, k, seed):
    x = np.random.default_rng(seed).standard_normal((samples, channels, 3, 2)).astype(np.float32) * 2
    settings = {"size": size, "alpha": alpha, "beta": beta, "bias": k}
    if size % 2:
        (expected,) = run("LRN", x, **settings)
        assert_near(F.local_response_norm(x, size, alpha, beta, k), expected)
        return
    # ONNX Runtime takes odd sizes only. By the operator's text the longer side comes after the channel; in PyTorch and
    # here it comes before, so that channels in reverse order give the same.
    squares = [(x[:, max(0, c - (size - 1) // 2):c + size // 2 + 1] ** 2).sum(axis=1) for c in range(channels)]
    expected = x / (k + alpha / size * np.stack(squares, axis=1)) ** beta
    assert_near(F.local_response_norm(x[:, ::-1], size, alpha, beta, k)[:, ::-1], expected.astype(np.float32))


@many
@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 5), st.floats(1e-6, 1), st.integers(0, 2**32))
def test_batch_norm_global_pooling_softmax_and_linear_agree(samples, channels, side, eps, seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((samples, channels, side, 2)).astype(np.float32)
    weight, bias, mean, var = rng.standard_normal((4, channels)).astype(np.float32)
    statistics = weight, bias, mean, np.abs(var)
    (expected,) = run("BatchNormalization", x, *statistics, epsilon=eps)
    assert_near(F.batch_norm(x, *statistics, eps=eps), expected, factor=5)
    assert_near(F.global_avg_pool2d(x), run("GlobalAveragePool", x)[0])
    assert_near(F.softmax(x), run("Softmax", x, axis=1)[0])
    rows, matrix = x.reshape(samples, -1), rng.standard_normal((3, channels * side * 2)).astype(np.float32)
    (expected,) = run("Gemm", rows, matrix, matrix[:, 0], transB=1)
    assert_near(F.linear(rows, matrix, matrix[:, 0]), expected)
