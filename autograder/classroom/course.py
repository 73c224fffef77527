"""A course directory: its configuration, its folders, its gradebook."""

from __future__ import annotations

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


class Course:
    """A course directory with its nbgrader configuration.

    Parameters
    ----------
    root : Path
        The folder that holds nbgrader_config.py.
    trust : bool, optional
        Run submissions without a sandbox.
    db_url : str, optional
        The gradebook's database, for instance postgresql+psycopg://user@host/name; by default the configuration's,
        which is a file of SQLite in the folder unless it says otherwise.

    Raises
    ------
    AutograderError
        If the folder is no course directory.
    """

    def __init__(self, root: Path, *, trust: bool = False, db_url: str | None = None) -> None:
        if not (root / "nbgrader_config.py").is_file():
            raise AutograderError(f"{root} holds no nbgrader_config.py, so it is not a course directory")
        self.config: Config = PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()
        self.config.CourseDirectory.root = str(root)
        self.config.JudgeAnswers.trust_submissions = trust
        if db_url:
            self.config.CourseDirectory.db_url = db_url
        self.exchange = root / self.config.Exchange.root
        self.config.Exchange.root = str(self.exchange)
        self.root = root
        self.trust = trust
        self.directory = CourseDirectory(config=self.config)

    def make_exchange(self) -> None:
        """Make nbgrader's exchange if it belongs to the course's folder and is not there.

        The formgrader works without one, but shows an error in its place.
        """
        if self.exchange.is_relative_to(self.root):
            self.exchange.mkdir(parents=True, exist_ok=True)

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
