"""The trainer: one loop, alone or under torchrun, resumable to the bit.

    sodbench train basnet-tiny                                       one process
    sodbench train basnet-tiny --resume                              go on after a crash
    torchrun --nproc-per-node 4 -m sodbench train basnet             four GPUs of one machine
    torchrun --nnodes 2 --nproc-per-node 4 --rdzv-backend c10d --rdzv-endpoint HOST:29500 \
             -m sodbench train basnet                            two machines

What decides the weights is the recipe and nothing else: samples are seeded by (seed, epoch, sample), the
network's own random draws by (seed, step, rank), and a checkpoint holds everything that a step reads.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader

from sodbench.errors import InputError, first_of
from sodbench.training.average import Average
from sodbench.training.cache import open_cache
from sodbench.training.checkpoint import load_checkpoint, save_checkpoint
from sodbench.training.distributed import Process, join, leave, share_statistics
from sodbench.training.optimisation import build_loss, build_optimiser
from sodbench.training.recipe import Recipe, differences
from sodbench.training.samples import Batch, Stream, TrainingSet, collate, normalise

if TYPE_CHECKING:
    from sodbench.data.folder import Sample
    from sodbench.models.baseline import Baseline

_TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Watcher(Protocol):
    """What looks on while a network is trained; only the first process has one."""

    def start(self, iteration: int) -> None:
        """Called once, with the step that training starts or goes on at."""

    def step(self, iteration: int, loss: float, terms: dict[str, float], rate: float, images: int) -> None:
        """Called after every step."""

    def validate(self, iteration: int, network: nn.Module) -> float | None:
        """Scores the network; returns the value that `best.pt` goes by, smaller is better."""

    def sample(self, iteration: int, network: nn.Module) -> None:
        """Draws what the network makes of fixed samples."""


@dataclass(frozen=True)
class Options:
    """How a training is carried out; nothing of it changes the weights."""

    out: Path
    resume: bool = False
    device: str | None = None
    workers: int = 1
    cache: bool = False
    deterministic: bool = False
    skip_bad: int = 0
    quiet: bool = False


@dataclass(frozen=True)
class Outcome:
    """What a training left: the checkpoints' folder, steps, seconds, skipped samples, how it began, best.

    `first` tells the one process that should write and speak.
    """

    out: Path
    iterations: int
    seconds: float
    skipped: tuple[str, ...]
    initialisation: str
    best: dict[str, float]
    processes: int
    first: bool


def train(
    baseline: "Baseline",
    recipe: Recipe,
    samples: "list[Sample]",
    options: Options,
    watch: Callable[[Process], Watcher],
) -> Outcome:
    """Trains to the recipe's last step and returns what came of it; `last.pt` and `best.pt` lie in `out`.

    Raises InputError for what the user can put right: another recipe on resume, unreadable samples, a loss
    that is not finite, no memory, no space.
    """
    process = join(options.device)
    try:
        return _train(baseline, recipe, samples, options, watch, process)
    except RuntimeError as error:
        if not isinstance(error, torch.OutOfMemoryError) and "can't allocate memory" not in str(error):
            raise
        size = recipe.crop or recipe.resize
        raise InputError(
            f"out of memory at training.batch={recipe.batch} of {size} pixels on {process.device}; "
            f"try --set training.batch={max(1, recipe.batch // 2)}, or keep the batch with "
            f"--set training.accumulate={recipe.accumulate * 2}"
        ) from error
    finally:
        leave(process)


def _train(
    baseline: "Baseline",
    recipe: Recipe,
    samples: "list[Sample]",
    options: Options,
    watch: Callable[[Process], Watcher],
    process: Process,
) -> Outcome:
    from sodbench.models import initialise

    device = process.device
    if options.deterministic:
        torch.use_deterministic_algorithms(True)
    last, best = options.out / "last.pt", options.out / "best.pt"
    checkpoint = _find_checkpoint(last, options.resume, recipe)

    # network, loss, optimiser
    torch.manual_seed(recipe.seed)
    network = baseline.build()
    beginning = (
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
    start, seconds, skipped, record = 0, 0.0, set[str](), {}
    if checkpoint:
        network.load_state_dict(checkpoint["model"])
        optimiser.load_state_dict(checkpoint["optimiser"])
        scaler.load_state_dict(checkpoint["scaler"])
        if average:
            average.load(checkpoint["average"])
        start, seconds, record = checkpoint["iteration"], checkpoint["seconds"], checkpoint["best"]
        skipped = set(checkpoint["skipped"])
    run: nn.Module = network
    if process.world > 1:
        # running statistics are the same everywhere already, so they need not be sent around
        run = DistributedDataParallel(network, broadcast_buffers=False)
    if recipe.compile:
        run = torch.compile(run)  # type: ignore[assignment]

    # samples
    cache = None
    if options.cache:
        if process.first:
            cache = open_cache(samples, recipe.resize, None if options.quiet else "cache")
        process.wait()
        cache = cache or open_cache(samples, recipe.resize)
    stream = Stream(
        len(samples),
        recipe.batch,
        recipe.seed,
        start,
        recipe.iterations,
        recipe.accumulate,
        process.rank,
        process.world,
    )
    loader = DataLoader(
        TrainingSet(samples, recipe.augmentation(), recipe.seed, cache),
        batch_sampler=stream,
        collate_fn=collate,
        num_workers=options.workers,
        pin_memory=device.type == "cuda",
        prefetch_factor=4 if options.workers else None,
        persistent_workers=False,
    )

    def shown() -> nn.Module:
        """The network that is scored and shipped: the averaged one where the recipe averages."""
        return average.network if average else network

    def save(iteration: int) -> None:
        if process.first:
            content = {
                "baseline": baseline.name,
                "recipe": recipe.as_dict(),
                "initialisation": beginning,
                "iteration": iteration,
                "seconds": seconds + time.monotonic() - began,
                "model": network.state_dict(),
                "optimiser": optimiser.state_dict(),
                "scaler": scaler.state_dict(),
                "average": average.network.state_dict() if average else None,
                "skipped": sorted(skipped),
                "best": record,
            }
            save_checkpoint(last, content)

    watcher = watch(process) if process.first else None
    if watcher:
        watcher.start(start)
    began = time.monotonic()
    batches = iter(loader)
    run.train()
    for iteration in range(start, recipe.iterations):
        rate = recipe.learning_rate(iteration)
        for group in optimiser.param_groups:
            group["lr"] = rate * group["factor"]
        # dropout draws from here: by step and rank, so that a restart draws the same
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
        if not torch.isfinite(torch.tensor(total)):
            kept = f"{last} is kept" if last.exists() else "no checkpoint was written yet"
            raise InputError(
                f"the loss is {total} at step {iteration} (pictures {first_of(names)}); {kept}; "
                "look at these pictures, or lower training.lr, set training.clip, or train in fp32"
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
        final = done == recipe.iterations
        if watcher:
            watcher.step(done, total, dict(zip(criterion.terms, terms.tolist(), strict=True)), rate, images)
            if recipe.samples_every and (final or done % recipe.samples_every == 0):
                watcher.sample(done, shown())
            if recipe.validate_every and (final or done % recipe.validate_every == 0):
                value = watcher.validate(done, shown())
                if value is not None and value < record.get("value", float("inf")):
                    record = {"value": value, "iteration": done}
                    _save_best(best, baseline, recipe, shown(), record)
        if final or done % recipe.checkpoint_every == 0:
            save(done)
        run.train()
    if process.first and not recipe.validate_every:
        record = {"iteration": recipe.iterations}
        _save_best(best, baseline, recipe, shown(), record)
    elapsed = seconds + time.monotonic() - began
    skipped_samples = tuple(sorted(skipped))
    world, first = process.world, process.first
    return Outcome(options.out, recipe.iterations, elapsed, skipped_samples, beginning, record, world, first)


def _step(
    run: nn.Module, criterion: Any, batch: Batch, baseline: "Baseline", recipe: Recipe, device: torch.device
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
    return criterion.detailed(outputs, target)  # type: ignore[no-any-return]


def _seed(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


def _find_checkpoint(last: Path, resume: bool, recipe: Recipe) -> dict[str, Any] | None:
    if not last.exists():
        return None
    if not resume:
        raise InputError(f"{last} exists: go on with --resume, or choose another --out")
    checkpoint = load_checkpoint(last)
    changed = differences(checkpoint["recipe"], recipe.as_dict())
    if changed:
        raise InputError(
            f"{last} was made with another recipe ({'; '.join(changed)}); resume with "
            "the same, or choose another --out"
        )
    return checkpoint


def _save_best(
    path: Path, baseline: "Baseline", recipe: Recipe, network: nn.Module, record: dict[str, float]
) -> None:
    content = {
        "baseline": baseline.name,
        "recipe": recipe.as_dict(),
        "model": network.state_dict(),
        "best": record,
    }
    save_checkpoint(path, content)


def _tolerate(skipped: set[str], batch: Batch, allowed: int) -> None:
    skipped.update(batch.bad)
    if len(skipped) > allowed:
        hint = f"repair them, or tolerate some with --skip-bad {len(skipped)}"
        raise InputError(
            f"{len(skipped)} unreadable training samples: {first_of(sorted(skipped), 3)}; {hint}"
        )
