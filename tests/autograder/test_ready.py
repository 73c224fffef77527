"""The reference's time is never the student's: what has to be compiled is compiled before answers run."""

from __future__ import annotations

import time

import nbformat
import pytest

from autograder.classroom import verdicts
from autograder.judging.exercise import Exercise
from autograder.sandbox.isolation import Limits
from tests.classroom import Classroom

SECONDS = 6.0
"""What the first call of a slow reference takes, and all that a submission may take."""


@pytest.mark.slow
@pytest.mark.sandbox
def test_a_reference_that_has_to_be_compiled_takes_no_time_of_a_submission(root, tmp_path, monkeypatch):
    classroom = Classroom(root, tmp_path / "course")
    classroom.hand_in("ada", classroom.solved())
    template = nbformat.read(classroom.released, as_version=4)
    notebook = verdicts.answers_of(classroom.path("submitted", "ada"), template)
    compiled: set[str] = set()

    def slow(exercise: Exercise) -> Exercise:
        def compiling(answer):
            def reference(*arguments):
                if answer not in compiled:
                    time.sleep(SECONDS / 2)
                    compiled.add(answer)
                return exercise.references[answer](*arguments)
            return reference

        if exercise.name not in slowed:
            slowed[exercise.name] = Exercise(**vars(exercise) | {
                "references": {answer: compiling(answer) for answer in exercise.answers}})
        return slowed[exercise.name]

    slowed: dict[str, Exercise] = {}
    find = verdicts.find
    monkeypatch.setattr(verdicts, "find", lambda name: slow(find(name)))
    shares = verdicts.judge_notebook(notebook, "ada", b"secret" * 8, Limits(total_seconds=SECONDS))
    assert len(compiled) > 4
    assert set(shares.values()) == {1.0}
