"""docs/authoring.md, followed to the letter: its commands are run and its files are written, in the page's order."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.assignment.cells import exercise_of, grade_id, is_answer
from autograder.authoring.build import source_notebook
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "authoring.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"^(?:# |<!-- )file: (\S+)(?: -->)?\n")
MISTAKE = "def thresholded(x, threshold):\n    return np.where(x > threshold, x, 0).astype(x.dtype)\n"
ANSWERS: dict[str, dict[str, str]] = {"ada": {}, "bob": {"thresholded": MISTAKE}}


def hand_in(course: Path) -> None:
    """One right notebook, and one with a mistake that the page declares."""
    solved = {grade_id(cell): cell.source for cell in source_notebook(course, "01-windows").cells if is_answer(cell)}
    released = json.loads((course / "notebooks" / "01-windows" / "01-windows.ipynb").read_text())
    for student, own in ANSWERS.items():
        notebook = json.loads(json.dumps(released))
        for cell in notebook["cells"]:
            if grade_id(cell) in solved:
                cell["source"] = (solved | own)[grade_id(cell)]
        path = course / "submitted" / student / "01-windows" / "01-windows.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(notebook))


@pytest.mark.slow
@pytest.mark.sandbox
def test_the_page_leads_from_a_folder_to_marks(tmp_path):
    where, said = tmp_path, []
    for language, text in BLOCK.findall(PAGE):
        if named := FILE.match(text):
            (where / named[1]).parent.mkdir(parents=True, exist_ok=True)
            (where / named[1]).write_text(text[named.end():] if language == "markdown" else text)
            continue
        assert language == "sh"
        for line in text.splitlines():
            command = shlex.split(line)
            if command[0] == "cd":
                where = where / command[1]
                continue
            if command[1] == "grade":
                hand_in(where)
            if command[1] == "book":
                command.append("--no-execute")  # the notebook was run by its students
            ran = subprocess.run([sys.executable, "-m", "autograder.cli", *command[1:]], cwd=where, text=True,
                                 capture_output=True, check=False)
            assert ran.returncode == 0, f"{line}\n{ran.stdout}{ran.stderr}"
            assert "left out" not in ran.stdout
            said.append(ran.stdout)
    assert [exercise_of(cell) for cell in source_notebook(where, "01-windows").cells if exercise_of(cell)] == [
        "output_size", "zero_pad", "conv2d_forward", "thresholded"]
    table = (where / "report" / "01-windows" / "scores.csv").read_text().splitlines()
    assert table[0].endswith("output_size,zero_pad,conv2d_forward,thresholded")
    assert [line.split(",")[-4:] for line in table[1:]] == [["2.0", "2.0", "8.0", "3.0"], ["2.0", "2.0", "8.0", "0.0"]]
    assert "threshold itself dropped" in "".join(said)
    chinese = (where / "notebooks" / "zh_CN" / "01-windows" / "01-windows.ipynb").read_text()
    assert "一个窗口能看到什么" in chinese and "· `thresholded` · 3 分" in chinese
    book = (where / "build" / "book" / "01-windows.html").read_text()
    assert "Seeing in three weeks" in book and "Convolutional networks in notebooks" not in book
    assert "What a window sees" in book and "threshold itself dropped" in book
