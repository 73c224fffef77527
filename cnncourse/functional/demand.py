"""How much memory an operation takes beside its arguments and results, without doing it."""

from __future__ import annotations

from typing import Any

import numpy as np

from cnncourse.functional.arguments import Padding, Pair, windows
from cnncourse.kernels import ways
from cnncourse.machinery.threads import Demand, only_asking


def conv2d_demand(
    x_shape: tuple[int, ...], weight_shape: tuple[int, ...], dtype: Any, *, stride: Pair = 1, padding: Padding = 0,
    dilation: Pair = 1, groups: int = 1, backward: bool = False, input_gradient: bool = True,
) -> Demand:
    """Memory that `conv2d` or `conv2d_backward` takes while it works, with the present number of threads.

    Parameters
    ----------
    x_shape : (N, C, H, W)
    weight_shape : (K, C / groups, R, S)
    dtype : float32 or float64
    stride, padding, dilation, groups, input_gradient
        As in `conv2d_backward`.
    backward : bool, optional

    Returns
    -------
    Demand
        In bytes: what threads keep for the next call, and what comes and goes.
    """
    found = windows("conv2d", (x_shape[2], x_shape[3]), weight_shape[2:], stride, padding, dilation)
    zero = np.zeros((), dtype)
    # Arrays of the right shape without any memory; nobody looks into them.
    x, weight, bias, out = (np.broadcast_to(zero, shape) for shape in (
        x_shape, weight_shape, weight_shape[:1], (x_shape[0], weight_shape[0], *found.output)))
    settings = found.stride, found.before, found.dilation, groups
    with only_asking() as demand:
        if not backward:
            ways.forward(x, weight, bias, out, *settings)
        else:
            if input_gradient:
                ways.input_gradient(out, weight, x, *settings)
            ways.weight_gradient(out, x, weight, *settings)
    return demand
