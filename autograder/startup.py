"""How processes start: the `course` command where not all of it is installed, and what is left out of imports."""

import codecs
import io
import sys

BROUGHT_BY = {
    "lab": ("jupyter_server", "jupyterlab", "rich", "tornado", "typer"),
    "cluster": ("dask", "distributed"),
    "postgresql": ("psycopg",),
    "book": ("jupyter_cache", "myst_nb", "sphinx", "sphinx_book_theme"),
    "grade": ("alembic", "babel", "bleach", "jupytext", "markdown_it", "mdit_py_plugins", "nbclient", "nbconvert",
              "nbformat", "nbgrader", "pyseccomp", "setuptools", "sqlalchemy"),
}
"""Modules that students' notebooks do without, by the extra that brings them."""


PLAIN = {"✓": "+", "✗": "-", "·": ".", "…": "...", "–": "-"}


def write_what_fits() -> None:
    """Let the two outputs show something else for characters that their encoding lacks, instead of an error."""
    codecs.register_error("plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="plain")


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(PLAIN.get(character, "?") for character in error.object[error.start:error.end]), error.end


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


def leave_out_address_grammar() -> None:
    """Keep jsonschema from the parser with which it checks international web addresses.

    It builds the parser as soon as rfc3987_syntax can be imported, 1.4 s of processor time and more, for a check that
    no notebook and no schema of Jupyter asks for; without it jsonschema leaves the check out. To be called before
    anything imports jsonschema.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
