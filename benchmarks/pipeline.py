"""The pipeline of one cell against its stages alone, and against predicting first and scoring then.

    python benchmarks/pipeline.py
    python benchmarks/pipeline.py --sizes 4000x3000 --pictures 24 --networks one-layer
    python benchmarks/pipeline.py --networks basnet --device cuda --batch 32

Each stage is done alone, for all pictures, by as many threads as the pipeline gives it: `read` decodes and
prepares, `network`, `write` resizes back, encodes and writes the map, `score` decodes the mask and scores the
map from memory. `wall` is its time, `busy` the processor time that it takes on all cores.

Stages share the cores, so the pipeline cannot be faster than either of two bounds: the wall time of its
slowest stage, and the processor time of all stages divided by the number of cores. The ratio is the
pipeline's wall time to the larger of the two; both bounds and both ratios are printed. Every measurement is
repeated in turn with the others, and the fastest of each counts. Run it on an idle machine.
"""

import argparse
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from sodbench.cores import core_count
from sodbench.data.folder import Sample
from sodbench.data.images import read_image, write_map
from sodbench.data.preprocessing import finish, prepare
from sodbench.made_maps import unfinished_maps
from sodbench.metrics.scorer import scorers_for
from sodbench.models import Baseline, load_baseline
from sodbench.models.inference import Predictor
from sodbench.pipeline import WRITERS, predict_and_score
from sodbench.prediction import default_batch, predict_samples
from sodbench.scoring import collected, score_pair, score_samples

ONE_LAYER = "one-layer"


@dataclass(frozen=True)
class Took:
    """Wall time and processor time, in seconds."""

    wall: float
    busy: float


class OneLayer(nn.Module):
    """A network that takes nearly no time, so that the other stages are the slow ones."""

    def __init__(self) -> None:
        super().__init__()
        self.grey = nn.Conv2d(3, 1, 3, padding=1, stride=4)
        self.up = nn.Upsample(scale_factor=4)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor]:
        return (self.up(self.grey(x)),)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    sizes = ["320x240", "800x600", "4000x3000"]
    parser.add_argument("--sizes", nargs="+", default=sizes, metavar="WxH", help="of the pictures")
    parser.add_argument("--megapixels", type=float, default=60, help="of all pictures of one size (60)")
    parser.add_argument("--pictures", type=int, help="the number of pictures, instead of --megapixels")
    parser.add_argument("--networks", nargs="+", default=[ONE_LAYER, "basnet-tiny"], help="baselines")
    parser.add_argument("--protocols", nargs="+", default=["pysodmetrics"])
    parser.add_argument("--batch", type=int)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where files are written (a temporary one)")
    args = parser.parse_args()
    print(
        f"{core_count()} cores, load {os.getloadavg()[0]:.1f} at the start, torch {torch.__version__} with "
        f"{torch.get_num_threads()} threads, {args.device}, {', '.join(args.protocols)}"
    )
    folder = Path(tempfile.mkdtemp(prefix="sodbench-pipeline-", dir=args.folder))
    try:
        for size in args.sizes:
            width, height = map(int, size.split("x"))
            fitting = max(24, min(400, round(args.megapixels * 1e6 / (width * height))))
            samples = make_pictures(folder / size, width, height, args.pictures or fitting)
            for network in args.networks:
                measure(network, samples, size, folder / "maps", args)
    finally:
        shutil.rmtree(folder)


def make_pictures(folder: Path, width: int, height: int, count: int) -> list[Sample]:
    """Photograph-like pictures, JPEG, with masks of one object: files of the usual sizes per pixel."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width]
    samples = []
    folder.mkdir()
    for number in range(count):
        name = f"{number:04d}"
        coarse = random.integers(0, 255, (height // 20 + 2, width // 20 + 2, 3), dtype=np.uint8)
        picture = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))
        centre = random.uniform(0.3, 0.7, 2) * (height, width)
        mask = ((y - centre[0]) / height) ** 2 + ((x - centre[1]) / width) ** 2 < random.uniform(0.01, 0.06)
        image_path, mask_path = folder / f"{name}.jpg", folder / f"{name}-mask.png"
        Image.fromarray(np.where(mask[:, :, None], 255 - picture // 3, picture)).save(image_path, quality=90)
        write_map(mask_path, mask.astype(np.uint8) * np.uint8(255))
        samples.append(Sample(name, image_path, mask_path))
    return samples


def measure(name: str, samples: list[Sample], size: str, maps: Path, args: argparse.Namespace) -> None:
    """Prints one block: the stages, the bounds, the pipeline with and without maps, the two passes."""
    baseline = load_baseline("basnet-tiny" if name == ONE_LAYER else name)
    network = OneLayer().eval() if name == ONE_LAYER else baseline.load_or_build(None)[0]
    calls = {
        **stages(network, baseline, samples, maps, args),
        "pipeline": lambda: pipeline(network, baseline, samples, maps, args),
        "without maps": lambda: pipeline(network, baseline, samples, None, args),
        "two passes": lambda: two_passes(network, baseline, samples, maps, args),
    }
    times: dict[str, list[Took]] = {label: [] for label in calls}
    for _ in range(args.rounds):
        for label, call in calls.items():
            times[label].append(timed(call))
    best = {
        label: Took(min(one.wall for one in of), min(one.busy for one in of)) for label, of in times.items()
    }
    print(f"\n{name}, {len(samples)} pictures of {size}")
    for label, took in best.items():
        rate = len(samples) / took.wall
        print(f"  {label:<13} {took.wall:8.2f} s  busy {took.busy:8.2f} s  {rate:8.1f} pictures/s")
    for label, of in (("pipeline", STAGES), ("without maps", STAGES)):
        parts = [best[stage] for stage in of if label == "pipeline" or stage != "write"]
        if label == "without maps":
            parts.append(best["resize"])
        slowest, shared = max(one.wall for one in parts), sum(one.busy for one in parts) / core_count()
        wall = best[label].wall
        print(
            f"  {label}: {wall / max(slowest, shared):.2f} of its bound ({wall / slowest:.2f} of the slowest "
            f"stage, {slowest:.2f} s; {wall / shared:.2f} of all stages' processor time on {core_count()} "
            f"cores, {shared:.2f} s); {best['two passes'].wall / wall:.2f}x as fast as two passes"
        )
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # KB on Linux
    print(f"  largest memory of the process so far: {memory:.0f} MB", flush=True)


STAGES = ("read", "network", "write", "score")


def stages(
    network: nn.Module, baseline: Baseline, samples: list[Sample], maps: Path, args: argparse.Namespace
) -> dict[str, Callable[[], object]]:
    """Each stage of the pipeline alone, for all pictures; what it starts from is made before."""
    batch = args.batch or default_batch(args.device)
    predictor = Predictor(network, baseline, device=args.device)
    inputs = [prepare(read_image(path), baseline.input) for path in images(samples)]
    probabilities = [predictor(np.stack([one]))[0] for one in inputs]
    shapes = [Image.open(path).size[::-1] for path in images(samples)]
    output = baseline.output
    few = min(len(samples), 32)  # maps that are held at once: of large pictures not all fit in memory

    def resize(number: int) -> np.ndarray:
        return finish(probabilities[number], shapes[number], output.stretch, output.resample)

    held = [resize(number) for number in range(few)]

    def score() -> object:
        scorers = scorers_for(args.protocols, keep_curves=True)

        def one(number: int) -> object:
            sample = samples[number]
            saved = held[number % few]
            assert sample.mask is not None
            return score_pair(sample.name, lambda: saved, sample.mask, sample.mask, scorers, None, None)

        results = in_threads(one, len(samples), core_count())
        return collected(results, scorers, len(samples), maps, None)  # type: ignore[arg-type]

    def write(number: int) -> None:
        write_map(maps / f"{samples[number].name}.png", resize(number))

    def read(number: int) -> object:
        return prepare(read_image(paths[number]), baseline.input)

    def run_network() -> None:
        predictor = Predictor(network, baseline, device=args.device)  # the pipeline makes it for every cell
        for first in range(0, len(inputs), batch):
            predictor(np.stack(inputs[first : first + batch]))

    paths, everyone, cores = images(samples), len(samples), core_count()
    return {
        "read": lambda: in_threads(read, everyone, cores),
        "network": run_network,
        "resize": lambda: in_threads(resize, everyone, cores + WRITERS),
        "write": lambda: in_threads(write, everyone, cores + WRITERS),
        "score": score,
    }


def in_threads(call: Callable[[int], object], count: int, threads: int) -> Iterable[object]:
    """The results of `call` for 0 .. count - 1; those that are no scores are dropped at once."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda number: _light(call(number)), range(count)))


def _light(result: object) -> object:
    return None if isinstance(result, np.ndarray) else result


def images(samples: Sequence[Sample]) -> list[Path]:
    return [sample.image for sample in samples if sample.image is not None]


def pipeline(
    network: nn.Module,
    baseline: Baseline,
    samples: list[Sample],
    maps: Path | None,
    args: argparse.Namespace,
) -> None:
    with unfinished_maps(maps, {}, [sample.name for sample in samples]) as made:
        predict_and_score(
            network, baseline, samples, made, batch=args.batch, device=args.device, protocols=args.protocols
        )


def two_passes(
    network: nn.Module, baseline: Baseline, samples: list[Sample], maps: Path, args: argparse.Namespace
) -> None:
    """As it was done before there was a pipeline: all maps are written, and then they are read and scored."""
    pairs = predict_samples(network, baseline, samples, maps, batch=args.batch, device=args.device)
    score_samples(pairs, args.protocols)


def timed(call: Callable[[], object]) -> Took:
    wall, busy = time.perf_counter(), time.process_time()
    call()
    return Took(time.perf_counter() - wall, time.process_time() - busy)


if __name__ == "__main__":
    main()
