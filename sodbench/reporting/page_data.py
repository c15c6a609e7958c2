"""What the page's script reads: per-image scores, curves and addresses of files, in a compact form.

What grows with the number of images are the parts of a data set: "images" (names and addresses of files) and
one part per metric. `page_parts` decides whether they lie in the page or beside it.

Numbers are base64 of little-endian uint16: scores as round((value + 1) * scale), where 65535 means "no value"
(scale 20000: four digits, -1 to 2.27; smaller for metrics without an upper bound), curves as
round(value * CURVE_SCALE).
"""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.families import calibration
from sodbench.reporting.curve_figures import with_curve
from sodbench.reporting.f_curves import f_curve, kind_of
from sodbench.reporting.gallery import Gallery, Sharing, make_gallery
from sodbench.reporting.labels import label, main_metric, order, split_name
from sodbench.reporting.method_order import best_first
from sodbench.reporting.provenance_lines import provenance_lines
from sodbench.reporting.table import Table
from sodbench.results.published import CURVE_OF_MEANS, MEAN_OF_CURVES
from sodbench.results.run import Run, conventions
from sodbench.results.seeds import over_seeds

if TYPE_CHECKING:
    import pandas as pd

NONE = 65535
SCALE = 20000
CURVE_SCALE = 60000
CURVES = ("precision", "recall", MEAN_OF_CURVES, CURVE_OF_MEANS, "E")
# the metric that images are sorted by and whose distribution is drawn: the first of these that there is
OF_IMAGES = ("S", "wF", "MAE", "adpF")
PERCENTILES = (5, 25, 50, 75, 95)
# the fields of `calibration.Reliability`, packed where a run recorded its calibration
RELIABILITY = ("bin probability", "bin frequency", "bin share")


def dataset_data(
    folder: Path,
    table: Table,
    dataset: str,
    rows: "pd.DataFrame",
    runs: Sequence[Run],
    gallery: int,
    sharing: Sharing | None = None,
) -> dict[str, Any]:
    """One data set: methods in the table's order, images, per-image scores, curves, files.

    The `gallery` worst and best images and those with the largest disagreement get thumbnails in `folder`;
    `sharing` limits what a page shows that leaves this machine.
    """
    protocol = split_name(table.metrics[0])[1]
    names = [str(n) for n, kind in zip(rows["method"], rows["kind"], strict=True) if kind == "measured"]
    of_set = {run.name: run for run in runs if run.dataset == dataset and protocol in run.tables}
    groups = over_seeds([run for name, run in of_set.items() if name not in names])
    # seeds that the table joins are shown one by one: their mean has no curve and no maps
    shown = [of_set[name] for name in names if name in of_set]
    shown += [run for group in groups if group.name in names for run in group.runs]
    methods = [run.name for run in shown]
    details = {run.name: [("images", run.count), *provenance_lines(run)] for run in shown}
    details |= {group.name: [("runs", ", ".join(run.name for run in group.runs))] for group in groups}
    images = _images(shown, protocol)
    scores = image_scores(shown, protocol, images)
    files = make_gallery(folder, shown, images, scores, gallery, sharing) if shown else Gallery()
    return {
        "id": dataset,
        "title": str(rows["title"].iloc[0]),
        "protocol": protocol,
        "methods": methods,
        "ranked": [methods.index(run.name) for run in best_first(shown, main_metric(table.metrics))],
        "count": len(images),
        "metrics": {metric: _described(metric, values) for metric, values in scores.items()},
        "curves": packed_curves(shown, protocol),
        "distribution": distribution(scores),
        "notes": files.notes,
        "provenance": details,
        "parts": {
            "images": {
                "names": images,
                "thumbnails": {str(images.index(image)): small for image, small in files.thumbnails.items()},
                "sources": {key: compressed(addresses, images) for key, addresses in files.sources.items()},
            },
            **{metric: pack(values, scale=fitting_scale(values)) for metric, values in scores.items()},
        },
    }


def image_scores(runs: Sequence[Run], protocol: str, images: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """Per-image scores (methods x images) by metric, for all known metrics; NaN where there is none."""
    columns = {str(name) for run in runs for name in run.tables[protocol].per_image}
    metrics = {name for name in columns if label(name).higher_is_better is not None}
    scores = {}
    for metric in sorted(metrics, key=order):
        values = np.full((len(runs), len(images)), np.nan)
        for place, run in enumerate(runs):
            frame = run.tables[protocol].per_image
            if metric in frame:
                values[place] = frame[metric].reindex(list(images)).to_numpy(float)
        scores[metric] = values
    return scores


def distribution(scores: Mapping[str, NDArray[np.float64]]) -> dict[str, Any] | None:
    """For the chart of one metric over the images: by method `PERCENTILES` and mean, null without scores."""
    metric = next((name for name in OF_IMAGES if name in scores), None)
    if metric is None:
        return None
    numbers = []
    for values in scores[metric]:
        known = values[~np.isnan(values)]
        row = [*np.percentile(known, PERCENTILES), known.mean()] if len(known) else None
        numbers.append(row and [round(float(value), 5) for value in row])
    return {"metric": metric, "numbers": numbers}


def _described(metric: str, values: NDArray[np.float64]) -> dict[str, Any]:
    info = label(metric)
    return {
        "higher_is_better": info.higher_is_better,
        "text": info.text,
        "scale": fitting_scale(values),
    }


def fitting_scale(values: NDArray[np.float64]) -> float:
    """The scale at which `pack` holds all values: 20000, or for larger ones the largest power of ten.

    >>> fitting_scale(np.array([0.5, 1.0])), fitting_scale(np.array([1402.0, np.nan]))
    (20000, 10.0)
    """
    highest = float(np.nanmax(values, initial=0.0))
    room = (NONE - 1) / (highest + 1)
    return SCALE if room >= SCALE else float(10.0 ** np.floor(np.log10(room)))


def packed_curves(runs: Sequence[Run], protocol: str) -> dict[str, Any]:
    """The curves of all methods (methods x curves x levels); a curve that a record lacks is all NONE."""
    levels = max((len(run.tables[protocol].curves) for run in runs), default=0)
    calibrated = {run.name for run in with_curve(runs, protocol, calibration.CURVES)}
    names = (*CURVES, *RELIABILITY) if calibrated else CURVES
    values = np.full((len(runs), len(names), levels), np.nan)
    for place, run in enumerate(runs):
        table = run.tables[protocol]
        if run.name in calibrated:
            bins = calibration.reliability({key: table.curves[key].to_numpy() for key in calibration.CURVES})
            values[place, len(CURVES) :, : calibration.BINS] = bins
        for number, name in enumerate(CURVES):
            curve: NDArray[np.float64] | None = None
            if name in table.curves:
                curve = table.curves[name].to_numpy(float)
            elif name in (MEAN_OF_CURVES, CURVE_OF_MEANS) and {"precision", "recall"} <= set(table.curves):
                curve = f_curve(table, name)
            if curve is not None:
                values[place, number, : len(curve)] = curve
    first = runs[0].tables[protocol] if runs else None
    return {
        "levels": levels,
        "names": list(names),
        "bins": calibration.BINS,
        "own": kind_of(first) if first else MEAN_OF_CURVES,
        "beta2": conventions(first).f_beta2 if first else None,
        "epsilon": conventions(first).f_epsilon if first else None,
        "scale": CURVE_SCALE,
        "data": pack(values, 0.0, CURVE_SCALE),
    }


def pack(values: NDArray[np.float64], offset: float = 1.0, scale: float = SCALE) -> str:
    """Base64 of uint16: round((value + offset) * scale), NONE for NaN."""
    with np.errstate(invalid="ignore"):
        whole = np.clip(np.rint((values + offset) * scale), 0, NONE - 1)
    codes = np.where(np.isnan(values), NONE, whole).astype("<u2")
    return base64.b64encode(codes.tobytes()).decode()


def compressed(addresses: Sequence[str | None], images: Sequence[str]) -> dict[str, Any]:
    """Addresses as the common start and end around the image's name; exceptions by the image's index.

    Where most images have no address, `start` is None, and the exceptions are those that have one.
    """
    from urllib.parse import quote

    if 2 * addresses.count(None) > len(addresses):
        found = {str(index): address for index, address in enumerate(addresses) if address is not None}
        return {"start": None, "end": None, "others": found}
    names = [quote(image) for image in images]
    start, end = "", ""
    for address, name in zip(addresses, names, strict=True):
        if address is not None and name in address:
            start, _, end = address.rpartition(name)
            break
    others = {
        str(index): address
        for index, (address, name) in enumerate(zip(addresses, names, strict=True))
        if address != f"{start}{name}{end}"
    }
    return {"start": start, "end": end, "others": others}


def _images(runs: Sequence[Run], protocol: str) -> list[str]:
    """The images that any of the runs scored, in the order of the first that has them."""
    names: dict[str, None] = {}
    for run in runs:
        names.update(dict.fromkeys(str(name) for name in run.tables[protocol].per_image.index))
    return list(names)
