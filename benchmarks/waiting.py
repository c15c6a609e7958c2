"""How idle worker threads wait: a run's time alone and beside busy loops, for several ways of waiting.

    python benchmarks/waiting.py
    python benchmarks/waiting.py --ways default spin-1000 passive --rounds 7 --busy 2

A run predicts the pictures of a folder in a process of its own, because OpenMP reads its settings once. The
ways take turns, alone and beside `--busy` processes that loop, so that other load on the machine affects all
alike. Printed are the medians of wall and CPU seconds, and of the ratio to the first way in the same round.
With two busy loops on two cores the fair share is half of the machine: 2.0 times the time alone.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

# environment of each way; `sodbench` sets nothing that the user has set
WAYS: dict[str, dict[str, str]] = {
    "torch": {"GOMP_SPINCOUNT": "300000"},  # what libgomp does unless told otherwise
    "default": {},
    **{f"spin-{count}": {"GOMP_SPINCOUNT": str(count)} for count in (0, 100, 1000, 10000, 100000)},
    "passive": {"OMP_WAIT_POLICY": "passive"},
    "one-thread": {"OMP_NUM_THREADS": "1"},
}
SETTINGS = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY", "OMP_NUM_THREADS", "KMP_BLOCKTIME")


# predicts once to warm up, then prints the seconds of the second time
CHILD = """
import sys, tempfile, time
from pathlib import Path
from sodbench.models import load_baseline
from sodbench.prediction import predict_files
baseline = load_baseline(sys.argv[1])
network = baseline.load_or_build()[0]
with tempfile.TemporaryDirectory() as out:
    pairs = [(path, Path(out) / f"{path.stem}.png") for path in sorted(Path(sys.argv[2]).iterdir())]
    predict_files(network, baseline, pairs[:8])
    began = time.perf_counter(), time.process_time()
    predict_files(network, baseline, pairs)
    print(time.perf_counter() - began[0], time.process_time() - began[1])
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--baseline", default="basnet-tiny")
    parser.add_argument("--pictures", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--busy", type=int, default=os.cpu_count() or 1, help="busy processes (one per core)")
    parser.add_argument(
        "--ways",
        nargs="+",
        choices=list(WAYS),
        default=["torch", "default", "spin-0", "spin-1000", "passive"],
    )
    args = parser.parse_args()
    times: dict[tuple[str, int], list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rng = np.random.default_rng(0)
        for i in range(args.pictures):
            pixels = rng.integers(0, 256, (300, 400, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{i:03d}.jpg")
        for number in range(args.rounds + 1):
            for busy in (0, args.busy):
                for way in args.ways:
                    seconds = run(args.baseline, folder, WAYS[way], busy)
                    if number:  # the first round fills the caches of the file system
                        times.setdefault((way, busy), []).append(seconds)
            print(f"round {number} of {args.rounds}", file=sys.stderr)
    print(f"{args.baseline}, {args.pictures} pictures, {os.cpu_count()} cores, {args.rounds} rounds, "
          f"load {os.getloadavg()[0]:.1f}; seconds, and times the first way")  # fmt: skip
    print(f"{'way':<12} {'alone':>7} {'':>6} {'CPU':>7} {'busy':>8} {'':>6} {'CPU':>7} {'busy/alone':>11}")
    for way in args.ways:
        line = f"{way:<12}"
        for busy in (0, args.busy):
            walls, processors = zip(*times[way, busy], strict=True)
            firsts = [wall for wall, _ in times[args.ways[0], busy]]
            ratio = statistics.median(a / b for a, b in zip(walls, firsts, strict=True))
            line += f" {statistics.median(walls):7.2f} {ratio:5.2f}x {statistics.median(processors):7.2f} "
        pairs = zip(times[way, 0], times[way, args.busy], strict=True)
        print(f"{line} {statistics.median(b[0] / a[0] for a, b in pairs):10.2f}")


def run(baseline: str, folder: Path, way: dict[str, str], busy: int) -> tuple[float, float]:
    """Wall and CPU seconds of one prediction of the folder beside `busy` processes that loop."""
    environment = {key: value for key, value in os.environ.items() if key not in SETTINGS} | way
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
    try:
        printed = subprocess.run(
            [sys.executable, "-c", CHILD, baseline, str(folder)],
            env=environment, check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
    wall, processors = map(float, printed.split())
    return wall, processors


if __name__ == "__main__":
    main()
