"""Sizes, padding and receptive fields: the facts of the course, and the rules against counting by hand."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cnncourse
from cnncourse import geometry
from cnncourse.errors import ArgumentError, GeometryError
from cnncourse.geometry import Window
from tests import naive
from tests.cnncourse.randomly import many

small = st.integers(1, 5)
sides = st.tuples(st.integers(0, 3), st.integers(0, 3))


def test_importing_the_package_does_not_import_numba():
    code = "import sys, cnncourse.geometry; sys.exit('numba' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_functional_is_found_without_being_imported():
    assert cnncourse.functional.relu(np.float32([-1, 1])).tolist() == [0, 1]
    with pytest.raises(AttributeError, match="no attribute 'functionel'"):
        cnncourse.functionel  # noqa: B018


@pytest.mark.parametrize(("arguments", "expected"), [
    ((227, 11, 4), 55),
    ((32, 5, 1, 2), 32),
    ((7, 3, 2), 3),
    ((7, 3, 1), 5),
    ((224, 2, 2), 112),
    ((224, 11, 4, (1, 2)), 55),
    ((9, 3, 1, 0, 2), 5),
    ((5, 3, 2, "same"), 3),
    ((5, 3, 1, "valid"), 3),
    (((6, 8), (3, 2), 1, (1, 0)), (6, 7)),
    (((6, 8), 2, 2), (3, 4)),
    (((6, 8), (3, 2), (1, 2), ((1, 0), (0, 2))), (5, 5)),
    (([9, 8], 3, 1, "same", (2, 1)), (9, 8)),
])
def test_output_size_of_known_layers(arguments, expected):
    assert geometry.output_size(*arguments) == expected


def test_settings_that_do_not_fit_are_refused_with_the_numbers_and_the_nearest_that_fit():
    with pytest.raises(GeometryError) as refusal:
        geometry.output_size(10, 3, 2)
    assert str(refusal.value) == (
        "(10 - 3 + 2*0)/2 + 1 = 4.5 is not a whole number; stride 1 gives 8, padding (0, 1) gives 5, "
        "kernel_size 2 gives 5, input_size 9 gives 4; rounding 'floor' gives 4, 'ceil' gives 5")
    assert isinstance(refusal.value, ValueError)


@pytest.mark.parametrize(("arguments", "words"), [
    ((224, 11, 4), "(224 - 11 + 2*0)/4 + 1 = 54.25 is not a whole number"),
    ((224, 11, 4), "padding (1, 2) gives 55"),
    ((10, 4, 3, (1, 0), 2), "(10 - (2*(4 - 1) + 1) + 1 + 0)/3 + 1 = 2.333 is not"),
    ((3, 5), "a window of 5 does not fit into 3 + 0 + 0 = 3 padded inputs; padding 1 gives 1"),
    ((4, 3, 1, 0, 2), "3 taps with dilation 2, which spans 2*(3 - 1) + 1 = 5,"),
    ((3, 10**9), "no setting near these fits"),
    ((10**9, 3, 10**8 + 7), "+ 1 = 10.999"),
])
def test_the_refusal_shows_the_calculation(arguments, words):
    with pytest.raises(GeometryError) as refusal:
        geometry.output_size(*arguments)
    assert words in str(refusal.value)


@pytest.mark.parametrize(("call", "words"), [
    (lambda: geometry.output_size(0, 3), "input_size has to be a whole number of at least 1, 0 was given"),
    (lambda: geometry.output_size(8, 2.5), "kernel_size has to be a whole number of at least 1, 2.5 was given"),
    (lambda: geometry.output_size(8, 3, 0), "stride has to be a whole number of at least 1, 0 was given"),
    (lambda: geometry.output_size(8, True), "kernel_size has to be a whole number of at least 1, True was given"),
    (lambda: geometry.output_size(8, (3, 3)), "kernel_size has to be a whole number of at least 1, (3, 3) was given"),
    (lambda: geometry.output_size(8, 3, 1, -1), "padding has to be a whole number of at least 0, or two of them"),
    (lambda: geometry.output_size((8, 8), 3, 1, (1, -1)), "((top, bottom), (left, right))"),
    (lambda: geometry.output_size((8, 8), (3, 0)), "(vertical, horizontal); (3, 0) was given"),
    (lambda: geometry.output_size(8, 3, rounding="up"), "rounding has to be 'exact', 'floor' or 'ceil', 'up'"),
    (lambda: geometry.tensorflow_output_size(8, 3, padding="same"), "'SAME' or 'VALID', 'same' was given"),
    (lambda: geometry.onnx_output_size(8, 3, auto_pad="SAME"), "'SAME_UPPER' or 'SAME_LOWER', 'SAME' was given"),
    (lambda: geometry.receptive_field([(3, 1)]), "Window(kernel_size, stride, padding, dilation); (3, 1) was given"),
    (lambda: Window(0), "kernel_size has to be a whole number of at least 1, 0 was given"),
    (lambda: Window(3).taps(-1), "position has to be a whole number of at least 0, -1 was given"),
])
def test_a_setting_that_could_never_work_is_named_with_the_rule(call, words):
    with pytest.raises(ArgumentError) as refusal:
        call()
    assert words in str(refusal.value)


def test_whole_numbers_of_numpy_are_whole_numbers():
    assert geometry.output_size(np.int64(10), np.int32(3)) == 8


@many
@given(st.integers(1, 12), small, small, sides, small)
def test_output_size_counts_windows(size, kernel, stride, padding, dilation):
    extent = geometry.dilated_extent(kernel, dilation)
    count = len(naive.positions(size, kernel, stride, padding, dilation))
    if count == 0:
        for rounding in ("exact", "floor", "ceil"):
            with pytest.raises(GeometryError, match="does not fit"):
                geometry.output_size(size, kernel, stride, padding, dilation, rounding)
        return
    assert geometry.output_size(size, kernel, stride, padding, dilation, "floor") == count
    left_over = size + sum(padding) - ((count - 1) * stride + extent)
    assert geometry.output_size(size, kernel, stride, padding, dilation, "ceil") == count + (left_over > 0)
    assert geometry.fits(size, kernel, stride, padding, dilation) == (left_over == 0)
    if left_over == 0:
        assert geometry.output_size(size, kernel, stride, padding, dilation) == count


@many
@given(st.integers(1, 12), small, small, sides, small)
def test_the_nearest_settings_fit_and_none_is_nearer(size, kernel, stride, padding, dilation):
    given_settings = {"input_size": size, "kernel_size": kernel, "stride": stride, "padding": padding,
                      "dilation": dilation}
    offers = geometry.nearest_fits(**given_settings)
    assert (offers == ()) == geometry.fits(**given_settings)
    for offer in offers:
        changed = given_settings | {offer.setting: offer.value}
        assert geometry.output_size(**changed) == offer.output_size
        if offer.setting != "padding":
            now = given_settings[offer.setting]
            for nearer in range(max(1, now - abs(offer.value - now) + 1), now + abs(offer.value - now)):
                assert not geometry.fits(**given_settings | {offer.setting: nearer})
    if offers:
        assert {"padding", "input_size"} <= {offer.setting for offer in offers}


@many
@given(st.integers(1, 12), small, small, small)
def test_same_padding_gives_as_many_positions_as_strides_fit(size, kernel, stride, dilation):
    before, after = geometry.same_padding(size, kernel, stride, dilation)
    assert after - before in (0, 1)
    assert geometry.output_size(size, kernel, stride, (before, after), dilation, "floor") == -(-size // stride)
    if before + after:  # one less would be too little
        shorter = len(naive.positions(size, kernel, stride, (before, after - 1), dilation))
        assert shorter < -(-size // stride)


@pytest.mark.parametrize(("rule", "arguments", "expected"), [
    (geometry.caffe_conv_output_size, (10, 3, 2), 4),
    (geometry.caffe_pool_output_size, (10, 3, 2), 5),
    (geometry.caffe_pool_output_size, (112, 3, 2), 56),  # GoogLeNet's pools, where PyTorch's floor gives 55
    (geometry.caffe_pool_output_size, (4, 2, 2, 1), 3),
    (geometry.caffe_pool_output_size, (3, 2, 2, 1), 2),  # the third window would start in the padding
    (geometry.caffe_pool_output_size, (4, 1, 4), 2),  # without padding the window outside is kept
    (geometry.tensorflow_output_size, (10, 3, 2), 4),
    (geometry.tensorflow_output_size, (10, 3, 2, 1, "SAME"), 5),
    (geometry.tensorflow_padding, (10, 3, 2), (0, 1)),
    (geometry.tensorflow_padding, (224, 7, 2), (2, 3)),
    (geometry.tensorflow_padding, (224, 7, 2, 1, "VALID"), (0, 0)),
    (geometry.pytorch_conv_output_size, (224, 11, 4, 2), 55),
    (geometry.pytorch_conv_output_size, (7, 4, 1, "same", 2), 7),
    (geometry.pytorch_pool_output_size, (10, 3, 2), 4),
    (geometry.pytorch_pool_output_size, (10, 3), 3),
    (geometry.onnx_output_size, (10, 3, 2), 4),
    (geometry.onnx_padding, (10, 3, 2), (0, 1)),
    (geometry.onnx_padding, (10, 3, 2, 1, "SAME_LOWER"), (1, 0)),
    (geometry.onnx_padding, (10, 3, 2, 1, "VALID"), (0, 0)),
])
def test_each_library_has_its_rule(rule, arguments, expected):
    assert rule(*arguments) == expected


def test_one_input_of_ten_shows_that_the_libraries_differ():
    assert geometry.pytorch_pool_output_size(10, 3, 2, ceil_mode=True) == 5
    assert geometry.onnx_output_size(10, 3, 2, ceil_mode=True) == 5
    assert geometry.onnx_output_size(10, 3, 2, auto_pad="SAME_LOWER") == 5
    assert geometry.onnx_output_size(10, 3, 2, auto_pad="VALID", ceil_mode=True) == 4


def test_pooling_rounds_up_like_counting_by_hand():
    """Every small setting; a window that starts past the input is dropped, one that is cut off is kept."""
    for size, kernel, stride, pad in itertools.product(range(1, 9), range(1, 5), range(1, 6), range(3)):
        if pad > kernel // 2:
            with pytest.raises(GeometryError, match=f"kernel_size {kernel} allows {kernel // 2}"):
                geometry.pytorch_pool_output_size(size, kernel, stride, pad, ceil_mode=True)
            continue
        missing = kernel - size - 2 * pad
        if missing >= stride:
            with pytest.raises(GeometryError, match="does not fit"):
                geometry.pytorch_pool_output_size(size, kernel, stride, pad, ceil_mode=True)
            continue
        count = len(naive.positions(size, kernel, stride, (pad, pad), 1, ceil_mode=True))
        assert geometry.pytorch_pool_output_size(size, kernel, stride, pad, ceil_mode=True) == count
        assert geometry.onnx_output_size(size, kernel, stride, pad, ceil_mode=True) == count
        if 0 < pad < kernel:
            assert geometry.caffe_pool_output_size(size, kernel, stride, pad) == count


@pytest.mark.parametrize(("call", "words"), [
    (lambda: geometry.caffe_pool_output_size(8, 3, 1, 3), "padding 3 and kernel_size 3 were given, padding 2"),
    (lambda: geometry.pytorch_conv_output_size(8, 3, 2, "same"), "same_padding(8, 3, 2, 1)"),
    (lambda: geometry.tensorflow_output_size(2, 3), "does not fit"),
    (lambda: geometry.onnx_output_size(2, 3, auto_pad="VALID"), "does not fit"),
    (lambda: geometry.caffe_conv_output_size(2, 3), "does not fit"),
])
def test_what_a_library_refuses_is_refused(call, words):
    with pytest.raises(GeometryError) as refusal:
        call()
    assert words in str(refusal.value)


def test_dilations_one_two_four_see_fifteen_inputs_and_three_plain_layers_seven():
    dilated = [Window(3, dilation=d) for d in (1, 2, 4)]
    assert geometry.receptive_field(dilated).size == 15
    assert geometry.inputs_seen(dilated) == tuple(range(15))
    assert geometry.receptive_field([Window(3)] * 3).size == 7


def test_the_same_dilation_again_and_again_leaves_gaps():
    assert geometry.inputs_seen([Window(3, dilation=2)] * 2) == (0, 2, 4, 6, 8)
    assert geometry.receptive_field([Window(3, dilation=2)] * 2).size == 9


def test_a_stack_without_layers_sees_its_own_input():
    assert geometry.receptive_field([]) == geometry.ReceptiveField(1, 1, 0)
    assert geometry.inputs_seen([], 3) == (3,)


def test_the_field_of_a_strided_stack():
    field = geometry.receptive_field([Window(7, 2, 3), Window(3, 2, 1), Window(3, 1, 1)])
    assert (field.size, field.jump, field.start, field.center) == (19, 4, -9, 0.0)
    assert field.input_range(0) == (-9, 10)
    assert field.input_range(0, 224) == (0, 10)
    assert field.input_range(55, 224) == (211, 224)
    assert field.input_range(100, 224) == (224, 224)
    assert Window(3, 2, 1, 2).taps(2) == (3, 5, 7)


stacks = st.lists(st.builds(Window, st.integers(1, 4), st.integers(1, 3), sides, st.integers(1, 3)), min_size=1,
                  max_size=3)


@many
@given(stacks, st.integers(0, 4))
def test_the_field_spans_exactly_the_inputs_that_are_seen(layers, position):
    seen = geometry.inputs_seen(layers, position)
    first, stop = geometry.receptive_field(layers).input_range(position)
    assert (seen[0], seen[-1]) == (first, stop - 1)


@many
@given(stacks, st.integers(1, 25))
def test_inputs_seen_are_those_that_change_the_output(layers, size):
    from cnncourse import functional as F

    def through(x):
        for layer in layers:
            padding = layer.padding if isinstance(layer.padding, tuple) else (layer.padding, layer.padding)
            weight = np.ones((1, 1, 1, layer.kernel_size))
            x = F.conv2d(x, weight, stride=(1, layer.stride), padding=((0, 0), padding), dilation=(1, layer.dilation))
        return x

    try:
        outputs = through(np.zeros((1, 1, 1, size))).shape[3]
    except GeometryError:
        with pytest.raises(GeometryError):
            geometry.inputs_seen(layers, 0, size)
        return
    responses = through(np.eye(size).reshape(size, 1, 1, size))[:, 0, 0]
    for position in {0, outputs - 1}:
        assert geometry.inputs_seen(layers, position, size) == tuple(np.flatnonzero(responses[:, position]))
