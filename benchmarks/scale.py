"""Memory and time at scale: many pairs scored, many records reported.

    python benchmarks/scale.py scoring --pairs 1000 10000 100000
    python benchmarks/scale.py pixels --pairs 300
    python benchmarks/scale.py reports --runs 10 50 200 --images 5000

`scoring` makes 200 pairs of 481 x 321 once and links them under as many names as are asked for; each number
of pairs is scored and recorded by `sodbench score` in a process of its own. `pixels` scores pairs of growing
size. `reports` fills a reports folder with records of made-up scores and lets `sodbench report` write every
format in a process of its own. Printed: wall time, processor time, and peak memory as the system counts it;
the memory of the smallest case is the fixed part (interpreter, compiled kernels). --figure FILE draws them.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
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
    from sodbench.results.run import new_run
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
    parser.add_argument("part", choices=("scoring", "pixels", "reports"))
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
