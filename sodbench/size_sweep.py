"""One network at several input sizes: scores, seconds per image and peak memory at each.

The scores of a size are those of `evaluate` with that input size. Time is measured apart from them, one image
at a time, without other work at the same time: `network` is the forward pass of a prepared image, `total`
everything from opening the image file to the finished 8-bit map (reading, decoding, resizing, network,
resizing back; not writing the map). The sizes take turns at every image, so that other load on the machine
affects them alike. A first round is not counted: it brings the files into the system's cache.
"""

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sodbench.arguments import LIMIT, ROUNDS, SIDE
from sodbench.errors import InputError
from sodbench.paths import user_path

if TYPE_CHECKING:
    from sodbench.data.folder import DataSet, Sample
    from sodbench.data.preprocessing import InputSpec
    from sodbench.metrics import Protocol
    from sodbench.models import Baseline, LoadedNetwork
    from sodbench.models.inference import Predictor

TIMED = 20  # images whose prediction is timed, spread evenly over each data set


@dataclass(frozen=True)
class Seconds:
    """Seconds per image, each the mean over the timed images: the fastest round, and the median round."""

    best: float
    median: float


@dataclass(frozen=True)
class SizePoint:
    """One input size. `scores`: by data set, then by metric. `flops`: for one image, all views included.

    `peak_memory_bytes`: during the forward pass of one image; on a GPU what torch allocated, else that of the
    whole process; None where the system does not tell.
    """

    height: int
    width: int
    network: Seconds
    total: Seconds
    peak_memory_bytes: int | None
    flops: int
    scores: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Sweep:
    """The sizes of one network, in increasing order. `images`: how many were scored, by data set.

    `input` is the network's own size (height, width). `rounds` passes over `timed` images were timed.
    """

    name: str
    input: tuple[int, int]
    protocol: str
    images: Mapping[str, int]
    points: Sequence[SizePoint]
    device: str
    precision: str
    timed: int
    rounds: int
    weights_sha256: str
    parameters: int


def sweep_sizes(
    baseline: "str | Path | Baseline | LoadedNetwork",
    datasets: "str | DataSet | Sequence[str | DataSet]",
    sizes: Sequence[int],
    *,
    protocol: "str | Path | Protocol" = "pysodmetrics",
    metrics: Sequence[str] | None = None,
    limit: int | None = None,
    weights: Path | str | None = None,
    trust_remote_code: bool = False,
    device: str | None = None,
    precision: str | None = None,
    batch: int | None = None,
    rounds: int = 5,
    data_root: Path | str | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> Sweep:
    """Evaluates and times a network at input sizes of N x N pixels, one for each N of `sizes`.

    The input keeps everything else of the baseline's: with `fit = "long-side"`, N is the longer side. `batch`
    is the batch size of the evaluation; time and memory are those of one image. `progress` gets one line per
    step. The other arguments are those of `evaluate`. Nothing is recorded.

    Raises InputError, before any work where possible: for a network of fixed size, for a size outside
    32..16384, for names that are not known.
    """
    from sodbench.evaluation import evaluate, open_sets
    from sodbench.metrics.scorer import scorers_for
    from sodbench.models import Baseline, choose_device, load_baseline
    from sodbench.models.efficiency import count_parameters, flops_of
    from sodbench.models.inference import Predictor

    sides = sorted({SIDE.checked("size", size) for size in sizes})
    if not sides:
        raise InputError("no input size; expected at least one")
    rounds = ROUNDS.checked("rounds", rounds)
    limit = None if limit is None else LIMIT.checked("limit", limit)
    (scorer,) = scorers_for([protocol], metrics)
    sets = open_sets(datasets, None if data_root is None else user_path(data_root))
    if isinstance(baseline, str | Path):
        baseline = load_baseline(baseline, trust_remote_code=trust_remote_code)
    recipe = baseline if isinstance(baseline, Baseline) else baseline.baseline
    if recipe.input.fixed:
        size = f"{recipe.input.height} x {recipe.input.width}"
        raise InputError(f"{recipe.name}: takes inputs of {size} only (input.fixed); a sweep needs any size")
    device = choose_device(device)
    if isinstance(baseline, Baseline):
        baseline = baseline.load(None if weights is None else user_path(weights), device)
    network = baseline.network
    predictor = Predictor(network, recipe, device=device, precision=precision)
    specs = {side: replace(recipe.input, height=side, width=side) for side in sides}
    samples = [sample for one in sets for sample in _spread(one.samples[:limit], one.name)]

    progress("memory")
    # the smallest size first, and once before: a process keeps memory that it has freed
    memory = {side: _peak_memory(predictor, side, recipe.name) for side in (sides[0], *sides)}
    progress("operations")
    flops = {side: flops_of(partial(predictor, _black(side))) for side in sides}
    progress(f"time: {rounds} x {len(samples)} images at {len(sides)} sizes")
    seconds = _time(predictor, recipe, specs, samples, rounds)
    scores: dict[int, dict[str, Mapping[str, float]]] = {side: {} for side in sides}
    images = {}
    for side, spec in specs.items():
        sized = replace(baseline, baseline=replace(recipe, input=spec))
        for one in sets:
            progress(f"{one.name} at {side} x {side}")
            with tempfile.TemporaryDirectory(prefix="sodbench-") as maps:
                run = evaluate(
                    sized,
                    one,
                    protocols=protocol,
                    metrics=metrics,
                    limit=limit,
                    device=device,
                    precision=precision,
                    batch=batch,
                    maps=maps,
                    reports=None,
                    data_root=data_root,
                    allow_constant=True,  # a size that is far too small says so by its scores
                    image_curves=False,
                    self_check=False,
                )
            (table,) = run.tables.values()
            scores[side][one.name] = dict(table.scores)
            images[one.name] = run.scored
    points = []
    for side in sides:
        network_seconds, total = seconds[side]
        points.append(SizePoint(side, side, network_seconds, total, memory[side], flops[side], scores[side]))
    return Sweep(
        recipe.name,
        (recipe.input.height, recipe.input.width),
        scorer.protocol.name,
        images,
        points,
        device,
        precision or str(getattr(recipe.inference, device.partition(":")[0], "fp32")),
        len(samples),
        rounds,
        baseline.weights_sha256,
        count_parameters(network),
    )


def _spread(samples: "Sequence[Sample]", name: str) -> "list[Sample]":
    """At most TIMED samples, spread evenly; InputError where one has no image."""
    chosen = [samples[i * len(samples) // TIMED] for i in range(TIMED)] if len(samples) > TIMED else samples
    for sample in chosen:
        if sample.image is None:
            raise InputError(f"{name}: {sample.name} has no image to predict from")
    return list(chosen)


def _black(side: int) -> npt.NDArray[np.float32]:
    return np.zeros((1, 3, side, side), np.float32)


def _peak_memory(predictor: "Predictor", side: int, name: str) -> int | None:
    """The peak memory in bytes during one forward pass."""
    from sodbench.models.callables import one_line
    from sodbench.models.efficiency import PeakMemory

    try:
        with PeakMemory(str(predictor.device)) as peak:
            predictor(_black(side))
        return peak.bytes
    except InputError:
        raise
    except Exception as error:  # a user's network may raise anything
        problem = f"the network fails on an input of {side} x {side} ({one_line(error)})"
        raise InputError(f"{name}: {problem}; leave out this size") from error


def _time(
    predictor: "Predictor",
    recipe: "Baseline",
    specs: "Mapping[int, InputSpec]",
    samples: "Sequence[Sample]",
    rounds: int,
) -> dict[int, tuple[Seconds, Seconds]]:
    """Seconds per image of the network and of everything, by size."""
    spent: dict[int, list[tuple[float, float]]] = {side: [] for side in specs}
    for number in range(rounds + 1):
        sums = {side: np.zeros(2) for side in specs}
        for sample in samples:
            for side, spec in specs.items():
                sums[side] += _seconds_of(predictor, recipe, spec, sample)
        if number:  # the first round warms up: files are read into the cache, kernels chosen
            for side, (network, total) in sums.items():
                spent[side].append((network / len(samples), total / len(samples)))
    return {side: tuple(map(_seconds, zip(*pairs, strict=True))) for side, pairs in spent.items()}  # type: ignore[misc]


def _seconds_of(
    predictor: "Predictor", recipe: "Baseline", spec: "InputSpec", sample: "Sample"
) -> tuple[float, float]:
    """The seconds that the network takes for one image, and that everything takes."""
    from sodbench.data.images import read_image
    from sodbench.data.preprocessing import finish, prepare

    assert sample.image is not None  # nosec B101 # for the type checker
    started = time.perf_counter()
    image = read_image(sample.image)
    x = prepare(image, spec)[None]
    prepared = time.perf_counter()
    (probability,) = predictor(x)
    predicted = time.perf_counter()
    if not np.isfinite(probability).all():
        raise predictor.not_finite(str(sample.image))
    size = (image.shape[0], image.shape[1])
    finish(probability, size, recipe.output.stretch, recipe.output.resample, spec.fit)
    return predicted - prepared, time.perf_counter() - started


def _seconds(values: Any) -> Seconds:
    return Seconds(float(min(values)), float(np.median(values)))
