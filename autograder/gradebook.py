"""nbgrader, extended by configuration only: trusted verdicts in its gradebook, explanations in its feedback.

nbgrader converts every submission twice. In the first pass our exporter replaces the submitted file by the
instructor's notebook with the student's answers in it; in the second, `JudgeAnswers` runs the answers in the
sandbox, writes what it found into the check cells, and `SaveVerdicts` enters the points.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader.converters.base import NbGraderException
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades
from nbgrader.utils import is_grade, is_solution
from traitlets import Bool, Enum, Float
from traitlets.config import Config

from autograder import exercise as declarations
from autograder import submission as submissions
from autograder.errors import AutograderError, SandboxUnavailableError
from autograder.exercise import CHECK_PREFIX
from autograder.judge import Result, judge
from autograder.marking import automatic_score
from autograder.prose import language_of
from autograder.sandbox.isolation import AUTO, CHOICES, Limits, choose
from autograder.sandbox.session import Cell, SandboxRunner
from autograder.seeds import course_secret, submission_seed
from cnncourse.language import speaking

RECORD = "cnncourse"
"""Key in an autograded notebook's metadata: what was graded, with which version, and the verdicts."""

TRUSTED_WARNING = ("Submissions run WITHOUT a sandbox: their code can read and change everything that you can, the "
                   "gradebook, the solutions and other students' work included.")


class SubmissionExporter(NotebookExporter):
    """Reads a submission of any quality; what comes out is the instructor's notebook with its answers."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        trusts = self.config.JudgeAnswers.get("trust_submissions", False)
        if trusts is True or trusts == "True":
            self.log.warning(TRUSTED_WARNING)
            return
        try:
            chosen = choose(JudgeAnswers(config=self.config).sandbox)
        except SandboxUnavailableError as error:
            message = (f"No sandbox can start here, so strangers' code is not run. {error}"
                       " To grade people whose code you trust, add --trust-submissions to `course grade`, or "
                       "--JudgeAnswers.trust_submissions=True to `nbgrader autograde`.")
            self.log.error(message)
            raise NbGraderException(message) from error
        self.config.JudgeAnswers.sandbox = chosen.way.name  # what is said here is what is taken
        self.log.info("Submissions are isolated by %s.", chosen)

    def from_filename(self, filename: str, resources: dict | None = None, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Convert a file; in nbgrader's first pass it is the stranger's, in the second our own."""
        assert self.parent is not None
        if not self.parent._sanitizing:
            return super().from_filename(filename, resources, **kwargs)
        assert resources is not None
        template = instructors_notebook(self.parent.coursedir, resources["nbgrader"]["assignment"],
                                        resources["nbgrader"]["notebook"])
        notebook = answers_of(Path(filename), template)
        for problem in notebook.metadata[RECORD]["problems"]:
            self.log.warning("%s: %s", filename, problem)
        return self.from_notebook_node(notebook, resources, **kwargs)


class JudgeAnswers(NbGraderPreprocessor):
    """Runs the answers in the sandbox and writes the judgments into the check cells."""

    trust_submissions = Bool(False, help="Run submissions without a sandbox. " + TRUSTED_WARNING).tag(config=True)
    sandbox = Enum(CHOICES, AUTO, help="How submissions are isolated: bubblewrap (namespaces), landlock (without "
                   "them), or auto, the first of these that works here.").tag(config=True)
    cell_seconds = Float(10.0, help="Wall time for running one cell of a submission.").tag(config=True)
    call_seconds = Float(4.0, help="Wall time for one call of an answer.").tag(config=True)
    total_seconds = Float(90.0, help="Wall time for one submission.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Judge every exercise of a rebuilt notebook."""
        secret = course_secret(Path(self.parent.parent.coursedir.root))
        resources[RECORD] = judge_notebook(nb, resources["nbgrader"]["student"], secret, self.config)
        return nb, resources


class SaveVerdicts(SaveAutoGrades):
    """Enters the points: from verdicts alone for code, by nbgrader's rules for written answers."""

    def _add_score(self, cell: NotebookNode, resources: dict[str, Any]) -> None:
        grade = self.gradebook.find_grade(
            cell.metadata["nbgrader"]["grade_id"], self.notebook_id, self.assignment_id, self.student_id)
        grade.auto_score, look = automatic_score(cell, resources[RECORD], grade.max_score)
        grade.needs_manual_grade = look or grade.manual_score is not None
        self.gradebook.db.commit()


def answers_of(path: Path, template: NotebookNode) -> NotebookNode:
    """The instructor's notebook with the answers of a stranger's file of any quality, and a record of what it was.

    Parameters
    ----------
    path : Path
    template : NotebookNode
        The instructor's notebook.
    """
    submission = submissions.read(path, template)
    notebook = submissions.rebuild(template, submission)
    notebook.metadata[RECORD] = {"submission": submission.fingerprint, "problems": list(submission.problems)}
    return notebook


def judge_notebook(nb: NotebookNode, student: str, secret: bytes, config: Config) -> dict[str, float]:
    """Run the answers of a rebuilt notebook and write what was found into its check cells and its record.

    Parameters
    ----------
    nb : NotebookNode
        As `answers_of` makes it; it is changed.
    student : str
    secret : bytes
        The course's, see `autograder.seeds`.
    config : Config
        With the settings of `JudgeAnswers`.

    Returns
    -------
    dict of str to float
        Share of each check cell that is right, 0 to 1, by grade_id.

    Raises
    ------
    SandboxUnavailableError
        If no sandbox can start here.
    """
    from autograder.feedback import feedback_outputs

    settings = JudgeAnswers(config=config)
    limits = Limits(settings.cell_seconds, settings.call_seconds, settings.total_seconds)
    fingerprint = nb.metadata[RECORD]["submission"]
    results: dict[str, Result] = {}
    own_cells = sandbox_cells(nb)
    with (speaking(language_of(nb)), np.errstate(all="ignore"),
          SandboxRunner(own_cells, limits, trusted=settings.trust_submissions, sandbox=settings.sandbox) as runner):
        for cell in nb.cells:
            name = exercise_of(cell)
            if name:
                seed = submission_seed(secret, student, name, fingerprint)
                results[name] = judge(declarations.find(name), runner, seed)
                cell.outputs = feedback_outputs(results[name])
        verdicts = {name: record(result) for name, result in results.items()}
    nb.metadata[RECORD] |= {
        "version": version(), "seconds": round(runner.seconds, 3), "isolated": runner.isolated,
        "problems_inside": runner.problems,
        "verdicts": verdicts,
    }
    return {CHECK_PREFIX + name: result.score for name, result in results.items()}


def instructors_notebook(coursedir: Any, assignment: str, notebook: str) -> NotebookNode:
    """The notebook that students were given: the release version, or else the source version.

    Raises
    ------
    NbGraderException
        If neither is there.
    """
    path = instructors_path(coursedir, assignment, notebook)
    return _read_once(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=16)
def _read_once(path: Path, modified: int) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def instructors_path(coursedir: Any, assignment: str, notebook: str) -> Path:
    """File of the notebook that students were given.

    Raises
    ------
    NbGraderException
        If there is neither a release nor a source version.
    """
    for folder in (coursedir.release_directory, coursedir.source_directory):
        path = Path(coursedir.format_path(folder, ".", assignment), f"{notebook}.ipynb")
        if path.is_file():
            return path
    raise NbGraderException(f"There is no release or source version of {assignment}/{notebook}.ipynb to grade "
                            "against. Run `course build` first.")


def sandbox_cells(nb: NotebookNode) -> list[Cell]:
    """What runs in the sandbox, in this order: setup cells, the student's own definitions, the answers."""
    setup = [Cell(f"setup {i}", cell.source) for i, cell in enumerate(nb.cells)
             if cell.cell_type == "code" and "setup" in cell.metadata.get("tags", ())]
    own = [Cell("own definitions", cell.source, apart=True) for cell in nb.cells
           if cell.id == "students-own-definitions"]
    answers = [Cell(submissions.grade_id(cell), cell.source) for cell in nb.cells
               if cell.cell_type == "code" and submissions.is_answer(cell)]
    return setup + own + answers


def exercise_of(cell: NotebookNode) -> str:
    """Name of the exercise that a check cell is for; empty for any other cell."""
    name = submissions.grade_id(cell)
    if is_grade(cell) and not is_solution(cell) and name.startswith(CHECK_PREFIX):
        return name.removeprefix(CHECK_PREFIX)
    return ""


def record(result: Result) -> dict[str, Any]:
    """What is kept of a result in the autograded notebook."""
    return {"score": result.score, "points": result.points, "max_points": result.exercise.points,
            "passed": sum(case.passed for case in result.cases), "cases": len(result.cases),
            "misconceptions": list(result.misconceptions), "not_written": result.not_written,
            "ended": result.first_failure.outcome.kind if result.first_failure else "",
            "message": result.message}


def read_record(path: Path) -> dict[str, Any] | None:
    """The record in an autograded notebook; None if there is none or the file is not whole."""
    try:
        own = json.loads(path.read_bytes())["metadata"][RECORD]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return own if isinstance(own, dict) and "verdicts" in own else None


@cache
def version() -> str:
    """Fingerprint of everything that a verdict depends on: the code of the judge and of the reference."""
    digest = hashlib.sha256()
    for package in ("autograder", "cnncourse"):
        specification = find_spec(package)
        assert specification is not None and specification.submodule_search_locations is not None
        folder = Path(specification.submodule_search_locations[0])
        for path in sorted(folder.rglob("*.py")):
            digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return digest.hexdigest()


def check_cells_agree(nb: NotebookNode) -> None:
    """Hold a notebook's check cells against the declared exercises.

    Raises
    ------
    AutograderError
        If a check cell names no exercise, or points differ.
    """
    for cell in nb.cells:
        if name := exercise_of(cell):
            points = declarations.find(name).points
            if float(cell.metadata.nbgrader.points) != points:
                raise AutograderError(f"check-{name} gives {cell.metadata.nbgrader.points} points, "
                                      f"the exercise is worth {points:g}")
