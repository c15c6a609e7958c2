"""Several neighbours of an array as one value, in a vector register of the processor.

The compiler vectorises simple loops by itself, but keeps what a loop carries in memory and packs comparisons
bit by bit. Kernels write their innermost work with these functions instead. Each is one instruction of
LLVM, which has a form for every processor. The Python bodies say what it does, and are what runs where numba
compiles nothing (NUMBA_DISABLE_JIT).

Values are 64 pixels (`BYTES`), 64 numbers (`WIDE`) or 16 numbers (`NUMBERS`) of 8, 16 and 16 bits, whose
arithmetic wraps round, or 8 numbers of double precision (`REALS`). An index must leave room for all of them:
nothing checks it. Like `compiled`, this file is not watched by the cache of compiled kernels: after a change,
delete the `__pycache__` of the kernels.
"""

import inspect
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import numba
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils, types
from numba.extending import intrinsic, models, register_model
from numpy.typing import NDArray

Lane = NDArray[Any]
F = TypeVar("F", bound=Callable[..., Any])


class Decorator(Protocol):
    """What gives a function back with its own type."""

    def __call__(self, function: F, /) -> F:
        """The function, compiled or not."""


class Lanes(types.Type):
    """The compiler's type of n unsigned integers of some bits, or of n numbers of double precision."""

    def __init__(self, n: int, bits: int, real: bool = False) -> None:
        """Their number and size."""
        self.n, self.bits = n, bits
        self.vector = ir.VectorType(ir.DoubleType() if real else ir.IntType(bits), n)
        super().__init__(name=f"Lanes({n} x {bits} bits, {real})")


@register_model(Lanes)
class _Register(models.PrimitiveModel):
    def __init__(self, manager: Any, lanes: Lanes) -> None:
        super().__init__(manager, lanes, lanes.vector)  # type: ignore[no-untyped-call]


BYTES, WIDE, NUMBERS, REALS = Lanes(64, 8), Lanes(64, 16), Lanes(16, 16), Lanes(8, 64, real=True)


def _instruction(signature: Callable[..., Any], emit: Callable[..., Any]) -> Decorator:
    """Compiled, the decorated function is what `emit` builds; not compiled, it is itself."""

    def decorate(function: F) -> F:
        if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
            return function

        # numba reads the number of arguments from the signature
        def of_one(context: Any, a: Any) -> Any:
            return signature(a), emit

        def of_two(context: Any, a: Any, b: Any) -> Any:
            return signature(a, b), emit

        def of_three(context: Any, a: Any, b: Any, c: Any) -> Any:
            return signature(a, b, c), emit

        typed = (of_one, of_two, of_three)[len(inspect.signature(function).parameters) - 1]
        instruction: F = intrinsic(typed)  # type: ignore[assignment]
        return instruction

    return decorate


def _place(context: Any, builder: Any, signature: Any, arguments: Any, vector: Any) -> Any:
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    return builder.bitcast(builder.gep(array.data, [arguments[1]]), vector.as_pointer())


def _load(lanes: Lanes) -> Decorator:
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value = builder.load(_place(context, builder, signature, arguments, lanes.vector))
        value.align = 1
        return value

    return _instruction(lambda row, first: lanes(row, types.intp), emit)


def _splat(lanes: Lanes, number: Any) -> Decorator:
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        nothing = ir.Constant(lanes.vector, ir.Undefined)
        one = builder.insert_element(nothing, arguments[0], ir.Constant(ir.IntType(32), 0))
        places = ir.Constant(ir.VectorType(ir.IntType(32), lanes.n), [0] * lanes.n)
        return builder.shuffle_vector(one, nothing, places)

    return _instruction(lambda value: lanes(number), emit)


def _store(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    place = _place(context, builder, signature, arguments, signature.args[2].vector)
    builder.store(arguments[2], place).align = 1
    return context.get_dummy_value()


def _two(emit: Callable[..., Any]) -> Decorator:
    return _instruction(lambda a, b: a(a, b), lambda context, builder, signature, pair: emit(builder, *pair))


def _flags(emit: Callable[..., Any]) -> Decorator:
    def word(context: Any, builder: Any, signature: Any, pair: Any) -> Any:
        return builder.bitcast(emit(builder, *pair), ir.IntType(64))

    return _instruction(lambda a, b: types.uint64(a, b), word)


def _reduction(name: str) -> Decorator:
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lanes = signature.args[0]
        kind = ir.FunctionType(lanes.vector.element, [lanes.vector])
        full_name = f"llvm.vector.reduce.{name}.v{lanes.n}i{lanes.bits}"
        reduce = cgutils.get_or_insert_function(builder.module, kind, full_name)  # type: ignore[no-untyped-call]
        return builder.call(reduce, arguments)

    return _instruction(lambda lanes: (types.uint16 if lanes.bits == 16 else types.uint8)(lanes), emit)


@_load(BYTES)
def load_bytes(row: NDArray[np.uint8], first: int) -> Lane:
    """64 pixels of a row."""
    return np.array(row[first : first + 64])


@_load(WIDE)
def load_wide(row: NDArray[np.uint16], first: int) -> Lane:
    """64 numbers of a row."""
    return np.array(row[first : first + 64])


@_load(NUMBERS)
def load(row: NDArray[np.uint16], first: int) -> Lane:
    """16 numbers of a row."""
    return np.array(row[first : first + 16])


@_load(REALS)
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


@_instruction(lambda row, first: REALS(row, types.intp), _convert)
def load_as_reals(row: NDArray[Any], first: int) -> Lane:
    """8 pixels or numbers of a row, in double precision."""
    return np.array(row[first : first + 8], np.float64)


@_instruction(lambda a, b, first: REALS(a, b, types.intp), _convert_sum)
def load_sums_as_reals(a: NDArray[Any], b: NDArray[Any], first: int) -> Lane:
    """The sums of 8 pixels or numbers of two rows of one type, in double precision."""
    return np.asarray(np.add(a[first : first + 8], b[first : first + 8], dtype=np.float64))


@_splat(REALS, types.float64)
def splat_reals(value: float) -> Lane:
    """8 times one number."""
    return np.full(8, value)


@_instruction(lambda lanes, word: REALS(REALS, types.uint64), _chosen)
def chosen(lanes: Lane, word: np.uint64) -> Lane:
    """The numbers whose bit of the word (its lowest 8) is set, 0 for the others."""
    return np.where([(int(word) >> i) & 1 for i in range(8)], lanes, 0.0)


@_instruction(lambda lanes: types.float64(REALS), _sum_reals)
def sum_reals(lanes: Lane) -> Any:
    """The sum of the 8 numbers, from the first to the last."""
    total = 0.0
    for one in lanes:
        total += one
    return total


@_instruction(lambda row, first, lanes: types.void(row, types.intp, lanes), _store)
def store(row: NDArray[Any], first: int, lanes: Lane) -> None:
    """Writes the numbers to a row of their type."""
    row[first : first + lanes.size] = lanes


@_splat(BYTES, types.uint8)
def splat_bytes(value: np.uint8) -> Lane:
    """64 times one byte."""
    return np.full(64, value, np.uint8)


@_splat(WIDE, types.uint16)
def splat_wide(value: np.uint16) -> Lane:
    """64 times one number."""
    return np.full(64, value, np.uint16)


@_splat(NUMBERS, types.uint16)
def splat(value: np.uint16) -> Lane:
    """16 times one number."""
    return np.full(16, value, np.uint16)


@_two(lambda builder, a, b: builder.add(a, b))
def add(a: Lane, b: Lane) -> Lane:
    """a + b."""
    return a + b


@_two(lambda builder, a, b: builder.sub(a, b))
def subtract(a: Lane, b: Lane) -> Lane:
    """a - b."""
    return a - b


@_two(lambda builder, a, b: builder.fadd(a, b, flags=("contract",)))
def add_reals(a: Lane, b: Lane) -> Lane:
    """a + b."""
    return a + b


@_two(lambda builder, a, b: builder.fsub(a, b, flags=("contract",)))
def subtract_reals(a: Lane, b: Lane) -> Lane:
    """a - b."""
    return a - b


@_two(lambda builder, a, b: builder.fmul(a, b, flags=("contract",)))
def multiply_reals(a: Lane, b: Lane) -> Lane:
    """a x b; with an addition that follows, rounded once where the processor can."""
    return a * b


@_two(lambda builder, a, b: builder.select(builder.fcmp_ordered("<", a, b), a, b))
def lower_reals(a: Lane, b: Lane) -> Lane:
    """The smaller of each pair; b where one of them is NaN."""
    return np.where(a < b, a, b)


@_two(lambda builder, a, b: builder.mul(a, b))
def multiply(a: Lane, b: Lane) -> Lane:
    """a x b."""
    return a * b


@_two(lambda builder, a, b: builder.or_(a, b))
def either(a: Lane, b: Lane) -> Lane:
    """The bits of a or b."""
    return a | b


@_two(lambda builder, a, b: builder.select(builder.icmp_unsigned("<", a, b), a, b))
def lower(a: Lane, b: Lane) -> Lane:
    """The smaller of each pair."""
    return np.minimum(a, b)


@_two(lambda builder, a, b: builder.select(builder.icmp_unsigned(">", a, b), a, b))
def higher(a: Lane, b: Lane) -> Lane:
    """The larger of each pair."""
    return np.maximum(a, b)


@_reduction("umin")
def smallest(lanes: Lane) -> Any:
    """The smallest of all."""
    return lanes.min()


@_reduction("umax")
def largest(lanes: Lane) -> Any:
    """The largest of all."""
    return lanes.max()


@_flags(lambda builder, a, b: builder.icmp_unsigned("<", a, b))
def below(a: Lane, b: Lane) -> np.uint64:
    """A word whose bit i is set where a < b."""
    word: np.uint64 = np.packbits(a < b, bitorder="little").view(np.uint64)[0]
    return word


@_flags(lambda builder, a, b: builder.icmp_unsigned("!=", a, b))
def differ(a: Lane, b: Lane) -> np.uint64:
    """A word whose bit i is set where a and b differ."""
    word: np.uint64 = np.packbits(a != b, bitorder="little").view(np.uint64)[0]
    return word


def _place_of_bit(count: str) -> Decorator:
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        zeros = getattr(builder, count)(arguments[0], ir.Constant(ir.IntType(1), 0))
        return zeros if count == "cttz" else builder.sub(ir.Constant(ir.IntType(64), 63), zeros)

    return _instruction(lambda word: types.int64(types.uint64), emit)


@_place_of_bit("cttz")
def first_set(word: np.uint64) -> int:
    """The place of the lowest bit that is set; the word is not 0."""
    return (int(word) & -int(word)).bit_length() - 1


@_place_of_bit("ctlz")
def last_set(word: np.uint64) -> int:
    """The place of the highest bit that is set; the word is not 0."""
    return int(word).bit_length() - 1
