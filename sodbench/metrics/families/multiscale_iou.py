"""MSIoU, multi-scale IoU of the edges: in 0..1, higher is better.

The edges of the binarised map (where a Sobel derivative is not 0) are laid over grids of 1, 2, 4 ... 512
pixels with those of the mask: at every scale (n + 1) / (m + 1), with m cells that hold an edge of the mask
and n of them that hold one of the map too. The score is the area under these ten ratios (trapezoids): for x
> .5 (MSIoU), at the adaptive threshold (adpMSIoU) and over the levels (maxMSIoU, meanMSIoU of the mean of
the images' curves). Equal to py_sod_metrics.MSIoU, whose m + 1 is a half-precision number: 11 bits, and
infinite from 65520 on.
Source: Ahmadzadeh et al., Multiscale IOU: a metric for evaluation of salient object detection with fine
structures, ICIP 2021.
"""

import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.family import Columns, Curves, Family, Measurement, MetricInfo, Protocol


def areas(
    common: NDArray[np.int64], cells: NDArray[np.int64], scales: NDArray[np.int64] | None = None
) -> NDArray[np.float64]:
    """The areas under the ratios of common cells (last axis: the ten grids) to the mask's.

    `scales` picks the grids by their index, for other than all ten.
    """
    with np.errstate(over="ignore"):
        m = (cells.astype(np.float32).astype(np.float16) + np.float16(1)).astype(np.float64)
    ratios = (common + 1) / m
    if scales is not None:
        ratios = ratios[..., scales]
    step = 1 / (ratios.shape[-1] - 1)
    return np.asarray((ratios.sum(axis=-1) - (ratios[..., 0] + ratios[..., -1]) / 2) * step)


def measure(measurement: Measurement, protocol: Protocol) -> tuple[Columns, Curves]:
    """The image's multi-scale IoU and its curve over the levels."""
    cells = measurement.mask.edge_grids[1]
    half = measurement.common_edge_cells(measurement.first_above_half(protocol))
    adaptive = measurement.common_edge_cells(measurement.first_adaptive(protocol))
    curve = areas(measurement.common_edge_cells_by_level(protocol), cells)[: protocol.levels]
    columns = {
        "MSIoU": float(areas(half, cells)),
        "adpMSIoU": float(areas(adaptive, cells)),
        "maxMSIoU": float(curve.max()),
        "meanMSIoU": float(curve.mean()),
    }
    return columns, {"MSIoU": curve}


FAMILY = Family(
    name="MSIoU",
    source="Ahmadzadeh et al., ICIP 2021",
    metrics=(
        MetricInfo("MSIoU", "multi-scale IoU"),
        MetricInfo("adpMSIoU", "adaptive multi-scale IoU"),
        MetricInfo("maxMSIoU", "max multi-scale IoU", curve="MSIoU", summary="max"),
        MetricInfo("meanMSIoU", "mean multi-scale IoU", curve="MSIoU", summary="mean"),
    ),
    measure=measure,
)
