"""The figure of `sodbench bench sweep`: scores by seconds per image and by memory, at each input size."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sodbench.reporting.figure_style import FORMATS, Look, escape_dollars, looks, new_figure, save
from sodbench.reporting.labels import arrow, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sodbench.size_sweep import Sweep

MOST_METRICS = 2  # rows of the figure; the table shows the others


def sweep_figure(
    sweep: "Sweep", metrics: Sequence[str], processor: str, path: Path, formats: Sequence[str] = FORMATS
) -> list[Path]:
    """Writes `path` with each format's ending: one row per score, against time and against memory.

    At most two of `metrics` are drawn: max F and MAE where they are among them, else the first ones. Each
    dot is an input size; a line joins those of one data set. Time is the median round's.
    """
    usual = [name for name in ("maxF", "MAE") if name in metrics]
    drawn = (usual + [name for name in metrics if name not in usual])[:MOST_METRICS]
    by_set = looks(list(sweep.images))
    measured = [point for point in sweep.points if point.peak_memory_bytes is not None]
    memory_of = "GPU" if sweep.device.startswith("cuda") else "process"
    with new_figure(6.9, 2.2 * len(drawn) + 0.9) as figure:
        panels = figure.subplots(len(drawn), 2, sharex="col", sharey="row", squeeze=False)
        for row, metric in zip(panels, drawn, strict=True):
            for name, look in by_set.items():
                scores = [point.scores[name][metric] for point in sweep.points]
                sizes = [str(point.height) for point in sweep.points]
                total = [point.total.median for point in sweep.points]
                _line(row[0], total, scores, sizes, look, name)
                memory = [(point.peak_memory_bytes or 0) / 1e6 for point in measured]
                kept = [point.scores[name][metric] for point in measured]
                _line(row[1], memory, kept, [str(point.height) for point in measured], look, name)
            row[0].set_ylabel(f"{label(metric).text} {arrow(metric)}")
        panels[-1][0].set_xlabel("seconds per image, file to map (median)")
        panels[-1][1].set_xlabel(f"peak memory of the {memory_of} (MB)")
        return save(figure, path, formats)


def _line(
    axes: "Axes", x: Sequence[float], y: Sequence[float], sizes: Sequence[str], look: Look, name: str
) -> None:
    axes.plot(x, y, color=look.colour, linestyle=look.dash, marker=look.marker, label=escape_dollars(name))
    for place, size in zip(zip(x, y, strict=True), sizes, strict=True):
        axes.annotate(size, place, (0, 6), textcoords="offset points", fontsize=7.5, ha="center")
