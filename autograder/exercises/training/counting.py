"""How good is it, and what does it take for what?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.exercises.making import in_answer
from autograder.exercises.training import common
from autograder.exercises.training.common import NOTEBOOK, Array
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse.training import confusion_matrix

ACCURACY, COUNTS = "accuracy", "confusion_counts"


def share(scores: Array, labels: Array) -> float:
    """Share of the rows whose largest entry is the label's."""
    return float(np.mean(scores.argmax(axis=1) == labels))


def per_class(scores: Array, labels: Array) -> float:
    """Mean of the classes' own accuracies."""
    right = scores.argmax(axis=1) == labels
    return float(np.mean([right[labels == label].mean() for label in np.unique(labels)]))


def counted_once(labels: Array, predictions: Array, classes: int) -> Array:
    """What `counts[labels, predictions] += 1` does."""
    counts = np.zeros((classes, classes), int)
    counts[labels, predictions] += 1
    return counts


def present_only(labels: Array, predictions: Array, classes: int) -> Array:
    """A row for each class that occurs."""
    found = np.unique([labels, predictions])
    return confusion_matrix(labels, predictions, classes)[np.ix_(found, found)]


@exercise("digit_report", notebook=NOTEBOOK, points=3, answers=(ACCURACY, COUNTS))
class DigitReport:
    """The share of right answers, and a table of what was taken for what.

    accuracy gets scores of shape (N, K) and the N right classes; it returns the share of samples, 0 to 1, whose
    largest score is that of their class. confusion_counts gets the right classes, the predicted ones and the number of
    classes; it returns an array of shape (classes, classes) whose entry (i, j) counts the samples of class i that were
    taken for class j.
    """

    def accuracy(scores, labels):
        return share(scores, labels)

    def confusion_counts(labels, predictions, classes):
        return confusion_matrix(labels, predictions, classes)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def drawn(samples: int, classes: int, wrong: int, lead: float = 3.0) -> tuple[Array, Array]:
            """Scores whose largest is the label's for all samples but some."""
            labels = rng.integers(0, classes, samples)
            winners = labels.copy()
            winners[:wrong] = (labels[:wrong] + rng.integers(1, classes, wrong)) % classes
            scores = lead / 3 * rng.uniform(-1, 1, (samples, classes))
            scores[np.arange(samples), winners] += lead
            return scores, labels

        yield Case("more samples than classes", drawn(8, 3, 3))
        yield Case("more classes than samples", drawn(3, 6, 1))
        yield Case("as many samples as classes", drawn(5, 5, 2))
        yield Case("won by little among many", drawn(6, 7, 2, 0.3))
        yield Case("all wrong", drawn(4, 3, 4))
        yield Case("all right", drawn(6, 4, 0))
        scores, labels = drawn(6, 4, 1)
        yield Case("all scores negative", (scores - 9, labels))
        scores = rng.uniform(-1, 1, (10, 3))
        labels = np.array([0] * 8 + [1, 2])
        scores[np.arange(10), np.array([0] * 7 + [1, 2, 1])] += 3
        yield Case("one class far more frequent", (scores, labels))
        scores, labels = drawn(7, 3, 2)
        yield Case("single precision", (scores.astype(np.float32), labels))
        scores, labels = drawn(7, 3, 3)
        yield Case("strided memory", (common.strided(scores), labels))

        def pairs(samples: int, classes: int) -> tuple[Array, Array, int]:
            labels = rng.integers(0, classes, samples)
            predictions = np.where(rng.random(samples) < 0.5, labels, rng.integers(0, classes, samples))
            return labels, predictions, classes

        yield Case("three of one kind", (np.array([1, 1, 1]), np.array([2, 2, 2]), 3), COUNTS)
        yield Case("all right", (np.array([0, 1, 2, 1]), np.array([0, 1, 2, 1]), 3), COUNTS)
        yield Case("never taken back", (np.array([0, 0, 0, 1]), np.array([1, 1, 0, 1]), 2), COUNTS)
        yield Case("ten classes", pairs(60, 10), COUNTS)
        yield Case("a few classes, many samples", pairs(40, 3), COUNTS)
        yield Case("classes that do not occur", (np.array([1, 3, 3, 1]), np.array([1, 1, 3, 1]), 6), COUNTS)
        yield Case("a class that is never predicted", (np.array([0, 1, 2, 2, 2]), np.array([0, 1, 1, 0, 1]), 3), COUNTS)

    misconceptions = (
        Misconception("percent instead of share", "A share lies between 0 and 1; 97 % is 0.97.",
                      lambda s, y: 100 * share(s, y)),
        Misconception("number instead of share", "The number of right answers is divided by the number of samples.",
                      lambda s, y: int(np.sum(s.argmax(axis=1) == y))),
        Misconception("share of the wrong ones", "What is asked for is the share of right answers.",
                      lambda s, y: 1 - share(s, y)),
        Misconception("largest score down the columns",
                      "Each row is a sample: the class with the largest score is looked for along the row.",
                      lambda s, y: np.mean(s.argmax(axis=0) == y)),
        Misconception("largest score instead of its place",
                      "The predicted class is the place of the largest score in its row, not the score itself.",
                      lambda s, y: np.mean(s.max(axis=1) == y)),
        Misconception("smallest score wins", "The predicted class is the one with the largest score.",
                      lambda s, y: np.mean(s.argmin(axis=1) == y)),
        Misconception("mean over the classes",
                      "Every sample counts the same. Here every class does, however rare it is: another measure, "
                      "called balanced accuracy.", per_class),
        Misconception("divided by the number of classes",
                      "The number of right answers is divided by the number of samples, len(labels).",
                      lambda s, y: np.sum(s.argmax(axis=1) == y) / s.shape[1]),
        Misconception("positive score instead of the largest",
                      "A score has no fixed bar to pass: it has to be the largest of its row.",
                      lambda s, y: np.mean(common.of_labels(s, y) > 0)),
        Misconception("probability above one half",
                      "The right class may win with less than one half, as long as no other has more.",
                      lambda s, y: np.mean(common.of_labels(common.probabilities(s), y) > 0.5)),
        Misconception("mean probability of the right class",
                      "A sample is right or wrong; how sure the network is does not count here.",
                      lambda s, y: np.mean(common.of_labels(common.probabilities(s), y))),
        *in_answer(
            COUNTS,
            Misconception("right and predicted classes exchanged",
                          "Rows are the right classes, columns the predicted ones.",
                          lambda y, p, k: confusion_matrix(p, y, k)),
            Misconception("each pair counted once",
                          "counts[labels, predictions] += 1 with lists of indices reads all entries first and writes "
                          "them afterwards: a pair that occurs three times is counted once.", counted_once),
            Misconception("only right answers counted",
                          "The entries beside the diagonal count what was taken for something else.",
                          lambda y, p, k: np.diag(np.diag(confusion_matrix(y, p, k)))),
            Misconception("only mistakes counted", "Samples that are right are counted too, on the diagonal.",
                          lambda y, p, k: confusion_matrix(y, p, k) * (1 - np.eye(k, dtype=int))),
            Misconception("shares instead of counts", "Whole numbers of samples are asked for, not shares.",
                          lambda y, p, k: confusion_matrix(y, p, k) / len(y),
                          also=(lambda y, p, k: confusion_matrix(y, p, k)
                                / np.maximum(confusion_matrix(y, p, k).sum(axis=1, keepdims=True), 1),)),
            Misconception("classes that occur only",
                          "There is a row and a column for each of the classes, also for those that do not occur.",
                          present_only, also=(lambda y, p, k: confusion_matrix(y, p),)),
            Misconception("both directions added",
                          "A 4 taken for a 9 is another mistake than a 9 taken for a 4: each has its own entry.",
                          lambda y, p, k: confusion_matrix(y, p, k) + confusion_matrix(p, y, k)),
            Misconception("began with ones", "Counting begins at zero.", lambda y, p, k: confusion_matrix(y, p, k) + 1),
        ),
    )
    hints = (
        "Three samples and three classes: write down scores of which two are right. Which NumPy function finds the "
        "place of the largest entry of each row?",
        "The mean of an array of True and False is the share of True. For the table, a loop over pairs of right and "
        "predicted class is fine.",
        "np.argmax(scores, axis=1) == labels; and counts[label, prediction] += 1 for one pair after the other, in a "
        "loop with zip, starting from whole zeros.",
    )
