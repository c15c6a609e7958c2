"""The figure of quality against speed, for methods that `sodbench bench` has measured."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sodbench.names import folder_name
from sodbench.reporting.efficiency_columns import EFFICIENCY
from sodbench.reporting.figure_names import shortened
from sodbench.reporting.figure_style import FORMATS, GREY, Look, escape_dollars, new_figure, save
from sodbench.reporting.labels import arrow, label, main_metric, split_name
from sodbench.reporting.table import Table

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

# where a name may stand, (x, y) from the middle of its dot in dot radii and points, the best place first
_PLACES = ((1, 0), (-1, 0), (0, 1), (0, -1), (0.75, 0.75), (0.75, -0.75), (-0.75, 0.75), (-0.75, -0.75))


def speed_figures(
    table: Table, looks: Mapping[str, Mapping[str, Look]], folder: Path, formats: Sequence[str] = FORMATS
) -> dict[str, list[Path]]:
    """Score against images per second, one figure per data set; a dot's area grows with the parameters.

    `looks` are by data set and method. Of many methods, those in colour are named, the fastest ones that no
    other beats in both respects, and the others as far as there is room.
    """
    written: dict[str, list[Path]] = {}
    metric = main_metric(table.metrics)
    for dataset, title, rows in table.datasets():
        measured = rows[(rows["kind"] == "measured") & rows["images_per_second"].notna()]
        if metric is not None and len(measured):
            path = folder / f"speed-{folder_name(dataset)}"
            written[dataset] = _draw(measured, title, metric, looks[dataset], path, formats)
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

    many = any(look.faded for look in looks.values())
    with new_figure(6.4 if many else 4.9, 4.4 if many else 3.7) as figure:
        axes = figure.add_subplot()
        dots = []
        for _, row in rows.iterrows():
            look = looks[str(row["method"])]
            known = row["parameters"] == row["parameters"]
            # a million parameters is a small dot; area grows with the number
            area = 20 + 6 * float(row["parameters"]) / EFFICIENCY["parameters"].unit if known else 30
            where = (float(row["images_per_second"]), float(row[metric]))
            axes.scatter(
                *where, s=area, color=look.colour, marker=look.marker, alpha=0.55,
                edgecolor=GREY if look.faded else "black", zorder=2 if look.faded else 3,
            )  # fmt: skip
            text = escape_dollars(shortened(str(row["method"])))
            if known:
                text += f" {row['parameters'] / EFFICIENCY['parameters'].unit:.1f} M"
            # half the width of the marker in points; a diamond stands on its corner
            reach = area**0.5 / 2 * (2**0.5 if look.marker == "D" else 1)
            dots.append((text, where, reach, look))
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.margins(x=0.1 if many else 0.3, y=0.15 if many else 0.2)
        name, protocol = split_name(metric)
        axes.set(xlabel="images per second", ylabel=f"{label(name).text} {arrow(name)}")
        heading = f"{escape_dollars(title)}: quality and speed (protocol {escape_dollars(protocol)})"
        axes.set_title(f"{heading}\narea and M: millions of parameters", fontsize=9)
        _write_names(axes, dots, higher_is_better=label(name).higher_is_better is not False)
        return save(figure, path, formats)


def _write_names(
    axes: "Axes", dots: Sequence[tuple[str, tuple[float, float], float, Look]], higher_is_better: bool
) -> None:
    """Names the dots (text, place, half the width in points, look) beside names, dots and the frame.

    Names in colour, and of dots that no other beats, come first; a name in colour stands in any case.
    """
    from matplotlib.transforms import Bbox

    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()  # lays the axes out
    sign = 1 if higher_is_better else -1

    def beaten(place: tuple[float, float]) -> bool:
        return any(x > place[0] and sign * (y - place[1]) > 0 for _, (x, y), _, _ in dots)

    taken = []
    for _, place, reach, _ in dots:
        x, y = axes.transData.transform(place)
        radius = reach * figure.dpi / 72
        taken.append(Bbox.from_extents(x - radius, y - radius, x + radius, y + radius))
    inside = axes.get_window_extent()
    for text, place, reach, look in sorted(dots, key=lambda dot: (dot[3].faded, beaten(dot[1]))):
        best: tuple[int, Annotation] | None = None
        for right, up in _PLACES:
            name = _name(axes, text, place, (right * (reach + 4), up * (reach + 4)), look)
            # text is a little wider at another resolution
            box = name.get_window_extent().padded(4, 1)
            outside = not (inside.contains(*box.min) and inside.contains(*box.max))
            covered = 4 * outside + sum(box.overlaps(other) for other in taken)
            if best is None or covered < best[0]:
                if best is not None:
                    best[1].remove()
                best = covered, name
            else:
                name.remove()
            if not covered:
                break
        assert best is not None
        if best[0] and look.faded:
            best[1].remove()
        else:
            taken.append(best[1].get_window_extent().padded(4, 1))


def _name(
    axes: "Axes", text: str, place: tuple[float, float], offset: tuple[float, float], look: Look
) -> "Annotation":
    """The text beside a dot; the offset in points says on which side."""
    return axes.annotate(
        text,
        place,
        offset,
        textcoords="offset points",
        fontsize=7.5,
        color=GREY if look.faded else "black",
        ha={1: "left", 0: "center", -1: "right"}[(offset[0] > 0) - (offset[0] < 0)],
        va={1: "bottom", 0: "center", -1: "top"}[(offset[1] > 0) - (offset[1] < 0)],
    )
