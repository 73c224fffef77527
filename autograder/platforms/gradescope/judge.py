"""The judge of `course grade`, on one student's files in Gradescope's folder.

A course directory is made around the submission, so that it goes through the same hands as a class. Nothing is fetched,
and lateness is Gradescope's.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import is_grade

from autograder.assignment.prose import language_of
from autograder.classroom import places
from autograder.classroom.course import Course
from autograder.classroom.marking import Standing
from autograder.classroom.seeds import SECRET_FILE
from autograder.classroom.versions import Versions
from autograder.cohort.batch import Batch, Graded, Submitted, grade_batch
from autograder.errors import AutograderError
from autograder.platforms.gradescope import results
from autograder.platforms.gradescope.exercises import results_of
from autograder.platforms.gradescope.settings import Settings
from autograder.sandbox.isolation import choose
from autograder.sandbox.walls import assert_walls_hold
from cnncourse import config, processors
from cnncourse.language import say, speaking

MEMORY_FILES = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
LEAST_MEMORY, MOST_MEMORY = 512 << 20, 2 << 30
CONFIGURATION = """\
from autograder.configuration import configure

c = get_config()
configure(c)
"""


@dataclass(frozen=True)
class Source:
    """What the instructor's zip holds.

    Attributes
    ----------
    folder : Path
    settings : Settings
    templates : dict of str to NotebookNode
        The instructor's notebooks by name.
    """

    folder: Path
    settings: Settings
    templates: dict[str, NotebookNode]

    @classmethod
    def read(cls, folder: Path) -> Source:
        """Read it from where Gradescope has unpacked it."""
        paths = sorted((folder / "notebooks").glob("*.ipynb"))
        return cls(folder, Settings.read(folder), {path.stem: nbformat.read(path, as_version=4) for path in paths})

    @property
    def language(self) -> str:
        """That of the notebooks, and so of what students read."""
        return next((language_of(template) for template in self.templates.values()), "en")


def judge(place: Path) -> None:
    """Judge what lies in Gradescope's folder and write the results."""
    began = time.monotonic()
    source = Source.read(place / "source")
    with speaking(source.language):
        try:
            config.set_num_threads(1)
            graded = _graded(source, place)
            found = results_of(graded, source.templates, source.settings.visibility, time.monotonic() - began)
            print(graded.trace)
        except Exception as error:  # students read what it means for them, the course's staff the rest
            if isinstance(error, AutograderError):
                print(error)
            else:
                traceback.print_exc(file=sys.stdout)
            found = results.not_judged(say("the judge could not work on Gradescope's machine"))
        results.write(found, place)
    print(f"{found['extra_data']['status']} after {time.monotonic() - began:.1f} s")


def check(source: Path) -> None:
    """Say whether submissions can be judged here: is everything there, and does a sandbox hold?

    Raises
    ------
    AutograderError
        If not; the image then is not built.
    """
    chosen = choose(Source.read(source).settings.sandbox)
    assert_walls_hold(chosen.way.name)
    print(f"submissions are isolated by {chosen}")


def _graded(source: Source, place: Path) -> Graded:
    chosen = choose(source.settings.sandbox)
    print(f"isolated by {chosen}")
    assert_walls_hold(chosen.way.name, (source.folder / SECRET_FILE, source.folder, place / "results"))
    student = _student(place / "submission_metadata.json")
    with _course(source, place / "submission", student) as root:
        notebooks = {name: {cell.metadata.nbgrader.grade_id: float(cell.metadata.nbgrader.points)
                            for cell in template.cells if is_grade(cell)}
                     for name, template in source.templates.items()}
        assignment = source.settings.assignment
        versions = Versions.of(Course(root, sandbox=chosen.way.name), assignment, notebooks)
        batch = Batch(root, False, chosen.way.name, assignment, notebooks, versions,
                      [Submitted(student, Standing(0.0, {}))])
        return grade_batch(batch)[0]


@contextmanager
def _course(source: Source, submission: Path, student: str) -> Iterator[Path]:
    """A course directory with one submission in it; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="course-") as folder:
        root, assignment = Path(folder), source.settings.assignment
        (root / "nbgrader_config.py").write_text(CONFIGURATION + "".join(
            f"c.JudgeAnswers.{name} = {value!r}\n" for name, value in _limits(source.settings).items()))
        shutil.copy(source.folder / SECRET_FILE, root / SECRET_FILE)
        shutil.copytree(source.folder / "notebooks", root / "release" / assignment)
        target = root / "submitted" / student / assignment
        target.mkdir(parents=True)
        for path in places.files_of(submission, ".", ()):  # nothing beside it: there are the instructor's own
            copied = target / path.relative_to(submission)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, copied)
        yield root


def _limits(settings: Settings) -> dict[str, float]:
    """Limits that fit the container: where it has half a processor, everything takes twice as long."""
    share = min(1.0, processors.quota())
    seconds = {name: value / share for name, value in settings.seconds.items()}
    return seconds | {"memory_bytes": max(LEAST_MEMORY, min(MOST_MEMORY, _memory() // 2))}


def _memory() -> int:
    """Bytes that the container may use; a very large number where nothing says."""
    for name in MEMORY_FILES:
        try:
            return int(Path(name).read_text())
        except (OSError, ValueError):
            continue
    return 1 << 62


def _student(metadata: Path) -> str:
    """Who handed in, as Gradescope's numbers, from which the inputs are drawn; those of a group together."""
    try:
        users: Any = json.loads(metadata.read_text(encoding="utf-8"))["users"]
        return "-".join(sorted(str(int(user["id"])) for user in users)) or "somebody"
    except (OSError, ValueError, LookupError, TypeError):
        return "somebody"
