"""Processor cores: how many this process may use, and how it shares them."""

import os
import sys

# turns of the loop in which a thread of libgomp waits for work before it sleeps: some tens of microseconds,
# longer than the gaps between two layers and far shorter than a time slice (`benchmarks/waiting.py`)
_SPINS = "1000"
_USERS_CHOICE = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")


def core_count() -> int:
    """The number of cores: those the process is bound to where the system tells (Linux), else all of them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def share_cores() -> None:
    """Makes torch's idle threads sleep soon, so that a busy machine is shared fairly.

    OpenMP reads its environment when torch is imported, so this has no effect after that. It changes nothing
    that the user has set.
    """
    if "torch" not in sys.modules and not any(name in os.environ for name in _USERS_CHOICE):
        os.environ["GOMP_SPINCOUNT"] = _SPINS
