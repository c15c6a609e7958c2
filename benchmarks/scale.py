"""Memory and time at scale: many pairs scored, many records reported.

    python benchmarks/scale.py scoring --pairs 1000 10000 100000
    python benchmarks/scale.py pixels --pairs 300
    python benchmarks/scale.py reports --runs 10 50 200 --images 5000
    python benchmarks/scale.py workers --pairs 5000

`scoring` makes 200 pairs of 481 x 321 once and links them under as many names as are asked for; each number
of pairs is scored and recorded by `sodbench score` in a process of its own. `pixels` scores pairs of growing
size. `reports` fills a reports folder with records of made-up scores and lets `sodbench report` write every
format in a process of its own. `workers` measures what a process costs before its first pair, a pair, and the
merge of n shards; from these it computes the wall time of 1 to 1000 workers on a shared file system, and
compares the model with 1 and 2 processes that were really run.

Printed: wall time, processor time, and peak memory as the system counts it; the memory of the smallest case
is the fixed part (interpreter, compiled kernels). --figure FILE draws them.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

DISTINCT = 200  # pairs that are generated; the rest are links to them
SIDES = ((161, 107), (481, 321), (962, 642), (1924, 1284))  # width x height


@dataclass(frozen=True)
class Cost:
    """What one process took: wall seconds, processor seconds, peak memory in MB."""

    wall: float
    processor: float
    megabytes: float


def cost_of(command: Sequence[str | Path], folder: Path) -> Cost:
    """Runs a command in its own process and measures it; the output goes nowhere."""
    script = (
        "import json, resource, subprocess, sys, time\n"
        "start = time.perf_counter()\n"
        "done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(json.dumps([done.returncode, time.perf_counter() - start, used.ru_utime + used.ru_stime,"
        " used.ru_maxrss]))\n"
    )

    called = [sys.executable, "-c", script, *map(str, command)]
    printed = subprocess.run(called, cwd=folder, stdout=subprocess.PIPE, text=True, check=True).stdout
    code, wall, processor, peak = json.loads(printed)
    if code != 0:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {code}")
    return Cost(wall, processor, peak / 1024)


def make_pairs(folder: Path, count: int, width: int, height: int) -> tuple[Path, Path]:
    """Folders of maps and masks: an ellipse and a soft, noisy map of it, then links to them."""
    maps, masks = folder / "maps", folder / "masks"
    maps.mkdir(parents=True)
    masks.mkdir()
    draw = np.random.default_rng(0)
    y, x = np.mgrid[0:height, 0:width]
    for i in range(min(count, DISTINCT)):
        centre, radius = draw.uniform(0.3, 0.7, 2), draw.uniform(0.1, 0.3, 2)
        distance = ((x / width - centre[0]) / radius[0]) ** 2 + ((y / height - centre[1]) / radius[1]) ** 2
        soft = 255 / (1 + np.exp(6 * (np.sqrt(distance) - draw.uniform(0.9, 1.1))))
        noisy = np.where(draw.random(soft.shape) < 0.05, soft + draw.normal(0, 20, soft.shape), soft)
        Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(maps / f"{i:06d}.png")
        Image.fromarray(np.where(distance < 1, 255, 0).astype(np.uint8)).save(masks / f"{i:06d}.png")
    for i in range(DISTINCT, count):
        for part in (maps, masks):
            os.link(part / f"{i % DISTINCT:06d}.png", part / f"{i:06d}.png")
    return maps, masks


def score_command(maps: Path, masks: Path, reports: Path, name: str) -> list[str | Path]:
    """`sodbench score` as a user calls it."""
    command: list[str | Path] = [sys.executable, "-m", "sodbench", "score", maps, "--masks", masks]
    return [*command, "--name", name, "--reports", reports, "--quiet"]


def scoring(counts: Sequence[int], work: Path) -> dict[float, Cost]:
    """The cost by the number of pairs."""
    print(
        "pairs      wall s   processor s   ms per pair   peak MB   KB per pair beyond the first row",
        flush=True,
    )
    found: dict[float, Cost] = {}
    for count in sorted(counts):
        folder = work / f"pairs-{count}"
        maps, masks = make_pairs(folder, count, 481, 321)
        cost = cost_of(score_command(maps, masks, work / "reports", f"made-{count}"), work)
        found[count] = cost
        first = min(found)
        grown = 1024 * (cost.megabytes - found[first].megabytes) / max(count - first, 1)
        print(
            f"{count:<10d} {cost.wall:6.1f} {cost.processor:13.1f} {1000 * cost.wall / count:13.2f}"
            f" {cost.megabytes:9.0f} {grown:10.2f}",
            flush=True,
        )
    return found


def pixels(count: int, work: Path) -> dict[float, Cost]:
    """The cost by the size of the pairs."""
    print("width x height   megapixels   wall s   processor s   ms per pair   ms per megapixel   peak MB")
    found: dict[float, Cost] = {}
    for width, height in SIDES:
        maps, masks = make_pairs(work / f"size-{width}", count, width, height)
        cost = cost_of(score_command(maps, masks, work / "reports", f"size-{width}"), work)
        each, size = 1000 * cost.processor / count, width * height / 1e6
        found[size] = cost
        print(
            f"{width:5d} x {height:<6d} {size:12.3f} {cost.wall:8.1f} {cost.processor:13.1f} {each:13.2f}"
            f" {each / size:18.2f} {cost.megabytes:9.0f}",
            flush=True,
        )
    return found


def reports(counts: Sequence[int], images: int, work: Path) -> dict[float, Cost]:
    """The cost of `sodbench report` by the number of runs, for every format alone and for all."""
    folder = work / "many"
    print(f"runs of {images} images   format      wall s   processor s   peak MB", flush=True)
    found: dict[float, Cost] = {}
    made = 0
    for count in sorted(counts):
        for number in range(made, count):
            make_record(folder, number, images)
        made = count
        for form in ("markdown", "latex", "csv", "json", "html"):
            command = [sys.executable, "-m", "sodbench", "report", "--reports", folder, "--formats", form]
            cost = cost_of(command, work)
            found[count] = cost
            print(
                f"{count:<21d} {form:10s} {cost.wall:7.1f} {cost.processor:13.1f} {cost.megabytes:9.0f}",
                flush=True,
            )
    return found


def make_record(folder: Path, number: int, images: int) -> None:
    """One record of made-up scores and curves, as a run writes it."""
    import pandas as pd

    from sodbench.data.folder import DataSet
    from sodbench.metrics import Scorer, ScoreTable
    from sodbench.metrics.aggregate import average_curves, dataset_scores
    from sodbench.results.new_run import new_run
    from sodbench.results.saving import save_run

    draw = np.random.default_rng(number)
    protocol = Scorer().protocol
    names = pd.Index([f"{i:06d}" for i in range(images)], name="name")
    good = draw.beta(8, 1.5 + number / 100, images)
    columns = {key: np.clip(good + draw.normal(0, 0.05, images), 0, 1) for key in ("S", "wF", "adpF", "adpE")}
    per_image = pd.DataFrame({"MAE": (1 - good) / 3, **columns}, index=names)
    level = np.linspace(0, 1, 256, dtype=np.float32)
    curves = {
        "precision": (good[:, None] + (1 - good[:, None]) * 0.5 * level).astype(np.float32),
        "recall": (1 - level[None] ** (1 + 20 * good[:, None])).astype(np.float32),
        "E": (0.5 + 0.4 * good[:, None] * (1 - (2 * level[None] - 1) ** 2)).astype(np.float32),
    }
    means = average_curves(curves, protocol)
    table = ScoreTable(
        protocol,
        dataset_scores(per_image, curves, protocol),
        per_image,
        pd.DataFrame({key: means[key] for key in ("precision", "recall", "F", "E")}).rename_axis("level"),
        curves,
        pd.DataFrame(
            {"height": 321, "width": 481, "object_share": draw.uniform(0.02, 0.6, images)}, index=names
        ),
    )
    data = DataSet(f"set-{number % 5}", f"Set {number % 5}", (), images, folder)
    save_run(folder, new_run(f"method-{number // 5:02d}", data, {protocol.name: table}, reports=folder))


@dataclass(frozen=True)
class Model:
    """The wall time of a scoring in n shards, one thread each, from measured parts.

    start: seconds before a process scores its first pair. pair: seconds of one pair. size: megabytes that are
    read for one pair. merging: seconds of `merge` and what each further shard adds to them.
    """

    start: float
    pair: float
    size: float
    merging: tuple[float, float]

    def seconds(self, pairs: int, workers: int, bandwidth: float) -> float:
        """The wall time; `bandwidth` is what the shared file system delivers, in MB/s."""
        share = -(-pairs // workers)
        computing = share * self.pair
        reading = pairs * self.size / bandwidth
        merge = self.merging[0] + self.merging[1] * workers if workers > 1 else 0.0
        return self.start + max(computing, reading) + merge


def workers(pairs: int, work: Path) -> None:
    """Measures the parts of the model, checks it against 1 and 2 processes, and prints it for more."""
    maps, masks = make_pairs(work / "all", pairs, 481, 321)
    few = make_pairs(work / "few", 4, 481, 321)
    sizes = [path.stat().st_size for folder in (maps, masks) for path in folder.iterdir()]
    one_thread = ["--scoring-workers", "1"]
    cost_of([*score_command(*few, work / "warm", "warm"), *one_thread], work)  # compiles, if need be
    starts = [cost_of([*score_command(*few, work / f"s{i}", "few"), *one_thread], work) for i in range(3)]
    start = min(one.wall for one in starts)
    alone = cost_of([*score_command(maps, masks, work / "alone", "all"), *one_thread], work).wall

    def shards(count: int, reports: Path, at_once: bool) -> float:
        began = time.perf_counter()
        running = []
        for number in range(1, count + 1):
            command = [
                *score_command(maps, masks, reports, "all"),
                *one_thread,
                "--shard",
                f"{number}/{count}",
            ]
            running.append(subprocess.Popen(list(map(str, command)), cwd=work, stdout=subprocess.DEVNULL))
            if not at_once:
                running[-1].wait()
        if any(process.wait() for process in running):
            raise SystemExit("a shard failed")
        return time.perf_counter() - began

    def merging(reports: Path) -> float:
        out = work / f"{reports.name}-merged"
        return cost_of([sys.executable, "-m", "sodbench", "merge", reports, "--reports", out], work).wall

    together = shards(2, work / "two", True)
    merge_two = merging(work / "two")
    shards(16, work / "sixteen", False)
    merge_sixteen = merging(work / "sixteen")
    each = max(0.0, (merge_sixteen - merge_two) / 14)
    model = Model(start, (alone - start) / pairs, sum(sizes) / pairs / 1e6, (merge_two - 2 * each, each))
    print(f"before the first pair: {model.start:.2f} s; a pair, one thread: {1000 * model.pair:.2f} ms;")
    print(f"read for a pair: {1000 * model.size:.1f} kB; merge of 2 shards: {merge_two:.2f} s,")
    print(f"of 16: {merge_sixteen:.2f} s\n")
    print("processes   measured s   model s")
    print(
        f"1           {alone:10.1f} {model.seconds(pairs, 1, 1e9):9.1f}   (the model is fitted to this one)"
    )
    print(f"2           {together + merge_two:10.1f} {model.seconds(pairs, 2, 1e9):9.1f}\n")
    print("model, 100,000 pairs     100 MB/s   1000 MB/s   (what the shared file system delivers)")
    for count in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000):
        slow, fast = (model.seconds(100_000, count, rate) for rate in (100, 1000))
        print(f"{count:5d} workers          {slow:9.1f} s {fast:9.1f} s")


def draw_figure(found: dict[float, Cost], label: str, path: Path) -> None:
    """Wall time and peak memory, drawn over the counts."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    counts = sorted(found)
    figure, panels = pyplot.subplots(1, 2, figsize=(8, 3), layout="constrained")
    panels[0].plot(counts, [found[n].processor for n in counts], marker="o")
    panels[0].set(xlabel=label, ylabel="processor time (s)", xlim=0, ylim=0)
    panels[1].plot(counts, [found[n].megabytes for n in counts], marker="o")
    panels[1].set(xlabel=label, ylabel="peak memory (MB)", xlim=0, ylim=0)
    figure.savefig(path)


def main() -> None:
    """Parses the options and prints the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=("scoring", "pixels", "reports", "workers"))
    parser.add_argument("--pairs", type=int, nargs="+", default=[1000, 3000, 10000, 30000, 100000])
    parser.add_argument("--runs", type=int, nargs="+", default=[10, 50, 200])
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--figure", type=Path, metavar="FILE")
    parser.add_argument(
        "--work", type=Path, metavar="DIR", help="where the files are made (a temporary folder)"
    )
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.work) as work:
        place = Path(work)
        if args.part == "workers":
            workers(args.pairs[0], place)
            return
        if args.part == "scoring":
            found, label = scoring(args.pairs, place), "pairs of 481 x 321"
        elif args.part == "pixels":
            found, label = pixels(args.pairs[0], place), "megapixels"
        else:
            found, label = reports(args.runs, args.images, place), "runs"
        if args.figure is not None:
            draw_figure(found, label, args.figure)


if __name__ == "__main__":
    main()
