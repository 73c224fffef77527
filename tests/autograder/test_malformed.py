"""Malformed notebooks by the thousand: what is intact counts, what is not is said, and nobody else notices."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.assignment.cells import grade_id, is_answer
from autograder.classroom import submission as submissions
from autograder.cohort import LOG_FILE, Report, reports
from autograder.exercises.contents import every, exercises, find
from tests.autograder.test_same_as_nbgrader import PIXEL, nbgrader, notebook, rows
from tests.classroom import ASSIGNMENT, Classroom
from tests.effort import examples
from tests.malformed import bytes_mutated, cells_in, legible, tree_mutated

WRITTEN = "explain-full-depth"
OWN = "%matplotlib inline\ndef own_helper(x):\n    return x\n"
PICTURES = {"p.png": {"image/png": PIXEL}}
MOST_SECONDS = 3.0
MALFORMED = 40
MARK, EXTRA, COMMENT = 1.5, 0.25, "Say *why*."
UNREADABLE = ("folder", "no-notebook")
"""Students without a notebook of any name."""
GOOD = ("a-good", "b07-good", "b23-good", "z-good")


@pytest.fixture(scope="module")
def classroom(root, tmp_path_factory) -> Classroom:
    return Classroom(root, tmp_path_factory.mktemp("course"))


class Desk:
    """A template, a solved notebook, and where a file is put down; it stands for little in Hypothesis's messages."""

    def __init__(self, classroom: Classroom, path: Path) -> None:
        self.template = nbformat.read(classroom.released, as_version=4)
        self.wanted = [grade_id(cell) for cell in self.template.cells if is_answer(cell)]
        self.work = handed_in_before_the_damage(classroom)
        self.work_as_bytes = json.dumps(self.work).encode()
        self.path = path

    def hold(self, content: bytes) -> None:
        """Read a file and assert everything that is promised of any."""
        self.path.write_bytes(content)
        began = time.process_time()
        read = submissions.read(self.path, self.template)
        rebuilt = submissions.rebuild(self.template, read)
        assert time.process_time() - began < MOST_SECONDS
        nbformat.validate(rebuilt)
        nbformat.v4.writes(rebuilt).encode()
        assert len(read.fingerprint) == 64
        assert all(problem.isprintable() for problem in read.problems)
        self._hold_answers(content, read)
        self._hold_the_rest(rebuilt, read)

    def _hold_answers(self, content: bytes, read: submissions.Submission) -> None:
        intact, cells = legible(content), cells_in(content)
        if intact is None or cells is None:
            assert read.answers == {}
            assert read.problems
            return
        for name in self.wanted:
            if name in intact:
                assert read.answers[name] == intact[name]
            else:
                assert any(re.search(rf"\b{name}\b", problem) for problem in read.problems), (name, read.problems)
        for cell in cells:
            if grade_id(cell) == "" and cell.get("source") == OWN and cell.get("cell_type") == "code":
                assert any("def own_helper" in own.source for own in read.cells)
        attached = [cell.get("attachments") for cell in cells if grade_id(cell) == WRITTEN]
        if attached and attached[-1] == PICTURES:
            assert read.attachments[WRITTEN] == PICTURES

    def _hold_the_rest(self, rebuilt: nbformat.NotebookNode, read: submissions.Submission) -> None:
        given = {cell.id: cell for cell in rebuilt.cells}
        for cell in self.template.cells:
            name = grade_id(cell)
            expected = read.answers.get(name, cell.source) if name in self.wanted else cell.source
            assert given[cell.id].source == expected
            assert given[cell.id].metadata == cell.metadata
            assert given[cell.id].cell_type == cell.cell_type
        assert ("Notes on this submission" in rebuilt.cells[0].source) == bool(read.problems)


@pytest.fixture(scope="module")
def desk(classroom, tmp_path_factory) -> Desk:
    return Desk(classroom, tmp_path_factory.mktemp("desk") / "handed-in.ipynb")


def handed_in_before_the_damage(classroom: Classroom) -> dict:
    """Solutions with outputs, a picture, and a cell of the student's own."""
    solved = classroom.solved(**{WRITTEN: "It spans all. ![](attachment:p.png) $x < y$ – ⊙"})
    for cell in solved["cells"]:
        if grade_id(cell) == WRITTEN:
            cell["attachments"] = PICTURES
        elif grade_id(cell) in ("zero_pad", "check-zero_pad"):
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["a\n", "b"]},
                               {"output_type": "error", "ename": "E", "evalue": "e", "traceback": ["\x1b[31mE\x1b[0m"]},
                               {"output_type": "display_data", "data": {"image/png": PIXEL}, "metadata": {}}]
    solved["cells"].insert(3, {"cell_type": "code", "id": "own", "metadata": {}, "outputs": [], "execution_count": 3,
                               "source": OWN})
    return solved


@settings(max_examples=examples(1000), deadline=None, suppress_health_check=list(HealthCheck))
@given(rng=st.randoms(use_true_random=False))
def test_any_change_to_the_tree_of_a_notebook_leaves_the_other_answers_intact(rng, desk):
    desk.hold(tree_mutated(desk.work, rng))


@settings(max_examples=examples(800), deadline=None, suppress_health_check=list(HealthCheck))
@given(rng=st.randoms(use_true_random=False))
def test_any_change_to_the_bytes_of_a_notebook_leaves_the_other_answers_intact(rng, desk):
    desk.hold(bytes_mutated(desk.work, rng))


@settings(max_examples=examples(300), deadline=None, suppress_health_check=list(HealthCheck))
@given(content=st.binary(max_size=2000) | st.text(max_size=500).map(lambda s: s.encode("utf-16", "surrogatepass")))
def test_any_bytes_are_survived(content, desk):
    desk.hold(content)


def lossy(desk: Desk, number: int) -> list[bytes]:
    """Files in which something is lost for certain: three in four by changes to the tree, the others to the bytes."""
    rng, found = Random(5), []
    while len(found) < number:
        content = (tree_mutated if len(found) % 4 else bytes_mutated)(desk.work, rng)
        intact = legible(content)
        if intact is None or any(name not in intact for name in desk.wanted):
            found.append(content)
    return found


def expected(desk: Desk, content: bytes) -> set[str]:
    """Exercises that lost nothing: neither an answer of theirs nor one that is called in it."""
    intact = legible(content) or {}
    solved = legible(desk.work_as_bytes) or {}
    lost = {name for name in desk.wanted if intact.get(name) != solved[name]}
    while more := {name for name in desk.wanted if name not in lost
                   and any(re.search(rf"\b{other}\b", solved[name]) for other in lost)}:
        lost |= more
    return {exercise.name for exercise in map(find, exercises())
            if exercise.notebook == ASSIGNMENT and not lost & {*exercise.answers}}


def command(folder: Path, *arguments: str) -> tuple[str, int]:
    """Run the `course` command; what it wrote, and its exit status."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    ran = subprocess.run([sys.executable, "-m", "autograder.cli", *arguments, "--course", str(folder)],
                         cwd=Path(__file__).parents[2], env=environment | {"COLUMNS": "400", "PYTHONUTF8": "1"},
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return ran.stdout.decode("utf-8", "replace"), ran.returncode


def mark_by_hand(classroom: Classroom, students: list[str]) -> None:
    """A mark, extra credit and a comment for everybody's written answer."""
    with classroom.course.gradebook() as gradebook:
        for student in students:
            grade = gradebook.find_grade(WRITTEN, ASSIGNMENT, ASSIGNMENT, student)
            grade.manual_score, grade.extra_credit = MARK, EXTRA
            gradebook.find_comment(WRITTEN, ASSIGNMENT, ASSIGNMENT, student).manual_comment = COMMENT
        gradebook.db.commit()


def full_marks(report: Report) -> set[str]:
    return {name for name, verdict in report.verdicts.items() if verdict.points == verdict.max_points}


@pytest.mark.slow
@pytest.mark.sandbox
def test_malformed_submissions_in_a_class_cost_nobody_else_a_point_and_no_hand_mark(classroom, desk, tmp_path):
    malformed = {f"b{i:02d}": content for i, content in enumerate(lossy(desk, MALFORMED))}
    everybody = sorted([*malformed, *UNREADABLE, *GOOD])
    for student in everybody:
        classroom.hand_in(student, desk.work)
    known = {exercise.name for exercise in every(ASSIGNMENT)}
    assert {student: full_marks(report) for student, report in classroom.grade().items()} == dict.fromkeys(
        everybody, known)
    mark_by_hand(classroom, everybody)

    for student, content in malformed.items():
        classroom.hand_in(student, content)
    for student in UNREADABLE:
        path = classroom.path("submitted", student)
        path.rename(path.with_name("Untitled.txt"))
    classroom.path("submitted", "folder").mkdir()
    printed, code = command(classroom.folder, "grade", ASSIGNMENT)
    known = {report.student: report for report in reports(classroom.course, ASSIGNMENT)}
    assert code == 1, printed  # as two have handed in no notebook
    assert {name for name, report in known.items() if report.status == "failed"} == set(UNREADABLE)
    for student in GOOD:
        assert known[student].score == known[student].max_score - 3 + MARK + EXTRA
        assert known[student].problems == ()
    for student, content in malformed.items():
        assert known[student].problems
        assert full_marks(known[student]) >= expected(desk, content), known[student]
    for student in (*malformed, *UNREADABLE):
        assert re.search(rf"\b{student}\b", printed.split("To look at")[-1]), student
    log = (classroom.folder / LOG_FILE).read_text()
    assert not re.search("Traceback|Warning", printed + log)
    by_hand = {row[0]: row[3:5] for row in rows(classroom.folder)["grade"] if row[1] == WRITTEN}
    assert by_hand == dict.fromkeys(everybody, (MARK, EXTRA))
    said = {row[0]: row[3] for row in rows(classroom.folder)["comment"] if row[1] == WRITTEN}
    assert said == dict.fromkeys(everybody, COMMENT)

    printed, code = command(classroom.folder, "feedback", ASSIGNMENT)
    assert code == 1  # the two have no page
    assert "Traceback" not in printed
    assert re.findall(r"^([\w-]+): It is not graded yet", printed, re.MULTILINE) == sorted(UNREADABLE)
    for student in (*malformed, *GOOD):
        page = classroom.path("feedback", student, ".html").read_text()
        assert "Say <em>why</em>" in page or COMMENT in page
        assert ("Notes on this submission" in page) == (student in malformed)
    same_by_nbgrader(classroom, known, [*malformed][:3], tmp_path / "theirs")


def same_by_nbgrader(classroom: Classroom, known: dict[str, Report], students: list[str], theirs: Path) -> None:
    """Grade some of the class by nbgrader's own command, in a copy of the course, and compare."""
    shutil.copytree(classroom.folder, theirs)
    shutil.rmtree(theirs / "autograded")
    for folder in (theirs / "submitted").iterdir():
        if folder.name not in students:
            shutil.rmtree(folder)
    nbgrader(theirs, "autograde", ASSIGNMENT)
    assert rows(theirs) == rows(classroom.folder)
    for student in students:
        ours = classroom.path("autograded", student)
        assert notebook(theirs / ours.relative_to(classroom.folder)) == notebook(ours)
        assert {*notebook(ours)["metadata"]["cnncourse"]["problems"]} <= {*known[student].problems} != set()
