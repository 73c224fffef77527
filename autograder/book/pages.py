"""From a notebook with solutions and outputs to a page of the book: plain functions on notebooks and cells."""

from __future__ import annotations

import base64
import copy
import hashlib
import html
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder.assignment.cells import exercise_of, is_answer, is_for_handing_in
from autograder.assignment.folders import language_folder
from autograder.exercises.contents import exercises, find
from autograder.judging.exercise import Exercise
from autograder.judging.result import explained
from cnncourse.language import current, say

if TYPE_CHECKING:
    from nbgrader.preprocessors import ClearSolutions

MARKER = re.compile(r"^[ \t]*### (?:BEGIN|END) SOLUTION[ \t]*\n?", re.MULTILINE)
WRITTEN_ANSWER = re.compile(r"<!-- BEGIN SOLUTION -->\n(.*?)\n?<!-- END SOLUTION -->", re.DOTALL)
PICTURE = re.compile(r'<img\b[^>]*?\bsrc="data:image/png;base64,([^"]+)"[^>]*>')
FIGURES = "figures"
"""Folder of the pictures, beside the pages."""

COLAB = "https://colab.research.google.com/github"
LAB = "http://localhost:8888/lab/tree"
"""Where `course lab` shows its files."""


def page(notebook: NotebookNode, name: str, notebooks: str = "") -> tuple[NotebookNode, dict[str, bytes]]:
    """A notebook as a page, and the pictures that it shows.

    Words around the notebook's own are in the language that is spoken. Paragraphs stay as they are, byte for byte: the
    catalogues by which Sphinx translates them are keyed by them.

    Parameters
    ----------
    notebook : NotebookNode
        With solutions, and with outputs if it was run; stays as it is.
    name : str
        Of the assignment.
    notebooks : str, optional
        Address of the folder of notebooks, if the course has set it.

    Returns
    -------
    NotebookNode
    dict of str to bytes
        PNG files by their paths relative to the page.
    """
    shown = copy.deepcopy(notebook)
    shown.cells = [new for cell in shown.cells if not is_for_handing_in(cell) for new in _page_cells(cell)]
    shown.cells[:1] = with_links(shown.cells[0], name, notebooks)
    shown.metadata.pop("widgets", None)
    pictures: dict[str, bytes] = {}
    for position, cell in enumerate(shown.cells):
        cell.id = f"cell-{position:03d}"
        if cell.cell_type == "code":
            cell.outputs = [output for output in map(readable, cell.outputs) if output is not None]
            for output in cell.outputs:
                pictures |= take_out_pictures(output)
    return shown, pictures


def _page_cells(cell: NotebookNode) -> Iterator[NotebookNode]:
    """What stands on the page for one cell of the notebook."""
    if is_answer(cell) and cell.cell_type == "code":
        yield stub(cell)
        yield from folded_solution(cell)
    elif is_answer(cell):
        yield folded_answer(cell)
    else:
        yield cell
    if (name := exercise_of(cell)) in exercises():
        yield common_mistakes(find(name))


def stub(cell: NotebookNode) -> NotebookNode:
    """What a student gets in place of this answer."""
    student, _ = _clear_solutions().preprocess_cell(copy.deepcopy(cell), {"language": "python"}, 0)
    return new_code_cell(student.source)


def folded_solution(cell: NotebookNode) -> Iterator[NotebookNode]:
    """The answer itself behind a line to open it, then what the cell put out."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", cell.source)), default=0))
    source = MARKER.sub("", cell.source).rstrip()
    yield _folded(say("Show the solution"), f"{fence}python\n{source}\n{fence}", "solution")
    if cell.outputs:
        yield new_code_cell("", outputs=cell.outputs, metadata={"tags": ["remove-input"]})


def folded_answer(cell: NotebookNode) -> NotebookNode:
    """A written answer, without its markers, behind a line to open it."""
    found = WRITTEN_ANSWER.search(cell.source)
    return _folded(say("Show a model answer"), found[1] if found else cell.source, "solution")


def common_mistakes(exercise: Exercise) -> NotebookNode:
    """The misconceptions that an exercise knows, behind a line to open them."""
    lines = [_summary(say("Common mistakes"), "mistakes"), "<dl>"]
    for mistake in exercise.misconceptions:
        where = f" <code>{html.escape(mistake.answer)}</code>" if len(exercise.answers) > 1 else ""
        lines.append(f"<dt>{_with_code(say(mistake.name))}{where}</dt>")
        lines.append(f"<dd>{_with_code(explained(mistake))}</dd>")
    # No empty line in between: it would end the block of HTML.
    return new_markdown_cell(re.sub(r"\n\s*\n", "\n", "\n".join((*lines, "</dl>", "</details>"))))


def _with_code(text: str) -> str:
    """Plain text as HTML, with what stands between backticks as code."""
    return re.sub(r"`([^`\n]+)`", r"<code>\1</code>", html.escape(text))


def colab_address(notebooks: str, name: str) -> str:
    """Where Colab opens a notebook of a course whose notebooks lie on GitHub.

    Parameters
    ----------
    notebooks : str
        The folder's address there: https://github.com/OWNER/NAME/blob/BRANCH/notebooks.
    name : str
        Of the assignment.
    """
    where = (language_folder(Path(), current()) / name / f"{name}.ipynb").as_posix()
    return f"{notebooks.rstrip('/').replace('https://github.com', COLAB)}/{where}"


def with_links(cell: NotebookNode, name: str, notebooks: str = "") -> list[NotebookNode]:
    """The first cell, with links to the notebook below its heading and its subtitle."""
    top, rest = _after_paragraphs(cell.source, 2)
    command = "course lab" if current() == "en" else f"course lab --language {current()}"
    where = (language_folder(Path(), current()) / name).as_posix()
    colab = [f'<a href="{colab_address(notebooks, name)}">{say("Open in Colab")}</a>'] if notebooks else []
    links = "\n".join((
        '<div class="open-notebook">',
        *colab,
        f'<a href="{LAB}/{where}/{name}.ipynb">{say("Open in JupyterLab")}</a>',
        f'<a href="notebooks/{name}.ipynb" download>{say("Download the notebook")}</a>',
        f"<span>{say('To open it, let {command} run.', command=f'<code>{command}</code>')}</span>",
        "</div>",
    ))
    return [new_markdown_cell(text) for text in (top, links, rest) if text]


def _after_paragraphs(source: str, count: int) -> tuple[str, str]:
    parts = source.split("\n\n", count)
    return "\n\n".join(parts[:count]), "\n\n".join(parts[count:])


def readable(output: NotebookNode) -> NotebookNode | None:
    """An output as a page can show it: HTML where there is some; None if there is nothing to see."""
    if "data" not in output:
        return output
    data = output.data
    if "text/html" in data:
        # A figure that is alive in JupyterLab hands on a version for pages without a kernel as HTML.
        output.data = NotebookNode({kind: data[kind] for kind in ("text/html", "text/plain") if kind in data})
    return output if any(str(value).strip() for value in output.data.values()) else None


def take_out_pictures(output: NotebookNode) -> dict[str, bytes]:
    """Replace the pictures inside an output's HTML by links to files, which the browser loads when they are needed."""
    pictures: dict[str, bytes] = {}

    def replace(found: re.Match[str]) -> str:
        picture = base64.b64decode(found[1])
        path = f"{FIGURES}/{hashlib.sha256(picture).hexdigest()[:20]}.png"
        pictures[path] = picture
        tag = found[0].replace(f'src="data:image/png;base64,{found[1]}"', f'src="{path}" loading="lazy"')
        if width := re.search(r' width="(\d+)"', tag):
            columns, rows = (int.from_bytes(picture[at:at + 4]) for at in (16, 20))
            tag = tag.replace(width[0], f'{width[0]} height="{round(int(width[1]) * rows / columns)}"')
        return tag

    if "text/html" in output.get("data", {}):
        output.data["text/html"] = PICTURE.sub(replace, output.data["text/html"])
    return pictures


def _folded(label: str, content: str, kind: str) -> NotebookNode:
    return new_markdown_cell(f"{_summary(label, kind)}\n\n{content}\n\n</details>")


def _summary(label: str, kind: str) -> str:
    return f'<details class="{kind}"><summary>{html.escape(label)}</summary>'


@cache
def _clear_solutions() -> ClearSolutions:
    """The part of nbgrader that makes the student's version, with the course's settings."""
    from nbgrader.preprocessors import ClearSolutions
    from traitlets.config import Config

    from autograder.configuration import configure

    settings: Any = configure(Config())
    return ClearSolutions(config=settings)
