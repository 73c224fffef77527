"""Submissions from the zip files of learning platforms, through nbgrader's interface for collectors::

    nbgrader zip_collect ASSIGNMENT --collector autograder.downloads.CanvasCollectorPlugin
    nbgrader zip_collect ASSIGNMENT --collector autograder.downloads.MoodleCollectorPlugin

A platform renames files so that they say whose they are. Students are called by the platform's number, because two may
have the same name. nbgrader stops if somebody handed in the same notebook twice; here the last one counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from nbgrader.plugins import FileNameCollectorPlugin
from traitlets import Unicode

COPY = r"(?:-\d+| \(\d+\))*"
KINDS = r"\.(?i:ipynb|zip)"
"""What platforms and browsers append to a name that is taken already; and what is collected."""


@dataclass(frozen=True)
class Downloaded:
    """What the name of a downloaded file says.

    Attributes
    ----------
    student : str
        The platform's number.
    number : int
        Of the file; 0 where the platform has none.
    notebook : str
        What the student called it.
    owner : str
        The beginning of the name, by which the platform knows whose it is.
    """

    student: str
    number: int
    notebook: str
    owner: str


class _LastFileCollectorPlugin(FileNameCollectorPlugin):
    """What both share: of several files that are the same notebook of the same student, the last one is taken."""

    owner_ends_before: ClassVar[str]
    """The part of a file's name in front of which the platform's own part ends."""

    imitated: ClassVar[re.Pattern[str]]
    """What a platform's file names say of their owner; where it is there again, the first may be a student's name."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._last: dict[Path, dict[tuple[str, str, str], str]] = {}
        self._taken: set[tuple[str, str, str]] = set()

    def collect(self, submitted_file: str) -> dict[str, str] | None:
        """Whose notebook a file is, by its path; None if it is none, or not the last one."""
        info = super().collect(submitted_file)
        if info is None:
            return None
        if self.imitated.search(info["file_id"]):
            self.log.warning("Skipped %s: its name says twice whose it is, so somebody's name imitates a file's; find "
                             "out whose it is and rename it", submitted_file)
            return None
        path, key = Path(submitted_file), (info["student_id"], info["file_id"], Path(submitted_file).suffix)
        if key in self._taken or self._last_in(path.parent)[key] != path.name:
            self.log.warning("Skipped %s: another file is the same notebook of the same student", path)
            return None
        self._taken.add(key)
        return {"student_id": info["student_id"], "file_id": info["file_id"]}

    def read(self, folder: Path) -> Iterator[Downloaded]:
        """What the names of all files in a folder and below say; those that could be anybody's are left out."""
        for path in sorted(folder.rglob("*")):
            found = re.match(self.named_regexp, str(path))
            if found and path.is_file() and not self.imitated.search(found["file_id"]):
                begin = str(path).rindex("/", 0, found.start("student_id")) + 1
                yield Downloaded(found["student_id"], int(found.groupdict().get("number") or 0), found["file_id"],
                                 str(path)[begin:found.start(self.owner_ends_before)])

    def _last_in(self, folder: Path) -> dict[tuple[str, str, str], str]:
        """Names of the last files of a folder, by student, notebook and kind of file."""
        if folder not in self._last:
            found = [(match, path) for path in folder.glob("*")
                     if (match := re.match(self.named_regexp, str(path)))]
            found.sort(key=lambda each: (int(each[0].groupdict().get("number") or 0), each[1].name))
            self._last[folder] = {(match["student_id"], match["file_id"], path.suffix): path.name
                                  for match, path in found}
        return self._last[folder]


class CanvasCollectorPlugin(_LastFileCollectorPlugin):
    """For Canvas: the assignment's page, Download Submissions. Students are called by Canvas's own number."""

    owner_ends_before = "file_id"
    imitated = re.compile(r"_\d+_\d+_|^\d{3,}_")  # no notebook begins with as long a number as submissions have

    named_regexp = Unicode(
        rf".*/[^/]*?_(?P<student_id>\d+)_(?P<number>\d+)_(?P<file_id>[^/]+?){COPY}{KINDS}$",
        help=FileNameCollectorPlugin.named_regexp.help).tag(config=True)


class MoodleCollectorPlugin(_LastFileCollectorPlugin):
    """For Moodle: Submissions, Download all submissions, in folders or not. Students are called by the number of the
    participant, which also stands in the grading worksheet."""

    owner_ends_before = "student_id"
    imitated = re.compile(r"(?:^|_)\d+_assignsubmission_file")

    named_regexp = Unicode(
        # The first that looks so is Moodle's: students choose the names of their own files and folders.
        rf".*?/[^/]*?_(?P<student_id>\d+)_assignsubmission_file(?:_|_?/(?:[^/]+/)*)(?P<file_id>[^/]+?){COPY}{KINDS}$",
        help=FileNameCollectorPlugin.named_regexp.help).tag(config=True)
