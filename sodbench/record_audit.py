"""`audit`: whether recorded runs are as they were scored, from the record alone up to its maps.

Beyond the checks that every reader of records makes (`results.integrity`), the data set's scores are derived
from the curves of the images, counts are compared with the data set's card, digests with the maps and masks,
and where these are here the maps are scored again. A record that was edited in all its files alike differs
from its maps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sodbench.arguments import THREADS, checked_filter
from sodbench.errors import InputError, first_of, unknown_names
from sodbench.paths import user_path
from sodbench.rescoring import dataset_of
from sodbench.results.card_of_run import card_of
from sodbench.results.integrity import ROUNDING, score_problem
from sodbench.results.loading import read_run, record_folders, record_problems
from sodbench.results.provenance import digest_of
from sodbench.results.run import protocol_of
from sodbench.results.shard_records import merge_hint

if TYPE_CHECKING:
    import pandas as pd

    from sodbench.data.folder import Sample
    from sodbench.results.run import Run, ScoreTableLike

# the curves of images are kept in single precision
SINGLE = 1e-6


@dataclass(frozen=True)
class AuditedRun:
    """What the audit found for one record.

    `scores` data-set scores were derived; `rescored` of `images` were scored again, `not_rescored` says why
    not all were (empty: all were). `differences` are empty for a record that is as its run left it.
    """

    name: str
    dataset: str
    folder: Path
    scores: int = 0
    images: int = 0
    rescored: int = 0
    not_rescored: str = ""
    differences: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    def __str__(self) -> str:
        where = f"{self.folder.parent.name}/{self.folder.name}"
        if not self.ok:
            return f"differs  {where}: {first_of(self.differences, 3)}"
        again = f"{self.rescored} of {self.images} images scored again"
        reason = f" ({self.not_rescored})" if self.not_rescored else ""
        return f"ok       {where}: digests, {self.scores} scores, protocols, counts; {again}{reason}"


@dataclass(frozen=True, repr=False)
class RecordsAudit:
    """The audit of a reports folder; prints one line per record and a summary."""

    runs: tuple[AuditedRun, ...]

    @property
    def failed(self) -> tuple[AuditedRun, ...]:
        """The records in which something differs."""
        return tuple(one for one in self.runs if not one.ok)

    @property
    def summary(self) -> str:
        """How many records are as their runs left them, how many images were scored again."""
        good, images = len(self.runs) - len(self.failed), sum(one.images for one in self.runs)
        return (
            f"{good} of {len(self.runs)} records are as they were scored;"
            f" {sum(one.rescored for one in self.runs)} of {images} images were scored again"
        )

    def __str__(self) -> str:
        return "\n".join([*map(str, self.runs), self.summary])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = "".join(f"<li>{escape(str(one))}</li>" for one in self.runs)
        return f"<p>{escape(self.summary)}</p><ul>{rows}</ul>"


def audit(
    reports: Path | str = "reports",
    *,
    methods: str | Sequence[str] | None = None,
    datasets: str | Sequence[str] | None = None,
    data_root: Path | str | None = None,
    workers: int | None = None,
    progress: bool = False,
) -> RecordsAudit:
    """Checks every recorded run: `sodbench audit`. Executes nothing that a record names.

    Checked are: the digests of the record's files; the data set's scores, derived from the scores and curves
    of the images; the fields of shipped protocols; counts and names of images, against the card too; and, as
    far as maps and masks are here, their digests and every score, computed again.

    reports: the reports folder.
    methods, datasets: only the records of these; None: all.
    data_root: folder with one folder per data set; None: those used with the reports folder.
    workers: the number of threads that score; None: one per processor core.
    progress: whether progress bars are shown on stderr.

    Raises InputError if there is no record, and for a name that no record has.
    """
    if workers is not None:
        workers = THREADS.checked("workers", workers)
    reports = user_path(reports)
    records = list(record_folders(reports))
    if not records:
        hint = merge_hint(reports)
        raise InputError(f"no runs in {reports / 'runs'}; name the reports folder that holds them{hint}")
    for kind, chosen, position in (("method", methods, 1), ("data set", datasets, 2)):
        if chosen is not None:
            names = [chosen] if isinstance(chosen, str) else list(chosen)
            known = {str(record[position]) for record in records}
            unknown = [name for name in names if name not in known]
            if unknown:
                raise unknown_names(kind, unknown, known)
            records = [record for record in records if record[position] in names]
    root = None if data_root is None else user_path(data_root)
    return RecordsAudit(
        tuple(
            _audited(folder, name, dataset, reports, root, workers, progress)
            for folder, name, dataset in records
        )
    )


def _audited(
    folder: Path,
    name: str,
    dataset: str,
    reports: Path,
    data_root: Path | None,
    workers: int | None,
    progress: bool,
) -> AuditedRun:
    try:
        run = read_run(folder, reports)
        found = record_problems(run, name, dataset)
    except InputError as error:
        return AuditedRun(name, dataset, folder, differences=(str(error),))
    found += _of_card(run)
    try:
        for protocol, table in () if found else run.tables.items():
            found += _of_image_curves(protocol, table)
    except InputError as error:
        found.append(str(error))
    rescored, reason = 0, "not tried, because the record differs"
    if not found:
        try:
            again = _Again(run, data_root)
            found += again.digest_problems
            if again.pairs:
                found += again.differences(workers, f"audit {name} on {dataset}" if progress else None)
            rescored, reason = len(again.pairs), again.reason
        except InputError as error:
            found.append(f"cannot be scored again: {error}")
    return AuditedRun(
        name,
        dataset,
        folder,
        scores=len(run.values()),
        images=run.scored,
        rescored=rescored,
        not_rescored=reason,
        differences=tuple(found),
    )


def _of_card(run: Run) -> Iterator[str]:
    """The problem of a count that is not that of the data set's card."""
    card = card_of(run)
    if card is not None and run.expected != card.expected:
        yield f"run.json expects {run.expected} images, the card of {run.dataset} {card.expected}"


def _of_image_curves(name: str, table: ScoreTableLike) -> Iterator[str]:
    """Data-set scores that do not follow from the curves of the images, where these were kept."""
    from sodbench.metrics.aggregate import dataset_scores

    curves = table.image_curves
    if not curves:
        return
    columns = {str(key): table.per_image[key].to_numpy(np.float64) for key in table.per_image}
    derived = dataset_scores(columns, curves, protocol_of(table))
    for metric, value in derived.items():
        if metric in table.scores:
            full = f"{metric}@{name}"
            problem = score_problem(full, table.scores[metric], value, "by the curves of its images", SINGLE)
            if problem is not None:
                yield problem


class _Again:
    """A run's maps and masks as far as they are here, and the scores that they have now."""

    def __init__(self, run: Run, data_root: Path | None) -> None:
        self.run = run
        self.digest_problems: list[str] = []
        self.pairs: list[tuple[Sample, Path]] = []
        self.reason = ""
        images = run.images
        try:
            dataset = dataset_of(run, data_root)
        except InputError as error:
            self.reason = f"the data set is not here: {error}"
            return
        if dataset.digest() != run.dataset_digest:
            self.digest_problems.append(
                f"the masks in {dataset.folder} are not those that were scored against"
            )
            return
        folder = run.maps_folder(data_root)
        if folder is None or not folder.is_dir():
            unknown = "the record names no maps" if run.maps_kept else "the maps were not kept"
            self.reason = f"no maps in {folder}" if folder else unknown
            return
        maps = run.map_files(data_root)
        samples = {sample.name: sample for sample in dataset}
        self.pairs = [(samples[name], maps[name]) for name in images if name in samples and name in maps]
        missing = len(images) - len(self.pairs)
        recorded = run.provenance.maps_sha256
        if missing:
            self.reason = f"{missing} maps are missing from {folder}"
        elif recorded is not None and digest_of((name, maps[name]) for name in images) != recorded:
            self.digest_problems.append(f"the maps in {folder} are not those that were scored")

    def differences(self, workers: int | None, progress: str | None) -> list[str]:
        """The scores that are others when the maps are scored again, those of the images and of the set."""
        from sodbench.scoring import score_samples

        run = self.run
        protocols = [protocol_of(table) for table in run.tables.values()]
        tables = score_samples(
            self.pairs,
            protocols,
            list(run.values()),
            workers=workers,
            progress=progress,
            keep_curves=False,
            resize=checked_filter(run.provenance.map_resize),
        )
        found: list[str] = []
        for name, recorded in run.tables.items():
            now = tables[name]
            found += _of_rows(name, recorded.per_image, now.per_image)
            if len(self.pairs) == run.scored:
                for metric, value in recorded.scores.items():
                    problem = score_problem(
                        f"{metric}@{name}", value, now.scores.get(metric), "by its maps", ROUNDING
                    )
                    found += [] if problem is None else [problem]
        return found


def _of_rows(name: str, recorded: pd.DataFrame, now: pd.DataFrame) -> Iterator[str]:
    """The columns of the table of images that hold other scores than the maps have now."""
    rows = recorded.set_axis(recorded.index.astype(str)).loc[now.index]
    for column in recorded:
        full = f"{column}@{name}"
        if column not in now:
            yield f"{full!r} is no score of an image"
            continue
        then, today = rows[column].to_numpy(np.float64), now[column].to_numpy(np.float64)
        agree = (np.abs(then - today) <= ROUNDING) | (np.isnan(then) & np.isnan(today))
        if not agree.all():
            first = int(np.argmin(agree))
            yield (
                f"{full} of {int((~agree).sum())} images: that of {now.index[first]} is {then[first]:.12g} in"
                f" the table of images and {today[first]:.12g} by its map"
            )
