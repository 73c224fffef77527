"""A student's copy brought to a newer release: answers and own cells are kept, and marks with them."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from random import Random

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder.assignment.cells import grade_id, is_answer, source_of
from autograder.classroom.verdicts import answers_of, judge_notebook
from autograder.errors import RehearsalError
from autograder.lab import updating
from autograder.sandbox.isolation import Limits
from tests.classroom import ASSIGNMENT
from tests.effort import rest_slow
from tests.makers_of_notebooks import NEVER_AT_HOME, WAYS, drawn, written

QUICK = Limits(cell_seconds=1.5, call_seconds=4.0, total_seconds=60.0)


@pytest.fixture(scope="module")
def release(root) -> nbformat.NotebookNode:
    return nbformat.read(root / "notebooks" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4)


def newer(release, rng: Random) -> nbformat.NotebookNode:
    """A release in which texts are reworded, cells are new and cells are gone; exercises stay."""
    made = nbformat.from_dict(json.loads(json.dumps(release)))
    free = [cell for cell in made.cells if not grade_id(cell) and "setup" not in cell.metadata.get("tags", ())]
    for cell in rng.sample(free, 8):
        if cell.cell_type == "markdown":
            cell.source = cell.source.replace("the", "this", 1) + "\n\nA sentence more."
    gone = rng.sample(free, 3)
    made.cells = [cell for cell in made.cells if not any(cell is one for one in gone)]
    for number in range(3):
        new = rng.choice([new_markdown_cell(f"New text {number}."), new_code_cell(f"print({number})")])
        made.cells.insert(rng.randrange(1, len(made.cells)), new)
    for at, cell in enumerate(made.cells):
        cell.id = grade_id(cell) or f"cell-{at:03d}"
    return made


def shares(path: Path, template) -> dict[str, float]:
    return judge_notebook(answers_of(path, template), "ada", bytes(32), QUICK)


@pytest.mark.sandbox
@pytest.mark.parametrize("seed", rest_slow(range(24), 5))
def test_however_a_copy_was_written_its_marks_and_its_own_cells_stay(seed, release, tmp_path):
    rng = Random(seed)
    names = [rng.choice(sorted(WAYS.keys() - NEVER_AT_HOME))]
    notebook = written(release.cells, names, rng) if seed % 2 else drawn(release.cells, seed)[0]
    path, target = tmp_path / "mine.ipynb", tmp_path / "new" / f"{ASSIGNMENT}.ipynb"
    path.write_text(json.dumps(notebook.as_json()))
    before, earlier = path.read_bytes(), shares(path, release)
    made = newer(release, rng)
    target.parent.mkdir()
    nbformat.write(made, target)
    result = updating.update(path, [target])
    backup = updating.write(result)
    assert result.changed and backup is not None and backup.read_bytes() == before
    after = nbformat.read(path, as_version=4)
    nbformat.validate(after)
    assert shares(path, made) == earlier
    there = {cell.source.strip() for cell in after.cells}
    assert {cell.source.strip() for cell in made.cells if not is_answer(cell)} <= there
    again = updating.update(path, [target])
    assert not again.changed and updating.write(again) is None


def test_own_cells_stay_where_they_were_and_what_is_gone_is_told(release, tmp_path):
    path, target = tmp_path / "mine.ipynb", tmp_path / "new.ipynb"
    mine = nbformat.from_dict(json.loads(json.dumps(release)))
    place = next(at for at, cell in enumerate(mine.cells) if grade_id(cell) == "zero_pad")
    mine.cells[place].source = "def zero_pad(x, padding):\n    return x"
    mine.cells.insert(place, new_code_cell("my_helper = 3"))
    mine.cells.insert(place, new_markdown_cell("My own note, which is nowhere else."))
    gone = next(cell for cell in mine.cells if grade_id(cell) == "conv1x1")
    gone.source = "def conv1x1(x, weight, bias):\n    return 7"
    words = next(cell for cell in mine.cells if is_answer(cell) and cell.cell_type == "markdown")
    words.source = "Because of the depth."
    nbformat.write(mine, path)
    made = nbformat.from_dict(json.loads(json.dumps(release)))
    made.cells = [cell for cell in made.cells if grade_id(cell) not in ("conv1x1", "check-conv1x1")]
    nbformat.write(made, target)
    result = updating.update(path, [target])
    updating.write(result)
    sources = [source_of(cell) for cell in json.loads(path.read_text())["cells"]]
    at = sources.index("def zero_pad(x, padding):\n    return x")
    assert sources[at - 2 : at] == ["My own note, which is nowhere else.", "my_helper = 3"]
    assert "Because of the depth." in sources
    assert "def conv1x1(x, weight, bias):\n    return 7" in sources
    assert result.conflicts == ["conv1x1 is not asked any more; your answer stands where it was"]


def test_to_another_language_and_back_answers_stay(root, release, tmp_path):
    path = tmp_path / "mine.ipynb"
    mine = nbformat.from_dict(json.loads(json.dumps(release)))
    solved = {cell.name: cell.source for cell in written(release.cells, [], Random(0)).cells if cell.name}
    for cell in mine.cells:
        cell.source = solved.get(grade_id(cell), cell.source)
    nbformat.write(mine, path)
    answers = {grade_id(cell): source_of(cell) for cell in json.loads(path.read_text())["cells"]
               if is_answer(cell) and not grade_id(cell).startswith("check-")}
    chinese = root / "notebooks" / "zh_CN" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    for target in (chinese, root / "notebooks" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"):
        updating.write(updating.update(path, [target]))
        cells = json.loads(path.read_text())["cells"]
        assert {grade_id(cell): source_of(cell) for cell in cells if grade_id(cell) in answers} == answers
        assert len(cells) == len(json.loads(target.read_text())["cells"])


def test_the_command_takes_a_zip_says_what_it_does_and_can_be_run_again(release, tmp_path):
    def course(*arguments):
        return subprocess.run([sys.executable, "-m", "autograder.cli", "update", *arguments], cwd=tmp_path, text=True,
                              capture_output=True, check=False)

    work = tmp_path / "work"
    work.mkdir()
    (work / "mine.ipynb").write_text(json.dumps(written(release.cells, [], Random(0)).as_json()))
    (work / "other.ipynb").write_text(json.dumps(nbformat.v4.new_notebook(cells=[new_code_cell("1")])))
    with zipfile.ZipFile(tmp_path / "new.zip", "w") as archive:
        archive.writestr(f"{ASSIGNMENT}/{ASSIGNMENT}.ipynb", nbformat.writes(newer(release, Random(1))))
    tried = course("work", "--to", "new.zip", "--dry-run")
    assert tried.returncode == 0 and "new cells, 4 answers" in tried.stdout, tried.stdout + tried.stderr
    assert sorted(path.name for path in work.iterdir()) == ["mine.ipynb", "other.ipynb"]
    done = course("work", "--to", "new.zip")
    assert "as it was: mine.before-1.ipynb" in done.stdout and "left alone: other.ipynb" in done.stdout
    again = course("work", "--to", "new.zip")
    assert "mine.ipynb: as the release already" in again.stdout
    assert sorted(path.name for path in work.iterdir()) == ["mine.before-1.ipynb", "mine.ipynb", "other.ipynb"]
    assert course("nothing").returncode == 1
    (tmp_path / "bad.zip").write_text("no zip")
    assert "cannot be opened" in course("work", "--to", "bad.zip").stdout


def test_what_is_no_notebook_is_left_alone(tmp_path):
    for content in ("", "[]", "{}", '{"cells": 3}'):
        (tmp_path / "x.ipynb").write_text(content)
        with pytest.raises(RehearsalError):
            updating.update(tmp_path / "x.ipynb")
