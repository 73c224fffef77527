"""What strangers send takes a bounded part of the judge's time and memory, and what it trips over costs that alone."""

from __future__ import annotations

import time
import tracemalloc
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

from autograder.classroom.folding import folded, is_short
from autograder.exercises.contents import every, exercises, find
from autograder.judging.compare import compare, fits
from autograder.judging.judge import judge
from autograder.sandbox import wire
from autograder.sandbox.outcome import Ending, Outcome
from autograder.showing.html import feedback_outputs

ALL = exercises()
SOLVED = [exercise.name for exercise in every() if exercise.alternatives]
LARGEST = wire.MAX_BODY
SECONDS = 1.0
"""Of processor time, for one result that is as large as the wire lets pass; most take a hundredth."""


@contextmanager
def bounded(seconds: float, size: int):
    """That a piece of work takes no more processor time and memory than this."""
    tracemalloc.start()
    began = time.process_time()
    try:
        yield
        took, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert took < seconds, f"{took:.2f} s"
    assert peak < size, f"{peak >> 20} MiB"


class Returning:
    """A runner whose answers return what a function of the arguments gives."""

    def __init__(self, value):
        self.value = value

    def calls(self, answer, arguments):
        for given_ in arguments:
            yield Outcome(Ending.VALUE, self.value(answer, given_))


@st.composite
def large(draw):
    """A value as large as the wire allows, in any shape: of rows, flat, in tuples of tuples."""
    dtype = np.dtype(draw(st.sampled_from(["int8", "bool", "float16", "float64", "complex128"])))
    entries = LARGEST // dtype.itemsize
    kind = draw(st.sampled_from(["rows", "flat", "columns", "deep", "empty", "tuple", "tuples", "ragged", "text"]))
    if kind == "text":
        return "x" * (wire.MAX_HEADER // 2)
    if kind in ("tuple", "ragged"):
        parts = draw(st.integers(1, 4000))
        arrays = tuple(np.zeros((entries // parts, 1)[:draw(st.integers(1, 2))], dtype) for _ in range(parts))
        return arrays if kind == "tuple" else (*arrays[1:], 1.0)
    if kind == "tuples":
        return tuple(tuple(range(60)) for _ in range(60))
    shape = {"rows": (entries, 1), "flat": (entries,), "columns": (1, entries), "empty": (0, wire.MAX_SIDE),
             "deep": (*[1] * 15, entries)}[kind]
    return np.zeros(shape, dtype)


@st.composite
def expected_values(draw):
    """Something that a reference may return."""
    one = st.one_of(st.integers(-5, 5), st.floats(-5, 5), st.booleans(), st.just("same"), st.none(),
                    st.just(slice(1, 3)), st.builds(np.ones, st.sampled_from([(), (3,), (1, 1), (2, 3, 4)])))
    return draw(st.one_of(one, st.lists(one, max_size=4).map(tuple), st.just(((1, 2), (3, 4)))))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(expected_values(), large())
def test_a_result_as_large_as_the_wire_allows_is_refused_without_being_converted(expected, value):
    with bounded(SECONDS, 8 * LARGEST):
        assert not compare(expected, value).equal
        assert not fits(expected, value) or isinstance(value, type(expected))


def test_the_wire_lets_pass_many_times_what_exercises_hand_in_and_expect_and_not_more():
    largest = 0
    for exercise in every():
        for case in exercise.cases(0):
            expected = exercise.references[case.answer](*case.arguments)
            largest = max(largest, len(wire.pack({}, case.arguments)), len(wire.pack({}, expected)))
    assert 16 * largest < LARGEST < 256 * largest


EDGES = (1.7e308, -1.7e308, np.inf, -np.inf, np.nan, 5e-324, 1e154, -0.0, 6.5e4, 2.0 ** 63, -1.0, 0.5)
OTHER = (None, (), "text", slice(None), 10 ** 300, -1, 0.5, True, np.zeros(0), np.array(1 + 1j), (1, np.ones(3)),
         wire.Unsupported("thing"))


def strange(expected, edges, dtype, other):
    """A value built like the expected one, of numbers at the edge of what there is; its last part may be no number."""
    if isinstance(expected, tuple):
        return tuple(strange(part, edges, dtype, other if i == len(expected) - 1 else ()) for i, part in
                     enumerate(expected))
    if other:
        return other[0]
    if isinstance(expected, np.ndarray):
        with np.errstate(all="ignore"):
            return np.resize(np.array(edges), expected.shape).astype(dtype)
    return edges[0]


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(SOLVED) | st.sampled_from(ALL), st.lists(st.sampled_from(EDGES), min_size=1, max_size=4),
       st.sampled_from(["float64", "float32", "float16", "complex128", "int64", "bool"]),
       st.just(()) | st.sampled_from([(value,) for value in OTHER]))
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::numpy.exceptions.ComplexWarning")
def test_no_value_makes_the_judge_fail(name, edges, dtype, other):
    exercise = find(name)

    def value(answer, arguments):
        return strange(exercise.references[answer](*arguments), edges, dtype, other)

    result = judge(exercise, Returning(value), seed=3)
    assert not result.faults and not result.unexplained, (result.faults or (result.unexplained,))[0]
    assert feedback_outputs(result)


PIECES = st.sampled_from(["match", "case ", " ", "\n", "\\\n", "(", '"', '"""', "'", "f'{", "0_", "a.", "@a.", "{", "!",
                          "%", "?", "\t", ".", "*", "import ", "\r", "# ", "é", "x" * 500])


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(PIECES, st.sampled_from([1, 3, 40_000])), min_size=1, max_size=4))
def test_no_code_takes_long_to_highlight_as_it_is_shown(repeated):
    source = "".join(piece * times for piece, times in repeated)
    shown = folded(source)
    assert is_short(shown)
    began = time.process_time()
    highlight(shown, get_lexer_by_name("ipython3"), HtmlFormatter())
    assert time.process_time() - began < 5


def test_code_as_long_as_answers_are_is_shown_as_it_is():
    source = "def f(x):\n" + "    x = x + 1  # and again\n" * 200 + "    return x\n"
    assert folded(source) == source
    assert folded("x" * 301).startswith("x" * 300 + "  # ... and 1 more")
    assert folded("a = 1\n" * 5000).endswith("more lines, in the file that was handed in")
