"""`sodbench run`: predicts, scores and records a baseline on data sets - the main job."""

import argparse
from pathlib import Path
from typing import Any

from sodbench.cli.scored import add_scoring_options
from sodbench.errors import InputError


def register(subparsers: Any) -> None:
    """Adds the command to the parser."""
    parser = subparsers.add_parser(
        "run",
        help="predict, score and record a baseline: the main job",
        description="Predict saliency maps for data sets, score them under a named protocol, record the run.",
        epilog="example: sodbench run basnet --datasets duts-te ecssd\n"
        "         sodbench run mypkg.nets:create --weights w.pth --datasets sod",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("baseline", help="a baseline's name (sodbench baselines list), or module:callable")
    parser.add_argument(
        "--datasets", nargs="+", required=True, metavar="NAME", help="data sets (sodbench datasets list)"
    )
    parser.add_argument("--weights", type=Path, metavar="FILE", help="weights, instead of the baseline's own")
    parser.add_argument("--name", help="name of the run (the baseline's)")
    parser.add_argument(
        "--maps", type=Path, metavar="DIR", help="where maps go (maps/<name>), a folder a data set"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N pictures of each data set")
    parser.add_argument(
        "--batch", type=int, metavar="N", help="pictures a pass through the network (4; 16 on a GPU)"
    )
    parser.add_argument("--device", help="cpu, cuda, cuda:1 (a GPU if there is one)")
    parser.add_argument(
        "--precision", choices=("fp32", "bf16", "fp16"), help="arithmetic (the baseline's choice)"
    )
    add_scoring_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Checks everything first, then goes through the data sets one by one."""
    import time

    from sodbench.cli.scored import check_scoring_options, print_results, score_and_record
    from sodbench.data.card import load_cards
    from sodbench.data.folder import open_dataset
    from sodbench.models import choose_device, load_baseline
    from sodbench.prediction import default_batch, predict_samples

    for option in ("limit", "batch"):
        if getattr(args, option) is not None and getattr(args, option) < 1:
            raise InputError(f"--{option} is {getattr(args, option)}, expected 1 or more")
    baseline = load_baseline(args.baseline)
    cards = list({card.name: card for card in load_cards(args.datasets)}.values())
    check_scoring_options(args)
    sets = [open_dataset(card.name, args.data_root) for card in cards]
    device = choose_device(args.device)
    batch = args.batch or default_batch(device)
    loaded = baseline.load(args.weights, device)
    name = args.name or baseline.name
    folder = args.maps or Path("maps") / name.replace("/", "_").replace(":", "_")

    runs = []
    for dataset in sets:
        started = time.time()
        samples = dataset.samples[: args.limit] if args.limit else dataset.samples
        maps = folder / dataset.name
        progress = None if args.quiet else f"predict {dataset.name}"
        pairs = predict_samples(
            loaded.network,
            baseline,
            samples,
            maps,
            batch=batch,
            device=device,
            precision=args.precision,
            progress=progress,
        )
        extra = {
            "baseline": args.baseline,
            "weights": str(loaded.weights_path) if loaded.weights_path else None,
            "precision": args.precision,
            "batch": batch,
            "limit": args.limit,
            "inference_device": device,
        }
        digest = loaded.weights_sha256
        runs.append(score_and_record(args, name, dataset, pairs, maps, started, digest, extra))
    print_results(runs, args.json)
    return 0
