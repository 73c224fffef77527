"""Numbers that stay where others are positive and become zero elsewhere, in place: what ReLU does.

The loop is three lines, but where an entry is replaced by zero or else stays as it is, the compiler stores under a
mask, which is five times as slow. So the entries are chosen a vector at a time here, and the whole vector is stored.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from cnncourse.machinery.compiling import jit

STEP_BYTES = 32


@intrinsic
def _pass_step(context, values, tested, start):
    """values[start:start + STEP_BYTES / itemsize] become zero where `tested` is zero or below."""
    size = values.dtype.bitwidth // 8
    lanes = STEP_BYTES // size

    def generate(context, builder, signature, arguments):
        def place(kind, array):
            data = context.make_array(kind)(context, builder, array).data
            vector = ir.VectorType(data.type.pointee, lanes).as_pointer()
            return builder.bitcast(builder.gep(data, [arguments[2]]), vector)

        target = place(signature.args[0], arguments[0])
        given, other = builder.load(target), builder.load(place(signature.args[1], arguments[1]))
        zero = ir.Constant(given.type, [0.0] * lanes)
        # No instruction comes of this fence, but the store is no longer seen as one that leaves some lanes alone.
        builder.fence("acq_rel", "singlethread")
        store = builder.store(builder.select(builder.fcmp_ordered("<=", other, zero), zero, given), target)
        given.align = other.align = store.align = size
        return context.get_dummy_value()

    return types.void(values, tested, start), generate


@jit
def pass_where_positive(values, tested):
    """Flat arrays of one length and precision; `tested` may be `values`. Where it is NaN, values stay."""
    zero, step = values.dtype.type(0), STEP_BYTES // values.itemsize
    whole = len(values) - len(values) % step
    for start in range(0, whole, step):
        _pass_step(values, tested, start)
    for i in range(whole, len(values)):
        value = values[i]
        values[i] = zero if tested[i] <= zero else value
