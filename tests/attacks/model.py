"""What an attack is, and the pieces from which attacks are put together.

An attack edits a solved notebook, a plain dictionary as it lies in the file, and may lay files beside it. It is
declared once: the tests grade all of them in one class, and `course bench grading` shows plain nbgrader beside that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Notebook = dict[str, Any]

EXERCISE = "conv2d_forward"
"""The exercise that is answered wrongly, unless an attack says otherwise."""

NONE = dict.fromkeys(("output_size", "receptive_field_slice", "zero_pad", "conv2d_forward", "conv2d_matmul", "conv1x1",
                      "dilated_conv2d", "settings_that_fit"), 0.0)
"""What is earned if nothing can be used."""

HEADER = f"def {EXERCISE}(x, weight, bias, stride, padding):\n"
ZEROS = "np.zeros((1, 1, 1, 1))"
WRONG = f"{HEADER}    return {ZEROS}\n"
WRITTEN = "explain-full-depth"
"""The question that a person marks."""

TOKEN = "canary-"
"""What secrets begin with that are laid out for thieves; an attack knows this and not the rest."""


@dataclass(frozen=True)
class Target:
    """What attackers know of the machine on which they are graded: more than a student could.

    Attributes
    ----------
    course, home, packages : Path
        The course directory, the home folder of who grades, and where Python packages are installed.
    victim : str
        Another student.
    port, datagram_port : int
        Where something listens on this machine, for connections and for packets.
    socket : str
        The name of an abstract socket on which something listens.
    """

    course: Path
    home: Path
    packages: Path
    victim: str
    port: int
    datagram_port: int
    socket: str


@dataclass(frozen=True)
class Attack:
    """One way to harm whoever grades.

    Attributes
    ----------
    name : str
        In words, for the table.
    kind : str
        forging, values, structure, borrowing, stealing, tampering, denial, neighbors, folders or reader.
    edit : callable
        Changes the solved notebook; it also writes the wrong answer, if there is one. It may return bytes that are
        handed in instead of the notebook, or None.
    points : mapping of str to float
        What the exercises earn that do not earn everything. Empty means that all answers are right and nothing
        may be lost by it.
    files : mapping of str to str
        Names and contents of further files.
    lay : callable or None
        Does other things to the folder that was handed in, after everything else.
    told : str
        Regular expression that must be found in what the instructor reads of this student: problems, the notes in
        the terminal, or the messages of the verdicts.
    status : str
        What the command says of the submission.
    unread : bool
        That nothing of the submission can be used: every exercise earns nothing, or has no mark at all.
    student : str
        Name of the student's folder, where that is the attack.
    before : callable or None
        An edit that is handed in, and graded, first.
    harms_itself : bool
        That it may cost its author further points, more or less of them by chance.
    by_hand : bool
        The points at stake are the hand-marked question's.
    not_plain : str
        Why plain nbgrader is not exposed to it in the benchmark; empty if it is.
    """

    name: str
    kind: str
    edit: Callable[[Notebook, Target], bytes | None]
    points: Mapping[str, float] = field(default_factory=lambda: {EXERCISE: 0.0})
    files: Mapping[str, str] = field(default_factory=dict)
    lay: Callable[[Path, Target], None] | None = None
    told: str = f"{EXERCISE}: \\d+ of \\d+ cases pass"
    status: str = "graded"
    unread: bool = False
    student: str = ""
    before: Callable[[Notebook, Target], bytes | None] | None = None
    harms_itself: bool = False
    by_hand: bool = False
    not_plain: str = ""

    @property
    def identifier(self) -> str:
        """Name of the student who tries it."""
        return self.student or f"{self.kind}-" + re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")


def cell(notebook: Notebook, grade_id: str) -> dict[str, Any]:
    """The cell of that name."""
    return next(c for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == grade_id)


def nothing(notebook: Notebook, target: Target) -> None:
    """Leave everything as it is."""


def wrong(notebook: Notebook, target: Target) -> None:
    """Write the wrong answer and nothing else."""
    cell(notebook, EXERCISE)["source"] = WRONG


def source(text: str) -> Callable[[Notebook, Target], None]:
    """Put a text into the answer cell, with what is known of the machine written into it.

    Parameters
    ----------
    text : str
        `<course>`, `<home>`, `<packages>`, `<victim>`, `<port>`, `<datagram_port>`, `<socket>` are replaced.
    """
    def edit(notebook: Notebook, target: Target) -> None:
        cell(notebook, EXERCISE)["source"] = filled(text, target)
    return edit


def below(text: str) -> Callable[[Notebook, Target], None]:
    """The wrong answer, and a text below it."""
    return source(WRONG + text)


def body(text: str) -> Callable[[Notebook, Target], None]:
    """A function that is called as the answer is, with this body; an unindented text."""
    return source(HEADER + "".join(f"    {line}\n" for line in text.strip("\n").splitlines()))


def own_cell(text: str, *edits: Callable[[Notebook, Target], Any]) -> Callable[[Notebook, Target], None]:
    """The wrong answer, and a code cell of the student's own at the top."""
    def edit(notebook: Notebook, target: Target) -> None:
        wrong(notebook, target)
        for further in edits:
            further(notebook, target)
        notebook["cells"].insert(0, {"cell_type": "code", "id": "own", "metadata": {}, "outputs": [],
                                     "execution_count": None, "source": filled(text, target)})
    return edit


def writing(text: str) -> Callable[[Notebook, Target], None]:
    """Answer the question that a person marks; everything else is right."""
    def edit(notebook: Notebook, target: Target) -> None:
        cell(notebook, WRITTEN)["source"] = filled(text, target)
    return edit


def filled(text: str, target: Target) -> str:
    """The text with what is known of the machine in it."""
    for name in ("course", "home", "packages", "victim", "port", "datagram_port", "socket"):
        text = text.replace(f"<{name}>", str(getattr(target, name)))
    return text
