"""Scoring side by side with pysodmetrics, in one run.

    python benchmarks/scoring.py --data-root DATA     DATA/SOD/maps/METHOD/*.png and DATA/SOD/GT/*.png
    python benchmarks/scoring.py                      procedural pictures of the same sizes

One thread: pysodmetrics' {MAE, F, E, S, weighted F} against the same set and relaxed F here, on a mask seen
for the first time and on one seen before; the weighted F alone; then every further metric of the package, and
calibration beside torchmetrics where that is installed. Two threads: a folder from disk against decoding it
alone, and against the loop that people write (OpenCV, the package's five metrics, one process per core). Then
import and first call of a fresh process. Everything is interleaved and the best of the repeats is taken, for
one thread of its processor time: on a busy machine trust the ratios, not the milliseconds.
"""

import argparse
import importlib.util
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sodbench.data.images import read_map, read_mask
from sodbench.metrics import Scorer, load_protocol
from sodbench.metrics.families import (
    calibration,
    context_measure,
    correction_effort,
    multiscale_iou,
    size_invariant,
)
from sodbench.metrics.image_scores import measure_image
from sodbench.metrics.mask import MaskCache, binarise
from sodbench.metrics.measurement import Measurement
from sodbench.scoring import score_files

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import py_sod_metrics

NORMALISED = load_protocol("pysodmetrics")
Picture = tuple[NDArray[np.uint8], NDArray[np.uint8]]
PARTS = ["one", "further", "folder", "loop", "start"]
STARTED = "import numpy as np; from sodbench.metrics import Scorer; s = Scorer();"
FIRST_CALL = STARTED + "m = np.eye(64, dtype=np.uint8) * 255; s.update(m, m, name='x'); s.result()"


def main() -> None:
    """Parses the options, runs the parts asked for, prints the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data-root", type=Path, help="holds SOD/maps and SOD/GT")
    parser.add_argument("--pictures", type=int, default=40, help="pictures a method for the one-thread part")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--parts", nargs="+", default=PARTS, choices=PARTS, help="some of them")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    with TemporaryDirectory() as folder:
        sets = folders(args.data_root, Path(folder))
        if "one" in args.parts:
            one_thread(sets, args.pictures, args.repeats)
        if "further" in args.parts:
            further(sets, max(1, args.pictures // 8), args.repeats)
        if "folder" in args.parts:
            from_disk(sets, args.repeats)
        if "loop" in args.parts:
            against_loop(sets, args.repeats)
    if "start" in args.parts:
        start(args.repeats)


def folders(data_root: Path | None, scratch: Path) -> dict[str, list[tuple[str, Path, Path]]]:
    """The maps and masks by method; procedural ones are written to `scratch`."""
    if data_root is None:
        write_procedural(scratch)
        data_root = scratch
    sets = {}
    for method in sorted((data_root / "SOD" / "maps").iterdir()):
        maps = sorted(method.glob("*.png"))
        sets[method.name] = [(path.stem, path, data_root / "SOD" / "GT" / path.name) for path in maps]
    return sets


def one_thread(sets: dict[str, list[tuple[str, Path, Path]]], count: int, repeats: int) -> None:
    """The same maps through pysodmetrics and through the engine, mask new and mask known."""
    print(
        f"{'one thread, ms a map':28}{'pysodmetrics':>14}{'first':>9}{'later':>9}{'first x':>9}{'later x':>9}"
    )
    for method, pairs in sets.items():
        step = max(1, len(pairs) // count)
        pictures = [(read_map(a), read_mask(b)) for _, a, b in pairs[::step][:count]]
        line(f"{method} {pictures[0][0].shape[1]} x {pictures[0][0].shape[0]}", pictures, repeats)
        line(f"{method}, weighted F alone", pictures, repeats, alone=True)
        few = [
            (enlarged(a, Image.Resampling.BILINEAR), enlarged(b, Image.Resampling.NEAREST))
            for a, b in pictures[:8]
        ]
        line(f"{method} 1024 x 1024", few, repeats)


def line(title: str, pictures: list[Picture], repeats: int, alone: bool = False) -> None:
    """Measures one row of the table and prints it: all metrics, or the weighted F alone."""
    scorers = [Scorer(metrics=["wF"] if alone else None)]
    best = np.full((3, len(pictures)), np.inf)
    masks = MaskCache(2**34)
    for prediction, mask in pictures:
        measure_image(prediction, mask, "x", scorers, masks)
    for repeat in range(repeats):
        sides: list[Callable[[NDArray[np.uint8], NDArray[np.uint8]], object]] = [
            lambda p, m: package(p, m, alone),
            lambda p, m: measure_image(p, m, "x", scorers, MaskCache()),
            lambda p, m: measure_image(p, m, "x", scorers, masks),
        ]
        # one side after the other scores all pictures, as in use: each with its own data in the caches
        for row, side in enumerate(sides):
            if row > 0 or repeat < 5:
                for index, (prediction, mask) in enumerate(pictures):
                    took(best, row, index, lambda p=prediction, m=mask, s=side: s(p, m))
    old, first, later = best.mean(axis=1) * 1e3
    print(f"{title:28}{old:14.2f}{first:9.3f}{later:9.3f}{old / first:9.1f}{old / later:9.1f}", flush=True)


def msiou_by_level(one: Measurement) -> object:
    """Multi-scale IoU at every threshold."""
    return multiscale_iou.areas(one.common_edge_cells_by_level(NORMALISED), one.mask.edge_grids[1])


def msiou_twice(one: Measurement) -> object:
    """Multi-scale IoU at the adaptive threshold and at .5."""
    firsts = one.first_adaptive(NORMALISED), one.first_above_half(NORMALISED)
    return [multiscale_iou.areas(one.common_edge_cells(first), one.mask.edge_grids[1]) for first in firsts]


def package_f() -> Any:
    """The package's size-invariant F, over the levels and at the adaptive threshold."""
    return py_sod_metrics.SizeInvarianceFmeasureV2({"F": py_sod_metrics.FmeasureHandler(True, True)})


class TorchCalibration:
    """Calibration as torchmetrics computes it (pysodmetrics has none), with its imports done before."""

    def __init__(self) -> None:
        from torchmetrics.classification import BinaryCalibrationError

        self.error = BinaryCalibrationError(n_bins=15)

    def step(self, prediction: NDArray[np.uint8], mask: NDArray[np.uint8]) -> None:
        """One map of 8 bits."""
        import torch

        probability = torch.from_numpy(prediction).flatten() / 255
        self.error.update(probability, torch.from_numpy(mask > 128).flatten().int())
        self.error.compute()


FURTHER: dict[str, tuple[Callable[[Measurement], object], Callable[[], Any]]] = {
    "MSIoU, every threshold": (msiou_by_level, lambda: py_sod_metrics.MSIoU(True, False)),
    "MSIoU, adaptive and .5": (msiou_twice, lambda: py_sod_metrics.MSIoU(False, True, with_binary=True)),
    "siMAE": (lambda one: size_invariant.error(one, NORMALISED), lambda: py_sod_metrics.SizeInvarianceMAE()),
    "siF": (lambda one: size_invariant.measure(one, NORMALISED), package_f),
    "HCE": (
        lambda one: correction_effort.effort(one, NORMALISED),
        lambda: py_sod_metrics.HumanCorrectionEffortMeasure(),
    ),
    "CM": (lambda one: context_measure.context(one, NORMALISED), lambda: py_sod_metrics.ContextMeasure()),
}
if importlib.util.find_spec("torchmetrics"):
    FURTHER["ECE (torchmetrics)"] = (lambda one: calibration.measure(one, NORMALISED), TorchCalibration)


def further(sets: dict[str, list[tuple[str, Path, Path]]], count: int, repeats: int) -> None:
    """The metrics beyond the standard five, each alone, from map and mask to the score."""
    print(
        f"\n{'further, ms a map':33}{'pysodmetrics':>14}{'first':>9}{'later':>9}{'first x':>9}{'later x':>9}"
    )
    for method, pairs in sets.items():
        pictures = [(read_map(a), read_mask(b)) for _, a, b in pairs[:: max(1, len(pairs) // count)][:count]]
        for metric, (ours, theirs) in FURTHER.items():
            best = np.full((3, len(pictures)), np.inf)
            masks = MaskCache(2**34)
            for index, pair in enumerate(pictures):
                ours(measurement(*pair, masks))
                for _ in range(1 if "every" in metric else 3):
                    took(best, 0, index, lambda p=pair, new=theirs: stepped(new, *p))
                for _ in range(repeats):
                    took(best, 1, index, lambda p=pair, f=ours: f(measurement(*p, MaskCache())))
                    took(best, 2, index, lambda p=pair, f=ours, m=masks: f(measurement(*p, m)))
            old, first, later = best.mean(axis=1) * 1e3
            print(
                f"{method}: {metric}".ljust(33)
                + f"{old:14.2f}{first:9.3f}{later:9.3f}{old / first:9.1f}{old / later:9.1f}",
                flush=True,
            )


def measurement(prediction: NDArray[np.uint8], mask: NDArray[np.uint8], masks: MaskCache) -> Measurement:
    """A map against its mask, whose work is kept in `masks`."""
    binary = binarise(mask, 129)
    return Measurement(prediction, binary, masks.work(binary), mask, NORMALISED.s_centre_rounding)


def stepped(new: Callable[[], Any], prediction: NDArray[np.uint8], mask: NDArray[np.uint8]) -> None:
    """One of the package's classes made and stepped."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        new().step(prediction, mask)


def took(best: NDArray[np.float64], row: int, column: int, call: Callable[[], object]) -> None:
    """Runs a call and keeps this thread's processor time if it is the best so far."""
    began = time.thread_time()
    call()
    best[row, column] = min(best[row, column], time.thread_time() - began)


def package(prediction: NDArray[np.uint8], mask: NDArray[np.uint8], alone: bool) -> None:
    """The package's own five steps, or that of its weighted F alone."""
    for metric in package_metrics()[-1:] if alone else package_metrics():
        metric.step(prediction, mask)


def package_metrics() -> "tuple[Any, ...]":
    """The package's five metrics, new."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return (
            py_sod_metrics.MAE(),
            py_sod_metrics.Fmeasure(),
            py_sod_metrics.Emeasure(),
            py_sod_metrics.Smeasure(),
            py_sod_metrics.WeightedFmeasure(),
        )


def from_disk(sets: dict[str, list[tuple[str, Path, Path]]], repeats: int) -> None:
    """A whole folder, files in the disk cache: decoded on two threads, and decoded and scored on two."""
    print(f"\n{'folder, two threads, ms a map':32}{'decode':>9}{'score':>9}{'ratio':>8}{'CPU ratio':>11}")
    for method, pairs in sets.items():
        wall = [np.inf, np.inf]
        cpu = [np.inf, np.inf]
        for _ in range(repeats):
            for index, call in enumerate((decode, score)):
                began, used = time.perf_counter(), time.process_time()
                call(pairs)
                wall[index] = min(wall[index], time.perf_counter() - began)
                cpu[index] = min(cpu[index], time.process_time() - used)
        decoded, scored = (seconds / len(pairs) * 1e3 for seconds in wall)
        print(
            f"{method} ({len(pairs)} maps)".ljust(32)
            + f"{decoded:9.3f}{scored:9.3f}{scored / decoded:8.2f}{cpu[1] / cpu[0]:11.2f}",
            flush=True,
        )


def decode(pairs: Sequence[tuple[str, Path, Path]]) -> None:
    """Reads every map and every mask."""
    with ThreadPoolExecutor(2) as pool:
        for _ in pool.map(decode_pair, pairs):
            pass


def decode_pair(pair: tuple[str, Path, Path]) -> None:
    """Reads a map and a mask and forgets them."""
    read_map(pair[1])
    read_mask(pair[2])


def score(pairs: Sequence[tuple[str, Path, Path]]) -> None:
    """Reads and scores every map."""
    score_files(pairs, workers=2)


def against_loop(sets: dict[str, list[tuple[str, Path, Path]]], repeats: int) -> None:
    """A whole folder, by the loop in two processes that run already, and by two threads here."""
    print(f"\n{'folder, two cores, ms a map':32}{'loop':>9}{'here':>9}{'ratio':>9}{'CPU':>16}")
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(loop, [pairs[:1] for pairs in sets.values()] * 2))
        for method, pairs in sets.items():
            wall, cpu = [np.inf, np.inf], [np.inf, np.inf]
            for repeat in range(repeats):
                if repeat < 2:
                    began = time.perf_counter()
                    used = sum(pool.map(loop, [pairs[0::2], pairs[1::2]]))
                    wall[0], cpu[0] = min(wall[0], time.perf_counter() - began), min(cpu[0], used)
                began, used = time.perf_counter(), time.process_time()
                score(pairs)
                wall[1] = min(wall[1], time.perf_counter() - began)
                cpu[1] = min(cpu[1], time.process_time() - used)
            theirs, ours = (seconds / len(pairs) * 1e3 for seconds in wall)
            print(
                f"{method} ({len(pairs)} maps)".ljust(32)
                + f"{theirs:9.2f}{ours:9.3f}{theirs / ours:8.1f}x{cpu[0] / cpu[1]:9.1f}x of CPU",
                flush=True,
            )


def loop(pairs: Sequence[tuple[str, Path, Path]]) -> float:
    """What people write; returns the seconds of processor time."""
    cv2.setNumThreads(1)
    began = time.process_time()
    metrics = package_metrics()
    for _, map_path, mask_path in pairs:
        prediction = cv2.imread(str(map_path), cv2.IMREAD_GRAYSCALE)
        mask = cv2.imread(str(mask_path), cv2.IMREAD_GRAYSCALE)
        for metric in metrics:
            metric.step(prediction, mask)
    for metric in metrics:
        metric.get_results()
    return time.process_time() - began


def start(repeats: int) -> None:
    """Import and first call of a fresh process, compilation cached."""
    seconds = []
    for code in ("import numpy", FIRST_CALL, "import py_sod_metrics"):
        best = np.inf
        for _ in range(max(3, repeats // 2)):
            began = time.perf_counter()
            subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)
            best = min(best, time.perf_counter() - began)
        seconds.append(best)
    numpy, ours, package = seconds
    print(f"\nfresh process: import numpy {numpy:.2f} s, import pysodmetrics {package:.2f} s,", end=" ")
    print(f"import sodbench.metrics and first call {ours:.2f} s")


def enlarged(values: NDArray[np.uint8], how: Image.Resampling) -> NDArray[np.uint8]:
    """A picture at 1024 x 1024."""
    return np.array(Image.fromarray(values).resize((1024, 1024), how))


def write_procedural(root: Path) -> None:
    """Writes 60 smooth objects and soft, noisy maps of them at SOD's size."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[:321, :481]
    for index in range(60):
        field = np.sin(x / random.uniform(30, 90)) + np.cos(y / random.uniform(30, 70)) - 0.7
        soft = 255 / (1 + np.exp(-(field + random.normal(0, 0.3)) * 12))
        soft = np.where(soft < 3, 0, soft + random.normal(0, 2, soft.shape))
        for folder, values in (("maps/procedural", soft), ("GT", (field > 0) * 255)):
            path = root / "SOD" / folder / f"{index:02}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)).save(path)


if __name__ == "__main__":
    main()
