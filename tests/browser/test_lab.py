"""JupyterLab as students and instructors see it: start page, checks, nbgrader; by mouse, keyboard and screen reader."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from nbgrader.validator import Validator
from playwright.sync_api import expect

from autograder.authoring.build import assignments
from autograder.exercises.contents import every, find
from autograder.judging.judge import judge
from autograder.judging.local import LocalRunner
from autograder.lab import workspace
from autograder.lab.page import page as start_html
from autograder.showing.html import notebook_html
from tests.browser.lab import PATIENCE, choose, running, start_page, wait_for_kernel
from tests.classroom import ASSIGNMENT, CONFIGURATION
from tests.conftest import ROOT

pytestmark = pytest.mark.browser

ANSWERS = {
    "zero_pad": "def zero_pad(x, padding):\n    return np.pad(x, ((0, 0), (0, 0), (padding,) * 2, (padding,) * 2))",
    "conv2d_forward": "def conv2d_forward(x, weight, bias, stride, padding):\n"
                      "    x = np.pad(x, ((0, 0), (0, 0), (padding,) * 2, (padding,) * 2))\n"
                      "    windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], axis=(2, 3))\n"
                      "    windows = windows[:, :, ::stride, ::stride]\n"
                      "    weight = weight[:, :, ::-1, ::-1]\n"
                      "    return np.einsum('nchwij,kcij->nkhw', windows, weight) + bias[:, None, None]",
}
"""What the student of these tests has written: one right, one with a flipped kernel."""

RIGHT = ANSWERS | {"conv2d_forward": ANSWERS["conv2d_forward"].replace("[:, :, ::-1, ::-1]", "")}


@pytest.fixture(scope="module", autouse=True)
def patience():
    """Kernels start and notebooks run while a test waits."""
    expect.set_options(timeout=PATIENCE)
    yield
    expect.set_options(timeout=5_000)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A student's JupyterLab; in notebook 01, two exercises are left and answered."""
    folder = tmp_path_factory.mktemp("student")
    workspace.prepare(ROOT, folder / "work")
    answer(folder / "work" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    with running(folder / "own", "--folder", str(folder / "work")) as found:
        yield found


def answer(path, answers=ANSWERS):
    """Leave two exercises in a notebook, and answer them."""
    notebook = json.loads(path.read_text())
    kept = [notebook["cells"][0]]
    for cell in notebook["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
        if name in answers:
            cell["source"] = answers[name]
        if name.removeprefix("check-") in answers or "".join(cell["source"]).startswith(("import numpy", "from auto")):
            kept.append(cell)
    path.write_text(json.dumps(notebook | {"cells": kept}))


def run_all(page):
    """Run the notebook in front; the results of its checks."""
    choose(page, "Run", "Run All Cells")
    results = page.locator(".jp-OutputArea-output [role=status]")
    expect(results).to_have_text([re.compile("zero_pad: all 11 cases pass"),
                                  re.compile("conv2d_forward: 1 of 20 cases pass")])
    return results


def test_a_student_goes_from_the_start_page_to_a_check_and_back_to_what_is_next(lab, browser):
    page = lab.opened(browser)
    start = start_page(page)
    expect(start.get_by_role("heading", level=1)).to_have_text("Convolutional networks")
    expect(start.locator("li")).to_have_count(len(assignments(ROOT)))
    start.get_by_role("link", name=f"Begin with zero_pad in {ASSIGNMENT}").click()
    wait_for_kernel(page)
    expect(page.locator(".jp-Cell.jp-mod-selected .cm-content")).to_contain_text("def zero_pad")
    run_all(page)
    page.locator(".lm-TabBar-tab", has_text=re.compile("^Start")).click()
    expect(start.locator(".next")).to_contain_text(f"Go on with conv2d_forward in {ASSIGNMENT}")
    expect(start.locator("tr", has_text="conv2d_forward")).to_contain_text("flipped kernel")
    expect(start.locator("header")).to_contain_text(
        f"2 of {sum(e.points for e in every() if e.notebook != ASSIGNMENT or e.name in ANSWERS):g} points")
    page.context.close()


@pytest.mark.slow
def test_keyboard_alone_opens_notebooks_and_hints_and_a_screen_reader_gets_the_words(lab, browser):
    page = lab.opened(browser, "Dark")
    start = start_page(page)
    until_focused(page, start.locator("#cnncourse-next"))
    page.keyboard.press("Enter")
    wait_for_kernel(page)
    run_all(page)
    failed = page.locator(".jp-OutputArea-output", has_text="conv2d_forward: 1 of 20")
    hints = failed.locator("summary", has_text="A first hint")
    page.locator(".jp-Cell", has=failed).locator(".jp-InputPrompt").click()
    until_focused(page, hints)
    for key, level in (("Enter", 0), ("Space", 1)):
        page.keyboard.press(key)
        expect(failed.get_by_text(find("conv2d_forward").hints[level])).to_be_visible()
        page.keyboard.press("Tab")
    spoken = failed.aria_snapshot()
    assert re.search(r'status:\s+- strong: "✗ conv2d_forward: 1 of 20 cases pass."', spoken)
    assert re.search(r'img "Slice \[0, 0, :, :\]; 9 of 9 entries differ', spoken)
    page.context.close()


def until_focused(page, target):
    """Press Tab until an element has the focus."""
    for _ in range(60):
        if target.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {target}; the focus is on "
                         f"{page.evaluate('document.activeElement.outerHTML.slice(0, 200)')}")


@pytest.mark.slow
def test_the_start_page_speaks_chinese(tmp_path, browser):
    with running(tmp_path / "own", "--folder", str(tmp_path / "work"), "--language", "zh") as lab:
        page = lab.opened(browser)
        start = start_page(page)
        expect(start).to_have_attribute("lang", "zh-CN")
        start.get_by_role("link", name="一个神经元看到什么").click()
        wait_for_kernel(page)
        expect(page.locator(".jp-RenderedMarkdown h1").first).to_contain_text("一个神经元看到什么")
        page.context.close()


@pytest.mark.slow
def test_an_instructor_has_formgrader_validate_and_lists(tmp_path, browser):
    course = tmp_path / "course"
    course.mkdir()
    (course / "nbgrader_config.py").write_text(CONFIGURATION)
    with running(tmp_path / "own", "--instructor", "--course", str(course)) as lab:
        page = lab.opened(browser)
        choose(page, "Nbgrader", "Formgrader")
        formgrader = page.frame_locator("iframe")
        expect(formgrader.locator("tbody tr .name")).to_have_text([re.compile(name) for name in assignments(ROOT)])
        assert "exchange" not in formgrader.locator("body").inner_text().lower()
        assert (course / "exchange").is_dir()

        choose(page, "Nbgrader", "Assignment List")
        expect(page.get_by_text("There are no assignments to fetch")).to_be_visible()

        answer(course / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", RIGHT)
        page.goto(f"{lab.address}/lab/tree/source/{ASSIGNMENT}/{ASSIGNMENT}.ipynb")
        wait_for_kernel(page)
        page.get_by_role("tab", name="Create Assignment").or_(page.locator('[title="Create Assignment"]')).first.click()
        expect(page.locator(".nbgrader-TotalPointsInput")).to_have_value("7")
        page.locator(".jp-NotebookPanel-toolbar").get_by_text("Validate", exact=True).click()
        expect(page.locator(".jp-Dialog")).to_contain_text("Success")
        page.context.close()


@pytest.mark.slow
def test_validate_tells_which_checks_fail(tmp_path):
    workspace.prepare(ROOT, tmp_path)
    path = tmp_path / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    answer(path)
    (failed,) = Validator().validate(str(path))["failed"]
    assert failed["source"] == 'check("conv2d_forward", conv2d_forward)'
    assert "conv2d_forward: 1 of 20 cases pass" in failed["error"]


def results():
    """Results of checks: passed, failed with a picture and a misconception, failed with an error, not written."""
    def wrong(*arguments):
        raise ZeroDivisionError

    def unwritten(*arguments):
        raise NotImplementedError

    exercise = find("conv2d_forward")
    flipped = next(one.wrong for one in exercise.misconceptions if one.name == "flipped kernel")
    for function in (exercise.references["conv2d_forward"], flipped, wrong, unwritten):
        yield judge(exercise, LocalRunner({"conv2d_forward": function}))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_results_and_start_page_have_no_accessibility_violation(new_page, theme, tmp_path):
    workspace.prepare(ROOT, tmp_path / "work")
    css = Path(sys.prefix, f"share/jupyter/lab/themes/@jupyterlab/theme-{theme}-extension/index.css").read_text()
    checks = "<h1>Checks</h1>" + "".join(map(notebook_html, results()))
    for name, content in (("checks", checks), ("start", start_html(tmp_path / "work"))):
        file = tmp_path / f"{name}.html"
        file.write_text(f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{name}</title><style>{css} '
                        "body { background: var(--jp-layout-color1); color: var(--jp-content-font-color1); }</style>"
                        f"<main>{content}</main>")
        page = new_page(theme=theme)
        page.goto(file.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        found = Axe().run(page).response["violations"]
        assert [(one["id"], node["html"][:200], node["failureSummary"]) for one in found for node in one["nodes"]] == []
