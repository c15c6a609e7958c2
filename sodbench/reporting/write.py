"""`report`: tables, figures and the page of recorded runs, written into a folder."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sodbench.arguments import DIGITS, GALLERY, SPAN
from sodbench.errors import InputError, Note, unknown_names
from sodbench.files import locked_folder
from sodbench.reporting.breakdown_formats import write_breakdowns
from sodbench.reporting.breakdowns import make_breakdowns
from sodbench.reporting.comparable_protocols import over_all
from sodbench.reporting.csv_json import write_csv, write_json
from sodbench.reporting.figures import KINDS, draw
from sodbench.reporting.gallery import Sharing
from sodbench.reporting.latex import write_latex
from sodbench.reporting.markdown import SHOWN, write_markdown
from sodbench.reporting.page import Figures, write_page
from sodbench.reporting.published_rows import check_sources
from sodbench.reporting.report_arguments import report_arguments
from sodbench.reporting.report_table import report_table, sources_of
from sodbench.reporting.rescored_runs import rescored_runs
from sodbench.reporting.selection import Selection, listed
from sodbench.reporting.side_by_side import side_by_side
from sodbench.reporting.table import Table
from sodbench.reporting.wide_formats import write_wide
from sodbench.results.breakdown import Breakdown
from sodbench.results.run import Run
from sodbench.unfinished import sweep

FORMATS = ("markdown", "html", "latex", "csv", "json")
LAYOUTS = ("long", "wide")


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


def report(
    runs: Run | Iterable[Run] | Path | str,
    folder: Path | str | None = None,
    *,
    formats: Sequence[str] = ("markdown",),
    methods: Sequence[str] | None = None,
    datasets: Sequence[str] | None = None,
    metrics: Sequence[str] | None = None,
    protocols: Sequence[str | Path] | None = None,
    digits: int = 3,
    sort: str | None = None,
    published: bool | Sequence[str] = False,
    rescore: bool = False,
    intervals: bool = False,
    seeds: bool = False,
    attributes: bool = False,
    gallery: int = 6,
    figures: Sequence[str] | None = None,
    data_root: Path | str | None = None,
    workers: int | None = None,
    progress: bool = False,
    layout: str = "long",
    average: bool = False,
    group_by: str | None = None,
    ours: Sequence[str] = (),
    span: int | None = None,
    sharing: Mapping[str, Sharing] | None = None,
) -> Written:
    """Writes the leaderboard in the given formats, and its figures, into `folder`.

    `runs` are runs or a reports folder that holds them. `folder` is by default that reports folder, for a
    list of runs `reports`; measured efficiencies are looked up there. `formats` are among
    "markdown", "html", "latex", "csv" and "json".

    `methods`, `datasets`, `metrics` (`maxF` or `maxF@basnet2019`) and `protocols` (names, or paths of TOML
    files) choose what is shown (None: all methods, data sets and metrics, under the default protocol).
    `digits` are those after the point, 1 to 10. `sort` is a metric or "name" (default: max F). `published`
    adds the comparable published values, of all sources or of the named ones; `intervals` adds 95 % bootstrap
    intervals over images, to the figures as well; `seeds` summarises runs named `<method>-seed<k>` as mean
    and standard deviation.

    `attributes` adds the scores by attribute of the images (docs/attributes.md) with intervals: files
    `attributes.md` and so on, a section of the page, and a figure. Scores are MAE, max F and S, or the
    `metrics` asked for. Attributes are read from `attributes/` beside the records, else measured on the data
    set and stored there.

    `rescore` first scores the recorded maps of the runs that lack one of the `protocols` under these, too;
    their records then hold both. Runs whose maps are missing or were changed stay as they are, and the notes
    say so. `data_root` (the folder with one folder per data set; None: those used with the reports folder),
    `workers` (threads; None: one per processor core) and `progress` (bars on stderr) are for this scoring.

    `gallery` is the number of worst images, of best ones and of those with the largest disagreement between
    methods, of each data set, that get thumbnails on the page. `figures` are among the keys of
    `figures.KINDS` (None: all; in the wide layout
    none).

    `layout` "wide" is the table of a paper: methods as rows, the data sets side by side, in `table.md`,
    `table.tex`, `table.html` and `table.csv`. Its metrics are MAE, max F and S unless `metrics` are named,
    and `methods` and `datasets` stand in the order in which they are named. `average` adds the means over the
    data sets on which all methods have comparable scores, and the average rank. `group_by` puts the rows
    under headings: "origin" (measured, published; the default), "year" of the method's paper, or "none";
    `ours` are the methods that stand last, under "Ours". `span` is 1 or 2, the columns of a two-column paper
    that the LaTeX table spans (None: 1 where all fits, else 2).

    `sharing` is for `publish`: what a page that leaves this machine shows of each data set's images.

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
    span = None if span is None else SPAN.checked("span", span)
    ours = listed(ours) or ()
    check_layout(
        layout,
        {"average": average, "group_by": group_by, "ours": ours, "span": span},
        {"attributes": attributes},
    )
    if folder is None:
        folder = runs if isinstance(runs, Path | str) else "reports"
    folder = Path(folder)
    selection = Selection(methods, datasets, metrics, protocols, digits, sort)
    chosen, notes = selection, list[str]()
    if rescore:
        DIGITS.checked("digits", digits)
        check_sources(sources_of(published))
        chosen, runs, lines = rescored_runs(selection, runs, data_root, workers, progress)
        notes += lines
    shown = report_table(
        runs,
        chosen,
        efficiency=folder,
        published=published,
        intervals=intervals,
        seeds=seeds,
        arguments=report_arguments(
            selection,
            formats=formats,
            intervals=intervals,
            seeds=seeds,
            attributes=attributes,
            gallery=gallery,
            figures=figures,
        ),
        headline_only=layout == "wide" and selection.metrics is None,
    )
    wide = None
    if layout == "wide":
        wide = side_by_side(
            shown.table,
            title=_title(shown.table),
            metrics=shown.table.metrics,
            methods=selection.methods if sort is None else None,
            datasets=selection.datasets,
            sort=sort,
            average=average,
            group_by=group_by or "origin",
            ours=ours,
        )
    breakdowns: list[Breakdown] = []
    notes += shown.notes
    notes += [f"{one.text}: {one.command}" for one in over_all(shown.table.comparable)]
    if attributes:
        breakdowns, more = make_breakdowns(shown.runs, shown.measured, selection.metrics is not None)
        notes += more
    with locked_folder(folder, waiting=lambda: _wait_for(folder)):
        kinds = tuple(KINDS if wide is None else ()) if figures is None else figures
        drawn = draw(
            shown.runs,
            shown.measured,
            folder / "figures",
            kinds,
            breakdowns=breakdowns,
            intervals=intervals,
        )
        if wide is None:
            documents = _write_long(folder, shown.table, formats, drawn)
        else:
            documents = write_wide(folder, wide, formats, span)
        if "json" in formats:
            documents.append(write_json(folder, shown.table))
        if "html" in formats and wide is None:
            page = write_page(
                folder,
                shown.table,
                shown.runs,
                figures=drawn,
                gallery=gallery,
                breakdowns=breakdowns,
                metrics=shown.table.metrics if selection.metrics is not None else None,
                sort=sort,
                sharing=sharing,
            )
            documents.append(page)
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
                *folder.glob("page/*"),
                *folder.glob("runs/*"),
            ]
        )
    return Written(tuple(documents), tuple(files), tuple(notes))


def _write_long(
    folder: Path, table: Table, formats: Sequence[str], drawn: Mapping[str, Figures]
) -> list[Path]:
    """Writes `leaderboard.md`, `.tex` with `.bib`, and `.csv`, as `formats` ask; returns their paths."""
    paths = []
    if "markdown" in formats:
        pictures = {
            dataset: {
                kind: found[kind][0].relative_to(folder).as_posix()
                for kind in (SHOWN if dataset else ("ranks",))
                if found.get(kind)
            }
            for dataset, found in drawn.items()
        }
        paths.append(write_markdown(folder, table, pictures))
    if "latex" in formats:
        paths += write_latex(folder, table)
    if "csv" in formats:
        paths.append(write_csv(folder, table))
    return paths


def _wait_for(folder: Path) -> None:
    warnings.warn(f"{folder}: another process is writing a report there; waiting", Note, stacklevel=5)


def check_layout(layout: str, of_wide: Mapping[str, object], of_long: Mapping[str, object]) -> None:
    """Raises InputError for an unknown layout, and for options of the other one."""
    if layout not in LAYOUTS:
        raise unknown_names("layout", [layout], LAYOUTS)
    other, options = ("wide", of_wide) if layout == "long" else ("long", of_long)
    asked = [name for name, value in options.items() if value]
    if asked:
        raise InputError(f"{asked[0]}: only the {other} layout has it; ask for layout {other!r}")


def _title(table: Table) -> str:
    """`4 methods on 6 data sets`."""
    measured = table.frame.loc[table.frame["kind"] == "measured"]
    counts = {"method": measured["method"].nunique(), "data set": measured["dataset"].nunique()}
    return " on ".join(f"{count} {noun}{'s' * (count != 1)}" for noun, count in counts.items())
