"""The main job: a baseline's maps of a data set are predicted, scored and recorded.

`evaluate`, `map_scoring.score_maps` and `rescoring.rescore` end in `recording.score_and_record`; the command
line and `reproduce` call these functions and nothing below them.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodbench.arguments import BATCH, LIMIT, instances
from sodbench.data.card import load_cards
from sodbench.data.folder import (
    DataSet,
    open_dataset,
)
from sodbench.errors import InputError, Note
from sodbench.files import locked_folder
from sodbench.names import folder_name
from sodbench.paths import user_path
from sodbench.recording import DEFAULT_PROTOCOLS, Protocols, check_place, prepare_scoring, score_and_record

if TYPE_CHECKING:
    from sodbench.models import Baseline, LoadedNetwork
    from sodbench.results.replacement import Replace
    from sodbench.results.run import Run
    from sodbench.shard import Shard


def evaluate(
    baseline: str | Path | Baseline | LoadedNetwork,
    dataset: str | DataSet,
    *,
    protocols: Protocols = DEFAULT_PROTOCOLS,
    metrics: str | Sequence[str] | None = None,
    limit: int | None = None,
    device: str | None = None,
    precision: str | None = None,
    batch: int | None = None,
    weights: Path | str | None = None,
    name: str | None = None,
    maps: Path | str | None = None,
    keep_maps: bool = True,
    reports: Path | str | None = "reports",
    data_root: Path | str | None = None,
    allow_constant: bool = False,
    workers: int | None = None,
    image_curves: bool = True,
    self_check: bool = True,
    replace: Replace = False,
    shard: Shard | str | None = None,
    trust_remote_code: bool = False,
    progress: bool = False,
) -> Run:
    """Predicts a baseline's maps of one data set, scores and records them: `sodbench run` for one set.

    baseline: a name (`sodbench.baselines()`), the path of a TOML file or of a transformers folder,
        `module:callable`, a `Baseline`, or the result of `load_baseline(name).load()`, which saves loading
        the weights for every data set.
    dataset: a name (`sodbench.datasets()`) or a `DataSet`.
    protocols: the scoring conventions: names, paths of TOML files or `Protocol` objects, one or several.
    metrics: families such as "MAE" or "F", or scores such as "maxF", one or several; None: all that the
        protocols define.
    limit: predict only the first `limit` images; None: all.
    device: "cpu", "cuda" or "cuda:N"; None: a GPU if available.
    precision: "fp32", "bf16" or "fp16"; None: the baseline's choice.
    batch: the batch size; None: 4 on a CPU, 16 on a GPU.
    weights: a weights file; None: the baseline's own.
    name: the run's name; None: the baseline's.
    maps: folder in which the maps are written, in one folder per data set; None: `maps/<name>`.
    keep_maps: whether the maps are written. Without, they are scored from memory, which gives
        bit-identical scores; reports then show no maps, and `audit` cannot score them again.
    reports: folder in which the run is recorded; None: it is not recorded.
    data_root: folder with one folder per data set; None: SODBENCH_DATA, else the user's data folder.
    allow_constant: record the run even if every map has one value only, as those of a broken network.
    workers: the number of threads that score; None: one per processor core.
    image_curves: whether the curves of every image are kept, from which confidence intervals of max F and
        paired tests follow. They are most of a record's size.
    self_check: whether eight images are scored a second time without the engine; the record says which, or
        that they were not. A difference above 1e-6 is an error, and nothing is recorded.
    replace: whether a record of other masks, weights or maps, or of more images, may be replaced: False,
        True, or "same data": one of other weights or maps, but of no other masks and no more images.
    shard: "3/16" predicts and scores the third of 16 parts of the images only, counted from 1, and records a
        shard; `merge` joins all of them. The run that is returned is that of the part.
    trust_remote_code: whether code that comes with a transformers model may run; the record says so.
    progress: whether progress bars are shown on stderr.

    An interrupted call goes on: maps that are whole and depend on the same are kept; a note says how many.

    Raises InputError for errors that the user can correct, before any work is done where possible.
    """
    from sodbench.cell_key import prediction_parts
    from sodbench.made_maps import unfinished_maps
    from sodbench.models import Baseline, choose_device
    from sodbench.pipeline import predict_and_score
    from sodbench.prediction import default_batch
    from sodbench.recorded_prediction import prediction_of
    from sodbench.results.replacement import NewMaps

    started = time.time()
    if limit is not None:
        limit = LIMIT.checked("limit", limit)
    if batch is not None:
        batch = BATCH.checked("batch", batch)
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
    )
    baseline = known_baseline(baseline, weights, trust_remote_code)
    opened = dataset if isinstance(dataset, DataSet) else open_dataset(dataset, scoring.data_root)
    scoring = scoring.with_root_of(opened)
    recipe = baseline if isinstance(baseline, Baseline) else baseline.baseline
    name = name or recipe.name
    whole = opened.samples[:limit]
    samples = scoring.part_of(whole)
    names = [sample.name for sample in whole]
    check_place(name, opened, names, scoring)
    folder = _folder_of_maps(maps, name, opened, keep_maps)
    device = choose_device(device)
    loaded = baseline.load(_path(weights), device) if isinstance(baseline, Baseline) else baseline
    recipe = loaded.baseline
    batch = batch or default_batch(device)
    prediction = prediction_of(loaded, scoring, precision=precision, batch=batch, limit=limit, device=device)
    made_from = prediction_parts(loaded, samples, precision, device)
    check_place(name, opened, names, scoring, NewMaps(made_from, None))
    depends_on = {**made_from, "device": device.partition(":")[0]}
    # so that only maps of this network are scored; the shards of a run share the folder
    lock: AbstractContextManager[object] = nullcontext()
    if folder is not None:
        mine = folder if scoring.shard is None else folder / f".{scoring.shard.folder}"
        lock = locked_folder(mine, waiting=partial(_wait_for, folder))
    with lock, unfinished_maps(folder, depends_on, [one.name for one in samples]) as made:
        score = partial(
            predict_and_score,
            loaded.network.to(device),
            recipe,
            samples,
            made,
            batch=batch,
            device=device,
            precision=precision,
            progress=f"run {opened.name}" if progress else None,
            **scoring.options,
        )
        return score_and_record(
            name,
            opened,
            [(sample, made.map_of(sample.name) if made else None) for sample in samples],
            folder,
            scoring,
            started=started,
            prediction=prediction,
            made_from=made_from,
            whole=whole,
            score=score,
        )


def evaluate_all(
    baseline: str | Path | Baseline | LoadedNetwork,
    datasets: str | DataSet | Sequence[str | DataSet],
    *,
    weights: Path | str | None = None,
    device: str | None = None,
    trust_remote_code: bool = False,
    **options: Any,
) -> list[Run]:
    """Evaluates a baseline on several data sets: `sodbench run`. One run per data set, in their order.

    All data sets, protocols and metrics are checked before the first image is predicted, and the network is
    loaded once. `options` are the other keywords of `evaluate`.
    """
    device, loaded, sets = prepare_all(baseline, datasets, weights, device, trust_remote_code, **options)
    return [evaluate(loaded, one, device=device, **options) for one in sets]


def prepare_all(
    baseline: str | Path | Baseline | LoadedNetwork,
    datasets: str | DataSet | Sequence[str | DataSet],
    weights: Path | str | None = None,
    device: str | None = None,
    trust_remote_code: bool = False,
    **options: Any,
) -> tuple[str, LoadedNetwork, list[DataSet]]:
    """The device, the loaded network and the data sets of `evaluate_all`, after all of its checks."""
    from sodbench.cell_key import prediction_parts
    from sodbench.models import Baseline, choose_device
    from sodbench.results.replacement import NewMaps

    baseline = known_baseline(baseline, weights, trust_remote_code)
    root = _path(options.get("data_root"))
    sets = open_sets(datasets, root)
    scoring = prepare_scoring(
        options.get("protocols", DEFAULT_PROTOCOLS),
        options.get("metrics"),
        options.get("reports", "reports"),
        root,
        workers=options.get("workers"),
        replace=options.get("replace", False),
        shard=options.get("shard"),
    )
    recipe = baseline if isinstance(baseline, Baseline) else baseline.baseline
    name = options.get("name") or recipe.name
    for one in sets:
        check_place(name, one, [sample.name for sample in one.samples[: options.get("limit")]], scoring)
        _folder_of_maps(options.get("maps"), name, one, options.get("keep_maps", True))
    device = choose_device(device)
    loaded = baseline.load(_path(weights), device) if isinstance(baseline, Baseline) else baseline
    made_from = prediction_parts(loaded, (), options.get("precision"), device)
    del made_from["images"]  # which `evaluate` reads
    for one in sets:
        images = [sample.name for sample in one.samples[: options.get("limit")]]
        check_place(name, one, images, scoring, NewMaps(made_from, None))
    return device, loaded, sets


def open_sets(datasets: str | DataSet | Sequence[str | DataSet], root: Path | None) -> list[DataSet]:
    """The data sets, each once; all unknown names are reported together, before the first is opened."""
    datasets = [datasets] if isinstance(datasets, str | DataSet) else datasets
    datasets = instances("data sets", datasets, (str, DataSet), "names or DataSet objects")
    load_cards([one for one in datasets if isinstance(one, str)])
    opened = [one if isinstance(one, DataSet) else open_dataset(one, root) for one in datasets]
    return list({one.name: one for one in opened}.values())


def _folder_of_maps(maps: Path | str | None, name: str, dataset: DataSet, keep: bool) -> Path | None:
    """The folder for the maps of a data set; refuses one that holds the images or masks of the set.

    None where maps are not to be kept.
    """
    from sodbench.data.overwriting import refuse_overwriting

    if not keep:
        if maps is not None:
            raise InputError(
                f"maps {maps}: a folder for the maps, and none is to be kept (--no-maps, keep_maps=False): "
                "leave one of the two out"
            )
        return None
    folder = (_path(maps) or Path("maps") / folder_name(name)) / folder_name(dataset.name)
    inputs = (path for sample in dataset for path in (sample.image, sample.mask) if path is not None)
    targets = (folder, *(folder / f"{sample.name}.png" for sample in dataset))
    refuse_overwriting(targets, inputs, str(folder), [dataset.folder])
    return folder


def _wait_for(folder: Path) -> None:
    message = f"{folder}: another process is writing maps there; waiting (--maps names another folder)"
    warnings.warn(message, Note, stacklevel=5)


def known_baseline(
    baseline: object, weights: Path | str | None, trust_remote_code: bool = False
) -> Baseline | LoadedNetwork:
    """The baseline by its name, or as it was given."""
    from sodbench.models import Baseline, LoadedNetwork, load_baseline

    if isinstance(baseline, str | Path):
        return load_baseline(baseline, trust_remote_code=trust_remote_code)
    if isinstance(baseline, Baseline) and trust_remote_code:
        return replace(baseline, trust_remote_code=True)
    if isinstance(baseline, LoadedNetwork) and weights is not None:
        raise InputError("weights: the network is loaded already; name a baseline to load others into")
    if not isinstance(baseline, Baseline | LoadedNetwork):
        raise InputError(
            f"baseline: expected a name, a Baseline or a loaded one, found {type(baseline).__name__}; "
            'name a network by the function that makes it, "nets.py:create"'
        )
    return baseline


def _path(path: Path | str | None) -> Path | None:
    return None if path is None else user_path(path)
