"""Notebooks and messages in Chinese: complete, from the same source, and the same in everything but the words."""

from __future__ import annotations

import copy
import re

import nbformat
import numpy as np
import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po
from matplotlib.text import Text

from autograder import check, grade_answers, hint
from autograder.assignment import prose
from autograder.assignment.cells import is_for_handing_in
from autograder.authoring import build, catalogues
from autograder.exercises.contents import every
from cnncourse import data, functional, language
from cnncourse.plotting import illustration
from tests.classroom import ASSIGNMENT, Classroom
from tests.conftest import ROOT
from tests.figures import FIGURES

CHINESE = re.compile(r"[\u4e00-\u9fff]")
ODD_TEXTS = ('say "no"', "back\\slash \\n", "two\nlines\n", "tab\there", "#, fuzzy", "msgid", "\u4e2d\u6587 \u00e9",
             "long " * 40, 'a = "\\"')
FIELD = re.compile(r"\{[^{}]*\}")


@pytest.fixture
def chinese():
    with language.speaking("zh"):
        yield


@pytest.fixture(scope="module")
def states():
    return catalogues.states(ROOT, "zh_CN")


def test_everything_is_translated_and_nothing_else_stands_in_the_catalogues(states):
    assert {state.path.name: (state.missing[:3], state.obsolete[:3]) for state in states if state.stale} == {}
    assert sum(state.total for state in states) > 5000


def test_a_new_paragraph_makes_a_catalogue_stale_and_updating_keeps_what_is_translated(tmp_path):
    (tmp_path / "solutions").mkdir()
    source = (ROOT / "solutions" / f"{ASSIGNMENT}.md").read_text()
    first = prose.paragraphs(build.source_notebook(ROOT, ASSIGNMENT))[0]
    (tmp_path / "solutions" / f"{ASSIGNMENT}.md").write_text(source.replace(first, f"{first}\n\nA new paragraph.", 1))
    path = prose.catalogue_path(tmp_path, ASSIGNMENT, "zh_CN")
    path.parent.mkdir(parents=True)
    path.write_bytes(prose.catalogue_path(ROOT, ASSIGNMENT, "zh_CN").read_bytes())
    state = catalogues.states(tmp_path, "zh_CN")[0]
    assert state.missing == ("A new paragraph.",) and not state.obsolete
    before = language.read(path)
    catalogues.update(tmp_path, "zh_CN")
    after = language.read(path)
    assert after.pop("A new paragraph.") == "" and after == before
    written = path.read_bytes()
    catalogues.update(tmp_path, "zh_CN")
    assert path.read_bytes() == written


def test_translations_keep_code_formulas_links_and_fields(states):
    lost = []
    for state in states:
        for english, text in language.read(state.path).items():
            kept = [FIELD] if state.path.stem in ("autograder", "cnncourse") else []
            if state.path.stem != "autograder":
                kept += [re.compile(r"`[^`]+`"), re.compile(r"\]\([^)]*\)"), re.compile(r"<[^>]+>")]
            lost += [(state.path.stem, english) for pattern in kept
                     if sorted(pattern.findall(english)) != sorted(pattern.findall(text))]
    assert lost == []


@pytest.mark.parametrize("assignment", build.assignments(ROOT))
def test_a_translated_notebook_differs_in_prose_alone(assignment):
    english = build.source_notebook(ROOT, assignment)
    translated = build.source_notebook(ROOT, assignment, "zh_CN")
    assert prose.language_of(translated) == "zh_CN" and prose.language_of(english) == "en"
    imports = 0
    for ours, theirs in zip(english.cells, translated.cells, strict=True):
        assert (ours.id, ours.metadata, ours.cell_type) == (theirs.id, theirs.metadata, theirs.cell_type)
        if is_for_handing_in(ours):  # ours, and said in the language of the notebook
            assert theirs.source == ours.source if "rehearse()" in ours.source else CHINESE.search(theirs.source)
            continue
        if ours.cell_type == "code" and ours.source != theirs.source:
            assert theirs.source.startswith(ours.source) and "use_language('zh_CN')" in theirs.source
            imports += 1
    assert imports == 1
    left = [text for text in prose.paragraphs(translated) if re.search(r"\b[a-z]+ [a-z]+ [a-z]+ [a-z]+ [a-z]+\b", text)
            and not CHINESE.search(text)]
    assert [text for text in left if text not in language.read(prose.catalogue_path(ROOT, assignment, "zh_CN")).values()
            ] == []


def test_prose_is_found_where_markdown_puts_it():
    source = ("# A title\n\nText with $a|b$\n\n- an item\n  over two lines\n\n> a quotation\n> over two\n\n"
              "| head | a |\n|---|---|\n| a | b |\n\n$$x = \\text{a}$$\n\n```\ncode\n```\n\n<b>raw</b>\n")
    cell = nbformat.v4.new_markdown_cell(source)
    found = prose.paragraphs(nbformat.v4.new_notebook(cells=[cell]))
    assert found == ["A title", "Text with $a|b$", "an item\nover two lines", "a quotation\nover two", "head", "a", "b",
                     "x = \\text{a}", "<b>raw</b>"]
    upper = {text: text.upper() for text in found}
    again = prose.translated(source, upper)
    assert "| HEAD | A |\n|---|---|\n| A | B |" in again
    assert "- AN ITEM\nOVER TWO LINES" in again and "> A QUOTATION\nOVER TWO" in again and "```\ncode\n```" in again
    assert prose.translated(source, {}) == source


def test_checks_hints_and_progress_speak_chinese(chinese, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("CNNCOURSE_STATE", str(tmp_path))

    def flipped(x, weight, bias, stride, padding):
        return functional.conv2d(x, weight[:, :, ::-1, ::-1], bias, stride=stride, padding=padding)

    check("conv2d_forward", flipped)
    hint("conv2d_forward")
    said = capsys.readouterr().out
    assert len(said.splitlines()) > 4
    assert all(CHINESE.search(line) for line in said.splitlines() if line.strip())
    result = grade_answers("conv2d_forward", flipped)
    assert result.misconceptions == ("flipped kernel",)
    assert language.say("flipped kernel") in result.message and CHINESE.search(language.say("flipped kernel"))


def test_the_judgment_is_the_same_in_both_languages():
    for exercise in list(every())[::9]:
        for mistake in exercise.misconceptions[:1]:
            answers = exercise.references | {mistake.answer: mistake.wrong}
            english = grade_answers(exercise.name, answers)
            with language.speaking("zh_CN"):
                translated = grade_answers(exercise.name, answers)
                message = translated.message
            assert (english.score, english.misconceptions) == (translated.score, translated.misconceptions)
            assert message != english.message


def test_labels_of_pictures_are_in_the_language_of_the_course(chinese):
    from autograder.judging.compare import compare
    from autograder.showing.picture import difference_picture

    assert CHINESE.search(difference_picture(compare(np.zeros((3, 3)), np.eye(3)), {}).svg)


@pytest.mark.parametrize("name", ["output_sizes", "three_kinds", "maxima_and_indices", "memory_by_kind"])
def test_figures_have_chinese_labels_without_empty_boxes_where_a_font_has_the_characters(name, chinese, recwarn):
    illustration.chinese_font.cache_clear()
    figure = FIGURES[name](data.photograph("flower", shrink=12))
    figure.png()
    assert [str(warning.message) for warning in recwarn if "missing from" in str(warning.message)] == []
    labels = "".join(text.get_text() for text in figure.findobj(Text))
    assert bool(CHINESE.search(labels)) == bool(illustration.chinese_font())


def test_a_catalogue_is_read_as_babel_reads_it(root, tmp_path):
    """Students read theirs without babel; odd texts, fuzzy and obsolete entries included."""
    odd = Catalog(locale="zh_CN")
    for number, text in enumerate(ODD_TEXTS):
        odd.add(text, text[::-1] if number % 3 else "", flags={"fuzzy"} if number % 4 == 1 else ())
    odd.obsolete["gone"] = Message("gone", "weg")
    with (tmp_path / "odd.po").open("wb") as file:
        write_po(file, odd)
    for path in [tmp_path / "odd.po", *root.glob("*/locale/zh_CN/LC_MESSAGES/*.po")]:
        with path.open("rb") as file:
            theirs = {str(message.id): "" if message.fuzzy else str(message.string)
                      for message in read_po(file, ignore_obsolete=True) if message.id}
        assert len(theirs) > 5
        assert language.read(path) == theirs, path


def test_an_unknown_language_names_those_that_there_are():
    with pytest.raises(language.UnknownLanguageError, match="简体中文"):
        language.use("fr")


@pytest.mark.slow
@pytest.mark.sandbox
def test_a_class_that_was_given_chinese_notebooks_gets_chinese_feedback(tmp_path):
    classroom = Classroom(ROOT, tmp_path / "course", language="zh_CN")
    wrong = copy.deepcopy(classroom.stub)
    classroom.hand_in("ada", classroom.solved())
    classroom.hand_in("bob", wrong)
    reports = classroom.grade()
    assert reports["ada"].score > 0 == reports["bob"].score
    page = (classroom.folder / "feedback" / "ada" / ASSIGNMENT / f"{ASSIGNMENT}.html").read_text()
    with language.speaking("zh_CN"):
        for exercise in every(ASSIGNMENT):
            assert grade_answers(exercise.name, exercise.references).message in page
