"""What the exercises on memory share: the rule of counting, and what optimizers remember, rightly or wrongly."""

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
