"""Vector registers of the processor as values of the compiler, and how a function becomes one instruction.

The compiler vectorises simple loops by itself, but keeps what a loop carries in memory and packs comparisons
bit by bit. Kernels write their innermost work with the functions of `lanes` (whole numbers) and `real_lanes`
(double precision) instead. Each is one instruction of LLVM, or a few, which has a form for every processor.
The Python bodies say what it does, and are what runs where numba compiles nothing (NUMBA_DISABLE_JIT).

Like `compiled`, these files are not watched by the cache of compiled kernels: after a change, delete the
`__pycache__` of the kernels.
"""

import inspect
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import numba
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
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


def instruction(signature: Callable[..., Any], emit: Callable[..., Any]) -> Decorator:
    """Compiled, the decorated function is what `emit` builds; not compiled, it is itself."""

    def decorate(function: F) -> F:
        if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
            return function

        # numba reads the number of arguments from the signature
        def takes_one(context: Any, a: Any) -> Any:
            return signature(a), emit

        def takes_two(context: Any, a: Any, b: Any) -> Any:
            return signature(a, b), emit

        def takes_three(context: Any, a: Any, b: Any, c: Any) -> Any:
            return signature(a, b, c), emit

        typed = (takes_one, takes_two, takes_three)[len(inspect.signature(function).parameters) - 1]
        compiled: F = intrinsic(typed)  # type: ignore[assignment]
        return compiled

    return decorate


def place_of(context: Any, builder: Any, signature: Any, arguments: Any, vector: Any) -> Any:
    """The address of an array's element, the first two arguments, as that of a vector."""
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    return builder.bitcast(builder.gep(array.data, [arguments[1]]), vector.as_pointer())


def load_of(lanes: Lanes) -> Decorator:
    """Reads the elements of an array from a place on, which need not be aligned."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value = builder.load(place_of(context, builder, signature, arguments, lanes.vector))
        value.align = 1
        return value

    return instruction(lambda row, first: lanes(row, types.intp), emit)


def splat_of(lanes: Lanes, number: Any) -> Decorator:
    """Puts one number into all places."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        nothing = ir.Constant(lanes.vector, ir.Undefined)
        one = builder.insert_element(nothing, arguments[0], ir.Constant(ir.IntType(32), 0))
        places = ir.Constant(ir.VectorType(ir.IntType(32), lanes.n), [0] * lanes.n)
        return builder.shuffle_vector(one, nothing, places)

    return instruction(lambda value: lanes(number), emit)


def of_two(emit: Callable[..., Any]) -> Decorator:
    """Makes a vector of two of its type."""
    return instruction(lambda a, b: a(a, b), lambda context, builder, signature, pair: emit(builder, *pair))
