"""What the exercises on memory share: the rule of counting, what optimizers remember, and mistakes made everywhere."""

from __future__ import annotations

from cnncourse.memory import OPTIMIZERS

NOTEBOOK = "06-memory"

STORED = ("input", "conv", "pool", "fc")
"""Kinds of layer whose result takes memory of its own; all others work in place."""

NAMES = tuple(OPTIMIZERS)
STATES = {name: len(kind.kept) for name, kind in OPTIMIZERS.items()}
"""How many numbers an optimizer remembers for each parameter."""

ADAM_AS_MOMENTUM = {**STATES, "adam": 1}
ALWAYS_ONE = dict.fromkeys(STATES, 1)
NEVER = dict.fromkeys(STATES, 0)
ONLY_ADAM = {**STATES, "momentum": 0, "rmsprop": 0}
RMSPROP_AS_ADAM = {**STATES, "rmsprop": 2}
SGD_WITH_ONE = {**STATES, "sgd": 1}

BATCH_FORGOTTEN = (
    "batch size forgotten",
    "Every picture of the batch has activations of its own: memory for them grows with the size of the batch.")
ELEMENTS = (
    "bytes per number forgotten",
    "This is how many numbers there are. How many bytes one of them takes is an argument of its own.")
BITS = (
    "bits instead of bytes",
    "The result is eight times too large. A number in single precision has 32 bits, which are 4 bytes.")
FOUR_BYTES = (
    "always four bytes",
    "Four bytes is single precision. The same numbers take two bytes each in half precision and eight in double: use "
    "the argument.")
ADAM_COUNTED_AS_MOMENTUM = (
    "Adam counted as momentum",
    "Adam remembers two numbers for each parameter: a mean of its gradients, as momentum does, and a mean of their "
    "squares, as RMSProp does.")
RMSPROP_COUNTED_AS_ADAM = (
    "RMSProp counted as Adam",
    "RMSProp remembers the mean of the squared gradients only, which is one number for each parameter.")
ONLY_ADAM_REMEMBERS = (
    "momentum and RMSProp remember nothing",
    "Momentum keeps a velocity for each parameter, RMSProp a mean square: both have to survive until the next step.")
SGD_REMEMBERS = (
    "plain SGD with a cache",
    "Plain gradient descent uses the gradient and forgets it: it keeps nothing from step to step.")
ALWAYS_THREE_TIMES = (
    "always three times",
    "Three times is right for optimizers that remember one number for each parameter. Not all do: look at the table.")
