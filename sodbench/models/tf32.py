"""TF32: float32 convolutions on a GPU that round their inputs to a 10-bit mantissa, that of fp16.

cuDNN uses it unless told otherwise. What this package calls fp32 computes without it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def without_tf32() -> Iterator[None]:
    """Convolutions in the block compute float32 in float32; torch's setting is restored afterwards."""
    cudnn: Any = torch.backends.cudnn
    try:
        before = cudnn.allow_tf32
    except RuntimeError:  # it was set by the newer `fp32_precision`; torch refuses a mixture of the two
        precision = cudnn.conv.fp32_precision
        cudnn.conv.fp32_precision = "ieee"
        try:
            yield
        finally:
            cudnn.conv.fp32_precision = precision
        return
    cudnn.allow_tf32 = False
    try:
        yield
    finally:
        cudnn.allow_tf32 = before
