"""`sodbench publish`: recorded runs as a folder for any static host, and as a model card."""

import argparse
from pathlib import Path
from typing import Any

from sodbench.arguments import MAX_SIZE
from sodbench.cli import options
from sodbench.cli.output import say
from sodbench.errors import InputError


def register(subparsers: Any) -> None:
    """Adds the command to the command line."""
    from sodbench.cli.report import FIGURES, add_layout

    parser = subparsers.add_parser(
        "publish",
        help="write a folder for any static host: web page, tables, records, licence notes",
        description="Write recorded runs into a new folder that any static host can serve: web page, tables,"
        " figures, the records byte for byte,\nand notes on the terms of the data sets. With --model-card and"
        " without DIR, print the YAML that model hubs read.",
        epilog="example: sodbench publish site --datasets ecssd sod\n"
        "         sodbench publish site --replace --gallery 3 --pictures ecssd\n"
        "         sodbench publish --model-card basnet-tiny",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR", help="a new or empty folder")
    options.add_reports(parser)
    options.add_table(parser)
    parser.add_argument("--figures", nargs="*", choices=FIGURES, help="figures to draw (all)")
    parser.add_argument(
        "--pictures",
        nargs="+",
        default=[],
        metavar="NAME",
        help="show thumbnails of these data sets even though their cards do not allow redistribution",
    )
    parser.add_argument(
        "--max-size",
        default=MAX_SIZE,
        metavar="SIZE",
        help=f"largest total size of the page and its thumbnails ({MAX_SIZE})",
    )
    parser.add_argument(
        "--model-card",
        nargs="+",
        default=[],
        metavar="NAME",
        help="also write the model-index block of these methods, for the README of a model on Hugging Face;"
        " without DIR, print it",
    )
    parser.add_argument(
        "--replace", action="store_true", help="replace a folder that this command wrote before"
    )
    add_layout(
        parser, "wide: also data sets side by side, as in a paper, in table.md, .tex, .html and .csv (long)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Publishes and prints what was written, or prints model cards."""
    from sodbench.cli.report import recorded_runs
    from sodbench.publishing.model_card import model_card
    from sodbench.publishing.page_size import size_in_bytes
    from sodbench.publishing.publish import publish
    from sodbench.reporting.selection import Selection, select_runs

    if args.folder is None:
        if not args.model_card:
            raise InputError("no folder to publish into; name a new one: sodbench publish site")
        chosen = select_runs(recorded_runs(args.reports), Selection(None, args.datasets))
        for name in args.model_card:
            print(model_card(chosen, name, metrics=args.metrics, protocols=args.protocols), end="")
        return 0
    written = publish(
        recorded_runs(args.reports),
        args.folder,
        **options.table_arguments(args),
        figures=args.figures,
        layout=args.layout,
        average=args.average,
        group_by=args.group_by,
        ours=args.ours,
        span=args.span,
        pictures=args.pictures,
        max_size=size_in_bytes(args.max_size, "--max-size"),
        model_cards=args.model_card,
        replace=args.replace,
    )
    for note in written.notes:
        say("note", note)
    print(written)
    return 0
