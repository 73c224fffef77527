"""A notebook is found wherever it lies and whatever it is called; what cannot be found is said."""

from __future__ import annotations

import copy
import csv
import io
import json
import os
import shutil
import stat
import struct
import zipfile
from pathlib import Path

import nbformat
import pytest

from autograder.classroom import places
from autograder.exports import class_marks
from autograder.report.files import write_files
from autograder.report.numbers import ClassNumbers
from autograder.report.similar import Similarities
from tests.autograder.test_submission import answer_cell
from tests.classroom import ASSIGNMENT, Classroom

NAME, ASSIGNED = "work", "first"


@pytest.fixture
def template() -> nbformat.NotebookNode:
    """Two answers and a cell of the course's own."""
    return nbformat.v4.new_notebook(cells=[
        nbformat.v4.new_code_cell("import numpy as np", id="setup", metadata={"tags": ["setup"]}),
        answer_cell("one", "def one(x):\n    raise NotImplementedError"),
        answer_cell("two", "def two(x):\n    raise NotImplementedError")])


@pytest.fixture
def folder(tmp_path) -> Path:
    """A student's folder."""
    own = tmp_path / "submitted" / "ada"
    (own / ASSIGNED).mkdir(parents=True)
    return own


def written(template: nbformat.NotebookNode, answer: str = "def one(x):\n    return x") -> bytes:
    work = copy.deepcopy(template)
    work.cells[1].source = answer
    return json.dumps(work).encode()


def packed(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return buffer.getvalue()


def put(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def taken(folder: Path, template: nbformat.NotebookNode, tmp_path: Path) -> tuple[bytes | None, list[str]]:
    """The content of what is taken, and what is said."""
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    files = places.files_of(folder, ASSIGNED, {ASSIGNED, "second"})
    found, problems = places.take(files, folder / ASSIGNED, {NAME: template}, scratch)
    return found[NAME].read_bytes() if NAME in found else None, problems


NAMES = [f"first/{name}" for name in (
    "Copy_of_work.ipynb", "work (1).ipynb", "work-Copy1.ipynb", "work copy.ipynb", "work_lovelace.ipynb",
    "Untitled.ipynb", "work.IPYNB", "WORK.ipynb", "work.ipynb.ipynb", "first/work.ipynb", "a/b/c/work.ipynb")]
NAMES += ["work.ipynb", "my work/Untitled.ipynb", "First/work.ipynb"]


@pytest.mark.parametrize("name", NAMES)
def test_the_one_notebook_that_is_there_is_taken(name, folder, template, tmp_path):
    put(folder, {name: written(template)})
    content, problems = taken(folder, template, tmp_path)
    assert content == written(template)
    assert problems == [f"work.ipynb is missing; {name} was taken in its place."]


@pytest.mark.parametrize("name", ["first/work.zip", "first/everything.ZIP", "work.zip", "a/b/work.zip"])
@pytest.mark.parametrize("member", ["work.ipynb", "first__work.ipynb", "Untitled.ipynb", "a__b__c__d__e__x.IPYNB"])
def test_a_notebook_in_a_zip_is_taken(name, member, folder, template, tmp_path):
    put(folder, {name: packed(**{"__MACOSX__._work.ipynb": b"x", "notes.txt": b"x", member: written(template)})})
    content, problems = taken(folder, template, tmp_path)
    assert content == written(template)
    assert problems == [f"work.ipynb is missing; {name}: {member.replace('__', '/')} was taken in its place."]


def test_where_it_lies_as_it_should_nothing_is_said(folder, template, tmp_path):
    put(folder, {"first/work.ipynb": written(template), "first/data.csv": b"1", "second/work.ipynb": b"{}"})
    assert taken(folder, template, tmp_path) == (written(template), [])


def test_of_several_the_right_name_is_taken_unless_it_is_untouched(folder, template, tmp_path):
    other = written(template, "def one(x):\n    return 2 * x")
    put(folder, {"first/work.ipynb": written(template), "first/work (1).ipynb": other})
    content, problems = taken(folder, template, tmp_path)
    assert content == written(template)
    assert problems == ["Of several copies of work.ipynb first/work.ipynb was graded; first/work (1).ipynb was not."]
    put(folder, {"first/work.ipynb": json.dumps(template).encode()})
    content, problems = taken(folder, template, tmp_path)
    assert content == other
    assert problems == ["work.ipynb is as it was handed out; first/work (1).ipynb was taken in its place."]


def test_a_broken_file_of_the_right_name_yields_to_a_whole_one(folder, template, tmp_path):
    put(folder, {"first/work.ipynb": b"{broken", "first/work-Copy1.ipynb": written(template)})
    assert taken(folder, template, tmp_path)[0] == written(template)
    (folder / "first/work-Copy1.ipynb").unlink()
    assert taken(folder, template, tmp_path) == (b"{broken", [])


def test_a_notebook_of_another_assignment_is_not_taken(folder, template, tmp_path):
    foreign = nbformat.v4.new_notebook(cells=[answer_cell("three", "def three(x): return x")])
    put(folder, {"first/Untitled.ipynb": json.dumps(foreign).encode()})
    content, problems = taken(folder, template, tmp_path)
    assert content is None
    assert problems == ["work.ipynb is missing; there is first/Untitled.ipynb, which has none of its cells."]


def test_a_notebook_whose_cells_lost_their_names_is_known_by_what_it_defines(folder, template, tmp_path):
    work = json.loads(written(template))
    for cell in work["cells"]:
        cell["metadata"] = {}
    put(folder, {"first/Untitled.ipynb": json.dumps(work).encode()})
    assert taken(folder, template, tmp_path)[0] == json.dumps(work).encode()


def test_an_empty_folder_is_said_to_be_empty(folder, template, tmp_path):
    assert taken(folder, template, tmp_path) == (None, ["work.ipynb is missing; no notebook is there."])


def test_links_are_passed_over(folder, template, tmp_path):
    put(tmp_path, {"elsewhere/work.ipynb": written(template)})
    (folder / ASSIGNED / "a.ipynb").symlink_to(tmp_path / "elsewhere" / "work.ipynb")
    (folder / ASSIGNED / "b").symlink_to(tmp_path / "elsewhere")
    assert taken(folder, template, tmp_path)[0] is None


def _link(template) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        member = zipfile.ZipInfo("work.ipynb")
        member.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(member, "/etc/passwd")
    return buffer.getvalue()


def _lying(template) -> bytes:
    """An archive that claims a small table of contents and has a member that is larger than it says."""
    content = bytearray(packed(**{"work.ipynb": b" " * 50_000_000}))
    place = content.rfind(b"PK\1\2")
    content[place + 24 : place + 28] = struct.pack("<I", 100)
    return bytes(content)


HARMFUL = {
    "no zip": lambda template: b"x" * 1000,
    "cut": lambda template: packed(**{"work.ipynb": written(template)})[:-30],
    "a link": _link,
    "a path out": lambda template: packed(**{"..__..__work.ipynb": written(template)}),
    "an absolute path": lambda template: packed(**{"__tmp__work.ipynb": written(template)}),
    "too many files": lambda template: packed(**{f"{i}.txt": b"" for i in range(places.MOST_MEMBERS + 1)}),
    "a bomb": lambda template: packed(**{"work.ipynb": bytes(places.MAX_FILE_BYTES + 1)}),
    "a size that is a lie": _lying,
    "a large table of contents": lambda template: packed(**{"x" * 60_000 + str(i): b"" for i in range(20)}),
    "an archive in an archive": lambda template: packed(**{"a.zip": packed(**{"work.ipynb": written(template)})}),
}


@pytest.mark.parametrize("kind", HARMFUL)
def test_an_archive_that_does_harm_is_left_closed(kind, folder, template, tmp_path):
    put(folder, {"first/work.zip": HARMFUL[kind](template)})
    before = {path for path in tmp_path.rglob("*") if "scratch" not in path.parts}
    content, problems = taken(folder, template, tmp_path)
    assert content is None
    assert any("work.ipynb is missing" in problem for problem in problems)
    assert {path for path in tmp_path.rglob("*") if "scratch" not in path.parts} == before
    assert sum(path.stat().st_size for path in (tmp_path / "scratch").iterdir()) < 1000


def test_more_files_than_a_student_has_do_not_take_for_ever(folder, template, tmp_path):
    put(folder, {f"first/{i}/{j}.ipynb": b"{}" for i in range(20) for j in range(20)})
    put(folder, {"first/mine.ipynb": written(template)})
    assert len(places.files_of(folder, ASSIGNED, ())) == places.MOST_FILES
    assert taken(folder, template, tmp_path)[0] == written(template)


def test_who_belongs_to_an_assignment(tmp_path, template):
    second = nbformat.v4.new_notebook(cells=[answer_cell("three", "def three(x): return x")])
    notebooks = {"first": template, "second": second}
    put(tmp_path, {"right/first/work.ipynb": b"", "other/second/work.ipynb": b"", "loose/work.ipynb": written(template),
                   "both/second/x.ipynb": b"", "both/Untitled.ipynb": written(template), "zip/work.zip": b"PK",
                   "loose-of-second/Untitled.ipynb": json.dumps(second).encode(), ".cache/x": b"",
                   "text/notes.txt": b""})
    (tmp_path / "empty").mkdir()
    found = {path.name for path in tmp_path.iterdir()
             if places.has_something(path, "first", notebooks, notebooks.__getitem__)}
    assert found == {"right", "loose", "both", "zip", "text", "empty"}


@pytest.fixture(scope="module")
def classroom(root, tmp_path_factory) -> Classroom:
    return Classroom(root, tmp_path_factory.mktemp("course"))


@pytest.mark.sandbox
@pytest.mark.slow
def test_everybody_in_the_folder_is_in_the_table_the_export_and_the_log(classroom, tmp_path):
    work = json.dumps(classroom.solved()).encode()
    everybody = classroom.folder / "submitted"
    put(everybody, {
        f"ada/{ASSIGNMENT}/{ASSIGNMENT}.ipynb": work, f"ben/{ASSIGNMENT}/Copy_of_{ASSIGNMENT}.ipynb": work,
        f"chen/{ASSIGNMENT}.ipynb": work, f"dora/{ASSIGNMENT}/all.zip": packed(**{f"x__{ASSIGNMENT}.ipynb": work}),
        "emil/my work.zip": packed(**{f"{ASSIGNMENT}.ipynb": work}), f"finn/{ASSIGNMENT}/notes.txt": b"sorry",
        "gina/notes.txt": b"sorry"})
    reports = classroom.grade()
    good = {"ada", "ben", "chen", "dora", "emil"}
    assert {name for name, report in reports.items() if report.status == "graded"} == good
    assert {report.score for name, report in reports.items() if name in good} == {reports["ada"].max_score - 3}
    assert {name for name, report in reports.items() if report.status == "failed"} == {"finn", "gina"}
    log = (classroom.folder / "grading.log").read_text()
    assert all(f"{name}: " in log for name in reports)
    assert f"{ASSIGNMENT}.ipynb is missing; {ASSIGNMENT}/Copy_of_{ASSIGNMENT}.ipynb was taken in its place." in log
    with classroom.course.gradebook() as gradebook:
        marks = {row.id: row.scores.get(ASSIGNMENT) for row in class_marks(gradebook, [ASSIGNMENT])}
    assert marks == dict.fromkeys(good, reports["ada"].score) | {"finn": None, "gina": None}
    write_files(tmp_path, ClassNumbers(list(reports.values()), {}), {}, Similarities())
    with (tmp_path / "scores.csv").open(newline="", encoding="utf-8") as file:
        assert {row["student"] for row in csv.DictReader(file) if row["score"] == ""} == {"finn", "gina"}

    assert {report.status for name, report in classroom.grade().items() if name in good} == {"unchanged"}
    shutil.copy(everybody / "ada" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", everybody / "finn" / ASSIGNMENT / "x.ipynb")
    os.utime(everybody / "ben" / ASSIGNMENT / f"Copy_of_{ASSIGNMENT}.ipynb")
    put(everybody, {"emil/my work.zip": packed(**{f"{ASSIGNMENT}.ipynb": work, "more.txt": b"x"})})
    again = {name: report.status for name, report in classroom.grade().items()}
    assert again == dict.fromkeys(good, "unchanged") | {"finn": "graded", "gina": "failed", "emil": "graded"}
