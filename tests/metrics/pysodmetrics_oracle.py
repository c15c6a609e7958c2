"""pysodmetrics as the oracle: its per-image scores and curves, and where they are nonsense."""

import warnings

import numpy as np
from numpy.typing import NDArray

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import py_sod_metrics


def expected(prediction: NDArray, truth: NDArray, normalize: bool = True) -> tuple[dict, dict]:
    """One image's columns and curves, levels ascending, from pysodmetrics itself."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        mae, f, e = py_sod_metrics.MAE(), py_sod_metrics.Fmeasure(), py_sod_metrics.Emeasure()
        s, wf = py_sod_metrics.Smeasure(), py_sod_metrics.WeightedFmeasure()
        for metric in (mae, f, e, s, wf):
            metric.step(prediction, truth, normalize)
    columns = {
        "MAE": mae.maes[0],
        "adpF": f.adaptive_fms[0],
        "maxF": f.changeable_fms[0].max(),
        "meanF": f.changeable_fms[0].mean(),
        "adpE": e.adaptive_ems[0],
        "maxE": e.changeable_ems[0].max(),
        "meanE": e.changeable_ems[0].mean(),
        "S": s.sms[0],
        "wF": wf.weighted_fms[0],
    }
    curves = {
        "precision": f.precisions[0][::-1],
        "recall": f.recalls[0][::-1],
        "F": f.changeable_fms[0][::-1],
        "E": e.changeable_ems[0][::-1],
    }
    return columns, curves


def s_measure_is_noise(prediction: NDArray, truth: NDArray) -> bool:
    """True where pysodmetrics' S is NaN or hangs on rounding.

    NaN: the object's centre rounds to the last row or column. Noise: a quadrant of one level (not 0 or 1
    after scaling) inside which the mask is constant too: whether its mean rounds to the level decides 0 or 1.
    """
    truth = truth > 128
    if truth.all() or not truth.any():
        return False
    height, width = truth.shape
    row, column = (int(v) + 1 for v in np.argwhere(truth).mean(axis=0).round())
    if row >= height or column >= width:
        return True
    for a in (slice(0, row), slice(row, None)):
        for b in (slice(0, column), slice(column, None)):
            part, mask = prediction[a, b], truth[a, b]
            constant = part.min() == part.max() and mask.min() == mask.max()
            if constant and part.flat[0] not in (prediction.min(), prediction.max()):
                return True
            if constant and prediction.min() == prediction.max() and part.flat[0] not in (0, 255):
                return True
    return False
