"""Memory for the length of one image, kept for the next one in the same thread.

Fresh memory has to be mapped page by page, which takes about as long as the kernels that fill it.
"""

import math
import threading
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class _Scratch(threading.local):
    def __init__(self) -> None:
        self.held: dict[str, NDArray[np.uint64]] = {}


_scratch = _Scratch()


def scratch(use: str, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """An array of any content for one use; valid until the next call for the same use in this thread."""
    kind = np.dtype(dtype)
    size = math.prod(shape)
    need = (size * kind.itemsize + 7) // 8
    held = _scratch.held.get(use)
    if held is None or held.size < need:
        held = _scratch.held[use] = np.empty(need, np.uint64)
    return held[:need].view(kind)[:size].reshape(shape)
