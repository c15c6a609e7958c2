"""From pairs of maps and masks to a recorded run: every run comes from `score_and_record`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from sodbench.arguments import THREADS, ResizeFilter, checked_filter, instances
from sodbench.data.folder import DataSet, refuse_reserved
from sodbench.data.map_files import checked_pattern
from sodbench.errors import InputError, Note
from sodbench.paths import user_path
from sodbench.shard import Shard

if TYPE_CHECKING:
    from sodbench.data.folder import Sample
    from sodbench.metrics import Protocol, ScoreTable
    from sodbench.results.provenance import Prediction
    from sodbench.results.replacement import NewMaps, Replace
    from sodbench.results.run import Run
    from sodbench.scoring import ProgressBar
    from sodbench.self_check import SelfChecker

T = TypeVar("T")

# a name, the path of a TOML file, a `Protocol`, or several of these
Protocols: TypeAlias = "str | Path | Protocol | Sequence[str | Path | Protocol]"
DEFAULT_PROTOCOLS = ("pysodmetrics",)


@dataclass(frozen=True)
class Scoring:
    """How pairs of maps and masks are scored and where the run goes; checked before any work is done."""

    protocols: tuple[Protocol, ...]
    metrics: tuple[str, ...] | None
    reports: Path | None
    data_root: Path | None
    workers: int | None
    progress: bool
    image_curves: bool
    self_check: bool
    allow_constant: bool
    replace: Replace
    shard: Shard | None = None
    pattern: str | None = None
    resize: ResizeFilter | None = None

    def part_of(self, samples: Sequence[T]) -> list[T]:
        """Those of the samples, or of their pairs, that are to be scored: of the shard, or all."""
        return list(samples) if self.shard is None else self.shard.of(samples)

    @property
    def options(self) -> dict[str, Any]:
        """The arguments that `score_samples` and `predict_and_score` share."""
        return {
            "protocols": self.protocols,
            "metrics": self.metrics,
            "workers": self.workers,
            "keep_curves": self.image_curves,
        }

    def with_root_of(self, dataset: DataSet) -> Scoring:
        """With the data root from which a data set was opened that was given itself, not by its name."""
        return replace(self, data_root=self.data_root or dataset.data_root)


def prepare_scoring(
    protocols: Protocols,
    metrics: str | Sequence[str] | None,
    reports: Path | str | None,
    data_root: Path | str | None,
    *,
    workers: int | None = None,
    progress: bool = False,
    image_curves: bool = True,
    self_check: bool = True,
    allow_constant: bool = False,
    replace: Replace = False,
    shard: Shard | str | None = None,
    pattern: str | None = None,
    resize: str | None = None,
) -> Scoring:
    """Refuses unknown protocols and metrics before any work is done.

    Notes the protocols that resample maps by a rule of their own, where `resize` names a filter.
    """
    from sodbench.metrics import Protocol, load_protocol
    from sodbench.metrics.protocol import own_or_shipped
    from sodbench.metrics.scorer import scorers_for
    from sodbench.results.replacement import checked_replace

    replace = checked_replace(replace)
    if shard is not None:
        shard = Shard.parse(shard)
        if reports is None:
            raise InputError(f"shard {shard} is recorded to be merged; name a reports folder")
    if workers is not None:
        workers = THREADS.checked("the number of scoring workers", workers)
    if isinstance(protocols, str | Path | Protocol):
        protocols = [protocols]
    protocols = instances("protocols", protocols, (str, Path, Protocol), "names, paths or Protocol objects")
    loaded = tuple(own_or_shipped(load_protocol(protocol), "protocols") for protocol in protocols)
    if not loaded:
        raise InputError("no protocol to score under; expected at least one")
    pattern, chosen_filter = checked_pattern(pattern), checked_filter(resize)
    resampling = [one.name for one in loaded if one.size_mismatch != "error"]
    if chosen_filter and resampling:
        names = ", ".join(resampling)
        message = f"--resize {resize} is not used under {names}: a protocol's own rule for sizes goes first"
        warnings.warn(message, Note, stacklevel=3)
    if isinstance(metrics, str):
        metrics = [metrics]
    scorers_for(loaded, metrics)
    chosen = None if metrics is None else tuple(metrics)
    return Scoring(
        loaded,
        chosen,
        None if reports is None else user_path(reports),
        None if data_root is None else user_path(data_root),
        workers,
        progress,
        image_curves,
        self_check,
        allow_constant,
        replace,
        shard,
        pattern,
        chosen_filter,
    )


def check_place(
    name: str, dataset: DataSet, images: Sequence[str], scoring: Scoring, maps: NewMaps | None = None
) -> None:
    """Refuses, before any work, a run that would be recorded under another set's name or lose a record.

    images: the names of the images to be scored. maps: what is known of their maps; None: nothing yet.
    """
    from sodbench.results.replacement import refuse_loss, refuse_other_files
    from sodbench.results.shard_records import check_shard_place

    if dataset.card is None or dataset.card.name != dataset.name:
        refuse_reserved(dataset.name)
    elif len(dataset) > dataset.card.expected:
        raise InputError(
            f"{dataset.name}: {len(dataset)} pairs are in {dataset.folder}, and its card counts"
            f" {dataset.card.expected}: remove those that are not of this set (`sodbench datasets verify"
            f" {dataset.name}` helps), or correct pairs in a card of your own"
        )
    if scoring.reports is not None and scoring.shard is not None:
        check_shard_place(scoring.reports, name, dataset.name, scoring.shard)
        return  # whether the record may be replaced is for the merge to say
    if scoring.reports is not None:
        refuse_other_files(scoring.reports, name, dataset.name)
    if scoring.reports is not None and scoring.replace is not True:
        refuse_loss(
            scoring.reports,
            name,
            dataset.name,
            digest=dataset.digest,
            images=images,
            maps=None if scoring.replace else maps,
        )


def score_and_record(
    name: str,
    dataset: DataSet,
    pairs: Sequence[tuple[Sample, Path | None]],
    maps: Path | None,
    scoring: Scoring,
    *,
    started: float,
    prediction: Prediction | None = None,
    made_from: Mapping[str, str] | None = None,
    whole: Sequence[Sample] = (),
    score: Callable[[SelfChecker | None], dict[str, ScoreTable]] | None = None,
    progress: ProgressBar | None = None,
) -> Run:
    """Scores maps against masks under every protocol and records the run, or the shard.

    `made_from` is what predicted maps depend on (`cell_key.prediction_parts`); None: only their bytes count.
    `whole`: all samples that are shared out, where `pairs` are those of a shard.
    `maps` is their folder; None: they are not kept, and `pairs` have no files of maps. `score` makes the
    tables, and gives the checker its images; None: the files of the maps are scored. `progress`: the bar that
    is moved on; None: one of its own, if the scoring is to show one.
    """
    from sodbench.cell_key import joined, map_parts, scoring_parts
    from sodbench.constant_maps import check_not_constant
    from sodbench.data.auditing.manifest import changes
    from sodbench.data.float_maps import RULE, holds_floats
    from sodbench.data.locations import data_root, remember_root
    from sodbench.metrics.aggregate import empty_table
    from sodbench.metrics.scorer import scorers_for
    from sodbench.results.environment import started_text
    from sodbench.results.new_run import new_run
    from sodbench.results.provenance import SelfCheck
    from sodbench.results.saving import save_run
    from sodbench.results.shard_saving import save_shard
    from sodbench.scoring import score_samples
    from sodbench.self_check import SelfChecker

    checker = None
    if scoring.self_check and pairs:
        # drawn anew for every run, from what its record holds
        seed = f"{name}\0{dataset.name}\0{started_text(started)}"
        checker = SelfChecker([sample.name for sample, _ in pairs], seed)
    files = [(sample, path) for sample, path in pairs if path is not None]
    if score is None:
        bar = progress or (f"score {dataset.name}" if scoring.progress else None)

        def score(checker: SelfChecker | None) -> dict[str, ScoreTable]:
            return score_samples(
                files, progress=bar, checker=checker, resize=scoring.resize, **scoring.options
            )

    if pairs or scoring.shard is None:
        tables = score(checker)
    else:
        tables = {protocol.name: empty_table(protocol) for protocol in scoring.protocols}
    if scoring.shard is None:  # of a few images all maps may rightly be constant
        named = maps or f"{name} on {dataset.name}"
        check_not_constant(next(iter(tables.values())), named, scoring.allow_constant)
    scoring = scoring.with_root_of(dataset)
    changed = changes(dataset)
    if changed:
        warnings.warn(f"{dataset.name} differs from its manifest: {changed.line()}", Note, stacklevel=3)
    samples = [sample for sample, _ in pairs]
    run = new_run(
        name,
        dataset,
        tables,
        maps=maps,
        prediction=prediction,
        depends_on=joined(
            map_parts(files) if made_from is None else made_from,
            scoring_parts(samples, scoring.protocols, scoring.metrics, scoring.resize),
        ),
        map_pattern=scoring.pattern,
        map_resize=scoring.resize,
        float_maps=RULE if any(holds_floats(path) for _, path in files) else None,
        reports=scoring.reports,
        data_root=scoring.data_root,
        started=started,
    )
    checked = SelfCheck(done=False) if checker is None else checker.verdict(tables)
    run = replace(run, provenance=replace(run.provenance, self_check=checked))
    if scoring.reports is not None and scoring.shard is not None:
        families = scorers_for(scoring.protocols, scoring.metrics)
        save_shard(
            scoring.reports,
            run,
            tables,
            pairs,
            scoring.shard,
            [sample.name for sample in whole],
            metrics={one.protocol.name: [family.name for family in one.families] for one in families},
            image_curves=scoring.image_curves,
            allow_constant=scoring.allow_constant,
        )
    elif scoring.reports is not None:
        save_run(scoring.reports, run, replace=scoring.replace)
    if scoring.reports is not None:
        remember_root(scoring.reports, data_root(scoring.data_root).path)
    return run
