"""The figure of `sodbench stress`: heat maps of the falls, kinds by severities, one column per baseline."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sodbench.data.corruptions import KINDS
from sodbench.metrics.registry import split_name
from sodbench.reporting.figure_style import FORMATS, escape_dollars, new_figure, save
from sodbench.reporting.labels import label
from sodbench.results.stress_record import StressRecord, lower_is_better

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_BASELINES = 4  # in one figure; the table shows the others
_ROW, _CELL = 0.2, 0.42  # inches


def stress_figure(
    records: "Sequence[StressRecord]", metric: str, path: Path, formats: Sequence[str] = FORMATS
) -> list[Path]:
    """Writes `path` with each format's ending: the fall of a metric in every cell, dark where it is large.

    At most four records are drawn, of the same data set, on one scale of colours. A line parts the groups.
    """
    drawn = records[:MOST_BASELINES]
    kinds = [kind for kind in KINDS if any(kind in record.kinds for record in drawn)]
    severities = sorted({severity for record in drawn for severity in record.severities})
    grids = [_grid(record, metric, kinds, severities) for record in drawn]
    known = np.concatenate([grid[np.isfinite(grid)] for grid in grids])
    top = max(float(known.max()) if known.size else 0.0, 1e-6)
    width = 1.5 + len(drawn) * (0.35 + _CELL * (len(severities) + 1)) + 0.6
    with new_figure(max(width, 4.6), 1.25 + _ROW * (len(kinds) + 1)) as figure:
        # the layout leaves too little room for the names of the kinds
        figure.set_layout_engine("constrained", rect=(0.03, 0, 0.97, 1))
        panels = figure.subplots(1, len(drawn), sharey=True, squeeze=False)[0]
        for record, grid, axes in zip(drawn, grids, panels, strict=True):
            image = axes.imshow(grid, cmap="Blues", vmin=0, vmax=top, aspect="auto")
            _write_numbers(axes, grid, top)
            _rule_groups(axes, kinds, len(severities))
            clean = record.clean.get(metric)
            score = "" if clean is None else f"\nclean {clean:.3f}"
            axes.set_title(escape_dollars(f"{record.name}{score}"), fontsize=8.5)
            axes.set_xticks(range(len(severities) + 1), [*map(str, severities), "mean"], fontsize=7.5)
            axes.set_yticks(range(len(kinds) + 1), [*kinds, "mean"], fontsize=7.5)
            axes.tick_params(length=0)
            axes.grid(False)
            axes.set_xlabel("severity", fontsize=8)
            for spine in axes.spines.values():
                spine.set_visible(False)
        word = "rise" if lower_is_better(metric) else "fall"
        text = label(metric).text
        bar = figure.colorbar(image, ax=list(panels), fraction=0.04, pad=0.02)
        bar.set_label(f"{word} of {text}", fontsize=8)
        bar.ax.tick_params(labelsize=7)
        figure.suptitle(_title(drawn, metric, f"{word} of {text}"), x=0.01, ha="left", fontsize=9)
        return save(figure, path, formats)


def _grid(
    record: StressRecord, metric: str, kinds: Sequence[str], severities: Sequence[int]
) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    """Falls, kinds x severities, with means at the end of both; NaN where there is no cell."""
    falls = record.falls(metric)
    grid = np.full((len(kinds) + 1, len(severities) + 1), np.nan)
    for row, kind in enumerate(kinds):
        for column, severity in enumerate(severities):
            grid[row, column] = falls.get((kind, severity), np.nan)
        if kind in record.kinds:
            grid[row, -1] = record.mean_fall(metric, [kind])
    for column in range(len(severities)):
        known = grid[:-1, column][np.isfinite(grid[:-1, column])]
        grid[-1, column] = known.mean() if known.size else np.nan
    grid[-1, -1] = record.mean_fall(metric)
    return grid


def _write_numbers(
    axes: "Axes", grid: "np.ndarray[tuple[int, int], np.dtype[np.float64]]", top: float
) -> None:
    """The fall in thousandths without the point: .123 as 123."""
    for (row, column), value in np.ndenumerate(grid):
        if np.isfinite(value):
            colour = "white" if value > 0.55 * top else "black"
            last = row == grid.shape[0] - 1 or column == grid.shape[1] - 1
            axes.text(
                column,
                row,
                f"{1000 * value:.0f}".replace("-0", "0"),
                ha="center",
                va="center",
                fontsize=6.8,
                color=colour,
                fontweight="bold" if last else "normal",
            )


def _rule_groups(axes: "Axes", kinds: Sequence[str], severities: int) -> None:
    """White lines between the groups of kinds, and before the means."""
    groups = [KINDS[kind].group for kind in kinds]
    for row in range(1, len(kinds)):
        if groups[row] != groups[row - 1]:
            axes.axhline(row - 0.5, color="white", linewidth=2)
    axes.axhline(len(kinds) - 0.5, color="white", linewidth=4)
    axes.axvline(severities - 0.5, color="white", linewidth=4)


def _title(records: "Sequence[StressRecord]", metric: str, what: str) -> str:
    one = records[0]
    protocol = split_name(metric)[1]
    return escape_dollars(
        f"{what[0].upper()}{what[1:]} on corrupted images of {one.dataset}, in thousandths\n"
        f"{one.images} images, protocol {protocol}"
    )
