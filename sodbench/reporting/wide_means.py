"""The columns of a wide table that hold means over data sets and average ranks."""

import math
from collections.abc import Mapping, Sequence

from sodbench.reporting.cell_text import Cell, number
from sodbench.reporting.labels import label
from sodbench.reporting.set_means import SetMeans
from sodbench.reporting.table import best_two
from sodbench.reporting.wide_table import RANK, Cells, Key, WideBlock

RANK_DIGITS = 1


def block_of_means(
    averages: SetMeans, metrics: Sequence[str], digits: int, blocks: Sequence[WideBlock], cells: Cells
) -> tuple[WideBlock, dict[Key, tuple[Cell, ...]]]:
    """The block of means and its cells; a published row has a mean where it has a value on every data set."""
    columns = []
    for full in metrics:
        places = [
            (number, block.metrics.index(full))
            for number, block in enumerate(blocks)
            if block.dataset in averages.datasets
        ]
        values, printed = {}, {}
        for key, row in cells.items():
            found = [row[number][at] for number, at in places if number in row]
            if len(found) == len(places) and not any(math.isnan(cell.value) for cell in found):
                values[key] = math.fsum(cell.value for cell in found) / len(found)
                printed[key] = min(len(cell.text.partition(".")[2]) for cell in found)
        columns.append(_mean_cells(values, printed, digits, label(full).higher_is_better))
    if averages.ranks:
        ranks = {(method, ""): rank for method, rank in averages.ranks.items()}
        columns.append(_mean_cells(ranks, dict.fromkeys(ranks, RANK_DIGITS), RANK_DIGITS, False))
    heads = (*metrics, RANK) if averages.ranks else tuple(metrics)
    block = WideBlock(f"Mean of {len(averages.datasets)} sets", heads, averaged=averages.datasets)
    return block, {
        key: tuple(column.get(key, Cell("" if key[1] else "–")) for column in columns) for key in cells
    }


def _mean_cells(
    values: Mapping[Key, float], printed: Mapping[Key, int], digits: int, higher_is_better: bool | None
) -> dict[Key, Cell]:
    """The cells of one column, with marks among the measured rows."""
    import pandas as pd

    marked: dict[Key, str] = {}
    if higher_is_better is not None:
        measured = [key for key in values if not key[1]]
        ranked = pd.Series([values[key] for key in measured], dtype=float)
        marked = {measured[at]: mark for at, mark in best_two(ranked, digits, higher_is_better).items()}
    return {
        key: Cell(number(value, printed[key]), value, marked.get(key, "")) for key, value in values.items()
    }
