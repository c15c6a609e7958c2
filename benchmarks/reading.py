"""Reading speed: pictures, masks and maps per second against Pillow alone, on one core and on all.

    python benchmarks/reading.py --data-root DIR --datasets sod ecssd
    python benchmarks/reading.py                    the embedded sample

"Pillow" opens, decodes and turns into an array, and nothing else: the floor. The ratio says what the checks
of `sodbench.data.images` (orientation, size limit, modes, {0, 1} masks) cost. Both sides run in turn in one
process and the least of each counts, because machines are shared; the last column compares processor time,
which other programs disturb least.
"""

import argparse
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sodbench.data.folder import open_dataset
from sodbench.data.images import read_image, read_map, read_mask


def pillow_colour(path: Path) -> Any:
    """The least that gives H x W x 3 bytes."""
    with Image.open(path) as picture:
        return np.array(picture if picture.mode == "RGB" else picture.convert("RGB"))


def pillow_grey(path: Path) -> Any:
    """The least that gives H x W bytes."""
    with Image.open(path) as picture:
        return np.array(picture if picture.mode == "L" else picture.convert("L"))


def seconds(read: Callable[[Path], Any], paths: Sequence[Path], workers: int) -> tuple[float, float]:
    """The time and the processor time to read all files once."""
    start, used = time.perf_counter(), time.process_time()
    if workers == 1:
        for path in paths:
            read(path)
    else:
        with ThreadPoolExecutor(workers) as pool:
            for _ in pool.map(read, paths, chunksize=8):
                pass
    return time.perf_counter() - start, time.process_time() - used


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--datasets", nargs="+", default=["sample"], metavar="NAME")
    parser.add_argument("--data-root", type=Path, metavar="DIR")
    parser.add_argument("--maps", type=Path, metavar="DIR", help="a folder of saliency maps")
    parser.add_argument("--limit", type=int, default=300, metavar="N", help="files of each kind (300)")
    parser.add_argument("--repeats", type=int, default=5, metavar="N")
    args = parser.parse_args()
    jobs: list[tuple[str, Callable[[Path], Any], Callable[[Path], Any], list[Path]]] = []
    for name in args.datasets:
        samples = open_dataset(name, args.data_root).samples[: args.limit]
        images = [sample.image for sample in samples if sample.image is not None]
        masks = [sample.mask for sample in samples if sample.mask is not None]
        jobs += [
            (f"{name}, pictures", read_image, pillow_colour, images),
            (f"{name}, masks", read_mask, pillow_grey, masks),
        ]
    if args.maps:
        maps = sorted(args.maps.glob("*.png"))[: args.limit]
        jobs.append((f"{args.maps.name}, maps", read_map, pillow_grey, maps))
    cores = os.cpu_count() or 1
    print(f"Pillow {Image.__version__}, {cores} cores; files a second, least time of {args.repeats}")
    print(f"{'':28}{'cores':>6}{'sodbench':>10}{'Pillow':>10}{'ratio':>8}{'cpu ratio':>11}")
    for title, ours, floor, paths in jobs:
        for workers in sorted({1, cores}):
            best = [[float("inf")] * 2, [float("inf")] * 2]
            for _ in range(args.repeats + 1):  # the first turn also fills the file cache
                for side, read in enumerate((ours, floor)):
                    took = seconds(read, paths, workers)
                    best[side] = [min(pair) for pair in zip(best[side], took, strict=True)]
            rates = [len(paths) / wall for wall, _ in best]
            cpu = best[1][1] / best[0][1]
            print(
                f"{title:28}{workers:6}{rates[0]:10.0f}{rates[1]:10.0f}{rates[0] / rates[1]:8.2f}{cpu:11.2f}"
            )


if __name__ == "__main__":
    main()
