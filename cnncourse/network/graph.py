"""A network as a graph: nodes that know their shapes as soon as they are added."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field

from cnncourse.errors import ArgumentError, CNNCourseError
from cnncourse.geometry.settings import whole
from cnncourse.layers import Layer, Shape
from cnncourse.layers.base import size_of

INPUT = "input"
"""What the network's input is called."""


@dataclass(frozen=True)
class Node:
    """One layer in its place.

    Attributes
    ----------
    name : str
    layer : Layer
    inputs : tuple of str
        Names of the nodes that it reads; "input" is the network's input.
    input_shapes : tuple of Shape
    output_shape : Shape
    parameter_shapes, buffer_shapes : dict of str to Shape
        With the layer's own names, such as "weight".
    multiply_adds : int
    """

    name: str
    layer: Layer
    inputs: tuple[str, ...]
    input_shapes: tuple[Shape, ...]
    output_shape: Shape
    parameter_shapes: dict[str, Shape] = field(compare=False)
    buffer_shapes: dict[str, Shape] = field(compare=False)
    multiply_adds: int

    @property
    def parameter_count(self) -> int:
        """How many numbers the layer learns."""
        return sum(map(size_of, self.parameter_shapes.values()))


class Graph:
    """Layers, what they read, and what comes out; no weights.

    Parameters
    ----------
    input_shape : tuple of int
        Of one sample: (C, H, W) or (features,).
    name : str, optional

    Raises
    ------
    ArgumentError
        If the shape is not whole numbers of at least 1.
    """

    def __init__(self, input_shape: Shape, name: str = "network") -> None:
        self.input_shape = _checked(input_shape)
        self.name = name
        self._nodes: dict[str, Node] = {}
        self._outputs: tuple[str, ...] = ()

    def add(self, layer: Layer, *inputs: str, name: str | None = None) -> str:
        """Append a layer; its shapes are worked out at once.

        Parameters
        ----------
        layer : Layer
        *inputs : str
            Names of the nodes that it reads; by default the one that was added last, at first "input".
        name : str, optional
            By default the kind of layer and a number: conv1, relu1, pool1, fc1.

        Returns
        -------
        str
            The name, for later nodes to refer to.

        Raises
        ------
        ShapeError, GeometryError
            If the layer does not take what it would get; the message begins with its name and the shape of its input.
        ArgumentError
            If there is no node of such a name, or already one with this.
        """
        if not isinstance(layer, Layer):
            raise ArgumentError(f"add takes a layer, such as Conv2d(64, 3), {layer!r} was given")
        name = self._free_name(layer) if name is None else name
        for word in (name, *inputs):
            if not isinstance(word, str):
                raise ArgumentError(f"add takes the names of nodes, such as add(Add(), 'conv1', 'relu2'); {word!r} was "
                                    "given")
        if not name or name == INPUT or name in self._nodes or "." in name:
            why = "a node of this name already" if name in self._nodes else "a name without dots, other than 'input',"
            raise ArgumentError(f"there is {why}: {name!r}" if name in self._nodes
                                else f"a node needs {why} {name!r} was given")
        inputs = inputs or (next(reversed(self._nodes), INPUT),)
        shapes = tuple(self.shape_of(one) for one in inputs)
        try:
            node = Node(name, layer, inputs, shapes, layer.output_shape(*shapes), layer.parameter_shapes(*shapes),
                        layer.buffer_shapes(*shapes), layer.multiply_adds(*shapes))
        except CNNCourseError as error:
            given = ", ".join(f"{one} {shape}" for one, shape in zip(inputs, shapes, strict=True))
            raise type(error)(f"{name} after {given}: {error}") from None
        self._nodes[name] = node
        return name

    def _free_name(self, layer: Layer) -> str:
        number = 1 + sum(node.layer.prefix == layer.prefix for node in self._nodes.values())
        while f"{layer.prefix}{number}" in self._nodes:
            number += 1
        return f"{layer.prefix}{number}"

    def set_outputs(self, *names: str) -> None:
        """Say which nodes come out, if it is not the last one alone.

        Parameters
        ----------
        *names : str
            The first one is the output proper, which `forward` returns; further ones, such as auxiliary classifiers,
            come out in training only.

        Raises
        ------
        ArgumentError
            If there is no node of such a name, or one is named twice.
        """
        for name in names:
            self.shape_of(name)
        if not names or len(set(names)) != len(names):
            raise ArgumentError(f"outputs have to be one or more nodes, each named once; {names} was given")
        self._outputs = names

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes, in the order in which they were added: each one after those that it reads."""
        return tuple(self._nodes.values())

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the nodes that come out, the output proper first."""
        return self._outputs or (next(reversed(self._nodes), INPUT),)

    @property
    def output_shape(self) -> Shape:
        """Shape of the output proper, for one sample."""
        return self.shape_of(self.outputs[0])

    def node(self, name: str) -> Node:
        """One node.

        Parameters
        ----------
        name : str

        Returns
        -------
        Node

        Raises
        ------
        ArgumentError
            If there is none of this name.
        """
        if name not in self._nodes:
            near = difflib.get_close_matches(name, (INPUT, *self._nodes), 3)
            hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join((INPUT, *self._nodes))}"
            raise ArgumentError(f"{self.name} has no node {name!r}; {hint}")
        return self._nodes[name]

    def shape_of(self, name: str) -> Shape:
        """Shape of what a node gives for one sample.

        Parameters
        ----------
        name : str
            "input" is the network's input.

        Returns
        -------
        tuple of int

        Raises
        ------
        ArgumentError
            If there is no node of this name.
        """
        return self.input_shape if name == INPUT else self.node(name).output_shape

    @property
    def parameter_shapes(self) -> dict[str, Shape]:
        """Shapes of all parameters, by names such as "conv1.weight"."""
        return {f"{node.name}.{key}": shape for node in self.nodes for key, shape in node.parameter_shapes.items()}

    @property
    def buffer_shapes(self) -> dict[str, Shape]:
        """Shapes of all buffers, by names such as "bn1.running_mean"."""
        return {f"{node.name}.{key}": shape for node in self.nodes for key, shape in node.buffer_shapes.items()}

    def parameter_count(self) -> int:
        """How many numbers the network learns.

        Returns
        -------
        int
        """
        return sum(node.parameter_count for node in self.nodes)

    def multiply_adds(self) -> int:
        """Multiply-adds of convolution and linear layers for one sample, without biases.

        Returns
        -------
        int
        """
        return sum(node.multiply_adds for node in self.nodes)

    def activation_count(self) -> int:
        """Numbers that one sample leaves behind: the input, and what convolution, pooling and linear layers give.

        Returns
        -------
        int

        Notes
        -----
        What ReLU, batch norm, dropout, local response norm, concatenation and addition give is not counted: they can
        work in place. What this package really keeps is in `cnncourse.memory.account`.
        """
        return size_of(self.input_shape) + sum(size_of(node.output_shape) for node in self.nodes if node.layer.stored)


def _checked(input_shape: Shape) -> Shape:
    try:
        shape = tuple(whole("a length", length, 1) for length in input_shape)
    except (ArgumentError, TypeError):
        shape = ()
    if not shape:
        raise ArgumentError(f"input_shape has to be (channels, height, width) or (features,), whole numbers of at "
                            f"least 1; {input_shape!r} was given")
    return shape
