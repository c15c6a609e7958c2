"""Calibration, the map as a probability: ECE, MCE and Brier score; each in 0..1, lower is better.

p = m / 255 is taken as the probability that a pixel is object, whatever the protocol's scale is: a stretched
map states other probabilities. The pixels fall into 15 bins of p, [0, 1/15], (1/15, 2/15] ... (14/15, 1]; a
bin holds 17 levels of an 8-bit map (the first one 18). With w_b the share of the pixels in bin b, p_b their
mean probability and o_b the share of object among them:

    ECE = sum_b w_b |p_b - o_b|        MCE = max_b |p_b - o_b|        Brier = mean (p - G)^2

ECE and MCE of a data set are those of the pooled bins, in which every image has the weight one: they agree
with the reliability diagram (o_b against p_b). The mean of the images' own ECE is never smaller: within one
image a bin holds few independent pixels, and errors of opposite sign do not cancel between images.
Source: Naeini et al., Obtaining well calibrated probabilities using Bayesian binning, AAAI 2015 (ECE, MCE);
Guo et al., On calibration of modern neural networks, ICML 2017 (15 bins, closed above, as here); Brier,
Verification of forecasts expressed in terms of probability, Monthly Weather Review 1950 (he adds the equal
terms of both classes, which gives twice this value).
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.family import (
    Columns,
    Curves,
    Family,
    Inputs,
    Means,
    Measurement,
    MetricInfo,
    Protocol,
    Scores,
)

BINS = 15
# shares of the image's pixels, by bin: all pixels, the sum of their probabilities, the object's pixels
PIXELS, PROBABILITY, OBJECT = CURVES = ("binPixels", "binProbability", "binObject")
_BYTES_PER_BIN = 255 // BINS
# the bin of every level of an 8-bit map
_BIN_OF_BYTE = np.maximum(np.arange(256) - 1, 0) // _BYTES_PER_BIN


class Reliability(NamedTuple):
    """What a reliability diagram shows: arrays whose last axis is the bin; NaN where a bin has no pixel."""

    probability: NDArray[np.float64]  # the mean probability of the bin's pixels
    frequency: NDArray[np.float64]  # the share of object among them
    share: NDArray[np.float64]  # the share of all pixels that the bin holds, 0 for none


def measure(measurement: Measurement, protocol: Protocol) -> tuple[Columns, Curves]:
    """The image's own ECE, MCE and Brier score, and the three curves over its bins."""
    values, top, of_bin = measurement.levels, 1.0, _BIN_OF_BYTE
    if measurement.is_float:
        # in the map's own precision, in which k / 255 may lie on an edge
        edges = np.arange(1, BINS, dtype=values.dtype) / values.dtype.type(BINS)
        of_bin = np.searchsorted(edges, values, side="left")
        values = values.astype(np.float64)
    else:
        top = 255.0
    background, inside = measurement.total
    every, n = background + inside, measurement.mask.n
    pixels = np.bincount(of_bin, every, BINS) / n
    probability = np.bincount(of_bin, every * values, BINS) / (n * top)
    objects = np.bincount(of_bin, inside, BINS) / n
    ece, mce = errors(pixels, probability, objects)
    # whole numbers for a map of 8 bits: rounded once, by the division
    squares = background @ values**2 + inside @ (top - values) ** 2
    columns = {"ECE": float(ece), "MCE": float(mce), "Brier": float(squares / (n * top**2))}
    return columns, {PIXELS: pixels, PROBABILITY: probability, OBJECT: objects}


def errors(pixels: NDArray[Any], probability: NDArray[Any], objects: NDArray[Any]) -> tuple[Any, Any]:
    """ECE and MCE of the three shares by bin (last axis)."""
    gap = np.abs(probability - objects)
    of_pixels = np.divide(gap, pixels, out=np.zeros_like(gap), where=pixels != 0)
    return gap.sum(axis=-1), of_pixels.max(axis=-1)


def reliability(curves: Means) -> Reliability:
    """The reliability diagram of curves (last axis: bin; what follows the 15 bins is not read)."""
    pixels, probability, objects = (np.asarray(curves[name], np.float64)[..., :BINS] for name in CURVES)
    with np.errstate(invalid="ignore"):
        return Reliability(probability / pixels, objects / pixels, pixels)


@dataclass(frozen=True)
class Calibration(Family):
    """Calibration errors of the pooled bins, and the mean Brier score."""

    def inputs(self, protocol: Protocol) -> Inputs:
        """The images' Brier scores and the three mean curves over the bins."""
        return Inputs(("Brier",), CURVES)

    def score(self, means: Means, curves: Means, protocol: Protocol) -> Scores:
        """ECE and MCE of the mean curves (NaN may follow the bins), and the mean Brier score."""
        pixels, probability, objects = (np.asarray(curves[name])[..., :BINS] for name in CURVES)
        ece, mce = errors(pixels, probability, objects)
        return {"ECE": ece, "MCE": mce, "Brier": means["Brier"]}


FAMILY = Calibration(
    name="calibration",
    source="Guo et al., ICML 2017",
    metrics=(
        MetricInfo("ECE", "expected calibration error", higher_is_better=False),
        MetricInfo("MCE", "maximum calibration error", higher_is_better=False),
        MetricInfo("Brier", "Brier score", higher_is_better=False),
    ),
    measure=measure,
    as_saved=True,
)
