"""A course directory: its configuration, its folders, its gradebook."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config, PyFileConfigLoader

from autograder.classroom import places
from autograder.classroom.template import instructors_notebook
from autograder.errors import AutograderError
from autograder.exercises.contents import teach
from autograder.syllabus import FILE, Syllabus, library

LOG_FILE = "grading.log"


class Course:
    """A course directory with its nbgrader configuration.

    Parameters
    ----------
    root : Path
        The folder that holds nbgrader_config.py.
    trust : bool, optional
        Run submissions without a sandbox.
    sandbox : str, optional
        How they are isolated, see `isolation.choose`; by default as the configuration says, or else "auto".
    db_url : str, optional
        The gradebook's database, for instance postgresql+psycopg://user@host/name; by default the configuration's,
        which is a file of SQLite in the folder unless it says otherwise.

    Raises
    ------
    AutograderError
        If the folder is no course directory, or its course.toml is wrong.

    Attributes
    ----------
    syllabus : Syllabus or None
        What its course.toml says; None where it has none and teaches the library as it is.
    """

    def __init__(
        self, root: Path, *, trust: bool = False, sandbox: str | None = None, db_url: str | None = None
    ) -> None:
        if not (root / "nbgrader_config.py").is_file():
            raise AutograderError(f"{root} holds no nbgrader_config.py, so it is not a course directory")
        self.config: Config = PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()
        self.config.CourseDirectory.root = str(root)
        self.config.JudgeAnswers.trust_submissions = trust
        if sandbox:
            self.config.JudgeAnswers.sandbox = sandbox
        if db_url:
            self.config.CourseDirectory.db_url = db_url
        self.exchange = root / self.config.Exchange.root
        self.config.Exchange.root = str(self.exchange)
        self.root = root
        self.syllabus = Syllabus.read(root) if (root / FILE).is_file() else None
        self.teach()
        self.trust = trust
        self.sandbox = str(self.config.JudgeAnswers.get("sandbox", "auto"))
        self.directory = CourseDirectory(config=self.config)

    @property
    def texts(self) -> Path:
        """The folder whose assignments are taught: this one, or the library's."""
        return self.root if self.syllabus else library(self.root)

    def teach(self) -> None:
        """Let this process find the course's exercises; whoever has several courses says it each time."""
        teach(self.syllabus)

    def make_exchange(self) -> None:
        """Make nbgrader's exchange if it belongs to the course's folder and is not there.

        The formgrader works without one, but shows an error in its place.
        """
        if self.exchange.is_relative_to(self.root):
            self.exchange.mkdir(parents=True, exist_ok=True)

    @property
    def private_paths(self) -> list[Path]:
        """What nobody else on this machine may read: submissions, judged work, pages, solutions, reports, gradebook."""
        own = self.directory
        folders = [own.submitted_directory, own.autograded_directory, own.feedback_directory, own.source_directory,
                   "report"]
        return [*(self.root / folder for folder in folders), *self._database_file(), self.root / LOG_FILE]

    def make_private(self) -> None:
        """Take from everybody else the right to enter these folders and to read these files; make those not yet there.

        The umask of most machines lets everybody read what somebody writes. Files inside of the folders keep nbgrader's
        permissions, because `nbgrader release_feedback` hands pages on with the permissions that they have. Where the
        course is shared by a group, `CourseDirectory.groupshared`, the group keeps its rights.
        """
        keep = ~(0o007 if self.directory.groupshared else 0o077)
        for path in self.private_paths:
            if not path.exists() and path.suffix == "" and path.name != "report":
                path.mkdir(parents=True, exist_ok=True)
            elif path in self._database_file() and not path.exists():
                path.touch()
            with contextlib.suppress(OSError):  # not ours: `course doctor` tells
                path.chmod(path.stat().st_mode & keep & 0o7777)

    @property
    def has_gradebook(self) -> bool:
        """Whether there is a gradebook, or a database that has one."""
        return all(path.exists() for path in self._database_file())

    def _database_file(self) -> list[Path]:
        """The gradebook's file, if it is one."""
        kind, _, place = self.directory.db_url.partition(":///")
        return [self.root / place] if kind == "sqlite" and place else []

    def submitted(self, assignment: str) -> list[str]:
        """Students who handed in something for the assignment, in alphabetical order.

        That is whoever has a folder for it, and whoever has something, or nothing at all, in no assignment's folder:
        what lies in the wrong place has to be seen.
        """
        folder = Path(self.root, self.directory.submitted_directory)
        released = self.released() | {assignment}
        return sorted(path.name for path in folder.glob("*")
                      if path.is_dir() and places.has_something(path, assignment, released, self._first_notebook))

    def files(self, student: str, assignment: str) -> list[Path]:
        """Notebooks and archives that a student handed in for the assignment."""
        folder = Path(self.root, self.directory.submitted_directory, student)
        return places.files_of(folder, assignment, self.released())

    def released(self) -> set[str]:
        """Names of the assignments that there are."""
        return {path.name for path in Path(self.root, self.directory.release_directory).glob("*") if path.is_dir()}

    def _first_notebook(self, assignment: str) -> NotebookNode | None:
        for step in (self.directory.release_directory, self.directory.source_directory):
            for path in sorted(self.step(step, ".", assignment).glob("*.ipynb")):
                return instructors_notebook(self.directory, assignment, path.stem)
        return None

    def step(self, folder: str, student: str, assignment: str) -> Path:
        """Folder of one of nbgrader's steps."""
        return Path(self.directory.format_path(folder, student, assignment))

    def submitted_folder(self, student: str, assignment: str) -> Path:
        """Where a student's submission lies."""
        return self.step(self.directory.submitted_directory, student, assignment)

    def autograded_folder(self, student: str, assignment: str) -> Path:
        """Where the judged notebooks go."""
        return self.step(self.directory.autograded_directory, student, assignment)

    def feedback_folder(self, student: str, assignment: str) -> Path:
        """Where the pages for the student go."""
        return self.step(self.directory.feedback_directory, student, assignment)

    @contextmanager
    def gradebook(self) -> Iterator[Gradebook]:
        """nbgrader's gradebook."""
        with Gradebook(self.directory.db_url, self.directory.course_id) as gradebook:
            yield gradebook
