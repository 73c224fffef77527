"""Random convolutional networks as ONNX models, and what ONNX Runtime makes of a model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import onnxruntime
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from cnncourse.geometry import dilated_extent, onnx_output_size, onnx_padding

IR_VERSION = 10


def run(model: onnx.ModelProto, *inputs: np.ndarray) -> list[np.ndarray]:
    """The outputs that ONNX Runtime gives."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_inputs()]
    found: list[np.ndarray] = session.run(None, dict(zip(names, inputs, strict=True)))
    return found


@dataclass
class Graph:
    """A model that is being written; `shape` is that of the last tensor, for one sample."""

    shape: tuple[int, ...]
    rng: np.random.Generator
    opset: int = 22
    last: str = "x"
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.input_shape = self.shape

    def node(self, operator: str, *inputs: str, shape: tuple[int, ...] | None = None, **attributes: Any) -> str:
        """Append a node that reads the last tensor, if no others are named."""
        name = f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs or (self.last,), [name], name=f"the {name}", **attributes))
        self.last = name
        self.shape = self.shape if shape is None else shape
        return name

    def weight(self, *shape: int, scale: float = 1.0, above: float | None = None) -> str:
        """A random constant; with `above` one whose entries are larger than that."""
        values = self.rng.standard_normal(shape) * scale
        return self.constant(values if above is None else above + np.abs(values))

    def constant(self, values: Any, dtype: Any = np.float32) -> str:
        name = f"weight_{len(self.weights)}"
        self.weights[name] = np.asarray(values, dtype)
        return name

    def model(self, *outputs: str, batch: int | str = "N") -> onnx.ModelProto:
        graph = helper.make_graph(
            self.nodes, "random", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, *self.input_shape])],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs or (self.last,)],
            [numpy_helper.from_array(array, name) for name, array in self.weights.items()])
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=IR_VERSION)


@dataclass(frozen=True)
class Window:
    """Attributes of a window that fits, and the sizes that come out."""

    attributes: dict[str, Any]
    sizes: tuple[int, int]


@st.composite
def window(
    draw: st.DrawFn, shape: tuple[int, ...], pooling: bool, dilated: bool = True, ceil: bool = True,
    around: tuple[int, int] = (0, 0),
) -> Window | None:
    """Attributes for a picture of this shape with so many further rows and columns of zeros, or None."""
    padded = pooling and around != (0, 0)  # every window of three sees some of the input then, if there are no more
    rule = draw(st.sampled_from(["NOTSET"] * 3 + ["VALID"] + ["SAME_UPPER", "SAME_LOWER"] * (not padded)))
    rounds_up = pooling and ceil and rule == "NOTSET" and around == (0, 0) and draw(st.booleans())
    kernel, strides, gaps, pads, sizes = [], [], [], [], []
    for size, more in zip(shape[1:], around, strict=True):
        taps, stride = 3 if padded else draw(st.integers(1, 3)), draw(st.integers(1, 3))
        gap = draw(st.integers(1, 2)) if dilated else 1
        extent = dilated_extent(taps, gap)
        most = 0 if padded else taps // 2 if pooling else 2
        if pooling and gap > 1 and extent > size:
            return None  # a window may step over the whole input, and ONNX Runtime gives the lowest number there is
        sides = (draw(st.integers(0, most)), draw(st.integers(0, most))) if rule == "NOTSET" else (0, 0)
        if rule.startswith("SAME"):
            if gap > 1:
                return None  # ONNX Runtime refuses it in convolutions, and forgets the dilation in pools
            # What a stride beyond the window leaves out ONNX does not say.
            if (-(-(size + more) // stride) - 1) * stride + extent < size + more:
                return None
            # PyTorch and this package want every window to see some of the input.
            if pooling and max(onnx_padding(size + more, taps, stride, gap, rule)) > taps // 2:
                return None
        elif extent > size + more + sum(sides):
            return None
        kernel.append(taps)
        strides.append(stride)
        gaps.append(gap)
        pads.append(sides)
        sizes.append(onnx_output_size(size + more, taps, stride, sides, gap, auto_pad=rule, ceil_mode=rounds_up))
        if rounds_up and sizes[-1] != -(-(size + sum(sides) - extent) // stride) + 1:
            return None  # a last window that would see padding alone is not dropped when ONNX infers shapes
    attributes: dict[str, Any] = {"kernel_shape": kernel, "strides": strides}
    if dilated:
        attributes["dilations"] = gaps
    if rule == "NOTSET":
        attributes["pads"] = [pads[0][0], pads[1][0], pads[0][1], pads[1][1]]
    else:
        attributes["auto_pad"] = rule
    if pooling and ceil:
        attributes["ceil_mode"] = int(rounds_up)
    return Window(attributes, (sizes[0], sizes[1]))


def _pad(draw: st.DrawFn, graph: Graph) -> tuple[int, int]:
    """Half of the time zeros around the picture, by an operation of their own."""
    if draw(st.booleans()):
        return 0, 0
    top, left, bottom, right = (draw(st.integers(0, 1)) for _ in range(4))
    graph.node("Pad", graph.last, graph.constant([0, 0, top, left, 0, 0, bottom, right], np.int64))
    return top + bottom, left + right


def convolve(draw: st.DrawFn, graph: Graph, channels: int | None = None, keep: bool = False) -> None:
    """A convolution; with `keep` one that keeps the size of the picture."""
    depth, *size = graph.shape
    around = (0, 0) if keep else _pad(draw, graph)
    found = draw(window(graph.shape, pooling=False, around=around))
    if keep:
        taps = draw(st.sampled_from([1, 3]))
        found = Window({"kernel_shape": [taps, taps], "pads": [taps // 2] * 4}, (size[0], size[1]))
    elif found is None:
        found = Window({"kernel_shape": [1, 1]}, (size[0] + around[0], size[1] + around[1]))
    groups = draw(st.sampled_from([number for number in (1, 2, 3, depth) if depth % number == 0]))
    filters = groups * draw(st.integers(1, 3)) if channels is None else channels
    groups = groups if filters % groups == 0 else 1
    inputs = [graph.last, graph.weight(filters, depth // groups, *found.attributes["kernel_shape"], scale=0.5)]
    if draw(st.booleans()):
        inputs.append(graph.weight(filters))
    out = graph.node("Conv", *inputs, group=groups, shape=(filters, *found.sizes), **found.attributes)
    if draw(st.integers(0, 3)) == 0:
        bias = graph.weight(*draw(st.sampled_from([(filters, 1, 1), (1, filters, 1, 1), (1,)])))
        graph.node("Add", *draw(st.permutations([out, bias])))


def pool(draw: st.DrawFn, graph: Graph) -> None:
    operator = draw(st.sampled_from(["MaxPool", "AveragePool", "LpPool"]))
    around = (0, 0) if operator == "MaxPool" or min(graph.shape[1:]) < 3 else _pad(draw, graph)
    found = draw(window(graph.shape, True, operator == "MaxPool", operator != "LpPool", around))
    if found is None:
        found = Window({"kernel_shape": [1, 1]}, (graph.shape[1] + around[0], graph.shape[2] + around[1]))
    attributes = dict(found.attributes)
    if operator == "AveragePool":
        # Zeros of a Pad count, so that others have to as well.
        attributes["count_include_pad"] = int(around != (0, 0) or draw(st.booleans()))
    graph.node(operator, shape=(graph.shape[0], *found.sizes), **attributes)


def normalize(draw: st.DrawFn, graph: Graph) -> None:
    depth = graph.shape[0]
    if draw(st.booleans()):
        graph.node("LRN", size=draw(st.sampled_from([1, 3, 5])), alpha=draw(st.floats(1e-4, 1)),
                   beta=draw(st.floats(0.1, 1)), bias=draw(st.floats(0.5, 2)))
    else:
        graph.node("BatchNormalization", graph.last, graph.weight(depth), graph.weight(depth), graph.weight(depth),
                   graph.weight(depth, above=0.1), epsilon=draw(st.sampled_from([1e-5, 1e-2])))


def activate(draw: st.DrawFn, graph: Graph) -> None:
    graph.node(draw(st.sampled_from(["Relu", "Relu", "Sigmoid", "Tanh", "Identity", "Dropout"])))


def inception(draw: st.DrawFn, graph: Graph) -> None:
    """Branches from one tensor, joined by channels."""
    start, shape, ends, channels = graph.last, graph.shape, [], 0
    for _ in range(draw(st.integers(1, 3))):
        graph.last, graph.shape = start, shape
        convolve(draw, graph, keep=True)
        ends.append(graph.last)
        channels += graph.shape[0]
    graph.node("Concat", *ends, axis=draw(st.sampled_from([1, -3])), shape=(channels, *shape[1:]))


def residual(draw: st.DrawFn, graph: Graph) -> None:
    """A way around a convolution, added to what comes out of it."""
    start, channels = graph.last, graph.shape[0]
    convolve(draw, graph, channels, keep=True)
    inputs = draw(st.permutations([start, graph.last]))
    graph.node(draw(st.sampled_from(["Add", "Sum"])), *inputs)


def finish(draw: st.DrawFn, graph: Graph) -> None:
    """A classifier: flat features, one or two products, perhaps a softmax."""
    if draw(st.booleans()):
        graph.node(draw(st.sampled_from(["GlobalAveragePool", "GlobalMaxPool"])), shape=(graph.shape[0], 1, 1))
    features = int(np.prod(graph.shape))
    if draw(st.booleans()):
        graph.node("Flatten", shape=(features,))
    else:
        target = draw(st.sampled_from([(0, -1), (-1, features), (0, features)]))
        graph.node("Reshape", graph.last, graph.constant(target, np.int64), shape=(features,))
    for _ in range(draw(st.integers(1, 2))):
        features, outputs = graph.shape[0], draw(st.integers(1, 4))
        if draw(st.booleans()):
            across = draw(st.booleans())
            matrix = graph.weight(*((outputs, features) if across else (features, outputs)))
            biases = [graph.weight(*draw(st.sampled_from([(outputs,), (1, outputs), (1,)])))] * draw(st.integers(0, 1))
            graph.node("Gemm", graph.last, matrix, *biases, shape=(outputs,), transB=int(across),
                       alpha=draw(st.sampled_from([1.0, 0.5])), beta=draw(st.sampled_from([1.0, 2.0])))
        else:
            graph.node("MatMul", graph.last, graph.weight(features, outputs), shape=(outputs,))
            if draw(st.booleans()):
                graph.node("Add", graph.last, graph.weight(outputs))
    if draw(st.booleans()):
        graph.node("Softmax", axis=draw(st.sampled_from([1, -1])))


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """One to five blocks, and half of the time a classifier."""
    shape = draw(st.integers(1, 4)), draw(st.integers(1, 12)), draw(st.integers(1, 12))
    graph = Graph(shape, np.random.default_rng(draw(st.integers(0, 2**32))), draw(st.sampled_from([18, 20, 22])))
    blocks = st.sampled_from([convolve, convolve, pool, normalize, activate, activate, inception, residual])
    for _ in range(draw(st.integers(1, 5))):
        draw(blocks)(draw, graph)
    if draw(st.booleans()):
        finish(draw, graph)
    return graph
