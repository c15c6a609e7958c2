"""The figure of scores by object size: curves in one plot for a few methods, small multiples for many."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sodbench.names import folder_name
from sodbench.reporting.curve_figures import short_name
from sodbench.reporting.distribution_figure import has_scores
from sodbench.reporting.figure_names import label_ends
from sodbench.reporting.figure_style import (
    COLOURS,
    FADED,
    FORMATS,
    MOST_COLOURED,
    Look,
    escape_dollars,
    new_figure,
    save,
)
from sodbench.reporting.labels import arrow, label
from sodbench.results.run import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
# metrics in order of preference: a plot shows the first two, small multiples the first one
PREFERRED = ("S", "MAE", "wF", "adpF")
BINS = 8


def size_figure(
    runs: Sequence[Run],
    protocol: str,
    looks: Mapping[str, Look],
    folder: Path,
    formats: Sequence[str] = FORMATS,
    intervals: bool = False,
) -> list[Path]:
    """Mean score against object size, in bins of equally many images.

    Up to eight runs share one plot per metric, in which their names stand at the ends of the lines. More have
    a panel each, with the others in grey. `intervals` adds 95 % confidence intervals.
    """
    drawn = [run for run in runs if protocol in run.tables and "object_share" in run.image_facts()]
    metrics = [m for m in PREFERRED if any(has_scores(run, protocol, m) for run in drawn)][:2]
    drawn = [run for run in drawn if any(has_scores(run, protocol, m) for m in metrics)]
    if not drawn or not metrics:
        return []
    title = f"{escape_dollars(drawn[0].title)}: score by object size (protocol {escape_dollars(protocol)}"
    title += ", 95 % confidence intervals)" if intervals else ")"
    path = folder / f"size-{folder_name(drawn[0].dataset)}"
    few = len(drawn) <= MOST_COLOURED
    metrics = metrics if few else metrics[:1]
    curves = {metric: _curves(drawn, protocol, metric) for metric in metrics}
    if few:
        with new_figure(5.0 * len(metrics), 3.6) as figure:
            _plots(figure, drawn, curves, looks, intervals)
            figure.suptitle(title, x=0.01, ha="left", fontsize=10)
            return save(figure, path, formats)
    columns = min((5, 4), key=lambda number: -len(drawn) % number)  # the fewest empty places
    rows = -(-len(drawn) // columns)
    with new_figure(1.7 * columns, 1.1 + 1.3 * rows) as figure:
        _small_multiples(figure, drawn, *curves.popitem(), (rows, columns), intervals)
        figure.suptitle(f"{title}\ngrey: all other methods", x=0.01, ha="left", fontsize=10)
        return save(figure, path, formats)


def binned(share: Array, values: Array, bins: int) -> tuple[Array, Array, Array]:
    """(median share, mean value, 1.96 standard errors) of `bins` bins of equally many images.

    `share` and `values` have shape (n,). Images without an object or without a value are left out.
    """
    kept = np.isfinite(values) & (share > 0)
    order = np.argsort(share[kept], kind="stable")
    groups = [group for group in np.array_split(order, bins) if len(group)]
    share, values = share[kept], values[kept]
    centres = np.array([np.median(share[group]) for group in groups])
    means = np.array([values[group].mean() for group in groups])
    errors = np.array([1.96 * values[g].std(ddof=1) / np.sqrt(len(g)) if len(g) > 1 else 0.0 for g in groups])
    return centres, means, errors


def _curves(runs: Sequence[Run], protocol: str, metric: str) -> dict[str, tuple[Array, Array, Array]]:
    """What `binned` gives for each run that holds the metric; sizes in per cent."""
    curves = {}
    for run in runs:
        if has_scores(run, protocol, metric):
            share = run.image_facts()["object_share"].to_numpy(float) * 100
            values = run.tables[protocol].per_image[metric].to_numpy(float)
            curves[run.name] = binned(share, values, min(BINS, max(1, len(values) // 10)))
    return curves


def _plots(
    figure: "Figure",
    runs: Sequence[Run],
    curves: Mapping[str, Mapping[str, tuple[Array, Array, Array]]],
    looks: Mapping[str, Look],
    intervals: bool,
) -> None:
    """One plot per metric, all runs in each."""
    panels = np.atleast_1d(figure.subplots(1, len(curves)))
    for axes, (metric, of_metric) in zip(panels, curves.items(), strict=True):
        ends = {}
        for place, run in enumerate(runs):
            if run.name not in of_metric:
                continue
            centres, means, errors = of_metric[run.name]
            look = looks[run.name]
            # with bars shifted a little, so that those of several methods do not cover each other
            shifted = centres * 1.02 ** (place - (len(runs) - 1) / 2) if intervals else centres
            axes.errorbar(
                shifted, means, errors if intervals else None, color=look.colour, linestyle=look.dash,
                marker=look.marker, markersize=4, elinewidth=0.8, linewidth=1.4,
            )  # fmt: skip
            ends[short_name(run)] = (float(shifted[-1]), float(means[-1]), look)
        _logarithmic_axis(axes)
        axes.set(xlabel="object's share of the image", ylabel=f"mean {label(metric).text} {arrow(metric)}")
        label_ends(axes, ends)


def _small_multiples(
    figure: "Figure",
    runs: Sequence[Run],
    metric: str,
    curves: Mapping[str, tuple[Array, Array, Array]],
    shape: tuple[int, int],
    intervals: bool,
) -> None:
    """One panel per run, in their order; the curves of the others are grey."""
    panels = figure.subplots(*shape, sharex=True, sharey=True, squeeze=False)
    for place, axes in enumerate(panels.flat):
        # the last panel of each column has the numbers below it
        axes.tick_params(labelbottom=len(runs) - shape[1] <= place < len(runs))
        if place >= len(runs):
            axes.axis("off")
            continue
        run = runs[place]
        for name, (centres, means, _) in curves.items():
            if name != run.name:
                axes.plot(centres, means, color=FADED, linewidth=0.5)
        if run.name in curves:
            centres, means, errors = curves[run.name]
            axes.errorbar(
                centres, means, errors if intervals else None, color=COLOURS[0], marker="o",
                markersize=2.5, elinewidth=0.8, linewidth=1.5, zorder=4,
            )  # fmt: skip
        _logarithmic_axis(axes, (0.1, 0.3, 1, 3, 10, 30, 100))
        axes.set_title(short_name(run, 17), fontsize=8)
        axes.tick_params(labelsize=7.5)
    figure.supxlabel("object's share of the image", fontsize=9)
    figure.supylabel(f"mean {label(metric).text} {arrow(metric)}", fontsize=9)


def _logarithmic_axis(
    axes: "Axes", ticks: Sequence[float] = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
) -> None:
    """A logarithmic axis of per cent with those of the `ticks` that lie on it."""
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    inside = [tick for tick in ticks if low <= tick <= high]
    axes.set_xticks(inside, [f"{tick:g} %" for tick in inside])
    axes.set_xticks([], minor=True)
