"""Run the notebooks, solutions inside, and keep their outputs for the next time."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from nbformat import NotebookNode

from autograder.assignment.cells import exercise_of
from autograder.checking.progress import STATE_VARIABLE
from autograder.errors import BuildError
from autograder.exercises.contents import exercises
from autograder.syllabus import FILE, library
from cnncourse import processors

CELL_SECONDS = 600
CODE = (".py", ".js", ".css", ".j2", ".po", ".mo")
Announce = Callable[[str, int, int], None]


class Outputs:
    """Outputs of notebooks that were run before with the same code of the course.

    Parameters
    ----------
    folder : Path
        For all caches of one language; each state of the code has its own in there.
    root : Path
        The course's folder.
    """

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder = folder
        self.now = folder / fingerprint(root)
        self.now.mkdir(parents=True, exist_ok=True)

    def find(self, notebook: NotebookNode) -> NotebookNode | None:
        """The notebook with its outputs, if they are known."""
        return _outputs_in(self.now, notebook)

    def find_latest(self, notebook: NotebookNode) -> NotebookNode | None:
        """The notebook with its outputs, perhaps of an earlier state of the course's code."""
        folders = sorted(self.folder.iterdir(), key=lambda folder: folder.stat().st_mtime, reverse=True)
        found = (_outputs_in(folder, notebook) for folder in (self.now, *folders))
        return next((known for known in found if known is not None), None)

    def keep(self, name: str, notebook: NotebookNode) -> None:
        """Remember a notebook that was run."""
        from jupyter_cache import get_cache
        from jupyter_cache.base import CacheBundleIn

        get_cache(self.now).cache_notebook_bundle(CacheBundleIn(notebook, name), check_validity=False, overwrite=True)

    def forget_older(self) -> None:
        """Remove what earlier states of the code have put out."""
        for other in self.folder.iterdir():
            if other != self.now:
                shutil.rmtree(other, ignore_errors=True)


def _outputs_in(folder: Path, notebook: NotebookNode) -> NotebookNode | None:
    from jupyter_cache import get_cache

    try:
        return get_cache(folder).merge_match_into_notebook(notebook)[1]
    except Exception:
        # Not there, or cut off where a run was killed: then it is run, and replaced.
        return None


def fingerprint(root: Path) -> str:
    """Changes whenever the outputs of a notebook may change though its cells do not."""
    digest = hashlib.sha256(sys.version.encode() + (library(root) / "constraints.txt").read_bytes())
    packages = Path(__file__).resolve().parents[2]
    for path in sorted(path for package in ("cnncourse", "autograder") for path in (packages / package).rglob("*")):
        # Cells never call what makes the book of them.
        if path.suffix in CODE and not path.is_relative_to(packages / "autograder" / "book"):
            digest.update(str(path.relative_to(packages)).encode() + path.read_bytes())
    for path in sorted((*(root / "exercises").glob("*.py"), *root.glob(FILE))):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def run_all(
    notebooks: Mapping[str, NotebookNode], outputs: Outputs, environment: Mapping[str, str],
    announce: Announce = lambda name, done, total: None,
) -> dict[str, NotebookNode]:
    """Run notebooks, two or more at once where the machine has processors for it.

    Parameters
    ----------
    notebooks : mapping of str to NotebookNode
        By name of the assignment.
    outputs : Outputs
        Each notebook is kept there once it has run, so a run that is interrupted goes on with the others.
    environment : mapping of str to str
        Variables for the kernels, beside those of this process.
    announce : callable, optional
        Called with a name, how many of its cells have run, and how many it has.

    Returns
    -------
    dict of str to NotebookNode
        With outputs, in the order given.

    Raises
    ------
    BuildError
        If a cell raises, or a solution does not pass its check.
    """
    found = {name: outputs.find(notebook) for name, notebook in notebooks.items()}
    missing = [name for name, notebook in found.items() if notebook is None]
    for name, known in found.items():
        if known is not None:
            count = len(_code(known))
            announce(name, count, count)
    fresh = asyncio.run(_run_missing({name: notebooks[name] for name in missing}, outputs, environment, announce))
    return {name: fresh.get(name) or found[name] for name in notebooks}  # type: ignore[misc]


async def _run_missing(
    notebooks: Mapping[str, NotebookNode], outputs: Outputs, environment: Mapping[str, str], announce: Announce
) -> dict[str, NotebookNode]:
    free = asyncio.Semaphore(processors.available())

    async def one(name: str, notebook: NotebookNode) -> tuple[str, NotebookNode]:
        async with free:
            await _run(name, notebook, environment, announce)
            outputs.keep(name, notebook)
            return name, notebook

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(name, notebook)) for name, notebook in notebooks.items()]
    except ExceptionGroup as errors:  # what except* raises is a group again in early releases of Python 3.11
        build = errors.subgroup(BuildError)
        if build is None:
            raise
        raise build.exceptions[0] from None
    return dict(task.result() for task in tasks)


async def _run(name: str, notebook: NotebookNode, environment: Mapping[str, str], announce: Announce) -> None:
    """Run one notebook in a folder of its own, which is gone afterwards."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    total, done = len(_code(notebook)), 0

    def count(cell: NotebookNode, cell_index: int, execute_reply: dict) -> None:
        nonlocal done
        done += 1
        announce(name, done, total)

    def complain(cell: NotebookNode, cell_index: int, execute_reply: dict) -> None:
        content = execute_reply["content"]
        raise BuildError(f"{name}: cell {cell_index} raises {content['ename']}: {content['evalue']}. It begins with: "
                         f"{cell.source.strip().splitlines()[0]}")

    with tempfile.TemporaryDirectory(prefix="course-book-") as folder:
        variables = os.environ | dict(environment) | {STATE_VARIABLE: folder}
        client = NotebookClient(
            notebook, timeout=CELL_SECONDS, kernel_name="python3", resources={"metadata": {"path": folder}},
            record_timing=False, on_cell_executed=count, on_cell_error=complain)
        try:
            # Kernels warn there that they talk over TCP; what cells print goes into their outputs.
            await client.async_execute(env=variables, stderr=subprocess.DEVNULL)
        except CellTimeoutError as error:
            raise BuildError(f"{name}: a cell runs for more than {CELL_SECONDS} s") from error
        except DeadKernelError as error:
            raise BuildError(f"{name}: its kernel died, perhaps for want of memory; run the command again") from error
        _insist_on_passing(name, notebook, Path(folder))


def _insist_on_passing(name: str, notebook: NotebookNode, folder: Path) -> None:
    """Raise unless every check of the notebook has passed."""
    path = folder / "progress.json"
    state = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    checked = {exercise_of(cell) for cell in notebook.cells}
    failed = [exercise for exercise in exercises(name) if exercise in checked
              and state.get(exercise, {}).get("score") != 1]
    if failed:
        raise BuildError(f"{name}: the solution of {', '.join(failed)} does not pass its check")


def _code(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


