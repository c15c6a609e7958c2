"""8 numbers of double precision as one value in a vector register (`vector_registers`).

An index must leave room for all of them: nothing checks it.
"""

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils, types
from numpy.typing import NDArray

from sodbench.metrics.vector_registers import Lane, Lanes, instruction, load_of, of_two, splat_of

REALS = Lanes(8, 64, real=True)


@load_of(REALS)
def load_reals(row: NDArray[np.float64], first: int) -> Lane:
    """8 numbers of a row, in double precision."""
    return np.array(row[first : first + 8])


def _as_reals(builder: Any, values: Any) -> Any:
    if values.type == REALS.vector:
        return values
    wider = ir.VectorType(ir.IntType(32), REALS.n)
    return builder.sitofp(builder.zext(values, wider), REALS.vector)


def _eight(context: Any, builder: Any, row: Any, array: Any, first: Any) -> Any:
    kind = ir.DoubleType() if row.dtype == types.float64 else ir.IntType(8)
    made = context.make_array(row)(context, builder, array)
    place = builder.gep(made.data, [first])
    value = builder.load(builder.bitcast(place, ir.VectorType(kind, REALS.n).as_pointer()))
    value.align = 1
    return value


def _convert(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    return _as_reals(builder, _eight(context, builder, signature.args[0], *arguments))


def _convert_sum(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    a, b, first = arguments
    one = _eight(context, builder, signature.args[0], a, first)
    other = _eight(context, builder, signature.args[1], b, first)
    if one.type == REALS.vector:
        return builder.fadd(one, other)
    wider = ir.VectorType(ir.IntType(16), REALS.n)
    return _as_reals(builder, builder.add(builder.zext(one, wider), builder.zext(other, wider)))


def _chosen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    flags = builder.bitcast(builder.trunc(arguments[1], ir.IntType(8)), ir.VectorType(ir.IntType(1), REALS.n))
    nothing = ir.Constant(REALS.vector, [0.0] * REALS.n)
    return builder.select(flags, arguments[0], nothing)


def _sum_reals(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    kind = ir.FunctionType(ir.DoubleType(), [ir.DoubleType(), REALS.vector])
    name = f"llvm.vector.reduce.fadd.v{REALS.n}f64"
    reduce = cgutils.get_or_insert_function(builder.module, kind, name)  # type: ignore[no-untyped-call]
    return builder.call(reduce, [ir.Constant(ir.DoubleType(), -0.0), arguments[0]])


@instruction(lambda row, first: REALS(row, types.intp), _convert)
def load_as_reals(row: NDArray[Any], first: int) -> Lane:
    """8 pixels or numbers of a row, in double precision."""
    return np.array(row[first : first + 8], np.float64)


@instruction(lambda a, b, first: REALS(a, b, types.intp), _convert_sum)
def load_sums_as_reals(a: NDArray[Any], b: NDArray[Any], first: int) -> Lane:
    """The sums of 8 pixels or numbers of two rows of one type, in double precision."""
    return np.asarray(np.add(a[first : first + 8], b[first : first + 8], dtype=np.float64))


@splat_of(REALS, types.float64)
def splat_reals(value: float) -> Lane:
    """8 times one number."""
    return np.full(8, value)


@instruction(lambda lanes, word: REALS(REALS, types.uint64), _chosen)
def chosen(lanes: Lane, word: np.uint64) -> Lane:
    """The numbers whose bit of the word (its lowest 8) is set, 0 for the others."""
    return np.where([(int(word) >> i) & 1 for i in range(8)], lanes, 0.0)


@instruction(lambda lanes: types.float64(REALS), _sum_reals)
def sum_reals(lanes: Lane) -> Any:
    """The sum of the 8 numbers, from the first to the last."""
    total = 0.0
    for one in lanes:
        total += one
    return total


@of_two(lambda builder, a, b: builder.fadd(a, b, flags=("contract",)))
def add_reals(a: Lane, b: Lane) -> Lane:
    """a + b."""
    return a + b


@of_two(lambda builder, a, b: builder.fsub(a, b, flags=("contract",)))
def subtract_reals(a: Lane, b: Lane) -> Lane:
    """a - b."""
    return a - b


@of_two(lambda builder, a, b: builder.fmul(a, b, flags=("contract",)))
def multiply_reals(a: Lane, b: Lane) -> Lane:
    """a x b; with an addition that follows, rounded once where the processor can."""
    return a * b


@of_two(lambda builder, a, b: builder.select(builder.fcmp_ordered("<", a, b), a, b))
def lower_reals(a: Lane, b: Lane) -> Lane:
    """The smaller of each pair; b where one of them is NaN."""
    return np.where(a < b, a, b)
