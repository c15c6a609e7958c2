"""How the kernels are compiled: ahead of their first call, cached on disk, without the interpreter lock."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numba

P = ParamSpec("P")
R = TypeVar("R")

# sums may be reordered (so that they vectorise); NaN, infinity and division keep their meaning
REORDER = {"reassoc", "contract", "nsz"}

# arrays as the kernels take them: C order, read-only allowed
U8 = numba.types.Array(numba.uint8, 2, "C", readonly=True)
F64 = numba.types.Array(numba.float64, 2, "C", readonly=True)
U16 = numba.types.Array(numba.uint16, 2, "C", readonly=True)
I32_1 = numba.types.Array(numba.int32, 1, "C", readonly=True)
I64_1 = numba.types.Array(numba.int64, 1, "C", readonly=True)
I64_2 = numba.types.Array(numba.int64, 2, "C", readonly=True)
I64_3 = numba.types.Array(numba.int64, 3, "C", readonly=True)
U64 = numba.types.Array(numba.uint64, 2, "C", readonly=True)
F64_1 = numba.types.Array(numba.float64, 1, "C", readonly=True)


def compiled(
    *arguments: tuple[Any, ...], reorder: bool = False, short: bool = False
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Compiles a kernel for the given argument types, once; the machine code is cached next to its source.

    Explicit types mean that nothing is compiled again for another layout or a read-only array: numba
    raises instead. `reorder` allows sums in any order, which vectorises them and moves the last digits.
    `short` keeps the interpreter lock: for a few microseconds, handing it over costs more than it frees.
    A kernel calls only kernels of its own file, because the cache notices changes of that file alone.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        kernel: Callable[P, R] = numba.njit(
            list(arguments),
            cache=True,
            nogil=not short,
            error_model="numpy",
            fastmath=REORDER if reorder else False,
        )(function)
        return kernel

    return decorate


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Marks a small function that kernels call; it is compiled into them."""
    helper: Callable[P, R] = numba.njit(inline="always")(function)
    return helper
