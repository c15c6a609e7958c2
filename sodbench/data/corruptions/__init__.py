"""Deterministic corruptions of images, for `sodbench stress`.

`kinds` (all kinds with their severities, `corrupt`), `noise`, `blur`, `weather`, `digital`, `elastic` (what
they do), `filters` (blurs and resizings) and `stream` (random numbers), both the same everywhere.
"""

from sodbench.data.corruptions.kinds import (
    KINDS,
    SEVERITIES,
    SEVERITY,
    VERSION,
    checked_kinds,
    checked_severities,
    corrupt,
    moved_mask,
)

__all__ = [
    "KINDS",
    "SEVERITIES",
    "SEVERITY",
    "VERSION",
    "checked_kinds",
    "checked_severities",
    "corrupt",
    "moved_mask",
]
