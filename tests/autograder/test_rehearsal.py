"""What a student sees at home is what grading gives: the rehearsal, and what a check says of file and grading."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import nbformat
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from nbclient import NotebookClient
from traitlets.config import Config

import autograder
from autograder import rehearsal as rehearsing
from autograder.assignment.cells import grade_id, is_for_handing_in
from autograder.checking import cautions, check, own_file, ran
from autograder.classroom.verdicts import answers_of, judge_notebook
from autograder.errors import RehearsalError, SandboxUnavailableError
from autograder.judging.verdict import How
from autograder.sandbox.isolation import Limits
from tests.classroom import ASSIGNMENT
from tests.effort import rest_slow
from tests.makers_of_notebooks import EXERCISES, WAYS, drawn, written

PLACE = f"notebooks/{ASSIGNMENT}/{ASSIGNMENT}.ipynb"
QUICK = Limits(cell_seconds=1.5, call_seconds=4.0, total_seconds=60.0)


@pytest.fixture(scope="module")
def template(root) -> nbformat.NotebookNode:
    return nbformat.read(root / PLACE, as_version=4)


@pytest.fixture(params=["sandbox", "no sandbox"])
def each_machine(request, monkeypatch):
    """A machine where a sandbox can start, and one where none can."""
    monkeypatch.setattr(rehearsing, "Limits", lambda: QUICK)
    if request.param == "no sandbox":
        def choose(asked="auto"):
            raise SandboxUnavailableError("not here")

        monkeypatch.setattr(rehearsing, "choose", choose)
    return request.param


def both(notebook, template, folder: Path) -> tuple[dict[str, float], dict[str, float]]:
    """Scores by exercise: of a rehearsal, and of grading."""
    path = folder / "mine.ipynb"
    path.write_text(json.dumps(notebook.as_json()))
    told = rehearsing.rehearsal(path)
    shares = judge_notebook(answers_of(path, template), "ada", bytes(range(32)), QUICK)
    return ({f"check-{one.name}": one.verdict.score for one in told.exercises}, shares)


@pytest.mark.sandbox
@pytest.mark.parametrize("name", rest_slow(sorted(WAYS)[::4], 4))
def test_a_rehearsal_gives_what_grading_gives_for_a_way_of_writing(name, each_machine, template, tmp_path):
    rehearsed, graded = both(written(template.cells, [name], Random(name)), template, tmp_path)
    assert rehearsed == graded
    assert all(graded[f"check-{exercise}"] == 1 for exercise in EXERCISES)


@pytest.mark.sandbox
@pytest.mark.parametrize("seed", rest_slow(range(12), 3))
def test_a_rehearsal_gives_what_grading_gives_for_drawn_mistakes(seed, each_machine, template, tmp_path):
    notebook, _ = drawn(template.cells, seed)
    rng = Random(seed)
    for _ in range(3):
        cell = rng.choice([cell for cell in notebook.cells if cell.kind == "code"])
        cell.source = rng.choice([
            "import scipy\n" + cell.source, cell.source.replace("padding", "stride"),
            "from cnncourse import functional", cell.source + "\n1 / 0", cell.source.replace("return", "yield"), "",
            cell.source.replace("(", "((", 1),
            "open('data.csv')\n" + cell.source, "import tqdm, numba\n" + cell.source])
    rehearsed, graded = both(notebook, template, tmp_path)
    assert rehearsed == graded


@pytest.mark.sandbox
def test_what_passes_the_check_and_not_grading_is_told_with_the_reason(each_machine, template, tmp_path):
    notebook = written(template.cells, [], Random(0))
    notebook.at("zero_pad").source = ("import scipy.ndimage\ndef zero_pad(x, padding):\n"
                                      "    return scipy.ndimage.zoom(x, 1)")
    notebook.at("output_size").source = "def output_size(a, b, c, d):\n    raise NotImplementedError"
    path = tmp_path / "mine.ipynb"
    path.write_text(json.dumps(notebook.as_json()))
    autograder.check("zero_pad", lambda x, padding: np.pad(x, ((0, 0), (0, 0), (padding,) * 2, (padding,) * 2)))
    report = rehearsing.rehearsal(path)
    told = {one.name: one for one in report.exercises}
    assert told["zero_pad"].why.startswith("Your last check passed, and grading would not:")
    assert "No module named 'scipy'" in told["zero_pad"].why
    assert told["output_size"].verdict.how is How.NOT_WRITTEN and told["output_size"].why == "not yet written"
    assert ("in a sandbox" in report.footnote) == (each_machine == "sandbox")
    for shown in (repr(report), report._repr_html_()):
        assert "zero_pad" in shown and "scipy" in shown


def test_a_file_that_is_no_notebook_of_the_course_is_told(tmp_path):
    path = tmp_path / "x.ipynb"
    with pytest.raises(RehearsalError, match="There is no file"):
        rehearsing.rehearsal(path)
    for content in ("", "{}", json.dumps(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print(1)")]))):
        path.write_text(content)
        with pytest.raises(RehearsalError, match="none of this course's notebooks"):
            rehearsing.rehearsal(path)


@pytest.mark.sandbox
def test_the_command_says_it_too(root, tmp_path):
    ran_ = subprocess.run([sys.executable, "-m", "autograder.cli", "rehearse", str(root / PLACE)], capture_output=True,
                          text=True, check=False, cwd=tmp_path)
    assert ran_.returncode == 0
    assert "grading would give 0 of 24 points" in " ".join(ran_.stdout.split())
    failed = subprocess.run([sys.executable, "-m", "autograder.cli", "rehearse", "nothing.ipynb"], capture_output=True,
                            text=True, check=False, cwd=tmp_path)
    assert failed.returncode == 1 and "There is no file nothing.ipynb" in failed.stdout


@pytest.mark.slow
@pytest.mark.sandbox
def test_the_last_cell_of_a_notebook_rehearses_the_file_that_the_editor_names(root, template, tmp_path, monkeypatch):
    path = tmp_path / "My notebook.ipynb"
    source = written(template.cells, [], Random(0)).as_json()
    cells = [cell for cell in source["cells"] if grade_id(cell) in ("zero_pad", "check-zero_pad")]
    last = [cell for cell in template.cells if is_for_handing_in(cell)]
    first = [nbformat.v4.new_code_cell("import numpy as np\nfrom autograder import check")]
    small = nbformat.from_dict(json.loads(json.dumps({**source, "cells": [*first, *cells, *last]})))
    nbformat.write(small, path)
    monkeypatch.setenv(own_file.SESSION, f"folder/{path.name}")
    where = {"metadata": {"path": str(tmp_path)}}
    done = NotebookClient(small, timeout=120, kernel_name="python3", resources=where).execute()
    shown = "".join(output.data.get("text/plain", "") for cell in done.cells for output in cell.get("outputs", ())
                    if "data" in output)
    assert f"{path.name} as it is saved: grading would give 2 of 24 points for code." in shown


# ---- what a check says -----------------------------------------------------------------------------------------------

@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """Runs cells as a kernel does, beside a file that an editor names; gives what they print."""
    main = sys.modules["__main__"]
    shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    path = tmp_path / "mine.ipynb"
    monkeypatch.setattr(ran, "_cells", [])
    monkeypatch.setattr(ran, "shell", lambda: shell)
    monkeypatch.setitem(shell.user_ns, own_file.EDITORS_NAME, str(path))
    shell.events.register("post_run_cell", ran.remember)

    def run(source: str, capsys) -> str:
        capsys.readouterr()
        shell.run_cell(source)
        return capsys.readouterr().out

    def save(*sources: str) -> None:
        path.write_text(json.dumps(nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, sources)))))
        os.utime(path, (time.time() + 5,) * 2)

    run.save = save
    yield run
    sys.modules["__main__"] = main


PAD = ("def zero_pad(x, padding):\n    around = (padding, padding)\n"
       "    return np.pad(x, ((0, 0), (0, 0), around, around))")
START = "import numpy as np\nfrom autograder import check"
CHECK = "check('zero_pad', zero_pad)"


def test_a_cell_that_failed_after_an_older_one_is_not_praised(kernel, capsys):
    for source in (START, PAD):
        kernel(source, capsys)
    assert kernel(CHECK, capsys) == "zero_pad: all 11 cases pass.\n"
    for broken, error in ((PAD.replace("return", "retrun"), "SyntaxError"), ("1 / 0\n" + PAD, "ZeroDivisionError")):
        kernel(broken, capsys)
        said = kernel(CHECK, capsys)
        assert said.startswith(f"The cell with zero_pad ended with {error}") and "pass" not in said
    kernel(PAD, capsys)
    assert kernel(CHECK, capsys) == "zero_pad: all 11 cases pass.\n"


def test_a_cell_that_was_changed_and_not_run_is_told(kernel, capsys):
    for source in (START, PAD):
        kernel(source, capsys)
    kernel.save(START, PAD + "\n", CHECK)
    assert kernel(CHECK, capsys) == "zero_pad: all 11 cases pass.\n"
    kernel.save(START, PAD.replace("around", "beside"), CHECK)
    assert "! The cell with zero_pad was changed after it ran" in kernel(CHECK, capsys)


def test_a_name_that_the_saved_notebook_does_not_define_is_told(kernel, capsys):
    helper = "around = lambda p: (p, p)"
    answer = "def zero_pad(x, padding):\n    return np.pad(x, ((0, 0), (0, 0), around(padding), around(padding)))"
    for source in (START, helper, answer):
        kernel(source, capsys)
    kernel.save(START, helper, answer, CHECK)
    assert "!" not in kernel(CHECK, capsys)
    kernel.save(START, answer, CHECK)
    assert "! zero_pad uses around, which no cell of the saved notebook defines" in kernel(CHECK, capsys)
    for other in ("from mine import *", "def around(p): pass", "for around in []: pass", "around: int = 3",
                  "with x as around: pass", "import math as around", "a, around = 1, 2"):
        kernel.save(START, other, answer, CHECK)
        assert "!" not in kernel(CHECK, capsys)


USES = {
    "import scipy\ndef f(x):\n    return scipy.ndimage": "`scipy`",
    "from scipy.ndimage import shift\ndef f(x):\n    return shift(x, 1)": "`scipy`",
    "def f(x):\n    import pandas.io\n    return x": "`pandas`",
    "def f(x):\n    def g():\n        from numba import njit\n    return g": "`numba`",
    "import scipy.fft as other\ndef helper(x):\n    return other.fft(x)\ndef f(x):\n    return helper(x)": "`scipy`",
    "from cnncourse import functional as F\ndef f(x):\n    return F.conv2d(x)": "the course's own packages",
    "import numba\n@numba.njit\ndef helper(x):\n    return x\ndef f(x):\n    return helper(x)": "`numba`",
}
GOOD = (
    "import numpy as np, math, itertools\ndef f(x):\n    return np.linalg.norm(x) + math.pi + sum(itertools.count())",
    "from functools import lru_cache\n@lru_cache\ndef f(x):\n    return x", "import scipy\ndef f(x):\n    return x",
    "import matplotlib.pyplot as plt\ndef f(x):\n    plt.plot(x)\n    return x", "f = lambda x: x", "f = max",
    "class C:\n    def __call__(self, x):\n        return x\nf = C()",
)


@pytest.mark.parametrize("source", [*USES, *GOOD])
def test_what_an_answer_uses_and_grading_has_not_is_named(source):
    names: dict = {"__name__": "__main__"}
    exec(compile(source, "<cell>", "exec"), names)
    said = cautions.cautions({"f": names["f"]})
    assert [one.split(" uses ")[1].split(", which")[0] for one in said] == ([USES[source]] if source in USES else [])


def test_under_validate_what_grading_has_not_fails(monkeypatch, capsys):
    import scipy.ndimage

    def zero_pad(x, padding):
        scipy.ndimage.shift(x, 0)
        return np.pad(x, ((0, 0), (0, 0), (padding,) * 2, (padding,) * 2))

    check.check("zero_pad", zero_pad)
    assert "! zero_pad uses `scipy`" in capsys.readouterr().out
    monkeypatch.setenv(check.VALIDATING, "1")
    with pytest.raises(AssertionError, match="uses `scipy`"):
        check.check("zero_pad", zero_pad)
    assert autograder.rehearse() is None and capsys.readouterr().out.count("rehearsal") == 0
