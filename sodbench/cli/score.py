"""`sodbench score`: scores saliency maps that were made elsewhere."""

import argparse
import sys
from pathlib import Path
from typing import Any

from sodbench.cli.scored import add_scoring_options
from sodbench.errors import InputError


def register(subparsers: Any) -> None:
    """Adds the command to the parser."""
    parser = subparsers.add_parser(
        "score",
        help="score and record maps that were made elsewhere",
        description="Score a folder of saliency maps against a data set's masks and record the run.",
        epilog="example: sodbench score maps/DSS --dataset sod --name DSS --protocol pysodmetrics sal-eval\n"
        "         sodbench score maps --masks my/masks --name mine",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("maps", type=Path, help="folder of saliency maps, named like the pictures")
    parser.add_argument("--dataset", metavar="NAME", help="the data set (sodbench datasets list)")
    parser.add_argument("--masks", type=Path, metavar="DIR", help="folder of masks of an ad-hoc data set")
    parser.add_argument("--images", type=Path, metavar="DIR", help="its pictures, for the report's gallery")
    parser.add_argument("--name", help="name of the method (the folder's)")
    parser.add_argument("--allow-missing", action="store_true", help="score what is there; tables say n/N")
    add_scoring_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Pairs maps with masks, scores them, saves and prints the record."""
    import time

    from sodbench.cli.scored import check_scoring_options, print_results, score_and_record
    from sodbench.data.folder import open_dataset, open_folders, pair_maps

    started = time.time()
    if args.dataset is None and args.masks is None:
        raise InputError("nothing to score against: name a data set with --dataset, or a folder with --masks")
    check_scoring_options(args)
    if not args.maps.is_dir():
        found = "it is a file" if args.maps.exists() else "there is none"
        raise InputError(f"{args.maps}: expected a folder of saliency maps, {found}")
    if args.masks is not None:
        dataset = open_folders(args.dataset or args.masks.resolve().name, args.masks, args.images)
    else:
        dataset = open_dataset(args.dataset, args.data_root)
    pairing = pair_maps(dataset, args.maps, args.allow_missing)
    if note := pairing.note():
        print(f"sodbench: note: {args.maps}: {note}", file=sys.stderr)
    name = args.name or args.maps.resolve().name
    recorded = score_and_record(args, name, dataset, pairing.pairs, args.maps, started)
    print_results([recorded], args.json)
    return 0
