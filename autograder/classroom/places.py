"""Where the notebooks of a submission lie: recognized by their cells, whatever they are called, in folders and zips.

Nothing here trusts names, sizes or archives, and no link is followed.
"""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from nbformat import NotebookNode

from autograder.assignment.cells import grade_id
from autograder.classroom import submission as submissions
from autograder.classroom.submission import MAX_FILE_BYTES

NOTEBOOK, ARCHIVE = ".ipynb", ".zip"
MOST_FILES = 100
"""Notebooks and archives of one student that are looked at; those in the upper folders come first."""
DEEPEST = 4
MOST_MEMBERS = 1000
MOST_DIRECTORY_BYTES = 1 << 20
"""An archive's table of contents, which is read as a whole."""
TAIL_BYTES = (1 << 16) + 22
END_OF_DIRECTORY, LARGE_ARCHIVE = b"PK\5\6", b"PK\6\7"
BROKEN = (OSError, zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError, RuntimeError, EOFError,
          KeyError, MemoryError)
SKIPPED = ("__MACOSX", ".ipynb_checkpoints")


@dataclass(frozen=True)
class Candidate:
    """A file that may be one of the notebooks.

    Attributes
    ----------
    path : Path
        Where it can be read.
    name : str
        What it is called, from the student's folder on.
    """

    path: Path
    name: str


def files_of(submitted: Path, assignment: str, released: Iterable[str]) -> list[Path]:
    """Notebooks and archives that a student handed in for an assignment.

    Parameters
    ----------
    submitted : Path
        The student's folder.
    assignment : str
        Its folder is searched; where that holds nothing, everything beside it.
    released : iterable of str
        Folders of these names belong to other assignments.
    """
    found = _walk(submitted / assignment, ())
    return found or _walk(submitted, {assignment, *released})


def has_something(
    submitted: Path, assignment: str, released: Iterable[str], a_notebook: Callable[[str], NotebookNode | None]
) -> bool:
    """Whether a student's folder is to be looked at for an assignment: it has a folder for it, or nothing else.

    Parameters
    ----------
    submitted : Path
        The student's folder.
    assignment : str
    released : iterable of str
        All assignments.
    a_notebook : callable
        A notebook of an assignment: what lies in no assignment's folder is that one's whose cells it has.
    """
    if (submitted / assignment).is_dir():
        return True
    try:
        names = {entry.name for entry in os.scandir(submitted)}
    except OSError:
        return False
    others = not names.isdisjoint(released)
    if submitted.name.startswith(".") or (others and names <= set(released)):
        return False
    templates = {name: a_notebook(name) for name in released}
    homes = {_home(path, templates) for path in _walk(submitted, released)} - {""}
    return assignment in homes or not (homes or others)


def take(
    files: Sequence[Path], folder: Path, templates: Mapping[str, NotebookNode], scratch: Path
) -> tuple[dict[str, Path], list[str]]:
    """Which file is which notebook, and what has to be said about it.

    Parameters
    ----------
    files : sequence of Path
        See `files_of`.
    folder : Path
        The assignment's folder in which they should lie.
    templates : mapping of str to NotebookNode
        The instructor's notebooks by name.
    scratch : Path
        A folder for what is in archives.
    """
    right = {name: folder / f"{name}{NOTEBOOK}" for name in templates}
    if sorted(files) == sorted(right.values()):
        return right, []
    problems: list[str] = []
    candidates = list(_candidates(files, folder.parent, scratch, problems))
    taken: dict[str, Path] = {}
    for name, template in templates.items():
        fitting = [candidate for candidate in candidates if _is(candidate.path, name, templates)]
        ranked = sorted(fitting, key=partial(_rank, right[name], template))
        if not ranked:
            if right[name] in files:  # whatever it is, it is called as it should be
                taken[name] = right[name]
                continue
            there = ", ".join(sorted(candidate.name for candidate in candidates)[:10])
            problems.append(f"{name}{NOTEBOOK} is missing; " + (
                f"there is {there}, which has none of its cells." if there else "no notebook is there."))
            continue
        best = ranked[-1]
        taken[name] = best.path
        problems += _say(name, best, ranked[:-1], right[name], template)
    return taken, problems


def _say(
    name: str, best: Candidate, others: Sequence[Candidate], right: Path, template: NotebookNode
) -> Iterator[str]:
    if best.path != right:
        why = "is as it was handed out" if any(other.path == right for other in others) else "is missing"
        yield f"{name}{NOTEBOOK} {why}; {best.name} was taken in its place."
    written = [other.name for other in others if not submissions.is_untouched(other.path, template)]
    if written:
        yield f"Of several copies of {name}{NOTEBOOK} {best.name} was graded; {', '.join(written[:10])} was not."


def _rank(right: Path, template: NotebookNode, candidate: Candidate) -> tuple[bool, bool, float, str]:
    try:
        modified = candidate.path.stat().st_mtime
    except OSError:
        modified = 0.0
    return (not submissions.is_untouched(candidate.path, template), candidate.path == right, modified, candidate.name)


def _is(path: Path, name: str, templates: Mapping[str, NotebookNode]) -> bool:
    """Whether a file is this notebook rather than another of the assignment."""
    names = submissions.names_in(path)
    if not names:  # a program may have dropped them
        return not submissions.is_untouched(path, templates[name]) and any(
            source != cell.source for cell in templates[name].cells
            if (source := submissions.read(path, templates[name]).answers.get(grade_id(cell), cell.source)))
    common = {other: len(names & _names(template)) for other, template in templates.items()}
    return common[name] > 0 and common[name] == max(common.values())


def _home(path: Path, released: Mapping[str, NotebookNode | None]) -> str:
    """The assignment whose cells a loose file has; empty for an archive, and where that cannot be told."""
    names = submissions.names_in(path) if path.suffix.lower() == NOTEBOOK else set()
    common = {name: len(names & _names(template)) for name, template in released.items() if template is not None}
    best = max(common, key=lambda name: common[name], default="")
    return best if common.get(best) else ""


def _names(template: NotebookNode) -> set[str]:
    return {name for cell in template.cells if (name := grade_id(cell))}


def _walk(folder: Path, left_out: Iterable[str]) -> list[Path]:
    """Notebooks and archives in a folder, those in the upper folders first; links are passed over."""
    found: list[Path] = []
    waiting = [(folder, 0)]
    while waiting:
        place, depth = waiting.pop(0)
        try:
            if place.is_symlink():
                continue
            entries = sorted(os.scandir(place), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            if entry.name in SKIPPED or entry.is_symlink() or (place == folder and entry.name in left_out):
                continue
            if entry.is_dir() and depth < DEEPEST:
                waiting.append((Path(entry.path), depth + 1))
            elif entry.is_file() and Path(entry.name).suffix.lower() in (NOTEBOOK, ARCHIVE):
                found.append(Path(entry.path))
                if len(found) == MOST_FILES:
                    return found
    return found


def _candidates(files: Iterable[Path], above: Path, scratch: Path, problems: list[str]) -> Iterator[Candidate]:
    for path in files:
        shown = path.relative_to(above).as_posix().encode("utf-8", "replace").decode()
        if path.suffix.lower() == NOTEBOOK:
            yield Candidate(path, shown)
            continue
        try:
            yield from _unpacked(path, shown, scratch)
        except BROKEN as error:
            problems.append(f"{shown} could not be opened: {str(error)[:200] or type(error).__name__}.")


def _unpacked(path: Path, shown: str, scratch: Path) -> Iterator[Candidate]:
    """The notebooks in an archive, each written into a file of a name of ours."""
    _assert_small(path)
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if len(members) > MOST_MEMBERS:
            raise ValueError(f"more than {MOST_MEMBERS} files are in it")
        left = 2 * MAX_FILE_BYTES
        for number, member in enumerate(members):
            if not _is_notebook(member):
                continue
            if member.file_size > min(left, MAX_FILE_BYTES):
                raise ValueError("what is in it is too large")
            with archive.open(member) as file:
                content = file.read(member.file_size + 1)
            left -= len(content)
            target = scratch / f"{len(list(scratch.iterdir()))}-{number}{NOTEBOOK}"
            target.write_bytes(content)
            yield Candidate(target, f"{shown}: {member.filename}".encode("utf-8", "replace").decode())


def _is_notebook(member: zipfile.ZipInfo) -> bool:
    parts = member.filename.replace("\\", "/").split("/")
    is_link = stat.S_ISLNK(member.external_attr >> 16)
    outside = ".." in parts or member.filename.startswith(("/", "\\")) or ":" in parts[0]
    return (parts[-1].lower().endswith(NOTEBOOK) and not is_link and not outside and not member.is_dir()
            and not any(part in SKIPPED for part in parts))


def _assert_small(path: Path) -> None:
    """Python reads the whole table of contents at once, whatever the archive says of its number of files."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - TAIL_BYTES))
        tail = file.read()
    place = tail.rfind(END_OF_DIRECTORY)
    if place < 0:
        raise ValueError("it is no zip file")
    directory_bytes = int.from_bytes(tail[place + 12 : place + 16], "little")
    if size > MAX_FILE_BYTES or directory_bytes > MOST_DIRECTORY_BYTES or LARGE_ARCHIVE in tail:
        raise ValueError("it is too large")
