"""Repeats a recorded run (from its weights or maps) or training (from its recipe); compares the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodbench.arguments import NOT_NEGATIVE
from sodbench.errors import InputError, first_of
from sodbench.evaluation import evaluate
from sodbench.json_text import read_json
from sodbench.models.onnx_file import weights_digest
from sodbench.names import folder_name
from sodbench.paths import user_path
from sodbench.rescoring import dataset_of, rescore
from sodbench.results.environment import environment
from sodbench.results.integrity import ROUNDING, differences, wrong_scores
from sodbench.results.loading import read_run
from sodbench.schema import parse
from sodbench.text import columns

if TYPE_CHECKING:
    from sodbench.models import Baseline
    from sodbench.results.run import Run


@dataclass(frozen=True)
class ReproducedNumber:
    """A recorded value and the new one.

    `agrees` is "to the bit" (printed as bit-identical), "to 1.2e-05" (the difference) or "no".
    """

    name: str
    recorded: Any
    now: Any
    agrees: str

    @property
    def agreement(self) -> str:
        """`agrees` as it is printed."""
        return "bit-identical" if self.agrees == "to the bit" else self.agrees


@dataclass(frozen=True, repr=False)
class Reproduction:
    """The result of `reproduce`: notes on changed circumstances, and the comparison of every number."""

    record: Path
    notes: tuple[str, ...]
    numbers: tuple[ReproducedNumber, ...]

    @property
    def failed(self) -> tuple[ReproducedNumber, ...]:
        """The numbers that do not agree."""
        return tuple(number for number in self.numbers if number.agrees == "no")

    @property
    def summary(self) -> str:
        """How many of the numbers agree."""
        return f"{len(self.numbers) - len(self.failed)} of {len(self.numbers)} numbers agree"

    def __str__(self) -> str:
        """The notes, one line per number, and the summary."""
        rows = [(one.agreement, one.name, str(one.recorded), str(one.now)) for one in self.numbers]
        return "\n".join([*(f"note: {note}" for note in self.notes), *columns(rows), self.summary])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{title}</th>" for title in ("agrees", "number", "recorded", "now"))
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(str(value))}</td>" for value in cells) + "</tr>"
            for cells in ((one.agreement, one.name, one.recorded, one.now) for one in self.numbers)
        )
        notes = "".join(f"<li>{escape(note)}</li>" for note in self.notes)
        return f"<p>{self.summary}</p><ul>{notes}</ul><table><tr>{head}</tr>{rows}</table>"


@dataclass(frozen=True)
class _Weights:
    """`weights` in training.json."""

    sha256: str


@dataclass(frozen=True)
class _Best:
    """`best`: the step of the weights that were kept, and its validation score where there was one."""

    iteration: int | None
    value: float | None = None


@dataclass(frozen=True)
class _TrainedOn:
    """One of `datasets`."""

    digest: str


@dataclass(frozen=True)
class _Environment:
    """`provenance`."""

    versions: dict[str, Any] = field(default_factory=dict)
    device: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _TrainingJson:
    """What training.json holds, as far as it is compared."""

    baseline: str
    recipe: dict[str, Any]
    datasets: dict[str, _TrainedOn]
    best: _Best
    weights: _Weights
    provenance: _Environment
    losses: dict[str, float | None] = field(default_factory=dict)
    threads: int | None = None
    processes: int | None = None


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
    if "recipe" in _content(path):
        notes, pairs = _train_again(path, root, out, device, resume, trust, progress)
        numbers = [_compare(name, then, now, tolerance) for name, (then, now) in pairs.items()]
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
        _compare("data set digest", run.dataset_digest, again.dataset_digest, 0),
        _compare("images", run.scored, again.scored, 0),
    ]
    now = again.values()
    for full, then in run.values().items():
        number = _compare(full, then, now.get(full, float("nan")), tolerance)
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


def _compare(name: str, then: Any, now: Any, tolerance: float) -> ReproducedNumber:
    """How far a recorded value and today's agree: bit-identical, within the tolerance, or not."""
    if then == now or (then != then and now != now):
        agrees = "to the bit"
    elif isinstance(then, float) and isinstance(now, float) and abs(then - now) <= tolerance:
        agrees = f"to {abs(then - now):.1e}"
    else:
        agrees = "no"
    return ReproducedNumber(name, then, now, agrees)


def _changes(versions: Mapping[str, Any], device: Mapping[str, Any]) -> list[str]:
    """What differs between the record's versions and processor and today's, as notes."""
    today = environment()
    now = today["versions"]
    names = sorted({*versions, *now})
    changed = [f"{n} {versions.get(n)} -> {now.get(n)}" for n in names if versions.get(n) != now.get(n)]
    notes = [f"versions differ: {', '.join(changed)}"] if changed else []
    if device.get("cpu") != today["device"].get("cpu"):
        notes.append(f"the processor was {device.get('cpu')}, it is {today['device'].get('cpu')}")
    return notes


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
    notes = _changes(then.versions, then.device)
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


def _train_again(
    path: Path,
    data_root: Path | None,
    out: Path | str | None,
    device: str | None,
    resume: bool,
    trust: bool,
    progress: bool,
) -> tuple[list[str], dict[str, tuple[Any, Any]]]:
    """Trains again by the recorded recipe and seed; compares weights and validation scores."""
    from sodbench.training.job import train
    from sodbench.training.recipe import load_recipe

    record = parse(_TrainingJson, _content(path), path, more=True)
    baseline = _trusted(path, record.baseline, trust)
    load_recipe(baseline.training, record.recipe, str(path))
    again = train(
        record.baseline,
        settings=record.recipe,
        data_root=data_root,
        out=out or Path("reproduced") / path.stem,
        device=device,
        resume=resume,
        progress=progress,
    ).record
    notes = _changes(record.provenance.versions, record.provenance.device)
    for key, then in (("threads", record.threads), ("processes", record.processes)):
        if then != again.get(key):
            notes.append(f"{key}: {then} then, {again.get(key)} now: sums round in another order")
    numbers: dict[str, tuple[Any, Any]] = {
        "weights sha256": (record.weights.sha256, again["weights"]["sha256"]),
        "best step": (record.best.iteration, again["best"]["iteration"]),
    }
    for term, value in record.losses.items():
        numbers[f"last {term}"] = (value, again["losses"].get(term))
    if record.best.value is not None:
        numbers["best value"] = (record.best.value, again["best"].get("value"))
    for name, facts in record.datasets.items():
        numbers[f"digest of {name}"] = (facts.digest, again["datasets"].get(name, {}).get("digest"))
    return notes, numbers
