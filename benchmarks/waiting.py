"""How idle worker threads wait: a run's time alone and beside busy loops, for several ways of waiting.

    python benchmarks/waiting.py
    python benchmarks/waiting.py --ways default spin-1000 passive --rounds 7 --busy 2

Each way has a process of its own, because OpenMP reads its settings once; it predicts the pictures of a
folder again and again. The ways take turns, alone and beside `--busy` processes that loop, so that other load
on the machine affects all alike. Printed are the medians of wall and CPU seconds, and of the ratio to the
first way in the same round. With two busy loops on two cores the fair share is half of the machine: 2.0 times
the time alone.
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

# the environment of each way: `torch` is libgomp's own default, `default` what sodbench sets
WAYS: dict[str, dict[str, str]] = {
    "torch": {"GOMP_SPINCOUNT": "300000"},
    "default": {},
    **{f"spin-{count}": {"GOMP_SPINCOUNT": str(count)} for count in (0, 100, 1000, 10000, 100000)},
    "passive": {"OMP_WAIT_POLICY": "passive"},
    "one-thread": {"OMP_NUM_THREADS": "1"},
}
SETTINGS = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY", "OMP_NUM_THREADS", "KMP_BLOCKTIME")


# predicts once to warm up, then again at each line on stdin, and prints the seconds
CHILD = """
import sys, tempfile, time
from pathlib import Path
from sodbench.models import load_baseline
from sodbench.prediction import predict_files
baseline = load_baseline(sys.argv[1])
network = baseline.load_or_build()[0]
with tempfile.TemporaryDirectory() as out:
    pairs = [(path, Path(out) / f"{path.stem}.png") for path in sorted(Path(sys.argv[2]).iterdir())]
    predict_files(network, baseline, pairs)
    print("ready", flush=True)
    for line in sys.stdin:
        began = time.perf_counter(), time.process_time()
        predict_files(network, baseline, pairs)
        print(time.perf_counter() - began[0], time.process_time() - began[1], flush=True)
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
        workers = {way: start(args.baseline, folder, WAYS[way]) for way in args.ways}
        for number in range(1, args.rounds + 1):
            for busy in (0, args.busy):
                for way, worker in workers.items():
                    times.setdefault((way, busy), []).append(measure(worker, busy))
            print(f"round {number} of {args.rounds}", file=sys.stderr)
        for worker in workers.values():
            worker.communicate()
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


def start(baseline: str, folder: Path, way: dict[str, str]) -> "subprocess.Popen[str]":
    """A process that waits in this way and has predicted the folder once."""
    environment = {key: value for key, value in os.environ.items() if key not in SETTINGS} | way
    worker = subprocess.Popen(
        [sys.executable, "-c", CHILD, baseline, str(folder)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdout is not None and worker.stdout.readline() == "ready\n"
    return worker


def measure(worker: "subprocess.Popen[str]", busy: int) -> tuple[float, float]:
    """Wall and CPU seconds of one prediction of the folder beside `busy` processes that loop."""
    assert worker.stdin is not None and worker.stdout is not None
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
    try:
        worker.stdin.write("\n")
        worker.stdin.flush()
        wall, processors = map(float, worker.stdout.readline().split())
        return wall, processors
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


if __name__ == "__main__":
    main()
