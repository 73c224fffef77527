"""The judge's own work on a submission has an end, and what goes wrong in it costs that submission or exercise only."""

from __future__ import annotations

import mmap
import multiprocessing
import resource
import subprocess
import sys
import threading
import time

import pytest

from autograder import cohort
from autograder.cohort import batch, overrun
from autograder.cohort.overrun import bounded
from autograder.errors import OverrunError
from autograder.exercises.contents import find
from autograder.report.summary import problems
from autograder.sandbox.outcome import Ending
from tests.classroom import ASSIGNMENT, Classroom


def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        sum(range(1000))


def grow(size):
    kept = []  # of the system's own: what earlier tests have freed stays with the process, and would be taken first
    for _ in range(size >> 20):
        kept.append(mmap.mmap(-1, 1 << 20))
        kept[-1].write(b"x" * (1 << 20))
        time.sleep(0.005)


@pytest.mark.parametrize("work, said", [(lambda: burn(5), "0.2 s of the judge's own time"),
                                        (lambda: grow(400 << 20), "64 MiB of the judge's own memory")])
def test_work_that_takes_too_much_is_given_up_and_what_follows_is_not(work, said):
    began = time.process_time()
    with pytest.raises(OverrunError, match=said), bounded(1, seconds=0.2 if "time" in said else 60, memory=64 << 20):
        work()
    assert time.process_time() - began < 4
    burn(0.3)  # nothing is raised any more
    with bounded(1, seconds=60, memory=64 << 20):
        burn(0.1)


def test_memory_that_is_asked_for_all_at_once_is_refused_and_what_follows_has_its_own():
    before = resource.getrlimit(resource.RLIMIT_AS)
    with pytest.raises(OverrunError, match="64 MiB of the judge's own memory"), bounded(1, seconds=60, memory=64 << 20):
        bytearray(1 << 33)
    assert resource.getrlimit(resource.RLIMIT_AS) == before
    with bounded(1, seconds=60, memory=64 << 20):
        subprocess.run([sys.executable, "-c", "import numpy"], check=True)


def test_work_that_waits_for_a_sandbox_is_not_the_judges():
    with bounded(1, seconds=0.2):
        time.sleep(0.5)


def test_work_that_swallows_the_exception_meets_it_again(monkeypatch):
    monkeypatch.setattr(overrun, "AGAIN_SECONDS", 0.1)
    met = []
    with pytest.raises(OverrunError), bounded(1, seconds=0.1):
        for _ in range(3):
            try:
                burn(5)
            except OverrunError:
                met.append(True)
                if len(met) == 3:
                    raise
    assert len(met) == 3


def test_no_thread_stays_behind():
    before = threading.active_count()
    for _ in range(20):
        with bounded(1):
            pass
    assert threading.active_count() == before


@pytest.fixture(scope="module")
def classroom(root, tmp_path_factory) -> Classroom:
    return Classroom(root, tmp_path_factory.mktemp("course"))


def marks(classroom: Classroom, student: str) -> dict[str, tuple]:
    with classroom.course.gradebook() as gradebook:
        grades = gradebook.find_submission_notebook(ASSIGNMENT, ASSIGNMENT, student).grades
        return {grade.name: (grade.auto_score, grade.needs_manual_grade) for grade in grades}


@pytest.mark.sandbox
def test_a_fault_of_the_judge_stays_in_its_exercise_and_is_shown_and_repeated(classroom, monkeypatch):
    classroom.hand_in("faulty", classroom.solved())
    exercise = find("zero_pad")

    def fails(x, padding):
        raise FloatingPointError("of the judge")

    with monkeypatch.context() as patch:
        patch.setitem(exercise.references, "zero_pad", fails)
        report = classroom.grade("faulty")["faulty"]
    assert report.status == "failed"
    verdict = report.verdicts["zero_pad"]
    assert (verdict.ended, verdict.points, verdict.how.sign) == (Ending.FAULT, 0, "?")
    assert "the judge itself failed" in verdict.message.lower()
    assert all(other.passed == other.cases for name, other in report.verdicts.items() if name != "zero_pad")
    assert any("zero_pad: the judge itself failed" in text for _, text in problems([report]))
    assert marks(classroom, "faulty")["check-zero_pad"] == (0, True)
    assert "FloatingPointError: of the judge" in (classroom.folder / cohort.LOG_FILE).read_text()
    again = classroom.grade("faulty")["faulty"]
    assert (again.status, again.verdicts["zero_pad"].how.sign) == ("graded", "✓")
    assert marks(classroom, "faulty")["check-zero_pad"][1] is False


@pytest.mark.sandbox
def test_a_fault_in_what_is_explained_or_drawn_costs_the_explanation_and_no_mark(classroom, monkeypatch):
    classroom.hand_in("drawn", classroom.solved(zero_pad="def zero_pad(x, padding):\n    return x"))

    def fails(*arguments, **more):
        raise ZeroDivisionError("while drawing")

    right = classroom.grade("drawn")["drawn"]
    monkeypatch.setattr("autograder.classroom.verdicts.feedback_outputs", fails)
    monkeypatch.setattr("autograder.judging.judge.diagnose", fails)
    report = classroom.grade("drawn", force=True)["drawn"]
    assert (report.status, report.score) == ("graded", right.score)
    assert not any(verdict.misconceptions for verdict in report.verdicts.values())
    assert classroom.path("feedback", "drawn", ".html").is_file()


@pytest.mark.sandbox
def test_a_new_attempt_that_cannot_be_judged_has_no_mark_and_the_same_attempt_keeps_its_own(classroom, monkeypatch):
    classroom.hand_in("twice", classroom.solved())
    assert classroom.grade("twice")["twice"].score > 0
    before = marks(classroom, "twice")

    def overruns(*arguments, **more):
        raise OverrunError("judging it took too long")

    with monkeypatch.context() as patch:
        patch.setattr(batch, "judge_notebook", overruns)
        assert classroom.grade("twice", force=True)["twice"].status == "failed"
        assert marks(classroom, "twice") == before
        classroom.hand_in("twice", classroom.solved(conv1x1="def conv1x1(x, weight, bias):\n    return 0"))
        report = classroom.grade("twice")["twice"]
    assert (report.status, report.score) == ("failed", 0)
    assert any("judging it took too long" in text for text in report.problems), report.problems
    assert set(marks(classroom, "twice").values()) == {(None, True)}
    assert not classroom.path("feedback", "twice", ".html").exists()
    assert 0 < classroom.grade("twice")["twice"].score < sum(points or 0 for points, _ in before.values())


def hang_in_c():
    overrun.KILL_SECONDS = 1.0
    with bounded(0):
        sum(range(10 ** 13))  # nothing is raised in here, for it does not return to Python


def test_a_process_of_a_pool_that_hangs_is_ended():
    process = multiprocessing.get_context("spawn").Process(target=hang_in_c)
    process.start()
    process.join(120)
    assert process.exitcode == 1
