"""The PAC/BAL grid and the loss ablation at tiny scale: every variant trained with several seeds and scored.

    python experiments/pac_bal_and_losses.py --data-root DATA --out OUT
    python experiments/pac_bal_and_losses.py --data-root DATA --out OUT --parts losses --seeds 5 --steps 20000

DATA holds the training set and the sets that are scored. The variants of a part differ in what is compared
and in nothing else: samples, their order and augmentation (by the seed), steps and optimiser are the same.
OUT/reports/<part> then holds one record per run, and OUT/<part>.md the table: mean and standard deviation
over the seeds. Finished runs are kept, so the same command continues after an interruption.
docs/results.md has the outcome.
"""

import argparse
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

from sodbench.cores import core_count

# one recipe for all, short enough that thirty trainings take an hour on two cores
COMMON = """
resize = [256, 256]
flip = true
optimiser = "adamw"
weight_decay = 0.01
lr = 1e-3
schedule = "cosine"
warmup = 50
final_lr = 1e-5
ema = 0.99
initialisation = "default"
precision = "bf16"
channels_last = true
"""
# switches off what the shipped basnet-tiny has and what would hide the effect of a loss term
PLAIN = """
colour_jitter = [0.3, 0.3, 0.4]
aspect_jitter = 1
rotation = 0
[options]
drop = 0
[output]
gain = 1
[inference]
scales = [1]
mirror = false
"""
# part -> (side of the network's input, variant -> (the baseline it extends, its changes to the recipe))
PARTS: dict[str, tuple[int, dict[str, tuple[str, str]]]] = {
    "pac-bal": (
        96,
        {
            name: (f"{name}-tiny", "")
            for name in ("deeplabv3", "deeplabv3-pac", "deeplabv3-bal", "deeplabv3-pac-bal")
        },
    ),
    "losses": (
        64,
        {
            "-".join(terms): ("basnet-tiny", f"loss_terms = {list(terms)}{PLAIN}")
            for terms in (
                ("bce",),
                ("ssim",),
                ("iou",),
                ("bce", "ssim"),
                ("bce", "iou"),
                ("bce", "ssim", "iou"),
            )
        },
    ),
}


def main() -> None:
    """Trains and scores the runs that are missing, then writes one table per part."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data-root", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--dataset", default="duts-tr", help="training set (duts-tr)")
    parser.add_argument("--datasets", nargs="+", default=["ecssd", "duts-te", "sod"], help="scored sets")
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--jobs", type=int, default=core_count(), help="parallel trainings, one thread each")
    args = parser.parse_args()
    jobs = [
        (part, variant, seed)
        for seed, part in product(range(args.seeds), args.parts)
        for variant in PARTS[part][1]
    ]
    with ThreadPoolExecutor(args.jobs) as pool:
        for name in pool.map(lambda job: train_and_score(args, *job), jobs):
            print(name, flush=True)
    for part in args.parts:
        table(args, part)


def train_and_score(args: argparse.Namespace, part: str, variant: str, seed: int) -> str:
    """Trains one variant with one seed and scores it, unless its records exist; returns a line about it."""
    name = f"{variant}-seed{seed}"
    reports = args.out / "reports" / part
    if all((reports / "runs" / name / dataset / "run.json").exists() for dataset in args.datasets):
        return f"{part}: {name} is recorded already"
    side, variants = PARTS[part]
    extends, change = variants[variant]
    recipe = args.out / "recipes" / part / f"{variant}.toml"
    recipe.parent.mkdir(parents=True, exist_ok=True)
    recipe.write_text(
        f'extends = "{extends}"\ntitle = "{variant}"\n'
        f'[input]\nheight = {side}\nwidth = {side}\nresample = "bilinear-antialias"\n'
        f"[training]{COMMON}crop = [{side}, {side}]\n"
        # the crop shows 75 to 100 % of the image; prediction shows all of it
        f"scale_jitter = [{side / 256}, {side / 192}, 0.0]\n{change}\n"
    )
    out = args.out / "training" / part / name
    # the training's last file: if it exists, only the scores are missing
    if not (out / "weights.pth").exists():
        train(args, recipe, out, seed)
    sodbench(
        "run", str(recipe), "--weights", str(out / "weights.pth"), "--name", name, "--quiet",
        "--datasets", *args.datasets, "--data-root", str(args.data_root),
        "--maps", str(args.out / "maps" / part / name), "--reports", str(reports),
    )  # fmt: skip
    return f"{part}: {name}"


def train(args: argparse.Namespace, recipe: Path, out: Path, seed: int) -> None:
    """Trains one variant with one seed; the checkpoint is deleted."""
    sodbench(
        "train", str(recipe), "--datasets", args.dataset, "--cache", "--quiet", "--resume",
        "--out", str(out), "--data-root", str(args.data_root),
        "--set", f"training.seed={seed}", "--set", f"training.iterations={args.steps}",
        "--set", f"training.batch={args.batch}",
    )  # fmt: skip
    (out / "last.pt").unlink()  # eight times the size of the weights


def table(args: argparse.Namespace, part: str) -> None:
    """Writes OUT/<part>.csv, one row per run, and OUT/<part>.md, mean and deviation over the seeds."""
    reports = args.out / "reports" / part
    for file, options in (("csv", []), ("md", ["--seeds"])):
        kind = "markdown" if file == "md" else file
        sodbench("report", "--figures", "--reports", str(reports), "--format", kind, *options)
        text = (reports / f"leaderboard.{file}").read_text()
        (args.out / f"{part}.{file}").write_text(text)
    print(text)


def sodbench(*command: str) -> None:
    """Runs one sodbench command on one thread; shows its output only if it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "sodbench", *command],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(f"sodbench {' '.join(command)}\n{done.stderr}")


if __name__ == "__main__":
    main()
