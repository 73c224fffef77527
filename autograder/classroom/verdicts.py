"""A submitted notebook judged: its answers in the instructor's notebook, run in the sandbox, with what was found."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from nbformat import NotebookNode, from_dict

from autograder.assignment.cells import CHECK_PREFIX, exercise_of, grade_id, grading, is_answer
from autograder.assignment.prose import language_of
from autograder.classroom import own_tests
from autograder.classroom import submission as submissions
from autograder.classroom.fingerprints import marks
from autograder.classroom.folding import folded
from autograder.classroom.seeds import submission_seed
from autograder.errors import AutograderError, OverrunError, UnknownExerciseError
from autograder.exercises.contents import find
from autograder.judging.exercise import Exercise
from autograder.judging.judge import judge, make_ready
from autograder.judging.verdict import Verdict
from autograder.policy import USUAL, Policy
from autograder.sandbox.isolation import AUTO, Limits
from autograder.sandbox.outcome import Ending, Runner
from autograder.sandbox.session import Cell, SandboxRunner
from autograder.showing.html import feedback_outputs
from cnncourse.language import say, speaking

RECORD = "cnncourse"
"""Key in an autograded notebook's metadata: what was graded, with which version, and the verdicts."""

SOURCES = "sources"
"""Key in the record: answers of which the notebook shows a part, as they were handed in."""

OWN_CELLS = "students-own-cells"


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
    nb: NotebookNode, student: str, secret: bytes, limits: Limits, *, trusted: bool = False, sandbox: str = AUTO,
    policy: Policy = USUAL, tests: Mapping[str, str] | None = None,
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
    sandbox : str, optional
        Which way to isolate, see `autograder.sandbox.isolation.choose`.
    policy : Policy, optional
    tests : mapping of str to str, optional
        Test cells of nbgrader's own kind with their hidden parts; by default as they stand in the notebook.

    Returns
    -------
    dict of str to float
        Share of each check cell that is right, 0 to 1, by grade_id; none where the judge itself failed.

    Raises
    ------
    SandboxUnavailableError
        If no sandbox can start here.
    """
    fingerprint = nb.metadata[RECORD]["submission"]
    verdicts: dict[str, Verdict] = {}
    faults: dict[str, str] = {}
    for name in filter(None, map(exercise_of, nb.cells)):
        with contextlib.suppress(Exception):  # a reference that fails is told where its exercise is judged
            make_ready(find(name))  # or the student's seconds would pass while we compile
    tests = own_tests.tests_of(nb) if tests is None else tests
    called = own_tests.aliases(tests)
    with (speaking(language_of(nb)), np.errstate(all="ignore"),
          SandboxRunner([*sandbox_cells(nb), *own_tests.as_cells(tests)], limits,
                        answers=[*submissions.asked_for(nb), *called.values()], trusted=trusted,
                        sandbox=sandbox) as runner):
        for cell in nb.cells:
            name = exercise_of(cell)
            if name:
                seed = submission_seed(secret, student, name, fingerprint)
                # What is kept is the verdict, not the result, which holds all that a stranger returned.
                try:
                    exercise = find(name)
                except UnknownExerciseError as error:
                    verdicts[name], cell.outputs = _gone(name, float(grading(cell).get("points", 0)), error)
                    continue
                verdicts[name], cell.outputs, fault = _judged(exercise, runner, seed, policy)
                if fault:
                    faults[name] = fault
            elif (name := grade_id(cell)) in called:
                outcome = runner.call(called[name], ())
                points = float(grading(cell).get("points", 0))
                share = own_tests.share_of(outcome, points)
                text = own_tests.told(outcome, share)
                verdicts[name] = Verdict(share, share * points, points, int(share == 1), 1, (),
                                         outcome.ending is Ending.NOT_WRITTEN, None if share == 1 else outcome.ending,
                                         text)
                cell.outputs = _in_plain_text(verdicts[name])
        whole = _fold(nb)
    nb.metadata[RECORD] |= {
        "version": marks(), "seconds": round(runner.seconds, 3), "isolated": runner.isolated,
        "problems_inside": runner.problems,
        "verdicts": {name: verdict.to_json() for name, verdict in verdicts.items()}, "faults": faults,
        SOURCES: whole,
    }
    return {name if name in called else CHECK_PREFIX + name: verdict.score for name, verdict in verdicts.items()
            if verdict.ended is not Ending.FAULT}


def _fold(nb: NotebookNode) -> dict[str, str]:
    """Shorten the student's cells of code that are longer than any answer; how they were, by name or id."""
    whole = {}
    for cell in nb.cells:
        if cell.cell_type == "code" and (is_answer(cell) or cell.id == OWN_CELLS):
            short = folded(cell.source)
            if short != cell.source:
                whole[grade_id(cell) or cell.id] = cell.source
                cell.source = short
    return whole


def _judged(
    exercise: Exercise, runner: Runner, seed: int, policy: Policy
) -> tuple[Verdict, list[NotebookNode], str]:
    """Verdict on one exercise, the outputs of its check cell, and a traceback if the judge itself failed in between."""
    try:
        result = judge(exercise, runner, seed)
        verdict = Verdict.of(result, partial_credit=policy.partial_credit)
    except AutograderError:
        raise
    except Exception as error:
        text = say("{exercise}: not judged. The judge itself failed: {error}.", exercise=exercise.name,
                   error=type(error).__name__)
        verdict = Verdict(0.0, 0.0, exercise.points, ended=Ending.FAULT, message=text)
        return verdict, _in_plain_text(verdict), traceback.format_exc()
    try:
        return verdict, feedback_outputs(result, policy.feedback), next(iter(result.faults), result.unexplained)
    except OverrunError:
        raise
    except Exception:
        return verdict, _in_plain_text(verdict), traceback.format_exc()


def _gone(name: str, points: float, error: UnknownExerciseError) -> tuple[Verdict, list[NotebookNode]]:
    """For a check cell whose exercise the course has no more."""
    text = say("{exercise}: not judged. {error}", exercise=name, error=error)
    verdict = Verdict(0.0, 0.0, points, ended=Ending.FAULT, message=text)
    return verdict, _in_plain_text(verdict)


def _in_plain_text(verdict: Verdict) -> list[NotebookNode]:
    return [from_dict({"output_type": "display_data", "data": {"text/plain": verdict.message}, "metadata": {}})]


def sandbox_cells(nb: NotebookNode) -> list[Cell]:
    """What runs in the sandbox: the instructor's setup cells, then the student's cells in the notebook's order."""
    own = [Cell(name, source, own, tuple(checks)) for name, source, own, checks in nb.metadata[RECORD]["cells"]]
    return submissions.setup_cells(nb) + own
