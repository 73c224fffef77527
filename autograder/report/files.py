"""The report's CSV files; see `autograder.spreadsheet` on cells that could be formulas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from autograder.cohort.ledger import Attempt
from autograder.report.numbers import ClassNumbers
from autograder.report.similar import Similarities
from autograder.report.summary import exercises_of, problems
from autograder.spreadsheet import write_csv

Rows = Iterator[list[object]]


def write_files(
    folder: Path, numbers: ClassNumbers, names: Mapping[str, tuple[str, str]], similar: Similarities,
    attempts: Sequence[Attempt] = (),
) -> list[Path]:
    """Write scores.csv, misconceptions.csv, problems.csv, similar.csv and attempts.csv.

    Parameters
    ----------
    folder : Path
    numbers : ClassNumbers
    names : mapping of str to tuple of str
        First and last name by student.
    similar : Similarities
    attempts : sequence of Attempt, optional
        What students have handed in so far.
    """
    tables: dict[str, Rows] = {
        "scores.csv": _scores(numbers, names), "misconceptions.csv": _misconceptions(numbers),
        "problems.csv": _problems(numbers), "similar.csv": _similar(similar),
        "attempts.csv": _attempts(attempts),
    }
    return [write_csv(folder / name, rows) for name, rows in tables.items()]


def _scores(numbers: ClassNumbers, names: Mapping[str, tuple[str, str]]) -> Rows:
    exercises = exercises_of(numbers.reports)
    yield ["student", "last_name", "first_name", "status", "score", "max_score", "seconds", *exercises]
    for report in numbers.reports:
        first, last = names.get(report.student, ("", ""))
        points = [report.verdicts[name].points if name in report.verdicts else "" for name in exercises]
        score = "" if report.status == "failed" and not report.score else report.score  # no mark is not 0
        yield [report.student, last, first, report.status, score, report.max_score,
               numbers.seconds.get(report.student, ""), *points]


def _misconceptions(numbers: ClassNumbers) -> Rows:
    yield ["exercise", "misconception", "students_with_it", "share_of_graded", "student"]
    for exercise in numbers.exercises:
        for mistake in exercise.mistakes:
            number = len(mistake.students)
            for student in mistake.students:
                yield [exercise.name, mistake.name, number, round(number / len(numbers.graded), 4), student]


def _problems(numbers: ClassNumbers) -> Rows:
    yield ["student", "status", "problem"]
    status = {report.student: report.status for report in numbers.reports}
    for student, text in problems(numbers.reports):
        yield [student, status[student], text]


def _attempts(attempts: Sequence[Attempt]) -> Rows:
    yield ["student", "graded_at", "score", "max_score", "counts", "why_not"]
    for position, attempt in enumerate(attempts):
        later = attempts[position + 1 :]
        replaced = any(other.student == attempt.student and not other.kept_out for other in later)
        when = datetime.fromtimestamp(attempt.at, UTC).isoformat(timespec="seconds")
        why = attempt.kept_out or ("a later one" if replaced else "")
        yield [attempt.student, when, attempt.score, attempt.max_score, "no" if why else "yes", why]


def _similar(similar: Similarities) -> Rows:
    yield ["group", "weight", "answer", "kind", "similarity", "students_in_group", "students_who_wrote_it", "student"]
    for number, group in enumerate(similar.groups, start=1):
        for match in group.matches:
            for student in group.students:
                yield [number, round(group.weight, 1), match.answer, match.kind, round(match.similarity, 3),
                       len(group.students), match.of, student]
