"""What Canvas and Moodle let an instructor download, collected and graded with the guide's own commands."""

from __future__ import annotations

import csv
import io
import json
import os
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from autograder.demo import people
from autograder.downloads import CanvasCollectorPlugin, MoodleCollectorPlugin
from tests.classroom import ASSIGNMENT, Classroom
from tests.hub import commands

FULL, WITHOUT_CONVOLUTION = 24, 19


@pytest.fixture
def classroom(root, tmp_path) -> Classroom:
    return Classroom(root, tmp_path / "course")


def run(classroom: Classroom, word: str) -> None:
    """Run the guide's commands that hold a word, in the course's folder."""
    found = commands(word)
    assert found
    environment = os.environ | {"PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))}
    for line in found:
        done = subprocess.run(shlex.split(line), cwd=classroom.folder, env=environment, text=True, capture_output=True,
                              check=False)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"


def download(classroom: Classroom, platform: str, files: dict[str, bytes]) -> None:
    """What the platform gives to the instructor."""
    with zipfile.ZipFile(classroom.folder / f"{platform}.zip", "w") as pack:
        for name, content in files.items():
            pack.writestr(name, content)


def notebook(classroom: Classroom, student: str) -> bytes:
    """What one of the demo's students has written."""
    everybody = people.answers(classroom.solutions, classroom.solutions)
    return json.dumps(classroom.solved(**everybody[student])).encode()


def archive(**files: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as pack:
        for name, content in files.items():
            pack.writestr(name, content)
    return packed.getvalue()


def enroll(classroom: Classroom, *rows: tuple[str, ...]) -> None:
    with (classroom.folder / "students.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("id", "lms_user_id", "first_name", "last_name", "email"), *rows])
    run(classroom, "student import")


def exported(classroom: Classroom, platform: str) -> list[dict[str, str]]:
    with (classroom.folder / f"{platform}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def packed(classroom: Classroom, platform: str) -> list[str]:
    with zipfile.ZipFile(classroom.folder / f"feedback-{ASSIGNMENT}-{platform}.zip") as pages:
        assert all(b"conv2d_forward" in pages.read(name) for name in pages.namelist())
        return pages.namelist()


@pytest.mark.slow
@pytest.mark.sandbox
def test_canvas(classroom):
    wrong, right = notebook(classroom, "chen"), notebook(classroom, "ada")
    download(classroom, "canvas", {
        f"lindqvistada_4711_90001_{ASSIGNMENT}.ipynb": right,
        f"yuchen_LATE_4712_90002_{ASSIGNMENT}-2.ipynb": wrong,
        f"yuchen_4713_90003_{ASSIGNMENT} (1).ipynb": wrong,  # another student of the same name, handed in twice
        f"yuchen_4713_100000_{ASSIGNMENT}.ipynb": right,
        "yuchen_4713_90004_all-my-work.zip": archive(**{f"x_4711_99999_{ASSIGNMENT}.ipynb": wrong}),
        "orlovivan_4714_text.html": b"<p>I have nothing</p>",
    })
    enroll(classroom, ("4711", "4711", "Ada", "Lindqvist", ""), ("4712", "4712", "Chen", "Yu", ""),
           ("4713", "4713", "Chen", "Yu", ""))
    run(classroom, "canvas.zip")
    run(classroom, "CanvasCollectorPlugin")
    assert sorted(path.name for path in (classroom.folder / "submitted").iterdir()) == ["4711", "4712", "4713"]
    assert classroom.path("submitted", "4713").read_bytes() == right
    run(classroom, "course grade")
    run(classroom, "--zip canvas")
    assert sorted(packed(classroom, "canvas")) == [
        f"lindqvistada_4711_90001_{ASSIGNMENT}.html", f"yuchen_4713_100000_{ASSIGNMENT}.html",
        f"yuchen_LATE_4712_90002_{ASSIGNMENT}.html"]
    run(classroom, "CanvasExportPlugin")
    marks = {row["ID"]: row[ASSIGNMENT] for row in exported(classroom, "canvas")}
    assert marks == {"": "27", "4711": str(FULL), "4712": str(WITHOUT_CONVOLUTION), "4713": str(FULL)}


@pytest.mark.slow
@pytest.mark.sandbox
def test_moodle(classroom):
    wrong, right = notebook(classroom, "chen"), notebook(classroom, "ada")
    download(classroom, "moodle", {
        f"Ada Lindqvist_501_assignsubmission_file/{ASSIGNMENT}.ipynb": right,
        f"Chloé Łuć_502_assignsubmission_file_/{ASSIGNMENT} (1).ipynb": wrong,
        f"Chloé Łuć_502_assignsubmission_file_/again/{ASSIGNMENT}.ipynb": wrong,
        f"陈 宇_503_assignsubmission_file_{ASSIGNMENT}.ipynb": wrong,
        "陈 宇_503_assignsubmission_onlinetext.html": b"<p>see my file</p>",
    })
    enroll(classroom, ("501", "", "Ada", "Lindqvist", "ada@example.org"), ("502", "", "Chloé", "Łuć", "c@example.org"),
           ("503", "", "宇", "陈", "yu@example.org"))
    run(classroom, "moodle.zip")
    run(classroom, "MoodleCollectorPlugin")
    run(classroom, "course grade")
    run(classroom, "--zip moodle")
    owners = ("Ada Lindqvist_501", "Chloé Łuć_502", "陈 宇_503")
    assert sorted(packed(classroom, "moodle")) == [
        f"{owner}_assignsubmission_file_/{ASSIGNMENT}.html" for owner in owners]
    run(classroom, "MoodleExportPlugin")
    marks = {row["email"]: row[ASSIGNMENT] for row in exported(classroom, "moodle")}
    assert marks == {"ada@example.org": str(FULL), "c@example.org": str(WITHOUT_CONVOLUTION),
                     "yu@example.org": str(WITHOUT_CONVOLUTION)}


@pytest.mark.parametrize(("collector", "name", "student", "file"), [
    (CanvasCollectorPlugin, "o_neil_jr_1_2_04-fc-to-conv-3.ipynb", "1", "04-fc-to-conv"),
    (CanvasCollectorPlugin, "anon_Xy12_7_a.ipynb", None, None),
    (CanvasCollectorPlugin, "x_1_2_3_4_a.ipynb", "1", "3_4_a"),
    (MoodleCollectorPlugin, "A_9_assignsubmission_file/B_8_assignsubmission_file_a.ipynb", None, None),
    (MoodleCollectorPlugin, "A_9_assignsubmission_file_/B_8_assignsubmission_file/a.ipynb", "9", "a"),
    (CanvasCollectorPlugin, "b_9_1_c_8_2_a.ipynb", None, None),
    (MoodleCollectorPlugin, "B_9_assignsubmission_onlinetext/a.ipynb", None, None),
])
def test_who_handed_in_which_notebook(tmp_path, collector, name, student, file):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    found = collector().collect(str(path))
    assert found == (student and {"student_id": student, "file_id": file})
