"""What the self-check costs: the same data set scored with and without it, side by side in one process.

    python benchmarks/self_check.py --data-root DATA     maps of SOD under new names, as often as it takes
    python benchmarks/self_check.py                      procedural images of that size

For 24, 1000 (ECSSD) and 5019 (DUTS-TE) images: `score_maps` without a record, with and without the check,
alternating and the order of a pair changing. Wall and processor seconds are medians; "more" is the median of
the pairs' differences, which on a busy machine is mostly noise. "itself" is what the check's own functions
took on the processor, by the clocks of their threads. Then a fresh process of `sodbench score` on 24 images.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image

import sodbench as sb
from sodbench import self_check
from sodbench.metrics import protocol_names

Times = tuple[float, float]
# seconds of processor time that the check's own functions took
ITSELF: list[float] = []


def main() -> None:
    """Parses the options, makes the folders, prints a line for each size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data-root", type=Path, help="holds SOD/maps/DSS and SOD/GT")
    parser.add_argument("--images", type=int, nargs="+", default=[24, 1000, 5019])
    parser.add_argument("--pairs", type=int, default=7, help="pairs of scorings (with, without) a size")
    parser.add_argument("--all-protocols", action="store_true", help="all shipped protocols at once")
    args = parser.parse_args()
    protocols = protocol_names() if args.all_protocols else ["pysodmetrics"]
    clocked(self_check, "_scored_again")
    clocked(self_check, "draw")
    clocked(self_check.SelfChecker, "verdict")
    print(f"{'images':>7}{'wall s':>9}{'more':>9}{'':>8}{'CPU s':>9}{'more':>9}{'':>8}{'itself s':>10}")
    with TemporaryDirectory() as folder:
        sources = originals(args.data_root, Path(folder))
        for count in args.images:
            maps, masks = linked(sources, count, Path(folder) / str(count))
            line(count, maps, masks, protocols, args.pairs)
        maps, masks = linked(sources, 24, Path(folder) / "fresh")
        fresh(maps, masks, args.pairs)


def clocked(owner: Any, name: str) -> None:
    """Adds the processor time of a function's thread during each of its calls to `ITSELF`."""
    function = getattr(owner, name)

    def call(*arguments: Any, **options: Any) -> Any:
        began = time.thread_time()
        try:
            return function(*arguments, **options)
        finally:
            ITSELF.append(time.thread_time() - began)

    setattr(owner, name, call)


def originals(data_root: Path | None, folder: Path) -> list[tuple[Path, Path]]:
    """Pairs of a map and a mask: real ones, or 60 procedural ones."""
    if data_root is not None:
        maps = sorted((data_root / "SOD" / "maps" / "DSS").glob("*.png"))
        return [(path, data_root / "SOD" / "GT" / path.name) for path in maps]
    random = np.random.default_rng(0)
    y, x = np.mgrid[:300, :400]
    pairs = []
    for index in range(60):
        field = np.sin(x / random.uniform(30, 90)) + np.cos(y / random.uniform(30, 70)) - 0.7
        soft = 255 / (1 + np.exp(-(field + random.normal(0, 0.3)) * 12))
        soft = np.where(soft < 3, 0, soft + random.normal(0, 2, soft.shape))
        pair = folder / f"map{index}.png", folder / f"mask{index}.png"
        for path, values in zip(pair, (soft, (field > 0) * 255), strict=True):
            Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)).save(path)
        pairs.append(pair)
    return pairs


def linked(sources: list[tuple[Path, Path]], count: int, folder: Path) -> tuple[Path, Path]:
    """Folders of `count` maps and masks: links to the sources, under new names."""
    maps, masks = folder / "maps", folder / "masks"
    for place in (maps, masks):
        place.mkdir(parents=True)
    for index in range(count):
        pair = sources[index % len(sources)]
        for place, source in zip((maps, masks), pair, strict=True):
            (place / f"{index:05}.png").symlink_to(source.resolve())
    return maps, masks


def line(count: int, maps: Path, masks: Path, protocols: list[str], pairs: int) -> None:
    """Measures one size and prints it."""

    def scored(checked: bool) -> Times:
        return took(
            lambda: sb.score_maps(
                maps, "own", masks=masks, protocols=protocols, reports=None, self_check=checked
            )
        )

    scored(True), scored(False)
    times: dict[bool, list[Times]] = {True: [], False: []}
    ITSELF.clear()
    for number in range(pairs):
        for checked in (True, False) if number % 2 else (False, True):
            times[checked].append(scored(checked))
    text = f"{count:7}"
    for clock in (0, 1):
        plain = statistics.median(one[clock] for one in times[False])
        more = statistics.median(a[clock] - b[clock] for a, b in zip(times[True], times[False], strict=True))
        text += f"{plain:9.3f}{more:9.3f}{100 * more / plain:7.1f}%"
    itself = sum(ITSELF) / pairs
    print(f"{text}{itself:10.3f}{100 * itself / plain:7.1f}%", flush=True)


def took(call: Callable[[], object]) -> Times:
    """Wall and processor seconds of a call, of all threads."""
    wall, processor = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - processor


def fresh(maps: Path, masks: Path, pairs: int) -> None:
    """The command in a process of its own, imports included."""
    seconds: dict[bool, list[float]] = {True: [], False: []}
    with TemporaryDirectory() as reports:
        for _ in range(pairs):
            for checked in (True, False):
                command = [sys.executable, "-m", "sodbench", "score", str(maps), "--masks", str(masks)]
                command += ["--reports", reports, "--quiet", *([] if checked else ["--no-self-check"])]
                began = time.perf_counter()
                subprocess.run(command, check=True, capture_output=True)
                seconds[checked].append(time.perf_counter() - began)
    best = {checked: min(values) for checked, values in seconds.items()}
    print(f"fresh process, 24 images: {best[False]:.2f} s without, {best[True]:.2f} s with the check (best)")


if __name__ == "__main__":
    main()
