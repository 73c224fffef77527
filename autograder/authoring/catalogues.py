"""What there is to translate, and how much of it is: gettext catalogues of the notebooks' prose and of the messages."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import jinja2
from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po
from rich.table import Table

from autograder.assignment import prose
from autograder.assignment.cells import is_for_handing_in
from autograder.authoring import build
from autograder.exercises.contents import every
from autograder.judging.exercise import Misconception
from autograder.judging.general import GENERAL, GeneralMistake
from cnncourse import language as languages

MARKERS = ("say", "mark")
PACKAGES = ("cnncourse", "autograder")
WIDTH = 120
HEADER = r"""msgid ""
msgstr ""
"Language: {language}\n"
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=utf-8\n"
"Content-Transfer-Encoding: 8bit\n"

"""
"""Babel's own has the time in it, and two runs would not write the same file."""


@dataclass(frozen=True)
class State:
    """How much of a catalogue is translated.

    Attributes
    ----------
    path : Path
    total : int
        Texts that there are in English.
    missing : tuple of str
        Those without a translation.
    obsolete : tuple of str
        Texts in the catalogue that are nowhere in the course any more.
    """

    path: Path
    total: int
    missing: tuple[str, ...]
    obsolete: tuple[str, ...]

    @property
    def translated(self) -> int:
        """Texts with a translation."""
        return self.total - len(self.missing)

    @property
    def stale(self) -> bool:
        """Whether the catalogue does not belong to what the course says now."""
        return bool(self.missing or self.obsolete)


def texts(root: Path, language: str) -> Iterator[tuple[Path, list[str]]]:
    """Each catalogue's path and what has to be in it.

    Parameters
    ----------
    root : Path
        The checkout.
    language : str

    Yields
    ------
    tuple of (Path, list of str)
    """
    for assignment in build.assignments(root):
        notebook = build.source_notebook(root, assignment)
        notebook.cells = [cell for cell in notebook.cells if not is_for_handing_in(cell)]  # these are said by code
        yield prose.catalogue_path(root, assignment, language), prose.paragraphs(notebook)
    for package in PACKAGES:
        said = [text for path in sorted((root / package).rglob("*.py")) for text in in_code(path.read_text("utf-8"))]
        said += [text for path in sorted((root / package / "templates").glob("*.j2"))
                 for text in in_template(path.read_text("utf-8"))]
        if package == "autograder":
            said += declared()
        if said:
            yield root / package / "locale" / language / "LC_MESSAGES" / f"{package}.po", list(dict.fromkeys(said))


def in_code(source: str) -> Iterator[str]:
    """Literals that Python code says to people."""
    for node in ast.walk(ast.parse(source)):
        if (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKERS and node.args
                and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)):
            yield node.args[0].value


def in_template(source: str) -> Iterator[str]:
    """Literals that a template says to people."""
    for call in jinja2.Environment().parse(source).find_all(jinja2.nodes.Call):
        if (isinstance(call.node, jinja2.nodes.Name) and call.node.name in MARKERS and call.args
                and isinstance(call.args[0], jinja2.nodes.Const)):
            yield call.args[0].value


def declared() -> list[str]:
    """What the exercises say: hints, misconceptions, names of cases."""
    said: list[str] = []
    for exercise in every():
        said += [exercise.title, *exercise.hints]
        said += [text for mistake in exercise.misconceptions for text in _said_of(mistake)]
        said += [case.name for case in exercise.cases()]
    return said + [text for mistake in GENERAL for text in _said_of(mistake)]


def _said_of(mistake: Misconception | GeneralMistake) -> tuple[str, ...]:
    """Name, explanation and detail: each is translated by itself, and what many share only once."""
    return tuple(filter(None, (mistake.name, mistake.explanation, mistake.detail)))


def states(root: Path, language: str) -> list[State]:
    """How complete each catalogue of a language is."""
    found = []
    for path, wanted in texts(root, language):
        there = languages.read(path) if path.is_file() else {}
        missing = tuple(text for text in wanted if not there.get(text))
        found.append(State(path, len(wanted), missing, tuple(sorted(set(there) - set(wanted)))))
    return found


def table(language: str, found: Iterable[State]) -> Table:
    """How complete the catalogues of a language are, for a terminal."""
    shown = Table(title=languages.LANGUAGES[language])
    for header in ("catalogue", "translated", "of", "obsolete"):
        shown.add_column(header, justify="left" if header == "catalogue" else "right")
    for state in found:
        shown.add_row(state.path.stem, str(state.translated), str(state.total), str(len(state.obsolete)))
    return shown


def update(root: Path, language: str) -> None:
    """Write all catalogues anew: new texts without a translation, those that are gone left out."""
    for path, wanted in texts(root, language):
        write(path, language, wanted, languages.read(path) if path.is_file() else {})
    languages.catalogue.cache_clear()


def write(path: Path, language: str, wanted: Iterable[str], known: dict[str, str]) -> None:
    """Write one catalogue, the same file for the same contents."""
    catalogue = Catalog(locale=language, fuzzy=False)
    for text in wanted:
        # Babel takes a per cent sign for a place of Python's formatting, and refuses what has another number of them.
        catalogue.add(text, known.get(text, "")).flags.discard("python-format")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(HEADER.format(language=language).encode())
        write_po(file, catalogue, width=WIDTH, omit_header=True)
