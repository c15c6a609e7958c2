"""Whole numbers, several neighbours of an array as one value in a vector register (`vector_registers`).

Values are 64 pixels (`BYTES`), 64 numbers (`WIDE`) or 16 numbers (`NUMBERS`) of 8, 16 and 16 bits, whose
arithmetic wraps round. An index must leave room for all of them: nothing checks it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils, types
from numpy.typing import NDArray

from sodbench.metrics.vector_registers import (
    Decorator,
    Lane,
    Lanes,
    instruction,
    load_of,
    of_two,
    place_of,
    splat_of,
)

BYTES, WIDE, NUMBERS = Lanes(64, 8), Lanes(64, 16), Lanes(16, 16)


def _store(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    place = place_of(context, builder, signature, arguments, signature.args[2].vector)
    builder.store(arguments[2], place).align = 1
    return context.get_dummy_value()


def _flags(emit: Callable[..., Any]) -> Decorator:
    def word(context: Any, builder: Any, signature: Any, pair: Any) -> Any:
        return builder.bitcast(emit(builder, *pair), ir.IntType(64))

    return instruction(lambda a, b: types.uint64(a, b), word)


def _reduction(name: str) -> Decorator:
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lanes = signature.args[0]
        kind = ir.FunctionType(lanes.vector.element, [lanes.vector])
        full_name = f"llvm.vector.reduce.{name}.v{lanes.n}i{lanes.bits}"
        reduce = cgutils.get_or_insert_function(builder.module, kind, full_name)  # type: ignore[no-untyped-call]
        return builder.call(reduce, arguments)

    return instruction(lambda lanes: (types.uint16 if lanes.bits == 16 else types.uint8)(lanes), emit)


@load_of(BYTES)
def load_bytes(row: NDArray[np.uint8], first: int) -> Lane:
    """64 pixels of a row."""
    return np.array(row[first : first + 64])


@load_of(WIDE)
def load_wide(row: NDArray[np.uint16], first: int) -> Lane:
    """64 numbers of a row."""
    return np.array(row[first : first + 64])


@load_of(NUMBERS)
def load(row: NDArray[np.uint16], first: int) -> Lane:
    """16 numbers of a row."""
    return np.array(row[first : first + 16])


@instruction(lambda row, first, lanes: types.void(row, types.intp, lanes), _store)
def store(row: NDArray[Any], first: int, lanes: Lane) -> None:
    """Writes the numbers to a row of their type."""
    row[first : first + lanes.size] = lanes


@splat_of(BYTES, types.uint8)
def splat_bytes(value: np.uint8) -> Lane:
    """64 times one byte."""
    return np.full(64, value, np.uint8)


@splat_of(WIDE, types.uint16)
def splat_wide(value: np.uint16) -> Lane:
    """64 times one number."""
    return np.full(64, value, np.uint16)


@splat_of(NUMBERS, types.uint16)
def splat(value: np.uint16) -> Lane:
    """16 times one number."""
    return np.full(16, value, np.uint16)


@of_two(lambda builder, a, b: builder.add(a, b))
def add(a: Lane, b: Lane) -> Lane:
    """a + b."""
    return a + b


@of_two(lambda builder, a, b: builder.sub(a, b))
def subtract(a: Lane, b: Lane) -> Lane:
    """a - b."""
    return a - b


@of_two(lambda builder, a, b: builder.mul(a, b))
def multiply(a: Lane, b: Lane) -> Lane:
    """a x b."""
    return a * b


@of_two(lambda builder, a, b: builder.or_(a, b))
def either(a: Lane, b: Lane) -> Lane:
    """The bits of a or b."""
    return a | b


@of_two(lambda builder, a, b: builder.select(builder.icmp_unsigned("<", a, b), a, b))
def lower(a: Lane, b: Lane) -> Lane:
    """The smaller of each pair."""
    return np.minimum(a, b)


@of_two(lambda builder, a, b: builder.select(builder.icmp_unsigned(">", a, b), a, b))
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

    return instruction(lambda word: types.int64(types.uint64), emit)


@_place_of_bit("cttz")
def first_set(word: np.uint64) -> int:
    """The place of the lowest bit that is set; the word is not 0."""
    return (int(word) & -int(word)).bit_length() - 1


@_place_of_bit("ctlz")
def last_set(word: np.uint64) -> int:
    """The place of the highest bit that is set; the word is not 0."""
    return int(word).bit_length() - 1
