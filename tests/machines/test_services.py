"""Notebooks where students open them: services with old versions of everything."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from autograder.assignment.cells import ANYWHERE, grade_id
from autograder.authoring.build import source_notebook
from autograder.authoring.wheels import students_wheel
from tests.machines.checkout import environment

COLAB = ("ipython==7.34.0", "ipykernel==6.17.1", "jupyter-client==6.1.12", "numpy==2.0.2", "matplotlib==3.10.0",
         "numba==0.60.0", "traitlets==5.7.1", "ipywidgets==7.7.1", "pillow==11.0.0")
"""What Colab has in the way: an IPython of 2022, and widgets without a manager for ours."""

WANTED = ("zero_pad", "check-zero_pad")


@pytest.fixture(scope="module")
def wheel(root, tmp_path_factory) -> Path:
    return students_wheel(tmp_path_factory.mktemp("wheel"), notebooks=root / "notebooks")


@pytest.fixture(scope="module", params=[COLAB], ids=["Colab"])
def service(request, tmp_path_factory):
    """An environment with its own kernel, without the course; the folder that describes the kernel."""
    folder = tmp_path_factory.mktemp("service")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", *request.param], env=environment(), check=True)
    kernel = folder / "kernels" / "service"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text(json.dumps({
        "argv": [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"], "display_name": "service",
        "language": "python", "env": {"PYTHONPATH": "", "CNNCOURSE_STATE": str(folder / "state")}}))
    return folder


def small(root: Path) -> nbformat.NotebookNode:
    """Of notebook 01 the first cell, one exercise with its solution, a figure to play with, and the rehearsal."""
    notebook = source_notebook(root, "01-local-connectivity")
    first = next(cell for cell in notebook.cells if cell.source.startswith(ANYWHERE))
    kept = [cell for cell in notebook.cells if grade_id(cell) in WANTED]
    setup = nbformat.v4.new_code_cell("import numpy as np\nfrom autograder import check\nfrom cnncourse import widgets")
    figure = nbformat.v4.new_code_cell("widgets.pooling_explorer()")
    notebook.cells = [first, setup, *kept, figure, notebook.cells[-1]]
    return notebook


def run(notebook, service: Path, folder: Path, monkeypatch) -> str:
    monkeypatch.setenv("JUPYTER_PATH", str(service))
    where = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=300, kernel_name="service", resources=where).execute()
    return "\n".join(f"{output.get('text', '')}{output.get('data', {}).get('text/plain', '')}"
                     for cell in notebook.cells for output in cell.get("outputs", ()))


@pytest.mark.slow
def test_the_first_cell_says_what_to_do_then_installs_and_everything_works(root, service, wheel, tmp_path, monkeypatch):
    path = tmp_path / "01-local-connectivity.ipynb"
    nbformat.write(small(root), path)
    with pytest.raises(CellExecutionError, match=r"The course is not installed here\. Put the file cnncourse-"):
        run(small(root), service, tmp_path, monkeypatch)
    shutil.copy(wheel, tmp_path)
    said = run(small(root), service, tmp_path, monkeypatch)
    assert "zero_pad: all 11 cases pass." in said
    assert "01-local-connectivity.ipynb as it is saved: grading would give 2 of 24 points for code." in said
    again = small(root)
    run(again, service, tmp_path, monkeypatch)
    assert again.cells[0].outputs == []  # where the course is, the cell does nothing
