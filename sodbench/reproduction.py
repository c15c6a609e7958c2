"""Repeats a recorded run (from its weights or maps) or training (from its recipe); compares the numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodbench.arguments import NOT_NEGATIVE
from sodbench.errors import InputError, first_of
from sodbench.evaluation import evaluate
from sodbench.json_text import read_json
from sodbench.models.onnx_file import weights_digest
from sodbench.names import folder_name
from sodbench.paths import user_path
from sodbench.repeated_training import TrainingJson, train_again
from sodbench.reproduced_numbers import Reproduction, compared
from sodbench.rescoring import dataset_of, rescore
from sodbench.results.environment import changes_since
from sodbench.results.integrity import ROUNDING, differences, wrong_scores
from sodbench.results.loading import read_run
from sodbench.schema import parse

if TYPE_CHECKING:
    from sodbench.models import Baseline
    from sodbench.results.run import Run


def reproduce(
    record: Path | str,
    *,
    data_root: Path | str | None = None,
    out: Path | str | None = None,
    weights: Path | str | None = None,
    maps: Path | str | None = None,
    tolerance: float = 1e-3,
    device: str | None = None,
    resume: bool = False,
    trust: bool = False,
    progress: bool = False,
) -> Reproduction:
    """Repeats a recorded run or training and compares every number with the recorded one.

    record: run.json, training.json, or the folder that holds one.
    out: where the maps and checkpoints are written; None: `reproduced/<record>`.
    weights: the run's weights; None: where the record says.
    maps: the scored maps; None: where the record says.
    tolerance: the largest difference of a score that still agrees where a network runs and gives other maps
        or weights. The scores of the same maps must be equal (to 1e-12).
    device: "cpu", "cuda" or "cuda:N"; None: the record's.
    resume: continue an interrupted training.
    trust: whether code outside sodbench may run: a record names its network, and it may be a stranger's.

    Raises InputError if something that the record needs is missing, for a network outside sodbench without
    `trust`, and for a record whose files or protocols were changed. A score that does not follow from the
    scores of its images does not agree.
    """
    tolerance = NOT_NEGATIVE.checked("tolerance", tolerance)
    path = _record_file(Path(record))
    root = None if data_root is None else Path(data_root)
    content = _content(path)
    if "recipe" in content:
        training = parse(TrainingJson, content, path, more=True)
        baseline = _trusted(path, training.baseline, trust)
        notes, pairs = train_again(
            path, training, baseline, data_root=root, out=out, device=device, resume=resume, progress=progress
        )
        numbers = [compared(name, then, now, tolerance) for name, (then, now) in pairs.items()]
        return Reproduction(path, tuple(notes), tuple(numbers))
    run = read_run(path.parent)
    wrong = _wrong_scores(path, run)
    notes, again = _run_again(
        path, run, root, out=out, weights=weights, maps=maps, device=device, trust=trust, progress=progress
    )
    recorded = run.provenance.maps_sha256
    same = recorded is not None and again.provenance.maps_sha256 == recorded
    if run.provenance.origin == "maps" or same:
        tolerance = min(tolerance, ROUNDING)
    if recorded is not None and not same:
        allowed = "" if run.provenance.origin == "maps" else f": scores may differ by {tolerance:g}"
        notes.append(f"the maps differ from those that were scored (sha256){allowed}")
    numbers = [
        compared("data set digest", run.dataset_digest, again.dataset_digest, 0),
        compared("images", run.scored, again.scored, 0),
    ]
    now = again.values()
    for full, then in run.values().items():
        number = compared(full, then, now.get(full, float("nan")), tolerance)
        numbers.append(replace(number, agrees="no") if full in wrong else number)
    changed = [f"the record was changed: {problem}" for problem in wrong.values()]
    return Reproduction(path, (*changed, *notes), tuple(numbers))


def _wrong_scores(path: Path, run: Run) -> dict[str, str]:
    """What is wrong with the scores of a record, by full name; InputError for any other change to it."""
    wrong = wrong_scores(run)
    others = [problem for problem in differences(run) if problem not in wrong.values()]
    if others:
        raise InputError(f"{path}: {first_of(others, 3)}; score the maps again")
    return wrong


def _record_file(path: Path) -> Path:
    if not path.is_dir():
        return path
    files = [path / name for name in ("run.json", "training.json") if (path / name).is_file()]
    if not files:
        raise InputError(f"{path}: holds neither run.json nor training.json")
    return files[0]


def _content(path: Path) -> dict[str, Any]:
    content = read_json(path)
    if not isinstance(content, dict) or not (
        {"recipe", "baseline"} <= content.keys() or "protocols" in content
    ):
        raise InputError(f"{path}: neither the record of a training nor of a run")
    return content


def _run_again(
    path: Path,
    run: Run,
    data_root: Path | None,
    *,
    out: Path | str | None,
    weights: Path | str | None,
    maps: Path | str | None,
    device: str | None,
    trust: bool,
    progress: bool,
) -> tuple[list[str], Run]:
    """Predicts (or takes the maps that were made elsewhere) and scores again under the record's protocols."""
    then = run.provenance
    notes = changes_since(then.versions, then.device)
    if then.origin == "baseline":
        name = then.baseline or run.name
        if name.startswith(("reports:", "data-root:", "cache:")):
            place, _, attribute = name.partition(".py:")
            file = run.locate(f"{place}.py" if attribute else name, data_root)
            name = f"{file}:{attribute}" if attribute else str(file)
        baseline = _trusted(path, name, trust)
        given = None if weights is None else user_path(weights)
        loaded = baseline.load(_weights(run, baseline, given, data_root))
        if loaded.weights_sha256 != run.weights_sha256:  # a file of other weights is refused by `_weights`
            notes.append(
                f"the weights differ: {baseline.network} returned weights of digest"
                f" {str(run.weights_sha256)[:12]}..., it returns {loaded.weights_sha256[:12]}..."
            )
        if baseline.remote_code != then.remote_code:
            notes.append(f"the code that comes with {name} is not that of the record (remote_code)")
        again = evaluate(
            loaded,
            dataset_of(run, data_root),
            protocols=[table.protocol for table in run.tables.values()],
            metrics=list(run.values()),
            limit=then.limit,
            batch=then.batch,
            precision=then.precision,
            device=device or then.inference_device,
            maps=out if out or not run.maps_kept else Path("reproduced") / folder_name(run.name),
            keep_maps=run.maps_kept or out is not None,
            reports=None,
            data_root=data_root,
            allow_constant=True,
            progress=progress,
        )
        if not run.maps_kept:
            notes.append("the maps were not kept: the scores are compared, and not the maps")
    else:
        again = rescore(run, maps=maps, data_root=data_root, progress=progress)
    return notes, again


def _trusted(record: Path, name: str, trust: bool) -> Baseline:
    """The baseline that a record names; without `trust` no code outside this package is run for it."""
    from sodbench.models import load_baseline

    try:
        return load_baseline(name, trust=trust, trust_remote_code=trust)
    except InputError as error:
        raise InputError(f"{record}: {error}") from error


def _weights(run: Run, baseline: Baseline, given: Path | None, data_root: Path | None) -> Path | None:
    """The file that holds the run's weights, known by its digest; None where the network brings its own."""
    if run.provenance.weights is None and given is None:
        return None
    recorded = run.locate(run.provenance.weights, data_root)
    candidates = [given] if given is not None else [recorded, baseline.weights_path()]
    files = [path for path in candidates if path is not None and path.is_file()]
    for path in files:
        if weights_digest(path) == run.weights_sha256:
            return path
    if not files:
        missing = given or recorded or baseline.weights_path()
        raise InputError(f"{missing}: no such weights file; name the run's weights with --weights")
    raise InputError(
        f"{files[0]}: sha256 {weights_digest(files[0])[:12]}..., the run's weights have "
        f"{str(run.weights_sha256)[:12]}...; name the right file with --weights"
    )
