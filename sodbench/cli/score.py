"""`sodbench score`: scores saliency maps that were made elsewhere."""

import argparse
from pathlib import Path
from typing import Any

from sodbench.cli import options
from sodbench.cli.output import print_runs, print_shards


def register(subparsers: Any) -> None:
    """Adds the command to the parser."""
    parser = subparsers.add_parser(
        "score",
        help="score and record maps that were made elsewhere",
        description="Score a folder of saliency maps against a data set's masks and record the run.",
        epilog="example: sodbench score maps/DSS --dataset sod --name DSS --protocols pysodmetrics sal-eval\n"
        "         sodbench score maps --masks my/masks --name mine",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("maps", type=Path, help="folder of saliency maps, named like the images")
    options.add_dataset(parser)
    parser.add_argument("--masks", type=Path, metavar="DIR", help="folder of masks of an ad-hoc data set")
    parser.add_argument(
        "--images", type=Path, metavar="DIR", help="folder of its images, for the report's gallery"
    )
    parser.add_argument("--name", help="name of the method (that of the folder)")
    parser.add_argument(
        "--allow-missing", action="store_true", help="score only the maps that exist; tables then show n/N"
    )
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
    """Scores the maps, records the run and prints the scores."""
    from sodbench.evaluation import score_maps

    recorded = score_maps(
        args.maps,
        args.dataset,
        masks=args.masks,
        images=args.images,
        name=args.name,
        allow_missing=args.allow_missing,
        allow_constant=args.allow_constant,
        protocols=args.protocols,
        metrics=args.metrics,
        workers=args.scoring_workers,
        image_curves=args.image_curves,
        self_check=args.self_check,
        data_root=args.data_root,
        reports=args.reports,
        replace=args.replace,
        shard=args.shard,
        progress=not args.quiet,
    )
    if args.shard is not None:
        print_shards([recorded], args.shard, args.json)
    else:
        print_runs([recorded], args.json)
    return 0
