"""All figures of a report, a folder of files: which kinds there are and what each data set gets."""

from collections.abc import Sequence
from pathlib import Path

from sodbench.report.curves import FORMATS, e_figure, f_figure, pr_figure
from sodbench.report.distributions import distribution_figure, size_figure
from sodbench.report.frame import Table
from sodbench.report.labels import protocols_of
from sodbench.report.ranks import rank_figure
from sodbench.report.speed import speed_figures
from sodbench.report.style import looks
from sodbench.results.run import Run

KINDS = {
    "pr": pr_figure,
    "f": f_figure,
    "e": e_figure,
    "distribution": distribution_figure,
    "size": size_figure,
}


def draw(
    runs: Sequence[Run],
    table: Table,
    folder: Path,
    kinds: Sequence[str] = (*KINDS, "speed", "ranks"),
    formats: Sequence[str] = FORMATS,
) -> dict[str, dict[str, list[Path]]]:
    """Draws the chosen kinds for every data set of the table: {data set: {kind: files}}.

    What belongs to no single data set (the ranks) is under "".
    A method has the same look in all of them. Curves are drawn under the table's first protocol.
    """
    styles = looks(sorted({run.name for run in runs}))
    protocols = protocols_of(table.metrics)
    found: dict[str, dict[str, list[Path]]] = {}
    for dataset, _, rows in table.datasets():
        order = [name for name, kind in zip(rows["method"], rows["kind"], strict=True) if kind == "measured"]
        of_set = [run for run in runs if run.dataset == dataset and run.name in order]
        of_set.sort(key=lambda run: order.index(run.name))
        found[dataset] = {
            kind: KINDS[kind](of_set, protocols[0], styles, folder, formats)
            for kind in kinds
            if kind in KINDS and protocols
        }
    if "speed" in kinds:
        for dataset, files in speed_figures(table, styles, folder, formats).items():
            found[dataset]["speed"] = files
    if "ranks" in kinds and (files := rank_figure(table, styles, folder, formats)):
        found[""] = {"ranks": files}
    return found
