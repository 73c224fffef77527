"""The `course` command where perhaps not all of it is installed: what is missing is named, with what brings it."""

import sys

BROUGHT_BY = {
    "lab": ("jupyter_server", "jupyterlab", "rich", "tornado", "typer"),
    "cluster": ("dask", "distributed"),
    "postgresql": ("psycopg",),
    "book": ("jupyter_cache", "myst_nb", "sphinx", "sphinx_book_theme"),
    "grade": ("alembic", "babel", "bleach", "jupytext", "markdown_it", "mdit_py_plugins", "nbclient", "nbconvert",
              "nbformat", "nbgrader", "pyseccomp", "setuptools", "sqlalchemy", "tomlkit", "wheel"),
}
"""Modules that students' notebooks do without, by the extra that brings them."""


def course() -> None:
    """The `course` command; where a part of it is not installed, it says which."""
    try:
        from autograder.cli import main

        main()
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        extra = next((extra for extra, names in BROUGHT_BY.items() if module in names), None)
        if extra is None:
            raise
        sys.exit(f"This needs {module}, which is not installed here. To install it: "
                 f"python -m pip install 'cnncourse[{extra}]'")
