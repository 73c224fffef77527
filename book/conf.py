"""Sphinx settings of the book; autograder/book/ writes the pages that Sphinx reads, and adds what depends on language."""

project = "cnncourse"
author = "The cnncourse developers"
copyright = "The cnncourse developers, BSD-3-Clause"

extensions = ["myst_nb", "sphinx-mathjax-offline"]
myst_enable_extensions = ["dollarmath", "html_image"]
nb_execution_mode = "off"  # the notebooks have their outputs already
nb_ipywidgets_js = {}  # they would come from another server; figures carry their own scripts
nb_merge_streams = True

html_theme = "sphinx_book_theme"
html_static_path = ["_static"]
templates_path = ["_templates"]
html_css_files = ["book.css"]
html_js_files = [("book.js", {"priority": 100})]
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
