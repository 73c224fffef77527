"""Many submissions: which ones there are, which are graded already, and grading the others one after the other.

The autograded notebook is the record of a finished submission: nbgrader writes it after the gradebook, and it names
the submission's fingerprint and the version of the judge. What has no such record, or another one, is graded again;
so a run that was killed is simply started once more, and nothing counts twice.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import Autograde, GenerateFeedback
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import SAWarning
from traitlets.config import Config, LoggingConfigurable, PyFileConfigLoader

from autograder import submission as submissions
from autograder.errors import AutograderError, SandboxUnavailableError
from autograder.gradebook import instructors_notebook, read_record, version
from autograder.sandbox.isolation import why_unavailable

LOG_FILE = "grading.log"

# nbgrader builds rows that refer to each other before it adds them, and SQLAlchemy 2 says so each time.
warnings.filterwarnings("ignore", category=SAWarning, module="nbgrader")


@dataclass(frozen=True)
class Report:
    """How grading one submission went.

    Attributes
    ----------
    student : str
    status : str
        "graded", "unchanged" (it was graded before and nothing has changed since) or "failed".
    score, max_score : float
        As in the gradebook, hand marks and penalties included.
    seconds : float
        Wall time of this run.
    verdicts : dict
        The judge's record of each exercise.
    problems : tuple of str
        What the instructor should know.
    """

    student: str
    status: str
    score: float = 0.0
    max_score: float = 0.0
    seconds: float = 0.0
    verdicts: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


class Course:
    """A course directory with its nbgrader configuration.

    Parameters
    ----------
    root : Path
        The folder that holds nbgrader_config.py.
    trust : bool, optional
        Run submissions without a sandbox.

    Raises
    ------
    AutograderError
        If the folder is no course directory.
    """

    def __init__(self, root: Path, *, trust: bool = False) -> None:
        if not (root / "nbgrader_config.py").is_file():
            raise AutograderError(f"{root} holds no nbgrader_config.py, so it is not a course directory")
        self.config: Config = PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()
        self.config.CourseDirectory.root = str(root)
        self.config.JudgeAnswers.trust_submissions = trust
        if self.config.Exchange.root == str(Path("exchange").resolve()):  # said relative to where nbgrader runs
            self.config.Exchange.root = str(root / "exchange")
        self.root = root
        self.trust = trust
        self.directory = CourseDirectory(config=self.config)

    def submitted(self, assignment: str) -> list[str]:
        """Students who have a folder for the assignment, in alphabetical order."""
        found = Path(self.root, self.directory.submitted_directory).glob(f"*/{assignment}")
        return sorted(path.parent.name for path in found if path.is_dir())

    def step(self, folder: str, student: str, assignment: str) -> Path:
        """Folder of one of nbgrader's steps."""
        return Path(self.directory.format_path(folder, student, assignment))

    @contextmanager
    def gradebook(self) -> Iterator[Gradebook]:
        """nbgrader's gradebook."""
        with Gradebook(self.directory.db_url, self.directory.course_id) as gradebook:
            yield gradebook


def grade(
    course: Course, assignment: str, students: list[str] | None = None, *, force: bool = False,
    on_start: Callable[[str], None] = lambda student: None,
) -> Iterator[Report]:
    """Grade submissions and write their feedback, one after the other.

    Parameters
    ----------
    course : Course
    assignment : str
    students : list of str, optional
        By default everybody who handed in.
    force : bool, optional
        Grade again what is graded already.
    on_start : callable, optional
        Called with each student's name before the work on it begins.

    Yields
    ------
    Report
        One for each student; a submission that fails does not stop the others.

    Raises
    ------
    SandboxUnavailableError
        If no sandbox can start and `course.trust` is not set.
    AutograderError
        If nothing was handed in, or the assignment is not in the gradebook.
    """
    if not course.trust and (reason := why_unavailable()):
        raise SandboxUnavailableError(reason)
    everybody = course.submitted(assignment)
    if not everybody:
        raise AutograderError(f"Nothing was handed in for {assignment}: there is no folder "
                              f"{course.root / course.directory.submitted_directory}/<student>/{assignment}")
    if missing := set(students or ()) - set(everybody):
        raise AutograderError(f"Nothing was handed in for {assignment} by {', '.join(sorted(missing))}")
    notebooks = _notebooks(course, assignment)
    with _log_to_file(course.root / LOG_FILE) as log:
        for student in students or everybody:
            on_start(student)
            began = time.perf_counter()
            status = "unchanged"
            problems: tuple[str, ...] = ()
            if force or not _is_finished(course, assignment, student, notebooks):
                status, problems = _grade_one(course, assignment, student, notebooks, log)
            yield _report(course, assignment, student, notebooks, status, problems, time.perf_counter() - began)


def write_feedback(course: Course, assignment: str, student: str) -> None:
    """Write one student's feedback page.

    Raises
    ------
    NbGraderException
        If nbgrader cannot.
    """
    config = Config(course.config)
    config.BaseConverter.force = True
    GenerateFeedback(coursedir=_directory(course, assignment, student), config=config).start()


def _notebooks(course: Course, assignment: str) -> list[str]:
    with course.gradebook() as gradebook:
        try:
            return [notebook.name for notebook in gradebook.find_assignment(assignment).notebooks]
        except MissingEntry:
            raise AutograderError(f"{assignment} is not in the gradebook. Run: course release {assignment}") from None


def _is_finished(course: Course, assignment: str, student: str, notebooks: list[str]) -> bool:
    """Whether all that grading would do is done, for these answers and this version of the judge."""
    directory = course.directory
    for name in notebooks:
        record = read_record(course.step(directory.autograded_directory, student, assignment) / f"{name}.ipynb")
        submitted = course.step(directory.submitted_directory, student, assignment) / f"{name}.ipynb"
        feedback = course.step(directory.feedback_directory, student, assignment) / f"{name}.html"
        if record is None or record.get("version") != version() or not feedback.is_file() or not submitted.is_file():
            return False
        template = instructors_notebook(directory, assignment, name)
        if submissions.read(submitted, template).fingerprint != record.get("submission"):
            return False
    with course.gradebook() as gradebook:
        try:
            submission = gradebook.find_submission(assignment, student)
        except MissingEntry:
            return False
        return all(grade.auto_score is not None or grade.needs_manual_grade or grade.manual_score is not None
                   for notebook in submission.notebooks for grade in notebook.grades)


def _grade_one(
    course: Course, assignment: str, student: str, notebooks: list[str], log: logging.Logger
) -> tuple[str, tuple[str, ...]]:
    folder = course.step(course.directory.submitted_directory, student, assignment)
    if absent := [name for name in notebooks if not (folder / f"{name}.ipynb").is_file()]:
        return "failed", _enter_zero(course, assignment, student, folder, absent)
    if strange := [path.name for path in folder.rglob("*")
                   if path.is_symlink() or not (path.is_file() or path.is_dir())]:
        # nbgrader copies what lies beside the notebook, and would follow these wherever they lead.
        return "failed", (f"Links or devices are among the files: {', '.join(strange)}. Remove them and grade again.",)
    config = Config(course.config)
    config.BaseConverter.force = True
    try:
        Autograde(coursedir=_directory(course, assignment, student), config=config).start()
        write_feedback(course, assignment, student)
    except (NbGraderException, OSError, ValueError, RuntimeError) as error:
        log.exception("%s could not be graded", student)
        return "failed", (f"It could not be graded: {error}. See {LOG_FILE}.",)
    return "graded", ()


def _enter_zero(
    course: Course, assignment: str, student: str, folder: Path, absent: list[str]
) -> tuple[str, ...]:
    """Enter a submission without its notebook: no points, and a word on what was found instead."""
    with course.gradebook() as gradebook:
        gradebook.update_or_create_student(student)
        submission = gradebook.update_or_create_submission(assignment, student)
        for notebook in submission.notebooks:
            if notebook.name in absent:
                for entry in notebook.grades:
                    entry.auto_score, entry.needs_manual_grade = 0.0, False
        gradebook.db.commit()
    found = sorted(path.name for path in folder.glob("*.ipynb"))
    there = f"there is {', '.join(found)}: rename it and grade again" if found else "no notebook is there"
    return tuple(f"{name}.ipynb is missing; {there}." for name in absent)


def _report(
    course: Course, assignment: str, student: str, notebooks: list[str], status: str, problems: tuple[str, ...],
    seconds: float,
) -> Report:
    verdicts: dict[str, dict[str, Any]] = {}
    for name in notebooks:
        record = read_record(course.step(course.directory.autograded_directory, student, assignment) / f"{name}.ipynb")
        if record is not None:
            verdicts |= record["verdicts"]
            problems += tuple(record.get("problems", ()))
            problems += tuple(f"{cell}: {text}" for cell, text in record.get("problems_inside", {}).items())
    score = maximum = 0.0
    with course.gradebook() as gradebook:
        try:
            entry = gradebook.find_submission(assignment, student)
            score, maximum = entry.score, entry.max_score
        except MissingEntry:
            pass
    return Report(student, status, score, maximum, seconds, verdicts, problems)


def reports(course: Course, assignment: str) -> list[Report]:
    """What is known of every submission without grading anything."""
    notebooks = _notebooks(course, assignment)
    return [
        _report(course, assignment, student, notebooks,
                "unchanged" if _is_finished(course, assignment, student, notebooks) else "to be graded", (), 0.0)
        for student in course.submitted(assignment)
    ]


def _directory(course: Course, assignment: str, student: str) -> CourseDirectory:
    directory = CourseDirectory(config=course.config)
    directory.assignment_id, directory.student_id = assignment, student
    return directory


@contextmanager
def _log_to_file(path: Path) -> Iterator[logging.Logger]:
    """Send nbgrader's log to a file: a person wants progress on the screen, and details when something fails."""
    log = LoggingConfigurable().log
    kept, level, propagate = list(log.handlers), log.level, log.propagate
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.handlers, log.propagate = [handler], False
    log.setLevel(logging.INFO)
    try:
        yield log if isinstance(log, logging.Logger) else logging.getLogger(__name__)
    finally:
        handler.close()
        log.handlers, log.propagate = kept, propagate
        log.setLevel(level)
