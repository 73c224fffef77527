"""Whole vectors of numbers at once: copies, every n-th number, and formulas applied to all lanes of a register.

A compiler turns simple loops into vector instructions by itself. It gives up where many arrays are read and written
in one loop, since any two of them might overlap. What is here is told in vectors from the start, in the compiler's own
language, LLVM's. `lanewise` takes a formula written in plain Python, such as the butterfly of a transform, hands it
values that stand for vectors, and records what it does with them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from cnncourse.machinery.tiles import VECTOR_BYTES

Formula = Callable[..., Sequence[Any]]
LANES = VECTOR_BYTES // 4
"""Numbers of single precision in a vector."""


class _Lanes:
    """A vector in the making: sums, differences and products with other vectors or with plain numbers."""

    def __init__(self, builder: ir.IRBuilder, value: Any) -> None:
        self.builder, self.value = builder, value

    def _other(self, other: _Lanes | float) -> Any:
        if isinstance(other, _Lanes):
            return other.value
        return ir.Constant(self.value.type, [float(other)] * self.value.type.count)

    def __add__(self, other: _Lanes | float) -> _Lanes:
        return _Lanes(self.builder, self.builder.fadd(self.value, self._other(other), flags=("contract",)))

    def __sub__(self, other: _Lanes | float) -> _Lanes:
        return _Lanes(self.builder, self.builder.fsub(self.value, self._other(other), flags=("contract",)))

    def __mul__(self, other: _Lanes | float) -> _Lanes:
        return _Lanes(self.builder, self.builder.fmul(self.value, self._other(other), flags=("contract",)))

    __rmul__ = __mul__


_VECTOR = ir.VectorType(ir.FloatType(), LANES)


def _load(builder: ir.IRBuilder, address: Any, kind: Any = _VECTOR) -> Any:
    loaded = builder.load(builder.inttoptr(address, kind.as_pointer()))
    loaded.align = 4
    return loaded


def _store(builder: ir.IRBuilder, value: Any, address: Any) -> None:
    builder.store(value, builder.inttoptr(address, value.type.as_pointer())).align = 4


def _offset(builder: ir.IRBuilder, address: Any, pitch: Any, index: int) -> Any:
    return builder.add(address, builder.mul(pitch, ir.Constant(address.type, index)))


def _mask(lanes: Sequence[int]) -> Any:
    return ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), list(lanes))


def _shuffle(builder: ir.IRBuilder, value: Any, lanes: Sequence[int]) -> Any:
    return builder.shuffle_vector(value, ir.Constant(value.type, ir.Undefined), _mask(lanes))


def _apply(builder: ir.IRBuilder, formula: Formula, values: Sequence[Any]) -> list[Any]:
    return [result.value for result in formula(*(_Lanes(builder, value) for value in values))]


def lanewise(formula: Formula, inputs: int) -> Any:
    """Compile a formula of several vectors of float32 to several others.

    Parameters
    ----------
    formula : callable
        Takes `inputs` values that can be added, subtracted and multiplied; returns a sequence of such values.
    inputs : int

    Returns
    -------
    intrinsic
        f(source, source_pitch, target, target_pitch): input i is the vector at source + i * source_pitch, output i is
        written to target + i * target_pitch; all in bytes. Called in compiled code only.
    """

    @intrinsic
    def applied(typingctx, source, source_pitch, target, target_pitch):  # type: ignore[no-untyped-def]
        def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
            source, source_pitch, target, target_pitch = arguments
            values = [_load(builder, _offset(builder, source, source_pitch, i)) for i in range(inputs)]
            for i, value in enumerate(_apply(builder, formula, values)):
                _store(builder, value, _offset(builder, target, target_pitch, i))
            return context.get_dummy_value()

        return types.void(*[types.intp] * 4), generate

    return applied


def deinterleaved(formula: Formula, step: int, beyond: int) -> Any:
    """Compile a formula of the step + beyond numbers that begin at every `step`-th number of a row.

    Parameters
    ----------
    formula : callable
        As in `lanewise`.
    step, beyond : int

    Returns
    -------
    intrinsic
        f(row, next_row, target, target_pitch): lane l of inputs 0 to step - 1 are the numbers step * l, ... of the
        row, lane l of the further ones the numbers step * l, ... of the other row, which is the same row from number
        `step` on, or stands for it.
    """

    @intrinsic
    def applied(typingctx, row, next_row, target, target_pitch):  # type: ignore[no-untyped-def]
        def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
            row, next_row, target, target_pitch = arguments
            wide = ir.VectorType(ir.FloatType(), step * LANES)
            here, there = _load(builder, row, wide), _load(builder, next_row, wide)
            values = [_shuffle(builder, source, [step * lane + i for lane in range(LANES)])
                      for source, count in ((here, step), (there, beyond)) for i in range(count)]
            for i, value in enumerate(_apply(builder, formula, values)):
                _store(builder, value, _offset(builder, target, target_pitch, i))
            return context.get_dummy_value()

        return types.void(*[types.intp] * 4), generate

    return applied


def interleaved(formula: Formula, inputs: int) -> Any:
    """Compile a formula whose results are written side by side: all results of lane 0, then all of lane 1, ...

    Parameters
    ----------
    formula : callable
        As in `lanewise`; its number of results has to be a power of two.
    inputs : int

    Returns
    -------
    intrinsic
        f(source, source_pitch, target, plus): `plus` is added to every result. Its value is the sum of all results
        times zero: zero if all are finite, else NaN.
    """

    @intrinsic
    def applied(typingctx, source, source_pitch, target, plus):  # type: ignore[no-untyped-def]
        def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
            source, source_pitch, target, plus = arguments
            start = _shuffle(builder, builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), plus,
                                                             ir.Constant(ir.IntType(32), 0)), [0] * LANES)
            values = [_load(builder, _offset(builder, source, source_pitch, i)) for i in range(inputs)]
            results = [builder.fadd(value, start) for value in _apply(builder, formula, values)]
            total = results[0]
            for result in results[1:]:
                total = builder.fadd(total, result)
            vanished = builder.fmul(total, ir.Constant(_VECTOR, [0.0] * LANES))
            while len(results) > 1:  # pairs of neighbors, joined end to end
                length = results[0].type.count
                results = [builder.shuffle_vector(results[i], results[i + 1], _mask(range(2 * length)))
                           for i in range(0, len(results), 2)]
            count = results[0].type.count // LANES
            _store(builder, _shuffle(builder, results[0], [i * LANES + lane for lane in range(LANES)
                                                           for i in range(count)]), target)
            folded = builder.extract_element(vanished, ir.Constant(ir.IntType(32), 0))
            for lane in range(1, LANES):
                folded = builder.fadd(folded, builder.extract_element(vanished, ir.Constant(ir.IntType(32), lane)))
            return folded

        return types.float32(types.intp, types.intp, types.intp, types.float32), generate

    return applied


@intrinsic
def copy_bytes(typingctx, target, source, count):  # type: ignore[no-untyped-def]
    """Copy `count` bytes from one address to another; the two places do not overlap."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        target, source, count = arguments
        byte = ir.IntType(8).as_pointer()
        cgutils.raw_memcpy(builder, builder.inttoptr(target, byte), builder.inttoptr(source, byte), count, 1)
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, types.intp), generate


@intrinsic
def _copy_vector(typingctx, target, source):  # type: ignore[no-untyped-def]
    """Copy a vector from one address to another."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        _store(builder, _load(builder, arguments[1]), arguments[0])
        return context.get_dummy_value()

    return types.void(types.intp, types.intp), generate


@njit(nogil=True)
def copy_vectors(target, source, count):  # type: ignore[no-untyped-def]
    """Copy whole vectors until `count` bytes are copied: up to a vector more is read and written."""
    done = 0
    while done < count:
        _copy_vector(target + done, source + done)
        done += VECTOR_BYTES


@intrinsic
def _prefetch(typingctx, address):  # type: ignore[no-untyped-def]
    """Ask for the cache line at an address without waiting for it."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        pointer, whole = ir.IntType(8).as_pointer(), ir.IntType(32)
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.VoidType(), [pointer, whole, whole, whole]), "llvm.prefetch.p0")
        builder.call(function, [builder.inttoptr(arguments[0], pointer), *(ir.Constant(whole, n) for n in (0, 3, 1))])
        return context.get_dummy_value()

    return types.void(types.intp), generate


@njit(nogil=True)
def prefetch_rows(address, pitch, rows, count):  # type: ignore[no-untyped-def]
    """Ask for `count` bytes of each of some rows, which begin a pitch apart."""
    for row in range(rows):
        for byte in range(0, count, 64):
            _prefetch(address + row * pitch + byte)


@intrinsic
def clear_bytes(typingctx, target, count):  # type: ignore[no-untyped-def]
    """Set `count` bytes from an address on to zero."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        target, count = arguments
        cgutils.memset(builder, builder.inttoptr(target, ir.IntType(8).as_pointer()), count, 0)
        return context.get_dummy_value()

    return types.void(types.intp, types.intp), generate


def _picker(step: int) -> Any:
    """Copy every `step`-th number, a vector of them at a time: whole vectors are loaded, and lanes picked from them."""

    @intrinsic
    def pick(typingctx, kind, target, source):  # type: ignore[no-untyped-def]
        def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
            _, target, source = arguments
            number = context.get_value_type(kind)
            lanes = VECTOR_BYTES * 8 // kind.bitwidth
            wide = ir.VectorType(number, lanes * step)
            loaded = builder.load(builder.inttoptr(source, wide.as_pointer()))
            loaded.align = kind.bitwidth // 8
            picked = _shuffle(builder, loaded, [step * lane for lane in range(lanes)])
            builder.store(picked, builder.inttoptr(target, picked.type.as_pointer())).align = kind.bitwidth // 8
            return context.get_dummy_value()

        return types.void(kind, types.intp, types.intp), generate

    return pick


@intrinsic
def move_number(typingctx, kind, target, source):  # type: ignore[no-untyped-def]
    """Copy one number from an address to another."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        pointer = context.get_value_type(kind).as_pointer()
        builder.store(builder.load(builder.inttoptr(arguments[2], pointer)), builder.inttoptr(arguments[1], pointer))
        return context.get_dummy_value()

    return types.void(kind, types.intp, types.intp), generate


@intrinsic
def _add_vector(typingctx, kind, target, source):  # type: ignore[no-untyped-def]
    """Add a vector of numbers at an address to those at another."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        vector = ir.VectorType(context.get_value_type(kind), VECTOR_BYTES * 8 // kind.bitwidth)
        places = [builder.inttoptr(address, vector.as_pointer()) for address in arguments[1:]]
        loaded = [builder.load(place) for place in places]
        for value in loaded:
            value.align = kind.bitwidth // 8
        builder.store(builder.fadd(*loaded), places[0]).align = kind.bitwidth // 8
        return context.get_dummy_value()

    return types.void(kind, types.intp, types.intp), generate


@intrinsic
def _add_number(typingctx, kind, target, source):  # type: ignore[no-untyped-def]
    """Add one number at an address to that at another."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        pointer = context.get_value_type(kind).as_pointer()
        target, source = (builder.inttoptr(address, pointer) for address in arguments[1:])
        builder.store(builder.fadd(builder.load(target), builder.load(source)), target)
        return context.get_dummy_value()

    return types.void(kind, types.intp, types.intp), generate


_pick_2, _pick_4 = _picker(2), _picker(4)


@njit(nogil=True)
def copy_every(kind, size, target, source, step, count):  # type: ignore[no-untyped-def]
    """Copy `count` numbers that lie `step` apart, from an address on, side by side."""
    if step == 1:
        copy_bytes(target, source, count * size)
        return
    done = 0
    lanes = VECTOR_BYTES // size
    if step == 2:
        while done + lanes < count:  # not <=: what lies behind the last number is loaded too
            _pick_2(kind, target + done * size, source + 2 * done * size)
            done += lanes
    elif step == 4:
        while done + lanes < count:
            _pick_4(kind, target + done * size, source + 4 * done * size)
            done += lanes
    while done < count:
        move_number(kind, target + done * size, source + step * done * size)
        done += 1


@intrinsic
def transpose_tile(typingctx, kind, source, source_pitch, target, target_pitch):  # type: ignore[no-untyped-def]
    """Transpose as many rows as a vector has lanes, of one vector each; pitches from row to row in bytes."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        _, source, source_pitch, target, target_pitch = arguments
        lanes = VECTOR_BYTES * 8 // kind.bitwidth
        vector = ir.VectorType(context.get_value_type(kind), lanes)
        rows = []
        for i in range(lanes):
            rows.append(builder.load(builder.inttoptr(_offset(builder, source, source_pitch, i), vector.as_pointer())))
            rows[i].align = kind.bitwidth // 8
        # One bit of the row's number changes places with the same bit of the lane's number at a time.
        bit = 1
        while bit < lanes:
            for i in range(lanes):
                if not i & bit:
                    upper, lower = rows[i], rows[i | bit]
                    rows[i] = builder.shuffle_vector(upper, lower, _mask(
                        [lanes + (lane ^ bit) if lane & bit else lane for lane in range(lanes)]))
                    rows[i | bit] = builder.shuffle_vector(upper, lower, _mask(
                        [lanes + lane if lane & bit else lane ^ bit for lane in range(lanes)]))
            bit *= 2
        for i in range(lanes):
            place = builder.inttoptr(_offset(builder, target, target_pitch, i), vector.as_pointer())
            builder.store(rows[i], place).align = kind.bitwidth // 8
        return context.get_dummy_value()

    return types.void(kind, *[types.intp] * 4), generate


@njit(nogil=True)
def add_every(kind, size, target, source, step, count):  # type: ignore[no-untyped-def]
    """Add `count` numbers that lie side by side to those that lie `step` apart, from an address on."""
    done = 0
    if step == 1:
        lanes = VECTOR_BYTES // size
        while done + lanes <= count:
            _add_vector(kind, target + done * size, source + done * size)
            done += lanes
    while done < count:
        _add_number(kind, target + step * done * size, source + done * size)
        done += 1
