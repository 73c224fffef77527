"""Which exercises there are, in the order of the course: the modules below, and in each the order of its classes.

A module is imported when somebody asks for an exercise, not when `autograder` is imported.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module

from autograder.errors import DeclarationError, UnknownExerciseError
from autograder.judging.exercise import Exercise

TOPICS = {
    "local_connectivity": ("one_neuron", "borders", "layers", "matmul", "variants", "settings"),
    "parameter_sharing": ("counting", "local", "shifts", "borders", "summed", "measured", "backward", "columns"),
    "pooling": (
        "maximum", "kept", "average", "norm", "located", "indices", "routes", "average_backward", "norm_backward",
        "strided", "libraries"),
    "fc_to_conv": ("dense", "backward", "conversion", "parameters", "sliding", "map_sizes", "cost", "peaks"),
    "architectures": (
        "patterns", "halving", "sizes", "costs", "fields", "networks", "inception", "inception_costs", "residual",
        "cheaper", "upwards"),
    "memory": ("units", "activations", "parameters", "rest", "modes", "budget", "recomputing", "precision"),
    "training": (
        "probabilities", "activation", "convolution", "pooling", "chain", "network", "descent", "epochs", "counting",
        "augmentation"),
}
"""The modules with declarations, by the topic's folder; one folder an assignment."""


def find(name: str) -> Exercise:
    """The exercise called `name`.

    Raises
    ------
    UnknownExerciseError
        With the nearest names, where there are any.
    """
    known = _declared()
    if name not in known:
        near = difflib.get_close_matches(str(name), known, n=3, cutoff=0.5)
        ask = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise UnknownExerciseError(f"There is no exercise called {name!r}.{ask}")
    return known[name]


def exercises(notebook: str | None = None) -> tuple[str, ...]:
    """Names of all exercises, or of one notebook's, in the order of the course."""
    return tuple(e.name for e in every(notebook))


def every(notebook: str | None = None) -> Iterator[Exercise]:
    """All declared exercises, or one notebook's, in the order of the course."""
    return (e for e in _declared().values() if notebook in (None, e.notebook))


def collected(declared: Iterable[Exercise]) -> dict[str, Exercise]:
    """Exercises by name, in the order given.

    Raises
    ------
    DeclarationError
        If two share a name.
    """
    found: dict[str, Exercise] = {}
    for exercise in declared:
        if exercise.name in found:
            raise DeclarationError(f"exercise {exercise.name!r} is declared twice, in {found[exercise.name].module} "
                                   f"and in {exercise.module}")
        found[exercise.name] = exercise
    return found


def declared_in(module: str) -> Iterator[Exercise]:
    """What one module declares, in its order; what it only imports is not its own."""
    for value in vars(import_module(module)).values():
        if isinstance(value, Exercise) and value.module == module:
            yield value


@cache
def _declared() -> dict[str, Exercise]:
    return collected(exercise for topic, modules in TOPICS.items() for module in modules
                     for exercise in declared_in(f"autograder.exercises.{topic}.{module}"))
