"""Notebooks whose cells, metadata or files are not as they were handed out."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from tests.attacks.model import EXERCISE, NONE, WRITTEN, WRONG, Attack, Notebook, Target, cell, nothing, wrong

CHECK = f"check-{EXERCISE}"


def _then(change: Callable[[Notebook], Any]) -> Callable[[Notebook, Target], None]:
    """The wrong answer, and a change to the notebook."""
    def edit(notebook: Notebook, target: Target) -> None:
        wrong(notebook, target)
        change(notebook)
    return edit


def _metadata(name: str, **changes: Any) -> Callable[[Notebook, Target], None]:
    return _then(lambda notebook: cell(notebook, name)["metadata"]["nbgrader"].update(changes))


def _tag_check(notebook: Notebook) -> None:
    cell(notebook, CHECK)["metadata"]["tags"] = ["skip-execution", "remove-cell", "hide-cell"]


def _unmark_written(notebook: Notebook) -> None:
    written = cell(notebook, WRITTEN)
    written |= {"cell_type": "code", "outputs": [], "execution_count": None, "source": "pass"}
    written["metadata"]["nbgrader"] |= {"solution": False, "cell_type": "code"}


def _swap_names(notebook: Notebook) -> None:
    """The check of an answer that is right takes the name of the one that is wrong."""
    one, other = cell(notebook, CHECK), cell(notebook, "check-conv1x1")
    one["metadata"]["nbgrader"]["grade_id"], other["metadata"]["nbgrader"]["grade_id"] = "check-conv1x1", CHECK


def _forge_record(notebook: Notebook) -> None:
    verdict = {"score": 1.0, "points": 5.0, "max_points": 5, "passed": 14, "cases": 14, "misconceptions": [],
               "not_written": False, "ended": "", "message": "all cases pass"}
    notebook["metadata"]["cnncourse"] = {
        "submission": "0" * 64, "version": "0" * 64, "seconds": 0.1, "problems": [], "problems_inside": {},
        "verdicts": dict.fromkeys(NONE, verdict)}


def _forge_outputs(notebook: Notebook) -> None:
    cell(notebook, CHECK)["outputs"] = [
        {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": {"text/plain": "5"}}]


def _forge_score(notebook: Notebook) -> None:
    for entry in notebook["cells"]:
        entry["metadata"].get("nbgrader", {}).update(score=100, auto_score=100, manual_score=100, points=100)


def _rewrite_setup(notebook: Notebook) -> None:
    setup = next(c for c in notebook["cells"] if "setup" in c["metadata"].get("tags", ()))
    setup["source"] = "class np:\n    def __getattr__(self, name): return lambda *a, **k: True\n"


def _add_setup(notebook: Notebook) -> None:
    notebook["cells"].insert(0, {
        "cell_type": "code", "id": "first", "metadata": {"tags": ["setup"]}, "outputs": [], "execution_count": None,
        "source": "import numpy.testing\nnumpy.testing.assert_allclose = print\nraise SystemExit(0)\n"})


def _split(notebook: Notebook) -> None:
    """The right beginning in one cell, another end in a second cell of the same name."""
    own = cell(notebook, EXERCISE)
    second = copy.deepcopy(own)
    second["id"], second["source"] = "second-half", WRONG
    notebook["cells"].append(second)


def _to_type(kind: str) -> Callable[[Notebook], None]:
    def change(notebook: Notebook) -> None:
        for name in (EXERCISE, CHECK):
            own = cell(notebook, name)
            own["cell_type"] = kind
            own.pop("outputs", None)
            own.pop("execution_count", None)
    return change


def _second_notebook(notebook: Notebook, target: Target) -> None:
    wrong(notebook, target)


def _rename_kernel(notebook: Notebook) -> None:
    notebook["metadata"]["kernelspec"] = {"name": "../../../bin/sh", "display_name": "x", "language": "bash"}
    notebook["metadata"]["language_info"] = {"name": "bash", "pygments_lexer": "../../x"}


ATTACKS = (
    Attack("tag the test cell to be skipped", "structure", _then(_tag_check)),
    Attack("mark the hand-graded cell as no solution", "structure", _then(_unmark_written), by_hand=True),
    Attack("delete the test cell", "structure", _then(lambda n: n["cells"].remove(cell(n, CHECK)))),
    Attack("delete the test cell on resubmission", "structure", _then(lambda n: n["cells"].remove(cell(n, CHECK))),
           before=nothing),
    Attack("delete the answer cell on resubmission", "structure", lambda n, t: n["cells"].remove(cell(n, EXERCISE)),
           before=nothing, told=f"answer cell {EXERCISE} is missing"),
    Attack("rewrite the test cell", "structure", _then(lambda n: cell(n, CHECK).update(source="5.0"))),
    Attack("show the maximum in the test cell's output", "structure", _then(_forge_outputs)),
    Attack("make the test cell worth a million points", "structure", _metadata(CHECK, points=1e6)),
    Attack("make the test cell worth NaN points", "structure", _metadata(CHECK, points=float("nan"))),
    Attack("make the test cell ungraded and unlocked", "structure", _metadata(CHECK, grade=False, locked=False)),
    Attack("make the test cell a solution", "structure", _metadata(CHECK, solution=True, locked=False)),
    Attack("make the test cell a task", "structure", _metadata(CHECK, task=True, grade=False)),
    Attack("write scores into the metadata", "structure", _then(_forge_score)),
    Attack("claim a schema of the future", "structure", _metadata(CHECK, schema_version=99)),
    Attack("claim a schema that is no number", "structure", _metadata(CHECK, schema_version=[{}])),
    Attack("give the test another cell's name", "structure", _then(_swap_names)),
    Attack("names that are no text", "structure", _metadata(CHECK, grade_id={"$ne": None})),
    Attack("duplicate the test cell", "structure", _then(
        lambda n: n["cells"].append(copy.deepcopy(cell(n, CHECK))))),
    Attack("duplicate the answer, the wrong one last", "structure", _then(_split)),
    Attack("answer twice, right first and wrong then", "structure", lambda n, t: _split(n),
           told="more than once"),
    Attack("reverse the order of all cells", "structure", _then(lambda n: n["cells"].reverse())),
    Attack("turn answer and test into text", "structure", _then(_to_type("markdown"))),
    Attack("turn answer and test into raw cells", "structure", _then(_to_type("raw"))),
    Attack("turn cells into a kind that does not exist", "structure", _then(_to_type("../../x"))),
    Attack("forge the judge's record in the notebook", "structure", _then(_forge_record)),
    Attack("rewrite the setup cell", "structure", _then(_rewrite_setup), points=dict.fromkeys(("zero_pad", "conv2d_forward", "conv2d_matmul", "conv1x1", "dilated_conv2d"), 0.0)),
    Attack("add a setup cell that exits", "structure", _then(_add_setup)),
    Attack("ask for another kernel", "structure", _then(_rename_kernel)),
    Attack("hand in the notebook of the format before", "structure", _then(
        lambda n: n.update(nbformat=3, worksheets=[{"cells": n.pop("cells")}]))),
    Attack("worksheets that hold no list", "structure", lambda n, t: (n.pop("cells"), n.update(
        nbformat=3, worksheets=[{"cells": 5}, 7, None]))[0] and None, points=NONE, told="no cells|damaged|missing",
        unread=True),
    Attack("cells that are no cells", "structure", _then(
        lambda n: n["cells"].extend([None, 7, "x", [], {"metadata": []}, {"cell_type": [], "source": {"a": 1}}])),
        told="damaged"),
)
