"""From the histogram to curves and scores: a few hundred levels instead of all pixels."""

import numba
import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.compiled import F64_1, I64_1, I64_2, I64_3, compiled, inlined

I64_OUT = numba.types.Array(numba.int64, 2, "C")
F64_OUT = numba.types.Array(numba.float64, 2, "C")
i64, f64, flag = numba.int64, numba.float64, numba.boolean


@compiled((I64_2, I64_1, I64_OUT), short=True)
def counts_above(histogram: NDArray[np.int64], level: NDArray[np.int64], out: NDArray[np.int64]) -> None:
    """out[0, t], out[1, t]: background and object pixels at or above curve level t.

    `level[v]` is the highest curve level that map level v reaches, -1 for none.
    """
    out[:] = 0
    for v in range(level.size):
        t = level[v]
        if t >= 0:
            out[0, t] += histogram[0, v]
            out[1, t] += histogram[1, v]
    for t in range(out.shape[1] - 2, -1, -1):
        out[0, t] += out[0, t + 1]
        out[1, t] += out[1, t + 1]


@inlined
def _ratios(
    background: int,
    hit: int,
    n_object: int,
    beta2: float,
    precision_epsilon: float,
    recall_epsilon: float,
    f_epsilon: float,
    agreement: bool,
) -> tuple[float, float, float]:
    predicted = hit + background
    if agreement and n_object == 0 and predicted == 0:
        return 1.0, 1.0, 1.0
    precision = hit / (predicted + precision_epsilon) if predicted > 0 else 0.0
    recall = hit / (n_object + recall_epsilon) if n_object > 0 else 0.0
    numerator = (1 + beta2) * precision * recall
    score = numerator / (beta2 * precision + recall + f_epsilon) if numerator > 0 else 0.0
    return precision, recall, score


@compiled((I64_2, i64, i64, i64, f64, f64, f64, f64, flag, F64_OUT), short=True)
def f_scores(
    counts: NDArray[np.int64],
    adaptive_background: int,
    adaptive_hit: int,
    n_object: int,
    beta2: float,
    precision_epsilon: float,
    recall_epsilon: float,
    f_epsilon: float,
    agreement: bool,
    out: NDArray[np.float64],
) -> tuple[float, float, float]:
    """Fills precision, recall and F (rows of `out`) at every level; returns max, mean and adaptive F.

    Undefined ratios are 0. With `agreement` and an empty mask all are 1 where nothing is predicted.
    """
    levels = counts.shape[1]
    most = 0.0
    total = 0.0
    for t in range(levels):
        precision, recall, score = _ratios(
            counts[0, t],
            counts[1, t],
            n_object,
            beta2,
            precision_epsilon,
            recall_epsilon,
            f_epsilon,
            agreement,
        )
        out[0, t] = precision
        out[1, t] = recall
        out[2, t] = score
        most = max(most, score)
        total += score
    _, _, adaptive = _ratios(
        adaptive_background,
        adaptive_hit,
        n_object,
        beta2,
        precision_epsilon,
        recall_epsilon,
        f_epsilon,
        agreement,
    )
    return most, total / levels, adaptive


@inlined
def _alignment(background: int, hit: int, n_object: int, n: int, epsilon: float) -> float:
    predicted = hit + background
    if n_object == 0:
        return float(n - predicted)
    if n_object == n:
        return float(predicted)
    p = predicted / n
    g = n_object / n
    missed = n_object - hit
    total = 0.0
    for part in range(4):
        if part == 0:
            a, b, size = 1 - p, 1 - g, hit
        elif part == 1:
            a, b, size = 1 - p, 0 - g, background
        elif part == 2:
            a, b, size = 0 - p, 1 - g, missed
        else:
            a, b, size = 0 - p, 0 - g, n - predicted - missed
        align = 2 * (a * b) / (a * a + b * b + epsilon) + 1
        total += align * align / 4 * size
    return total


@compiled((I64_2, i64, i64, i64, i64, f64, f64, numba.types.Array(numba.float64, 1, "C")), short=True)
def e_scores(
    counts: NDArray[np.int64],
    adaptive_background: int,
    adaptive_hit: int,
    n_object: int,
    n: int,
    denominator: float,
    epsilon: float,
    out: NDArray[np.float64],
) -> tuple[float, float, float]:
    """Fills the E-measure at every level of `out`; returns its maximum, its mean and the adaptive E.

    The sum of the four parts' enhanced alignment, over `denominator`.
    """
    most = 0.0
    total = 0.0
    for t in range(out.size):
        value = _alignment(counts[0, t], counts[1, t], n_object, n, epsilon) / denominator
        out[t] = value
        most = max(most, value)
        total += value
    adaptive = _alignment(adaptive_background, adaptive_hit, n_object, n, epsilon) / denominator
    return most, total / max(out.size, 1), adaptive


@compiled((I64_2, F64_1, flag), short=True)
def adaptive_counts(
    histogram: NDArray[np.int64], x: NDArray[np.float64], strict: bool
) -> tuple[int, int, float, float]:
    """Background and object pixels with x >= min(2 mean(x), 1), or > if strict; the threshold; its gap.

    The gap is the threshold's distance to the nearest level. Where it is of the size of a rounding error, the
    comparison depends on how the mean was rounded.
    """
    total = 0.0
    n = 0
    for v in range(x.size):
        count = histogram[0, v] + histogram[1, v]
        total += count * x[v]
        n += count
    double = 2 * (total / n)
    threshold = min(double, 1.0)
    background = np.int64(0)
    hit = np.int64(0)
    gap = 1.0
    for v in range(x.size):
        if histogram[0, v] + histogram[1, v] > 0:
            if x[v] > threshold or (x[v] == threshold and not strict):
                background += histogram[0, v]
                hit += histogram[1, v]
            if double < 1 + 1e-12:
                gap = min(gap, abs(x[v] - threshold))
    return int(background), int(hit), threshold, gap


@compiled((I64_2, F64_1), short=True)
def background_sum(histogram: NDArray[np.int64], levels: NDArray[np.float64]) -> float:
    """The sum of a map's values over the background."""
    total = 0.0
    for v in range(levels.size):
        total += histogram[0, v] * levels[v]
    return total


@compiled((I64_2, F64_1), short=True)
def mean_absolute_error(histogram: NDArray[np.int64], x: NDArray[np.float64]) -> float:
    """The mean of x on the background and of 1 - x on the object."""
    total = 0.0
    n = 0
    for v in range(x.size):
        total += histogram[0, v] * x[v] + histogram[1, v] * (1 - x[v])
        n += histogram[0, v] + histogram[1, v]
    return total / n


@compiled((I64_3, F64_1, f64, i64, i64, i64, f64, flag), short=True)
def s_measure(
    histogram: NDArray[np.int64],
    x: NDArray[np.float64],
    alpha: float,
    object_ddof: int,
    variance_ddof: int,
    covariance_ddof: int,
    epsilon: float,
    clip: bool,
) -> float:
    """The structure measure from the four quadrants' histograms.

    Decided in exact arithmetic: a constant region has variance and covariance 0 (not rounding noise), and
    an empty quadrant weighs nothing (not NaN).
    """
    levels = x.size
    n = 0
    n_object = 0
    total = np.zeros(2)
    for q in range(4):
        for v in range(levels):
            n += histogram[q, 0, v] + histogram[q, 1, v]
            n_object += histogram[q, 1, v]
            total[0] += histogram[q, 0, v] * (1 - x[v])
            total[1] += histogram[q, 1, v] * x[v]
    if n_object == 0:
        return float(total[0] / n)
    if n_object == n:
        return float(total[1] / n)

    similar = 0.0
    for part in range(2):
        size = n_object if part == 1 else n - n_object
        mean = total[part] / size
        spread = 0.0
        distinct = 0
        for v in range(levels):
            count = (
                histogram[0, part, v] + histogram[1, part, v] + histogram[2, part, v] + histogram[3, part, v]
            )
            if count > 0:
                value = x[v] if part == 1 else 1 - x[v]
                spread += count * (value - mean) ** 2
                distinct += 1
        deviation = np.sqrt(spread / (size - object_ddof)) if size > 1 and distinct > 1 else 0.0
        similar += 2 * mean / (mean * mean + 1 + deviation + epsilon) * (size / n)

    regional = 0.0
    for q in range(4):
        size = 0
        size_object = 0
        distinct = 0
        sum_x = 0.0
        for v in range(levels):
            count = histogram[q, 0, v] + histogram[q, 1, v]
            if count > 0:
                size += count
                size_object += histogram[q, 1, v]
                sum_x += count * x[v]
                distinct += 1
        if size == 0:
            continue
        mean_x = sum_x / size
        mean_y = size_object / size
        spread_x = 0.0
        together = 0.0
        if distinct > 1:
            for v in range(levels):
                count = histogram[q, 0, v] + histogram[q, 1, v]
                if count > 0:
                    spread_x += count * (x[v] - mean_x) ** 2
                    together += histogram[q, 1, v] * (x[v] - mean_x)
        if size_object == 0 or size_object == size:
            together = 0.0
        spread_y = size_object * (1 - mean_y) * (1 - mean_y) + (size - size_object) * mean_y * mean_y
        # a single pixel varies by nothing, also where neither N - 1 nor an epsilon divides it
        among = size - variance_ddof + (epsilon if variance_ddof else 0.0)
        variance_x = spread_x / among if spread_x > 0 else 0.0
        variance_y = spread_y / among if spread_y > 0 else 0.0
        among = size - covariance_ddof + (epsilon if covariance_ddof else 0.0)
        covariance = together / among if together != 0 else 0.0
        a = 4 * mean_x * mean_y * covariance
        b = (mean_x * mean_x + mean_y * mean_y) * (variance_x + variance_y)
        if a != 0:
            score = a / (b + epsilon)
        elif b == 0:
            score = 1.0
        else:
            score = 0.0
        regional += score * (size / n)
    result = alpha * similar + (1 - alpha) * regional
    return max(0.0, result) if clip else result
