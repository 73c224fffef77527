"""How much memory a network takes, by what it is for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from numpy.typing import DTypeLike

from cnncourse.errors import ArgumentError
from cnncourse.geometry.settings import whole
from cnncourse.memory.rehearsal import KINDS, rehearse
from cnncourse.network import schedule
from cnncourse.network.graph import Graph
from cnncourse.network.initialization import precision
from cnncourse.network.table import html_table, short, text_table
from cnncourse.training.optimizers import SGD, Adam, Momentum, Optimizer, RMSProp

OptimizerName = Literal["sgd", "momentum", "rmsprop", "adam"]
OPTIMIZERS: dict[str, type[Optimizer]] = {"sgd": SGD, "momentum": Momentum, "rmsprop": RMSProp, "adam": Adam}
MIB = 2**20
HEADERS = ("node", "layer", "output shape", "kept", "parameters", "workspace")


@dataclass(frozen=True)
class LayerMemory:
    """Memory of one layer, in bytes.

    Attributes
    ----------
    name, layer : str
    output_shape : tuple of int
        Of one sample.
    kept : int
        What forward leaves behind for backward and was made by this layer.
    parameters : int
        Their gradients and each array of an optimizer's state take the same again.
    workspace : int
        The most that comes and goes within the layer's own computation.
    """

    name: str
    layer: str
    output_shape: tuple[int, ...]
    kept: int
    parameters: int
    workspace: int


@dataclass(frozen=True)
class Account:
    """Memory of a training step or of inference, in bytes; shown in MiB.

    Attributes
    ----------
    network : str
    batch_size : int
    dtype : str
    mode : str
        "inference", "training" or "training, recomputing".
    input, parameters, gradients, optimizer, activations, workspace : int
        The largest of each kind: the batch; parameters and running statistics; gradients of the parameters; what the
        optimizer remembers; what forward has computed and still holds; gradients of activations and everything else
        that comes and goes.
    peak : int
        The most that is in memory at one moment. Less than the sum of the kinds, which are not at their largest at
        the same time: when the last parameter has its gradient, no activation is left.
    moment : str
        When that is.
    at_peak : tuple of int
        The kinds at that moment, in this order.
    layers : tuple of LayerMemory
    """

    network: str
    batch_size: int
    dtype: str
    mode: str
    input: int
    parameters: int
    gradients: int
    optimizer: int
    activations: int
    workspace: int
    peak: int
    moment: str
    at_peak: tuple[int, ...]
    layers: tuple[LayerMemory, ...]

    @property
    def total(self) -> int:
        """Sum of the kinds: what it would take if nothing were let go or used again."""
        return sum(getattr(self, kind) for kind in KINDS)

    def table(self) -> str:
        """The layers as aligned text.

        Returns
        -------
        str
        """
        return f"{self._title()}\n{text_table(HEADERS, list(self._layers()), numbers=3, totals=1)}"

    def __str__(self) -> str:
        rows = text_table(("MiB", "largest", "at the peak"), list(self._kinds()), numbers=2, totals=1)
        return f"{self._title()}\n{rows}\nThe peak is in: {self.moment}."

    def _repr_html_(self) -> str:
        kinds = html_table(f"{self._title()}; the peak is in: {self.moment}", ("MiB", "largest", "at the peak"),
                           list(self._kinds()), numbers=2, totals=1)
        layers = html_table("MiB by layer", HEADERS, list(self._layers()), numbers=3, totals=1)
        return f"{kinds}<details><summary>layers</summary>{layers}</details>"

    def _title(self) -> str:
        return f"{self.network}, {self.mode}, batch of {self.batch_size}, {self.dtype}"

    def _kinds(self) -> Iterator[tuple[str, str, str]]:
        for kind, count in zip(KINDS, self.at_peak, strict=True):
            yield kind, _mib(getattr(self, kind)), _mib(count)
        yield "sum", _mib(self.total), _mib(self.peak)

    def _layers(self) -> Iterator[tuple[str, ...]]:
        for one in self.layers:
            yield (one.name, one.layer, " x ".join(map(str, one.output_shape)), _mib(one.kept), _mib(one.parameters),
                   _mib(one.workspace))
        yield ("total", "", "", _mib(sum(one.kept for one in self.layers)),
               _mib(sum(one.parameters for one in self.layers)), "")


def account(
    network: Graph, batch_size: int = 1, dtype: DTypeLike = "float32", optimizer: OptimizerName | None = "sgd",
    training: bool = True, recompute: bool = False,
) -> Account:
    """Predict the memory of a training step, or of a pass without training, with this package.

    Parameters
    ----------
    network : Network
        Needs no weights.
    batch_size : int, optional
    dtype : float32 or float64, optional
    optimizer : {"sgd", "momentum", "rmsprop", "adam"} or None, optional
        SGD remembers nothing, momentum and RMSProp one number for each parameter, Adam two.
    training : bool, optional
        False for inference: no gradients, no optimizer.
    recompute : bool, optional
        As in `Network.forward`.

    Returns
    -------
    Account

    Raises
    ------
    ArgumentError
        If the batch size is not a whole number of at least 1, or there is no such optimizer.
    ArrayTypeError
        If the precision is neither.

    Notes
    -----
    The code that runs the network is run with blocks that know their size in the place of arrays: forward, the loss
    of each output, backward without the gradient of the input, and the optimizer's step. Counted are arrays, not the
    interpreter and its libraries.

    References
    ----------
    Chen, Xu, Zhang and Guestrin: Training deep nets with sublinear memory cost, 2016, on recomputing.
    """
    return _Accounting(network, dtype, optimizer, training, recompute).of(whole("account: batch_size", batch_size, 1))


def max_batch_size(
    network: Graph, budget: int, dtype: DTypeLike = "float32", optimizer: OptimizerName | None = "sgd",
    training: bool = True, recompute: bool = False,
) -> int:
    """The largest batch whose peak stays within a budget.

    Parameters
    ----------
    network : Network
    budget : int
        Bytes: 12 * 2**30 for 12 GiB.
    dtype, optimizer, training, recompute
        As in `account`.

    Returns
    -------
    int
        0 if not even one sample fits.

    Raises
    ------
    ArgumentError
        If the budget is not a whole number of at least 1, or there is no such optimizer.
    ArrayTypeError
    """
    budget = whole("max_batch_size: budget", budget, 1)
    accounting = _Accounting(network, dtype, optimizer, training, recompute)

    def fits(batch_size: int) -> bool:
        return accounting.of(batch_size).peak <= budget

    too_large = 1
    while fits(too_large):
        too_large *= 2
    low = too_large // 2
    while too_large - low > 1:
        middle = (low + too_large) // 2
        low, too_large = (middle, too_large) if fits(middle) else (low, middle)
    return low


class _Accounting:
    """What does not depend on the batch size, done once."""

    def __init__(
        self, network: Graph, dtype: DTypeLike, optimizer: OptimizerName | None, training: bool, recompute: bool
    ) -> None:
        if not isinstance(network, Graph):
            hint = "; a function of the zoo has to be called" if callable(network) else ""
            raise ArgumentError(f"account: network has to be a Network, such as zoo.vgg16(){hint}; {network!r} "
                                "was given")
        if optimizer is not None and optimizer not in tuple(OPTIMIZERS):
            raise ArgumentError(f"account: optimizer has to be one of {', '.join(OPTIMIZERS)} or None, {optimizer!r} "
                                "was given")
        self.network, self.dtype, self.training, self.recompute = network, precision(dtype), training, recompute
        self.states = len(OPTIMIZERS[optimizer].kept) if training and optimizer is not None else 0
        self.schedule = schedule.training(network, recompute) if training else schedule.inference(network)

    def of(self, batch_size: int) -> Account:
        rehearsal = rehearse(self.network, self.schedule, batch_size, self.dtype, self.training, self.states)
        ledger = rehearsal.ledger
        layers = tuple(
            LayerMemory(node.name, short(repr(node.layer)), node.output_shape, rehearsal.waiting.get(node.name, 0),
                        node.parameter_count * self.dtype.itemsize, rehearsal.passing.get(node.name, 0))
            for node in self.network.nodes)
        mode = "inference" if not self.training else "training, recomputing" if self.recompute else "training"
        return Account(self.network.name, batch_size, self.dtype.name, mode,
                       **{kind: ledger.largest[kind] for kind in KINDS}, peak=ledger.peak, moment=ledger.moment,
                       at_peak=tuple(ledger.at_peak[kind] for kind in KINDS), layers=layers)


def _mib(count: int) -> str:
    return f"{count / MIB:,.2f}"
