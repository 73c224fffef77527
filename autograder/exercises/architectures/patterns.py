"""The pattern of most networks, written out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse.layers import Conv2d, Linear, MaxPool2d, ReLU
from cnncourse.pattern import parse

NOTEBOOK = "05-architectures"

PATTERN = "INPUT -> [[CONV -> RELU]*N -> POOL?]*M -> [FC -> RELU]*K -> FC"
NAMES = {Conv2d: "CONV", ReLU: "RELU", MaxPool2d: "POOL", Linear: "FC"}
"""What a pattern calls these layers; the flatten before the first FC has no name in it."""

SPELLED = {"INPUT": "Input", "CONV": "Conv", "RELU": "ReLU", "POOL": "Pool", "FC": "FC"}

Names = tuple[str, ...]


def _expanded(n, m, k, pool):
    """A right answer, of which wrong ones are edits."""
    convolutions = ["CONV", "RELU"] * n
    block = [*convolutions, *["POOL"] * pool]
    names = ["INPUT", *block * m, *["FC", "RELU"] * k, "FC"]
    return tuple(names)


LIST = Written.of(_expanded)


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
                      LIST.edited({"*convolutions, *[": '*["CONV", "RELU", *[', "* pool]": "* pool] * n]"})),
        Misconception("one pool for all blocks", "POOL stands inside of the outer bracket: every block has its own.",
                      LIST.edited({"*block * m": '*convolutions * m, *["POOL"] * pool'})),
        Misconception("pools only between blocks",
                      "The last block is a block like the others: it ends with a POOL too.",
                      LIST.edited({"*block * m": "*(block * m)[:-1 if pool and m else None]"})),
        Misconception("always a pool", "The question mark says that POOL may be left out: the last argument decides.",
                      LIST.given("pool = True")),
        Misconception("never a pool", "If the last argument is True, the POOL with the question mark is there.",
                      LIST.given("pool = False")),
        Misconception("pooling turned around", "True means that the POOL is there, False that it is left out.",
                      LIST.given("pool = not pool")),
        Misconception("N and M swapped",
                      "N belongs to the inner bracket and counts convolutions, M to the outer one and counts blocks.",
                      LIST.given("n, m = m, n")),
        Misconception("a ReLU after the last FC",
                      "The last FC stands outside of the bracket, without a RELU: scores may be negative.",
                      LIST.edited({', "FC"]\n': ', "FC", "RELU"]\n'})),
        Misconception("the last FC forgotten",
                      "After the bracket that comes K times the pattern has one FC more: it makes the scores.",
                      LIST.edited({', "FC"]\n': "]\n"})),
        Misconception("K counts the last FC too", "K belongs to the bracket; the FC after it is not counted in K.",
                      LIST.given("k = k - 1")),
        Misconception("one ReLU for a whole block",
                      "RELU stands inside of the inner bracket: each convolution is followed by one.",
                      LIST.edited({'["CONV", "RELU"] * n': '["CONV"] * n + ["RELU"] * (n > 0)'}),
                      also=(LIST.edited({'["CONV", "RELU"] * n': '["CONV"] * n + ["RELU"]'}),)),
        Misconception("all convolutions, then all ReLUs",
                      "A bracket is repeated as a whole: CONV -> RELU, then CONV -> RELU again.",
                      LIST.edited({'["CONV", "RELU"] * n': '["CONV"] * n + ["RELU"] * n'})),
        Misconception("no ReLU after convolutions", "In the inner bracket RELU follows each CONV.",
                      LIST.edited({'"CONV", "RELU"': '"CONV"'})),
        Misconception("no ReLU between the FCs",
                      "In the last bracket RELU follows each FC. Without it two FCs in a row could do no more than "
                      "one.", LIST.edited({'"FC", "RELU"': '"FC"'})),
        Misconception("INPUT forgotten", "The list begins with INPUT, as the pattern does.",
                      LIST.edited({'"INPUT", ': ""})),
        Misconception("INPUT in every block", "INPUT stands outside of all brackets: it comes once.",
                      LIST.edited({'"INPUT", ': "", "*block": '*["INPUT", *block]'})),
        Misconception("the outer bracket only once",
                      "*M after the outer bracket repeats everything in it, the inner bracket included.",
                      LIST.given("m = 1")),
        Misconception("the inner bracket only once", "*N after the inner bracket repeats CONV -> RELU in each block.",
                      LIST.given("n = 1")),
        Misconception("one text instead of a list", "Asked for is a list with one name for each layer, not one text.",
                      LIST.edited({"tuple(names)": '" ".join(names)'}),
                      also=(LIST.edited({"tuple(names)": '" -> ".join(names)'}),)),
        Misconception("lists within the list",
                      "All names stand side by side in one list: a block is not a list of its own in it. Adding a "
                      "list with + or += puts its elements in; append puts in the list itself.",
                      LIST.edited({"*block": "*[block]"}),
                      also=(LIST.edited({'["CONV", "RELU"]': '[["CONV", "RELU"]]',
                                         '["FC", "RELU"]': '[["FC", "RELU"]]'}),)),
        Misconception("names spelled otherwise", "The names are written in capital letters, as in the pattern.",
                      LIST.edited({"tuple(names)": "tuple(name.lower() for name in names)"}),
                      also=(LIST.edited({"tuple(names)": "tuple(SPELLED[name] for name in names)"}),)),
        Misconception("FCs repeated with the blocks",
                      "The bracket of the FCs comes after the outer bracket, not in it: first all blocks, then the "
                      "FCs.", LIST.edited({"*block * m, *": "*(block + ", "* k,": "* k) * m,"})),
    )
    hints = (
        "Read the pattern from the inside out: what does one inner bracket give, what one block?",
        "Lists can be added and repeated: [1, 2] + [3] and [1, 2] * 3. Or append names in two nested loops, and then "
        "in a third one.",
        "A block is [\"CONV\", \"RELU\"] * n, with [\"POOL\"] added if `pool`. Repeat the block m times, put \"INPUT\" "
        "before it, and behind it the FCs with their RELUs and the last FC without one.",
    )
