"""`sodbench score`: scores saliency maps that were made elsewhere: of one method, or a tree of many."""

import argparse
from pathlib import Path
from typing import Any

from sodbench.arguments import RESIZE_FILTERS
from sodbench.cli import options
from sodbench.cli.output import print_runs, print_tree
from sodbench.errors import InputError


def register(subparsers: Any) -> None:
    """Adds the command to the parser."""
    parser = subparsers.add_parser(
        "score",
        help="score and record maps that were made elsewhere",
        description="Score a folder of saliency maps against a data set's masks and record the run; with\n"
        "--layout, all folders of a tree: one run per method and data set. Maps are 8-bit images, or\n"
        "values in 0..1 in .npy or TIFF files. Exit code 1: some folders of a tree could not be scored.",
        epilog="example: sodbench score maps/DSS --dataset sod --name DSS --protocols pysodmetrics sal-eval\n"
        "         sodbench score maps --masks my/masks --name mine\n"
        '         sodbench score maps --layout "{method}/{dataset}" --pattern "{name}_sal.png"',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "maps",
        type=Path,
        help="folder of saliency maps, named like the images; with --layout, the root of a tree of them",
    )
    parser.add_argument(
        "--layout",
        metavar="PATH",
        help='path of a folder of maps in the tree, for example "{method}/{dataset}" or'
        ' "maps-{method}/{dataset}_test"',
    )
    parser.add_argument(
        "--pattern",
        metavar="TEXT",
        help="which part of a map's file name is the image's name, for example {name}_sal.png (all of it,"
        " without the extension)",
    )
    parser.add_argument(
        "--resize",
        choices=RESIZE_FILTERS,
        help="resize maps whose size differs from their mask's, if the protocol would refuse them; recorded",
    )
    options.add_dataset(parser)
    parser.add_argument("--masks", type=Path, metavar="DIR", help="folder of masks of an ad-hoc data set")
    parser.add_argument(
        "--images", type=Path, metavar="DIR", help="folder of its images, for the report's gallery"
    )
    parser.add_argument("--name", help="name of the method (the folder's name)")
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
    how = {
        "dataset": args.dataset,
        "masks": args.masks,
        "images": args.images,
        "allow_missing": args.allow_missing,
        "allow_constant": args.allow_constant,
        "protocols": args.protocols,
        "metrics": args.metrics,
        "workers": args.scoring_workers,
        "image_curves": args.image_curves,
        "self_check": args.self_check,
        "data_root": args.data_root,
        "reports": args.reports,
        "replace": args.replace,
        "shard": args.shard,
        "pattern": args.pattern,
        "resize": args.resize,
        "progress": not args.quiet,
    }
    if args.layout is not None:
        return _score_tree(args, how)
    from sodbench.map_scoring import score_maps

    recorded = score_maps(args.maps, name=args.name, **how)
    print_runs([recorded], args.json, args.shard)
    return 0


def _score_tree(args: argparse.Namespace, how: dict[str, Any]) -> int:
    """Scores all folders of a tree; 1 where some of them could not be scored."""
    from sodbench.tree_scoring import score_tree

    if args.name is not None:
        raise InputError(f"--name {args.name}: the folders of a tree name the methods; leave --name out")
    scores = score_tree(args.maps, args.layout, **how)
    print_tree(scores, args.json, args.shard)
    return 1 if scores.failed else 0
