"""A run redoes what changed and says why; what cannot change a mark or a page redoes nothing."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder import cohort
from autograder.classroom import fingerprints
from autograder.classroom.versions import Versions, Why
from tests.classroom import ASSIGNMENT, Classroom

NOW = Versions("a", "b", "c", "d")
REASONS = {"marks": Why.MARKS, "notebooks": Why.NOTEBOOKS, "settings": Why.SETTINGS, "pages": Why.PAGES}


@given(st.sets(st.sampled_from(sorted(REASONS))))
def test_the_gravest_change_is_the_reason(changed):
    earlier = dataclasses.replace(NOW, **dict.fromkeys(changed, "other"))
    assert NOW.why_not(earlier) == next((why for part, why in REASONS.items() if part in changed), None)
    assert (NOW.digest == earlier.digest) == (not changed)


def test_what_an_older_judge_wrote_is_graded_again():
    assert NOW.why_not(Versions.from_json({"marks": "a"})) is Why.MARKS
    assert Versions.from_json(NOW.to_json()) == NOW


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Copies of a few files of each kind, found in place of the installed packages."""
    kinds = {"marks": ("autograder/judging/compare.py", "autograder/exercises/pooling/kept.py",
                       "autograder/sandbox/tenant.py", "cnncourse/kernels/pooling.py"),
             "pages": ("autograder/showing/html.py", "autograder/templates/check.html.j2",
                       "autograder/locale/zh_CN/LC_MESSAGES/autograder.po", "autograder/cohort/pages.py"),
             "neither": ("autograder/report/page.py", "autograder/lab/page.py", "autograder/book/pages.py",
                         "cnncourse/plotting/learning.py", "cnncourse/widgets/shared.js")}
    files = {kind: [tmp_path / name for name in names] for kind, names in kinds.items()}
    for path in itertools.chain.from_iterable(files.values()):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("# one\n")
    for package in ("autograder", "cnncourse"):
        (tmp_path / package / "__init__.py").write_text("")
    found = {package: type("Specification", (), {"submodule_search_locations": [str(tmp_path / package)]})
             for package in ("autograder", "cnncourse")}
    monkeypatch.setattr(fingerprints, "find_spec", found.__getitem__)
    return files


def test_each_kind_of_file_changes_its_own_fingerprint(packages):
    def both():
        return fingerprints.marks.__wrapped__(), fingerprints.pages.__wrapped__()

    for kind, files in packages.items():
        for path in files:
            before = both()
            path.write_text(f"# another, in {path.name}\n")
            after = both()
            changed = {name for name, old, new in zip(("marks", "pages"), before, after, strict=True) if old != new}
            assert changed == ({kind} - {"neither"}), path


@pytest.mark.slow
@pytest.mark.sandbox
def test_a_run_says_why_it_grades_again(root, tmp_path):
    classroom = Classroom(root, tmp_path / "course")

    def run():
        said = []
        reports = list(cohort.grade(classroom.course, ASSIGNMENT, ["ada", "bob"], on_reasons=said.append))
        assert {report.status for report in reports} == ({"graded", "unchanged"} if said[0].total() == 1 else
                                                         {"graded"} if said[0].total() else {"unchanged"})
        return dict(said[0])

    for student in ("ada", "bob"):
        classroom.hand_in(student, classroom.solved())
    assert run() == {Why.NEW: 2}
    assert run() == {}
    classroom.hand_in("bob", classroom.stub)
    assert run() == {Why.AGAIN: 1}
    classroom.path("feedback", "ada", ".html").unlink()
    assert run() == {Why.MISSING: 1}
    configuration = classroom.folder / "nbgrader_config.py"
    configuration.write_text(configuration.read_text() + "get_config().JudgeAnswers.cell_seconds = 11.0\n")
    assert run() == {Why.SETTINGS: 2}
