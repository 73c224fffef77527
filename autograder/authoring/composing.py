"""The text of an assignment: the library's, with the exercises that a course has chosen, or the course's own.

A text is a notebook in MyST Markdown, with solutions. A course's folder may hold

- assignments/NAME.md, a text of its own; a fence ```` ```{exercise} max_pool2d_forward ```` in it stands for an
  exercise, the library's or the course's own, with its heading, its answer and its check;
- assignments/NAME/SECTION.md, which takes the place of one section of a text: what stands before the first section is
  called `introduction`, the others are called like their headings, `the-same-filter-everywhere`; an empty file leaves
  the section out;
- none of these: then the text is the library's, or one exercise below the other.
"""

from __future__ import annotations

import inspect
import json
import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.assignment.cells import ANYWHERE, CHECK_PREFIX, HANDING_IN, exercise_of, grade_id, grading, is_answer
from autograder.errors import AutograderError, BuildError
from autograder.exercises.contents import find, taught
from autograder.judging.exercise import Exercise
from autograder.showing.templating import template
from autograder.syllabus import Plan, Syllabus, library
from cnncourse import language as languages
from cnncourse.language import mark, say

INTRODUCTION = "introduction"
DIRECTIVE = re.compile(r"^(`{3,})\{exercise\} *(\S+) *\n\1 *$", re.MULTILINE)
HEADING = re.compile(r"^### ([^`\n]*?)\d+ · ((?:`\w+`[^·`\n]*?)+) · ([\d.]+) ?([^\n]*)$", re.MULTILINE)
"""An exercise's own heading in any language: "### Exercise 3 · `relu` and `relu_backward` · 4 points"."""

SECTION = re.compile(r"^## +(?:\d+ +)?(.*?)(?: · [\d.]+ points)? *$", re.MULTILINE)
EXERCISE = mark("### Exercise {number} · {names} · {points}")
ONE_POINT, POINTS = mark("1 point"), mark("{points:g} points")
GIVEN = mark("### Given · {names}")
GIVEN_HEADING = re.compile(r"^### Given · ([^\n]*)$", re.MULTILINE)
SOLUTION_LINES = re.compile(r"^[ \t]*### (?:BEGIN|END) SOLUTION[ \t]*\n?", re.MULTILINE)
START = '''\
import numpy as np
'''
JUDGE = '''\
from autograder import check, hint, preview, progress
from cnncourse import data, functional as F, plotting, widgets, zoo
'''


@dataclass(frozen=True)
class Block:
    """The cells of one exercise in a text: its heading first, its check last."""

    cells: tuple[NotebookNode, ...]


def composed(root: Path, assignment: str) -> NotebookNode:
    """The text of an assignment as a notebook, in English, with solutions.

    Parameters
    ----------
    root : Path
        The course's folder; its exercises are being taught, see `contents.teaching`.
    assignment : str

    Raises
    ------
    BuildError
        If there is no text, or it and the course's plan do not agree; with the file.
    SyllabusError
        If the course has no such assignment, see `Syllabus.plan`.
    """
    syllabus = Syllabus.read(root)
    plan = syllabus.plan(assignment)
    path = text_path(syllabus, plan)
    try:
        if path is None:
            notebook = _sheet(root, plan, syllabus.title)
        else:
            notebook = read_text(path.read_text(encoding="utf-8"))
            notebook.cells = [new for cell in notebook.cells for new in _expanded(root, cell)]
        _replace_sections(notebook, syllabus.root / "assignments" / assignment)
        if plan.exercises is not None:
            _choose(root, notebook, plan)
        _set_points(notebook)
    except AutograderError as error:
        raise BuildError(f"{path or plan.name}: {error}") from error
    return notebook


def read_text(text: str) -> NotebookNode:
    """A notebook of its text.

    Raises
    ------
    BuildError
        If it cannot be read.
    """
    try:
        return jupytext.reads(text, fmt="md:myst")
    except Exception as error:  # jupytext's readers raise what they like
        raise BuildError(f"it cannot be read: {error}") from error


def text_path(syllabus: Syllabus, plan: Plan) -> Path | None:
    """The file of an assignment's text: the course's own goes before the library's; None if there is none.

    Raises
    ------
    BuildError
        If there is none and the plan chooses no exercises either.
    """
    own = syllabus.root / "assignments" / f"{plan.name}.md"
    if own.is_file():
        return own
    if plan.based_on:
        return library(syllabus.root) / "solutions" / f"{plan.based_on}.md"
    if plan.exercises is None:
        raise BuildError(f"{plan.name} has neither a text, which would be {own}, nor exercises in course.toml")
    return None


def retitle(notebook: NotebookNode, exercises: Iterable[Exercise]) -> None:
    """Count the exercises in their headings and say there what they are worth, in the language that is spoken.

    Parameters
    ----------
    notebook : NotebookNode
        In any language; changed in place.
    exercises : iterable of Exercise
        Those of the notebook, with the points that they have here.
    """
    worth = {name: exercise.points for exercise in exercises for name in (*exercise.answers, exercise.name)}
    number = 0

    def counted(heading: re.Match[str]) -> str:
        nonlocal number
        number += 1
        points = worth.get(_names_in(heading[2])[0], float(heading[3]))
        return say(EXERCISE, number=number, names=heading[2],
                   points=say(ONE_POINT) if points == 1 else say(POINTS, points=points))

    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = HEADING.sub(counted, cell.source)
            cell.source = GIVEN_HEADING.sub(lambda heading: say(GIVEN, names=heading[1]), cell.source)


def first_cell(address: str = "") -> NotebookNode:
    """A cell that installs the course where it is missing: Colab, Kaggle, VS Code, a bare Jupyter.

    Parameters
    ----------
    address : str, optional
        Of the class's wheel on the internet; the one that lies beside the notebook goes before it.
    """
    missing = say("The course is not installed here. Put the file cnncourse-...whl of the zip that you were given "
                  "beside this notebook (on Colab: upload it), and run this cell again.")
    restart = say("The course was installed. Restart the kernel, then run the cells from top to bottom.")
    source = template("course/first_cell.py.j2", plain=True).render(
        begin=ANYWHERE, address=json.dumps(address), missing=json.dumps(missing, ensure_ascii=False),
        restart=json.dumps(restart, ensure_ascii=False))
    return new_code_cell(source.strip(), metadata={"tags": [HANDING_IN], "jupyter": {"source_hidden": True}})


def last_section() -> list[NotebookNode]:
    """What each notebook ends with, in the language that is spoken: a rehearsal of grading."""
    text = say("## Before you hand in\n\nSave the notebook, then run the next cell. It takes the saved file, treats it "
               "as grading will, in a fresh process that has NumPy and nothing of this session, and says what each "
               "exercise would give. Grading itself draws other inputs.")
    return [new_markdown_cell(text, metadata={"tags": [HANDING_IN]}),
            new_code_cell("from autograder import rehearse\n\nrehearse()", metadata={"tags": [HANDING_IN]})]


def headings(notebook: NotebookNode) -> list[str]:
    """The exercises' headings, without the signs that make them headings."""
    lines = [line for cell in notebook.cells if cell.cell_type == "markdown" for line in cell.source.splitlines()]
    return [line.removeprefix("### ") for line in lines if re.match(r"### [^`]*· `", line)]


def _names_in(names: str) -> list[str]:
    return re.findall(r"`(\w+)`", names)


def translations(root: Path, assignment: str, language: str) -> dict[str, str]:
    """Paragraphs of an assignment in a language, by their English: the library's, and the course's own before them.

    Parameters
    ----------
    root : Path
        The course's folder.
    assignment : str
    language : str
    """
    files = sorted((library(root) / "solutions" / "locale" / language / "LC_MESSAGES").glob("*.po"))
    # The same sentence may be translated for each text: the assignment's own catalogue speaks last but one.
    based_on = Syllabus.read(root).plan(assignment).based_on
    files.sort(key=lambda path: path.stem == based_on)
    own = root / "locale" / language / "LC_MESSAGES" / f"{assignment}.po"
    return {english: text for path in (*files, own) if path.is_file()
            for english, text in languages.read(path).items() if text}


def slug(heading: str) -> str:
    """What a section's file is called: its heading in small letters, with hyphens."""
    return re.sub(r"[^\w]+", "-", heading.lower()).strip("-")


def sections(notebook: NotebookNode) -> list[str]:
    """Names of a text's sections, as their files are called."""
    return [name for name, _ in _sections(notebook.cells)]


def _sections(cells: Iterable[NotebookNode]) -> list[tuple[str, list[NotebookNode]]]:
    """The cells of each section; a cell of prose in which one begins is cut there."""
    found: list[tuple[str, list[NotebookNode]]] = [(INTRODUCTION, [])]
    for cell in cells:
        starts = list(SECTION.finditer(cell.source)) if cell.cell_type == "markdown" else []
        if not starts:
            found[-1][1].append(cell)
            continue
        if before := cell.source[:starts[0].start()].rstrip():
            found[-1][1].append(_like(cell, before))
        for heading, end in zip(starts, [*(later.start() for later in starts[1:]), len(cell.source)], strict=True):
            found.append((slug(heading[1]), [_like(cell, cell.source[heading.start():end].rstrip())]))
    return found


def _like(cell: NotebookNode, source: str) -> NotebookNode:
    return new_markdown_cell(source, metadata=dict(cell.metadata))


def _replace_sections(notebook: NotebookNode, folder: Path) -> None:
    """Put the course's own sections in the place of a text's."""
    own = {path.stem: path for path in sorted(folder.glob("*.md"))}
    if not own:
        return
    known = _sections(notebook.cells)
    if unknown := sorted(set(own) - {name for name, _ in known}):
        raise BuildError(f"{own[unknown[0]]}: the text has no section of this name. Sections: "
                         f"{', '.join(name for name, _ in known)}")
    notebook.cells = [cell for name, cells in known for cell in (
        read_text(own[name].read_text(encoding="utf-8")).cells if name in own else cells)]


def _expanded(root: Path, cell: NotebookNode) -> Iterator[NotebookNode]:
    """A cell of a course's own text, with the exercises that it names."""
    if cell.cell_type != "markdown" or not DIRECTIVE.search(cell.source):
        yield cell
        return
    end = 0
    for directive in DIRECTIVE.finditer(cell.source):
        if before := cell.source[end:directive.start()].strip("\n"):
            yield new_markdown_cell(before)
        yield from block(root, find(directive[2])).cells
        end = directive.end()
    if rest := cell.source[end:].strip("\n"):
        yield new_markdown_cell(rest)


def block(root: Path, exercise: Exercise) -> Block:
    """The cells of an exercise: as they stand in the library's text, or made of its declaration.

    Parameters
    ----------
    root : Path
        The course's folder.
    exercise : Exercise
    """
    for path in sorted((library(root) / "solutions").glob("*.md")):
        if f"grade_id: {CHECK_PREFIX}{exercise.name}," in path.read_text(encoding="utf-8"):
            return _block_in(read_text(path.read_text(encoding="utf-8")), exercise)
    return _declared_block(exercise)


def _block_in(notebook: NotebookNode, exercise: Exercise) -> Block:
    cells = notebook.cells
    last = next(place for place, cell in enumerate(cells) if exercise_of(cell) == exercise.name)
    first = next(place for place, cell in enumerate(cells) if grade_id(cell) in exercise.answers)
    heading = next(place for place in range(first, -1, -1) if HEADING.search(cells[place].source))
    begin = HEADING.search(cells[heading].source)
    assert begin is not None
    return Block((_like(cells[heading], cells[heading].source[begin.start():]), *cells[heading + 1:last + 1]))


def _declared_block(exercise: Exercise) -> Block:
    """Heading, stubs with the statement and the reference as their solution, and the check."""
    names = ", ".join(f"`{answer}`" for answer in exercise.answers)
    heading = new_markdown_cell(EXERCISE.format(number=1, names=names, points=POINTS.format(points=exercise.points)))
    answers = [_graded(new_code_cell(_solved(exercise, answer)), answer, solution=True) for answer in exercise.answers]
    check = new_code_cell(f'check("{exercise.name}", {", ".join(exercise.answers)})')
    return Block((heading, *answers, _graded(check, CHECK_PREFIX + exercise.name)))


def _solved(exercise: Exercise, answer: str) -> str:
    """A stub with the declaration's statement, and the reference between the marks of a solution."""
    reference = exercise.references[answer]
    try:
        lines = textwrap.dedent(inspect.getsource(reference)).splitlines()
    except (OSError, TypeError):
        lines = []
    body = lines[next((at for at, line in enumerate(lines) if line.rstrip().endswith(":")), len(lines)) + 1:]
    signature = f"def {answer}({', '.join(exercise.parameter_names(answer))}):"
    statement = textwrap.indent(f'"""{exercise.statement}\n"""' if "\n" in exercise.statement else
                                f'"""{exercise.statement}"""', "    ")
    return "\n".join([signature, statement, "    ### BEGIN SOLUTION", *(body or ["    ..."]), "    ### END SOLUTION"])


def _graded(cell: NotebookNode, name: str, *, solution: bool = False) -> NotebookNode:
    cell.metadata["nbgrader"] = nbformat.from_dict({
        "cell_type": "code", "grade": not solution, "grade_id": name, "locked": not solution, "schema_version": 3,
        "solution": solution, "task": False})
    return cell


def _sheet(root: Path, plan: Plan, title: str) -> NotebookNode:
    """A text for exercises without one: a title, how to begin, then one exercise below the other."""
    start = new_code_cell(START.strip(), metadata={"tags": ["setup"]})
    heading = f"# {plan.name}" + (f"\n\n*{title}*" if title else "")
    blocks = [block(root, find(name)) for name in plan.exercises or ()]
    return new_notebook(cells=[new_markdown_cell(heading), start, new_code_cell(JUDGE.strip()),
                               *(cell for one in blocks for cell in one.cells)])


def _choose(root: Path, notebook: NotebookNode, plan: Plan) -> None:
    """Leave the exercises that were chosen; of the others students see the solution, since later cells may call it."""
    assert plan.exercises is not None
    _insert_missing(root, notebook, plan.exercises)
    there = [name for cell in notebook.cells if (name := exercise_of(cell))]
    order = [name for name in there if name in plan.exercises]
    if order != list(plan.exercises):
        raise BuildError(f"the text has the exercises of {plan.name} in the order {', '.join(order)}. List them so in "
                         "course.toml, or write a text of your own that has them in yours.")
    given = [name for name in there if name not in plan.exercises]
    answers = {answer for name in given for answer in find(name).answers}
    named = answers.union(given)
    kept = []
    for cell in notebook.cells:
        if exercise_of(cell) in given:
            continue
        if is_answer(cell) and grade_id(cell) in answers:
            cell.metadata.pop("nbgrader")
            cell.metadata["tags"] = [*cell.metadata.get("tags", ()), "setup"]  # answers may call it in grading too
            cell.source = SOLUTION_LINES.sub("", cell.source).rstrip()
        elif cell.cell_type == "markdown":
            cell.source = HEADING.sub(lambda heading: GIVEN.format(names=heading[2]) if named.intersection(
                _names_in(heading[2])) else heading[0], cell.source)
        kept.append(cell)
    notebook.cells = kept


def _insert_missing(root: Path, notebook: NotebookNode, chosen: Iterable[str]) -> None:
    """Put exercises that a text does not have after the one that they follow in the list; the first ones at the end."""
    last = len(notebook.cells)
    for name in chosen:
        found = next((at for at, cell in enumerate(notebook.cells) if exercise_of(cell) == name), None)
        if found is None:
            cells = block(root, find(name)).cells
            notebook.cells[last:last] = cells
            found = last + len(cells) - 1
        last = found + 1


def _set_points(notebook: NotebookNode) -> None:
    """Points stand with the exercise, or in course.toml; from there they come into the check cells."""
    for cell in notebook.cells:
        if name := exercise_of(cell):
            own: Any = grading(cell)
            declared, points = taught().declared.get(name), own.get("points")
            if declared and points is not None and float(points) not in (declared.points, find(name).points):
                raise BuildError(f"{CHECK_PREFIX}{name} gives {points:g} points, the exercise is worth "
                                 f"{declared.points:g}. Leave out what the cell says, and give points in course.toml.")
            own["points"] = find(name).points
