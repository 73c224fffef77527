"""A new course in a folder of its own, and a new exercise in it."""

from __future__ import annotations

import keyword
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tomlkit

from autograder.classroom.course import Course
from autograder.errors import BuildError
from autograder.exercises.contents import every, taught
from autograder.files import replace_file
from autograder.showing.templating import template
from autograder.syllabus import FILE, FORMAT, NAME, Plan, Syllabus, library_assignments

CONFIGURATION = '''\
"""nbgrader for this course; what the course consists of stands in course.toml."""

from autograder.configuration import configure

configure(get_config(), course=__file__)  # noqa: F821  nbgrader defines it
'''


PERMISSIONS = 0o644


def new_course(folder: Path, based_on: Sequence[str] = (), title: str = "") -> list[Path]:
    """Make a course's folder.

    Parameters
    ----------
    folder : Path
        Must not exist, or be empty.
    based_on : sequence of str, optional
        Assignments of the library to begin with.
    title : str, optional

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    BuildError
        If there is something in the folder, or the library has no such assignment.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BuildError(f"{folder} holds something; a new course needs a new folder")
    if unknown := [name for name in based_on if name not in library_assignments()]:
        raise BuildError(f"The library has no assignment {unknown[0]!r}. It has: {', '.join(library_assignments())}")
    title = title or folder.name.replace("-", " ").replace("_", " ").capitalize()
    files = {
        FILE: _description(folder, title, based_on),
        "nbgrader_config.py": CONFIGURATION,
        ".gitignore": _filled("gitignore"),
        "README.md": _filled("README.md", title=title, first=based_on[0] if based_on else "01-first"),
    }
    for name in ("assignments", "exercises"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        replace_file(folder / name, text.encode(), PERMISSIONS)
    return [folder / name for name in files]


def _description(folder: Path, title: str, based_on: Sequence[str]) -> str:
    identifier = "".join(letter if NAME.fullmatch(letter) else "-" for letter in folder.name).strip("-") or "course"
    plans = [(name, [(exercise.name, exercise.points) for exercise in every(name)]) for name in based_on]
    return _filled("course.toml", version=FORMAT, title=tomlkit.string(title).as_string(),
                   identifier=tomlkit.string(identifier).as_string(), plans=plans)


def _filled(name: str, **values: Any) -> str:
    """One of the files that a course begins with."""
    return template(f"course/{name}.j2", plain=True).render(values)


def new_exercise(course: Course, name: str, assignment: str | None = None, points: float = 2) -> list[Path]:
    """Write the start of an exercise into a course's folder, and its name into course.toml.

    Parameters
    ----------
    course : Course
    name : str
        Of the exercise and of the function that students write.
    assignment : str, optional
        Where it goes; by default it is listed in none yet.
    points : float, optional

    Returns
    -------
    list of Path
        The files that were written.

    Raises
    ------
    BuildError
        If the name is none, or taken.
    SyllabusError
        If there is no such assignment.
    """
    if not name.isidentifier() or keyword.iskeyword(name):
        raise BuildError(f"{name!r} cannot be the name of a function; letters, digits and _ do, and no digit first")
    if course.syllabus is None:
        raise BuildError(f"{course.root} has no {FILE}, so it takes the library as it is. Make a course of your own "
                         "with: course new FOLDER")
    path = course.root / "exercises" / f"{name}.py"
    known = taught().declared
    if name in known:
        raise BuildError(f"There is an exercise {name!r} already, in {known[name].module}")
    if path.exists():
        raise BuildError(f"{path} is there already")
    plan = course.syllabus.plan(assignment) if assignment else None
    text = _filled("exercise.py", function=name, title="".join(part.capitalize() for part in name.split("_")),
                   points=f"{points:g}", notebook=plan.name if plan else "")
    written = [path]
    path.parent.mkdir(exist_ok=True)
    replace_file(path, text.encode(), PERMISSIONS)
    if plan:
        written.append(_list(course.syllabus, plan, name))
    return written


def _list(syllabus: Syllabus, plan: Plan, name: str) -> Path:
    """Add an exercise to an assignment in course.toml; everything else in the file stays as it is."""
    path = syllabus.root / FILE
    told: Any = tomlkit.parse(path.read_text(encoding="utf-8"))
    entry = next(entry for entry in told["assignments"] if entry["name"] == plan.name)
    if "exercises" in entry:
        entry["exercises"].append(name)
    else:
        entry["exercises"] = [*(exercise.name for exercise in every(plan.name)), name]
    replace_file(path, tomlkit.dumps(told).encode(), PERMISSIONS)
    return path
