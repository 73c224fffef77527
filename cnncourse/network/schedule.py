"""The whole schedule of a pass: which nodes take part, cut into which segments."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from cnncourse.layers.base import size_of
from cnncourse.network.graph import INPUT, Graph, Node
from cnncourse.network.plan import KEEPING, BackwardStep, ForwardPlan, plan_backward, plan_forward

MOST_SEGMENTS = 24
"""Into how many parts a network is cut at most; the best number is near the root of the number of layers."""


@dataclass(frozen=True)
class Segment:
    """A part of the network between two values that everything has to pass through.

    Attributes
    ----------
    source : str
        The value that comes in; "input" for the first segment.
    names : frozenset of str
        Its nodes.
    forward : ForwardPlan
        The pass that computes what comes out.
    again : ForwardPlan or None
        The pass that computes once more, before backward, what backward needs; None if `forward` has kept it.
    draws : bool
        Whether it draws random numbers, which have to be the same the second time.
    """

    source: str
    names: frozenset[str]
    forward: ForwardPlan
    again: ForwardPlan | None
    draws: bool


@dataclass(frozen=True)
class Schedule:
    """A pass forward and, in training, the passes backward, without and with the gradient of the input.

    Attributes
    ----------
    outputs : tuple of str
        What comes out.
    segments : tuple of Segment
    backward : dict of bool to (tuple of BackwardStep for each segment)
        The key says whether the gradient of the input is computed.
    """

    outputs: tuple[str, ...]
    segments: tuple[Segment, ...]
    backward: dict[bool, tuple[tuple[BackwardStep, ...], ...]]


def inference(graph: Graph, names: Sequence[str] = ()) -> Schedule:
    """Schedule of a pass that only looks.

    Parameters
    ----------
    graph : Graph
    names : sequence of str, optional
        Values to look at; the output proper by default.

    Returns
    -------
    Schedule
    """
    outputs = tuple(names) or graph.outputs[:1]
    nodes = _ordered(graph, outputs)
    plan = plan_forward(nodes, outputs, (), training=False, keep=False)
    return Schedule(outputs, (Segment(INPUT, frozenset(node.name for node in nodes), plan, None, False),), {})


def training(graph: Graph, recompute: bool = False) -> Schedule:
    """Schedule of a training step.

    Parameters
    ----------
    graph : Graph
    recompute : bool, optional
        Cut the network into segments, keep only what goes from one to the next, and compute the rest again for
        backward.

    Returns
    -------
    Schedule

    References
    ----------
    Chen, Xu, Zhang and Guestrin: Training deep nets with sublinear memory cost, 2016.
    """
    nodes = _ordered(graph, graph.outputs)
    parts = _cut(graph, nodes) if recompute else [nodes]
    segments = []
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        source = INPUT if number == 0 else parts[number - 1][-1].name
        names = frozenset(node.name for node in part)
        out = names.intersection(graph.outputs)
        # Backward begins with the last segment, so that it had better keep what it needs at once.
        forward = plan_forward(part, out, () if last else (part[-1].name,), training=True, keep=last)
        again = None if last else plan_forward(part, (), (), training=True, keep=True)
        segments.append(Segment(source, names, forward, again, any(node.layer.draws for node in part)))
    backward = {}
    for with_input in (False, True):
        steps = plan_backward(nodes, _needing_gradient(nodes, with_input), graph.outputs)
        backward[with_input] = tuple(tuple(step for step in steps if step.node.name in segment.names)
                                     for segment in segments)
    return Schedule(graph.outputs, tuple(segments), backward)


def _ordered(graph: Graph, outputs: Collection[str]) -> list[Node]:
    """Nodes that the outputs depend on; those that only further outputs need right after what they branch from."""
    main = _ancestors(graph, outputs if len(outputs) == 1 else graph.outputs[:1])
    needed = _ancestors(graph, outputs)
    place: dict[str, int] = {INPUT: -1}
    for index, node in enumerate(graph.nodes):
        place[node.name] = index if node.name in main else max(place[name] for name in node.inputs)
    return sorted((node for node in graph.nodes if node.name in needed), key=lambda node: place[node.name])


def _ancestors(graph: Graph, names: Iterable[str]) -> set[str]:
    found: set[str] = set()
    waiting = [name for name in names if name != INPUT]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [one for one in graph.node(name).inputs if one != INPUT]
    return found


def _needing_gradient(nodes: Iterable[Node], with_input: bool) -> set[str]:
    needing = {INPUT} if with_input else set()
    for node in nodes:
        if node.parameter_shapes or needing.intersection(node.inputs):
            needing.add(node.name)
    return needing


def _cut(graph: Graph, nodes: list[Node]) -> list[list[Node]]:
    """Cut where one value alone crosses, so that what is kept and the largest segment together are small.

    For a number of bounds on what one segment may keep, the cheapest cuts that respect it are found; the best bound
    wins. For a plain chain of n equal layers this gives about the root of n segments.
    """
    plan = plan_forward(nodes, graph.outputs, (), training=True, keep=True)
    ends = _crossings(nodes)
    kept = _kept_until(nodes, plan)
    sizes = [size_of(nodes[end - 1].output_shape) for end in ends]
    best, cheapest = [len(nodes)], kept[-1]
    for parts in range(2, MOST_SEGMENTS + 1):
        bound = kept[-1] / parts
        found = _cheapest(ends, sizes, kept, bound)
        if found is not None:
            cost = sum(sizes[ends.index(end)] for end in found[:-1]) + max(
                kept[end] - kept[start] for start, end in zip([0, *found], found, strict=False))
            if cost < cheapest:
                best, cheapest = found, cost
    return [nodes[start:end] for start, end in zip([0, *best], best, strict=False)]


def _crossings(nodes: Sequence[Node]) -> list[int]:
    """Lengths of beginnings of the list from which one value alone, the last one, is read later; and all of it."""
    last_use = {name: index for index, node in enumerate(nodes) for name in node.inputs}
    ends = []
    open_until = -1
    for index, node in enumerate(nodes[:-1]):
        if max(open_until, last_use.get(INPUT, -1)) <= index and last_use.get(node.name, -1) > index:
            ends.append(index + 1)
        open_until = max(open_until, last_use.get(node.name, -1))
    return [*ends, len(nodes)]


def _kept_until(nodes: Sequence[Node], plan: ForwardPlan) -> list[float]:
    """How many numbers the first k nodes leave behind for backward, for k from 0 on."""
    counted: set[str] = set()
    sums: list[float] = [0]
    kept = {plan.storage[name] for step in plan.steps for name in (
        *(step.node.inputs if step.keeps_inputs else ()), *((step.node.name,) if step.keeps_output else ()))}
    for node in nodes:
        root = plan.storage[node.name]
        own = size_of(node.output_shape) if root in kept and root not in counted else 0
        counted.add(root)
        sums.append(sums[-1] + own + node.layer.forward_work(KEEPING, 1, 4, *node.input_shapes).kept / 4)
    return sums


def _cheapest(ends: Sequence[int], sizes: Sequence[int], kept: Sequence[float], bound: float) -> list[int] | None:
    """Cuts of the smallest sum of sizes such that no segment keeps more than the bound, if there are any."""
    costs: dict[int, tuple[float, list[int]]] = {0: (0, [])}
    for end, size in zip(ends, sizes, strict=True):
        reachable = [(cost + size, [*cuts, end]) for start, (cost, cuts) in costs.items()
                     if kept[end] - kept[start] <= bound]
        if reachable:
            costs[end] = min(reachable)
    return costs[ends[-1]][1] if ends[-1] in costs else None
