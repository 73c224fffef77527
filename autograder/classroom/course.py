"""A course directory: its configuration, its folders, its gradebook."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config, PyFileConfigLoader

from autograder.errors import AutograderError


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
        If the folder is no course directory.
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
        self.trust = trust
        self.sandbox = str(self.config.JudgeAnswers.get("sandbox", "auto"))
        self.directory = CourseDirectory(config=self.config)

    def make_exchange(self) -> None:
        """Make nbgrader's exchange if it belongs to the course's folder and is not there.

        The formgrader works without one, but shows an error in its place.
        """
        if self.exchange.is_relative_to(self.root):
            self.exchange.mkdir(parents=True, exist_ok=True)

    def submitted(self, assignment: str) -> list[str]:
        """Students who have a folder for the assignment, in alphabetical order."""
        found = Path(self.root, self.directory.submitted_directory).glob(f"*/{assignment}")
        return sorted(path.parent.name for path in found if path.is_dir())

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
