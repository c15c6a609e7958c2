"""The critical-difference diagram: average ranks over data sets, methods that are not told apart joined."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sodbench.report.curves import FORMATS
from sodbench.report.frame import Table
from sodbench.report.labels import label, split_name
from sodbench.report.style import Look, new_figure, plain, save
from sodbench.results.average_ranks import Ranking, rank


def rankings(table: Table) -> dict[str, Ranking]:
    """A ranking a metric, over the data sets on which all measured methods have a comparable score.

    Nothing where there are fewer than two methods or two such data sets.
    """
    measured = table.frame[table.frame["kind"] == "measured"]
    found = {}
    for full in table.metrics:
        better = label(full).better
        scores = measured.pivot_table(index="dataset", columns="method", values=full, aggfunc="first")
        groups = measured.groupby("dataset")["comparable"].nunique()
        scores = scores.loc[[name for name in scores.index if groups[name] == 1]].dropna()
        if better and scores.shape[0] > 1 and scores.shape[1] > 1:
            values = {str(name): list(column) for name, column in scores.items()}
            found[full] = rank(values, better == "up")
    return found


def rank_figure(
    table: Table, looks: Mapping[str, Look], folder: Path, formats: Sequence[str] = FORMATS
) -> list[Path]:
    """Draws the diagram for max F (else the first metric that can be ranked); no files where none can."""
    found = rankings(table)
    if not found:
        return []
    full = next((name for name in found if split_name(name)[0] == "maxF"), next(iter(found)))
    ranking = found[full]
    names = sorted(ranking.ranks, key=lambda name: (ranking.ranks[name], name))
    with new_figure(6.4, 1.3 + 0.26 * len(names)) as figure:
        axes = figure.add_subplot()
        for place, name in enumerate(names):
            look = looks[name]
            axes.plot((1, ranking.ranks[name]), (place, place), color="#d9d9d9", linewidth=0.8, zorder=1)
            axes.plot(ranking.ranks[name], place, look.marker, color=look.colour, zorder=3)
        for number, group in enumerate(ranking.groups()):
            # a bar below the last of the group that joins methods which are not told apart
            ends = ranking.ranks[group[0]], ranking.ranks[group[-1]]
            height = names.index(group[-1]) + 0.32 + 0.12 * (number % 2)
            axes.plot(ends, (height, height), color="black", linewidth=2.6, solid_capstyle="butt", zorder=2)
        axes.set_yticks(range(len(names)), [f"{plain(n)}  {ranking.ranks[n]:.2f}" for n in names])
        axes.set(
            xlim=(0.9, len(names) + 0.1), ylim=(len(names) - 0.2, -0.7), xlabel="average rank (1 is best)"
        )
        axes.grid(axis="y", visible=False)
        metric, protocol = split_name(full)
        friedman = "" if ranking.p_value != ranking.p_value else f", Friedman p = {ranking.p_value:.3g}"
        figure.suptitle(
            f"Average rank by {label(metric).text} over {ranking.datasets} data sets"
            f" (protocol {plain(protocol)})",
            x=0.01,
            ha="left",
            fontsize=10,
        )
        axes.set_title(
            f"bars join methods that are not told apart: critical difference"
            f" {ranking.critical_difference:.2f} at level {ranking.level:g}{friedman}",
            fontsize=8,
            x=1,
            ha="right",
        )
        return save(figure, folder / "ranks", formats)
