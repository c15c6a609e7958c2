"""The critical-difference diagram: average ranks over data sets; bars join methods that do not differ."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sodbench.reporting.figure_names import shortened
from sodbench.reporting.figure_style import (
    FORMATS,
    MOST_COLOURED,
    Look,
    escape_dollars,
    faded_beyond_best,
    new_figure,
    save,
)
from sodbench.reporting.labels import label, main_metric, split_name
from sodbench.reporting.table import Table
from sodbench.results.average_ranks import Ranking, rank


def rankings(table: Table) -> dict[str, Ranking]:
    """One ranking per metric, over the data sets on which all measured methods have comparable scores.

    Metrics with fewer than two methods or fewer than two such data sets have none.
    """
    measured = table.frame[table.frame["kind"] == "measured"]
    ranked = {}
    for full in table.metrics:
        higher_is_better = label(full).higher_is_better
        scores = measured.pivot_table(index="dataset", columns="method", values=full, aggfunc="first")
        groups = measured.groupby("dataset")["comparable"].nunique()
        scores = scores.loc[[name for name in scores.index if groups[name] == 1]].dropna()
        if higher_is_better is not None and scores.shape[0] > 1 and scores.shape[1] > 1:
            values = {str(name): list(column) for name, column in scores.items()}
            ranked[full] = rank(values, higher_is_better)
    return ranked


def rank_figure(
    table: Table, looks: Mapping[str, Look], folder: Path, formats: Sequence[str] = FORMATS
) -> list[Path]:
    """Draws the diagram for max F (else the first metric that can be ranked); no files where none can."""
    ranked = rankings(table)
    full = main_metric(list(ranked))
    if full is None:
        return []
    ranking = ranked[full]
    names = sorted(ranking.ranks, key=lambda name: (ranking.ranks[name], name))
    styles = faded_beyond_best(looks, names)
    with new_figure(6.4, 1.3 + (0.26 if len(names) <= MOST_COLOURED else 0.2) * len(names)) as figure:
        axes = figure.add_subplot()
        for place, name in enumerate(names):
            look = styles[name]
            axes.plot((1, ranking.ranks[name]), (place, place), color="#d9d9d9", linewidth=0.8, zorder=1)
            axes.plot(ranking.ranks[name], place, look.marker, color=look.colour, zorder=3, clip_on=False)
        for number, group in enumerate(ranking.groups()):
            # the bar lies below the last method of its group
            ends = ranking.ranks[group[0]], ranking.ranks[group[-1]]
            height = names.index(group[-1]) + 0.32 + 0.12 * (number % 2)
            axes.plot(ends, (height, height), color="black", linewidth=2.6, solid_capstyle="butt", zorder=2)
        axes.set_yticks(
            range(len(names)), [f"{escape_dollars(shortened(n))}  {ranking.ranks[n]:.2f}" for n in names]
        )
        axes.set(
            xlim=(0.9, len(names) + 0.1), ylim=(len(names) - 0.2, -0.7), xlabel="average rank (1 is best)"
        )
        axes.grid(axis="y", visible=False)
        metric, protocol = split_name(full)
        friedman = "" if ranking.p_value != ranking.p_value else f", Friedman p = {ranking.p_value:.3g}"
        figure.suptitle(
            f"Average rank by {label(metric).text} over {ranking.datasets} data sets"
            f" (protocol {escape_dollars(protocol)})\n"
            f"bars join methods without a significant difference\n(critical difference"
            f" {ranking.critical_difference:.2f} at level {ranking.level:g}{friedman})",
            x=0.01,
            ha="left",
            fontsize=8.5,
        )
        return save(figure, folder / "ranks", formats)
