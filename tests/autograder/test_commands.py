"""The `course` command as people use it."""

from __future__ import annotations

import subprocess
import sys
import zipfile

import pytest
from typer.testing import CliRunner

from autograder import cli
from autograder.authoring.release import release
from autograder.doctor import examine
from autograder.errors import AutograderError
from autograder.lab import workspace
from tests.classroom import ASSIGNMENT, CONFIGURATION, Classroom


def course(*arguments: str, cwd=None) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "autograder.cli", *arguments], capture_output=True, text=True, cwd=cwd,
                          check=False)


@pytest.mark.parametrize("command", [
    command.callback.__name__.replace("_", "-") for command in cli.app.registered_commands])
def test_every_command_explains_itself(command):
    result = CliRunner().invoke(cli.app, [command, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output
    assert "Example" in result.output


@pytest.mark.parametrize("arguments, complaint", [
    (("grade", ASSIGNMENT), "holds no nbgrader_config.py"),
    (("build", "02-nothing"), "This course has no assignment '02-nothing'. Assignments: 01-"),
    (("bench", "nothing"), "there is no benchmark 'nothing'; there are: "),
])
def test_bad_input_is_answered_without_a_traceback(arguments, complaint, tmp_path):
    ran = course(*arguments, cwd=tmp_path)
    assert ran.returncode == 1
    assert complaint in " ".join(ran.stdout.split())
    assert "Traceback" not in ran.stdout + ran.stderr


def test_grading_what_nobody_handed_in_says_where_it_was_looked_for(root, tmp_path):
    (tmp_path / "nbgrader_config.py").write_text(CONFIGURATION)
    ran = course("grade", ASSIGNMENT, cwd=tmp_path)
    assert ran.returncode == 1
    assert f"submitted/<student>/{ASSIGNMENT}" in ran.stdout.replace("\n", "")


def test_a_students_copies_are_added_and_never_overwritten(root, tmp_path):
    added = workspace.prepare(root, tmp_path)
    assert tmp_path / ASSIGNMENT / f"{ASSIGNMENT}.ipynb" in added
    added[0].write_text("my work")
    assert workspace.prepare(root, tmp_path) == []
    assert added[0].read_text() == "my work"


def test_what_students_get_holds_the_notebook_and_the_packages_but_no_solutions_and_no_secret(root, tmp_path):
    (tmp_path / "nbgrader_config.py").write_text(CONFIGURATION)
    notebook, archive = release(tmp_path, ASSIGNMENT, tmp_path / "out")
    assert "SOLUTION" not in notebook.read_text()
    with zipfile.ZipFile(archive) as pack:
        names = pack.namelist()
        (wheel,) = (name for name in names if name.endswith(".whl"))
        pack.extract(wheel, tmp_path)
        assert f"{ASSIGNMENT}/{ASSIGNMENT}.ipynb" in names
        assert pack.read(f"{ASSIGNMENT}/constraints.txt") == (root / "constraints.txt").read_bytes()
        assert 'constraints.txt "cnncourse-' in pack.read(f"{ASSIGNMENT}/README.txt").decode()
    with zipfile.ZipFile(tmp_path / wheel) as packages:
        inside = packages.namelist()
    assert {"autograder/checking/check.py", "autograder/templates/check.html.j2",
            "autograder/sandbox/inside/cnncourse.py",
            "cnncourse/functional/convolution.py"} <= set(inside)
    assert not [name for name in names + inside if "solutions" in name or "secret" in name or "tests/" in name]


@pytest.mark.sandbox
def test_the_doctor_finds_this_machine_fit_for_grading():
    assert [finding for finding in examine() if not finding.fine] == []


@pytest.mark.sandbox
def test_the_doctor_notices_a_sandbox_with_a_hole(monkeypatch):
    from autograder.sandbox import bubblewrap, lending

    files = bubblewrap._files
    monkeypatch.setattr(bubblewrap, "_files", lambda limits: ["--ro-bind", "/etc", "/etc", *files(limits)])
    lending.end_idle()
    (finding,) = [finding for finding in examine() if finding.subject == "sandbox, bubblewrap"]
    lending.end_idle()
    assert not finding.fine
    assert "read /etc/passwd" in finding.text


@pytest.mark.sandbox
def test_grade_report_and_feedback_work_one_after_the_other(root, tmp_path):
    classroom = Classroom(root, tmp_path / "class")
    classroom.hand_in("ada", classroom.solved())
    classroom.hand_in("bad", b"no notebook")
    graded = course("grade", ASSIGNMENT, "--course", str(classroom.folder))
    assert graded.returncode == 0, graded.stdout + graded.stderr
    assert "24 / 27" in graded.stdout
    assert "not JSON" in graded.stdout
    shown = course("report", ASSIGNMENT, "--course", str(classroom.folder), "--picture", str(tmp_path / "class.png"))
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert (tmp_path / "class.png").read_bytes().startswith(b"\x89PNG")
    page = classroom.path("feedback", "ada", ".html")
    page.unlink()
    assert course("feedback", ASSIGNMENT, "--course", str(classroom.folder)).returncode == 0
    assert page.is_file()


def test_trusting_submissions_is_said_loudly_and_grades_the_same(root, tmp_path):
    classroom = Classroom(root, tmp_path / "class")
    classroom.hand_in("ada", classroom.solved())
    classroom.hand_in("eve", classroom.solved(zero_pad="def zero_pad(x, padding):\n    while True:\n        pass\n"))
    graded = course("grade", ASSIGNMENT, "--course", str(classroom.folder), "--trust-submissions")
    assert "WARNING" in graded.stdout
    assert "WITHOUT a sandbox" in graded.stdout
    assert "24 / 27" in graded.stdout
    assert "zero_pad: did not finish" in graded.stdout


def test_a_checkout_is_asked_for_where_one_is_needed(monkeypatch, tmp_path):
    monkeypatch.setattr(cli, "__file__", str(tmp_path / "site-packages" / "autograder" / "cli.py"))
    with pytest.raises(AutograderError, match="or a checkout"):
        cli.checkout()
