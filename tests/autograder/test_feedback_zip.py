"""Feedback pages for Moodle and Canvas, read as these read them."""

from __future__ import annotations

import re
import stat
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from autograder import cohort
from autograder.cli import app
from autograder.errors import AutograderError
from autograder.platforms import feedback
from tests.classroom import ASSIGNMENT, Classroom

PAGE = f"{ASSIGNMENT}.html"


@pytest.fixture
def classroom(root, tmp_path) -> Classroom:
    return Classroom(root, tmp_path / "course")


def download(classroom: Classroom, *names: str) -> None:
    """Files in the folder into which the guide unpacks a platform's download."""
    for name in names:
        path = classroom.folder / "downloaded" / ASSIGNMENT / "archive" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")


def graded(classroom: Classroom, *students: str, **numbers: str) -> list[str]:
    """Students with pages and a line in the gradebook; numbers of the platform by student."""
    with classroom.course.gradebook() as gradebook:
        for student in students:
            gradebook.update_or_create_student(student, lms_user_id=numbers.get(student))
            page = classroom.path("feedback", student, ".html")
            page.parent.mkdir(parents=True)
            page.write_text(f"for {student}")
    return list(students)


def packed(classroom: Classroom, kind: str, students: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Pages by their names in the zip, and who is not in it."""
    to = classroom.folder / "pages.zip"
    made = feedback.pack(classroom.course, ASSIGNMENT, students, kind, to)
    assert stat.S_IMODE(to.stat().st_mode) == 0o600
    with zipfile.ZipFile(to) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}, made.without


def moodle_reads(names: Mapping[str, str], participants: Sequence[int]) -> dict[int, tuple[str, str]]:
    """What each participant gets: the rule of Moodle's importziplib.php, with its parts split at underscores."""
    got: dict[int, tuple[str, str]] = {}
    for path, content in names.items():
        parts = path.split("/")
        if parts[-1].startswith((".", "~")):
            continue
        while parts:
            info = parts.pop(0).split("_", 4)
            if len(info) >= 4 and info[1].isdigit() and int(info[1]) in participants:
                assert info[2:4] == ["assignsubmission", "file"]
                rest = "/".join([*info[4:], *parts])
                assert int(info[1]) not in got
                got[int(info[1])] = rest.lstrip("/"), content
                break
    return got


def canvas_reads(names: Mapping[str, str], handed_in: Mapping[int, Sequence[int]]) -> dict[int, str]:
    """What each student gets: the rule of Canvas's infer_comment_context_from_filename."""
    got: dict[int, str] = {}
    for path, content in names.items():
        name = path.split("/")[-1]
        parts = [part for part in name.split("_") if part != "LATE"]
        numbers = [int(part) for part in parts if re.fullmatch(r"\d+", part)][:2]
        if len(numbers) == 2 and not parts[-1].startswith("link") and not name.startswith("._"):
            student, file = numbers
            if file in handed_in.get(student, ()):
                assert student not in got
                got[student] = content
    return got


def test_moodle_hands_each_page_to_its_student(classroom):
    download(classroom, f"Ada Lindqvist_501_assignsubmission_file/{ASSIGNMENT}.ipynb",
             f"Chloé Łuć_502_assignsubmission_file_/again/{ASSIGNMENT}.ipynb",
             f"陈 宇_503_assignsubmission_file_{ASSIGNMENT}.ipynb")
    students = graded(classroom, "501", "502", "yu", "504", "guest", yu="503", guest="77")
    names, without = packed(classroom, "moodle", students)
    assert moodle_reads(names, (77, 501, 502, 503, 504)) == {
        501: (PAGE, "for 501"), 502: (PAGE, "for 502"), 503: (PAGE, "for yu")}
    assert without == ["504", "guest"]  # their numbers are in no download and may be anybody's
    assert any(name.startswith("陈 宇_503_") for name in names)


def test_moodle_without_a_download_goes_by_the_numbers_in_the_gradebook(classroom):
    students = graded(classroom, "ada", "chen", "12", "zoe", "twin", "other", ada="501", chen="502", twin="9",
                      other="9")
    with classroom.course.gradebook() as gradebook:
        gradebook.update_or_create_student("ada", first_name="Ada_7", last_name="Lind/qvist", lms_user_id="501")
    names, without = packed(classroom, "moodle", students)
    assert moodle_reads(names, range(1000)) == {
        501: (PAGE, "for ada"), 502: (PAGE, "for chen"), 12: (PAGE, "for 12")}
    assert without == ["zoe", "twin", "other"]


def test_canvas_hands_each_page_to_the_student_whose_file_is_named(classroom):
    download(classroom, f"lindqvistada_4711_90001_{ASSIGNMENT}.ipynb", f"yuchen_LATE_4712_90002_{ASSIGNMENT}-2.ipynb",
             "yuchen_4713_90003_other.ipynb", "yuchen_4713_90009_all my work.zip",
             f"b_9_1_c_8_2_{ASSIGNMENT}.ipynb")
    students = graded(classroom, "4711", "4712", "chen", "4714", "9", chen="4713")
    names, without = packed(classroom, "canvas", students)
    handed_in = {4711: [90001], 4712: [90002], 4713: [90003, 90009], 4714: [90010], 9: [1], 8: [2]}
    assert canvas_reads(names, handed_in) == {4711: "for 4711", 4712: "for 4712", 4713: "for chen"}
    assert f"yuchen_4713_90009_{PAGE}" in names  # the last one that was handed in
    assert without == ["4714", "9"]


def test_plain_has_a_folder_for_each_student(classroom):
    names, without = packed(classroom, "plain", graded(classroom, "ada", "陈"))
    assert (names, without) == ({f"ada/{PAGE}": "for ada", f"陈/{PAGE}": "for 陈"}, [])


def test_where_no_number_is_known_there_is_no_zip_and_the_old_one_stays(classroom):
    to = classroom.folder / "pages.zip"
    to.write_bytes(b"old")
    for kind in ("moodle", "canvas"):
        with pytest.raises(AutograderError, match="downloaded/"):
            feedback.pack(classroom.course, ASSIGNMENT, graded(classroom, f"ada-{kind}"), kind, to)
    assert to.read_bytes() == b"old"
    assert [path.name for path in classroom.folder.iterdir() if "pages" in path.name] == ["pages.zip"]


@given(name=st.text(max_size=30))
def test_moodle_finds_the_number_behind_any_name(name):
    folder = f"{feedback._without_separators(name)}_501_assignsubmission_file_"
    assert moodle_reads({f"{folder}/{PAGE}": "x"}, range(1000)) == {501: (PAGE, "x")}


def test_the_command_names_who_is_not_in_the_zip(classroom, monkeypatch):
    students = graded(classroom, "501", "guest")
    monkeypatch.setattr(cohort, "write_feedback", lambda *_: [(student, "") for student in students])
    options = ["feedback", ASSIGNMENT, "--course", str(classroom.folder), "--zip", "moodle"]
    done = CliRunner().invoke(app, options, env={"COLUMNS": "300"})
    assert done.exit_code == 0, done.output
    assert "are not known: guest" in done.output
    assert (classroom.folder / f"feedback-{ASSIGNMENT}-moodle.zip").is_file()
    refused = CliRunner().invoke(app, [*options[:-1], "blackboard"])
    assert isinstance(refused.exception, AutograderError)
    assert "plain" in str(refused.exception)


def test_pages_that_are_not_there_are_nobodys(classroom):
    with pytest.raises(AutograderError, match="course grade"):
        feedback.pack(classroom.course, ASSIGNMENT, ["ada"], "plain", Path(classroom.folder, "pages.zip"))
