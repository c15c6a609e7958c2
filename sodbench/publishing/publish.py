"""`publish`: the page, tables, figures, records and licence notes of recorded runs, for any static host.

The folder is written beside its place under a hidden name, checked, and put in place by a rename. It is a
reports folder, too: `sodbench audit` and `sodbench report` read its records.
"""

import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sodbench.arguments import MAX_SIZE
from sodbench.errors import InputError
from sodbench.files import atomic_path, write_text
from sodbench.json_text import read_json
from sodbench.paths import real_path, user_path
from sodbench.publishing.contents import refuse_other_content, write_contents
from sodbench.publishing.model_card import model_card, model_card_file
from sodbench.publishing.page_size import PageSize, page_size, refuse_too_large, size_in_bytes
from sodbench.publishing.terms import hidden_note, licence_notes, terms_of
from sodbench.reporting.efficiency_columns import efficiency_files
from sodbench.reporting.page_parts import FOLDER as PARTS
from sodbench.reporting.report_table import runs_of
from sodbench.reporting.selection import Selection, listed, select_runs
from sodbench.reporting.write import FORMATS, check_layout, report
from sodbench.results.loading import RecordedTable, read_run, record_place
from sodbench.results.run import Run
from sodbench.results.saving import put_in_place, save_run
from sodbench.text import size_text
from sodbench.unfinished import temporary

ABOUT = """# Results of sodbench

- [index.html](index.html): the page. It needs no server.
- [leaderboard.md](leaderboard.md), [.csv](leaderboard.csv), [.json](leaderboard.json),
  [.tex](leaderboard.tex), [.bib](leaderboard.bib): the tables.
- `figures/`: the figures as SVG, PNG and PDF.
- `page/`, for many images: their scores, which the page loads when they are shown.
- `runs/`: the records: scores of every image, curves, provenance. `sodbench audit` checks them.
- [LICENCES.md](LICENCES.md): terms of the data sets.
- `published.json`: size and SHA-256 of every file.
"""
ABOUT_WIDE = """
Data sets side by side, as in a paper: [table.html](table.html), [.md](table.md), [.csv](table.csv),
[.tex](table.tex), [.bib](table.bib).
"""


@dataclass(frozen=True, repr=False)
class Published:
    """What was published: the folder, the number of records, the size of the page, and notes."""

    folder: Path
    records: int
    size: PageSize
    notes: tuple[str, ...]

    def __str__(self) -> str:
        """The page with its size, the scores of images beside it if there are any, the number of records."""
        parts = f"{self.folder / PARTS}: {size_text(self.size.parts)}, loaded when images are shown\n"
        return (
            f"{self.folder / 'index.html'}: {size_text(self.size.total)} ({self.size})\n"
            f"{parts if self.size.parts else ''}"
            f"{self.folder}: {self.records} record{'s' * (self.records != 1)}, tables, figures, licence notes"
        )

    __repr__ = __str__


def publish(
    runs: Run | Iterable[Run] | Path | str,
    folder: Path | str,
    *,
    methods: Sequence[str] | None = None,
    datasets: Sequence[str] | None = None,
    metrics: Sequence[str] | None = None,
    protocols: Sequence[str | Path] | None = None,
    digits: int = 3,
    sort: str | None = None,
    published: bool | Sequence[str] = False,
    intervals: bool = False,
    seeds: bool = False,
    gallery: int = 6,
    figures: Sequence[str] | None = None,
    layout: str = "long",
    average: bool = False,
    group_by: str | None = None,
    ours: Sequence[str] = (),
    span: int | None = None,
    pictures: Sequence[str] = (),
    max_size: str | int = MAX_SIZE,
    model_cards: Sequence[str] = (),
    replace: bool = False,
) -> Published:
    """Writes a folder for any static host: page, tables, figures, records and licence notes.

    `runs` are runs or a reports folder. `folder` must be new or empty; with `replace` it may hold what was
    published before, and nothing else. It is written whole or not at all.

    `pictures` are the data sets whose thumbnails are shown although their cards do not say that they may be
    redistributed (sets whose cards allow it are always shown). `max_size` bounds the page together with its
    thumbnails, in bytes or as "5MB". `model_cards` are methods whose `model_card` is written into
    `model-cards/`. With `layout` "wide" the table of a paper is there, too (`table.md`, `.tex`, `.html` and
    `.csv`), with `average`, `group_by`, `ours` and `span`. All other arguments are those of `report`.

    Records are copied byte for byte; runs that are not recorded are written as `evaluate` would. Raises
    InputError for a folder that is not empty, a page above `max_size`, and as `report`.
    """
    most = size_in_bytes(max_size)
    check_layout(
        layout, {"average": average, "group_by": group_by, "ours": listed(ours) or (), "span": span}, {}
    )
    chosen_pictures, cards = listed(pictures) or (), listed(model_cards) or ()
    target = user_path(folder)
    final = real_path(target)
    refuse_other_content(final, target, replace)
    found = runs_of(runs)
    selected = select_runs(found, Selection(methods, datasets, metrics, protocols))
    if not selected:
        raise InputError("no run of these methods on these data sets; there is nothing to publish")
    terms = terms_of(selected, chosen_pictures)
    model_texts = {name: model_card(selected, name, metrics=metrics, protocols=protocols) for name in cards}
    new = [one for one in final.parents if not one.exists()]
    try:
        with temporary(final) as staged:
            staged.mkdir()
            _copy_efficiency(selected, staged)
            table = partial(
                report,
                selected,
                staged,
                metrics=metrics,
                protocols=protocols,
                digits=digits,
                sort=sort,
                published=published,
                intervals=intervals,
                seeds=seeds,
            )
            sharing = {one.dataset: one.sharing for one in terms}
            notes = table(formats=FORMATS, gallery=gallery, figures=figures, sharing=sharing).notes
            if layout == "wide":
                wide = table(
                    formats=[name for name in FORMATS if name != "json"],
                    layout=layout,
                    methods=methods,
                    datasets=datasets,
                    average=average,
                    group_by=group_by,
                    ours=ours,
                    span=span,
                )
                notes = tuple(dict.fromkeys([*notes, *wide.notes]))
            size = page_size(staged)
            refuse_too_large(size, most, gallery, selected)
            for run in selected:
                _copy_record(run, staged)
            for name, text in model_texts.items():
                write_text(staged / model_card_file(name), text)
            write_text(staged / "LICENCES.md", licence_notes(terms))
            write_text(staged / "README.md", ABOUT + ABOUT_WIDE * (layout == "wide"))
            write_text(staged / ".nojekyll", "")  # else GitHub Pages leaves out names that start with "_"
            write_contents(staged)
            put_in_place(
                final,
                lambda place: _move(staged, place),
                lambda: refuse_other_content(final, target, replace),
            )
    except BaseException:
        for one in new:
            with suppress(OSError):  # it is not empty, or was never made
                one.rmdir()
        raise
    hidden = hidden_note(terms) if gallery else ""
    return Published(target, len(selected), size, (*notes, hidden) if hidden else notes)


def _move(staged: Path, place: Path) -> None:
    for path in staged.iterdir():
        path.rename(place / path.name)


def _copy_record(run: Run, staged: Path) -> None:
    """The files of a record, byte for byte; InputError where the copy is not what run.json states."""
    table = next(iter(run.tables.values()))
    source = table.folder if isinstance(table, RecordedTable) else None
    if source is None:
        save_run(staged, run)
        return
    place = record_place(staged, run.name, run.dataset)
    for name in ("run.json", *read_json(source / "run.json")["files"]):
        _copy(source / name, place / name)
    read_run(place, staged)


def _copy_efficiency(runs: Sequence[Run], staged: Path) -> None:
    """What `bench` measured of the methods, for the columns of the tables."""
    for run in runs:
        for path in efficiency_files(run, run.reports) if run.reports else ():
            place = staged / path.parent.name / path.name
            if not place.exists():
                _copy(path, place)


def _copy(source: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(place) as part:
        shutil.copyfile(source, part)
