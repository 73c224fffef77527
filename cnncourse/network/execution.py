"""Running a schedule with arrays."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from cnncourse import functional as F
from cnncourse.errors import CNNCourseError
from cnncourse.functional.arguments import Array
from cnncourse.layers import Kept, Mode
from cnncourse.network.graph import INPUT
from cnncourse.network.plan import BackwardStep, ForwardPlan, ForwardStep, Sum
from cnncourse.network.schedule import Schedule, Segment

Arrays = Mapping[str, Array]


@dataclass
class Run:
    """A pass that is under way: what it has computed and not yet let go.

    Attributes
    ----------
    schedule : Schedule
    parameters, buffers : mapping of str to ndarray
    batch_size : int
    dtype : dtype
        Of the last pass forward.
    kept : dict of str to Kept
        What backward needs, by node.
    sources : dict of str to ndarray
        What goes into the segments that will be computed again.
    generators : dict of str to np.random.Generator
        By the same names: in the state in which the segment found the generator.
    """

    schedule: Schedule
    parameters: Arrays
    buffers: Arrays
    batch_size: int = 0
    dtype: np.dtype[Any] = field(default_factory=lambda: np.dtype(np.float32))
    kept: dict[str, Kept] = field(default_factory=dict)
    sources: dict[str, Array] = field(default_factory=dict)
    generators: dict[str, np.random.Generator] = field(default_factory=dict)

    def forward(self, x: Array, mode: Mode) -> dict[str, Array]:
        """Run all segments.

        Parameters
        ----------
        x : ndarray, shape (N, *input_shape)
        mode : Mode
            Whether anything is kept is up to the schedule.

        Returns
        -------
        dict of str to ndarray
            The schedule's outputs.
        """
        self.batch_size, self.dtype = len(x), x.dtype
        values = {INPUT: x}
        found: dict[str, Array] = {}
        for segment in self.schedule.segments:
            if segment.again is not None:
                self.sources[segment.source] = values[segment.source]
                if segment.draws and mode.generator is not None:
                    self.generators[segment.source] = copy.deepcopy(mode.generator)
            self._advance(segment.forward, values, replace(mode, keep=mode.training and segment.again is None))
            for name in segment.names.intersection(self.schedule.outputs):
                found[name] = values[name].copy() if name in segment.forward.copied else values[name]
        for name in self.schedule.outputs:
            if name not in found:  # the input itself
                found[name] = x.copy()
        return found

    def backward(self, gradients: dict[str, Array], with_input: bool) -> tuple[Array | None, dict[str, Array]]:
        """Run all segments backward; what was kept is let go on the way.

        Parameters
        ----------
        gradients : dict of str to ndarray
            Of the outputs; emptied.
        with_input : bool

        Returns
        -------
        grad_x : ndarray or None
        grad_parameters : dict of str to ndarray
        """
        found: dict[str, Array] = {}
        passes = zip(self.schedule.segments, self.schedule.backward[with_input], strict=True)
        for segment, steps in reversed(list(passes)):
            self._recompute(segment)
            for step in steps:
                self._retreat(step, gradients, found)
            # What does not lead to a parameter was kept in case that the input's gradient would be asked for.
            self.kept.clear()
        return gradients.get(INPUT) if with_input else None, found

    def _recompute(self, segment: Segment) -> None:
        if segment.again is not None:
            values = {segment.source: self.sources.pop(segment.source)}
            mode = Mode(training=True, keep=True, generator=self.generators.pop(segment.source, None))
            self._advance(segment.again, values, mode)

    def _advance(self, plan: ForwardPlan, values: dict[str, Array], mode: Mode) -> None:
        for step in plan.steps:
            self._step(step, values, mode)

    def _step(self, step: ForwardStep, values: dict[str, Array], mode: Mode) -> None:
        # A function of its own, so that no array outlives the step in a local variable.
        node = step.node
        inputs = tuple(values[name] for name in node.inputs) if step.computed or step.keeps_inputs else ()
        output = extra = None
        if step.computed:
            output, extra = self.compute(step, inputs, mode)
            values[node.name] = output
        if mode.keep:
            self.kept[node.name] = Kept(node.input_shapes, inputs if step.keeps_inputs else (),
                                        output if step.keeps_output else None, extra)
        for name in step.drop:
            values.pop(name, None)

    def _retreat(self, step: BackwardStep, gradients: dict[str, Array], found: dict[str, Array]) -> None:
        node = step.node
        terms, slopes = self.differentiate(step, gradients.pop(node.name), self.kept.pop(node.name))
        for key, name in step.parameters:
            found[name] = slopes[key]
        asked = [(name, term) for name, term, want in zip(node.inputs, terms, step.wanted, strict=True)
                 if want and term is not None]
        for (name, term), how in zip(asked, step.sums, strict=True):
            gradients[name] = term if how == "first" else self.add(how, gradients[name], term)

    def compute(self, step: ForwardStep, inputs: tuple[Array, ...], mode: Mode) -> tuple[Array, Any]:
        """A layer's output, and what it keeps beside it."""
        parameters = {key: self.parameters[name] for key, name in step.parameters}
        buffers = {key: self.buffers[name] for key, name in step.buffers}
        try:
            return step.node.layer.forward(inputs, parameters, buffers, mode, step.overwrite)
        except CNNCourseError as error:
            raise type(error)(f"{step.node.name}: {error}") from None

    def differentiate(
        self, step: BackwardStep, grad_out: Array, kept: Kept
    ) -> tuple[tuple[Array | None, ...], dict[str, Array]]:
        """Gradients of a layer's inputs and parameters."""
        parameters = {key: self.parameters[name] for key, name in step.parameters}
        return step.node.layer.backward(grad_out, kept, parameters, step.wanted, step.overwrite)

    def add(self, how: Sum, so_far: Array, term: Array) -> Array:
        """A gradient added to those that the same value got before."""
        return F.add(so_far, term, out={"into sum": so_far, "into term": term}.get(how))
