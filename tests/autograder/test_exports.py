"""Exported marks, read back and held against a real gradebook."""

from __future__ import annotations

import csv
import datetime
import io
import logging
import subprocess
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import CsvExportPlugin, ExportPlugin
from traitlets import Instance
from traitlets.config import LoggingConfigurable

from autograder.classroom.course import Course
from autograder.cohort import ledger
from autograder.exports import CanvasExportPlugin, MoodleExportPlugin, PlainCsvExportPlugin
from autograder.spreadsheet import defuse, write_csv
from autograder.text import one_line
from tests.classroom import CONFIGURATION, empty_gradebook
from tests.effort import examples

EXPORTERS = (CanvasExportPlugin, MoodleExportPlugin, PlainCsvExportPlugin)
STUDENTS = {
    "ada": ("Ada", "Lindqvist, the \"first\"", "4711"),
    "bob": ("Bo\nb", "=HYPERLINK(\"http://x\",\"y\")", "sis-1"),
    "chloé": ("Chloé", "Łuć 李", None),
    "-dan.d": ("@Dan", None, None),
    "late": ("Late", "Comer", None),
    "none": (None, None, None),
    "extra": ("Extra", "Credit", None),
}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two assignments of 10 and 4.5 points, hand marks, extra credit, a penalty larger than the score."""
    url = empty_gradebook(tmp_path_factory.mktemp("gradebook") / "gradebook.db")
    with Gradebook(url) as gradebook:
        for assignment, points in (("01-first", 10.0), ("=02, \"second\"", 4.5)):
            gradebook.add_assignment(assignment, duedate=datetime.datetime(2026, 10, 9))
            gradebook.add_notebook("n", assignment)
            gradebook.add_grade_cell("check", "n", assignment, max_score=points, cell_type="code")
        for student, (first, last, lms) in STUDENTS.items():
            gradebook.add_student(student, first_name=first, last_name=last, lms_user_id=lms)

        def hand_in(student: str, assignment: str, penalty: float | None = None, **marks: float) -> None:
            submission = gradebook.add_submission(assignment, student)
            notebook = submission.notebooks[0]
            notebook.late_submission_penalty = penalty
            for name, value in marks.items():
                setattr(notebook.grades[0], name, value)
            gradebook.db.commit()

        hand_in("ada", "01-first", auto_score=7.25)
        hand_in("ada", "=02, \"second\"", auto_score=1.5, manual_score=4.0)
        hand_in("bob", "01-first", auto_score=10 / 3)
        hand_in("chloé", "01-first", auto_score=8.0, penalty=2.5)
        hand_in("late", "01-first", auto_score=1.0, penalty=5.0)
        hand_in("extra", "01-first", auto_score=10.0, extra_credit=2.0)
    return url


@pytest.fixture
def export(database: str, tmp_path: Path) -> Callable[..., list[list[str]]]:
    """Run an exporter and read its file back."""
    def run(exporter: type[ExportPlugin], **options: object) -> list[list[str]]:
        path = tmp_path / f"{exporter.__name__}.csv"
        with Gradebook(database) as gradebook:
            exporter(to=str(path), **options).export(gradebook)
        return list(csv.reader(path.open(newline="", encoding="utf-8")))

    return run


def by_nbgrader(database: str, path: Path) -> dict[tuple[str, str], float]:
    """What nbgrader's own exporter says, by student and assignment; without the names that break its lines."""
    with Gradebook(database) as gradebook:
        for student in gradebook.students:
            student.first_name = student.last_name = ""
        for assignment in gradebook.assignments:
            assignment.name = assignment.name.strip("=").replace(", ", "").replace('"', "")
        gradebook.db.flush()
        CsvExportPlugin(to=str(path)).export(gradebook)
        gradebook.db.rollback()
    return {(row["student_id"], row["assignment"]): float(row["score"])
            for row in csv.DictReader(path.open(newline=""))}


def test_marks_are_those_of_nbgraders_own_exporter(export, database, tmp_path):
    expected = by_nbgrader(database, tmp_path / "nbgrader.csv")
    assert len(expected) == 2 * len(STUDENTS)
    assert (expected["late", "01-first"], expected["chloé", "01-first"], expected["extra", "01-first"]) == (0, 5.5, 12)
    canvas, moodle, plain = (export(exporter) for exporter in EXPORTERS)
    for rows, column, first in ((canvas[2:], 3, 5), (moodle[1:], 0, 3), (plain[1:], 0, 4)):
        given = {(row[column].lstrip("'"), name): float(row[first + i])
                 for row in rows for i, name in enumerate(("01-first", "02second"))}
        assert given == pytest.approx(expected, abs=1e-4)
    assert {row[0]: (row[-2], row[-1]) for row in plain[1:]}["ada"] == ("11.25", "14.5")


def test_canvas_gets_its_columns_and_the_points_possible(export):
    rows = export(CanvasExportPlugin)
    # The importer wants these first columns in this order, and finds the row of the points by its first cell.
    assert rows[0] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "01-first", "'=02, \"second\""]
    assert rows[1] == ["    Points Possible", "", "", "", "", "10", "4.5"]
    assert {len(row) for row in rows} == {7}
    people = {row[3]: row for row in rows[2:]}
    assert people["ada"][:2] == ["Lindqvist, the \"first\", Ada", "4711"]
    assert people["bob"][1] == ""
    assert people["none"][0] == "none"
    assert all(row[0] for row in rows)


def test_canvas_may_know_students_by_another_id(export):
    rows = export(CanvasExportPlugin, id_column="SIS User ID")
    assert {row[2] for row in rows[2:]} == set(STUDENTS)
    assert {row[3] for row in rows[2:]} == {""}


def test_moodle_never_gets_an_empty_identifier(export, database):
    assert export(MoodleExportPlugin)[0] == ["username", "firstname", "lastname", "01-first", "'=02, \"second\""]
    with Gradebook(database) as gradebook:
        for student in gradebook.students[1:]:
            student.email = f"{student.id}@example.org"
        gradebook.db.commit()
    assert "email" not in export(MoodleExportPlugin)[0]
    with Gradebook(database) as gradebook:
        gradebook.students[0].email = "first@example.org"
        gradebook.db.commit()
    rows = export(MoodleExportPlugin)
    assert rows[0][3] == "email"
    assert all(row[0] and row[3] for row in rows)


@pytest.mark.parametrize("exporter", EXPORTERS)
def test_no_cell_is_a_formula_and_no_name_a_second_line(export, exporter):
    rows = export(exporter)
    identifiers = set(STUDENTS) | {f"{student}@example.org" for student in STUDENTS}
    cells = [cell for row in rows for cell in row if cell not in identifiers]
    assert not [cell for cell in cells if cell.startswith(tuple("=+-@\t\r\n"))]
    assert any(cell.startswith("'=HYPERLINK") for cell in cells)
    assert not [cell for cell in cells if "\n" in cell or "\r" in cell]
    assert any("Chloé" in cell for cell in cells) and any("Łuć 李" in cell for cell in cells)


def test_chosen_students_and_assignments_only(export):
    head, *rows = export(PlainCsvExportPlugin, student=["ada", "nobody"], assignment=["01-first"])
    assert head == ["student_id", "last_name", "first_name", "email", "01-first", "total", "max_total"]
    assert [row[:3] + row[4:] for row in rows] == [["ada", "Lindqvist, the \"first\"", "Ada", "7.25", "7.25", "10"]]


@pytest.mark.parametrize(("student", "written"), [
    ("-dan.d", "-dan.d"), ("+49123", "+49123"), ("@eve", "@eve"), ("a=b", "a=b"),
    ("=1+1", "'=1+1"), ("-2+3", "'-2+3"), ("@SUM(A1)", "'@SUM(A1)"), ("+cmd|'/C calc'!A0", "'+cmd|'/C calc'!A0"),
])
def test_id_is_changed_only_if_it_could_be_a_formula(student, written, caplog):
    plugin = MoodleExportPlugin()
    plugin.log = logging.getLogger("exports")
    assert plugin.safe_id(student) == written
    assert ("enter the marks by hand" in caplog.text) == (student != written)


def test_column_that_canvas_takes_for_its_own_is_reported(caplog):
    plugin = CanvasExportPlugin()
    plugin.log = logging.getLogger("exports")
    list(plugin.table({"Final Grade project": 1.0, "final project": 1.0}, []))
    assert "'Final Grade project'" in caplog.text and "'final project'" not in caplog.text


def test_spreadsheet_cells_survive_the_round_trip(tmp_path):
    rows = [["plain", "=1", "+1", "-1", "@a", "\t=1", "\r=1", "a,b", 'a"b', "a\nb", "\ud800", "＝1"], [-1.5, 2, None]]
    path = write_csv(tmp_path / "a.csv", rows)
    text, numbers = csv.reader(path.open(newline="", encoding="utf-8"))
    assert text == ["plain", "'=1", "'+1", "'-1", "'@a", "'\t'=1", "'\r'=1", "a,b", 'a"b', "a\nb", "\\ud800", "'＝1"]
    assert numbers == ["-1.5", "2", ""]
    assert defuse(-3) == -3


def test_number_of_queries_does_not_grow_with_the_class(tmp_path):
    from sqlalchemy import event

    from autograder.exports import class_marks

    counts = []
    for number in (5, 50):
        with Gradebook(empty_gradebook(tmp_path / f"{number}.db")) as gradebook:
            gradebook.add_assignment("a")
            gradebook.add_notebook("n", "a")
            for i in range(number):
                gradebook.add_student(f"s{i}")
                gradebook.add_submission("a", f"s{i}")
            seen: list[str] = []
            event.listen(gradebook.engine, "before_cursor_execute", lambda *given, seen=seen: seen.append(given[2]))
            assert len(class_marks(gradebook, ["a"])) == number
            counts.append(len(seen))
    assert counts[0] == counts[1] > 0


@pytest.mark.parametrize("exporter", EXPORTERS)
def test_nbgraders_command_runs_the_exporter(exporter, database, tmp_path):
    (tmp_path / "nbgrader_config.py").write_text(CONFIGURATION)
    command = [sys.executable, "-m", "nbgrader", "export", "--exporter", f"autograder.exports.{exporter.__name__}",
               "--to", "out.csv", "--db", database, "--assignment", "['01-first']"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    rows = list(csv.reader((tmp_path / "out.csv").open(newline="", encoding="utf-8")))
    assert len(rows) == 1 + len(STUDENTS) + (exporter is CanvasExportPlugin)
    assert "01-first" in rows[0] and "'=02, \"second\"" not in rows[0]


STRANGE = st.text(st.sampled_from(list(
    "=+-@;,\t\n\r\"' a1|!\v\x1c\u2028\x85\uff1d\uff0b\uff0d\uff20\ufe63")), max_size=12)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(STRANGE, min_size=1, max_size=3), min_size=1, max_size=3))
def test_no_text_begins_a_formula_whatever_separates_cells_where_the_file_is_opened(tmp_path, rows):
    text = write_csv(tmp_path / "file.csv", rows).read_bytes().decode()
    signs = tuple("=+-@\uff1d\uff0b\uff0d\uff20\ufe63")
    for separator in ",;\t":
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            assert not [cell for cell in row if cell.strip(' "').startswith(signs)], (separator, row)
    for separator in ";\t":  # nobody looks at quotation marks
        for line in text.splitlines():
            assert not [cell for cell in line.split(separator) if cell.strip(' "').startswith(signs)], (separator, line)


def test_what_is_no_formula_stays_as_it_is():
    for text in ("a - b = c", "x; y", "Got -1, expected (2, -3).", "1; 2", "mail@example.org", "a\nb", ""):
        assert defuse(text) == text


class Hand(StrEnum):
    """What became of a student's work, and how a mark has to look."""

    NOTHING = "handed in nothing"
    RIGHT = "graded"
    WRONG = "graded, all wrong"
    BY_HAND = "marked by hand alone"
    FAILED = "could not be graded"
    FAILED_IN_PART = "could not be graded as a whole"
    KILLED = "entered by a run that was killed"
    WAITING = "not graded yet"
    UNKNOWN = "not in the gradebook"


MARK = {Hand.NOTHING: "0", Hand.RIGHT: "7", Hand.WRONG: "0", Hand.BY_HAND: "3", Hand.FAILED: "",
        Hand.FAILED_IN_PART: "7", Hand.KILLED: "", Hand.WAITING: "", Hand.UNKNOWN: ""}
NASTY = st.text(st.sampled_from("aZ0=+-@,;.'\" \t\née\u0301李_%(){}[]*"), min_size=1, max_size=20).filter(
    lambda name: name not in (".", ".."))
COURSE = "c = get_config()\nc.CourseDirectory.course_id = 'x'\nc.Exchange.root = 'exchange'\n"


class Parent(LoggingConfigurable):
    """What nbgrader's command is to an exporter."""

    coursedir = Instance(CourseDirectory)


@given(st.dictionaries(NASTY, st.sampled_from(Hand), min_size=1, max_size=8))
@settings(max_examples=examples(20), deadline=None)
def test_everybody_is_exported_and_only_who_handed_in_nothing_or_got_nothing_right_has_0(tmp_path_factory, people):
    root = tmp_path_factory.mktemp("course")
    (root / "nbgrader_config.py").write_text(COURSE)
    with Gradebook(empty_gradebook(root / "gradebook.db")) as gradebook:
        gradebook.add_assignment("one")
        gradebook.add_notebook("n", "one")
        gradebook.add_grade_cell("check", "n", "one", max_score=10, cell_type="code")
        ledger.make_table(gradebook.engine)
        for student, hand in people.items():
            _enter(gradebook, root, student, hand)
    course = Course(root)
    records: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: records.append(record.getMessage())
    for exporter, column, mark in zip(EXPORTERS, (3, 0, 0), (5, 3, 4), strict=True):
        records.clear()
        plugin = exporter(to=str(root / "out.csv"), parent=Parent(coursedir=course.directory))
        plugin.log.addHandler(handler)
        try:
            with course.gradebook() as gradebook:
                plugin.export(gradebook)
        finally:
            plugin.log.removeHandler(handler)
        with (root / "out.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))[2 if exporter is CanvasExportPlugin else 1:]
        ids = {str(defuse(student)): student for student in people} | {student: student for student in people}
        assert {ids[row[column]]: row[mark] for row in rows} == {
            student: MARK[hand] for student, hand in people.items()}
        assert len(rows) == len(people)
        said = "\n".join(records)
        assert all(one_line(student) in said for student, hand in people.items()
                   if MARK[hand] == "" or hand is Hand.FAILED_IN_PART)
        if exporter is PlainCsvExportPlugin:
            assert {ids[row[0]] for row in rows if row[5] == ""} == {
                student for student, hand in people.items() if MARK[hand] == ""}


def _enter(gradebook: Gradebook, root: Path, student: str, hand: Hand) -> None:
    if hand is not Hand.NOTHING:
        (root / "submitted" / student / "one").mkdir(parents=True)
    if hand is Hand.UNKNOWN:
        return
    gradebook.add_student(student)
    if hand in (Hand.NOTHING, Hand.WAITING):
        return
    grade = gradebook.add_submission("one", student).notebooks[0].grades[0]
    grade.auto_score = {Hand.RIGHT: 7.0, Hand.FAILED_IN_PART: 7.0, Hand.WRONG: 0.0, Hand.FAILED: 0.0}.get(hand)
    grade.manual_score = 3.0 if hand is Hand.BY_HAND else None
    gradebook.db.commit()
    if hand is not Hand.KILLED:
        with gradebook.engine.begin() as connection:
            status = "failed" if hand in (Hand.FAILED, Hand.FAILED_IN_PART) else "graded"
            ledger.write(connection, "one", [ledger.Line(student, "hash", None, status)])
