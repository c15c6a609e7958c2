"""Figures of a data set's curves: precision against recall, F and E against the threshold."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sodbench.names import folder_name
from sodbench.reporting.f_curves import f_curve, kind_of
from sodbench.reporting.figure_style import FORMATS, Look, escape_dollars, new_figure, save
from sodbench.results.published import CURVE_OF_MEANS, MEAN_OF_CURVES
from sodbench.results.run import Run, ScoreTableLike, conventions

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GREY = "#6b6b6b"


def pr_figure(
    runs: Sequence[Run],
    protocol: str,
    looks: Mapping[str, Look],
    folder: Path,
    formats: Sequence[str] = FORMATS,
) -> list[Path]:
    """Mean precision against mean recall of all `runs` (one data set), with lines of equal F.

    A marker shows the highest F of each curve. Returns the files written; none without curves.
    """
    drawn = with_curve(runs, protocol, ("precision", "recall"))
    if not drawn:
        return []
    with new_figure(4.6, 3.9) as figure:
        axes = figure.add_subplot()
        lowest = 1.0
        for run in drawn:
            table = run.tables[protocol]
            recall, precision = (table.curves[name].to_numpy(float) for name in ("recall", "precision"))
            look = looks[run.name]
            axes.plot(recall, precision, color=look.colour, linestyle=look.dash, label=legend(run), zorder=3)
            f = f_curve(table, CURVE_OF_MEANS)
            best = 0 if f is None else int(f.argmax())
            _dot(axes, recall[best], precision[best], look)
            lowest = min(lowest, float(precision.min()))
        bottom = max(0.0, lowest // 0.05 * 0.05)
        axes.set(xlim=(0, 1), ylim=(bottom, 1), xlabel="mean recall", ylabel="mean precision")
        _lines_of_equal_f(axes, bottom, drawn[0].tables[protocol])
        axes.set_title(f"{escape_dollars(drawn[0].title)}: precision-recall curves")
        heading = f"protocol {escape_dollars(protocol)}; marker: highest F"
        axes.legend(loc="lower left", title=heading, alignment="left")
        return save(figure, folder / f"pr-{folder_name(drawn[0].dataset)}", formats)


def f_figure(
    runs: Sequence[Run],
    protocol: str,
    looks: Mapping[str, Look],
    folder: Path,
    formats: Sequence[str] = FORMATS,
) -> list[Path]:
    """F against the threshold, both kinds of F curve in one figure; names the one that gives max F."""
    drawn = with_curve(runs, protocol, ("precision", "recall"))
    if not drawn:
        return []
    first = drawn[0].tables[protocol]
    panels = (
        (MEAN_OF_CURVES, "mean of the images' F curves"),
        (CURVE_OF_MEANS, "F of mean precision and mean recall"),
    )
    with new_figure(7.6, 3.6) as figure:
        both = figure.subplots(1, 2, sharey=True)
        for axes, (kind, text) in zip(both, panels, strict=True):
            for run in drawn:
                curve = f_curve(run.tables[protocol], kind)
                if curve is not None:
                    _threshold_curve(axes, run, curve, looks[run.name])
            use = f"gives max F of protocol {escape_dollars(protocol)}"
            if kind != kind_of(first):
                use = f"not used by protocol {escape_dollars(protocol)}"
            axes.set_title(f"{text}\n({use})")
            axes.set(xlim=(0, 1), xlabel="threshold")
        _cut_below(both)
        both[0].set_ylabel(rf"$F_\beta$, $\beta^2 = {conventions(first).f_beta2:g}$")
        both[0].legend(loc="lower center")
        title = f"{escape_dollars(drawn[0].title)}: F-measure by threshold"
        figure.suptitle(title, x=0.01, ha="left", fontsize=10)
        return save(figure, folder / f"f-{folder_name(drawn[0].dataset)}", formats)


def e_figure(
    runs: Sequence[Run],
    protocol: str,
    looks: Mapping[str, Look],
    folder: Path,
    formats: Sequence[str] = FORMATS,
) -> list[Path]:
    """E against the threshold: the mean of the images' E curves."""
    drawn = with_curve(runs, protocol, ("E",))
    if not drawn:
        return []
    with new_figure(4.6, 3.9) as figure:
        axes = figure.add_subplot()
        for run in drawn:
            _threshold_curve(axes, run, run.tables[protocol].curves["E"].to_numpy(float), looks[run.name])
        axes.set(xlim=(0, 1), xlabel="threshold", ylabel="mean E over images")
        _cut_below([axes])
        axes.set_title(f"{escape_dollars(drawn[0].title)}: E-measure by threshold")
        axes.legend(loc="lower center", title=f"protocol {escape_dollars(protocol)}", alignment="left")
        return save(figure, folder / f"e-{folder_name(drawn[0].dataset)}", formats)


def with_curve(runs: Sequence[Run], protocol: str, columns: Sequence[str]) -> list[Run]:
    """The runs that were scored under `protocol` and hold these curves."""
    return [
        run
        for run in runs
        if protocol in run.tables and set(columns) <= set(run.tables[protocol].curves.columns)
    ]


def legend(run: Run) -> str:
    """A run's name in a legend, with its count where images are missing."""
    return escape_dollars(run.name if run.scored == run.expected else f"{run.name} ({run.count})")


def _threshold_curve(axes: "Axes", run: Run, curve: NDArray[np.float64], look: Look) -> None:
    # level k of 255 or 256 stands for the threshold k / 255
    threshold = np.arange(len(curve)) / 255
    axes.plot(threshold, curve, color=look.colour, linestyle=look.dash, label=legend(run))
    best = int(curve.argmax())
    _dot(axes, threshold[best], curve[best], look)


def _dot(axes: "Axes", x: float, y: float, look: Look) -> None:
    axes.plot(x, y, look.marker, color=look.colour, markeredgecolor="white", zorder=4)


def _cut_below(panels: "Sequence[Axes]") -> None:
    """Starts the axis below the curves; their steep ends may be cut."""
    lowest = 1.0
    for axes in panels:
        for line in axes.get_lines():
            values = np.asarray(line.get_ydata(), dtype=float)
            if len(values) > 1:
                lowest = min(lowest, float(values[5:-5].min()))
    for axes in panels:
        axes.set_ylim(max(0.0, (lowest - 0.05) // 0.1 * 0.1), 1)


def _lines_of_equal_f(axes: "Axes", bottom: float, table: ScoreTableLike) -> None:
    """Thin lines of equal F, labelled outside the right edge."""
    beta2, epsilon = conventions(table).f_beta2, conventions(table).f_epsilon
    recall = np.linspace(0.001, 1, 500)
    for value in np.arange(0.1, 1.0, 0.1):
        # F = (1 + b) P R / (b P + R + e), solved for P
        divisor = (1 + beta2) * recall - beta2 * value
        precision = np.divide(
            value * (recall + epsilon), divisor, out=np.full_like(recall, np.nan), where=divisor > 0
        )
        precision[(precision > 1.05) | (precision < bottom)] = np.nan
        axes.plot(recall, precision, color="#a8a8a8", linewidth=0.6, zorder=1)
        if precision[-1] > bottom:
            place = (1.012, float(precision[-1]))
            text = f"F = .{round(value * 10)}"
            axes.annotate(text, place, fontsize=7, color=_GREY, va="center", annotation_clip=False)
