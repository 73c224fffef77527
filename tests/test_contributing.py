"""CONTRIBUTING.md: where a new thing belongs is where those things are that there are already."""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest

from autograder import exports, grade_answers
from autograder.classroom.plugins import JudgeAnswers
from autograder.exercises.contents import every
from autograder.judging.exercise import HINT_LEVELS
from autograder.sandbox.isolation import Limits
from autograder.showing.html import notebook_html
from cnncourse import plotting, widgets
from cnncourse.language import LANGUAGES
from tests.conftest import ROOT
from tests.makers import MAKERS

TEXT = (ROOT / "CONTRIBUTING.md").read_text()
PATH = re.compile(r"`((?:\.?[\w<>-]+/)*[\w<>.*-]+(?:\.\w+|/|/run)|Dockerfile)`")
TRANSLATED = sorted(set(LANGUAGES) - {"en"})
TOPICS = {exercise.notebook: re.search(r"exercises\.(\w+)\.", exercise.references[exercise.answers[0]].__module__)[1]
          for exercise in every()}
"""The topic of each notebook: where its exercises are declared."""
LIMITS = [field.name for field in fields(Limits) if field.name.endswith("_seconds")]


def bullets() -> dict[str, str]:
    """What is said about each kind of thing, by its name in bold."""
    section = TEXT.split("## Where a new thing belongs")[1].split("\n## ")[0]
    found = re.findall(r"^- \*\*(.+?)\*\*(.*?)(?=^- \*\*|\Z)", section, re.DOTALL | re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in found}


BULLETS = bullets()


def paths(text: str) -> list[str]:
    return [path for path in PATH.findall(text) if "/" in path or path in ("README.md", "Dockerfile")]


def places(text: str, **known: str) -> Iterator[str]:
    """Paths that a text names, with everything put in that its angle brackets may stand for."""
    choices = {"topic": sorted(TOPICS.values()), "notebook": sorted(TOPICS), "language": TRANSLATED}
    choices |= {name: [value] for name, value in known.items()}
    for path in paths(text):
        names = re.findall(r"<(\w+)>", path)
        for values in itertools.product(*(choices[name] for name in dict.fromkeys(names))):
            filled = path
            for name, value in zip(dict.fromkeys(names), values, strict=True):
                filled = filled.replace(f"<{name}>", value)
            yield filled


@pytest.mark.parametrize("kind", BULLETS)
def test_every_place_that_is_named_is_there(kind):
    assert [path for path in places(BULLETS[kind]) if not (ROOT / path).exists()] == []


def test_all_kinds_of_things_that_people_add_are_listed():
    assert {"An exercise", "A mistake that students make", "A layer", "A language", "An export of marks",
            "A hint level", "A time limit", "A figure", "A notebook"} <= set(BULLETS)
    for kind in MEMBERS:
        assert named_in(kind), kind


def named_in(kind: str) -> str:
    """The part of what is said about a kind that lists the files which name it."""
    found = re.search(r"Named in (.*?)\.(?=\s|$)", BULLETS[kind])
    return found[1] if found else ""


@cache
def words(path: Path) -> frozenset[str]:
    """Everything that may be a name in a file, or in all files of a folder."""
    files: Iterable[Path] = [path] if path.is_file() else (
        file for file in path.rglob("*") if file.suffix in (".py", ".md", ".js") and "__pycache__" not in file.parts)
    return frozenset(word for file in files for word in re.findall(r"[\w-]+", file.read_text(encoding="utf-8")))


MEMBERS: dict[str, Callable[[], list[tuple[str, dict[str, str]]]]] = {
    "An exercise": lambda: [(one.name, {"topic": TOPICS[one.notebook], "notebook": one.notebook}) for one in every()],
    "A notebook": lambda: [(name, {"topic": topic, "notebook": name}) for name, topic in TOPICS.items()],
    "A topic": lambda: [(topic, {"topic": topic}) for topic in TOPICS.values()],
    "A figure": lambda: [(name, {}) for name in plotting.__all__ if name != "Illustration"],
    "A figure to play with": lambda: [(make.__name__, {}) for make in MAKERS],
    "A language": lambda: [(name, {"language": name}) for name in TRANSLATED],
    "An export of marks": lambda: [(name, {}) for name in vars(exports) if re.match(r"[A-Z]\w+ExportPlugin$", name)
                                   and vars(exports)[name].__module__ == exports.__name__],
    "A time limit": lambda: [(name, {}) for name in LIMITS],
}
"""All things of a kind, and what stands for its angle brackets."""


@pytest.mark.parametrize("kind", MEMBERS)
def test_each_thing_is_named_in_all_the_places_where_a_new_one_belongs(kind):
    members = MEMBERS[kind]()
    assert len(members) >= 1
    assert [(name, path) for name, known in members for path in places(named_in(kind), **known)
            if name not in words(ROOT / path)] == []


def test_the_list_would_notice_a_thing_that_nobody_named():
    assert [path for path in places(named_in("An exercise"), topic="memory", notebook="06-memory")
            if "no_such_exercise" not in words(ROOT / path)] == [
        "autograder/exercises/memory/", "solutions/06-memory.md", "tests/answers/memory/",
        "notebooks/06-memory/06-memory.ipynb", *(f"notebooks/{one}/06-memory/06-memory.ipynb" for one in TRANSLATED)]


def test_a_figure_to_play_with_has_a_module_in_both_languages_of_the_browser_and_of_the_kernel():
    assert {make.__name__ for make in MAKERS} == {
        name for name in widgets.__all__ if callable(getattr(widgets, name)) and name[0].islower()} - {"static_html"}
    for make in MAKERS:
        module = ROOT / "cnncourse" / "widgets" / make.__module__.rpartition(".")[2]
        assert module.with_suffix(".py").is_file() and module.with_suffix(".js").is_file()


@pytest.mark.parametrize("name", LIMITS)
def test_a_time_limit_has_one_default_and_the_guide_tells_it(name):
    default = getattr(Limits(), name)
    assert JudgeAnswers.class_traits()[name].default_value == default
    assert re.search(rf"JudgeAnswers\.{name} = {default:g}\b", (ROOT / "docs" / "grading.md").read_text())


def test_every_hint_level_can_be_opened():
    result = grade_answers("zero_pad", lambda x, padding: x)
    text = html.unescape(re.sub(r"<[^>]+>", "", notebook_html(result)))
    assert len(result.exercise.hints) == HINT_LEVELS
    assert [hint for hint in result.exercise.hints if hint not in text] == []
