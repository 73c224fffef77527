"""Where memory goes, and which batch fits a budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from cnncourse import zoo
from cnncourse.language import mark
from cnncourse.memory import OPTIMIZERS, account
from cnncourse.memory.rehearsal import KINDS
from cnncourse.network import Network
from cnncourse.widgets.figure import Figure

BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
DTYPES = ("float32", "float64")

LABELS = {
    "title": mark("What fits into memory?"),
    "about": mark("Network, batch, precision, optimizer and budget can be chosen; bars show what the memory is for."),
    "network": mark("Network"),
    "mode": mark("What for"),
    "training": mark("training"),
    "inference": mark("inference"),
    "optimizer": mark("Optimizer"),
    "sgd": mark("plain SGD"),
    "momentum": mark("momentum"),
    "rmsprop": mark("RMSProp"),
    "adam": mark("Adam"),
    "dtype": mark("Numbers"),
    "batch": mark("Batch"),
    "budget": mark("Budget"),
    "kind_input": mark("input"),
    "kind_parameters": mark("parameters"),
    "kind_gradients": mark("gradients"),
    "kind_optimizer": mark("kept by the optimizer"),
    "kind_activations": mark("activations"),
    "kind_workspace": mark("workspace"),
    "sum": mark("at the peak"),
    "budget_line": mark("budget: {size}"),
    "none": mark("none"),
    "chart_description": mark("A bar for each batch: {network}, {mode}, {dtype}. The largest batch here within "
                              "{budget}: {largest}."),
    "fits": mark("{network}, {mode}, batch {batch}, {dtype}, {optimizer}: {sum} at the peak fits into {budget}. "
                 "Largest of these batches that fits: {largest}."),
    "too_much": mark("{network}, {mode}, batch {batch}, {dtype}, {optimizer}: {sum} at the peak is more than "
                     "{budget}. Largest of these batches that fits: {largest}."),
}


def memory_explorer(
    networks: Sequence[Network] | None = None, *, labels: Mapping[str, str] | None = None
) -> Figure:
    """Memory by kind for each batch, against a budget; network, precision and optimizer can be chosen.

    Parameters
    ----------
    networks : sequence of Network, optional
        By default LeNet-5, AlexNet, GoogLeNet, VGG-16 and ResNet-50.
    labels : mapping of str to str, optional
        Words to take instead of the English ones; see `cnncourse.widgets.memory.LABELS` for their names.

    Returns
    -------
    Figure
        Its data hold for each network the bytes of each kind at the peak, from `cnncourse.memory.account`, by mode,
        precision and batch, without an optimizer's state. That state is there all the time and is added as a
        multiple of the parameters.

    Notes
    -----
    Between these batches the peak is not a straight line: it moves from layer to layer, and workspace is shared out
    among threads. So the figure offers the batches that have been accounted for, and no others.
    """
    found = _famous() if networks is None else {one.name: _peaks(one) for one in networks}
    data = {"kinds": KINDS, "batches": BATCHES, "dtypes": DTYPES, "networks": found,
            "bytes": {name: np.dtype(name).itemsize for name in DTYPES},
            "states": {name: len(optimizer.kept) for name, optimizer in OPTIMIZERS.items()}}
    settings = {"network": list(found)[-1], "mode": "training", "optimizer": "adam", "dtype": "float32",
                "batch": BATCHES.index(32), "budget": 4}
    return Figure(("memory",), data, settings, LABELS, labels)


def _peaks(network: Network) -> dict[str, Any]:
    peaks = {mode: {dtype: [account(network, batch, dtype, training=mode == "training").at_peak for batch in BATCHES]
                    for dtype in DTYPES} for mode in ("training", "inference")}
    return {"parameters": network.parameter_count(), "peaks": peaks}


@cache
def _famous() -> dict[str, Any]:
    networks = (zoo.lenet5(), zoo.alexnet(), zoo.googlenet(), zoo.vgg16(), zoo.resnet50())
    return {one.name: _peaks(one) for one in networks}
