"""Benchmarks start from wherever they are called, and nothing bends the path for it."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest


def course(*arguments, cwd) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-P", "-m", "autograder.cli", *arguments], capture_output=True, text=True,
                          cwd=cwd, check=False)


def test_those_are_listed_that_can_be_run(root, tmp_path):
    listed = course("bench", cwd=tmp_path).stdout.split()
    assert {"kernels", "judging", "settings"} <= set(listed)
    assert not {"__init__", "layers"} & set(listed)
    assert set(listed) <= {path.stem for path in (root / "bench").glob("*.py")}


def test_one_starts_in_a_folder_that_has_a_package_of_the_same_name(tmp_path):
    (tmp_path / "bench").mkdir()
    for name in ("__init__", "roofline"):
        (tmp_path / "bench" / f"{name}.py").write_text("raise SystemExit('this is another')")
    ran = course("bench", "roofline", "--threads", "many", cwd=tmp_path)
    assert ran.returncode == 2
    assert "roofline.py: error: argument --threads: invalid int value: 'many'" in ran.stderr


def test_one_starts_as_a_module_from_the_root(root):
    ran = subprocess.run([sys.executable, "-m", "bench.roofline", "--help"], capture_output=True, text=True, cwd=root,
                         check=False)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("folder", ["cnncourse", "autograder", "bench", "tests", "book", "course.py"])
def test_no_file_puts_folders_on_the_path(root, folder):
    files = [root / folder] if folder.endswith(".py") else (root / folder).rglob("*.py")
    # What strangers write, in attacks, is told by its quotation marks.
    bent = [path for path in files if re.search(r"^\s*sys\.path\.(insert|append|extend)", path.read_text(), re.M)]
    assert bent == []
