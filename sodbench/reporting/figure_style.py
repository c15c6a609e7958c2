"""The look of all figures: colours for colour-blind readers, lines that differ in grey print."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodbench.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("svg", "png", "pdf")
# Okabe and Ito (2008), without the yellow that vanishes on white; neighbours differ in lightness
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#56B4E9", "#E69F00")
# matplotlib's line styles: a name, or (offset, lengths of dashes and gaps)
Dash = str | tuple[int, tuple[float, ...]]
DASHES: tuple[Dash, ...] = (
    "-",
    (0, (5, 2)),
    (0, (1, 1.3)),
    (0, (6, 2, 1.2, 2)),
    (0, (3, 1.2, 1, 1.2, 1, 1.2)),
)
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

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
    """How one method is drawn in every figure of a report."""

    colour: str
    dash: Dash
    marker: str


def looks(methods: Sequence[str]) -> dict[str, Look]:
    """One look per method, distinct up to 35 methods; the same list of names gets the same looks."""
    return {
        method: Look(
            COLOURS[number % len(COLOURS)],
            DASHES[(number + number // len(COLOURS)) % len(DASHES)],
            MARKERS[(number + number // len(COLOURS)) % len(MARKERS)],
        )
        for number, method in enumerate(methods)
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


def escape_dollars(text: str) -> str:
    """`text` for matplotlib, where a dollar sign would start a formula."""
    return text.replace("$", r"\$")
