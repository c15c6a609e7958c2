"""The figure of scores by attribute: one row per group, one panel per metric, one colour per method."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from sodbench.names import folder_name
from sodbench.reporting.figure_style import FORMATS, Look, escape_dollars, legend_beside, new_figure, save
from sodbench.reporting.labels import arrow, label, protocols_of
from sodbench.results.breakdown import FEWEST, Breakdown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_METRICS = 3  # panels; the table shows the others


def attribute_figure(
    breakdown: Breakdown,
    looks: Mapping[str, Look],
    folder: Path,
    formats: Sequence[str] = FORMATS,
    intervals: bool = False,
) -> list[Path]:
    """Draws the scores of every group, with `intervals` their 95 % intervals; no files without a group.

    The first row is the whole set, and a dotted line carries each method's score there down the panel.
    Groups of few images have a hollow marker and no interval. Faded methods are grey strokes on one line.
    """
    if len(breakdown.groups) < 2 or not breakdown.metrics:
        return []
    metrics = breakdown.metrics[:MOST_METRICS]
    protocols = protocols_of(metrics)
    places = _rows(breakdown)
    coloured = [method for method in looks if method in breakdown.methods and not looks[method].faded]
    faded = [method for method in breakdown.methods if looks[method].faded]
    step = min(0.16, 0.8 / len(coloured))  # between the methods of a row
    height = max(0.3, 0.075 * len(coloured))  # inches of a row
    with new_figure(max(3.0, 1.6 + 2.1 * len(metrics)), 1.1 + height * (places[-1] + 1)) as figure:
        panels = figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0]
        for axes, full in zip(panels, metrics, strict=True):
            for method in faded:
                _strokes(axes, breakdown, (method, full), places, looks[method])
            for number, method in enumerate(coloured):
                shift = (number - (len(coloured) - 1) / 2) * step
                rows = [place + shift for place in places]
                _draw(axes, breakdown, (method, full), rows, looks[method], intervals)
            axes.set_title(f"{label(full).text} {arrow(full)}" if len(protocols) == 1 else full)
            axes.grid(axis="y", visible=False)
            axes.margins(x=0.04)
            for above, below in pairwise(places):
                if below - above > 1.5:
                    axes.axhline((above + below) / 2, color="#d9d9d9", linewidth=0.8, zorder=0)
        names = [_name(breakdown, place) for place in range(len(breakdown.groups))]
        panels[0].set_yticks(places, names)
        panels[0].set_ylim(places[-1] + 0.6, -0.6)
        legend_beside(figure, panels[0], "", len(faded))
        bars = "bars: 95 % intervals; " if intervals else ""
        figure.suptitle(
            f"{escape_dollars(breakdown.title)}: scores by attribute (protocol"
            f" {escape_dollars(', '.join(protocols))})\n"
            f"{bars}dotted: the whole set; hollow: fewer than {FEWEST} images",
            x=0.01,
            ha="left",
            fontsize=9,
        )
        return save(figure, folder / f"attributes-{folder_name(breakdown.dataset)}", formats)


def _strokes(
    axes: "Axes", breakdown: Breakdown, of: tuple[str, str], places: Sequence[float], look: Look
) -> None:
    """A faded method: a stroke in the middle of each row."""
    values = [breakdown.scores[(*of, place)].value for place in range(len(places))]
    axes.plot(values, places, "|", color=look.colour, markersize=9, markeredgewidth=0.8, zorder=1)


def _rows(breakdown: Breakdown) -> list[float]:
    """The height of each group's row: one apart, and a gap between two attributes."""
    places, at = [0.0], 0.0
    for above, group in pairwise(breakdown.groups):
        at += 1.0 if group.attribute == above.attribute else 1.6
        places.append(at)
    return places


def _name(breakdown: Breakdown, place: int) -> str:
    """The group's label, with its attribute in its first row, and its number of images."""
    group = breakdown.groups[place]
    count = len(group.images)
    images = "no images" if count == 0 else f"{count}"
    if place == 0:
        return f"$\\bf{{all}}$ {group.name.removeprefix('all ')} ({images})"
    first = breakdown.groups[place - 1].attribute != group.attribute
    name = f"{escape_dollars(group.name)} ({images})"
    return f"$\\bf{{{group.attribute}}}$  {name}" if first else name


def _draw(
    axes: "Axes",
    breakdown: Breakdown,
    of: tuple[str, str],
    places: Sequence[float],
    look: Look,
    intervals: bool,
) -> None:
    """One method's markers, and its `intervals`; `of` is the method and the metric."""
    method, full = of
    labelled = False
    for place, at in enumerate(places):
        score = breakdown.scores[method, full, place]
        if math.isnan(score.value):
            continue
        few = len(breakdown.groups[place].images) < FEWEST
        if intervals and not math.isnan(score.low):
            axes.plot((score.low, score.high), (at, at), color=look.colour, linewidth=1.1, zorder=2)
        axes.plot(
            score.value,
            at,
            look.marker,
            color=look.colour,
            markersize=4.2,
            markerfacecolor="white" if few else look.colour,
            label="" if labelled else escape_dollars(method),
            linestyle="none",
            zorder=3,
        )
        labelled = True
        if place == 0:
            axes.axvline(score.value, color=look.colour, linewidth=0.7, linestyle=(0, (1, 2)), zorder=1)
