"""The scores that a table shows unless others are asked for."""

from collections.abc import Sequence

from sodbench.metrics.registry import split_name

HEADLINE = ("MAE", "maxF", "S")
OF_STUDY = (*HEADLINE, "wF")  # of `stress` and `sweep`


def headline(names: Sequence[str], chosen: bool = False, usual: Sequence[str] = HEADLINE) -> list[str]:
    """Those of the names, plain or full, that are shown: all where they were chosen, else the usual ones.

    Where none of the usual ones is among them, all are shown.
    """
    found = [name for short in usual for name in names if split_name(name)[0] == short]
    return list(names) if chosen or not found else found
