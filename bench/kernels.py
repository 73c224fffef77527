"""Every convolution layer of the six networks, and a whole forward pass of each, against PyTorch.

    course bench kernels                                 forward, one thread, batch 1 and 8, layer by layer
    course bench kernels --what both --threads 1 2       gradients too, and two threads
    course bench kernels --networks                      whole forward passes instead of layers
    course bench kernels --of vgg16 resnet50             the layers of some networks only
    course bench kernels --cpu-time                      one thread, other processes beside it: time on the processor
    course bench kernels --figure roofline.png           draw every layer against what the machine could do

Both are run in turn, A B A B ..., so that a machine whose speed drifts slows both; a ratio is the median of the
rounds' ratios. PyTorch's ReLUs overwrite their inputs, as ours do.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch.nn import functional as T

from bench.layers import Setting, Timed
from cnncourse import config, zoo
from cnncourse import functional as F
from cnncourse.layers import Conv2d
from cnncourse.network import Network
from cnncourse.network.graph import INPUT
from tests.cnncourse.networks import needed_nodes, own
from tests.cnncourse.torch_twin import evaluate, tensors

FAMOUS = ["lenet5", "alexnet", "zfnet", "googlenet", "vgg16", "resnet18", "resnet50"]
"""The six famous networks, and of ResNet a shallow and a deep one, whose blocks differ."""
SHORTEST = 0.15
"""Seconds for which each pair is measured at least."""
SETTLE = 0.012
"""Seconds after which the other library's threads, which watch for work for a while, have left the processors."""
Work = Callable[[], object]
console = Console(width=110, highlight=False)


def distinct_layers(names: list[str]) -> dict[str, list[Setting]]:
    """The convolution layers of each network that no network before it has."""
    known: set[Setting] = set()
    found: dict[str, list[Setting]] = {}
    for name in names:
        found[name] = []
        for node in getattr(zoo, name)().nodes:
            if isinstance(node.layer, Conv2d) and node.layer.connections is None:
                channels, *size = node.input_shapes[0]
                setting = Setting(channels, (size[0], size[1]), node.layer)
                if setting not in known:
                    found[name].append(setting)
                known.add(setting)
    return found


def measure(ours: Work, theirs: Work, clock: Callable[[], float], rounds: int) -> Timed:
    """Run both in turn; with several threads each until the other's have fallen asleep, before it is timed."""
    times: list[list[float]] = []
    began = time.perf_counter()
    while len(times) < rounds or (time.perf_counter() - began < SHORTEST and len(times) < 200):
        times.append([])
        for work in (ours, theirs):
            settled = time.perf_counter() + (SETTLE if torch.get_num_threads() > 1 else 0)
            work()  # compiled, and memory touched
            while time.perf_counter() < settled:
                work()
            start = clock()
            work()
            times[-1].append(clock() - start)
    mine, other = (statistics.median(column) for column in zip(*times, strict=True))
    return Timed(mine, other, statistics.median(one / two for one, two in times))


def both_ways(setting: Setting, batch: int) -> Iterator[tuple[str, Work, Work, int]]:
    """The forward pass and the gradients of a layer, ours and PyTorch's, with their multiply-adds."""
    layer, rng = setting.layer, np.random.default_rng(0)
    kernel = (layer.kernel_size,) * 2 if isinstance(layer.kernel_size, int) else layer.kernel_size
    x = rng.standard_normal((batch, setting.channels, *setting.size), np.float32)
    weight = rng.standard_normal((layer.out_channels, setting.channels // layer.groups, *kernel), np.float32)
    bias = rng.standard_normal(layer.out_channels, np.float32)
    given = {"stride": layer.stride, "padding": layer.padding, "dilation": layer.dilation, "groups": layer.groups}
    tx, tweight, tbias = map(torch.from_numpy, (x, weight, bias))
    out = T.conv2d(tx, tweight, tbias, **given)
    grad_out = rng.standard_normal(out.shape, np.float32)
    given_out = torch.from_numpy(grad_out)
    pairs = [list(value) if isinstance(value, tuple) else [value] * 2
             for value in (layer.stride, layer.padding, layer.dilation)]
    work = out.numel() * weight[0].size
    yield ("forward", lambda: F.conv2d(x, weight, bias, **given), lambda: T.conv2d(tx, tweight, tbias, **given), work)
    yield ("gradients", lambda: F.conv2d_backward(grad_out, x, weight, **given),
           lambda: torch.ops.aten.convolution_backward(
               given_out, tx, tweight, [layer.out_channels], *pairs, False, [0, 0], layer.groups, [True] * 3), 2 * work)


def geometric_mean(values: list[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values))


def layers(options: argparse.Namespace, clock: Callable[[], float]) -> dict[Setting, tuple[Timed, int]]:
    """Tables of all layers; for the figure what the last forward pass took."""
    found = distinct_layers(options.of)
    forward: dict[Setting, tuple[Timed, int]] = {}
    everything: dict[str, list[float]] = {}
    for threads in options.threads:
        use(threads)
        for batch in options.batch:
            ratios: dict[tuple[str, str], list[float]] = {}
            table = Table(title=f"{threads} thread(s), batch {batch}, float32", show_lines=False)
            for header in ("layer", "", "ours ms", "PyTorch ms", "ours GFLOP/s", "PyTorch", "ratio"):
                table.add_column(header, justify="left" if header in ("layer", "") else "right")
            work = [(name, setting) for name, settings in found.items() for setting in settings]
            for name, setting in track(work, f"{threads} thread(s), batch {batch}", console=console, transient=True):
                for what, ours, theirs, count in both_ways(setting, batch):
                    if options.what not in ("both", what):
                        continue
                    timed = measure(ours, theirs, clock, options.rounds)
                    ratios.setdefault((name, what), []).append(timed.ratio)
                    everything.setdefault(what, []).append(timed.ratio)
                    if what == "forward":
                        forward[setting] = timed, batch
                    speeds = (2 * count / seconds / 1e9 for seconds in (timed.ours, timed.theirs))
                    table.add_row(f"{name}: {setting}", what, f"{1e3 * timed.ours:.3f}", f"{1e3 * timed.theirs:.3f}",
                                  *(f"{speed:.0f}" for speed in speeds), f"{timed.ratio:.2f}")
            if options.every:
                console.print(table)
            summarize(f"{threads} thread(s), batch {batch}: time over PyTorch's", ratios)
    for what, values in everything.items():
        console.print(f"all {len(values)} measurements, {what}: geometric mean {geometric_mean(values):.3f}, "
                      f"worst {max(values):.2f}")
    return forward


def summarize(title: str, ratios: dict[tuple[str, str], list[float]]) -> None:
    table = Table(title=title)
    for header in ("network", "", "layers", "geometric mean", "median", "worst"):
        table.add_column(header, justify="left" if header in ("network", "") else "right")
    for what in dict.fromkeys(what for _, what in ratios):
        chosen = {name: values for (name, one), values in ratios.items() if one == what}
        chosen["all"] = [value for values in chosen.values() for value in values]
        for name, values in chosen.items():
            table.add_row(name, what, str(len(values)), f"{geometric_mean(values):.2f}",
                          f"{statistics.median(values):.2f}", f"{max(values):.2f}")
    console.print(table)


def whole_networks(options: argparse.Namespace, clock: Callable[[], float]) -> None:
    for threads in options.threads:
        use(threads)
        for batch in options.batch:
            table = Table(title=f"whole forward pass, {threads} thread(s), batch {batch}, float32")
            for header in ("network", "ours ms", "PyTorch ms", "ratio"):
                table.add_column(header, justify="left" if header == "network" else "right")
            ratios = []
            for name in options.of:
                network: Network = getattr(zoo, name)()
                network.initialize(0)
                x = np.random.default_rng(0).standard_normal((batch, *network.input_shape), np.float32)
                timed = measure(lambda network=network, x=x: network.forward(x), peer(network, x), clock,
                                options.rounds)
                ratios.append(timed.ratio)
                table.add_row(name, f"{1e3 * timed.ours:.1f}", f"{1e3 * timed.theirs:.1f}", f"{timed.ratio:.2f}")
            table.add_row("geometric mean", "", "", f"{geometric_mean(ratios):.2f}")
            console.print(table)


def peer(network: Network, x: np.ndarray) -> Work:
    """The same forward pass by PyTorch, which lets go of each tensor after its last use, as we do."""
    parameters, buffers, given = tensors(network, x, torch.float32)
    nodes = [(node, own(parameters, node), own(buffers, node)) for node in needed_nodes(network)]
    last = {name: node.name for node, _, _ in nodes for name in node.inputs}

    def forward() -> object:
        values = {INPUT: given}
        for node, weights, statistics_ in nodes:
            values[node.name] = evaluate(node, [values[name] for name in node.inputs], weights, statistics_, False)
            for name in node.inputs:
                if last[name] == node.name:
                    values.pop(name, None)
        return values

    return forward


def use(threads: int) -> None:
    config.set_num_threads(threads)
    torch.set_num_threads(threads)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--of", nargs="+", default=FAMOUS, choices=zoo.__all__, metavar="NAME",
                        help="these networks only")
    parser.add_argument("--threads", nargs="+", type=int, default=[1])
    parser.add_argument("--batch", nargs="+", type=int, default=[1, 8])
    parser.add_argument("--what", choices=["forward", "gradients", "both"], default="forward")
    parser.add_argument("--rounds", type=int, default=7, help="at least so many rounds; short layers take more")
    parser.add_argument("--networks", action="store_true", help="whole forward passes")
    parser.add_argument("--every", action="store_true", help="a row for every layer, not the summary alone")
    parser.add_argument("--cpu-time", action="store_true", help="time on the processor; for one thread")
    parser.add_argument("--figure", type=Path, metavar="FILE", help="draw the roofline of the last table into a file")
    options = parser.parse_args()
    if options.cpu_time and options.threads != [1]:
        parser.error("--cpu-time counts the calling thread alone; leave --threads at 1")
    clock = time.thread_time if options.cpu_time else time.perf_counter
    torch.set_grad_enabled(False)
    T.relu = torch.relu_  # as our networks do
    if options.networks:
        whole_networks(options, clock)
        return
    forward = layers(options, clock)
    if options.figure:
        from bench.roofline import draw

        figure = draw(forward, options.threads[-1])
        options.figure.write_bytes(figure.png())
        console.print(f"wrote {options.figure}: {figure.alt}")


if __name__ == "__main__":
    main()
