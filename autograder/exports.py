"""Marks for learning platforms, through nbgrader's interface for exporters::

    nbgrader export --exporter autograder.exports.CanvasExportPlugin --to grades.csv
    nbgrader export --exporter autograder.exports.MoodleExportPlugin --to grades.csv
    nbgrader export --exporter autograder.exports.PlainCsvExportPlugin --to grades.csv

Marks are those of nbgrader's own CsvExportPlugin: hand marks and extra credit are in, the penalty for late
submissions is off, never below zero, and who handed in nothing has 0. What was handed in and has no mark yet, because
it could not be graded or nobody has graded it since, is left empty, and the log names whose it is.

Names come from students, so a name that a spreadsheet would take for a formula gets an apostrophe in front. Platforms
find students by their id, not by name; an id is kept as it is, because one more character would name nobody. Only an
id that could really be a formula, with = in front or with anything but letters, digits and . _ @ - after another such
character, is changed, and the log says whose mark has to be entered by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nbgrader.api import Assignment, Grade, Gradebook, Student, SubmittedAssignment, SubmittedNotebook
from nbgrader.plugins import ExportPlugin
from sqlalchemy import or_
from traitlets import Enum

from autograder.classroom.course import Course
from autograder.cohort import ledger
from autograder.cohort.grading import unusable_name
from autograder.spreadsheet import defuse, write_csv
from autograder.text import one_line

HARMLESS_ID = re.compile(r"[+@-]?[\w.@-]*")
CANVAS_OWN_COLUMNS = re.compile("(Current|Final) (Score|Points|Grade)|Override (Score|Grade|Status)")
"""Canvas leaves out every column whose title holds one of these."""


@dataclass(frozen=True)
class Row:
    """A student with the marks of the exported assignments; no submission counts as 0, no mark as nothing."""

    id: str
    first_name: str
    last_name: str
    email: str
    lms_user_id: str
    scores: dict[str, float | None] = field(default_factory=dict)


class _MarksExportPlugin(ExportPlugin):
    """What the exporters share: which students and assignments, their marks, and writing the file."""

    def export(self, gradebook: Gradebook) -> None:
        """Write the marks to the file that `--to` names, by default grades.csv."""
        wanted = [str(name) for name in self.assignment]
        maxima = {each.name: float(each.max_score) for each in gradebook.assignments
                  if not wanted or each.name in wanted}
        chosen = {str(name) for name in self.student}
        handed_in = self._handed_in(maxima)
        rows = [row for row in class_marks(gradebook, list(maxima), handed_in) if not chosen or row.id in chosen]
        if absent := sorted({*wanted} - {*maxima}) + sorted(chosen - {row.id for row in rows}):
            self.log.warning("Not in the gradebook: %s", ", ".join(absent))
        for name in maxima:
            if empty := [row.id for row in rows if name in row.scores and row.scores[name] is None]:
                self.log.warning("%s was handed in and has no mark, so that is left empty; see what `course grade` "
                                 "says of it: %s", name, one_line(", ".join(empty)))
        failed = ledger.failed(gradebook.db.connection(), maxima)
        for name in maxima:
            if in_part := [row.id for row in rows if (name, row.id) in failed and row.scores.get(name) is not None]:
                self.log.warning("%s could not be graded as a whole, so the mark is what the rest gave or what there "
                                 "was before: %s", name, one_line(", ".join(in_part)))
        path = Path(self.to or "grades.csv")
        write_csv(path, self.table(maxima, rows), defused=True)
        self.log.info("Exported %d students and %d assignments to %s", len(rows), len(maxima), path)

    def _handed_in(self, assignments: Mapping[str, float]) -> dict[str, set[str]]:
        """Who has something in the course's folder, by assignment; nobody where there is no folder."""
        directory = getattr(self.parent, "coursedir", None)
        if directory is None or not Path(directory.root, "nbgrader_config.py").is_file():
            return {}
        course = Course(Path(directory.root))
        found = {name: set(course.submitted(name)) for name in assignments}
        if nameless := {student for students in found.values() for student in students if unusable_name(student)}:
            self.log.warning("What lies in these folders is nobody's in the gradebook, rename them: %s",
                             one_line(", ".join(sorted(nameless))))
        return {name: {student for student in students if not unusable_name(student)}
                for name, students in found.items()}

    def table(self, maxima: dict[str, float], rows: list[Row]) -> Iterator[list[object]]:
        """Rows of the file, harmless already.

        Parameters
        ----------
        maxima : dict of str to float
            Points of each exported assignment, in the gradebook's order.
        rows : list of Row
        """
        raise NotImplementedError

    def safe_id(self, student: str) -> str:
        """The id by which a platform finds a student, changed only if it could be a formula."""
        if HARMLESS_ID.fullmatch(student) or defuse(student) == student:
            return student
        self.log.warning("The id %r could be taken for a formula and got an apostrophe in front; the platform will "
                         "not find this student: enter the marks by hand", student)
        return str(defuse(student))


class CanvasExportPlugin(_MarksExportPlugin):
    """For Canvas: Grades, Import.

    Canvas finds a student by ID (nbgrader's `lms_user_id`, if that is a number), else by the SIS column that
    `id_column` says nbgrader's student ids are. An assignment of the same title is updated, another one is made.
    """

    id_column = Enum(["SIS Login ID", "SIS User ID"], "SIS Login ID",
                     help="Which of Canvas's columns nbgrader's student ids are.").tag(config=True)

    def table(self, maxima: dict[str, float], rows: list[Row]) -> Iterator[list[object]]:
        """Canvas's columns, then one for each assignment; the second row has the points possible."""
        for name in maxima:
            if CANVAS_OWN_COLUMNS.search(name):
                self.log.warning("Canvas takes the column %r for one of its own and leaves it out", name)
        yield ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *map(defuse, maxima)]
        yield ["    Points Possible", "", "", "", "", *map(_number, maxima.values())]
        for row in rows:
            own = self.safe_id(row.id)
            by_user = self.id_column == "SIS User ID"
            # The way in which Canvas sorts names; a student without a name must not look like an empty line.
            name = ", ".join(part for part in (row.last_name, row.first_name) if part) or row.id
            yield [defuse(name), row.lms_user_id if re.fullmatch("[0-9]+", row.lms_user_id) else "",
                   own if by_user else "", "" if by_user else own, "", *_marks(row, maxima)]


class MoodleExportPlugin(_MarksExportPlugin):
    """For Moodle: Grades, Import, CSV file; comma, UTF-8.

    There, map from `username` to Username (or to ID number, if that is what nbgrader's student ids are), and each
    assignment to its grade item. Moodle gives the mark of a line without an identifier to the student of the line
    before, so the column `email` is written only if everybody has an address.
    """

    def table(self, maxima: dict[str, float], rows: list[Row]) -> Iterator[list[object]]:
        """Who it is, then one column for each assignment."""
        with_email = bool(rows) and all(row.email for row in rows)
        email = ["email"] if with_email else []
        yield ["username", "firstname", "lastname", *email, *map(defuse, maxima)]
        for row in rows:
            address = [self.safe_id(row.email)] if with_email else []
            yield [self.safe_id(row.id), defuse(row.first_name), defuse(row.last_name), *address,
                   *_marks(row, maxima)]


class PlainCsvExportPlugin(_MarksExportPlugin):
    """For a spreadsheet or a program: one row a student, one column an assignment, the total and what it is out of.

    There is no total where a mark is missing.
    """

    def table(self, maxima: dict[str, float], rows: list[Row]) -> Iterator[list[object]]:
        """Who it is, marks, total."""
        yield ["student_id", "last_name", "first_name", "email", *map(defuse, maxima), "total", "max_total"]
        for row in rows:
            marks = [row.scores.get(name, 0.0) for name in maxima]
            total = "" if None in marks else _number(sum(mark or 0.0 for mark in marks))
            yield [defuse(row.id), defuse(row.last_name), defuse(row.first_name), defuse(row.email),
                   *_marks(row, maxima), total, _number(sum(maxima.values()))]


def class_marks(
    gradebook: Gradebook, assignments: list[str], handed_in: Mapping[str, set[str]] | None = None
) -> list[Row]:
    """Everybody's marks, in the gradebook's order of students, with one query instead of one for each student.

    Parameters
    ----------
    gradebook : Gradebook
    assignments : list of str
    handed_in : mapping of str to set of str, optional
        Who has handed in something, by assignment: whoever has no mark for that has none, instead of 0, and whoever
        is not in the gradebook comes last.
    """
    found: dict[str, dict[str, float | None]] = {
        student: {} for students in (handed_in or {}).values() for student in students}
    for name, students in (handed_in or {}).items():
        for student in students:
            found[student][name] = None
    without = ledger.failed(gradebook.db.connection(), assignments)
    marked = _marked(gradebook, assignments)
    query = (gradebook.db.query(SubmittedAssignment.student_id, Assignment.name, SubmittedAssignment.score,
                                SubmittedAssignment.late_submission_penalty, Assignment.max_score)
             .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
             .filter(Assignment.name.in_(assignments)))
    for student, name, score, penalty, most in query:
        mark = max(0.0, score - (penalty or 0.0))
        nothing = mark == 0 and ((name, student) in without or (most and (name, student) not in marked))
        found.setdefault(student, {})[name] = None if nothing else mark
    people = gradebook.db.query(Student.id, Student.first_name, Student.last_name, Student.email,
                                Student.lms_user_id).order_by(Student.last_name, Student.first_name, Student.id)
    rows = [Row(student, _one_line(first), _one_line(last), _one_line(email), _one_line(lms), found.get(student, {}))
            for student, first, last, email, lms in people]
    return rows + [Row(student, "", "", "", "", found[student]) for student in sorted(found.keys() - {
        row.id for row in rows})]


def _marked(gradebook: Gradebook, assignments: list[str]) -> set[tuple[str, str]]:
    """Assignment and student wherever anything has points, be it 0: a row alone says that grading began."""
    query = (gradebook.db.query(Assignment.name, SubmittedAssignment.student_id)
             .select_from(Grade)
             .join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
             .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
             .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
             .filter(Assignment.name.in_(assignments),
                     or_(Grade.auto_score.is_not(None), Grade.manual_score.is_not(None)))
             .distinct())
    return {(name, student) for name, student in query}


def _one_line(text: str | None) -> str:
    # Importers that read line by line would see two students in a name with a line break.
    return " ".join((text or "").split())


def _marks(row: Row, maxima: dict[str, float]) -> list[str]:
    marks = (row.scores.get(name, 0.0) for name in maxima)
    return ["" if mark is None else _number(mark) for mark in marks]


def _number(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".")
