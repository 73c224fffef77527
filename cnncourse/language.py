"""The language of what people read: English stands in the code, other languages in gettext catalogues beside it.

A catalogue is LANGUAGE/LC_MESSAGES/*.po in a folder that a package registers. What it lacks is said in English.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from cnncourse.errors import CNNCourseError

VARIABLE = "CNNCOURSE_LANGUAGE"
"""Environment variable with the language to begin with."""

LANGUAGES = {"en": "English", "zh_CN": "简体中文"}
SHORT = {"zh": "zh_CN", "zh-CN": "zh_CN", "zh_Hans": "zh_CN", "zh-Hans": "zh_CN"}

_folders: list[Path] = [Path(__file__).with_name("locale")]
_current: str | None = None


class UnknownLanguageError(CNNCourseError, ValueError):
    """The course does not speak this language."""


def full_name(language: str) -> str:
    """Name of a language among `LANGUAGES`, from a shorter one too: "zh" is "zh_CN".

    Parameters
    ----------
    language : str

    Raises
    ------
    UnknownLanguageError
        With the languages that there are.
    """
    name = SHORT.get(language, language)
    if name not in LANGUAGES:
        known = ", ".join(f"{code} ({own})" for code, own in LANGUAGES.items())
        raise UnknownLanguageError(f"the course does not speak {language!r}; it speaks {known}")
    return name


def use(language: str) -> None:
    """Speak a language from now on, in this process.

    Parameters
    ----------
    language : str
        "en", "zh_CN" or "zh".

    Raises
    ------
    UnknownLanguageError
    """
    global _current
    _current = full_name(language)


def current() -> str:
    """The language that is spoken: the one asked for, or else the environment's, or else English."""
    asked = _current or SHORT.get(os.environ.get(VARIABLE, ""), os.environ.get(VARIABLE, ""))
    return asked if asked in LANGUAGES else "en"


@contextlib.contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak a language for a while."""
    global _current
    before = _current
    use(language)
    try:
        yield
    finally:
        _current = before


def say(english: str, /, **values: object) -> str:
    """A text in the language that is spoken.

    Parameters
    ----------
    english : str
        The text, a literal, so that it is found for the catalogues; with values, a format string.
    **values : object
        What its braces stand for.

    Returns
    -------
    str
    """
    text = catalogue(current()).get(english) or english
    return text.format(**values) if values else text


def mark(english: str) -> str:
    """The text itself, said later; found for the catalogues."""
    return english


def register(folder: Path) -> None:
    """Add a folder of catalogues."""
    if folder not in _folders:
        _folders.append(folder)
        catalogue.cache_clear()


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Translations of a language by their English text; none for English."""
    if language == "en":
        return {}
    files = [path for folder in _folders for path in sorted((folder / language / "LC_MESSAGES").glob("*.po"))]
    return {english: text for path in files for english, text in read(path).items()}


def read(path: Path) -> dict[str, str]:
    """What a catalogue's file says, by the English text; empty where nothing is translated yet.

    Entries stand between empty lines, in strings escaped as JSON's are, so that a student needs no library for them.
    """
    found: dict[str, str] = {}
    for entry in path.read_text(encoding="utf-8").replace("\r\n", "\n").split("\n\n"):
        texts = {"msgid": "", "msgstr": ""}
        which = ""
        for line in entry.split("\n"):
            keyword, quote, rest = line.partition('"')
            if quote and not line.startswith("#"):
                which = keyword.strip() or which
                texts[which] = texts.get(which, "") + json.loads(quote + rest.replace("\t", "\\t"))
        if texts["msgid"]:
            found[texts["msgid"]] = "" if re.search(r"^#,.*\bfuzzy\b", entry, re.MULTILINE) else texts["msgstr"]
    return found
