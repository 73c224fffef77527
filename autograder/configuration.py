"""nbgrader's settings for a course directory; every nbgrader_config.py of the course calls `configure`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from traitlets.config import Config


def configure(
    config: Config, *, course_id: str = "cnncourse", source: str = "source", release: str = "release"
) -> Config:
    """Wire nbgrader to trusted grading.

    Parameters
    ----------
    config : Config
        What `get_config()` gives in an nbgrader_config.py.
    course_id : str, optional
    source, release : str, optional
        Folders of the assignments with and without solutions, relative to the course directory.

    Returns
    -------
    Config
        The same object.
    """
    from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
    from nbgrader.preprocessors import AssignLatePenalties, GetGrades

    from autograder.classroom.plugins import JudgeAnswers, SaveVerdicts, SubmissionExporter
    from autograder.classroom.sanitize import SanitizeAnswers

    _find_scripts()
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
    # zip_collect must not open archives that strangers handed in: they can be bombs.
    config.ExtractorPlugin.zip_ext = []
    config.HTMLExporter.sanitize_html = True
    config.HTMLExporter.preprocessors = [SanitizeAnswers]
    return config


def _find_scripts() -> None:
    """Put this environment's commands on the path: nbgrader calls alembic by name when it makes a gradebook."""
    scripts, path = str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)
    if scripts not in path.split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join((scripts, path))
