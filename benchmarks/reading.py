"""Reading speed: images, masks and maps per second against Pillow alone, on one core and on all.

    python benchmarks/reading.py --data-root DIR --datasets sod ecssd
    python benchmarks/reading.py                    the embedded sample

"Pillow" decodes a file into an array and does nothing else, so it is the lower bound of the time. The ratio
shows the cost of the checks in `sodbench.data.images` (orientation, size limit, modes, {0, 1} masks). Both
sides run in turn in one process and the minimum of each counts, because machines are shared. The last column
compares processor time, which other programs affect least.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from sodbench.cores import core_count
from sodbench.data.folder import open_dataset
from sodbench.data.images import read_image, read_map, read_mask

Pixels = npt.NDArray[np.uint8]


def pillow_colour(path: Path) -> Pixels:
    """The pixels, H x W x 3 uint8, with no checks."""
    with Image.open(path) as image:
        return np.array(image if image.mode == "RGB" else image.convert("RGB"))


def pillow_grey(path: Path) -> Pixels:
    """The pixels, H x W uint8, with no checks."""
    with Image.open(path) as image:
        return np.array(image if image.mode == "L" else image.convert("L"))


def seconds(read: Callable[[Path], Pixels], paths: Sequence[Path], workers: int) -> tuple[float, float]:
    """The wall time and the processor time of reading all files once."""
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
    """Parses the options and prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--datasets", nargs="+", default=["sample"], metavar="NAME")
    parser.add_argument("--data-root", type=Path, metavar="DIR")
    parser.add_argument("--maps", type=Path, metavar="DIR", help="folder of saliency maps")
    parser.add_argument("--limit", type=int, default=300, metavar="N", help="files of each kind (300)")
    parser.add_argument("--repeats", type=int, default=5, metavar="N")
    args = parser.parse_args()
    jobs: list[tuple[str, Callable[[Path], Pixels], Callable[[Path], Pixels], list[Path]]] = []
    for name in args.datasets:
        samples = open_dataset(name, args.data_root).samples[: args.limit]
        images = [sample.image for sample in samples if sample.image is not None]
        masks = [sample.mask for sample in samples if sample.mask is not None]
        jobs += [
            (f"{name}, images", read_image, pillow_colour, images),
            (f"{name}, masks", read_mask, pillow_grey, masks),
        ]
    if args.maps:
        maps = sorted(args.maps.glob("*.png"))[: args.limit]
        jobs.append((f"{args.maps.name}, maps", read_map, pillow_grey, maps))
    cores = core_count()
    print(f"Pillow {Image.__version__}, {cores} cores; files per second, minimum time of {args.repeats}")
    print(f"{'':28}{'cores':>6}{'sodbench':>10}{'Pillow':>10}{'ratio':>8}{'cpu ratio':>11}")
    for title, ours, pillow, paths in jobs:
        for workers in sorted({1, cores}):
            best = [[float("inf")] * 2, [float("inf")] * 2]
            for _ in range(args.repeats + 1):  # the first round also fills the file cache
                for side, read in enumerate((ours, pillow)):
                    took = seconds(read, paths, workers)
                    best[side] = [min(pair) for pair in zip(best[side], took, strict=True)]
            rates = [len(paths) / wall for wall, _ in best]
            cpu = best[1][1] / best[0][1]
            print(
                f"{title:28}{workers:6}{rates[0]:10.0f}{rates[1]:10.0f}{rates[0] / rates[1]:8.2f}{cpu:11.2f}"
            )


if __name__ == "__main__":
    main()
