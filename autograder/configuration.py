"""nbgrader's settings for a course directory; every nbgrader_config.py of the course calls `configure`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from traitlets.config import Config


def configure(
    config: Config, *, course_id: str = "cnncourse", source: str = "source", release: str = "release",
    course: str | Path | None = None,
) -> Config:
    """Wire nbgrader to trusted grading.

    Parameters
    ----------
    config : Config
        What `get_config()` gives in an nbgrader_config.py.
    course_id : str, optional
    source, release : str, optional
        Folders of the assignments with and without solutions, relative to the course directory.
    course : str or Path, optional
        Where a course has a course.toml: `__file__`. Then its name and its folders are known, and this process finds
        its exercises.

    Returns
    -------
    Config
        The same object.
    """
    from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
    from nbgrader.preprocessors import AssignLatePenalties, GetGrades

    from autograder.classroom.plugins import JudgeAnswers, SaveVerdicts, SubmissionExporter
    from autograder.classroom.releasing import ReleaseFeedback
    from autograder.classroom.sanitize import SanitizeAnswers

    make_gradebooks_anywhere()
    if course is not None:
        from autograder.exercises.contents import teach
        from autograder.syllabus import NOTEBOOKS, SOURCES, Syllabus

        syllabus = Syllabus.read(Path(course).resolve().parent)
        teach(syllabus)
        course_id, source, release = syllabus.identifier, SOURCES, NOTEBOOKS
        config.JudgeAnswers.merge(asdict(syllabus.policy))
    config.CourseDirectory.course_id = course_id
    # The formgrader works without an exchange, but shows an error in its place if the folder is not there.
    config.Exchange.root = "exchange"  # in the course directory, where nbgrader runs
    config.CourseDirectory.source_directory = source
    config.CourseDirectory.release_directory = release
    config.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE\nraise NotImplementedError"}
    config.Autograde.exporter_class = SubmissionExporter
    # The rebuilt notebook is the instructor's: there is nothing of a stranger's structure left to sanitize.
    config.Autograde.sanitize_preprocessors = []
    config.Autograde.autograde_preprocessors = [JudgeAnswers, SaveVerdicts, AssignLatePenalties]
    config.GenerateFeedback.preprocessors = [GetGrades, CSSHTMLHeaderPreprocessor]
    config.ExchangeFactory.release_feedback = ReleaseFeedback
    # zip_collect must not open archives that strangers handed in: they can be bombs.
    config.ExtractorPlugin.zip_ext = []
    config.HTMLExporter.sanitize_html = True
    config.HTMLExporter.preprocessors = [SanitizeAnswers]
    return config


def _gradebook_version() -> str:
    """Version of nbgrader's tables, for a new gradebook.

    nbgrader asks alembic's command for it, by name and through a file that takes no percent sign in the path of the
    installation and, depending on the locale, nothing beyond ASCII.
    """
    from alembic.script import ScriptDirectory
    from nbgrader.dbutil import ALEMBIC_DIR

    return str(ScriptDirectory(ALEMBIC_DIR).get_current_head())


def make_gradebooks_anywhere() -> None:
    """Let nbgrader make a gradebook wherever it is installed and whatever is on the path."""
    import nbgrader.api

    nbgrader.api.get_alembic_version = _gradebook_version
