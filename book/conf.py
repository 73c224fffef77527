"""Sphinx settings of the book; autograder/book/ writes the pages that Sphinx reads, and adds title and language."""

import re
from typing import Any

from sphinx.application import Sphinx

from autograder.book.chinese import SearchChinese

project = "cnncourse"
author = "The cnncourse developers"
copyright = "The cnncourse developers, BSD-3-Clause"

extensions = ["myst_nb", "sphinx-mathjax-offline"]
myst_enable_extensions = ["dollarmath", "html_image"]
nb_execution_mode = "off"  # the notebooks have their outputs already
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # they would come from another server; figures carry their own scripts
nb_merge_streams = True

html_theme = "sphinx_book_theme"
html_static_path = ["_static"]
templates_path = ["_templates"]
html_css_files = ["book.css"]
html_js_files = ["book.js"]
html_sidebars = {"**": ["home.html", "search-button-field.html", "sbt-sidebar-nav.html"]}
html_copy_source = False
html_show_sphinx = False
html_use_index = False
html_favicon = "_static/favicon.svg"
html_context = {"default_mode": "auto"}
html_theme_options = {
    "use_download_button": False,
    "use_fullscreen_button": False,
    "navbar_persistent": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}

gettext_compact = False
gettext_additional_targets = ["raw", "image"]


def empty_headers_as_cells(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """A column without a heading has an ordinary empty cell there, which no screen reader announces as a heading."""
    if "body" in context:
        context["body"] = re.sub(r'<th class="(head[^"]*)"><p></p></th>', r'<td class="\1"></td>', context["body"])


def setup(app: Sphinx) -> None:
    """Connect what is above, and the search of the Chinese edition."""
    app.add_search_language(SearchChinese)
    app.connect("html-page-context", empty_headers_as_cells)
