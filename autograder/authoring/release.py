"""What a class gets: the student notebook, an installable wheel and the tested versions; no solutions, no secret."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

from autograder.authoring import build as building
from autograder.classroom.course import Course
from autograder.errors import BuildError

INSTRUCTIONS = """\
{assignment}

1. Install (Python {pythons}):
       python -m pip install --constraint constraints.txt "{wheel}[lab]"
   Where Jupyter is installed already, leave out [lab]; on Colab, Kaggle and the like also the constraint, so that
   nothing there is replaced:
       python -m pip install {wheel}
2. Open the notebook:
       jupyter lab {assignment}.ipynb
3. Write your answers, run the checks, save, and hand in {assignment}.ipynb.
"""


def release(
    root: Path, course: Path, assignment: str, to: Path, language: str = "en", db_url: str | None = None
) -> list[Path]:
    """Enter an assignment into the course's gradebook and pack what students need.

    Parameters
    ----------
    root : Path
        The checkout.
    course : Path
        The course directory with nbgrader_config.py.
    assignment : str
    to : Path
        Folder for the zip.
    language : str, optional
        See `cnncourse.language`.
    db_url : str, optional
        The gradebook's database; by default the course's own.

    Returns
    -------
    list of Path
        The student notebook and the zip.

    Raises
    ------
    BuildError
        If the notebook or the wheel cannot be made.
    """
    notebook = enter(root, course, assignment, language, db_url)
    to.mkdir(parents=True, exist_ok=True)
    archive = to / f"{assignment}.zip"
    with tempfile.TemporaryDirectory(prefix="course-release-") as folder:
        wheel = _wheel(root, Path(folder))
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as pack:
            pack.write(notebook, f"{assignment}/{assignment}.ipynb")
            pack.write(wheel, f"{assignment}/{wheel.name}")
            pack.write(root / "constraints.txt", f"{assignment}/constraints.txt")
            project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
            pack.writestr(f"{assignment}/README.txt", INSTRUCTIONS.format(
                assignment=assignment, wheel=wheel.name, pythons=project["requires-python"]))
    return [notebook, archive]


def enter(root: Path, course: Path, assignment: str, language: str = "en", db_url: str | None = None) -> Path:
    """Build one assignment into a course directory and its gradebook; the student notebook."""
    where = Course(course, db_url=db_url)
    where.make_private()
    source, out = (Path(course, folder) for folder in
                   (where.directory.source_directory, where.directory.release_directory))
    building.build(root, [assignment], source, out, language=language, database=where.directory.db_url)
    where.make_exchange()
    return out / assignment / f"{assignment}.ipynb"


def _wheel(root: Path, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
               "--wheel-dir", str(folder), str(root)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(folder.glob("*.whl"))
    if made.returncode or len(wheels) != 1:
        raise BuildError(f"the wheel could not be built: {made.stderr.strip()[-500:]}")
    return wheels[0]
