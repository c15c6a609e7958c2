"""Checkpoints: everything needed to go on bit by bit, written whole or not at all."""

import errno
from pathlib import Path
from typing import Any

import torch

from sodbench.errors import InputError
from sodbench.files import atomic_path

VERSION = 1


def save_checkpoint(path: Path, content: dict[str, Any]) -> None:
    """Writes tensors and plain values atomically; a full disk leaves the former checkpoint as it was."""
    try:
        with atomic_path(path) as part:
            torch.save({"version": VERSION, **content}, part)
    except (OSError, RuntimeError) as error:
        # torch's own writer reports a full disk as a RuntimeError
        number = getattr(error, "errno", None)
        full = number == errno.ENOSPC or "No space" in str(error) or "file write failed" in str(error)
        if not full and not isinstance(error, OSError):
            raise
        reason = "no space left on the device" if full else getattr(error, "strerror", None) or str(error)
        kept = "the former checkpoint is intact" if path.exists() else "there is no former checkpoint"
        raise InputError(
            f"{path}: the checkpoint could not be saved ({reason}); {kept}; make room and go on with --resume"
        ) from error


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Reads a checkpoint without running code from it; raises InputError for anything else."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises half a dozen kinds for files that are none of its own
        raise InputError(f"{path}: not a readable checkpoint; remove it or choose another --out") from error
    if not isinstance(content, dict) or content.get("version") != VERSION:
        found = content.get("version") if isinstance(content, dict) else type(content).__name__
        raise InputError(
            f"{path}: checkpoint of version {found!r}, expected {VERSION}; train anew with another --out"
        )
    return content
