"""`sodbench show`: one image with its map, mask, errors and scores."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodbench.cli import options
from sodbench.errors import InputError

if TYPE_CHECKING:
    from sodbench.results.run import Run


def register(subparsers: Any) -> None:
    """Adds the command to the command line."""
    parser = subparsers.add_parser(
        "show",
        help="one image with its map, mask, errors and scores",
        description="Draw one image of a recorded run with its mask, saliency map, errors and scores.",
        epilog="example: sodbench show DSS 2018 --dataset sod --out 2018.png",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("method", metavar="RUN", help="a recorded method")
    parser.add_argument("image", metavar="IMAGE", help="file name of an image of the data set")
    options.add_dataset(parser, "data set, if the method has runs on several")
    parser.add_argument("--out", type=Path, metavar="FILE", help="the PNG to write (RUN-IMAGE.png)")
    options.add_reports(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Writes the sheet; prints its path and the scores."""
    from sodbench.cli.report import recorded_runs
    from sodbench.names import folder_name
    from sodbench.reporting.image_sheet import recorded_image, scores_of_image, write_sheet

    if args.out is not None and args.out.suffix.lower() != ".png":
        raise InputError(f"--out is {args.out}, expected a name that ends in .png")
    chosen = _chosen(recorded_runs(args.reports), args)
    image = recorded_image(chosen, args.image)
    path = args.out or Path(f"{folder_name(chosen.name)}-{folder_name(image)}.png")
    write_sheet(chosen, image, path)
    print(path)
    for full, value in scores_of_image(chosen, image).items():
        print(f"{full:24} {value:.4f}")
    print(f"{'self-check':24} {chosen.provenance.self_check or 'not recorded'}")
    return 0


def _chosen(runs: "list[Run]", args: argparse.Namespace) -> "Run":
    from sodbench.errors import unknown_names

    of_method = {one.dataset: one for one in runs if one.name == args.method}
    if not of_method:
        raise unknown_names("method", [args.method], {one.name for one in runs})
    if args.dataset is None:
        if len(of_method) > 1:
            raise InputError(
                f"{args.method} has runs on {', '.join(sorted(of_method))}; choose one with --dataset"
            )
        return next(iter(of_method.values()))
    if args.dataset not in of_method:
        raise unknown_names(f"data set of {args.method}", [args.dataset], of_method)
    return of_method[args.dataset]
