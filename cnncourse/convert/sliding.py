"""A classifier at every position of a larger picture: in one pass, or crop by crop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from cnncourse.convert.networks import to_convolutional
from cnncourse.errors import ArgumentError, GeometryError
from cnncourse.functional.arguments import Array, array, windows
from cnncourse.geometry import dilated_extent
from cnncourse.geometry.settings import per_axis
from cnncourse.layers import Layer, Shape
from cnncourse.network import Network, Node
from cnncourse.network.graph import INPUT


@dataclass(frozen=True)
class Cost:
    """Multiply-adds of looking at a picture position by position.

    Attributes
    ----------
    positions : (int, int)
        Rows and columns of crops.
    sliding : int
        In one pass of the converted network.
    crops : int
        One crop after the other.
    """

    positions: tuple[int, int]
    sliding: int
    crops: int

    @property
    def ratio(self) -> float:
        """How many times fewer the one pass takes."""
        return self.crops / self.sliding


@dataclass(frozen=True, eq=False)
class PaddingEffect:
    """The same scores found in two ways, which padding makes differ.

    Attributes
    ----------
    sliding, crops : ndarray, shape (N, classes, rows, columns)
        From one pass over the picture, and from crops.
    cost : Cost
    padded : tuple of str
        The nodes that pad; without any the two are equal but for rounding.
    """

    sliding: Array
    crops: Array
    cost: Cost
    padded: tuple[str, ...]

    @property
    def difference(self) -> Array:
        """sliding - crops, shape (N, classes, rows, columns)."""
        found: Array = self.sliding - self.crops
        return found

    @property
    def by_position(self) -> Array:
        """The largest difference at each position, relative to the largest score of all; shape (rows, columns)."""
        largest = np.abs(self.crops).max(initial=0) or 1
        found: Array = np.abs(self.difference).max(axis=(0, 1), initial=0) / largest
        return found

    @property
    def agreement(self) -> float:
        """Share of positions at which both find the same class best."""
        return float((self.sliding.argmax(axis=1) == self.crops.argmax(axis=1)).mean())


def sliding_scores(network: Network, x: Array) -> Array:
    """A map of scores for pictures that are larger than those the network was made for.

    Parameters
    ----------
    network : Network
        A classifier for pictures of one size.
    x : ndarray, shape (N, C, H, W)
        At least of that size.

    Returns
    -------
    ndarray, shape (N, classes, rows, columns)
        Rows and columns are `total_stride(network)` apart in the picture.

    Raises
    ------
    ArgumentError, ShapeError, GeometryError, ArrayTypeError

    Notes
    -----
    Equal to the scores of the crops at these positions, but for rounding, where no layer pads; see `padding_effect`.
    """
    x = array("sliding_scores", "x", x, 4)
    if not network.parameters and network.parameter_shapes:
        network.initialize(0, x.dtype)
    found: Array = to_convolutional(network, x.shape[1:]).forward(x)
    return found


def crops(x: Array, size: int | tuple[int, int], stride: int | tuple[int, int]) -> Array:
    """Pieces of pictures, of one size and evenly spaced, from the top left corner on.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
    size, stride : int or (vertical, horizontal)

    Returns
    -------
    ndarray, shape (N, rows, columns, C, *size)
        A read-only view; what is left over on the right and below is in no crop.

    Raises
    ------
    GeometryError
        If the crops are larger than the pictures.
    ArgumentError, ShapeError, ArrayTypeError

    Examples
    --------
    >>> crops(np.zeros((1, 3, 384, 384), np.float32), 224, 32).shape
    (1, 6, 6, 3, 224, 224)
    """
    x = array("crops", "x", x, 4)
    height, width = per_axis("crops: size", size, 1)
    down, right = per_axis("crops: stride", stride, 1)
    if height > x.shape[2] or width > x.shape[3]:
        raise GeometryError(f"crops of {height} x {width} do not fit into pictures of {x.shape[2]} x {x.shape[3]}")
    every = sliding_window_view(x, (height, width), axis=(2, 3))  # type: ignore[call-overload]
    found: Array = every[:, :, ::down, ::right].transpose(0, 2, 3, 1, 4, 5)
    return found


def total_stride(network: Network) -> tuple[int, int]:
    """How far apart in the picture neighboring numbers of the last maps lie: the product of all strides.

    Parameters
    ----------
    network : Network

    Returns
    -------
    (int, int)
        Vertical, horizontal.

    Raises
    ------
    ArgumentError
        If branches that meet have taken steps of different sizes.
    """
    strides = {INPUT: (1, 1)}
    converted = to_convolutional(network)
    for node in _leading_to_output(converted):
        reached = {strides[name] for name in node.inputs}
        if len(reached) > 1:
            raise ArgumentError(f"{network.name}: branches that meet in {node.name} have total strides of "
                                f"{' and '.join(map(str, sorted(reached)))}; their positions do not match")
        (down, right), = reached
        own_down, own_right = _steps(node.layer)
        strides[node.name] = down * own_down, right * own_right
    return strides[converted.outputs[0]]


def padded_nodes(network: Network) -> tuple[str, ...]:
    """Nodes whose windows reach past the border, by padding or because they round up.

    Parameters
    ----------
    network : Network

    Returns
    -------
    tuple of str
    """
    return tuple(node.name for node in _leading_to_output(network) if _pads(node))


def evaluation_cost(network: Network, size: int | tuple[int, int]) -> Cost:
    """Multiply-adds of a classifier on a larger picture, in one pass and crop by crop.

    Parameters
    ----------
    network : Network
    size : int or (height, width)
        Of the picture.

    Returns
    -------
    Cost

    Raises
    ------
    ArgumentError, GeometryError

    Examples
    --------
    >>> from cnncourse import zoo
    >>> cost = evaluation_cost(zoo.vgg16(), 384)
    >>> cost.positions, round(cost.ratio, 1)
    ((6, 6), 11.2)
    """
    picture = per_axis("evaluation_cost: size", size, 1)
    channels, height, width = to_convolutional(network).input_shape
    large = to_convolutional(network, (channels, *picture))
    down, right = total_stride(network)
    rows, columns = (picture[0] - height) // down + 1, (picture[1] - width) // right + 1
    return Cost((rows, columns), _multiply_adds(large), rows * columns * _multiply_adds(network))


def padding_effect(network: Network, x: Array) -> PaddingEffect:
    """Scores of a larger picture in one pass and crop by crop, to see how far padding makes them differ.

    Parameters
    ----------
    network : Network
        A classifier for pictures of one size, that gives one vector of scores.
    x : ndarray, shape (N, C, H, W)
        At least of that size.

    Returns
    -------
    PaddingEffect

    Raises
    ------
    ArgumentError
        Also if the network gives anything but one vector of scores.
    ShapeError, GeometryError, ArrayTypeError

    Notes
    -----
    A crop's border is padded with zeros in every layer that pads; within the larger picture there are inputs at the
    same places. The deeper the layer, the further this reaches inwards, until no number is spared. Without padding both
    ways add up the same products, and only the order of adding may differ.
    """
    if any(length > 1 for length in network.output_shape[1:]):
        raise ArgumentError(f"padding_effect: {network.name} gives maps of {network.output_shape}; it takes one vector "
                            "of scores to compare crops with positions")
    x = array("padding_effect", "x", x, 4)
    scores = sliding_scores(network, x)
    cost = evaluation_cost(network, x.shape[2:])  # type: ignore[arg-type]
    pieces = crops(x, network.input_shape[1:], total_stride(network))  # type: ignore[arg-type]
    rows, columns = cost.positions
    # Where the strides leave inputs over, the map may have a position more than there are whole crops.
    scores = scores[:, :, :rows, :columns]
    expected = np.empty_like(scores)
    for row, column in np.ndindex(cost.positions):
        expected[:, :, row, column] = network.forward(pieces[:, row, column]).reshape(expected.shape[:2])
    return PaddingEffect(scores, expected, cost, padded_nodes(network))


def _leading_to_output(network: Network) -> list[Node]:
    """Nodes that the output proper depends on; auxiliary classifiers are for training only."""
    needed = {network.outputs[0]}
    for node in reversed(network.nodes):
        if node.name in needed:
            needed.update(node.inputs)
    return [node for node in network.nodes if node.name in needed]


def _multiply_adds(network: Network) -> int:
    return sum(node.multiply_adds for node in _leading_to_output(network))


def _steps(layer: Layer) -> tuple[int, int]:
    """Strides of a layer: those of its window, if it has one."""
    if not hasattr(layer, "kernel_size"):
        return 1, 1
    stride = getattr(layer, "stride", None)
    return per_axis("stride", layer.kernel_size if stride is None else stride, 1)


def _pads(node: Node) -> bool:
    layer = node.layer
    if not hasattr(layer, "kernel_size"):
        return False
    size: Shape = node.input_shapes[0][1:]
    found = windows(type(layer).__name__, (size[0], size[1]), layer.kernel_size, _steps(layer),
                    getattr(layer, "padding", 0), getattr(layer, "dilation", 1), getattr(layer, "ceil_mode", False))
    before = found.vertical[0], found.horizontal[0]
    # Where the last windows end tells what is padded after the input, and what hangs over because of rounding up.
    ends = [(count - 1) * step + dilated_extent(taps, gap) for count, step, taps, gap in zip(
        found.output, found.stride, found.kernel, found.dilation, strict=True)]
    return any(before) or any(end > length for end, length in zip(ends, size, strict=True))
