"""How many submissions a second, beside nbgrader's own two commands, and how that changes with the size of the class.

    course bench throughput                          100 submissions each way, then 1,000 here
    course bench throughput --sizes 100 1000 10000   larger classes here; nbgrader still gets 100
    course bench throughput --nbgrader 10            fewer for nbgrader, which takes about ten seconds for each
    course bench throughput --nbgrader 0 --short 0   leave nbgrader out

The class is fabricated: six of ten students have everything right, three have one mistake, one handed in the stub, and
every answer differs from every other student's. nbgrader is given the same notebooks, whose check cells raise what they
find; and once more, with --short, notebooks of one exercise with one assertion, its fastest case. Marks, autograded
notebooks and feedback pages are written on both sides.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil
from nbformat import NotebookNode, from_dict
from nbgrader.api import Gradebook
from rich.console import Console
from rich.table import Table

from autograder.assignment.cells import is_answer
from bench.grading import PlainClassroom
from tests.classroom import ASSIGNMENT, Classroom

ROOT = Path(__file__).resolve().parent.parent
MISTAKES = (
    {"zero_pad": "def zero_pad(x, padding):\n    return np.pad(x, padding)\n"},
    {"output_size": "def output_size(input_size, kernel_size, stride, padding):\n"
                    "    return (input_size - kernel_size + padding) // stride + 1\n"},
    {"conv1x1": "def conv1x1(x, weight, bias):\n    return np.einsum('nchw,oc->nohw', x, weight[:, :, 0, 0])\n"},
)
SAMPLE_SECONDS = 2.0
"""Adding up the memory of processes takes a fiftieth of a second of one processor."""
CHECK = re.compile(r"check\(([^,]+), (.+)\)")


def fabricate(classroom: Classroom, count: int) -> None:
    """Hand in for so many students; what is there already stays."""
    for number in range(count):
        student = f"student{number:06d}"
        if classroom.path("submitted", student).exists():
            continue
        kind = number % 10
        changes = {} if kind < 6 else MISTAKES[kind - 6] if kind < 9 else None
        notebook = classroom.stub if changes is None else classroom.solved(**changes)
        cells = [{**cell, "source": f"# {student}\n{''.join(cell['source'])}"} if is_code_answer(cell) else cell
                 for cell in notebook["cells"]]
        classroom.hand_in(student, notebook | {"cells": cells})


def is_code_answer(cell: dict[str, Any]) -> bool:
    """Whether students write code in a cell of a notebook."""
    return cell["cell_type"] == "code" and is_answer(NotebookNode(metadata=from_dict(cell["metadata"])))


def run_here(classroom: Classroom, options: list[str]) -> tuple[float, float]:
    """Grade everything with the real command; its seconds, and the most memory in MiB that its processes had."""
    began = time.perf_counter()
    process = psutil.Popen([sys.executable, "-m", "autograder.cli", "grade", ASSIGNMENT, "--course",
                            str(classroom.folder), *options], stdout=subprocess.DEVNULL)
    most = [0.0]
    watch = threading.Thread(target=_watch, args=(process, most), daemon=True)
    watch.start()
    if process.wait():
        raise SystemExit(f"course grade ended with {process.returncode}")
    return time.perf_counter() - began, most[0]


def _watch(process: psutil.Popen, most: list[float]) -> None:
    """The proportional share of memory: pages that processes have in common count once."""
    while process.is_running():
        total = 0.0
        try:
            for one in [process, *process.children(recursive=True)]:
                try:
                    total += one.memory_full_info().pss
                except psutil.Error:
                    continue
        except psutil.Error:
            return
        most[0] = max(most[0], total / (1 << 20))
        time.sleep(SAMPLE_SECONDS)


class SameNotebooks(PlainClassroom):
    """The whole assignment under nbgrader as it comes: it marks the same check cells, which raise where they fail."""

    def adapt(self, notebook: dict[str, Any]) -> None:
        """Have the check cells raise."""
        for cell in notebook["cells"]:
            text = "".join(cell["source"])
            if cell["metadata"].get("nbgrader", {}).get("grade") and (call := CHECK.fullmatch(text)):
                cell["source"] = (f"from autograder import grade_answers\n"
                                  f"assert grade_answers({call[1]}, [{call[2]}]).passed")

    def hand_in_copy(self, ours: Classroom, student: str) -> None:
        """Hand in the file that was handed in here."""
        path = ours.path("submitted", student)
        target = self.folder / path.relative_to(ours.folder)
        target.parent.mkdir(parents=True)
        shutil.copy(path, target)

    def marks(self) -> list[float]:
        """What the students got, so that nobody measures a command that has failed."""
        with Gradebook(f"sqlite:///{self.folder / 'gradebook.db'}") as gradebook:
            return sorted(submission.score for submission in gradebook.assignment_submissions(ASSIGNMENT))


def compare(console: Console, what: str, plain: PlainClassroom, count: int, ours: float) -> None:
    """Grade what was handed in with nbgrader and print how many times longer it took than `ours`, in seconds each."""
    each = run_nbgrader(plain) / count
    console.print(f"nbgrader autograde and generate_feedback, {count} {what}: {count * each:.1f} s, {each:.2f} s each; "
                  f"here {each / ours:.0f} times the throughput, start included")


def run_nbgrader(plain: PlainClassroom) -> float:
    """Grade everything with nbgrader's two commands; their seconds."""
    return plain.run("autograde", ASSIGNMENT, "--force") + plain.run("generate_feedback", ASSIGNMENT, "--force")


def clear(classroom: Classroom) -> None:
    """Forget what was graded, so that the next run does all of it."""
    subprocess.run(["rm", "-rf", classroom.folder / "autograded", classroom.folder / "feedback"], check=True)


def main() -> None:
    """Parse the options and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1000], metavar="N")
    parser.add_argument("--repeats", type=int, default=3, help="runs of the smallest size")
    parser.add_argument("--nbgrader", type=int, default=100, metavar="N", help="submissions that nbgrader gets")
    parser.add_argument("--short", type=int, default=100, metavar="N", help="short ones that nbgrader gets")
    parser.add_argument("--options", default="", help="further options of course grade, in quotes")
    options = parser.parse_args()
    console = Console()
    further = ["--force", *options.options.split()]
    with tempfile.TemporaryDirectory(prefix="bench-throughput-") as folder:
        classroom = Classroom(ROOT, Path(folder, "ours"))
        table = Table(title="course grade, two processes, all exercises of assignment 01")
        for header in ("submissions", "seconds", "a second", "ms each", "memory, MiB"):
            table.add_column(header, justify="right")
        medians: dict[int, float] = {}
        for size in sorted(options.sizes):
            fabricate(classroom, size)
            runs = []
            for _ in range(options.repeats if size == min(options.sizes) else 1):
                clear(classroom)
                seconds, memory = run_here(classroom, further)
                runs.append(seconds)
                table.add_row(f"{size:,}", f"{seconds:.1f}", f"{size / seconds:.1f}", f"{1000 * seconds / size:.1f}",
                              f"{memory:.0f}")
                console.print(f"{size:,}: {seconds:.1f} s")
            medians[size] = statistics.median(runs)
        console.print(table)
        sizes = sorted(medians)
        for small, large in itertools.pairwise(sizes):
            margin = (medians[large] - medians[small]) / (large - small)
            console.print(f"at the margin from {small:,} to {large:,}: {1000 * margin:.1f} ms a submission; "
                          f"1,000,000 would take {margin * 1e6 / 3600:.1f} h on this machine")
        each = medians[sizes[0]] / sizes[0]
        students = [f"student{number:06d}" for number in range(sizes[0])]
        if options.nbgrader:
            same = SameNotebooks(classroom, Path(folder, "same"))
            for student in students[:options.nbgrader]:
                same.hand_in_copy(classroom, student)
            compare(console, "of the same notebooks", same, min(options.nbgrader, sizes[0]), each)
            console.print(f"marks of nbgrader: from {same.marks()[0]:g} to {same.marks()[-1]:g}")
        if options.short:
            plain = PlainClassroom(classroom, Path(folder, "plain"))
            for student in students[:options.short]:
                plain.hand_in_answers(student, json.loads(classroom.path("submitted", student).read_text()))
            compare(console, "notebooks of one exercise", plain, min(options.short, sizes[0]), each)


if __name__ == "__main__":
    main()
