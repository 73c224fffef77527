"""Feedback pages in a zip that a learning platform takes and hands out by itself.

Moodle (Submissions, Upload multiple feedback files in a zip) reads whose a file is in the name of its folder,
`Full name_501_assignsubmission_file_`, where 501 is the number of the participant in this assignment. Canvas (the
assignment's page in the gradebook, Upload Submissions) reads it in the file's own name, `lindqvistada_4711_90001_...`,
where 4711 is the student and 90001 the file that was handed in; it takes none for a file that it does not know. So the
names of the download say what the names of the upload have to be.
"""

from __future__ import annotations

import os
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nbgrader.api import Student

from autograder.classroom.course import Course
from autograder.downloads import CanvasCollectorPlugin, Downloaded, MoodleCollectorPlugin
from autograder.errors import AutograderError
from autograder.files import UNFINISHED

PLAIN = "plain"
Names = Callable[[str, str], str]
"""A page's name in the zip, by student and notebook; empty where it cannot have one."""


@dataclass(frozen=True)
class Packed:
    """A zip of feedback pages.

    Attributes
    ----------
    path : Path
    students : list of str
        Whose pages are in it.
    without : list of str
        Whose are not, because the platform would not know whose they are.
    """

    path: Path
    students: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Person:
    """Who a student is, as far as it is known here."""

    name: str
    platform_id: str


def assert_known(kind: str) -> None:
    """Refuse a kind of zip that there is not.

    Raises
    ------
    AutograderError
    """
    if kind not in KINDS:
        raise AutograderError(f"there is no zip for {kind!r}; there are: {', '.join(KINDS)}")


def pack(course: Course, assignment: str, students: Sequence[str], kind: str, to: Path) -> Packed:
    """Pack the feedback pages of students who have some.

    Parameters
    ----------
    course : Course
    assignment : str
    students : sequence of str
    kind : str
        "moodle", "canvas", or "plain" for a folder for each student.
    to : Path
        The zip.

    Raises
    ------
    AutograderError
        If there is no such kind, or nothing to pack.
    """
    assert_known(kind)
    names = KINDS[kind](course, assignment, students)
    packed = Packed(to)
    to.parent.mkdir(parents=True, exist_ok=True)
    unfinished = to.with_name(f".{to.name}.{os.getpid()}{UNFINISHED}")
    try:
        with (open(unfinished, "xb", opener=_private) as file,
              zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive):
            for student in students:
                pages = sorted(course.feedback_folder(student, assignment).glob("*.html"))
                if not pages:
                    continue
                within = {page: names(student, page.stem) for page in pages}
                for page, name in within.items():
                    if name:
                        archive.write(page, name)
                (packed.students if all(within.values()) else packed.without).append(student)
        if packed.students:
            unfinished.replace(to)
    finally:
        unfinished.unlink(missing_ok=True)
    if not packed.students:
        raise AutograderError(_nothing(kind, assignment, packed.without))
    return packed


def _nothing(kind: str, assignment: str, without: Sequence[str]) -> str:
    if not without:
        return f"nobody has feedback for {assignment} yet; run: course grade {assignment}"
    return (f"{kind.capitalize()} would not know whose page is whose: no student's number is known. Unpack its "
            f"download into downloaded/{assignment}/archive, as docs/classroom.md says")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _plain(course: Course, assignment: str, students: Sequence[str]) -> Names:
    return lambda student, notebook: f"{student}/{notebook}.html"


def _moodle(course: Course, assignment: str, students: Sequence[str]) -> Names:
    """In a folder that is called as Moodle's own, up to 4.0 with an underscore at the end, which later ones take."""
    people = _people(course, students)
    downloaded = {one.student: one.owner for one in MoodleCollectorPlugin().read(_downloads(course, assignment))}
    numbers = _numbers(people, downloaded.keys())

    def name(student: str, notebook: str) -> str:
        number = numbers.get(student, "")
        owner = downloaded.get(number) or f"{_without_separators(people[student].name or student)}_"
        return f"{owner}{number}_assignsubmission_file_/{notebook}.html" if number else ""

    return name


def _canvas(course: Course, assignment: str, students: Sequence[str]) -> Names:
    """As the file that was handed in is called in the download; of several the last, rather of the same notebook."""
    found: dict[str, list[Downloaded]] = {}
    for one in CanvasCollectorPlugin().read(_downloads(course, assignment)):
        found.setdefault(one.student, []).append(one)
    numbers = {student: number for student, number in _numbers(_people(course, students), found.keys()).items()
               if number in found}

    def name(student: str, notebook: str) -> str:
        if student not in numbers:
            return ""
        best = max(found[numbers[student]], key=lambda one: (one.notebook == notebook, one.number))
        return f"{best.owner}{notebook}.html"

    return name


KINDS: Mapping[str, Callable[[Course, str, Sequence[str]], Names]] = {
    "moodle": _moodle, "canvas": _canvas, PLAIN: _plain}


def _numbers(people: Mapping[str, _Person], downloaded: Iterable[str]) -> dict[str, str]:
    """The platform's number of each student; none where two would have the same.

    Where there is a download, only numbers that are in it count: another number may be anybody's.
    """
    known = set(downloaded)
    found = {}
    for student, person in people.items():
        for number in (student, person.platform_id) if known else (person.platform_id, student):
            if number in known or (not known and number.isascii() and number.isdigit()):
                found[student] = number
                break
    often = Counter(found.values())
    return {student: number for student, number in found.items() if often[number] == 1}


def _people(course: Course, students: Sequence[str]) -> dict[str, _Person]:
    with course.gradebook() as gradebook:
        rows = gradebook.db.query(Student.id, Student.first_name, Student.last_name, Student.lms_user_id).all()
    known = {row.id: _Person(" ".join(filter(None, (row.first_name, row.last_name))), row.lms_user_id or "")
             for row in rows}
    return {student: known.get(student, _Person("", "")) for student in students}


def _downloads(course: Course, assignment: str) -> Path:
    """Where `nbgrader zip_collect` looks for downloads."""
    return course.root / str(course.config.ZipCollectApp.get("downloaded_directory", "downloaded")) / assignment


def _without_separators(name: str) -> str:
    """A name in which Moodle sees no second part, and a system no folder."""
    return " ".join("".join(c if c.isprintable() and c not in r'_/\:*?"<>|' else " " for c in name).split()) or "-"
