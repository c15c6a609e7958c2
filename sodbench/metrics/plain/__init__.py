"""The protocols' metrics a second time, written from the equations: what scores are checked against.

Nothing here is shared with the kernels or the families: pixels and numpy, one function per metric family, the
conventions read from the protocol's fields. `sodbench.self_check` compares eight images of every run with it,
the tests compare it with pysodmetrics and with the scorer. It takes 8-bit maps and masks of one size.
"""

from collections.abc import Callable, Iterable, Mapping

from sodbench.metrics.family import Columns, Curves
from sodbench.metrics.plain import boundaries, package, probabilities, standard, weighted
from sodbench.metrics.plain.picture import Picture
from sodbench.metrics.protocol import Protocol

PLAIN: Mapping[str, Callable[[Picture, Protocol], tuple[Columns, Curves]]] = {
    "MAE": standard.mae,
    "F": standard.f_measure,
    "E": standard.e_measure,
    "S": standard.s_measure,
    "wF": weighted.weighted_f,
    "relaxF": boundaries.relaxed_f,
    "IoU": standard.iou,
    "Dice": standard.dice,
    "BER": standard.balanced_error,
    "bIoU": boundaries.boundary_iou,
    "mBA": boundaries.boundary_accuracy,
    "CM": package.context_measure,
    "HCE": package.correction_effort,
    "MSIoU": package.multiscale_iou,
    "SI": package.size_invariant,
    "calibration": probabilities.calibration,
}


def plain_scores(picture: Picture, protocol: Protocol, families: Iterable[str]) -> tuple[Columns, Curves]:
    """One image's columns and curves (levels ascending) of the named families, as a `Scorer` names them."""
    columns: Columns = {}
    curves: Curves = {}
    for family in families:
        more, lines = PLAIN[family](picture, protocol)
        columns |= more
        curves |= lines
    return columns, curves
