"""Many submissions: which ones there are, which are graded already, and grading the others, some at a time."""

from __future__ import annotations

import hashlib
import logging
import shutil
import time
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from nbgrader.utils import is_grade, parse_utc
from sqlalchemy.exc import SAWarning, SQLAlchemyError

from autograder.assignment.cells import CHECK_PREFIX, grade_id
from autograder.classroom.course import LOG_FILE, Course
from autograder.classroom.marking import NotebookMarks
from autograder.classroom.own_tests import tests_of
from autograder.classroom.plugins import REFUSE, REFUSED, JudgeAnswers
from autograder.classroom.template import instructors_notebook
from autograder.classroom.versions import Versions, Why
from autograder.cohort import ledger
from autograder.cohort.batch import Batch, Graded, Submitted, grade_batch, remove_leftovers
from autograder.cohort.guards import alone, in_words, log_to_file
from autograder.cohort.pool import Pool, pool_for
from autograder.cohort.writer import GradebookWriter
from autograder.errors import AutograderError, SandboxLostError, SandboxUnavailableError, WorkerLostError
from autograder.exercises.contents import find, taught
from autograder.judging.verdict import Verdict
from autograder.sandbox.isolation import Chosen, choose
from autograder.sandbox.outcome import Ending
from autograder.sandbox.walls import assert_walls_hold
from autograder.text import one_line

MOST_TRIES = 2
"""How often a submission is tried whose worker was lost each time: once with others, if it came with others, and once
alone."""
LONGEST_TIMESTAMP = 100
LONGEST_NAME = 128
"""Characters that nbgrader's tables have for a student."""
CHECKED_AT_ONCE = 200

# nbgrader builds rows that refer to each other before it adds them, and SQLAlchemy 2 says so each time.
warnings.filterwarnings("ignore", category=SAWarning, module="nbgrader")


@dataclass(frozen=True)
class Report:
    """How grading one submission went.

    Attributes
    ----------
    student : str
    status : str
        "graded", "unchanged" (it was graded before and nothing has changed since), "kept" (it was graded, and the
        marks that were there stay) or "failed"; "to be graded" where nothing is graded.
    score, max_score : float
        As in the gradebook, hand marks and penalties included.
    seconds : float
        That grading took.
    verdicts : dict of str to Verdict
        By exercise.
    problems : tuple of str
        What the instructor should know.
    """

    student: str
    status: str
    score: float = 0.0
    max_score: float = 0.0
    seconds: float = 0.0
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def sign(self, exercise: str) -> str:
        """How an exercise went, in one character; a blank where there is no verdict."""
        return self.verdicts[exercise].how.sign if exercise in self.verdicts else " "


@dataclass
class _Job:
    """Submissions that are sent together, and how often that was tried."""

    submissions: list[Submitted]
    hashes: dict[str, str]
    reasons: Mapping[str, Why] = field(default_factory=dict)
    tries: int = 0


def grade(
    course: Course, assignment: str, students: list[str] | None = None, *, force: bool = False, lower: bool = False,
    on_start: Callable[[str], None] = lambda student: None, on_isolated: Callable[[str], None] = lambda how: None,
    on_reasons: Callable[[Counter[Why]], None] = lambda reasons: None, pool: Pool | None = None,
) -> Iterator[Report]:
    """Grade submissions and write their feedback.

    Parameters
    ----------
    course : Course
    assignment : str
    students : list of str, optional
        By default everybody who handed in.
    force : bool, optional
        Grade again what is graded already.
    lower : bool, optional
        Enter marks also where they are lower than those of the same submission in the gradebook.
    on_start : callable, optional
        Called with each student's name when the work on it is handed out.
    on_isolated : callable, optional
        Called with how all submissions are isolated, and why so, before the first one runs.
    on_reasons : callable, optional
        Called once, before anything is graded, with how many submissions will be and why.
    pool : Pool, optional
        Who does the work; by default processes of this machine. It is closed at the end.

    Yields
    ------
    Report
        One for each student, in the order in which they are finished; one that fails does not stop the others.

    Raises
    ------
    SandboxUnavailableError
        If no sandbox can start and `course.trust` is not set.
    AutograderError
        If nothing was handed in, the assignment is not in the gradebook, another command grades it at this moment, or
        the gradebook cannot be written.
    """
    with ExitStack() as stack:
        if pool is not None:
            stack.callback(pool.close)
        isolated = "not at all: submissions are trusted"
        if not course.trust:
            chosen = _choose_sandbox(course.sandbox)
            course.sandbox, isolated = chosen.way.name, str(chosen)
        on_isolated(isolated)
        students = _chosen(course, assignment, students)
        if pool is None:
            pool = stack.enter_context(closing(pool_for(len(students))))
        stack.enter_context(in_words())
        course.make_private()
        gradebook = stack.enter_context(course.gradebook())
        stack.enter_context(alone(course.root))
        log = stack.enter_context(log_to_file(course.root / LOG_FILE))
        run = _Run(course, assignment, GradebookWriter(gradebook, assignment), log, on_start, lower)
        assert_in_step(course, assignment, run.writer.notebooks)
        if JudgeAnswers(config=course.config).test_cells == REFUSE and (names := forgeable(course, assignment)):
            raise AutograderError(REFUSED.format(names=", ".join(names)))
        course.make_private()  # the log is there now, and what others have made meanwhile
        log.info("%s: %d submissions, isolated by %s", assignment, len(students), one_line(isolated))
        try:
            reasons = run.reasons(students, force)
            on_reasons(Counter(reasons.values()))
            yield from run.grade(students, pool, reasons)
        except (SQLAlchemyError, OSError):
            log.exception("grading stopped")
            raise


def reports(course: Course, assignment: str) -> list[Report]:
    """What is known of every submission without grading anything, in alphabetical order."""
    with in_words(), course.gradebook() as gradebook:
        run = _Run(course, assignment, GradebookWriter(gradebook, assignment))
        found: list[Report] = []
        everybody = course.submitted(assignment)
        found += [run._refused(student) for student in everybody if unusable_name(student)]
        for students in _parts([student for student in everybody if not unusable_name(student)]):
            waiting = run.reasons(students, False)
            lines = run.writer.lines(students)
            totals = run.writer.totals(students)
            for student in students:
                line = lines.get(student)
                if line is None and student not in totals:
                    found.append(Report(student, "to be graded", 0.0, run.writer.max_score))
                    continue
                status = ("unchanged" if student not in waiting else
                          "failed" if line and line.status == "failed" else "to be graded")
                found.append(run.report(student, status, line, totals))
        return found


def attempts(course: Course, assignment: str) -> list[ledger.Attempt]:
    """Everything that students have handed in and that was graded, by student and time."""
    with in_words(), course.gradebook() as gradebook:
        return GradebookWriter(gradebook, assignment).attempts()


class _Run:
    """One run of grading over one assignment."""

    def __init__(
        self, course: Course, assignment: str, writer: GradebookWriter, log: logging.Logger | None = None,
        on_start: Callable[[str], None] = lambda student: None, lower: bool = False,
    ) -> None:
        self.course, self.assignment, self.writer = course, assignment, writer
        self.log = log or logging.getLogger(__name__)
        self.on_start = on_start
        self.lower = lower
        self._kept_out: dict[str, ledger.Attempt] = {}
        self.policy = JudgeAnswers(config=course.config).policy
        self.versions = Versions.of(course, assignment, writer.notebooks)

    def reasons(self, students: list[str], force: bool) -> dict[str, Why]:
        """Why each submission has to be graded; those for which everything is done are not in it."""
        found: dict[str, Why] = {}
        for part in _parts([student for student in students if not unusable_name(student)]):
            lines, totals = self.writer.lines(part), self.writer.totals(part)
            late = self.writer.lateness(part)
            kept_out = {(attempt.student, attempt.submission): attempt for attempt in self.writer.attempts(part)
                        if attempt.kept_out}
            for student in part:
                line = lines.get(student) if student in totals else None
                if why := Why.FORCED if force else self._why(student, line, late.get(student, 0.0), kept_out):
                    found[student] = why
        return found

    def grade(self, students: list[str], pool: Pool, reasons: Mapping[str, Why]) -> Iterator[Report]:
        """Send batches out, a bounded number at a time, and enter what comes back."""
        for student in filter(unusable_name, students):
            yield self._refused(student)
        students = [student for student in students if not unusable_name(student)]
        size = pool.batch_size(len(students))
        waiting = self._unfinished(students, reasons)
        alone: deque[_Job] = deque()
        running: dict[Future[list[Graded]], _Job] = {}
        exhausted = False
        while True:
            while not exhausted and not alone and len(running) < 2 * pool.workers:
                job, unchanged, exhausted = self._next_job(waiting, size, reasons)
                yield from unchanged
                if job.submissions:
                    running[self._send(pool, job)] = job
            if alone and not running:  # whatever ends a worker is tried with nobody beside it
                job = alone.popleft()
                running[self._send(pool, job)] = job
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in [future for future in running if future in done]:
                job = running.pop(future)
                try:
                    yield from self._enter(job, future.result())
                except WorkerLostError:
                    yield from self._lost(job, alone)

    def _refused(self, student: str) -> Report:
        """A report on a student who cannot stand in the gradebook."""
        report = Report(student.encode("utf-8", "replace").decode(), "failed", 0.0, self.writer.max_score,
                        problems=(unusable_name(student),))
        self.log.warning("%s: %s", one_line(report.student), report.problems[0])
        return report

    def report(
        self, student: str, status: str, line: ledger.Line | None, totals: dict[str, float],
    ) -> Report:
        """What is known of a submission that has a line in the ledger."""
        verdicts = dict(line.verdicts) if line else {}
        found = line.problems if line else ()
        score = totals.get(student, 0.0)
        if status == "unchanged" and (attempt := self._kept_out.get(student)):
            status, found = "kept", (*found, self._says_kept(attempt.score, score, attempt.kept_out))
        return Report(student, status, score, self.writer.max_score, line.seconds if line else 0.0, verdicts, found)

    def _unfinished(self, students: list[str], reasons: Mapping[str, Why]) -> Iterator[tuple[str, Report | None]]:
        """Every student, with a report where there is nothing to do."""
        for part in _parts(students):
            finished = [student for student in part if student not in reasons]
            lines, totals = self.writer.lines(finished), self.writer.totals(finished)
            for student in finished:
                remove_leftovers(self.course, student, self.assignment)
            for student in part:
                yield student, (None if student in reasons else
                                self.report(student, "unchanged", lines[student], totals))

    def _why(
        self, student: str, line: ledger.Line | None, late: float,
        kept_out: Mapping[tuple[str, str], ledger.Attempt],
    ) -> Why | None:
        """Why a submission has to be graded; None if everything that grading would do is done."""
        if line is None:
            return Why.NEW
        submission = self._hash(student)
        known = kept_out.get((student, submission))
        if known and known.version == self._version(late) and known.kept_out == self._keeps(
                Why.AGAIN if line.submission != submission else Why.MARKS, line):
            self._kept_out[student] = known
            return None  # this was graded, and what was there before has stayed
        if line.submission != submission:
            return Why.AGAIN
        if line.status != "graded":
            return Why.FAILED
        if why := self.versions.why_not(line.versions):
            return why
        if line.late is not None and abs(line.late - late) > 1:
            return Why.LATENESS
        autograded = self.course.autograded_folder(student, self.assignment)
        feedback = self.course.feedback_folder(student, self.assignment)
        if not all((autograded / f"{name}.ipynb").is_file() and (feedback / f"{name}.html").is_file()
                   for name in self.writer.notebooks):
            return Why.MISSING
        return None

    def _version(self, late: float) -> str:
        """All that marks of a submission depend on, beside what was handed in."""
        return hashlib.sha256(f"{self.versions.digest} {late:.0f}".encode()).hexdigest()

    def _keeps(self, why: Why, line: ledger.Line | None) -> str:
        """Why marks that are in the gradebook go before new ones that are not better; empty if they do not."""
        if line is None or line.status != "graded":
            return ""
        if why is Why.AGAIN:
            return "" if self.policy.attempt == "last" else self.policy.attempt
        return "" if self.lower else "lower"

    def _says_kept(self, score: float, before: float, keeps: str) -> str:
        """What an instructor reads where marks stay that were there before."""
        figures = f"{score:g} instead of {before:g} of {self.writer.max_score:g} points"
        return {
            "lower": f"It would get {figures} now, and keeps what it has: no mark falls without --lower.",
            "best": f"The new attempt is worth {figures}; the best one counts.",
            "first": f"The new attempt would be worth {figures}; the first one counts.",
        }[keeps]

    def _hash(self, student: str) -> str:
        return ledger.submission_hash(self.course.submitted_folder(student, self.assignment),
                                      self.course.files(student, self.assignment))

    def _next_job(
        self, waiting: Iterator[tuple[str, Report | None]], size: int, reasons: Mapping[str, Why]
    ) -> tuple[_Job, list[Report], bool]:
        """Up to `size` submissions to grade, the reports of those passed over, and whether these were the last."""
        chosen: list[str] = []
        unchanged: list[Report] = []
        exhausted = False
        while len(chosen) < size:
            student, report = next(waiting, ("", None))
            if not student:
                exhausted = True
                break
            if report is None:
                chosen.append(student)
            else:
                unchanged.append(report)
        times, problems = {}, {}
        for student in chosen:
            folder = self.course.submitted_folder(student, self.assignment)
            times[student], problems[student] = _timestamp(folder)
        lines = self.writer.lines(chosen)
        standings = self.writer.enter(times) if chosen else {}
        return _Job([Submitted(student, standings[student], problems[student],
                               self._keeps(reasons[student], lines.get(student))) for student in chosen],
                    {student: self._hash(student) for student in chosen}, reasons), unchanged, exhausted

    def _send(self, pool: Pool, job: _Job) -> Future[list[Graded]]:
        job.tries += 1
        for submitted in job.submissions:
            self.on_start(submitted.student)
        return pool.submit(grade_batch, Batch(self.course.root, self.course.trust, self.course.sandbox, self.assignment,
                                              self.writer.notebooks, self.versions, job.submissions))

    def _enter(self, job: _Job, results: list[Graded]) -> Iterator[Report]:
        results = list(self._without_marks_of_earlier_attempts(job, results))
        submitted = {one.student: one for one in job.submissions}
        late = {student: one.standing.seconds_late for student, one in submitted.items()}
        lines = [ledger.Line(graded.student, job.hashes[graded.student], self.versions, graded.status, graded.seconds,
                             graded.verdicts, graded.problems, late[graded.student])
                 for graded in results if graded.status != "kept"]
        attempts = [ledger.Attempt(graded.student, job.hashes[graded.student], self._version(late[graded.student]),
                                   time.time(), graded.score, self.writer.max_score,
                                   submitted[graded.student].keeps if graded.status == "kept" else "")
                    for graded in results if graded.status != "failed"
                    and not any(verdict.ended is Ending.FAULT for verdict in graded.verdicts.values())]
        self.writer.save({graded.student: graded.marks for graded in results if graded.marks}, lines, attempts)
        totals = self.writer.totals([graded.student for graded in results])
        kept = self.writer.lines([graded.student for graded in results if graded.status == "kept"])
        lines += [replace(line, problems=(*line.problems, self._says_kept(
            graded.score, graded.before, submitted[graded.student].keeps)))
            for graded in results if (line := kept.get(graded.student))]
        by_student = {line.student: line for line in lines}
        results = [replace(graded, problems=by_student[graded.student].problems) for graded in results]
        lines = [by_student[graded.student] for graded in results]
        for graded, line in zip(results, lines, strict=True):
            report = self.report(graded.student, graded.status, line, totals)
            self.log.info("%s: %s, %g of %g points, %.2f s", one_line(graded.student), graded.status, report.score,
                          report.max_score, graded.seconds)
            for problem in graded.problems:
                self.log.warning("%s: %s", one_line(graded.student), one_line(problem))
            if graded.trace:
                self.log.error("%s: %s", one_line(graded.student), graded.trace)
            yield report

    def _without_marks_of_earlier_attempts(self, job: _Job, results: Sequence[Graded]) -> Iterator[Graded]:
        """What failed has no mark, unless the same files were graded before: then those marks stay."""
        lines = self.writer.lines([graded.student for graded in results if not graded.marks])
        for graded in results:
            line = lines.get(graded.student)
            if graded.marks or graded.status == "kept" or (
                    line is not None and line.submission == job.hashes[graded.student]):
                yield graded
                continue
            for folder in (self.course.autograded_folder(graded.student, self.assignment),
                           self.course.feedback_folder(graded.student, self.assignment)):
                shutil.rmtree(folder, ignore_errors=True)
            none = {name: NotebookMarks(dict.fromkeys(cells, (None, True)))
                    for name, cells in self.writer.notebooks.items()}
            yield replace(graded, marks=none)

    def _lost(self, job: _Job, alone: deque[_Job]) -> Iterator[Report]:
        """A worker ended while it had a job: try each of its submissions alone, then say which one it was."""
        if job.tries < MOST_TRIES:
            self.log.warning("a worker was lost; %s tried again",
                             one_line(", ".join(submitted.student for submitted in job.submissions)))
            alone.extend(_Job([submitted], job.hashes, job.reasons, job.tries) for submitted in job.submissions)
            return
        student = job.submissions[0].student
        yield from self._enter(job, [Graded(student, "failed", problems=(
            f"The process that graded it ended, {MOST_TRIES} times.",))])


def assert_in_step(course: Course, assignment: str, known: Mapping[str, Mapping[str, float]]) -> None:
    """Hold notebook, gradebook and exercises against each other before anything is graded.

    Parameters
    ----------
    course : Course
    assignment : str
    known : mapping of str to mapping of str to float
        What the gradebook says: points of each graded cell, by notebook.

    Raises
    ------
    AutograderError
        If a cell is in one and not in the other, or is worth something else there; with the command that mends it.
    """
    for name, cells in known.items():
        there = {grade_id(cell): float(cell.metadata.nbgrader.points)
                 for cell in instructors_notebook(course.directory, assignment, name).cells if is_grade(cell)}
        differing = [cell for cell in {**there, **cells} if there.get(cell) != cells.get(cell)]
        if differing:
            raise AutograderError(
                f"{assignment}: the notebook that was handed out and the gradebook do not agree on "
                f"{', '.join(sorted(differing)[:5])}. To enter the notebook as it is now: course release {assignment}")
        for cell, points in there.items():
            exercise = cell.removeprefix(CHECK_PREFIX)
            if cell.startswith(CHECK_PREFIX) and exercise in taught().known and find(exercise).points != points:
                raise AutograderError(
                    f"{assignment}: {exercise} is worth {find(exercise).points:g} points now, and {points:g} in the "
                    f"notebook and the gradebook. To enter what it is worth now: course release {assignment}")


def forgeable(course: Course, assignment: str) -> list[str]:
    """Names of test cells whose points the author of a notebook could forge: those of nbgrader's own kind."""
    folder = Path(course.directory.format_path(course.directory.release_directory, ".", assignment))
    return [name for path in sorted(folder.glob("*.ipynb"))
            for name in tests_of(instructors_notebook(course.directory, assignment, path.stem))]


def unusable_name(student: str) -> str:
    """Why a folder's name cannot be a student's in the gradebook; empty if it can."""
    try:
        student.encode("utf-8")
    except UnicodeEncodeError:
        return "The folder's name is no text (not UTF-8). Rename it and grade again."
    if len(student) > LONGEST_NAME:
        return f"The folder's name has more than {LONGEST_NAME} characters. Rename it and grade again."
    return ""


def _choose_sandbox(asked: str) -> Chosen:
    """The way to isolate that is taken in this run, once a test program has not got out of it."""
    try:
        chosen = choose(asked)
        assert_walls_hold(chosen.way.name)
        return chosen
    except SandboxLostError as error:
        raise SandboxUnavailableError(f"The sandbox that was tried first ended: {error}. No submission was run; run "
                                      "the same command again.") from error


def _chosen(course: Course, assignment: str, students: list[str] | None) -> list[str]:
    everybody = course.submitted(assignment)
    if not everybody:
        raise AutograderError(f"Nothing was handed in for {assignment}: there is no folder "
                              f"{course.root / course.directory.submitted_directory}/<student>/{assignment}")
    if missing := set(students or ()) - set(everybody):
        raise AutograderError(f"Nothing was handed in for {assignment} by {', '.join(sorted(missing))}")
    return students or everybody


def _parts(students: list[str]) -> Iterable[list[str]]:
    return (students[start : start + CHECKED_AT_ONCE] for start in range(0, len(students), CHECKED_AT_ONCE))


def _timestamp(folder: Path) -> tuple[datetime | None, tuple[str, ...]]:
    """When a submission came, and what is wrong with what says so."""
    path = folder / "timestamp.txt"
    try:
        if path.is_symlink() or not path.is_file():
            return None, ()
        with path.open("rb") as file:
            text = file.read(LONGEST_TIMESTAMP + 1).decode("utf-8", "replace").strip()
        if not text:
            return None, ("timestamp.txt is empty: the time of handing in is not known.",)
        return parse_utc(text), ()
    except Exception:  # the parser of dates raises whatever it meets in a stranger's text
        return None, ("timestamp.txt holds no time: the time of handing in is not known.",)
