"""A course of an instructor's own: a folder that chooses, adds and replaces."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st
from nbclient import NotebookClient

from autograder import cli
from autograder.assignment.cells import exercise_of, grade_id, is_answer
from autograder.authoring import composing
from autograder.authoring.build import assignments, build, source_notebook
from autograder.authoring.new import new_course, new_exercise
from autograder.authoring.release import release
from autograder.book import pages, site
from autograder.classroom.course import Course
from autograder.classroom.verdicts import answers_of, judge_notebook
from autograder.classroom.versions import Versions, Why
from autograder.cohort import grade
from autograder.errors import BuildError, SyllabusError, UnknownExerciseError
from autograder.exercises.contents import every, exercises, find, fingerprint, taught, teach, teaching
from autograder.judging.verdict import How
from autograder.sandbox.isolation import Limits
from autograder.syllabus import FORMAT, NOTEBOOKS, SOURCES, Syllabus, library_assignments
from cnncourse.language import speaking
from tests.effort import examples

LIBRARY = {name: list(exercises(name)) for name in library_assignments()}
TEMPLATE = '''\
from autograder.judging.exercise import Case, Misconception, exercise

@exercise("{name}", notebook="own", points=2)
class One:
    """Twice x.

    x  an array
    """
    def {name}(x):
        return 2 * x

    def cases(rng):
        for shape in ((3,), (2, 3), (4, 1)):
            yield Case(str(shape), (rng.standard_normal(shape),))

    misconceptions = (Misconception("squared", "Twice is not squared.", lambda x: x * x),)
    hints = ("first", "second", "third")
'''


@pytest.fixture(autouse=True)
def library_again():
    yield
    teach(None)


def write(folder: Path, plans: list[dict], files: dict[str, str] | None = None, **more) -> Path:
    """A course's folder with these assignments and files."""
    folder.mkdir(exist_ok=True, parents=True)
    (folder / "course.toml").write_text(tomlkit.dumps({"format": FORMAT, "assignments": plans, **more}))
    (folder / "nbgrader_config.py").write_text(
        "from autograder.configuration import configure\n\nconfigure(get_config(), course=__file__)\n")
    for name, text in (files or {}).items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text(text)
    return folder


@st.composite
def plans(draw) -> list[dict]:
    """Assignments with some of the library's exercises, worth something else."""
    found = []
    for number, name in enumerate(draw(st.lists(st.sampled_from(list(LIBRARY)), min_size=1, max_size=2, unique=True))):
        chosen = [one for one in LIBRARY[name] if draw(st.booleans())] or LIBRARY[name][:1]
        points = {one: draw(st.sampled_from([0.5, 1, 7])) for one in chosen if draw(st.booleans())}
        found.append({"name": f"week-{number}", "from": name, "exercises": chosen, "points": points})
    return found


@given(plans(), st.sampled_from(["en", "zh_CN"]))
@settings(max_examples=examples(15), deadline=None)
def test_a_selection_has_its_exercises_in_order_with_its_points(tmp_path_factory, drawn, language):
    root = write(tmp_path_factory.mktemp("course"), drawn)
    for plan in drawn:
        notebook = source_notebook(root, plan["name"], language)
        checks = {name: cell for cell in notebook.cells if (name := exercise_of(cell))}
        assert list(checks) == plan["exercises"]
        answers = {answer for name in checks for answer in find(name).answers}
        assert {grade_id(cell) for cell in notebook.cells if is_answer(cell) and cell.cell_type == "code"} == answers
        code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
        for name in LIBRARY[plan["from"]]:  # what was not chosen is given: later cells may call it
            for answer in find(name).answers:
                assert f"def {answer}(" in code
        worth = {name: plan["points"].get(name, find(name).points) for name in checks}
        assert {name: cell.metadata.nbgrader.points for name, cell in checks.items()} == worth
        numbered = [line for line in composing.headings(notebook) if any(sign.isdigit() for sign in line.split("`")[0])]
        unit = {"en": "point", "zh_CN": "分"}[language]
        assert [line.split("·")[0].split()[-1] for line in numbered] == [str(n + 1) for n in range(len(checks))]
        for line, points in zip(numbered, worth.values(), strict=True):
            assert f"· {points:g} {unit}" in line
        with teaching(Syllabus.read(root)):
            assert [(one.name, one.points) for one in every(plan["name"])] == list(worth.items())


@pytest.mark.sandbox
@given(plans())
@settings(max_examples=examples(10), deadline=None)
def test_solutions_of_any_selection_earn_everything(tmp_path_factory, drawn):
    root = write(tmp_path_factory.mktemp("course"), drawn)
    for plan in drawn:
        solved = source_notebook(root, plan["name"])
        path = root / "solved.ipynb"
        nbformat.write(solved, path)
        with teaching(Syllabus.read(root)):
            shares = judge_notebook(answers_of(path, solved), "ada", bytes(32), Limits())
        assert shares == {f"check-{name}": 1.0 for name in plan["exercises"]}


def test_the_library_itself_is_a_course_that_leaves_everything_as_it_is(root, tmp_path):
    bare = write(tmp_path, [{"name": name, "from": name} for name in LIBRARY])
    assert assignments(root) == assignments(bare) == tuple(LIBRARY)
    for name in list(LIBRARY)[:2]:
        assert source_notebook(root, name) == source_notebook(bare, name)


@pytest.mark.slow
def test_a_selected_notebook_runs_and_its_checks_pass_where_others_are_given(tmp_path, monkeypatch):
    root = write(tmp_path / "course", [{"name": "short", "from": "03-pooling", "exercises": [
        "avg_pool2d_forward", "twice", "max_pool2d_backward"]}], {"exercises/twice.py": TEMPLATE.format(name="twice")})
    monkeypatch.setenv("CNNCOURSE_COURSE", str(root))
    done = source_notebook(root, "short")
    NotebookClient(done, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = "\n".join(output.data.get("text/plain", "") for cell in done.cells for output in cell.get("outputs", ())
                      if "data" in output)
    for name in ("avg_pool2d_forward", "twice", "max_pool2d_backward"):
        assert f"{name}: all " in shown


def mutated(draw, told: dict) -> dict:
    """A description in which one value is replaced by something else."""
    value = draw(st.one_of(st.none(), st.integers(-3, 9), st.text(max_size=5), st.booleans(), st.just([]), st.just({}),
                           st.just(float("nan")), st.just(["output_size", "output_size"]), st.just({"nothing": -1})))
    places = [(told, key) for key in told] + [(plan, key) for plan in told["assignments"] for key in plan]
    place, key = draw(st.sampled_from(places))
    if value is None:
        del place[key]
    else:
        place[key] = value
    return told


@given(st.data())
@settings(max_examples=examples(300), deadline=None)
def test_whatever_a_description_says_there_is_a_sentence_or_a_course(tmp_path_factory, data):
    told = mutated(data.draw, {"format": 1, "title": "T", "id": "t", "language": "en", "assignments": [
        {"name": "one", "from": "01-local-connectivity", "exercises": ["output_size"], "points": {"output_size": 3}},
        {"name": "two", "exercises": ["conv1x1"]}]})
    folder = tmp_path_factory.mktemp("course")
    (folder / "course.toml").write_text(tomlkit.dumps(told))
    try:
        read = Syllabus.read(folder)
        with teaching(read):
            exercises()
    except SyllabusError as error:
        assert str(error) and "\n" not in str(error)


@pytest.mark.parametrize("text, complaint", [
    ("format = 2", "has format 2, and this version of the course knows 1"),
    ("format = ", "cannot be read"),
    ("policy = { attempt = 'worst' }", "attempt is 'worst'; it can be last, best, first"),
    ("policy = { partial_credit = 1 }", "partial_credit is 1; it can be True, False"),
    ("[addresses]\nhome = 'x'", "there is no address 'home'; there are: wheel, notebooks"),
    ("[addresses]\nnotebooks = 'x'", "notebooks is where they lie on GitHub"),
    ("assignment = []", "there is no setting 'assignment'; there are: format, title"),
    ("[[assignments]]\nname = 'a/b'", "the name 'a/b' does not serve"),
    ("[[assignments]]\nname = 'a'\nexercises = ['conv1x1']\n[[assignments]]\nname = 'b'\nexercises = ['conv1x1']",
     "the exercise 'conv1x1' stands there twice"),
    ("[[assignments]]\nname = 'a'\nfrom = '09-nothing'", "'09-nothing', which the library does not have. It has: 01-"),
    ("[[assignments]]\nname = 'a'\nexercises = ['conv1x1']\npoints = { conv1x1 = 0 }", "conv1x1 is worth 0"),
    ("[[assignments]]\nname = 'a'\nexercises = ['conv1x1']\npoints = { zero_pad = 1 }", "is not among its exercises"),
    ("[[assignments]]\nname = 'a'\nexercises = ['conv1x2']", "an exercise 'conv1x2', which is not there. Did you mean"),
])
def test_what_is_wrong_in_a_description_is_said_in_a_sentence(text, complaint, tmp_path):
    (tmp_path / "course.toml").write_text(text)
    with pytest.raises(SyllabusError) as raised, teaching(Syllabus.read(tmp_path)):
        exercises()
    assert complaint in str(raised.value)


def test_a_broken_file_is_told_with_its_line_and_the_others_go_on(tmp_path):
    good = TEMPLATE.format(name="good")
    root = write(tmp_path, [{"name": "own", "exercises": ["good", "with_helper"]}], {
        "exercises/good.py": good,
        "exercises/_helpers.py": "FACTOR = 2\n",
        "exercises/with_helper.py": "from ._helpers import FACTOR\n" + TEMPLATE.format(name="with_helper"),
        "exercises/syntax.py": "x = 1\ndef (:\n",
        "exercises/raises.py": "\n\n1 / 0\n",
        "exercises/no_hints.py": good.replace("good", "no_hints").replace('("first", "second", "third")', "()"),
        "exercises/taken.py": good.replace('"good"', '"conv1x1"').replace("good", "conv1x1"),
        "exercises/empty.py": "",
        "hints/conv1x2.md": "one",
        "hints/conv1x1.md": "one\n---\ntwo",
    })
    teach(Syllabus.read(root))
    assert exercises("own") == ("good", "with_helper")
    said = {problem.path.name: problem.text for problem in taught().problems}
    assert said["syntax.py"].startswith("line 2: ")
    assert said["raises.py"].startswith("line 3: division by zero")
    assert said["no_hints.py"] == "line 3: exercise 'no_hints': 3 hints expected, 0 given"
    assert "'conv1x1' is declared twice" in said["taken.py"]
    assert said["empty.py"] == "line 1: it declares no exercise"
    assert "Did you mean 'conv1x1'" in said["conv1x2.md"]
    assert "3 hints are needed" in said["conv1x1.md"]
    assert len(said) == 7


def test_hints_and_messages_of_a_course_take_the_place_of_others(tmp_path):
    root = write(tmp_path, [{"name": "own", "exercises": ["conv1x1"]}],
                 {"hints/conv1x1.md": "Look.\n---\nThink.\n---\nDo.\n"})
    with teaching(Syllabus.read(root)):
        assert find("conv1x1").hints == ("Look.", "Think.", "Do.")
    assert find("conv1x1").hints != ("Look.", "Think.", "Do.")


def test_two_courses_in_one_process_do_not_mix(tmp_path):
    first = write(tmp_path / "a", [{"name": "own", "exercises": ["twice"]}],
                  {"exercises/twice.py": TEMPLATE.format(name="twice")})
    second = write(tmp_path / "b", [{"name": "own", "exercises": ["twice"], "points": {"twice": 9}}],
                   {"exercises/twice.py": TEMPLATE.format(name="twice").replace("2 * x", "3 * x")})
    one, two = Course(first), Course(second)
    for course, factor, points in ((one, 2, 2), (two, 3, 9), (one, 2, 2)):
        course.teach()
        assert find("twice").references["twice"](5) == 5 * factor
        assert find("twice").points == points
    (first / "exercises" / "twice.py").write_text(TEMPLATE.format(name="twice").replace("2 * x", "4 * x"))
    assert find("twice").references["twice"](5) == 20  # a changed file is read again
    teach(None)
    with pytest.raises(UnknownExerciseError):
        find("twice")


@pytest.mark.parametrize("text", [{}, {"from": "01-local-connectivity"}])
def test_an_exercise_of_ones_own_is_worth_what_the_course_says(tmp_path, text):
    root = write(tmp_path, [{"name": "own", "exercises": ["output_size", "twice"], "points": {"twice": 7}, **text}],
                 {"exercises/twice.py": TEMPLATE.format(name="twice")})
    with teaching(Syllabus.read(root)):
        cells = source_notebook(root, "own").cells
    assert {exercise_of(cell): cell.metadata.nbgrader.points for cell in cells if exercise_of(cell)}["twice"] == 7


OWN_TEXT = """\
# My week

Words of my own.

```{code-cell} ipython3
---
tags: [setup]
---
import numpy as np
```

```{code-cell} ipython3
from autograder import check
```

## 1 Sizes

First this one.

```{exercise} output_size
```

And now mine:

```{exercise} twice
```

## 2 The end
"""


def test_a_text_of_ones_own_names_exercises_and_gets_their_cells(tmp_path):
    root = write(tmp_path, [{"name": "own", "exercises": ["output_size", "twice"]}],
                 {"assignments/own.md": OWN_TEXT, "exercises/twice.py": TEMPLATE.format(name="twice")})
    notebook = source_notebook(root, "own")
    assert composing.headings(notebook) == ["Exercise 1 · `output_size` · 2 points", "Exercise 2 · `twice` · 2 points"]
    order = [cell.source.splitlines()[0] for cell in notebook.cells]
    assert order.index("And now mine:") == order.index("def twice(x):") - 2
    assert [grade_id(cell) for cell in notebook.cells if grade_id(cell)] == [
        "output_size", "check-output_size", "twice", "check-twice"]
    answer = next(cell for cell in notebook.cells if grade_id(cell) == "twice").source
    assert '"""Twice x.' in answer and "return 2 * x" in answer
    build(root, ["own"], root / SOURCES, root / NOTEBOOKS)
    handed_out = (root / NOTEBOOKS / "own" / "own.ipynb").read_text()
    assert "Twice x." in handed_out and "2 * x" not in handed_out


def test_sections_are_replaced_left_out_and_asked_for_by_name(tmp_path):
    root = write(tmp_path, [{"name": "own", "exercises": ["output_size", "twice"]}], {
        "assignments/own.md": OWN_TEXT, "exercises/twice.py": TEMPLATE.format(name="twice"),
        "assignments/own/introduction.md": "# Another\n\n```{code-cell} ipython3\nfrom autograder import check\n```\n",
        "assignments/own/the-end.md": ""})
    text = "\n".join(cell.source for cell in source_notebook(root, "own").cells)
    assert text.startswith("# Another") and "Words of my own" not in text and "The end" not in text
    (root / "assignments" / "own" / "the-and.md").touch()
    with pytest.raises(BuildError, match=r"no section of this name. Sections: introduction, sizes, the-end"):
        source_notebook(root, "own")


def test_translations_of_a_course_stand_before_the_librarys(tmp_path):
    root = write(tmp_path, [{"name": "own", "exercises": ["output_size", "twice"]}], {
        "assignments/own.md": OWN_TEXT, "exercises/twice.py": TEMPLATE.format(name="twice"),
        "locale/zh_CN/LC_MESSAGES/own.po": 'msgid "Words of my own."\nmsgstr "我自己的话。"\n'})
    notebook = source_notebook(root, "own", "zh_CN")
    assert "我自己的话。" in "\n".join(cell.source for cell in notebook.cells)
    assert composing.headings(notebook) == ["练习 1 · `output_size` · 2 分", "练习 2 · `twice` · 2 分"]


def test_a_new_course_and_a_new_exercise_are_ready_to_be_built(tmp_path):
    folder = tmp_path / "Vision 2027"
    new_course(folder, ["03-pooling"])
    with pytest.raises(BuildError, match="needs a new folder"):
        new_course(folder)
    with pytest.raises(BuildError, match="no assignment '09'"):
        new_course(tmp_path / "other", ["09"])
    before = (folder / "course.toml").read_text()
    new_exercise(Course(folder), "transposed", "03-pooling", 4)
    after = (folder / "course.toml").read_text()
    assert [line for line in before.splitlines() if line.startswith("#")] == [
        line for line in after.splitlines() if line.startswith("#")]
    course = Course(folder)
    assert exercises("03-pooling") == (*LIBRARY["03-pooling"], "transposed")
    assert find("transposed").points == 4
    for name, complaint in (("transposed", "already"), ("conv1x1", "already"), ("two words", "name of a function"),
                            ("lambda", "name of a function")):
        with pytest.raises(BuildError, match=complaint):
            new_exercise(course, name)
    with pytest.raises(SyllabusError, match="no assignment 'nowhere'"):
        new_exercise(course, "other", "nowhere")
    assert exercise_of(source_notebook(folder, "03-pooling").cells[-1]) in ("", "transposed")


def test_commands_take_a_courses_folder(tmp_path):
    def course(*arguments):
        return subprocess.run([sys.executable, "-m", "autograder.cli", *arguments], capture_output=True, text=True,
                              cwd=tmp_path, check=False)

    made = course("new", "mine", "--from", "01-local-connectivity", "03-pooling")
    assert made.returncode == 0, made.stdout
    assert course("new", "mine", "other").returncode == 1
    (tmp_path / "mine" / "exercises" / "broken.py").write_text("1 / 0")
    built = course("build", "03-pooling", "--language", "en", "--course", "mine")
    assert built.returncode == 0, built.stdout + built.stderr
    assert "line 1: division by zero" in built.stdout
    assert (tmp_path / "mine" / "notebooks" / "03-pooling" / "03-pooling.ipynb").is_file()


def submissions(course: Course, assignment: str, answers: dict[str, dict[str, str]]) -> None:
    solved = {grade_id(cell): cell.source for cell in source_notebook(course.root, assignment).cells
              if is_answer(cell)}
    released = course.root / NOTEBOOKS / assignment / f"{assignment}.ipynb"
    for student, own in answers.items():
        notebook = json.loads(released.read_text())
        for cell in notebook["cells"]:
            if grade_id(cell) in solved:
                cell["source"] = (solved | own)[grade_id(cell)]
        path = course.submitted_folder(student, assignment) / f"{assignment}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(notebook))


@pytest.mark.sandbox
def test_an_own_exercise_is_released_graded_explained_and_graded_again_when_it_changes(tmp_path):
    plan = {"name": "week-1", "from": "01-local-connectivity", "exercises": ["output_size", "twice"],
            "points": {"output_size": 5}}
    root = write(tmp_path / "course", [plan], {"exercises/twice.py": TEMPLATE.format(name="twice")}, id="mine")
    course = Course(root)
    _, archive = release(root, "week-1", tmp_path / "out")
    with zipfile.ZipFile(archive) as pack:
        (wheel,) = (name for name in pack.namelist() if name.endswith(".whl"))
        assert "+course." in wheel
        pack.extract(wheel, tmp_path)
    with zipfile.ZipFile(tmp_path / wheel) as packages:
        packages.extractall(tmp_path / "installed")
    assert (tmp_path / "installed" / "autograder" / "course" / "notebooks" / "week-1" / "week-1.ipynb").is_file()
    asked = subprocess.run([sys.executable, "-c", "from autograder import check, exercises; print(exercises()); "
                            "check('twice', lambda x: x * x)"], capture_output=True, text=True, check=True,
                           cwd=tmp_path, env={"PYTHONPATH": str(tmp_path / "installed"),
                                              "CNNCOURSE_STATE": str(tmp_path / "state")})
    assert asked.stdout.startswith("('output_size', 'twice')")
    assert "squared. Twice is not squared." in asked.stdout

    submissions(course, "week-1", {"ada": {}, "bob": {"twice": "def twice(x):\n    return x * x"}})
    ada, bob = sorted(grade(course, "week-1"), key=lambda report: report.student)
    assert (ada.verdicts["twice"].points, ada.verdicts["output_size"].points) == (2, 5)
    assert bob.verdicts["twice"].points == 0 and bob.verdicts["twice"].misconceptions == ("squared",)
    before = Versions.of(course, "week-1", ["week-1"])
    told = (root / "course.toml").read_text()
    (root / "course.toml").write_text('title = "Another"\n' + told)
    assert Versions.of(Course(root), "week-1", ["week-1"]).why_not(before) is None
    own = root / "exercises" / "twice.py"
    own.write_text(own.read_text().replace("2 * x", "x * x").replace("(Misconception", "() and (Misconception"))
    assert Versions.of(Course(root), "week-1", ["week-1"]).why_not(before) is Why.MARKS
    reports = {report.student: report for report in grade(Course(root), "week-1")}
    assert reports["bob"].verdicts["twice"].points == 2

    # The exercise goes after students have answered it: told, and the others are judged.
    plan["exercises"].remove("twice")
    own.unlink()
    write(root, [plan], id="mine")
    reports = {report.student: report for report in grade(Course(root), "week-1")}
    assert reports["ada"].verdicts["twice"].how is How.NOT_JUDGED
    assert "There is no exercise called 'twice'" in reports["ada"].verdicts["twice"].message
    assert reports["ada"].verdicts["output_size"].points == 5


def test_a_course_with_an_address_has_it_in_its_first_cell_and_links_to_colab(tmp_path):
    addresses = {"wheel": 'https://x.org/a"b.whl', "notebooks": "https://github.com/me/mine/blob/main/notebooks"}
    root = write(tmp_path, [{"name": "week-1", "from": "03-pooling", "exercises": ["max_pool2d_forward"]}],
                 addresses=addresses)
    notebook = source_notebook(root, "week-1")
    assert 'address="https://x.org/a\\"b.whl"' in notebook.cells[1].source
    compile(notebook.cells[1].source, "<cell>", "exec")
    for language, folder in (("en", ""), ("zh_CN", "zh_CN/")):
        with speaking(language):
            shown, _ = pages.page(notebook, "week-1", addresses["notebooks"])
        link = f"https://colab.research.google.com/github/me/mine/blob/main/notebooks/{folder}week-1/week-1.ipynb"
        assert f'<a href="{link}">' in shown.cells[1].source
    assert "colab" not in pages.page(notebook, "week-1")[0].cells[1].source


def test_a_folder_without_a_description_is_the_library_in_every_process(tmp_path):
    with teaching(Syllabus.read(tmp_path)):
        assert fingerprint("03-pooling") == "" and taught().syllabus is None
    assert fingerprint("03-pooling") == ""


def test_the_book_of_a_course_begins_with_its_own_contents(tmp_path):
    root = write(tmp_path, [{"name": "week-1", "from": "03-pooling"}], title="Pools & more")
    with teaching(Syllabus.read(root)):
        page = site.first_page(Syllabus.read(root), {"week-1": source_notebook(root, "week-1")})
    assert page.startswith("# Pools") and "1. [Making maps smaller](week-1.ipynb)" in page
    assert site.book_folder(root).name == "book" and (site.book_folder(root) / "conf.py").is_file()


def test_a_checkout_is_a_course_too(root, monkeypatch):
    monkeypatch.chdir(root)
    assert cli.taught_in(Path()) == root
    assert [plan.based_on for plan in Syllabus.read(root).plans] == list(LIBRARY)
    assert nbformat.read(
        root / NOTEBOOKS / "03-pooling" / "03-pooling.ipynb", as_version=4).cells
