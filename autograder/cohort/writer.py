"""The one writer of the gradebook: whole batches of students in a few statements.

nbgrader enters each mark in a transaction of its own and looks its rows up through objects, which takes longer than
judging. This writes the same rows of the same tables. What people have entered, marks, extra credit and comments, is
read and never written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from nbgrader.api import (
    Comment,
    Grade,
    Gradebook,
    GradeCell,
    MissingEntry,
    SolutionCell,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
    new_uuid,
)
from sqlalchemy import bindparam, case, func, insert, or_, select, update
from sqlalchemy.engine import Connection

from autograder.classroom.marking import Earlier, NotebookMarks, Standing
from autograder.cohort import ledger
from autograder.errors import AutograderError


class GradebookWriter:
    """Reads and writes the rows of one assignment.

    Parameters
    ----------
    gradebook : Gradebook
    assignment : str

    Raises
    ------
    AutograderError
        If the assignment is not in the gradebook.

    Attributes
    ----------
    notebooks : dict of str to dict of str to float
        How many points each graded cell can have, by notebook and cell.
    """

    def __init__(self, gradebook: Gradebook, assignment: str) -> None:
        self._engine = gradebook.engine
        self._assignment = assignment
        try:
            entry = gradebook.find_assignment(assignment)
        except MissingEntry:
            raise AutograderError(f"{assignment} is not in the gradebook. Run: course release {assignment}") from None
        self._id, self._due = entry.id, entry.duedate
        self._names = {notebook.id: notebook.name for notebook in entry.notebooks}
        self.notebooks: dict[str, dict[str, float]] = {name: {} for name in self._names.values()}
        self._graded: dict[str, dict[str, str]] = {key: {} for key in self._names}
        self._commented: dict[str, dict[str, str]] = {key: {} for key in self._names}
        ledger.make_table(self._engine)
        with self._engine.connect() as connection:
            self._read_cells(connection)

    @property
    def max_score(self) -> float:
        """Points of the whole assignment."""
        return sum(points for cells in self.notebooks.values() for points in cells.values())

    def lines(self, students: Iterable[str]) -> dict[str, ledger.Line]:
        """The ledger's lines of some students."""
        with self._engine.connect() as connection:
            return ledger.read(connection, self._assignment, students)

    def attempts(self, students: Iterable[str] | None = None) -> list[ledger.Attempt]:
        """What students have handed in so far; by default everybody."""
        with self._engine.connect() as connection:
            return ledger.attempts(connection, self._assignment, students)

    def lateness(self, students: Sequence[str]) -> dict[str, float]:
        """Seconds by which submissions are late that are in the gradebook, extensions taken into account."""
        found: dict[str, float] = {}
        with self._engine.connect() as connection:
            for part in _parts(students):
                assert part is not None
                for student, when, extension in connection.execute(
                        select(SubmittedAssignment.student_id, SubmittedAssignment.timestamp,
                               SubmittedAssignment.extension)
                        .where(SubmittedAssignment.assignment_id == self._id,
                               SubmittedAssignment.student_id.in_(part))):
                    found[student] = self._seconds_late(when, extension)
        return found

    def _seconds_late(self, when: datetime | None, extension: timedelta | None) -> float:
        due = self._due + extension if self._due and extension else self._due
        return max(0.0, (when - due).total_seconds()) if when and due else 0.0

    def enter(self, submitted: Mapping[str, datetime | None]) -> dict[str, Standing]:
        """Make the rows that are missing, note when things came, and say how every submission stands.

        Parameters
        ----------
        submitted : mapping of str to (datetime or None)
            When each student handed in, in UTC without a time zone; None leaves what is known.

        Returns
        -------
        dict of str to Standing
        """
        with self._engine.begin() as connection:
            self._enter_students(connection, list(submitted))
            self._enter_submissions(connection, submitted)
            return self._standings(connection, list(submitted))

    def save(
        self, marks: Mapping[str, Mapping[str, NotebookMarks]], lines: Sequence[ledger.Line] = (),
        attempts: Sequence[ledger.Attempt] = (),
    ) -> None:
        """Enter marks and their lines of the ledger, all of them or none.

        Parameters
        ----------
        marks : mapping of str to mapping of str to NotebookMarks
            By student and notebook; `enter` has been called for these students.
        lines : sequence of Line, optional
        attempts : sequence of Attempt, optional
        """
        with self._engine.begin() as connection:
            keys = self._notebook_keys(connection, list(marks))
            scores, comments, penalties = [], [], []
            for student, notebooks in marks.items():
                for name, own in notebooks.items():
                    key, notebook = keys[student, name]
                    for cell, (points, look) in own.scores.items():
                        scores.append({"n": key, "c": self._graded[notebook][cell], "points": points, "look": look})
                    for cell, text in own.comments.items():
                        comments.append({"n": key, "c": self._commented[notebook][cell], "text": text})
                    penalties.append({"n": key, "penalty": own.late_penalty})
            self._update(connection, scores, comments, penalties)
            ledger.write(connection, self._assignment, lines)
            ledger.write_attempts(connection, self._assignment, attempts)

    def totals(self, students: Iterable[str] | None = None) -> dict[str, float]:
        """Points of students, hand marks, extra credit and late penalties included; by default of everybody."""
        points = func.coalesce(func.sum(func.coalesce(Grade.manual_score, Grade.auto_score)
                                        + func.coalesce(Grade.extra_credit, 0.0)), 0.0)
        found: dict[str, float] = defaultdict(float)
        query = (select(SubmittedAssignment.student_id, SubmittedNotebook.late_submission_penalty, points)
                 .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
                 .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
                 .where(SubmittedAssignment.assignment_id == self._id)
                 .group_by(SubmittedAssignment.student_id, SubmittedNotebook.id,
                           SubmittedNotebook.late_submission_penalty))
        with self._engine.connect() as connection:
            for part in _parts(students):
                chosen = query if part is None else query.where(SubmittedAssignment.student_id.in_(part))
                for student, penalty, score in connection.execute(chosen):
                    found[student] += max(0.0, score - (penalty or 0.0))
        return dict(found)

    def standings(self, students: Sequence[str]) -> dict[str, Standing]:
        """How submissions stand that are in the gradebook."""
        with self._engine.connect() as connection:
            return self._standings(connection, students)

    def _read_cells(self, connection: Connection) -> None:
        for kind, points in ((GradeCell, True), (TaskCell, True), (SolutionCell, False), (TaskCell, False)):
            columns = [kind.name, kind.id, kind.notebook_id] + ([kind.max_score] if points else [])
            for name, key, notebook, *most in connection.execute(
                    select(*columns).where(kind.notebook_id.in_(self._names))):
                if points:
                    self._graded[notebook][name] = key
                    self.notebooks[self._names[notebook]][name] = most[0]
                else:
                    self._commented[notebook][name] = key

    def _enter_students(self, connection: Connection, students: Sequence[str]) -> None:
        known = set(connection.scalars(select(Student.id).where(Student.id.in_(students))))
        if new := [{"id": student} for student in students if student not in known]:
            connection.execute(insert(Student), new)

    def _enter_submissions(self, connection: Connection, submitted: Mapping[str, datetime | None]) -> None:
        known: dict[str, str] = dict(connection.execute(
            select(SubmittedAssignment.student_id, SubmittedAssignment.id)
            .where(SubmittedAssignment.assignment_id == self._id, SubmittedAssignment.student_id.in_(submitted))).all())
        new = [{"id": new_uuid(), "assignment_id": self._id, "student_id": student, "timestamp": when}
               for student, when in submitted.items() if student not in known]
        if new:
            connection.execute(insert(SubmittedAssignment), new)
        if dated := [{"b_id": known[student], "b_when": when} for student, when in submitted.items()
                     if when is not None and student in known]:
            table = SubmittedAssignment.__table__
            query = update(table).where(table.c.id == bindparam("b_id")).values(timestamp=bindparam("b_when"))
            connection.execute(query, dated)
        everything = [*known.values(), *(row["id"] for row in new)]
        self._complete(connection, everything)

    def _complete(self, connection: Connection, submissions: Sequence[str]) -> None:
        """Make the rows of notebooks, grades and comments that submissions lack: all, or those of a new exercise."""
        have = {(assignment, notebook): key for key, assignment, notebook in connection.execute(
            select(SubmittedNotebook.id, SubmittedNotebook.assignment_id, SubmittedNotebook.notebook_id)
            .where(SubmittedNotebook.assignment_id.in_(submissions)))}
        new = [{"id": new_uuid(), "assignment_id": submission, "notebook_id": notebook, "flagged": False}
               for submission in submissions for notebook in self._names if (submission, notebook) not in have]
        if new:
            connection.execute(insert(SubmittedNotebook), new)
        keys = {key: notebook for (_, notebook), key in have.items()} | {row["id"]: row["notebook_id"] for row in new}
        for table, cells, defaults in ((Grade, self._graded, {"needs_manual_grade": True}),
                                       (Comment, self._commented, {})):
            there = set(connection.execute(select(table.notebook_id, table.cell_id)
                                           .where(table.notebook_id.in_(keys))).all()) if have else set()
            rows = [{"id": new_uuid(), "notebook_id": key, "cell_id": cell, **defaults}
                    for key, notebook in keys.items() for cell in cells[notebook].values() if (key, cell) not in there]
            if rows:
                connection.execute(insert(table), rows)

    def _notebook_keys(self, connection: Connection, students: Sequence[str]) -> dict[tuple[str, str], tuple[str, str]]:
        """Row of each student's notebook, and the notebook that it is of."""
        query = (select(SubmittedAssignment.student_id, SubmittedNotebook.notebook_id, SubmittedNotebook.id)
                 .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
                 .where(SubmittedAssignment.assignment_id == self._id, SubmittedAssignment.student_id.in_(students)))
        return {(student, self._names[notebook]): (key, notebook)
                for student, notebook, key in connection.execute(query)}

    def _standings(self, connection: Connection, students: Sequence[str]) -> dict[str, Standing]:
        lateness: dict[str, float] = {}
        penalties: dict[str, dict[str, float]] = defaultdict(dict)
        owners: dict[str, tuple[str, str]] = {}
        for student, when, extension, key, notebook, penalty in connection.execute(
                select(SubmittedAssignment.student_id, SubmittedAssignment.timestamp, SubmittedAssignment.extension,
                       SubmittedNotebook.id, SubmittedNotebook.notebook_id, SubmittedNotebook.late_submission_penalty)
                .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
                .where(SubmittedAssignment.assignment_id == self._id, SubmittedAssignment.student_id.in_(students))):
            lateness[student] = self._seconds_late(when, extension)
            penalties[student][self._names[notebook]] = penalty or 0.0
            owners[key] = student, self._names[notebook]
        texts = self._texts(connection, owners)
        earlier: Any = defaultdict(lambda: defaultdict(dict))
        automatic: Any = defaultdict(lambda: defaultdict(dict))
        names = {key: name for cells in self._graded.values() for name, key in cells.items()}
        for key, cell, points, by_hand, extra in connection.execute(
                select(Grade.notebook_id, Grade.cell_id, Grade.auto_score, Grade.manual_score, Grade.extra_credit)
                .where(Grade.notebook_id.in_(owners))):
            if cell in names:
                student, notebook = owners[key]
                comment = texts.get((key, names[cell]), (None, None))[1]
                earlier[student][notebook][names[cell]] = Earlier(by_hand, extra, comment)
                automatic[student][notebook][names[cell]] = points
        comments: Any = defaultdict(lambda: defaultdict(dict))
        for (key, name), (text, by_hand) in texts.items():
            student, notebook = owners[key]
            comments[student][notebook][name] = text
            earlier[student][notebook].setdefault(name, Earlier(comment=by_hand))
        return {student: Standing(lateness[student], _plain(earlier[student]), dict(penalties[student]),
                                  _plain(automatic[student]), _plain(comments[student])) for student in lateness}

    def _texts(
        self, connection: Connection, owners: Mapping[str, Any]
    ) -> dict[tuple[str, str], tuple[str | None, str | None]]:
        """Automatic and manual comments, by row of the notebook and name of the cell."""
        names = {key: name for cells in self._commented.values() for name, key in cells.items()}
        return {(key, names[cell]): (text, by_hand) for key, cell, text, by_hand in connection.execute(
            select(Comment.notebook_id, Comment.cell_id, Comment.auto_comment, Comment.manual_comment)
            .where(Comment.notebook_id.in_(owners))) if cell in names}

    def _update(
        self, connection: Connection, scores: list[dict[str, Any]], comments: list[dict[str, Any]],
        penalties: list[dict[str, Any]],
    ) -> None:
        grade, comment, notebook = Grade.__table__, Comment.__table__, SubmittedNotebook.__table__
        # Whether a person has marked the cell is asked at this moment, not when grading began.
        look = case((or_(grade.c.manual_score.is_not(None), bindparam("look")), True), else_=False)
        for table, values, rows in (
            (grade, {"auto_score": bindparam("points"), "needs_manual_grade": look}, scores),
            (comment, {"auto_comment": bindparam("text")}, comments),
        ):
            if rows:
                connection.execute(update(table).where(table.c.notebook_id == bindparam("n"),
                                                       table.c.cell_id == bindparam("c")).values(values), rows)
        if penalties:
            connection.execute(update(notebook).where(notebook.c.id == bindparam("n"))
                               .values(late_submission_penalty=bindparam("penalty")), penalties)


def _parts(students: Iterable[str] | None) -> list[list[str] | None]:
    if students is None:
        return [None]
    names = list(students)
    return [names[start : start + ledger.READ_AT_ONCE] for start in range(0, len(names), ledger.READ_AT_ONCE)]


def _plain(nested: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: dict(inner) for name, inner in nested.items()}
