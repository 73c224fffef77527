"""What happens in which order, worked out once: what is computed where, kept for backward, and let go.

A network runs in segments, one after the other; usually there is a single one. A segment is planned from its nodes
and from what has to survive it. The plan is data: the execution walks it with arrays, the memory accounting with
numbers of bytes, and so both see the same schedule.

Two values share a *storage* if one is a view of the other or was computed in its place. A layer may overwrite its
input only if nobody looks at that storage any more: no later node, no backward pass, nobody outside of the segment.
Gradients follow the same rule in the backward pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from cnncourse.layers import Mode
from cnncourse.network.graph import Node

KEEPING = Mode(training=True, keep=True)

Sum = Literal["first", "into sum", "into term", "new"]
"""How a gradient joins those that the same value got before: it is the first one, or it is added to the memory of
their sum, or they are added to its memory, or neither may be overwritten."""


@dataclass(frozen=True, slots=True)
class ForwardStep:
    """One layer forward.

    Attributes
    ----------
    node : Node
    parameters, buffers : tuple of (str, str)
        The layer's own name and the network's for each.
    overwrite : bool
        The first input's memory is used for the output.
    keeps_inputs, keeps_output : bool
        Whether backward will need them.
    computed : bool
        False if only the inputs are kept, and nobody needs the output.
    drop : tuple of str
        Values that are not read any more after this step.
    """

    node: Node
    parameters: tuple[tuple[str, str], ...]
    buffers: tuple[tuple[str, str], ...]
    overwrite: bool
    keeps_inputs: bool
    keeps_output: bool
    computed: bool
    drop: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BackwardStep:
    """One layer backward.

    Attributes
    ----------
    node : Node
    parameters : tuple of (str, str)
    wanted : tuple of bool
        Which inputs need a gradient.
    overwrite : bool
        The memory of the output's gradient is used for the input's.
    sums : tuple of Sum
        For each wanted input.
    """

    node: Node
    parameters: tuple[tuple[str, str], ...]
    wanted: tuple[bool, ...]
    overwrite: bool
    sums: tuple[Sum, ...]


@dataclass(frozen=True)
class ForwardPlan:
    """A segment forward.

    Attributes
    ----------
    steps : tuple of ForwardStep
    storage : dict of str to str
        For each value the one whose memory it lives in.
    copied : frozenset of str
        Of what comes out of the network, the values whose memory is somebody else's: the caller gets a copy.
    """

    steps: tuple[ForwardStep, ...]
    storage: dict[str, str]
    copied: frozenset[str]


def plan_forward(
    nodes: Sequence[Node], outputs: Collection[str], passed_on: Collection[str], training: bool, keep: bool
) -> ForwardPlan:
    """Plan a segment's forward pass.

    Parameters
    ----------
    nodes : sequence of Node
        Each after those that it reads. What they read of other nodes comes from outside and is never overwritten.
    outputs : collection of str
        Values that the caller gets.
    passed_on : collection of str
        Values that are read after the segment.
    training : bool
    keep : bool
        Whether backward follows.

    Returns
    -------
    ForwardPlan
    """
    inside = {node.name for node in nodes}
    hold = {*outputs, *passed_on}
    last_use = {name: index for index, node in enumerate(nodes) for name in node.inputs}
    kept = _kept(nodes) if keep else frozenset[str]()
    computed = _computed(nodes, hold, kept, keep)
    storage: dict[str, str] = {}
    members: dict[str, list[str]] = {}

    def settle(name: str, root: str) -> None:
        storage[name] = root
        members.setdefault(root, []).append(name)

    steps = []
    for index, node in enumerate(nodes):
        for name in node.inputs:
            if name not in storage:
                settle(name, name)
        first, *others = (storage[name] for name in node.inputs)
        overwrite = (
            node.layer.overwrites and first not in others and members[first][0] in inside
            and not any(name in kept or name in hold or last_use.get(name, -1) > index for name in members[first])
        )
        shared = overwrite or node.layer.shares(training)
        settle(node.name, first if shared else node.name)
        steps.append(ForwardStep(
            node, named(node, node.parameter_shapes), named(node, node.buffer_shapes), overwrite,
            keep and node.layer.keeps_input, keep and node.layer.keeps_output, node.name in computed,
            tuple(name for name in dict.fromkeys((*node.inputs, node.name))
                  if last_use.get(name, index) == index and name not in hold),
        ))
    taken = {storage[name] for name in (*kept, *passed_on)} | {root for root in members if root not in inside}
    return ForwardPlan(tuple(steps), storage, frozenset(name for name in outputs if storage.get(name, name) in taken))


def _kept(nodes: Iterable[Node]) -> frozenset[str]:
    """Values that backward will read."""
    return frozenset(name for node in nodes for name in (
        *(node.inputs if node.layer.keeps_input else ()), *((node.name,) if node.layer.keeps_output else ())))


def _computed(
    nodes: Sequence[Node], hold: Collection[str], kept: Collection[str], keep: bool
) -> set[str]:
    """Nodes whose output, or what they note down for backward, somebody needs."""
    if not keep:
        return {node.name for node in nodes}
    needed = {*hold, *kept}
    for node in reversed(nodes):
        if node.name in needed or node.layer.forward_work(KEEPING, 1, 4, *node.input_shapes).kept:
            needed |= {node.name, *node.inputs}
    return {node.name for node in nodes if node.name in needed}


def plan_backward(
    nodes: Sequence[Node], needs_gradient: Collection[str], given: Collection[str]
) -> tuple[BackwardStep, ...]:
    """Plan a segment's backward pass.

    Parameters
    ----------
    nodes : sequence of Node
        As in the forward pass.
    needs_gradient : collection of str
        Values that depend on a parameter, or on the input if its gradient is asked for.
    given : collection of str
        Values whose gradient the caller gives, in memory that belongs to the caller.

    Returns
    -------
    tuple of BackwardStep
    """
    storage = {name: f"given {name}" for name in given}
    foreign = set(storage.values())
    users = Counter(storage.values())

    def own(root: str) -> bool:
        return users[root] <= 1 and root not in foreign

    steps = []
    for node in reversed(nodes):
        if node.name not in needs_gradient:
            continue
        upstream = storage.pop(node.name)
        wanted = tuple(name in needs_gradient for name in node.inputs)
        overwrite = node.layer.overwrites_gradient and own(upstream) and any(wanted)
        users[upstream] -= 1
        terms = [f"{node.name} {number}" for number in range(len(node.inputs))]
        if overwrite or node.layer.shares_gradient():
            terms = [upstream] * len(node.inputs)
        # All terms exist before the first one is added to anything.
        users.update(term for term, want in zip(terms, wanted, strict=True) if want)
        sums: list[Sum] = []
        for name, term, want in zip(node.inputs, terms, wanted, strict=True):
            if not want:
                continue
            so_far = storage.get(name)
            if so_far is None:
                how: Sum = "first"
                storage[name] = term
            elif own(so_far):
                how = "into sum"
                users[term] -= 1
            elif own(term):
                how = "into term"
                users[so_far] -= 1
                storage[name] = term
            else:
                how = "new"
                users[so_far] -= 1
                users[term] -= 1
                storage[name] = f"{node.name} + {name}"
                users[storage[name]] += 1
            sums.append(how)
        steps.append(BackwardStep(node, named(node, node.parameter_shapes), wanted, overwrite, tuple(sums)))
    return tuple(steps)


def named(node: Node, shapes: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The layer's own names and the network's."""
    return tuple((key, f"{node.name}.{key}") for key in shapes)
