"""What a student installs: little, and enough for every notebook."""

from __future__ import annotations

import ast
import importlib.metadata
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from autograder.authoring.wheels import students_wheel
from autograder.command import BROUGHT_BY
from autograder.sandbox import contents
from tests.machines.checkout import environment

MOST_BYTES = 360 << 20
BASE = {"numpy", "numba", "llvmlite", "matplotlib", "IPython", "anywidget", "jinja2", "markupsafe", "PIL",
        "platformdirs", "threadpoolctl", "traitlets", "pygments", "packaging", "psygnal", "cnncourse", "autograder"}
"""What the student package and its requirements bring, as modules."""
OPTIONAL = {"google", "onnx", "safetensors", *(name.removesuffix(".py") for name in contents.OWN_FILES)}
"""What a message of the package itself asks for; and files of the sandbox, by their names in there."""
HEAVY = {"nbgrader", "jupyterlab", "jupyter-server", "notebook", "scikit-learn", "scipy", "babel", "rich", "typer",
         "sqlalchemy", "jupytext", "distributed", "sphinx", "nbconvert"}

STUDENT = """
import sys, numpy as np
import autograder
from cnncourse import data, functional, plotting, widgets

def zero_pad(x, padding):
    return np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))

autograder.check("zero_pad", zero_pad)
autograder.hint("zero_pad")
autograder.use_language("zh")
autograder.check("zero_pad", lambda x, padding: x)
print(autograder.progress())
print(autograder.progress()._repr_html_()[:10])
assert data.photograph().shape == (1, 3, 142, 213) and data.digits()[0].shape == (1442, 1, 8, 8)
widgets.pooling_explorer()
autograder.use_language("en")
autograder.check("max_pool2d_backward", functional.max_pool2d_backward)
autograder.check("l2_pool2d_forward", lambda *arguments: None)
autograder.rehearse(sys.argv[1])
print("all done")
"""


@pytest.fixture(scope="module")
def installed(root, tmp_path_factory):
    """The wheel in an environment of its own; its Python."""
    folder = tmp_path_factory.mktemp("light")
    wheel = students_wheel(folder, notebooks=root / "notebooks")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    python = folder / "venv" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--constraint", root / "constraints.txt", wheel],
                   env=environment(), cwd=folder, check=True)
    return python


def imports(source: str) -> set[str]:
    """Top-level modules beyond the standard library that a piece of code imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names


def distributions(python: Path) -> dict[str, importlib.metadata.Distribution]:
    (packages,) = python.parents[1].glob("lib/python*/site-packages")
    found = {one.metadata["Name"].lower().replace("_", "-"): one
             for one in importlib.metadata.distributions(path=[str(packages)])}
    return {name: one for name, one in found.items() if name not in ("pip", "setuptools")}


@pytest.mark.slow
def test_the_student_package_brings_nothing_heavy(installed):
    brought = distributions(installed)
    assert {"numpy", "numba", "matplotlib", "ipython", "anywidget"} <= set(brought)
    assert HEAVY & set(brought) == set()
    size = sum(Path(path).stat().st_size for one in brought.values() for file in one.files or ()
               if not file.name.endswith(".pyc") and (path := one.locate_file(file)).is_file())
    print(f"{len(brought)} packages, {size / 2**20:.0f} MiB")
    assert size <= MOST_BYTES


@pytest.mark.slow
def test_checks_hints_pictures_and_figures_work_with_the_student_package_alone(installed, root, tmp_path):
    notebook = root / "notebooks" / "03-pooling" / "03-pooling.ipynb"
    ran = subprocess.run([installed, "-c", STUDENT, notebook], cwd=tmp_path, env=environment(), capture_output=True,
                         text=True, check=False)
    assert "03-pooling.ipynb as it is saved: grading would give 0 of 38 points" in ran.stdout
    assert ran.stdout.rstrip().endswith("all done"), ran.stdout + ran.stderr


@pytest.mark.slow
def test_the_course_command_says_what_it_lacks(installed):
    ran = subprocess.run([installed.with_name("course"), "doctor"], env=environment(), capture_output=True,
                         text=True, check=False)
    assert ran.returncode == 1
    assert ran.stderr.strip().endswith("python -m pip install 'cnncourse[lab]'")
    assert "Traceback" not in ran.stderr


def test_every_module_that_only_an_extra_brings_is_known_by_it(root):
    """Whatever the packages import beside the standard library comes with the student package or is named."""
    imported = {name for folder in ("cnncourse", "autograder") for path in (root / folder).rglob("*.py")
                for name in imports(path.read_text(encoding="utf-8"))}
    named = {module for modules in BROUGHT_BY.values() for module in modules}
    assert imported - BASE - named - OPTIONAL == set()


def test_notebooks_import_what_the_student_package_brings(root):
    cells = [cell.source for path in (root / "notebooks").rglob("*.ipynb") for cell in nbformat.read(path, 4).cells
             if cell.cell_type == "code"]
    assert {name for source in cells for name in imports(source)} <= BASE
