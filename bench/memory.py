"""Memory of training steps and of inference: what the accounting predicts against what tracemalloc measures.

    course bench memory                               the six networks, each in a process of its own
    course bench memory --network vgg16 --batch-size 2 --optimizer adam
"""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
import sys
import tracemalloc

import numpy as np
from rich.console import Console
from rich.table import Table

from cnncourse import memory, training, zoo
from cnncourse.network import Network

NETWORKS = {  # batch sizes at which activations weigh at least as much as parameters
    "lenet5": 256, "alexnet": 32, "zfnet": 16, "googlenet": 8, "vgg16": 4, "resnet50": 4,
}
MODES = {
    "training": {},
    "recomputing": {"recompute": True},
    "inference": {"training": False},
}
MIB = 2**20


def measured(network: Network, batch_size: int, mode: str, optimizer: str) -> int:
    """Bytes of arrays at the peak of the second step; the first one compiles, plans, and makes what stays."""
    tracemalloc.start()
    network.initialize(0)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((batch_size, *network.input_shape), np.float32)
    y = rng.integers(0, network.output_shape[0], batch_size)
    kind = memory.OPTIMIZERS[optimizer](learning_rate=1e-4)
    for _ in range(2):
        gc.collect()
        tracemalloc.reset_peak()
        if mode == "inference":
            network.forward(x)
        else:
            training.training_step(network, x, y, kind, **MODES[mode])
    peak = tracemalloc.get_traced_memory()[1]
    # Everything that is no array: compiled code, the network itself, the interpreter's odds and ends.
    others = tracemalloc.take_snapshot().filter_traces([
        tracemalloc.DomainFilter(False, np.lib.tracemalloc_domain)])
    tracemalloc.stop()
    return peak - sum(trace.size for trace in others.traces)


def row(name: str, batch_size: int, mode: str, optimizer: str) -> tuple[int, int]:
    """Predicted and measured bytes."""
    build = getattr(zoo, name)
    predicted = memory.account(build(), batch_size, optimizer=optimizer, **MODES[mode]).peak
    return predicted, measured(build(), batch_size, mode, optimizer)


def table(names: list[str], batch_size: int | None, modes: list[str], optimizer: str) -> Table:
    """One process for each network and mode."""
    found = Table("network", "batch", "mode", "predicted MiB", "measured MiB", "predicted / measured")
    for name in names:
        for mode in modes:
            size = batch_size or NETWORKS[name]
            command = [sys.executable, "-m", "bench.memory", "--one", "--network", name, "--batch-size", str(size),
                       "--mode", mode, "--optimizer", optimizer]
            predicted, peak = map(int, subprocess.run(command, check=True, capture_output=True, text=True,
                                                      env=os.environ).stdout.split()[-2:])
            found.add_row(name, str(size), mode, f"{predicted / MIB:,.1f}", f"{peak / MIB:,.1f}",
                          f"{predicted / peak:.3f}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=NETWORKS)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--mode", choices=MODES)
    parser.add_argument("--optimizer", choices=memory.OPTIMIZERS, default="momentum")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(*row(given.network, given.batch_size, given.mode, given.optimizer))
        return
    names = [given.network] if given.network else list(NETWORKS)
    Console().print(table(names, given.batch_size, [given.mode] if given.mode else list(MODES), given.optimizer))


if __name__ == "__main__":
    main()
