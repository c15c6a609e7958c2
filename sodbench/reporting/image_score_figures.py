"""Figures of per-image scores: their distribution, and their dependence on the object's size."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sodbench.names import folder_name
from sodbench.reporting.curve_figures import legend
from sodbench.reporting.figure_style import FORMATS, Look, escape_dollars, new_figure, save
from sodbench.reporting.labels import arrow, label
from sodbench.results.run import Run

Array = NDArray[np.float64]
# metrics in order of preference; a figure shows the first three (distribution) or two (object size)
PREFERRED = ("MAE", "S", "wF", "adpF", "adpE")
PREFERRED_BY_SIZE = ("S", "MAE", "wF", "adpF")
BINS = 8


def distribution_figure(
    runs: Sequence[Run],
    protocol: str,
    looks: Mapping[str, Look],
    folder: Path,
    formats: Sequence[str] = FORMATS,
) -> list[Path]:
    """The distribution of each metric over the images of one data set: one violin per method."""
    drawn = [run for run in runs if protocol in run.tables]
    metrics = [m for m in PREFERRED if any(_has(run, protocol, m) for run in drawn)][:3]
    if not metrics:
        return []
    with new_figure(7.6, 1.2 + 0.42 * len(drawn)) as figure:
        panels = np.atleast_1d(figure.subplots(1, len(metrics), sharey=True))
        for axes, metric in zip(panels, metrics, strict=True):
            for place, run in enumerate(reversed(drawn)):
                if not _has(run, protocol, metric):
                    continue
                values = run.tables[protocol].per_image[metric].dropna().to_numpy(float)
                colour = looks[run.name].colour
                if len(values) > 1 and float(np.ptp(values)) > 0:
                    (body,) = axes.violinplot(values, [place], orientation="horizontal", widths=0.85,
                                              showextrema=False)["bodies"]  # fmt: skip
                    body.set(facecolor=colour, alpha=0.25, edgecolor=colour)
                low, middle, high = np.percentile(values, (25, 50, 75))
                axes.plot((low, high), (place, place), color=colour, linewidth=3.5, solid_capstyle="butt")
                axes.plot(middle, place, "o", color="white", markeredgecolor=colour, markersize=4.5)
                axes.plot(values.mean(), place, "|", color="black", markersize=9, markeredgewidth=1.3)
            axes.set_yticks(range(len(drawn)), [legend(run) for run in reversed(drawn)])
            axes.set_title(f"{label(metric).text} {arrow(metric)}")
            axes.grid(axis="y", visible=False)
        title = f"{escape_dollars(drawn[0].title)}: scores per image (protocol {escape_dollars(protocol)};"
        figure.suptitle(f"{title} bar: quartiles, dot: median, line: mean)", x=0.01, ha="left", fontsize=9)
        return save(figure, folder / f"distribution-{folder_name(drawn[0].dataset)}", formats)


def size_figure(
    runs: Sequence[Run],
    protocol: str,
    looks: Mapping[str, Look],
    folder: Path,
    formats: Sequence[str] = FORMATS,
) -> list[Path]:
    """Mean score against object size, in bins of equally many images, with 95 % confidence intervals."""
    drawn = [run for run in runs if protocol in run.tables and "object_share" in run.image_facts()]
    metrics = [m for m in PREFERRED_BY_SIZE if any(_has(run, protocol, m) for run in drawn)][:2]
    drawn = [run for run in drawn if any(_has(run, protocol, m) for m in metrics)]
    if not drawn or not metrics:
        return []
    with new_figure(3.9 * len(metrics), 3.6) as figure:
        panels = np.atleast_1d(figure.subplots(1, len(metrics)))
        for axes, metric in zip(panels, metrics, strict=True):
            for place, run in enumerate(drawn):
                if not _has(run, protocol, metric):
                    continue
                share = run.image_facts()["object_share"].to_numpy(float) * 100
                values = run.tables[protocol].per_image[metric].to_numpy(float)
                centres, means, errors = binned(share, values, min(BINS, max(1, len(values) // 10)))
                look = looks[run.name]
                # shifted a little, so that the error bars of several methods do not cover each other
                shifted = centres * 1.02 ** (place - (len(drawn) - 1) / 2)
                axes.errorbar(
                    shifted, means, errors, color=look.colour, linestyle=look.dash, marker=look.marker,
                    markersize=4, elinewidth=0.8, linewidth=1.3, label=legend(run),
                )  # fmt: skip
            axes.set_xscale("log")
            axes.set_xticks([1, 2, 5, 10, 20, 50, 100], [f"{tick} %" for tick in (1, 2, 5, 10, 20, 50, 100)])
            axes.set_xticks([], minor=True)
            axes.autoscale_view()
            axes.set(
                xlabel="object's share of the image", ylabel=f"mean {label(metric).text} {arrow(metric)}"
            )
        panels[0].legend(loc="best")
        title = f"{escape_dollars(drawn[0].title)}: score by object size"
        title += f" (protocol {escape_dollars(protocol)}, 95 % confidence intervals)"
        figure.suptitle(title, x=0.01, ha="left", fontsize=10)
        return save(figure, folder / f"size-{folder_name(drawn[0].dataset)}", formats)


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


def _has(run: Run, protocol: str, metric: str) -> bool:
    table = run.tables.get(protocol)
    return table is not None and metric in table.per_image and bool(table.per_image[metric].notna().any())
