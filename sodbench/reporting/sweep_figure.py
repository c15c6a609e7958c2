"""The figure of `sodbench bench sweep`: scores by seconds per image and by memory, at each input size."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodbench.reporting.figure_style import (
    FORMATS,
    Look,
    escape_dollars,
    legend_beside,
    looks,
    new_figure,
    save,
)
from sodbench.reporting.labels import arrow, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sodbench.size_sweep import SizePoint, Sweep

MOST_METRICS = 2  # rows of the figure; the table shows the others


def sweep_figure(
    sweep: "Sweep", metrics: Sequence[str], processor: str, path: Path, formats: Sequence[str] = FORMATS
) -> list[Path]:
    """Writes `path` with each format's ending: one row per score, against time and against memory.

    At most two of `metrics` are drawn: max F and MAE where they are among them, else the first ones. Each
    marker is an input size, filled where it is the baseline's own; a line joins those of one data set. Time
    is the median round's, from opening the file to the finished map. `processor` names the hardware.
    """
    usual = [name for name in ("maxF", "MAE") if name in metrics]
    drawn = (usual + [name for name in metrics if name not in usual])[:MOST_METRICS]
    by_set = looks({name: number for number, name in enumerate(sweep.images)})
    weighed = [point for point in sweep.points if point.peak_memory_bytes is not None]
    with new_figure(6.9, 1.9 * len(drawn) + 1.1) as figure:
        panels = figure.subplots(len(drawn), 2, sharex="col", sharey="row", squeeze=False)
        for (by_time, by_memory), metric in zip(panels, drawn, strict=True):
            seconds = [point.total.median for point in sweep.points]
            megabytes = [(point.peak_memory_bytes or 0) / 1e6 for point in weighed]
            for axes, points, x in ((by_time, sweep.points, seconds), (by_memory, weighed, megabytes)):
                for name, look in by_set.items():
                    _line(axes, sweep, points, x, (name, metric), look)
                _write_sizes(axes, points, x, metric)
            by_time.set_ylabel(f"{label(metric).text} {arrow(metric)}")
            by_time.margins(x=0.12, y=0.2)
            by_memory.margins(x=0.12, y=0.2)
        _count_by_ratio(panels[0][0], [point.total.median for point in sweep.points])
        panels[-1][0].set_xlabel("seconds per image, from file to map")
        memory_of = "GPU memory" if sweep.device.startswith("cuda") else "memory of the process"
        panels[-1][1].set_xlabel(f"peak {memory_of} (MB)")
        if not weighed:
            panels[0][1].annotate("not available", (0.5, 0.5), xycoords="axes fraction", ha="center")
        if len(by_set) > 1:
            legend_beside(figure, panels[0][0], "data set")
        figure.suptitle(_title(sweep, processor), x=0.01, ha="left", fontsize=9)
        return save(figure, path, formats)


def _line(
    axes: "Axes",
    sweep: "Sweep",
    points: "Sequence[SizePoint]",
    x: Sequence[float],
    score: tuple[str, str],
    look: Look,
) -> None:
    """One data set's line; `score` is the data set and the metric."""
    name, metric = score
    y = [point.scores[name][metric] for point in points]
    style: dict[str, Any] = {"color": look.colour, "marker": look.marker, "markersize": 5.5}
    text = escape_dollars(f"{name}, {_count(sweep.images[name])}")
    axes.plot(x, y, linestyle=look.dash, linewidth=1.2, markerfacecolor="white", label=text, **style)
    for point, place in zip(points, zip(x, y, strict=True), strict=True):
        if (point.height, point.width) == sweep.input:
            axes.plot(*place, **style)


def _write_sizes(axes: "Axes", points: "Sequence[SizePoint]", x: Sequence[float], metric: str) -> None:
    """Each size once, at the highest of its markers; at the lowest where the size before is too near."""
    from matplotlib.patheffects import withStroke

    above = True
    for number, (point, place) in enumerate(zip(points, x, strict=True)):
        near = number > 0 and place - x[number - 1] < 0.07 * (max(x) - min(x))
        above = not (near and above)
        scores = [s[metric] for s in point.scores.values() if math.isfinite(s[metric])]
        if not scores:
            continue
        axes.annotate(
            str(point.height),
            (place, max(scores) if above else min(scores)),
            (0, 6 if above else -12),
            textcoords="offset points",
            fontsize=7.5,
            ha="center",
            # a halo keeps the number readable where a line crosses it
            path_effects=[withStroke(linewidth=2.5, foreground="white")],
            zorder=4,
        )


def _count(images: int) -> str:
    return f"{images} image{'s' * (images != 1)}"


def _count_by_ratio(axes: "Axes", values: Sequence[float]) -> None:
    """A logarithmic axis where the values span a factor of two: time grows with the square of the size."""
    from matplotlib.ticker import LogLocator

    if not values or max(values) < 2 * min(values):
        return
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.minorticks_off()


def _title(sweep: "Sweep", processor: str) -> str:
    sets = f"{len(sweep.images)} data sets"
    if len(sweep.images) == 1:
        ((name, images),) = sweep.images.items()
        sets = f"{name} ({_count(images)})"
    own = (
        "filled marker: its own size"
        if any((point.height, point.width) == sweep.input for point in sweep.points)
        else f"its own size is {sweep.input[0]} x {sweep.input[1]}"
    )
    return escape_dollars(
        f"{sweep.name} by input size on {sets}, protocol {sweep.protocol}\n"
        f"{processor}, {sweep.precision}, one image at a time; {own}"
    )
