"""The ledger: which submission was graded by which version of the judge, and what came of it.

It lies beside nbgrader's tables in the same database, and one transaction enters a mark and its line here. So a run
that was killed at any moment can be started again: what has a line is done, what has none is graded, and nothing
counts twice.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sqlalchemy import Column, Float, MetaData, String, Table, Text, bindparam, delete, insert, inspect, select
from sqlalchemy.engine import Connection, Engine

from autograder.classroom.versions import Versions
from autograder.judging.verdict import Verdict

METADATA = MetaData()
LEDGER = Table(
    "cnncourse_ledger", METADATA,
    Column("assignment", String(128), primary_key=True),
    Column("student", String(128), primary_key=True),
    Column("submission", String(64), nullable=False),
    Column("version", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Column("seconds", Float, nullable=False),
    Column("record", Text, nullable=False),
)
ATTEMPTS = Table(
    "cnncourse_attempts", METADATA,
    Column("assignment", String(128), primary_key=True),
    Column("student", String(128), primary_key=True),
    Column("submission", String(64), primary_key=True),
    Column("version", String(64), nullable=False),
    Column("at", Float, nullable=False),
    Column("score", Float, nullable=False),
    Column("max_score", Float, nullable=False),
    Column("kept_out", String(16), nullable=False),
)
READ_AT_ONCE = 500
"""Students a query: databases limit how many parameters one may have."""


@dataclass(frozen=True)
class Line:
    """One line of the ledger.

    Attributes
    ----------
    student : str
    submission : str
        Hash of what was handed in, see `submission_hash`.
    versions : Versions or None
        Of the judge, the instructor's notebooks, settings and pages; None if an older judge did not say.
    status : str
        "graded" or "failed".
    seconds : float
        That grading took.
    verdicts : mapping of str to Verdict
        By exercise.
    problems : tuple of str
    late : float or None
        Seconds of lateness that the marks were made with; None if an older judge did not say.
    """

    student: str
    submission: str
    versions: Versions | None
    status: str
    seconds: float = 0.0
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    late: float | None = None


@dataclass(frozen=True)
class Attempt:
    """Something that a student handed in, and what it was worth.

    Attributes
    ----------
    student, submission : str
    version : str
        Digest of the versions with which it was graded last.
    at : float
        When it was graded first, in seconds since 1970.
    score, max_score : float
    kept_out : str
        Why its marks are not those in the gradebook: "lower", "best", "first"; empty if they are.
    """

    student: str
    submission: str
    version: str
    at: float
    score: float
    max_score: float
    kept_out: str = ""


def make_table(engine: Engine) -> None:
    """Make the ledger in a database that has none."""
    METADATA.create_all(engine)


def submission_hash(folder: Path, files: Iterable[Path]) -> str:
    """Hash of what a student handed in: everything that may be a notebook, and when it came.

    Parameters
    ----------
    folder : Path
        The assignment's, in which the time is noted.
    files : iterable of Path
        Notebooks and archives, wherever they lie.

    Returns
    -------
    str
        Of a file that is missing or cannot be read only that is taken.
    """
    digest = hashlib.sha256()
    for path in (*files, folder / "timestamp.txt"):
        digest.update(f"\0{os.path.relpath(path, folder)}\0".encode("utf-8", "surrogateescape"))
        try:
            if path.is_file() and not path.is_symlink():
                with path.open("rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            digest.update(str(error.errno).encode())
    return digest.hexdigest()


def read(connection: Connection, assignment: str, students: Iterable[str]) -> dict[str, Line]:
    """Lines of some students, by student."""
    names, found = list(students), {}
    for start in range(0, len(names), READ_AT_ONCE):
        query = select(LEDGER).where(LEDGER.c.assignment == assignment,
                                     LEDGER.c.student.in_(names[start : start + READ_AT_ONCE]))
        for row in connection.execute(query):
            record = json.loads(row.record)
            found[row.student] = Line(
                row.student, row.submission, Versions.from_json(record.get("versions")), row.status, row.seconds,
                {name: Verdict.from_json(kept) for name, kept in record["verdicts"].items()},
                tuple(record["problems"]), record.get("late"))
    return found


def attempts(connection: Connection, assignment: str, students: Iterable[str] | None = None) -> list[Attempt]:
    """What students have handed in so far, in the order in which it was graded; by default of everybody."""
    query = select(ATTEMPTS).where(ATTEMPTS.c.assignment == assignment)
    names = None if students is None else list(students)
    parts = [None] if names is None else [names[at : at + READ_AT_ONCE] for at in range(0, len(names), READ_AT_ONCE)]
    found = []
    for part in parts:
        for row in connection.execute(query if part is None else query.where(ATTEMPTS.c.student.in_(part))):
            found.append(Attempt(row.student, row.submission, row.version, row.at, row.score, row.max_score,
                                 row.kept_out))
    return sorted(found, key=lambda attempt: (attempt.student, attempt.at))


def write_attempts(connection: Connection, assignment: str, made: Iterable[Attempt]) -> None:
    """Enter attempts; one at the same submission is replaced, and keeps its time."""
    for attempt in made:
        which = ((ATTEMPTS.c.assignment == assignment) & (ATTEMPTS.c.student == attempt.student)
                 & (ATTEMPTS.c.submission == attempt.submission))
        first = connection.scalar(select(ATTEMPTS.c.at).where(which))
        connection.execute(delete(ATTEMPTS).where(which))
        connection.execute(insert(ATTEMPTS), [asdict(attempt) | {
            "assignment": assignment, "at": attempt.at if first is None else first}])


def failed(connection: Connection, assignments: Iterable[str]) -> set[tuple[str, str]]:
    """Assignment and student of each submission that could not be graded; none where nothing was graded yet."""
    if not inspect(connection).has_table(LEDGER.name):
        return set()
    query = select(LEDGER.c.assignment, LEDGER.c.student).where(LEDGER.c.status == "failed",
                                                                LEDGER.c.assignment.in_(list(assignments)))
    return {(assignment, student) for assignment, student in connection.execute(query)}


def write(connection: Connection, assignment: str, lines: Iterable[Line]) -> None:
    """Enter lines; each replaces the student's earlier one."""
    rows = [{"assignment": assignment, "student": line.student, "submission": line.submission,
             "version": line.versions.digest if line.versions else "", "status": line.status, "seconds": line.seconds,
             "record": json.dumps({"verdicts": {name: verdict.to_json() for name, verdict in line.verdicts.items()},
                                   "problems": line.problems, "late": line.late,
                                   "versions": line.versions.to_json() if line.versions else None})} for line in lines]
    if rows:
        earlier = delete(LEDGER).where(LEDGER.c.assignment == assignment, LEDGER.c.student == bindparam("b_student"))
        connection.execute(earlier, [{"b_student": row["student"]} for row in rows])
        connection.execute(insert(LEDGER), rows)
