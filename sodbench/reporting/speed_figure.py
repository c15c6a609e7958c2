"""The figure of quality against speed, for methods that `sodbench bench` has measured."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sodbench.names import folder_name
from sodbench.reporting.efficiency_columns import EFFICIENCY
from sodbench.reporting.figure_style import FORMATS, Look, escape_dollars, new_figure, save
from sodbench.reporting.labels import arrow, label, split_name
from sodbench.reporting.table import Table

if TYPE_CHECKING:
    import pandas as pd


def speed_figures(
    table: Table, looks: Mapping[str, Look], folder: Path, formats: Sequence[str] = FORMATS
) -> dict[str, list[Path]]:
    """Score against images per second, one figure per data set; a dot's area grows with the parameters."""
    written: dict[str, list[Path]] = {}
    for dataset, title, rows in table.datasets():
        measured = rows[(rows["kind"] == "measured") & rows["images_per_second"].notna()]
        metric = next((m for m in table.metrics if split_name(m)[0] == "maxF"), None) or next(
            iter(table.metrics), None
        )
        if metric is not None and len(measured):
            path = folder / f"speed-{folder_name(dataset)}"
            written[dataset] = _draw(measured, title, metric, looks, path, formats)
    return written


def _draw(
    rows: "pd.DataFrame",
    title: str,
    metric: str,
    looks: Mapping[str, Look],
    path: Path,
    formats: Sequence[str],
) -> list[Path]:
    from matplotlib.ticker import LogLocator, NullFormatter

    with new_figure(4.6, 3.6) as figure:
        axes = figure.add_subplot()
        for _, row in rows.iterrows():
            look = looks[str(row["method"])]
            known = row["parameters"] == row["parameters"]
            # a million parameters is a small dot; area grows with the number
            area = 20 + 6 * float(row["parameters"]) / EFFICIENCY["parameters"].unit if known else 30
            where = (float(row["images_per_second"]), float(row[metric]))
            axes.scatter(*where, s=area, color=look.colour, marker=look.marker, alpha=0.55, edgecolor="black")
            text = escape_dollars(str(row["method"]))
            if known:
                text += f"\n{row['parameters'] / EFFICIENCY['parameters'].unit:.1f} M"
            offset = (area**0.5 / 2 + 5, 0)  # outside the dot, whose area is in square points
            axes.annotate(text, where, offset, textcoords="offset points", fontsize=7.5, va="center")
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.margins(x=0.3, y=0.2)
        name, protocol = split_name(metric)
        axes.set(xlabel="images per second", ylabel=f"{label(name).text} {arrow(name)}")
        axes.set_title(f"{escape_dollars(title)}: quality and speed (protocol {escape_dollars(protocol)})")
        return save(figure, path, formats)
