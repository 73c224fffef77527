"""The pages' folder, and what Sphinx makes of it."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.authoring.build import assignments, build, source_notebook
from autograder.authoring.catalogues import write
from autograder.authoring.composing import headings, translations
from autograder.book.execution import Announce, Outputs, run_all
from autograder.book.pages import FIGURES, page
from autograder.errors import BuildError
from autograder.exercises.contents import VARIABLE as COURSE_VARIABLE
from autograder.exercises.contents import teaching
from autograder.showing.templating import template
from autograder.syllabus import Syllabus, library
from cnncourse.language import VARIABLE, current, full_name, mark, say, speaking

UNFINISHED = "unfinished"
PAGES = "writing pages"
TITLE = mark("Convolutional networks in notebooks")
"""Of our own book; a course of its own has its own."""
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Parts:
    """Where the parts lie that the site is put together from; kept, so that the next build is quick.

    Parameters
    ----------
    folder : Path
        For one language.
    """

    folder: Path

    @property
    def pages(self) -> Path:
        """What Sphinx reads."""
        return self.folder / "pages"

    @property
    def extra(self) -> Path:
        """What goes into the site as it is."""
        return self.folder / "extra"

    @property
    def catalogues(self) -> Path:
        """A copy of the translations: Sphinx compiles them where they lie."""
        return self.folder / "locale"


def build_book(
    root: Path, to: Path, *, language: str = "en", execute: Collection[str] | None = None, work: Path | None = None,
    announce: Announce = lambda name, done, total: None,
) -> list[str]:
    """Build the site.

    Parameters
    ----------
    root : Path
        The course's folder.
    to : Path
        Folder of the site.
    language : str, optional
        "en", "zh_CN" or "zh".
    execute : collection of str, optional
        Assignments to run; by default all. The others show outputs that are known from an earlier run.
    work : Path, optional
        Where parts are kept; by default a folder under build/.
    announce : callable, optional
        Called with an assignment's name or `PAGES`, how much of it is done, and how much there is.

    Returns
    -------
    list of str
        What Sphinx warns of.

    Raises
    ------
    BuildError
        If a package for it is missing, the folder holds something else, or a notebook does not run.
    UnknownLanguageError
    """
    _insist_on_packages()
    if to.is_dir() and any(to.iterdir()) and not (to / ".buildinfo").is_file() and not (to / UNFINISHED).is_file():
        raise BuildError(f"{to} holds something that is no book; name another folder with --to, or delete it")
    language = full_name(language)
    course = Syllabus.read(root)
    environment = {VARIABLE: language} | ({COURSE_VARIABLE: str(root)} if course.own else {})
    with teaching(course):
        work = work or root / "build" / "book-parts"
        parts = Parts(work / language)
        names = assignments(root)
        notebooks = {name: source_notebook(root, name) for name in names}
        outputs = Outputs(work / "outputs" / language, root)
        wanted = {name: notebooks[name] for name in names if execute is None or name in execute}
        executed = run_all(wanted, outputs, environment, announce)
        shown = {name: executed.get(name) or outputs.find_latest(notebook) or notebook
                 for name, notebook in notebooks.items()}
        if len(executed) == len(notebooks):
            outputs.forget_older()
        _write_catalogues(root, parts, language, notebooks)
        with speaking(language):
            write_pages(root, parts, shown)
            return run_sphinx(root, parts, to, language, announce)


def write_pages(root: Path, parts: Parts, notebooks: dict[str, NotebookNode]) -> None:
    """Write what Sphinx reads and what goes into the site as it is; files that stay the same are not touched."""
    wanted: dict[Path, bytes] = {}
    addresses = Syllabus.read(root).addresses
    for path in book_folder(root).glob("*.md"):
        wanted[parts.pages / path.name] = path.read_bytes()
    if book_folder(root).parent != root:  # a course of its own, with its own contents
        wanted[parts.pages / "index.md"] = first_page(Syllabus.read(root), notebooks).encode()
    for name, notebook in notebooks.items():
        shown, pictures = page(notebook, name, addresses.get("notebooks", ""))
        wanted[parts.pages / f"{name}.ipynb"] = nbformat.writes(shown).encode()
        wanted |= {parts.extra / path: content for path, content in pictures.items()}
    wanted |= {parts.pages / FIGURES / name: content for name, content in landing_pictures().items()}
    release = parts.folder / "release"
    shutil.rmtree(release, ignore_errors=True)
    build(root, notebooks, parts.folder / "source", release, language=current())
    for name in notebooks:
        wanted[parts.extra / "notebooks" / f"{name}.ipynb"] = (release / name / f"{name}.ipynb").read_bytes()
    for path, content in wanted.items():
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    for folder in (parts.pages, parts.extra):
        for path in folder.rglob("*"):
            if path.is_file() and path not in wanted:
                path.unlink()


def book_folder(root: Path) -> Path:
    """Where the pages lie that are no notebooks, and Sphinx's settings: the course's own, or the library's."""
    return root / "book" if (root / "book").is_dir() else library(root) / "book"


def first_page(course: Syllabus, notebooks: Mapping[str, NotebookNode]) -> str:
    """A course's own first page: its title, its notebooks with their titles, and what they begin with."""
    chapters = []
    for name, notebook in notebooks.items():
        lines = [part for cell in notebook.cells if cell.cell_type == "markdown" for part in cell.source.split("\n\n")]
        title = next((line.removeprefix("# ") for line in lines if line.startswith("# ")), name)
        chapters.append({"name": name, "title": title})
    return template("course/index.md.j2", plain=True).render(title=course.title or course.identifier, chapters=chapters)


def landing_pictures() -> dict[str, bytes]:
    """Pictures of the first page, drawn by the course's own functions."""
    from cnncourse import plotting

    figure = plotting.receptive_field(in_shape=(3, 8, 10), out_channels=4, kernel_size=3, stride=1, position=(2, 4))
    return {"one-neuron.png": figure.png()}


def run_sphinx(root: Path, parts: Parts, to: Path, language: str, announce: Announce) -> list[str]:
    """Make the site of the pages' folder; what Sphinx warns of."""
    from sphinx.application import Sphinx
    from sphinx.errors import SphinxError
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    settings = {"language": language, "locale_dirs": [str(parts.catalogues)], "html_extra_path": [str(parts.extra)],
                "html_title": say(Syllabus.read(root).title or TITLE)}
    to.mkdir(parents=True, exist_ok=True)
    # A page that was cut off by a kill looks newer than its source: then all are written anew.
    unfinished = to / UNFINISHED
    everything = unfinished.exists()
    unfinished.touch()
    warnings = io.StringIO()
    try:
        with patch_docutils(str(book_folder(root))), docutils_namespace():
            app = Sphinx(str(parts.pages), str(book_folder(root)), str(to), str(parts.folder / "doctrees"), "html",
                         settings, status=None, warning=warnings, freshenv=everything)
            _announce_pages(app.connect, announce, 2 * len(list(parts.pages.glob("*.*"))))
            app.build(force_all=everything)
    except SphinxError as error:
        raise BuildError(f"Sphinx could not make the pages: {error}\n{warnings.getvalue()}") from error
    unfinished.unlink()
    return [line for line in ESCAPES.sub("", warnings.getvalue()).splitlines() if line.strip()]


def _announce_pages(connect: Callable[..., int], announce: Announce, total: int) -> None:
    """Count pages as they are read and as they are written."""
    done = 0

    def count(*args: object) -> None:
        nonlocal done
        done += 1
        announce(PAGES, min(done, total), total)

    connect("source-read", count)
    connect("html-page-context", count)


def _write_catalogues(root: Path, parts: Parts, language: str, names: Iterable[str]) -> None:
    """The translations as Sphinx looks for them, by the page."""
    shutil.rmtree(parts.catalogues, ignore_errors=True)
    if language == "en":
        return
    folder = parts.catalogues / language / "LC_MESSAGES"
    pages = book_folder(root) / "locale" / language / "LC_MESSAGES"
    shutil.copytree(pages, folder) if pages.is_dir() else folder.mkdir(parents=True)
    for name in names:
        known = translations(root, name, language)
        # What exercises are called and worth is said anew for each course.
        known |= dict(zip(headings(source_notebook(root, name)), headings(source_notebook(root, name, language)),
                          strict=True))
        write(folder / f"{name}.po", language, known, known)


def _insist_on_packages() -> None:
    from importlib.util import find_spec

    missing = [name for name in ("jupyter_cache", "myst_nb", "sphinx", "sphinx_book_theme") if find_spec(name) is None]
    if missing:
        raise BuildError(f"the book needs packages that are not installed ({', '.join(missing)}): run `python3 "
                         "course.py book`, which installs them, or `pip install .[book]`")
