"""Which way a convolution goes, and how its work is cut into tasks: everything about it that is no loop over numbers.

There are three ways. `direct` where a group has one or two filters; `winograd` for 3 x 3 kernels at stride 1 where
enough channels and positions pay for its transforms; for everything else, and whenever `config.exact` says so, the
product by blocks of `convolution`. The choice between the last two compares two sums of measured costs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncourse import config
from cnncourse.kernels import convolution, direct, patches
from cnncourse.kernels import input_gradient as gradient_of_input
from cnncourse.kernels import weight_gradient as gradient_of_weight
from cnncourse.kernels import winograd as transform
from cnncourse.machinery.threads import fresh, is_asking, memory, share
from cnncourse.machinery.tiles import ROWS, TILE_BYTES, tile_product

Array = NDArray[np.floating[Any]]
Pair = tuple[int, int]

FEW_FILTERS = 2
"""Up to so many filters in each of several groups, the direct way is faster."""
SERIAL = 1_500_000
"""Up to so many multiply-adds, some 30 microseconds, one thread is faster than two."""
PART = 8_000_000
"""Multiply-adds, some 200 microseconds, of a part that a thread takes: it costs some 10 to hand it over."""
SCRATCH_BYTES = 16 << 20
"""What is laid out anew (weights, gradients) is cut into parts of at most so many bytes."""
WORK_BYTES = 24 << 20
"""What all threads together keep to work in: an operation takes at most 64 MiB beyond its results."""
FEW_ROWS, FEW_POSITIONS = 32, 128
"""Up to so many filters of 1 x 1, and from so many positions in a picture on, inputs are not worth copying."""
INPUT_BYTES = 7 << 20
"""Bytes of evaluated inputs at a time, which a third-level cache should hold."""


def forward(
    x: Array, weight: Array, bias: Array, out: Array, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> None:
    """Fill `out`; padding is that above and on the left."""
    filters, depth, *kernel = weight.shape
    parts = _parts(out.size * depth * kernel[0] * kernel[1])
    if out.size == 0:
        return
    if _is_direct(filters, groups):
        share(direct.forward, len(x) * filters, x, weight, bias, out, *stride, *padding, *dilation, groups, parts=parts)
        return
    if (_winograd_pays(weight, out, stride, dilation, groups)
            and _winograd(x, weight, False, bias, padding, out, parts)):
        return
    flat = _is_flat(kernel, stride, padding, x.shape[2:], out.shape[2:])
    _correlate(_as_row(x) if flat else x, weight.reshape(groups, filters // groups, -1), bias,
               (*kernel, *padding, *dilation, *stride), flat, _as_row(out) if flat else out, parts)


def input_gradient(
    grad_out: Array, weight: Array, grad_x: Array, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> None:
    """Fill `grad_x`."""
    filters, depth, *kernel = weight.shape
    parts = _parts(grad_out.size * depth * kernel[0] * kernel[1])
    if grad_x.size == 0 or grad_out.size == 0:
        grad_x[:] = 0
        return
    if _is_direct(filters, groups):
        share(direct.backward_input, len(grad_x) * groups, grad_out, weight, grad_x, *stride, *padding, *dilation,
              groups, parts=parts)
        return
    around = (2 - padding[0], 2 - padding[1])
    if (_winograd_pays(weight, grad_x, stride, dilation, groups)
            and _winograd(grad_out, weight, True, np.zeros(depth, weight.dtype), around, grad_x, parts)):
        return
    if (groups == 1 and weight.nbytes <= SCRATCH_BYTES
            and _is_flat(kernel, stride, padding, grad_out.shape[2:], grad_x.shape[2:])):
        turned = fresh((1, depth, filters), weight.dtype)
        share(gradient_of_input.transpose, _ceil(depth, 64), weight.reshape(filters, depth), turned[0], parts=parts)
        _correlate(_as_row(grad_out), turned, np.zeros(depth, weight.dtype), gradient_of_input.SINGLE, True,
                   _as_row(grad_x), parts)
        return
    taps, threads = kernel[0] * kernel[1], config.get_num_threads()
    grid = grad_out.shape[2:]
    images = min(max(patches.WIDTH_BYTES // (grad_out.itemsize * grid[0] * grid[1]), 1),
                 _ceil(len(grad_x), threads))
    batches = _ceil(len(grad_x), images)
    rows = gradient_of_input.rows_within(WORK_BYTES // threads, filters // groups, weight.itemsize)
    wanted = _ceil(depth * taps, min(2 * convolution.FILTERS, rows))
    if parts > 1 and batches * groups % threads:
        wanted = _even(wanted, threads)
    channels = _ceil(depth, wanted)
    _multiply(gradient_of_input.input_gradient, batches * groups * _ceil(depth, channels), _as_row(grad_out), grid,
              weight.reshape(groups, filters // groups, -1), (*kernel, *padding, *dilation, *stride), grad_x, images,
              channels, parts=parts,
              scratch=gradient_of_input.scratch(channels * taps, filters // groups, weight.itemsize))


def weight_gradient(
    grad_out: Array, x: Array, grad_weight: Array, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> None:
    """Fill `grad_weight`."""
    filters, depth, *kernel = grad_weight.shape
    parts = _parts(grad_out.size * depth * kernel[0] * kernel[1])
    if grad_out.size == 0:
        grad_weight[:] = 0
        return
    if _is_direct(filters, groups):
        share(direct.backward_weight, filters, grad_out, x, grad_weight, *stride, *padding, *dilation, groups,
              parts=parts)
        return
    grid = grad_out.shape[2:]
    if _is_flat(kernel, stride, padding, x.shape[2:], grid):
        x = _as_row(x)
        grid = (1, x.shape[3])
    upstream = grad_out.reshape(len(grad_out), groups, filters // groups, -1)
    found = grad_weight.reshape(groups, filters // groups, -1)
    strips = _ceil(filters // groups, TILE_BYTES // x.itemsize)
    total = len(x) * upstream.shape[3]
    most = max(SCRATCH_BYTES // (groups * strips * TILE_BYTES), 1)
    rows = _row_count(found.shape[2], groups, strips)
    window = (*kernel, *padding, *dilation, *stride)
    for start in range(0, total, most):
        stop = min(start + most, total)
        side = fresh((groups * strips, stop - start, TILE_BYTES // x.itemsize), x.dtype)
        share(gradient_of_weight.side_by_side, groups * strips, upstream, start, stop, side, parts=parts)
        _multiply(gradient_of_weight.weight_gradient, groups * _ceil(found.shape[2], rows), x, side, start, stop,
                  window, grid, rows, start == 0, found, parts=parts, scratch=gradient_of_weight.scratch(rows, strips))
        del side  # before the next one is made


def bias_gradient(grad_out: Array) -> Array:
    """Sum of a gradient over samples and positions, for each channel."""
    found = np.empty(grad_out.shape[1], grad_out.dtype)
    planes = grad_out.reshape(*grad_out.shape[:2], grad_out.shape[2] * grad_out.shape[3])
    share(gradient_of_weight.bias_gradient, len(found), planes, found,
          parts=_parts(8 * grad_out.size))
    return found


def _ceil(whole: int, part: int) -> int:
    """How many parts it takes to hold the whole."""
    return -(-whole // part)


def _parts(multiply_adds: int) -> int:
    """Into how many parts work is cut: one of some 200 microseconds or more, and at most four, for each thread."""
    threads = config.get_num_threads()
    return 1 if multiply_adds < SERIAL else threads * min(max(multiply_adds // (threads * PART), 1), 4)


def _even(parts: int, threads: int) -> int:
    """So many parts or a few more, so that each thread gets as many."""
    return _ceil(parts, threads) * threads


def _multiply(
    kernel: Callable[..., None], tasks: int, like: Array, *arguments: Any, parts: int, scratch: int
) -> None:
    """Share a kernel that multiplies tiles, of numbers like those of its first array."""
    code = 0 if is_asking() else tile_product(like.itemsize)
    share(kernel, tasks, code, like, *arguments, parts=parts, scratch=scratch)


def _is_direct(filters: int, groups: int) -> bool:
    return groups > 1 and filters // groups <= FEW_FILTERS


def _is_flat(kernel: list[int], stride: Pair, padding: Pair, size: tuple[int, ...], grid: tuple[int, ...]) -> bool:
    """Whether each position sees the one input at the same place, so that rows do not matter."""
    return kernel == [1, 1] and stride == (1, 1) and padding == (0, 0) and size == grid


def _as_row(x: Array) -> Array:
    """Pictures with their rows joined to one."""
    return x.reshape(*x.shape[:2], 1, x.shape[2] * x.shape[3])


def _correlate(
    source: Array, rows: Array, bias: Array, window: tuple[int, ...], flat: bool, out: Array, parts: int
) -> None:
    """Cut positions evenly into blocks, and the filters too where blocks are too few for all threads."""
    groups, filters, _ = rows.shape
    columns = TILE_BYTES // source.itemsize
    total = len(out) * out.shape[2] * out.shape[3]
    threads = 1 if parts == 1 else config.get_num_threads()
    blocks = _ceil(total, patches.WIDTH_BYTES // source.itemsize)
    if blocks > threads:
        blocks = _even(blocks, threads)
    width = _ceil(_ceil(total, blocks), columns) * columns
    blocks = _ceil(total, width)
    splits = min(_ceil(threads, blocks * groups), _ceil(filters, 2 * ROWS))
    straight = flat and filters <= FEW_ROWS and out.shape[3] >= FEW_POSITIONS
    _multiply(convolution.correlate, groups * splits * blocks, source, rows, bias, window, straight, out, width, splits,
              parts=parts, scratch=convolution.SCRATCH)


def _row_count(total: int, groups: int, strips: int) -> int:
    """Rows of a task of the weights' gradient: a multiple of a tile's, a few tasks for each thread."""
    threads = config.get_num_threads()
    wanted = total if threads == 1 else _ceil(total * groups, 3 * threads)
    most = gradient_of_weight.rows_within(WORK_BYTES // threads, strips) // ROWS
    return max(min(_ceil(wanted, ROWS), 16, most), 1) * ROWS


def _winograd_pays(weight: Array, out: Array, stride: Pair, dilation: Pair, groups: int) -> bool:
    """Compare costs in nanoseconds on one core, as measured on a machine with 256-bit vectors."""
    if (weight.dtype != np.float32 or weight.shape[2:] != (3, 3) or stride != (1, 1) or dilation != (1, 1)
            or groups > 1 or not config.winograd_allowed()):
        return False
    filters, depth = weight.shape[:2]
    positions = len(out) * out.shape[2] * out.shape[3]
    tiles = len(out) * _ceil(out.shape[2], transform.OUTPUTS) * _ceil(out.shape[3], transform.OUTPUTS)
    strips = _ceil(tiles, transform.COLUMNS)
    weights = 10 * filters * depth
    products = 36 * filters * depth * strips * transform.COLUMNS / 45
    transforms = 250 * strips * (filters + depth)
    return weights + products + transforms < 9 * filters * depth * positions / 40


def _winograd(
    source: Array, weight: Array, flip: bool, bias: Array, padding: Pair, out: Array, parts: int
) -> bool:
    """Fill `out`; or return false if something was not finite, which spreads within a tile, or memory is too short."""
    filters, depth = out.shape[1], source.shape[1]
    threads = config.get_num_threads()
    grid = (_ceil(out.shape[2], transform.OUTPUTS), _ceil(out.shape[3], transform.OUTPUTS))
    total = _ceil(len(out) * grid[0] * grid[1], transform.COLUMNS)
    most = max(INPUT_BYTES // (36 * depth * TILE_BYTES), 1)
    chunks = _ceil(total, most)
    most = WORK_BYTES // (threads * 36 * depth * 4 * ROWS)
    if most == 0:
        return False
    width = min(8, most, _ceil(filters, 2 * threads * ROWS)) * ROWS
    blocks = _ceil(filters, width)
    for chunk in range(chunks):
        first, last = chunk * total // chunks, (chunk + 1) * total // chunks
        strips = last - first
        pitch = strips * depth * TILE_BYTES + transform.GAP
        inputs = memory("transformed", 36 * pitch)
        pieces = 1 if threads == 1 else max(1, min(depth // 16, _ceil(4 * threads, strips)))
        share(transform.evaluate_inputs, strips * pieces, source, *padding, grid, first * transform.COLUMNS, strips,
              pieces, inputs, pitch, parts=_ceil(parts, 2), scratch=transform.INPUT_SCRATCH)
        pieces = min(_ceil(4 * threads, blocks), _ceil(strips, transform.STRIPS)) if threads > 1 else 1
        fine = np.ones(blocks * pieces, np.bool_)
        _multiply(transform.winograd, blocks * pieces, weight, flip, inputs, pitch, bias, out,
                  first * transform.COLUMNS, strips, width, pieces, fine, parts=parts,
                  scratch=transform.scratch(width, depth))
        if not fine.all():
            return False
    return True
