"""MAE, F, E, S, and the ratios of counts (IoU, Dice, BER), each from its equation.

TP and FP are the object and background pixels above a threshold, |G| the object's pixels, N all pixels.
"""

import math
from collections.abc import Callable

import numpy as np

from sodbench.metrics.family import Columns, Curves
from sodbench.metrics.plain.picture import GREY, Array, Picture, looked_up
from sodbench.metrics.protocol import Protocol


def mae(picture: Picture, protocol: Protocol) -> tuple[Columns, Curves]:
    """MAE = sum |x - G| / N; against the grey mask g / max g where the protocol says so (Perazzi 2012)."""
    epsilon = protocol.scale_epsilon
    x = picture.scaled(protocol.mae_scale, epsilon)
    if protocol.mask_in_mae == "binary":
        background, inside = picture.tallies(protocol)
        return {"MAE": float(background @ x + inside @ (1 - x)) / picture.map.size}, {}
    highest = float(picture.mask.max()) + epsilon
    grey = looked_up(picture.mask, GREY / highest if highest > 0 else GREY)
    error = np.abs(picture.x(protocol.mae_scale, epsilon) - grey)
    return {"MAE": float(error.sum() / (error.size + epsilon))}, {}


def f_measure(picture: Picture, protocol: Protocol) -> tuple[Columns, Curves]:
    """P = TP / (TP + FP), R = TP / |G|, F = (1 + b2) P R / (b2 P + R), at all levels and the adaptive one."""
    names = ("maxF", "meanF", "adpF") if protocol.f_adaptive else ("maxF", "meanF")
    empty_mask = picture.n_object(protocol) == 0
    if ("empty-mask" in protocol.f_left_out and empty_mask) or (
        "empty-map" in protocol.f_left_out and picture.highest == 0
    ):
        nothing = np.full(protocol.levels, np.nan)
        return dict.fromkeys(names, np.nan), {"precision": nothing, "recall": nothing, "F": nothing}
    precision, recall, f = _f_at(picture, protocol, picture.above_levels(protocol, protocol.f_scale))
    scores = {"maxF": float(f.max()), "meanF": float(f.mean())}
    if protocol.f_adaptive or protocol.mean_f == "adaptive":
        adaptive = picture.above_adaptive(protocol, protocol.f_scale)
        scores["adpF"] = float(_f_at(picture, protocol, adaptive[:, None])[2][0])
    if protocol.mean_f == "adaptive":
        scores["meanF"] = scores["adpF"]
    return {name: scores[name] for name in names}, {"precision": precision, "recall": recall, "F": f}


def _f_at(picture: Picture, protocol: Protocol, above: Array) -> tuple[Array, Array, Array]:
    """Precision, recall and F; 0 where undefined, 1 where map and mask agree that there is no object."""
    false, hit = above
    predicted, size, b2 = false + hit, picture.n_object(protocol), protocol.f_beta2
    if size == 0:
        agree = (predicted == 0).astype(float) * (protocol.empty_mask == "agreement")
        return agree, agree, agree
    precision = _ratio(hit, predicted + protocol.precision_epsilon)
    recall = hit / (size + protocol.recall_epsilon)
    f = _ratio((1 + b2) * precision * recall, b2 * precision + recall + protocol.f_epsilon)
    return precision, recall, f


def _ratio(top: Array, bottom: Array) -> Array:
    """top / bottom, 0 where the bottom is 0."""
    return np.divide(top, bottom, out=np.zeros(top.shape), where=bottom > 0)


def e_measure(picture: Picture, protocol: Protocol) -> tuple[Columns, Curves]:
    """E = sum (1 + 2 p g / (p^2 + g^2))^2 / 4 over N - 1 or N, p and g less their means (Fan 2018)."""
    adaptive = picture.above_adaptive(protocol, protocol.e_scale, protocol.e_comparator)
    scores = {"adpE": float(_e_at(picture, protocol, adaptive[:, None])[0])}
    if not protocol.e_curve:
        return scores, {}
    curve = _e_at(picture, protocol, picture.above_levels(protocol, protocol.e_scale, protocol.e_comparator))
    return {"maxE": float(curve.max()), "meanE": float(curve.mean()), **scores}, {"E": curve}


def _e_at(picture: Picture, protocol: Protocol, above: Array) -> Array:
    """E at thresholds: the four combinations of map and mask, each with its alignment and its pixels."""
    false, hit = above
    n, size = picture.map.size, picture.n_object(protocol)
    # a single pixel has no N - 1: its E is that of N
    bottom = (n - 1 if protocol.e_denominator == "N-1" and n > 1 else n) + protocol.e_epsilon
    predicted = false + hit
    if size == 0:
        return np.asarray((n - predicted) / bottom)
    if size == n:
        return np.asarray(predicted / bottom)
    p, g = predicted / n, size / n
    total = np.zeros(predicted.shape)
    parts = ((1, 1, hit), (1, 0, false), (0, 1, size - hit), (0, 0, n - predicted - (size - hit)))
    for in_map, in_mask, pixels in parts:
        a, b = in_map - p, in_mask - g
        alignment = 2 * a * b / (a * a + b * b + protocol.e_epsilon)
        total += (alignment + 1) ** 2 / 4 * pixels
    return total / bottom


def s_measure(picture: Picture, protocol: Protocol) -> tuple[Columns, Curves]:
    """S = alpha S_object + (1 - alpha) S_region (Fan 2017); mean(x), or 1 - it, for one class only."""
    x = picture.scaled(protocol.s_scale, protocol.scale_epsilon)
    background, inside = picture.tallies(protocol)
    n = picture.map.size
    share = picture.n_object(protocol) / n
    if share == 0:
        return {"S": float(background @ (1 - x)) / n}, {}
    if share == 1:
        return {"S": float(inside @ x) / n}, {}
    objects = share * _similarity(inside, x, protocol) + (1 - share) * _similarity(
        background, 1 - x, protocol
    )
    regions = 0.0
    for quadrant in picture.quadrants(protocol):
        weight = float(quadrant.sum()) / n
        if weight:
            regions += weight * _structure(quadrant, x, protocol)
    score = protocol.s_alpha * objects + (1 - protocol.s_alpha) * regions
    return {"S": max(0.0, score) if protocol.s_clip else score}, {}


def _similarity(count: Array, x: Array, protocol: Protocol) -> float:
    """2 mean / (mean^2 + 1 + deviation) of the object's values, or of the background's."""
    n = float(count.sum())
    mean = float(count @ x) / n
    deviation = 0.0
    if np.count_nonzero(count) > 1:
        deviation = math.sqrt(float(count @ (x - mean) ** 2) / (n - protocol.s_object_ddof))
    return 2 * mean / (mean * mean + 1 + deviation + protocol.s_epsilon)


def _structure(quadrant: Array, x: Array, protocol: Protocol) -> float:
    """The structural similarity of map and mask in a quadrant; what is constant varies by exactly nothing."""
    count = quadrant.sum(axis=0)
    n = float(count.sum())
    mean, share = float(count @ x) / n, float(quadrant[1].sum()) / n
    off = x - mean

    def average(total: float, ddof: int) -> float:
        return total / (n - ddof + protocol.s_epsilon * ddof) if total else 0.0

    flat_x, flat_truth = np.count_nonzero(count) == 1, share in (0, 1)
    spread_x = 0.0 if flat_x else average(float(count @ off**2), protocol.s_variance_ddof)
    spread_truth = 0.0 if flat_truth else average(n * share * (1 - share), protocol.s_variance_ddof)
    together = 0.0 if flat_x or flat_truth else average(float(quadrant[1] @ off), protocol.s_covariance_ddof)
    top = 4 * mean * share * together
    bottom = (mean * mean + share * share) * (spread_x + spread_truth)
    return top / (bottom + protocol.s_epsilon) if top != 0 else float(bottom == 0)


def iou(picture: Picture, protocol: Protocol) -> tuple[Columns, Curves]:
    """IoU = TP / (|G| + FP)."""
    return _overlap("IoU", picture, protocol, lambda hit, false, size: (hit, size + false))


def dice(picture: Picture, protocol: Protocol) -> tuple[Columns, Curves]:
    """Dice = 2 TP / (TP + FP + |G|)."""
    return _overlap("Dice", picture, protocol, lambda hit, false, size: (2 * hit, hit + false + size))


def _overlap(
    name: str,
    picture: Picture,
    protocol: Protocol,
    terms: Callable[[Array, Array, int], tuple[Array, Array]],
) -> tuple[Columns, Curves]:
    """A ratio at .5, at the adaptive threshold and over the levels; of nothing it is 0, or 1."""
    size, empty = picture.n_object(protocol), float(protocol.empty_mask == "agreement")

    def at(above: Array) -> Array:
        top, bottom = terms(above[1], above[0], size)
        return np.where(bottom > 0, _ratio(top, bottom), empty)

    curve = at(picture.above_levels(protocol, protocol.f_scale))
    half = at(picture.above_half(protocol)[:, None])
    adaptive = at(picture.above_adaptive(protocol, protocol.f_scale)[:, None])
    columns = {
        name: float(half[0]),
        f"max{name}": float(curve.max()),
        f"mean{name}": float(curve.mean()),
        f"adp{name}": float(adaptive[0]),
    }
    return columns, {name: curve}


def balanced_error(picture: Picture, protocol: Protocol) -> tuple[Columns, Curves]:
    """BER = 1 - (TP / |G| + TN / |not G|) / 2 at .5; a class that is not there adds 0."""
    false, hit = (float(count) for count in picture.above_half(protocol))
    inside = picture.n_object(protocol)
    outside = picture.map.size - inside
    rates = (hit / inside if inside else 0.0) + ((outside - false) / outside if outside else 0.0)
    alone = protocol.empty_mask == "agreement" and not (inside and outside)
    return {"BER": 1 - rates if alone else 1 - rates / 2}, {}
