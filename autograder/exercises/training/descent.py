"""Where training begins, and how it steps downhill."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import numpy as np

from autograder.exercises.making import in_answer
from autograder.exercises.training import common
from autograder.exercises.training.common import NOTEBOOK, Array
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse.training import Momentum

STEP, ALL = "momentum_step", "update_all"


def _scaled(factor: Callable[[int, int, tuple[int, ...]], float]) -> Callable[[Array], Array]:
    """Noise times a function of inputs of one output, outputs, and the shape."""
    def scale(noise: Array) -> Array:
        return noise * noise.dtype.type(factor(int(np.prod(noise.shape[1:])), len(noise), noise.shape))
    return scale


@exercise("he_weights", notebook=NOTEBOOK, points=2)
class HeWeights:
    """Scale random numbers to weights to begin with.

    noise holds random numbers of mean 0 and standard deviation 1 and has the shape of a weight: (K, C, KH, KW) of a
    convolution, (classes, features) of a fully connected layer. Return it times the root of 2 / n, where n is the
    number of inputs that one output is computed from.
    """

    def he_weights(noise):
        return _scaled(lambda n, outputs, shape: (2 / n) ** 0.5)(noise)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def noise(*shape: int) -> Array:
            return rng.standard_normal(shape)

        yield Case("a first convolution, one channel", (noise(4, 1, 3, 3),))
        yield Case("a convolution", (noise(3, 5, 3, 3),))
        yield Case("more filters than channels", (noise(7, 2, 3, 3),))
        yield Case("a kernel taller than wide", (noise(2, 3, 5, 1),))
        yield Case("a 1x1 kernel", (noise(5, 4, 1, 1),))
        yield Case("a fully connected layer", (noise(10, 12),))
        yield Case("a fully connected layer with few features", (noise(12, 3),))
        yield Case("one filter", (noise(1, 3, 3, 3),))
        yield Case("single precision", (noise(4, 3, 3, 2).astype(np.float32),))
        yield Case("strided memory", (common.strided(noise(2, 3, 3, 3)),))

    misconceptions = (
        Misconception("outputs counted instead of inputs",
                      "n counts what goes into one output: all axes of the weight but the first.",
                      _scaled(lambda n, outputs, shape: (2 / outputs) ** 0.5),
                      also=(_scaled(lambda n, outputs, shape: (2 / (outputs * int(np.prod(shape[2:])))) ** 0.5),)),
        Misconception("root forgotten",
                      "2 / n is the variance that the weights should have. Random numbers are multiplied by the "
                      "standard deviation.", _scaled(lambda n, outputs, shape: 2 / n)),
        Misconception("one instead of two",
                      "1 / n is right without a rectifier. The rectifier halves the mean square, and the two makes up "
                      "for it.", _scaled(lambda n, outputs, shape: (1 / n) ** 0.5)),
        Misconception("root of the two only", "The root spans the whole fraction.",
                      _scaled(lambda n, outputs, shape: 2 ** 0.5 / n)),
        Misconception("two outside of the root", "The root spans the whole fraction.",
                      _scaled(lambda n, outputs, shape: 2 / n ** 0.5)),
        Misconception("only channels counted",
                      "One output sees a window of KH times KW entries in each of the C channels.",
                      _scaled(lambda n, outputs, shape: (2 / shape[1]) ** 0.5)),
        Misconception("only the window counted",
                      "One output sees its window in all channels; and a fully connected layer has no window.",
                      _scaled(lambda n, outputs, shape: (2 / int(np.prod(shape[2:]))) ** 0.5)),
        Misconception("all weights counted",
                      "n is the number of inputs of a single output. The other filters compute other outputs.",
                      _scaled(lambda n, outputs, shape: (2 / (n * outputs)) ** 0.5)),
        Misconception("multiplied by the root of n over 2",
                      "The more inputs are summed up, the smaller each weight has to be.",
                      _scaled(lambda n, outputs, shape: (n / 2) ** 0.5)),
        Misconception("inputs and outputs averaged",
                      "2 / (inputs + outputs) is another rule, by Glorot and Bengio. Here n counts the inputs alone.",
                      _scaled(lambda n, outputs, shape: (2 / (n + outputs)) ** 0.5),
                      also=(_scaled(lambda n, outputs, shape: (2 / (n + outputs * int(np.prod(shape[2:])))) ** 0.5),)),
        Misconception("the same scale for all layers",
                      "A fixed small number suits one size of layer. The scale depends on the number of inputs.",
                      _scaled(lambda n, outputs, shape: 0.01),
                      also=(_scaled(lambda n, outputs, shape: 0.1), _scaled(lambda n, outputs, shape: 1))),
        Misconception("noise forgotten",
                      "Weights that are all equal stay equal: the random numbers are multiplied by the scale.",
                      lambda noise: _scaled(lambda n, outputs, shape: (2 / n) ** 0.5)(np.ones_like(noise))),
        Misconception("noise scaled by its own deviation",
                      "The numbers have standard deviation 1 already, apart from chance; they are not divided by what "
                      "theirs happens to be.",
                      lambda noise: _scaled(lambda n, outputs, shape: (2 / n) ** 0.5)(noise) / noise.std()),
    )
    hints = (
        "How many weights has one filter of shape (C, KH, KW)? And one row of a fully connected weight?",
        "n is the size of noise[0]. Everything else is one multiplication.",
        "np.sqrt(2 / noise[0].size) is a standard deviation.",
    )


def step(
    weight: Array, gradient: Array, velocity: Array, learning_rate: float, momentum: float, weight_decay: float
) -> tuple[Array, Array]:
    """The reference's step on copies."""
    optimizer = Momentum(learning_rate, momentum=momentum, weight_decay=weight_decay)
    moved = np.array(weight, order="C")
    optimizer.state["p.velocity"] = np.array(velocity, order="C")
    optimizer.step({"p": moved}, {"p": gradient})
    return moved, optimizer.state["p.velocity"]


def update(
    parameters: Sequence[Array], gradients: Sequence[Array], velocities: Sequence[Array], learning_rate: float,
    momentum: float, weight_decay: float, decays: Callable[[Array], bool] = lambda p: p.ndim > 1, how: Any = step,
) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """A step for each parameter; `decays` says which of them are drawn toward zero."""
    moved = [how(p, g, v, learning_rate, momentum, weight_decay if decays(p) else 0.0)
             for p, g, v in zip(parameters, gradients, velocities, strict=True)]
    return tuple(p for p, _ in moved), tuple(v for _, v in moved)


def _stepped(weight, gradient, velocity, learning_rate, momentum, weight_decay):
    """A right answer, of which wrong ones are edits."""
    new = momentum * velocity + gradient + weight_decay * weight
    return weight - learning_rate * new, new


STEPS = Written.of(_stepped)
UPHILL = "step uphill", "The gradient points to where the loss grows. The step goes the other way."


def _velocity(rule: str) -> Written:
    """Another rule for the new velocity."""
    return STEPS.edited({"momentum * velocity + gradient + weight_decay * weight": rule})


def _moved(rule: str) -> Written:
    """Another rule for the new weight."""
    return STEPS.edited({"weight - learning_rate * new, new": f"{rule}, new"})


@exercise("sgd_step", notebook=NOTEBOOK, points=4, answers=(STEP, ALL))
class SgdStep:
    """A step of gradient descent with momentum and weight decay.

    momentum_step: the gradient plus weight_decay times the weight is added to momentum times the velocity, which gives
    the new velocity; learning_rate times the new velocity is subtracted from the weight. It returns weight and
    velocity as new arrays. update_all does the same for sequences of parameters, gradients and velocities and returns
    two tuples; weight decay applies to parameters with more than one axis, biases are left alone.
    """

    returns: ClassVar = {STEP: ("weight", "velocity"), ALL: ("parameters", "velocities")}

    def momentum_step(weight, gradient, velocity, learning_rate, momentum, weight_decay):
        return step(weight, gradient, velocity, learning_rate, momentum, weight_decay)

    def update_all(parameters, gradients, velocities, learning_rate, momentum, weight_decay):
        return update(parameters, gradients, velocities, learning_rate, momentum, weight_decay)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def arrays(*shape: int) -> tuple[Array, Array, Array]:
            return rng.standard_normal(shape), rng.standard_normal(shape), rng.standard_normal(shape)

        def rates() -> tuple[float, float, float]:
            return float(rng.uniform(0.05, 0.4)), float(rng.uniform(0.5, 0.9)), float(rng.uniform(0.05, 0.3))

        rate, momentum, decay = rates()
        yield Case("the first step: no velocity yet", (*arrays(3)[:2], np.zeros(3), rate, momentum, 0.0))
        yield Case("plain gradient descent", (*arrays(2, 3), rate, 0.0, 0.0))
        yield Case("with momentum", (*arrays(4), rate, momentum, 0.0))
        yield Case("with weight decay", (*arrays(2, 2), rate, 0.0, decay))
        yield Case("with both", (*arrays(2, 1, 3, 3), *rates()))
        yield Case("a gradient of zero", (arrays(3)[0], np.zeros(3), arrays(3)[2], *rates()))
        yield Case("a learning rate of zero", (*arrays(2, 2), 0.0, momentum, decay))
        yield Case("single precision", (*(a.astype(np.float32) for a in arrays(2, 5)), *rates()))
        yield Case("strided memory", (*(common.strided(a) for a in arrays(2, 3)), *rates()))

        def several(*shapes: tuple[int, ...]) -> tuple[tuple[Array, ...], ...]:
            drawn = [arrays(*shape) for shape in shapes]
            return tuple(zip(*drawn, strict=True))

        yield Case("one weight", (*several((2, 3)), *rates()), ALL)
        yield Case("one bias", (*several((4,)), *rates()), ALL)
        yield Case("a convolution with its bias", (*several((2, 1, 3, 3), (2,)), *rates()), ALL)
        yield Case("two layers", (*several((2, 1, 1, 3), (2,), (3, 4), (3,)), *rates()), ALL)
        yield Case("no weight decay", (*several((2, 2), (2,)), rate, momentum, 0.0), ALL)
        yield Case("a bias with one entry", (*several((1, 3), (1,)), *rates()), ALL)
        yield Case("parameters of equal shape", (*several((2, 2), (2, 2)), *rates()), ALL)

    misconceptions = (
        Misconception(*UPHILL, _moved("weight + learning_rate * new")),
        Misconception("velocity overwritten", "The old velocity is not forgotten: a share of it, the momentum, stays.",
                      _velocity("gradient + weight_decay * weight")),
        Misconception("momentum subtracted",
                      "What is left of the old velocity and the gradient have the same sign in the sum, so that steps "
                      "in the same direction grow.",
                      _velocity("gradient + weight_decay * weight - momentum * velocity"),
                      also=(_velocity("momentum * velocity - gradient - weight_decay * weight"),
                            _velocity("momentum * velocity - gradient - weight_decay * weight").edited(
                                {"weight - learning_rate": "weight + learning_rate"}))),
        Misconception("velocity not weakened",
                      "Of the old velocity only a share stays, momentum times it. Otherwise it grows without bound.",
                      _velocity("velocity + gradient + weight_decay * weight")),
        Misconception("momentum on the gradient", "The momentum multiplies the old velocity, not the new gradient.",
                      _velocity("velocity + momentum * (gradient + weight_decay * weight)")),
        Misconception("gradient weakened",
                      "A running mean would take (1 - momentum) times the gradient. Here the gradient counts in full, "
                      "as in PyTorch.",
                      _velocity("momentum * velocity + (1 - momentum) * (gradient + weight_decay * weight)")),
        Misconception("learning rate inside of the velocity",
                      "The velocity is a sum of gradients. The learning rate multiplies it when the weight moves, so "
                      "that a change of the rate acts at once.",
                      _velocity("momentum * velocity + learning_rate * (gradient + weight_decay * weight)").edited(
                          {"- learning_rate * new": "- new"}),
                      also=(_velocity("momentum * velocity - learning_rate * gradient").edited(
                                {"gradient\n": "(gradient + weight_decay * weight)\n",
                                 "- learning_rate * new": "+ new"}),
                            _velocity("momentum * velocity - learning_rate * gradient").edited(
                                {"weight - learning_rate *": "weight * (1 - learning_rate * weight_decay) +"}))),
        Misconception("learning rate twice", "The learning rate enters once, when the weight moves.",
                      _velocity("momentum * velocity + learning_rate * (gradient + weight_decay * weight)"),
                      also=(_moved("weight - learning_rate ** 2 * new"),)),
        Misconception("learning rate forgotten", "The weight moves by learning_rate times the velocity.",
                      _moved("weight - new")),
        Misconception("step with the gradient alone",
                      "The velocity is computed, but the weight has to move along it, not along the gradient.",
                      _moved("weight - learning_rate * gradient"),
                      also=(_moved("weight - learning_rate * (gradient + weight_decay * weight)"),)),
        Misconception("step with the old velocity",
                      "The weight moves along the new velocity, the one that holds the current gradient.",
                      _moved("weight - learning_rate * velocity")),
        Misconception("weight decay with the wrong sign",
                      "Weight decay draws the weights toward zero: what is subtracted from a positive weight has to "
                      "become larger by it.", STEPS.edited({"+ weight_decay": "- weight_decay"})),
        Misconception("weight decay ignored", "weight_decay times the weight is added to the gradient.",
                      STEPS.given("weight_decay = 0")),
        Misconception("decay without the weight",
                      "It is weight_decay times the weight that is added: large weights are drawn more strongly.",
                      STEPS.edited({"weight_decay * weight": "weight_decay"})),
        Misconception("decay multiplies the gradient",
                      "The decay is a term of its own, weight_decay times the weight, added to the gradient.",
                      STEPS.edited({"weight_decay * weight": "weight_decay * gradient"}),
                      also=(_velocity("momentum * velocity + weight_decay * gradient"),)),
        Misconception("decay outside of the velocity",
                      "The decay is added to the gradient before the velocity is formed, so that the velocity holds "
                      "it, too.",
                      STEPS.edited({" + weight_decay * weight": "", "* new,": "* (new + weight_decay * weight),"}),
                      also=(STEPS.edited({" + weight_decay * weight": "",
                                          "* new,": "* new - weight_decay * weight,"}),)),
        Misconception("velocity returned as it was",
                      "The new velocity has to be handed back: the next step begins with it.",
                      STEPS.edited({"* new, new": "* new, velocity"})),
        Misconception("only the weight returned", "Two values are asked for, the moved weight and the new velocity.",
                      STEPS.edited({"* new, new": "* new"})),
        *in_answer(
            ALL,
            Misconception("biases decay too",
                          "A bias does not make the function steeper: only parameters with more than one axis decay.",
                          lambda *a: update(*a, decays=lambda p: True)),
            Misconception("biases decay instead of weights",
                          "It is the other way around: parameters with more than one axis decay, biases do not.",
                          lambda *a: update(*a, decays=lambda p: p.ndim == 1)),
            Misconception("no decay at all", "Parameters with more than one axis decay.",
                          lambda *a: update(*a, decays=lambda p: False)),
            Misconception("only convolutions decay",
                          "The weights of a fully connected layer have two axes, more than one, and decay as well.",
                          lambda *a: update(*a, decays=lambda p: p.ndim > 2)),
            Misconception("decay by size",
                          "A bias is told by its single axis. A weight with few entries is a weight, a bias with many "
                          "is a bias.", lambda *a: update(*a, decays=lambda p: len(p) > 1),
                          also=(lambda *a: update(*a, decays=lambda p: p.size > 1),)),
            Misconception("velocities of the last call lost",
                          "Each parameter goes on from its own velocity, the one that was given. Here they begin at "
                          "zero again.",
                          lambda p, g, v, *rates: update(p, g, [np.zeros_like(one) for one in v], *rates)),
            Misconception("velocities not renewed",
                          "The new velocities have to be returned, or the next step begins with the old ones.",
                          lambda p, g, v, *rates: (update(p, g, v, *rates)[0], tuple(v))),
            Misconception("pairs instead of two tuples",
                          "All parameters come first, in one tuple, then all velocities in another.",
                          lambda *a: tuple(zip(*update(*a), strict=True))),
            Misconception("one velocity for all", "Each parameter has a velocity of its own.",
                          lambda p, g, v, *rates: update(p, g, [v[0]] * len(v), *rates, how=_stepped)),
            Misconception(*UPHILL, lambda *a: update(*a, how=_moved("weight + learning_rate * new"))),
        ),
    )
    hints = (
        "Do two steps by hand with a weight of 1, a gradient of 1, momentum 0.5, learning rate 0.1 and no decay. Where "
        "does the weight stand after each?",
        "Three lines: the gradient with the decay, the new velocity, the new weight. In update_all a loop does them "
        "for each parameter; its number of axes, .ndim, tells a weight from a bias.",
        "The velocity keeps a part of itself and gains the gradient with its decay; only then does the weight move, by "
        "the learning rate times the new velocity, downhill. For a bias the decay is 0.",
    )
