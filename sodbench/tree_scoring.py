"""Scores a tree of saliency maps, several methods on several data sets, in one call.

Everything that can be found without decoding a map is found first, all of it in one error: nothing is scored
then. What goes wrong later, such as a damaged map, concerns one folder; the others are scored and recorded.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodbench.data.card import load_card
from sodbench.data.folder import DataSet, counting_maps, open_to_score, pair_maps
from sodbench.data.image_files import scan, subfolders
from sodbench.data.layout import find_folders
from sodbench.data.map_files import MAP_SUFFIXES
from sodbench.data.map_tree import DATASET, MapFolder, MapTree, checked_layout, find_map_folders
from sodbench.errors import MESSAGE, InputError, Note, cut, first_of
from sodbench.map_scoring import dataset_to_score
from sodbench.paths import user_path
from sodbench.recording import (
    DEFAULT_PROTOCOLS,
    Protocols,
    Scoring,
    check_place,
    prepare_scoring,
    score_and_record,
)
from sodbench.tree_scores import ExtraMaps, FailedFolder, LeftOutFolder, TreeScores

if TYPE_CHECKING:
    from sodbench.data.folder import Sample
    from sodbench.results.replacement import Replace
    from sodbench.results.run import Run
    from sodbench.scoring import ProgressBar
    from sodbench.shard import Shard


def score_tree(
    root: Path | str,
    layout: str = "{method}/{dataset}",
    *,
    dataset: str | DataSet | None = None,
    masks: Path | str | None = None,
    images: Path | str | None = None,
    pattern: str | None = None,
    resize: str | None = None,
    protocols: Protocols = DEFAULT_PROTOCOLS,
    metrics: str | Sequence[str] | None = None,
    allow_missing: bool = False,
    reports: Path | str | None = "reports",
    data_root: Path | str | None = None,
    allow_constant: bool = False,
    workers: int | None = None,
    image_curves: bool = True,
    self_check: bool = True,
    replace: Replace = False,
    shard: Shard | str | None = None,
    progress: bool = False,
) -> TreeScores:
    """Scores all folders of maps below `root` and records one run each: `sodbench score ROOT --layout`.

    layout: the path from `root` to a folder of maps, with `{method}` once and `{dataset}` once, in any order
        and depth: "{dataset}/{method}", "maps-{method}/{dataset}_test". A data set goes by the name or an
        alias of its card, or the name of its folder, in any letter case.
    dataset, masks, images: the one data set of all folders, as for `score_maps`, where the layout has no
        `{dataset}`.

    Folders of a data set that no card knows, or that is not on this disk, are left out, with a note. The
    other arguments are those of `score_maps`.

    Raises InputError that names all problems, before anything is scored, for bad arguments, maps that are
    missing or there twice, and records that would be lost. A folder whose maps cannot be scored becomes one
    of `failed`, and the others are scored.
    """
    scoring = prepare_scoring(
        protocols,
        metrics,
        reports,
        data_root,
        workers=workers,
        progress=progress,
        image_curves=image_curves,
        self_check=self_check,
        allow_constant=allow_constant,
        replace=replace,
        shard=shard,
        pattern=pattern,
        resize=resize,
    )
    one_set = _one_set(layout, dataset, masks, images, scoring)
    root = user_path(root)
    jobs, left_out = _jobs(root, find_map_folders(root, layout), one_set, allow_missing, scoring)
    extra = tuple(ExtraMaps(job.folder, job.surplus) for job in jobs if job.surplus)
    _note_left_out(root, left_out, extra)
    runs, failed = _scored(jobs, scoring)
    return TreeScores(tuple(runs), tuple(failed), tuple(left_out), extra)


def _one_set(
    layout: str,
    dataset: str | DataSet | None,
    masks: Path | str | None,
    images: Path | str | None,
    scoring: Scoring,
) -> DataSet | None:
    """The data set of all folders; None where the layout names one for each."""
    checked_layout(layout)
    given = {"dataset": dataset, "masks": masks, "images": images}
    names = [name for name, value in given.items() if value is not None]
    if DATASET not in layout:
        if dataset is None and masks is None:
            raise InputError(
                f"layout {layout!r} has no {DATASET}: name the one data set with --dataset, or its masks "
                "with --masks"
            )
        return dataset_to_score(dataset, masks, images, scoring.data_root)
    if names:
        raise InputError(f"layout {layout!r} names the data sets: leave {', '.join(names)} out, or {DATASET}")
    return None


def _jobs(
    root: Path, tree: MapTree, one_set: DataSet | None, allow_missing: bool, scoring: Scoring
) -> tuple[list[_Job], list[LeftOutFolder]]:
    """The folders to score, paired with their data sets, and those that are left out.

    Raises InputError that names all problems, and where nothing is left to score.
    """
    left_out = [LeftOutFolder(folder, "no data set has this name") for folder in tree.unknown]
    names = sorted({one.dataset for one in tree.folders if one.dataset is not None})
    opened = {name: _opened(name, scoring) for name in names}
    jobs: list[_Job] = []
    problems: dict[str, None] = {}
    for one in tree.folders:
        data = one_set if one.dataset is None else opened[one.dataset]
        try:
            if data is None:
                left_out.append(LeftOutFolder(one.folder, f"{one.dataset} is not in the data root"))
            elif isinstance(data, InputError):
                raise data
            elif not scan(one.folder, MAP_SUFFIXES).pictures and subfolders(one.folder):
                left_out.append(LeftOutFolder(one.folder, "it holds folders, and no maps"))
            else:
                jobs.append(_Job.of(one, data, allow_missing, scoring))
        except InputError as error:
            problems[str(error)] = None
    _raise(list(problems), len(tree.folders))
    if not jobs:
        reasons = dict.fromkeys(f"{_below(root, one.folder)}: {one.reason}" for one in left_out)
        raise InputError(f"{root}: nothing is left to score ({first_of(list(reasons), 5)})")
    return jobs, left_out


@dataclass(frozen=True)
class _Job:
    """One folder of maps, paired with its data set."""

    method: str
    dataset: DataSet
    folder: Path
    pairs: tuple[tuple[Sample, Path], ...]
    surplus: tuple[str, ...]

    @classmethod
    def of(cls, one: MapFolder, dataset: DataSet, allow_missing: bool, scoring: Scoring) -> _Job:
        """InputError where maps are missing or twice there, or a record would be lost."""
        from sodbench.results.replacement import NewMaps, digest_by_name

        pairing = pair_maps(dataset, one.folder, allow_missing, scoring.pattern)
        dataset = counting_maps(dataset, one.folder, scoring.pattern)
        names = [sample.name for sample, _ in pairing.pairs]
        check_place(one.method, dataset, names, scoring, NewMaps(None, digest_by_name(pairing.pairs)))
        return cls(one.method, dataset, one.folder, pairing.pairs, pairing.surplus)

    def score(self, scoring: Scoring, bar: ProgressBar | None) -> Run:
        return score_and_record(
            self.method,
            self.dataset,
            scoring.part_of(self.pairs),
            self.folder,
            scoring,
            started=time.time(),
            whole=[sample for sample, _ in self.pairs],
            progress=bar,
        )


def _opened(name: str, scoring: Scoring) -> DataSet | InputError | None:
    """The data set; None where it is not on this disk, the error where its files are not in order."""
    try:
        if find_folders(load_card(name), scoring.data_root, masks_only=True)[1] is None:
            return None
        return open_to_score(name, scoring.data_root)
    except InputError as error:
        return error


def _raise(problems: Sequence[str], total: int) -> None:
    if len(problems) == 1:
        raise InputError(problems[0])
    if problems:
        listed = [f"({number}) {cut(one, MESSAGE)}" for number, one in enumerate(problems[:5], 1)]
        listed += [f"and {len(problems) - 5} more"] if len(problems) > 5 else []
        raise InputError(
            f"{len(problems)} problems in {total} folders of maps, and nothing was scored: "
            + "; ".join(listed)
        )


def _note_left_out(root: Path, left_out: Sequence[LeftOutFolder], extra: Sequence[ExtraMaps]) -> None:
    """One note for each reason, and one for all maps that belong to no image."""
    reasons: dict[str, list[str]] = {}
    for one in left_out:
        reasons.setdefault(one.reason, []).append(_below(root, one.folder))
    for reason, folders in reasons.items():
        count = "1 folder is" if len(folders) == 1 else f"{len(folders)} folders are"
        _note(f"{root}: {count} left out, because {reason}: {first_of(folders, 5)}")
    if extra:
        total = sum(len(one.names) for one in extra)
        listed = [f"{_below(root, one.folder)} ({len(one.names)}: {first_of(one.names, 3)})" for one in extra]
        maps = "1 map that belongs" if total == 1 else f"{total} maps that belong"
        _note(f"{root}: {maps} to no image of the data set will not be scored: {first_of(listed, 5)}")


def _note(message: str) -> None:
    warnings.warn(message, Note, stacklevel=4)


def _below(root: Path, folder: Path) -> str:
    return folder.relative_to(root).as_posix()


def _scored(jobs: Sequence[_Job], scoring: Scoring) -> tuple[list[Run], list[FailedFolder]]:
    """The run of every folder that could be scored, in their order, and the folders that could not."""
    runs, failed = [], []
    counts = {job.folder: len(scoring.part_of(job.pairs)) for job in jobs}
    with _bar(counts, scoring.progress) as bar:
        done = 0
        for job in jobs:
            if bar is not None:
                bar.set_postfix_str(f"{job.method} on {job.dataset.name}")
            try:
                runs.append(job.score(scoring, bar))
            except InputError as error:
                failed.append(FailedFolder(job.method, job.dataset.name, job.folder, str(error)))
            done += counts[job.folder]
            if bar is not None:
                bar.update(done - bar.n)  # past the rest of a folder that failed
    return runs, failed


@contextmanager
def _bar(counts: Mapping[Path, int], shown: bool) -> Iterator[Any]:
    """One progress bar for the maps of all folders; None where none is to be shown."""
    if not shown:
        yield None
        return
    from tqdm import tqdm

    with tqdm(total=sum(counts.values()), desc="score", unit="map") as bar:
        yield bar
