"""The one line for an error that no other code has explained."""

import sys
import sysconfig
import traceback
from pathlib import Path

from sodbench.paths import real_path

_SHORT = 300
_PACKAGE = Path(__file__).resolve().parents[1]
_MEMORY = (
    "can't allocate memory",
    "not enough memory",
    "Unable to allocate",
    "bad_alloc",
    "CUDA error: out of memory",
    "STATUS_ALLOC_FAILED",
)


def explain(error: Exception) -> str:
    """What went wrong, where, and what to do.

    Files and memory are the machine's, an error in the user's own network is theirs; all else is a defect.
    """
    message = " ".join(str(error).split())
    if len(message) > _SHORT:
        message = f"{message[:_SHORT]}..."
    if isinstance(error, OSError) and error.errno is not None:
        # a full disk, a folder that may not be written: what was being replaced is as it was (files.py)
        return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
    if _is_memory(error):
        advice = "use smaller pictures, a smaller --batch, or fewer --scoring-workers"
        return f"not enough memory ({message or type(error).__name__}); {advice}"
    found = f"{type(error).__name__}: {message}" if message else type(error).__name__
    if place := _own_code(error):
        return f"{place}: {found}; --debug shows the traceback"
    return f"{found} (this is a defect in sodbench; --debug shows the traceback, please report it)"


def _is_memory(error: Exception) -> bool:
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(word in str(error) for word in _MEMORY)


def _own_code(error: Exception) -> str | None:
    """The place in the user's own code where the error arose: neither this package nor an installed one."""
    installed = {sys.prefix, sys.base_prefix, *sysconfig.get_paths().values()}
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if not path.is_file() or real_path(path).is_relative_to(_PACKAGE):
            continue
        if not any(path.is_relative_to(folder) for folder in installed):
            return f"{path}, line {frame.lineno}"
    return None
