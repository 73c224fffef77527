"""What a student sees: checks, hints, previews, progress, in a notebook and without one."""

from __future__ import annotations

import json
import signal
import threading
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

from autograder import check, grade_answers, hint, preview, progress
from autograder.checking.check import CheckReport
from autograder.judging.compare import compare
from autograder.showing.html import feedback_outputs, notebook_html
from autograder.showing.panels import CELL_HEIGHT, WIDTH
from autograder.showing.picture import Picture, difference_picture
from tests.answers import RIGHT

(right_pad,) = RIGHT["zero_pad"][0]


SVG = "{http://www.w3.org/2000/svg}"


def one_sided(x, padding):
    return np.pad(x, ((0, 0), (0, 0), (padding, 0), (padding, 0)))


def stub(x, padding):
    raise NotImplementedError


def test_a_right_answer_is_told_in_one_line(capsys):
    check("zero_pad", right_pad)
    assert capsys.readouterr().out == "zero_pad: all 11 cases pass.\n"


def test_a_mistake_is_told_with_case_place_name_and_rule(capsys):
    check("zero_pad", one_sided)
    said = capsys.readouterr().out
    for piece in ("1 of 11 cases pass", "one picture, padding 1",
                  "The shape is (1, 1, 4, 4); it has to be (1, 1, 5, 5)", "padding before only", "all four sides"):
        assert piece in said


def test_a_stub_is_not_yet_written(capsys):
    check("zero_pad", stub)
    assert capsys.readouterr().out == "zero_pad: not yet written.\n"


@pytest.mark.parametrize("arguments, said", [
    (("zero_pd", right_pad), "Did you mean 'zero_pad'"),
    (("zero_pad",), "zero_pad takes 1 function(s): zero_pad; 0 given"),
    (("zero_pad", np.zeros(3)), "is not a function: pass it by name, without calling it"),
])
def test_a_wrong_call_is_answered_kindly(arguments, said, capsys):
    check(*arguments)
    assert said in capsys.readouterr().out


@pytest.fixture
def interruptible():
    """Ctrl-C interrupts, also where the tests were started in the background, which is told to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupted_check_names_the_case(interruptible, capsys):
    def endless(x, padding):
        threading.Timer(0.2, signal.raise_signal, (signal.SIGINT,)).start()
        while True:
            pass

    check("zero_pad", endless)
    assert "interrupted during the case one picture, padding 1" in capsys.readouterr().out


def test_hints_come_one_at_a_time_and_end(capsys):
    said = []
    for _ in range(4):
        hint("zero_pad")
        said.append(capsys.readouterr().out)
    assert [text.count("Hint ") for text in said] == [1, 2, 3, 3]
    assert "That was the last one." in said[2]
    assert "That was the last one." not in said[1]


def test_a_preview_of_an_unwritten_answer_says_which(capsys):
    assert preview(lambda: stub(1, 2)) is None
    assert "Not yet written: stub" in capsys.readouterr().out


def test_a_preview_of_a_failing_answer_is_short_and_of_a_working_one_is_its_value(capsys):
    assert preview(lambda: [][1]) is None
    said = capsys.readouterr().out
    assert "IndexError" in said
    assert len(said.splitlines()) == 2
    assert preview(sorted, [2, 1], reverse=True) == [2, 1]


def test_progress_counts_tries_points_and_mistakes_and_is_kept(capsys):
    check("zero_pad", one_sided)
    check("zero_pad", right_pad)
    check("output_size", lambda *a: 0)
    text, html = repr(progress("01-local-connectivity")), progress("01-local-connectivity")._repr_html_()
    assert "2 of 24 points" in text
    for shown in (text, html):
        for piece in ("✓ passed, tried 2 times", "tried 1 time", "· not started"):
            assert piece in shown


@pytest.mark.parametrize("content", ["", "[]", "{", '{"zero_pad": 3}', '{"zero_pad": {"tries": "x", "score": null}}'])
def test_a_damaged_progress_file_is_no_error(content, tmp_path, capsys):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "progress.json").write_text(content)
    check("zero_pad", right_pad)
    assert "✓ passed, tried 1 time" in repr(progress())


def test_progress_that_cannot_be_kept_is_no_error(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CNNCOURSE_STATE", str(tmp_path / "file" / "below"))
    check("zero_pad", right_pad)
    assert "all 11 cases pass" in capsys.readouterr().out


class Markup(HTMLParser):
    """Collects elements, and complains about what is not closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open, self.seen, self.images, self.elements = [], [], [], []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        self.elements.append((tag, {name: "".join((value or "").split()).rstrip(";") for name, value in attributes}))
        if tag == "img":
            self.images.append(dict(attributes))
        elif tag not in ("br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_rich_form_has_a_picture_with_words_and_hints_that_open_without_a_kernel():
    markup = Markup(notebook_html(grade_answers("zero_pad", lambda x, p: right_pad(2 * x, p))))
    assert markup.images[0]["src"].startswith("data:image/svg+xml;base64,")
    assert len(markup.images) == 1
    for piece in ("9 of 25 entries differ", "Expected, row by row: 0, 0, 0, 0, 0;", "Input x[0, 0, :, :], row by row:"):
        assert piece in markup.images[0]["alt"]
    assert markup.seen.count("details") == 4  # cases, and three hints one inside the other
    assert "script" not in markup.seen


def test_what_a_student_wrote_is_shown_and_not_run_as_markup():
    def bad(x, padding):
        raise ValueError("<script>alert(1)</script>")

    html = notebook_html(grade_answers("zero_pad", bad))
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize("answer", [right_pad, one_sided, stub, lambda *_: None, lambda *_: 1 / 0, lambda x, p: x + 1j])
def test_every_kind_of_result_has_text_html_and_notebook_outputs(answer):
    result = grade_answers("zero_pad", answer)
    report = CheckReport(result)
    Markup(report._repr_html_())
    outputs = feedback_outputs(result)
    assert result.exercise.name in repr(report)
    assert outputs[0]["data"]["text/plain"] == result.message
    json.dumps(outputs)


def test_the_feedback_survives_the_sanitizer_unchanged():
    from nbconvert.filters.strings import clean_html

    pages = [output["data"]["text/html"] for output in feedback_outputs(grade_answers("zero_pad", one_sided))
             if "text/html" in output["data"]]
    assert len(pages) > 1
    for page in pages:
        assert Markup(clean_html(page)).elements == Markup(page).elements


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 4), (2, 2, 3, 4), (1, 1, 1, 1), (1, 1, 90, 90)])
def test_the_picture_shows_the_slice_with_the_first_difference(shape):
    expected = np.arange(np.prod(shape), dtype=float).reshape(shape)
    given = expected.copy()
    given.flat[-1] += 5
    picture = difference_picture(compare(expected, given))
    (said,) = texts(picture, "said")
    assert "1 of " in said
    if len(shape) > 2:
        where = ", ".join(str(n - 1) for n in shape[:-2])
        assert f"slice [{where}, :, :]" in said
    assert texts(picture, "title") == ["expected", "yours"]


def texts(picture: Picture, kind: str) -> list[str]:
    return [text.text for text in ElementTree.fromstring(picture.svg).iter(f"{SVG}text") if text.get("class") == kind]


def numbers(picture: Picture) -> list[list[str]]:
    """The numbers of each panel that has them, row by row."""
    panels = []
    for panel in ElementTree.fromstring(picture.svg).iter(f"{SVG}g"):
        there = [(round(float(text.get("y")) / CELL_HEIGHT - 0.5), float(text.get("x")), text.text)
                 for group in panel.findall(f"{SVG}g[@fill]") for text in group.findall(f"{SVG}text")]
        if there:
            panels.append([text for _, _, text in sorted(there)])
    return panels


def failing(expected, where, **arguments):
    given = expected.copy()
    given[where] += 1
    return difference_picture(compare(expected, given), arguments)


@pytest.mark.parametrize("source, where, shown", [
    ((5, 4), (1, 1, 0, 0), ["input x"]),
    ((2, 1, 4, 4), (1, 1, 0, 0), ["input x[1, 0, :, :]"]),
    ((2, 3, 3, 4), (1, 1, 0, 0), [f"input x[1, {c}, :, :]" for c in range(3)]),
    ((3, 3, 3, 3), (1, 1, 0, 0), [f"input x[0, {c}, :, :]" for c in range(3)]),
    ((2, 2, 9, 9), (1, 1, 0, 0), ["input x[1, 1, :, :]"]),
    ((2, 6, 3, 4), (0, 1, 2, 2), [f"input x[0, {c}, :, :]" for c in range(3)]),
    ((2, 2, 11, 11), (1, 1, 0, 0), []),
    ((7,), (1, 1, 0, 0), []),
])
def test_the_picture_shows_the_input_of_the_same_sample_where_it_can_be_read(source, where, shown):
    expected = np.arange(2 * 2 * 3 * 3.0).reshape(2, 2, 3, 3)
    picture = failing(expected, where, stride=2, x=np.ones(source), weight=np.zeros((2, 2)))
    assert sorted(texts(picture, "title")) == sorted(["expected", "yours", *shown] if shown or len(source) > 1 else
                                   ["expected", "yours", "input weight"])
    assert picture.width <= WIDTH


def test_the_numbers_stand_in_their_cells_and_what_differs_is_marked_once():
    expected = np.array([[1.0, -2.5, 300], [0.004, 4, -0.004]])
    picture = failing(expected, (1, 2), x=np.array([[7.0, 8]]))
    source, want, got = numbers(picture)
    assert (source, want) == (["7", "8"], ["1", "-2.5", "3e+02", "0", "4", "0"])
    assert got == [*want[:-1], "1"]
    dark, light = (path.get("d") for path in ElementTree.fromstring(picture.svg).iter(f"{SVG}path")
                   if path.get("stroke-width") in ("3.6", "1.5"))
    assert dark == light
    assert dark.count("z") == 1
    assert dark.startswith("M83.6 32.2h")


def test_the_picture_is_told_in_words():
    expected = np.array([[1.0, 2.5], [3, 4]])
    told = failing(expected, (1, 0), x=np.array([[0.0, 1, 2]])).alt
    assert told == ("1 of 4 entries differ (outlined and crossed). Expected, row by row: 1, 2.5; 3, 4. "
                    "Yours, row by row: 1, 2.5; 4, 4. Input x, row by row: 0, 1, 2.")
    large = failing(np.zeros((9, 9)), (1, 1)).alt
    assert "Expected: 9 rows, 9 columns." in large


def test_the_picture_of_two_shapes_shows_the_inputs_shape_too():
    picture = difference_picture(compare(np.ones((2, 3)), np.ones((3, 2))), {"x": np.ones((4, 3, 5, 6))})
    assert texts(picture, "title") == ["expected", "(2, 3)", "yours", "(3, 2)", "input x", "(4, 3, 5, 6)"]
    assert picture.alt == "Shapes, drawn on one scale: expected (2, 3); yours (3, 2); input x (4, 3, 5, 6)."


@pytest.mark.parametrize("given", [np.zeros((2, 5)), np.zeros(7), np.float64(3), np.full((3, 4), np.nan)])
def test_shapes_and_values_that_are_not_finite_are_drawn_too(given):
    verdict = compare(np.ones((3, 4)), np.asarray(given))
    assert texts(difference_picture(verdict), "title")


def test_numbers_and_exceptions_have_no_picture():
    assert difference_picture(compare(3, 4)) is None
    assert difference_picture(compare(np.ones(3), None)) is None
