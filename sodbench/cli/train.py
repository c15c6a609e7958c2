"""`sodbench train`: trains a baseline by its recipe."""

import argparse
from pathlib import Path
from typing import Any

from sodbench.arguments import IMAGES, LOADERS
from sodbench.cli import options
from sodbench.json_text import to_json


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
    options.add_baseline(parser)
    options.add_datasets(parser, "training sets instead of the recipe's")
    options.add_former(parser, "--dataset", "--datasets", nargs="+")
    options.add_data_root(parser)
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="training.KEY=VALUE",
        help="override one key of the recipe; may be repeated",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for all files (training/<baseline>)")
    parser.add_argument("--resume", action="store_true", help="continue from last.pt in --out, if it exists")
    options.add_device(parser)
    parser.add_argument(
        "--workers",
        action=options.Bounded,
        kind=LOADERS,
        default=1,
        metavar="N",
        help="loader processes; 0: load in the main process (1)",
    )
    parser.add_argument("--cache", action="store_true", help="decode every image once, into a cache file")
    parser.add_argument(
        "--deterministic", action="store_true", help="bit-identical results on a GPU, with slower kernels"
    )
    parser.add_argument(
        "--skip-bad",
        action=options.Bounded,
        kind=IMAGES,
        default=0,
        metavar="N",
        help="tolerate up to N samples that cannot be read",
    )
    parser.add_argument("--tensorboard", action="store_true", help="also write TensorBoard events")
    options.add_quiet(parser)
    options.add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Trains and prints where the weights are; under torchrun the first process prints."""
    from sodbench.training.distributed import is_first
    from sodbench.training.job import train
    from sodbench.training.recipe import parse_overrides

    training = train(
        args.baseline,
        datasets=args.datasets,
        data_root=args.data_root,
        settings=parse_overrides(args.set),
        out=args.out,
        resume=args.resume,
        device=args.device,
        workers=args.workers,
        cache=args.cache,
        deterministic=args.deterministic,
        skip_bad=args.skip_bad,
        tensorboard=args.tensorboard,
        progress=not args.quiet,
    )
    if is_first() and args.json:
        print(to_json(training.record))
    elif is_first():
        digest, step = training.record["weights"]["sha256"], training.record["best"]["iteration"]
        print(f"{training.weights}  (sha256 {digest[:16]}..., step {int(step)})")
    return 0
