"""The reference against ONNX Runtime, which knows what PyTorch does not: sides that differ, and padding by rule."""

import numpy as np
import onnx
import onnxruntime
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper

from cnncourse import functional as F
from cnncourse import geometry
from tests.cnncourse.randomly import assert_near, convolutions, many, planes, sliding

AUTO_PADS = ("SAME_UPPER", "SAME_LOWER", "VALID")


def run(operator, *arrays, **attributes):
    """The outputs of one operator; x is the first array."""
    names = ["x", "weight", "bias"][: len(arrays)]
    outputs = ["out", "indices"] if operator == "MaxPool" else ["out"]
    kinds = [helper.np_dtype_to_tensor_dtype(arrays[0].dtype), onnx.TensorProto.INT64]
    graph = helper.make_graph(
        [helper.make_node(operator, names, outputs, **attributes)], "one operator",
        [helper.make_tensor_value_info(name, kinds[0], array.shape)
         for name, array in zip(names, arrays, strict=True)],
        [helper.make_tensor_value_info(name, kind, [None] * 4) for name, kind in zip(outputs, kinds, strict=False)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, dict(zip(names, arrays, strict=True)))


def pads(padding):
    (top, bottom), (left, right) = padding
    return [top, left, bottom, right]


def around(found, auto_pad):
    """What ONNX's rule adds along both axes."""
    return tuple(geometry.onnx_padding(*axis, auto_pad) for axis in zip(
        found.size, found.kernel, found.stride, found.dilation, strict=True))


def too_small(found):
    """Whether the window does not fit without padding."""
    return any(size <= d * (k - 1) for size, k, d in zip(found.size, found.kernel, found.dilation, strict=True))


def steps_over(found):
    """Whether the stride leaves inputs out: ONNX Runtime then starts further in, as if padding could be negative."""
    return any(stride > kernel for stride, kernel in zip(found.stride, found.kernel, strict=True))


@many
@given(convolutions(dtypes=(np.float32,), smallest_batch=1))
def test_conv2d_agrees_where_padding_differs_from_side_to_side(case):
    (expected,) = run("Conv", case.x, case.weight, case.bias, strides=case.sliding.stride, group=case.groups,
                      dilations=case.sliding.dilation, pads=pads(case.sliding.padding))
    assert_near(F.conv2d(case.x, case.weight, case.bias, **case.given), expected)


@many
@given(convolutions(dtypes=(np.float32,), smallest_batch=1, dilated=False), st.sampled_from(AUTO_PADS))
def test_conv2d_agrees_on_padding_by_rule(case, auto_pad):
    found = case.sliding
    if (auto_pad == "VALID" and too_small(found)) or steps_over(found):
        return
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
    # ONNX counts through all planes.
    first = np.arange(x.shape[0] * x.shape[1]).reshape(*x.shape[:2], 1, 1) * x.shape[2] * x.shape[3]
    np.testing.assert_array_equal((indices + first)[seen], where[seen])


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
    x = data.draw(planes(found, dtypes=(np.float32,)).filter(len))
    if auto_pad == "VALID" and too_small(found):
        return
    if steps_over(found):
        return
    shape = {"kernel_shape": found.kernel, "strides": found.stride, "auto_pad": auto_pad}
    settings = (found.kernel, found.stride, around(found, auto_pad))
    np.testing.assert_array_equal(F.max_pool2d(x, *settings), run("MaxPool", x, **shape)[0])
    assert_near(F.avg_pool2d(x, *settings, count_include_pad=False), run("AveragePool", x, **shape)[0])


@many
@given(st.data(), sliding(pooling=True, dilated=False, ceil_mode=False), st.sampled_from((1, 2, 3)))
def test_lp_pool2d_agrees_on_magnitudes_where_no_window_is_cut_off(data, found, power):
    x = data.draw(planes(found, dtypes=(np.float32,)).filter(len))
    (expected,) = run("LpPool", x, kernel_shape=found.kernel, strides=found.stride, pads=pads(found.padding), p=power)
    assert_near(F.lp_pool2d(np.abs(x), power, found.kernel, found.stride, found.padding), expected)
