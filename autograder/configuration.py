"""nbgrader's settings for a course directory; every nbgrader_config.py of the course calls `configure`."""

from __future__ import annotations

from traitlets.config import Config

SAFE_TAGS = (
    "a", "abbr", "acronym", "b", "blockquote", "br", "code", "dd", "del", "details", "div", "dl", "dt", "em", "h1",
    "h2", "h3", "h4", "h5", "hr", "i", "li", "ol", "p", "pre", "span", "strong", "sub", "summary", "sup", "table",
    "tbody", "td", "th", "thead", "tr", "ul",
)
"""Markup that may stand in notebooks shown to people: structure only, nothing that runs, loads or covers."""


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

    from autograder.gradebook import JudgeAnswers, SaveVerdicts, SubmissionExporter

    config.CourseDirectory.course_id = course_id
    config.CourseDirectory.source_directory = source
    config.CourseDirectory.release_directory = release
    config.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE\nraise NotImplementedError"}
    config.Autograde.exporter_class = SubmissionExporter
    # The rebuilt notebook is the instructor's: there is nothing of a stranger's structure left to sanitize.
    config.Autograde.sanitize_preprocessors = []
    config.Autograde.autograde_preprocessors = [JudgeAnswers, SaveVerdicts, AssignLatePenalties]
    config.GenerateFeedback.preprocessors = [GetGrades, CSSHTMLHeaderPreprocessor]
    config.HTMLExporter.sanitize_html = True
    config.SanitizeHTML.tags = list(SAFE_TAGS)
    return config
