"""The figure of per-image scores: one row per method, the best method on top."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sodbench.names import folder_name
from sodbench.reporting.curve_figures import short_name
from sodbench.reporting.figure_style import (
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
    from numpy.typing import NDArray

# metrics in order of preference, of which the figure shows the first three
PREFERRED = ("MAE", "S", "wF", "adpF", "adpE")


def distribution_figure(
    runs: Sequence[Run],
    protocol: str,
    looks: Mapping[str, Look],
    folder: Path,
    formats: Sequence[str] = FORMATS,
) -> list[Path]:
    """The distribution of each metric over the images of one data set: one row per run, in their order.

    A row shows quartiles, median, mean and the 5th and 95th percentile; of up to eight runs a violin, too.
    """
    drawn = [run for run in runs if protocol in run.tables]
    metrics = [m for m in PREFERRED if any(has_scores(run, protocol, m) for run in drawn)][:3]
    if not metrics:
        return []
    few = len(drawn) <= MOST_COLOURED
    with new_figure(7.6, 1.2 + (0.42 if few else 0.2) * len(drawn)) as figure:
        panels = np.atleast_1d(figure.subplots(1, len(metrics), sharey=True))
        for axes, metric in zip(panels, metrics, strict=True):
            for place, run in enumerate(drawn):
                if has_scores(run, protocol, metric):
                    values = run.tables[protocol].per_image[metric].dropna().to_numpy(float)
                    _row(axes, place, values, looks[run.name], violin=few)
            axes.set_yticks(range(len(drawn)), [short_name(run) for run in drawn])
            axes.set_ylim(len(drawn) - 0.4, -0.6)
            axes.set_title(f"{label(metric).text} {arrow(metric)}")
            axes.grid(axis="y", visible=False)
        title = f"{escape_dollars(drawn[0].title)}: scores per image (protocol {escape_dollars(protocol)})"
        key = "bar: quartiles; dot: median; line: mean; whiskers: 5th and 95th percentile"
        figure.suptitle(f"{title}\n{key}", x=0.01, ha="left", fontsize=9)
        return save(figure, folder / f"distribution-{folder_name(drawn[0].dataset)}", formats)


def has_scores(run: Run, protocol: str, metric: str) -> bool:
    """Whether the run holds the metric of at least one image."""
    table = run.tables.get(protocol)
    return table is not None and metric in table.per_image and bool(table.per_image[metric].notna().any())


def _row(axes: "Axes", place: int, values: "NDArray[np.float64]", look: Look, violin: bool) -> None:
    """One method's distribution at the height `place`."""
    if violin and len(values) > 1 and float(np.ptp(values)) > 0:
        bodies: Any = axes.violinplot(
            values, [place], orientation="horizontal", widths=0.85, showextrema=False
        )["bodies"]
        bodies[0].set(facecolor=look.colour, alpha=0.25, edgecolor=look.colour)
    lowest, low, middle, high, highest = np.percentile(values, (5, 25, 50, 75, 95))
    axes.plot((lowest, highest), (place, place), color=look.colour, linewidth=0.9)
    axes.plot((low, high), (place, place), color=look.colour, linewidth=4, solid_capstyle="butt")
    axes.plot(middle, place, "o", color="white", markeredgecolor=look.colour, markersize=4.2)
    axes.plot(values.mean(), place, "|", color="black", markersize=8, markeredgewidth=1.3)
