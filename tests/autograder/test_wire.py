"""Values as bytes: what goes in comes out, and bytes of strangers are refused, never believed."""

from __future__ import annotations

import contextlib
import io
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from autograder.sandbox import wire
from tests.effort import examples

NUMBERS = st.one_of(st.booleans(), st.integers(-2 ** 900, 2 ** 900), st.floats(), st.text(max_size=20), st.none())
SHAPES = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
ARRAYS = arrays.arrays(st.sampled_from(list(wire.DTYPES.values())), SHAPES)
VALUES = st.recursive(NUMBERS | ARRAYS, lambda inner: st.lists(inner, max_size=4).map(tuple), max_leaves=8)


def same(one, other) -> bool:
    if isinstance(one, np.ndarray):
        return (isinstance(other, np.ndarray) and one.dtype == other.dtype and one.shape == other.shape
                and one.tobytes() == other.tobytes())
    if isinstance(one, tuple):
        return isinstance(other, tuple) and len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and (one == other or one != one)


@settings(max_examples=examples(100), deadline=None)
@given(VALUES)
def test_a_value_comes_back_as_it_was(value):
    assert same(value, wire.copy(value))


@pytest.mark.parametrize("array", [np.ones((3, 4)), np.asfortranarray(np.ones((3, 4))), np.ones((3, 8))[:, ::2]])
def test_a_copy_keeps_the_layout_and_shares_no_memory(array):
    copy = wire.copy(array)
    assert (copy.flags.c_contiguous, copy.flags.f_contiguous) == (array.flags.c_contiguous, array.flags.f_contiguous)
    assert not np.shares_memory(copy, array)


@settings(max_examples=examples(300), deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes_are_a_message_or_refused(data):
    with contextlib.suppress(wire.MalformedError):
        wire.read_frame(io.BytesIO(data).read)


@settings(max_examples=examples(300), deadline=None)
@given(VALUES, st.data())
def test_a_message_with_flipped_bytes_is_a_message_or_refused(value, data):
    frame = bytearray(wire.pack({"kind": "value"}, value))
    for _ in range(data.draw(st.integers(1, 4))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(wire.MalformedError):
        wire.read_frame(io.BytesIO(bytes(frame)).read)


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
                    | st.sampled_from(["array", "float64", "C", "int", "float", "inf", "strided", "9" * 500]),
                    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
                        st.sampled_from(["value", "array", "number", "kind", "tuple", "slice", "text", "none"]), inner),
                    max_leaves=12)


@settings(max_examples=examples(300), deadline=None)
@given(JSON, st.binary(max_size=64))
def test_any_header_is_a_value_or_refused(header, body):
    with contextlib.suppress(wire.MalformedError):
        wire.unpack(json.dumps(header).encode(), body)


@pytest.mark.parametrize("shape", [[-1], [2 ** 62], [2 ** 31, 2 ** 31], [1] * 40, [1.5], ["3"], 3, [True], [10 ** 30]])
def test_shapes_that_lie_are_refused_before_anything_is_allocated(shape):
    header = json.dumps({"value": {"array": ["float64", shape, "C"]}}).encode()
    with pytest.raises(wire.MalformedError):
        wire.unpack(header, b"\0" * 8)


@pytest.mark.parametrize("name", ["object", "O", "|V8", "datetime64", "<U4", None, 5, []])
def test_kinds_of_arrays_that_no_exercise_asks_for_are_refused(name):
    with pytest.raises(wire.MalformedError):
        wire.unpack(json.dumps({"value": {"array": [name, [1], "C"]}}).encode(), b"\0" * 8)


@pytest.mark.parametrize("digits", [400, 4000])
def test_numbers_that_are_too_long_are_refused(digits):
    with pytest.raises(wire.MalformedError):
        wire.unpack(b'{"value": ' + b"9" * digits + b"}", b"")


def test_byte_orders_of_other_machines_and_subclasses_of_arrays_arrive_as_plain_arrays():
    class Own(np.ndarray):
        pass

    foreign = wire.copy(np.arange(6.0, dtype=">f8").reshape(2, 3).T)
    assert foreign.dtype == np.dtype("float64") and foreign.flags.f_contiguous
    assert foreign.tolist() == [[0, 3], [1, 4], [2, 5]]
    assert type(wire.copy(np.ones(2).view(Own))) is np.ndarray


@pytest.mark.parametrize("write, expected", [
    (lambda x: None, []), (lambda x: x.fill(np.nan), []), (lambda x: x.fill(1), [1]),
    (lambda x: x.resize(3, refcheck=False), [1]),
    (lambda x: setattr(x, "shape", (3, 2)), [1]), (lambda x: setattr(x, "dtype", np.int64), [1]),
])
def test_what_a_call_has_written_into_is_found(write, expected):
    arguments = (7, np.full((2, 3), np.nan), np.zeros(3))
    before = wire.snapshots(arguments)
    write(arguments[1])
    arguments[2][:] = -0.0
    assert wire.changed(before) == expected


ARGUMENTS = st.lists(st.recursive(ARRAYS, lambda inner: st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(
    tuple), max_leaves=6), min_size=1, max_size=4).map(tuple)


def arrays_in(value):
    return [value] if isinstance(value, np.ndarray) else [array for part in value for array in arrays_in(part)]


@settings(deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(ARGUMENTS, st.data())
def test_a_write_into_any_array_in_the_arguments_is_found_and_each_argument_is_named_once(arguments, data):
    at = data.draw(st.integers(0, len(arguments) - 1))
    inside = [array for array in arrays_in(arguments[at]) if array.size]
    assume(inside)
    before = wire.snapshots(arguments)
    array = data.draw(st.sampled_from(inside))
    place = data.draw(st.integers(0, array.size - 1))
    array.flat[place] = array.flat[place] == 0  # 1 where 0 was, and 0 where it was not
    assert wire.changed(before) == [at]


def test_a_claimed_length_beyond_the_limit_is_refused_before_reading():
    def read(count: int) -> bytes:
        assert count < wire.MAX_BODY
        return wire.PREFIX.pack(2 ** 31, 2 ** 60)[:count]

    with pytest.raises(wire.MalformedError, match="too much"):
        wire.read_frame(read)


def test_a_formula_travels_to_the_sandbox_and_never_out_of_it():
    frame = wire.pack({}, (wire.Formula("lambda x: np.sum(x ** 2)"), 3.0))
    _, (formula, _) = wire.read_frame(io.BytesIO(frame).read, formulas=True)
    assert formula(np.array([3.0, 4.0])) == 25
    with pytest.raises(wire.MalformedError, match="no known kind"):
        wire.read_frame(io.BytesIO(frame).read)
