"""Notebooks of any quality: what is used of them, and what is said about the rest."""

from __future__ import annotations

import json

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder import submission as submissions


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


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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


def test_definitions_from_own_cells_are_kept_and_nothing_that_runs_by_itself(template, tmp_path):
    work = nbformat.from_dict(template)
    work.cells.insert(1, nbformat.v4.new_code_cell(
        "import math\nfrom cnncourse import functional as F\nSCALE = 2.5\ndata = open('x').read()\n"
        "def helper(x):\n    return x * SCALE\nprint(helper(3))\nfor i in range(10 ** 9): pass"))
    helpers = submissions.read(handed_in(tmp_path, work), template).helpers
    assert "def helper" in helpers
    assert "import math" in helpers
    assert "SCALE = 2.5" in helpers
    assert not any(word in helpers for word in ("open", "print", "range", "cnncourse"))


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
    work.cells[2].source += " "
    assert submissions.read(handed_in(tmp_path, work), template).fingerprint != first
