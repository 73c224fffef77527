"""A submitted notebook judged: its answers in the instructor's notebook, run in the sandbox, with what was found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from nbformat import NotebookNode

from autograder.assignment.cells import CHECK_PREFIX, exercise_of
from autograder.assignment.prose import language_of
from autograder.classroom import submission as submissions
from autograder.classroom.fingerprints import marks
from autograder.classroom.seeds import submission_seed
from autograder.exercises.contents import find
from autograder.judging.judge import judge, make_ready
from autograder.judging.result import Result
from autograder.judging.verdict import Verdict
from autograder.sandbox.isolation import Limits
from autograder.sandbox.session import Cell, SandboxRunner
from autograder.showing.html import feedback_outputs
from cnncourse.language import speaking

RECORD = "cnncourse"
"""Key in an autograded notebook's metadata: what was graded, with which version, and the verdicts."""


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
    known = notebook.metadata.get(RECORD, {})  # the language
    notebook.metadata[RECORD] = {
        **known, "submission": submission.fingerprint, "problems": list(submission.problems),
        "cells": [[cell.name, cell.source, cell.own, list(cell.checks)] for cell in submission.cells],
    }
    return notebook


def judge_notebook(
    nb: NotebookNode, student: str, secret: bytes, limits: Limits, *, trusted: bool = False
) -> dict[str, float]:
    """Run the answers of a rebuilt notebook and write what was found into its check cells and its record.

    Parameters
    ----------
    nb : NotebookNode
        As `answers_of` makes it; it is changed.
    student : str
    secret : bytes
        The course's, see `autograder.classroom.seeds`.
    limits : Limits
    trusted : bool, optional
        Run the answers without a sandbox.

    Returns
    -------
    dict of str to float
        Share of each check cell that is right, 0 to 1, by grade_id.

    Raises
    ------
    SandboxUnavailableError
        If no sandbox can start here.
    """
    fingerprint = nb.metadata[RECORD]["submission"]
    results: dict[str, Result] = {}
    for name in filter(None, map(exercise_of, nb.cells)):
        make_ready(find(name))  # or the student's seconds would pass while we compile
    with (speaking(language_of(nb)), np.errstate(all="ignore"),
          SandboxRunner(sandbox_cells(nb), limits, answers=submissions.asked_for(nb), trusted=trusted) as runner):
        for cell in nb.cells:
            name = exercise_of(cell)
            if name:
                seed = submission_seed(secret, student, name, fingerprint)
                results[name] = judge(find(name), runner, seed)
                cell.outputs = feedback_outputs(results[name])
        verdicts = {name: Verdict.of(result).to_json() for name, result in results.items()}
    nb.metadata[RECORD] |= {
        "version": marks(), "seconds": round(runner.seconds, 3), "problems_inside": runner.problems,
        "verdicts": verdicts,
    }
    return {CHECK_PREFIX + name: result.score for name, result in results.items()}


def sandbox_cells(nb: NotebookNode) -> list[Cell]:
    """What runs in the sandbox: the instructor's setup cells, then the student's cells in the notebook's order."""
    setup = [Cell(f"setup {i}", cell.source) for i, cell in enumerate(nb.cells)
             if cell.cell_type == "code" and "setup" in cell.metadata.get("tags", ())]
    own = [Cell(name, source, own, tuple(checks)) for name, source, own, checks in nb.metadata[RECORD]["cells"]]
    return setup + own
