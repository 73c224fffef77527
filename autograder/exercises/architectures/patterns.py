"""The pattern of most networks, written out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse.layers import Conv2d, Linear, MaxPool2d, ReLU
from cnncourse.pattern import parse

NOTEBOOK = "05-architectures"

PATTERN = "INPUT -> [[CONV -> RELU]*N -> POOL?]*M -> [FC -> RELU]*K -> FC"
NAMES = {Conv2d: "CONV", ReLU: "RELU", MaxPool2d: "POOL", Linear: "FC"}
"""What a pattern calls these layers; the flatten before the first FC has no name in it."""

SPELLED = {"INPUT": "Input", "CONV": "Conv", "RELU": "ReLU", "POOL": "Pool", "FC": "FC"}

Names = tuple[str, ...]


def _right(n: int, m: int, k: int, pool: bool) -> Names:
    return ("INPUT", *(("CONV", "RELU") * n + ("POOL",) * pool) * m, *("FC", "RELU") * k, "FC")


def _pools_only_between(n: int, m: int, k: int, pool: bool) -> Names:
    blocks = (("CONV", "RELU") * n + ("POOL",) * pool) * m
    if pool and blocks:
        blocks = blocks[:-1]
    return ("INPUT", *blocks, *("FC", "RELU") * k, "FC")


@exercise("expand_pattern", notebook=NOTEBOOK, points=2)
class ExpandPattern:
    """Write a pattern out as a list of layers.

    For INPUT -> [[CONV -> RELU]*N -> POOL?]*M -> [FC -> RELU]*K -> FC return the names of all layers in their order,
    from "INPUT" to "FC". `n`, `m` and `k` say how often each bracket comes, zero times included; `pool` is True if the
    POOL that bears the question mark is there, and False if it is not.
    """

    def expand_pattern(n, m, k, pool):
        size = 2 ** (m + 1)
        network = parse(PATTERN, (1, size, size), optional=pool, N=n, M=m, K=k)
        return ("INPUT", *(NAMES[type(node.layer)] for node in network.nodes if type(node.layer) in NAMES))

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        yield Case("every bracket once, with pooling", (1, 1, 1, True))
        yield Case("every bracket once, without pooling", (1, 1, 1, False))
        yield Case("two convolutions before the pool", (2, 1, 1, True))
        yield Case("two blocks with one convolution each", (1, 2, 1, True))
        yield Case("no FC before the last one", (1, 2, 0, True))
        yield Case("three FCs before the last one", (1, 1, 3, True))
        yield Case("two convolutions in each of three blocks", (2, 3, 2, True))
        yield Case("three convolutions in each of two blocks, without pooling", (3, 2, 1, False))
        yield Case("no convolution, only pools", (0, 2, 1, True))
        yield Case("no block at all", (2, 0, 2, True))
        yield Case("every bracket zero times", (0, 0, 0, True))
        n, m = (int(number) for number in rng.choice(np.arange(1, 6), 2, replace=False))
        yield Case("drawn at random", (n, m, int(rng.integers(0, 4)), bool(rng.integers(2))))
        yield Case("drawn at random, with pooling", (m, n, int(rng.integers(1, 4)), True))

    misconceptions = (
        Misconception("a pool after every convolution",
                      "POOL stands outside of the inner bracket: it comes after all N convolutions of a block.",
                      lambda n, m, k, pool: ("INPUT", *("CONV", "RELU", *("POOL",) * pool) * (n * m),
                                             *("FC", "RELU") * k, "FC")),
        Misconception("one pool for all blocks",
                      "POOL stands inside of the outer bracket: every block has its own.",
                      lambda n, m, k, pool: ("INPUT", *("CONV", "RELU") * (n * m), *("POOL",) * pool,
                                             *("FC", "RELU") * k, "FC")),
        Misconception("pools only between blocks",
                      "The last block is a block like the others: it ends with a POOL too.", _pools_only_between),
        Misconception("always a pool", "The question mark says that POOL may be left out: the last argument decides.",
                      lambda n, m, k, pool: ("INPUT", *(("CONV", "RELU") * n + ("POOL",)) * m,
                                             *("FC", "RELU") * k, "FC")),
        Misconception("never a pool", "If the last argument is True, the POOL with the question mark is there.",
                      lambda n, m, k, pool: ("INPUT", *("CONV", "RELU") * (n * m), *("FC", "RELU") * k, "FC")),
        Misconception("pooling turned around", "True means that the POOL is there, False that it is left out.",
                      lambda n, m, k, pool: ("INPUT", *(("CONV", "RELU") * n + ("POOL",) * (not pool)) * m,
                                             *("FC", "RELU") * k, "FC")),
        Misconception("N and M swapped",
                      "N belongs to the inner bracket and counts convolutions, M to the outer one and counts blocks.",
                      lambda n, m, k, pool: ("INPUT", *(("CONV", "RELU") * m + ("POOL",) * pool) * n,
                                             *("FC", "RELU") * k, "FC")),
        Misconception("a ReLU after the last FC",
                      "The last FC stands outside of the bracket, without a RELU: scores may be negative.",
                      lambda n, m, k, pool: ("INPUT", *(("CONV", "RELU") * n + ("POOL",) * pool) * m,
                                             *("FC", "RELU") * (k + 1))),
        Misconception("the last FC forgotten",
                      "After the bracket that comes K times the pattern has one FC more: it makes the scores.",
                      lambda n, m, k, pool: ("INPUT", *(("CONV", "RELU") * n + ("POOL",) * pool) * m,
                                             *("FC", "RELU") * k)),
        Misconception("K counts the last FC too",
                      "K belongs to the bracket; the FC after it is not counted in K.",
                      lambda n, m, k, pool: ("INPUT", *(("CONV", "RELU") * n + ("POOL",) * pool) * m,
                                             *("FC", "RELU") * (k - 1), "FC")),
        Misconception("one ReLU for a whole block",
                      "RELU stands inside of the inner bracket: each convolution is followed by one.",
                      lambda n, m, k, pool: ("INPUT", *(("CONV",) * n + ("RELU",) * (n > 0) + ("POOL",) * pool) * m,
                                             *("FC", "RELU") * k, "FC"),
                      also=(lambda n, m, k, pool: ("INPUT", *(("CONV",) * n + ("RELU",) + ("POOL",) * pool) * m,
                                                   *("FC", "RELU") * k, "FC"),)),
        Misconception("all convolutions, then all ReLUs",
                      "A bracket is repeated as a whole: CONV -> RELU, then CONV -> RELU again.",
                      lambda n, m, k, pool: ("INPUT", *(("CONV",) * n + ("RELU",) * n + ("POOL",) * pool) * m,
                                             *("FC", "RELU") * k, "FC")),
        Misconception("no ReLU after convolutions", "In the inner bracket RELU follows each CONV.",
                      lambda n, m, k, pool: ("INPUT", *(("CONV",) * n + ("POOL",) * pool) * m,
                                             *("FC", "RELU") * k, "FC")),
        Misconception("no ReLU between the FCs",
                      "In the last bracket RELU follows each FC. Without it two FCs in a row could do no more than "
                      "one.",
                      lambda n, m, k, pool: ("INPUT", *(("CONV", "RELU") * n + ("POOL",) * pool) * m,
                                             *("FC",) * (k + 1))),
        Misconception("INPUT forgotten", "The list begins with INPUT, as the pattern does.",
                      lambda n, m, k, pool: (*(("CONV", "RELU") * n + ("POOL",) * pool) * m,
                                             *("FC", "RELU") * k, "FC")),
        Misconception("INPUT in every block", "INPUT stands outside of all brackets: it comes once.",
                      lambda n, m, k, pool: (*("INPUT", *("CONV", "RELU") * n, *("POOL",) * pool) * m,
                                             *("FC", "RELU") * k, "FC")),
        Misconception("the outer bracket only once",
                      "*M after the outer bracket repeats everything in it, the inner bracket included.",
                      lambda n, m, k, pool: ("INPUT", *("CONV", "RELU") * n, *("POOL",) * pool,
                                             *("FC", "RELU") * k, "FC")),
        Misconception("the inner bracket only once", "*N after the inner bracket repeats CONV -> RELU in each block.",
                      lambda n, m, k, pool: ("INPUT", *("CONV", "RELU", *("POOL",) * pool) * m,
                                             *("FC", "RELU") * k, "FC")),
        Misconception("one text instead of a list", "Asked for is a list with one name for each layer, not one text.",
                      lambda n, m, k, pool: " ".join(_right(n, m, k, pool)),
                      also=(lambda n, m, k, pool: " -> ".join(_right(n, m, k, pool)),)),
        Misconception("lists within the list",
                      "All names stand side by side in one list: a block is not a list of its own in it. Adding a list "
                      "with + or += puts its elements in; append puts in the list itself.",
                      lambda n, m, k, pool: ("INPUT", *(("CONV", "RELU") * n + ("POOL",) * pool,) * m,
                                             *("FC", "RELU") * k, "FC"),
                      also=(lambda n, m, k, pool: ("INPUT", *((("CONV", "RELU"),) * n + ("POOL",) * pool) * m,
                                                   *(("FC", "RELU"),) * k, "FC"),)),
        Misconception("names spelled otherwise", "The names are written in capital letters, as in the pattern.",
                      lambda n, m, k, pool: tuple(name.lower() for name in _right(n, m, k, pool)),
                      also=(lambda n, m, k, pool: tuple(SPELLED[name] for name in _right(n, m, k, pool)),)),
        Misconception("FCs repeated with the blocks",
                      "The bracket of the FCs comes after the outer bracket, not in it: first all blocks, then the "
                      "FCs.",
                      lambda n, m, k, pool: ("INPUT", *(("CONV", "RELU") * n + ("POOL",) * pool
                                                        + ("FC", "RELU") * k) * m, "FC")),
    )
    hints = (
        "Read the pattern from the inside out: what does one inner bracket give, what one block?",
        "Lists can be added and repeated: [1, 2] + [3] and [1, 2] * 3. Or append names in two nested loops, and then "
        "in a third one.",
        "A block is [\"CONV\", \"RELU\"] * n, with [\"POOL\"] added if `pool`. Repeat the block m times, put \"INPUT\" "
        "before it, and behind it the FCs with their RELUs and the last FC without one.",
    )
