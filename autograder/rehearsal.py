"""A rehearsal of grading: the saved notebook is read and run as grading will do it, and what comes of it is shown.

Grading draws other inputs than any check, from a secret; so does a rehearsal, from nothing that anybody knows.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from traitlets.utils.bunch import Bunch

from autograder.assignment.cells import exercise_of, grade_id, source_of
from autograder.checking import ran
from autograder.checking.check import VALIDATING, Status, display_or_print
from autograder.checking.own_file import own_file
from autograder.checking.progress import by_exercise
from autograder.classroom import submission as submissions
from autograder.errors import AutograderError, RehearsalError, SandboxUnavailableError
from autograder.exercises.contents import HANDED_OUT, find, taught
from autograder.judging.judge import judge, make_ready
from autograder.judging.verdict import How, Verdict
from autograder.sandbox.isolation import Limits, choose
from autograder.sandbox.session import SandboxRunner
from autograder.syllabus import NOTEBOOKS
from cnncourse.language import mark, say

HEADERS = (mark("exercise"), mark("would give"), mark("why"))
Announce = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Rehearsed:
    """What grading would make of one exercise.

    Attributes
    ----------
    name : str
    verdict : Verdict
    checked : bool
        Whether the last check of it passed.
    """

    name: str
    verdict: Verdict
    checked: bool

    @property
    def why(self) -> str:
        """What the student should know, one line or more; empty where all is well."""
        if self.verdict.how is How.RIGHT:
            return ""
        if self.verdict.how is How.NOT_WRITTEN:
            return say("not yet written")
        told = self.verdict.message.partition("\n")[2].strip() or self.verdict.message
        return say("Your last check passed, and grading would not:") + "\n" + told if self.checked else told


class RehearsalReport:
    """What grading would give for a notebook; displays itself.

    Parameters
    ----------
    path : Path
    exercises : iterable of Rehearsed
    notes : iterable of str
    isolated : str
        How it was isolated; empty if it was not.
    """

    def __init__(self, path: Path, exercises: Iterable[Rehearsed], notes: Iterable[str], isolated: str) -> None:
        self.path = path
        self.exercises = tuple(exercises)
        self.notes = tuple(notes)
        self.isolated = isolated

    @property
    def points(self) -> tuple[float, float]:
        """Points that grading would give, and how many there are for code."""
        verdicts = [one.verdict for one in self.exercises]
        return sum(verdict.points for verdict in verdicts), sum(verdict.max_points for verdict in verdicts)

    @property
    def headline(self) -> str:
        """The sum, in a sentence."""
        earned, possible = self.points
        return say("{notebook} as it is saved: grading would give {earned:g} of {possible:g} points for code.",
                   notebook=self.path.name, earned=earned, possible=possible)

    @property
    def footnote(self) -> str:
        """What a rehearsal is not."""
        where = (say("It ran in a sandbox, as it will.") if self.isolated else
                 say("There is no sandbox on this machine: it ran in a process of its own, with the modules that "
                     "grading has."))
        return where + " " + say("Grading draws other inputs; written answers are read by people.")

    @property
    def rows(self) -> list[tuple[str, str, str]]:
        """Exercise, points, and why."""
        return [(f"{one.verdict.how.sign} {one.name}",
                 say("{earned:g} of {possible:g}", earned=one.verdict.points, possible=one.verdict.max_points), one.why)
                for one in self.exercises]

    def __repr__(self) -> str:
        lines = [self.headline, *(f"! {note}" for note in self.notes)]
        width = max((len(name) for name, _, _ in self.rows), default=0)
        for name, points, why in self.rows:
            lines.append(f"{name.ljust(width)}  {points}")
            lines += [f"    {line}" for line in why.splitlines()]
        return "\n".join([*lines, self.footnote])

    def _repr_html_(self) -> str:
        from autograder.showing.templating import template

        return template("rehearsal.html.j2").render(report=self, headers=[say(header) for header in HEADERS])


def rehearse(notebook: str | Path | None = None) -> None:
    """Show what grading would give for your notebook as it is saved; returns nothing.

    Parameters
    ----------
    notebook : str or Path, optional
        The file; by default the notebook in which this is called.
    """
    if os.environ.get(VALIDATING) == "1":  # Validate looks at the checks, and runs a copy
        return
    status = Status()

    def announce(name: str, done: int, total: int) -> None:
        status.show(say("rehearsing {exercise} ({done} of {total}) ...", exercise=name, done=done + 1, total=total))

    try:
        with contextlib.ExitStack() as stack:
            path = Path(notebook) if notebook is not None else stack.enter_context(_own_notebook())
            report = rehearsal(path, announce, unsaved=notebook is None)
    except AutograderError as error:
        print(say("This rehearsal could not run. {problem}", problem=error))
        return
    except KeyboardInterrupt:
        print(say("The rehearsal was interrupted."))
        return
    finally:
        status.clear()
    display_or_print(report)


def rehearsal(path: Path, announce: Announce = lambda name, done, total: None, *, unsaved: bool = False
              ) -> RehearsalReport:
    """Read and run a saved notebook as grading does.

    Parameters
    ----------
    path : Path
    announce : callable, optional
        Called with each exercise, how many are done, and how many there are.
    unsaved : bool, optional
        Whether this is the notebook of this kernel, so that what ran here should be in it.

    Raises
    ------
    RehearsalError
        If there is no such file, or it is none of the course's notebooks.
    """
    if not path.is_file():
        raise RehearsalError(say("There is no file {path}.", path=path))
    template = handed_out(path)
    submission = submissions.read(path, template)
    names = [name for cell in template.cells if (name := exercise_of(cell))]
    for name in names:
        make_ready(find(name))  # or the notebook's time would pass while we compile
    syllabus = taught().syllabus
    partial = syllabus is not None and syllabus.policy.partial_credit
    notes = [*submission.problems, *(_newer(path, submission) if unsaved else ())]
    known = by_exercise()
    found = []
    try:
        choose()
        trusted = False
    except SandboxUnavailableError:
        trusted = True
    with SandboxRunner([*submissions.setup_cells(template), *submission.cells], Limits(),
                       answers=submissions.asked_for(template), trusted=trusted, bare=trusted) as runner:
        for number, name in enumerate(names):
            announce(name, number, len(names))
            verdict = Verdict.of(judge(find(name), runner, secrets.randbits(63)), partial_credit=partial)
            found.append(Rehearsed(name, verdict, name in known and known[name].done))
        notes += [f"{cell}: {problem}" for cell, problem in runner.problems.items()]
        isolated = "" if trusted else runner.isolated
    return RehearsalReport(path, found, dict.fromkeys(notes), isolated)


def handed_out(path: Path) -> Any:
    """The notebook as it was handed out, see `nearest`."""
    return _template(nearest(path))


def nearest(path: Path, among: Iterable[Path] | None = None) -> Path:
    """Of all notebooks that were handed out the one that most cells of a file are from.

    Parameters
    ----------
    path : Path
    among : iterable of Path, optional
        By default the notebooks of this installation.

    Raises
    ------
    RehearsalError
        If no cell is of any.
    """
    own = _cells(path)
    names, sources = {grade_id(cell) for cell in own} - {""}, {source_of(cell).strip() for cell in own}
    best, most = None, (0, 0)
    for candidate in _all_handed_out() if among is None else among:
        cells = _cells(candidate)
        common = (len(names & ({grade_id(cell) for cell in cells} - {""})),
                  len(sources & ({source_of(cell).strip() for cell in cells} - {""})))
        if common > most:
            best, most = candidate, common
    if best is None:
        raise RehearsalError(say("{path} is none of this course's notebooks.", path=path.name))
    return best


def _all_handed_out() -> Iterator[Path]:
    syllabus = taught().syllabus
    places = [HANDED_OUT / NOTEBOOKS, Path(__file__).resolve().parents[1] / NOTEBOOKS]
    if syllabus is not None:
        places.insert(0, syllabus.root / NOTEBOOKS)
    for place in places:
        yield from sorted(place.rglob("*.ipynb"))


def _cells(path: Path) -> list[dict[str, Any]]:
    cells, _ = submissions.load(path)
    return cells or []


def _template(path: Path) -> Any:
    """A notebook of ours, read without nbformat, which students' packages do not have."""
    notebook = json.loads(path.read_text(encoding="utf-8"), object_hook=Bunch)
    for cell in notebook.cells:
        cell.source = source_of(cell)
    return notebook


def _newer(path: Path, submission: submissions.Submission) -> Iterator[str]:
    """What has run in this kernel and is otherwise in the file."""
    saved = {source_of(cell).strip() for cell in _cells(path)}
    for name in submission.answers:
        source = ran.last_definition(name)
        if source is not None and source.strip() not in saved:
            yield say("You have run another {name} than the one that is saved. Save the notebook, then rehearse again.",
                      name=name)


@contextlib.contextmanager
def _own_notebook() -> Iterator[Path]:
    """The file of the notebook in which this runs.

    Raises
    ------
    RehearsalError
        If that cannot be found out.
    """
    if path := own_file():
        yield path
        return
    if "google.colab" in sys.modules:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "notebook.ipynb")
            path.write_text(json.dumps(_from_colab()), encoding="utf-8")
            yield path
            return
    ours = [path for path in sorted(ran.FOLDER.glob("*.ipynb")) if _is_ours(path)]
    if len(ours) == 1:
        yield ours[0]
        return
    raise RehearsalError(say('The file of this notebook was not found. Save it, and give its name: '
                             'rehearse("my-notebook.ipynb").'))


def _is_ours(path: Path) -> bool:
    try:
        handed_out(path)
    except RehearsalError:
        return False
    return True


def _from_colab() -> Any:
    """The notebook as Colab shows it; there is no file beside the kernel."""
    from google.colab import _message  # type: ignore[import-not-found]

    try:
        return _message.blocking_request("get_ipynb", timeout_sec=30)["ipynb"]
    except Exception as error:
        raise RehearsalError(say("Colab did not hand out this notebook. Download it, and run: course rehearse "
                                 "FILE.ipynb")) from error
