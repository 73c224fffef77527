"""The zip that an instructor uploads as the autograder of a Gradescope assignment."""

from __future__ import annotations

import hashlib
import hmac
import json
import tempfile
import zipfile
from dataclasses import asdict
from pathlib import Path

from autograder.authoring.wheels import students_wheel
from autograder.classroom.course import Course
from autograder.classroom.plugins import JudgeAnswers
from autograder.classroom.seeds import SECRET_FILE, course_secret
from autograder.errors import AutograderError
from autograder.files import replace_file
from autograder.platforms.gradescope.settings import SETTINGS_FILE, VISIBILITIES, Settings
from autograder.syllabus import library

SCRIPTS = ("setup.sh", "run_autograder")
HERE = Path(__file__).parent


def pack(course: Course, assignment: str, to: Path, visibility: str = VISIBILITIES[0]) -> Path:
    """Make the zip.

    Parameters
    ----------
    course : Course
        Whose exercises, notebook, time limits and secret are taken. The secret itself stays here: another one is made
        from it.
    assignment : str
    to : Path
        Folder for the zip.
    visibility : str, optional
        When students see what was found; one of Gradescope's words.

    Returns
    -------
    Path

    Raises
    ------
    AutograderError
        If the assignment is not released in this course, or there is no such visibility.
    BuildError
        If the wheel cannot be made.
    """
    if visibility not in VISIBILITIES:
        raise AutograderError(f"there is no visibility {visibility!r}; there are: {', '.join(VISIBILITIES)}")
    notebooks = sorted(course.step(course.directory.release_directory, ".", assignment).glob("*.ipynb"))
    if not notebooks:
        raise AutograderError(f"{assignment} is not released in {course.root}; run: course release {assignment}")
    limits = asdict(JudgeAnswers(config=course.config).limits)
    settings = Settings(assignment, visibility, course.sandbox,
                        {name: limits[name] for name in limits if name.endswith("_seconds")})
    secret = hmac.new(course_secret(course.root), f"gradescope\0{assignment}".encode(), hashlib.sha256).hexdigest()
    to.mkdir(parents=True, exist_ok=True)
    archive = to / f"{assignment}-gradescope.zip"
    with tempfile.TemporaryDirectory(prefix="course-pack-") as folder:
        wheel = students_wheel(Path(folder), course.syllabus, assignment)
        made = Path(folder, archive.name)
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as pack:
            for name in SCRIPTS:
                pack.write(HERE / name, name)  # with the right to run it
            pack.write(wheel, wheel.name)
            pack.write(library(course.root) / "constraints.txt", "constraints.txt")
            pack.writestr(SETTINGS_FILE, json.dumps(asdict(settings), indent=1))
            pack.writestr(SECRET_FILE, secret + "\n")
            for notebook in notebooks:
                pack.write(notebook, f"notebooks/{notebook.name}")
        replace_file(archive, made.read_bytes(), 0o600)
    return archive
