"""The same submission in each way to isolate, one after the other in one run: milliseconds, and memory of a sandbox.

    course bench isolation                 the solutions of assignment 01, 60 times in each way
    course bench isolation --times 200

A submission is its cells and all calls of all answers, without judging what comes back. The ways take turns, so that
whatever else the machine does is the same for all; the ratio is the median of each turn's own.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import nbformat
import psutil
from rich.console import Console
from rich.table import Table

from autograder.assignment.cells import exercise_of
from autograder.classroom.verdicts import sandbox_cells
from autograder.exercises.contents import find
from autograder.sandbox import isolation, lending
from autograder.sandbox.isolation import Limits
from autograder.sandbox.session import Cell, SandboxRunner
from tests.classroom import Classroom

ROOT = Path(__file__).resolve().parent.parent
WARM_UP = 5


def submission() -> tuple[list[Cell], list[tuple[str, list[tuple]]]]:
    """The cells of the solved notebook, and the calls of its answers: by answer, what they are called with."""
    with tempfile.TemporaryDirectory() as folder:
        notebook = Classroom(ROOT, Path(folder) / "course").solved()
    solved = nbformat.reads(json.dumps(notebook), as_version=4)
    calls: dict[str, list[tuple]] = {}
    for cell in solved.cells:
        if name := exercise_of(cell):
            for case in find(name).cases(0):
                calls.setdefault(case.answer, []).append(case.arguments)
    return sandbox_cells(solved), list(calls.items())


def run(way: str, cells: list[Cell], calls: list[tuple[str, list[tuple]]]) -> float:
    """Milliseconds of one submission."""
    began = time.perf_counter()
    with SandboxRunner(cells, Limits(), sandbox=way) as runner:
        for answer, arguments in calls:
            kinds = {outcome.ending for outcome in runner.calls(answer, arguments)}
            assert kinds == {"value"}, (answer, kinds)
    return 1000 * (time.perf_counter() - began)


def start(way: str) -> tuple[float, float]:
    """Milliseconds until a new sandbox has answered, and MiB of all its processes."""
    lending.end_idle()
    began = time.perf_counter()
    sandbox = lending.Sandbox(Limits(), isolation.WAYS[way])
    tenant = sandbox.lend()
    assert tenant is not None
    lending.greeted(tenant)
    milliseconds = 1000 * (time.perf_counter() - began)
    first = psutil.Process(sandbox._started.process.pid)
    family = [first, *first.children(recursive=True)]
    memory = sum(process.memory_full_info().pss for process in family) / 2**20
    tenant.end()
    lending.end_idle()
    return milliseconds, memory


def main() -> None:
    """Measure and show."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=60, help="how often each way is measured")
    times = parser.parse_args().times
    console = Console()
    ways = [name for name in isolation.WAYS if not isolation.why_not(name)]
    cells, calls = submission()
    turns = [{way: run(way, cells, calls) for way in ways} for _ in range(times + WARM_UP)][WARM_UP:]
    table = Table("way", "ms a submission", "relative to the first", "ms to start", "MiB")
    for way in ways:
        own = statistics.median(turn[way] for turn in turns)
        ratio = statistics.median(turn[way] / turn[ways[0]] for turn in turns)
        started = [start(way) for _ in range(5)]
        table.add_row(way, f"{own:.1f}", f"{ratio:.2f}", f"{statistics.median(s for s, _ in started):.0f}",
                      f"{statistics.median(m for _, m in started):.0f}")
    console.print(table)


if __name__ == "__main__":
    main()
