"""From a network back to a pattern, as far as a pattern can say it."""

from __future__ import annotations

import math
from typing import Any

from cnncourse.errors import ArgumentError
from cnncourse.layers import Conv2d, Flatten, Layer, Linear
from cnncourse.network import Network
from cnncourse.network.graph import INPUT, Node
from cnncourse.pattern.building import MOST_LAYERS
from cnncourse.pattern.syntax import LONGEST
from cnncourse.pattern.vocabulary import BY_LAYER, padding_that_keeps

LONGEST_BLOCK = 60
"""Repetitions of more layers than this are not looked for."""


def describe(network: Network) -> str:
    """The pattern of a network whose layers follow one another, repetitions in brackets.

    Parameters
    ----------
    network : Network

    Returns
    -------
    str
        `parse` makes the same layers of it; what differs are the network's name and the names of its nodes. Numbers of
        filters and features are always written, other options where they differ from a pattern's defaults.

    Raises
    ------
    ArgumentError
        If a node reads anything but the one before it, or the network has further outputs, or a layer has no word in a
        pattern.

    Examples
    --------
    >>> from cnncourse.pattern import parse
    >>> describe(parse("input -> [conv -> relu]*2 -> pool -> conv(64) -> relu -> conv(64) -> relu -> pool -> fc"))
    'INPUT(3, 32, 32) -> [CONV(32) -> RELU]*2 -> POOL -> [CONV(64) -> RELU]*2 -> POOL -> FC(10)'
    """
    nodes = network.nodes
    if not 1 <= len(nodes) <= MOST_LAYERS:
        raise ArgumentError(f"{network.name} has {len(nodes)} layers; a pattern has from 1 to {MOST_LAYERS}")
    if len(network.input_shape) not in (1, 3):
        raise ArgumentError(f"{network.name} takes samples of shape {network.input_shape}; INPUT has (channels, "
                            "height, width) or (features,)")
    before = INPUT
    for node in nodes:
        if node.inputs != (before,):
            raise ArgumentError(f"{network.name} is no plain chain: {node.name} reads {', '.join(node.inputs)}, not "
                                f"just {before}; a pattern has no words for branches")
        before = node.name
    if network.outputs != (before,):
        raise ArgumentError(f"{network.name} gives {', '.join(network.outputs)}; what a pattern gives is its last "
                            f"layer alone, here {before}")
    words = [_phrase(node) for node, following in zip(nodes, (*nodes[1:], None), strict=True)
             if not _implied(node, following)]
    shape = ", ".join(map(str, network.input_shape))
    return " -> ".join([f"INPUT({shape})", *_folded(words)])


def _implied(node: Node, following: Node | None) -> bool:
    """Whether `parse` puts this flatten there by itself."""
    return (isinstance(node.layer, Flatten) and len(node.input_shapes[0]) > 1
            and following is not None and isinstance(following.layer, Linear))


def _phrase(node: Node) -> str:
    """A layer as a pattern writes it."""
    layer = node.layer
    word = BY_LAYER.get(type(layer))
    if word is None:
        raise ArgumentError(f"{node.name} is a {type(layer).__name__}, for which a pattern has no word")
    if isinstance(layer, Conv2d) and layer.connections is not None:
        raise ArgumentError(f"{node.name} connects its filters to some of the channels only, for which a pattern has "
                            "no words")
    parts: list[str] = []
    for position, option in enumerate(word.options):
        value = getattr(layer, option)
        if value == _default(layer, option):
            continue
        # The first option needs no name, nor does the kernel after the number of filters.
        plain = position == len(parts) and (position == 0 or option == "kernel_size")
        parts.append(_text(value) if plain else f"{option}={_text(value)}")
    return f"{word.name}({', '.join(parts)})" if parts else word.name


def _default(layer: Layer, option: str) -> Any:
    if option == "padding" and hasattr(layer, "out_channels"):
        return padding_that_keeps(layer.kernel_size, getattr(layer, "dilation", 1))  # type: ignore[attr-defined]
    return BY_LAYER[type(layer)].default(option)


def _text(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return f"({', '.join(map(_text, value))})"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if not isinstance(value, str) and (math.isinf(value) or (isinstance(value, int) and value >= 10**LONGEST)):
        raise ArgumentError(f"a pattern cannot say the number {text}")
    return text


def _folded(words: list[str]) -> list[str]:
    """The same words, with what comes several times in a row in brackets: at each place what saves most."""
    found: list[str] = []
    start = 0
    while start < len(words):
        saving, length, times = 0, 1, 1
        for block in range(1, min((len(words) - start) // 2, LONGEST_BLOCK) + 1):
            count = 1
            while words[start + count * block:start + (count + 1) * block] == words[start:start + block]:
                count += 1
            if (count - 1) * block > saving:
                saving, length, times = (count - 1) * block, block, count
        inner = _folded(words[start:start + length]) if length > 1 else words[start:start + length]
        if times == 1:
            found += inner
        elif len(inner) == 1 and length == 1:
            found.append(f"{inner[0]}*{times}")
        else:
            found.append(f"[{' -> '.join(inner)}]*{times}")
        start += length * times
    return found
