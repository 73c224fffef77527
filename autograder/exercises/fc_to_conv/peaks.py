"""From a map of scores to a list of finds: the best positions, each one once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.exercises.fc_to_conv.common import NOTEBOOK
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise


def _picked(scores, threshold, distance):
    """Pick the best that remains, and cross out what is near."""
    remaining = scores.astype(float)
    peaks = []
    while len(peaks) < scores.size and remaining.max() >= threshold:
        row, column = (int(place) for place in np.unravel_index(remaining.argmax(), scores.shape))
        peaks.append((row, column))
        top, below = max(row - distance, 0), row + distance + 1
        left, beyond = max(column - distance, 0), column + distance + 1
        remaining[top:below, left:beyond] = -np.inf
    return tuple(peaks)


def _compared(scores, threshold, distance):
    """Look at all candidates, the best first, and keep those that are near none that was kept."""
    candidates = [tuple(place) for place in np.argwhere(scores >= threshold).tolist()]
    candidates.sort(key=lambda place: -scores[place])
    kept = []
    for i, j in candidates:
        if not any(abs(i - a) <= distance and abs(j - b) <= distance for a, b in kept):
            kept.append((i, j))
    return tuple(kept)


PICKED, COMPARED = Written.of(_picked), Written.of(_compared)
_SQUARE = "abs(i - a) <= distance and abs(j - b) <= distance"
_NEGATIVE = {"max(row - distance, 0)": "row - distance", "max(column - distance, 0)": "column - distance"}
_IN_READING_ORDER = {"candidates.sort(key=lambda place: -scores[place])": "pass"}
_ANY_BETTER = {"in kept)": "in np.argwhere(scores > scores[i, j]))"}


@exercise("pick_peaks", notebook=NOTEBOOK, points=4)
class PickPeaks:
    """The best positions of a map, none of them near a better one that was picked.

    scores has shape (rows, columns). Pick the position with the largest score, if that is at least `threshold`; then
    cross out all positions at most `distance` rows and at most `distance` columns away from it, and pick the best of
    those that are left; and so on. Among equal scores the first in reading order comes first: the upper row, then the
    left column. Return a list of tuples (row, column), in the order in which they were picked.
    """

    def pick_peaks(scores, threshold, distance):
        return _picked(scores, threshold, distance)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def bump(shape: tuple[int, int], *centers: tuple[int, int]) -> np.ndarray:
            rows, columns = np.indices(shape)
            hills = [(3 - n / 4) * np.exp(-((rows - i) ** 2 + (columns - j) ** 2) / 3)
                     for n, (i, j) in enumerate(centers)]
            return np.max(hills, axis=0) - 1 + 1e-3 * rng.random(shape)

        def shuffled(*shape: int) -> np.ndarray:
            return rng.permutation(np.linspace(-1, 1, shape[0] * shape[1])).reshape(shape)

        yield Case("one hill", (bump((7, 7), (3, 3)), 0.0, 2))
        yield Case("two hills, wider than tall", (bump((6, 11), (2, 8), (3, 2)), 0.0, 2))
        yield Case("hills in the corners", (bump((9, 8), (8, 7), (0, 0), (0, 7), (8, 0)), 0.0, 2))
        yield Case("a hill on the upper border, one on the left", (bump((8, 10), (0, 7), (6, 0)), 0.0, 3))
        yield Case("nothing reaches the threshold", (bump((5, 6), (2, 3)), 4.0, 1))
        yield Case("all scores below zero", (shuffled(6, 8) - 2, -2.6, 1))
        yield Case("a rough map", (shuffled(8, 11), -0.2, 1))
        yield Case("a rough map, taller than wide", (shuffled(12, 7), -0.5, 2))
        yield Case("distance 0: everything above the threshold", (shuffled(4, 5), 0.1, 0))
        chain = np.full((3, 9), -1.0)
        chain[1] = [0.1, 0.2, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3]
        yield Case("a slope: the neighbor of a neighbor", (chain, 0.0, 2))
        stairs = np.full((5, 8), -1.0)
        stairs[1, 1], stairs[3, 3], stairs[3, 6], stairs[1, 4] = 0.9, 0.8, 0.7, 0.5
        yield Case("at exactly the distance, and one further", (stairs, 0.0, 2))
        ties = np.zeros((5, 6))
        ties[[1, 1, 3, 4], [4, 1, 0, 5]] = 1.0, 1.0, 1.0, 2.0
        yield Case("equal scores", (ties, 1.0, 1))
        yield Case("equal scores side by side", (np.floor(3 * rng.random((6, 7))), 1.0, 1))
        yield Case("a score equal to the threshold", (np.array([[0.5, 0.0, 0.0, 0.25], [0.0, 0.0, 0.0, 0.0]]), 0.25, 1))
        yield Case("single precision", (shuffled(7, 6).astype(np.float32), 0.0, 1))
        yield Case("strided memory", (shuffled(6, 16)[:, ::2], 0.0, 1))
        yield Case("Fortran order", (np.asfortranarray(shuffled(6, 9)), 0.0, 2))

    misconceptions = (
        Misconception("nothing crossed out",
                      "Around each pick, positions at most `distance` rows and columns away are out of the race. Here "
                      "every position above the threshold is kept.", COMPARED.edited({_SQUARE: "False"}),
                      also=(COMPARED.edited({_SQUARE: "False", **_IN_READING_ORDER}),)),
        Misconception("first come, first served",
                      "The best position is picked first, wherever it lies. Here the map is read from the top left, "
                      "and a position above the threshold stands although a better one is near.",
                      COMPARED.edited(_IN_READING_ORDER)),
        Misconception("local maxima only",
                      "A position near a better one is out only if that one was picked: a neighbor that has been "
                      "crossed out crosses out nothing itself.",
                      COMPARED.edited({"in kept)": "in candidates[:candidates.index((i, j))])"}),
                      also=(COMPARED.edited(_ANY_BETTER),
                            COMPARED.edited({**_ANY_BETTER, "return tuple(kept)": "return tuple(sorted(kept))"}))),
        Misconception("negative start of a slice",
                      "A slice that starts at a negative number counts from the end of the axis, and is mostly empty: "
                      "near the upper and left border nothing is crossed out then.",
                      PICKED.edited({**_NEGATIVE, "< scores.size": "< 40"}), also=(PICKED.edited(_NEGATIVE),)),
        Misconception("one row and column too few crossed out",
                      "A slice ends before its stop: positions at exactly the distance, below and to the right, are "
                      "to be crossed out too.",
                      PICKED.edited({"row + distance + 1": "row + max(distance, 1)",
                               "column + distance + 1": "column + max(distance, 1)"})),
        Misconception("crossed out below and to the right only",
                      "Near means on all sides: above and to the left of the pick too.",
                      PICKED.edited({"max(row - distance, 0)": "row", "max(column - distance, 0)": "column"})),
        Misconception("crossed out in its row and column only",
                      "All positions in the square around the pick are out, on the diagonals too.",
                      COMPARED.edited({_SQUARE: "(i == a or j == b) and abs(i - a + j - b) <= distance"})),
        Misconception("rows or columns instead of both",
                      "A position is near only if both hold: at most `distance` rows and at most `distance` columns "
                      "away. Here whole stripes are crossed out.",
                      COMPARED.edited({_SQUARE: "abs(i - a) <= distance or abs(j - b) <= distance"}),
                      also=(COMPARED.edited({_SQUARE: "abs(i - a) <= distance"}),
                            COMPARED.edited({_SQUARE: "abs(j - b) <= distance"}))),
        Misconception("one row and column too many crossed out",
                      "A position one further than the distance stays in the race.",
                      COMPARED.edited({_SQUARE: "abs(i - a) <= distance + 1 and abs(j - b) <= distance + 1"}),
                      also=(PICKED.edited({"row + distance + 1": "row + distance + 2",
                                     "column + distance + 1": "column + distance + 2"}),)),
        Misconception("always the next neighbors crossed out",
                      "How far around a pick is crossed out, the argument `distance` says.",
                      lambda s, t, d: _picked(s, t, 1)),
        Misconception("rows and columns of distance summed",
                      "Rows and columns are compared with the distance one by one; here a corner of the square counts "
                      "as too far away.", COMPARED.edited({_SQUARE: "abs(i - a) + abs(j - b) <= distance"}),
                      also=(COMPARED.edited({_SQUARE: "(i - a) ** 2 + (j - b) ** 2 <= distance ** 2"}),)),
        Misconception("only nearer than the distance", "A position at exactly the distance is crossed out too.",
                      COMPARED.edited({_SQUARE: "abs(i - a) < distance and abs(j - b) < distance"})),
        Misconception("only above the threshold", "A score equal to the threshold is enough.",
                      PICKED.edited({">= threshold": "> threshold"})),
        Misconception("threshold ignored", "The picking ends when the best that is left does not reach the threshold.",
                      PICKED.edited({">= threshold": "> -np.inf"})),
        Misconception("crossed out with zero",
                      "Zero may be a good score: where thresholds are negative, positions crossed out with it come "
                      "back.", PICKED.edited({"-np.inf": "0"})),
        Misconception("only the best position", "Go on until nothing that is left reaches the threshold.",
                      PICKED.edited({"return tuple(peaks)": "return tuple(peaks[:1])"})),
        Misconception("column before row", "Each position is (row, column).",
                      PICKED.edited({"append((row, column))": "append((column, row))"})),
        Misconception("sorted by place",
                      "The positions are right, but in another order: best first, as they were picked.",
                      PICKED.edited({"return tuple(peaks)": "return tuple(sorted(peaks))"})),
        Misconception("worst first",
                      "The positions are returned in the order in which they are picked, the best first.",
                      PICKED.edited({"return tuple(peaks)": "return tuple(peaks[::-1])"})),
        Misconception("scores with the positions", "Return the positions alone, as pairs (row, column).",
                      PICKED.edited({"append((row, column))": "append((row, column, scores[row, column]))"})),
        Misconception("scores instead of positions", "Return where the picks lie, not how large they are.",
                      PICKED.edited({"append((row, column))": "append(scores[row, column])"})),
        Misconception("place in the flattened map",
                      "argmax counts through the whole map as through one long row; its row and its column are asked "
                      "for.", PICKED.edited({"append((row, column))": "append(row * scores.shape[1] + column)"})),
        Misconception("equal scores down the columns",
                      "Among equal scores the upper row comes first; only within a row does the left column.",
                      lambda s, t, d: tuple((i, j) for j, i in _picked(s.T, t, d))),
        Misconception("last of equal scores", "Among equal scores the first in reading order is picked first.",
                      lambda s, t, d: tuple((len(s) - 1 - i, s.shape[1] - 1 - j)
                                            for i, j in _picked(s[::-1, ::-1], t, d))),
    )
    hints = (
        "Work on a copy, so that crossing out does not spoil the scores of whoever called you. What could stand in a "
        "place that is crossed out, so that it is never picked?",
        "A loop without a fixed number of rounds: find the place of the largest score (np.argmax, np.unravel_index), "
        "stop if it is too small, write it down, cross out the square around it.",
        "The square is a slice from row - distance to row + distance + 1, and likewise for the columns; the start must "
        "not become negative. Cross out with -np.inf: no threshold is below that.",
    )
