"""The page: one static HTML file that needs no server, no network and no build step.

Beside it lie thumbnails (`gallery`) and, where the images' scores are too many for one file, `page_parts`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sodbench import __version__
from sodbench.files import write_text
from sodbench.reporting.breakdowns import EXPLANATIONS, MARK, metric_tables
from sodbench.reporting.cell_text import spread_explanations
from sodbench.reporting.figure_style import BEST, COLOURS, MOST_COLOURED, look_numbers, looks, svg_dashes
from sodbench.reporting.figures import KINDS
from sodbench.reporting.gallery import Sharing
from sodbench.reporting.html_table import TEMPLATES, environment, sections
from sodbench.reporting.labels import protocols_of
from sodbench.reporting.overview import make_overview
from sodbench.reporting.page_data import NONE, dataset_data
from sodbench.reporting.page_parts import placed
from sodbench.reporting.table import Table
from sodbench.results.breakdown import Breakdown
from sodbench.results.run import Run

SCRIPTS = (
    "start.js",
    "leaderboard.js",
    "filter.js",
    "line_chart.js",
    "box_chart.js",
    "charts.js",
    "tiles.js",
    "images.js",
    "dialog.js",
    "address.js",
)
STYLES = ("page.css", "charts.css", "overview.css", "gallery.css", "print.css")
# the figures of a data set: {kind: files}
Figures = Mapping[str, Sequence[Path]]


@dataclass(frozen=True)
class Download:
    """A figure with the ending and the address of each of its files."""

    name: str
    files: Sequence[tuple[str, str]]


def write_page(
    folder: Path,
    table: Table,
    runs: Sequence[Run],
    figures: Mapping[str, Figures] | None = None,
    gallery: int = 6,
    breakdowns: Sequence[Breakdown] = (),
    metrics: Sequence[str] | None = None,
    sort: str | None = None,
    sharing: Mapping[str, Sharing] | None = None,
) -> Path:
    """Writes `index.html` and the files beside it into `folder`; returns the page's path.

    The `gallery` worst and best images and those with the largest disagreement get thumbnails; the page
    links to the `figures` of each data set (those under "" belong to none). `breakdowns` are shown below
    their data set's table. `metrics` (full names) are the columns of the overview (None: MAE, max F and S),
    `sort` its order (None: by average rank). `sharing`: for a page that leaves this machine, what it shows of
    each data set's images. Data sets with many methods come first. Names are text: jinja2 escapes them.
    """
    figures = figures or {}
    parts = sorted(sections(table), key=lambda section: -section.methods)
    names = [section.dataset for section in parts]
    rows_of = {dataset: rows for dataset, _, rows in table.datasets()}
    shared = sharing or {}
    datasets = [
        dataset_data(folder, table, name, rows_of[name], runs, gallery, shared.get(name)) for name in names
    ]
    html = environment().get_template("page.html").render(
        css=_joined(STYLES),
        script=_joined(SCRIPTS),
        data={
            "digits": table.digits,
            "none": NONE,
            "most_coloured": MOST_COLOURED,
            "best": BEST,
            "looks": _looks(datasets),
            "datasets": placed(folder, datasets),
        },
        overview=make_overview(table, names, metrics, sort),
        sections=parts,
        downloads={dataset: _downloads(folder, kinds) for dataset, kinds in figures.items()},
        breakdowns={one.dataset: one for one in breakdowns},
        metric_tables=lambda one: metric_tables(one, table.digits),
        breakdown_notes=EXPLANATIONS,
        mark=MARK,
        methods=len({run.name for run in runs}),
        images=sum(dataset["count"] for dataset in datasets),
        explanations=spread_explanations(table),
        protocols=protocols_of(table.metrics),
        published=bool((table.frame["kind"] == "published").any()),
        version=__version__,
    )  # fmt: skip
    path = folder / "index.html"
    write_text(path, html)
    return path


def _joined(names: Sequence[str]) -> str:
    return "\n".join((TEMPLATES / name).read_text(encoding="utf-8") for name in names)


def _looks(datasets: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Each method's look, as in the figures: the number of its colour, and its dashes as SVG has them."""
    numbers = look_numbers([[one["methods"][place] for place in one["ranked"]] for one in datasets])
    return {
        method: {"colour": COLOURS.index(look.colour), "dash": svg_dashes(look.dash)}
        for method, look in looks(numbers).items()
    }


def _downloads(folder: Path, figures: Figures) -> list[Download]:
    return [
        Download(KINDS[kind], [(file.suffix[1:], file.relative_to(folder).as_posix()) for file in files])
        for kind, files in figures.items()
        if files
    ]
