"""One epoch after the other: batches in random order, and a learning rate that changes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from autograder.exercises.training import common
from autograder.exercises.training.common import NOTEBOOK, Array
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse.training import CosineDecay


def batches(order: Array, batch_size: int) -> tuple[Array, ...]:
    """Pieces of the order, the last one as long as what is left."""
    return tuple(order[first : first + batch_size] for first in range(0, len(order), batch_size))


@exercise("mini_batches", notebook=NOTEBOOK, points=2)
class MiniBatches:
    """Cut a random order of the samples into batches.

    order is an array with the numbers of the samples in the order in which they are to be seen. Return a list of
    arrays: the first batch_size entries of order, the next ones, and so on. Every entry is in exactly one batch; the
    last batch is smaller if the length does not divide.
    """

    def mini_batches(order, batch_size):
        return batches(order, batch_size)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def shuffled(samples: int) -> Array:
            order = rng.permutation(samples)
            while samples > 2 and bool(np.all(np.diff(order) > 0)):
                order = rng.permutation(samples)
            return order

        yield Case("a length that divides", (shuffled(6), 3))
        yield Case("one sample left over", (shuffled(7), 3))
        yield Case("all but one left over", (shuffled(11), 4))
        yield Case("fewer samples than a batch takes", (shuffled(3), 8))
        yield Case("exactly one batch", (shuffled(5), 5))
        yield Case("batches of one", (shuffled(4), 1))
        yield Case("many batches", (shuffled(25), 2))
        yield Case("some of the samples only", (10 * shuffled(9) + 3, 4))
        yield Case("strided memory", (common.strided(shuffled(8)), 3))

    misconceptions = (
        Misconception("last batch dropped",
                      "What is left over at the end makes a batch too, a smaller one. Otherwise some samples are not "
                      "seen in this epoch.",
                      lambda order, size: tuple(b for b in batches(order, size) if len(b) == size)),
        Misconception("order ignored",
                      "The batches hold entries of order, not the numbers 0, 1, 2, ...: without a new order in each "
                      "epoch the batches would always be the same.",
                      lambda order, size: batches(np.arange(len(order)), size)),
        Misconception("order sorted", "The order is random on purpose: leave it as it is.",
                      lambda order, size: batches(np.sort(order), size)),
        Misconception("batch size taken for the number of batches",
                      "batch_size says how many samples are in a batch, not how many batches there are.",
                      lambda order, size: tuple(np.array_split(order, size))),
        Misconception("samples shared out evenly",
                      "All batches but the last are full. Here the samples are shared out among all batches.",
                      lambda order, size: tuple(np.array_split(order, -(-len(order) // size)))),
        Misconception("last batch filled up from the beginning",
                      "Every sample is seen once in an epoch; the last batch stays smaller.",
                      lambda order, size: tuple(np.resize(order, -(-len(order) // size) * size).reshape(-1, size))),
        Misconception("last batch filled up with samples of the one before",
                      "Every sample is seen once in an epoch; the last batch stays smaller.",
                      lambda order, size: tuple(order[max(0, min(first, len(order) - size)):][:size]
                                                for first in range(0, len(order), size))),
        Misconception("left-over samples added to the last batch",
                      "A batch has at most batch_size samples: what is left over is a batch of its own.",
                      lambda order, size: tuple(np.split(order, range(size, len(order) // size * size, size)))),
        Misconception("an empty batch at the end",
                      "If the length divides there is nothing left over, and no further batch.",
                      lambda order, size: tuple(order[i * size : (i + 1) * size]
                                                for i in range(len(order) // size + 1))),
        Misconception("windows that overlap", "The next batch begins where the last one ended, not one sample further.",
                      lambda order, size: tuple(order[first : first + size] for first in range(len(order)))),
        Misconception("every so manieth sample", "A batch holds entries that follow each other in order.",
                      lambda order, size: tuple(order[first :: -(-len(order) // size)]
                                                for first in range(-(-len(order) // size)))),
        Misconception("one sample too few in each batch",
                      "A slice ends before its second number: first : first + batch_size has batch_size entries.",
                      lambda order, size: tuple(order[first : first + size - 1]
                                                for first in range(0, len(order), size))),
        Misconception("every slice ends at the batch size",
                      "A slice is given by two positions, not by a position and a length: the second number has to "
                      "move on with the first.",
                      lambda order, size: tuple(order[first:size] for first in range(0, len(order), size))),
        Misconception("numbers of samples taken for positions",
                      "order holds the numbers of the samples already. Here they are used to look up order once more.",
                      lambda order, size: tuple(order[b % len(order)] for b in batches(order, size))),
        Misconception("samples in reverse order", "The batches follow the order as it is given, from its beginning.",
                      lambda order, size: batches(order[::-1], size),
                      also=(lambda order, size: batches(order, size)[::-1],)),
        Misconception("only the first batch", "All batches are asked for, in a list.", lambda order, size: order[:size],
                      also=(lambda order, size: (order[:size],),)),
        Misconception("one batch of everything", "The order is cut into batches of batch_size.",
                      lambda order, size: order, also=(lambda order, size: (order,),)),
    )
    hints = (
        "With 7 samples and batches of 3: where does each batch begin? How long is the last one?",
        "range takes a third number, the step. A slice that goes beyond the end is cut off there by itself.",
        "order[first : first + batch_size], for each first that range gives, from 0 to the length in steps of "
        "batch_size.",
    )


def rate(epoch: float, epochs: float, warmup: float, peak: float) -> float:
    """The reference's schedule."""
    return peak * CosineDecay(epochs, warmup)(epoch)


def curve(shape: Callable[[float], float]) -> Callable[[float, float, float, float], float]:
    """The right start, and after it another curve, given the share of the time that has passed."""
    def schedule(epoch: float, epochs: float, warmup: float, peak: float) -> float:
        if epoch < warmup:
            return peak * epoch / warmup
        return peak * shape(min((epoch - warmup) / (epochs - warmup), 1.0))
    return schedule


@exercise("warmup_cosine", notebook=NOTEBOOK, points=3)
class WarmupCosine:
    """The learning rate at any time of the training.

    epoch is how many epochs have passed, a number that need not be whole. During the first `warmup` epochs the
    learning rate rises from 0 to `peak` in a straight line. From there it falls along half a cosine: with t the share
    of the remaining time that has passed, from 0 to 1, it is peak times (1 + cos(pi t)) / 2. It arrives at 0 after
    `epochs` epochs and stays there. warmup may be 0.
    """

    def warmup_cosine(epoch, epochs, warmup, peak):
        return rate(epoch, epochs, warmup, peak)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        peak = float(rng.uniform(0.02, 0.5))
        yield Case("the beginning", (0.0, 10, 2, peak))
        yield Case("in the middle of the warm-up", (1.0, 10, 2, peak))
        yield Case("between two epochs of the warm-up", (float(rng.uniform(1.1, 2.9)), 15, 3, peak))
        yield Case("the end of the warm-up", (2, 10, 2, peak))
        yield Case("half of the way down", (6.0, 10, 2, peak))
        yield Case("a quarter of the way down", (4, 10, 2, peak))
        yield Case("late", (9.25, 10, 1, peak))
        yield Case("the end", (10, 10, 2, peak))
        yield Case("beyond the end", (13, 10, 2, peak))
        yield Case("no warm-up, the beginning", (0, 8, 0, peak))
        yield Case("no warm-up, later", (float(rng.uniform(1, 7)), 8, 0, peak))
        yield Case("a warm-up of half an epoch", (0.25, 4, 0.5, peak))
        for number in (1, 2):
            epochs, warmup = int(rng.integers(8, 30)), int(rng.integers(1, 5))
            time = float(rng.uniform(warmup + 1, epochs - 1))
            yield Case(f"drawn at random ({number})", (time, epochs, warmup, peak))

    misconceptions = (
        Misconception("no warm-up", "At the beginning the learning rate is 0 and rises.",
                      lambda e, n, w, peak: rate(max(e, w), n, w, peak)),
        Misconception("cosine counted from the beginning",
                      "The share t counts the time after the warm-up: it is 0 when the warm-up ends, so that the "
                      "curve has no jump there.", lambda e, n, w, peak: peak * e / w if e < w else rate(e, n, 0, peak),
                      also=(lambda e, n, w, peak: (min(1, e / w) if w else 1) * rate(e, n, 0, peak),)),
        Misconception("warm-up not taken from the remaining time",
                      "After the warm-up there are epochs - warmup epochs left; t has to be 1 at the end.",
                      lambda e, n, w, peak: peak * e / w if e < w else rate(e - w, n, 0, peak)),
        Misconception("one not added to the cosine",
                      "A cosine goes from 1 to -1. A learning rate below zero would climb uphill: one is added, and "
                      "the sum halved.", curve(lambda t: math.cos(math.pi * t)),
                      also=(curve(lambda t: math.cos(math.pi * t) / 2),)),
        Misconception("not halved", "One plus a cosine begins at 2: it is halved so that it begins at the peak.",
                      curve(lambda t: 1 + math.cos(math.pi * t))),
        Misconception("a whole cosine",
                      "Half a cosine goes from its top to its bottom once. Here it comes up again: look at the factor "
                      "of t.", curve(lambda t: (1 + math.cos(2 * math.pi * t)) / 2)),
        Misconception("a quarter of a cosine",
                      "The curve goes from the top to the bottom of the cosine, that is through half of its period.",
                      curve(lambda t: math.cos(math.pi / 2 * t)),
                      also=(curve(lambda t: (1 + math.cos(math.pi / 2 * t)) / 2),)),
        Misconception("degrees", "cos takes its angle in radians: pi is half a turn.",
                      curve(lambda t: (1 + math.cos(180 * t)) / 2)),
        Misconception("pi forgotten", "cos(t) has hardly begun to fall at t = 1: half a turn is pi.",
                      curve(lambda t: (1 + math.cos(t)) / 2)),
        Misconception("rises where it should fall",
                      "The learning rate is largest right after the warm-up. Look at the sign before the cosine.",
                      curve(lambda t: (1 - math.cos(math.pi * t)) / 2)),
        Misconception("sine instead of cosine", "The curve begins at its top, as the cosine does.",
                      curve(lambda t: math.sin(math.pi * t)), also=(curve(lambda t: (1 + math.sin(math.pi * t)) / 2),)),
        Misconception("a straight line down",
                      "After the warm-up the learning rate falls along a cosine: slowly, then fast, then slowly.",
                      curve(lambda t: 1 - t)),
        Misconception("rises again after the end",
                      "From the end on the learning rate stays 0. The cosine itself would go up again: t is at most 1.",
                      lambda e, n, w, peak: peak * e / w if e < w else
                      peak * (1 + math.cos(math.pi * (e - w) / (n - w))) / 2),
        Misconception("peak forgotten", "The curve from 0 to 1 and back is multiplied by peak.",
                      lambda e, n, w, peak: rate(e, n, w, 1.0),
                      also=(lambda e, n, w, peak: rate(e, n, w, peak) if e < w else rate(e, n, w, 1.0),
                            lambda e, n, w, peak: rate(e, n, w, 1.0) if e < w else rate(e, n, w, peak))),
        Misconception("divided by a warm-up of zero",
                      "Without a warm-up there is nothing to divide by: ask first whether the warm-up is still going "
                      "on.", lambda e, n, w, peak: peak * min(e / w, 1) if e <= w else rate(e, n, w, peak),
                      also=(lambda e, n, w, peak: min(e / w, 1) * rate(max(e, w), n, w, peak),)),
        Misconception("whole epochs only", "The rate changes within an epoch, too: fractions of epochs count.",
                      lambda e, n, w, peak: rate(int(e), n, w, peak)),
        Misconception("warm-up counted from one", "After 0 epochs the rate is 0.",
                      lambda e, n, w, peak: peak * (e + 1) / w if e < w else rate(e, n, w, peak),
                      also=(lambda e, n, w, peak: peak * (e + 1) / (w + 1) if e < w else rate(e, n, w, peak),)),
        Misconception("warm-up over another time", "The rate arrives at the peak after `warmup` epochs.",
                      lambda e, n, w, peak: peak * e / n if e < w else rate(e, n, w, peak),
                      also=(lambda e, n, w, peak: peak * e / (w + 1) if e < w else rate(e, n, w, peak),)),
        Misconception("warm-up not subtracted from the time that has passed",
                      "At the end of the warm-up no time of the way down has passed: t is 0.",
                      lambda e, n, w, peak: peak * e / w if e < w else rate(e / (n - w), 1, 0, peak)),
        Misconception("an epoch too short", "The rate arrives at 0 after `epochs` epochs, not one before.",
                      lambda e, n, w, peak: rate(e, n - 1, w, peak)),
        Misconception("always the peak", "The rate changes: it rises, and then falls.", lambda e, n, w, peak: peak),
        Misconception("another curve upward", "During the warm-up the rate rises in a straight line.",
                      lambda e, n, w, peak: peak * (1 - math.cos(math.pi * e / w)) / 2 if e < w
                      else rate(e, n, w, peak),
                      also=(lambda e, n, w, peak: peak * (e / w) ** 2 if e < w else rate(e, n, w, peak),)),
    )
    hints = (
        "Sketch the curve for 10 epochs with a warm-up of 2. What is its value at 0, 1, 2, 6 and 10?",
        "Two cases, before and after the end of the warm-up. In the second one compute t first, and see that it is 0 "
        "and 1 where it should be.",
        "t is (epoch - warmup) / (epochs - warmup), but at most 1; then peak * (1 + np.cos(np.pi * t)) / 2.",
    )
