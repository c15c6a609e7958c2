"""Curves of a data set: precision against recall, F and E against the threshold.

Toolkits make the F curve in two ways that give different maxima: the mean over images of each image's F
curve, and F of the mean precision and mean recall. Figures name the one they show.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodbench.metrics.families.f_measure import f_of
from sodbench.names import folder_name
from sodbench.report.style import Look, new_figure, plain, save
from sodbench.results.published import CURVE_OF_MEANS, MEAN_OF_CURVES
from sodbench.results.run import Run, ScoreTableLike, conventions

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes

    Array = np.ndarray[Any, np.dtype[np.floating[Any]]]

FORMATS = ("svg", "png", "pdf")
_GREY = "#6b6b6b"


def pr_figure(
    runs: Sequence[Run],
    protocol: str,
    looks: Mapping[str, Look],
    folder: Path,
    formats: Sequence[str] = FORMATS,
) -> list[Path]:
    """Mean precision against mean recall of all `runs` (one data set), with lines of equal F.

    A dot marks each curve's highest F. Returns the files written, none without curves.
    """
    drawn = with_curve(runs, protocol, ("precision", "recall"))
    if not drawn:
        return []
    beta_squared = beta_squared_of(drawn[0].tables[protocol])
    with new_figure(4.6, 3.9) as figure:
        axes = figure.add_subplot()
        lowest = 1.0
        for run in drawn:
            curves = run.tables[protocol].curves
            recall, precision = curves["recall"].to_numpy(float), curves["precision"].to_numpy(float)
            look = looks[run.name]
            axes.plot(recall, precision, color=look.colour, linestyle=look.dash, label=legend(run), zorder=3)
            best = int(f_of(precision, recall, beta_squared).argmax())
            axes.plot(
                recall[best],
                precision[best],
                look.marker,
                color=look.colour,
                markeredgecolor="white",
                zorder=4,
            )
            lowest = min(lowest, float(precision.min()))
        bottom = max(0.0, lowest // 0.05 * 0.05)
        axes.set(xlim=(0, 1), ylim=(bottom, 1), xlabel="mean recall", ylabel="mean precision")
        _iso_f(axes, bottom, beta_squared)
        axes.set_title(f"{plain(drawn[0].title)}: precision-recall curves")
        axes.legend(loc="lower left", title=f"protocol {plain(protocol)}, dots: highest F", alignment="left")
        return save(figure, folder / f"pr-{folder_name(drawn[0].dataset)}", formats)


def f_figure(
    runs: Sequence[Run],
    protocol: str,
    looks: Mapping[str, Look],
    folder: Path,
    formats: Sequence[str] = FORMATS,
) -> list[Path]:
    """F against the threshold in both families side by side; says which one is the protocol's max F."""
    drawn = with_curve(runs, protocol, ("precision", "recall"))
    if not drawn:
        return []
    own = family_of(drawn[0].tables[protocol])
    panels = (
        (MEAN_OF_CURVES, "mean over images of each image's F curve"),
        (CURVE_OF_MEANS, "F of mean precision and mean recall"),
    )
    with new_figure(7.6, 3.6) as figure:
        both = figure.subplots(1, 2, sharey=True)
        for axes, (family, text) in zip(both, panels, strict=True):
            for run in drawn:
                curve = f_curve(run.tables[protocol], family)
                if curve is not None:
                    _threshold_curve(axes, run, curve, looks[run.name])
            said = f"max F of protocol {plain(protocol)}" if family == own else "the other family of max F"
            axes.set_title(f"{text}\n({said})")
            axes.set(xlim=(0, 1), xlabel="threshold")
        _zoom(both)
        both[0].set_ylabel(rf"$F_\beta$, $\beta^2 = {beta_squared_of(drawn[0].tables[protocol]):g}$")
        both[0].legend(loc="lower center")
        figure.suptitle(f"{plain(drawn[0].title)}: F-measure by threshold", x=0.01, ha="left", fontsize=10)
        return save(figure, folder / f"f-{folder_name(drawn[0].dataset)}", formats)


def e_figure(
    runs: Sequence[Run],
    protocol: str,
    looks: Mapping[str, Look],
    folder: Path,
    formats: Sequence[str] = FORMATS,
) -> list[Path]:
    """E against the threshold: the mean over images of each image's E curve."""
    drawn = with_curve(runs, protocol, ("E",))
    if not drawn:
        return []
    with new_figure(4.6, 3.9) as figure:
        axes = figure.add_subplot()
        for run in drawn:
            _threshold_curve(axes, run, run.tables[protocol].curves["E"].to_numpy(float), looks[run.name])
        axes.set(xlim=(0, 1), xlabel="threshold", ylabel="mean over images of E")
        _zoom([axes])
        axes.set_title(f"{plain(drawn[0].title)}: E-measure by threshold")
        axes.legend(loc="lower center", title=f"protocol {plain(protocol)}", alignment="left")
        return save(figure, folder / f"e-{folder_name(drawn[0].dataset)}", formats)


def f_curve(table: ScoreTableLike, family: str) -> "Array | None":
    """The F curve of one family, from what the record holds; None where it holds too little."""
    curves = table.curves
    beta_squared = beta_squared_of(table)
    if family == CURVE_OF_MEANS:
        return f_of(curves["precision"].to_numpy(float), curves["recall"].to_numpy(float), beta_squared)
    if family_of(table) == MEAN_OF_CURVES and "F" in curves:
        recorded: Array = curves["F"].to_numpy(float)
        return recorded
    images = table.image_curves
    if images is None or not {"precision", "recall"} <= set(images):
        return None
    mean: Array = f_of(images["precision"], images["recall"], beta_squared).mean(axis=0, dtype=float)
    return mean


def with_curve(runs: Sequence[Run], protocol: str, columns: Sequence[str]) -> list[Run]:
    """The runs that were scored under `protocol` and hold these curves."""
    return [
        run
        for run in runs
        if protocol in run.tables and set(columns) <= set(run.tables[protocol].curves.columns)
    ]


def legend(run: Run) -> str:
    """A run's name in a legend, with its count where images are missing."""
    return plain(run.name if run.scored == run.expected else f"{run.name} ({run.count})")


def family_of(table: ScoreTableLike) -> str:
    """Which F curve the table's protocol takes max F from."""
    means = getattr(conventions(table), "f_average", "images") == "means"
    return CURVE_OF_MEANS if means else MEAN_OF_CURVES


def beta_squared_of(table: ScoreTableLike) -> float:
    """The beta^2 of the table's protocol; the field's .3 where the record does not say."""
    return float(getattr(conventions(table), "f_beta2", 0.3))


def _threshold_curve(axes: "Axes", run: Run, curve: "Array", look: Look) -> None:
    import numpy as np

    # level k of 255 or 256 stands for the threshold k / 255
    threshold = np.arange(len(curve)) / 255
    axes.plot(threshold, curve, color=look.colour, linestyle=look.dash, label=legend(run))
    best = int(curve.argmax())
    axes.plot(threshold[best], curve[best], look.marker, color=look.colour, markeredgecolor="white", zorder=4)


def _zoom(panels: "Sequence[Axes]") -> None:
    """Cuts the empty lower part; curves drop steeply at their ends, which may be cut too."""
    import numpy as np

    lowest = 1.0
    for axes in panels:
        for line in axes.get_lines():
            values = np.asarray(line.get_ydata(), dtype=float)
            if len(values) > 1:
                lowest = min(lowest, float(values[5:-5].min()))
    for axes in panels:
        axes.set_ylim(max(0.0, (lowest - 0.05) // 0.1 * 0.1), 1)


def _iso_f(axes: "Axes", bottom: float, beta_squared: float) -> None:
    """Thin lines of equal F, named outside the right edge."""
    import numpy as np

    for value in np.arange(0.1, 1.0, 0.1):
        # F = (1 + b) P R / (b P + R), solved for P
        recall = np.linspace(0.001, 1, 500)
        below = (1 + beta_squared) * recall - beta_squared * value
        precision = np.divide(value * recall, below, out=np.full_like(recall, np.nan), where=below > 0)
        precision[(precision > 1.05) | (precision < bottom)] = np.nan
        axes.plot(recall, precision, color="#a8a8a8", linewidth=0.6, zorder=1)
        if precision[-1] > bottom:
            where = (1.012, float(precision[-1]))
            text = f"F = .{round(value * 10)}"
            axes.annotate(text, where, fontsize=7, color=_GREY, va="center", annotation_clip=False)
