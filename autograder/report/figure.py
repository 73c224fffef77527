"""What the class got wrong, as one picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from autograder.cohort import Report
from autograder.judging.verdict import How
from autograder.report.numbers import outcomes_of
from autograder.report.summary import count_misconceptions, exercises_of

MOST_MISCONCEPTIONS = 12
MOST_ROWS = 40
"""A larger class is drawn by exercise: nobody reads a thousand lines in a picture."""

OUTCOME_STYLES = {"right": ("#1f6f8b", ""), "in part": ("#a9d0de", "//"), "wrong": ("#b5502b", ""),
                  "did not finish": ("#e5b08f", "xx"), "not written": ("#d5d5d5", ".."),
                  "not judged": ("#ffffff", "++")}
"""Color and hatching, so that each is told from its neighbors without color."""


def class_figure(assignment: str, reports: Sequence[Report]) -> Figure:
    """Scores as a grid of students and exercises, beside the misconceptions by frequency.

    Of a class with more than `MOST_ROWS` submissions, bars say how each exercise went.

    Parameters
    ----------
    assignment : str
    reports : sequence of Report

    Returns
    -------
    Figure
    """
    names, found = exercises_of(reports), count_misconceptions(reports)[:MOST_MISCONCEPTIONS]
    rows = len(reports) if len(reports) <= MOST_ROWS else len(names)
    height = max(3.2, 0.32 * max(rows, len(found)) + 2.2)
    figure = Figure(figsize=(13, height), dpi=120, layout="constrained")
    grid, bars = figure.subplots(1, 2, width_ratios=(1.25, 1))
    if len(reports) <= MOST_ROWS:
        _draw_scores(grid, names, reports)
    else:
        _draw_outcomes(grid, names, reports)
    _draw_misconceptions(bars, found)
    figure.suptitle(f"{assignment}: {len(reports):,} submissions")
    return figure


def _draw_scores(axes: Axes, names: list[str], reports: Sequence[Report]) -> None:
    shares = np.array([[report.verdicts[name].score if name in report.verdicts else np.nan for name in names]
                       for report in reports], dtype=float).reshape(len(reports), len(names))
    axes.imshow(shares, cmap="cividis", vmin=0, vmax=1, aspect="auto")
    for row, report in enumerate(reports):
        for column, name in enumerate(names):
            axes.text(column, row, report.sign(name), ha="center", va="center", fontsize=11,
                      color="black" if shares[row, column] > 0.5 else "white")
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right")
    axes.set_yticks(range(len(reports)),
                    [f"{report.student}  {report.score:g}/{report.max_score:g}" for report in reports])
    axes.set_title("✓ right   ½ in part   ✗ wrong   · not written", fontsize=10)


def _draw_outcomes(axes: Axes, names: list[str], reports: Sequence[Report]) -> None:
    counts = [outcomes_of(name, reports) for name in names]
    left = np.zeros(len(names))
    for outcome in How:
        widths = np.array([count[outcome] for count in counts], dtype=float)
        color, hatch = OUTCOME_STYLES[outcome]
        axes.barh(range(len(names)), widths, left=left, color=color, hatch=hatch, edgecolor="white", label=outcome)
        left += widths
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel("students")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=len(How), fontsize=9, frameon=False)
    axes.set_title("How each exercise went", fontsize=10)


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
