"""A student's or reader's own folder: copies of the notebooks that no update ever overwrites."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

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


def start_jupyterlab(folder: Path, options: list[str]) -> int:
    """Run JupyterLab in the folder until it is stopped; its exit status."""
    environment = os.environ | {"JUPYTER_CONFIG_PATH": os.pathsep.join(
        filter(None, (str(write_settings(folder)), os.environ.get("JUPYTER_CONFIG_PATH"))))}
    # JupyterLab takes some seconds until a notebook is open; compiling the kernels begins in the meantime.
    subprocess.Popen([sys.executable, "-m", "cnncourse.warming"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    command = [sys.executable, "-m", "jupyter", "lab", f"--ServerApp.root_dir={folder.resolve()}", *options]
    return subprocess.run(command, env=environment, check=False).returncode


def write_settings(folder: Path) -> Path:
    """Write the Jupyter server settings of a student's folder; where they are."""
    settings = folder / ".jupyter"
    (settings / "labconfig").mkdir(parents=True, exist_ok=True)
    contents = {
        "jupyter_server_config.json": {
            "ServerApp": {"jpserver_extensions": dict.fromkeys(STUDENT_EXTENSIONS_OFF, False)}},
        "labconfig/page_config.json": {"disabledExtensions": {"@jupyter/nbgrader": True}},
        # Otherwise JupyterLab asks on first start whether it may fetch news.
        "labconfig/default_setting_overrides.json": {
            "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}},
    }
    for name, content in contents.items():
        (settings / name).write_text(json.dumps(content, indent=2) + "\n")
    return settings.resolve()
