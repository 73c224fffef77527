"""Test cells of nbgrader's own kind: an assignment of somebody's that has asserts instead of exercises.

They run in the sandbox, in the process that runs the student's cells, as nbgrader runs them in one kernel. So they are
safe for whoever grades, and no proof: whoever writes the notebook can forge what happens beside it. Exercises of ours
cannot be forged, since their answers are compared outside.

A test gives all its points if it ends without an error, none if it raises, and if its last line is a number, so many.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.assignment.cells import exercise_of, grade_id, grading
from autograder.sandbox.outcome import Ending, Outcome
from autograder.sandbox.session import Cell
from cnncourse.language import say

if TYPE_CHECKING:
    from nbformat import NotebookNode

ALIAS = "_course_test_{}"
"""What a test is called in the sandbox."""

TEST = '''\
def {alias}():
    import ast
    names = globals()
    for earlier in {earlier!r}:
        try:
            exec(compile(earlier, "<an earlier test>", "exec"), names)
        except Exception:
            pass
    tree = ast.parse({source!r}, "<{name}>")
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<{name}>", "exec"), names)
    value = None if last is None else eval(compile(ast.Expression(last.value), "<{name}>", "eval"), names)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number else None

def {alias}_uses():
    return ({uses})
'''


def tests_of(template: NotebookNode) -> dict[str, str]:
    """Test cells of a notebook that are for no exercise, by their grade_id."""
    return {grade_id(cell): cell.source for cell in template.cells
            if cell.cell_type == "code" and grading(cell).get("grade") and not grading(cell).get("solution")
            and not exercise_of(cell)}


def with_hidden(template: NotebookNode, directory: Any, assignment: str, notebook: str) -> dict[str, str]:
    """The same with their hidden parts, which only the source version has.

    Parameters
    ----------
    template : NotebookNode
        The notebook that was handed out.
    directory : CourseDirectory
    assignment, notebook : str
    """
    import nbformat

    found = tests_of(template)
    path = Path(directory.format_path(directory.source_directory, ".", assignment), f"{notebook}.ipynb")
    if found and path.is_file():
        found |= {name: source for name, source in tests_of(nbformat.read(path, as_version=4)).items() if name in found}
    return found


def as_cells(tests: Mapping[str, str]) -> list[Cell]:
    """What runs in the sandbox after the notebook's cells: a function for each test."""
    sources = list(tests.values())
    return [Cell(ALIAS.format(number), TEST.format(
        alias=ALIAS.format(number), earlier=sources[:number], source=source, name=name.replace('"', "'"),
        uses="".join(f"{used}, " for used in _names_in([*sources[:number], source]))))
        for number, (name, source) in enumerate(tests.items())]


def _names_in(sources: Iterable[str]) -> list[str]:
    """Names that tests take from the notebook: cells of the student's own run if these need them."""
    found: set[str] = set()
    for source in sources:
        with contextlib.suppress(SyntaxError, ValueError):
            found |= {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    return sorted(found)


def aliases(tests: Iterable[str]) -> dict[str, str]:
    """What each test is called in the sandbox, by its grade_id."""
    return {name: ALIAS.format(number) for number, name in enumerate(tests)}


def share_of(outcome: Outcome, points: float) -> float:
    """The share of its points that a test gives."""
    if outcome.ending is not Ending.VALUE:
        return 0.0
    if isinstance(outcome.value, float) and points:
        return min(1.0, max(0.0, outcome.value / points))
    return 1.0


def told(outcome: Outcome, share: float) -> str:
    """What its page says of a test."""
    if outcome.ending is Ending.VALUE:
        return say("This test passes.") if share == 1 else say("This test gives {share:.0%} of its points.",
                                                               share=share)
    if outcome.ending is Ending.NOT_WRITTEN:
        return say("What is tested here is not yet written.")
    return say("This test fails: {reason}", reason=outcome.text)
