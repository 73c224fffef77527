"""Layers as facts: shapes, counts and settings, held against what `functional` computes and against counting."""

from __future__ import annotations

import itertools
import re
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnncourse import functional as F
from cnncourse import layers
from cnncourse.errors import ArgumentError, CNNCourseError, GeometryError, ShapeError
from cnncourse.layers import (
    Add,
    AvgPool2d,
    BatchNorm2d,
    Concatenate,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    Identity,
    Kept,
    Layer,
    Linear,
    LocallyConnected2d,
    LocalResponseNorm,
    LpPool2d,
    MaxPool2d,
    Mode,
    RadialBasis,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
    TrainableAvgPool2d,
)
from tests import naive
from tests.cnncourse.randomly import assert_near, many, sliding, upstream

LENET_CONNECTIONS = tuple(
    tuple(sorted({(first + step) % 6 for step in steps}))
    for steps, starts in (((0, 1, 2), range(6)), ((0, 1, 2, 3), range(6)), ((0, 1, 3, 4), range(3)),
                          ((0, 1, 2, 3, 4, 5), range(1)))
    for first in starts
)
"""Table I of LeCun et al., 1998: which of S2's maps each of C3's sees."""

EXAMPLES = [
    Conv2d(6, 5), Conv2d(4, (3, 2), stride=(2, 1), padding=((1, 0), (2, 1)), dilation=2, groups=2, bias=False),
    Conv2d(16, 5, connections=LENET_CONNECTIONS), LocallyConnected2d(3, 2, padding="same"), Linear(10),
    Linear(3, bias=False), Flatten(), ReLU(), Tanh(), Sigmoid(), Softmax(), Dropout(), Dropout(0.1), Identity(),
    MaxPool2d(3, 2, ceil_mode=True), MaxPool2d((2, 3), dilation=(2, 1)), AvgPool2d(2, count_include_pad=False),
    LpPool2d(2, 3), GlobalAvgPool2d(), TrainableAvgPool2d(2), LocalResponseNorm(5, k=2.0), BatchNorm2d(affine=False),
    RadialBasis(((1, -1, 1), (0.5, 1, -1))), Concatenate(), Add(),
]

NOT_NAMED = {
    "cnncourse/onnx_import/": {"LocallyConnected2d", "RadialBasis", "TrainableAvgPool2d"},  # ONNX has none of these
    # A chain joins nothing, and the other two are LeNet-5's alone.
    "cnncourse/pattern/vocabulary.py": {"Add", "Concatenate", "RadialBasis", "TrainableAvgPool2d"},
    "tests/cnncourse/networks.py": {"RadialBasis"},  # its centers fit one size alone
    "tests/cnncourse/test_pattern.py": {"Add", "Concatenate", "RadialBasis"},
}
"""Which layers are not in a file of CONTRIBUTING's list."""


def call(layer, inputs, seed=0, training=False):
    """Output, what is kept, parameters and buffers of a layer with random parameters."""
    rng = np.random.default_rng(seed)
    shapes = tuple(one.shape[1:] for one in inputs)
    dtype = inputs[0].dtype
    parameters = {key: rng.standard_normal(shape).astype(dtype)
                  for key, shape in layer.parameter_shapes(*shapes).items()}
    buffers = {key: rng.uniform(0.5, 2, shape).astype(dtype) for key, shape in layer.buffer_shapes(*shapes).items()}
    mode = Mode(training=training, keep=training, generator=np.random.default_rng(seed))
    out, extra = layer.forward(tuple(inputs), parameters, buffers, mode)
    return out, Kept(shapes, tuple(inputs), out, extra), parameters, buffers


@pytest.mark.parametrize("layer", EXAMPLES, ids=repr)
def test_a_layer_is_written_as_it_shows_itself(layer):
    assert eval(repr(layer), vars(layers)) == layer
    assert hash(layer) == hash(eval(repr(layer), vars(layers)))


@pytest.mark.parametrize("layer", EXAMPLES, ids=repr)
def test_a_layer_cannot_be_changed(layer):
    with pytest.raises(AttributeError):
        layer.kernel_size = 3


@pytest.mark.parametrize("layer", EXAMPLES, ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("training", [False, True])
def test_arrays_have_the_shapes_that_the_layer_says(layer, dtype, training):
    shape = {Linear: (12,), RadialBasis: (3,)}.get(type(layer), (6, 9, 7))
    count = 3 if isinstance(layer, (Add, Concatenate)) else 1
    inputs = [np.random.default_rng(number).uniform(0.1, 1, (2, *shape)).astype(dtype) for number in range(count)]
    copies = [one.copy() for one in inputs]
    out, kept, parameters, _ = call(layer, inputs, training=training)
    assert out.shape == (2, *layer.output_shape(*[shape] * count))
    assert out.dtype == dtype
    for one, copy in zip(inputs, copies, strict=True):
        np.testing.assert_array_equal(one, copy)
    if training:
        # Nothing but what the layer says it keeps may be needed.
        kept = Kept(kept.shapes, kept.inputs if layer.keeps_input else (), out if layer.keeps_output else None,
                    kept.extra)
        grads, slopes = layer.backward(upstream(out), kept, parameters, (True,) * count)
        assert [grad.shape for grad in grads] == [one.shape for one in inputs]
        assert {key: slope.shape for key, slope in slopes.items()} == layer.parameter_shapes(*[shape] * count)
        assert all(array.dtype == dtype for array in (*grads, *slopes.values()))


@pytest.mark.parametrize("layer", [layer for layer in EXAMPLES if layer.overwrites], ids=repr)
@pytest.mark.parametrize("training", [False, True])
def test_a_layer_that_overwrites_its_input_computes_the_same(layer, training):
    count = 2 if isinstance(layer, Add) else 1
    inputs = [np.random.default_rng(number).standard_normal((2, 3, 4, 5)) for number in range(count)]
    expected, _, parameters, buffers = call(layer, inputs, training=training)
    expected = expected.copy()
    out, _ = layer.forward(tuple(inputs), parameters, buffers, Mode(training=training), overwrite=True)
    assert np.shares_memory(out, inputs[0])
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("layer", [layer for layer in EXAMPLES if layer.overwrites_gradient], ids=repr)
def test_a_layer_that_overwrites_the_gradient_computes_the_same(layer):
    out, kept, parameters, _ = call(layer, [np.random.default_rng(0).standard_normal((2, 3, 4, 5))], training=True)
    grad_out = upstream(out)
    expected = layer.backward(grad_out, kept, parameters, (True,))[0][0].copy()
    found = layer.backward(grad_out, kept, parameters, (True,), overwrite=True)[0][0]
    assert np.shares_memory(found, grad_out)
    np.testing.assert_array_equal(found, expected)


def traced(work):
    """What some work returns, and the most that it takes."""
    tracemalloc.start()
    try:
        result = work()
        return result, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.sampled(5)
@pytest.mark.parametrize("layer", [*EXAMPLES, LpPool2d(float("inf"), 2)], ids=repr)
@pytest.mark.parametrize("mode", [Mode(), Mode(True, False, False, np.random.default_rng(0)),
                                  Mode(True, True, False, np.random.default_rng(0))], ids=["look", "train", "keep"])
def test_a_layer_takes_the_memory_that_it_says(layer, mode):
    shape = {Linear: (3000,), RadialBasis: (3,)}.get(type(layer), (6, 20, 30))
    count = 3 if isinstance(layer, (Add, Concatenate)) else 1
    inputs = tuple(np.random.default_rng(number).uniform(0.1, 1, (400, *shape)) for number in range(count))
    out, kept, parameters, buffers = call(layer, list(inputs), training=True)
    layer.backward(upstream(out), kept, parameters, (True,) * count)  # compiles
    layer.forward(inputs, parameters, buffers, mode)
    work = layer.forward_work(mode, 400, 8, *[shape] * count)
    (out, extra), taken = traced(lambda: layer.forward(inputs, parameters, buffers, mode))
    made = 0 if layer.shares(mode.training) else out.nbytes
    least = made + work.kept + work.passing
    slack = 100_000  # Python's own objects, and buffers in which NumPy adds up
    assert least - slack <= taken <= least + sum(work.standing.values()) + slack
    if mode.keep:
        kept = Kept(kept.shapes, inputs, out, extra)
        grad_out = upstream(out)
        work = layer.backward_work((True,) * count, 400, 8, *[shape] * count)
        (grads, slopes), taken = traced(lambda: layer.backward(grad_out, kept, parameters, (True,) * count))
        made = 0 if layer.shares_gradient() else sum(grad.nbytes for grad in grads)
        least = made + sum(slope.nbytes for slope in slopes.values()) + work.passing
        slack = 100_000  # Python's own objects, and buffers in which NumPy adds up
        assert least - slack <= taken <= least + sum(work.standing.values()) + slack


@many
@given(sliding(), st.integers(1, 2), st.integers(1, 2), st.integers(1, 2))
def test_a_convolution_counts_what_counting_finds(found, groups, depth, filters):
    layer = Conv2d(groups * filters, found.kernel, groups=groups, **found.given)
    shape = (groups * depth, *found.size)
    height, width = naive.output_shape(found.size, found.kernel, found.stride, found.padding, found.dilation)
    assert layer.output_shape(shape) == (groups * filters, height, width)
    assert layer.parameter_shapes(shape)["weight"] == (groups * filters, depth, *found.kernel)
    # Products with the zeros of the padding count: the usual rule.
    products = sum(1 for _ in itertools.product(range(groups * filters), range(depth), range(height), range(width),
                                                range(found.kernel[0]), range(found.kernel[1])))
    assert layer.multiply_adds(shape) == products
    local = LocallyConnected2d(filters, found.kernel, found.stride, found.padding)
    height, width = naive.output_shape(found.size, found.kernel, found.stride, found.padding)\
        if all(d == 1 for d in found.dilation) else local.output_shape(shape)[1:]
    assert local.multiply_adds(shape) == int(np.prod(local.parameter_shapes(shape)["weight"]))
    assert local.output_shape(shape) == (filters, height, width)


@many
@given(sliding(symmetric=True, pooling=True, dilated=False))
def test_a_pooling_layer_has_the_size_that_counting_finds(found):
    height, width = naive.output_shape(found.size, found.kernel, found.stride, found.padding, (1, 1), found.ceil_mode)
    for layer in (MaxPool2d(found.kernel, found.stride, found.padding, ceil_mode=found.ceil_mode),
                  AvgPool2d(found.kernel, found.stride, found.padding, found.ceil_mode),
                  LpPool2d(2, found.kernel, found.stride, found.padding, found.ceil_mode)):
        assert layer.output_shape((2, *found.size)) == (2, height, width)
        assert layer.parameter_shapes((2, *found.size)) == {}
        assert layer.multiply_adds((2, *found.size)) == 0


def test_lenets_partly_connected_layer():
    layer = Conv2d(16, 5, connections=LENET_CONNECTIONS)
    shapes = layer.parameter_shapes((6, 14, 14))
    assert sum(int(np.prod(shape)) for shape in shapes.values()) == 1516
    assert layer.multiply_adds((6, 14, 14)) == 60 * 25 * 100
    x = np.random.default_rng(0).standard_normal((2, 6, 14, 14))
    out, kept, parameters, _ = call(layer, [x], training=True)
    full = np.zeros((16, 6, 5, 5))
    kernels = iter(parameters["weight"])
    for number, channels in enumerate(LENET_CONNECTIONS):
        for channel in channels:
            full[number, channel] = next(kernels)
    assert_near(out, F.conv2d(x, full, parameters["bias"]))
    grads, slopes = layer.backward(upstream(out), kept, parameters, (True,))
    grad_x, grad_full, grad_bias = F.conv2d_backward(upstream(out), x, full)
    assert_near(grads[0], grad_x)
    assert_near(slopes["bias"], grad_bias)
    expected = [grad_full[number, channel] for number, channels in enumerate(LENET_CONNECTIONS)
                for channel in channels]
    assert_near(slopes["weight"], np.array(expected))


def test_trainable_pooling_scales_and_shifts_each_channel():
    layer = TrainableAvgPool2d((2, 3), (1, 2))
    x = np.random.default_rng(0).standard_normal((2, 3, 5, 7))
    out, kept, parameters, _ = call(layer, [x], training=True)
    means = naive.avg_pool2d(x, (2, 3), (1, 2), ((0, 0), (0, 0)), False, True)
    assert_near(out, means * parameters["weight"][:, None, None] + parameters["bias"][:, None, None])
    grad_out = upstream(out)
    grads, slopes = layer.backward(grad_out, kept, parameters, (True,))

    def again(values, key):
        changed = {**parameters, key: values}
        return layer.forward((x,), changed, {}, Mode())[0]

    assert_near(grads[0], naive.numerical_gradient(
        lambda values: layer.forward((values,), parameters, {}, Mode())[0], x, grad_out), factor=1e5)
    for key, slope in slopes.items():
        expected = naive.numerical_gradient(lambda values, key=key: again(values, key), parameters[key], grad_out)
        assert_near(slope, expected, factor=1e5)


def test_parameters_of_the_original_lenet():
    """C1, S2, C3, S4, C5, F6 of LeCun et al., 1998, section II.B: 156, 12, 1516, 32, 48120, 10164."""
    steps = [(Conv2d(6, 5), (1, 32, 32)), (TrainableAvgPool2d(2), (6, 28, 28)),
             (Conv2d(16, 5, connections=LENET_CONNECTIONS), (6, 14, 14)), (TrainableAvgPool2d(2), (16, 10, 10)),
             (Conv2d(120, 5), (16, 5, 5)), (Linear(84), (120,))]
    counts = [sum(int(np.prod(shape)) for shape in layer.parameter_shapes(given).values()) for layer, given in steps]
    assert counts == [156, 12, 1516, 32, 48120, 10164]


@pytest.mark.parametrize(("make", "message"), [
    (lambda: Conv2d(0, 3), "out_channels.*at least 1, 0 was given"),
    (lambda: Conv2d(4, 2.5), r"kernel_size.*2\.5"),
    (lambda: Conv2d(4, 3, stride=0), "stride.*at least 1.*0 was given"),
    (lambda: Conv2d(4, 3, padding="full"), "padding.*'same' or 'valid'; 'full'"),
    (lambda: Conv2d(4, 3, padding=-1), "padding"),
    (lambda: Conv2d(2, 3, connections=((0,),)), "each of the 2 filters; it lists those of 1"),
    (lambda: Conv2d(1, 3, connections=((0, 0),)), "each once"),
    (lambda: Conv2d(2, 3, groups=2, connections=((0,), (1,))), "give one of them"),
    (lambda: Linear(1.5), "out_features"),
    (lambda: MaxPool2d(0), "kernel_size"),
    (lambda: LpPool2d(0, 2), "norm_type has to be above 0"),
    (lambda: Dropout(1.5), "probability from 0 to 1, 1.5"),
    (lambda: BatchNorm2d(eps=0), "eps has to be above 0"),
    (lambda: BatchNorm2d(momentum=2), "momentum"),
    (lambda: LocalResponseNorm(0), "size"),
    (lambda: Dropout("0.5"), "p has to be a number"),
    (lambda: LpPool2d(None, 2), "norm_type has to be a number"),
    (lambda: BatchNorm2d(eps="a"), "eps has to be a number"),
    (lambda: BatchNorm2d(momentum=None), "momentum has to be a number"),
    (lambda: LocalResponseNorm(5, beta="a"), "LocalResponseNorm: beta has to be a number"),
])
def test_a_setting_that_can_never_work_is_refused_at_once(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


@pytest.mark.parametrize(("layer", "shapes", "error", "message"), [
    (Conv2d(4, 3), [(10,)], ShapeError, r"Conv2d takes.*\(channels, height, width\).*\(10,\)"),
    (Conv2d(4, 3, groups=2), [(3, 5, 5)], ShapeError, "groups=2 has to divide the 3 input channels"),
    (Conv2d(4, 7), [(3, 5, 9)], GeometryError, r"along the height, a window of 7 does not fit into 5 \+ 0 \+ 0 = 5"),
    (Conv2d(1, 1, connections=((3,),)), [(3, 5, 5)], ShapeError, "channel 3; the input has channels 0 to 2"),
    (Linear(4), [(3, 5, 6)], ShapeError, r"Flatten\(\) before it makes 90 features"),
    (MaxPool2d(2, padding=2), [(3, 5, 5)], GeometryError, "at most 1 on a side"),
    (Add(), [(3, 5, 5)], ShapeError, "at least two inputs, 1 were given"),
    (Add(), [(3, 5, 5), (3, 4, 5)], ShapeError, r"\(3, 5, 5\), \(3, 4, 5\)"),
    (Concatenate(), [(3, 5, 5), (3, 4, 5)], ShapeError, r"\(3, 5, 5\), \(3, 4, 5\)"),
    (Concatenate(), [], ShapeError, "at least one"),
    (ReLU(), [(3,), (3,)], ShapeError, "takes one input, 2 were given"),
    (BatchNorm2d(), [(3,)], ShapeError, "BatchNorm2d takes"),
])
def test_inputs_that_do_not_fit_are_explained(layer, shapes, error, message):
    with pytest.raises(error, match=message):
        layer.output_shape(*shapes)


def test_every_layer_is_tried_here():
    kinds = {kind for kind in vars(layers).values() if isinstance(kind, type) and issubclass(kind, Layer)}
    assert kinds - {Layer} == {type(layer) for layer in EXAMPLES}
    assert all(kind.__base__ is Layer for kind in kinds - {Layer})


def test_every_layer_is_named_where_contributing_says(root):
    told = (root / "CONTRIBUTING.md").read_text().split("- **A layer**")[1].split("- **A network**")[0]
    everywhere, _ = told.split("Where it is not like the others")
    importing, *others = "cnncourse/onnx_import/", *(path for path in re.findall(r"`(\S+\.py)`", everywhere)
                                                    if "onnx_import" not in path)
    code = {path: (root / path).read_text() for path in others}
    code[importing] = "".join(path.read_text() for path in (root / importing).glob("*.py"))
    names = {type(layer).__name__ for layer in EXAMPLES}
    missing = {path: {name for name in names if not re.search(rf"\b{name}\b", text)} for path, text in code.items()}
    assert {path: lacking for path, lacking in missing.items() if lacking} == NOT_NAMED
    for path in re.findall(r"`(\S+\.py)`", told):
        assert (root / path).exists()


@many
@given(st.data())
def test_a_layer_takes_a_shape_or_says_why_not(data):
    layer = data.draw(st.sampled_from(EXAMPLES))
    shapes = data.draw(st.lists(st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple), min_size=1,
                                max_size=3))
    try:
        shape = layer.output_shape(*shapes)
    except CNNCourseError as error:
        assert len(str(error)) > 20
    else:
        assert all(length >= 1 for length in shape)
