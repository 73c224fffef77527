"""A network: a graph of layers with weights, that runs forward and backward."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import DTypeLike

from cnncourse.errors import ArgumentError, ArrayTypeError, ShapeError
from cnncourse.functional.arguments import Array, array, gradient
from cnncourse.layers import Mode, Shape
from cnncourse.network import schedule
from cnncourse.network.execution import Run
from cnncourse.network.graph import Graph
from cnncourse.network.initialization import generator_from, initial_buffers, initial_parameters
from cnncourse.network.schedule import Schedule
from cnncourse.network.summary import Summary, summarize


class Network(Graph):
    """A graph of layers with weights.

    Parameters
    ----------
    input_shape : tuple of int
        Of one sample: (C, H, W) or (features,).
    name : str, optional

    Attributes
    ----------
    parameters : dict of str to ndarray
        What is learned, by names such as "conv1.weight"; empty until `initialize` or the first pass.
    buffers : dict of str to ndarray
        Running statistics of batch norm.
    gradients : dict of str to ndarray
        What `backward` found, by the names of the parameters. A forward pass with `training=True` makes them out of
        date and lets them go.

    Raises
    ------
    ArgumentError
        If the shape is not whole numbers of at least 1.

    Examples
    --------
    >>> from cnncourse.layers import Conv2d, Flatten, Linear, ReLU
    >>> network = Network((3, 8, 8))
    >>> for layer in Conv2d(4, 3), ReLU(), Flatten(), Linear(10):
    ...     name = network.add(layer)
    >>> network.output_shape, network.parameter_count()
    ((10,), 1562)
    """

    def __init__(self, input_shape: Shape, name: str = "network") -> None:
        super().__init__(input_shape, name)
        self.parameters: dict[str, Array] = {}
        self.buffers: dict[str, Array] = {}
        self.gradients: dict[str, Array] = {}
        self._generator = np.random.default_rng(0)
        self._plans: dict[Hashable, Schedule] = {}
        self._expected: tuple[int, dict[str, Shape], dict[str, Shape]] = (-1, {}, {})
        self._run: Run | None = None

    def initialize(self, generator: np.random.Generator | int = 0, dtype: DTypeLike = np.float32) -> None:
        """Give every parameter its first value; see `cnncourse.network.initialization` for the rule.

        Parameters
        ----------
        generator : np.random.Generator or int, optional
            An int is a seed. Dropout draws from the same generator, unless a pass is given its own.
        dtype : float32 or float64, optional

        Raises
        ------
        ArrayTypeError
            If the precision is neither.
        ArgumentError
            If `generator` is neither a generator nor a seed.
        """
        self._generator = generator_from("initialize", generator)
        self.parameters = initial_parameters(self, self._generator, dtype)
        self.buffers = initial_buffers(self, dtype)
        self.gradients = {}
        self._run = None

    @overload
    def forward(
        self, x: Array, *, training: Literal[False] = False, generator: np.random.Generator | None = None,
        recompute: bool = False,
    ) -> Array: ...

    @overload
    def forward(
        self, x: Array, *, training: bool, generator: np.random.Generator | None = None, recompute: bool = False,
    ) -> Any: ...

    def forward(
        self, x: Array, *, training: bool = False, generator: np.random.Generator | None = None,
        recompute: bool = False,
    ) -> Any:
        """Compute the output for a batch.

        Parameters
        ----------
        x : ndarray, shape (N, *input_shape), float32 or float64 as the parameters
            Never written to. In training it has to stay as it is until `backward`.
        training : bool, optional
            Dropout drops, batch norm takes the statistics of this batch, and what `backward` needs is kept: until then
            or until the next such pass.
        generator : np.random.Generator, optional
            For dropout; by default the network's own.
        recompute : bool, optional
            In training keep less, and compute the rest once more for `backward`: about a third more work, and memory
            that grows with the root of the depth. The gradients are the same to the last bit.

        Returns
        -------
        ndarray, shape (N, *output_shape)
            In training, with several outputs, a tuple with all of them, in the order of `outputs`.

        Raises
        ------
        ShapeError, ArrayTypeError
            If x does not go with the network.
        ArgumentError
            If a parameter is missing; `initialize` makes them all.
        """
        x = self._checked(x)
        if not training:
            run = Run(self._plan("inference"), self.parameters, self.buffers)
            return run.forward(x, Mode())[self.outputs[0]]
        self._run = None
        self.gradients = {}
        run = Run(self._plan("training", recompute), self.parameters, self.buffers)
        found = run.forward(x, Mode(training=True, update=True, generator=generator or self._generator))
        self._run = run
        outputs = tuple(found[name] for name in self.outputs)
        return outputs[0] if len(outputs) == 1 else outputs

    def backward(self, grad_out: Array | Sequence[Array | None], input_gradient: bool = True) -> Array | None:
        """Gradients of the last forward pass with `training=True`: those of the parameters go into `gradients`.

        Parameters
        ----------
        grad_out : ndarray, shape of the output
            Gradient of the loss with respect to the output; with several outputs one for each, in the order of
            `outputs`, or None for those that the loss does not depend on.
        input_gradient : bool, optional
            Whether the gradient of x is wanted. A training loop does not need it, and without it the first layer has
            about half of the work.

        Returns
        -------
        grad_x : ndarray, shape of x, or None
            None if it is not wanted.

        Raises
        ------
        ArgumentError
            If there was no such pass since the last `backward`, or the number of gradients is not that of the outputs.
        ShapeError, ArrayTypeError
            If a gradient does not go with its output.
        """
        run = self._run
        if run is None:
            raise ArgumentError(f"{self.name}: backward needs a forward pass with training=True before it; each one "
                                "serves for one backward pass, because what it has kept is let go on the way")
        gradients = self._upstream(grad_out, run)
        self._run = None
        given = tuple(gradients.values())
        grad_x, found = run.backward(gradients, input_gradient)
        if grad_x is not None and any(np.may_share_memory(grad_x, one) for one in given):
            grad_x = grad_x.copy()
        # A parameter that no output depends on has a gradient too.
        self.gradients = {name: found[name] if name in found else np.zeros_like(value)
                          for name, value in self.parameters.items()}
        return grad_x

    def activations(self, x: Array, names: Iterable[str] | None = None) -> dict[str, Array]:
        """What nodes give for a batch, to look at; as in `forward` without training.

        Parameters
        ----------
        x : ndarray, shape (N, *input_shape)
        names : iterable of str, optional
            All nodes by default.

        Returns
        -------
        dict of str to ndarray

        Raises
        ------
        ArgumentError, ShapeError, ArrayTypeError
        """
        wanted = tuple(node.name for node in self.nodes) if names is None else tuple(names)
        for name in wanted:
            self.node(name)
        x = self._checked(x)
        if not wanted:
            return {}
        found = Run(self._plan("inference", wanted), self.parameters, self.buffers).forward(x, Mode())
        return {name: found[name] for name in wanted}

    def summary(self) -> Summary:
        """What the network is made of and what it costs, as a table.

        Returns
        -------
        Summary
        """
        return summarize(self)

    def __repr__(self) -> str:
        return (f"<Network {self.name}: {len(self.nodes)} layers, {self.input_shape} to {self.output_shape}, "
                f"{self.parameter_count():,} parameters>")

    def _plan(self, kind: str, *arguments: Any) -> Schedule:
        # Nodes are only ever added, so that their number says whether there are new ones.
        key = (kind, *arguments, len(self._nodes), self.outputs)
        if key not in self._plans:
            make: Callable[..., Schedule] = getattr(schedule, kind)
            self._plans[key] = make(self, *arguments)
        return self._plans[key]

    def _checked(self, x: Array) -> Array:
        """The batch as contiguous memory, after a look at everything that has to go with it."""
        x = array(self.name, "x", x, 1 + len(self.input_shape))
        if x.shape[1:] != self.input_shape:
            raise ShapeError(f"{self.name}: x has shape {x.shape}; it has to be (samples, "
                             f"{', '.join(map(str, self.input_shape))})")
        if self._expected[0] != len(self._nodes):
            self._expected = len(self._nodes), self.parameter_shapes, self.buffer_shapes
        if (self._expected[1] or self._expected[2]) and not self.parameters and not self.buffers:
            self.initialize(0, x.dtype)
        self._check_arrays(self.parameters, self._expected[1], x)
        self._check_arrays(self.buffers, self._expected[2], x)
        return x

    def _check_arrays(self, given: Mapping[str, Array], shapes: Mapping[str, Shape], x: Array) -> None:
        for name, shape in shapes.items():
            one = given.get(name)
            if one is None:
                missing = [name for name in shapes if name not in given]
                raise ArgumentError(f"{self.name}: there is no value for {', '.join(missing[:6])}"
                                    f"{' and others' if len(missing) > 6 else ''}; initialize() makes all of them anew")
            if one.shape != shape:
                raise ShapeError(f"{self.name}: {name} has shape {one.shape}, the network needs {shape}")
            if one.dtype != x.dtype:
                raise ArrayTypeError(f"{self.name}: x is {x.dtype} and {name} is {one.dtype}; both have to be the "
                                     f"same: x.astype(np.{one.dtype}) converts x, initialize(dtype=np.{x.dtype}) "
                                     "makes parameters of that precision")

    def _upstream(self, grad_out: Array | Sequence[Array | None], run: Run) -> dict[str, Array]:
        """Gradients of the outputs, by name."""
        names = run.schedule.outputs
        given = tuple(grad_out) if isinstance(grad_out, (tuple, list)) else (grad_out,)
        if len(given) != len(names):
            raise ArgumentError(f"{self.name}: backward takes a gradient for each of the outputs {', '.join(names)}; "
                                f"{len(given)} were given for {len(names)}")
        found = {}
        for name, one in zip(names, given, strict=True):
            shape = (run.batch_size, *self.shape_of(name))
            like = np.empty(0, run.dtype)
            found[name] = (np.zeros(shape, run.dtype) if one is None and len(names) > 1
                           else gradient(f"{self.name}, backward from {name}", one, shape, like))
        return found
