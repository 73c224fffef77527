"""Markup of strangers on pages that people open."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from nbconvert.filters.markdown import markdown2html

from autograder.classroom.sanitize import clean

ATTACKS = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))",
    "[x](java&#115;cript:alert(1))", "<a href='JaVaScRiPt:alert(1)'>x</a>", "<iframe src='//example.org'></iframe>",
    "<svg onload=alert(1)>", "<style>body{display:none}</style>", "![x](https://example.org/spy.png)",
    "```\n<script>alert(1)</script>\n```\n\n<script>alert(2)</script>", "<div style='position:fixed'>x</div>",
    "`code`\n\n[x](data:text/html;base64,PHNjcmlwdD4=)", "<pre>\n\n[x](javascript:alert(1))\n\n</pre>",
    "<form action='//example.org'><input></form>", "<base href='//example.org'>", "<a href='data:text/html,x'>x</a>",
]


class Elements(HTMLParser):
    """Collects what a browser would see as markup."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


def dangers(page: str) -> list[str]:
    """Elements that run, load or cover something."""
    found = []
    for tag, attributes in Elements(page).found:
        if tag in ("script", "iframe", "svg", "style", "form", "input", "base", "object", "embed", "link", "meta"):
            found.append(tag)
        found += [name for name in attributes if name.startswith("on") or name == "style"]
        address = (attributes.get("href") or "").strip().lower()
        found += [address] if re.match(r"\s*(javascript|vbscript|data)", address) else []
        source = attributes.get("src") or "data:image/png;base64,"
        found += [] if source.startswith("data:image/") else [source]
    return found


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_runs_or_loads_even_after_rendering_once_more(attack):
    assert dangers(markdown2html(clean(attack))) == []


def test_without_cleaning_the_attacks_would_work():
    """What the test above looks for is really there before."""
    assert sum(bool(dangers(markdown2html(attack))) for attack in ATTACKS) >= 10


def test_what_a_student_writes_stays_readable():
    written = "Each filter has **full depth**:\n\n- $3 < 5$\n- `x[i]`\n\n| a | b |\n|---|---|\n| 1 | 2 |"
    page = markdown2html(clean(written)).replace("&#36;", "$").replace("&#91;", "[")  # as a browser reads them
    for piece in ("<strong>full depth</strong>", "<li>", "<code>x[i]</code>", "<td>1</td>", "$3 &lt; 5$"):
        assert piece in page


def test_attached_pictures_are_shown():
    page = markdown2html(clean("![sketch](attachment:a.png)", {"a.png": {"image/png": "aGk="}}))
    assert ("img", {"src": "data:image/png;base64,aGk=", "alt": "sketch"}) in Elements(page).found
