"""A notebook that a stranger handed in: what of it can be used, and what has to be said about the rest.

Nothing here trusts the file: it may be no notebook, no JSON, no text. Only sources of cells are taken from it, as text
to run in the sandbox in the notebook's order, and pictures of written answers. What people look at is a copy of the
instructor's own notebook with the answers in it.

The instructor's cells are left out: they need the reference. Those that the student has changed are the student's own.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.assignment.cells import exercise_of, grade_id, grading, is_answer, own_part
from autograder.assignment.magics import MagicsReader
from autograder.classroom.own_tests import tests_of
from autograder.classroom.slimming import slimmed
from autograder.errors import AutograderError
from autograder.exercises.contents import find
from autograder.sandbox.needed import is_blank
from autograder.sandbox.session import Cell

if TYPE_CHECKING:
    from nbformat import NotebookNode

MAX_FILE_BYTES = 128 << 20
MAX_READ_BYTES = 12 << 20
"""What is read of a file; a larger one is read without its outputs."""

MAX_SOURCE_CHARACTERS = 1 << 20
MAX_OWN_CHARACTERS = 1 << 18
MAX_OWN_CELLS = 500
MAX_STUB_CHARACTERS = 1 << 14
MAX_ATTACHMENT_CHARACTERS = 4 << 20
MAX_ATTACHMENTS = 100
MAX_VALUES = 1_000_000
"""Values that are read, by their brackets and commas; each can take 25 times the memory that it takes in the file."""
PICTURES = ("image/png", "image/jpeg", "image/gif")
CHECKED = re.compile(r"\bcheck\(\s*[\"']([\w-]+)[\"']")
"""Where a cell looks at the answers to an exercise."""


@dataclass(frozen=True)
class Submission:
    """What was found in a submitted notebook.

    Attributes
    ----------
    answers : dict of str to str
        Source of each answer, by grade_id, as people are shown it.
    attachments : dict of str to dict
        Pictures that belong to written answers, by grade_id.
    cells : tuple of Cell
        What runs in the sandbox, in the notebook's order, as Python.
    own : tuple of str
        Sources among these that are not among the answers, as they were written.
    problems : tuple of str
        What an instructor and the student should know.
    fingerprint : str
        Hash of everything above that can influence a mark.
    """

    answers: dict[str, str]
    attachments: dict[str, dict[str, Any]]
    cells: tuple[Cell, ...]
    own: tuple[str, ...]
    problems: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """Hash of the answers and of what runs: the same work has the same one, whatever its outputs are."""
        work = [self.answers, [[cell.name, cell.source, cell.own, cell.checks] for cell in self.cells]]
        return hashlib.sha256(json.dumps(work, sort_keys=True).encode()).hexdigest()


def read(path: Path, template: NotebookNode) -> Submission:
    """Read a submitted file of any kind.

    Parameters
    ----------
    path : Path
    template : NotebookNode
        The instructor's notebook; it says which answers there are.
    """
    cells, problem = load(path)
    reader = _Reader(template)
    if problem:
        reader.problems.append(problem)
    for cell in cells or ():
        reader.take(cell)
    return reader.submission(cells is not None)


def is_untouched(path: Path, template: NotebookNode) -> bool:
    """Whether nothing was written into the answers of a notebook."""
    reader = _Reader(template)
    for cell in load(path)[0] or ():
        reader.take(cell)
    return not reader.found and not reader.words


def names_in(path: Path) -> set[str]:
    """Grade_ids of the cells of a file; empty if it is no notebook."""
    return {name for cell in load(path)[0] or () if (name := grade_id(cell))}


def setup_cells(template: NotebookNode) -> list[Cell]:
    """The instructor's cells that also run where answers are graded, before all others."""
    return [Cell(f"setup {at}", cell.source) for at, cell in enumerate(template.cells)
            if cell.cell_type == "code" and "setup" in cell.metadata.get("tags", ())]


def asked_for(template: NotebookNode) -> list[str]:
    """Names that a notebook has to define: those of its answer cells in code, and what its exercises call."""
    names = [grade_id(cell) for cell in template.cells if cell.cell_type == "code" and is_answer(cell)]
    names += [name for answers in _answers_by_exercise(template).values() for name in answers]
    return list(dict.fromkeys(names))


@dataclass
class _Found:
    """A cell of a submission that is to run."""

    name: str
    source: str
    trouble: str
    checks: list[str]
    given: bool = False


class _Reader:
    """Goes through the cells of a submission and sorts them: answers, the student's own, what is left out."""

    def __init__(self, template: NotebookNode) -> None:
        self._wanted = {grade_id(cell): cell for cell in template.cells if is_answer(cell)}
        self._given = {cell.source.strip() for cell in template.cells} | {""}
        self._exercises = _answers_by_exercise(template)
        self._tests = tests_of(template)
        # Tests of nbgrader's kind count on all that stands above them; exercises of ours do without.
        self._locked = {grade_id(cell): cell.source for cell in template.cells if self._tests and grade_id(cell)
                        and cell.cell_type == "code" and not is_answer(cell) and not grading(cell).get("grade")}
        self._setup = {cell.source for cell in setup_cells(template)}
        self.found: list[_Found] = []
        self.words: dict[str, str] = {}
        self.problems: list[str] = []
        self._attachments: dict[str, dict[str, Any]] = {}
        self._copies: dict[str, list[str]] = {}

    def take(self, cell: dict[str, Any]) -> None:
        """Take the next cell of the submission."""
        name, (source, trouble) = grade_id(cell), _source(cell)
        source = own_part(source)
        if name in self._wanted:
            self._copies.setdefault(name, []).append(source)
            if trouble:
                self.problems.append(f"The answer cell {name}{trouble}")
            unwritten = is_stub(source, self._wanted[name].source)
            if self._wanted[name].cell_type == "code":
                if not unwritten:
                    self.found.append(_Found(name, source, trouble, []))
            elif not unwritten or name not in self._attachments:
                self._take_words(name, source, cell, unwritten)
        elif name in self._tests:
            pass  # ours run
        elif self._tests and cell.get("cell_type") == "code" and (
                name in self._locked or source.strip() in self._given) and not exercise_of(cell):
            given = self._locked.get(name, source)
            if given.strip() and given not in self._setup:
                self.found.append(_Found("", given, "", [], given=True))
        elif cell.get("cell_type") == "code" and source.strip() not in self._given:
            self.found.append(_Found("", source, trouble, []))
        if cell.get("cell_type") == "code" and self.found:
            for exercise in CHECKED.findall(source):
                self.found[-1].checks += self._exercises.get(exercise, ())

    def submission(self, is_notebook: bool) -> Submission:
        """What all that was taken comes to."""
        answers = {name: self._copies[name][-1] for name in self._wanted if name in self._copies} | self.words
        last = {found.name: found for found in self.found if found.name}
        answers |= {name: found.source for name, found in last.items()}
        for name, copies in self._copies.items():
            if len(set(copies)) > 1:
                self.problems.append(f"The answer cell {name} is there more than once; the last one that is written "
                                     "counts.")
        shown = {id(found) for found in last.values()} | self._find_moved(answers, last)
        if is_notebook:
            self.problems += [f"The answer cell {name} is missing." for name in self._wanted if name not in answers]
        stubs = [Cell(name, cell.source) for name, cell in self._wanted.items()
                 if cell.cell_type == "code" and name in self._copies and name not in last]
        cells, own = self._sandbox_cells(last, shown)
        return Submission(answers, self._attachments, tuple(stubs + cells), tuple(own),
                          tuple(dict.fromkeys(self.problems)))

    def _take_words(self, name: str, source: str, cell: dict[str, Any], unwritten: bool) -> None:
        self._attachments[name], lost = _pictures(cell)
        if lost:
            self.problems.append(f"The answer cell {name}{lost}")
        if not unwritten or self._attachments[name]:
            self.words[name] = source

    def _find_moved(self, answers: dict[str, str], last: dict[str, _Found]) -> set[int]:
        """Show the cell that defines an answer in place of an answer cell that is gone or was left as it was."""
        shown = set()
        for name, cell in self._wanted.items():
            if name in last or cell.cell_type != "code" or not name.isidentifier():
                continue
            defines = re.compile(rf"^[ \t]*(?:(?:async[ \t]+)?def {name}\s*\(|{name}\s*=(?!=))", re.MULTILINE)
            if found := next((found for found in reversed(self.found)
                              if not found.given and defines.search(found.source)), None):
                left = "was left as it was" if name in answers else "had lost its name"
                answers[name] = found.source
                shown.add(id(found))
                self.problems.append(f"The answer cell {name} {left}; a cell that defines {name} was taken in its "
                                     "place.")
        return shown

    def _sandbox_cells(self, last: dict[str, _Found], shown: set[int]) -> tuple[list[Cell], list[str]]:
        """What runs, as Python, within limits; and sources of it that are shown in no answer cell."""
        cells: list[Cell] = []
        own: list[str] = []
        magics = MagicsReader()
        characters = number = 0
        for found in self.found:
            if found.given:
                cells.append(Cell(f"given cell {len(cells)}", magics.python_of(found.source)[0], False,
                                  tuple(found.checks)))
                continue
            is_last = last.get(found.name) is found
            if not is_last:
                number += 1
                if number > MAX_OWN_CELLS or characters + len(found.source) >= MAX_OWN_CHARACTERS:
                    self.problems.append(
                        f"The cells of the student's own are more than {MAX_OWN_CELLS}, or longer than "
                        f"{MAX_OWN_CHARACTERS:,} characters; the rest of them was not used.")
                    continue
                characters += len(found.source) + 1
                if found.trouble and not found.name:
                    self.problems.append(f"A cell of the student's own{found.trouble}")
            python, trouble = magics.python_of(found.source)
            name = found.name if is_last else f"own cell {number}"
            if trouble:
                self.problems.append(f"The cell {name}{trouble}")
            cells.append(Cell(name, python, not is_last, tuple(found.checks)))
            if id(found) not in shown:
                own.append(found.source)
        return cells, own


def is_stub(source: str, handed_out: str) -> bool:
    """Whether nothing is written in an answer cell: it is as it was handed out, now or in an earlier release."""
    if source.strip() in ("", handed_out.strip()):
        return True
    if "NotImplementedError" not in source or len(source) > MAX_STUB_CHARACTERS:
        return False
    with warnings.catch_warnings(action="ignore"):  # they would be ours to print, and are the student's
        try:
            return all(map(is_blank, ast.parse(source).body))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False


def _answers_by_exercise(template: NotebookNode) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for cell in template.cells:
        if name := exercise_of(cell):
            with contextlib.suppress(AutograderError):
                found[name] = tuple(find(name).answers)
    return found


def rebuild(template: NotebookNode, submission: Submission) -> NotebookNode:
    """The instructor's notebook with the student's answers in it, without outputs.

    Returns
    -------
    NotebookNode
        Structure, metadata and cell ids are the template's; what had to be said is the first cell.
    """
    import nbformat

    notebook = nbformat.from_dict(json.loads(json.dumps(template)))
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        name = grade_id(cell)
        if is_answer(cell) and name in submission.answers:
            cell.source = submission.answers[name]
            if cell.cell_type == "markdown" and submission.attachments.get(name):
                cell.attachments = nbformat.from_dict(submission.attachments[name])
    if submission.problems:
        notebook.cells.insert(0, _note("notes-on-this-submission", submission.problems))
    if submission.own:
        notebook.cells.append(nbformat.v4.new_code_cell(
            "# Cells of the student's own; each ran in its place among the answers.\n"
            + "\n\n# ---\n\n".join(submission.own), id="students-own-cells"))
    return notebook


def load(path: Path) -> tuple[list[dict[str, Any]] | None, str]:
    """Cells of a notebook file of any version, None if there are none to be had, and what is wrong with it."""
    try:
        if path.is_symlink() or not path.is_file():
            return None, "The file is a link or a device, not a notebook. Nothing in it could be graded."
        if path.stat().st_size > MAX_FILE_BYTES:
            return None, f"The file is larger than {MAX_FILE_BYTES >> 20} MiB and was not read: clear the outputs."
        content = path.read_bytes() if path.stat().st_size <= MAX_READ_BYTES else None
        if content is None or _values_in(content) > MAX_VALUES:
            content = slimmed(path, MAX_READ_BYTES, 4 * MAX_VALUES)
        if content is None or _values_in(content) > MAX_VALUES:
            return None, (f"More than {MAX_READ_BYTES >> 20} MiB or {MAX_VALUES:,} values are in the file even without "
                          "its outputs, and it was not read.")
        # Bytes, for some shells write UTF-16; floats, for Python refuses integers of many digits.
        notebook = json.loads(content, parse_int=float)
    except OSError as error:
        return None, f"The file could not be read: {error.strerror}."
    except (ValueError, RecursionError, MemoryError):
        return None, "The file is not a notebook: it is not JSON. Nothing in it could be graded."
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if cells is None and isinstance(notebook, dict) and isinstance(sheets := notebook.get("worksheets"), list):
        cells = [cell for sheet in sheets if isinstance(sheet, dict) and isinstance(sheet.get("cells"), list)
                 for cell in sheet["cells"]]  # the formats before version 4
    if not isinstance(cells, list):
        return None, "The file is not a notebook: there are no cells in it. Nothing in it could be graded."
    good = [cell for cell in cells if isinstance(cell, dict)]
    return good, "" if len(good) == len(cells) else "Some cells are damaged and were left out."


def _values_in(content: bytes) -> int:
    return sum(map(content.count, (b"[", b"{", b",")))


def _source(cell: dict[str, Any]) -> tuple[str, str]:
    """Text of a cell, and how to go on with a sentence that begins with the cell, if not all of it could be used."""
    source = cell.get("source", cell.get("input"))
    parts = source if isinstance(source, list) else [source]
    texts = [part for part in parts if isinstance(part, str)]
    whole = "".join(texts)
    # Lone surrogates are legal in JSON and can be neither hashed nor written.
    text = whole[:MAX_SOURCE_CHARACTERS].encode("utf-8", "replace").decode()
    if len(whole) > MAX_SOURCE_CHARACTERS:
        return text, f" is longer than {MAX_SOURCE_CHARACTERS:,} characters; the rest of it was cut off."
    damaged = len(texts) < len(parts) or text != whole
    return text, " is damaged; what is no text in it was left out." if damaged else ""


def _pictures(cell: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Attached pictures, and how to go on with a sentence that begins with the cell, if some were left out."""
    attachments = cell.get("attachments")
    if not isinstance(attachments, dict):
        return {}, " has damaged attachments; they were left out." if attachments else ""
    kept: dict[str, Any] = {}
    characters, lost = 0, ""
    for name, bundle in attachments.items():
        found = {kind: data for kind, data in bundle.items() if kind in PICTURES} if isinstance(bundle, dict) else {}
        pictures = {kind: data for kind, data in found.items()
                    if isinstance(data, str) and re.fullmatch(r"[A-Za-z0-9+/=\s]*", data)}
        size = len(name) + sum(map(len, pictures.values()))
        fits = len(kept) < MAX_ATTACHMENTS and characters + size < MAX_ATTACHMENT_CHARACTERS
        if pictures and fits and _is_text(name):
            kept[name] = pictures
            characters += size
        if not isinstance(bundle, dict) or (found and (found != pictures or name not in kept)):
            lost = " has pictures that are damaged, too large or too many; they were left out."
    return kept, lost


def _is_text(text: str) -> bool:
    """Whether a string can be written as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _note(cell_id: str, problems: Iterable[str]) -> NotebookNode:
    from nbformat.v4 import new_markdown_cell

    lines = ["**Notes on this submission**", ""]
    lines += [f"- {re.sub(r'[^ -;=?-~]', ' ', problem)}" for problem in problems]
    return new_markdown_cell("\n".join(lines), id=cell_id)
