"""All figures of a report: the kinds there are, and the files that each data set gets."""

from collections.abc import Collection, Sequence
from pathlib import Path

from sodbench.reporting.attribute_figure import attribute_figure
from sodbench.reporting.curve_figures import e_figure, f_figure, pr_figure
from sodbench.reporting.figure_style import FORMATS, looks
from sodbench.reporting.image_score_figures import distribution_figure, size_figure
from sodbench.reporting.labels import protocols_of
from sodbench.reporting.rank_figure import rank_figure
from sodbench.reporting.reliability_figure import reliability_figure
from sodbench.reporting.speed_figure import speed_figures
from sodbench.reporting.table import Table
from sodbench.results.breakdown import Breakdown
from sodbench.results.run import Run

# one figure per data set, drawn from its runs
_OF_RUNS = {
    "pr": pr_figure,
    "f": f_figure,
    "e": e_figure,
    "reliability": reliability_figure,
    "distribution": distribution_figure,
    "size": size_figure,
}
# every kind of figure, with its name for readers
KINDS = {
    "pr": "precision and recall",
    "f": "F by threshold",
    "e": "E by threshold",
    "reliability": "reliability diagram",
    "distribution": "scores per image",
    "size": "score by object size",
    "speed": "quality and speed",
    "ranks": "average ranks",
    "attributes": "scores by attribute",
}


def draw(
    runs: Sequence[Run],
    table: Table,
    folder: Path,
    kinds: Collection[str] = tuple(KINDS),
    formats: Sequence[str] = FORMATS,
    breakdowns: Sequence[Breakdown] = (),
) -> dict[str, dict[str, list[Path]]]:
    """Draws the chosen kinds for every data set of the table: {data set: {kind: files}}.

    The average ranks belong to no single data set; their key is "". A method looks the same in all figures.
    Curves are those of the table's first protocol. Scores by attribute are drawn for the `breakdowns`.
    """
    styles = looks(sorted({run.name for run in runs}))
    protocols = protocols_of(table.metrics)
    files: dict[str, dict[str, list[Path]]] = {}
    for dataset, _, rows in table.datasets():
        order = [name for name, kind in zip(rows["method"], rows["kind"], strict=True) if kind == "measured"]
        of_set = [run for run in runs if run.dataset == dataset and run.name in order]
        of_set.sort(key=lambda run: order.index(run.name))
        files[dataset] = {
            kind: _OF_RUNS[kind](of_set, protocols[0], styles, folder, formats)
            for kind in kinds
            if kind in _OF_RUNS and protocols
        }
    if "speed" in kinds:
        for dataset, paths in speed_figures(table, styles, folder, formats).items():
            files[dataset]["speed"] = paths
    for breakdown in breakdowns if "attributes" in kinds else ():
        if paths := attribute_figure(breakdown, styles, folder, formats):
            files[breakdown.dataset]["attributes"] = paths
    if "ranks" in kinds and (paths := rank_figure(table, styles, folder, formats)):
        files[""] = {"ranks": paths}
    return files
