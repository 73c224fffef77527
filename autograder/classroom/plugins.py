"""nbgrader, extended by configuration only: what its `autograde` runs in place of its own steps.

nbgrader converts every submission twice. In the first pass our exporter replaces the submitted file by the
instructor's notebook with the student's answers in it; in the second, `JudgeAnswers` runs the answers in the
sandbox, writes what it found into the check cells, and `SaveVerdicts` enters the points.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader.converters.base import NbGraderException
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades
from traitlets import Bool, Enum, Float, Int

from autograder.classroom.marking import automatic_score
from autograder.classroom.own_tests import with_hidden
from autograder.classroom.seeds import course_secret
from autograder.classroom.template import instructors_notebook
from autograder.classroom.verdicts import RECORD, answers_of, judge_notebook
from autograder.errors import SandboxUnavailableError, SecretError
from autograder.policy import ATTEMPTS, FEEDBACK, Policy
from autograder.sandbox.isolation import AUTO, CHOICES, Limits, choose

TRUSTED_WARNING = ("Submissions run WITHOUT a sandbox: their code can read and change everything that you can, the "
                   "gradebook, the solutions and other students' work included.")


RUN, REFUSE = "run", "refuse"
REFUSED = ("Test cells of nbgrader's own kind are refused here (JudgeAnswers.test_cells), because the author of a "
           "notebook can forge them: {names}.")


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
    cell_seconds = Float(Limits.cell_seconds, help="Wall time for running one cell of a submission.").tag(config=True)
    call_seconds = Float(Limits.call_seconds, help="Wall time for one call of an answer.").tag(config=True)
    total_seconds = Float(Limits.total_seconds, help="Wall time for one submission.").tag(config=True)
    memory_bytes = Int(Limits.memory_bytes, help="Address space of one process of a submission.").tag(config=True)

    partial_credit = Bool(Policy.partial_credit, help="Give the share of an exercise's cases that pass; by default "
                          "each answer counts as a whole.").tag(config=True)
    attempt = Enum(ATTEMPTS, Policy.attempt, help="Which attempt counts where somebody hands in again.").tag(
        config=True)
    feedback = Enum(FEEDBACK, Policy.feedback, help="What a page tells of a wrong answer: the mistake, only the case "
                    "that differs, or only the mark.").tag(config=True)

    test_cells = Enum((RUN, REFUSE), RUN, help="What happens to test cells of nbgrader's own kind: they run in the "
                      "sandbox, where the author of a notebook can forge them, or they are refused.").tag(config=True)

    @property
    def policy(self) -> Policy:
        """What the course has decided about marks."""
        return Policy(self.partial_credit, self.attempt, self.feedback)

    @property
    def limits(self) -> Limits:
        """What the configuration allows one submission."""
        return Limits(self.cell_seconds, self.call_seconds, self.total_seconds, self.memory_bytes)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Judge every exercise of a rebuilt notebook."""
        try:
            secret = course_secret(Path(self.parent.parent.coursedir.root))
        except SecretError as error:
            raise NbGraderException(str(error)) from error
        resources[RECORD] = judge_notebook(nb, resources["nbgrader"]["student"], secret, self.limits,
                                           trusted=self.trust_submissions, sandbox=self.sandbox,
                                           policy=self.policy, tests=self.tests(nb, resources))
        return nb, resources


    def tests(self, nb: NotebookNode, resources: dict[str, Any]) -> dict[str, str]:
        """Test cells of nbgrader's own kind, with their hidden parts.

        Raises
        ------
        NbGraderException
            If the course refuses them.
        """
        own = resources["nbgrader"]
        found = with_hidden(nb, self.parent.parent.coursedir, own["assignment"], own["notebook"])
        if found and self.test_cells == REFUSE:
            raise NbGraderException(REFUSED.format(names=", ".join(found)))
        return found


class SaveVerdicts(SaveAutoGrades):
    """Enters the points: from verdicts alone for code, by nbgrader's rules for written answers."""

    def _add_score(self, cell: NotebookNode, resources: dict[str, Any]) -> None:
        grade = self.gradebook.find_grade(
            cell.metadata["nbgrader"]["grade_id"], self.notebook_id, self.assignment_id, self.student_id)
        grade.auto_score, look = automatic_score(cell, resources[RECORD], grade.max_score)
        grade.needs_manual_grade = look or grade.manual_score is not None
        self.gradebook.db.commit()
