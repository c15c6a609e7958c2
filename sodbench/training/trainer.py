"""The training loop, in one process or under torchrun, with bit-exact resuming.

    sodbench train basnet-tiny                                       one process
    sodbench train basnet-tiny --resume                              continue after a crash
    torchrun --nproc-per-node 4 -m sodbench train basnet             four GPUs of one machine
    torchrun --nnodes 2 --nproc-per-node 4 --rdzv-backend c10d --rdzv-endpoint HOST:29500 \
             -m sodbench train basnet                                two machines that share --out

The recipe alone decides the weights: samples are seeded by (seed, epoch, sample), the network's own random
numbers by (seed, step, rank), and a checkpoint holds everything that a step reads.
"""

import contextlib
import math
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader

from sodbench.errors import InputError, first_of
from sodbench.models.callables import one_line
from sodbench.models.weights import load_into
from sodbench.training.cache import open_cache
from sodbench.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from sodbench.training.distributed import Process, share_statistics
from sodbench.training.log import TrainingLog
from sodbench.training.optimisation import Average, Loss, build_loss, build_optimiser
from sodbench.training.recipe import Recipe, differences
from sodbench.training.sample_grid import SampleGrid
from sodbench.training.samples import Batch, Stream, TrainingSet, collate, normalise
from sodbench.training.validation import Validation

if TYPE_CHECKING:
    from sodbench.data.folder import Sample
    from sodbench.models.baseline import Baseline

_TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Options:
    """How a training is carried out; nothing here changes the weights (see `sodbench.training.job.train`)."""

    folder: Path
    resume: bool = False
    workers: int = 1
    cache: bool = False
    skip_bad: int = 0
    progress: bool = True


@dataclass(frozen=True)
class Outcome:
    """What a training came to; the weights are in `last.pt` and `best.pt`.

    skipped: the samples that could not be read, and why. initialisation: what the weights began as.
    best: the step of `best.pt` and, if a validation chose it, its value. notes: what the user should know.
    """

    iterations: int
    seconds: float
    skipped: tuple[str, ...]
    initialisation: str
    best: dict[str, float]
    notes: tuple[str, ...] = ()


def train(
    baseline: "Baseline",
    recipe: Recipe,
    samples: "Sequence[Sample]",
    options: Options,
    process: Process,
    *,
    validation: Validation,
    log: TrainingLog | None = None,
    grid: SampleGrid | None = None,
) -> Outcome:
    """Trains to the recipe's last step; `last.pt` and `best.pt` are then in the folder.

    `log` and `grid` are those of the first process, None on the others.
    Raises InputError for what the user can correct: another recipe on resume, unreadable samples, a loss
    that is not finite, a full memory or disk.
    """
    from sodbench.models import initialise

    device = process.device
    last, best_path = options.folder / "last.pt", options.folder / "best.pt"
    checkpoint = _find_checkpoint(last, options.resume, recipe)

    # network, loss, optimiser
    torch.manual_seed(recipe.seed)
    network = baseline.build()
    initialisation = (
        checkpoint["initialisation"]
        if checkpoint
        else initialise(network, recipe.initialisation, recipe.seed)
    )
    network = share_statistics(network.to(device), process)
    if recipe.channels_last:
        network = network.to(memory_format=torch.channels_last)
    criterion = build_loss(recipe)
    optimiser = build_optimiser(network, recipe)
    scaler = torch.amp.GradScaler(device.type, enabled=recipe.precision == "fp16")
    average = Average(network, recipe.ema) if recipe.ema else None
    start, seconds = 0, 0.0
    skipped: set[str] = set()
    best: dict[str, float] = {}
    if checkpoint:
        load_into(network, checkpoint["model"], str(last))
        try:
            optimiser.load_state_dict(checkpoint["optimiser"])
            scaler.load_state_dict(checkpoint["scaler"])
            if average and checkpoint["average"]:
                average.load(checkpoint["average"])
        except Exception as error:  # torch raises half a dozen kinds for a state of another kind
            raise InputError(
                f"{last}: the optimiser's state does not fit ({one_line(error)}); choose another --out"
            ) from error
        start, seconds, best = checkpoint["iteration"], checkpoint["seconds"], checkpoint["best"]
        skipped = set(checkpoint["skipped"])
    run: nn.Module = network
    if process.world > 1:
        # running statistics are the same on all processes already and need not be broadcast
        with warnings.catch_warnings():
            # newer versions of torch have another name for this argument, older ones lack that
            warnings.filterwarnings("ignore", "`broadcast_buffers`", FutureWarning)
            run = DistributedDataParallel(network, broadcast_buffers=False)
    if recipe.compile:
        run = torch.compile(run)  # type: ignore[assignment]

    # samples
    cache = None
    if options.cache:
        if process.first:
            cache = open_cache(samples, recipe.resize, "cache" if options.progress else None)
        process.wait()
        cache = cache or open_cache(samples, recipe.resize)
    loader = DataLoader(
        TrainingSet(samples, recipe.augmentation(), recipe.seed, cache),
        batch_sampler=Stream(
            len(samples),
            recipe.batch,
            recipe.seed,
            start=start,
            stop=recipe.iterations,
            accumulate=recipe.accumulate,
            rank=process.rank,
            world=process.world,
        ),
        collate_fn=collate,
        num_workers=options.workers,
        pin_memory=device.type == "cuda",
        prefetch_factor=4 if options.workers else None,
        persistent_workers=False,
    )

    def scored() -> nn.Module:
        """The network that is scored and shipped: the averaged one if the recipe averages."""
        return average.network if average else network

    def save(iteration: int) -> None:
        content: Checkpoint = {
            "baseline": baseline.name,
            "recipe": recipe.as_dict(),
            "initialisation": initialisation,
            "iteration": iteration,
            "seconds": seconds + time.monotonic() - began,
            "model": network.state_dict(),
            "optimiser": optimiser.state_dict(),
            "scaler": scaler.state_dict(),
            "average": average.network.state_dict() if average else None,
            "skipped": sorted(skipped),
            "best": best,
            "pending": log.pending() if log else [],
        }
        save_checkpoint(last, content)

    def save_best() -> None:
        content = {"baseline": baseline.name, "recipe": recipe.as_dict(), "best": best}
        save_checkpoint(best_path, {**content, "model": scored().state_dict()})

    if log:
        log.start(start, checkpoint.get("pending", []) if checkpoint else [])
    began = time.monotonic()
    batches = iter(loader)
    run.train()
    for iteration in range(start, recipe.iterations):
        step_began = time.monotonic()
        rate = recipe.learning_rate(iteration)
        for group in optimiser.param_groups:
            group["lr"] = rate * group["factor"]
        # dropout draws from here: seeded by step and rank, so that a resumed training draws the same
        torch.manual_seed(_seed(recipe.seed, iteration, process.rank))
        total, terms, images = 0.0, torch.zeros(len(criterion.terms)), 0
        names: list[str] = []
        for part in range(recipe.accumulate):
            batch: Batch = next(batches)
            _tolerate(skipped, batch, options.skip_bad)
            names += batch.names
            images += len(batch.names) * process.world
            last_part = part == recipe.accumulate - 1
            sync = contextlib.nullcontext() if last_part or process.world == 1 else run.no_sync()  # type: ignore[operator]
            with sync:
                loss, parts = _step(run, criterion, batch, baseline, recipe, device)
                scaler.scale(loss / recipe.accumulate).backward()  # type: ignore[no-untyped-call]
            total += loss.item() / recipe.accumulate
            terms += parts.sum(0).cpu() / recipe.accumulate
        if not math.isfinite(total):
            kept = f"{last} is kept" if last.exists() else "no checkpoint was written yet"
            raise InputError(
                f"the loss is {total} at step {iteration} (images {first_of(names)}); {kept}; "
                "look at these images, or lower training.lr, set training.clip, or train in fp32"
            )
        if recipe.clip:
            scaler.unscale_(optimiser)
            nn.utils.clip_grad_norm_(network.parameters(), recipe.clip)
        scaler.step(optimiser)
        scaler.update()
        optimiser.zero_grad(set_to_none=True)
        if average:
            average.update(network, iteration)

        done = iteration + 1
        if log:
            values = dict(zip(criterion.terms, terms.tolist(), strict=True))
            took = time.monotonic() - step_began
            log.step(done, loss=total, terms=values, rate=rate, images=images, seconds=took)
        if grid and _due(done, recipe.samples_every, recipe.iterations):
            grid.draw(done, scored())
        if _due(done, recipe.validate_every, recipe.iterations):
            scores = validation.scores(scored())
            if log:
                log.scores(done, scores)
            if process.first and (value := validation.loss(scores)) < best.get("value", math.inf):
                best = {"value": value, "iteration": done}
                save_best()
        if _due(done, recipe.checkpoint_every, recipe.iterations):
            if process.first:
                save(done)
            process.wait()
        run.train()
    notes = []
    if process.first and not best:
        best = {"iteration": recipe.iterations}
        save_best()
        if recipe.validate_every:
            notes.append(
                f"no validation gave a finite {recipe.validate_metric}: best.pt holds the last weights, "
                f"those of step {recipe.iterations}"
            )
    elapsed = seconds + time.monotonic() - began
    return Outcome(recipe.iterations, elapsed, tuple(sorted(skipped)), initialisation, best, tuple(notes))


def _step(
    run: nn.Module, criterion: Loss, batch: Batch, baseline: "Baseline", recipe: Recipe, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Forward pass and loss of one part of a batch."""
    images = batch.images.to(device, non_blocking=True)
    target = batch.masks.to(device, non_blocking=True).float() / 255
    x = normalise(images, baseline.input)
    if recipe.channels_last:
        x = x.contiguous(memory_format=torch.channels_last)
    kind = _TYPES.get(recipe.precision)
    with torch.autocast(device.type, dtype=kind, enabled=kind is not None):
        outputs = run(x)
    return criterion.detailed(outputs, target)


def _due(step: int, every: int, last: int) -> bool:
    """Whether what is done every so many steps (0: never), and after the last, is due after this step."""
    return every > 0 and (step == last or step % every == 0)


def _seed(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


def _find_checkpoint(last: Path, resume: bool, recipe: Recipe) -> Checkpoint | None:
    if not last.exists():
        return None
    if not resume:
        raise InputError(f"{last} exists: continue with --resume, or choose another --out")
    checkpoint = load_checkpoint(last)
    changed = differences(checkpoint["recipe"], recipe.as_dict())
    if changed:
        raise InputError(
            f"{last} was made with another recipe ({'; '.join(changed)}); resume with "
            "the same, or choose another --out"
        )
    return checkpoint


def _tolerate(skipped: set[str], batch: Batch, allowed: int) -> None:
    skipped.update(batch.bad)
    if len(skipped) > allowed:
        hint = f"repair them, or tolerate some with --skip-bad {len(skipped)}"
        raise InputError(
            f"{len(skipped)} unreadable training samples: {first_of(sorted(skipped), 3)}; {hint}"
        )
