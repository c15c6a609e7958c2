"""All figures of a report: the kinds there are, and the files that each data set gets."""

from collections.abc import Collection, Sequence
from pathlib import Path

from sodbench.reporting.attribute_figure import attribute_figure
from sodbench.reporting.curve_figures import e_figure, f_figure, pr_figure
from sodbench.reporting.distribution_figure import distribution_figure
from sodbench.reporting.figure_style import FORMATS, faded_beyond_best, look_numbers, looks
from sodbench.reporting.labels import main_metric, protocols_of
from sodbench.reporting.method_order import best_first
from sodbench.reporting.rank_figure import rank_figure
from sodbench.reporting.reliability_figure import reliability_figure
from sodbench.reporting.size_figure import size_figure
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
_WITH_INTERVALS = ("reliability", "size")
# every kind of figure, with its name for readers
KINDS = {
    "pr": "precision and recall",
    "f": "F-measure curves",
    "e": "E-measure curves",
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
    intervals: bool = False,
) -> dict[str, dict[str, list[Path]]]:
    """Draws the chosen kinds for every data set of the table: {data set: {kind: files}}.

    The average ranks belong to no single data set; their key is "". Methods are in the order of max F, or
    else of the table's first metric, and look the same in all figures; of more than eight on a data set, the
    best five are in colour. Curves are those of the table's first protocol. Scores by attribute are drawn for
    the `breakdowns`. `intervals` adds 95 % confidence intervals to these, to the scores by object size and to
    the reliability diagram.
    """
    protocols = protocols_of(table.metrics)
    ranked: dict[str, list[Run]] = {}
    for dataset, _, rows in table.datasets():
        shown = {name for name, kind in zip(rows["method"], rows["kind"], strict=True) if kind == "measured"}
        of_set = [run for run in runs if run.dataset == dataset and run.name in shown]
        ranked[dataset] = best_first(of_set, main_metric(table.metrics))
    names = {dataset: [run.name for run in of_set] for dataset, of_set in ranked.items()}
    styles = looks(look_numbers(list(names.values())))
    by_set = {dataset: faded_beyond_best(styles, ranking) for dataset, ranking in names.items()}
    options = {kind: {"intervals": intervals} for kind in _WITH_INTERVALS}
    files: dict[str, dict[str, list[Path]]] = {}
    for dataset, of_set in ranked.items():
        files[dataset] = {
            kind: _OF_RUNS[kind](
                of_set, protocols[0], by_set[dataset], folder, formats, **options.get(kind, {})
            )
            for kind in kinds
            if kind in _OF_RUNS and protocols
        }
    if "speed" in kinds:
        for dataset, paths in speed_figures(table, by_set, folder, formats).items():
            files[dataset]["speed"] = paths
    for breakdown in breakdowns if "attributes" in kinds else ():
        of_set_styles = by_set[breakdown.dataset]
        if paths := attribute_figure(breakdown, of_set_styles, folder, formats, intervals=intervals):
            files[breakdown.dataset]["attributes"] = paths
    if "ranks" in kinds and (paths := rank_figure(table, styles, folder, formats)):
        files[""] = {"ranks": paths}
    return files
