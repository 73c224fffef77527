"""A classifier without fully connected layers, that takes pictures of any size and gives a map of scores."""

from __future__ import annotations

from dataclasses import dataclass

from cnncourse.convert.layers import to_convolution
from cnncourse.errors import ArgumentError, ShapeError
from cnncourse.layers import (
    Add,
    AvgPool2d,
    Concatenate,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    Identity,
    Layer,
    Linear,
    LocallyConnected2d,
    ReLU,
    Shape,
    Sigmoid,
    Softmax,
    Tanh,
)
from cnncourse.network import Network, Node
from cnncourse.network.graph import INPUT

ELEMENTWISE = (ReLU, Tanh, Sigmoid, Dropout, Identity, Add)
"""Layers to which the order of the numbers in a vector does not matter."""


def to_convolutional(network: Network, input_shape: Shape | None = None) -> Network:
    """The same network with convolutions in place of fully connected layers.

    Parameters
    ----------
    network : Network
        Made for pictures of one size.
    input_shape : (int, int, int), optional
        What the result is made for: the same size by default, or another one, usually larger.

    Returns
    -------
    Network
        Nodes and parameters have the names that they had, without the flattens. Parameters and buffers are the given
        network's: the same memory, fully connected weights in another shape. Where that network has none yet, neither
        has this one.

    Raises
    ------
    ArgumentError
        If the network takes vectors, or has a layer that has no counterpart on a map: a locally connected one on
        another size, or one that compares or normalizes a whole vector.
    ShapeError
        If the number of channels differs.
    GeometryError
        If the pictures are too small.

    Notes
    -----
    A fully connected layer after feature maps of C x H x W becomes a convolution of kernel H x W, one after another
    vector a convolution of kernel 1 x 1, and a global average pool the mean over a window of the size that it had,
    moved by one step at a time. For inputs of the network's own size the result is a map of one position with the same
    scores.

    References
    ----------
    Sermanet et al.: OverFeat: integrated recognition, localization and detection using convolutional networks, 2014,
    section 3.5.
    """
    if len(network.input_shape) != 3:
        raise ArgumentError(f"to_convolutional: {network.name} takes vectors of {network.input_shape[0]} features; "
                            "there is no picture to slide over")
    shape = network.input_shape if input_shape is None else tuple(input_shape)
    if len(shape) != 3 or shape[0] != network.input_shape[0]:
        raise ShapeError(f"to_convolutional: input_shape has to be ({network.input_shape[0]}, height, width) as "
                         f"{network.name} has learned it, {shape} was given")
    return _Conversion(network, Network(shape, network.name)).result()


@dataclass
class _Conversion:
    """Walks through a network once and writes down its counterpart.

    Attributes
    ----------
    source, target : Network
    """

    source: Network
    target: Network

    def __post_init__(self) -> None:
        # By names of the source: what the node is called now, and for vectors the maps whose numbers they hold.
        self.names = {INPUT: INPUT}
        self.maps: dict[str, Shape] = {}

    def result(self) -> Network:
        self.target.parameters = dict(self.source.parameters)
        self.target.buffers = dict(self.source.buffers)
        for node in self.source.nodes:
            if isinstance(node.layer, Flatten):
                self.flatten(node)
            else:
                layer = self.counterpart(node)
                inputs = [self.names[name] for name in node.inputs]
                self.names[node.name] = self.target.add(layer, *inputs, name=node.name)
        self.target.set_outputs(*(self.names[name] for name in self.source.outputs))
        return self.target

    def flatten(self, node: Node) -> None:
        """Nothing takes its place; the vector is remembered to be these maps."""
        before, = node.inputs
        self.names[node.name] = self.names[before]
        self.maps[node.name] = self.maps[before] if before in self.maps else node.input_shapes[0]

    def counterpart(self, node: Node) -> Layer:
        """The layer that does on maps what the node does; for vectors, which maps come out is remembered."""
        layer = node.layer
        if len(node.input_shapes[0]) == 3:
            return self.on_maps(node)
        shapes = [self.maps[name] for name in node.inputs]
        if isinstance(layer, Linear):
            self.maps[node.name] = (layer.out_features, 1, 1)
            return self.linear(node, layer, shapes[0])
        if isinstance(layer, ELEMENTWISE) and len(set(shapes)) == 1:
            self.maps[node.name] = shapes[0]
            return layer
        if isinstance(layer, Concatenate) and len({shape[1:] for shape in shapes}) == 1:
            self.maps[node.name] = (sum(shape[0] for shape in shapes), *shapes[0][1:])
            return layer
        if isinstance(layer, Softmax) and shapes[0][1:] == (1, 1):
            self.maps[node.name] = shapes[0]
            return layer
        raise ArgumentError(f"to_convolutional: {node.name}, {type(layer).__name__}, reads vectors that hold maps of "
                            f"{', '.join(map(str, shapes))}; on larger maps nothing does the same at every position")

    def linear(self, node: Node, layer: Linear, shape: Shape) -> Layer:
        weight = self.source.parameters.get(f"{node.name}.weight")
        if weight is None:
            window = shape[1] if shape[1] == shape[2] else shape[1:]
            return Conv2d(layer.out_features, window, bias=layer.bias)  # type: ignore[arg-type]
        converted = to_convolution(layer, shape, weight, self.source.parameters.get(f"{node.name}.bias"))
        self.target.parameters[f"{node.name}.weight"] = converted.weight
        return converted.layer

    def on_maps(self, node: Node) -> Layer:
        _, *size = node.input_shapes[0]
        if isinstance(node.layer, GlobalAvgPool2d):
            return AvgPool2d((size[0], size[1]), 1)
        if isinstance(node.layer, LocallyConnected2d) and self.target.input_shape != self.source.input_shape:
            raise ArgumentError(f"to_convolutional: {node.name} is locally connected; it has learned filters for each "
                                f"position of {size[0]} x {size[1]} inputs and none for others")
        return node.layer
