"""How a wide table is laid out in a two-column paper: its type size, and the tables that it is split into."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

# points, as in the styles of CVPR; those of IEEE, ACM and Elsevier are up to 7 % wider
LINE_WIDTHS = {1: 237.0, 2: 496.0}
HEIGHT = 500.0  # of a table's lines; caption and notes take the rest of the page
# the part of the line that names may take; longer ones are broken. The larger part is tried first.
NAME_SHARES = {1: (0.6, 0.42), 2: (0.6, 0.3)}
HEADING = 70.0  # points that the title of a data set may take where its columns are narrower


# what one table shows: blocks by number, each with the numbers of its columns
Part = tuple[tuple[int, tuple[int, ...]], ...]


@dataclass(frozen=True)
class Size:
    r"""A type size: its LaTeX command, points of its letters and between its lines, `\tabcolsep`.

    Without `arrows` the headings do not say which way is better, the caption does.
    """

    command: str
    points: int
    leading: float
    separation: float
    arrows: bool = True


SIZES = (
    Size(r"\small", 9, 11, 4),
    Size(r"\footnotesize", 8, 9.5, 3),
    Size(r"\scriptsize", 7, 8, 2),
    Size(r"\scriptsize", 7, 8, 1.5, arrows=False),
)


@dataclass(frozen=True)
class Widths:
    """The widths in points at one size: of the names, and by block of its heading and its columns.

    `lines` says how many lines each row takes.
    """

    name: float
    headings: Sequence[float]
    columns: Sequence[Sequence[float]]
    lines: Sequence[float]


@dataclass(frozen=True)
class Layout:
    """The size, the columns of the paper that a table spans, and what each of the tables shows.

    Each part of the columns, with a total of so many points (`widths`), is shown by one table per range of
    `rows` (first, and one past the last). `names` is the most that a name may take, in points, `measured`
    what the parts were made from.
    """

    size: Size
    span: int
    parts: tuple[Part, ...]
    widths: tuple[float, ...]
    names: float
    measured: Widths
    rows: tuple[tuple[int, int], ...]


def lay_out(
    measure: Callable[[Size, float], Widths], joined: Sequence[bool], span: int | None = None
) -> Layout:
    """The layout with the fewest tables, of these the one with the largest type.

    measure: the widths at a size; the second argument is the most that a name may take.
    joined: whether a row stays with the one before it.
    span: columns of the paper, 1 or 2; None: 1 where all fits into one table, else 2.
    """
    found: list[Layout] = []
    for columns in LINE_WIDTHS if span is None else (span,):
        line = LINE_WIDTHS[columns]
        found = [
            _laid_out(measure, joined, size, columns, share * line)
            for size in SIZES
            for share in NAME_SHARES[columns]
        ]
        if any(len(one.parts) * len(one.rows) == 1 for one in found):
            break
    return min(found, key=lambda one: len(one.parts) * len(one.rows))


def _laid_out(
    measure: Callable[[Size, float], Widths], joined: Sequence[bool], size: Size, span: int, names: float
) -> Layout:
    """The layout at one size."""
    line, gap = LINE_WIDTHS[span], 2 * size.separation
    widths = measure(size, names)
    parts = _parts(widths, size, line - widths.name)
    taken = (sum(gap + block_width(widths, *piece, size) for piece in part) for part in parts)
    rows = _chunks(widths.lines, joined, HEIGHT / size.leading)
    return Layout(
        size, span, parts, tuple(min(widths.name + one, line) for one in taken), names, widths, rows
    )


def _parts(widths: Widths, size: Size, room: float) -> tuple[Part, ...]:
    """The blocks of each table: as few tables as the room allows, all about equally wide."""
    gap = 2 * size.separation
    pieces: list[tuple[int, tuple[int, ...]]] = []
    for block, columns in enumerate(widths.columns):
        rest = list(range(len(columns)))
        while rest:  # a block that is wider than the line is cut
            fitting = len(rest)
            while fitting > 1 and gap + block_width(widths, block, rest[:fitting], size) > room:
                fitting -= 1
            pieces.append((block, tuple(rest[:fitting])))
            rest = rest[fitting:]
    of_pieces = [gap + block_width(widths, *piece, size) for piece in pieces]
    fewest = len(_filled(of_pieces, room))
    narrower = (float(limit) for limit in range(0, max(0, math.ceil(room)), 2))
    balanced = next((limit for limit in narrower if len(_filled(of_pieces, limit)) == fewest), room)
    return tuple(tuple(pieces[at] for at in part) for part in _filled(of_pieces, balanced))


def block_width(widths: Widths, block: int, columns: Sequence[int], size: Size) -> float:
    """The width of some columns of a block under its heading, which is broken where it is much wider."""
    own = sum(widths.columns[block][at] for at in columns) + 2 * size.separation * (len(columns) - 1)
    return max(own, min(widths.headings[block], HEADING))


def _filled(widths: Sequence[float], room: float) -> list[list[int]]:
    """The numbers of the pieces, in order, in tables with `room` points; a wider piece stands alone."""
    parts: list[list[int]] = []
    used = math.inf
    for number, width in enumerate(widths):
        if used + width > room:
            parts.append([])
            used = 0.0
        parts[-1].append(number)
        used += width
    return parts


def _chunks(lines: Sequence[float], joined: Sequence[bool], most: float) -> tuple[tuple[int, int], ...]:
    """Ranges of rows of at most so many lines, all about equally long."""
    total = sum(lines)
    tables = max(1, math.ceil(total / most))
    chunks, start, used = [], 0, 0.0
    for row, count in enumerate(lines):
        full = used + count > total / tables + 1 or used + count > most
        if row > start and full and not joined[row]:
            chunks.append((start, row))
            start, used = row, 0.0
        used += count
    return (*chunks, (start, len(lines)))
