"""The reliability diagram: share of object against the map's value, and how many pixels have which value."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sodbench.metrics.aggregate import divided
from sodbench.metrics.families.calibration import BINS, CURVES, OBJECT, PIXELS, reliability
from sodbench.names import folder_name
from sodbench.reporting.curve_figures import legend, with_curve
from sodbench.reporting.figure_style import (
    FORMATS,
    GREY,
    Look,
    escape_dollars,
    legend_beside,
    new_figure,
    save,
)
from sodbench.results.resampling import bootstrap
from sodbench.results.run import Run, ScoreTableLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RESAMPLES = 500
_LOWEST_SHARE = 1e-4  # where the axis of the pixels starts, unless a bin holds fewer


def reliability_figure(
    runs: Sequence[Run],
    protocol: str,
    looks: Mapping[str, Look],
    folder: Path,
    formats: Sequence[str] = FORMATS,
    intervals: bool = False,
) -> list[Path]:
    """The share of object against the mean value of each of 15 bins, and the pixels that the bins hold.

    With `intervals`, a band is a 95 % bootstrap interval over images, drawn where the curves of the images
    were kept. Returns the files written; none where no run recorded its calibration.
    """
    drawn = with_curve(runs, protocol, CURVES)
    if not drawn:
        return []
    with new_figure(4.9, 5.4) as figure:
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2.7, 1))
        above.plot((0, 1), (0, 1), color=GREY, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
        heading = f"protocol {escape_dollars(protocol)}"
        for run in drawn:
            _diagram(above, run, run.tables[protocol], looks[run.name], intervals)
            _pixels(below, run.tables[protocol], looks[run.name])
        if above.collections:
            heading += "\nbands: 95 % intervals"
        turned = {"rotation": 45, "rotation_mode": "anchor", "transform_rotates_text": True}
        above.text(0.03, 0.045, "calibrated", color=GREY, fontsize=7.5, **turned)
        above.set(xlim=(0, 1), ylim=(0, 1), ylabel="share of object")
        above.set_title(f"{escape_dollars(drawn[0].title)}: reliability of the map as a probability")
        below.set_yscale("log")
        lowest = min(_LOWEST_SHARE, *(float(line.get_ydata().min()) for line in below.get_lines()))
        below.set(ylim=(lowest, 1), ylabel="share of the pixels", xlabel="value of the map / 255, in 15 bins")
        ticks = [tick for tick in 10.0 ** np.arange(-8, 1) if tick >= lowest]
        below.set_yticks(ticks, [f"{100 * tick:g} %" for tick in ticks])
        below.set_yticks([], minor=True)
        # beside the diagram: curves may run anywhere in it
        legend_beside(figure, above, heading, sum(looks[run.name].faded for run in drawn))
        return save(figure, folder / f"reliability-{folder_name(drawn[0].dataset)}", formats)


def bands(table: ScoreTableLike, resamples: int = RESAMPLES) -> NDArray[np.float64] | None:
    """The 95 % bootstrap interval of the share of object in each bin (2 x 15: low, high).

    NaN in an empty bin; None where the curves of the images were not kept.
    """
    kept = table.image_curves
    if not kept or not set(CURVES) <= set(kept):
        return None
    pixels, objects = (np.asarray(kept[name], np.float64) for name in (PIXELS, OBJECT))

    def frequencies(counts: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        frequency = divided(counts @ objects, counts @ pixels)
        return {str(number): frequency[:, number] for number in range(BINS)}

    found = bootstrap(frequencies, len(pixels), resamples, method="percentile")
    return np.array([[found[str(number)].low, found[str(number)].high] for number in range(BINS)]).T


def _diagram(axes: "Axes", run: Run, table: ScoreTableLike, look: Look, intervals: bool) -> None:
    x, frequency, share = reliability({name: table.curves[name].to_numpy(float) for name in CURVES})
    some = share > 0
    if look.faded:
        axes.plot(x[some], frequency[some], color=look.colour, linewidth=0.8, zorder=2)
        return
    band = bands(table) if intervals else None
    if band is not None:
        axes.fill_between(x[some], *band[:, some], color=look.colour, alpha=0.16, linewidth=0, zorder=2)
    error = float(table.scores["ECE"])
    axes.plot(
        x[some], frequency[some], color=look.colour, linestyle=look.dash, marker=look.marker, markersize=3.5,
        linewidth=1.4, clip_on=False, label=f"{legend(run)}: ECE {error:.3f}", zorder=3,
    )  # fmt: skip


def _pixels(axes: "Axes", table: ScoreTableLike, look: Look) -> None:
    share = table.curves[PIXELS].to_numpy(float)[:BINS]
    share = np.where(share > 0, share, np.nan)
    edges = np.arange(BINS + 1) / BINS
    axes.step(
        edges,
        np.append(share, share[-1]),
        where="post",
        color=look.colour,
        linestyle=look.dash,
        linewidth=0.8 if look.faded else 1.4,
        zorder=2 if look.faded else 3,
    )
