"""A notebook means in grading what it means in Jupyter: honest people lose nothing by how they write it."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import sys
from collections.abc import Iterator
from random import Random

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from matplotlib import pyplot
from traitlets.config import Config

import autograder
from autograder.assignment.cells import grade_id
from autograder.checking.answers import by_name
from autograder.classroom.verdicts import RECORD, answers_of, judge_notebook
from autograder.exercises.contents import find
from autograder.judging.judge import judge
from autograder.judging.local import LocalRunner
from autograder.sandbox.isolation import Limits
from autograder.sandbox.needed import needed
from tests.makers_of_notebooks import ANSWERS, EXERCISES, NEVER_AT_HOME, RESCUED, WAYS, Cell, Notebook, drawn, written

pytestmark = pytest.mark.sandbox
QUICK = Limits(cell_seconds=1.5, call_seconds=4.0, total_seconds=60.0, memory_bytes=1 << 30)
ALL = dict.fromkeys(EXERCISES, 1.0)
KEPT = {*ANSWERS, *(f"check-{name}" for name in EXERCISES)}
DRAWS = 60


@pytest.fixture(scope="module")
def template(root) -> nbformat.NotebookNode:
    """The released notebook 01, with three of its exercises and the two cells above them."""
    path = root / "notebooks" / "01-local-connectivity" / "01-local-connectivity.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [cell for i, cell in enumerate(notebook.cells)
                      if grade_id(cell) in KEPT or (cell.cell_type == "code" and i < 5)]
    return notebook


@pytest.fixture(scope="module")
def shell() -> Iterator[InteractiveShell]:
    """What a kernel runs cells with."""
    main = sys.modules["__main__"]
    own = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    own.enable_gui = lambda *_: None  # a kernel has one
    yield own
    sys.modules["__main__"] = main  # a shell takes its place
    pyplot.close("all")


def at_home(notebook: Notebook, shell: InteractiveShell, monkeypatch, folder) -> dict[str, float]:
    """Scores after Restart & Run All: what a check says where it stands or, if that is above the answer, at the end."""
    scores = dict.fromkeys(EXERCISES, 0.0)

    def check(name, *functions):
        result = judge(find(name), LocalRunner(by_name(find(name), functions)), explain=False)
        scores[name] = max(scores[name], result.score)

    shell.reset()
    monkeypatch.setattr(autograder, "check", check)
    monkeypatch.chdir(folder)
    shell.user_ns["__name__"] = "__main__"
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        for cell in notebook.cells:
            if cell.kind == "code":
                shell.run_cell(cell.source)
        for name, answers in EXERCISES.items():
            functions = [shell.user_ns.get(answer) for answer in answers]
            if scores[name] < 1 and all(map(callable, functions)):
                check(name, *functions)
    return scores


def in_grading(notebook: Notebook, template: nbformat.NotebookNode, folder) -> tuple[dict[str, float], dict]:
    """Scores in the sandbox, and the record."""
    path = folder / "handed-in.ipynb"
    path.write_text(json.dumps(notebook.as_json()))
    rebuilt = answers_of(path, template)
    nbformat.validate(rebuilt)
    shares = judge_notebook(rebuilt, "ada", b"0123456789abcdef", QUICK)
    return {name: shares[f"check-{name}"] for name in EXERCISES}, rebuilt.metadata[RECORD]


@pytest.mark.parametrize("name", WAYS)
def test_an_honest_way_of_writing_a_notebook_costs_nothing(name, template, shell, monkeypatch, tmp_path):
    notebook = written(template.cells, [name], Random(name))
    if name not in NEVER_AT_HOME | RESCUED:
        assert at_home(notebook, shell, monkeypatch, tmp_path) == ALL
    scores, record = in_grading(notebook, template, tmp_path)
    assert scores == ALL, (record["problems"], record["problems_inside"], record["verdicts"])


@pytest.mark.parametrize("seed", range(DRAWS))
def test_ways_together_cost_nothing(seed, template, shell, monkeypatch, tmp_path):
    notebook, names = drawn(template.cells, seed)
    home = ALL if RESCUED.intersection(names) else at_home(notebook, shell, monkeypatch, tmp_path)
    scores, record = in_grading(notebook, template, tmp_path)
    assert (home, scores) == (ALL, ALL), (names, record["problems"], record["problems_inside"], record["verdicts"])


GIVEN_UP = {
    "a cell that never ends and may do anything": "did not finish within 1.5 s (line ",
    "a cell that waits for ever": "did not finish within 1.5 s (line 2: os.getcwd(), time.sleep(10 ** 6))",
    "a cell that catches every interruption": "did not finish", "a cell that is busy in C": "did not finish",
    "a cell that prints without end": "did not finish", "a cell that ends the kernel": "ended the process",
    "a cell that is no Python": "SyntaxError"}


@pytest.mark.parametrize("name", GIVEN_UP)
def test_a_student_reads_which_cell_was_given_up(name, template, tmp_path):
    notebook = written(template.cells, [name], Random(name))
    _, record = in_grading(notebook, template, tmp_path)
    assert list(record["problems_inside"]) == ["own cell 1"]
    assert GIVEN_UP[name] in record["problems_inside"]["own cell 1"]


def test_an_import_that_an_answer_needs_and_grading_has_not_is_named(template, tmp_path):
    notebook = Notebook(template.cells).solve()
    notebook.above("zero_pad", "from no_such_package import pad\n")
    notebook.at("zero_pad").source = "def zero_pad(x, padding):\n    return pad(x, padding)\n"
    scores, record = in_grading(notebook, template, tmp_path)
    assert scores["zero_pad"] == 0
    assert "No module named 'no_such_package'" in record["problems_inside"]["own cell 1"]
    assert "No module named 'no_such_package'" in record["verdicts"]["zero_pad"]["message"]


ANSWER = "def f(x):\n    return table[0] + two + helper(x)\n"
SEEN = (
    "two = 2", "table = {}", "table[0] = 1", "table.update({1: 2})", "for table[0] in range(3): pass",
    "for k in range(3):\n    table[k] = k", "del two", "import math as two", "from math import *", "helper = print",
    "def helper(x): return x", "class two: pass", "with open('x') as two: pass", "if (two := 3) > 2: pass",
    "exec('two = 3')", "globals()['two'] = 3", "setattr(table, 'a', 1)", "import random\nrandom.shuffle(table)",
    "np.copyto(table, 0)", "np.seterr(all='raise')", "sorted(table, key=print)", "list(table)", "sum(k for k in table)",
    "next(table)", "def set_up():\n    global two\n    two = 5\nset_up()", "g = lambda: table.clear()\ng()",
    "def inner():\n    def more():\n        table.pop()\n    more()\nh = inner\nh()", "sys.setrecursionlimit(99)",
    "raise SystemExit", "if not two: raise ValueError", "f.__defaults__ = (1,)", "f.cache = {}", "helper.x = 1",
    "class C:\n    def go(self): table.clear()\nC().go()", "async def change(): table.clear()\nawait change()",
    "try:\n    two = 1\nexcept ValueError: pass", "two += 1", "match 3:\n    case two: pass",
    "match [1]:\n    case [*two]: pass", "match {}:\n    case {**two}: pass",
    "try:\n    1 / 0\nexcept ZeroDivisionError as two: pass",
)
UNSEEN = (
    "print(two, f(3))", "f(3)", "x = f(3)\ny = x + 1\nprint(x.max(), y)", "assert f(3) == 4", "check('f', f)",
    "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()", "for i in range(9):\n    print(i, f(i))",
    "out = np.abs(f(3) - np.ones(3)).max()", "def mine(x): return x + 1\nprint(mine(3))", "f", "two", "'text'",
    "len(table)",
    "results = []\nfor i in range(3):\n    results.append(f(i))\nprint(results)", "rng = np.random.default_rng(0)",
    "class Mine:\n    def go(self):\n        self.x = 1\nMine().go()", "[f(i) for i in range(9)]", "while True: pass",
    "time.sleep(9)", "preview(lambda: f(3))", "x = two + table[0]",
)


@pytest.mark.parametrize("source", SEEN)
def test_what_an_answer_can_see_runs(source):
    last = list(ast.parse(source).body)[-1]
    (statements,) = needed({"own": source}, [ANSWER], ["f"]).values()
    assert ast.dump(statements[-1]) == ast.dump(last)


@pytest.mark.parametrize("source", UNSEEN)
def test_what_no_answer_can_see_does_not_run(source):
    assert needed({"own": source}, [ANSWER], ["f"]) == {"own": []}


def test_what_an_answer_sees_by_way_of_others_runs():
    own = {"a": "k = 1\nunused = 3", "b": "def inner(x): return x + k", "c": "def helper(x): return inner(x)\nprint(k)"}
    found = {cell: [ast.unparse(node) for node in nodes] for cell, nodes in needed(own, [ANSWER], ["f"]).items()}
    assert found == {"a": ["k = 1"], "b": ["def inner(x):\n    return x + k"],
                     "c": ["def helper(x):\n    return inner(x)"]}


def _append(source: str):
    return lambda notebook: notebook.cells.append(Cell(source))


def _instead(name: str, source: str):
    def change(notebook):
        notebook.at(name).source = source
    return change



UNEARNED = {
    "nothing written": (lambda notebook: setattr(notebook, "cells", notebook.stubs), set(EXERCISES)),
    "a stub with another docstring": (_instead(
        "output_size", "def output_size(*sizes):\n    '''Mine.'''\n    pass\n    raise NotImplementedError('later')\n"),
        {"output_size", "conv2d_matmul"}),
    "a wrong one below the right one": (_append("def output_size(*settings):\n    return 7\n"), {"output_size"}),
    "the reference by name": (_append("zero_pad = F.zero_pad if hasattr(F, 'zero_pad') else F.pad\n"), set()),
    "the reference in an answer": (_instead(
        "conv2d_matmul", "def conv2d_matmul(x, w, b, s, p):\n    return F.conv2d(x, w, b, stride=s, padding=p)\n"),
        {"conv2d_matmul"}),
    "the reference in place of an answer": (_instead(
        "conv2d_matmul", "conv2d_matmul = lambda x, w, b, s, p: F.conv2d(x, w, b, stride=s, padding=p)\n"),
        {"conv2d_matmul"}),
    "another check": (_instead("output_size", "def check(*_): return 'all right'\n"
                               "def output_size(*settings):\n    return 7\n"), {"output_size", "conv2d_matmul"}),
    "a name of another answer's cell": (_instead("zero_pad", "def zero_padding(x, padding):\n    return x\n"),
                                        {"zero_pad", "conv2d_matmul"}),
    "a check that has seen the right one": (lambda notebook: notebook.cells.extend([
        Cell("check('output_size', output_size)"), Cell("def output_size(*settings):\n    return 7\n")]),
        {"output_size"}),
    "what IPython would run": (_instead(
        "output_size", "def output_size(*settings):\n    !cat /etc/passwd\n    return get_ipython().getoutput('x')\n"),
        {"output_size", "conv2d_matmul"}),
}


@pytest.mark.parametrize("name", UNEARNED)
def test_what_is_not_right_earns_nothing(name, template, tmp_path):
    change, lost = UNEARNED[name]
    notebook = Notebook(template.cells).solve()
    change(notebook)
    scores, _ = in_grading(notebook, template, tmp_path)
    assert {exercise for exercise, score in scores.items() if score < 1} >= lost
    assert all(scores[exercise] < 1 for exercise in lost)
