"""`sodbench train`: trains a baseline by its recipe."""

import argparse
from pathlib import Path
from typing import Any

from sodbench.errors import InputError


def register(subparsers: Any) -> None:
    """Adds the command to the parser."""
    parser = subparsers.add_parser(
        "train",
        help="train a baseline by its recipe",
        description="Train a baseline by its recipe; under torchrun on several GPUs or machines.",
        epilog="example: sodbench train basnet-tiny --set training.batch=16 --out training/tiny\n"
        "         torchrun --nproc-per-node 4 -m sodbench train basnet --resume",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("baseline", help="a baseline's name (sodbench baselines list), or module:callable")
    parser.add_argument("--dataset", nargs="+", metavar="NAME", help="training sets, instead of the recipe's")
    parser.add_argument(
        "--data-root", type=Path, metavar="DIR", help="folder that holds one folder a data set"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="training.KEY=VALUE", help="override the recipe"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="where checkpoints go (training/<baseline>)")
    parser.add_argument("--resume", action="store_true", help="go on from last.pt in --out, if it is there")
    parser.add_argument("--device", help="cpu, cuda, cuda:1 (a GPU if there is one)")
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N", help="processes that read samples (1; 0: none)"
    )
    parser.add_argument("--cache", action="store_true", help="decode once into a file mapped into memory")
    parser.add_argument(
        "--deterministic", action="store_true", help="bit-identical on a GPU, too, at its cost"
    )
    parser.add_argument(
        "--skip-bad", type=int, default=0, metavar="N", help="tolerate up to N unreadable samples"
    )
    parser.add_argument("--tensorboard", action="store_true", help="also write TensorBoard events")
    parser.add_argument("--quiet", action="store_true", help="no progress line")
    parser.add_argument("--json", action="store_true", help="print the outcome as one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Trains, writes training.json beside the checkpoints, prints where the weights are."""
    import json
    import time

    import torch

    from sodbench.data.folder import open_dataset
    from sodbench.files import sha256_of, write_text
    from sodbench.models import load_baseline
    from sodbench.models.weights import load_state, save_half
    from sodbench.results.provenance import environment
    from sodbench.training.cache import read_pair
    from sodbench.training.distributed import Process
    from sodbench.training.recipe import load_recipe, parse_overrides
    from sodbench.training.trainer import Options, train
    from sodbench.training.watching import FileWatcher, last_losses

    if args.workers < 0 or args.skip_bad < 0:
        raise InputError("--workers and --skip-bad take 0 or more")
    baseline = load_baseline(args.baseline)
    overrides = parse_overrides(args.set)
    if args.dataset:
        overrides["dataset"] = args.dataset
    recipe = load_recipe(baseline.training, overrides, str(baseline.path or args.baseline))
    sets = [open_dataset(name, args.data_root) for name in recipe.dataset]
    samples = [sample for dataset in sets for sample in dataset.samples]
    validation = [open_dataset(name, args.data_root) for name in recipe.validate_on]
    out = args.out or Path("training") / baseline.name.replace("/", "_").replace(":", "_")

    def watch(process: Process) -> FileWatcher:
        spread = samples[:: max(1, len(samples) // 6)][:6]
        fixed = [read_pair(sample) for sample in spread] if recipe.samples_every else []
        return FileWatcher(
            baseline,
            recipe,
            out,
            process.device,
            validation,
            fixed,
            tensorboard=args.tensorboard,
            quiet=args.quiet,
        )

    started = time.time()
    options = Options(
        out, args.resume, args.device, args.workers, args.cache, args.deterministic, args.skip_bad, args.quiet
    )
    outcome = train(baseline, recipe, samples, options, watch)
    if not outcome.first:
        return 0
    # the small file that can be shipped: the best weights in half precision
    weights = out / "weights.pth"
    save_half(load_state(out / "best.pt"), weights)
    digest = sha256_of(weights)
    record = {
        "baseline": args.baseline,
        "recipe": recipe.as_dict(),
        "datasets": {
            d.name: {"samples": len(d.samples), "expected": d.expected, "digest": d.digest()} for d in sets
        },
        "initialisation": outcome.initialisation,
        "iterations": outcome.iterations,
        "seconds": outcome.seconds,
        "processes": outcome.processes,
        "best": outcome.best,
        "losses": last_losses(out),
        "skipped": list(outcome.skipped),
        "weights": {"file": weights.name, "sha256": digest},
        "threads": torch.get_num_threads(),
        "provenance": environment(started) | {"seed": recipe.seed},
    }
    write_text(out / "training.json", json.dumps(record, indent=1) + "\n")
    if args.json:
        print(json.dumps(record))
    else:
        print(f"{weights}  (sha256 {digest[:16]}..., step {int(outcome.best['iteration'])})")
    return 0
