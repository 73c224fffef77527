"""How hard the tests try: everything, or the quick set that `course test` runs by itself.

`course test --all` and continuous integration run every test with all its examples and draws. The quick set leaves out
what is marked `slow`, and gives to properties a part of their examples, so that every part of the course is touched
while somebody waits.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest

VARIABLE = "CNNCOURSE_TESTS"
"""Set by tests/conftest.py before any module with tests is imported, and passed on to every process that is started:
quick, all, or chosen where people have said which tests they want.
"""

QUICK_SHARE = 5
"""The quick set tries a fifth of the examples."""


ALL_SLOW = {"tests/autograder/test_ready.py", "tests/browser/test_book.py", "tests/browser/test_classroom.py",
            "tests/machines/test_circumstances.py", "tests/machines/test_fresh.py", "tests/machines/test_services.py",
            "tests/test_authoring.py"}
"""Modules of which the quick set has no test; it has one of every other module."""


def quick() -> bool:
    """Whether this is the quick set."""
    return os.environ.get(VARIABLE) == "quick"


def whole() -> bool:
    """Whether a whole set of tests runs, and not some that were chosen."""
    return os.environ.get(VARIABLE) in ("quick", "all")


def examples(number: int) -> int:
    """How many examples a property is tried on; CNNCOURSE_EXAMPLES says it for all."""
    if asked := os.environ.get("CNNCOURSE_EXAMPLES"):
        return int(asked)
    return max(1, number // QUICK_SHARE) if quick() else number


def left_to_all(items: Iterable[pytest.Item]) -> dict[pytest.Item, None]:
    """Tests that the quick set goes without: slow ones, and of those that are sampled all but every n-th case."""
    found: dict[pytest.Item, None] = {}
    cases: Counter[str] = Counter()
    for item in items:
        sampled = item.get_closest_marker("sampled")
        number = cases[item.nodeid.partition("[")[0]]
        cases[item.nodeid.partition("[")[0]] += 1
        if item.get_closest_marker("slow") or (sampled and number % sampled.args[0]):
            found[item] = None
    return found


def rest_slow(cases: Iterable[Any], quick_ones: int = 1) -> list[Any]:
    """For `parametrize`: the first cases belong to the quick set, the others are slow."""
    found = []
    for number, case in enumerate(cases):
        if not isinstance(case, type(pytest.param())):
            case = pytest.param(*case) if isinstance(case, tuple) else pytest.param(case)
        found.append(case if number < quick_ones else case._replace(marks=(*case.marks, pytest.mark.slow)))
    return found
