"""A complete training run: `sodbench train` as a function.

    import sodbench as sb

    training = sb.train("basnet-tiny", datasets=["sample-train"], settings={"batch": 8, "iterations": 200})
    training.weights           # training/basnet-tiny/weights.pth
    training.record["best"]    # {"iteration": 200}

Under torchrun every process makes the same call.
"""

import os
import re
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import torch

from sodbench import catalog
from sodbench.arguments import IMAGES, LOADERS, instance
from sodbench.data.folder import DataSet, open_dataset
from sodbench.errors import InputError, Note
from sodbench.files import locked_folder, sha256_of, write_text
from sodbench.json_text import plain, to_json
from sodbench.models import Baseline, load_baseline
from sodbench.models.tf32 import without_tf32
from sodbench.models.weights import load_state, save_half
from sodbench.names import folder_name
from sodbench.paths import real_path, user_path
from sodbench.results.environment import environment
from sodbench.training.distributed import Process, joined
from sodbench.training.log import TrainingLog, last_losses
from sodbench.training.recipe import Recipe, load_recipe
from sodbench.training.sample_grid import SampleGrid
from sodbench.training.trainer import Options, Outcome
from sodbench.training.trainer import train as run_trainer
from sodbench.training.validation import Validation

# what torch says of a function without a deterministic form, and where cuBLAS was used before it was told
_NOT_DETERMINISTIC = re.compile("not have a deterministic|is not deterministic")
# what errors of torch on a CPU, of CUDA, cuDNN and cuBLAS say that are no OutOfMemoryError
_FULL = ("can't allocate memory", "CUDA error: out of memory", "STATUS_ALLOC_FAILED")


@dataclass(frozen=True, repr=False)
class Training:
    """A finished training.

    record: the content of `training.json`, of JSON's types. folder: where the checkpoints are.
    weights: the file to ship, the best weights in half precision.
    """

    record: Mapping[str, Any]
    folder: Path
    weights: Path

    def __repr__(self) -> str:
        name, steps, seconds = (self.record[key] for key in ("baseline", "iterations", "seconds"))
        return f"<Training of {name}: {steps} steps in {seconds:.0f} s, {self.weights}>"

    def _repr_html_(self) -> str:
        best, record = self.record["best"], self.record
        value = f", {record['recipe']['validate_metric']} {abs(best['value']):.4f}" if "value" in best else ""
        rows = {
            "baseline": record["baseline"],
            "data sets": ", ".join(f"{n} ({facts['samples']})" for n, facts in record["datasets"].items()),
            "steps": f"{record['iterations']} in {record['seconds']:.0f} s",
            "best step": f"{best['iteration']:.0f}{value}",
            "last losses": ", ".join(f"{name} {loss:.4g}" for name, loss in record["losses"].items()),
            "weights": f"{self.weights} (sha256 {record['weights']['sha256'][:16]}...)",
            "notes": "; ".join(record["notes"]),
        }
        cells = "".join(
            f"<tr><th style='text-align:left'>{name}</th><td style='text-align:left'>{escape(text)}</td></tr>"
            for name, text in rows.items()
            if text
        )
        return f"<table>{cells}</table>{self._curves()}"

    def _curves(self) -> str:
        """The loss curves, embedded as a PNG; empty if there is no such file."""
        from base64 import b64encode

        path = self.folder / "loss.png"
        if not path.is_file():
            return ""
        data = b64encode(path.read_bytes()).decode()
        return f'<img alt="training loss" style="max-width:100%" src="data:image/png;base64,{data}">'


def train(
    baseline: str | Path | Baseline,
    *,
    datasets: str | Sequence[str] | None = None,
    data_root: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    device: str | None = None,
    workers: int = 1,
    cache: bool = False,
    deterministic: bool = False,
    skip_bad: int = 0,
    tensorboard: bool = False,
    progress: bool = False,
) -> Training:
    """Trains a baseline by its recipe and writes checkpoints, log, curves, weights and `training.json`.

    baseline: a name, the path of a TOML file, `module:callable`, or a `Baseline`.
    datasets: training sets in place of the recipe's.
    data_root: the folder with one folder per data set.
    settings: values that override keys of the recipe, `{"batch": 16}` for `--set training.batch=16`.
    out: the folder for all files (`training/<baseline>`); the processes of all machines must share it.
    resume: continue from `last.pt` in `out`, if it exists; gives the weights of an uninterrupted training.
    device: "cpu", "cuda" or "cuda:N"; None: a GPU if available.
    workers: loader processes; 0: samples are loaded in this process.
    cache: decode every image once, into a file mapped into memory.
    deterministic: bit-identical results on a GPU, with slower kernels.
    skip_bad: the number of unreadable samples that are tolerated.
    tensorboard: also write TensorBoard events.
    progress: show a progress line on stderr. Nothing is printed to stdout.

    torch's random state is restored afterwards. Raises InputError for errors that the user can correct:
    an unknown name or key, a missing data set, a folder that holds another training, unreadable samples,
    a non-finite loss, running out of memory or disk space.
    """
    workers = LOADERS.checked("workers", workers)
    skip_bad = IMAGES.checked("skip_bad", skip_bad)
    instance("baseline", baseline, (str, Path, Baseline), "a name, a path or a Baseline")
    instance("settings", settings, (Mapping, type(None)), "a mapping such as {'batch': 16}")
    name = str(baseline) if isinstance(baseline, str | Path) else _name_of(baseline)
    if isinstance(baseline, str | Path):
        baseline = load_baseline(baseline)
    overrides = dict(settings or {})
    if datasets:
        overrides["dataset"] = datasets
    recipe = load_recipe(baseline.training, overrides, str(baseline.path or name))
    root = Path(data_root) if data_root is not None else None
    sets = [open_dataset(dataset, root) for dataset in recipe.dataset]
    validation_sets = [open_dataset(dataset, root) for dataset in recipe.validate_on]
    samples = [sample for dataset in sets for sample in dataset.samples]
    folder = user_path(out) if out is not None else Path("training") / folder_name(baseline.name)
    _refuse_own_data(folder, [*sets, *validation_sets])
    options = Options(folder, resume, workers, cache, skip_bad, progress)

    started = time.time()
    with (
        joined(device) as process,
        _alone_in(folder) if process.first else nullcontext(),
        _torch_state(process.device, deterministic),
    ):
        validation = Validation(baseline, recipe, validation_sets, folder / "validation", process)
        log = grid = None
        if process.first:
            log = TrainingLog(
                folder, baseline.name, recipe.iterations, progress=progress, tensorboard=tensorboard
            )
            if recipe.samples_every:
                grid = SampleGrid(baseline, samples, folder / "samples")
        with _explained(recipe, process.device), closing(log) if log else nullcontext():
            outcome = run_trainer(
                baseline, recipe, samples, options, process, validation=validation, log=log, grid=grid
            )
        record: dict[str, Any] = {}
        if process.first:
            record = _finish(folder, name, recipe, sets, outcome, process=process, started=started)
        return Training(process.share(record), folder, folder / "weights.pth")


def _finish(
    folder: Path,
    name: str,
    recipe: Recipe,
    sets: Sequence[DataSet],
    outcome: Outcome,
    *,
    process: Process,
    started: float,
) -> dict[str, Any]:
    """Writes the weights that can be shipped and `training.json`, and returns its content."""
    for note in outcome.notes:
        warnings.warn(note, Note, stacklevel=3)
    weights = folder / "weights.pth"
    save_half(load_state(folder / "best.pt"), weights)
    record: dict[str, Any] = plain(
        {
            "baseline": name,
            "recipe": recipe,
            "datasets": {
                d.name: {"samples": len(d.samples), "expected": d.expected, "digest": d.digest()}
                for d in sets
            },
            "initialisation": outcome.initialisation,
            "iterations": outcome.iterations,
            "seconds": outcome.seconds,
            "processes": process.world,
            "best": outcome.best,
            "losses": last_losses(folder),
            "skipped": outcome.skipped,
            "notes": outcome.notes,
            "weights": {"file": weights.name, "sha256": sha256_of(weights)},
            "threads": torch.get_num_threads(),
            "provenance": environment(started) | {"seed": recipe.seed},
        }
    )
    write_text(folder / "training.json", to_json(record, indent=1) + "\n")
    return record


def _refuse_own_data(folder: Path, sets: Sequence[DataSet]) -> None:
    """Refuses data sets inside the folders that a training empties or writes images into."""
    written = [real_path(folder / name) for name in ("validation", "samples")]
    for dataset in sets:
        files = (file for sample in dataset for file in (sample.image, sample.mask) if file is not None)
        for file in files:
            if any(real_path(file).is_relative_to(one) for one in written):
                raise InputError(
                    f"--out {folder}: the training writes into validation/ and samples/ there, and {file} is"
                    f" of the data set {dataset.name}; choose another folder"
                )


def _name_of(baseline: Baseline) -> str:
    """What `load_baseline` takes for this baseline: its name, the path of its file, or its callable."""
    if baseline.path is None:
        return baseline.network
    known = catalog.entries("baselines").get(baseline.name) == baseline.path
    return baseline.name if known else str(baseline.path)


def _alone_in(folder: Path) -> AbstractContextManager[None]:
    """Holds the folder for this training; raises InputError if another one is running in it."""

    def refuse() -> None:
        raise InputError(
            f"{folder}: another training is running there; wait for its end, or choose another folder "
            "with --out"
        )

    return locked_folder(folder, waiting=refuse, remedy="choose another folder with --out")


@contextmanager
def _torch_state(device: torch.device, deterministic: bool) -> Iterator[None]:
    """No TF32, and deterministic algorithms if asked for; torch's settings and random state are restored."""
    was_deterministic = torch.are_deterministic_algorithms_enabled()
    was_warning = torch.is_deterministic_algorithms_warn_only_enabled()
    with without_tf32(), torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        try:
            if deterministic:
                # without it torch refuses every matrix product on a GPU; cuBLAS reads it at its first use
                os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
                torch.use_deterministic_algorithms(True)
            yield
        finally:
            torch.use_deterministic_algorithms(was_deterministic, warn_only=was_warning)


@contextmanager
def _explained(recipe: Recipe, device: torch.device) -> Iterator[None]:
    """Turns torch's errors of a full memory, and of `deterministic`, into ones that say what to change."""
    try:
        yield
    except RuntimeError as error:
        if torch.are_deterministic_algorithms_enabled() and _NOT_DETERMINISTIC.search(str(error)):
            advice = "leave it out, or change the network"
            if "CuBLAS" in str(error):
                advice = "set CUBLAS_WORKSPACE_CONFIG=:4096:8 in the environment"
            raise InputError(f"--deterministic: {str(error).split('. ')[0]}; {advice}") from error
        full = any(text in str(error) for text in _FULL)
        if not isinstance(error, torch.OutOfMemoryError) and not full:
            raise
        size = recipe.crop or recipe.resize
        raise InputError(
            f"out of memory at training.batch={recipe.batch} of {size} pixels on {device}; "
            f"try --set training.batch={max(1, recipe.batch // 2)}, or keep the batch with "
            f"--set training.accumulate={recipe.accumulate * 2}"
        ) from error
