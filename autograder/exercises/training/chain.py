"""The chain of layers: forward from the first to the last, backward from the last to the first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

import numpy as np

from autograder.exercises.training.common import NOTEBOOK, Array
from autograder.judging.exercise import Case, Formula, Misconception, exercise

Layer = Callable[..., Array]

DOUBLE = ("lambda x: 2 * x", "lambda grad_out, x: 2 * grad_out")
RECTIFY = ("lambda x: np.maximum(x, 0)", "lambda grad_out, x: grad_out * (x > 0)")
SQUARE = ("lambda x: x ** 2", "lambda grad_out, x: 2 * x * grad_out")
BEND = ("lambda x: np.tanh(x)", "lambda grad_out, x: grad_out * (1 - np.tanh(x) ** 2)")
ADD = ("lambda x: x + 1.5", "lambda grad_out, x: 1.0 * grad_out")


def matrix(rng: np.random.Generator, features: int, out_features: int) -> tuple[str, str]:
    """A fully connected layer without biases, as text."""
    weight = f"np.array({np.round(rng.standard_normal((out_features, features)), 2).tolist()})"
    return f"lambda x: x @ {weight}.T", f"lambda grad_out, x: grad_out @ {weight}"


def forward(layers: Sequence[Layer], x: Array) -> tuple[Array, tuple[Array, ...]]:
    """The output, and what each layer was given."""
    inputs = []
    for layer in layers:
        inputs.append(x)
        x = layer(x)
    return x, tuple(inputs)


def backward(backwards: Sequence[Layer], inputs: Sequence[Array], grad_out: Array) -> Array:
    """The gradient with respect to the first input."""
    for layer, x in zip(reversed(backwards), reversed(inputs), strict=True):
        grad_out = layer(grad_out, x)
    return grad_out


def in_forward_order(backwards: Sequence[Layer], inputs: Sequence[Array], grad_out: Array) -> Array:
    """From the first layer to the last."""
    return backward(backwards[::-1], inputs[::-1], grad_out)


def each_on_its_own(backwards: Sequence[Layer], inputs: Sequence[Array], grad_out: Array) -> list[Array]:
    """Every layer is given the gradient of the end."""
    return [layer(grad_out, x) for layer, x in zip(backwards, inputs, strict=True)]


def all_gradients(backwards: Sequence[Layer], inputs: Sequence[Array], grad_out: Array) -> tuple[Array, ...]:
    """The gradient with respect to every layer's input."""
    found = []
    for layer, x in zip(reversed(backwards), reversed(inputs), strict=True):
        grad_out = layer(grad_out, x)
        found.append(grad_out)
    return tuple(found[::-1])


def multiplied(backwards: Sequence[Layer], inputs: Sequence[Array], grad_out: Array) -> Array:
    """The incoming gradient enters with every layer again."""
    grad = grad_out
    for layer, x in zip(reversed(backwards), reversed(inputs), strict=True):
        grad = grad_out * layer(grad, x)
    return grad


@exercise("chain", notebook=NOTEBOOK, points=3, answers=("chain_forward", "chain_backward"))
class Chain:
    """Run a chain of layers forward, and gradients backward through it.

    chain_forward gets a sequence of functions and an array x, applies the first function to x, the second to what
    comes out, and so on; it returns the last output and a tuple with what each function was given. chain_backward
    gets the backward functions in the same order, each to be called as backward(grad_out, x) with the x of its own
    layer, the inputs as chain_forward returned them, and the gradient with respect to the last output; it returns the
    gradient with respect to the first input.
    """

    returns: ClassVar = {"chain_forward": ("out", "inputs")}

    def chain_forward(layers, x):
        return forward(layers, x)

    def chain_backward(backwards, inputs, grad_out):
        return backward(backwards, inputs, grad_out)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        chains: dict[str, tuple[list[tuple[str, str]], tuple[int, ...]]] = {
            "one layer": ([SQUARE], (3,)),
            "two layers whose order matters": ([SQUARE, BEND], (2, 3)),
            "three layers": ([DOUBLE, SQUARE, BEND], (2, 2)),
            "the same layer twice": ([SQUARE, SQUARE], (4,)),
            "five layers": ([BEND, SQUARE, ADD, SQUARE, DOUBLE], (1, 2, 2)),
            "a layer that makes the array smaller": ([matrix(rng, 4, 2), BEND], (3, 4)),
            "a small network": ([matrix(rng, 3, 4), RECTIFY, matrix(rng, 4, 2)], (2, 3)),
            "square matrices": ([matrix(rng, 3, 3), RECTIFY, matrix(rng, 3, 3), BEND], (2, 3)),
            "no layer at all": ([], (2, 2)),
        }
        for name, (layers, shape) in chains.items():
            x = rng.uniform(0.3, 1, shape) * rng.choice([-1.0, 1.0], shape)
            steps, ways_back = (tuple(Formula(pair[way]) for pair in layers) for way in (0, 1))
            out, inputs = forward(steps, x)
            yield Case(name, (steps, x), "chain_forward")
            yield Case(name, (ways_back, inputs, rng.standard_normal(out.shape)), "chain_backward")

    misconceptions = (
        Misconception("outputs kept instead of inputs",
                      "What a layer needs on the way back is what it was given, not what it returned: the first "
                      "entry is x.",
                      lambda layers, x: (forward(layers, x)[0], (*forward(layers, x)[1], forward(layers, x)[0])[1:])),
        Misconception("last output kept too",
                      "One input for each layer. The last output is no layer's input; it is returned beside them.",
                      lambda layers, x: (forward(layers, x)[0], (*forward(layers, x)[1], forward(layers, x)[0]))),
        Misconception("from the last layer to the first",
                      "Forward, the layers come in the order in which they are given.",
                      lambda layers, x: forward(layers[::-1], x)),
        Misconception("every layer on x",
                      "Each layer is given what the one before it returned, not the x of the beginning.",
                      lambda layers, x: (layers[-1](x) if layers else x, (x,) * len(layers))),
        Misconception("inputs listed backward",
                      "The inputs come in the order of the layers. It is the way back that turns the order around.",
                      lambda layers, x: (forward(layers, x)[0], forward(layers, x)[1][::-1])),
        Misconception("only the output returned",
                      "Two values are asked for: the output, and a tuple with what each layer was given.",
                      lambda layers, x: forward(layers, x)[0]),
        Misconception("output of the first layer",
                      "The loop ends too early: a return inside of it ends the function after the first layer.",
                      lambda layers, x: (forward(layers[:1], x)[0], forward(layers, x)[1][:1])),
        *(Misconception(name, text, wrong, "chain_backward", also) for name, text, wrong, also in (
            ("backward in forward order",
             "The gradient is known at the end. The last layer is the first one that can go back.",
             in_forward_order, ()),
            ("layers turned around, inputs not",
             "Each backward function belongs with the input of its own layer: if the one sequence is turned around, "
             "so is the other.",
             lambda b, i, g: backward(b, i[::-1], g), ()),
            ("inputs turned around, layers not",
             "The inputs are turned around, the functions are not: the first layer goes back first, and with the input "
             "of another.",
             lambda b, i, g: backward(b[::-1], i, g), ()),
            ("gradients of the layers added",
             "In a chain each layer passes its gradient on to the one before it. Sums belong where one value is used "
             "in several places.",
             lambda b, i, g: sum(each_on_its_own(b, i, g)) if len(b) else g, ()),
            ("every layer gets the last gradient",
             "Only the last layer is given grad_out. The others are given what the layer after them returned.",
             lambda b, i, g: each_on_its_own(b, i, g)[0] if len(b) else g,
             (lambda b, i, g: each_on_its_own(b, i, g)[-1] if len(b) else g,)),
            ("all gradients returned",
             "Only the gradient with respect to the first input is asked for.",
             all_gradients, (lambda b, i, g: all_gradients(b, i, g)[::-1],)),
            ("grad_out multiplied again",
             "A backward function multiplies by the incoming gradient itself; doing it once more counts it twice.",
             multiplied, (lambda b, i, g: g * backward(b, i, g),)),
            ("begun with ones",
             "The chain begins with grad_out: what comes after these layers may weigh their outputs differently.",
             lambda b, i, g: backward(b, i, np.ones_like(g)), ()),
            ("arguments of backward swapped",
             "A backward function is called as backward(grad_out, x), the gradient first.",
             lambda b, i, g: backward([lambda grad, x, f=f: f(x, grad) for f in b], i, g), ()),
            ("first layer left out",
             "The way back ends at the input of the first layer, so the first layer's backward function is called, "
             "too.",
             lambda b, i, g: backward(b[1:], i[1:], g), ()),
            ("last layer left out",
             "grad_out is the gradient with respect to the last output: the last layer is the first to go back.",
             lambda b, i, g: backward(b[:-1], i[:-1], g), ()),
        )),
        Misconception("first layer never called", "The first layer is given x.",
                      lambda layers, x: forward(layers[1:], x)),
        Misconception("only the last input kept", "Every layer needs its own input on the way back.",
                      lambda layers, x: (forward(layers, x)[0], forward(layers, x)[1][-1:]),
                      also=(lambda layers, x: (forward(layers, x)[0], x),)),
        Misconception("outputs added", "The layers follow each other; they do not lie side by side.",
                      lambda layers, x: (sum(layer(x) for layer in layers), (x,) * len(layers))),
        *(Misconception(name, text, wrong, "chain_backward", also) for name, text, wrong, also in (
            ("the first input for all", "Each layer needs what it was given itself.",
             lambda b, i, g: backward(b, [i[0]] * len(b), g) if len(b) else g, ()),
            ("input of the layer before", "Layer number i has input number i: what it was given itself.",
             lambda b, i, g: backward(b, (*i[-1:], *i[:-1]), g), ()),
            ("grad_out added at the end", "The chain passes one gradient on; what came in is not added again.",
             lambda b, i, g: g + backward(b, i, g), ()),
        )),
    )
    hints = (
        "Write down the two calls for a chain of two layers, first forward, then backward. Which value has to wait in "
        "between?",
        "Forward: a loop that puts x into a list before it replaces x. Backward: a loop over both sequences in "
        "reverse that replaces the gradient.",
        "reversed(backwards) and reversed(inputs) go together in zip; in the loop, grad_out = backward(grad_out, x).",
    )
