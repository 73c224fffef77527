"""From scores to probabilities, and to the loss that training makes small."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.exercises.making import in_answer
from autograder.exercises.training import common
from autograder.exercises.training.common import NOTEBOOK, Array
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F

ONE_SIDE = (
    "largest score subtracted on one side only",
    "Whatever is subtracted from the scores in the exponentials has to be subtracted on the other side of the formula "
    "too: from all scores of the row, or from none.")
NOT_SUBTRACTED = "The exponential of 1000 is no number that a computer can hold, and that of -1000 rounds to zero. " \
    "Probabilities depend on the differences of the scores alone, so the largest score of the row may be subtracted " \
    "before anything is exponentiated."
ALONG_BATCH = "The probabilities of one sample are one in sum: the sum runs along the classes, within a row. Here it " \
    "runs down a column, across samples that have nothing to do with each other."


@exercise("softmax", notebook=NOTEBOOK, points=2)
class Softmax:
    """Turn rows of scores into rows of probabilities.

    scores has shape (N, K): a row for each sample, a column for each class. Return an array of the same shape, the
    exponential of each score divided by the sum of the exponentials in its row. Scores may be as large as 1000 or as
    small as -1000.
    """

    def softmax(scores):
        return F.softmax(scores)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def scores(*shape: int) -> Array:
            return rng.standard_normal(shape) * 2

        yield Case("two classes", (scores(1, 2),))
        yield Case("more samples than classes", (scores(5, 3),))
        yield Case("more classes than samples", (scores(2, 6),))
        yield Case("as many samples as classes", (scores(4, 4),))
        yield Case("equal scores", (np.full((2, 4), rng.uniform(1, 2)),))
        yield Case("all scores negative", (scores(3, 5) - 20,))
        yield Case("one class far ahead", (scores(2, 3) + np.array([0.0, 40, 0]),))
        yield Case("scores around 1000", (scores(3, 4) + 1000,))
        yield Case("scores around -1000", (scores(2, 4) - 1000,))
        yield Case("one row around 1000, one around -1000", (scores(2, 5) + np.array([[1000.0], [-1000.0]]),))
        yield Case("scores around 1000 and around -1000 in one row",
                   (scores(2, 4) + np.array([[1000.0, -1000, -1000, 1000], [-1000, 1000, -1000, -1000]]),))
        yield Case("single precision", (scores(4, 3).astype(np.float32),))
        yield Case("strided memory", (common.strided(scores(3, 4)),))
        yield Case("Fortran order", (np.asfortranarray(scores(4, 5)),))

    misconceptions = (
        Misconception("largest score not subtracted", NOT_SUBTRACTED, common.naive_probabilities),
        Misconception("one maximum for the whole batch",
                      "Each row is shifted by its own largest score. With one maximum for all rows, a row of low "
                      "scores is pushed so far down that all of its exponentials round to zero.",
                      lambda s: np.exp(s - s.max()) / np.exp(s - s.max()).sum(axis=1, keepdims=True)),
        Misconception(*ONE_SIDE, lambda s: common.exponentials(s) / np.exp(s).sum(axis=1, keepdims=True),
                      also=(lambda s: np.exp(s) / common.exponentials(s).sum(axis=1, keepdims=True),)),
        Misconception("summed over the samples", ALONG_BATCH, common.batch_probabilities,
                      also=(lambda s: np.exp(s) / np.exp(s).sum(axis=0),
                            lambda s: np.exp(s - s.max()) / np.exp(s - s.max()).sum(axis=0),
                            lambda s: common.exponentials(s) / common.exponentials(s).sum(axis=0))),
        Misconception("summed over everything", "Each row has a sum of its own. Here all rows together are one in sum.",
                      lambda s: np.exp(s - s.max()) / np.exp(s - s.max()).sum(),
                      also=(lambda s: np.exp(s) / np.exp(s).sum(),
                            lambda s: common.exponentials(s) / common.exponentials(s).sum())),
        Misconception("sums along the columns",
                      "A sum along axis 1 has shape (N,), and NumPy lines that up with the last axis, the classes. It "
                      "has to stay a column of shape (N, 1).",
                      lambda s: common.exponentials(s) / common.exponentials(s).sum(axis=1),
                      also=(lambda s: np.exp(s) / np.exp(s).sum(axis=1),)),
        Misconception("no exponential",
                      "Scores may be negative and their sum may be zero: they are exponentiated before they are "
                      "divided by the sum.", lambda s: s / s.sum(axis=1, keepdims=True)),
        Misconception("not divided by the sum",
                      "Probabilities are one in sum. Here each row has the exponentials, which still have to be "
                      "divided by their sum.", common.exponentials, also=(np.exp,)),
        Misconception("logarithm of the probabilities",
                      "The probabilities themselves are asked for, numbers from 0 to 1.", common.logarithms),
        Misconception("divided by the largest score",
                      "Subtracting the largest score changes nothing about the probabilities; dividing by it does.",
                      lambda s: common.naive_probabilities(s / s.max(axis=1, keepdims=True)),
                      also=(lambda s: common.naive_probabilities(s / np.abs(s).max(axis=1, keepdims=True)),)),
        Misconception("each score on its own",
                      "The probability of a class depends on the scores of the other classes too. 1 / (1 + exp(-s)) "
                      "looks at one score alone, and a row of those is not one in sum.",
                      lambda s: 1 / (1 + np.exp(-s))),
        Misconception("the smallest score wins",
                      "The largest score has to get the largest probability: look at the sign in the exponent.",
                      lambda s: common.probabilities(-s), also=(lambda s: common.naive_probabilities(-s),)),
        Misconception("something else than the largest score subtracted",
                      "By the formula any number may be subtracted from a row, but only with its largest score no "
                      "exponent is above zero.",
                      lambda s: common.naive_probabilities(s - s.mean(axis=1, keepdims=True)),
                      also=(lambda s: common.naive_probabilities(s - s.min(axis=1, keepdims=True)),
                            lambda s: common.naive_probabilities(s - np.median(s, axis=1, keepdims=True)))),
        Misconception("largest score of each class subtracted",
                      "The same number has to be subtracted from all scores of a row. Here each column has its own.",
                      lambda s: common.naive_probabilities(s - s.max(axis=0))),
        Misconception("scores clipped",
                      "Clipping changes the scores. Only one number, subtracted from a whole row, changes nothing.",
                      lambda s: common.naive_probabilities(np.clip(s, -50, 50)),
                      also=tuple(lambda s, most=most: common.naive_probabilities(np.clip(s, -most, most))
                                 for most in (10, 20, 30, 100, 500, 700))),
    )
    hints = (
        "Work out one row by hand: scores 0 and 0. And 0 and log(3). What is the sum of each row of your result?",
        "Exponentials, then a sum for each row, kept as a column so that it divides the row that it belongs to. What "
        "becomes of it if all scores are 1000 larger?",
        "Subtract the row's largest score, np.max with axis=1 and keepdims=True, before you take the exponential; then "
        "divide by the sum over the same axis, kept in the same way.",
    )


@exercise("cross_entropy", notebook=NOTEBOOK, points=4, answers=("cross_entropy_loss", "cross_entropy_gradient"))
class CrossEntropy:
    """The loss of a batch and its gradient.

    scores has shape (N, K) and labels holds the N right classes, 0 to K - 1. cross_entropy_loss returns one number,
    the mean over the samples of minus the logarithm of the right class's probability. cross_entropy_gradient returns
    the gradient of this number with respect to the scores, shape (N, K). Scores may be as large as 1000.
    """

    def cross_entropy_loss(scores, labels):
        return common.loss(scores, labels)

    def cross_entropy_gradient(scores, labels):
        return F.cross_entropy_backward(scores, labels)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def drawn(samples: int, classes: int) -> tuple[Array, Array]:
            return 2 * rng.standard_normal((samples, classes)), rng.integers(0, classes, samples)

        for answer in ("cross_entropy_loss", "cross_entropy_gradient"):
            yield Case("one sample", drawn(1, 3), answer)
            yield Case("more samples than classes", drawn(7, 3), answer)
            yield Case("more classes than samples", drawn(2, 6), answer)
            scores, labels = drawn(4, 4)
            yield Case("as many samples as classes", (scores, (labels[0] + [0, 1, 1, 3]) % 4), answer)
            yield Case("equal scores", (np.zeros((3, 4)), np.array([3, 0, 3])), answer)
            scores, labels = drawn(3, 4)
            yield Case("all labels the same", (scores, np.full(3, labels[0])), answer)
            scores, labels = drawn(3, 5)
            yield Case("the right class never has the largest score", (scores, scores.argmin(axis=1)), answer)
            scores, labels = drawn(2, 4)
            scores[0, labels[0]] -= 1000
            yield Case("a probability that rounds to zero", (scores, labels), answer)
            scores, labels = drawn(3, 4)
            yield Case("scores around 1000", (scores + 1000, labels), answer)
            scores, labels = drawn(2, 4)
            scores += np.array([[1000.0], [-1000]])
            yield Case("one row around 1000, one around -1000", (scores, labels), answer)
            scores, labels = drawn(5, 3)
            yield Case("single precision", (scores.astype(np.float32), labels), answer)
            scores, labels = drawn(3, 4)
            yield Case("strided memory", (common.strided(scores), labels), answer)

    misconceptions = (
        Misconception("loss summed",
                      "The loss is the mean over the samples, so that it does not grow with the size of the batch.",
                      lambda s, y: common.loss(s, y) * s.dtype.type(len(y))),
        Misconception("one loss for each sample", "One number is asked for, the mean over the samples of the batch.",
                      lambda s, y: -common.of_labels(common.logarithms(s), y)),
        Misconception("loss averaged over the classes too",
                      "The mean runs over the samples. Each has one right class, so one logarithm: the zeros of the "
                      "other classes do not count.", lambda s, y: common.loss(s, y) / s.dtype.type(s.shape[1])),
        Misconception("sign of the loss forgotten",
                      "The logarithm of a probability is negative or zero; the loss is its negative, and a loss below "
                      "zero is a sign that something is wrong.", lambda s, y: -common.loss(s, y)),
        Misconception("logarithm of zero",
                      "A probability may be so small that it rounds to zero, whose logarithm is minus infinity. Write "
                      "the logarithm of the fraction as a difference and simplify before you compute: the exponential "
                      "and the logarithm undo each other. A tiny number added to the probability hides the infinity "
                      "but gives another loss.",
                      lambda s, y: -np.mean(np.log(common.of_labels(common.probabilities(s), y))),
                      also=tuple(lambda s, y, tiny=tiny: -np.mean(np.log(common.of_labels(
                          common.probabilities(s), y) + tiny)) for tiny in (1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15))),
        Misconception("loss overflows", NOT_SUBTRACTED,
                      lambda s, y: np.mean(np.log(np.exp(s).sum(axis=1)) - common.of_labels(s, y)),
                      also=(lambda s, y: -np.mean(np.log(common.of_labels(common.naive_probabilities(s), y))),
                            lambda s, y: -np.mean(common.of_labels(s - np.log(np.exp(s).sum(1, keepdims=True)), y)))),
        Misconception("scores taken for logarithms",
                      "A score is not yet the logarithm of a probability: the logarithm of the row's sum of "
                      "exponentials has to be subtracted.", lambda s, y: -np.mean(common.of_labels(s, y))),
        Misconception("every sample with every label",
                      "table[:, labels] picks all rows for each label, N times N entries. Each row goes with its own "
                      "label: pick with two lists of N indices, one for the rows and one for the columns.",
                      lambda s, y: -np.mean(common.logarithms(s)[:, y])),
        Misconception("the winner instead of the right class",
                      "The loss asks for the probability of the right class, whether it won or not.",
                      lambda s, y: common.loss(s, s.argmax(axis=1))),
        Misconception("loss with a softmax over the samples", ALONG_BATCH,
                      lambda s, y: -np.mean(common.of_labels(common.logarithms(s.T).T, y)),
                      also=(lambda s, y: -np.mean(np.log(common.of_labels(common.batch_probabilities(s), y))),)),
        Misconception("logarithm forgotten",
                      "The loss is minus the logarithm of the right class's probability, not the probability itself, "
                      "nor what it lacks to one.",
                      lambda s, y: 1 - np.mean(common.of_labels(common.probabilities(s), y)),
                      also=(lambda s, y: -np.mean(common.of_labels(common.probabilities(s), y)),)),
        Misconception("logarithm to another base", "log is the natural logarithm, which undoes the exponential.",
                      lambda s, y: common.loss(s, y) / s.dtype.type(np.log(2)),
                      also=(lambda s, y: common.loss(s, y) / s.dtype.type(np.log(10)),
                            lambda s, y: -np.mean(np.log2(common.of_labels(common.probabilities(s), y))))),
        Misconception("squared error",
                      "The distance between probabilities and the one-hot row is another loss, which hardly pulls on "
                      "a sample that is very wrong.",
                      lambda s, y: np.mean(np.sum((common.probabilities(s) - common.one_hot(y, s.shape[1])) ** 2, 1)),
                      also=(lambda s, y: np.mean((common.probabilities(s) - common.one_hot(y, s.shape[1])) ** 2),)),
        *in_answer(
            "cross_entropy_gradient",
            Misconception("gradient not divided by the batch",
                          "The loss is a mean over N samples, so each sample's part of the gradient is divided by N.",
                          lambda s, y: F.cross_entropy_backward(s, y, float(len(y)))),
            Misconception("gradient divided by the number of classes",
                          "The mean runs over the samples, len(scores) of them; the number of classes does not enter.",
                          lambda s, y: F.cross_entropy_backward(s, y, len(y) / s.shape[1])),
            Misconception("gradient divided by all entries",
                          "The mean runs over the samples alone, not over all entries of the array.",
                          lambda s, y: F.cross_entropy_backward(s, y, 1 / s.shape[1])),
            Misconception("one subtracted from the scores",
                          "The one belongs to the right class's probability: the softmax comes first, then the "
                          "subtraction.", lambda s, y: (s - common.one_hot(y, s.shape[1], s.dtype)) / len(y)),
            Misconception("label subtracted as a number",
                          "A label is the number of a class, not an amount. It says from which entry of the row one "
                          "is subtracted.", lambda s, y: (common.probabilities(s) - y[:, np.newaxis]) / len(y)),
            Misconception("right class not subtracted",
                          "Along the right class the gradient is the probability less one: raising that score makes "
                          "the loss smaller, so this entry cannot be positive.",
                          lambda s, y: common.probabilities(s) / len(y)),
            Misconception("sign of the gradient turned",
                          "The gradient points to where the loss grows; the step will subtract it. A larger score of "
                          "a wrong class makes the loss larger.", lambda s, y: F.cross_entropy_backward(s, y, -1.0)),
            Misconception("one subtracted in every row",
                          "probabilities[:, labels] means these columns in all rows. Each row has its own label: pick "
                          "with two lists of N indices.",
                          lambda s, y: (common.probabilities(s) - np.isin(np.arange(s.shape[1]), y)) / len(y)),
            Misconception("gradient at the right class only",
                          "The scores of all classes are in the sum of exponentials: the loss falls when a wrong "
                          "class's score falls, too.",
                          lambda s, y: F.cross_entropy_backward(s, y) * common.one_hot(y, s.shape[1], s.dtype)),
            Misconception("gradient with respect to the probabilities",
                          "-1 / p is how the loss changes with the probability. The gradient asked for is with "
                          "respect to the scores, one step further back.",
                          lambda s, y: -common.one_hot(y, s.shape[1]) / common.probabilities(s) / len(y)),
            Misconception("gradient with a softmax over the samples", ALONG_BATCH,
                          lambda s, y: (common.batch_probabilities(s) - common.one_hot(y, s.shape[1])) / len(y)),
            Misconception("gradient overflows", NOT_SUBTRACTED,
                          lambda s, y: (common.naive_probabilities(s) - common.one_hot(y, s.shape[1])) / len(y)),
            Misconception("the winner's one subtracted",
                          "The one belongs to the right class, the label, whether it has the largest score or not.",
                          lambda s, y: F.cross_entropy_backward(s, s.argmax(axis=1))),
        ),
        Misconception("one maximum for the loss of the whole batch",
                      "Each row is shifted by its own largest score. With one maximum for all rows, all exponentials "
                      "of a row of low scores round to zero.",
                      lambda s, y: np.mean(np.log(np.exp(s - s.max()).sum(axis=1)) - common.of_labels(s - s.max(), y)),
                      also=(lambda s, y: -np.mean(common.of_labels(
                          s - s.max() - np.log(np.exp(s - s.max()).sum(axis=1, keepdims=True)), y)),)),
        Misconception(*ONE_SIDE,
                      lambda s, y: np.mean(np.log(common.exponentials(s).sum(axis=1)) - common.of_labels(s, y))),
        *in_answer(
            "cross_entropy_gradient",
            Misconception("set to minus one",
                          "One is subtracted from the right class's probability. Here it is replaced: look at where "
                          "`=` stands and `-=` should.",
                          lambda s, y: np.where(common.one_hot(y, s.shape[1]) > 0, -1, common.probabilities(s))
                          / len(y)),
            Misconception("divided by the batch in part",
                          "The whole row is divided by N, the probabilities as well as the one.",
                          lambda s, y: common.probabilities(s) / len(y) - common.one_hot(y, s.shape[1]),
                          also=(lambda s, y: common.probabilities(s) - common.one_hot(y, s.shape[1]) / len(y),
                                lambda s, y: np.where(common.one_hot(y, s.shape[1]) > 0,
                                                      (common.probabilities(s) - 1) / len(y),
                                                      common.probabilities(s)))),
            Misconception("one added",
                          "A larger score of the right class makes the loss smaller: its entry cannot be positive.",
                          lambda s, y: (common.probabilities(s) + common.one_hot(y, s.shape[1])) / len(y)),
        ),
    )
    hints = (
        "What is the loss of a sample if all K scores are equal? And for the gradient: what do the entries of one row "
        "add up to?",
        "The logarithm of exp(s) / sum is s minus the logarithm of the sum, with the largest score subtracted from all "
        "scores before. For the gradient you need your softmax and one more subtraction.",
        "np.arange(N) and labels together, as two indices, pick one entry from each row. The gradient: probabilities, "
        "one less at those entries, all divided by N.",
    )
