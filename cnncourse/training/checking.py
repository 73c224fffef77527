"""The gradient check for a whole network."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cnncourse.functional.arguments import Array
from cnncourse.network import Network
from cnncourse.training.evaluation import Labels, checked_labels
from cnncourse.training.gradients import GradientCheck, check_gradient
from cnncourse.training.loop import loss_and_gradients


@dataclass(frozen=True)
class NetworkCheck:
    """A gradient check for each parameter, and for "input"; `str` has a line for each."""

    checks: dict[str, GradientCheck]

    @property
    def passed(self) -> bool:
        """Whether all of them passed."""
        return all(check.passed for check in self.checks.values())

    @property
    def worst(self) -> str:
        """Name of the one with the largest error."""
        return max(self.checks, key=lambda name: self.checks[name].error)

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        width = max(map(len, self.checks))
        return "\n".join(f"{name:{width}}  {check}" for name, check in self.checks.items())


def check_network(
    network: Network, x: Array, y: Labels, *, samples: int = 20, tolerance: float = 1e-5, seed: int = 0
) -> NetworkCheck:
    """Compare the gradients of the training loss with central differences, for every parameter and the input.

    Parameters
    ----------
    network : Network
        Checked in double precision, and left as it was.
    x : ndarray, shape (N, *input_shape)
        A few samples are enough: each number tried costs two passes over them.
    y : ndarray of int, shape (N,)
    samples : int, optional
        How many entries of each parameter are tried.
    tolerance : float, optional
        Largest relative error that passes.
    seed : int, optional
        For what is drawn; dropout drops the same in all passes.

    Returns
    -------
    NetworkCheck

    Raises
    ------
    ArgumentError, ShapeError, ArrayTypeError

    Notes
    -----
    The error is that of `check_gradient`. In training mode batch norm depends on all samples, and is checked with that.
    """
    y = checked_labels("check_network", network, x, y)
    if not network.parameters and not network.buffers:
        network.initialize()
    twin, points = copy.copy(network), {"input": np.asarray(x, np.float64)}
    points |= {name: value.astype(np.float64) for name, value in network.parameters.items()}

    def loss(moved: Mapping[str, Array]) -> tuple[float, tuple[Array, ...]]:
        values = {**points, **moved}
        twin.parameters = {name: values[name] for name in network.parameters}
        twin.buffers = {name: value.astype(np.float64) for name, value in network.buffers.items()}
        outputs = twin.forward(values["input"], training=True, generator=np.random.default_rng(seed))
        total, _, gradients = loss_and_gradients(outputs, y)
        return total, gradients

    grad_x = twin.backward(loss({})[1])
    assert grad_x is not None
    gradients = {"input": grad_x, **twin.gradients}

    def check(name: str) -> GradientCheck:
        return check_gradient(lambda value: loss({name: value})[0], gradients[name], points[name], samples=samples,
                              tolerance=tolerance, seed=seed)

    return NetworkCheck({name: check(name) for name in gradients})
