"""A pass without numbers: the code that runs networks, run with blocks that only know how large they are.

Nothing is fitted or guessed. A block of memory is there as long as somebody refers to it, exactly like an array, so
that what the execution keeps, overwrites, or lets go too late shows up here as it does in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import numpy as np

from cnncourse.functional.arguments import Array
from cnncourse.layers import Kept, Mode
from cnncourse.layers.base import Work, size_of
from cnncourse.network.execution import Run
from cnncourse.network.graph import Graph
from cnncourse.network.plan import BackwardStep, ForwardStep, Sum
from cnncourse.network.schedule import Schedule

Kind = Literal["input", "parameters", "gradients", "optimizer", "activations", "workspace"]
KINDS: tuple[Kind, ...] = ("input", "parameters", "gradients", "optimizer", "activations", "workspace")
"""What memory is for, in the order of the tables."""


@dataclass
class Ledger:
    """What is in memory, by kind, and the most that ever was.

    Attributes
    ----------
    now, largest, at_peak : dict of str to int
        Bytes by kind: at this moment, the largest of each kind, and at the moment of the largest sum.
    peak : int
        The largest sum.
    moment : str
        When that was.
    """

    now: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    largest: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    at_peak: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    peak: int = 0
    moment: str = ""

    def note(self, moment: str, passing: int = 0) -> None:
        """Compare with the peak; `passing` bytes of workspace come and go within this moment."""
        self.now["workspace"] += passing
        for kind, count in self.now.items():
            self.largest[kind] = max(self.largest[kind], count)
        total = sum(self.now.values())
        if total > self.peak:
            self.peak, self.moment, self.at_peak = total, moment, dict(self.now)
        self.now["workspace"] -= passing


class Block:
    """So many bytes of one kind, there until nobody refers to them.

    Parameters
    ----------
    ledger : Ledger
    kind : str
    count : int
        Bytes.
    owner : str, optional
        The node that made it.
    """

    def __init__(self, ledger: Ledger, kind: Kind, count: int, owner: str = "") -> None:
        self.ledger, self.kind, self.count, self.owner = ledger, kind, count, owner
        ledger.now[kind] += count

    def __del__(self) -> None:
        self.ledger.now[self.kind] -= self.count

    def copy(self) -> Block:
        """As many bytes again."""
        return Block(self.ledger, self.kind, self.count, self.owner)


class Batch(Block):
    """A network's input."""

    def __init__(self, ledger: Ledger, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        super().__init__(ledger, "input", size_of(shape) * dtype.itemsize)
        self.shape, self.dtype = shape, dtype

    def __len__(self) -> int:
        return self.shape[0]


class Rehearsal(Run):
    """A run with blocks in the place of arrays.

    Parameters
    ----------
    graph : Graph
    schedule : Schedule
    ledger : Ledger
    standing : mapping of (str, int) to int
        What threads have kept from earlier passes.
    """

    def __init__(
        self, graph: Graph, schedule: Schedule, ledger: Ledger, standing: Mapping[tuple[str, int], int]
    ) -> None:
        super().__init__(schedule, {}, {})
        self.graph, self.ledger = graph, ledger
        self.passing: dict[str, int] = {}
        """For each node the most workspace that it took at once."""
        self.waiting: dict[str, int] = {}
        """For each node the bytes of its activations that waited for backward when forward was done."""
        self.standing = {key: Block(ledger, "workspace", count) for key, count in standing.items()}

    def whole_step(self, batch_size: int, dtype: np.dtype[Any], training: bool, states: int) -> None:
        """A pass forward and, in training, back, with everything that is in memory meanwhile.

        Parameters
        ----------
        batch_size : int
        dtype : float32 or float64
        training : bool
        states : int
            For each parameter so many numbers of the optimizer.
        """
        parameters = self.graph.parameter_count() * dtype.itemsize
        buffers = sum(map(size_of, self.graph.buffer_shapes.values())) * dtype.itemsize
        always = [Block(self.ledger, "parameters", parameters + buffers),
                  Block(self.ledger, "optimizer", states * parameters)]
        x = Batch(self.ledger, (batch_size, *self.graph.input_shape), dtype)
        outputs = self.forward(cast(Array, x), Mode(training=training))
        self.waiting = self._by_owner()
        if training:
            gradients = self.loss(outputs)
            given = tuple(gradients.values())
            del outputs
            slopes = self.backward(gradients, False)
            del given
            self.ledger.note("step of the optimizer")
            del slopes
        del always

    def compute(self, step: ForwardStep, inputs: tuple[Array, ...], mode: Mode) -> tuple[Array, Any]:
        node = step.node
        if step.overwrite or node.layer.shares(mode.training):
            output = cast(Block, inputs[0])
        else:
            output = self._block("activations", size_of(node.output_shape), node.name)
        work = node.layer.forward_work(mode, self.batch_size, self.dtype.itemsize, *node.input_shapes)
        extra = Block(self.ledger, "activations", work.kept, node.name) if work.kept else None
        self._note(f"forward, {node.name}", node.name, work)
        return cast(Array, output), extra

    def differentiate(
        self, step: BackwardStep, grad_out: Array, kept: Kept
    ) -> tuple[tuple[Array | None, ...], dict[str, Array]]:
        node = step.node
        if step.overwrite or node.layer.shares_gradient():
            terms: tuple[Array | None, ...] = (grad_out,) * len(node.inputs)
        else:
            terms = tuple(cast(Array, self._block("workspace", size_of(shape), node.name)) if made else None
                          for shape, made in zip(node.input_shapes, node.layer.makes(step.wanted), strict=True))
        slopes = {key: cast(Array, Block(self.ledger, "gradients", size_of(shape) * self.dtype.itemsize, node.name))
                  for key, shape in node.parameter_shapes.items()}
        work = node.layer.backward_work(step.wanted, self.batch_size, self.dtype.itemsize, *node.input_shapes)
        self._note(f"backward, {node.name}", node.name, work)
        return terms, slopes

    def add(self, how: Sum, so_far: Array, term: Array) -> Array:
        if how != "new":
            return so_far if how == "into sum" else term
        total = cast(Block, so_far).copy()
        self.ledger.note(f"backward, a sum for {total.owner}")
        return cast(Array, total)

    def loss(self, outputs: dict[str, Array]) -> dict[str, Array]:
        """Loss of each output, and its gradient."""
        for name, scores in outputs.items():
            # Shifted scores and their exponentials; maps of scores are brought into rows first.
            rows = 2 if len(self.graph.shape_of(name)) == 1 else 3
            self.ledger.note(f"loss of {name}", rows * cast(Block, scores).count)
        gradients = {}
        for name, scores in outputs.items():
            gradients[name] = cast(Array, Block(self.ledger, "workspace", cast(Block, scores).count, name))
            self.ledger.note(f"gradient of the loss of {name}", cast(Block, scores).count)
        return gradients

    def _by_owner(self) -> dict[str, int]:
        blocks = {id(block): cast(Block, block) for kept in self.kept.values()
                  for block in (*kept.inputs, kept.output, kept.extra) if block is not None}
        blocks |= {id(block): cast(Block, block) for block in self.sources.values()}
        found: dict[str, int] = {}
        for block in blocks.values():
            found[block.owner] = found.get(block.owner, 0) + block.count
        return found

    def _block(self, kind: Kind, numbers: int, owner: str) -> Block:
        return Block(self.ledger, kind, self.batch_size * numbers * self.dtype.itemsize, owner)

    def _note(self, moment: str, name: str, work: Work) -> None:
        for key, count in work.standing.items():
            if key not in self.standing or self.standing[key].count < count:
                self.standing[key] = Block(self.ledger, "workspace", count)
        self.passing[name] = max(self.passing.get(name, 0), work.passing)
        self.ledger.note(moment, work.passing)


def rehearse(
    graph: Graph, schedule: Schedule, batch_size: int, dtype: np.dtype[Any], training: bool, states: int,
    ledger: Callable[[], Ledger] = Ledger,
) -> Rehearsal:
    """A step as it is from the second one on; the first finds out what threads keep for the next call.

    Parameters
    ----------
    graph : Graph
    schedule : Schedule
    batch_size, dtype, training, states
        As in `Rehearsal.whole_step`.
    ledger : callable, optional
        Makes an empty one.

    Returns
    -------
    Rehearsal
    """
    found = Rehearsal(graph, schedule, ledger(), {})
    found.whole_step(batch_size, dtype, training, states)
    standing = {key: block.count for key, block in found.standing.items()}
    found = Rehearsal(graph, schedule, ledger(), standing)
    found.whole_step(batch_size, dtype, training, states)
    return found
