"""Scores of saliency maps: `Scorer`, its `ScoreTable`, and the `Protocol`s that say what a number means.

Each metric family is one file in `families/`, each protocol one TOML file in `protocols/`; the compiled
inner loops are in `kernels/`. This package knows numpy and numba, never torch, files of pictures or models.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sodbench.metrics.protocol import Protocol, load_protocol, protocol_names
    from sodbench.metrics.scorer import Scorer
    from sodbench.metrics.table import ScoreTable

__all__ = ["Protocol", "ScoreTable", "Scorer", "load_protocol", "protocol_names"]

_HOME = {
    "Protocol": "protocol",
    "load_protocol": "protocol",
    "protocol_names": "protocol",
    "ScoreTable": "table",
    "Scorer": "scorer",
}


def __getattr__(name: str) -> Any:
    """Imports on first use: names and protocols are wanted where numba is not."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
