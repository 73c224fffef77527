"""How well and how fast the exercises judge: caught, named, accepted, milliseconds.

    course bench judging
    course bench judging --seeds 50
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from autograder import grade_answers
from autograder.exercise import Exercise, every
from autograder.judge import judge
from autograder.runner import LocalRunner
from tests.answers import RIGHT

HEADERS = ("exercise", "cases", "misconceptions", "caught", "named first", "right accepted", "ms right", "ms wrong")


def row(exercise: Exercise, seeds: int) -> tuple[int, ...]:
    """Counts for one exercise: cases, misconceptions, tries, caught, named, right tries, accepted, microseconds."""
    caught = named = accepted = 0
    for misconception in exercise.misconceptions:
        runner = LocalRunner(exercise.references | {misconception.answer: misconception.wrong})
        for seed in range(seeds):
            result = judge(exercise, runner, seed)
            caught += not result.answer_passed(misconception.answer)
            named += result.misconceptions[:1] == (misconception.name,)
    answers = RIGHT.get(exercise.name, [])
    for answer in answers:
        accepted += sum(grade_answers(exercise.name, answer, seed).passed for seed in range(seeds))
    first = exercise.misconceptions[0]
    wrong = LocalRunner(exercise.references | {first.answer: first.wrong})
    right = LocalRunner(exercise.references)
    tries = len(exercise.misconceptions) * seeds
    return (len(exercise.cases()), len(exercise.misconceptions), tries, caught, named, len(answers) * seeds, accepted,
            median_microseconds(lambda: judge(exercise, right)), median_microseconds(lambda: judge(exercise, wrong)))


def median_microseconds(call: Callable[[], object], times: int = 15) -> int:
    """Median time of a call."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return int(statistics.median(taken) * 1e6)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20, help="draws of inputs for each answer")
    seeds = parser.parse_args().seeds
    console = Console(width=120)
    table = Table(title=f"Judging, {seeds} draws of inputs")
    for header in HEADERS:
        table.add_column(header, justify="left" if header == "exercise" else "right", no_wrap=header == "exercise")
    rows = {exercise.name: row(exercise, seeds) for exercise in track(list(every()), "judging", console=console)}
    for name, counts in (rows | {"all": tuple(map(sum, zip(*rows.values(), strict=True)))}).items():
        cases, mistakes, tries, caught, named, right_tries, accepted, right, wrong = counts
        table.add_row(name, str(cases), str(mistakes), f"{caught}/{tries}", f"{named}/{tries}",
                      f"{accepted}/{right_tries}", f"{right / 1000:.1f}", f"{wrong / 1000:.1f}")
    console.print(table)


if __name__ == "__main__":
    main()
