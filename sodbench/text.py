"""Rows of text in columns, as the commands print them."""

from collections.abc import Collection, Sequence


def columns(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[str]:
    """One line per row, every column as wide as its widest cell; the columns `right` are right-aligned.

    All rows have the same number of cells.

    >>> columns([("name", "pairs"), ("sod", "300")], right=[1])
    ['name  pairs', 'sod     300']
    """
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if number in right else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
