"""Receptive fields: which inputs one output depends on, through one layer or many."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cnncourse.errors import ArgumentError
from cnncourse.geometry.padding import dilated_extent
from cnncourse.geometry.settings import sides, whole
from cnncourse.geometry.sizes import output_size


@dataclass(frozen=True)
class Window:
    """How one layer, convolution or pooling, slides along one axis.

    Attributes
    ----------
    kernel_size : int
        Number of taps F.
    stride : int
        Step S from one output to the next.
    padding : int or (before, after)
        P; only what is added before the first input matters for receptive fields.
    dilation : int
        Distance d between neighboring taps; 1 is without gaps.

    Raises
    ------
    ArgumentError
        If a setting is not a whole number, or too small.
    """

    kernel_size: int
    stride: int = 1
    padding: int | tuple[int, int] = 0
    dilation: int = 1

    def __post_init__(self) -> None:
        for name in ("kernel_size", "stride", "dilation"):
            whole(name, getattr(self, name), 1)
        sides("padding", self.padding)

    @property
    def extent(self) -> int:
        """Inputs from the first tap to the last, both included."""
        return dilated_extent(self.kernel_size, self.dilation)

    def taps(self, position: int) -> tuple[int, ...]:
        """The inputs under one output position; below zero they lie in the padding.

        Parameters
        ----------
        position : int
            Index of the output, from 0.

        Returns
        -------
        tuple of int

        Raises
        ------
        ArgumentError
            If `position` is not a whole number of at least 0.

        Notes
        -----
        Output i sees the inputs i S - P + d k for k = 0, ..., F - 1.
        """
        return _taps(self, whole("position", position, 0))


@dataclass(frozen=True)
class ReceptiveField:
    """What the outputs of a stack of layers see of its input, along one axis.

    Attributes
    ----------
    size : int
        Inputs from the first to the last that an output can depend on.
    jump : int
        How many inputs the field moves from one output to the next: the effective stride of the stack.
    start : int
        Where the field of output 0 begins; below zero it begins in the padding.
    """

    size: int = 1
    jump: int = 1
    start: int = 0

    @property
    def center(self) -> float:
        """Middle of the field of output 0; half an input off the grid if the size is even."""
        return self.start + (self.size - 1) / 2

    def input_range(self, position: int, input_size: int | None = None) -> tuple[int, int]:
        """Where the field of one output begins, and the first input after it.

        Parameters
        ----------
        position : int
            Index of the output, from 0.
        input_size : int, optional
            If given, what lies in the padding is cut off, and the result can be used as a slice.

        Returns
        -------
        (first, stop) : tuple of int

        Raises
        ------
        ArgumentError
            If `position` is not a whole number of at least 0, or `input_size` not one of at least 1.

        Notes
        -----
        first = start + position * jump and stop = first + size. With dilation, or a stride larger than the kernel,
        an output may depend on some of these inputs only: see `inputs_seen`.
        """
        first = self.start + whole("position", position, 0) * self.jump
        stop = first + self.size
        if input_size is None:
            return first, stop
        size = whole("input_size", input_size, 1)
        return min(max(first, 0), size), min(max(stop, 0), size)


def receptive_field(layers: Iterable[Window]) -> ReceptiveField:
    """Receptive field of a stack of layers.

    Parameters
    ----------
    layers : iterable of Window
        From the input upwards. Without layers an output is its own input.

    Returns
    -------
    ReceptiveField

    Raises
    ------
    ArgumentError
        If a layer is not a `Window`.

    Notes
    -----
    A layer of F taps, stride S, dilation d and padding P before the first input, on top of a field of
    size r, jump j and start a, has the field r + d (F - 1) j, the jump j S and the start a - P j.

    References
    ----------
    Araujo, Norris and Sim: Computing receptive fields of convolutional neural networks, Distill, 2019.

    Examples
    --------
    >>> receptive_field(Window(3, dilation=d) for d in (1, 2, 4)).size
    15
    >>> receptive_field([Window(3), Window(3), Window(3)]).size
    7
    """
    field = ReceptiveField()
    for layer in _checked(layers):
        field = ReceptiveField(
            size=field.size + (layer.extent - 1) * field.jump,
            jump=field.jump * layer.stride,
            start=field.start - sides("padding", layer.padding)[0] * field.jump,
        )
    return field


def inputs_seen(
    layers: Iterable[Window], position: int = 0, input_size: int | None = None
) -> tuple[int, ...]:
    """The inputs on which one output truly depends; gaps stay gaps.

    Parameters
    ----------
    layers : iterable of Window
        From the input upwards.
    position : int, optional
        Index of the output, from 0.
    input_size : int, optional
        If given, what any layer sees in its padding is left out.

    Returns
    -------
    tuple of int
        In rising order; without `input_size` there may be some that lie in the padding, below zero.

    Raises
    ------
    ArgumentError
        If a layer is not a `Window`, or `position` not a whole number of at least 0.
    GeometryError
        If `input_size` is given and a layer does not fit its input.

    Notes
    -----
    Output i of a layer sees i S - P + d k for k = 0, ..., F - 1; this is followed from the last layer down.
    Sizes in between are rounded down.

    Examples
    --------
    >>> len(inputs_seen([Window(3), Window(3, dilation=2), Window(3, dilation=4)]))
    15
    >>> inputs_seen([Window(2, dilation=2), Window(2, dilation=2)])
    (0, 2, 4)
    """
    stack = _checked(layers)
    sizes = [input_size]
    for layer in stack:
        size = sizes[-1]
        sizes.append(None if size is None else output_size(
            size, layer.kernel_size, layer.stride, layer.padding, layer.dilation, "floor"))
    seen = {whole("position", position, 0)}
    for layer, size in zip(reversed(stack), reversed(sizes[:-1]), strict=True):
        seen = {tap for above in seen for tap in _taps(layer, above) if size is None or 0 <= tap < size}
    return tuple(sorted(seen))


def _taps(layer: Window, position: int) -> tuple[int, ...]:
    first = position * layer.stride - sides("padding", layer.padding)[0]
    return tuple(first + layer.dilation * tap for tap in range(layer.kernel_size))


def _checked(layers: Iterable[Window]) -> list[Window]:
    found = list(layers)
    for layer in found:
        if not isinstance(layer, Window):
            raise ArgumentError(f"layers have to be of Window(kernel_size, stride, padding, dilation); "
                                f"{layer!r} was given")
    return found
