"""The package that a class installs: ours without the texts with solutions, and with what the course adds to it."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

import tomlkit
from wheel.wheelfile import WheelFile

from autograder.errors import BuildError
from autograder.exercises.contents import HANDED_OUT, every
from autograder.syllabus import FILE, FORMAT, NOTEBOOKS, SHARE, Syllabus

OWN = f"autograder/{HANDED_OUT.name}"
MOST_BUILDS = 3
NOT_PACKED = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
"""What an installer writes about an installation."""


def students_wheel(
    folder: Path, course: Syllabus | None = None, until: str = "", notebooks: Path | None = None
) -> Path:
    """Make the wheel for a class.

    Parameters
    ----------
    folder : Path
        Where it goes.
    course : Syllabus, optional
        A course of its own, whose exercises are being taught; by default the library's.
    until : str, optional
        Its last assignment that students may know of: exercises of later ones stay out.
    notebooks : Path, optional
        Folder of the notebooks that were handed out; a rehearsal holds a student's own against them.

    Raises
    ------
    BuildError
        If the wheel cannot be built.
    """
    contents = dict(_packed(folder))
    if course is not None:
        contents |= {f"{OWN}/{path}": content for path, content in handed_out(course, until).items()}
    if notebooks is not None:
        for file in sorted(notebooks.rglob("*.ipynb")):
            if ".ipynb_checkpoints" not in file.parts:
                contents[f"{OWN}/{NOTEBOOKS}/{file.relative_to(notebooks).as_posix()}"] = file.read_bytes()
    name, version = _name_and_version(contents)
    digest = hashlib.sha256()
    for path, content in sorted(contents.items()):
        if path.startswith(f"{OWN}/"):
            digest.update(path.encode() + b"\0" + content)
    # Another version, so that installers take it in the place of an earlier one.
    return _write(folder, contents, name, f"{version}+course.{digest.hexdigest()[:8]}")


def handed_out(course: Syllabus, until: str = "") -> dict[str, bytes]:
    """What students' packages say of a course: its plan up to an assignment, and exercises of its own.

    Parameters
    ----------
    course : Syllabus
        Its exercises are being taught.
    until : str, optional
        By default all assignments.

    Returns
    -------
    dict of str to bytes
        Files by their path in the course's folder.
    """
    plans = course.plans[:[plan.name for plan in course.plans].index(until) + 1] if until else course.plans
    told = tomlkit.document()
    told.update({"format": FORMAT, "title": course.title, "id": course.identifier, "language": course.language,
                 "addresses": dict(course.addresses)})
    told["policy"] = asdict(course.policy)
    told["assignments"] = [{
        "name": plan.name, "exercises": [exercise.name for exercise in every(plan.name)],
        "points": {exercise.name: exercise.points for exercise in every(plan.name)}} for plan in plans]
    listed = {exercise for plan in plans for exercise in (one.module.rpartition(".")[2] for one in every(plan.name))}
    files = {FILE: tomlkit.dumps(told).encode()}
    for path in sorted(course.root.glob("exercises/*.py")):
        if path.stem in listed or path.name.startswith("_"):
            files[f"exercises/{path.name}"] = path.read_bytes()
    names = {one.name for plan in plans for one in every(plan.name)}
    for path in sorted((*course.root.glob("hints/*.md"), *course.root.glob("locale/*/LC_MESSAGES/exercises.po"))):
        if path.suffix == ".po" or path.stem in names:
            files[path.relative_to(course.root).as_posix()] = path.read_bytes()
    return files


def _packed(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The files of our own wheel, the library's texts left out."""
    checkout = Path(__file__).resolve().parents[2]
    found = _built(checkout, folder) if (checkout / "pyproject.toml").is_file() else _installed()
    for name, content in found:
        if f"/{SHARE}/" not in name and not name.startswith(f"{OWN}/") and not name.endswith(NOT_PACKED):
            yield name, content


def _built(checkout: Path, folder: Path) -> Iterator[tuple[str, bytes]]:
    made_in = folder / "built"
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
               "--wheel-dir", str(made_in), str(checkout)]
    for _ in range(MOST_BUILDS):  # another command may build in the same checkout at this moment
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = list(made_in.glob("*.whl"))
        if not made.returncode and len(wheels) == 1:
            break
    else:
        raise BuildError(f"the wheel could not be built: {made.stderr.strip()[-500:]}")
    with zipfile.ZipFile(wheels[0]) as archive:
        for name in archive.namelist():
            if not name.endswith("/"):
                yield name, archive.read(name)


def _installed() -> Iterator[tuple[str, bytes]]:
    """From an installation: whoever has no checkout gives on what was installed."""
    for file in metadata.files("cnncourse") or ():
        path = Path(str(file.locate()))
        if ".." not in file.parts and path.suffix != ".pyc" and path.is_file():
            yield file.as_posix(), path.read_bytes()


def _name_and_version(contents: dict[str, bytes]) -> tuple[str, str]:
    folder = next((name.split("/")[0] for name in contents if name.endswith(".dist-info/METADATA")), "")
    if not folder:
        raise BuildError("this installation of the course has no metadata, so no wheel can be made of it")
    name, _, version = folder.removesuffix(".dist-info").partition("-")
    return name, version.partition("+")[0]


def _write(folder: Path, contents: dict[str, bytes], name: str, version: str) -> Path:
    target = folder / f"{name}-{version}-py3-none-any.whl"
    with WheelFile(target, "w") as archive:
        for path, content in sorted(contents.items()):
            inside = re.sub(r"^[^/]*\.dist-info/", f"{name}-{version}.dist-info/", path)
            if inside.endswith(".dist-info/METADATA"):
                content = re.sub(rb"(?m)^Version: .*$", f"Version: {version}".encode(), content, count=1)
            archive.writestr(inside, content)
    return target
