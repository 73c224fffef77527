"""One mistake, one name, one explanation: what many exercises know is worded once, and shown with what differs."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import pytest

from autograder import grade_answers
from autograder.authoring.catalogues import declared
from autograder.book.pages import common_mistakes
from autograder.exercises import words
from autograder.exercises.contents import every, find
from autograder.judging.result import explained
from autograder.report.numbers import explanation_of
from autograder.showing.html import feedback_outputs, notebook_html
from cnncourse.language import catalogue, speaking

WORDS = {name: pair for name, pair in vars(words).items() if name.isupper()}


def known():
    """Each misconception with the exercise that declares it."""
    return [(exercise, mistake) for exercise in every() for mistake in exercise.misconceptions]


def test_no_name_carries_two_explanations():
    explanations = defaultdict(set)
    for _, mistake in known():
        explanations[mistake.name].add(mistake.explanation)
    assert {name: texts for name, texts in explanations.items() if len(texts) > 1} == {}


def test_a_name_of_the_common_room_is_used_with_its_own_words_only():
    own = dict(WORDS.values())
    assert len(own) == len(WORDS)
    assert [(e.name, m.name) for e, m in known() if own.get(m.name, m.explanation) != m.explanation] == []


def test_a_detail_is_a_sentence_of_its_own():
    details = [(e.name, m.name, m.explanation, m.detail) for e in every() for m in e.misconceptions if m.detail]
    assert details
    assert [one for one in details if one[3] in one[2] or not one[3].endswith((".", "?"))] == []


@pytest.fixture
def detailed(monkeypatch):
    """An exercise of which a mistake has an explanation and a detail, both with a translation; and that mistake."""
    exercise = find("zero_pad")
    first = replace(exercise.misconceptions[0], explanation="Zero is not one.", detail="Look at the corner.")
    monkeypatch.setitem(vars(exercise), "misconceptions", (first, *exercise.misconceptions[1:]))
    with speaking("zh_CN"):
        translated = dict(catalogue("zh_CN")) | {"Zero is not one.": "零不是一。", "Look at the corner.": "请看角上。"}
    monkeypatch.setattr("cnncourse.language.catalogue", lambda language: translated if language == "zh_CN" else {})
    return exercise, first


@pytest.mark.parametrize("language, whole", [("en", "Zero is not one. Look at the corner."),
                                             ("zh_CN", "零不是一。请看角上。")])
def test_explanation_and_detail_are_shown_together_wherever_a_mistake_is_explained(detailed, language, whole):
    exercise, mistake = detailed
    with speaking(language):
        result = grade_answers("zero_pad", mistake.wrong)
        assert explained(mistake) == explained(result.diagnoses[0]) == whole
        shown = (result.message, notebook_html(result), feedback_outputs(result)[0].data["text/html"],
                 common_mistakes(exercise).source)
    assert [text.count(whole) for text in shown] == [1, 1, 1, 1]


def test_the_report_shows_both_in_its_own_language(detailed):
    exercise, mistake = detailed
    with speaking("zh_CN"):
        assert explanation_of(exercise.name, mistake.name) == "Zero is not one. Look at the corner."


def test_explanation_and_detail_are_translated_each_by_itself(detailed):
    _, mistake = detailed
    assert {mistake.explanation, mistake.detail} <= set(declared())
    assert f"{mistake.explanation} {mistake.detail}" not in declared()
