"""The report: its numbers, its files, and what strangers' text may do to it."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from autograder.cohort import Report
from autograder.exercises.contents import find
from autograder.report.figure import class_figure
from autograder.report.files import write_files
from autograder.report.numbers import ClassNumbers, explanation_of
from autograder.report.page import Content, render
from autograder.report.similar import Similarities, find_similar
from autograder.report.work import feedback_links, read_work
from autograder.report.write import write_report
from autograder.terminal import misconceptions, notes, scores
from tests.autograder import fabricated
from tests.autograder.fabricated import CHOICES, convolution, verdict
from tests.classroom import ASSIGNMENT, Classroom

HOSTILE = "<script>alert(1)</script>"
FIRST_WAY = dict.fromkeys(CHOICES, 0)


class Page(HTMLParser):
    """Elements of a page: texts by id, scripts, links, and every attribute that was set."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.by_id: dict[str, str] = {}
        self.scripts: list[str] = []
        self.links: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self._open: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.attributes += [(tag, name, value) for name, value in values.items()]
        self._inside = tag
        if "id" in values:
            self._open.append(values["id"])
            self.by_id[values["id"]] = ""
        if tag == "a":
            self.links.append(values.get("href", ""))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside != "style":
            self.text += data
        if self._open:
            self.by_id[self._open[-1]] += data.strip()

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""
        if tag == "dd" and self._open:
            self._open.pop()


def small_class() -> list[Report]:
    """Four students: one right, one with two mistakes, one who wrote half, one who could not be graded."""
    return [
        Report("ada", "unchanged", 7.0, 10.0, 0.0, {"output_size": verdict("output_size"),
                                                    "conv2d_forward": verdict("conv2d_forward")}),
        Report("bob", "unchanged", 1.0, 10.0, 0.0, {
            "output_size": verdict("output_size", 0.5, "padding counted once"),
            "conv2d_forward": verdict("conv2d_forward", 0.0, "flipped kernel")}),
        Report("cleo", "unchanged", 2.0, 10.0, 0.0, {
            "output_size": verdict("output_size"),
            "conv2d_forward": verdict("conv2d_forward", 0.0, "flipped kernel", ended="time")}),
        Report("dan", "failed", 0.0, 10.0, 0.0, {}, ("The file is not a notebook.",)),
    ]


def page_of(reports: list[Report], answers: dict[str, dict[str, str]] | None = None,
            names: dict[str, tuple[str, str]] | None = None, links: dict[str, str] | None = None) -> str:
    numbers = ClassNumbers(reports, {report.student: 1.5 for report in reports})
    answers = answers or {}
    similar = find_similar(answers, {})
    return render(Content(ASSIGNMENT, numbers, names or {}, links or {}, similar, answers))


def test_headline_figures_are_those_of_the_class() -> None:
    page = Page(page_of(small_class()))
    assert page.by_id["handed-in"] == "4"
    assert page.by_id["graded"] == "3"
    assert page.by_id["failed"] == "1"
    assert page.by_id["mean"].startswith("3.3")
    assert page.by_id["median"].startswith("2.0")
    assert page.by_id["all-right"].startswith("1")
    assert page.by_id["seconds"].startswith("1.5")


def test_numbers_of_an_exercise_count_every_outcome_once() -> None:
    numbers = ClassNumbers(small_class(), {})
    size, convolved = numbers.exercises
    assert dict(size.outcomes) == {"right": 2, "in part": 1}
    assert dict(convolved.outcomes) == {"right": 1, "wrong": 1, "did not finish": 1}
    assert (size.lost, convolved.lost) == (1.0, 10.0)
    assert [exercise.name for exercise in numbers.to_teach_again] == ["conv2d_forward", "output_size"]
    assert convolved.mistakes[0].students == ["bob", "cleo"] and convolved.mistakes[0].lost == 10.0
    assert numbers.histogram == [0, 1, 1, 0, 0, 0, 0, 1, 0, 0]


def test_what_to_teach_again_shows_the_declared_explanation_and_a_feedback_page() -> None:
    text = page_of(small_class(), links={"bob": "../../feedback/bob/01/01.html"})
    declared = next(m for m in find("conv2d_forward").misconceptions if m.name == "flipped kernel")
    again = Page(text[text.index('id="again"'):text.index('id="exercises"')])
    assert declared.explanation.split(".")[0].replace("`", "") in again.text
    assert "../../feedback/bob/01/01.html" in again.links
    assert "67 % (2)" in Page(text[text.index('id="map"'):text.index('id="look"')]).text


def test_every_misconception_and_general_mistake_has_its_explanation() -> None:
    for declared in find("zero_pad").misconceptions:
        assert explanation_of("zero_pad", declared.name) == declared.explanation
    assert "opposite sign" in explanation_of("zero_pad", "wrong sign")
    assert explanation_of("zero_pad", "a mistake of last year") == ""


def test_text_of_strangers_is_text_on_the_page() -> None:
    reports = small_class()
    reports.append(Report(HOSTILE, "failed", 0.0, 10.0, 0.0, {
        "output_size": verdict("output_size", 0.0, HOSTILE)}, (f"Error: {HOSTILE}",)))
    reports.append(Report('"><img src=x onerror=alert(1)>', "unchanged", 0.0, 10.0, 0.0, {
        "output_size": verdict("output_size", 0.0, "' onclick='alert(1)")}))
    code = convolution(FIRST_WAY, comment=f"    # {HOSTILE} <!-- </script>\n")
    answers = {student: {"conv2d_forward": code} for student in (HOSTILE, '"><img src=x onerror=alert(1)>')}
    for i in range(20):
        answers[f"other{i}"] = {"conv2d_forward": convolution(FIRST_WAY | {"out": 1, "sum": 1})}
    text = page_of(reports, answers, names={HOSTILE: ("</table><script>alert(2)</script>", "&amp;")})
    page = Page(text)
    assert len(page.scripts) == 1 and "alert" not in page.scripts[0]
    assert not [found for found in page.attributes if found[1].startswith("on")]
    assert "img" not in {tag for tag, _, _ in page.attributes}
    assert page.text.count(HOSTILE) >= 3
    assert f"# {HOSTILE} <!-- </script>" in page.text
    assert "</table><script>alert(2)</script> &amp;" in page.text


def test_page_loads_nothing_and_runs_only_its_own_script() -> None:
    text = page_of(small_class())
    page = Page(text)
    digest = base64.b64encode(hashlib.sha256(page.scripts[0].encode()).digest()).decode()
    policy = next(value for tag, name, value in page.attributes if tag == "meta" and value.startswith("default-src"))
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    assert not re.findall(r"https?://|url\(|@import", text)
    assert not [found for found in page.attributes if found[1] in ("src", "srcset", "data")]


@pytest.fixture(scope="module")
def classroom(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Classroom:
    """Ada has the solutions, Eve a way of her own; Bob turns the kernel around, Cleo copies; Dan sends no notebook."""
    room = Classroom(root, tmp_path_factory.mktemp("course"))
    flipped = convolution(FIRST_WAY).replace("weight)", "weight[:, :, ::-1, ::-1])")
    room.hand_in("ada", room.solved())
    room.hand_in("bob", room.solved(conv2d_forward=flipped))
    room.hand_in("cleo", room.solved(conv2d_forward=flipped.replace("part", "window") + "\n\n# mine\n"))
    room.hand_in("dan", b"no notebook")
    room.hand_in("eve", room.solved(conv2d_forward=convolution(dict.fromkeys(CHOICES, 1))))
    for report in room.grade().values():
        assert report.status == "graded"
    return room


@pytest.mark.sandbox
def test_report_of_a_graded_class(classroom: Classroom, tmp_path: Path) -> None:
    course = classroom.course
    paths = write_report(course, ASSIGNMENT)
    folder = classroom.folder / "report" / ASSIGNMENT
    assert paths == [folder / name
                     for name in ("index.html", "scores.csv", "misconceptions.csv", "problems.csv", "similar.csv",
                                  "attempts.csv")]
    page = Page(paths[0].read_text(encoding="utf-8"))
    assert (page.by_id["handed-in"], page.by_id["graded"], page.by_id["failed"]) == ("5", "5", "0")
    assert page.by_id["all-right"].startswith("2")
    with course.gradebook() as gradebook:
        marks = {student: gradebook.find_submission(ASSIGNMENT, student).score
                 for student in ("ada", "bob", "cleo", "dan", "eve")}
    assert page.by_id["mean"].startswith(f"{sum(marks.values()) / 5:.1f}")
    rows = list(csv.DictReader(paths[1].open(newline="", encoding="utf-8")))
    assert {row["student"]: float(row["score"]) for row in rows} == marks
    assert all(float(row["seconds"]) > 0 for row in rows if row["student"] != "dan")
    assert [row["student"] for row in csv.DictReader(paths[2].open(newline=""))
            if row["misconception"] == "flipped kernel"] == ["bob", "cleo"]
    similar = list(csv.DictReader(paths[4].open(newline="")))
    assert [(row["answer"], row["kind"], row["student"]) for row in similar] == [
        ("conv2d_forward", "form", "bob"), ("conv2d_forward", "form", "cleo")]
    feedback = [link for link in page.links if link.endswith(".html")]
    assert {(folder / link).resolve() for link in feedback} == {
        classroom.path("feedback", student, ".html") for student in marks}
    elsewhere = write_report(course, ASSIGNMENT, tmp_path / "here")[0]
    links = [link for link in Page(elsewhere.read_text(encoding="utf-8")).links if link.endswith(".html")]
    assert links and all((elsewhere.parent / link).resolve().is_file() for link in links)


@pytest.mark.sandbox
def test_report_goes_without_the_notebooks_that_are_missing(classroom: Classroom, tmp_path: Path) -> None:
    copy = tmp_path / "course"
    shutil.copytree(classroom.folder, copy)
    for folder in ("autograded", "feedback", "source"):
        shutil.rmtree(copy / folder, ignore_errors=True)
    page = Page(write_report(type(classroom.course)(copy), ASSIGNMENT)[0].read_text(encoding="utf-8"))
    assert page.by_id["handed-in"] == "5"
    assert not [link for link in page.links if "feedback" in link]


@pytest.mark.sandbox
def test_links_of_odd_folders_lead_to_them(classroom: Classroom, tmp_path: Path) -> None:
    student = "50% <b>?\"é#"
    page = classroom.path("feedback", student, ".html")
    page.parent.mkdir(parents=True)
    page.touch()
    links = feedback_links(classroom.course, ASSIGNMENT, [student, "absent"], tmp_path)
    assert list(links) == [student]
    assert not set(links[student]) & set('#? <>"')
    assert (tmp_path / unquote(links[student])).resolve() == page


def test_files_say_the_same_as_the_page(tmp_path: Path) -> None:
    numbers = ClassNumbers(small_class(), {"ada": 0.25})
    paths = write_files(tmp_path, numbers, {"ada": ("Ada", "=HYPERLINK(\"http://x\")")}, Similarities())
    rows = {path.name: list(csv.reader(path.open(newline="", encoding="utf-8"))) for path in paths}
    assert rows["scores.csv"][0][-2:] == ["output_size", "conv2d_forward"]
    assert rows["scores.csv"][1] == [
        "ada", "'=HYPERLINK(\"http://x\")", "Ada", "unchanged", "7.0", "10.0", "0.25", "2.0", "5.0"]
    assert rows["scores.csv"][4][-2:] == ["", ""]
    assert sorted(rows["misconceptions.csv"][1:]) == [
        ["conv2d_forward", "flipped kernel", "2", "0.6667", "bob"],
        ["conv2d_forward", "flipped kernel", "2", "0.6667", "cleo"],
        ["output_size", "padding counted once", "1", "0.3333", "bob"]]
    assert rows["problems.csv"][1:] == [["cleo", "unchanged", "conv2d_forward: did not finish"],
                                        ["dan", "failed", "The file is not a notebook."]]


def test_page_of_five_thousand_lists_everybody_once_and_stays_small() -> None:
    reports = fabricated.reports(5000)
    text = page_of(reports)
    students = text[text.index('id="students"'):]
    assert len(re.findall(r'<tr><th scope="row">s\d{5}</th>', students)) == 5000
    assert len(text) < 1000 * len(reports)
    before = text[:text.index('id="list"')]
    # What comes before the list does not grow with the class.
    assert len(before) < 1.7 * len(page_of(fabricated.reports(500)).split('id="list"')[0])


def test_notebook_that_cannot_be_read_has_no_answers(tmp_path: Path) -> None:
    assert read_work(tmp_path / "absent").answers == {}
    cell = {"cell_type": "code", "source": ["def f():\n", "    pass"],
            "metadata": {"nbgrader": {"grade_id": "f", "solution": True}}}
    (tmp_path / "a.ipynb").write_text("{")
    (tmp_path / "b.ipynb").write_text(json.dumps({"cells": [cell], "metadata": {"cnncourse": {"seconds": 1.5}}}))
    (tmp_path / "c.ipynb").write_text(json.dumps({"cells": [{"cell_type": "code"}], "metadata": {}}))
    (tmp_path / "d.ipynb").write_text("[]")
    assert read_work(tmp_path).answers == {"f": "def f():\n    pass"}
    assert read_work(tmp_path).seconds == 1.5


def test_empty_class_has_a_page() -> None:
    page = Page(page_of([]))
    assert page.by_id["handed-in"] == "0" and "No points were lost." in page.text


@pytest.mark.parametrize(("number", "drawn"), [(12, 12), (2000, 8)])
def test_picture_of_a_large_class_shows_exercises_instead_of_students(number: int, drawn: int) -> None:
    figure = class_figure("01-local-connectivity", fabricated.reports(number))
    assert len(figure.axes[0].get_yticks()) == drawn
    assert figure.get_figheight() < 8


def test_terminal_shows_a_bounded_part_of_a_large_class() -> None:
    reports = fabricated.reports(1000)
    assert scores(reports).row_count == 200
    assert "and 800 more" in str(scores(reports).caption)
    assert max(len(cell) for cell in misconceptions(reports).columns[3]._cells) < 120  # type: ignore[arg-type]
    assert notes(reports).row_count <= 200  # type: ignore[union-attr]


def test_every_way_in_which_an_exercise_can_go_has_a_look_of_its_own():
    from autograder.judging.verdict import How
    from autograder.report.figure import OUTCOME_STYLES
    from autograder.report.page import LETTERS

    assert set(LETTERS) == set(OUTCOME_STYLES) == set(How)
    assert len(set(LETTERS.values())) == len(set(OUTCOME_STYLES.values())) == len(How)
