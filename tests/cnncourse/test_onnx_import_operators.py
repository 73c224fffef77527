"""Each operator that is read, in its older and newer forms, and what is refused with which words."""

from __future__ import annotations

import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from cnncourse import onnx_import, weights
from cnncourse.errors import ArgumentError, FileError, UnsupportedError
from cnncourse.layers import AvgPool2d, Conv2d, Dropout, Flatten, Linear, MaxPool2d, ReLU
from cnncourse.training import SGD, training_step
from tests.cnncourse.onnx_graphs import Graph, run
from tests.cnncourse.randomly import assert_near


def graph(*shape, opset=22):
    return Graph(shape or (4, 6, 7), np.random.default_rng(0), opset)


def layers(network):
    return [node.layer for node in network.nodes]


def check(built, *outputs, samples=2, batch="N"):
    """The network, after a look at what it gives."""
    model = built.model(*outputs, batch=batch)
    network = onnx_import.load(model)
    x = built.rng.standard_normal((samples, *built.input_shape)).astype(np.float32)
    expected = run(model, x)
    assert_near(network.forward(x), expected[0], factor=5)
    for name, array in zip(network.outputs, expected, strict=True):
        assert_near(network.activations(x, [name])[name], array, factor=5)
    return network


def refused(built, says, error=UnsupportedError, **settings):
    model = built if isinstance(built, onnx.ModelProto) else built.model()
    with pytest.raises(error, match=says):
        onnx_import.load(model, **settings)


def test_settings_are_written_as_short_as_they_can_be():
    built = graph()
    built.node("Conv", "x", built.weight(5, 2, 3, 1), built.weight(5), group=2, pads=[1, 0, 1, 0], strides=[2, 2])
    built.weights["weight_0"] = built.weights["weight_0"][:4]
    built.weights["weight_1"] = built.weights["weight_1"][:4]
    built.node("AveragePool", kernel_shape=[2, 2], auto_pad="SAME_LOWER")
    network = check(built)
    assert layers(network) == [Conv2d(4, (3, 1), 2, (1, 0), groups=2),
                               AvgPool2d(2, 1, ((1, 0), (1, 0)), count_include_pad=False)]
    assert network.name == "random"


def test_pooling_strides_are_one_by_default():
    built = graph()
    built.node("MaxPool", kernel_shape=[2, 3])
    assert layers(check(built)) == [MaxPool2d((2, 3), 1)]


@pytest.mark.parametrize("pads", [[0, 0, 1, 2, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 3, 0]])
def test_zeros_before_a_convolution_are_taken_into_it(pads):
    built = graph()
    built.node("Pad", "x", built.constant(pads, np.int64))
    built.node("Conv", built.last, built.weight(3, 4, 3, 3), pads=[0, 1, 0, 0])
    assert len(layers(check(built))) == 1


def test_zeros_in_the_form_of_older_versions_and_by_axes_are_taken_in_too():
    old = graph(opset=10)
    old.node("Pad", "x", pads=[0, 0, 1, 2, 0, 0, 0, 1], mode="constant", value=0.0)
    old.node("Conv", old.last, old.weight(3, 4, 3, 3))
    check(old)
    new = graph()
    new.node("Pad", "x", new.constant([1, 2], np.int64), new.constant(0.0), new.constant([-1], np.int64))
    new.node("Conv", new.last, new.weight(3, 4, 3, 3))
    new.node("Pad", new.last, new.constant([0] * 8, np.int64))
    check(new)


def test_zeros_before_maximum_pooling_count_for_nothing_after_a_relu_alone():
    built = graph()
    built.node("Relu")
    built.node("Pad", built.last, built.constant([0, 0, 1, 1, 0, 0, 1, 1], np.int64))
    built.node("MaxPool", kernel_shape=[3, 3], strides=[2, 2])
    assert len(layers(check(built))) == 2
    built.nodes[0].op_type = "Tanh"
    refused(built, "MaxPool.: there is a Pad with zeros before it, and inputs may be below zero")


def test_zeros_that_nothing_can_take_are_refused():
    built = graph()
    built.node("Pad", "x", built.constant([0, 0, 1, 1, 0, 0, 1, 1], np.int64))
    refused(built, "the output 'pad_0' of the model is a constant, padded", error=FileError)
    built.node("Relu")
    refused(built, r"node 'the relu_1' \(Relu\): there is a Pad before it")
    for pads, settings in ([0, 1, 0, 0, 0, 0, 0, 0], {}), ([0, 0, -1, 0, 0, 0, 0, 0], {}), ([0] * 4 + [0, 0, 0, 1],
                                                                                         {"mode": "reflect"}):
        built = graph()
        built.node("Pad", "x", built.constant(pads, np.int64), **settings)
        built.node("Conv", built.last, built.weight(3, 4, 1, 1))
        refused(built, r"\(Pad\): .* padding of .* only zeros around height and width")
    built = graph()
    built.node("Pad", "x", built.constant([0, 0, 1, 1, 0, 0, 1, 1], np.int64), built.constant(1.0))
    refused(built, r"padding of .* with 1.0")


def test_average_pooling_takes_zeros_that_count():
    built = graph()
    built.node("Pad", "x", built.constant([0, 0, 1, 1, 0, 0, 0, 1], np.int64))
    built.node("AveragePool", kernel_shape=[3, 3])
    assert layers(check(built)) == [AvgPool2d(3, 1, ((1, 0), (1, 1)))]
    built.nodes[1].attribute.append(helper.make_attribute("pads", [1, 1, 1, 1]))
    refused(built, "whose zeros count, and its own do not")


@pytest.mark.parametrize("operator, attributes", [
    ("GlobalAveragePool", {}), ("GlobalMaxPool", {}), ("GlobalLpPool", {"p": 2}), ("LpPool", {"kernel_shape": [2, 3]}),
    ("LpPool", {"kernel_shape": [2, 2], "p": 4, "strides": [2, 2], "ceil_mode": 0}),
    ("LpPool", {"kernel_shape": [2, 3], "strides": [2, 2], "ceil_mode": 1}), ("LRN", {"size": 3}),
    ("ReduceMean", {"axes": [2, 3]}), ("ReduceMean", {"axes": [-1, -2], "keepdims": 0})])
def test_pools_of_whole_maps_and_norms(operator, attributes):
    built = graph(opset=17 if operator == "ReduceMean" else 20)
    built.node(operator, **attributes)
    check(built)


def test_the_mean_over_axes_that_are_an_input():
    built = graph()
    built.node("ReduceMean", "x", built.constant([3, 2], np.int64), keepdims=0)
    built.node("Gemm", built.last, built.weight(4, 3))
    check(built)


@pytest.mark.parametrize("opset", [7, 9, 12, 13, 22])
def test_classifiers_of_older_and_newer_versions(opset):
    built = graph(opset=opset)
    built.node("BatchNormalization", "x", built.weight(4), built.weight(4), built.weight(4), built.weight(4, above=0.1))
    built.node("MaxPool", kernel_shape=[6, 7])
    if opset < 13:
        built.node("Squeeze", axes=[2, 3])
    else:
        built.node("Squeeze", built.last, built.constant([2, 3], np.int64))
    if opset < 12:
        built.node("Dropout", ratio=0.25)
    else:
        built.node("Dropout", built.last, built.constant(0.25))
    built.node("Gemm", built.last, built.weight(4, 3), built.weight(3))
    built.node("Softmax")
    assert Dropout(0.25) in layers(check(built))


def test_flatten_written_as_arithmetic_on_the_shape():
    built = graph()
    built.node("Shape", "x")
    built.node("Gather", built.last, built.constant(0, np.int64), axis=0)
    built.node("Unsqueeze", built.last, built.constant([0], np.int64))
    built.node("Concat", built.last, built.constant([-1], np.int64), axis=0)
    shape = built.node("Cast", to=TensorProto.INT64)
    built.node("Reshape", "x", shape)
    built.node("Gemm", built.last, built.weight(168, 3))
    assert layers(check(built)) == [Flatten(), Linear(3, bias=False)]


def test_the_number_of_samples_is_not_reckoned_with():
    for operator in "Mul", "Sub":
        built = graph()
        built.node("Shape", "x")
        samples = built.node("Gather", built.last, built.constant([0], np.int64))
        built.node(operator, samples, built.constant([2], np.int64))
        built.node("Reshape", "x", built.node("Concat", built.last, built.constant([-1], np.int64), axis=0))
        refused(built, rf"\({operator}\): there is no such layer")


def test_pads_computed_from_constants():
    built = graph()
    built.node("Shape", built.constant([1, 2, 0, 1], np.int64))
    built.node("Sub", built.constant([8], np.int64), built.last)
    zeros = built.node("ConstantOfShape", value=numpy_helper.from_array(np.int64([0]), "zero"))
    built.node("Concat", built.constant([1, 2, 0, 1], np.int64), zeros, axis=0)
    built.node("Reshape", built.last, built.constant([-1, 2], np.int64))
    reverse = [built.constant([number], np.int64) for number in (-1, -(2 ** 63) + 1, 0, -1)]
    built.node("Transpose", built.node("Slice", built.last, *reverse), perm=[1, 0])
    pads = built.node("Reshape", built.last, built.constant([-1], np.int64))
    built.node("Conv", built.node("Pad", "x", pads), built.weight(3, 4, 2, 2))
    assert layers(check(built)) == [Conv2d(3, 2, 1, ((0, 1), (1, 2)), bias=False)]
    built.nodes[2].attribute[0].t.CopyFrom(numpy_helper.from_array(np.int64([1 << 40]), "zero"))
    built.weights["weight_1"] = np.int64([1 << 40])
    refused(built, r"ConstantOfShape.* is no shape and no weight", error=FileError)


def test_flatten_by_the_number_of_features():
    built = graph()
    shape = built.node("Shape", "x")
    samples = built.node("Slice", shape, *(built.constant([end], np.int64) for end in (0, 1)))
    built.node("Reshape", "x", built.node("Concat", samples, built.constant([168], np.int64), axis=0))
    check(built)
    built = graph()
    built.node("Reshape", "x", built.constant([2, -1], np.int64))
    check(built, batch=2)
    refused(built, r"Reshape.: the shape \[2, -1\] for an input of \(4, 6, 7\)")


def test_what_is_flat_stays_as_it_is():
    built = graph(5)
    built.node("Flatten")
    built.node("Reshape", built.last, built.constant([0, 5], np.int64))
    built.node("Identity")
    built.node("Relu")
    built.node("Concat", built.last, axis=1)
    built.node("Sum", built.last)
    built.node("Relu")
    assert layers(check(built)) == [ReLU(), ReLU()]


def test_a_constant_becomes_a_bias_wherever_the_model_makes_it():
    built = graph()
    out = built.node("Conv", "x", built.weight(3, 4, 2, 2), built.weight(3))
    values = numpy_helper.from_array(np.float32([[[1]], [[2]], [[3]]]), "later")
    built.nodes.append(helper.make_node("Constant", [], ["made"], value=values))
    built.node("Identity", "made")
    built.node("Add", built.last, out)
    built.node("Flatten")
    built.node("MatMul", built.last, built.weight(90, 2))
    built.node("Add", built.last, built.weight(1, 2))
    assert layers(check(built)) == [Conv2d(3, 2), Flatten(), Linear(2)]


def test_a_constant_that_is_no_bias_is_refused():
    for constant in [(3, 5, 6), (6,), (1, 3, 1, 6)]:
        built = graph()
        built.node("Conv", "x", built.weight(3, 4, 2, 2))
        built.node("Add", built.last, built.weight(*constant))
        refused(built, r"\(Add\): the constant 'weight_1' of shape .* can only be added as a bias")
    built = graph()
    out = built.node("Conv", "x", built.weight(3, 4, 2, 2))
    built.node("Add", out, built.weight(3, 1, 1))
    built.node("Add", out, built.last)
    refused(built, "right behind a layer with weights that nothing else reads")


def test_transposed_and_shared_weights():
    built = graph(5)
    matrix = built.weight(5, 5)
    built.node("Gemm", "x", matrix, transB=1)
    across = built.node("Transpose", matrix, perm=[1, 0])
    built.node("MatMul", built.nodes[0].output[0], across)
    built.node("Gemm", built.last, matrix, built.weight(1), alpha=2.0, beta=3.0)
    network = check(built)
    assert all(network.parameters[f"fc{number}.weight"].flags.c_contiguous for number in (1, 2, 3))
    assert not np.shares_memory(network.parameters["fc1.weight"], network.parameters["fc3.weight"])


def test_several_outputs_and_operations_that_lead_nowhere():
    built = graph()
    first = built.node("Conv", "x", built.weight(3, 4, 2, 2))
    second = built.node("Relu")
    built.node("Einsum", second, equation="abcd->a")
    network = check(built, second, first)
    assert network.outputs == ("relu1", "conv1")


def test_weights_among_the_inputs_as_in_old_files():
    built = graph()
    built.node("Conv", "x", built.weight(3, 4, 2, 2))
    model = built.model()
    model.graph.input.append(helper.make_tensor_value_info("weight_0", TensorProto.FLOAT, [3, 4, 2, 2]))
    assert layers(onnx_import.load(model)) == [Conv2d(3, 2, bias=False)]


def test_double_precision():
    built = graph()
    built.node("Conv", "x", built.weight(3, 4, 2, 2))
    built.weights["weight_0"] = built.weights["weight_0"].astype(np.float64)
    model = built.model()
    refused(model, "weight is float64 and the input of the model float32")
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.DOUBLE
    network = onnx_import.load(model)
    assert network.forward(np.zeros((1, 4, 6, 7))).dtype == np.float64
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT16
    refused(model, "the input x is of type FLOAT16")


def test_a_network_from_a_file_can_be_trained_and_saved(tmp_path):
    built = graph()
    built.node("Conv", "x", built.weight(3, 4, 2, 2), built.weight(3))
    built.node("BatchNormalization", built.last, *(built.weight(3, above=0.1) for _ in range(4)))
    built.node("Relu")
    built.node("GlobalAveragePool")
    built.node("Flatten")
    built.node("Gemm", built.last, built.weight(3, 5))
    path = tmp_path / "some.onnx"
    path.write_bytes(built.model().SerializeToString())
    network = onnx_import.load(str(path))
    x, y = built.rng.standard_normal((6, 4, 6, 7)).astype(np.float32), np.arange(6) % 5
    losses = [training_step(network, x, y, SGD(0.05)).loss for _ in range(20)]
    assert losses[-1] < losses[0]
    weights.save(network, tmp_path / "some.npz")
    other = onnx_import.load(path)
    weights.load(other, tmp_path / "some.npz")
    np.testing.assert_array_equal(other.forward(x), network.forward(x))


def test_the_shape_of_the_input_is_asked_for_where_the_model_leaves_it_open():
    built = graph()
    built.node("Conv", "x", built.weight(3, 4, 2, 2))
    built.node("Relu")
    model = built.model()
    for number, name in (2, "height"), (3, "width"):
        model.graph.input[0].type.tensor_type.shape.dim[number].dim_param = name
    refused(model, r"shape \(4, \?, \?\) for one sample; input_shape has to say")
    assert onnx_import.load(model, input_shape=(4, 9, 5)).output_shape == (3, 8, 4)
    refused(model, r"input_shape=\(3, 9, 5\) does not fit", input_shape=(3, 9, 5))
    refused(model, "does not fit", input_shape=(4, 9))
    refused(model, "does not fit", input_shape=(4, 0, 5))


@pytest.mark.parametrize("operator, attributes, says", [
    ("MaxPool", {"kernel_shape": [2]}, r"kernel_shape is \[2\]"),
    ("MaxPool", {"kernel_shape": [2, 2], "blob": 3}, "the attribute blob = 3 is not known"),
    ("MaxPool", {"kernel_shape": [9, 9]}, r"\(MaxPool\): pool1 after input \(4, 6, 7\): .* 9"),
    ("MaxPool", {"kernel_shape": [3, 3], "pads": [2, 2, 2, 2]}, "padding 2 .* at most 1"),
    ("MaxPool", {"kernel_shape": [1, 1], "strides": [2, 2], "auto_pad": "SAME_UPPER"}, "auto_pad = 'SAME_UPPER'"),
    ("MaxPool", {"kernel_shape": [2, 2], "pads": [1, 0, 0, 0], "auto_pad": "VALID"}, "pads"),
    ("MaxPool", {"kernel_shape": [2, 2], "pads": [-1, 0, 0, 0]}, r"pads = \[-1, 0, 0, 0\]"),
    ("AveragePool", {"kernel_shape": [2, 2], "dilations": [2, 1]}, r"dilations = \[2, 1\]"),
    ("LpPool", {"kernel_shape": [2, 2], "p": 3}, "p = 3; ONNX takes magnitudes"),
    ("LpPool", {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1}, "ceil_mode = 1"),
    ("GlobalLpPool", {"p": 1}, "p = 1"),
    ("LRN", {"size": 2}, "size = 2; of an even number"),
    ("Softmax", {"axis": 2}, "axis = 2"),
    ("Concat", {"axis": 2}, "axis = 2; only channels"),
    ("Flatten", {"axis": 2}, r"\(Flatten\): axis = 2"),
    ("ReduceMean", {"axes": [1]}, r"the mean over axes \[1\]"),
    ("LeakyRelu", {"alpha": 0.1}, r"node 'the leakyrelu_0' \(LeakyRelu\): there is no such layer; .* Add, AveragePool"),
])
def test_what_has_no_counterpart_is_named(operator, attributes, says):
    built = graph(opset=17)
    built.node(operator, **attributes)
    refused(built, says)


def test_what_has_no_counterpart_is_named_where_it_takes_more_inputs():
    built = graph()
    built.node("Conv", "x", "x")
    refused(built, r"\(Conv\): the weight is computed by the model")
    built = graph()
    built.node("Conv", "x", built.weight(3, 4, 3))
    refused(built, r"the weight has shape \(3, 4, 3\); only pictures")
    built = graph(5)
    built.node("Gemm", "x", built.weight(5, 2), transA=1)
    refused(built, "transA = 1")
    built = graph(5)
    built.node("Gemm", "x", built.weight(5, 2), built.weight(7, 2))
    refused(built, r"the bias has shape \(7, 2\)")
    built = graph()
    built.node("MatMul", "x", built.weight(7, 2))
    refused(built, "a fully connected layer takes a vector and a matrix")
    built = graph()
    built.node("BatchNormalization", "x", *(built.weight(4, above=0.1) for _ in range(4)), training_mode=1)
    refused(built, "training_mode = 1")
    built = graph()
    built.node("Dropout", "x", built.constant(0.5), built.constant(True, bool))
    refused(built, "training_mode is on")
    built = graph()
    built.nodes.append(helper.make_node("MaxPool", ["x"], ["out", "where"], kernel_shape=[2, 2]))
    refused(built.model("out", "where"), r"node 'out' \(MaxPool\): its further output 'where' is used")
    built = graph()
    built.nodes.append(helper.make_node("Conv", ["x"], ["y"], domain="com.microsoft"))
    built.last = "y"
    refused(built, "operators of com.microsoft are not known")


def test_versions_and_inputs_that_are_not_known():
    built = graph(opset=6)
    built.node("Relu")
    refused(built, "version 6 of the operators; 7 to")
    built.opset = 999
    refused(built, "version 999")
    built.opset = 22
    model = built.model()
    model.graph.input.append(helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4]))
    refused(model, "the model has 2: x, y")
    built.input_shape = (4, 5)
    refused(built, "the input x has 3 dimensions")


def test_without_the_package_onnx_the_message_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ArgumentError, match="pip install onnx"):
        onnx_import.load("some.onnx")
