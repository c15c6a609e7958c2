"""Precision-recall curves of a data set, with lines of equal F."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sodbench.report.style import Look, looks, new_figure, plain, save
from sodbench.results.names import folder_name
from sodbench.results.record import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BETA_SQUARED = 0.3


def pr_figure(
    runs: Sequence[Run], protocol: str, folder: Path, formats: Sequence[str] = ("svg", "png")
) -> list[Path]:
    """Draws the PR curves of all `runs` (one data set) under `protocol`; returns the files written.

    The curve is that of the mean precision and mean recall over the images at each level.
    """
    drawn = [run for run in runs if protocol in run.tables and _has_curve(run, protocol)]
    if not drawn:
        return []
    styles = looks(sorted(run.name for run in drawn))
    with new_figure() as figure:
        axes = figure.add_subplot()
        lowest = 1.0
        for run in drawn:
            curves = run.tables[protocol].curves
            _draw(axes, run, curves["recall"].to_numpy(), curves["precision"].to_numpy(), styles[run.name])
            lowest = min(lowest, float(curves["precision"].min()))
        _iso_f(axes, max(0.0, lowest - 0.02))
        axes.set(
            xlim=(0, 1), ylim=(max(0.0, lowest - 0.02), 1), xlabel="mean recall", ylabel="mean precision"
        )
        axes.set_title(f"{plain(drawn[0].title)}: precision and recall (protocol {plain(protocol)})")
        axes.legend(loc="lower left")
        return save(figure, folder / f"pr-{folder_name(drawn[0].dataset)}", formats)


def _has_curve(run: Run, protocol: str) -> bool:
    curves = run.tables[protocol].curves
    return len(curves) > 0 and {"precision", "recall"} <= set(curves.columns)


def _draw(axes: "Axes", run: Run, x: object, y: object, look: Look) -> None:
    label = plain(run.name) if run.scored == run.expected else f"{plain(run.name)} ({run.count})"
    axes.plot(x, y, color=look.colour, linestyle=look.dash, label=label)  # type: ignore[arg-type]


def _iso_f(axes: "Axes", bottom: float) -> None:
    """Thin lines of equal F (beta squared .3), named at the right edge."""
    import numpy as np

    for value in np.arange(0.1, 1.0, 0.1):
        # F = (1 + b) P R / (b P + R), solved for P
        recall = np.linspace(0.001, 1, 400)
        below = (1 + BETA_SQUARED) * recall - BETA_SQUARED * value
        precision = np.divide(value * recall, below, out=np.full_like(recall, np.nan), where=below > 0)
        precision[(precision > 1) | (precision < bottom)] = np.nan
        if np.isnan(precision).all():
            continue
        axes.plot(recall, precision, color="#b3b3b3", linewidth=0.6, zorder=1)
        end = np.flatnonzero(~np.isnan(precision))[-1]
        axes.annotate(
            f"F={value:.1f}".replace("0.", "."),
            (recall[end], precision[end]),
            fontsize=6,
            color="#7a7a7a",
            ha="right",
            va="bottom",
        )
