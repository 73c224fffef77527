"""The launcher, on Pythons that fit and do not, and over environments that are not whole."""

from __future__ import annotations

import ast
import importlib.util
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import psutil
import pytest

from tests.machines.checkout import environment, launch, make, works

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and symbolic links are POSIX's here")


@pytest.fixture(scope="module")
def launcher(root):
    spec = importlib.util.spec_from_file_location("launcher", root / "course.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A checkout with its environment, in a path that needs quoting."""
    folder = make(tmp_path_factory.mktemp("kürs 50% x") / "course")
    ran = launch(folder, "demo")
    assert works(ran, folder, "demo"), ran.stderr
    return folder


@pytest.fixture
def checkout(made):
    """The same checkout for each test, whatever the one before has left of it."""
    yield made
    if not (made / ".venv" / "installed.txt").is_file() or not works(launch(made), made):
        shutil.rmtree(made / ".venv")
    for aside in made.glob(".venv-*"):
        aside.unlink() if aside.is_symlink() or aside.is_file() else shutil.rmtree(aside)


@pytest.mark.parametrize("version, fits", [
    ((2, 7, 18), False), ((3, 10, 19), False), ((3, 11, 0), True), ((3, 11, 2), True), ((3, 13, 9), True),
    ((3, 15, 2), True), ((3, 16, 0), False), ((4, 0, 0), False)])
def test_the_range_of_pythons_is_read_from_pyproject(launcher, version, fits):
    reason = launcher.unfit(version)
    assert (reason == "") == fits
    if not fits:
        assert ".".join(map(str, version)) in reason and ">=3.11" in reason


def test_an_excluded_patch_release_is_refused_and_its_neighbors_are_not(launcher, monkeypatch, tmp_path):
    (tmp_path / "pyproject.toml").write_text('requires-python = ">=3.11.2,!=3.12.4,<3.16"\n')
    monkeypatch.setattr(launcher, "ROOT", tmp_path)
    refused = [patch for patch in ((3, 11, 1), (3, 11, 2), (3, 12, 3), (3, 12, 4), (3, 12, 5)) if launcher.unfit(patch)]
    assert refused == [(3, 11, 1), (3, 12, 4)]


def test_any_python_3_can_read_the_launcher_and_so_be_told_that_it_is_too_old(root):
    ast.parse((root / "course.py").read_text(encoding="utf-8"), feature_version=(3, 6))


@pytest.mark.parametrize("arguments, wanted", [
    (["lab"], {"lab"}), (["lab", "--instructor"], {"grade"}), (["demo"], {"grade"}), (["doctor"], {"grade"}),
    (["book"], {"grade", "book"}), (["grade", "01", "--scheduler", "tcp://a:1"], {"grade", "cluster"}),
    (["grade", "01", "--db-url", "postgresql+psycopg://a/b"], {"grade", "postgresql"}), ([], {"lab"})])
def test_a_command_brings_what_it_needs_and_no_more(launcher, arguments, wanted):
    assert launcher.extras(arguments) == wanted


def test_what_is_whole_is_used_as_it_is(checkout):
    ran = launch(checkout, "grade", "x y", "--force")
    assert works(ran, checkout, "grade", "x y", "--force")
    assert ran.stderr == ""


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_whichever_files_are_missing_the_environment_is_whole_again(checkout, seed):
    rng = Random(seed)
    everything = sorted(path for path in checkout.joinpath(".venv").rglob("*")
                        if "__pycache__" not in path.parts and not path.is_dir())
    # One of pip's thousand is drawn nearly always, so the few that matter most are drawn by themselves too.
    few = [path for path in everything if "site-packages/pip" not in str(path)]
    lost = rng.sample(everything if seed % 2 else few, rng.randint(1, 3))
    for path in lost:
        path.unlink()
    ran = launch(checkout, "demo")
    assert works(ran, checkout, "demo"), (lost, ran.stderr)
    assert all(path.exists() for path in lost)


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["bin", "lib"])
def test_a_folder_that_is_missing_is_made_anew(checkout, folder):
    shutil.rmtree(checkout / ".venv" / folder)
    assert works(launch(checkout, "demo"), checkout, "demo")


@pytest.mark.slow
def test_an_environment_of_another_python_is_made_anew(checkout):
    record = checkout / ".venv" / "installed.txt"
    lines = record.read_text(encoding="utf-8").splitlines()
    record.write_text("\n".join(["another", *lines[1:]]), encoding="utf-8")
    ran = launch(checkout, "demo")
    assert works(ran, checkout, "demo")
    assert "made anew" in ran.stderr


@pytest.mark.slow
def test_a_folder_that_was_moved_gets_an_environment_of_its_own(checkout, tmp_path):
    moved = checkout.rename(tmp_path / "elsewhere")
    try:
        assert works(launch(moved, "demo"), moved, "demo")
    finally:
        moved.rename(checkout)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["made by hand", "a file", "a dangling link"])
def test_what_the_launcher_did_not_make_is_moved_aside_and_not_deleted(checkout, kind):
    shutil.rmtree(checkout / ".venv")
    if kind == "made by hand":
        (checkout / ".venv" / "bin").mkdir(parents=True)
        (checkout / ".venv" / "bin" / "mine").write_text("kept")
    elif kind == "a file":
        (checkout / ".venv").write_text("kept")
    else:
        (checkout / ".venv").symlink_to("nowhere")
    ran = launch(checkout, "demo")
    assert works(ran, checkout, "demo"), ran.stderr
    (aside,) = checkout.glob(".venv-*")
    assert aside.name in ran.stderr
    if kind != "a dangling link":
        assert (aside / "bin" / "mine" if aside.is_dir() else aside).read_text() == "kept"


@pytest.mark.slow
@pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_installation_says_so_leaves_nothing_running_and_is_done_again(checkout, kill):
    (checkout / "constraints.txt").write_text(f"# {kill}\n")
    (checkout / "building").unlink(missing_ok=True)
    process = psutil.Popen([sys.executable, str(checkout / "course.py"), "demo"], cwd=checkout, stderr=subprocess.PIPE,
                           env=environment(SLOWLY="60"), text=True)
    deadline = time.monotonic() + 60
    while not (checkout / "building").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    children = process.children(recursive=True)
    process.send_signal(kill)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == (130 if kill == signal.SIGINT else 143)
    assert "Traceback" not in said
    assert ("Stopped. Run the same command again" in said) == (kill == signal.SIGINT)
    assert psutil.wait_procs(children, timeout=10)[1] == []
    assert works(launch(checkout, "demo"), checkout, "demo")


@pytest.mark.slow
def test_python3_venv_may_be_installed_afterwards(tmp_path):
    """As on Debian, where the module ensurepip is in a package of its own."""
    folder = make(tmp_path / "course")
    without = tmp_path / "without"
    without.mkdir()
    (without / "sitecustomize.py").write_text("import sys; sys.modules['ensurepip'] = None\n")
    ran = launch(folder, "demo", PYTHONPATH=str(without))
    assert ran.returncode == 1
    assert re.search(r"apt install python3\.\d+-venv\. Then run the same command again", ran.stderr)
    assert "Traceback" not in ran.stderr and not (folder / ".venv").exists()
    assert works(launch(folder, "demo"), folder, "demo")


@pytest.mark.slow
def test_two_at_once_make_one_environment(tmp_path):
    folder = make(tmp_path / "course")
    both = [subprocess.Popen([sys.executable, str(folder / "course.py")], cwd=folder, env=environment(SLOWLY="2"),
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [process.communicate(timeout=120) for process in both]
    assert all(out.startswith("handed over") for out, _ in outputs), outputs
    assert sum("waiting for another course.py" in said for _, said in outputs) == 1


@pytest.mark.slow
def test_what_is_installed_under_a_strict_umask_can_be_read_by_others(tmp_path):
    folder = make(tmp_path / "course")
    ran = subprocess.run(["sh", "-c", f"umask 077; exec {sys.executable} course.py"], cwd=folder, env=environment(),
                         capture_output=True, text=True, check=False)
    assert works(ran, folder), ran.stderr
    hidden = [path for path in (folder / ".venv" / "lib").rglob("*") if not path.stat().st_mode & 0o004]
    assert hidden == []


def test_a_folder_that_cannot_be_written_is_named_without_a_traceback(tmp_path):
    folder = make(tmp_path / "course")
    (folder / ".venv").mkdir()
    (folder / ".venv" / "installed.txt").mkdir()  # cannot be read or written, whoever runs this
    ran = launch(folder, "demo")
    assert "Traceback" not in ran.stderr
    assert works(ran, folder, "demo") or "run the same command again" in ran.stderr


def test_the_failure_of_an_installation_is_told_by_its_end(tmp_path):
    folder = make(tmp_path / "course")
    Path(folder, "backend.py").write_text("raise SystemExit('no compiler here')\n")
    ran = launch(folder, "demo")
    assert ran.returncode == 1
    assert "no compiler here" in ran.stderr and "run the same command again" in ran.stderr
    assert len(ran.stderr.splitlines()) < 30
