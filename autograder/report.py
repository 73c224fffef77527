"""What the class got wrong, as a picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from autograder.cohort import Report
from autograder.tables import count_misconceptions, exercises_of, mark

MOST_MISCONCEPTIONS = 12


def class_figure(assignment: str, reports: Sequence[Report]) -> Figure:
    """Scores as a grid of students and exercises, beside the misconceptions by frequency.

    Parameters
    ----------
    assignment : str
    reports : sequence of Report

    Returns
    -------
    Figure
    """
    names, found = exercises_of(reports), count_misconceptions(reports)[:MOST_MISCONCEPTIONS]
    height = max(3.2, 0.32 * max(len(reports), len(found)) + 2.2)
    figure = Figure(figsize=(13, height), dpi=120, layout="constrained")
    grid, bars = figure.subplots(1, 2, width_ratios=(1.25, 1))
    _draw_scores(grid, names, reports)
    _draw_misconceptions(bars, found)
    figure.suptitle(f"{assignment}: {len(reports)} submissions")
    return figure


def _draw_scores(axes: Axes, names: list[str], reports: Sequence[Report]) -> None:
    shares = np.array([[(report.verdicts.get(name) or {"score": np.nan})["score"] for name in names]
                       for report in reports], dtype=float).reshape(len(reports), len(names))
    axes.imshow(shares, cmap="cividis", vmin=0, vmax=1, aspect="auto")
    for row, report in enumerate(reports):
        for column, name in enumerate(names):
            axes.text(column, row, mark(report.verdicts.get(name)), ha="center", va="center", fontsize=11,
                      color="black" if shares[row, column] > 0.5 else "white")
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right")
    axes.set_yticks(range(len(reports)),
                    [f"{report.student}  {report.score:g}/{report.max_score:g}" for report in reports])
    axes.set_title("✓ right   ½ in part   ✗ wrong   · not written", fontsize=10)


def _draw_misconceptions(axes: Axes, found: list[tuple[str, str, list[str]]]) -> None:
    counts = [len(students) for _, _, students in found]
    axes.barh(range(len(found)), counts, color="#4f6d8f")
    axes.set_yticks(range(len(found)), [f"{name}\n({exercise})" for exercise, name, _ in found], fontsize=9)
    axes.invert_yaxis()
    axes.set_xlabel("students")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_title("Misconceptions", fontsize=10)
    if not found:
        axes.text(0.5, 0.5, "none found", ha="center", transform=axes.transAxes)
