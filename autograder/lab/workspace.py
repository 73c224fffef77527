"""A student's or reader's own folder: copies of the notebooks that no update ever overwrites."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autograder.assignment.folders import language_folder, release_folder
from autograder.exercises.contents import VARIABLE as COURSE_VARIABLE
from cnncourse.language import VARIABLE

LAST = 19
"""Priority of what may wait, on systems that know such a thing."""

LABEXTENSIONS = Path(__file__).resolve().with_name("labextensions")

STUDENT_EXTENSIONS_OFF = (
    *(f"nbgrader.server_extensions.{name}"
      for name in ("formgrader", "course_list", "assignment_list", "validate_assignment")),
    "jupyter_lsp", "jupyterlab_jupytext", "notebook", "notebook_shim")
"""Extensions of the server that students do not need. Any one of nbgrader's imports all of nbgrader, most of the time
that JupyterLab's server takes to start; the others take a third of what is left."""

LABEXTENSIONS_OFF = ("@jupyter/nbgrader", "jupyterlab-jupytext", "@jupyter-notebook/lab-extension",
                     "@jupyterlab/lsp-extension", "@jupyterlab/fileeditor-extension:language-server",
                     "@jupyterlab/notebook-extension:language-server", "@jupyterlab/extensionmanager-extension")
"""Their counterparts in the browser, and the manager of extensions, which asks a server on the internet."""


OVERRIDES = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}
"""Otherwise JupyterLab asks on first start whether it may fetch news."""


def prepare(root: Path, folder: Path, language: str = "en") -> list[Path]:
    """Copy the notebooks that are not in the folder yet; what is there stays as it is.

    Parameters
    ----------
    root : Path
        The course's folder, with its notebooks.
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
    folder = language_folder(folder, language)
    for source in sorted(release_folder(root, language).glob("*/*.ipynb")):
        target = folder / source.parent.name / source.name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            added.append(target)
    return added


def start_jupyterlab(folder: Path, options: list[str], language: str = "en", course: Path | None = None) -> int:
    """Run JupyterLab in a student's folder until it is stopped.

    Parameters
    ----------
    folder : Path
    options : list of str
        Of `jupyter lab`.
    language : str, optional
        Of the start page, and of what notebooks say that do not choose a language themselves.
    course : Path, optional
        The folder of a course whose exercises are its own; by default the library's are checked.

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
    taught = {COURSE_VARIABLE: str(course)} if course else {}
    return _run(folder, write_settings(folder), options, {VARIABLE: language, **taught})


def _run(folder: Path, settings: Path, options: list[str], variables: dict[str, str], cwd: Path | None = None) -> int:
    search = os.pathsep.join(filter(None, (str(settings), os.environ.get("JUPYTER_CONFIG_PATH"))))
    command = [sys.executable, "-m", "autograder.lab", f"--ServerApp.root_dir={folder.resolve()}",
               "--ServerApp.answer_yes=True", *options]
    with subprocess.Popen(command, cwd=cwd, env=os.environ | variables | {"JUPYTER_CONFIG_PATH": search}) as server:
        return _wait(server)


def _wait(server: subprocess.Popen[bytes]) -> int:
    """Wait for a server to end; whoever ends this command ends the server, and with it its kernels.

    Raises
    ------
    KeyboardInterrupt
        Once the server has ended after Ctrl+C, which reaches it too.
    """
    ends = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    before = {number: signal.signal(number, lambda *_: server.terminate()) for number in ends}
    interrupted = False
    try:
        while True:
            try:
                status = server.wait()
                break
            except KeyboardInterrupt:
                interrupted = True
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if interrupted:
        raise KeyboardInterrupt
    return status


def prepare_course(course: Path, language: str = "en") -> list[Path]:
    """Make what an instructor's JupyterLab needs in a course directory; what is there stays as it is.

    Parameters
    ----------
    course : Path
        The course directory with nbgrader_config.py.
    language : str, optional
        Of the assignments.

    Returns
    -------
    list of Path
        Source notebooks that were added, one for each assignment that the course directory did not have.

    Raises
    ------
    AutograderError
        If the folder is no course directory.
    """
    import nbformat

    from autograder.authoring.build import assignments, source_notebook
    from autograder.classroom.course import Course

    where = Course(course)
    where.make_exchange()
    added = []
    for name in assignments(where.texts):
        source = Path(course, where.directory.source_directory, name, f"{name}.ipynb")
        if not source.parent.exists():
            source.parent.mkdir(parents=True)
            nbformat.write(source_notebook(where.texts, name, language), source)
            added.append(source)
    return added


def start_instructors_jupyterlab(course: Path, options: list[str], language: str = "en") -> int:
    """Run JupyterLab in a course directory, with everything of nbgrader, until it is stopped; its exit status."""
    import platformdirs

    settings = platformdirs.user_state_path("cnncourse") / "instructor"
    _write(settings, {"labconfig/default_setting_overrides.json": OVERRIDES})
    return _run(course, settings, options, {VARIABLE: language, COURSE_VARIABLE: str(course)}, cwd=course)


def write_settings(folder: Path) -> Path:
    """Write the Jupyter server settings of a student's folder; where they are."""
    settings = folder / ".jupyter"
    return _write(settings, {
        "jupyter_server_config.json": {
            "ServerApp": {"jpserver_extensions": {
                "autograder.lab.server": True, **dict.fromkeys(STUDENT_EXTENSIONS_OFF, False)}},
            # Which tabs were open is remembered here, not together with those of other folders.
            "LabApp": {"extra_labextensions_path": [str(LABEXTENSIONS)], "extension_manager": "readonly",
                       "workspaces_dir": str((settings / "workspaces").resolve())}},
        # Without the check, the server does not look at start whether JupyterLab itself has to be built.
        "labconfig/page_config.json": {"buildCheck": False, "buildAvailable": False,
                                       "disabledExtensions": dict.fromkeys(LABEXTENSIONS_OFF, True)},
        "labconfig/default_setting_overrides.json": OVERRIDES,
    })


def _write(settings: Path, contents: Mapping[str, Any]) -> Path:
    (settings / "labconfig").mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (settings / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return settings.resolve()
