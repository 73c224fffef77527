"""The same submissions graded by plain nbgrader and by this course, in one run: marks for attacks, and seconds.

    course bench grading                          attacks that forge marks, both columns
    course bench grading --kinds denial reader    other kinds of attacks
    course bench grading --speed 4                seconds a submission, four honest submissions each way

Plain nbgrader gets the same notebook with one assertion cell for conv2d_forward, as its users write them.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import re
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry
from rich.console import Console
from rich.progress import track
from rich.table import Table

from autograder.demo.people import IM2COL_FORWARD
from tests.attacks import ATTACKS
from tests.attacks.model import EXERCISE, Attack, Target, cell
from tests.attacks.school import School
from tests.classroom import ASSIGNMENT, Classroom

ROOT = Path(__file__).resolve().parent.parent
ASSERTION = """\
import numpy.testing
_x = np.arange(48.0).reshape(1, 2, 4, 6) % 7 - 3
_w = np.arange(36.0).reshape(3, 2, 2, 3) % 5 - 2
expected = np.array({expected})
numpy.testing.assert_allclose(conv2d_forward(_x, _w, np.array([1.0, -1.0, 0.5]), 1, 1), expected)
"""
KINDS = sorted({attack.kind for attack in ATTACKS})
PLAIN_SECONDS = 60
PLAIN_MEMORY = 4 << 30
"""Limits for plain nbgrader, which knows none."""
Edit = Callable[[dict, Target], bytes | None]
NBGRADER = [sys.executable, "-m", "nbgrader"]


class PlainClassroom:
    """The same assignment under nbgrader as it comes."""

    def __init__(self, ours: Classroom, folder: Path) -> None:
        self.folder = folder
        source = folder / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
        source.parent.mkdir(parents=True)
        notebook = json.loads((ours.folder / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb").read_text())
        self.adapt(notebook)
        source.write_text(json.dumps(notebook))
        (folder / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.course_id = 'plain'\n")
        self.run("generate_assignment", ASSIGNMENT)
        self.stub = json.loads((folder / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb").read_text())

    def adapt(self, notebook: dict) -> None:
        """Make nbgrader's own out of the instructor's notebook: one answer with one assertion, one question."""
        notebook["cells"] = [c for c in notebook["cells"] if self._belongs(c)]
        cell(notebook, f"check-{EXERCISE}")["source"] = ASSERTION.format(expected=_expected())
        question = next(c for c in notebook["cells"] if self._by_hand(c))  # in code, where nbgrader can be fooled
        question |= {"cell_type": "code", "outputs": [], "execution_count": None, "source": "### BEGIN SOLUTION\n1\n"
                     "### END SOLUTION"}
        question["metadata"]["nbgrader"]["cell_type"] = "code"

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
        return self.run_for(*arguments)[0]

    def run_for(self, *arguments: str, limit: float | None = None) -> tuple[float, int | None]:
        """Run an nbgrader command; its seconds and exit status, None if it had to be ended."""
        began = time.perf_counter()
        scripts = str(Path(sys.executable).parent)
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        process = subprocess.Popen(
            [*NBGRADER, *arguments], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, preexec_fn=_limit_memory if limit else None,
            env=os.environ | {"PATH": scripts + os.pathsep + os.environ["PATH"], "HOME": str(home)})
        try:
            code: int | None = process.wait(limit)
        except subprocess.TimeoutExpired:
            code = None
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return time.perf_counter() - began, code

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

    def hand_in(self, student: str, notebook: dict | bytes, files: Mapping[str, str]) -> None:
        """Put a notebook into a student's folder of submissions."""
        folder = self.folder / "submitted" / student / ASSIGNMENT
        folder.mkdir(parents=True, exist_ok=True)
        content = notebook if isinstance(notebook, bytes) else json.dumps(notebook).encode()
        (folder / f"{ASSIGNMENT}.ipynb").write_bytes(content)
        for name, text in files.items():
            (folder / name).write_text(text)


def _limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (PLAIN_MEMORY, PLAIN_MEMORY))


def _expected() -> list:
    import numpy as np

    from cnncourse import functional as F

    x = np.arange(48.0).reshape(1, 2, 4, 6) % 7 - 3
    weight = np.arange(36.0).reshape(3, 2, 2, 3) % 5 - 2
    return F.conv2d(x, weight, np.array([1.0, -1.0, 0.5]), stride=1, padding=1).tolist()


def points(folder: Path, student: str, attack: Attack) -> str:
    """Points at stake that were given, out of how many."""
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        try:
            grades = gradebook.find_submission(ASSIGNMENT, student).notebooks[0].grades
        except MissingEntry:
            return "no marks"
        for grade in grades:
            by_hand = not grade.name.startswith("check-")
            if by_hand if attack.by_hand else grade.name == f"check-{EXERCISE}":
                return f"{grade.auto_score if grade.auto_score is not None else 0:g} / {grade.max_score:g}"
    return "no marks"


def applied(notebook: dict, edit: Edit, target: Target) -> bytes:
    """A notebook after an attack's edit, as it lies in the file."""
    content = edit(notebook, target)
    return content if content is not None else json.dumps(notebook).encode()


def attack_plain(plain: PlainClassroom, attack: Attack, target: Target) -> str:
    """What plain nbgrader makes of one attack."""
    if attack.not_plain:
        return f"not run: {attack.not_plain}"
    student = "s-" + re.sub(r"[^a-z0-9]+", "-", attack.name.lower())[:60]
    if attack.before is not None:
        plain.hand_in(student, applied(plain.solved(IM2COL_FORWARD), attack.before, target), {})
        plain.run("autograde", ASSIGNMENT, "--student", student)
    try:
        plain.hand_in(student, applied(plain.solved(IM2COL_FORWARD), attack.edit, target), attack.files)
        if attack.lay is not None:
            attack.lay(plain.folder / "submitted" / student / ASSIGNMENT, target)
    except StopIteration:
        return "-"  # it is about a cell that is not in this notebook
    _, code = plain.run_for("autograde", ASSIGNMENT, "--student", student, "--force", limit=PLAIN_SECONDS)
    if code is None:
        return f"did not end within {PLAIN_SECONDS} s"
    given = points(plain.folder, student, attack)
    return f"{given}, stopped with an error" if code else given


def bench_attacks(ours: School, plain: PlainClassroom, kinds: list[str], console: Console) -> None:
    """Hand in every attack both ways: here as one class, to plain nbgrader one after the other."""
    chosen = [attack for attack in ATTACKS if attack.kind in kinds]
    ours.hand_in("before")
    ours.grade()
    ours.hand_in("now")
    outcome = ours.grade()
    table = Table(title="Points that are given for a wrong answer, or lost by the class")
    for header in ("kind", "attack", "plain nbgrader", "here"):
        table.add_column(header)
    fooled = 0
    for attack in track(chosen, "plain nbgrader", console=console):
        there = attack_plain(plain, attack, ours.target)
        student = attack.identifier.encode("utf-8", "replace").decode()
        given = outcome.scores.get(student, {}).get(EXERCISE)
        most = ours.maximum[EXERCISE]
        earned = f"{given or 0:g} / {most:g}" + ("" if EXERCISE in attack.points or attack.unread else ", earned")
        fooled += there.startswith(f"{most:g} / ") and EXERCISE in attack.points
        table.add_row(attack.kind, attack.name, there, earned)
    console.print(table)
    console.print(f"{len(chosen)} attacks; full marks for a wrong answer from plain nbgrader: {fooled}")


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
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=["forging"], help="which attacks")
    options = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory(prefix="bench-grading-") as folder:
        if options.speed:
            ours = Classroom(ROOT, Path(folder, "ours"))
            bench_speed(ours, PlainClassroom(ours, Path(folder, "plain")), options.speed, console)
            return
        school = School(ROOT, Path(folder), [attack for attack in ATTACKS if attack.kind in options.kinds])
        try:
            bench_attacks(school, PlainClassroom(school.classroom, Path(folder, "plain")), options.kinds, console)
        finally:
            school.close()


if __name__ == "__main__":
    main()
