"""What a submitted folder may hold beside a notebook, and what it may be called."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

from tests.attacks.model import NONE, Attack, Target, filled, nothing, wrong

LINKS = "Links or devices"
FULL: dict[str, float] = {}


def _notebook(folder: Path) -> Path:
    return folder / f"{folder.name}.ipynb"


def _in_place_of_the_notebook(make: Callable[[Path, Target], object]) -> Callable[[Path, Target], None]:
    def lay(folder: Path, target: Target) -> None:
        path = _notebook(folder)
        path.unlink()
        make(path, target)
    return lay


def _beside(make: Callable[[Path, Target], object], name: str = "data.txt") -> Callable[[Path, Target], None]:
    def lay(folder: Path, target: Target) -> None:
        make(folder / name, target)
    return lay


def _refused(name: str, lay: Callable[[Path, Target], None], told: str = LINKS) -> Attack:
    """Nothing of it is graded, and that is said."""
    return Attack(name, "folders", nothing, points=NONE, lay=lay, told=told, status="failed", unread=True)


def _link(*pieces: str) -> Callable[[Path, Target], object]:
    return lambda path, target: path.symlink_to(filled("".join(pieces), target))


def _sparse(path: Path, target: Target) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 30)


def _deep(folder: Path, target: Target) -> None:
    """Deeper than a path may be long."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(60):
        os.mkdir("d" * 100, dir_fd=here)
        below = os.open("d" * 100, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)


def _whole_folder_is_the_victims(folder: Path, target: Target) -> None:
    _notebook(folder).unlink()
    folder.rmdir()
    folder.symlink_to(Path("../..", "submitted", target.victim, folder.name))


def _more_notebooks(folder: Path, target: Target) -> None:
    good = _notebook(folder).read_text()
    for name in (f"{folder.name}.IPYNB", f"{folder.name}.ipynb.ipynb", "Untitled.ipynb", f".{folder.name}.ipynb"):
        (folder / name).write_text(good)
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / f"{folder.name}-checkpoint.ipynb").write_text(good)


def _nested_course(folder: Path, target: Target) -> None:
    for name in ("autograded", "feedback", "source", "release"):
        place = folder / name / target.victim / folder.name
        place.mkdir(parents=True)
        (place / f"{folder.name}.ipynb").write_text("{}")
    (folder / "gradebook.db").write_bytes(b"SQLite format 3\0" + bytes(4096))


def _zip(**members: bytes) -> Callable[[Path, Target], object]:
    """An archive; two underscores in a name are a slash."""
    def make(path: Path, target: Target) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name.replace("__", "/"), content)
    return make


def _zip_of_a_link(path: Path, target: Target) -> None:
    with zipfile.ZipFile(path.with_suffix(".zip"), "w") as archive:
        member = zipfile.ZipInfo(path.name)
        member.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(member, filled("<course>/submitted/<victim>/01-local-connectivity/01-local-connectivity.ipynb",
                                        target))


def _named(name: str, student: str) -> Attack:
    return Attack(name, "folders", wrong, student=student)


ATTACKS = (
    _refused("a link to the gradebook", _beside(_link("<course>/gradebook.db"))),
    _refused("a link to the course's secret as a picture", _beside(_link("<course>/.course-secret"), "photo.png")),
    _refused("a link to an endless device", _beside(_link("/dev/zero"))),
    _refused("a folder that is a link to everything", _beside(_link("/"), "all")),
    _refused("a link that leads to itself", _beside(lambda path, target: path.symlink_to(path.name))),
    _refused("a pipe beside the notebook", _beside(lambda path, target: os.mkfifo(path))),
    _refused("a link in place of the notebook", _in_place_of_the_notebook(
        _link("<course>/submitted/<victim>/01-local-connectivity/01-local-connectivity.ipynb"))),
    _refused("a link to the solutions in place of the notebook", _in_place_of_the_notebook(
        _link("<course>/source/01-local-connectivity/01-local-connectivity.ipynb"))),
    _refused("a pipe in place of the notebook", _in_place_of_the_notebook(
        lambda path, target: os.mkfifo(path)), f"{LINKS}|missing"),
    _refused("a folder in place of the notebook", _in_place_of_the_notebook(
        lambda path, target: path.mkdir()), "missing"),
    _refused("the whole folder is a link to another student's", _whole_folder_is_the_victims, "[Ll]ink"),
    _refused("a time stamp that is a link", _beside(_link("/dev/zero"), "timestamp.txt")),
    _refused("a link whose name is escape sequences and no text", lambda folder, target: os.symlink(
        "/", os.fsencode(folder) + b"/\x1b]0;XSS\x07\xff\xfe[red]")),
    _refused("a folder deeper than a path can be long", _deep, ".+"),
    Attack("a time stamp that is no time", "folders", nothing, points=FULL, told="[Tt]ime",
           files={"timestamp.txt": "not a time \x1b[2J"}),
    Attack("a time stamp before all time", "folders", nothing, points=FULL, told="",
           files={"timestamp.txt": "0001-01-01 00:00:00 +2359"}),
    Attack("a time stamp after all time", "folders", nothing, points=FULL, told="",
           files={"timestamp.txt": "9999-12-31 23:59:59 -2359"}),
    Attack("a time stamp of ten megabytes", "folders", nothing, points=FULL, told="[Tt]ime",
           files={"timestamp.txt": "9" * 10_000_000}),
    Attack("a file of a gigabyte that takes no room", "folders", wrong, lay=_beside(_sparse),
           told="large|too|skipped|not copied|cases pass"),
    Attack("file names of quotes, lines and escape sequences", "folders", wrong, lay=lambda folder, target: [
        (folder / name).write_text("x") for name in ("it's \"quoted\"", "two\nlines", "\x1b[2J\x1b]0;XSS\x07", "-rf",
                                                     "$(touch x)", "[red]bold", "\u202egnp.exe", "a" * 200)] and None),
    Attack("a file whose name is no text", "folders", wrong, lay=lambda folder, target: os.close(os.open(
        os.fsencode(folder) + b"/\xff\xfe\x1b", os.O_CREAT | os.O_WRONLY))),
    Attack("more notebooks of nearly the same name", "folders", wrong, lay=_more_notebooks),
    Attack("a course directory within the submission", "folders", wrong, lay=_nested_course),
    Attack("an archive that grows without end", "folders", wrong, told="could not be opened",
           lay=_beside(_zip(**{"a.ipynb": bytes(200 << 20)}), "all.zip")),
    Attack("an archive that leads out of its folder", "folders", wrong,
           lay=_beside(_zip(**{"..__..__..__gradebook.ipynb": b"{}", "__tmp__x.ipynb": b"{}"}), "all.zip")),
    Attack("an archive that is none", "folders", wrong, told="could not be opened",
           lay=_beside(lambda path, target: path.write_bytes(b"PK\5\6" * 9), "all.zip")),
    _refused("an archive with a link to another student's notebook", _in_place_of_the_notebook(_zip_of_a_link),
             "missing"),
    _named("a student called by escape sequences and markup", "esc\x1b[2J\x1b]0;XSS\x07[bold red]x"),
    _named("a student called by two lines, one of them a forged log entry", "two\n2026-01-01 00:00:00 INFO all is well"),
    _named("a student called by a formula", '=HYPERLINK("http:x.invalid","open")'),
    _named("a student called by a command", "+cmd|' C calc'!A0"),
    _named("a student called by markup", "<img src=x onerror=alert('XSS')>"),
    _named("a student called by SQL", "x'); DROP TABLE grade; --"),
    _named("a student called by a pattern for all", "*"),
    _named("a student called by a pattern for some", "[a-z]*"),
    _named("a student called by a replacement field", "{assignment_id}"),
    _named("a student called by another alphabet, right to left", "\u202eשלום-\u0430\u0301"),
    _named("a student called like an option", "--force"),
    Attack("a student whose name is too long for a table", "folders", wrong, student="n" * 250, status="failed",
           unread=True, told="more than 128 characters"),
    Attack("a student whose name is no text", "folders", wrong, student="no-text-\udcff\udcfe",
           status="failed", unread=True, told="no text"),
)
