"""The scores that a study shows unless others are asked for."""

from collections.abc import Sequence

from sodbench.metrics.registry import split_name

HEADLINE = ("MAE", "maxF", "S", "wF")


def headline(names: Sequence[str], chosen: bool) -> list[str]:
    """Those of the names, plain or full, that are shown: all where they were chosen, else the usual ones."""
    usual = [name for short in HEADLINE for name in names if split_name(name)[0] == short]
    return list(names) if chosen or not usual else usual
