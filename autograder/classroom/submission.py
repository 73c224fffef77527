"""A notebook that a stranger handed in: what of it can be used, and what has to be said about the rest.

Nothing here trusts the file: it may be no notebook, no JSON, no text. Only the sources of answer cells are taken
from it, and put into a copy of the instructor's own notebook.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
import re
import symtable
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder.assignment.cells import grade_id, is_answer
from autograder.classroom.slimming import slimmed

MAX_FILE_BYTES = 128 << 20
MAX_READ_BYTES = 12 << 20
"""What is read of a file; a larger one is read without its outputs."""

MAX_SOURCE_CHARACTERS = 1 << 20
MAX_HELPER_CHARACTERS = 1 << 18
MAX_ATTACHMENT_CHARACTERS = 4 << 20
MAX_ATTACHMENTS = 100
MAX_VALUES = 1_000_000
"""Values that are read, by their brackets and commas; each can take 25 times the memory that it takes in the file."""
PICTURES = ("image/png", "image/jpeg", "image/gif")
OWN_PACKAGES = ("autograder", "cnncourse")
MAGIC = r"(?:[%!?](?:.*\\\n)*.*|[\w.]+[ \t]*=[ \t]*[%!].*|[%\w.*]+\?\??[ \t]*)$"
"""A line that only IPython understands, with the lines that continue it."""


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
    characters = 0
    for cell in cells or ():
        name, (source, problem) = grade_id(cell), _source(cell)
        if name in wanted:
            if name in answers and answers[name] != source:
                problems.append(f"The answer cell {name} is there more than once; the last one counts.")
            answers[name] = source
            attachments[name], lost = _pictures(cell)
            problems += [f"The answer cell {name}{text}" for text in (problem, lost) if text]
        elif name not in known and cell.get("cell_type") == "code" and source.strip() not in given:
            problems += [f"A cell of the student's own{problem}"] if problem else []
            if characters + len(source) < MAX_HELPER_CHARACTERS:
                own.append(source)
                characters += len(source) + 1
            else:
                problems.append(f"The cells of the student's own are longer than {MAX_HELPER_CHARACTERS:,} characters; "
                                "what is defined in the rest of them was not used.")
    own = _find_moved(own, wanted, answers, problems)
    if cells is not None:
        problems += [f"The answer cell {name} is missing." for name in wanted if name not in answers]
    helpers, lost_helpers = _helpers(own)
    problems += lost_helpers
    return Submission(answers, attachments, helpers, tuple(dict.fromkeys(problems)))


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


def _load(path: Path) -> tuple[list[dict[str, Any]] | None, str]:
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


def _helpers(sources: Iterable[str]) -> tuple[str, list[str]]:
    """Definitions in the student's own cells that answers may rely on, nothing that runs by itself; what was lost."""
    kept, lost = [], []
    with warnings.catch_warnings(action="ignore"):  # they would be ours to print, and are the student's
        for source in sources:
            try:
                tree = _parse(source)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                lost.append("A cell of the student's own is not Python; what is defined in it was not used.")
                continue
            for node in _definitions(tree):
                try:
                    text = ast.unparse(node)
                    # What the parser lets pass and the compiler refuses would take everything else with it.
                    symtable.symtable(text, "<own>", "exec")
                    kept.append(text)
                except (SyntaxError, ValueError, RecursionError, MemoryError):
                    lost.append("A definition in a cell of the student's own is not valid and was not used.")
    kept.sort(key=lambda text: not text.startswith("from __future__ "))  # the compiler wants these first
    return "\n\n".join(kept), lost


def _parse(source: str) -> ast.Module:
    """Parse a cell; if it is no Python, without its magics: first those that are not indented, then all.

    IPython's own transformer needs a second for a few dozen magics and minutes for some texts.
    """
    try:
        return ast.parse(source)
    except SyntaxError:
        for indent in ("", r"[ \t]*"):
            plain = re.sub(rf"^({indent}){MAGIC}", r"\1pass", source, flags=re.MULTILINE)
            if plain != source:
                with contextlib.suppress(SyntaxError):
                    return ast.parse(plain)
        raise


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
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            # Without the annotation: evaluating that can fail.
            targets: list[ast.expr] = node.targets if isinstance(node, ast.Assign) else [node.target]
            if node.value is not None and _are_constants(targets, node.value):
                yield ast.copy_location(ast.Assign(targets, node.value), node)


def _are_constants(targets: Iterable[ast.expr], value: ast.expr) -> bool:
    """Whether names are bound to a literal: one name each, or as many as it has elements."""
    for target in targets:
        names = target.elts if isinstance(target, ast.Tuple) else [target]
        if not all(isinstance(name, ast.Name) for name in names):
            return False
        if names != [target] and not (isinstance(value, ast.Tuple) and len(value.elts) == len(names)):
            return False
    try:
        ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _note(cell_id: str, problems: Iterable[str]) -> NotebookNode:
    lines = ["**Notes on this submission**", ""]
    lines += [f"- {re.sub(r'[^ -;=?-~]', ' ', problem)}" for problem in problems]
    return nbformat.v4.new_markdown_cell("\n".join(lines), id=cell_id)
