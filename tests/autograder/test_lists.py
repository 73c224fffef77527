"""What a text calls a list is one when an answer gets it, at home and in grading."""

from __future__ import annotations

import ast
import inspect
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder import grade_answers
from autograder.assignment.cells import is_answer
from autograder.authoring.build import assignments, source_notebook
from autograder.errors import DeclarationError
from autograder.exercises.contents import every, find
from autograder.judging.exercise import Case, Misconception, exercise
from autograder.judging.judge import judge
from autograder.sandbox import wire
from autograder.sandbox.session import Cell, SandboxRunner
from tests.conftest import ROOT

WITH_LISTS = [one.name for one in every() if one.lists]
SAID = re.compile(r"^\s*((?:\w+, )*\w+)\s+(?:a list|lists) of", re.MULTILINE)
"""Where a docstring says of an argument that it is a list; "a list or a tuple" may be either."""

SETTINGS = '''\
def settings_that_fit(input_size, kernel_sizes, strides, paddings):
    sizes = kernel_sizes.copy() + []
    found = []
    while sizes:
        size = sizes.pop(0)
        for stride in strides + []:
            for padding in reversed(paddings):
                left = input_size + 2 * padding - size
                if left >= 0 and left % stride == 0:
                    found.append((size, stride, padding))
    order = [(k, s, p) for k in kernel_sizes for s in strides for p in paddings]
    kernel_sizes.clear()
    return sorted(found, key=order.index)
'''


def test_every_argument_that_a_text_calls_a_list_is_declared_as_one():
    said = {}
    for name in assignments(ROOT):
        for cell in source_notebook(ROOT, name).cells:
            if is_answer(cell) and cell.cell_type == "code":
                for node in ast.parse(cell.source).body:
                    if isinstance(node, ast.FunctionDef):
                        said[node.name] = {one for names in SAID.findall(ast.get_docstring(node) or "")
                                           for one in names.split(", ")}
    assert said["settings_that_fit"] == {"kernel_sizes", "strides", "paddings", "Returns"}
    for one in every():
        for answer in one.answers:
            assert said[answer] & set(one.parameter_names(answer)) <= set(one.lists), answer


@pytest.mark.parametrize("name", WITH_LISTS)
def test_an_answer_may_do_with_a_list_what_one_does_with_lists(name):
    declared = find(name)

    def answer_of(reference):
        def answer(*arguments):
            own = []
            for value, parameter in zip(arguments, inspect.signature(reference).parameters, strict=True):
                if parameter in declared.lists:
                    assert type(value) is list
                    own.append(tuple(value.copy().__add__([])))
                    value.append(None)
                    value.clear()
                else:
                    own.append(value)
            return reference(*own)
        return answer

    result = grade_answers(name, {answer: answer_of(reference) for answer, reference in declared.references.items()})
    assert result.passed, result.message


@pytest.mark.sandbox
def test_grading_hands_over_the_same_lists():
    names: dict = {}
    exec(SETTINGS, names)
    declared = find("settings_that_fit")
    assert grade_answers("settings_that_fit", names["settings_that_fit"]).passed
    with SandboxRunner([Cell("settings_that_fit", SETTINGS)]) as runner:
        result = judge(declared, runner, 3)
    assert result.passed, result.message


def test_a_call_is_shown_with_its_lists():
    assert "kernel_sizes=[3], strides=[2]" in grade_answers("settings_that_fit", lambda *arguments: 7).message


VALUES = st.recursive(st.integers(-9, 9) | st.text(max_size=3) | st.none(),
                      lambda inner: st.lists(inner, max_size=3).map(tuple) | st.lists(inner, max_size=3).map(
                          wire.Listed))


@given(VALUES)
def test_lists_stay_lists_on_the_way_in_and_are_refused_on_the_way_out(value):
    frame = wire.pack({}, (value,))
    assert wire.open_frame(frame, formulas=True)[1] == (value,) == wire.copy((value,))
    assert _kinds(wire.copy(value)) == _kinds(value)
    if "list" in str(_kinds(value)):
        with pytest.raises(wire.MalformedError):
            wire.open_frame(frame)


def _kinds(value):
    if isinstance(value, list):
        return ["list", *map(_kinds, value)]
    return ("tuple", *map(_kinds, value)) if isinstance(value, tuple) else ""


def test_a_list_that_no_answer_takes_is_no_declaration():
    with pytest.raises(DeclarationError, match=r"lists names .*'other'"):
        @exercise("one", notebook="x", points=1)
        class One:
            """One."""
            lists = ("other",)

            def one(x):
                return x

            def cases(rng):
                yield Case("a", (1,))

            misconceptions = (Misconception("two", "No.", lambda x: 2),)
            hints = ("a", "b", "c")
