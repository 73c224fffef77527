"""Notebooks of any quality: what is used of them, and what is said about the rest."""

from __future__ import annotations

import gc
import json
import re
import time
from pathlib import Path
from unittest.mock import MagicMock

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.assignment import magics
from autograder.assignment.cells import ANYWHERE
from autograder.classroom import slimming
from autograder.classroom import submission as submissions
from tests.effort import examples


def answer_cell(name: str, source: str, kind: str = "code") -> nbformat.NotebookNode:
    metadata = {"nbgrader": {"grade": kind == "markdown", "grade_id": name, "locked": False, "schema_version": 3,
                             "solution": True, "task": False, "points": 3, "cell_type": kind}}
    make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
    return make(source, metadata=metadata, id=name)


@pytest.fixture
def template() -> nbformat.NotebookNode:
    """Two answers in code, one in words, and a cell of the course's own."""
    return nbformat.v4.new_notebook(cells=[
        nbformat.v4.new_markdown_cell("# Title", id="title"),
        nbformat.v4.new_code_cell("import numpy as np", id="setup", metadata={"tags": ["setup"]}),
        answer_cell("one", "def one(x):\n    raise NotImplementedError"),
        answer_cell("two", "def two(x):\n    raise NotImplementedError"),
        answer_cell("words", "YOUR ANSWER HERE", "markdown"),
    ])


def handed_in(tmp_path, content) -> submissions.Path:
    path = tmp_path / "handed-in.ipynb"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def test_answers_are_taken_by_name_and_everything_else_is_the_instructors(template, tmp_path):
    work = nbformat.from_dict(template)
    work.cells[2].source = "def one(x): return 1"
    work.cells[4].source = "Because."
    work.cells[1].source = "import evil"
    work.cells[0].metadata["tags"] = ["setup"]
    work.cells.reverse()
    read = submissions.read(handed_in(tmp_path, work), template)
    rebuilt = submissions.rebuild(template, read)
    assert [cell.source for cell in rebuilt.cells[:5]] == [
        "# Title", "import numpy as np", "def one(x): return 1", template.cells[3].source, "Because."]
    assert rebuilt.cells[0].metadata == {}
    assert read.problems == ()


@pytest.mark.parametrize("content", [
    b"", b"\x00\xff rubbish", b"[]", b"42", b'{"cells": 7}', b'{"cells": [1, null, "x"]}', b'{"nbformat": 99}',
    b'{"cells": [{"cell_type": "code", "source": {"a": 1}, "metadata": []}]}', b'"' + b"[" * 10_000, b"[" * 100_000,
    b'{"worksheets": [{"cells": null}]}', b'{"cells": [{"metadata": {"nbgrader": {"grade_id": ["one"]}}}]}',
])
def test_a_file_that_is_no_notebook_gives_the_empty_notebook_and_a_note(content, template, tmp_path):
    read = submissions.read(handed_in(tmp_path, content), template)
    assert read.answers == {}
    assert read.problems
    rebuilt = submissions.rebuild(template, read)
    nbformat.validate(rebuilt)
    assert "Notes on this submission" in rebuilt.cells[0].source


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_json_and_any_bytes_are_survived(data, template, tmp_path):
    leaf = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(
        ["one", "two", "words", "code", "markdown", "def one(x): return 1"])
    keys = st.sampled_from(["cells", "cell_type", "source", "metadata", "nbgrader", "grade_id", "attachments",
                            "worksheets", "outputs", "input", "x.png", "image/png"])
    tree = st.recursive(leaf, lambda s: st.lists(s, max_size=4) | st.dictionaries(keys, s, max_size=5), max_leaves=25)
    content = data.draw(st.one_of(st.binary(max_size=200), tree.map(lambda t: json.dumps({"cells": t}).encode()),
                                  tree.map(lambda t: json.dumps(t).encode())))
    read = submissions.read(handed_in(tmp_path, content), template)
    nbformat.validate(submissions.rebuild(template, read))


def test_of_two_cells_with_one_name_the_last_counts_and_that_is_said(template, tmp_path):
    work = nbformat.from_dict(template)
    work.cells += [answer_cell("one", "def one(x): return 2")]
    read = submissions.read(handed_in(tmp_path, work), template)
    assert read.answers["one"] == "def one(x): return 2"
    assert any("one is there more than once" in problem for problem in read.problems)


def test_an_answer_whose_cell_lost_its_name_is_found_by_its_function(template, tmp_path):
    work = nbformat.from_dict(template)
    work.cells[2] = nbformat.v4.new_code_cell("x = 1\ndef one(x):\n    return 5")
    read = submissions.read(handed_in(tmp_path, work), template)
    assert "return 5" in read.answers["one"]
    assert any("lost its name" in problem for problem in read.problems)


def with_own_cells(template, tmp_path, *sources: str) -> submissions.Submission:
    work = nbformat.from_dict(template)
    work.cells[2:2] = [nbformat.v4.new_code_cell(source) for source in sources]
    return submissions.read(handed_in(tmp_path, work), template)


def own_in(read: submissions.Submission) -> list[str]:
    return [cell.source for cell in read.cells if cell.own]


def test_own_cells_run_in_the_notebooks_order_and_the_instructors_do_not(template, tmp_path):
    work = nbformat.from_dict(template)
    work.cells[2].source = "def one(x):\n    return x"
    work.cells.insert(1, nbformat.v4.new_code_cell("SCALE = 2.5\nprint(SCALE)"))
    work.cells.insert(4, nbformat.v4.new_code_cell("for i in range(3): pass"))
    read = submissions.read(handed_in(tmp_path, work), template)
    assert [(cell.name, cell.source, cell.own) for cell in read.cells] == [
        ("two", template.cells[3].source, False),  # a stub can only stand where nothing is written
        ("own cell 1", "SCALE = 2.5\nprint(SCALE)", True),
        ("one", "def one(x):\n    return x", False),
        ("own cell 2", "for i in range(3): pass", True)]
    rebuilt = submissions.rebuild(template, read)
    assert rebuilt.cells[-1].source.endswith("print(SCALE)\n\n# ---\n\nfor i in range(3): pass")


def test_a_cell_of_the_instructors_that_was_changed_is_the_students_own(template, tmp_path):
    work = nbformat.from_dict(template)
    work.cells[1].source += "\nimport math"
    work.cells[1].metadata["nbgrader"] = {"grade_id": "setup", "locked": True}
    assert own_in(submissions.read(handed_in(tmp_path, work), template)) == ["import numpy as np\nimport math"]


def test_the_cell_that_installs_the_course_is_nobodys_whatever_release_it_is_of(template, tmp_path):
    work = nbformat.from_dict(template)
    work.cells[2].source = "def one(x): return 1"
    work.cells.insert(1, nbformat.v4.new_code_cell(f"{ANYWHERE}: an older one\nraise SystemExit\ninstall_the_course()"))
    read = submissions.read(handed_in(tmp_path, work), template)
    assert read.own == () and [cell.name for cell in read.cells] == ["two", "one"]
    assert read.problems == ()
    work.cells[1].source += "\n\nhelper = 3\n"
    read = submissions.read(handed_in(tmp_path, work), template)
    assert [source.strip() for source in read.own] == ["helper = 3"]


def test_what_was_handed_out_never_takes_the_place_of_what_was_written(template, tmp_path):
    work = nbformat.from_dict(template)
    work.cells[2].source = "def one(x):\n    return x"
    work.cells[4].source = "Because."
    work.cells += nbformat.from_dict(template).cells
    read = submissions.read(handed_in(tmp_path, work), template)
    assert (read.answers["one"], read.answers["words"]) == ("def one(x):\n    return x", "Because.")
    assert [cell.name for cell in read.cells] == ["two", "one"]


def test_a_stub_of_an_earlier_release_is_a_stub_too(template, tmp_path):
    work = nbformat.from_dict(template)
    work.cells[2].source = "def one(x):\n    return x"
    earlier = "def one(x):\n    '''As it was told last year.'''\n    raise NotImplementedError()"
    work.cells.append(answer_cell("one", earlier))
    read = submissions.read(handed_in(tmp_path, work), template)
    assert read.answers["one"] == "def one(x):\n    return x"


def test_an_answer_in_a_cell_below_its_stub_is_shown_in_its_place(template, tmp_path):
    read = with_own_cells(template, tmp_path, "if True:\n    def one(x):\n        return x")
    assert read.answers["one"] == "if True:\n    def one(x):\n        return x"
    assert any("one was left as it was" in problem for problem in read.problems)
    assert read.own == ()


@pytest.mark.parametrize("magic", [
    "%matplotlib inline\n{}", "{}%matplotlib inline\n", "%%time\n{}", "!pip install \\\n    numpy\n{}", "{}?helper\n",
    "{}helper?\n", "{}found = !ls\n", "{}seen = %time helper(3)\n", "text = (\'%d\'\n    % 3)\n%pylab\n{}",
    "def show():\n    %time helper(3)\n    !ls\n{}", "if True:\n    %matplotlib inline\n{}",
    "%%capture\n%%time\n{}!ls\n",
])
def test_a_cell_with_magics_is_read_as_ipython_reads_it(magic, template, tmp_path):
    read = with_own_cells(template, tmp_path, magic.format("def helper(x):\n    return x % 7\n"))
    (source,) = own_in(read)
    namespace: dict = {"get_ipython": MagicMock()}
    exec(source, namespace)
    assert namespace["helper"](12) == 5
    assert read.problems == ()


@pytest.mark.parametrize("text", [
    "%a\n" * 80_000, "  %a\n" * 10_000, "%a\\\n" * 60_000, " \n" * 30_000 + "%", "a." * 125_000, "x = " * 15_000 + "%",
    "a?" * 30_000, "f(" * 100 + "x" + " " * 60_000 + "\n%a",
])
def test_cells_of_nothing_but_magics_take_no_time_of_ours(text, template, tmp_path):
    began, wall = time.process_time(), time.monotonic()
    with_own_cells(template, tmp_path, text, text)
    assert time.process_time() - began < 5
    assert time.monotonic() - wall < magics.SUBMISSION_SECONDS + 2 * magics.CELL_SECONDS + 10


def test_a_cell_that_takes_too_long_to_read_is_named(template, tmp_path, monkeypatch):
    monkeypatch.setattr(magics, "CELL_SECONDS", 0.5)
    read = with_own_cells(template, tmp_path, "%a\n" * 20_000, "%matplotlib inline\nSCALE = 2")
    assert "The cell own cell 1 took IPython too long to read; nothing of it was used." in read.problems
    assert own_in(read)[1] == "get_ipython().run_line_magic('matplotlib', 'inline')\nSCALE = 2\n"


def test_one_endless_cell_of_ones_own_leaves_the_others_to_the_answers(template, tmp_path):
    endless = "DATA = '" + "x" * submissions.MAX_OWN_CHARACTERS + "'"
    read = with_own_cells(template, tmp_path, endless, "def small(): return 1")
    assert own_in(read) == ["def small(): return 1"]
    assert any("longer than 262,144 characters" in problem for problem in read.problems)


def test_more_cells_than_people_write_are_not_used(template, tmp_path):
    read = with_own_cells(template, tmp_path, *[f"a{i} = 1" for i in range(submissions.MAX_OWN_CELLS + 1)])
    assert len(own_in(read)) == submissions.MAX_OWN_CELLS
    assert any("more than 500" in problem for problem in read.problems)


@pytest.mark.parametrize("target", ["/dev/zero", "/etc/passwd", "nowhere"])
def test_a_link_is_not_followed(target, template, tmp_path):
    path = tmp_path / "linked.ipynb"
    path.symlink_to(target)
    read = submissions.read(path, template)
    assert read.answers == {}
    assert "link or a device" in read.problems[0]


def test_outputs_of_fifty_megabytes_do_not_reach_the_rebuilt_notebook(template, tmp_path):
    work = nbformat.from_dict(template)
    work.cells[1].outputs = [nbformat.v4.new_output("stream", text="x" * 50_000_000)]
    work.cells[2].source = "def one(x): return 1"
    read = submissions.read(handed_in(tmp_path, work), template)
    assert read.answers["one"] == "def one(x): return 1"
    assert len(nbformat.writes(submissions.rebuild(template, read))) < 10_000


def test_a_notebook_of_the_old_format_is_read(template, tmp_path):
    old = {"nbformat": 3, "worksheets": [{"cells": [{
        "cell_type": "code", "input": ["def one(x):\n", "    return 3"],
        "metadata": {"nbgrader": {"grade_id": "one"}}}]}]}
    assert submissions.read(handed_in(tmp_path, old), template).answers["one"] == "def one(x):\n    return 3"


def test_pictures_in_written_answers_are_kept_and_scripts_are_not(template, tmp_path):
    work = nbformat.from_dict(template)
    work.cells[4].attachments = {"a.png": {"image/png": "aGk=", "text/html": "<script>"},
                                 "b.svg": {"image/svg+xml": "<svg onload='x'>"}}
    rebuilt = submissions.rebuild(template, submissions.read(handed_in(tmp_path, work), template))
    assert rebuilt.cells[4].attachments == {"a.png": {"image/png": "aGk="}}


def test_the_fingerprint_follows_the_answers_and_not_the_outputs(template, tmp_path):
    work = nbformat.from_dict(template)
    first = submissions.read(handed_in(tmp_path, work), template).fingerprint
    work.cells[1].outputs = [nbformat.v4.new_output("stream", text="ran")]
    assert submissions.read(handed_in(tmp_path, work), template).fingerprint == first
    work.cells[2].source = "def one(x):\n    return x"
    assert submissions.read(handed_in(tmp_path, work), template).fingerprint != first


@pytest.mark.parametrize(("content", "said"), [
    (b'{"cells": [' + b"1," * submissions.MAX_VALUES + b"1]}", "1,000,000 values"),
    (b'{"cells": [' + b"[]," * submissions.MAX_VALUES + b"1]}", "1,000,000 values"),
    (b" " * (submissions.MAX_FILE_BYTES + 1), "larger than 128 MiB"),
], ids=["numbers", "lists", "bytes"])
def test_a_file_that_would_take_gigabytes_is_not_read(content, said, template, tmp_path):
    read = submissions.read(handed_in(tmp_path, content), template)
    assert read.answers == {}
    assert said in read.problems[0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_a_notebook_in_any_encoding_is_read(encoding, template, tmp_path):
    work = nbformat.from_dict(template)
    work.cells[4].source = "Größe ≠ Höhe \N{SNOWMAN}"
    read = submissions.read(handed_in(tmp_path, json.dumps(work, ensure_ascii=False).encode(encoding)), template)
    assert read.answers["words"] == work.cells[4].source
    assert read.problems == ()


def test_an_answer_of_a_million_characters_is_cut_and_that_is_said(template, tmp_path):
    work = nbformat.from_dict(template)
    work.cells[4].source = "x" * (submissions.MAX_SOURCE_CHARACTERS + 1)
    read = submissions.read(handed_in(tmp_path, work), template)
    assert len(read.answers["words"]) == submissions.MAX_SOURCE_CHARACTERS
    assert any("words is longer than" in problem for problem in read.problems)


@pytest.mark.parametrize(("attachments", "kept", "said"), [
    ({f"{i}.png": {"image/png": "aGk="} for i in range(150)}, 100, "too many"),
    ({"a.png": {"image/png": "x" * (5 << 20)}, "b.png": {"image/png": "aGk="}}, 1, "too large"),
    ({"a.png": {"image/png": "no base64!"}, "b.png": {"image/png": "aGk="}}, 1, "damaged"),
    ({"\ud800.png": {"image/png": "aGk="}}, 0, "damaged"),
    ({"a.png": 7}, 0, "damaged"), ([1], 0, "damaged attachments"),
])
def test_pictures_that_cannot_be_kept_are_left_out_and_that_is_said(attachments, kept, said, template, tmp_path):
    work = json.loads(json.dumps(template))
    work["cells"][4]["attachments"] = attachments
    read = submissions.read(handed_in(tmp_path, work), template)
    assert len(read.attachments["words"]) == kept
    assert any(said in problem and "words" in problem for problem in read.problems)
    nbformat.writes(submissions.rebuild(template, read)).encode()


def read_in_little_memory(path: submissions.Path, template: nbformat.NotebookNode) -> submissions.Submission:
    """What is read, where the process has grown by little at no moment; counting each allocation takes ten times as
    long as the work."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the highest size is from now on
    before = resident("VmRSS")
    read = submissions.read(path, template)
    assert resident("VmHWM") - before < 8 * submissions.MAX_READ_BYTES
    return read


def resident(which: str) -> int:
    """Bytes of memory that this process has, or the most that it had."""
    found = re.search(rf"^{which}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(found[1]) << 10


OUTPUTS = st.sampled_from([
    lambda size: [{"output_type": "stream", "name": "stdout", "text": "\U0001f600" + "a" * size}],
    lambda size: [{"output_type": "stream", "text": ["]}\\\"[{\"outputs\": [\n" * 20] * (size // 400)}],
    lambda size: [{"output_type": "display_data", "data": {"image/png": "iVBOR" * (size // 5)}, "metadata": {}}] * 2,
    lambda size: [{"output_type": "display_data", "data": {"x": [["of", {"y": "many " * 40}]] * (size // 200)}}],
])


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(make=OUTPUTS, at=st.integers(0, 4), before=st.booleans(), widgets=st.booleans())
def test_however_large_its_outputs_are_a_notebook_is_read_as_without_them_and_in_little_memory(
    template, tmp_path, make, at, before, widgets
):
    work = json.loads(json.dumps(template))
    for cell in work["cells"]:
        cell["source"] += "\n# mine: \"outputs\": [1, \\\" ]"
    small = submissions.read(handed_in(tmp_path, work), template)
    outputs = make(16 << 20)
    cell = {key: value for key, value in work["cells"][at].items() if key != "outputs"}
    work["cells"][at] = {"outputs": outputs, **cell} if before else {**cell, "outputs": outputs}
    if widgets:
        work["metadata"] = {"widgets": {"state": "[" * 1000}, "cells": [{"outputs": "]"}]} | work["metadata"]
    path = handed_in(tmp_path, json.dumps(work, ensure_ascii=False).encode())
    assert path.stat().st_size > submissions.MAX_READ_BYTES
    assert read_in_little_memory(path, template) == small


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.sampled_from('ab\\"\n\u00e9\u2028\U0001f600'), max_size=60), ascii_only=st.booleans())
def test_a_text_that_is_cut_off_is_still_a_text(text, ascii_only, tmp_path, monkeypatch):
    monkeypatch.setattr(slimming, "LONGEST_TEXT", 24)
    path = handed_in(tmp_path, json.dumps({"cells": [{"source": text}]}, ensure_ascii=ascii_only).encode())
    (cell,) = json.loads(slimming.slimmed(path, 1 << 20, 1 << 20))["cells"]
    beginning = cell["source"].encode("utf-8", "ignore").decode()  # of a pair of surrogates one may be left
    assert text.startswith(beginning)
    assert beginning == text or len(beginning.encode()) > 2


@pytest.mark.slow
@pytest.mark.parametrize("content", [
    b'"' + b'\\"' * (8 << 20), b'{"cells": [{"outputs": ["' + b"x" * (16 << 20), b"]" * (16 << 20), b"[" * (16 << 20),
    b'{"outputs": [' * (1 << 20) + b" " * (8 << 20), "\U0001f600".encode() * (16 << 20) + b'"',
], ids=["quotes", "never-closed", "closing", "opening", "nested", "no-json"])
def test_a_large_file_that_is_no_notebook_costs_little_time_and_memory(content, template, tmp_path):
    path = handed_in(tmp_path, content)
    began = time.process_time()
    assert submissions.read(path, template).problems
    assert time.process_time() - began < 20
    assert read_in_little_memory(path, template).problems
