"""The chain of layers: forward from the first to the last, backward from the last to the first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from autograder.exercises import words
from autograder.exercises.making import in_answer
from autograder.exercises.training.common import NOTEBOOK
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Formula, Misconception, exercise

DOUBLE = ("lambda x: 2 * x", "lambda grad_out, x: 2 * grad_out")
RECTIFY = ("lambda x: np.maximum(x, 0)", "lambda grad_out, x: grad_out * (x > 0)")
SQUARE = ("lambda x: x ** 2", "lambda grad_out, x: 2 * x * grad_out")
BEND = ("lambda x: np.tanh(x)", "lambda grad_out, x: grad_out * (1 - np.tanh(x) ** 2)")
ADD = ("lambda x: x + 1.5", "lambda grad_out, x: 1.0 * grad_out")


def matrix(rng: np.random.Generator, features: int, out_features: int) -> tuple[str, str]:
    """A fully connected layer without biases, as text."""
    weight = f"np.array({np.round(rng.standard_normal((out_features, features)), 2).tolist()})"
    return f"lambda x: x @ {weight}.T", f"lambda grad_out, x: grad_out @ {weight}"


def forward(layers, x):
    """The output, and what each layer was given."""
    inputs = []
    for layer in layers:
        inputs.append(x)
        x = layer(x)
    return x, tuple(inputs)


def backward(backwards, inputs, grad_out):
    """The gradient with respect to the first input."""
    g = grad_out
    for layer, x in zip(backwards[::-1], inputs[::-1], strict=True):
        g = layer(g, x)
    return g


FORWARD, BACK = Written.of(forward), Written.of(backward)
_COLLECTED = {"g = grad_out": "g, found = grad_out, []", "(g, x)\n": "(g, x); found.append(g)\n"}


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
                      "What a layer needs on the way back is what it was given, not what it returned: the first entry "
                      "is x.", FORWARD.edited({"inputs.append(x)\n        x = layer(x)":
                                               "x = layer(x)\n        inputs.append(x)"})),
        Misconception("last output kept too",
                      "One input for each layer. The last output is no layer's input; it is returned beside them.",
                      FORWARD.edited({"tuple(inputs)": "(*inputs, x)"})),
        Misconception("from the last layer to the first",
                      "Forward, the layers come in the order in which they are given.",
                      FORWARD.edited({"in layers": "in layers[::-1]"})),
        Misconception("every layer on x",
                      "Each layer is given what the one before it returned, not the x of the beginning.",
                      FORWARD.edited({"inputs = []": "inputs, out = [], x", "x = layer(x)": "out = layer(x)",
                                      "return x": "return out"})),
        Misconception("inputs listed backward",
                      "The inputs come in the order of the layers. It is the way back that turns the order around.",
                      FORWARD.edited({"tuple(inputs)": "tuple(inputs[::-1])"})),
        Misconception(*words.ONLY_OUTPUT, FORWARD.edited({"x, tuple(inputs)": "x"})),
        Misconception("output of the first layer",
                      "The loop ends too early: a return inside of it ends the function after the first layer.",
                      FORWARD.edited({"in layers": "in layers[:1]"})),
        Misconception("first layer never called", "The first layer is given x.",
                      FORWARD.edited({"in layers": "in layers[1:]"})),
        Misconception("only the last input kept", "Every layer needs its own input on the way back.",
                      FORWARD.edited({"tuple(inputs)": "tuple(inputs[-1:])"}),
                      also=(lambda layers, x: (forward(layers, x)[0], x),)),
        Misconception("outputs added", "The layers follow each other; they do not lie side by side.",
                      lambda layers, x: (sum(layer(x) for layer in layers), (x,) * len(layers))),
        *in_answer(
            "chain_backward",
            Misconception("backward in forward order",
                          "The gradient is known at the end. The last layer is the first one that can go back.",
                          BACK.edited({"backwards[::-1], inputs[::-1]": "backwards, inputs"})),
            Misconception("layers turned around, inputs not",
                          "Each backward function belongs with the input of its own layer: if the one sequence is "
                          "turned around, so is the other.", BACK.edited({"inputs[::-1]": "inputs"})),
            Misconception("inputs turned around, layers not",
                          "The inputs are turned around, the functions are not: the first layer goes back first, and "
                          "with the input of another.", BACK.edited({"backwards[::-1]": "backwards"})),
            Misconception("gradients of the layers added",
                          "In a chain each layer passes its gradient on to the one before it. Sums belong where one "
                          "value is used in several places.",
                          BACK.edited({"g = layer(g, x)": "g = g + layer(grad_out, x)",
                                       "return g": "return g - grad_out if len(backwards) else g"})),
            Misconception("every layer gets the last gradient",
                          "Only the last layer is given grad_out. The others are given what the layer after them "
                          "returned.", BACK.edited({"layer(g, x)": "layer(grad_out, x)"}),
                          also=(BACK.edited({"layer(g, x)": "layer(grad_out, x)", "backwards[::-1]": "backwards",
                                             "inputs[::-1]": "inputs"}),)),
            Misconception("all gradients returned", "Only the gradient with respect to the first input is asked for.",
                          BACK.edited({**_COLLECTED, "return g": "return tuple(found[::-1])"}),
                          also=(BACK.edited({**_COLLECTED, "return g": "return tuple(found)"}),)),
            Misconception("grad_out multiplied again",
                          "A backward function multiplies by the incoming gradient itself; doing it once more counts "
                          "it twice.", BACK.edited({"layer(g, x)": "grad_out * layer(g, x)"}),
                          also=(BACK.returning("grad_out * g"),)),
            Misconception("begun with ones",
                          "The chain begins with grad_out: what comes after these layers may weigh their outputs "
                          "differently.", BACK.given("grad_out = np.ones_like(grad_out)")),
            Misconception("arguments of backward swapped",
                          "A backward function is called as backward(grad_out, x), the gradient first.",
                          BACK.edited({"layer(g, x)": "layer(x, g)"})),
            Misconception("first layer left out",
                          "The way back ends at the input of the first layer, so the first layer's backward function "
                          "is called, too.", BACK.given("backwards, inputs = backwards[1:], inputs[1:]")),
            Misconception("last layer left out",
                          "grad_out is the gradient with respect to the last output: the last layer is the first to "
                          "go back.", BACK.given("backwards, inputs = backwards[:-1], inputs[:-1]")),
            Misconception("the first input for all", "Each layer needs what it was given itself.",
                          BACK.given("inputs = [*inputs[:1]] * len(inputs)")),
            Misconception("input of the layer before", "Layer number i has input number i: what it was given itself.",
                          BACK.given("inputs = (*inputs[-1:], *inputs[:-1])")),
            Misconception("grad_out added at the end",
                          "The chain passes one gradient on; what came in is not added again.",
                          BACK.returning("grad_out + g")),
        ),
    )
    hints = (
        "Write down the two calls for a chain of two layers, first forward, then backward. Which value has to wait in "
        "between?",
        "Forward: a loop that puts x into a list before it replaces x. Backward: a loop over both sequences in "
        "reverse that replaces the gradient.",
        "zip takes both sequences, each reversed. What a layer hands back is what the one before it is given.",
    )
