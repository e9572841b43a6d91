"""Sums over a contiguous stretch of an array in eight lanes: as fast as the processor's vectors, the same bits on any.

A compiler may only use vectors for a sum if it is free to reorder it, and then the last bits depend on how wide
they are on this machine. Here the order is written down: lane k adds elements k, k + 8, ..., and the lanes are
added in pairs at the end; so one vector instruction takes eight elements wherever there is one, and every machine
rounds alike.
"""

# mypy: disallow-untyped-calls=False, disable-error-code="import-untyped"

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic

LANES = 8
LINE = 64  # bytes that come together
F64, I64, I32, BIT = ir.DoubleType(), ir.IntType(64), ir.IntType(32), ir.IntType(1)


def sum_lanes(context: Any, array: Any, nodata: Any, about: Any) -> Any:
    """(count, sum, sum of squares, least, greatest) of `array - about`, for a one-dimensional contiguous array.

    NaN and what equals `nodata` (a float64, NaN for none) do not enter; least and greatest are inf and -inf then.
    What a caller does not use is not computed. TypingError for a strided array.
    """
    refuse_strides(array)
    signature = types.UniTuple(types.float64, 5)(array, types.float64, types.float64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        dtype: Any = signature.args[0].dtype
        data = context.make_array(signature.args[0])(context, builder, arguments[0])
        length = builder.extract_value(data.shape, 0)
        signed = getattr(dtype, "signed", False)
        element = context.get_value_type(dtype)
        vector, doubles = ir.VectorType(element, LANES), ir.VectorType(F64, LANES)
        nodata, about = (spread(builder, a, doubles) for a in arguments[1:])
        start = [0.0, 0.0, 0.0, float("inf"), float("-inf")]
        held = [cgutils.alloca_once_value(builder, ir.Constant(doubles, [s] * LANES)) for s in start]
        zero, one = ir.Constant(doubles, [0.0] * LANES), ir.Constant(doubles, [1.0] * LANES)

        def take(values: Any, there: Any) -> None:
            if isinstance(dtype, types.Integer):
                values = (builder.sitofp if signed else builder.uitofp)(values, doubles)
            elif element != F64:
                values = builder.fpext(values, doubles)
            known = builder.and_(there, builder.fcmp_ordered("ord", values, values))
            known = builder.and_(known, builder.fcmp_unordered("une", values, nodata))
            values = builder.fsub(values, about)
            seen = builder.select(known, values, zero)
            count, total, squares, least, most = (builder.load(h) for h in held)
            builder.store(builder.fadd(count, builder.select(known, one, zero)), held[0])
            builder.store(builder.fadd(total, seen), held[1])
            builder.store(builder.fadd(squares, builder.fmul(seen, seen)), held[2])
            less = builder.and_(known, builder.fcmp_ordered("<", values, least))
            more = builder.and_(known, builder.fcmp_ordered(">", values, most))
            builder.store(builder.select(less, values, least), held[3])
            builder.store(builder.select(more, values, most), held[4])

        def at(position: Any) -> Any:
            return builder.bitcast(builder.gep(data.data, [position]), vector.as_pointer())

        whole = builder.and_(length, ir.Constant(I64, -LANES))
        step = ir.Constant(I64, LANES)
        with cgutils.for_range_slice(builder, ir.Constant(I64, 0), whole, step) as (position, _):
            values = builder.load(at(position))
            values.align = dtype.bitwidth // 8
            take(values, ir.Constant(ir.VectorType(BIT, LANES), [1] * LANES))
        rest = builder.sub(length, whole)
        with builder.if_then(builder.icmp_signed(">", rest, ir.Constant(I64, 0))):
            lanes = ir.Constant(ir.VectorType(I64, LANES), list(range(LANES)))
            there = builder.icmp_signed("<", lanes, spread(builder, rest, lanes.type))
            kind = f"{'i' if isinstance(dtype, types.Integer) else 'f'}{dtype.bitwidth}"
            load = cgutils.get_or_insert_function(
                builder.module,
                ir.FunctionType(vector, [vector.as_pointer(), I32, there.type, vector]),
                f"llvm.masked.load.v{LANES}{kind}.p0",
            )
            nothing = ir.Constant(vector, [0] * LANES)
            align = ir.Constant(I32, dtype.bitwidth // 8)
            take(builder.call(load, [at(whole), align, there, nothing]), there)

        def fold(lanes: Any, join: Any) -> Any:
            parts = [builder.extract_element(lanes, ir.Constant(I32, k)) for k in range(LANES)]
            while len(parts) > 1:
                half = len(parts) // 2
                parts = [join(a, b) for a, b in zip(parts[:half], parts[half:], strict=True)]
            return parts[0]

        def pick(sign: str) -> Any:
            return lambda a, b: builder.select(builder.fcmp_ordered(sign, a, b), a, b)

        joins = [builder.fadd] * 3 + [pick("<"), pick(">")]
        found = [fold(builder.load(h), join) for h, join in zip(held, joins, strict=True)]
        return context.make_tuple(builder, signature.return_type, found)

    return signature, generate


def ask_for(context: Any, array: Any) -> Any:
    """Ask for a contiguous array's memory before it is needed: short stretches of rows come too late by themselves."""
    refuse_strides(array)
    signature = types.void(array)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0])
        pointer = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [pointer, I32, I32, I32])
        ask = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        how = [ir.Constant(I32, k) for k in (0, 3, 1)]  # to read, into all caches, data
        length = builder.extract_value(data.shape, 0)
        line = ir.Constant(I64, LINE * 8 // signature.args[0].dtype.bitwidth)
        with cgutils.for_range_slice(builder, ir.Constant(I64, 0), length, line) as (position, _):
            builder.call(ask, [builder.bitcast(builder.gep(data.data, [position]), pointer), *how])
        return context.get_dummy_value()

    return signature, generate


def refuse_strides(array: Any) -> None:
    """TypingError unless elements stand side by side: memory is read from the first one on."""
    if not isinstance(array, types.Array) or array.ndim != 1 or array.layout != "C":
        raise TypingError(f"Lanes take a contiguous array of one dimension, not {array}. Copy it first.")


def spread(builder: Any, value: Any, vector: Any) -> Any:
    """One value in all lanes."""
    empty = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(empty, value, ir.Constant(I32, 0))
    return builder.shuffle_vector(first, empty, ir.Constant(ir.VectorType(I32, LANES), [0] * LANES))


lane_sums: Any = intrinsic(sum_lanes)
prefetch: Any = intrinsic(ask_for)
