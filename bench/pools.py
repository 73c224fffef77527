"""Everything between the convolutions against PyTorch: pools, ReLU, norms, sums, joins, linear layers of the networks.

    python bench/pools.py                          each kind of layer, forward and backward: mean ratio and worst layer
    python bench/pools.py --layers MaxPool2d       each layer of one kind
    python bench/pools.py --batch 8 --threads 2

A ratio is our time over PyTorch's: medians of calls taken in turn, in one process, float32, the same number of threads.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch.nn import functional as T

from cnncourse import config, layers, zoo
from cnncourse import functional as F

NETWORKS = ("lenet5", "alexnet", "zfnet", "googlenet", "vgg16", "resnet18", "resnet50")
Work = Callable[[], object]
Shapes = tuple[tuple[int, ...], ...]


def distinct_layers() -> dict[tuple[layers.Layer, Shapes], str]:
    """Layers with the shapes of their inputs, and the first place where each occurs."""
    found: dict[tuple[layers.Layer, Shapes], str] = {}
    for name in NETWORKS:
        for node in getattr(zoo, name)().nodes:
            if type(node.layer).__name__ in OPERATIONS:
                found.setdefault((node.layer, node.input_shapes), f"{name} {node.name}")
    # What the networks do without: other kinds of pooling, where they have their maximum.
    for size, channels in ((112, 64), (28, 192), (14, 512)):
        for layer in (layers.AvgPool2d(2), layers.AvgPool2d(3, 2, 1), layers.LpPool2d(2, 2), layers.LpPool2d(3, 2)):
            found[layer, ((channels, size, size),)] = f"{channels} x {size} x {size}"
    found[layers.Softmax(), ((1000,),)] = "scores"
    return found


def pair(theirs: Callable[..., torch.Tensor], ours: Work, ours_back: Callable[[np.ndarray], object] | None,
         *inputs: np.ndarray) -> Iterator[tuple[str, Work, Work]]:
    """Forward without gradients, then backward alone, with ours beside PyTorch's."""
    plain = [torch.from_numpy(one) for one in inputs]
    yield "forward", ours, lambda: theirs(*plain)
    if ours_back is None:
        return
    wanted = [torch.tensor(one, requires_grad=True) for one in inputs]
    out = theirs(*wanted)
    grad_out = np.random.default_rng(1).standard_normal(out.shape, np.float32)
    given = torch.from_numpy(grad_out)
    yield ("backward", lambda: ours_back(grad_out),
           lambda: torch.autograd.grad(out, wanted, given, retain_graph=True))


def max_pool(layer: layers.MaxPool2d, x: np.ndarray) -> Iterator[tuple[str, Work, Work]]:
    settings = (layer.kernel_size, layer.stride, layer.padding)
    rules = {"dilation": layer.dilation, "ceil_mode": layer.ceil_mode}
    _, indices = F.max_pool2d(x, *settings, **rules, return_indices=True)

    def theirs(x: torch.Tensor) -> torch.Tensor:
        return T.max_pool2d(x, *settings, **rules)

    given = torch.from_numpy(x)
    yield ("forward, with indices", lambda: F.max_pool2d(x, *settings, **rules, return_indices=True),
           lambda: T.max_pool2d(given, *settings, **rules, return_indices=True))
    yield from pair(theirs, lambda: F.max_pool2d(x, *settings, **rules),
                    lambda g: F.max_pool2d_backward(g, x, *settings, **rules, indices=indices), x)


def average_pool(layer: layers.AvgPool2d, x: np.ndarray) -> Iterator[tuple[str, Work, Work]]:
    settings = (layer.kernel_size, layer.stride, layer.padding)
    yield from pair(lambda x: T.avg_pool2d(x, *settings, layer.ceil_mode, layer.count_include_pad),
                    lambda: F.avg_pool2d(x, *settings, ceil_mode=layer.ceil_mode),
                    lambda g: F.avg_pool2d_backward(g, x, *settings, ceil_mode=layer.ceil_mode), x)


def norm_pool(layer: layers.LpPool2d, x: np.ndarray) -> Iterator[tuple[str, Work, Work]]:
    settings = (layer.norm_type, layer.kernel_size, layer.stride)
    yield from pair(lambda x: T.lp_pool2d(x, *settings), lambda: F.lp_pool2d(x, *settings),
                    lambda g: F.lp_pool2d_backward(g, x, *settings), x)


def global_pool(layer: layers.GlobalAvgPool2d, x: np.ndarray) -> Iterator[tuple[str, Work, Work]]:
    yield from pair(lambda x: T.adaptive_avg_pool2d(x, 1), lambda: F.global_avg_pool2d(x),
                    lambda g: F.global_avg_pool2d_backward(g, x), x)


def relu(layer: layers.ReLU, x: np.ndarray) -> Iterator[tuple[str, Work, Work]]:
    yield from pair(torch.relu, lambda: F.relu(x), lambda g: F.relu_backward(g, x), x)
    ours, theirs = x.copy(), torch.from_numpy(x.copy())
    yield "in place", lambda: F.relu(ours, out=ours), lambda: torch.relu_(theirs)


def batch_norm(layer: layers.BatchNorm2d, x: np.ndarray) -> Iterator[tuple[str, Work, Work]]:
    rng = np.random.default_rng(2)
    weight, bias, mean = rng.standard_normal((3, x.shape[1]), np.float32)
    var = rng.random(x.shape[1], np.float32) + np.float32(0.5)
    running = torch.from_numpy(mean), torch.from_numpy(var)
    given = [torch.from_numpy(one) for one in (x, weight, bias)]
    yield ("inference", lambda: F.batch_norm(x, weight, bias, mean, var),
           lambda: T.batch_norm(given[0], *running, *given[1:]))
    _, statistics = F.batch_norm(x, weight, bias, mean, var, training=True)
    yield from pair(lambda x, w, b: T.batch_norm(x, *running, w, b, True),
                    lambda: F.batch_norm(x, weight, bias, mean, var, training=True),
                    lambda g: F.batch_norm_backward(g, x, weight, training=True, statistics=statistics),
                    x, weight, bias)


def response_norm(layer: layers.LocalResponseNorm, x: np.ndarray) -> Iterator[tuple[str, Work, Work]]:
    settings = (layer.size, layer.alpha, layer.beta, layer.k)
    yield from pair(lambda x: T.local_response_norm(x, *settings), lambda: F.local_response_norm(x, *settings),
                    lambda g: F.local_response_norm_backward(g, x, *settings), x)


def softmax(layer: layers.Softmax, x: np.ndarray) -> Iterator[tuple[str, Work, Work]]:
    y = F.softmax(x)
    yield from pair(lambda x: T.softmax(x, 1), lambda: F.softmax(x), lambda g: F.softmax_backward(g, y), x)
    targets = np.arange(len(x)) % x.shape[1]
    given = torch.from_numpy(x), torch.from_numpy(targets)
    yield "cross entropy", lambda: F.cross_entropy(x, targets), lambda: T.cross_entropy(*given)


def linear(layer: layers.Linear, x: np.ndarray) -> Iterator[tuple[str, Work, Work]]:
    rng = np.random.default_rng(3)
    weight = rng.standard_normal((layer.out_features, x.shape[1]), np.float32)
    bias = rng.standard_normal(layer.out_features, np.float32)
    yield from pair(T.linear, lambda: F.linear(x, weight, bias), lambda g: F.linear_backward(g, x, weight),
                    x, weight, bias)


def add(layer: layers.Add, x: np.ndarray, y: np.ndarray) -> Iterator[tuple[str, Work, Work]]:
    yield from pair(torch.add, lambda: F.add(x, y), None, x, y)
    ours, theirs, other = x.copy(), torch.from_numpy(x.copy()), torch.from_numpy(y)
    yield "in place", lambda: F.add(ours, y, out=ours), lambda: theirs.add_(other)


def concatenate(layer: layers.Concatenate, *arrays: np.ndarray) -> Iterator[tuple[str, Work, Work]]:
    given = [torch.from_numpy(one) for one in arrays]
    yield "forward", lambda: F.concatenate(arrays), lambda: torch.cat(given, 1)


OPERATIONS: dict[str, Callable[..., Iterator[tuple[str, Work, Work]]]] = {
    "MaxPool2d": max_pool, "AvgPool2d": average_pool, "LpPool2d": norm_pool, "GlobalAvgPool2d": global_pool,
    "ReLU": relu, "BatchNorm2d": batch_norm, "LocalResponseNorm": response_norm, "Softmax": softmax, "Linear": linear,
    "Add": add, "Concatenate": concatenate,
}


def seconds(work: Work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def medians(ours: Work, theirs: Work, rounds: int, budget: float) -> tuple[float, float]:
    """In turn, at least so many rounds, and for short work as many as fit into the budget of seconds."""
    times: list[tuple[float, float]] = []
    for _ in range(3):
        ours(), theirs()  # compiled, and memory touched
    end = time.perf_counter() + budget
    while len(times) < rounds or (time.perf_counter() < end and len(times) < 50 * rounds):
        times.append((seconds(ours), seconds(theirs)))
    mine, other = zip(*times, strict=True)
    return statistics.median(mine), statistics.median(other)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8], help="batch sizes")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="numbers of threads")
    parser.add_argument("--layers", nargs="+", default=[], metavar="KIND", help=f"of {', '.join(OPERATIONS)}")
    parser.add_argument("--rounds", type=int, default=15, help="least number of calls of each")
    parser.add_argument("--budget", type=float, default=0.05, help="seconds for each comparison, if rounds take less")
    options = parser.parse_args()
    console = Console(width=120)
    table = Table("", "pass", "batch", "threads", "layers", "mean ratio", "worst", "of", title="our time / PyTorch's")
    everything: dict[str, list[float]] = {}
    groups: dict[tuple[str, str, int, int], list[tuple[float, str]]] = {}
    found = [(layer, shapes, place) for (layer, shapes), place in distinct_layers().items()
             if not options.layers or type(layer).__name__ in options.layers]
    for batch in options.batch:
        for layer, shapes, place in found:
            rng = np.random.default_rng(0)
            arrays = [rng.standard_normal((batch, *shape), np.float32) for shape in shapes]
            for passed, ours, theirs in OPERATIONS[type(layer).__name__](layer, *arrays):
                for threads in options.threads:
                    config.set_num_threads(threads)
                    torch.set_num_threads(threads)
                    mine, other = medians(ours, theirs, options.rounds, options.budget)
                    key = type(layer).__name__, passed, batch, threads
                    groups.setdefault(key, []).append((mine / other, place))
                    if options.layers:
                        console.print(f"{layer!s:38} {shapes[0]!s:16} {passed:22} batch {batch}, {threads} threads "
                                      f"{1e6 * mine:9.1f} us {1e6 * other:9.1f} us {mine / other:6.2f}  {place}",
                                      highlight=False, soft_wrap=True)
    for (kind, passed, batch, threads), ratios in sorted(groups.items()):
        mean = math.exp(statistics.fmean(math.log(ratio) for ratio, _ in ratios))
        worst, place = max(ratios)
        table.add_row(kind, passed, str(batch), str(threads), str(len(ratios)), f"{mean:.2f}", f"{worst:.2f}", place)
        everything.setdefault(f"{kind}, {passed}", []).extend(ratio for ratio, _ in ratios)
    console.print(table)
    for name, ratios in everything.items():
        mean = math.exp(statistics.fmean(map(math.log, ratios)))
        console.print(f"{name:40} {len(ratios):4} comparisons, geometric mean {mean:.2f}, worst {max(ratios):.2f}")


if __name__ == "__main__":
    main()
