"""What a worker does with a batch of submissions: judge them, write notebooks and pages, hand back the marks.

A worker is trusted and never opens the gradebook. It is told how each submission stands there, and what it finds goes
back to the one writer. The course's folder has to be there under the same path, on a cluster too.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import json
import os
import shutil
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.converters import Autograde
from nbgrader.utils import find_all_files, is_grade, is_solution, is_task

from autograder.assignment.cells import exercise_of
from autograder.classroom import marking, places
from autograder.classroom.course import Course
from autograder.classroom.marking import Earlier, LatePenalties, NotebookMarks, Standing
from autograder.classroom.own_tests import with_hidden
from autograder.classroom.plugins import JudgeAnswers
from autograder.classroom.seeds import course_secret
from autograder.classroom.template import instructors_notebook
from autograder.classroom.verdicts import RECORD, answers_of, judge_notebook
from autograder.classroom.versions import Versions
from autograder.cohort.overrun import bounded
from autograder.cohort.pages import Pages, Shown
from autograder.errors import AutograderError, UnknownExerciseError
from autograder.exercises.contents import find
from autograder.files import UNFINISHED, remove_unfinished, replace_file
from autograder.judging.judge import make_ready
from autograder.judging.verdict import Verdict
from autograder.sandbox.outcome import Ending
from autograder.syllabus import FILE
from cnncourse import config

LEAST = 1e-6
"""Points by which marks differ that are not the same."""


@dataclass(frozen=True)
class Submitted:
    """One submission in a batch.

    Attributes
    ----------
    student : str
    standing : Standing
    problems : tuple of str
        What was noticed before.
    keeps : str
        Why the marks in the gradebook stay where the new ones are not better: "lower" for no mark falls unasked,
        "best" or "first" for an earlier attempt; empty if the new ones are entered whatever they are.
    """

    student: str
    standing: Standing
    problems: tuple[str, ...] = ()
    keeps: str = ""


@dataclass(frozen=True)
class Batch:
    """Submissions to grade, and all that a worker has to know for it.

    Attributes
    ----------
    root : Path
        The course directory.
    trust : bool
        Run submissions without a sandbox.
    sandbox : str
        The way to isolate them that the command has chosen; no other is taken.
    assignment : str
    notebooks : mapping of str to mapping of str to float
        How many points each graded cell can have, by notebook and cell.
    versions : Versions
        Of the command that sends it.
    submissions : sequence of Submitted
    """

    root: Path
    trust: bool
    sandbox: str
    assignment: str
    notebooks: Mapping[str, Mapping[str, float]]
    versions: Versions
    submissions: Sequence[Submitted]


@dataclass(frozen=True)
class Graded:
    """What came of one submission.

    Attributes
    ----------
    student : str
    status : str
        "graded", "failed", or "kept" where the marks in the gradebook stay.
    marks : dict of str to NotebookMarks
        By notebook; empty if there is nothing to enter.
    verdicts : dict of str to Verdict
        By exercise.
    problems : tuple of str
    seconds : float
    trace : str
        Of an error that is ours, for the log.
    before, score : float
        Points in the gradebook before, and those that this is worth.
    """

    student: str
    status: str
    marks: dict[str, NotebookMarks] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    seconds: float = 0.0
    trace: str = ""
    before: float = 0.0
    score: float = 0.0


def grade_batch(batch: Batch) -> list[Graded]:
    """Grade submissions one after the other; one that fails does not stop the others.

    Raises
    ------
    AutograderError
        If this worker would judge otherwise than the command that sent the batch, or the course's secret is broken.
    """
    course = Course(batch.root, trust=batch.trust, sandbox=batch.sandbox)
    if Versions.of(course, batch.assignment, batch.notebooks) != batch.versions:
        raise AutograderError("A worker has another version of the course or of its notebooks than this command. "
                              "Install the same version there, start the workers again, and grade again.")
    desk = _desk(batch.root, batch.trust, batch.sandbox, _settings_hash(batch.root))
    with _collecting_later():
        return [desk.grade(batch, submitted) for submitted in batch.submissions]


@contextlib.contextmanager
def _collecting_later() -> Iterator[None]:
    """Leave the collection of garbage to the end: each time it looks through all that compilers and templates keep."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
        gc.collect(1)  # what is new is in the youngest generation, nothing has been collected since


def warm_up(course: Course, assignment: str) -> None:
    """Load what grading an assignment needs: compiled kernels, templates, how the instructor's text looks on a page.

    Parameters
    ----------
    course : Course
    assignment : str
    """
    desk = _desk(course.root, course.trust, course.sandbox, _settings_hash(course.root))
    folder = Path(course.directory.format_path(course.directory.release_directory, ".", assignment))
    threads = config.get_num_threads()
    config.set_num_threads(1)  # no thread may be there when processes fork
    for path in sorted(folder.glob("*.ipynb")):
        template = instructors_notebook(course.directory, assignment, path.stem)
        for cell in template.cells:
            if name := exercise_of(cell):
                with contextlib.suppress(UnknownExerciseError):  # told where it would be judged
                    make_ready(find(name))
        desk.pages.render(deepcopy(template), Shown({}), path)
    config.set_num_threads(threads)


def remove_leftovers(course: Course, student: str, assignment: str) -> None:
    """Remove what a killed worker has left unfinished beside a student's notebooks and pages.

    Parameters
    ----------
    course : Course
    student, assignment : str
    """
    shutil.rmtree(_unfinished(course.autograded_folder(student, assignment)), ignore_errors=True)
    remove_unfinished(course.feedback_folder(student, assignment))


def _unfinished(folder: Path) -> Path:
    """Where a folder is made that appears whole or not at all."""
    return folder.with_name(f".{folder.name}{UNFINISHED}")


def submitted_problem(folder: Path) -> str:
    """Why nothing in a student's folder may be touched; empty if it may."""
    if folder.is_symlink() or folder.parent.is_symlink():
        return "The folder is a link to another place. Remove it and grade again."
    strange = [path.name for path in folder.rglob("*") if path.is_symlink() or not (path.is_file() or path.is_dir())]
    if not strange:
        return ""
    # What lies beside the notebook is copied, and these would be followed wherever they lead.
    return f"Links or devices are among the files: {', '.join(sorted(strange)[:10])}. Remove them and grade again."


def _settings_hash(root: Path) -> str:
    files = (root / "nbgrader_config.py", root / FILE)
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files if path.is_file())).hexdigest()


@lru_cache(maxsize=2)
def _desk(root: Path, trust: bool, sandbox: str, settings: str) -> _Desk:
    return _Desk(Course(root, trust=trust, sandbox=sandbox))


class _Desk:
    """What one process keeps from one submission to the next: the page's exporter, the secret, the configuration."""

    def __init__(self, course: Course) -> None:
        self.course = course
        self.pages = Pages(course)
        self.penalties = LatePenalties(course.config)
        self.secret = course_secret(course.root)
        self.converter = Autograde(coursedir=course.directory, config=course.config)
        self.settings = JudgeAnswers(config=course.config)
        self.permissions = int(str(self.converter.permissions), 8)

    def grade(self, batch: Batch, submitted: Submitted) -> Graded:
        """Grade one submission, whatever it is."""
        began = time.perf_counter()
        student, problems = submitted.student, submitted.problems
        try:
            folder = self.course.submitted_folder(student, batch.assignment)
            if problem := submitted_problem(folder):
                return Graded(student, "failed", problems=(*problems, problem), seconds=time.perf_counter() - began)
            with bounded(self.settings.total_seconds):
                return self._grade(batch, submitted, folder, began)
        except Exception as error:  # whatever a stranger's files bring about, the class goes on
            text = f"It could not be graded: {_short(error)}."
            return Graded(student, "failed", problems=(*problems, text), seconds=time.perf_counter() - began,
                          trace=traceback.format_exc())

    def _grade(self, batch: Batch, submitted: Submitted, folder: Path, began: float) -> Graded:
        student, standing = submitted.student, submitted.standing
        templates = {name: instructors_notebook(self.course.directory, batch.assignment, name)
                     for name in batch.notebooks}
        judged: dict[str, NotebookNode] = {}
        marks: dict[str, NotebookMarks] = {}
        verdicts: dict[str, Verdict] = {}
        with tempfile.TemporaryDirectory(prefix="unpacked-") as scratch:
            files = self.course.files(student, batch.assignment)
            taken, said = places.take(files, folder, templates, Path(scratch))
            problems = [*submitted.problems, *said]
            absent = batch.notebooks.keys() - taken
            for name in absent:
                marks[name] = NotebookMarks(dict.fromkeys(batch.notebooks[name], (0.0, False)))
            judging = {name: self._judge(batch.assignment, name, templates[name], student, path)
                       for name, path in taken.items()}
        faults: list[str] = []
        for name, (notebook, shares) in judging.items():
            own = notebook.metadata[RECORD]
            verdicts |= {exercise: Verdict.from_json(kept) for exercise, kept in own["verdicts"].items()}
            problems += own["problems"]
            faults += own["faults"].values()
            problems += [f"{cell}: {text}" for cell, text in own["problems_inside"].items()]
            marks[name] = self._mark(notebook, shares, batch.notebooks[name], student, standing, name)
            judged[name] = notebook
        unjudged = any(verdict.ended is Ending.FAULT for verdict in verdicts.values())
        before, score = standing.score, sum(marking.notebook_score(own, standing.earlier.get(name, {}))
                                            for name, own in marks.items())
        if submitted.keeps == "lower" and unjudged:
            return Graded(student, "failed", verdicts=verdicts, problems=tuple(problems),
                          seconds=time.perf_counter() - began, trace="\n".join(faults))
        if submitted.keeps and (submitted.keeps == "first" or unjudged or score < before - LEAST):
            return Graded(student, "kept", verdicts=verdicts, seconds=time.perf_counter() - began, before=before,
                          score=score, trace="\n".join(faults))
        self._write(batch, student, standing, folder, judged, marks)
        status = "failed" if absent or unjudged else "graded"
        return Graded(student, status, marks, verdicts, tuple(problems), time.perf_counter() - began,
                      "\n".join(faults), before, score)

    def _judge(
        self, assignment: str, name: str, template: NotebookNode, student: str, path: Path
    ) -> tuple[NotebookNode, dict[str, float]]:
        notebook = answers_of(path, template)
        tests = with_hidden(template, self.course.directory, assignment, name)
        return notebook, judge_notebook(notebook, student, self.secret, self.settings.limits,
                                        trusted=self.settings.trust_submissions, sandbox=self.settings.sandbox,
                                        policy=self.settings.policy, tests=tests)

    def _mark(
        self, notebook: NotebookNode, shares: Mapping[str, float], most: Mapping[str, float], student: str,
        standing: Standing, name: str,
    ) -> NotebookMarks:
        scores, comments = {}, {}
        for cell in notebook.cells:
            if is_grade(cell):
                own = cell.metadata.nbgrader.grade_id
                scores[own] = marking.automatic_score(cell, shares, most[own])
            if is_solution(cell) or is_task(cell):
                comments[cell.metadata.nbgrader.grade_id] = marking.automatic_comment(cell)
        earlier = standing.earlier.get(name, {})
        points = sum(marking.total(scores.get(own, (None, False))[0], earlier.get(own, Earlier())) for own in most)
        return NotebookMarks(scores, comments, self.penalties.penalty(student, points, standing.seconds_late))

    def _write(
        self, batch: Batch, student: str, standing: Standing, folder: Path, judged: Mapping[str, NotebookNode],
        marks: Mapping[str, NotebookMarks],
    ) -> None:
        """Write the autograded folder, then the pages; each appears whole or not at all."""
        target = self.course.autograded_folder(student, batch.assignment)
        unfinished = _unfinished(target)
        shutil.rmtree(unfinished, ignore_errors=True)
        try:
            unfinished.mkdir(parents=True)
            self._copy_files(batch.assignment, folder, unfinished)
            for name, notebook in judged.items():
                replace_file(unfinished / f"{name}.ipynb", _as_json(notebook), self.permissions)
            shutil.rmtree(target, ignore_errors=True)
            unfinished.rename(target)
        except OSError:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        pages = self.course.feedback_folder(student, batch.assignment)
        remove_unfinished(pages)
        for name, notebook in judged.items():
            self.pages.write(notebook, shown(marks[name], standing, name, batch.notebooks[name]),
                             pages / f"{name}.html", target / f"{name}.ipynb")

    def _copy_files(self, assignment: str, submitted: Path, target: Path) -> None:
        """What lies beside the notebooks: the student's files, and over them the instructor's of the same name."""
        directory = self.course.directory
        source = Path(directory.format_path(directory.source_directory, ".", assignment))
        kept = {source / name for name in self.converter.exclude_overwriting.get(assignment, [])}
        for folder in (submitted, source):
            for found in map(Path, find_all_files(str(folder), [*directory.ignore, "*.ipynb"])):
                if found not in kept:
                    place = target / found.relative_to(folder)
                    place.parent.mkdir(parents=True, exist_ok=True)
                    if place.exists():
                        place.unlink()
                    shutil.copy(found, place)
                    place.chmod(self.permissions)


def shown(marks: NotebookMarks, standing: Standing, notebook: str, most: Mapping[str, float]) -> Shown:
    """What the page of a notebook says, from new automatic marks and what people have entered before."""
    earlier = standing.earlier.get(notebook, {})
    scores = {cell: (marking.total(marks.scores.get(cell, (None, False))[0], earlier.get(cell, Earlier())), points)
              for cell, points in most.items()}
    comments = {cell: earlier[cell].comment if cell in earlier and earlier[cell].comment is not None else text
                for cell, text in marks.comments.items()}
    return Shown(scores, comments, marks.late_penalty or 0.0)


def _as_json(notebook: NotebookNode) -> bytes:
    """The notebook's file, a cell a line; nbformat indents everything, which takes ten times as long."""
    cells = ",\n".join(map(_to_json, notebook.cells))
    rest = "".join(f",\n{_to_json(key)}: {_to_json(part)}" for key, part in sorted(notebook.items()) if key != "cells")
    return f'{{"cells": [\n{cells}\n]{rest}}}\n'.encode()


_to_json = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode


def _short(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror} ({os.path.basename(str(error.filename))})" if error.filename else error.strerror
    return str(error)[:300] or type(error).__name__
