"""The look of all figures: colours for colour-blind readers, lines that differ in grey print."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodbench.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("svg", "png", "pdf")
# Okabe and Ito (2008), wine for the yellow that vanishes on white; neighbours differ in lightness
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#56B4E9", "#E69F00", "#882255")
FADED = "#c2c2c2"  # the methods that are not in colour
GREY = "#6b6b6b"  # text and lines that belong to no method
# more methods than this are told apart badly: then the best ones are in colour and the others grey
MOST_COLOURED, BEST = 8, 5
# matplotlib's line styles: a name, or (offset, lengths of dashes and gaps)
Dash = str | tuple[int, tuple[float, ...]]
DASHES: tuple[Dash, ...] = (
    "-",
    (0, (5, 2)),
    (0, (1, 1.3)),
    (0, (6, 2, 1.2, 2)),
    (0, (3, 1.2, 1, 1.2, 1, 1.2)),
)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

_SETTINGS: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#d9d9d9",
    "grid.linewidth": 0.5,
    "legend.fontsize": 8,
    "legend.edgecolor": "none",
    "legend.framealpha": 0.85,
    "legend.fancybox": False,
    "legend.handlelength": 2.6,
    "legend.borderaxespad": 0.2,
    "lines.markersize": 6.5,
    "lines.linewidth": 1.7,
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "pdf.fonttype": 42,
    # the same records give the same bytes
    "svg.hashsalt": "sodbench",
    "svg.fonttype": "path",
}


@dataclass(frozen=True)
class Look:
    """How one method is drawn in every figure of a report; `faded` in grey, behind the others."""

    colour: str
    dash: Dash
    marker: str
    faded: bool = False


def look_numbers(rankings: Sequence[Sequence[str]]) -> dict[str, int]:
    """The number of each method's look; `rankings` hold the methods of each data set, best first.

    Up to eight methods are numbered by name, so that the same names always look the same. Of more, the best
    five of any data set differ in colour as far as the colours go.
    """
    names = sorted({name for ranking in rankings for name in ranking})
    if len(names) <= MOST_COLOURED:
        return {name: number for number, name in enumerate(names)}
    by_place = dict.fromkeys(name for place in zip_longest(*rankings) for name in place if name is not None)
    numbers: dict[str, int] = {}
    free = list(range(len(names)))
    for name in by_place:
        beside = {other for ranking in rankings if name in ranking[:BEST] for other in ranking[:BEST]}
        taken = {numbers[other] % len(COLOURS) for other in beside if other in numbers}
        numbers[name] = next((number for number in free if number % len(COLOURS) not in taken), free[0])
        free.remove(numbers[name])
    return numbers


def looks(numbers: Mapping[str, int]) -> dict[str, Look]:
    """One look per number, distinct up to 40 methods."""
    return {
        method: Look(
            COLOURS[number % len(COLOURS)],
            DASHES[(number + number // len(COLOURS)) % len(DASHES)],
            MARKERS[(number + number // len(COLOURS)) % len(MARKERS)],
        )
        for method, number in numbers.items()
    }


def svg_dashes(dash: Dash, width: float = 2.0) -> str:
    """The `stroke-dasharray` of a line so many pixels wide; empty for a solid line.

    >>> svg_dashes((0, (5, 2)))
    '10 4'
    """
    return "" if isinstance(dash, str) else " ".join(f"{width * length:g}" for length in dash[1])


def faded_beyond_best(styles: Mapping[str, Look], ranking: Sequence[str]) -> dict[str, Look]:
    """The looks of the methods of one data set, best first: of more than eight, the best five keep theirs."""
    coloured = ranking if len(ranking) <= MOST_COLOURED else ranking[:BEST]
    return {
        name: styles[name] if name in coloured else Look(FADED, "-", MARKERS[0], faded=True)
        for name in ranking
    }


@contextmanager
def new_figure(width: float = 5.2, height: float = 4.2) -> Iterator["Figure"]:
    """A figure in the house style (inches), drawn without a display and without pyplot's global state."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_SETTINGS):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure


def save(figure: "Figure", path: Path, formats: Sequence[str]) -> list[Path]:
    """Writes `path` with each format's ending, without dates; call it inside `new_figure`."""
    # lay the figure out once: each format then draws once instead of twice
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    written = []
    for ending in formats:
        target = path.with_name(f"{path.name}.{ending}")
        metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(ending, {"Software": None})
        with atomic_path(target) as part:
            figure.savefig(part, format=ending, metadata=metadata)
        written.append(target)
    return written


def legend_beside(figure: "Figure", axes: "Axes", heading: str, faded: int = 0) -> None:
    """The legend of `axes` right of all panels, which keep their width: the figure grows.

    One entry stands for the `faded` methods. `heading` is the legend's title.
    """
    from matplotlib.lines import Line2D

    handles, texts = axes.get_legend_handles_labels()
    if faded:
        handles.append(Line2D([], [], color=FADED, linewidth=1))
        texts.append(f"{faded} other{'s' * (faded != 1)}")
    legend = figure.legend(handles, texts, loc="outside right upper", title=heading, alignment="left")
    figure.set_figwidth(figure.get_figwidth() + legend.get_window_extent().width / figure.dpi)


def escape_dollars(text: str) -> str:
    """`text` for matplotlib, where a dollar sign would start a formula."""
    return text.replace("$", r"\$")
