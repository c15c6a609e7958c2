"""Each named protocol written out from its recipe: one pass over the pixels a threshold, no shortcuts.

Deliberately slow and plain: an oracle that shares no code and no idea with the engine. Masks and maps are
8-bit arrays; every function returns one image's numbers, the last ones the data set's from a list of them.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, binary_erosion, convolve, distance_transform_edt

EPS = np.spacing(1.0)


def f_of(p: NDArray, r: NDArray, epsilon: float = 0.0) -> NDArray:
    """F with beta^2 = 0.3; 0 where precision and recall are 0."""
    numerator = 1.3 * p * r
    denominator = 0.3 * p + r + epsilon
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)


def min_max(unit: NDArray) -> NDArray:
    """(x - min) / (max - min), unless constant."""
    return (unit - unit.min()) / (unit.max() - unit.min()) if unit.max() > unit.min() else unit


def round_half_up(value: float) -> int:
    """MATLAB's round, for positive numbers."""
    return int(np.floor(value + 0.5))


# --- the authors' tool of BASNet and U2-Net -------------------------------------------------------------


def basnet2019(m: NDArray, g: NDArray) -> dict:
    """MAE, and precision and recall in 255 bins."""
    x = 255 * m.astype(float) / (m.max() + 1e-8)
    truth = 255 * g.astype(float) / (g.max() + 1e-8) > 128
    hit, _ = np.histogram(x[truth], bins=np.arange(256))
    every, _ = np.histogram(x, bins=np.arange(256))
    tp = np.cumsum(hit[::-1])[::-1]
    n = np.cumsum(every[::-1])[::-1]
    error = np.abs(m / (m.max() + 1e-8) - g / (g.max() + 1e-8))
    return {
        "MAE": error.sum() / (m.size + 1e-8),
        "precision": tp / (n + 1e-8),
        "recall": tp / (truth.sum() + 1e-8),
    }


def basnet2019_dataset(images: list[dict]) -> dict:
    p = np.mean([i["precision"] for i in images], axis=0)
    r = np.mean([i["recall"] for i in images], axis=0)
    f = 1.3 * p * r / (0.3 * p + r + 1e-8)
    return {"MAE": np.mean([i["MAE"] for i in images]), "maxF": f.max(), "meanF": f.mean()}


# --- sal_eval ------------------------------------------------------------------------------------------


def sal_eval(m: NDArray, g: NDArray) -> dict:
    """MAE, S, adaptive F; precision and recall at 256 thresholds."""
    truth = g / 255 >= 0.1
    unit = m / 255
    if not m.any():
        return {"MAE": truth.mean(), "S": s_measure(unit, truth), "counted": False}
    x = unit / unit.max()
    precision, recall = [], []
    for level in range(256):
        above = x >= level / 255
        precision.append((above & truth).sum() / above.sum() if above.any() else 0.0)
        recall.append((above & truth).sum() / truth.sum() if truth.any() else 0.0)
    above = x >= min(2 * x.mean(), 1)
    hit = (above & truth).sum()
    p, r = (hit / above.sum(), hit / truth.sum()) if hit else (0.0, 0.0)
    return {
        "MAE": np.abs(min_max(unit) - truth).mean(),
        "S": s_measure(x, truth),
        "adpF": float(f_of(np.array(p), np.array(r))),
        "precision": np.array(precision),
        "recall": np.array(recall),
        "counted": True,
    }


def sal_eval_dataset(images: list[dict]) -> dict:
    counted = [i for i in images if i["counted"]]
    p = sum(i["precision"] for i in counted) / len(counted)
    r = sum(i["recall"] for i in counted) / len(counted)
    adaptive = sum(i["adpF"] for i in counted) / len(counted)
    return {
        "MAE": np.mean([i["MAE"] for i in images]),
        "S": np.mean([i["S"] for i in images]),
        "maxF": f_of(p, r).max(),
        "meanF": adaptive,
        "adpF": adaptive,
    }


# --- SODsurvey -----------------------------------------------------------------------------------------


def sodsurvey(m: NDArray, g: NDArray) -> dict:
    """MAE, S and the F curve on rounded levels."""
    truth = g > 128
    found = {"MAE": np.abs(m / 255 - truth).mean(), "S": s_measure(min_max(m / 255), truth), "counted": False}
    if not m.any() or not truth.any():
        return found
    level = (510 * m.astype(int) + m.max()) // (2 * int(m.max()))
    curve = []
    for t in range(256):
        above = level >= t
        hit = (above & truth).sum()
        p, r = hit / (above.sum() + 1e-5), hit / truth.sum()
        curve.append(1.3 * p * r / (0.3 * p + r) if hit else 0.0)
    return found | {"F": np.array(curve), "counted": True}


def sodsurvey_dataset(images: list[dict]) -> dict:
    f = np.mean([i["F"] for i in images if i["counted"]], axis=0)
    return {
        "MAE": np.mean([i["MAE"] for i in images]),
        "S": np.mean([i["S"] for i in images]),
        "maxF": f.max(),
        "meanF": f.mean(),
    }


# --- SALOD ---------------------------------------------------------------------------------------------


def salod(m: NDArray, g: NDArray) -> dict:
    """MAE, S, wF, adaptive F and E; precision and recall in 255 bins."""
    truth = g / (g.max() + 1e-8) > 0.5
    x = min_max(m / 255)
    level = (255 * x).astype(np.uint8)
    hit, _ = np.histogram(level[truth], bins=np.arange(256))
    every, _ = np.histogram(level, bins=np.arange(256))
    tp, n = np.cumsum(hit[::-1])[::-1], np.cumsum(every[::-1])[::-1]
    above = x >= min(2 * x.mean(), 1)
    hits = (above & truth).sum()
    p, r = hits / (above.sum() + 1e-8), hits / max(truth.sum(), 1)
    return {
        "MAE": np.abs(x - truth).mean(),
        "S": s_measure_salod(x, truth),
        "wF": weighted_f(x, truth, 1e-6),
        "adpF": 1.3 * p * r / (0.3 * p + r + 1e-8),
        "adpE": alignment(above, truth, 1e-8, max(truth.size - 1, 1) + 1e-8),
        "precision": tp / (n + 1e-8),
        "recall": tp / max(truth.sum(), 1),
    }


def salod_dataset(images: list[dict]) -> dict:
    p = np.mean([i["precision"] for i in images], axis=0)
    r = np.mean([i["recall"] for i in images], axis=0)
    f = 1.3 * p * r / (0.3 * p + r + 1e-8)
    found = {name: np.mean([i[name] for i in images]) for name in ("MAE", "S", "wF", "adpF", "adpE")}
    return found | {"maxF": f.max(), "meanF": found["adpF"]}


def s_measure_salod(x: NDArray, truth: NDArray) -> float:
    """Its own variant: deviations ddof 0, covariance ddof 1, eps 1e-8, not clipped."""
    share = truth.mean()
    if share == 0:
        return 1 - x.mean()
    if share == 1:
        return x.mean()

    def similarity(values: NDArray) -> float:
        return 2 * values.mean() / (values.mean() ** 2 + 1 + values.std() + 1e-8)

    similar = share * similarity(x[truth]) + (1 - share) * similarity(1 - x[~truth])
    row, column = (round(float(v)) + 1 for v in np.argwhere(truth).mean(axis=0))
    regional = 0.0
    for a in (slice(0, row), slice(row, None)):
        for b in (slice(0, column), slice(column, None)):
            p, q = x[a, b], truth[a, b].astype(float)
            if p.size == 0:
                continue
            covariance = ((p - p.mean()) * (q - q.mean())).sum() / (p.size - 1 + 1e-8)
            top = 4 * p.mean() * q.mean() * covariance
            bottom = (p.mean() ** 2 + q.mean() ** 2) * (p.var() + q.var())
            if p.min() == p.max() or q.min() == q.max():
                top = 0.0
                bottom = 0.0 if p.min() == p.max() and q.min() == q.max() else bottom
            score = top / (bottom + 1e-8) if top != 0 else float(bottom == 0)
            regional += score * p.size / x.size
    return 0.5 * similar + 0.5 * regional


# --- Fan's toolbox, and raw ----------------------------------------------------------------------------


def cod_toolbox(m: NDArray, g: NDArray) -> dict:
    """All metrics; F with >=, E with > at 256 real thresholds."""
    truth = g > 128
    x = min_max(m / 255)
    n = truth.size
    f, e = [], []
    for level in range(256):
        above = x >= level / 255
        hit = (above & truth).sum()
        p, r = (hit / above.sum(), hit / truth.sum()) if hit else (0.0, 0.0)
        f.append(1.3 * p * r / (0.3 * p + r) if hit else 0.0)
        e.append(alignment(x > level / 255, truth, EPS, max(n - 1, 1) + EPS))
    threshold = min(2 * x.mean(), 1)
    above = x >= threshold
    hit = (above & truth).sum()
    p, r = (hit / above.sum(), hit / truth.sum()) if hit else (0.0, 0.0)
    return {
        "MAE": np.abs(x - truth).mean(),
        "S": s_measure(x, truth),
        "wF": weighted_f(x, truth, EPS),
        "adpF": 1.3 * p * r / (0.3 * p + r) if hit else 0.0,
        "adpE": alignment(x > threshold, truth, EPS, max(n - 1, 1) + EPS),
        "F": np.array(f),
        "E": np.array(e),
    }


def raw(m: NDArray, g: NDArray) -> dict:
    """All metrics on m / 255; an empty mask scores by agreement."""
    truth = g > 127
    x = m / 255
    n = truth.size
    f, e = [], []

    def f_at(above: NDArray) -> float:
        if not truth.any():
            return float(not above.any())
        hit = (above & truth).sum()
        if hit == 0:
            return 0.0
        p, r = hit / above.sum(), hit / truth.sum()
        return 1.3 * p * r / (0.3 * p + r)

    for level in range(256):
        above = m >= level
        f.append(f_at(above))
        e.append(alignment(above, truth, 0.0, n))
    above = x >= min(2 * x.mean(), 1) if m.any() else np.zeros_like(truth)
    p, r = relaxed(m >= 128, truth, disk(3))
    if truth.any():
        wf = weighted_f(x, truth, EPS)
    else:
        wf = 1 - x.mean()
    return {
        "MAE": np.abs(x - truth).mean(),
        "S": s_measure(x, truth, half_up=False),
        "wF": wf,
        "adpF": f_at(above),
        "adpE": alignment(above, truth, 0.0, n),
        "relaxF": float(f_of(np.array(p), np.array(r))),
        "F": np.array(f),
        "E": np.array(e),
    }


def per_image_dataset(images: list[dict]) -> dict:
    """Data-set values where everything is a mean over images."""
    f = np.mean([i["F"] for i in images], axis=0)
    e = np.mean([i["E"] for i in images], axis=0)
    single = [name for name in ("MAE", "S", "wF", "adpF", "adpE", "relaxF") if name in images[0]]
    found = {name: np.mean([i[name] for i in images]) for name in single}
    return found | {"maxF": f.max(), "meanF": f.mean(), "maxE": e.max(), "meanE": e.mean()}


# --- what they share -----------------------------------------------------------------------------------


def alignment(above: NDArray, truth: NDArray, epsilon: float, denominator: float) -> float:
    """The E-measure of one binary map, pixel by pixel."""
    if not truth.any():
        return (~above).sum() / denominator
    if truth.all():
        return above.sum() / denominator
    p = above - above.mean()
    q = truth - truth.mean()
    align = 2 * p * q / (p * p + q * q + epsilon)
    return ((align + 1) ** 2 / 4).sum() / denominator


def s_measure(x: NDArray, truth: NDArray, half_up: bool = True) -> float:
    """Fan's S-measure; a constant region has exactly no variance, an empty quadrant no weight."""
    share = truth.mean()
    if share == 0:
        return 1 - x.mean()
    if share == 1:
        return x.mean()

    def similarity(values: NDArray) -> float:
        spread = values.std(ddof=1) if values.size > 1 and values.min() < values.max() else 0.0
        return 2 * values.mean() / (values.mean() ** 2 + 1 + spread + EPS)

    similar = share * similarity(x[truth]) + (1 - share) * similarity(1 - x[~truth])
    centre = np.argwhere(truth).mean(axis=0)
    row, column = (round_half_up(v) + 1 if half_up else round(float(v)) + 1 for v in centre)
    regional = 0.0
    for a in (slice(0, row), slice(row, None)):
        for b in (slice(0, column), slice(column, None)):
            p, q = x[a, b], truth[a, b].astype(float)
            if p.size == 0:
                continue
            flat_p, flat_q = p.min() == p.max(), q.min() == q.max()
            norm = p.size - 1 + EPS
            variance_p = 0.0 if flat_p else ((p - p.mean()) ** 2).sum() / norm
            variance_q = 0.0 if flat_q else ((q - q.mean()) ** 2).sum() / norm
            covariance = 0.0 if flat_p or flat_q else ((p - p.mean()) * (q - q.mean())).sum() / norm
            top = 4 * p.mean() * q.mean() * covariance
            bottom = (p.mean() ** 2 + q.mean() ** 2) * (variance_p + variance_q)
            score = top / (bottom + EPS) if top != 0 else float(bottom == 0)
            regional += score * p.size / x.size
    return max(0.0, 0.5 * similar + 0.5 * regional)


def weighted_f(x: NDArray, truth: NDArray, epsilon: float) -> float:
    """Margolin's weighted F with scipy's distance transform and convolution; 0 for an empty mask."""
    if not truth.any():
        return 0.0
    distance, index = distance_transform_edt(~truth, return_indices=True)
    error = np.abs(x - truth)
    moved = np.where(truth, error, error[index[0], index[1]])
    side = np.exp(-(np.arange(-3, 4) ** 2) / 50)
    window = np.outer(side, side) / np.outer(side, side).sum()
    smooth = convolve(moved, window, mode="constant")
    smaller = np.where(truth & (smooth < error), smooth, error)
    weighted = smaller * np.where(truth, 1.0, 2 - np.exp(np.log(0.5) / 5 * distance))
    true_positive = truth.sum() - weighted[truth].sum()
    recall = 1 - weighted[truth].mean()
    precision = true_positive / (true_positive + weighted[~truth].sum() + epsilon)
    return 2 * recall * precision / (recall + precision + epsilon)


def disk(radius: int) -> NDArray:
    """The disk dx^2 + dy^2 <= radius^2."""
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return x * x + y * y <= radius * radius


def relaxed(above: NDArray, truth: NDArray, window: NDArray) -> tuple[float, float]:
    """Relaxed boundary precision and recall; (1, 1) if neither has a boundary, else 0 where undefined."""
    cross = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], bool)
    mine = above & ~binary_erosion(above, cross, border_value=1)
    true = truth & ~binary_erosion(truth, cross, border_value=1)
    if not mine.any() and not true.any():
        return 1.0, 1.0
    near = binary_dilation(true, window)
    reach = binary_dilation(mine, window)
    precision = (mine & near).sum() / mine.sum() if mine.any() else 0.0
    recall = (true & reach).sum() / true.sum() if true.any() else 0.0
    return precision, recall
