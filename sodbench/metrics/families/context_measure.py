"""CM, context measure: in 0..1, higher is better.

An F-measure of forward inference, the mean of the smoothed mask over the map, and of reverse deduction, the
mean of (1 - exp(-smoothed map)) e / (e - 1) over the object. Both are smoothed by a Gaussian of the
object's shape: its covariance, scaled to a total deviation of 6 pixels, cut at three deviations, mirrored
at the image's border. An image whose object is a single slanted line has no such Gaussian and is left out.
Equal to py_sod_metrics.ContextMeasure, whose smoothed mask is in single precision.
Source: Wang et al., Context-measure: contextualizing metric for camouflage, arXiv 2512.07076, 2025.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.family import Columns, Curves, Family, Measurement, MetricInfo, Protocol

ALPHA, BETA2 = 6.0, 1.0
EPSILON = 2.0**-52
DIRECT = 130  # OpenCV sums windows of fewer pixels in single precision, in an order of its own


def context(
    measurement: Measurement, protocol: Protocol, beta2: float = BETA2, alpha: float = ALPHA
) -> float:
    """The image's context measure; raises numpy's LinAlgError where the object has no Gaussian."""
    window = measurement.mask.gaussian_window(alpha)
    if not np.isfinite(window).all():
        return math.nan
    levels = measurement.scaled(protocol.f_scale, protocol.scale_epsilon)
    forward = _smoothed_mask_times(levels, measurement, window)
    forward /= float(measurement.total.sum(axis=0) @ levels) + EPSILON
    n = measurement.mask.n_object
    reverse = 0.0
    if n:
        smoothed = _smoothed_map(levels, measurement, window)
        np.negative(smoothed, out=smoothed)
        left = float(np.exp(smoothed, out=smoothed).sum())
        reverse = math.e / (math.e - 1) * (n - left) / (n + EPSILON)
    return (1 + beta2) * forward * reverse / (beta2 * forward + reverse + EPSILON)


def _smoothed_mask_times(
    levels: NDArray[np.float64], measurement: Measurement, window: NDArray[np.float64]
) -> float:
    """The sum of the map times the smoothed mask."""
    from sodbench.metrics.kernels import context as kernels
    from sodbench.metrics.mask import scratch

    if measurement.mask.n_object == 0:
        return 0.0
    if window.size < DIRECT:
        import cv2

        truth = (measurement.truth > 0).astype(np.float32)
        return float((cv2.filter2D(truth, cv2.CV_32F, window) * levels[measurement.codes]).sum())
    codes = measurement.codes
    single = np.zeros((window.shape[0], -window.shape[1] // 8 * -8))
    single[:, : window.shape[1]] = window[:, ::-1].astype(np.float32)
    rows, columns = (
        _mirrored(size, reach // 2) for size, reach in zip(codes.shape, window.shape, strict=True)
    )
    # the rows that see the object, mirrored parts of it included
    first, last = (int(place) for place in measurement.mask.where[3:5])
    top, bottom = max(first - window.shape[0] // 2, 0), min(last + 1 + window.shape[0] // 2, codes.shape[0])
    changes = scratch(
        "changes", (bottom - top, codes.shape[1] + window.shape[1] - 1 + single.shape[1]), np.float64
    )
    return kernels.smoothed_product(measurement.mask.bits, rows, columns, single, codes, levels, top, changes)


def _smoothed_map(
    levels: NDArray[np.float64], measurement: Measurement, window: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The smoothed map at the object's pixels."""
    import cv2

    from sodbench.metrics.kernels import context as kernels
    from sodbench.metrics.mask import scratch

    # the object's box with margins
    first, last, left, right = (int(place) for place in measurement.mask.where[3:])
    codes = measurement.codes
    rows = _mirrored(codes.shape[0], window.shape[0] // 2)[first : last + window.shape[0]]
    columns = _mirrored(codes.shape[1], window.shape[1] // 2)[left : right + window.shape[1]]
    shape = tuple(cv2.getOptimalDFTSize(max(places.size, 2)) for places in (rows, columns))
    part, other = scratch("part", shape, np.float64), scratch("other", shape, np.float64)
    # OpenCV takes the further rows for 0
    kernels.lay_out(codes, levels, rows, columns, part)
    other[: window.shape[0]] = 0
    other[: window.shape[0], : window.shape[1]] = window
    cv2.dft(part, dst=part, nonzeroRows=rows.size)
    cv2.dft(other, dst=other, nonzeroRows=window.shape[0])
    cv2.mulSpectrums(part, other, 0, c=part, conjB=True)
    cv2.idft(part, dst=part, flags=cv2.DFT_SCALE | cv2.DFT_REAL_OUTPUT, nonzeroRows=last + 1 - first)
    out: NDArray[np.float64] = scratch("gathered", (measurement.mask.n_object,), np.float64)
    kernels.gather(measurement.mask.bits, first, last + 1, left, right + 1, part, out)
    return out


@lru_cache(maxsize=64)
def _mirrored(size: int, margin: int) -> NDArray[np.int64]:
    """The positions 0 ... size - 1 with margins, mirrored without repeating the ends."""
    return np.pad(np.arange(size), margin, mode="reflect")


def measure(measurement: Measurement, protocol: Protocol) -> tuple[Columns, Curves]:
    """The image's context measure."""
    try:
        return {"CM": context(measurement, protocol)}, {}
    except np.linalg.LinAlgError:
        return {"CM": np.nan}, {}


FAMILY = Family(
    name="CM",
    source="Wang et al., 2025",
    metrics=(MetricInfo("CM", "context measure"),),
    measure=measure,
)
