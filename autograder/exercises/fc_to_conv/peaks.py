"""From a map of scores to a list of finds: the best positions, each one once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from autograder.exercises.fc_to_conv.common import NOTEBOOK
from autograder.judging.exercise import Case, Misconception, exercise

Peaks = tuple[tuple[int, int], ...]
Reach = Callable[[int, int], tuple[int, int]]


def picked(
    scores: np.ndarray, threshold: float, distance: int, *, rows: Reach | None = None, columns: Reach | None = None,
    enough: Callable[[float, float], bool] = lambda score, threshold: score >= threshold, cleared: float = -np.inf,
    most: int | None = None,
) -> Peaks:
    """Greedy choice; `rows` and `columns` say from where to where is cleared around a peak."""
    left = scores.astype(np.float64)
    found: list[tuple[int, int]] = []
    reach = lambda at, by: (max(at - by, 0), at + by + 1)  # noqa: E731
    while left.size and len(found) < (left.size if most is None else most):
        row, column = (int(i) for i in np.unravel_index(left.argmax(), left.shape))
        if not enough(float(left[row, column]), threshold):
            break
        found.append((row, column))
        left[slice(*(rows or reach)(row, distance)), slice(*(columns or reach)(column, distance))] = cleared
    return tuple(found)


def _local_maxima(scores: np.ndarray, threshold: float, distance: int) -> Peaks:
    """Positions that no neighbor within the distance exceeds, best first."""
    around = np.pad(scores.astype(np.float64), distance, constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(around, (2 * distance + 1,) * 2)
    places = np.argwhere((scores >= windows.max(axis=(2, 3))) & (scores >= threshold))
    return _best_first(scores, places)


def _best_first(scores: np.ndarray, places: np.ndarray) -> Peaks:
    return tuple(sorted(((int(i), int(j)) for i, j in places), key=lambda place: -scores[place]))


def _above(scores: np.ndarray, threshold: float, distance: int) -> Peaks:
    return _best_first(scores, np.argwhere(scores >= threshold))


def _round(scores: np.ndarray, threshold: float, distance: int, near: Callable[[int, int, int], bool]) -> Peaks:
    """Greedy choice with another meaning of near."""
    kept: list[tuple[int, int]] = []
    for i, j in _above(scores, threshold, distance):
        if not any(near(i - a, j - b, distance) for a, b in kept):
            kept.append((i, j))
    return tuple(kept)


def _reading_order(scores: np.ndarray, threshold: float, distance: int) -> Peaks:
    """The first position above the threshold wins, not the best."""
    kept: list[tuple[int, int]] = []
    for i, j in np.argwhere(scores >= threshold).tolist():
        if not any(abs(i - a) <= distance and abs(j - b) <= distance for a, b in kept):
            kept.append((i, j))
    return tuple(kept)


def _neighbors_of_all(scores: np.ndarray, threshold: float, distance: int) -> Peaks:
    """A position falls to any better one nearby, also to one that has fallen itself."""
    kept: list[tuple[int, int]] = []
    seen: list[tuple[int, int]] = []
    for i, j in _above(scores, threshold, distance):
        if not any(abs(i - a) <= distance and abs(j - b) <= distance for a, b in seen):
            kept.append((i, j))
        seen.append((i, j))
    return tuple(kept)


@exercise("pick_peaks", notebook=NOTEBOOK, points=4)
class PickPeaks:
    """The best positions of a map, none of them near a better one that was picked.

    scores has shape (rows, columns). Pick the position with the largest score, if that is at least `threshold`; then
    cross out all positions at most `distance` rows and at most `distance` columns away from it, and pick the best of
    those that are left; and so on. Among equal scores the first in reading order comes first: the upper row, then the
    left column. Return a list of tuples (row, column), in the order in which they were picked.
    """

    def pick_peaks(scores, threshold, distance):
        return picked(scores, threshold, distance)

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
                      "every position above the threshold is kept.",
                      _above, also=(lambda s, t, d: tuple(map(tuple, np.argwhere(s >= t).tolist())),)),
        Misconception("first come, first served",
                      "The best position is picked first, wherever it lies. Here the map is read from the top left, "
                      "and a position above the threshold stands although a better one is near.",
                      _reading_order),
        Misconception("local maxima only",
                      "A position near a better one is out only if that one was picked: a neighbor that has been "
                      "crossed out crosses out nothing itself.",
                      _neighbors_of_all, also=(_local_maxima, lambda s, t, d: tuple(sorted(_local_maxima(s, t, d))))),
        Misconception("negative start of a slice",
                      "A slice that starts at a negative number counts from the end of the axis, and is mostly empty: "
                      "near the upper and left border nothing is crossed out then.",
                      lambda s, t, d: picked(s, t, d, rows=lambda at, by: (at - by, at + by + 1),
                                             columns=lambda at, by: (at - by, at + by + 1), most=40),
                      also=(lambda s, t, d: picked(s, t, d, rows=lambda at, by: (at - by, at + by + 1),
                                                   columns=lambda at, by: (at - by, at + by + 1)),)),
        Misconception("one row and column too few crossed out",
                      "A slice ends before its stop: positions at exactly the distance, below and to the right, are to "
                      "be crossed out too.",
                      lambda s, t, d: picked(s, t, d, rows=lambda at, by: (max(at - by, 0), max(at + by, at + 1)),
                                             columns=lambda at, by: (max(at - by, 0), max(at + by, at + 1)))),
        Misconception("crossed out below and to the right only",
                      "Near means on all sides: above and to the left of the pick too.",
                      lambda s, t, d: picked(s, t, d, rows=lambda at, by: (at, at + by + 1),
                                             columns=lambda at, by: (at, at + by + 1))),
        Misconception("crossed out in its row and column only",
                      "All positions in the square around the pick are out, on the diagonals too.",
                      lambda s, t, d: _round(s, t, d, lambda i, j, by: (i == 0 and abs(j) <= by)
                                             or (j == 0 and abs(i) <= by))),
        Misconception("rows or columns instead of both",
                      "A position is near only if both hold: at most `distance` rows and at most `distance` columns "
                      "away. Here whole stripes are crossed out.",
                      lambda s, t, d: _round(s, t, d, lambda i, j, by: abs(i) <= by or abs(j) <= by),
                      also=(lambda s, t, d: _round(s, t, d, lambda i, j, by: abs(i) <= by),
                            lambda s, t, d: _round(s, t, d, lambda i, j, by: abs(j) <= by))),
        Misconception("one row and column too many crossed out",
                      "A position one further than the distance stays in the race.",
                      lambda s, t, d: _round(s, t, d, lambda i, j, by: abs(i) <= by + 1 and abs(j) <= by + 1),
                      also=(lambda s, t, d: picked(s, t, d, rows=lambda at, by: (max(at - by, 0), at + by + 2),
                                                   columns=lambda at, by: (max(at - by, 0), at + by + 2)),)),
        Misconception("always the next neighbors crossed out",
                      "How far around a pick is crossed out, the argument `distance` says.",
                      lambda s, t, d: picked(s, t, 1)),
        Misconception("rows and columns of distance summed",
                      "Rows and columns are compared with the distance one by one; here a corner of the square counts "
                      "as too far away.",
                      lambda s, t, d: _round(s, t, d, lambda i, j, by: abs(i) + abs(j) <= by),
                      also=(lambda s, t, d: _round(s, t, d, lambda i, j, by: i * i + j * j <= by * by),)),
        Misconception("only nearer than the distance", "A position at exactly the distance is crossed out too.",
                      lambda s, t, d: _round(s, t, d, lambda i, j, by: (abs(i) < by and abs(j) < by) or i == j == 0)),
        Misconception("only above the threshold", "A score equal to the threshold is enough.",
                      lambda s, t, d: picked(s, t, d, enough=lambda score, threshold: score > threshold)),
        Misconception("threshold ignored", "The picking ends when the best that is left does not reach the threshold.",
                      lambda s, t, d: picked(s, -np.inf, d, enough=lambda score, threshold: score > threshold)),
        Misconception("crossed out with zero",
                      "Zero may be a good score: where thresholds are negative, positions crossed out with it come "
                      "back.",
                      lambda s, t, d: picked(s, t, d, cleared=0.0)),
        Misconception("only the best position", "Go on until nothing that is left reaches the threshold.",
                      lambda s, t, d: picked(s, t, d, most=1)),
        Misconception("column before row", "Each position is (row, column).",
                      lambda s, t, d: tuple((j, i) for i, j in picked(s, t, d))),
        Misconception("sorted by place", "The positions are right, but in another order: best first, as they were "
                                         "picked.",
                      lambda s, t, d: tuple(sorted(picked(s, t, d)))),
        Misconception("worst first", "The positions are returned in the order in which they are picked, the best "
                                     "first.",
                      lambda s, t, d: picked(s, t, d)[::-1]),
        Misconception("scores with the positions", "Return the positions alone, as pairs (row, column).",
                      lambda s, t, d: tuple((i, j, float(s[i, j])) for i, j in picked(s, t, d))),
        Misconception("scores instead of positions", "Return where the picks lie, not how large they are.",
                      lambda s, t, d: tuple(float(s[place]) for place in picked(s, t, d))),
        Misconception("place in the flattened map",
                      "argmax counts through the whole map as through one long row; its row and its column are asked "
                      "for.",
                      lambda s, t, d: tuple(i * s.shape[1] + j for i, j in picked(s, t, d))),
        Misconception("equal scores down the columns",
                      "Among equal scores the upper row comes first; only within a row does the left column.",
                      lambda s, t, d: tuple((i, j) for j, i in picked(s.T, t, d))),
        Misconception("last of equal scores",
                      "Among equal scores the first in reading order is picked first.",
                      lambda s, t, d: tuple((len(s) - 1 - i, s.shape[1] - 1 - j)
                                            for i, j in picked(s[::-1, ::-1], t, d))),
    )
    hints = (
        "Work on a copy, so that crossing out does not spoil the scores of whoever called you. What could stand in a "
        "place that is crossed out, so that it is never picked?",
        "A loop without a fixed number of rounds: find the place of the largest score (np.argmax, np.unravel_index), "
        "stop if it is too small, write it down, cross out the square around it.",
        "The square is a slice from row - distance to row + distance + 1, and likewise for the columns; the start must "
        "not become negative. Cross out with -np.inf: no threshold is below that.",
    )
