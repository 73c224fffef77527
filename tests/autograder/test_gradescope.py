"""Judging on Gradescope: its folder, its files, its limits, and results in its format."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import pytest

from autograder.assignment.cells import grade_id, is_answer
from autograder.authoring.build import source_notebook
from autograder.authoring.release import enter
from autograder.classroom.course import Course
from autograder.classroom.seeds import course_secret
from autograder.errors import AutograderError
from autograder.exercises.contents import teach
from autograder.platforms.gradescope import judge, pack, run
from autograder.sandbox.isolation import WAYS
from tests import machine
from tests.autograder.test_own_course import TEMPLATE, write
from tests.classroom import ASSIGNMENT, Classroom

pytestmark = pytest.mark.sandbox
METADATA = {"id": 5, "created_at": "2026-12-01T09:00:00.000000-07:00", "users": [
    {"email": "ada@example.org", "id": 1234, "name": "Ada"}], "previous_submissions": [],
    "assignment": {"due_date": "2020-07-31T23:00:00.000000-07:00", "total_points": "24.0"}}
"""Handed in years too late, which is for Gradescope to judge."""
FORMATS = {"text", "html", "simple_format", "md", "ansi"}
TOP = {"score", "execution_time", "output", "output_format", "visibility", "stdout_visibility", "extra_data", "tests"}
TEST = {"score", "max_score", "status", "name", "name_format", "output", "output_format", "extra_data"}
FULL = 24
WRONG = "def conv1x1(x, weight, bias):\n    return np.einsum('nchw,kc->nkhw', x, weight[:, :, 0, 0])\n"
SPY = '''
def conv1x1(x, weight, bias):
    """Tell by its error what can be read or written of what lies in the container."""
    import os
    found = []
    for path in {paths!r}:
        for attempt in (os.listdir, lambda p: open(p).read(), lambda p: open(p, "a")):
            try:
                attempt(path)
                found.append(path)
            except OSError:
                pass
    raise ValueError("reached: " + repr(found) + ", uid " + str(os.getuid()))
'''


@pytest.fixture(scope="module")
def classroom(root, tmp_path_factory) -> Classroom:
    return Classroom(root, tmp_path_factory.mktemp("course") / "course")


@pytest.fixture(scope="module")
def archive(classroom, tmp_path_factory) -> Path:
    """The zip for Gradescope, with nothing in the place of the wheel."""
    def no_wheel(folder: Path, *_: Any) -> Path:
        (folder / "cnncourse.whl").write_bytes(b"")
        return folder / "cnncourse.whl"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pack, "students_wheel", no_wheel)
        return pack.pack(classroom.course, ASSIGNMENT, tmp_path_factory.mktemp("dist"))


@pytest.fixture
def place(archive, tmp_path) -> Path:
    """The folder /autograder, with an empty submission."""
    return laid_out(archive, tmp_path)


def laid_out(archive: Path, place: Path) -> Path:
    """What Gradescope makes of the zip before a submission is judged."""
    for name in ("source", "submission", "results"):
        (place / name).mkdir(parents=True)
    with zipfile.ZipFile(archive) as content:
        content.extractall(place / "source")
    (place / "submission_metadata.json").write_text(json.dumps(METADATA))
    return place


def hand_in(place: Path, name: str, content: bytes | Mapping[str, Any]) -> None:
    path = place / "submission" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())


def results(place: Path) -> dict[str, Any]:
    """What Gradescope reads, once it is sure that it can."""
    found = json.loads((place / "results" / "results.json").read_text())
    assert found.keys() <= TOP
    assert "tests" in found or found["score"] == 0
    assert {found["output_format"], *(test["output_format"] for test in found.get("tests", ()))} <= FORMATS
    for test in found.get("tests", ()):
        assert test.keys() <= TEST
        assert test["status"] in ("passed", "failed")
        assert 0 <= test["score"] <= test["max_score"]
        assert test["output"]
    assert found["output"]
    assert "Traceback" not in json.dumps(found)
    return found


def judged(place: Path) -> dict[str, Any]:
    judge.judge(place)
    return results(place)


def points(found: Mapping[str, Any]) -> dict[str, float]:
    return {test["name"]: test["score"] for test in found["tests"]}


def everything_but(classroom: Classroom, *names: str) -> dict[str, float]:
    most = {cell.metadata.nbgrader.grade_id.removeprefix("check-"): cell.metadata.nbgrader.points
            for cell in nbformat.from_dict(classroom.stub).cells if "nbgrader" in cell.metadata
            and cell.metadata.nbgrader.grade and not cell.metadata.nbgrader.solution}
    assert sum(most.values()) == FULL
    return {name: 0 if name in names else value for name, value in most.items()}


def test_the_zip_has_all_that_is_needed_at_its_top_and_not_the_courses_secret(archive, classroom):
    with zipfile.ZipFile(archive) as content:
        rights = {info.filename: info.external_attr >> 16 for info in content.infolist()}
        secret = content.read(".course-secret").decode()
        notebook = content.read(f"notebooks/{ASSIGNMENT}.ipynb")
        everything = b"".join(content.read(name) for name in content.namelist())
    assert rights.keys() == {"setup.sh", "run_autograder", "settings.json", "constraints.txt", "cnncourse.whl",
                             ".course-secret", f"notebooks/{ASSIGNMENT}.ipynb"}
    assert rights["setup.sh"] & rights["run_autograder"] & stat.S_IXUSR
    assert notebook == classroom.released.read_bytes()
    own = course_secret(classroom.folder).hex()
    assert len(secret.strip()) == len(own)
    assert own.encode() not in everything
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600


def test_the_scripts_are_scripts():
    for name in pack.SCRIPTS:
        assert (pack.HERE / name).read_text().startswith("#!/usr/bin/env bash\n")
        assert subprocess.run(["bash", "-n", pack.HERE / name], check=False).returncode == 0


def test_what_cannot_be_packed_is_said(classroom, tmp_path):
    with pytest.raises(AutograderError, match="course release 02-nothing"):
        pack.pack(classroom.course, "02-nothing", tmp_path)
    with pytest.raises(AutograderError, match="after_due_date"):
        pack.pack(classroom.course, ASSIGNMENT, tmp_path, "sometimes")


@pytest.mark.parametrize("way", WAYS)
def test_mistakes_are_named_and_the_rest_has_its_points(place, classroom, way):
    settings = json.loads((place / "source" / "settings.json").read_text())
    (place / "source" / "settings.json").write_text(json.dumps(settings | {"sandbox": way, "visibility": "hidden"}))
    hand_in(place, "Untitled (1).ipynb", classroom.solved(conv1x1=WRONG))
    found = judged(place)
    assert points(found) == everything_but(classroom, "conv1x1")
    (wrong,) = [test for test in found["tests"] if test["status"] == "failed"]
    assert wrong["extra_data"]["misconceptions"]
    assert f"This is what happens with: {wrong['extra_data']['misconceptions'][0]}. " in wrong["output"]
    assert "First case that differs" in wrong["output"]
    assert found["visibility"] == "hidden"
    assert "Untitled (1).ipynb was taken" in found["output"]
    assert "3 more points" in found["output"]


def test_the_same_points_as_from_course_grade(place, classroom):
    """Whatever a notebook is, one judge says what it is worth."""
    kinds = {"stub": classroom.stub, "broken": classroom.solved(zero_pad="def zero_pad(:"),
             "ends": classroom.solved(conv1x1="def conv1x1(x, weight, bias):\n    import os; os._exit(0)\n"),
             "own": classroom.solved(zero_pad="def zero_pad(x, padding):\n    return cnncourse.functional.pad(x)\n")}
    for name, notebook in kinds.items():
        classroom.hand_in(name, notebook)
    reports = classroom.grade(*kinds)
    for name, notebook in kinds.items():
        hand_in(place, "x.ipynb", notebook)
        found = judged(place)
        assert sum(points(found).values()) == reports[name].score, name
        assert {test["name"]: test["extra_data"]["how"] for test in found["tests"]} == {
            exercise: verdict.how for exercise, verdict in reports[name].verdicts.items()}, name


def test_nothing_at_all_is_said_and_gives_nothing(place, classroom):
    found = judged(place)
    assert f"{ASSIGNMENT}.ipynb is missing" in found["output"]
    assert sum(points(found).values()) == 0
    assert all("is not in what was handed in" in test["output"] for test in found["tests"])


def test_a_folder_that_is_not_there(place):
    (place / "submission").rmdir()
    assert "is missing" in judged(place)["output"]


def test_a_notebook_of_another_assignment_is_named(place, root):
    hand_in(place, "03-pooling.ipynb", source_notebook(root, "03-pooling"))
    found = judged(place)
    assert "03-pooling.ipynb, which has none of its cells" in found["output"]
    assert sum(points(found).values()) == 0


def test_of_several_notebooks_the_written_one_is_taken(place, classroom):
    hand_in(place, f"{ASSIGNMENT}.ipynb", classroom.stub)
    hand_in(place, "deep/er/mine.ipynb", classroom.solved())
    found = judged(place)
    assert sum(points(found).values()) == FULL
    assert "mine.ipynb was taken in its place" in found["output"]


def test_a_zip_in_the_upload_and_links_that_are_not_followed(place, classroom):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as content:
        content.writestr("home/work.ipynb", json.dumps(classroom.solved()))
    hand_in(place, "all.zip", packed.getvalue())
    (place / "submission" / "secret.ipynb").symlink_to(place / "source" / ".course-secret")
    (place / "submission" / "pipe.ipynb").parent.mkdir(exist_ok=True)
    os.mkfifo(place / "submission" / "pipe.ipynb")
    assert sum(points(judged(place)).values()) == FULL


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"{}", b'{"cells": 3}', b"[" * 100_000])
def test_a_file_that_is_no_notebook_is_said(place, content):
    hand_in(place, f"{ASSIGNMENT}.ipynb", content)
    found = judged(place)
    assert "notebook" in found["output"]
    assert sum(points(found).values()) == 0


@pytest.mark.parametrize("metadata", ["", "{", "[]", '{"users": 3}', '{"users": [{"id": "../../x"}]}', "{}"])
def test_metadata_of_any_kind_does_no_harm(tmp_path, metadata):
    (tmp_path / "m.json").write_text(metadata)
    assert judge._student(tmp_path / "m.json") == "somebody"
    assert judge._student(tmp_path / "absent.json") == "somebody"


def test_a_group_is_its_members_in_any_order(tmp_path):
    for order in ([3, 12], [12, 3]):
        (tmp_path / "m.json").write_text(json.dumps({"users": [{"id": number} for number in order]}))
        assert judge._student(tmp_path / "m.json") == "12-3"


def test_chinese_notebooks_have_chinese_results(root, tmp_path_factory, place):
    chinese = Classroom(root, tmp_path_factory.mktemp("zh") / "course", "zh_CN")
    (place / "source" / "notebooks" / f"{ASSIGNMENT}.ipynb").write_bytes(chinese.released.read_bytes())
    hand_in(place, "x.ipynb", chinese.solved(conv1x1=WRONG))
    found = judged(place)
    assert sum(points(found).values()) == FULL - 2
    assert "First case" not in json.dumps(found)
    assert "more points" not in found["output"]


def test_a_fault_of_the_judge_is_no_traceback_and_no_silent_0(place, classroom, monkeypatch, capsys):
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("of ours")

    hand_in(place, "x.ipynb", classroom.solved())
    monkeypatch.setattr(judge, "grade_batch", fail)
    assert "no fault of yours" in judged(place)["output"]
    assert "ZeroDivisionError: of ours" in capsys.readouterr().out  # which only the course's staff sees


def test_an_exercise_that_the_judge_failed_on_is_told_apart(place, classroom, monkeypatch):
    from autograder.classroom import verdicts

    real = verdicts.judge

    def fail_on_one(exercise, *rest):
        if exercise.name == "zero_pad":
            raise ZeroDivisionError
        return real(exercise, *rest)

    hand_in(place, "x.ipynb", classroom.solved())
    monkeypatch.setattr(verdicts, "judge", fail_on_one)
    found = judged(place)
    assert points(found) == everything_but(classroom, "zero_pad")
    assert "no fault of yours" in found["output"].split("\n")[0]
    assert "zero_pad" in found["output"].split("\n")[0]


def test_where_no_sandbox_starts_nothing_runs_and_that_is_said(place, classroom, monkeypatch, capsys):
    settings = json.loads((place / "source" / "settings.json").read_text())
    (place / "source" / "settings.json").write_text(json.dumps(settings | {"sandbox": "landlock"}))
    monkeypatch.setattr(WAYS["landlock"].__class__, "why_unavailable", lambda self: "the kernel is too old")
    from autograder.sandbox import isolation

    isolation.why_not.cache_clear()
    try:
        hand_in(place, "x.ipynb", classroom.solved())
        assert "no fault of yours" in judged(place)["output"]
        assert "the kernel is too old" in capsys.readouterr().out
    finally:
        isolation.why_not.cache_clear()


@pytest.mark.parametrize(("command", "said"), [
    ([sys.executable, "-c", "import time; time.sleep(60)"], "took more than 0.5 s"),
    ([sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"], "ended before it was done"),
    ([sys.executable, "-c", "1/0"], "ended before it was done"),
])
def test_there_are_results_whatever_ends_the_judge(place, command, said, monkeypatch):
    monkeypatch.setattr(run, "SECONDS", 0.5 if "sleep" in command[-1] else 60.0)
    began = time.monotonic()
    run._wait(place, command)
    assert said in results(place)["output"]
    assert time.monotonic() - began < 30


def test_half_a_processor_and_little_memory_change_the_limits(place, monkeypatch):
    settings = judge.Settings.read(place / "source")
    monkeypatch.setattr(judge.processors, "quota", lambda: 0.5)
    monkeypatch.setattr(judge, "MEMORY_FILES", (str(place / "memory.max"),))
    (place / "memory.max").write_text(f"{1536 << 20}\n")
    assert judge._limits(settings) == {"cell_seconds": 20.0, "call_seconds": 8.0, "total_seconds": 180.0,
                                       "memory_bytes": 768 << 20}
    for told in ("max", ""):
        (place / "memory.max").write_text(told)
        assert judge._limits(settings)["memory_bytes"] == judge.MOST_MEMORY


def test_without_an_installed_judge_there_are_results(place):
    ran = subprocess.run(["bash", place / "source" / "run_autograder", place], capture_output=True, check=False,
                         env={**os.environ, "CNNCOURSE_HOME": "/nowhere"})
    assert ran.returncode
    assert "could not start" in results(place)["output"]


@pytest.mark.slow
@pytest.mark.skipif(bool(machine.why_not_played()), reason=machine.why_not_played())
def test_as_the_service_runs_it(root, tmp_path):
    """Root without capabilities, no namespaces to be had, and a course of one's own in the wheel: a spy reads nothing
    of what lies beside it."""
    own = write(tmp_path / "course", [{"name": "01-windows", "from": ASSIGNMENT, "points": {"doubled": 7.0},
                                       "exercises": ["output_size", "conv1x1", "doubled"]}],
                {"exercises/doubled.py": TEMPLATE.format(name="doubled")})
    try:
        course = Course(own)
        released = enter(course, "01-windows")
        sources = {grade_id(cell): cell.source for cell in source_notebook(own, "01-windows").cells if is_answer(cell)}
        archive = pack.pack(course, "01-windows", tmp_path / "dist")
    finally:
        teach(None)
    place, home = laid_out(archive, tmp_path / "autograder"), tmp_path / "home"
    (wheel,) = (place / "source").glob("*.whl")
    with zipfile.ZipFile(wheel) as content:
        content.extractall(home / "packages")
    python = home / "environment" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    for path in (place / "source", *(place / "source").rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
    beside = (place, place / "source", place / "source" / ".course-secret", place / "source" / "settings.json",
              place / "results", place / "results" / "results.json", place / "submission_metadata.json",
              place / "submission", home / "packages" / "autograder" / "course" / "course.toml",
              home / "packages" / "cnncourse" / "functional", Path("/proc/1/environ"))
    sources |= {"conv1x1": SPY.format(paths=[str(path) for path in beside])}
    notebook = json.loads(released.read_text())
    for cell in notebook["cells"]:
        cell["source"] = sources.get(grade_id(cell), cell["source"])
    hand_in(place, "my homework.ipynb", notebook)
    hand_in(place, "submission_metadata.json", b'{"users": [{"id": 1}]}')  # a student's own, of no account
    ran = machine.Machine(ordinary=False, namespaces=False).run(
        ["bash", str(place / "source" / "run_autograder"), str(place)], place, home, root, sys.prefix, sys.base_prefix,
        cwd=place, environment={"PATH": os.environ["PATH"], "HOME": str(home), "CNNCOURSE_HOME": str(home),
                                "PYTHONPATH": str(home / "packages")})
    found = results(place)
    assert points(found) == {"output_size": 2, "conv1x1": 0, "doubled": 7}, ran.stdout + ran.stderr
    (told,) = [test["output"] for test in found["tests"] if test["name"] == "conv1x1"]
    assert "reached: []" in told
    assert "isolated by Landlock" in ran.stdout


TOO_OLD = '[ "$1" = -c ] && exit 1; [ "$3" = install ] && mkdir -p "$5/bin" && cp "$BIN/uv" "$5/bin/uv"; exit 0'
NEW_ENOUGH = 'if [ "$2" = venv ]; then mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; fi; exit 0'
UV = 'if [ "$1" = venv ]; then for last; do :; done; mkdir -p "$last/bin"; cp "$BIN/python" "$last/bin/python"; fi'


@pytest.mark.parametrize(("python3", "others"), [(NEW_ENOUGH, ()), (TOO_OLD, ()), (TOO_OLD, ("python3.12",))])
def test_the_image_gets_a_python_that_is_new_enough(place, tmp_path_factory, python3, others):
    """With programs that write down how they are called: on Ubuntu 22.04 Python is too old, and uv brings another."""
    tools, home = tmp_path_factory.mktemp("tools"), tmp_path_factory.mktemp("home")
    bodies = {"python3": python3, "uv": UV, "python": "exit 0", "apt-get": "exit 0", "ldconfig": "exit 0",
              **dict.fromkeys(others, NEW_ENOUGH),
              **{f"python3.{minor}": "exit 1" for minor in range(11, 16) if f"python3.{minor}" not in others}}
    for name, body in bodies.items():
        (tools / name).write_text(f'#!/bin/sh\necho "{name} $*" >> "$LOG"\n{body}\n')
        (tools / name).chmod(0o755)
    log = tools / "log"
    ran = subprocess.run(["bash", place / "source" / "setup.sh"], capture_output=True, text=True, check=False, env={
        "PATH": f"{tools}:/usr/bin:/bin", "BIN": str(tools), "LOG": str(log), "CNNCOURSE_HOME": str(home)})
    assert ran.returncode == 0, ran.stderr
    called = log.read_text()
    brought = python3 == TOO_OLD and not others
    assert ("uv venv" in called) == brought
    assert ("python3 -m venv" in called) == (python3 == NEW_ENOUGH)
    assert ("python3.12 -m venv" in called) == bool(others)
    assert "apt-get install --yes --no-install-recommends libseccomp2" in called
    assert f"--constraint {place}/source/constraints.txt {place}/source/cnncourse.whl[grade]" in called
    assert stat.S_IMODE((place / "source" / ".course-secret").stat().st_mode) & 0o077 == 0
