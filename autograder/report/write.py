"""The report's folder: a page and CSV files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autograder.classroom.course import Course
from autograder.cohort import Report, attempts, reports
from autograder.report.files import write_files
from autograder.report.numbers import ClassNumbers
from autograder.report.page import Content, render
from autograder.report.similar import find_similar
from autograder.report.work import feedback_links, instructors_answers, names_of, read_work


def write_report(
    course: Course, assignment: str, to: Path | None = None, known: Sequence[Report] | None = None
) -> list[Path]:
    """Write a class's report.

    Parameters
    ----------
    course : Course
    assignment : str
    to : Path, optional
        The folder, by default report/<assignment> in the course directory; files of an earlier report are replaced.
    known : sequence of Report, optional
        The reports, if the caller has them already.

    Returns
    -------
    list of Path
        The page, then the CSV files.
    """
    folder = to if to is not None else course.root / "report" / assignment
    folder.mkdir(parents=True, exist_ok=True)
    course.make_private()
    known = reports(course, assignment) if known is None else known
    students = [report.student for report in known]
    answers: dict[str, dict[str, str]] = {}
    seconds: dict[str, float] = {}
    for report in known:
        work = read_work(course.step(course.directory.autograded_directory, report.student, assignment))
        answers[report.student] = work.answers
        if taken := work.seconds or report.seconds:
            seconds[report.student] = taken
    similar = find_similar(answers, instructors_answers(course, assignment))
    numbers = ClassNumbers(known, seconds)
    names = names_of(course)
    page = folder / "index.html"
    content = Content(assignment, numbers, names, feedback_links(course, assignment, students, folder.resolve()),
                      similar, answers)
    page.write_text(render(content), encoding="utf-8", errors="xmlcharrefreplace")
    return [page, *write_files(folder, numbers, names, similar, attempts(course, assignment))]
