"""Answers that people could hand in: right ones in several ways, wrong ones written independently.

One package per notebook, named like its package in `autograder.exercises`, with two modules. `right` holds

- `RIGHT[exercise]`: a list of tuples of functions, one function for each answer of the exercise;

`wrong` holds

- `WRONG`: (exercise, name that the judge has to say first, functions), written as students write them;
- `FRIENDLY_ONLY`: (exercise, piece of a case's name, functions), right on friendly inputs only, and the case that has
  to be shown;
- `MUTATIONS`: a right answer's source and edits that make it wrong, tried one by one and two by two.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tests.answers.mutations import Mutations

TOPICS = ("local_connectivity", "parameter_sharing", "pooling", "fc_to_conv", "architectures", "memory", "training")

RIGHT: dict[str, list[tuple[Any, ...]]] = {}
WRONG: list[tuple[str, str, Any]] = []
FRIENDLY_ONLY: list[tuple[str, str, Any]] = []
MUTATIONS: list[Mutations] = []

for _topic in TOPICS:
    RIGHT |= import_module(f"tests.answers.{_topic}.right").RIGHT
    _wrong = import_module(f"tests.answers.{_topic}.wrong")
    WRONG += _wrong.WRONG
    FRIENDLY_ONLY += _wrong.FRIENDLY_ONLY
    MUTATIONS += _wrong.MUTATIONS
