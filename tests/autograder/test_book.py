"""The book: pages made of notebooks, notebooks run and remembered, a site whose links lead somewhere."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from threading import Thread

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from autograder.assignment import prose
from autograder.assignment.cells import is_for_handing_in
from autograder.authoring.build import assignments, source_notebook
from autograder.book import build_book, serve, site
from autograder.book.chinese import SearchChinese
from autograder.book.execution import Outputs, run_all
from autograder.book.pages import page, readable, take_out_pictures
from autograder.errors import AutograderError, BuildError
from autograder.exercises.contents import every
from cnncourse import language as languages
from cnncourse import plotting
from tests.autograder.test_commands import course
from tests.conftest import ROOT
from tests.site import Page, broken_links

LAB = "http://localhost:8888/lab/tree/"
NAMES = assignments(ROOT)
TITLE = new_markdown_cell("# A title\n\n*Notebook 9*\n\nThe first paragraph.")


def answer(source: str, outputs=()):
    grading = {"grade": False, "grade_id": "an-answer", "locked": False, "schema_version": 3, "solution": True,
               "task": False, "cell_type": "code"}
    return new_code_cell(source, metadata={"nbgrader": grading}, outputs=list(outputs))


def sources(shown):
    return [cell.source for cell in shown.cells]


def test_an_answer_is_shown_as_a_student_gets_it_and_then_folded_away():
    cell = answer('def two():\n    """Two."""\n    ### BEGIN SOLUTION\n    return 1 + 1\n    ### END SOLUTION\n')
    shown, _ = page(new_notebook(cells=[TITLE, cell]), "09-nothing")
    student, solution = shown.cells[-2:]
    assert student.cell_type == "code"
    assert "NotImplementedError" in student.source
    assert "1 + 1" not in student.source
    assert solution.source.startswith('<details class="solution"><summary>Show the solution</summary>\n\n```python\n')
    assert '    """Two."""\n    return 1 + 1\n```\n\n</details>' in solution.source
    assert "BEGIN SOLUTION" in cell.source, "the notebook itself stays as it is"


def test_code_with_backticks_stays_within_its_fence():
    shown, _ = page(new_notebook(cells=[TITLE, answer('x = """\n```\n"""\n')]), "09-nothing")
    assert "\n````python\n" in shown.cells[-1].source


def test_what_an_answers_cell_puts_out_stands_below_it():
    output = new_output("stream", name="stdout", text="printed")
    shown, _ = page(new_notebook(cells=[TITLE, answer("print('printed')", [output])]), "09-nothing")
    assert shown.cells[-1].outputs[0].text == "printed"
    assert shown.cells[-1].metadata.tags == ["remove-input"]


def test_links_to_the_notebook_stand_between_subtitle_and_text():
    top, links, rest = sources(page(new_notebook(cells=[TITLE]), "09-nothing")[0])
    assert (top, rest) == ("# A title\n\n*Notebook 9*", "The first paragraph.")
    assert 'href="http://localhost:8888/lab/tree/09-nothing/09-nothing.ipynb"' in links
    assert 'href="notebooks/09-nothing.ipynb" download' in links


def test_the_chinese_edition_opens_the_chinese_notebooks():
    with languages.speaking("zh"):
        links = sources(page(new_notebook(cells=[TITLE]), "09-nothing")[0])[1]
    assert "course lab --language zh_CN" in links
    assert f'href="{LAB}zh_CN/09-nothing/09-nothing.ipynb"' in links


def test_of_an_output_in_many_kinds_the_html_is_shown():
    kinds = {"application/vnd.jupyter.widget-view+json": {}, "text/html": "<b>alive</b>", "text/plain": "Figure()"}
    assert set(readable(new_output("display_data", kinds)).data) == {"text/html", "text/plain"}
    assert readable(new_output("display_data", {"text/plain": ""})) is None


def test_pictures_become_files_that_keep_their_description_and_place():
    figure = plotting.sliding_window(9, 3, 2, 2)
    output = new_output("display_data", {"text/html": f"<div>{figure.html()}</div>"})
    [(path, picture)] = take_out_pictures(output).items()
    html = output.data["text/html"]
    assert picture.startswith(b"\x89PNG")
    assert f'src="{path}" loading="lazy"' in html
    assert "base64" not in html
    assert 'alt="' in html
    width, height = (int(re.search(f' {side}="(\\d+)"', html)[1]) for side in ("width", "height"))
    assert abs(width / height - int.from_bytes(picture[16:20]) / int.from_bytes(picture[20:24])) < 0.01


@pytest.mark.parametrize("name", NAMES)
def test_paragraphs_stay_as_translators_know_them(root, name):
    notebook = source_notebook(root, name)
    notebook.cells = [cell for cell in notebook.cells if not is_for_handing_in(cell)]
    markers = {"<!-- BEGIN SOLUTION -->", "<!-- END SOLUTION -->"}
    expected = {text.strip() for text in prose.paragraphs(notebook)} - markers
    assert expected <= {text.strip() for text in prose.paragraphs(page(notebook, name)[0])}


def test_words_of_the_page_are_in_the_language_of_the_book(monkeypatch):
    monkeypatch.setattr(languages, "catalogue", lambda language: {"Common mistakes": "常见错误"})
    notebook = source_notebook(ROOT, "02-parameter-sharing")
    with languages.speaking("zh"):
        assert any("<summary>常见错误</summary>" in source for source in sources(page(notebook, "02")[0]))


def test_the_first_page_is_translated_wholly(root):
    index = new_notebook(cells=[new_markdown_cell((root / "book" / "index.md").read_text())])
    known = languages.read(root / "book" / "locale" / "zh_CN" / "LC_MESSAGES" / "index.po")
    wanted = {re.sub(r"^!\[(.*)\]\(.*\)$", r"\1", text) for text in prose.paragraphs(index) if "<" not in text}
    assert wanted == set(known)
    assert all(known.values())


def test_chinese_is_found_by_pairs_of_characters():
    search = SearchChinese({})
    assert {"感受", "受野", "层", "ReLU"} <= set(search.split("感受野，ReLU 层"))
    assert search.word_filter("层")
    assert not search.word_filter("x")


@pytest.fixture
def outputs(root, tmp_path):
    return Outputs(tmp_path / "outputs", root)


def counting(path, line="pass"):
    """A notebook that leaves a mark whenever it runs."""
    return new_notebook(cells=[new_code_cell(f"open({str(path)!r}, 'a').write('x'); print('ran')\n{line}")])


def test_a_notebook_that_ran_is_not_run_again(outputs, tmp_path):
    mark = tmp_path / "mark"
    for _ in range(2):
        ran = run_all({"09-nothing": counting(mark)}, outputs, {})
        assert ran["09-nothing"].cells[0].outputs[0].text == "ran\n"
    assert mark.read_text() == "x"
    run_all({"09-nothing": counting(mark, "1 + 1")}, outputs, {})
    assert mark.read_text() == "xx"


def test_outputs_of_other_code_are_taken_only_if_nothing_is_run(outputs, root, tmp_path, monkeypatch):
    notebook = counting(tmp_path / "mark")
    run_all({"09-nothing": counting(tmp_path / "mark")}, outputs, {})
    monkeypatch.setattr("autograder.book.execution.fingerprint", lambda root: "another")
    later = Outputs(outputs.folder, root)
    assert later.find(notebook) is None
    assert later.find_latest(notebook).cells[0].outputs[0].text == "ran\n"
    later.forget_older()
    assert later.find_latest(notebook) is None


def test_outputs_that_were_cut_off_are_made_anew(outputs, tmp_path):
    mark = tmp_path / "mark"
    run_all({"09-nothing": counting(mark)}, outputs, {})
    for kept in outputs.now.rglob("*.ipynb"):
        kept.write_text("{")
    assert run_all({"09-nothing": counting(mark)}, outputs, {})["09-nothing"].cells[0].outputs
    assert mark.read_text() == "xx"


def test_a_cell_that_raises_is_named_and_what_ran_before_is_kept(outputs, tmp_path, monkeypatch):
    monkeypatch.setattr("cnncourse.processors.available", lambda: 1)
    good, bad = counting(tmp_path / "good"), counting(tmp_path / "bad", "1 / 0")
    with pytest.raises(BuildError, match=r"^09-bad: cell 0 raises ZeroDivisionError: division by zero"):
        run_all({"09-good": good, "09-bad": bad}, outputs, {})
    assert outputs.find(counting(tmp_path / "good")) is not None
    assert outputs.find(counting(tmp_path / "bad", "1 / 0")) is None


def test_a_solution_that_does_not_pass_its_check_stops_the_build(outputs):
    name = next(iter(every())).name
    notebook = source_notebook(ROOT, NAMES[0])
    check = next(cell for cell in notebook.cells if cell.source.startswith(f'check("{name}"'))
    setup = new_code_cell("import numpy as np\nfrom autograder import check\n" + "\n".join(
        f"def {answer}(*args): return np.zeros(3)" for answer in next(iter(every())).answers))
    with pytest.raises(BuildError, match=f"the solution of {name} does not pass its check"):
        run_all({NAMES[0]: new_notebook(cells=[setup, check])}, outputs, {})


@pytest.fixture(scope="module")
def unexecuted(tmp_path_factory):
    """A site whose notebooks were not run."""
    folder = tmp_path_factory.mktemp("book")
    seen: list[tuple[str, int, int]] = []
    warnings = build_book(ROOT, folder / "html", execute=(), work=folder / "parts",
                          announce=lambda *what: seen.append(what))
    assert warnings == []
    assert seen[-1] == (site.PAGES, seen[-1][2], seen[-1][2])
    return folder


def test_every_link_leads_somewhere(unexecuted):
    assert [link for link in broken_links(unexecuted / "html") if LAB not in link] == []
    for name in NAMES:
        notebook = json.loads((unexecuted / "html" / "notebooks" / f"{name}.ipynb").read_text())
        assert not any("BEGIN SOLUTION" in "".join(cell["source"]) for cell in notebook["cells"])
        assert ("a", f"{LAB}{name}/{name}.ipynb") in Page(unexecuted / "html" / f"{name}.html").links


def test_a_broken_link_would_be_found(tmp_path):
    (tmp_path / "index.html").write_text('<h1 id="top">x</h1><a href="#top"></a><a href="#no"></a>'
                                         '<a href="no.html"></a><script src="https://example.org/x.js"></script>')
    (tmp_path / "a.css").write_text('@import "b.css"; p { background: url(//example.org/p.png) }')
    assert len(list(broken_links(tmp_path))) == 5


def test_every_known_mistake_is_in_the_book(unexecuted):
    for exercise in every():
        text = (unexecuted / "html" / f"{exercise.notebook}.html").read_text()
        assert text.count('<details class="mistakes">') == len(list(every(exercise.notebook)))
        for mistake in exercise.misconceptions:
            assert f"<dt>{mistake.name}" in text.replace("&#x27;", "'").replace("&quot;", '"').replace("<code>", "`")


def test_a_page_that_was_cut_off_is_written_anew(unexecuted):
    cut = unexecuted / "html" / f"{NAMES[0]}.html"
    whole = cut.read_text()
    cut.write_text(whole[:1000])
    (unexecuted / "html" / site.UNFINISHED).touch()
    build_book(ROOT, unexecuted / "html", execute=(), work=unexecuted / "parts")
    assert cut.read_text() == whole
    assert not (unexecuted / "html" / site.UNFINISHED).exists()


def test_a_second_build_is_quick_and_writes_no_page(unexecuted):
    before = {path: path.stat().st_mtime_ns for path in (unexecuted / "html").glob("0*.html")}
    began = time.process_time()
    build_book(ROOT, unexecuted / "html", execute=(), work=unexecuted / "parts")
    assert time.process_time() - began < 20
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_folder_with_something_else_is_left_alone(root, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    ran = course("book", "--to", str(tmp_path))
    assert ran.returncode == 1
    assert "holds something that is no book" in " ".join(ran.stdout.split())
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_edition_that_there_is_not_is_answered_with_those_that_there_are(root, tmp_path):
    with pytest.raises(languages.UnknownLanguageError, match="简体中文"):
        build_book(root, tmp_path / "book", language="tlh")


def test_the_server_shows_the_folder_to_this_machine_only(tmp_path):
    (tmp_path / "index.html").write_text("the book")
    with serve(tmp_path, 0) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        host, port = server.server_address
        assert host == "127.0.0.1"
        assert urllib.request.urlopen(f"http://{host}:{port}/").read() == b"the book"
        with pytest.raises(AutograderError, match=f"--port {port + 1}"):
            serve(tmp_path, port)
        server.shutdown()


def test_the_launcher_brings_what_the_book_needs(root):
    import importlib.util

    specification = importlib.util.spec_from_file_location("launcher", root / "course.py")
    launcher = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(launcher)
    assert launcher.extras(["book"]) == {"grade", "book"}
    assert launcher.extras(["lab"]) == {"lab"}
