"""The rectifier, forward and backward."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.exercises import words
from autograder.exercises.making import in_answer
from autograder.exercises.training import common
from autograder.exercises.training.common import NOTEBOOK, Array
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F


@exercise("relu_layer", notebook=NOTEBOOK, points=2, answers=("relu_forward", "relu_backward"))
class ReluLayer:
    """Keep what is positive, and let the gradient pass there.

    relu_forward returns an array like x with zeros in place of what is not positive. relu_backward gets the gradient
    with respect to the output and the input x, and returns the gradient with respect to x. At exactly zero nothing
    passes. Arrays of any shape.
    """

    def relu_forward(x):
        return F.relu(x)

    def relu_backward(grad_out, x):
        return F.relu_backward(grad_out, x)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def mixed(*shape: int) -> Array:
            """Zeros and, wherever there is room, both signs, far from zero."""
            values = rng.uniform(0.3, 2, shape) * rng.choice([-1.0, 1.0], shape)
            values.flat[:3] = [-1.5, 1.5, 0.0]
            return values

        def pair(*shape: int) -> tuple[Array, Array]:
            grad_out = mixed(*shape)
            grad_out.flat[:3] = [1.25, -0.75, 2.5]
            return grad_out, mixed(*shape)

        yield Case("a list of numbers", (mixed(7),))
        yield Case("nothing positive", (-np.abs(mixed(2, 4)),))
        yield Case("everything positive", (np.abs(mixed(3, 2)) + 0.5,))
        yield Case("scores", (mixed(3, 5),))
        yield Case("feature maps, wider than tall", (mixed(2, 3, 2, 4),))
        yield Case("values above one", (5 * mixed(2, 6),))
        yield Case("single precision", (mixed(2, 2, 3, 3).astype(np.float32),))
        yield Case("strided memory", (common.strided(mixed(3, 4)),))
        yield Case("Fortran order", (np.asfortranarray(mixed(4, 3)),))
        yield Case("a list of numbers", pair(7), "relu_backward")
        yield Case("scores", pair(3, 5), "relu_backward")
        yield Case("feature maps, taller than wide", pair(2, 3, 4, 2), "relu_backward")
        yield Case("inputs that are zero", (mixed(2, 3) + 3, np.zeros((2, 3))), "relu_backward")
        yield Case("gradients that are all negative", (-np.abs(mixed(2, 4)) - 0.5, mixed(2, 4)), "relu_backward")
        grad_out, x = pair(2, 2, 3, 3)
        yield Case("single precision", (grad_out.astype(np.float32), x.astype(np.float32)), "relu_backward")
        grad_out, x = pair(3, 4)
        yield Case("strided memory", (common.strided(grad_out), np.asfortranarray(x)), "relu_backward")

    misconceptions = (
        Misconception("largest along an axis",
                      "np.max(x, 0) looks for the largest entry along axis 0 and loses this axis. The rectifier "
                      "compares each entry with zero, and the shape stays.", lambda x: np.max(x, 0)),
        Misconception("absolute value", "A negative input becomes zero, not its positive counterpart.", np.abs),
        Misconception("negative part kept",
                      "What is positive is kept and what is negative becomes zero, not the other way around.",
                      lambda x: np.minimum(x, 0)),
        Misconception("negative entries removed",
                      "Every entry keeps its place. Picking the positive ones gives a shorter list.",
                      lambda x: x[x > 0]),
        Misconception("ones instead of values",
                      "x > 0 says where the input is positive. The output there is the input itself.",
                      lambda x: (x > 0).astype(x.dtype)),
        Misconception("cut off at one", "The rectifier has no upper bound: positive inputs stay what they are.",
                      lambda x: np.clip(x, 0, 1)),
        Misconception("leaky",
                      "Negative inputs become exactly zero. A small slope there is another activation, the leaky ReLU.",
                      lambda x: np.where(x > 0, x, x * x.dtype.type(0.01)),
                      also=(lambda x: np.where(x > 0, x, x * x.dtype.type(0.1)),)),
        Misconception("sigmoid", "The sigmoid bends every input. The rectifier leaves positive ones as they are.",
                      lambda x: 1 / (1 + np.exp(-x))),
        *in_answer(
            "relu_backward",
            Misconception("mask from the gradient",
                          "Whether the gradient passes is decided by the input of the forward pass. A negative "
                          "gradient passes unchanged where the input was positive.", lambda g, x: F.relu(g)),
            Misconception("gradient passes everywhere",
                          "Where the input was negative the output is zero, whatever the input does: no gradient "
                          "passes there.", lambda g, x: g.copy()),
            Misconception("zero counted as positive",
                          "At exactly zero nothing passes, by the convention of this text and of the libraries: look "
                          "at the comparison.", lambda g, x: g * (x >= 0)),
            Misconception("slope without the gradient",
                          "The chain rule multiplies: the slope of the rectifier, 0 or 1, times the gradient that "
                          "comes in.", lambda g, x: (x > 0).astype(g.dtype)),
            Misconception(*words.TIMES_OUTPUT, lambda g, x: g * F.relu(x)),
            Misconception("mask turned around", "The gradient passes where the input was positive.",
                          lambda g, x: g * (x <= 0)),
            Misconception("mask from both",
                          "The sign of the gradient does not matter: where the input was positive, a negative "
                          "gradient passes too.", lambda g, x: g * (x > 0) * (g > 0)),
            Misconception("sign changed where the input is negative",
                          "Where the input was negative the slope is 0, not -1: this is the gradient of the absolute "
                          "value.", lambda g, x: g * np.sign(x), also=(lambda g, x: np.where(x > 0, g, -g),)),
            Misconception("gradients removed",
                          "Every entry of the input has a gradient, and it is zero where nothing passes. Picking the "
                          "others gives a shorter list.", lambda g, x: g[x > 0]),
            Misconception("arguments swapped",
                          "The gradient comes first, the input second. Here the input passes where the gradient is "
                          "positive.", lambda g, x: x * (g > 0)),
            Misconception("forward pass again",
                          "What is asked for is a gradient: how the loss changes with the input. Here the layer's "
                          "output is returned.", lambda g, x: F.relu(x)),
        ),
        Misconception("another activation", "The rectifier leaves positive inputs exactly as they are, and makes all "
                      "others exactly zero. This is another function, which bends.",
                      np.tanh, also=(lambda x: np.log1p(np.exp(x)), lambda x: np.where(x > 0, x, np.exp(x) - 1),
                                     lambda x: x / (1 + np.exp(-x)), lambda x: np.clip(x, 0, 6))),
        Misconception("one number for all", "The rectifier compares each entry with zero, and the shape stays.",
                      lambda x: np.maximum(np.max(x), 0), also=(np.max,)),
        Misconception("at least one", "Negative inputs become 0.", lambda x: np.maximum(x, 1)),
        *in_answer(
            "relu_backward",
            Misconception(*words.TIMES_INPUT, lambda g, x: g * x),
            Misconception("leaky on the way back",
                          "Where the input was negative no gradient passes, not even a small part of it.",
                          lambda g, x: np.where(x > 0, g, g * g.dtype.type(0.01)),
                          also=(lambda g, x: np.where(x > 0, g, g * 0.1),)),
            Misconception("half of it at zero", "At exactly zero nothing passes, by the convention of this text.",
                          lambda g, x: g * np.heaviside(x, 0.5)),
        ),
    )
    hints = (
        "Draw the function for inputs from -2 to 2. What is its slope on the left, and on the right?",
        "np.maximum compares entry by entry. For the backward pass: a gradient times the slope, which is 0 or 1.",
        "The comparison x > 0 gives True and False, and these count as 1 and 0 when you multiply.",
    )
