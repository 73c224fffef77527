"""What a class got right and wrong, in numbers."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from autograder.cohort import Report
from autograder.exercises.contents import exercises, find
from autograder.judging.exercise import Misconception
from autograder.judging.general import GENERAL, GeneralMistake
from autograder.judging.result import explained
from autograder.judging.verdict import How
from autograder.report.summary import count_misconceptions, exercises_of
from cnncourse.language import speaking

BINS = 10


@dataclass
class Mistake:
    """One misconception in one exercise.

    Attributes
    ----------
    exercise, name, explanation : str
        The explanation is what the exercise declares; empty if it declares it no more.
    students : list of str
        Who has it.
    lost : float
        Points that these students lost in the exercise.
    """

    exercise: str
    name: str
    explanation: str
    students: list[str] = field(default_factory=list)
    lost: float = 0.0


@dataclass
class ExerciseNumbers:
    """How one exercise went.

    Attributes
    ----------
    name, title, hint : str
    points : float
        What it is worth.
    outcomes : Counter of How
        Number of students by outcome; all together are those with a verdict.
    lost : float
        Points that the class lost.
    mistakes : list of Mistake
        The most frequent first.
    unexplained : int
        How many are wrong, wholly or in part, and no misconception explains it.
    """

    name: str
    title: str
    hint: str
    points: float
    outcomes: Counter[How]
    lost: float
    mistakes: list[Mistake]
    unexplained: int

    @property
    def students(self) -> int:
        """How many have a verdict."""
        return sum(self.outcomes.values())


@dataclass(frozen=True)
class ClassNumbers:
    """The class as a whole; everything is computed from the reports.

    Parameters
    ----------
    reports : sequence of Report
    seconds : mapping of str to float
        How long grading took, by student.
    """

    reports: Sequence[Report]
    seconds: Mapping[str, float]

    @cached_property
    def graded(self) -> list[Report]:
        """Submissions with verdicts."""
        return [report for report in self.reports if report.verdicts and report.status != "failed"]

    @cached_property
    def failed(self) -> list[Report]:
        """Submissions that could not be graded."""
        return [report for report in self.reports if report.status == "failed"]

    @property
    def waiting(self) -> int:
        """How many are neither graded nor failed."""
        return len(self.reports) - len(self.graded) - len(self.failed)

    @cached_property
    def scores(self) -> list[float]:
        """Points of the graded submissions."""
        return [report.score for report in self.graded]

    @property
    def mean(self) -> float:
        """Mean of the points; 0 without submissions."""
        return statistics.fmean(self.scores) if self.scores else 0.0

    @property
    def median(self) -> float:
        """Median of the points; 0 without submissions."""
        return statistics.median(self.scores) if self.scores else 0.0

    @property
    def max_score(self) -> float:
        """What the assignment is worth."""
        return max((report.max_score for report in self.reports), default=0.0)

    @cached_property
    def all_right(self) -> int:
        """How many passed every exercise; points that a person gives do not count here."""
        return sum(all(verdict.score == 1 for verdict in report.verdicts.values()) for report in self.graded)

    @property
    def median_seconds(self) -> float:
        """Median time that grading took."""
        return statistics.median(self.seconds.values()) if self.seconds else 0.0

    @cached_property
    def histogram(self) -> list[int]:
        """Graded submissions by share of the points, in ten bins; who has everything is in the last."""
        counts = [0] * BINS
        for report in self.graded:
            share = report.score / report.max_score if report.max_score else 0.0
            counts[min(max(int(share * BINS), 0), BINS - 1)] += 1
        return counts

    @cached_property
    def exercises(self) -> list[ExerciseNumbers]:
        """Every exercise in the order of the notebook."""
        declared = exercises()
        made = count_misconceptions(self.graded)
        return [_exercise_numbers(name, self.graded, [one for one in made if one[0] == name])
                for name in exercises_of(self.graded) if name in declared]

    @cached_property
    def to_teach_again(self) -> list[ExerciseNumbers]:
        """Exercises in which points were lost, the most first."""
        return sorted((each for each in self.exercises if each.lost > 0), key=lambda each: -each.lost)

    def slowest(self, number: int) -> list[tuple[str, float]]:
        """Students and seconds, the slowest first."""
        return sorted(self.seconds.items(), key=lambda entry: (-entry[1], entry[0]))[:number]


def outcomes_of(name: str, reports: Sequence[Report]) -> Counter[How]:
    """How often an exercise went how."""
    return Counter(report.verdicts[name].how for report in reports if name in report.verdicts)


def explanation_of(exercise: str, mistake: str) -> str:
    """What is declared about a mistake: by the exercise, or for all of them; empty if it is declared no more."""
    known: tuple[GeneralMistake | Misconception, ...] = (*GENERAL, *find(exercise).misconceptions)
    declared = {one.name: one for one in known}
    with speaking("en"):  # as the rest of the report
        return explained(declared[mistake]) if mistake in declared else ""


def _exercise_numbers(
    name: str, reports: Sequence[Report], made: Sequence[tuple[str, str, list[str]]]
) -> ExerciseNumbers:
    declared = find(name)
    own = {report.student: report.verdicts[name] for report in reports if name in report.verdicts}
    missed = {student: verdict.max_points - verdict.points for student, verdict in own.items()}
    unexplained = sum(verdict.how in (How.WRONG, How.IN_PART) and not verdict.misconceptions
                      for verdict in own.values())
    mistakes = [Mistake(name, mistake, explanation_of(name, mistake), students,
                        sum(missed[student] for student in students)) for _, mistake, students in made]
    return ExerciseNumbers(name, declared.title, declared.hints[0], declared.points, outcomes_of(name, reports),
                           sum(missed.values()), mistakes, unexplained)
