"""How many processor cores this process may use."""

import os


def core_count() -> int:
    """The number of cores: those the process is bound to where the system tells (Linux), else all of them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
