"""Rules for sizes: how often an input can be halved."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from autograder.exercises.architectures.patterns import NOTEBOOK
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import geometry


def _twos(number: int) -> int:
    """How often 2 divides a number."""
    return (number & -number).bit_length() - 1


def _until_one(number: int) -> int:
    return number.bit_length() - 1


@exercise("halvings", notebook=NOTEBOOK, points=1)
class Halvings:
    """How often 2x2 pooling with stride 2 fits a picture without leaving anything over, one pool after the other."""

    def halvings(height, width):
        count = 0
        while geometry.fits(height, 2, 2) and geometry.fits(width, 2, 2):
            height, width = geometry.output_size((height, width), 2, 2)
            count += 1
        return count

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        yield Case("a power of two", (32, 32))
        yield Case("ImageNet's usual size", (224, 224))
        yield Case("AlexNet's size", (227, 227))
        three, more = 3 << int(rng.integers(3, 7)), int(rng.integers(2))
        yield Case("a size with a factor of three", (three, three))
        yield Case("taller than wide", (512 << more, 96))
        yield Case("wider than tall", (48, int(rng.choice([320, 448, 576]))))
        yield Case("even by odd", (64 << more, 45 + 2 * int(rng.integers(9))))
        yield Case("odd by even", (75 + 2 * int(rng.integers(9)), 16 << more))
        yield Case("one pixel", (1, 1))
        yield Case("one row", (1, 8 << int(rng.integers(5))))
        few, many = 1 + int(rng.integers(3)), 5 + int(rng.integers(3))
        odd, other = (int(n) for n in rng.choice([3, 5, 7, 9], 2, replace=False))
        yield Case("drawn at random, wider than tall", (odd << few, other << many))
        yield Case("drawn at random, taller than wide", (other << many, odd << few))

    misconceptions = (
        Misconception("rounded down on the way",
                      "With an odd size a row or a column is left over: that pool does not fit any more.",
                      lambda h, w: _until_one(min(h, w)),
                      also=(lambda h, w: _until_one(max(h, w)), lambda h, w: _until_one(h))),
        Misconception("the better of the two axes", "A pool has to fit along both axes.",
                      lambda h, w: max(_twos(h), _twos(w))),
        Misconception("only the height", "The width is halved by the same pools.", lambda h, w: _twos(h)),
        Misconception("only the width", "The height is halved by the same pools.", lambda h, w: _twos(w)),
        Misconception("number of pixels halved", "One pool halves the height *and* the width, not their product.",
                      lambda h, w: _twos(h * w)),
        Misconception("the one that fails counted too", "The first pool that leaves something over is not counted.",
                      lambda h, w: min(_twos(h), _twos(w)) + 1),
        Misconception("what is left instead of how often", "Asked for is how many pools fit, not the size after them.",
                      lambda h, w: min(h, w) >> min(_twos(h), _twos(w)),
                      also=(lambda h, w: h >> min(_twos(h), _twos(w)),)),
        Misconception("one too few", "A pool that fits is counted, the last one too.",
                      lambda h, w: min(_twos(h), _twos(w)) - 1),
        Misconception("a logarithm",
                      "The logarithm says how often a size can be halved down to 1, with halves of pixels on the way. "
                      "Here halving ends at the first odd size.", lambda h, w: math.log2(min(h, w)),
                      also=(lambda h, w: math.log2(h), lambda h, w: math.log2(h * w))),
        Misconception("at most one", "After a pool that fits, try the next one.",
                      lambda h, w: int(h % 2 == 0 and w % 2 == 0)),
        Misconception("the factor instead of the count",
                      "Four pools divide a side by 16; asked for is how many there are.",
                      lambda h, w: 1 << min(_twos(h), _twos(w))),
    )
    hints = (
        "When does one such pool fit? Think of 7 rows.",
        "A loop: as long as both sides are even, halve both of them and count.",
        "while height % 2 == 0 and width % 2 == 0: halve both with // 2, and add 1 to a counter that began with 0.",
    )
