"""Figures of a data set's curves: precision against recall, F and E against the threshold."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sodbench.names import folder_name
from sodbench.reporting.f_curves import f_curve, kind_of
from sodbench.reporting.figure_names import LETTERS, shortened
from sodbench.reporting.figure_style import (
    FORMATS,
    GREY,
    Look,
    escape_dollars,
    legend_beside,
    new_figure,
    save,
)
from sodbench.results.published import CURVE_OF_MEANS, MEAN_OF_CURVES
from sodbench.results.run import Run, ScoreTableLike, conventions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


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
    with new_figure(4.7, 3.9) as figure:
        axes = figure.add_subplot()
        lowest = 1.0
        for run in drawn:
            table = run.tables[protocol]
            recall, precision = (table.curves[name].to_numpy(float) for name in ("recall", "precision"))
            f = f_curve(table, CURVE_OF_MEANS)
            best = 0 if f is None else int(f.argmax())
            _curve(axes, run, (recall, precision), best, looks[run.name])
            lowest = min(lowest, float(precision.min()))
        bottom = max(0.0, lowest // 0.05 * 0.05)
        axes.set(xlim=(0, 1), ylim=(bottom, 1), xlabel="mean recall", ylabel="mean precision")
        _lines_of_equal_f(axes, bottom, drawn[0].tables[protocol])
        axes.set_title(f"{escape_dollars(drawn[0].title)}: precision-recall curves")
        _legend(figure, axes, protocol, "marker: highest F", looks, drawn)
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
        _legend(figure, both[0], protocol, "marker: highest F", looks, drawn)
        title = f"{escape_dollars(drawn[0].title)}: F-measure curves"
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
    with new_figure(4.7, 3.9) as figure:
        axes = figure.add_subplot()
        for run in drawn:
            _threshold_curve(axes, run, run.tables[protocol].curves["E"].to_numpy(float), looks[run.name])
        axes.set(xlim=(0, 1), xlabel="threshold", ylabel="mean E over images")
        _cut_below([axes])
        axes.set_title(f"{escape_dollars(drawn[0].title)}: E-measure curves")
        _legend(figure, axes, protocol, "marker: highest E", looks, drawn)
        return save(figure, folder / f"e-{folder_name(drawn[0].dataset)}", formats)


def with_curve(runs: Sequence[Run], protocol: str, columns: Sequence[str]) -> list[Run]:
    """The runs that were scored under `protocol` and hold these curves."""
    return [
        run
        for run in runs
        if protocol in run.tables and set(columns) <= set(run.tables[protocol].curves.columns)
    ]


def legend(run: Run) -> str:
    """A run's name in a legend, in lines of up to 30 letters, with its count where images are missing."""
    return escape_dollars(fill(_with_count(run), 30))


def short_name(run: Run, letters: int = LETTERS) -> str:
    """A run's name beside its row or line, cut where it is long, with its count where images are missing."""
    return escape_dollars(shortened(_with_count(run), letters))


def _with_count(run: Run) -> str:
    return run.name if run.scored == run.expected else f"{run.name} ({run.count})"


def _threshold_curve(axes: "Axes", run: Run, curve: NDArray[np.float64], look: Look) -> None:
    # level k of 255 or 256 stands for the threshold k / 255
    _curve(axes, run, (np.arange(len(curve)) / 255, curve), int(curve.argmax()), look)


def _curve(
    axes: "Axes", run: Run, points: tuple[NDArray[np.float64], NDArray[np.float64]], best: int, look: Look
) -> None:
    """One method's line with a marker at its best point; a faded one is thin, behind, and has no marker."""
    if look.faded:
        axes.plot(*points, color=look.colour, linewidth=0.8, zorder=2)
        return
    axes.plot(
        *points, color=look.colour, linestyle=look.dash, marker=look.marker, markevery=[best],
        markeredgecolor="white", label=legend(run), zorder=3,
    )  # fmt: skip


def _legend(
    figure: "Figure",
    axes: "Axes",
    protocol: str,
    marker: str,
    looks: Mapping[str, Look],
    drawn: Sequence[Run],
) -> None:
    heading = f"protocol {escape_dollars(protocol)}\n{marker}"
    legend_beside(figure, axes, heading, sum(looks[run.name].faded for run in drawn))


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
        axes.plot(recall, precision, color="#8c8c8c", linewidth=0.6, linestyle=(0, (1, 2)), zorder=1)
        if precision[-1] > bottom:
            place = (1.012, float(precision[-1]))
            text = f"F = .{round(value * 10)}"
            axes.annotate(text, place, fontsize=7, color=GREY, va="center", annotation_clip=False)
