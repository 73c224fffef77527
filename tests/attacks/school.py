"""A class of attackers and honest students, graded in one run of the real command, with things laid out for thieves."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import os
import re
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from autograder.classroom.seeds import SECRET_FILE, course_secret
from autograder.cohort import Report, reports
from tests.attacks.model import TOKEN, Attack, Notebook, Target
from tests.classroom import ASSIGNMENT, CONFIGURATION, Classroom

HONEST = ("aa-honest", "borrowing-m-honest", "denial-m-honest", "folders-m-honest", "stealing-m-honest", "zz-honest")
"""Honest students, spread over the alphabet: before, between and after the attackers."""

VICTIM = "aa-honest"
QUICK = "c = get_config()\nc.JudgeAnswers.cell_seconds = 3.0\nc.JudgeAnswers.call_seconds = 1.5\nc.JudgeAnswers.total_seconds = 20.0\n"
COLUMNS = "400"


class Listener:
    """Something on this machine that nobody may reach: a port, a port for packets, an abstract socket."""

    def __init__(self) -> None:
        self.reached: list[str] = []
        self.name = f"cnncourse-{secrets.token_hex(8)}"
        self._sockets = {"connection": socket.create_server(("127.0.0.1", 0)),
                         "packet": socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
                         "abstract socket": socket.socket(socket.AF_UNIX)}
        self._sockets["packet"].bind(("127.0.0.1", 0))
        self._sockets["abstract socket"].bind(f"\0{self.name}")
        self._sockets["abstract socket"].listen()
        for kind, one in self._sockets.items():
            threading.Thread(target=self._wait, args=(kind, one), daemon=True).start()

    def _wait(self, kind: str, one: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                if kind == "packet":
                    one.recvfrom(64)
                else:
                    one.accept()[0].close()
                self.reached.append(kind)

    def port(self, kind: str) -> int:
        """Its number."""
        return int(self._sockets[kind].getsockname()[1])

    def close(self) -> None:
        """Listen no more."""
        for one in self._sockets.values():
            one.close()


@dataclass
class Outcome:
    """What came of grading the class.

    Attributes
    ----------
    status : dict of str to str
        By student, as the command's table says.
    notes : dict of str to str
        What the command's second table says.
    printed : str
        All that the command wrote.
    code : int
        Its exit status.
    seconds : float
    reports : dict of str to Report
    scores : dict of str to dict of str to (float or None)
        Points in the gradebook, by student and exercise; None for no mark.
    totals : dict of str to float
        Points in the gradebook, hand marks and penalties included.
    """

    printed: str
    code: int
    seconds: float
    reports: dict[str, Report] = field(default_factory=dict)
    scores: dict[str, dict[str, float | None]] = field(default_factory=dict)
    waiting: dict[str, bool] = field(default_factory=dict)
    totals: dict[str, float] = field(default_factory=dict)


class School:
    """The class in a folder of its own.

    Parameters
    ----------
    root : Path
        The checkout.
    folder : Path
    attacks : sequence of Attack
    """

    def __init__(self, root: Path, folder: Path, attacks: Sequence[Attack]) -> None:
        self.root = root
        self.attacks = attacks
        self.classroom = Classroom(root, folder / "course")
        self.home = folder / "home"
        self.tokens = {place: TOKEN + secrets.token_hex(8) for place in (
            "source", "solutions", "victim", "gradebook", "configuration", "home", "environment")}
        self.listener = Listener()
        self.target = Target(
            self.classroom.folder, self.home, packages(),
            VICTIM, self.listener.port("connection"), self.listener.port("packet"), self.listener.name)
        self._lay_out()

    def _lay_out(self) -> None:
        """Put secrets where thieves look for them."""
        course = self.classroom.folder
        (course / "nbgrader_config.py").write_text(
            CONFIGURATION + QUICK + f"# {self.tokens['configuration']}\n")
        source = course / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
        notebook = json.loads(source.read_text())
        notebook["metadata"]["kept"] = self.tokens["source"]
        source.write_text(json.dumps(notebook))
        for path, place in ((course.parent / "solutions" / "01.md", "solutions"),
                            (self.home / ".ssh" / "id_ed25519", "home")):
            path.parent.mkdir(parents=True)
            path.write_text(self.tokens[place])
        startup = self.home / ".ipython" / "profile_default" / "startup"
        startup.mkdir(parents=True)
        (startup / "README").write_text("nothing runs from here")
        with self.classroom.course.gradebook() as gradebook:
            gradebook.add_student(VICTIM, first_name=self.tokens["gradebook"])
        course_secret(course)

    @cached_property
    def secret(self) -> str:
        """The course's secret, in hexadecimal digits."""
        return (self.classroom.folder / SECRET_FILE).read_text().strip()

    @property
    def maximum(self) -> dict[str, float]:
        """What each exercise is worth."""
        return {name.removeprefix("check-"): cell["metadata"]["nbgrader"]["points"]
                for cell in self.classroom.stub["cells"]
                if (name := cell["metadata"].get("nbgrader", {}).get("grade_id", "")).startswith("check-")}

    def hand_in(self, step: str) -> None:
        """Everybody hands in.

        Parameters
        ----------
        step : str
            "before" for what some hand in at first, "now" for the attacks themselves.
        """
        for attack in self.attacks:
            edit = attack.edit if step == "now" else attack.before
            if edit is None:
                continue
            notebook: Notebook = self.classroom.solved()
            content = edit(notebook, self.target)
            self.classroom.hand_in(attack.identifier, content if content is not None else notebook, attack.files)
            if step == "now" and attack.lay is not None:
                attack.lay(self.classroom.path("submitted", attack.identifier).parent, self.target)
        for student in HONEST:
            notebook = copy.deepcopy(self.classroom.solved())
            if student == VICTIM:
                notebook["cells"].append({"cell_type": "code", "id": "own", "metadata": {}, "outputs": [],
                                          "execution_count": None, "source": f"kept = {self.tokens['victim']!r}"})
            self.classroom.hand_in(student, notebook)

    def command(self, *arguments: str) -> tuple[str, int]:
        """Run the `course` command as an instructor does; what it wrote, and its exit status."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        environment |= {"HOME": str(self.home), "COLUMNS": COLUMNS, "COURSE_TOKEN": self.tokens["environment"],
                        "PYTHONPATH": str(self.root), "PYTHONUTF8": "1"}
        ran = subprocess.run([sys.executable, "-m", "autograder.cli", *arguments, "--course",
                              str(self.classroom.folder)], cwd=self.classroom.folder.parent, env=environment,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return ran.stdout.decode("utf-8", "replace"), ran.returncode

    def grade(self) -> Outcome:
        """Grade what is there, in one run, and collect what is known of it afterwards."""
        began = time.monotonic()
        printed, code = self.command("grade", ASSIGNMENT)
        outcome = Outcome(printed, code, time.monotonic() - began)
        course = self.classroom.course
        outcome.reports = {report.student: report for report in reports(course, ASSIGNMENT)}
        with course.gradebook() as gradebook:
            for submission in gradebook.assignment_submissions(ASSIGNMENT):
                student = submission.student.id
                outcome.totals[student] = submission.score
                grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
                outcome.scores[student] = {
                    grade.name.removeprefix("check-"): grade.auto_score for grade in grades
                    if grade.name.startswith("check-")}
                outcome.waiting[student] = any(grade.needs_manual_grade for grade in grades)
        return outcome

    def protected(self) -> dict[str, str]:
        """Hashes of every file that grading has no business with."""
        course = self.classroom.folder
        places = [course / "source", course / "release", course / "submitted", course.parent / "solutions", self.home,
                  course / "nbgrader_config.py", course / SECRET_FILE, *packages().glob("*.pth"),
                  packages() / "sitecustomize.py"]
        return {str(path).encode("utf-8", "surrogateescape").decode("utf-8", "replace"): _hash(path)
                for place in places for path in _files(place) if ".cache" not in path.parts}

    def shown(self, student: str) -> Iterator[tuple[str, str]]:
        """Everything that grading wrote about a student, as text: file by file."""
        for step in ("autograded", "feedback"):
            folder = self.classroom.path(step, student).parent
            for path in sorted(folder.glob("*.ipynb")) + sorted(folder.glob("*.html")):
                yield str(path), path.read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        """End what listens."""
        self.listener.close()


def packages() -> Path:
    """Where the packages of this Python are."""
    import numpy

    return Path(numpy.__file__).parents[1]


def told(outcome: Outcome, student: str) -> str:
    """All that an instructor can read of one student."""
    rows = [line for line in outcome.printed.splitlines() if student in line]
    report = outcome.reports.get(student)
    if report is not None:
        rows += [*report.problems, *(verdict.message for verdict in report.verdicts.values())]
    return "\n".join(rows)


def shown_name(student: str) -> str:
    """A student's name as it can stand in a table: what no person can read is left out or written otherwise."""
    return max(re.findall(r"[\w-]+", student), key=len, default=student)


def _files(place: Path) -> list[Path]:
    if place.is_dir() and not place.is_symlink():
        return [path for folder, _, names in os.walk(place) for path in (Path(folder, name) for name in names)]
    return [place] if place.exists() else []


def _hash(path: Path) -> str:
    if path.is_symlink():
        return f"link to {os.readlink(path)}"
    if not path.is_file() or path.stat().st_size > 1 << 28:
        return f"{path.lstat().st_mode} {path.lstat().st_size}"
    return hashlib.sha256(path.read_bytes()).hexdigest()
