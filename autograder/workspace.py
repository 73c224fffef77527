"""A student's or reader's own folder: copies of the notebooks that no update ever overwrites."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from cnncourse.language import VARIABLE

LAST = 19
"""Priority of what may wait, on systems that know such a thing."""

LABEXTENSIONS = Path(__file__).resolve().with_name("lab") / "labextensions"

STUDENT_EXTENSIONS_OFF = tuple(
    f"nbgrader.server_extensions.{name}"
    for name in ("formgrader", "course_list", "assignment_list", "validate_assignment"))
"""Instructors' server extensions. Any one of them imports all of nbgrader, most of the time that JupyterLab's server
takes to start."""


def release_folder(root: Path, language: str) -> Path:
    """Where the student notebooks of a language lie; English ones where nbgrader looks for them."""
    return root / "notebooks" / ("" if language == "en" else language)


def prepare(root: Path, folder: Path, language: str = "en") -> list[Path]:
    """Copy the notebooks that are not in the folder yet; what is there stays as it is.

    Parameters
    ----------
    root : Path
        The checkout.
    folder : Path
        The student's own folder; made if it is not there.
    language : str, optional
        Of the notebooks; those in another language than English lie in a folder of their own.

    Returns
    -------
    list of Path
        What was added.
    """
    added = []
    folder = folder / ("" if language == "en" else language)
    for source in sorted(release_folder(root, language).glob("*/*.ipynb")):
        target = folder / source.parent.name / source.name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            added.append(target)
    return added


def start_jupyterlab(folder: Path, options: list[str], language: str = "en") -> int:
    """Run JupyterLab in a student's folder until it is stopped.

    Parameters
    ----------
    folder : Path
    options : list of str
        Of `jupyter lab`.
    language : str, optional
        Of the start page, and of what notebooks say that do not choose a language themselves.

    Returns
    -------
    int
        Exit status.
    """
    # JupyterLab takes some seconds until a notebook is open; compiling the kernels begins in the meantime.
    warming = subprocess.Popen([sys.executable, "-m", "cnncourse.warming"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, warming.pid, LAST)
    return _run(folder, write_settings(folder), options, {VARIABLE: language})


def _run(folder: Path, settings: Path, options: list[str], variables: dict[str, str]) -> int:
    search = os.pathsep.join(filter(None, (str(settings), os.environ.get("JUPYTER_CONFIG_PATH"))))
    command = [sys.executable, "-m", "autograder.lab", f"--ServerApp.root_dir={folder.resolve()}", *options]
    return subprocess.run(command, check=False,
                          env=os.environ | variables | {"JUPYTER_CONFIG_PATH": search}).returncode


def write_settings(folder: Path) -> Path:
    """Write the Jupyter server settings of a student's folder; where they are."""
    settings = folder / ".jupyter"
    (settings / "labconfig").mkdir(parents=True, exist_ok=True)
    contents = {
        "jupyter_server_config.json": {
            "ServerApp": {"jpserver_extensions": {
                "autograder.lab.server": True, **dict.fromkeys(STUDENT_EXTENSIONS_OFF, False)}},
            "LabApp": {"extra_labextensions_path": [str(LABEXTENSIONS)]}},
        "labconfig/page_config.json": {"disabledExtensions": {"@jupyter/nbgrader": True}},
        # Otherwise JupyterLab asks on first start whether it may fetch news.
        "labconfig/default_setting_overrides.json": {
            "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}},
    }
    for name, content in contents.items():
        (settings / name).write_text(json.dumps(content, indent=2) + "\n")
    return settings.resolve()
