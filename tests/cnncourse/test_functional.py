"""What every operation keeps to: gradients, memory it is given, and the words for what it cannot take."""

import numpy as np
import pytest

from cnncourse import functional as F
from cnncourse.errors import ArgumentError, ArrayTypeError, CNNCourseError, GeometryError, ShapeError
from tests import naive
from tests.cnncourse.randomly import DTYPES, upstream

RNG = np.random.default_rng(1)
X = RNG.standard_normal((2, 4, 6, 7))
WEIGHT = RNG.standard_normal((6, 2, 3, 2))
BIAS = RNG.standard_normal(6)
CONV = {"stride": (2, 1), "padding": ((2, 0), (1, 3)), "dilation": (1, 2), "groups": 2}
COLUMNS = {"stride": (1, 2), "padding": ((0, 2), (1, 0)), "dilation": (2, 1)}
POOL = ((3, 2), (2, 3), ((1, 1), (0, 1)))
LOCAL = {"stride": (2, 3), "padding": ((1, 0), (0, 2))}
UNSHARED, UNSHARED_BIAS = RNG.standard_normal((3, 3, 2, 4, 3, 2)), RNG.standard_normal((2, 3, 3))
SCALE, SHIFT, MEANS, VARIANCES = RNG.standard_normal(4), RNG.standard_normal(4), RNG.standard_normal(4), RNG.random(4)
RESPONSE = (3, 0.5, 0.6, 1.5)
FEATURES, MATRIX = RNG.standard_normal((3, 5)), RNG.standard_normal((4, 5))

OPERATIONS = {
    "conv2d": (lambda x, w, b: F.conv2d(x, w, b, **CONV), (X, WEIGHT, BIAS)),
    "max_pool2d": (lambda x: F.max_pool2d(x, *POOL, ceil_mode=True), (X,)),
    "avg_pool2d": (lambda x: F.avg_pool2d(x, *POOL, ceil_mode=True), (X,)),
    "lp_pool2d": (lambda x: F.lp_pool2d(x, 2, *POOL, ceil_mode=True), (X,)),
    "im2col": (lambda x: F.im2col(x, (2, 3), **COLUMNS), (X,)),
    "col2im": (lambda c: F.col2im(c, (6, 7), (2, 3), **COLUMNS), (F.im2col(X, (2, 3), **COLUMNS),)),
    "linear": (F.linear, (FEATURES, MATRIX, BIAS[:4])),
    "relu": (F.relu, (X,)),
    "tanh": (F.tanh, (X,)),
    "sigmoid": (F.sigmoid, (X,)),
    "dropout": (lambda x: dropped(x)[0], (X,)),
    "softmax": (F.softmax, (X,)),
    "global_avg_pool2d": (F.global_avg_pool2d, (X,)),
    "batch_norm": (lambda x, w, b: F.batch_norm(x, w, b, *running(x)), (X, SCALE, SHIFT)),
    "batch_norm in training": (lambda x, w, b: F.batch_norm(x, w, b, training=True)[0], (X, SCALE, SHIFT)),
    "local_response_norm": (lambda x: F.local_response_norm(x, *RESPONSE), (X,)),
    "locally_connected2d": (lambda x, w, b: F.locally_connected2d(x, w, b, **LOCAL), (X, UNSHARED, UNSHARED_BIAS)),
    "concatenate": (lambda x, y: F.concatenate([x, y]), (X, X[:, 1:])),
    "add": (F.add, (X, X[::-1])),
}
BACKWARD = {
    "conv2d": lambda g, x, w, b: F.conv2d_backward(g, x, w, **CONV),
    "max_pool2d": lambda g, x: (F.max_pool2d_backward(g, x, *POOL, ceil_mode=True),),
    "avg_pool2d": lambda g, x: (F.avg_pool2d_backward(g, x, *POOL, ceil_mode=True),),
    "lp_pool2d": lambda g, x: (F.lp_pool2d_backward(g, x, 2, *POOL, ceil_mode=True),),
    "im2col": lambda g, x: (F.col2im(g, (6, 7), (2, 3), **COLUMNS),),
    "col2im": lambda g, c: (F.im2col(g, (2, 3), **COLUMNS),),
    "linear": lambda g, x, w, b: F.linear_backward(g, x, w),
    "relu": lambda g, x: (F.relu_backward(g, x),),
    "tanh": lambda g, x: (F.tanh_backward(g, F.tanh(x)),),
    "sigmoid": lambda g, x: (F.sigmoid_backward(g, F.sigmoid(x)),),
    "dropout": lambda g, x: (F.dropout_backward(g, dropped(x)[1], 0.4),),
    "softmax": lambda g, x: (F.softmax_backward(g, F.softmax(x)),),
    "global_avg_pool2d": lambda g, x: (F.global_avg_pool2d_backward(g, x),),
    "batch_norm": lambda g, x, w, b: F.batch_norm_backward(g, x, w, *running(x)),
    "batch_norm in training": lambda g, x, w, b: F.batch_norm_backward(g, x, w, training=True),
    "local_response_norm": lambda g, x: (F.local_response_norm_backward(g, x, *RESPONSE),),
    "locally_connected2d": lambda g, x, w, b: F.locally_connected2d_backward(g, x, w, **LOCAL),
    "concatenate": lambda g, x, y: F.concatenate_backward(g, [x.shape[1], y.shape[1]]),
    "add": lambda g, x, y: (g.copy(), g.copy()),
}
IN_PLACE = {
    "relu": (F.relu, (X,)),
    "tanh": (F.tanh, (X,)),
    "sigmoid": (F.sigmoid, (X,)),
    "add": (F.add, (X, X[::-1])),
    "add of three": (F.add, (X, X[::-1], X)),
    "batch_norm": (lambda x, out=None: F.batch_norm(x, SCALE, SHIFT, *running(x), out=out), (X,)),
    "batch_norm in training": (lambda x, out=None: F.batch_norm(x, SCALE, SHIFT, training=True, out=out)[0], (X,)),
    "relu_backward": (F.relu_backward, (X[::-1], X)),
    "tanh_backward": (F.tanh_backward, (X[::-1], np.tanh(X))),
    "sigmoid_backward": (F.sigmoid_backward, (X[::-1], np.tanh(X))),
    "batch_norm_backward": (lambda g, x, out=None: F.batch_norm_backward(g, x, SCALE, training=True, out=out)[0],
                            (X[::-1], X)),
}


def dropped(x):
    return F.dropout(x, 0.4, np.random.default_rng(6))


def running(x):
    return MEANS.astype(x.dtype), VARIANCES.astype(x.dtype)


def gradients(name, *arrays):
    out = OPERATIONS[name][0](*arrays)
    return BACKWARD[name](upstream(out), *arrays)


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_gradient_is_the_slope(name):
    operation, arrays = OPERATIONS[name]
    grad_out = upstream(operation(*arrays))
    for position, found in enumerate(BACKWARD[name](grad_out, *arrays)):
        def of_one(value, position=position):
            return operation(*arrays[:position], value, *arrays[position + 1:])
        slope = naive.numerical_gradient(of_one, arrays[position], grad_out)
        np.testing.assert_allclose(found, slope, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", IN_PLACE)
def test_a_result_may_overwrite_its_first_argument(name):
    operation, (first, *others) = IN_PLACE[name]
    first = np.repeat(first, 30, axis=0)  # more than one block of a kernel
    others = [np.repeat(other, 30, axis=0) for other in others]
    expected = operation(first, *others)
    copy = first.copy()
    assert operation(copy, *others, out=copy) is copy
    np.testing.assert_array_equal(copy, expected)
    room = np.full_like(first, np.nan)
    assert operation(first, *others, out=room) is room
    np.testing.assert_array_equal(room, expected)


@pytest.mark.parametrize("power", [1, 2.5, 3, np.inf])
def test_the_gradient_of_other_norms_is_the_slope(power):
    x = np.abs(X[:1, :2]) + 0.1
    grad_out = upstream(F.lp_pool2d(x, power, *POOL))
    slope = naive.numerical_gradient(lambda x: F.lp_pool2d(x, power, *POOL), x, grad_out)
    np.testing.assert_allclose(F.lp_pool2d_backward(grad_out, x, power, *POOL), slope, rtol=1e-6, atol=1e-8)


def reversed_in_memory(array):
    return np.flip(np.flip(array).copy())


def every_second(array):
    room = np.full(tuple(2 * size for size in array.shape), np.nan, array.dtype)
    view = room[tuple(slice(None, None, 2) for _ in array.shape)]
    view[...] = array
    return view


def read_only(array):
    locked = array.copy()
    locked.flags.writeable = False
    return locked


@pytest.mark.parametrize("layout", [np.asfortranarray, reversed_in_memory, every_second, read_only])
@pytest.mark.parametrize("name", OPERATIONS)
def test_the_layout_in_memory_does_not_matter(name, layout):
    operation, arrays = OPERATIONS[name]
    other = [layout(array) for array in arrays]
    np.testing.assert_allclose(operation(*other), operation(*arrays), rtol=1e-12, atol=1e-12)
    out = operation(*arrays)
    found = BACKWARD[name](layout(upstream(out)), *other)
    for one, expected in zip(found, BACKWARD[name](upstream(out), *arrays), strict=True):
        np.testing.assert_allclose(one, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", OPERATIONS)
def test_inputs_stay_as_they_are_and_results_are_new_arrays_of_their_precision(name, dtype):
    operation, arrays = OPERATIONS[name]
    arrays = tuple(array.astype(dtype) for array in arrays)
    before = [array.copy() for array in arrays]
    out = operation(*arrays)
    grad_out = upstream(out)
    grad_before = grad_out.copy()
    results = (out, *BACKWARD[name](grad_out, *arrays))
    for array, copy in zip((*arrays, grad_out), (*before, grad_before), strict=True):
        np.testing.assert_array_equal(array, copy)
    for result in results:
        assert result.dtype == dtype
        assert result.flags.c_contiguous
        assert not any(np.shares_memory(result, given) for given in (*arrays, grad_out))


def test_weights_that_are_shared_collect_over_positions_and_images():
    _, grad_weight, grad_bias = F.conv2d_backward(np.ones((3, 1, 2, 4)), np.ones((3, 1, 3, 5)), np.ones((1, 1, 2, 2)))
    assert grad_weight.tolist() == [[[[24, 24], [24, 24]]]]
    assert grad_bias.tolist() == [24]


def test_of_equal_values_the_first_gets_the_gradient():
    x = np.array([[[[1.0, 2.0, 2.0], [2.0, 0.0, 2.0]]]])
    out, indices = F.max_pool2d(x, 2, 1, return_indices=True)
    assert out.tolist() == [[[[2, 2]]]]
    assert indices.tolist() == [[[[1, 1]]]]
    assert F.max_pool2d_backward(np.array([[[[3.0, 4.0]]]]), x, 2, 1).tolist() == [[[[0, 7, 0], [0, 0, 0]]]]


def test_relu_passes_nothing_back_at_zero_and_keeps_nan():
    x = np.array([-1.0, 0.0, 2.0, np.nan])
    np.testing.assert_array_equal(F.relu(x), [0, 0, 2, np.nan])
    assert F.relu_backward(np.array([5.0, 6, 7, 8]), x).tolist() == [0, 0, 7, 8]


def test_padding_never_wins_a_maximum_but_counts_in_an_average():
    x = np.full((1, 1, 2, 2), -8.0)
    assert (F.max_pool2d(x, 2, 2, 1) == -8).all()
    assert (F.avg_pool2d(x, 2, 2, 1) == -2).all()
    assert (F.avg_pool2d(x, 2, 2, 1, count_include_pad=False) == -8).all()


def test_the_infinite_norm_is_the_largest_magnitude_with_its_sign_in_the_gradient():
    x = np.array([[[[1.0, -5.0], [4.0, 3.0]]]])
    assert F.lp_pool2d(x, np.inf, 2).item() == 5
    assert F.lp_pool2d_backward(np.array([[[[2.0]]]]), x, np.inf, 2).tolist() == [[[[0, -2], [0, 0]]]]


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name not in ("concatenate", "add")])
def test_a_batch_without_samples_stays_one(name):
    operation, (x, *others) = OPERATIONS[name]
    full, empty = operation(x, *others), operation(x[:0], *others)
    assert empty.shape == (0, *full.shape[1:])
    assert gradients(name, x[:0], *others)[0].shape == (0, *x.shape[1:])


def zeros(*shape, dtype=np.float32):
    return np.zeros(shape, dtype)


IMAGES, FILTERS = zeros(2, 3, 8, 8), zeros(5, 3, 3, 3)
REFUSALS = [
    (lambda: F.conv2d(IMAGES, zeros(5, 4, 3, 3)), ShapeError,
     "conv2d: weight has 4 input channels and x has 3 (x: (2, 3, 8, 8), weight: (5, 4, 3, 3), groups=1); weight has to "
     "have shape (out_channels, 3, kernel_height, kernel_width)"),
    (lambda: F.conv2d(IMAGES, FILTERS, groups=2), ShapeError, "groups has to divide the 3 channels of x and the 5"),
    (lambda: F.conv2d(IMAGES, FILTERS, zeros(4)), ShapeError, "bias has 4 entries and weight 5 filters"),
    (lambda: F.conv2d(IMAGES, FILTERS, zeros(5, 1)), ShapeError, "bias has to have 1 dimension"),
    (lambda: F.conv2d(IMAGES[0], FILTERS), ShapeError, "conv2d: x has to have 4 dimensions, its shape is (3, 8, 8)"),
    (lambda: F.conv2d(IMAGES.tolist(), FILTERS), ArrayTypeError, "x has to be an array of float32 or float64, a list"),
    (lambda: F.conv2d(IMAGES.astype(int), FILTERS), ArrayTypeError, "an array of int64 was given; x.astype"),
    (lambda: F.conv2d(IMAGES.astype(np.float16), FILTERS), ArrayTypeError, "an array of float16 was given"),
    (lambda: F.conv2d(IMAGES.astype(complex), FILTERS), ArrayTypeError, "an array of complex128 was given"),
    (lambda: F.conv2d(IMAGES, FILTERS.astype(float)), ArrayTypeError,
     "conv2d: weight is float64 and x is float32; both have to be the same: weight.astype(np.float32)"),
    (lambda: F.conv2d(IMAGES, FILTERS, zeros(5, dtype=float)), ArrayTypeError, "bias is float64 and x is float32"),
    (lambda: F.conv2d(IMAGES, zeros(5, 3, 9, 3)), GeometryError,
     "conv2d: along the height, a window of 9 does not fit into 8 + 0 + 0 = 8 padded inputs; padding"),
    (lambda: F.conv2d(IMAGES, FILTERS, dilation=(1, 4)), GeometryError,
     "conv2d: along the width, a window of 3 taps with dilation 4, which spans 4*(3 - 1) + 1 = 9, does not fit"),
    (lambda: F.conv2d(zeros(1, 3, 0, 8), FILTERS, padding=2), ShapeError, "conv2d: the height of the input is 0"),
    (lambda: F.conv2d(IMAGES, FILTERS, stride=0), ArgumentError, "conv2d: stride has to be a whole number of at"),
    (lambda: F.conv2d(IMAGES, FILTERS, stride=(1, 2, 3)), ArgumentError, "(1, 2, 3) was given"),
    (lambda: F.conv2d(IMAGES, FILTERS, padding=-1), ArgumentError, "with whole numbers of at least 0; -1 was given"),
    (lambda: F.conv2d(IMAGES, FILTERS, padding="full"), ArgumentError, "'same' or 'valid'; 'full' was given"),
    (lambda: F.conv2d(IMAGES, FILTERS, groups=0), ArgumentError, "conv2d: groups has to be a whole number of at"),
    (lambda: F.conv2d_backward(zeros(2, 5, 6, 5), IMAGES, FILTERS), ShapeError,
     "conv2d_backward: grad_out has shape (2, 5, 6, 5); with these settings the output has (2, 5, 6, 6)"),
    (lambda: F.max_pool2d(IMAGES, 3, 1, 2), GeometryError, "padding 2 + 2 for a kernel of 3"),
    (lambda: F.max_pool2d(IMAGES, 3, 1, ((0, 3), (0, 0))), GeometryError, "padding 0 + 3 for a kernel of 3"),
    (lambda: F.avg_pool2d(IMAGES, (2, 9)), GeometryError, "avg_pool2d: along the width, a window of 9 does not fit"),
    (lambda: F.avg_pool2d(IMAGES, 0), ArgumentError, "avg_pool2d: kernel_size has to be a whole number of at least 1"),
    (lambda: F.max_pool2d_backward(zeros(2, 3, 4, 4), IMAGES, 2, indices=zeros(2, 3, 4, 4)), ArgumentError,
     "indices has to be whole numbers of shape (2, 3, 4, 4)"),
    (lambda: F.max_pool2d_backward(zeros(2, 3, 4, 4), IMAGES, 2, indices=np.full((2, 3, 4, 4), 64)), ArgumentError,
     "from 64 to 64"),
    (lambda: F.avg_pool2d_backward(zeros(2, 3, 4, 4, dtype=float), IMAGES, 2), ArrayTypeError, "grad_out is float64"),
    (lambda: F.lp_pool2d(IMAGES, 0, 2), ArgumentError, "norm_type has to be above 0, 0 was given"),
    (lambda: F.lp_pool2d(IMAGES, np.nan, 2), ArgumentError, "norm_type has to be above 0, nan was given"),
    (lambda: F.im2col(IMAGES, 9), GeometryError, "im2col: along the height, a window of 9 does not fit"),
    (lambda: F.col2im(zeros(1, 7, 9), 4, 2), ShapeError, "it has to be (samples, channels * 4, 9)"),
    (lambda: F.col2im(zeros(1, 8, 9), 5, 2), ShapeError, "it has to be (samples, channels * 4, 16)"),
    (lambda: F.linear(zeros(2, 5), zeros(3, 4)), ShapeError, "x has 5 features and weight takes 4"),
    (lambda: F.linear(zeros(2, 4), zeros(3, 4), zeros(4)), ShapeError, "bias has 4 entries, weight 3 rows"),
    (lambda: F.relu([1.0]), ArrayTypeError, "relu: x has to be an array of float32 or float64, a list was given"),
    (lambda: F.relu_backward(zeros(3), zeros(2)), ShapeError, "relu_backward: grad_out has shape (3,)"),
    (lambda: F.relu(zeros(3), out=zeros(2)), ShapeError, "relu: out has shape (2,), the result has (3,)"),
    (lambda: F.relu(zeros(3), out=zeros(3, dtype=float)), ArrayTypeError, "relu: out is float64 and x is float32"),
    (lambda: F.relu(zeros(3), out=zeros(6)[::2]), ArrayTypeError, "out has to be writeable C-contiguous memory"),
    (lambda: F.tanh_backward(zeros(3, dtype=float), zeros(3)), ArrayTypeError, "grad_out is float64 and y is float32"),
    (lambda: F.dropout(zeros(3), 1.5, np.random.default_rng(0)), ArgumentError,
     "dropout: p has to be a probability from 0 to 1, 1.5 was given"),
    (lambda: F.dropout(zeros(3), 0.5, np.random.RandomState(0)), ArgumentError,
     "generator has to be a np.random.Generator, a RandomState was given"),
    (lambda: F.dropout_backward(zeros(3), zeros(3), 0.5), ShapeError,
     "an array of bool and shape (3,), one of float32"),
    (lambda: F.softmax(zeros(3)), ArgumentError, "softmax: x of shape (3,) has no dimension 1"),
    (lambda: F.cross_entropy(zeros(3), np.zeros(3, int)), ShapeError, "logits has to have shape (samples, classes)"),
    (lambda: F.cross_entropy(zeros(2, 3), [0, 1]), ArgumentError, "targets has to be an array of whole numbers"),
    (lambda: F.cross_entropy(zeros(2, 3), zeros(2)), ArgumentError, "an array of float32 was given"),
    (lambda: F.cross_entropy(zeros(2, 3), np.zeros(3, int)), ShapeError,
     "targets has shape (3,); for logits of (2, 3) it has to have (2,)"),
    (lambda: F.cross_entropy_backward(zeros(2, 3), np.array([3, -1])), ArgumentError,
     "targets have to be from 0 to 2, there are some from -1 to 3"),
    (lambda: F.batch_norm(IMAGES), ArgumentError, "inference takes running_mean and running_var; training=True"),
    (lambda: F.batch_norm(IMAGES, training=True, running_mean=zeros(3)), ArgumentError, "given both, or neither"),
    (lambda: F.batch_norm(IMAGES, zeros(4), training=True), ShapeError, "weight has 4 entries and x 3 channels"),
    (lambda: F.batch_norm(IMAGES, eps=-1, training=True), ArgumentError, "eps has to be at least 0, -1 was given"),
    (lambda: F.batch_norm(zeros(1, 3, 1, 1), training=True), ShapeError, "more than one value for each channel"),
    (lambda: F.batch_norm(zeros(3)), ShapeError, "x has to have samples, channels and any further dimensions"),
    (lambda: F.local_response_norm(IMAGES, 0), ArgumentError, "size has to be a whole number of at least 1"),
    (lambda: F.global_avg_pool2d(zeros(1, 3, 0, 2)), ShapeError, "there is no mean of no entries"),
    (lambda: F.locally_connected2d(IMAGES, zeros(6, 6, 5, 4, 3, 3)), ShapeError,
     "weight has 4 input channels and x has 3"),
    (lambda: F.locally_connected2d(IMAGES, zeros(6, 5, 5, 3, 3, 3)), ShapeError,
     "weight has filters for (6, 5) positions; with these settings there are (6, 6)"),
    (lambda: F.locally_connected2d(IMAGES, zeros(6, 6, 5, 3, 3, 3), zeros(5, 6, 5)), ShapeError,
     "bias has shape (5, 6, 5); with 5 filters at each of (6, 6) positions it has to have (5, 6, 6)"),
    (lambda: F.concatenate([]), ArgumentError, "concatenate: at least 1 array is needed, 0 given"),
    (lambda: F.concatenate([IMAGES, IMAGES[:, :, 1:]]), ShapeError,
     "arrays may differ in the number of channels only, their shapes are (2, 3, 8, 8), (2, 3, 7, 8)"),
    (lambda: F.concatenate([IMAGES, IMAGES.astype(float)]), ArrayTypeError,
     "array 1 is float64 and array 0 is float32"),
    (lambda: F.concatenate_backward(IMAGES, [1, 3]), ShapeError, "with channels (1, 3) it has to have 4 channels"),
    (lambda: F.add(IMAGES), ArgumentError, "add: at least 2 arrays are needed, 1 given"),
    (lambda: F.add(IMAGES, IMAGES[:1]), ShapeError, "add: arrays have to have one shape"),
    (lambda: F.max_pool2d_backward(zeros(2, 3, 4, 4), IMAGES, 2, indices=[0]), ArgumentError, "a list was given"),
    (lambda: F.lp_pool2d(IMAGES, "2", 2), ArgumentError, "lp_pool2d: norm_type has to be a number, '2' was given"),
    (lambda: F.dropout(zeros(3), None, np.random.default_rng(0)), ArgumentError, "p has to be a number, None was"),
    (lambda: F.softmax(zeros(2, 3), None), ArgumentError, "softmax: dim has to be a whole number"),
    (lambda: F.softmax(zeros(2, 3), 1.0), ArgumentError, "softmax: dim has to be a whole number"),
    (lambda: F.cross_entropy_backward(zeros(2, 3), np.array([0, 1]), zeros(2)), ArgumentError,
     "cross_entropy_backward: grad_out has to be a number"),
    (lambda: F.batch_norm(IMAGES, training=True, eps="small"), ArgumentError, "eps has to be a number, 'small'"),
    (lambda: F.batch_norm(IMAGES, training=True, momentum=None), ArgumentError, "momentum has to be a number, None"),
    (lambda: F.batch_norm_backward(IMAGES, IMAGES, training=True, statistics=(0, 1)), ArgumentError,
     "statistics has to be what batch_norm returned in training, a tuple was given"),
    (lambda: F.local_response_norm(IMAGES, 5, "1e-4"), ArgumentError, "alpha has to be a number, '1e-4' was given"),
    (lambda: F.local_response_norm_backward(IMAGES, IMAGES, 5, k=None), ArgumentError, "k has to be a number, None"),
    (lambda: F.concatenate(IMAGES), ArgumentError, "a list or tuple of arrays is needed, a ndarray was given"),
    (lambda: F.concatenate_backward(IMAGES, 3), ArgumentError, "channels has to list how many each array had, 3 was"),
    (lambda: add_into_the_third(), ArgumentError, "out may be one of the first two arrays, not a later one"),
]


def add_into_the_third():
    third = zeros(2)
    F.add(zeros(2), zeros(2), third, out=third)


@pytest.mark.parametrize(("call", "kind", "words"), REFUSALS)
def test_a_refusal_names_the_argument_the_shapes_and_the_rule(call, kind, words):
    with pytest.raises(CNNCourseError) as refusal:
        call()
    assert type(refusal.value) is kind
    assert words in str(refusal.value)


@pytest.mark.parametrize("setting", ["stride", "padding", "dilation"])
def test_settings_beyond_what_positions_are_counted_in_are_refused(setting):
    x, weight = np.ones((1, 1, 5, 5)), np.ones((1, 1, 1, 1))
    with pytest.raises(ValueError, match="at most 2147483647"):
        F.conv2d(x, weight, **{setting: (2**31, 1)})
    assert F.conv2d(x, weight, stride=2**31 - 1).shape == (1, 1, 1, 1)
