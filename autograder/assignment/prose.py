"""The prose of an assignment in other languages: paragraphs found, held against a catalogue, and replaced.

Catalogues lie in solutions/locale/LANGUAGE/LC_MESSAGES, one for each assignment, and are keyed by the paragraph: what
Sphinx's own gettext builder finds, so that the book and the notebooks share them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from nbformat import NotebookNode

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

SPOKEN = "\n\nimport autograder\nautograder.use_language({language!r})"
"""Added to the cell that imports the judge: the kernel does not see a notebook's metadata."""


def catalogue_path(root: Path, assignment: str, language: str) -> Path:
    """Where the translation of an assignment's prose lies."""
    return root / "solutions" / "locale" / language / "LC_MESSAGES" / f"{assignment}.po"


def paragraphs(notebook: NotebookNode) -> list[str]:
    """What there is to translate: headings, paragraphs, list items, entries of tables, lines of HTML; each once."""
    found = [text for cell in notebook.cells if cell.cell_type == "markdown" for text, _, _ in _blocks(cell.source)]
    return list(dict.fromkeys(found))


def translate(notebook: NotebookNode, catalogue: Mapping[str, str], language: str) -> None:
    """Replace the prose of a notebook, and let its checks speak the same language.

    Parameters
    ----------
    notebook : NotebookNode
        Changed in place; what the catalogue lacks stays as it is.
    catalogue : mapping of str to str
        Translations by their English paragraphs.
    language : str
    """
    notebook.metadata["cnncourse"] = {"language": language}
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = translated(cell.source, catalogue)
        elif re.search(r"^from autograder import", cell.source, re.MULTILINE):
            cell.source += SPOKEN.format(language=language)


def language_of(notebook: NotebookNode) -> str:
    """The language that a notebook's prose is written in."""
    return str(notebook.metadata.get("cnncourse", {}).get("language", "en"))


def translated(source: str, catalogue: Mapping[str, str]) -> str:
    """A piece of Markdown with its paragraphs replaced."""
    starts = [0, *(match.end() for match in re.finditer("\n", source)), len(source)]
    done: list[str] = []
    end = 0
    for text, first, last in _blocks(source):
        found = _place(text).search(source, max(end, starts[first]), starts[min(last, len(starts) - 1)])
        if found and catalogue.get(text):
            done += [source[end:found.start()], catalogue[text].rstrip("\n")]
            end = found.end()
    return "".join([*done, source[end:]])


def _blocks(source: str) -> Iterator[tuple[str, int, int]]:
    """Pieces to translate, in order, with the lines that they lie between."""
    for token in _parser().parse(source):
        if token.type in ("inline", "html_block", "math_block") and token.map and token.content.strip():
            text = token.content.strip("\n") if token.type == "math_block" else token.content
            yield text, token.map[0], token.map[1]


def _place(text: str) -> re.Pattern[str]:
    """Where a piece stands in the source: its lines may be indented or quoted there."""
    return re.compile(r"\n[ >]*".join(re.escape(line) for line in text.strip("\n").split("\n")))


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    return MarkdownIt("commonmark").enable("table").use(dollarmath_plugin)
