"""The figure of `sodbench stress`: heat maps of the falls.

Kinds by severities, one panel per baseline; of many baselines one panel, baselines by kinds.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sodbench.data.corruptions import KINDS
from sodbench.metrics.registry import split_name
from sodbench.reporting.figure_names import shortened
from sodbench.reporting.figure_style import FORMATS, escape_dollars, new_figure, save
from sodbench.reporting.labels import label
from sodbench.results.stress_record import StressRecord, lower_is_better

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

    Grid = np.ndarray[tuple[int, int], np.dtype[np.float64]]

MOST_PANELS = 4  # more baselines share one panel
_ROW, _CELL = 0.2, 0.42  # inches


def stress_figure(
    records: "Sequence[StressRecord]", metric: str, path: Path, formats: Sequence[str] = FORMATS
) -> list[Path]:
    """Writes `path` with each format's ending: the fall of a metric in every cell, dark where it is large.

    Records are of the same data set and drawn on one scale of colours. Each of up to four has a panel, kinds
    by severities. More share one, a row each, with the mean over severities of each kind; the record with the
    smallest mean fall comes first. Lines part the groups of kinds.
    """
    kinds = [kind for kind in KINDS if any(kind in record.kinds for record in records)]
    if len(records) > MOST_PANELS:
        return _draw_rows(records, metric, kinds, path, formats)
    severities = sorted({severity for record in records for severity in record.severities})
    grids = [_grid(record, metric, kinds, severities) for record in records]
    top = _highest(grids)
    width = 1.5 + len(records) * (0.35 + _CELL * (len(severities) + 1)) + 0.6
    with new_figure(max(width, 4.6), 1.25 + _ROW * (len(kinds) + 1)) as figure:
        # the layout leaves too little room for the names of the kinds
        figure.set_layout_engine("constrained", rect=(0.03, 0, 0.97, 1))
        panels = figure.subplots(1, len(records), sharey=True, squeeze=False)[0]
        for record, grid, axes in zip(records, grids, panels, strict=True):
            image = axes.imshow(grid, cmap="Blues", vmin=0, vmax=top, aspect="auto")
            _write_numbers(axes, grid, top)
            _rule_groups(axes.axhline, kinds)
            axes.axvline(len(severities) - 0.5, color="white", linewidth=4)
            clean = record.clean.get(metric)
            score = "" if clean is None else f"\nclean {clean:.3f}"
            axes.set_title(escape_dollars(f"{record.name}{score}"), fontsize=8.5)
            axes.set_xticks(range(len(severities) + 1), [*map(str, severities), "mean"], fontsize=7.5)
            axes.set_yticks(range(len(kinds) + 1), [*kinds, "mean"], fontsize=7.5)
            axes.set_xlabel("severity", fontsize=8)
            _bare(axes)
        _name_colours(figure, image, panels, records, metric)
        return save(figure, path, formats)


def _draw_rows(
    records: "Sequence[StressRecord]", metric: str, kinds: Sequence[str], path: Path, formats: Sequence[str]
) -> list[Path]:
    """One panel of records by kinds."""
    ordered = sorted(records, key=lambda record: np.nan_to_num(record.mean_fall(metric), nan=np.inf))
    grid = np.array(
        [
            [record.mean_fall(metric, [kind]) if kind in record.kinds else np.nan for kind in kinds]
            + [record.mean_fall(metric)]
            for record in ordered
        ]
    )
    top = _highest([grid])
    with new_figure(2.6 + _CELL * (len(kinds) + 1), 2.0 + _ROW * len(ordered)) as figure:
        axes = figure.add_subplot()
        image = axes.imshow(grid, cmap="Blues", vmin=0, vmax=top, aspect="auto")
        _write_numbers(axes, grid, top, last_row=False)
        _rule_groups(axes.axvline, kinds)
        names = [escape_dollars(shortened(record.name)) for record in ordered]
        axes.set_yticks(range(len(names)), names, fontsize=7.5)
        axes.set_xticks(
            range(len(kinds) + 1),
            [*kinds, "mean"],
            fontsize=7.5,
            rotation=45,
            ha="right",
            rotation_mode="anchor",
        )
        _bare(axes)
        _name_colours(figure, image, [axes], records, metric, "mean over severities")
        return save(figure, path, formats)


def _highest(grids: "Sequence[Grid]") -> float:
    known = np.concatenate([grid[np.isfinite(grid)] for grid in grids])
    return max(float(known.max()) if known.size else 0.0, 1e-6)


def _bare(axes: "Axes") -> None:
    axes.tick_params(length=0)
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _name_colours(
    figure: "Figure",
    image: "AxesImage",
    panels: "Sequence[Axes]",
    records: "Sequence[StressRecord]",
    metric: str,
    of: str = "",
) -> None:
    """The scale of colours and the title."""
    what = f"{'rise' if lower_is_better(metric) else 'fall'} of {label(metric).text}"
    bar = figure.colorbar(image, ax=list(panels), fraction=0.04, pad=0.02)
    bar.set_label(what, fontsize=8)
    bar.ax.tick_params(labelsize=7)
    figure.suptitle(_title(records, metric, what, of), x=0.01, ha="left", fontsize=9)


def _grid(record: StressRecord, metric: str, kinds: Sequence[str], severities: Sequence[int]) -> "Grid":
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


def _write_numbers(axes: "Axes", grid: "Grid", top: float, last_row: bool = True) -> None:
    """The fall in thousandths without the point: .123 as 123; means in the last column, and row, are bold."""
    for (row, column), value in np.ndenumerate(grid):
        if np.isfinite(value):
            colour = "white" if value > 0.55 * top else "black"
            mean = (last_row and row == grid.shape[0] - 1) or column == grid.shape[1] - 1
            axes.text(
                column,
                row,
                f"{1000 * value:.0f}".replace("-0", "0"),
                ha="center",
                va="center",
                fontsize=6.8,
                color=colour,
                fontweight="bold" if mean else "normal",
            )


def _rule_groups(rule: "Callable[..., object]", kinds: Sequence[str]) -> None:
    """White lines between the groups of kinds, and before the mean; `rule` draws one at a place."""
    groups = [KINDS[kind].group for kind in kinds]
    for place in range(1, len(kinds)):
        if groups[place] != groups[place - 1]:
            rule(place - 0.5, color="white", linewidth=2)
    rule(len(kinds) - 0.5, color="white", linewidth=4)


def _title(records: "Sequence[StressRecord]", metric: str, what: str, of: str) -> str:
    one = records[0]
    protocol = split_name(metric)[1]
    return escape_dollars(
        f"{what[0].upper()}{what[1:]} on corrupted images of {one.dataset}, in thousandths\n"
        f"{of + ', ' if of else ''}{one.images} images, protocol {protocol}"
    )
