"""The gradients of the fully connected layer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograder.exercises.fc_to_conv.common import NOTEBOOK, draw_dense, single
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F

Gradients = tuple[np.ndarray, ...]


def _changed(**changes: Any) -> Any:
    """linear_backward with some of its gradients replaced: functions of (g, x, w)."""
    def backward(g: np.ndarray, x: np.ndarray, w: np.ndarray) -> Gradients:
        right = dict(zip(("x", "weight", "bias"), F.linear_backward(g, x, w), strict=True))
        return tuple(changes[name](g, x, w) if name in changes else value for name, value in right.items())
    return backward


def _averaged(g: np.ndarray, x: np.ndarray, w: np.ndarray) -> Gradients:
    grad_x, grad_weight, grad_bias = F.linear_backward(g, x, w)
    return grad_x, grad_weight / grad_weight.dtype.type(len(x)), grad_bias / grad_bias.dtype.type(len(x))


def _looped_input_gradient(g: np.ndarray, x: np.ndarray, w: np.ndarray) -> np.ndarray:
    return np.array([[sum(row[k] * w[d, k] for k in range(len(row))) for d in range(x.shape[1])] for row in g])


def _in_order(*order: int) -> Any:
    def backward(g: np.ndarray, x: np.ndarray, w: np.ndarray) -> Gradients:
        right = F.linear_backward(g, x, w)
        return tuple(right[part] for part in order)
    return backward


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
                      "Each sample adds its share to the gradient of a weight, and shares are summed. If the loss is a "
                      "mean over the batch, that is in grad_out already.",
                      _averaged, also=(_changed(weight=lambda g, x, w: g.T @ x / len(x)),
                                       lambda g, x, w: F.linear_backward(g / g.dtype.type(len(x)), x, w))),
        Misconception("bias gradient averaged",
                      "The bias takes part in every sample, and the shares of the samples are summed, not averaged.",
                      _changed(bias=lambda g, x, w: g.mean(axis=0))),
        Misconception("weight gradient transposed",
                      "The gradient of the weights has the shape of the weights: row k belongs to output k.",
                      _changed(weight=lambda g, x, w: x.T @ g)),
        Misconception("bias gradient per sample",
                      "The bias has one entry for each output, and so has its gradient: the samples' shares are "
                      "summed.",
                      _changed(bias=lambda g, x, w: g)),
        Misconception("bias gradient summed over outputs",
                      "The sum for the bias runs over the samples, which are the rows of grad_out.",
                      _changed(bias=lambda g, x, w: g.sum(axis=1))),
        Misconception("bias gradient summed over everything",
                      "Each output has a bias of its own: sum over the samples only.",
                      _changed(bias=lambda g, x, w: g.sum())),
        Misconception("bias gradient kept as a row", "The bias has one axis, and so has its gradient.",
                      _changed(bias=lambda g, x, w: g.sum(axis=0, keepdims=True))),
        Misconception("bias gradient without the upstream one",
                      "The output grows as fast as its bias, but how much that means for the loss, grad_out says.",
                      _changed(bias=lambda g, x, w: np.full(len(w), len(x), x.dtype)),
                      also=(_changed(bias=lambda g, x, w: np.ones(len(w), x.dtype)),)),
        Misconception("upstream gradient ignored",
                      "Each gradient is a product with grad_out, the gradient that comes from above. Here it is taken "
                      "to be one everywhere.",
                      lambda g, x, w: F.linear_backward(np.ones_like(g), x, w),
                      also=(lambda g, x, w: (w, x, 1), lambda g, x, w: (w, x, np.ones(len(w), x.dtype)))),
        Misconception("only the last sample counts",
                      "Each sample adds its share to the gradients of weights and biases. Here it replaces those "
                      "before: look at where `=` stands and `+=` should.",
                      _changed(weight=lambda g, x, w: np.outer(g[-1], x[-1]), bias=lambda g, x, w: g[-1]),
                      also=(_changed(weight=lambda g, x, w: np.outer(g[-1], x[-1])),
                            _changed(bias=lambda g, x, w: g[-1]))),
        Misconception("only the first sample counts",
                      "Every sample has its share in the gradients of weights and biases, not only the first one.",
                      _changed(weight=lambda g, x, w: np.outer(g[0], x[0]), bias=lambda g, x, w: g[0]),
                      also=(_changed(weight=lambda g, x, w: np.outer(g[0], x[0])),
                            _changed(bias=lambda g, x, w: g[0]))),
        Misconception("weight gradient without the input",
                      "How fast an output changes with a weight is decided by the input that the weight is multiplied "
                      "by.",
                      _changed(weight=lambda g, x, w: g.T @ np.ones_like(x)),
                      also=(_changed(weight=lambda g, x, w: (g.T @ x) * w),)),
        Misconception("weights transposed for the input",
                      "Input d reached output k through weight[k, d], and the gradient goes back the same way: sum "
                      "over the outputs.",
                      _changed(x=lambda g, x, w: g @ w.T), also=(_changed(x=_looped_input_gradient),)),
        Misconception("input gradient summed over the batch",
                      "A sample's inputs had no influence on the other samples' outputs: grad_x has a row for each.",
                      _changed(x=lambda g, x, w: (g @ w).sum(axis=0)),
                      also=(_changed(x=lambda g, x, w: np.broadcast_to((g @ w).sum(axis=0), x.shape)),)),
        Misconception("input gradient times the input",
                      "The layer is linear in x: how fast an output changes with an input depends on the weight only.",
                      _changed(x=lambda g, x, w: (g @ w) * x)),
        Misconception("gradients in another order",
                      "The gradients are right, but they are returned as grad_x, grad_weight, grad_bias.",
                      _in_order(1, 0, 2), also=(_in_order(1, 2, 0), _in_order(0, 2, 1), _in_order(2, 1, 0),
                                                _in_order(2, 0, 1))),
    )
    hints = (
        "Start from the formula of the forward pass. In which outputs does weight[k, d] occur, and by what is it "
        "multiplied there? And bias[k]? And x[n, d]?",
        "Shapes nearly decide it: grad_x (N, D) out of (N, K) and (K, D); grad_weight (K, D) out of (N, K) and (N, D), "
        "summed over the samples.",
        "grad_weight[k, d] is the sum over n of grad_out[n, k] * x[n, d]; grad_bias[k] the sum over n of grad_out[n, "
        "k]; grad_x[n, d] the sum over k of grad_out[n, k] * weight[k, d].",
    )
