"""What this machine could do, and every layer of `course bench kernels --figure FILE` against it: a roofline.

    course bench roofline                  the two limits alone, one thread
    course bench roofline --threads 2

A layer can be no faster than the processor multiplies, and no faster than memory hands over its input and weights and
takes its output. Both limits are measured here: one with the tile product on numbers that stay in the first-level
cache, the other with copies of arrays that fit no cache. Each counts its best round.
"""

from __future__ import annotations

import argparse
import statistics
import timeit
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from matplotlib.ticker import FuncFormatter
from numba import njit

from bench.layers import Setting, Timed
from cnncourse import config
from cnncourse.machinery.threads import share
from cnncourse.machinery.tiles import ROWS, TILE_BYTES, multiply_tile, tile_product
from cnncourse.plotting.illustration import BLUE, GRAY, INK, ORANGE, Illustration, illustrated

DEPTH = 128
"""Products for each number of a tile: long sums, whose factors still fit a first-level cache of 32 KiB."""
SIZE, COPIED = 4, 128 << 20
"""Bytes of a number, as layers are timed in single precision, and of the arrays whose copying is timed."""


@njit(nogil=True)
def _tiles(first: int, last: int, memory: Any, code: int) -> None:  # type: ignore[no-untyped-def]
    """One tile, again and again, in memory of the thread's own."""
    memory[:] = 0  # what is left over there might read as numbers on which processors are slow
    a = memory.ctypes.data
    b = a + ROWS * DEPTH * SIZE
    c = b + DEPTH * TILE_BYTES
    for _ in range(first, last):
        multiply_tile(code, ROWS, a, DEPTH * SIZE, b, TILE_BYTES, DEPTH, c, TILE_BYTES, c, 0)


def _copy(first: int, last: int, target: np.ndarray, source: np.ndarray) -> None:
    np.copyto(target[first:last], source[first:last])


def _best(work: Callable[[], None], rounds: int) -> float:
    """Seconds of the fastest round but the first: of many short rounds some are not interrupted by other processes."""
    return min(timeit.repeat(work, number=1, repeat=rounds + 1)[1:])


def limits(threads: int) -> tuple[float, float]:
    """Multiplications and additions in a second, and bytes read and written, by so many threads together."""
    before = config.get_num_threads()
    config.set_num_threads(threads)
    try:
        scratch = ROWS * DEPTH * SIZE + DEPTH * TILE_BYTES + ROWS * TILE_BYTES
        tiles = 2_000 * threads
        operations = 2 * tiles * ROWS * DEPTH * TILE_BYTES // SIZE
        arithmetic = operations / _best(lambda: share(_tiles, tiles, tile_product(SIZE), scratch=scratch), 2000)
        source, target = np.ones(COPIED, np.uint8), np.zeros(COPIED, np.uint8)
        bandwidth = 2 * COPIED / _best(lambda: share(_copy, COPIED, target, source), 40)
    finally:
        config.set_num_threads(before)
    return arithmetic, bandwidth


def counts(setting: Setting, batch: int) -> tuple[int, int]:
    """Multiplications and additions of a layer, and the bytes of its input, weights and output."""
    shape = setting.channels, *setting.size
    weights = prod(setting.layer.parameter_shapes(shape)["weight"])
    numbers = batch * (prod(shape) + prod(setting.layer.output_shape(shape))) + weights
    return 2 * batch * setting.layer.multiply_adds(shape), SIZE * numbers


@illustrated
def draw(forward: dict[Setting, tuple[Timed, int]], threads: int) -> Illustration:
    """Draw the speed of every layer, ours and PyTorch's, under the roof of this machine.

    Parameters
    ----------
    forward : dict of Setting to (Timed, int)
        What the forward pass of each layer took, and its batch.
    threads : int
        How many were timed; the roof is measured with as many.
    """
    arithmetic, bandwidth = (limit / 1e9 for limit in limits(threads))
    work = [counts(setting, batch) for setting, (_, batch) in forward.items()]
    intensity = np.array([operations / moved for operations, moved in work])
    ours, theirs = (np.array([operations / seconds / 1e9 for (operations, _), seconds in zip(work, times, strict=True)])
                    for times in zip(*((timed.ours, timed.theirs) for timed, _ in forward.values()), strict=True))

    figure = Illustration(7.0, 5.2)
    axes = figure.add_subplot()
    ridge = arithmetic / bandwidth
    left, right = min(intensity.min(), ridge) / 2, max(intensity.max(), ridge) * 2
    axes.plot([left, ridge, right], [left * bandwidth, arithmetic, arithmetic], color=INK, linewidth=2.5, zorder=1,
              label=f"{arithmetic:.0f} GFLOP/s, {bandwidth:.0f} GB/s")
    axes.vlines(intensity, np.minimum(ours, theirs), np.maximum(ours, theirs), color=GRAY, linewidth=0.8, zorder=2)
    for speeds, color, marker, name in ((theirs, ORANGE, "s", "PyTorch"), (ours, BLUE, "o", "cnncourse")):
        axes.scatter(intensity, speeds, s=42, color=color, marker=marker, edgecolor="white", linewidth=0.6, zorder=3,
                     label=name)
    lowest, highest = min(ours.min(), theirs.min()), max(ours.max(), theirs.max(), arithmetic)
    axes.set(xscale="log", yscale="log", xlim=(left, right), ylim=(lowest / 1.6, highest * 1.6))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(FuncFormatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "25" else ""))
    axes.tick_params(which="both", labelsize=14, length=4)
    axes.set_xlabel("operations for each byte of input, weights and output", fontsize=15)
    axes.set_ylabel("GFLOP/s", fontsize=15)
    batches = ", ".join(map(str, sorted({batch for _, batch in forward.values()})))
    axes.set_title(f"{len(forward)} convolution layers, batch {batches}, {threads} thread{'s' * (threads > 1)}",
                   fontsize=15, loc="left")
    figure.legend(loc="outside upper left", fontsize=14, frameon=False, ncols=3, columnspacing=1.2, handletextpad=0.4)
    note = ("Above the flat roof: Winograd's algorithm, which does fewer\nmultiplications than are counted. "
            "Above the slope: data that\nstayed in a cache since the round before.")
    figure.supxlabel(note, fontsize=13.5, x=0.02, ha="left")
    faster = int(sum(timed.ratio < 1 for timed, _ in forward.values()))
    figure.alt = (
        f"Roofline of {len(forward)} convolution layers in GFLOP/s, batch {batches}, {threads} thread(s). The roof: "
        f"{bandwidth:.0f} GB/s of memory up to {ridge:.1f} operations for each byte, then {arithmetic:.0f} GFLOP/s. "
        + "; ".join(f"{name} {speeds.min():.0f} to {speeds.max():.0f} with median {statistics.median(speeds):.0f}, "
                    f"{int(sum(speeds > arithmetic))} layers above the flat roof"
                    for name, speeds in (("cnncourse", ours), ("PyTorch", theirs)))
        + f". cnncourse is faster on {faster} layers. " + note.replace("\n", " "))
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    arithmetic, bandwidth = limits(parser.parse_args().threads)
    print(f"{arithmetic / 1e9:.1f} GFLOP/s in single precision, {bandwidth / 1e9:.1f} GB/s of memory; "
          f"{arithmetic / bandwidth:.1f} operations for each byte use both")


if __name__ == "__main__":
    main()
