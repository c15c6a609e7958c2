"""The page: one static HTML file that needs no server, no network and no build step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sodbench import __version__
from sodbench.files import write_text
from sodbench.reporting.breakdowns import EXPLANATIONS, MARK, metric_tables
from sodbench.reporting.cell_text import spread_explanations
from sodbench.reporting.figures import KINDS
from sodbench.reporting.gallery import Sharing
from sodbench.reporting.html_table import TEMPLATES, environment, sections
from sodbench.reporting.labels import protocols_of
from sodbench.reporting.page_data import dataset_data
from sodbench.reporting.table import Table
from sodbench.results.breakdown import Breakdown
from sodbench.results.run import Run

SCRIPTS = ("start.js", "leaderboard.js", "charts.js", "images.js")
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
    sharing: Mapping[str, Sharing] | None = None,
) -> Path:
    """Writes `index.html` and the gallery's thumbnails into `folder`; returns the page's path.

    The `gallery` worst and best images and those with the largest disagreement get thumbnails; the page links
    to the `figures` of each data set (those under "" belong to none). `breakdowns` are shown below their data
    set's table. `sharing`: for a page that leaves this machine, what it shows of each data set's images.
    Names are text: jinja2 escapes them.
    """
    figures = figures or {}
    datasets = [
        dataset_data(folder, table, dataset, rows, runs, gallery, (sharing or {}).get(dataset))
        for dataset, _, rows in table.datasets()
    ]
    html = environment().get_template("page.html").render(
        css=(TEMPLATES / "page.css").read_text(encoding="utf-8"),
        script="\n".join((TEMPLATES / name).read_text(encoding="utf-8") for name in SCRIPTS),
        data={"digits": table.digits, "datasets": datasets},
        sections=sections(table),
        downloads={dataset: _downloads(folder, kinds) for dataset, kinds in figures.items()},
        breakdowns={one.dataset: one for one in breakdowns},
        metric_tables=lambda one: metric_tables(one, table.digits),
        breakdown_notes=EXPLANATIONS,
        mark=MARK,
        methods=len({run.name for run in runs}),
        images=sum(len(dataset["images"]) for dataset in datasets),
        explanations=spread_explanations(table),
        protocols=protocols_of(table.metrics),
        published=bool((table.frame["kind"] == "published").any()),
        version=__version__,
    )  # fmt: skip
    path = folder / "index.html"
    write_text(path, html)
    return path


def _downloads(folder: Path, figures: Figures) -> list[Download]:
    return [
        Download(KINDS[kind], [(file.suffix[1:], file.relative_to(folder).as_posix()) for file in files])
        for kind, files in figures.items()
        if files
    ]
