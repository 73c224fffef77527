"""Every exercise judges well: right answers pass, mistakes are caught and named, strange answers do no harm."""

from __future__ import annotations

import itertools
import os

import numpy as np
import pytest

from autograder import grade_answers
from autograder.errors import AutograderError, UnknownExerciseError
from autograder.exercises.contents import every, exercises, find
from autograder.judging.exercise import HINT_LEVELS
from autograder.judging.judge import judge
from autograder.judging.local import LocalRunner
from tests.answers import FRIENDLY_ONLY, MUTATIONS, RIGHT, WRONG
from tests.answers.local_connectivity.right import conv_windows

SEEDS = range(int(os.environ.get("CNNCOURSE_SEEDS", "4")))
"""Draws of inputs for every answer; `course bench judging` takes twenty."""
ALL = list(every())


def name_of(exercise):
    return f"{exercise.notebook}/{exercise.name}"


def with_mistake(exercise, misconception, form):
    return LocalRunner(exercise.references | {misconception.answer: form})


@pytest.mark.parametrize("exercise", ALL, ids=name_of)
def test_the_reference_passes_its_own_cases_for_every_seed(exercise):
    for seed in SEEDS:
        assert judge(exercise, LocalRunner(exercise.references), seed).passed


@pytest.mark.parametrize("exercise", ALL, ids=name_of)
def test_right_answers_of_every_kind_pass_for_every_seed(exercise):
    for answers, seed in itertools.product(RIGHT[exercise.name], SEEDS):
        result = grade_answers(exercise.name, answers, seed)
        assert result.passed, result.message
        assert result.score == 1
        assert result.misconceptions == ()


@pytest.mark.parametrize("exercise", ALL, ids=name_of)
def test_there_are_three_right_answers_four_misconceptions_and_mutations_for_every_exercise(exercise):
    assert len(RIGHT[exercise.name]) >= 3
    assert len(exercise.misconceptions) >= 4
    assert len(set(exercise.hints)) == HINT_LEVELS
    assert any(mutations.exercise == exercise.name for mutations in MUTATIONS)


@pytest.mark.parametrize("exercise", ALL, ids=name_of)
def test_names_of_values_are_as_many_as_the_values(exercise):
    for case in exercise.cases():
        if names := exercise.returns.get(case.answer):
            assert len(exercise.references[case.answer](*case.arguments)) == len(names), case.name


def test_no_two_answers_of_the_course_share_a_name():
    names = [answer for exercise in ALL for answer in exercise.answers]
    assert len(set(names)) == len(names)


def test_answers_belong_to_exercises():
    named = {*RIGHT, *(e for e, _, _ in (*WRONG, *FRIENDLY_ONLY)), *(m.exercise for m in MUTATIONS)}
    assert named <= set(exercises())


@pytest.mark.sampled(3)
@pytest.mark.parametrize("exercise", ALL, ids=name_of)
def test_every_misconception_is_caught_always_and_named_first_nearly_always(exercise):
    missed = []
    for misconception, seed in itertools.product(exercise.misconceptions, SEEDS):
        missed += not_named(exercise, misconception, misconception.wrong, seed)
    assert len(missed) <= 0.05 * len(exercise.misconceptions) * len(SEEDS), missed


@pytest.mark.sampled(3)
@pytest.mark.parametrize("exercise", ALL, ids=name_of)
def test_every_other_form_of_a_misconception_is_caught_and_named_first_nearly_always(exercise):
    tried = [(misconception, form) for misconception in exercise.misconceptions for form in misconception.also]
    missed = [one for number, (misconception, form) in enumerate(tried)
              for one in not_named(exercise, misconception, form, seed=number % len(SEEDS))]
    assert len(missed) <= 0.05 * len(tried), missed


def not_named(exercise, misconception, form, seed):
    """What a form of a misconception was taken for instead, if so; it has to be caught in any case."""
    result = judge(exercise, with_mistake(exercise, misconception, form), seed)
    assert not result.answer_passed(misconception.answer), (misconception.name, form, seed)
    assert result.score < 1
    return [] if result.misconceptions[:1] == (misconception.name,) else [
        (misconception.name, form, seed, result.misconceptions)]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("mutations", MUTATIONS, ids=lambda m: name_of(find(m.exercise)))
def test_an_edited_answer_is_caught_and_named_and_one_with_two_edits_is_caught(mutations):
    assert grade_answers(mutations.exercise, mutations.functions()).passed
    for edit in mutations.edits:
        for seed in SEEDS:
            result = grade_answers(mutations.exercise, mutations.functions(edit), seed)
            assert not result.passed, (edit, seed)
            assert not edit.name or result.misconceptions[:1] == (edit.name,), (edit, seed, result.message)
    pairs = list(mutations.pairs())
    assert pairs
    for seed, pair in enumerate(pairs):
        runner = LocalRunner(mutations.functions(*pair))
        assert not judge(find(mutations.exercise), runner, seed, explain=False).passed, pair


@pytest.mark.sampled(3)
@pytest.mark.parametrize("exercise, name, function", WRONG, ids=[f"{name_of(find(e))}: {n}" for e, n, _ in WRONG])
def test_mistakes_written_in_another_way_get_the_same_name(exercise, name, function):
    for seed in SEEDS:
        result = grade_answers(exercise, function, seed)
        assert not result.passed
        assert result.misconceptions[0] == name, result.message
        assert name in result.message


@pytest.mark.parametrize("exercise, case, function", FRIENDLY_ONLY,
                         ids=[f"{name_of(find(e))}: {c}" for e, c, _ in FRIENDLY_ONLY])
def test_an_answer_for_friendly_shapes_only_is_told_which_shape_broke_it(exercise, case, function):
    result = grade_answers(exercise, function)
    assert not result.passed
    assert any(one.passed for one in result.cases)
    assert case in result.first_failure.case.name
    assert case in result.message


@pytest.mark.parametrize("exercise", ALL, ids=name_of)
def test_an_unknown_mistake_is_caught_and_not_named_with_certainty(exercise):
    def strange(answer):
        def wrong(*arguments):
            value = exercise.references[answer](*arguments)
            if isinstance(value, str):
                return value + "?"
            return (*value[::-1], 7.25) if isinstance(value, tuple) else np.asarray(value) * 1.37 + 0.21
        return wrong

    result = grade_answers(exercise.name, {answer: strange(answer) for answer in exercise.answers})
    assert not result.passed
    assert not [d for d in result.diagnoses if d.certainty == 1], result.message


def endless(*_):
    return endless()


def changing(x, *_):
    if isinstance(x, np.ndarray):
        x[...] = 0
    return x


STRANGE = {
    "nothing": lambda *_: None, "text": lambda *_: "5", "an object": lambda *_: object(),
    "a generator": lambda *_: iter(()), "an object array": lambda *_: np.array([None]),
    "not a number": lambda *_: float("nan"), "infinity": lambda *_: np.inf, "a huge number": lambda *_: 10 ** 5000,
    "an empty array": lambda *_: np.empty((0, 3)), "a dictionary": lambda *_: {},
    "an exception": lambda *_: 1 / 0, "a wrong number of arguments": lambda: 1, "the end": lambda *_: exit(),
    "recursion without end": endless, "its input": lambda x, *_: x, "its changed input": changing,
    "a wrong shape": lambda *_: np.zeros((1, 2, 3, 4, 5)), "complex numbers": lambda *_: 1j * np.ones((1, 1, 3, 3)),
    "nested lists": lambda *_: [[[[]]]], "ragged lists": lambda *_: [[1], [2, 3]], "a type": lambda *_: int,
    "infinitely nested": lambda *_: (lambda box: box.append(box) or box)([]),
}


@pytest.mark.sampled(5)
@pytest.mark.parametrize("kind", STRANGE)
@pytest.mark.parametrize("exercise", ALL, ids=name_of)
def test_strange_answers_fail_without_harm(exercise, kind):
    result = grade_answers(exercise.name, dict.fromkeys(exercise.answers, STRANGE[kind]))
    assert not result.passed
    assert result.score == 0
    assert exercise.name in result.message


def test_half_an_exercise_earns_half():
    columns, layer = RIGHT["conv2d_matmul"][0]
    result = grade_answers("conv2d_matmul", (columns, lambda *_: None))
    assert (result.passed, result.score) == (False, 0.5)
    assert grade_answers("conv2d_matmul", (columns, layer)).score == 1


def test_an_answer_that_spoils_its_input_is_told_so_and_loses_no_points_by_what_only_its_process_can_see():
    def in_place(x, padding):
        out = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        x *= 0
        return out

    result = grade_answers("zero_pad", in_place)
    assert result.passed
    assert "input x" in result.message


def test_the_same_seed_gives_the_same_inputs_and_another_one_others():
    one, same, other = (next(e for e in ALL if e.name == "conv2d_forward").cases(seed)[0].arguments[0]
                        for seed in (3, 3, 4))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_an_accident_where_settings_do_not_fit_is_no_refusal_and_a_refusal_is_none_where_they_do():
    def rounds_up(x, weight, bias, stride, padding):
        return conv_windows(x, weight, bias, stride, padding) + np.zeros(
            [-(-(x.shape[a] + 2 * padding - weight.shape[a]) // stride) + 1 for a in (2, 3)])

    def refuses_everything(*_):
        raise ValueError("does not fit")

    def refuses_in_one_line(input_size, kernel_size, stride, padding):
        if (input_size - kernel_size + 2 * padding) % stride: raise ValueError("does not fit")  # noqa: E701
        return (input_size - kernel_size + 2 * padding) // stride + 1

    last = grade_answers("conv2d_forward", rounds_up).cases[-1]
    assert (last.case.may_raise, last.outcome.error_type, last.passed) == (True, "ValueError", False)
    refused = grade_answers("conv2d_forward", refuses_everything)
    assert [case.passed for case in refused.cases] == [case.case.may_raise for case in refused.cases]
    assert grade_answers("output_size", refuses_in_one_line).passed


def test_wrong_calls_of_the_judge_say_what_is_right():
    with pytest.raises(UnknownExerciseError, match="conv2d_forward"):
        grade_answers("conv2d_foward", lambda: 0)
    with pytest.raises(AutograderError, match="im2col, conv2d_matmul; 1 given"):
        grade_answers("conv2d_matmul", lambda: 0)
    with pytest.raises(AutograderError, match="is not a function"):
        grade_answers("zero_pad", [np.zeros(3)])
    with pytest.raises(AutograderError, match="pad is not among them"):
        grade_answers("zero_pad", {"pad": lambda: 0})
