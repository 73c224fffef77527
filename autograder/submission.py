"""A notebook that a stranger handed in: what of it can be used, and what has to be said about the rest.

Nothing here trusts the file: it may be no notebook, no JSON, no text. Only the sources of answer cells are taken
from it, and put into a copy of the instructor's own notebook.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

MAX_FILE_BYTES = 128 << 20
MAX_SOURCE_CHARACTERS = 1 << 20
MAX_ATTACHMENT_CHARACTERS = 4 << 20
PICTURES = ("image/png", "image/jpeg", "image/gif")
OWN_PACKAGES = ("autograder", "cnncourse")


@dataclass(frozen=True)
class Submission:
    """What was found in a submitted notebook.

    Attributes
    ----------
    answers : dict of str to str
        Source of each answer cell that was found, by grade_id.
    attachments : dict of str to dict
        Pictures that belong to written answers, by grade_id.
    helpers : str
        Functions, classes, imports and constants that the student defined in cells of their own.
    problems : tuple of str
        What an instructor and the student should know.
    fingerprint : str
        Hash of everything above that can influence a mark.
    """

    answers: dict[str, str]
    attachments: dict[str, dict[str, Any]]
    helpers: str
    problems: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """Hash of the answers and helpers: the same work has the same one, whatever its outputs are."""
        return hashlib.sha256(json.dumps([self.answers, self.helpers], sort_keys=True).encode()).hexdigest()


def read(path: Path, template: NotebookNode) -> Submission:
    """Read a submitted file of any kind.

    Parameters
    ----------
    path : Path
    template : NotebookNode
        The instructor's notebook; it says which answers there are.
    """
    cells, problem = _load(path)
    wanted = {grade_id(cell): cell for cell in template.cells if is_answer(cell)}
    known = {grade_id(cell) for cell in template.cells if grade_id(cell)}
    given = {cell.source.strip() for cell in template.cells}
    answers: dict[str, str] = {}
    attachments: dict[str, dict[str, Any]] = {}
    problems = [problem] if problem else []
    own: list[str] = []
    for cell in cells:
        name, source = grade_id(cell), _source(cell)
        if name in wanted:
            if name in answers and answers[name] != source:
                problems.append(f"The answer cell {name} is there more than once; the last one counts.")
            answers[name] = source
            attachments[name] = _pictures(cell)
        elif name not in known and cell.get("cell_type") == "code" and source.strip() not in given:
            own.append(source)
    own = _find_moved(own, wanted, answers, problems)
    problems += [f"The answer cell {name} is missing." for name in wanted if name not in answers and not problem]
    return Submission(answers, attachments, _helpers(own), tuple(problems))


def rebuild(template: NotebookNode, submission: Submission) -> NotebookNode:
    """The instructor's notebook with the student's answers in it, without outputs.

    Returns
    -------
    NotebookNode
        Structure, metadata and cell ids are the template's; what had to be said is the first cell.
    """
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
    if submission.helpers:
        notebook.cells.append(nbformat.v4.new_code_cell(
            "# Defined in cells of the student's own; runs before the answers.\n" + submission.helpers,
            id="students-own-definitions"))
    return notebook


def grade_id(cell: Any) -> str:
    """nbgrader's name of a cell; empty if it has none, or none that makes sense."""
    metadata = cell.get("metadata") if isinstance(cell, dict) else None
    own = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    name = own.get("grade_id") if isinstance(own, dict) else None
    return name if isinstance(name, str) else ""


def is_answer(cell: Any) -> bool:
    """Whether a cell of the instructor's notebook is one that students write."""
    return bool(grade_id(cell)) and bool(cell.metadata.nbgrader.get("solution"))


def _load(path: Path) -> tuple[list[dict[str, Any]], str]:
    """Cells of a notebook file of any version, and what is wrong with it."""
    try:
        if path.is_symlink() or not path.is_file():
            return [], "The file is a link or a device, not a notebook. Nothing in it could be graded."
        if path.stat().st_size > MAX_FILE_BYTES:
            return [], f"The file is larger than {MAX_FILE_BYTES >> 20} MiB and was not read: clear the outputs."
        notebook = json.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        return [], f"The file could not be read: {error.strerror}."
    except (ValueError, RecursionError):
        return [], "The file is not a notebook: it is not JSON. Nothing in it could be graded."
    if not isinstance(notebook, dict):
        return [], "The file is not a notebook: there are no cells in it. Nothing in it could be graded."
    cells = notebook.get("cells")
    if cells is None and isinstance(sheets := notebook.get("worksheets"), list):  # the format before version 4
        cells = [cell for sheet in sheets if isinstance(sheet, dict) and isinstance(sheet.get("cells"), list)
                 for cell in sheet["cells"]]
    if not isinstance(cells, list):
        return [], "The file is not a notebook: there are no cells in it. Nothing in it could be graded."
    good = [cell for cell in cells if isinstance(cell, dict)]
    return good, "" if len(good) == len(cells) else "Some cells are damaged and were left out."


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    if not isinstance(source, str):
        return ""
    # Lone surrogates are legal in JSON and can be neither hashed nor written.
    return source[:MAX_SOURCE_CHARACTERS].encode("utf-8", "replace").decode()


def _pictures(cell: dict[str, Any]) -> dict[str, Any]:
    attachments = cell.get("attachments")
    if not isinstance(attachments, dict):
        return {}
    kept: dict[str, Any] = {}
    for name, bundle in attachments.items():
        pictures = {kind: data for kind, data in bundle.items() if kind in PICTURES and isinstance(data, str)
                    and re.fullmatch(r"[A-Za-z0-9+/=\s]*", data)} if isinstance(bundle, dict) else {}
        if pictures and len(json.dumps(kept)) + len(json.dumps(pictures)) < MAX_ATTACHMENT_CHARACTERS:
            kept[name] = pictures
    return kept


def _find_moved(own: list[str], wanted: Iterable[str], answers: dict[str, str], problems: list[str]) -> list[str]:
    """Find answers whose cell lost its name: a cell that defines a function of that name."""
    rest = list(own)
    for name in wanted:
        if name in answers or not name.isidentifier():
            continue
        for source in rest:
            if re.search(rf"^def {name}\s*\(", source, re.MULTILINE):
                answers[name] = source
                rest.remove(source)
                problems.append(f"The answer cell {name} had lost its name; a cell that defines {name} was taken "
                                "in its place.")
                break
    return rest


def _helpers(sources: Iterable[str]) -> str:
    """Definitions in the student's own cells that answers may rely on; nothing that runs by itself."""
    kept: list[str] = []
    for source in sources:
        try:
            kept += [ast.unparse(node) for node in _definitions(ast.parse(source))]
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return "\n\n".join(kept)[:MAX_SOURCE_CHARACTERS]


def _definitions(tree: ast.Module) -> Iterator[ast.stmt]:
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node
        elif isinstance(node, ast.Import):
            if not any(alias.name.split(".")[0] in OWN_PACKAGES for alias in node.names):
                yield node
        elif isinstance(node, ast.ImportFrom):
            if (node.module or "").split(".")[0] not in OWN_PACKAGES:
                yield node
        elif isinstance(node, ast.Assign) and all(isinstance(t, ast.Name) for t in node.targets):
            try:
                ast.literal_eval(node.value)
            except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                continue
            yield node


def _note(cell_id: str, problems: Iterable[str]) -> NotebookNode:
    lines = ["**Notes on this submission**", ""]
    lines += [f"- {re.sub(r'[^ -;=?-~]', ' ', problem)}" for problem in problems]
    return nbformat.v4.new_markdown_cell("\n".join(lines), id=cell_id)
