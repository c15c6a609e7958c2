"""Scores of saliency maps: `score` for one pair, `Scorer` for a data set, `Protocol` for what a number means.

Each metric family is one file in `families/`, each protocol one TOML file in `protocols/`; the compiled
inner loops are in `kernels/`. This package knows numpy and numba, never torch, image files or networks.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sodbench.metrics.aggregate import ScoreTable
    from sodbench.metrics.protocol import Protocol, load_protocol, protocol_names
    from sodbench.metrics.scorer import Scorer, score

__all__ = ["Protocol", "ScoreTable", "Scorer", "load_protocol", "protocol_names", "score"]

_HOME = {
    "Protocol": "protocol",
    "ScoreTable": "aggregate",
    "Scorer": "scorer",
    "load_protocol": "protocol",
    "protocol_names": "protocol",
    "score": "scorer",
}


def __getattr__(name: str) -> Any:
    """Imports on first use: names and protocols are wanted where numba is not."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """All public names, also those that are not imported yet."""
    return sorted({*globals(), *__all__})
