"""The whole network for the digits: scores, loss and the gradients of all of its parameters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from autograder.exercises import words
from autograder.exercises.making import in_answer
from autograder.exercises.training import common
from autograder.exercises.training.common import NOTEBOOK, Array, half
from autograder.exercises.training.pooling import blocks, spread, tied
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import functional as F

SCORES, GRADIENTS = "network_scores", "network_gradients"


@dataclass(frozen=True)
class Variant:
    """The network with some of its steps done in another way; all defaults together are the right one."""

    rectify: tuple[bool, bool] = (True, True)
    average: bool = False
    channels_last: bool = False
    biases: tuple[bool, bool, bool] = (True, True, True)
    rectify_back: tuple[bool, bool] = (True, True)
    spread_back: bool = False
    ties: Literal["first", "shared", "all"] = "first"
    mask_of_gradient: bool = False

    def run(self, x: Array, parameters: tuple[Array, ...]) -> tuple[Array, list[Array]]:
        """Scores, and what each step was given: two convolutions with what follows them, and the flat features."""
        kept = []
        for layer in (0, 1):
            weight, bias = parameters[2 * layer], parameters[2 * layer + 1] * self.biases[layer]
            maps = F.conv2d(x, weight, bias, padding=half(weight.shape[2:]))
            kept += [x, maps]
            maps = F.relu(maps) if self.rectify[layer] else maps
            x = F.avg_pool2d(maps, 2) if self.average else F.max_pool2d(maps, 2)
        kept.append((x.transpose(0, 2, 3, 1) if self.channels_last else x).reshape(len(x), -1))
        return F.linear(kept[-1], parameters[4], parameters[5] * self.biases[2]), kept

    def scores(self, x: Array, parameters: tuple[Array, ...]) -> Array:
        """The forward pass."""
        return self.run(x, parameters)[0]

    def back(self, grad_scores: Array, kept: list[Array], parameters: tuple[Array, ...]) -> list[Array]:
        """Gradients of the six parameters, from the gradient of the scores."""
        flat, grad_weight, grad_bias = F.linear_backward(grad_scores, kept[4], parameters[4])
        found = [grad_weight, grad_bias]
        height, width = (extent // 2 for extent in kept[3].shape[2:])
        grad: Array = flat.reshape(len(flat), -1, height, width)
        if self.channels_last:
            grad = np.ascontiguousarray(flat.reshape(len(flat), height, width, -1).transpose(0, 3, 1, 2))
        for layer in (1, 0):
            x, maps = kept[2 * layer], kept[2 * layer + 1]
            rectified = F.relu(maps) if self.rectify[layer] else maps
            grad = spread(grad) if self.spread_back else self._pool_back(grad, rectified)
            if self.rectify[layer] and self.rectify_back[layer]:
                grad = F.relu(grad) if self.mask_of_gradient else F.relu_backward(grad, maps)
            weight = parameters[2 * layer]
            before, grad_weight, grad_bias = F.conv2d_backward(grad, x, weight, padding=half(weight.shape[2:]))
            assert before is not None
            grad, found = before, [grad_weight, grad_bias, *found]
        return found

    def _pool_back(self, grad: Array, maps: Array) -> Array:
        if self.average:
            return F.avg_pool2d_backward(grad, maps, 2)
        if self.ties == "first":
            return F.max_pool2d_backward(grad, maps, 2)
        largest = tied(maps).astype(maps.dtype)
        if self.ties == "shared":
            largest /= spread(blocks(largest).sum(axis=(3, 5)))
        return spread(grad) * largest

    def gradients(self, x: Array, labels: Array, parameters: tuple[Array, ...]) -> tuple[Any, ...]:
        """Loss and gradients."""
        scores, kept = self.run(x, parameters)
        return (common.loss(scores, labels),
                *self.back(F.cross_entropy_backward(scores, labels), kept, parameters))


RIGHT = Variant()

TIES: tuple[Literal["first", "shared", "all"], ...] = ("first", "shared", "all")

# Without a rectifier on the way back blocks of zeros count, and how their four entries share the gradient.
WITHOUT_RECTIFIERS = tuple(Variant(rectify_back=back, ties=ties).gradients for ties in TIES
                           for back in ((False, False), (False, True), (True, False)))


def from_scores(change: Any) -> Any:
    """Right but for the gradient of the scores, a function of scores and labels."""
    def wrong(x: Array, labels: Array, parameters: tuple[Array, ...]) -> tuple[Any, ...]:
        scores, kept = RIGHT.run(x, parameters)
        return common.loss(scores, labels), *RIGHT.back(change(scores, labels), kept, parameters)
    return wrong


def afterwards(change: Any) -> Any:
    """Right but for what is returned: a function of the loss, the six gradients and the number of samples."""
    def wrong(x: Array, labels: Array, parameters: tuple[Array, ...]) -> Any:
        loss, *grads = RIGHT.gradients(x, labels, parameters)
        return change(loss, grads, len(x))
    return wrong


@exercise("digit_network", notebook=NOTEBOOK, points=6, answers=(SCORES, GRADIENTS))
class DigitNetwork:
    """The network that will read digits, and the gradients of its loss.

    Convolution, rectifier, 2x2 maximum pooling, the same again, then a fully connected layer. x has shape
    (N, C, H, W), H and W divisible by 4; parameters are six arrays: weight and bias of the first convolution, of the
    second, and of the fully connected layer, whose weight is (classes, features). Convolutions keep the size. The maps
    are flattened as reshape does it. network_scores returns shape (N, classes); network_gradients returns the mean
    cross-entropy and its gradients with respect to the six parameters, in their order: seven values.
    """

    returns: ClassVar = {GRADIENTS: ("loss", "grad_weight1", "grad_bias1", "grad_weight2", "grad_bias2", "grad_weight3",
                                     "grad_bias3")}

    def network_scores(x, parameters):
        return RIGHT.scores(x, parameters)

    def network_gradients(x, labels, parameters):
        return RIGHT.gradients(x, labels, parameters)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def network(shape: tuple[int, ...], first: int, second: int, classes: int,
                    kernels: tuple[tuple[int, int], ...] = ((3, 3), (3, 3))) -> tuple[Array, Array, tuple[Array, ...]]:
            samples, channels, height, width = shape
            shapes = [(first, channels, *kernels[0]), (second, first, *kernels[1]),
                      (classes, second * (height // 4) * (width // 4))]
            parameters = []
            for weight in shapes:
                fan_in = np.prod(weight[1:])
                parameters += [rng.standard_normal(weight) * np.sqrt(2 / fan_in), rng.uniform(0.2, 0.6, weight[0])]
            return rng.standard_normal(shape), rng.integers(0, classes, samples), tuple(parameters)

        drawn = {
            "one sample": network((1, 1, 4, 4), 2, 2, 3),
            "as small as a digit": network((2, 1, 8, 8), 2, 3, 10),
            "several samples": network((4, 1, 4, 8), 3, 2, 4),
            "taller than wide": network((2, 1, 12, 4), 2, 3, 3),
            "several input channels": network((3, 2, 4, 8), 2, 4, 5),
            "filters of 5x3 and 1x1": network((2, 1, 8, 8), 3, 2, 4, ((5, 3), (1, 1))),
            "as many classes as features": network((3, 1, 8, 4), 2, 2, 4),
        }
        for name, (x, labels, parameters) in drawn.items():
            yield Case(name, (x, parameters), SCORES)
            yield Case(name, (x, labels, parameters), GRADIENTS)
        x, labels, parameters = network((3, 1, 8, 8), 2, 3, 10)
        single = tuple(array.astype(np.float32) for array in parameters)
        yield Case("single precision", (x.astype(np.float32), single), SCORES)
        yield Case("single precision", (x.astype(np.float32), labels, single), GRADIENTS)
        x, labels, parameters = network((2, 1, 4, 4), 2, 2, 3)
        yield Case("strided memory", (common.strided(x), parameters), SCORES)

    misconceptions = (
        Misconception("no activation",
                      "A rectifier stands after each convolution. Without it the two convolutions could be drawn "
                      "together into one.", Variant(rectify=(False, False)).scores,
                      also=(Variant(rectify=(False, True)).scores, Variant(rectify=(True, False)).scores)),
        Misconception("average pooling", "The largest of each 2x2 block is kept, not the mean.",
                      Variant(average=True).scores),
        Misconception("flattened with channels last",
                      "reshape lists a sample's maps one after the other: the whole first channel, then the second.",
                      Variant(channels_last=True).scores),
        Misconception("bias of the scores forgotten",
                      "The fully connected layer has a bias for each class, the last of the six parameters.",
                      Variant(biases=(True, True, False)).scores),
        Misconception("bias of a convolution forgotten", "Each filter has a bias, which is added to its whole map.",
                      Variant(biases=(False, False, True)).scores,
                      also=(Variant(biases=(False, True, True)).scores, Variant(biases=(True, False, True)).scores)),
        Misconception("softmax at the end", "Scores are asked for, any numbers. The softmax is a part of the loss.",
                      lambda x, p: F.softmax(RIGHT.scores(x, p))),
        Misconception(*words.CLASSES_INSTEAD_OF_SCORES, lambda x, p: RIGHT.scores(x, p).argmax(axis=1)),
        Misconception("activation after the scores",
                      "Scores may be negative: no rectifier stands after the last layer.",
                      lambda x, p: F.relu(RIGHT.scores(x, p))),
        *in_answer(
            GRADIENTS,
            Misconception("rectifier left out on the way back",
                          "Every layer of the forward pass has its place on the way back, in reverse order. Here "
                          "gradients pass where a rectifier had put zero.",
                          Variant(rectify_back=(False, False)).gradients, also=WITHOUT_RECTIFIERS),
            Misconception("mask of the rectifier from the gradient",
                          "Whether a gradient passes the rectifier is decided by what it was given on the way "
                          "forward, not by the sign of the gradient.", Variant(mask_of_gradient=True).gradients,
                          also=tuple(Variant(mask_of_gradient=True, ties=ties).gradients for ties in TIES)),
            Misconception("no activation in the gradients' network",
                          "A rectifier stands after each convolution, on the way forward and on the way back.",
                          Variant(rectify=(False, False)).gradients),
            Misconception("pooling's gradient for all four",
                          "Of each 2x2 block only the largest entry gets the gradient.",
                          Variant(spread_back=True).gradients),
            Misconception("average pooling in the gradients' network",
                          "The largest of each 2x2 block is kept, and it alone gets the gradient.",
                          Variant(average=True).gradients),
            Misconception("maps flattened with channels last",
                          "reshape lists a sample's maps one after the other, and on the way back they are taken "
                          "apart in the same order.", Variant(channels_last=True).gradients),
            Misconception("gradients not divided by the batch",
                          "The loss is the mean over the samples, and so its gradient has one over N in it: once, at "
                          "the scores.", from_scores(lambda s, y: F.cross_entropy_backward(s, y, float(len(y))))),
            Misconception("divided by the batch twice",
                          "The mean over the samples is taken once, at the scores. From there on the layers sum over "
                          "the batch.", from_scores(lambda s, y: F.cross_entropy_backward(s, y, 1 / len(y)))),
            Misconception("loss summed over the samples", "The loss is the mean over the samples, as its gradient is.",
                          afterwards(lambda loss, grads, n: (loss * loss.dtype.type(n), *grads))),
            Misconception("right class forgotten at the scores",
                          "The gradient of the scores is the probabilities, less one at the right class.",
                          from_scores(lambda s, y: F.softmax(s) / s.dtype.type(len(y)))),
            Misconception("softmax forgotten at the scores",
                          "It is the probabilities from which one is subtracted at the right class, not the scores.",
                          from_scores(lambda s, y: (s - common.one_hot(y, s.shape[1], s.dtype))
                                      / s.dtype.type(len(y)))),
            Misconception("gradients with the sign turned",
                          "The gradient points to where the loss grows. It is the step that goes the other way.",
                          from_scores(lambda s, y: F.cross_entropy_backward(s, y, -1.0))),
            Misconception("gradients in backward order",
                          "They come out from the last layer to the first, but are returned in the order of the "
                          "parameters.", afterwards(lambda loss, grads, n: (loss, *grads[::-1])),
                          also=(afterwards(lambda loss, grads, n: (loss, *grads[4:], *grads[2:4], *grads[:2])),)),
            Misconception("gradients in a tuple of their own",
                          "Seven values are asked for, the loss and six arrays. A star in front of a list puts its "
                          "elements there.", afterwards(lambda loss, grads, n: (loss, tuple(grads)))),
            Misconception("loss left out", "Seven values are asked for: the loss comes first.",
                          afterwards(lambda loss, grads, n: tuple(grads))),
            Misconception("gradient of the last weight transposed",
                          "A gradient has the shape of its parameter: the last weight is (classes, features).",
                          afterwards(lambda loss, grads, n: (loss, *grads[:4], grads[4].T, grads[5]))),
            Misconception("gradients of the biases averaged",
                          "A bias is added in many places, and its gradient is the sum over all of them. The mean "
                          "over the batch is taken already at the scores.",
                          afterwards(lambda loss, grads, n: (loss, *(g / n if g.ndim == 1 else g for g in grads))),
                          also=(afterwards(lambda loss, grads, n: (loss, *grads[:5], grads[5] / n)),)),
        ),
        Misconception("logarithms at the end", "Scores are asked for, as the last layer gives them.",
                      lambda x, p: common.logarithms(RIGHT.scores(x, p))),
        Misconception("last weight reshaped instead of transposed",
                      "The features have to meet the weights of their class: the weight is transposed.",
                      lambda x, p: RIGHT.scores(x, (*p[:4], p[4].reshape(p[4].shape[::-1]).T, p[5]))),
        *in_answer(
            GRADIENTS,
            Misconception("gradients for the winner's class", "The right class is the label, whether it won or not.",
                          lambda x, y, p: RIGHT.gradients(x, RIGHT.scores(x, p).argmax(axis=1), p)),
            Misconception("loss at the end", "Seven values are asked for: the loss comes first.",
                          afterwards(lambda loss, grads, n: (*grads, loss))),
            Misconception("biases before weights",
                          "The gradients come in the order of the parameters: each weight before its bias.",
                          afterwards(lambda loss, grads, n: (loss, *(grads[i] for i in (1, 0, 3, 2, 5, 4))))),
            Misconception("first convolution left out",
                          "All six parameters have gradients, also those of the first convolution.",
                          afterwards(lambda loss, grads, n: (loss, *grads[2:]))),
        ),
    )
    hints = (
        "Write the shapes down for two pictures of 8 x 8, layer by layer, forward. The way back has the same shapes in "
        "reverse.",
        "All parts are there: your convolution, rectifier, pooling and loss. The fully connected layer is features "
        "times the transposed weight, plus bias; its three gradients are two matrix products and a sum over samples.",
        "On the way back: gradient of the scores g; g.T @ features, g summed over the samples, g @ weight reshaped to "
        "the last maps; then pooling, rectifier, convolution; and the three once more. Each layer needs its input.",
    )
