"""The quick set: which tests and how many examples it goes without."""

from __future__ import annotations

import pytest

from tests import effort


class Item:
    """As much of a collected test as is looked at."""

    def __init__(self, nodeid: str, *marks: pytest.MarkDecorator) -> None:
        self.nodeid, self._marks = nodeid, {decorator.mark.name: decorator.mark for decorator in marks}

    def get_closest_marker(self, name: str):
        return self._marks.get(name)


def test_slow_tests_and_most_cases_of_sampled_ones_are_left_to_all():
    cases = [Item(f"a.py::one[{number}]", pytest.mark.sampled(3)) for number in range(7)]
    slow, other = Item("a.py::two", pytest.mark.slow), Item("b.py::one", pytest.mark.sandbox)
    assert list(effort.left_to_all([*cases, slow, other])) == [*(cases[n] for n in (1, 2, 4, 5)), slow]


def test_the_first_case_is_quick_and_the_rest_slow_whatever_else_they_are():
    first, second, third = effort.rest_slow([("a", 1), ("b", 2), pytest.param("c", 3, marks=pytest.mark.postgresql)])
    assert (first.values, second.values, third.values) == (("a", 1), ("b", 2), ("c", 3))
    assert [[mark.name for mark in case.marks] for case in (first, second, third)] == [
        [], ["slow"], ["postgresql", "slow"]]
    assert [case.values for case in effort.rest_slow("ab", 2)] == [("a",), ("b",)]


@pytest.mark.parametrize("kind, asked, number", [
    ("all", None, 60), ("chosen", None, 60), ("quick", None, 12), ("quick", "500", 500), ("all", "7", 7)])
def test_the_quick_set_tries_a_fifth_of_the_examples_unless_a_number_is_asked_for(kind, asked, number, monkeypatch):
    monkeypatch.setenv(effort.VARIABLE, kind)
    monkeypatch.delenv("CNNCOURSE_EXAMPLES", raising=False)
    if asked:
        monkeypatch.setenv("CNNCOURSE_EXAMPLES", asked)
    assert effort.examples(60) == number
    assert effort.whole() == (kind != "chosen")
