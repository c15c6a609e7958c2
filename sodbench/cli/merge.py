"""`sodbench merge`: joins the shards of runs, scored by several processes, to records."""

import argparse
from pathlib import Path
from typing import Any

from sodbench.cli import options
from sodbench.cli.output import print_runs


def register(subparsers: Any) -> None:
    """Adds the command to the parser."""
    parser = subparsers.add_parser(
        "merge",
        help="join the shards of runs (--shard of run and score) into records",
        description="Join the shards that 'sodbench run --shard' and 'sodbench score --shard' recorded. The"
        " record of each run is the one that a single process would have written.",
        epilog="example: sodbench merge reports --reports reports\n"
        "         sodbench merge node1/reports node2/reports --reports reports",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "folders", nargs="+", type=Path, metavar="REPORTS", help="reports folders that hold the shards"
    )
    options.add_allow_constant(parser)
    options.add_reports(parser)
    options.add_replace(parser)
    options.add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Merges the shards, records the runs and prints the scores."""
    from sodbench.merging import merge

    runs = merge(args.folders, args.reports, replace=args.replace, allow_constant=args.allow_constant)
    print_runs(runs, args.json)
    return 0
