"""Arrays that a kernel needs for the length of one call, kept for the next one in the same thread."""

import threading
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class _Scratch(threading.local):
    def __init__(self) -> None:
        self.held: dict[str, NDArray[Any]] = {}


_scratch = _Scratch()


def scratch(use: str, shape: tuple[int, int], dtype: DTypeLike) -> NDArray[Any]:
    """An array for one use, with whatever the last call with the same use and shape left in it, else zeros.

    Valid until the next call for the same use in this thread.
    """
    found = _scratch.held.get(use)
    if found is None or found.shape != shape or found.dtype != dtype:
        found = _scratch.held[use] = np.zeros(shape, dtype)
    return found
