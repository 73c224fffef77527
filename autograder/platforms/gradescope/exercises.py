"""What was found out about a submission, exercise by exercise, as Gradescope shows it.

Points stand with each exercise and add up to the score.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_solution, is_task

from autograder.assignment.cells import CHECK_PREFIX, exercise_of
from autograder.cohort.batch import Graded
from autograder.judging.verdict import How, Verdict
from autograder.platforms.gradescope.results import LONGEST, message, plain
from cnncourse.language import say


def results_of(
    graded: Graded, templates: Mapping[str, NotebookNode], visibility: str, seconds: float
) -> dict[str, Any]:
    """The results of a submission that was graded, or of which that failed.

    Parameters
    ----------
    graded : Graded
    templates : mapping of str to NotebookNode
        The instructor's notebooks by name.
    visibility : str
        When students see it.
    seconds : float
        That it took.
    """
    lines = [plain(problem) for problem in graded.problems]
    tests = [test for name, template in templates.items() for test in _tests(graded, name, template)]
    unjudged = [test["name"] for test in tests if test["extra_data"]["how"] == How.NOT_JUDGED]
    if unjudged:
        lines.insert(0, say("Not everything could be judged, which is no fault of yours. Please tell the course staff, "
                            "who can let it be judged again: {names}.", names=", ".join(unjudged)))
    by_hand = sum(points for template in templates.values() for points in _written(template))
    if by_hand:
        lines.append(say("Written answers are read by people; they are worth {points:g} more points.", points=by_hand))
    return message(lines, visibility, tests, seconds, status=graded.status)


def _tests(graded: Graded, notebook: str, template: NotebookNode) -> Iterator[dict[str, Any]]:
    for cell in template.cells:
        exercise = exercise_of(cell)
        if exercise:
            most = float(cell.metadata.nbgrader.points)
            marks = graded.marks.get(notebook)
            points = marks.scores.get(CHECK_PREFIX + exercise, (None, False))[0] if marks else None
            verdict = graded.verdicts.get(exercise) or _none(exercise, most, judged=bool(marks))
            yield {
                "name": exercise, "name_format": "text", "score": points or 0.0, "max_score": most,
                "status": "passed" if verdict.how is How.RIGHT else "failed",
                "output": plain(verdict.message)[:LONGEST], "output_format": "text",
                "extra_data": {"how": str(verdict.how), "misconceptions": list(verdict.misconceptions),
                               "passed": verdict.passed, "cases": verdict.cases},
            }


def _none(exercise: str, most: float, judged: bool) -> Verdict:
    """Of an exercise that could not be judged: its notebook was not there, or the judge failed before it came to it."""
    text = (say("{exercise}: its notebook is not in what was handed in.", exercise=exercise) if judged else
            say("{exercise}: not judged.", exercise=exercise))
    return Verdict(0.0, 0.0, most, not_written=judged, message=text)


def _written(template: NotebookNode) -> Iterator[float]:
    """Points of what people mark."""
    for cell in template.cells:
        if (is_grade(cell) and is_solution(cell)) or is_task(cell):
            yield float(cell.metadata.nbgrader.points)
