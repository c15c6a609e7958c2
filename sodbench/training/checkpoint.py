"""Checkpoints: everything needed for bit-exact resuming, written atomically."""

import errno
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NotRequired, TypedDict, cast

import torch
from torch import Tensor

from sodbench.errors import InputError
from sodbench.files import atomic_path
from sodbench.models.tensor_file import check_tensors, read_tensor_file
from sodbench.schema import wrong

VERSION = 1


class Checkpoint(TypedDict):
    """The content of `last.pt` after step `iteration`; `pending` are the steps that are not logged yet."""

    baseline: str
    recipe: dict[str, Any]
    initialisation: str
    iteration: int
    seconds: float
    model: dict[str, Tensor]
    optimiser: dict[str, Any]
    scaler: dict[str, Any]
    average: dict[str, Tensor] | None
    skipped: list[str]
    best: dict[str, float]
    pending: NotRequired[list[dict[str, Any]]]


# the types of a checkpoint's content, with the words of the error
_CONTENT: dict[str, tuple[tuple[type, ...], str]] = {
    "recipe": ((dict,), "a table"),
    "initialisation": ((str,), "text"),
    "iteration": ((int,), "a whole number"),
    "seconds": ((int, float), "a number"),
    "model": ((dict,), "a state dict"),
    "optimiser": ((dict,), "a table"),
    "scaler": ((dict,), "a table"),
    "average": ((dict, type(None)), "a state dict"),
    "skipped": ((list,), "a list"),
    "best": ((dict,), "a table"),
}


# what torch's own writer says of a full disk, in a RuntimeError: the last of it where a write came up short
_FULL = ("No space", "file write failed", "unexpected pos")


def save_checkpoint(path: Path, content: Mapping[str, object]) -> None:
    """Writes tensors and plain values atomically; a full disk leaves the former checkpoint as it was."""
    try:
        with atomic_path(path) as part:
            torch.save({"version": VERSION, **content}, part)
    except (OSError, RuntimeError) as error:
        full = getattr(error, "errno", None) == errno.ENOSPC or any(one in str(error) for one in _FULL)
        if not full and not isinstance(error, OSError):
            raise
        reason = "no space left on the device" if full else getattr(error, "strerror", None) or str(error)
        kept = "the former checkpoint is intact" if path.exists() else "there is no former checkpoint"
        raise InputError(
            f"{path}: the checkpoint could not be saved ({reason}); {kept}; free space and use --resume"
        ) from error


def load_checkpoint(path: Path) -> Checkpoint:
    """Reads a checkpoint without running code from it; raises InputError for any other file."""
    try:
        content = read_tensor_file(path)
    except InputError:
        raise
    except Exception as error:  # torch raises half a dozen kinds for files that are not its own
        raise InputError(f"{path}: not a readable checkpoint; remove it or choose another --out") from error
    version = content.get("version") if isinstance(content, dict) else type(content).__name__
    if not isinstance(content, dict) or not isinstance(version, int) or version != VERSION:
        named = repr(version) if isinstance(version, int | str | None) else type(version).__name__
        raise InputError(
            f"{path}: checkpoint of version {named[:40]}, expected {VERSION}; train again with another --out"
        )
    for key, (kinds, expected) in _CONTENT.items():
        if not isinstance(content.get(key), kinds) or isinstance(content.get(key), bool):
            raise wrong(path, key, expected, type(content.get(key)).__name__)
    for key in ("model", "average"):
        state = content[key] or {}
        if not all(isinstance(name, str) and isinstance(one, Tensor) for name, one in state.items()):
            raise wrong(path, key, "names with tensors", type(state).__name__)
        check_tensors(state, path)
    return cast(Checkpoint, content)
