"""The gradients of the fully connected layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations
from typing import Any

import numpy as np

from autograder.exercises import words
from autograder.exercises.fc_to_conv.common import NOTEBOOK, draw_dense, single
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F


def _backward(grad_out, x, weight):
    """The share of each output of each sample."""
    grad_x, grad_weight, grad_bias = np.zeros(x.shape), np.zeros(weight.shape), np.zeros(len(weight))
    for n, k in np.ndindex(grad_out.shape):
        grad_x[n] += grad_out[n, k] * weight[k]
        grad_weight[k] += grad_out[n, k] * x[n]
        grad_bias[k] += grad_out[n, k]
    return grad_x, grad_weight, grad_bias


LOOPS = Written.of(_backward)


def _returned(values: str) -> Callable[..., Any]:
    """Other values than grad_x, grad_weight, grad_bias."""
    return LOOPS.edited({"return grad_x, grad_weight, grad_bias": f"return {values}"})


_ORDERS = [order for order in permutations(("grad_x", "grad_weight", "grad_bias")) if order[:1] != ("grad_x",)]


def _of_sample(number: int) -> tuple[Callable[..., Any], ...]:
    """One sample alone has a share in the gradients: of weights and biases, of the weights, of the biases."""
    weight, bias = f"np.outer(grad_out[{number}], x[{number}])", f"grad_out[{number}]"
    return tuple(_returned(f"grad_x, {one}, {other}") for one, other in (
        (weight, bias), (weight, "grad_bias"), ("grad_weight", bias)))


@exercise("linear_backward", notebook=NOTEBOOK, points=4)
class LinearBackward:
    """The gradients of a fully connected layer.

    grad_out has shape (N, K): how much the loss changes with each output. x (N, D) and weight (K, D) are what the
    forward pass had. Return a tuple (grad_x, grad_weight, grad_bias), of the shapes (N, D), (K, D) and (K,).
    """

    def linear_backward(grad_out, x, weight):
        return F.linear_backward(grad_out, x, weight)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def draw(samples: int, inputs: int, outputs: int) -> tuple[Any, Any, Any]:
            x, weight, _ = draw_dense(rng, samples, inputs, outputs)
            return rng.standard_normal((samples, outputs)), x, weight

        yield Case("one sample", draw(1, 3, 2))
        yield Case("several samples", draw(4, 3, 2))
        yield Case("as many outputs as inputs", draw(2, 3, 3))
        yield Case("samples, inputs and outputs of one number", draw(3, 3, 3))
        yield Case("as many samples as outputs", draw(3, 4, 3))
        yield Case("more outputs than inputs", draw(3, 2, 5))
        yield Case("one output", draw(3, 4, 1))
        yield Case("one input", draw(3, 1, 4))
        _, x, weight = draw(3, 2, 4)
        yield Case("upstream gradients of one", (np.ones((3, 4)), x, weight))
        yield Case("single precision", single(*draw(3, 4, 2)))
        g, x, weight = draw(4, 6, 5)
        yield Case("strided memory", (g[::2], x[::2, ::2], weight[:, ::2]))
        yield Case("Fortran order", tuple(np.asfortranarray(one) for one in draw(3, 4, 2)))

    misconceptions = (
        Misconception("averaged over the batch",
                      "Each sample adds its share to the gradient of a weight, and shares are summed. If the loss is "
                      "a mean over the batch, that is in grad_out already.",
                      _returned("grad_x, grad_weight / len(x), grad_bias / len(x)"),
                      also=(_returned("grad_x, grad_weight / len(x), grad_bias"),
                            _returned("grad_x / len(x), grad_weight / len(x), grad_bias / len(x)"))),
        Misconception(*words.BIAS_GRADIENT_AVERAGED, _returned("grad_x, grad_weight, grad_bias / len(x)")),
        Misconception("weight gradient transposed",
                      "The gradient of the weights has the shape of the weights: row k belongs to output k.",
                      _returned("grad_x, grad_weight.T, grad_bias")),
        Misconception("bias gradient per sample",
                      "The bias has one entry for each output, and so has its gradient: the samples' shares are "
                      "summed.", _returned("grad_x, grad_weight, grad_out")),
        Misconception("bias gradient summed over outputs",
                      "The sum for the bias runs over the samples, which are the rows of grad_out.",
                      _returned("grad_x, grad_weight, grad_out.sum(axis=1)")),
        Misconception("bias gradient summed over everything",
                      "Each output has a bias of its own: sum over the samples only.",
                      _returned("grad_x, grad_weight, grad_bias.sum()")),
        Misconception("bias gradient kept as a row", "The bias has one axis, and so has its gradient.",
                      _returned("grad_x, grad_weight, grad_bias[np.newaxis]")),
        Misconception("bias gradient without the upstream one",
                      "The output grows as fast as its bias, but how much that means for the loss, grad_out says.",
                      LOOPS.edited({"grad_bias[k] += grad_out[n, k]": "grad_bias[k] += 1"}),
                      also=(LOOPS.edited({"grad_bias[k] += grad_out[n, k]": "grad_bias[k] = 1"}),)),
        Misconception(*words.UPSTREAM_IGNORED, lambda g, x, w: _backward(np.ones_like(g), x, w),
                      also=(_returned("weight, x, 1"), _returned("weight, x, np.ones(len(weight))"))),
        Misconception(*words.LAST_SAMPLE_COUNTS, _of_sample(-1)[0], also=_of_sample(-1)[1:]),
        Misconception(*words.FIRST_SAMPLE_COUNTS, _of_sample(0)[0], also=_of_sample(0)[1:]),
        Misconception("weight gradient without the input",
                      "How fast an output changes with a weight is decided by the input that the weight is multiplied "
                      "by.", LOOPS.edited({" * x[n]": ""}),
                      also=(_returned("grad_x, grad_weight * weight, grad_bias"),)),
        Misconception("weights transposed for the input",
                      "Input d reached output k through weight[k, d], and the gradient goes back the same way: sum "
                      "over the outputs.", _returned("grad_out @ weight.T, grad_weight, grad_bias"),
                      also=(LOOPS.edited({"grad_x[n] += grad_out[n, k] * weight[k]":
                                    "for d in range(x.shape[1]): grad_x[n, d] += grad_out[n, k] * weight[d, k]"}),)),
        Misconception("input gradient summed over the batch",
                      "A sample's inputs had no influence on the other samples' outputs: grad_x has a row for each.",
                      _returned("grad_x.sum(axis=0), grad_weight, grad_bias"),
                      also=(_returned("grad_x.sum(axis=0) + 0 * x, grad_weight, grad_bias"),)),
        Misconception("input gradient times the input",
                      "The layer is linear in x: how fast an output changes with an input depends on the weight only.",
                      _returned("grad_x * x, grad_weight, grad_bias")),
        Misconception(*words.GRADIENTS_IN_ANOTHER_ORDER, _returned("grad_x, grad_bias, grad_weight"),
                      also=tuple(_returned(", ".join(order)) for order in _ORDERS)),
    )
    hints = (
        "Start from the formula of the forward pass. In which outputs does weight[k, d] occur, and by what is it "
        "multiplied there? And bias[k]? And x[n, d]?",
        "Shapes nearly decide it: grad_x (N, D) out of (N, K) and (K, D); grad_weight (K, D) out of (N, K) and (N, D), "
        "summed over the samples.",
        "grad_weight[k, d] is the sum over n of grad_out[n, k] * x[n, d]; grad_bias[k] the sum over n of grad_out[n, "
        "k]; grad_x[n, d] the sum over k of grad_out[n, k] * weight[k, d].",
    )
