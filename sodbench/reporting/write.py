"""`report`: tables, figures and the page of recorded runs, written into a folder."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sodbench.arguments import DIGITS, GALLERY
from sodbench.errors import InputError, Note, unknown_names
from sodbench.files import locked_folder
from sodbench.reporting.breakdown_formats import write_breakdowns
from sodbench.reporting.breakdowns import make_breakdowns
from sodbench.reporting.csv_json import write_csv, write_json
from sodbench.reporting.figures import KINDS, draw
from sodbench.reporting.gallery import Sharing
from sodbench.reporting.latex import write_latex
from sodbench.reporting.markdown import SHOWN, write_markdown
from sodbench.reporting.page import write_page
from sodbench.reporting.published_rows import with_published
from sodbench.reporting.selection import Selection, listed, of_one_meaning, select_runs
from sodbench.reporting.table import Table, make_table
from sodbench.reporting.uncertainty import with_intervals, with_seeds_joined
from sodbench.results.breakdown import Breakdown
from sodbench.results.loading import load_runs
from sodbench.results.run import Run, checked_runs
from sodbench.results.shard_records import merge_hint
from sodbench.unfinished import sweep

FORMATS = ("markdown", "html", "latex", "csv", "json")


@dataclass(frozen=True, repr=False)
class Written:
    """What a report wrote: the documents, the figures, and notes for the reader."""

    documents: tuple[Path, ...]
    figures: tuple[Path, ...]
    notes: tuple[str, ...]

    def __str__(self) -> str:
        """One line per document, then the number of figures."""
        lines = [str(path) for path in self.documents]
        if self.figures:
            lines.append(f"{self.figures[0].parent}: {len(self.figures)} files")
        return "\n".join(lines)

    __repr__ = __str__


@dataclass(frozen=True)
class ReportTable:
    """The runs that a report shows, their table as measured, and the table as every format prints it."""

    runs: list[Run]
    measured: Table
    table: Table
    notes: tuple[str, ...]


def report(
    runs: Run | Iterable[Run] | Path | str,
    folder: Path | str | None = None,
    *,
    formats: Sequence[str] = ("markdown",),
    methods: Sequence[str] | None = None,
    datasets: Sequence[str] | None = None,
    metrics: Sequence[str] | None = None,
    protocols: Sequence[str] | None = None,
    digits: int = 3,
    sort: str | None = None,
    published: bool | Sequence[str] = False,
    intervals: bool = False,
    seeds: bool = False,
    attributes: bool = False,
    gallery: int = 6,
    figures: Sequence[str] | None = None,
    sharing: Mapping[str, Sharing] | None = None,
) -> Written:
    """Writes the leaderboard in the given formats, and its figures, into `folder`.

    `runs` are runs or a reports folder that holds them. `folder` is by default that reports folder, for a
    list of runs `reports`; measured efficiencies are looked up there. `formats` are among
    "markdown", "html", "latex", "csv" and "json".

    `methods`, `datasets`, `metrics` (`maxF` or `maxF@basnet2019`) and `protocols` choose what is shown
    (None: all methods, data sets and metrics, under the default protocol). `digits` are those after the
    point, 1 to 10. `sort` is a metric or "name" (default: max F). `published` adds the comparable published
    values, of all sources or of the named ones; `intervals` adds 95 % bootstrap intervals over images;
    `seeds` summarises runs named `<method>-seed<k>` as mean and standard deviation.

    `attributes` adds the scores by attribute of the images (docs/attributes.md) with intervals: files
    `attributes.md` and so on, a section of the page, and a figure. Scores are MAE, max F and S, or the
    `metrics` asked for. Attributes are read from `attributes/` beside the records, else measured on the data
    set and stored there.

    `gallery` is the number of worst images, of best ones and of those with the largest disagreement between
    methods, of each data set, that get thumbnails on the page. `figures` are among the keys of
    `figures.KINDS` (None: all). `sharing` is for `publish`: what a page that leaves this machine shows of
    each data set's images.

    Raises InputError for a name that no run has, for a wrong option, if there is no run, and for attributes
    that are neither stored nor can be measured here.
    """
    formats, figures = listed(formats), listed(figures)
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise unknown_names("format", unknown, FORMATS)
    unknown = [name for name in figures or () if name not in KINDS]
    if unknown:
        raise unknown_names("figure", unknown, KINDS)
    if "attributes" in (figures or ()) and not attributes:
        raise InputError("the figure 'attributes' shows scores by attribute; ask for attributes as well")
    gallery = GALLERY.checked("gallery", gallery)
    if folder is None:
        folder = runs if isinstance(runs, Path | str) else "reports"
    folder = Path(folder)
    selection = Selection(methods, datasets, metrics, protocols, digits, sort)
    shown = report_table(
        runs, selection, efficiency=folder, published=published, intervals=intervals, seeds=seeds
    )
    breakdowns: list[Breakdown] = []
    notes = list(shown.notes)
    if attributes:
        breakdowns, more = make_breakdowns(shown.runs, shown.measured, selection.metrics is not None)
        notes += more
    with locked_folder(folder, waiting=lambda: _wait_for(folder)):
        kinds = tuple(KINDS) if figures is None else figures
        drawn = draw(shown.runs, shown.measured, folder / "figures", kinds, breakdowns=breakdowns)
        documents: list[Path] = []
        if "markdown" in formats:
            pictures = {
                dataset: {
                    kind: found[kind][0].relative_to(folder).as_posix()
                    for kind in (SHOWN if dataset else ("ranks",))
                    if found.get(kind)
                }
                for dataset, found in drawn.items()
            }
            documents.append(write_markdown(folder, shown.table, pictures))
        if "latex" in formats:
            documents += write_latex(folder, shown.table)
        if "csv" in formats:
            documents.append(write_csv(folder, shown.table))
        if "json" in formats:
            documents.append(write_json(folder, shown.table))
        if "html" in formats:
            documents.append(write_page(folder, shown.table, shown.runs, drawn, gallery, breakdowns, sharing))
        if breakdowns:
            of_attributes = {
                dataset: found["attributes"][0].relative_to(folder).as_posix()
                for dataset, found in drawn.items()
                if "attributes" in found
            }
            documents += write_breakdowns(folder, breakdowns, formats, digits, of_attributes)
        files = [path for found in drawn.values() for paths in found.values() for path in paths]
        # what killed reports left, also of formats and figures that were not asked for this time
        sweep(
            [
                folder,
                folder / "figures",
                folder / "attributes",
                *folder.glob("gallery/*"),
                *folder.glob("runs/*"),
            ]
        )
    return Written(tuple(documents), tuple(files), tuple(notes))


def _wait_for(folder: Path) -> None:
    warnings.warn(f"{folder}: another process is writing a report there; waiting", Note, stacklevel=5)


def report_table(
    runs: Run | Iterable[Run] | Path | str,
    selection: Selection,
    *,
    efficiency: Path | None = None,
    published: bool | Sequence[str] = False,
    intervals: bool = False,
    seeds: bool = False,
    measured_methods: bool = False,
) -> ReportTable:
    """The selected runs and their table, with the intervals, joined seeds and published rows asked for.

    `efficiency` is the reports folder in which measured efficiencies are looked up. With `measured_methods`
    only published rows of methods in the table are added. See `report`.
    """
    DIGITS.checked("digits", selection.digits)
    if isinstance(runs, Path | str):
        folder = Path(runs)
        runs = load_runs(folder)
        if not runs:
            raise InputError(
                f"no runs in {folder / 'runs'}; make one with 'sodbench run' or 'sodbench score'"
                f"{merge_hint(folder)}"
            )
    runs = checked_runs([runs] if isinstance(runs, Run) else runs)
    if not runs:
        raise InputError("no runs to report; give at least one")
    chosen, mixed = of_one_meaning(select_runs(runs, selection))
    measured = make_table(chosen, selection, efficiency)
    notes = [*mixed, *measured.left_out]
    table = with_intervals(measured, chosen) if intervals else measured
    if seeds:
        joined = with_seeds_joined(table, chosen, selection.sort)
        if joined is table:
            notes.append("no two runs named <method>-seed<k> to join")
        table = joined
    if published is not False:
        sources = () if published is True else published
        table = with_published(table, chosen, sources, measured_methods=measured_methods)
    return ReportTable(chosen, measured, table, tuple(notes))
