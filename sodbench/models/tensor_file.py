"""Files of tensors, as `torch.save` writes them: read without running code, and within bounds of memory.

A file can claim far more memory than its size: members of its archive that were packed 1000 : 1, and views
that repeat one value without end. Both are refused before anything is allocated for them.
"""

import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from sodbench.errors import InputError, cut

# what a file may become in memory: `torch.save` does not pack, half precision doubles as float32
MOST_TIMES, MOST_BYTES_MORE = 8, 1 << 28


def read_tensor_file(path: Path) -> object:
    """The content of a file of `torch.save`, on the CPU; never runs code from it (`weights_only`).

    Raises InputError for an archive that unpacks to much more than its size, and whatever torch raises for a
    file that is none of its own.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            check_total(path, sum(member.file_size for member in archive.infolist()), "unpack to")
    with warnings.catch_warnings(action="ignore"):  # on TorchScript, which torch's error speaks of, too
        return torch.load(path, map_location="cpu", weights_only=True)


def check_tensors(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Raises InputError for a tensor that is not a plain one of real numbers or whole numbers.

    Refused are complex, sparse, quantised and meta tensors, and views that take much more memory than the
    file has. Values are checked by `weights.check_values`, against the network.
    """
    for name, tensor in tensors.items():
        problem = unfit(tensor)
        if problem:
            raise InputError(f"{path}: {cut(name)} is {problem}; expected a plain tensor of real numbers")
    check_total(path, sum(4 * tensor.numel() for tensor in tensors.values()), "take")


def unfit(tensor: Tensor) -> str | None:
    """What a tensor is that is no plain one of real or whole numbers; None for a plain one."""
    if tensor.is_meta:
        return "a meta tensor, which has no values"
    if tensor.layout is not torch.strided or tensor.is_nested:
        return "a sparse tensor"
    if tensor.is_quantized:
        return "a quantised tensor"
    if tensor.is_complex():
        return "complex"
    packed = "float4" in str(tensor.dtype)  # two values in a byte, which torch only stores
    if packed or (not tensor.is_floating_point() and tensor.dtype not in _WHOLE):
        return f"of the type {str(tensor.dtype).removeprefix('torch.')}"
    return None


_WHOLE = (torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


def check_total(path: Path, total: int, verb: str) -> None:
    """Raises InputError where the tensors of a file are `total` bytes, far more than the file itself."""
    size = path.stat().st_size
    if total > MOST_TIMES * size + MOST_BYTES_MORE:
        raise InputError(
            f"{path}: its tensors {verb} {total / 1e9:,.1f} GB, the file has {size / 1e9:,.4f} GB; "
            "save a plain state dict with torch.save(network.state_dict(), file)"
        )
