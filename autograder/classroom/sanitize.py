"""Written answers as people see them: markup of a stranger may be shown, but not run.

nbgrader's feedback and formgrader templates render the answers of students without any filter, whatever nbconvert's
sanitize_html says. So this preprocessor, which every HTML page passes through, renders each written answer itself,
cleans the result, and hands on a single HTML block that is left as it is.
"""

from __future__ import annotations

from html import escape
from typing import Any

import bleach
from nbconvert.filters.markdown import markdown2html
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode

from autograder.assignment.cells import is_answer
from autograder.classroom.submission import PICTURES

TAGS = (
    "a", "blockquote", "br", "code", "dd", "del", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr",
    "i", "img", "li", "ol", "p", "pre", "span", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr",
    "ul",
)
PROTOCOLS = ("data", "http", "https", "mailto")
LEFT_ALONE = str.maketrans({"\r": "", "\n": "&#10;", "[": "&#91;", "$": "&#36;", "`": "&#96;"})
"""What nbgrader's templates would read once more as markdown, links or formulas, and for some texts without end."""
LONGEST_FORMATTED = 10_000
"""Characters; the time that formatting takes can grow with the square of them."""


class SanitizeAnswers(Preprocessor):
    """Cleans the markup of written answers in a notebook that becomes a page."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Replace a student's markdown by clean HTML; leave every other cell alone."""
        if cell.cell_type == "markdown" and is_answer(cell):
            cell.source = clean(cell.source, cell.get("attachments", {}))
            cell.pop("attachments", None)
        return cell, resources


def clean(markdown: str, attachments: dict[str, dict[str, str]] | None = None) -> str:
    """Markdown as one HTML block without anything that runs, or loads from elsewhere.

    Parameters
    ----------
    markdown : str
        Of a stranger.
    attachments : dict, optional
        Pictures that belong to it, as in a notebook: by name, then by type, in base64.

    Returns
    -------
    str
        One line, so that rendering it as markdown once more changes nothing.
    """
    if len(markdown) > LONGEST_FORMATTED:
        html = ("<p>This answer is too long to be formatted; this is how it was written.</p>"
                f"<pre>{escape(markdown)}</pre>")
    else:
        formatted = markdown2html(_with_pictures(markdown, attachments or {}))
        html = bleach.clean(formatted, tags=TAGS, attributes=_allowed, protocols=PROTOCOLS)
    return f"<div>{html}</div>".translate(LEFT_ALONE)


def _with_pictures(markdown: str, attachments: dict[str, dict[str, str]]) -> str:
    """Attached pictures written into the text, each once; what refers to any other attachment refers to nothing."""
    for name, bundle in attachments.items():
        for kind in PICTURES:
            if kind in bundle:
                markdown = markdown.replace(f"(attachment:{name})", f"(data:{kind};base64,{bundle[kind]})", 1)
    return markdown.replace("attachment:", "missing-attachment:")


def _allowed(tag: str, name: str, value: str) -> bool:
    if tag == "a":
        return name == "title" or (name == "href" and not value.strip().lower().startswith("data:"))
    if tag == "img":
        return name == "alt" or (name == "src" and value.startswith(tuple(f"data:{kind};base64," for kind in PICTURES)))
    return False
