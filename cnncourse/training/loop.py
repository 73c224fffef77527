"""The training loop: batches, losses, gradients, steps."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnncourse import functional as F
from cnncourse.errors import ArgumentError, DivergenceError
from cnncourse.functional.arguments import Array
from cnncourse.geometry.settings import whole
from cnncourse.layers import Softmax
from cnncourse.network import Network
from cnncourse.network.initialization import generator_from
from cnncourse.training.evaluation import Labels, checked_labels, evaluate
from cnncourse.training.history import Epoch, History
from cnncourse.training.optimizers import Optimizer
from cnncourse.training.progress import Bar, bar

AUXILIARY_WEIGHT = 0.3
"""How much the loss of an auxiliary classifier counts, as in Going deeper with convolutions, section 5."""


@dataclass(frozen=True)
class Step:
    """What one training step found, before it changed the network.

    Attributes
    ----------
    loss : float
        Mean cross-entropy of the batch; auxiliary classifiers included.
    accuracy : float
        Share of samples whose largest score was that of their class.
    """

    loss: float
    accuracy: float


def training_step(
    network: Network, x: Array, y: Labels, optimizer: Optimizer, *, learning_rate: float | None = None,
    generator: np.random.Generator | None = None, recompute: bool = False,
) -> Step:
    """Run a batch forward and backward, and move the parameters against their gradients.

    Parameters
    ----------
    network : Network
        Gives scores, without a softmax.
    x : ndarray, shape (N, *input_shape), float32 or float64
    y : ndarray of int, shape (N,)
        The right classes, from 0.
    optimizer : Optimizer
    learning_rate : float, optional
        In place of the optimizer's own.
    generator : np.random.Generator, optional
        For dropout; by default the network's own.
    recompute : bool, optional
        Keep less for the backward pass, and compute it once more.

    Returns
    -------
    Step

    Raises
    ------
    DivergenceError
        If the loss is infinite or not a number; nothing has been changed then but batch norm's running statistics.
    ArgumentError, ShapeError, ArrayTypeError
    """
    with np.errstate(over="ignore", invalid="ignore"):  # the loss tells
        outputs = network.forward(x, training=True, generator=generator, recompute=recompute)
        loss, accuracy, gradients = loss_and_gradients(outputs, y)
        if not math.isfinite(loss):
            raise DivergenceError(f"the loss is {loss}")
        del outputs
        network.backward(gradients, input_gradient=False)
    optimizer.step(network.parameters, network.gradients, learning_rate)
    return Step(loss, accuracy)


def loss_and_gradients(outputs: Any, y: Labels) -> tuple[float, float, tuple[Array, ...]]:
    """Loss and accuracy of what `forward` gave in training, and the gradient of the loss for each output."""
    scores = outputs if isinstance(outputs, tuple) else (outputs,)
    weights = (1.0, *[AUXILIARY_WEIGHT] * (len(scores) - 1))
    loss = sum(weight * F.cross_entropy(each, y) for weight, each in zip(weights, scores, strict=True))
    gradients = tuple(F.cross_entropy_backward(each, y, weight) for weight, each in zip(weights, scores, strict=True))
    return loss, float(np.mean(scores[0].argmax(axis=1) == y)), gradients


def train(
    network: Network, x: Array, y: Labels, *, epochs: int, batch_size: int, optimizer: Optimizer,
    generator: np.random.Generator | int = 0, validation: tuple[Array, Labels] | None = None,
    schedule: Callable[[float], float] | None = None, callback: Callable[[Epoch], object] | None = None,
    progress: bool = True, recompute: bool = False,
) -> History:
    """Train a network to tell classes apart.

    Parameters
    ----------
    network : Network
        Gives scores, without a softmax; initialized with seed 0 if nobody did.
    x : ndarray, shape (N, *input_shape), float32 or float64
    y : ndarray of int, shape (N,)
        The right classes, from 0.
    epochs : int
        How often every sample is seen.
    batch_size : int
        How many samples lead to one step; the last batch of an epoch may have fewer.
    optimizer : Optimizer
        Goes on from its state, if it has one.
    generator : np.random.Generator or int, optional
        For the order of the samples, which is another one in each epoch, and for dropout. An int is a seed.
    validation : (x, y), optional
        Samples to evaluate with after each epoch.
    schedule : callable, optional
        Takes the epochs that have passed, as a float, and returns what the learning rate is multiplied by.
    callback : callable, optional
        Called with each `Epoch` when it is over; if it returns True, training ends.
    progress : bool, optional
        Show a bar, in terminals and notebooks.
    recompute : bool, optional
        Keep less for the backward pass, and compute it once more.

    Returns
    -------
    History

    Raises
    ------
    DivergenceError
        If the loss is infinite or not a number; the message says when, and what may help.
    ArgumentError, ShapeError, ArrayTypeError
        If samples, labels and network do not go together.

    Notes
    -----
    An interruption from the keyboard ends the training, not the program: the network keeps what it has learned, and
    the history says so. With the same seeds and number of threads the result is the same to the last bit.
    """
    count, size = whole("train: epochs", epochs, 1), whole("train: batch_size", batch_size, 1)
    _check_network(network)
    if not isinstance(optimizer, Optimizer):
        raise ArgumentError(f"train: optimizer has to be an optimizer with its settings, such as SGD(0.1); "
                            f"{optimizer!r} was given")
    y = checked_labels("train", network, x, y)
    if validation is not None:
        if not isinstance(validation, (tuple, list)) or len(validation) != 2:
            raise ArgumentError("train: validation has to be a pair (x, y) of samples and labels; "
                                f"a {type(validation).__name__} of another kind or length was given")
        validation = validation[0], checked_labels("train, validation", network, *validation)
    training = _Training(network, optimizer, schedule, generator_from("train", generator), recompute)
    done: list[Epoch] = []
    with bar(progress, count * -(-len(x) // size)) as show:
        try:
            for number in range(1, count + 1):
                epoch = training.epoch(number, x, y, size, validation, show, f"epoch {number} of {count}")
                done.append(epoch)
                if callback is not None and callback(epoch) is True:
                    break
        except KeyboardInterrupt:
            print(f"interrupted in epoch {len(done) + 1} of {count}, after {len(training.losses)} batches; the network "
                  "keeps what it has learned")
            return History(tuple(done), tuple(training.losses), interrupted=True)
    return History(tuple(done), tuple(training.losses))


@dataclass
class _Training:
    """What stays the same from epoch to epoch, and the losses so far."""

    network: Network
    optimizer: Optimizer
    schedule: Callable[[float], float] | None
    generator: np.random.Generator
    recompute: bool

    def __post_init__(self) -> None:
        self.losses: list[float] = []

    def epoch(
        self, number: int, x: Array, y: Labels, batch_size: int, validation: tuple[Array, Labels] | None, show: Bar,
        words: str,
    ) -> Epoch:
        began = time.perf_counter()
        batches = -(-len(x) // batch_size)
        loss = right = 0.0
        rate = self.optimizer.learning_rate
        for batch, chosen in enumerate(self._shuffled(len(x), batch_size)):
            rate = self._rate(number - 1 + batch / batches)
            try:
                step = training_step(self.network, x[chosen], y[chosen], self.optimizer, learning_rate=rate,
                                     generator=self.generator, recompute=self.recompute)
            except DivergenceError as error:
                raise DivergenceError(f"{error} in epoch {number}, batch {batch + 1} of {batches}; {self._advice(x)}"
                                      ) from None
            self.losses.append(step.loss)
            loss += step.loss * len(chosen)
            right += step.accuracy * len(chosen)
            show(len(self.losses), f"{words}, loss {step.loss:.4f}")
        seconds = time.perf_counter() - began
        found = None if validation is None else evaluate(self.network, *validation, batch_size=batch_size)
        return Epoch(number, loss / len(x), right / len(x), found, rate, seconds)

    def _shuffled(self, samples: int, batch_size: int) -> Iterator[Any]:
        order = self.generator.permutation(samples)
        for first in range(0, samples, batch_size):
            yield order[first:first + batch_size]

    def _rate(self, passed: float) -> float:
        factor = 1.0 if self.schedule is None else self.schedule(passed)
        return self.optimizer.learning_rate * factor

    def _advice(self, x: Array) -> str:
        if not np.isfinite(x).all():
            return "x holds values that are infinite or not numbers"
        return (f"a smaller learning rate may help, {self.optimizer.learning_rate / 10:g} for instance, or inputs of "
                f"about unit size: those of x go from {x.min():.3g} to {x.max():.3g}")


def _check_network(network: Network) -> None:
    for name in network.outputs:
        if name != "input" and isinstance(network.node(name).layer, Softmax):
            raise ArgumentError(f"train: {network.name} ends in {name}, a softmax; the loss takes scores and does the "
                                "softmax itself: leave the layer out")
