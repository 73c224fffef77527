"""How well and how fast the exercises judge: caught, named, accepted, milliseconds.

    course bench judging
    course bench judging --notebook 03-pooling --seeds 50
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass
from functools import reduce
from operator import add
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from autograder import grade_answers
from autograder.exercises.contents import every
from autograder.judging.exercise import Exercise
from autograder.judging.judge import judge
from autograder.judging.local import LocalRunner
from tests.answers import MUTATIONS, RIGHT

HEADERS = ("exercise", "cases", "mistakes", "in forms", "caught", "named first", "edited, caught", "pairs caught",
           "right accepted", "ms right", "ms wrong")


@dataclass
class Row:
    """Counts for one exercise, or sums of them; each pair is (how many, of how many)."""

    cases: int
    mistakes: int
    forms: int
    caught: tuple[int, int]
    named: tuple[int, int]
    edited: tuple[int, int]
    pairs: tuple[int, int]
    accepted: tuple[int, int]
    right_seconds: float
    wrong_seconds: float

    def __add__(self, other: Row) -> Row:
        return Row(*(tuple(map(sum, zip(a, b, strict=True))) if isinstance(a, tuple) else a + b
                     for a, b in zip(astuple(self), astuple(other), strict=True)))

    def texts(self) -> list[str]:
        """The cells of the table."""
        shares = [f"{found}/{tries}" for found, tries in (self.caught, self.named, self.edited, self.pairs,
                                                          self.accepted)]
        return [str(self.cases), str(self.mistakes), str(self.forms), *shares, f"{self.right_seconds * 1e3:.1f}",
                f"{self.wrong_seconds * 1e3:.1f}"]


def row(exercise: Exercise, seeds: int) -> Row:
    """Judge every known mistake, edited answer and right answer with many draws of inputs."""
    def tried(answers: Iterable[Any]) -> tuple[int, int]:
        passed = [grade_answers(exercise.name, answer, seed).passed for answer in answers for seed in range(seeds)]
        return sum(passed), len(passed)

    def failed(answers: Iterable[Any]) -> tuple[int, int]:
        passed, tries = tried(answers)
        return tries - passed, tries

    results = [(judge(exercise, LocalRunner(exercise.references | {m.answer: form}), seed), m)
               for m in exercise.misconceptions for form in m.forms for seed in range(seeds)]
    mutations = [m for m in MUTATIONS if m.exercise == exercise.name]
    first = exercise.misconceptions[0]
    wrong = LocalRunner(exercise.references | {first.answer: first.wrong})
    right = LocalRunner(exercise.references)
    return Row(
        len(exercise.cases()), len(exercise.misconceptions), sum(len(m.forms) for m in exercise.misconceptions),
        (sum(not result.answer_passed(m.answer) for result, m in results), len(results)),
        (sum(result.misconceptions[:1] == (m.name,) for result, m in results), len(results)),
        failed(m.functions(edit) for m in mutations for edit in m.edits),
        failed(m.functions(*pair) for m in mutations for pair in m.pairs()),
        tried(RIGHT.get(exercise.name, [])),
        median_seconds(lambda: judge(exercise, right)), median_seconds(lambda: judge(exercise, wrong)))


def median_seconds(call: Callable[[], object], times: int = 15) -> float:
    """Median time of a call."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20, help="draws of inputs for each answer")
    parser.add_argument("--notebook", help="only this assignment, such as 03-pooling")
    options = parser.parse_args()
    console = Console(width=160)
    exercises = list(every(options.notebook))
    rows = {e.name: row(e, options.seeds) for e in track(exercises, "judging", console=console)}
    table = Table(title=f"Judging, {options.seeds} draws of inputs")
    for header in HEADERS:
        table.add_column(header, justify="left" if header == "exercise" else "right", no_wrap=header == "exercise")
    for notebook, group in itertools.groupby(exercises, key=lambda e: e.notebook):
        own = [exercise.name for exercise in group]
        for name in own:
            table.add_row(name, *rows[name].texts())
        table.add_row(f"{notebook}: {len(own)}", *reduce(add, map(rows.__getitem__, own)).texts(), style="bold",
                      end_section=True)
    table.add_row(f"all: {len(rows)}", *reduce(add, rows.values()).texts(), style="bold")
    console.print(table)


if __name__ == "__main__":
    main()
