"""Files in the safetensors format: a JSON header of names, types, shapes and places, then the raw values.

Such a file is data: nothing in it can run. The `safetensors` package checks that the header fits the file and
that the tensors' places cover it without gaps and overlaps, before any memory is taken for them
(https://huggingface.co/docs/safetensors).
"""

import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor

from sodbench.errors import InputError, cut
from sodbench.models.callables import one_line

SUFFIX = ".safetensors"
_MOST_HEADER = 100_000_000  # bytes, the format's own limit
_WHERE = "Error while deserializing header: "  # before each reason of the package
_ADVICE = "save one with safetensors.torch.save_file(network.state_dict(), file)"


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file by name, on the CPU, in the types in which they were saved.

    Raises InputError, in one line that names the file: for a pickle or another file in place of safetensors,
    for a header or places of tensors that do not fit the file, and where the package is missing.
    """
    with _opened(path) as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 # it is no mapping


def is_safetensors(path: Path) -> bool:
    """Whether a file has the format's header, whatever its name."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(_MOST_HEADER, path.stat().st_size - 8):
                return False
            return isinstance(json.loads(file.read(length)), dict)
    except (OSError, ValueError, RecursionError):
        return False


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The file with its header checked; whatever goes wrong inside is an InputError of one line."""
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError as error:
        raise InputError(f'{path}: reading it needs safetensors: pip install "sodbench[hf]"') from error
    try:
        with safe_open(path, "pt") as file:
            yield file
    except SafetensorError as error:
        raise InputError(_refusal(path, str(error).removeprefix(_WHERE))) from error
    except Exception as error:  # a type that torch lacks, a file that cannot be read
        raise InputError(_refusal(path, one_line(error))) from error


def _refusal(path: Path, reason: str) -> str:
    """Why a file is refused, by what it is instead."""
    if zipfile.is_zipfile(path) or _begins_as_pickle(path):
        return (
            f"{path}: a file of torch.save (a pickle), expected safetensors; if that is what it should be, "
            f"rename it to .pth; else {_ADVICE}"
        )
    return f"{path}: not a safetensors file ({cut(reason, 150)}); {_ADVICE}"


def _begins_as_pickle(path: Path) -> bool:
    """Whether the first byte is that of a pickle of protocol 2 or later, and the second its protocol."""
    with path.open("rb") as file:
        first = file.read(2)
    return len(first) == 2 and first[0] == 0x80 and 2 <= first[1] <= 5
