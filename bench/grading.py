"""The same submissions graded by plain nbgrader and by this course, in one run: marks for tricks, and seconds.

    course bench grading                    tricks that forge marks, both columns
    course bench grading --speed 4          seconds a submission, four honest submissions each way

Plain nbgrader gets the same notebook with one assertion cell for conv2d_forward, as its users write them.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry
from rich.console import Console
from rich.progress import track
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from autograder.demo_class import IM2COL_FORWARD  # noqa: E402
from tests.classroom import ASSIGNMENT, Classroom, edited  # noqa: E402
from tests.tricks import EXERCISE, TRICKS, Trick, cell  # noqa: E402

ASSERTION = """\
import numpy.testing
_x = np.arange(48.0).reshape(1, 2, 4, 6) % 7 - 3
_w = np.arange(36.0).reshape(3, 2, 2, 3) % 5 - 2
expected = np.array({expected})
numpy.testing.assert_allclose(conv2d_forward(_x, _w, np.array([1.0, -1.0, 0.5]), 1, 1), expected)
"""
NBGRADER = [sys.executable, "-m", "nbgrader"]


class PlainClassroom:
    """The same assignment under nbgrader as it comes."""

    def __init__(self, ours: Classroom, folder: Path) -> None:
        self.folder = folder
        source = folder / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
        source.parent.mkdir(parents=True)
        notebook = json.loads((ours.folder / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb").read_text())
        notebook["cells"] = [c for c in notebook["cells"] if self._belongs(c)]
        cell(notebook, f"check-{EXERCISE}")["source"] = ASSERTION.format(expected=_expected())
        question = next(c for c in notebook["cells"] if self._by_hand(c))  # in code, where nbgrader can be fooled
        question |= {"cell_type": "code", "outputs": [], "execution_count": None, "source": "### BEGIN SOLUTION\n1\n"
                     "### END SOLUTION"}
        question["metadata"]["nbgrader"]["cell_type"] = "code"
        source.write_text(json.dumps(notebook))
        (folder / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.course_id = 'plain'\n")
        self.run("generate_assignment", ASSIGNMENT)
        self.stub = json.loads((folder / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb").read_text())

    @staticmethod
    def _belongs(candidate: dict) -> bool:
        """Setup, the one answer with its test, and the question in words."""
        name = candidate["metadata"].get("nbgrader", {}).get("grade_id", "")
        setup = "setup" in candidate["metadata"].get("tags", ())
        return setup or EXERCISE in name or PlainClassroom._by_hand(candidate)

    @staticmethod
    def _by_hand(candidate: dict) -> bool:
        """Whether a person marks the cell."""
        own = candidate["metadata"].get("nbgrader", {})
        return bool(own.get("grade") and own.get("solution"))

    def run(self, *arguments: str) -> float:
        """Run an nbgrader command; its seconds."""
        began = time.perf_counter()
        scripts = str(Path(sys.executable).parent)
        subprocess.run([*NBGRADER, *arguments], cwd=self.folder, capture_output=True, check=False,
                       env=os.environ | {"PATH": scripts + os.pathsep + os.environ["PATH"]})
        return time.perf_counter() - began

    def solved(self, answer: str) -> dict:
        """The student notebook with one answer in it."""
        notebook = copy.deepcopy(self.stub)
        cell(notebook, EXERCISE)["source"] = answer
        return notebook

    def hand_in_answers(self, student: str, submitted: dict) -> None:
        """Hand in the answers of a notebook of ours, as far as they belong here."""
        notebook = copy.deepcopy(self.stub)
        given = {c["metadata"].get("nbgrader", {}).get("grade_id"): c["source"] for c in submitted["cells"]}
        for candidate in notebook["cells"]:
            if (own := candidate["metadata"].get("nbgrader", {})).get("solution") and own["grade_id"] == EXERCISE:
                candidate["source"] = given[EXERCISE]
        self.hand_in(student, notebook, {})

    def hand_in(self, student: str, notebook: dict, files: dict[str, str]) -> None:
        """Put a notebook into a student's folder of submissions."""
        folder = self.folder / "submitted" / student / ASSIGNMENT
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{ASSIGNMENT}.ipynb").write_text(json.dumps(notebook))
        for name, text in files.items():
            (folder / name).write_text(text)


def _expected() -> list:
    import numpy as np

    from cnncourse import functional as F

    x = np.arange(48.0).reshape(1, 2, 4, 6) % 7 - 3
    weight = np.arange(36.0).reshape(3, 2, 2, 3) % 5 - 2
    return F.conv2d(x, weight, np.array([1.0, -1.0, 0.5]), stride=1, padding=1).tolist()


def points(folder: Path, student: str, trick: Trick) -> str:
    """Points at stake that were given, out of how many."""
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        try:
            grades = gradebook.find_submission(ASSIGNMENT, student).notebooks[0].grades
        except MissingEntry:
            return "no marks"
        for grade in grades:
            by_hand = not grade.name.startswith("check-")
            if by_hand if trick.by_hand else grade.name == f"check-{EXERCISE}":
                return f"{grade.auto_score if grade.auto_score is not None else 0:g} / {grade.max_score:g}"
    return "no marks"


def bench_tricks(ours: Classroom, plain: PlainClassroom, console: Console) -> None:
    """Hand in every trick both ways."""
    table = Table(title="Points for a wrong answer with a trick")
    for header in ("trick", "plain nbgrader", "here"):
        table.add_column(header)
    for number, trick in enumerate(track(TRICKS, "grading", console=console)):
        student = f"student{number:02d}"
        if trick.after_right:
            plain.hand_in(student, plain.solved(IM2COL_FORWARD), {})
            plain.run("autograde", ASSIGNMENT, "--student", student)
            ours.hand_in(student, ours.solved())
            ours.grade(student)
        plain.hand_in(student, edited(plain.stub, trick.apply), trick.files)
        plain.run("autograde", ASSIGNMENT, "--student", student, "--force")
        ours.hand_in(student, edited(ours.solved(), trick.apply), trick.files)
        ours.grade(student, force=True)
        table.add_row(trick.name, points(plain.folder, student, trick), points(ours.folder, student, trick))
    console.print(table)


def bench_speed(ours: Classroom, plain: PlainClassroom, count: int, console: Console) -> None:
    """Grade honest submissions both ways, in turn; seconds a submission, feedback included."""
    here, there = [], []
    for number in track(range(count), "grading", console=console):
        student = f"honest{number:02d}"
        plain.hand_in(student, plain.solved(IM2COL_FORWARD), {})
        there.append(plain.run("autograde", ASSIGNMENT, "--student", student)
                     + plain.run("generate_feedback", ASSIGNMENT, "--student", student))
        ours.hand_in(student, ours.solved())
        began = time.perf_counter()
        ours.grade(student)
        here.append(time.perf_counter() - began)
    table = Table(title=f"Seconds a submission, {count} each way, autograde and feedback")
    for header in ("", "median", "fastest", "slowest"):
        table.add_column(header, justify="right")
    for name, seconds in (("plain nbgrader, one exercise", there), ("here, all exercises", here)):
        table.add_row(name, *(f"{f(seconds):.2f}" for f in (statistics.median, min, max)))
    console.print(table)
    console.print(f"plain nbgrader takes {statistics.median(there) / statistics.median(here):.1f} times as long")


def main() -> None:
    """Parse the options and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speed", type=int, metavar="N", help="time N honest submissions instead")
    options = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory(prefix="bench-grading-") as folder:
        ours = Classroom(ROOT, Path(folder, "ours"))
        plain = PlainClassroom(ours, Path(folder, "plain"))
        if options.speed:
            bench_speed(ours, plain, options.speed, console)
        else:
            bench_tricks(ours, plain, console)


if __name__ == "__main__":
    main()
