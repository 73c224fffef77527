"""Maximum pooling of 2x2 blocks, forward and backward, by a reshape."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np

from autograder.exercises import words
from autograder.exercises.making import in_answer
from autograder.exercises.training import common
from autograder.exercises.training.common import NOTEBOOK, Array
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F

FORWARD, BACKWARD = "pool2x2_forward", "pool2x2_backward"


def blocks(x: Array) -> Array:
    """A view with the rows and columns of each 2x2 block as axes 3 and 5."""
    samples, channels, height, width = x.shape
    return x.reshape(samples, channels, height // 2, 2, width // 2, 2)


def spread(pooled: Array) -> Array:
    """Every value of a pooled map at all four places of its block."""
    return pooled.repeat(2, axis=2).repeat(2, axis=3)


def tied(x: Array) -> Array:
    """Where an entry is as large as the largest of its block."""
    return x == spread(F.max_pool2d(x, 2))


def halves(x: Array) -> Array:
    """Blocks of entries that lie half a picture apart."""
    samples, channels, height, width = x.shape
    return x.reshape(samples, channels, 2, height // 2, 2, width // 2).max(axis=(2, 4))


def in_a_row(x: Array) -> Array:
    """Blocks of four entries that follow each other in memory."""
    samples, channels, height, width = x.shape
    return np.ascontiguousarray(x).reshape(samples, channels, height // 2, width // 2, 4).max(axis=-1)


def nearest_split(given: Any, grad_out: Array, x: Array) -> Array:
    """The right gradient nearest to a given one: entries that tie may share the block's gradient in any way.

    A block that shares rightly is returned as it was given; in the others the first of the largest gets all.
    """
    first = F.max_pool2d_backward(grad_out, x, 2)
    shared = np.asarray(given)
    if shared.shape != x.shape or shared.dtype.kind not in "biuf":
        return first
    shared, single = shared.astype(x.dtype), np.float32 in (shared.dtype, x.dtype)
    slack = (1e-4 if single else 1e-7) * np.abs(grad_out).max()
    whole = spread(grad_out)
    share = shared * np.sign(whole)
    entry_fits = np.where(tied(x), (share >= -slack) & (share <= np.abs(whole) + slack), np.abs(shared) <= slack)
    block_fits = np.abs(blocks(shared).sum(axis=(3, 5)) - grad_out) <= slack
    block_fits &= blocks(entry_fits).all(axis=(3, 5))
    return np.where(spread(block_fits), shared, first)


def backward(change: Callable[..., Array]) -> Callable[..., Array]:
    """A backward pass from the gradient, spread over its blocks, the input, and the places of the largest."""
    return lambda grad_out, x: change(spread(grad_out), x, tied(x)).astype(x.dtype)


@exercise("pool2x2", notebook=NOTEBOOK, points=3, answers=(FORWARD, BACKWARD))
class Pool2x2:
    """The largest entry of each 2x2 block, and the way back.

    x has shape (N, C, H, W) with H and W even. pool2x2_forward returns shape (N, C, H / 2, W / 2). pool2x2_backward
    gets the gradient with respect to this and the input x, and returns the gradient with respect to x: in each block
    the largest entry gets it. If several are equally large they share it in any way, as long as their parts add up.
    """

    def pool2x2_forward(x):
        return F.max_pool2d(x, 2)

    def pool2x2_backward(grad_out, x):
        return F.max_pool2d_backward(grad_out, x, 2)

    alternatives: ClassVar = {BACKWARD: nearest_split}

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        draw = rng.standard_normal

        def gradient(x: Array) -> Array:
            samples, channels, height, width = x.shape
            return draw((samples, channels, height // 2, width // 2)).astype(x.dtype)

        inputs = {
            "one block": draw((1, 1, 2, 2)),
            "four blocks": draw((1, 1, 4, 4)),
            "channels and samples": draw((2, 3, 4, 4)),
            "taller than wide": draw((1, 2, 6, 2)),
            "wider than tall": draw((2, 1, 2, 6)),
            "all entries negative": -rng.uniform(0.5, 3, (1, 2, 4, 6)),
            "entries that fall along each row": np.arange(24.0)[::-1].reshape(1, 1, 4, 6) + rng.uniform(0, 0.5),
            "ties, as after a rectifier": np.maximum(draw((2, 2, 4, 6)) - 1.2, 0),
            "all entries equal": np.full((1, 2, 2, 4), rng.uniform(-1, 1)),
            "single precision": draw((2, 2, 4, 2)).astype(np.float32),
        }
        for name, x in inputs.items():
            yield Case(name, (x,), FORWARD)
            yield Case(name, (gradient(x), x), BACKWARD)
        x = draw((2, 2, 4, 6))
        yield Case("strided memory", (common.strided(x),), FORWARD)
        yield Case("Fortran order", (np.asfortranarray(x),), FORWARD)
        yield Case("Fortran order", (np.asfortranarray(gradient(x)), common.strided(x)), BACKWARD)
        x = np.maximum(draw((1, 2, 6, 4)), 0).astype(np.float32)
        yield Case("ties in single precision", (gradient(x), x), BACKWARD)

    misconceptions = (
        Misconception(*words.AVERAGE, lambda x: F.avg_pool2d(x, 2)),
        Misconception("smallest instead of largest", "The largest entry of each block is asked for.",
                      lambda x: -F.max_pool2d(-x, 2)),
        Misconception("blocks half a picture apart",
                      "An axis of H entries is H / 2 blocks of 2, in this order. As (2, H / 2) it is two halves, and "
                      "entries that lie half a picture apart are compared.", halves),
        Misconception("four in a row",
                      "A block is two neighbors from each of two rows. A reshape to groups of four takes four "
                      "neighbors of one row.", in_a_row),
        Misconception("one corner of each block", "All four entries of a block are compared; here one is picked.",
                      lambda x: x[:, :, ::2, ::2].copy(), also=(lambda x: x[:, :, 1::2, 1::2].copy(),)),
        Misconception("blocks of two rows only", "A block spans two rows and two columns.",
                      lambda x: blocks(x).max(axis=3).reshape(*x.shape[:2], x.shape[2] // 2, x.shape[3])),
        Misconception("blocks of two columns only", "A block spans two rows and two columns.",
                      lambda x: blocks(x).max(axis=5).reshape(*x.shape[:3], x.shape[3] // 2)),
        Misconception("one number for each map", "The largest of each 2x2 block is asked for, not of each map.",
                      lambda x: x.max(axis=(2, 3)), also=(lambda x: x.max(axis=(2, 3), keepdims=True),)),
        Misconception("maximum across the blocks",
                      "Of the six axes two count the blocks and two run inside of them. The maximum is taken over "
                      "those inside.", lambda x: blocks(x).max(axis=(2, 4))),
        Misconception("blocks that overlap", "Blocks lie side by side: the next one begins two entries further.",
                      lambda x: F.max_pool2d(x, 2, 1)),
        Misconception("never below zero",
                      "The largest of four negative numbers is negative. Here zero wins: look at what the comparison "
                      "starts with.", lambda x: F.relu(F.max_pool2d(x, 2))),
        Misconception("largest in size", "-3 is smaller than 1: the sign counts.",
                      lambda x: F.max_pool2d(np.abs(x), 2)),
        *in_answer(
            BACKWARD,
            Misconception("all ties get the whole gradient",
                          "Where several entries are equally large, their parts have to add up to the block's "
                          "gradient. Here each of them gets all of it.", backward(lambda g, x, first: g * first)),
            Misconception("gradient spread evenly",
                          "Three of the four entries had no influence on the output and get nothing. A quarter for "
                          "each would be the gradient of the average.", backward(lambda g, x, first: g / 4)),
            Misconception("gradient for all four",
                          "Three of the four entries had no influence on the output: they get nothing.",
                          backward(lambda g, x, first: g)),
            Misconception("places without the gradient",
                          "The largest entry gets the gradient that comes in, not the number one.",
                          backward(lambda g, x, first: 1.0 * first)),
            Misconception("multiplied by the largest entry",
                          "The slope of a maximum with respect to its largest entry is 1, whatever its value is.",
                          backward(lambda g, x, first: g * x * first),
                          also=(backward(lambda g, x, first: g * x * first
                                         / np.maximum(spread(blocks(first).sum(axis=(3, 5))), 1)),)),
            Misconception("gradient laid out like tiles",
                          "Each entry of the gradient belongs to one block of two by two. np.tile repeats the whole "
                          "map; the entries have to be repeated one by one.",
                          lambda grad_out, x: np.tile(grad_out, (1, 1, 2, 2)) * tied(x)),
            Misconception("always the same corner", "Which of the four entries gets the gradient depends on x.",
                          backward(lambda g, x, first: g * (np.indices(x.shape)[2:] % 2 == 0).all(axis=0)),
                          also=(backward(lambda g, x, first: g * (np.indices(x.shape)[2:] % 2 == 1).all(axis=0)),)),
            Misconception("the largest of the whole map", "Each block has a largest entry of its own, not each map.",
                          backward(lambda g, x, first: g * (x == x.max(axis=(2, 3), keepdims=True))),
                          also=(backward(lambda g, x, first: g * (x == x.max())),)),
            Misconception("positive entries instead of the largest",
                          "This is the rectifier's rule. Pooling compares the entries of a block with each other.",
                          backward(lambda g, x, first: g * (x > 0))),
        ),
        Misconception("sum instead of maximum", "The largest of the four is asked for, not their sum.",
                      lambda x: 4 * F.avg_pool2d(x, 2)),
        Misconception("two of the four", "All four entries of a block are compared, not those on a diagonal.",
                      lambda x: np.maximum(x[:, :, ::2, ::2], x[:, :, 1::2, 1::2]),
                      also=(lambda x: np.maximum(x[:, :, ::2, 1::2], x[:, :, 1::2, ::2]),)),
        *in_answer(
            BACKWARD,
            Misconception("largest in size on the way back", "-3 is smaller than 1: the sign counts.",
                          lambda g, x: F.max_pool2d_backward(g, np.abs(x), 2)),
            Misconception("gradient for the smallest", "The largest entry gets the gradient.",
                          lambda g, x: F.max_pool2d_backward(g, -x, 2)),
            Misconception("a quarter of the gradient",
                          "The largest entry gets the whole gradient of its block; only ties share it.",
                          lambda g, x: F.max_pool2d_backward(g, x, 2) / 4),
            Misconception("the input instead of the gradient",
                          "What is handed back is the gradient, at the place of the largest.",
                          lambda g, x: x * tied(x)),
        ),
    )
    hints = (
        "An axis of 6 entries is 3 blocks of 2. Which six axes do you get if you split rows and columns in this way?",
        "x.reshape(N, C, H // 2, 2, W // 2, 2): which of these axes run inside of a block? For the way back, compare x "
        "with the largest of its block, repeated to the size of x, and count how many are equally large.",
        "Take the maximum over axes 3 and 5, with keepdims=True on the way back. Of the six-axis view, the entries "
        "equal to it share: divide the True entries by their number in the block, multiply by the gradient with two "
        "axes of size 1 inserted, and reshape.",
    )
