"""`sodbench run`: predicts, scores and records a baseline on data sets - the main job."""

import argparse
from pathlib import Path
from typing import Any

from sodbench.arguments import LIMIT
from sodbench.cli import options
from sodbench.cli.output import print_runs
from sodbench.errors import InputError


def register(subparsers: Any) -> None:
    """Adds the command to the parser."""
    parser = subparsers.add_parser(
        "run",
        help="predict, score and record a baseline: the main job",
        description="Predict saliency maps for data sets, score them under named protocols, and record runs.",
        epilog="example: sodbench run basnet --datasets duts-te ecssd\n"
        "         sodbench run mypkg.nets:create --weights w.pth --datasets sod",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_baseline(parser)
    options.add_datasets(parser, "data sets (sodbench datasets list)", required=True)
    options.add_weights(parser)
    parser.add_argument("--name", help="name of the run (that of the baseline)")
    parser.add_argument(
        "--maps",
        type=Path,
        metavar="DIR",
        help="folder of the maps, one folder per data set in it (maps/<name>)",
    )
    options.add_no_maps(parser)
    parser.add_argument(
        "--limit",
        action=options.Bounded,
        kind=LIMIT,
        metavar="N",
        help="only the first N images of each data set",
    )
    options.add_prediction(parser)
    options.add_remote_code(parser)
    options.add_allow_constant(parser)
    options.add_scoring(parser)
    options.add_data_root(parser)
    options.add_reports(parser)
    options.add_replace(parser)
    options.add_shard(parser)
    options.add_quiet(parser)
    options.add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Evaluates the baseline on every data set and prints the scores."""
    from sodbench.evaluation import evaluate_all
    from sodbench.ranks import evaluate_on_ranks, under_torchrun

    options = {
        "weights": args.weights,
        "name": args.name,
        "maps": args.maps,
        "keep_maps": args.keep_maps,
        "limit": args.limit,
        "batch": args.batch,
        "device": args.device,
        "precision": args.precision,
        "trust_remote_code": args.trust_remote_code,
        "allow_constant": args.allow_constant,
        "protocols": args.protocols,
        "metrics": args.metrics,
        "workers": args.scoring_workers,
        "image_curves": args.image_curves,
        "self_check": args.self_check,
        "data_root": args.data_root,
        "reports": args.reports,
        "replace": args.replace,
        "progress": not args.quiet,
    }
    if under_torchrun():
        if args.shard is not None:
            raise InputError("--shard: torchrun shares out the images already; leave it out")
        shared = evaluate_on_ranks(args.baseline, args.datasets, **options)
        if shared is not None:
            print_runs(shared, args.json)
        return 0
    runs = evaluate_all(args.baseline, args.datasets, shard=args.shard, **options)
    print_runs(runs, args.json, args.shard)
    return 0
