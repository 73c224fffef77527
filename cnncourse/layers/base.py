"""What all layers have in common: they are facts, not state; shapes go in and shapes, counts and arrays come out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, ClassVar

import numpy as np

from cnncourse.errors import ShapeError
from cnncourse.functional.arguments import Array

Shape = tuple[int, ...]
"""Shape of one sample: (C, H, W) for a picture or feature maps, (features,) for a vector."""

Arrays = Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Mode:
    """How a pass through a network is done, as far as a layer has to know.

    Attributes
    ----------
    training : bool
        Dropout drops, and batch norm takes the statistics of the batch.
    keep : bool
        Backward follows: keep what it needs.
    update : bool
        Batch norm moves its running statistics; not so when a pass is only done again to recompute activations.
    generator : np.random.Generator, optional
        Where dropout draws its masks.
    """

    training: bool = False
    keep: bool = False
    update: bool = False
    generator: np.random.Generator | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """What a layer's backward pass gets to see of the forward pass.

    Attributes
    ----------
    shapes : tuple of Shape
        Of the inputs, without the batch.
    inputs : tuple of ndarray
        If the layer `keeps_input`; empty otherwise.
    output : ndarray or None
        If the layer `keeps_output`.
    extra : object
        Whatever the layer's forward pass returned beside its output.
    """

    shapes: tuple[Shape, ...]
    inputs: tuple[Array, ...] = ()
    output: Array | None = None
    extra: Any = None


@dataclass(frozen=True)
class Work:
    """Memory in bytes that one call takes beyond its inputs, output and gradients.

    Attributes
    ----------
    kept : int
        Kept from forward to backward beside inputs and output: indices, masks, statistics.
    passing : int
        Largest sum of arrays that come and go within the call.
    standing : mapping of (str, int) to int
        What stays for the next call of any layer, by purpose and thread: of all calls the largest counts.
    """

    kept: int = 0
    passing: int = 0
    standing: Mapping[tuple[str, int], int] = field(default_factory=dict)


class Layer(ABC):
    """A layer without its weights.

    Subclasses are frozen dataclasses of hyper-parameters. Shapes are those of one sample; arrays have the batch in
    front.
    """

    prefix: ClassVar[str] = "layer"
    """What a network calls such layers, followed by a number."""
    stored: ClassVar[bool] = False
    """Whether outputs count as activations; not so where they replace the input or can be made from it at no cost."""
    keeps_input: ClassVar[bool] = False
    """Whether backward needs the inputs."""
    keeps_output: ClassVar[bool] = False
    """Whether backward needs the output."""
    overwrites: ClassVar[bool] = False
    """Whether forward can put its output in the place of its first input."""
    overwrites_gradient: ClassVar[bool] = False
    """Whether backward can put the gradient of the input in the place of the gradient of the output."""

    draws: ClassVar[bool] = False
    """Whether training draws random numbers."""

    def __repr__(self) -> str:
        """As it is written: what has to be given, and what differs from the default."""
        settings = []
        for one in fields(self):  # type: ignore[arg-type]
            value = getattr(self, one.name)
            if one.default is MISSING:
                settings.append(repr(value))
            elif value != one.default:
                settings.append(f"{one.name}={value!r}")
        return f"{type(self).__name__}({', '.join(settings)})"

    @abstractmethod
    def output_shape(self, *inputs: Shape) -> Shape:
        """Shape of the output for inputs of these shapes.

        Parameters
        ----------
        *inputs : tuple of int

        Returns
        -------
        tuple of int

        Raises
        ------
        ShapeError
            If the layer does not take such inputs.
        GeometryError
            If a window does not fit.
        """

    def shares(self, training: bool) -> bool:
        """Whether the output is a view of the first input, so that nothing is computed."""
        return False

    def shares_gradient(self) -> bool:
        """Whether the gradients of all inputs are views of the gradient of the output."""
        return self.shares(training=True)

    def makes(self, wanted: tuple[bool, ...]) -> tuple[bool, ...]:
        """For which inputs `backward` makes a gradient, when some are wanted and some are not."""
        return (True,) * len(wanted)

    def parameter_shapes(self, *inputs: Shape) -> dict[str, Shape]:
        """Names and shapes of what is learned; empty for most layers."""
        return {}

    def buffer_shapes(self, *inputs: Shape) -> dict[str, Shape]:
        """Names and shapes of what is remembered without being learned; empty for most layers."""
        return {}

    def multiply_adds(self, *inputs: Shape) -> int:
        """Multiply-adds for one sample, without the bias; counted for convolution and linear layers only."""
        return 0

    def forward(
        self, inputs: tuple[Array, ...], parameters: Arrays, buffers: Arrays, mode: Mode, overwrite: bool = False
    ) -> tuple[Array, Any]:
        """Compute the output.

        Parameters
        ----------
        inputs : tuple of ndarray
        parameters, buffers : mapping of str to ndarray
            With the names of `parameter_shapes` and `buffer_shapes`; running statistics are updated in place.
        mode : Mode
        overwrite : bool, optional
            The first input is not needed any more and its memory may be used; only layers with `overwrites` do.

        Returns
        -------
        output : ndarray
        extra : object
            What `backward` needs beside inputs and output; None unless `mode.keep`.
        """
        raise NotImplementedError

    def backward(
        self, grad_out: Array, kept: Kept, parameters: Arrays, wanted: tuple[bool, ...], overwrite: bool = False
    ) -> tuple[tuple[Array | None, ...], dict[str, Array]]:
        """Compute the gradients.

        Parameters
        ----------
        grad_out : ndarray, shape of the output
        kept : Kept
        parameters : mapping of str to ndarray
        wanted : tuple of bool
            For which inputs a gradient is needed.
        overwrite : bool, optional
            `grad_out` is not needed any more and its memory may be used; only layers with `overwrites_gradient` do.

        Returns
        -------
        grad_inputs : tuple of ndarray
            One for each input, None where it is not wanted.
        grad_parameters : dict of str to ndarray
        """
        raise NotImplementedError

    def forward_work(self, mode: Mode, batch_size: int, itemsize: int, *inputs: Shape) -> Work:
        """Memory that `forward` takes beyond inputs and output.

        Parameters
        ----------
        mode : Mode
        batch_size : int
        itemsize : int
            Bytes of a number: 4 or 8.
        *inputs : tuple of int

        Returns
        -------
        Work
        """
        return Work()

    def backward_work(self, wanted: tuple[bool, ...], batch_size: int, itemsize: int, *inputs: Shape) -> Work:
        """Memory that `backward` takes beyond what it is given and the gradients that it returns.

        Parameters
        ----------
        wanted : tuple of bool
        batch_size, itemsize : int
        *inputs : tuple of int

        Returns
        -------
        Work
        """
        return Work()


def only(layer: Layer, inputs: tuple[Shape, ...]) -> Shape:
    """The one input of a layer that takes one."""
    if len(inputs) != 1:
        raise ShapeError(f"{type(layer).__name__} takes one input, {len(inputs)} were given; Concatenate() and Add() "
                         "join several")
    return inputs[0]


def maps(layer: Layer, inputs: tuple[Shape, ...]) -> tuple[int, int, int]:
    """The one input of a layer that takes feature maps."""
    shape = only(layer, inputs)
    if len(shape) != 3:
        raise ShapeError(f"{type(layer).__name__} takes a picture or feature maps (channels, height, width); the "
                         f"input has shape {shape}")
    return shape[0], shape[1], shape[2]


def size_of(shape: Shape) -> int:
    """Number of entries."""
    product = 1
    for length in shape:
        product *= length
    return product


def hollow(kept: Kept, grad_out: Array) -> Array:
    """An array with the shape and the precision of the input, and no memory: for gradients that need no more of it."""
    return np.broadcast_to(grad_out.dtype.type(0), (len(grad_out), *kept.shapes[0]))
