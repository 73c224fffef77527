"""What the networks of the zoo are built with."""

from __future__ import annotations

from cnncourse.errors import ArgumentError
from cnncourse.geometry.settings import per_axis
from cnncourse.layers import Dropout, Flatten, Layer, Linear, ReLU
from cnncourse.network import Network


def picture(name: str, channels: int, input_size: int | tuple[int, int]) -> Network:
    """An empty network for pictures of a size: one number for squares, or (height, width)."""
    return Network((channels, *per_axis(f"{name}: input_size", input_size, 1)), name)


def chain(network: Network, *layers: Layer | tuple[str, Layer], after: str | None = None) -> str:
    """Add layers one after the other, some with names; the name of the last one comes back."""
    last = after
    for one in layers:
        name, layer = one if isinstance(one, tuple) else (None, one)
        last = network.add(layer, *([] if last is None else [last]), name=name)
    assert last is not None
    return last


def classifier(network: Network, num_classes: int) -> str:
    """Three fully connected layers with dropout, as in AlexNet and those that follow it."""
    return chain(network, Flatten(), ("fc6", Linear(4096)), ReLU(), Dropout(), ("fc7", Linear(4096)), ReLU(), Dropout(),
                 ("fc8", Linear(num_classes)))


def choice(function: str, option: str, given: object, allowed: tuple[object, ...]) -> None:
    """Complain about a value that is not among those there are."""
    if given not in allowed:
        raise ArgumentError(f"{function}: {option} has to be {' or '.join(map(repr, allowed))}, {given!r} was given")
