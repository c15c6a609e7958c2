"""Names beside lines, rows and dots of a figure: cut where they are long, moved apart where they are near."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sodbench.reporting.figure_style import Look

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LETTERS = 26
_HEIGHT = 15  # pixels of a line of names, at 100 per inch


def label_ends(axes: "Axes", ends: Mapping[str, tuple[float, float, Look]]) -> None:
    """Writes names at the ends of lines, {text: (x, y, look)}, moved apart where they would overlap.

    Call it once the axes have their limits; the names stand right of the axes.
    """
    from matplotlib.transforms import blended_transform_factory

    if not ends:
        return
    low, high = axes.get_ylim()
    step = (high - low) * _HEIGHT / axes.bbox.height
    where = spread([y for _, y, _ in ends.values()], step, (low, high))
    beside = blended_transform_factory(axes.transAxes, axes.transData)
    for (text, (x, y, look)), at in zip(ends.items(), where, strict=True):
        axes.annotate(
            text, (x, y), (1.05, at), textcoords=beside, color=look.colour, fontsize=8, va="center",
            annotation_clip=False, arrowprops={"arrowstyle": "-", "color": look.colour, "linewidth": 0.5,
                                               "relpos": (0, 0.5), "shrinkA": 1, "shrinkB": 4},
        )  # fmt: skip


def spread(places: Sequence[float], step: float, limits: tuple[float, float]) -> list[float]:
    """The `places` moved as little as needed to be `step` apart and, where there is room, within `limits`.

    >>> [round(place, 6) for place in spread([0.5, 0.5, 0.9], 0.2, (0, 1))]
    [0.4, 0.6, 0.9]
    """
    # lines of text that touch form a block, which stays at the mean of where its lines would be
    blocks: list[list[float]] = []
    order = sorted(range(len(places)), key=lambda number: places[number])

    def start(block: list[float]) -> float:
        middle = sum(block) / len(block) - step * (len(block) - 1) / 2
        return max(limits[0], min(middle, limits[1] - step * (len(block) - 1)))

    for number in order:
        blocks.append([places[number]])
        while len(blocks) > 1 and start(blocks[-1]) < start(blocks[-2]) + step * len(blocks[-2]) - 1e-12:
            last = blocks.pop()
            blocks[-1] += last
    moved = [start(block) + step * line for block in blocks for line in range(len(block))]
    return [place for _, place in sorted(zip(order, moved, strict=True))]


def shortened(text: str, letters: int = LETTERS) -> str:
    """`text`, or its start where it has more letters.

    >>> shortened("a-network-with-a-very-long-name", 12)
    'a-network-w…'
    """
    return text if len(text) <= letters else text[: letters - 1] + "…"
