"""`sodbench report`: tables, figures and the page from the recorded runs."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodbench.arguments import DIGITS, SPAN
from sodbench.cli import options
from sodbench.cli.output import say
from sodbench.errors import InputError

if TYPE_CHECKING:
    from sodbench.results.run import Run

FORMATS = ("markdown", "html", "latex", "csv", "json")
LAYOUTS = ("long", "wide")
GROUP_BY = ("origin", "year", "none")
FIGURES = ("pr", "f", "e", "reliability", "distribution", "size", "speed", "ranks", "attributes")


def register(subparsers: Any) -> None:
    """Adds the command to the command line."""
    parser = subparsers.add_parser(
        "report",
        help="write tables, figures and the HTML page from the recorded runs",
        description="Write the leaderboard and its figures, from the runs in the reports folder, into it.",
        epilog="example: sodbench report --formats markdown latex --datasets ecssd sod --metrics MAE maxF S\n"
        "         sodbench report --attributes --datasets sod --formats markdown html\n"
        "         sodbench report --protocols basnet2019 --published --rescore\n"
        "         sodbench report --layout wide --formats latex --average --group-by year --ours mine",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--formats",
        "--format",
        nargs="+",
        choices=FORMATS,
        default=["markdown"],
        help="formats to write (markdown)",
    )
    options.add_reports(parser)
    options.add_table(parser)
    options.add_former(parser, "--precision", "--digits", kind=DIGITS)
    parser.add_argument(
        "--rescore",
        action="store_true",
        help="first score the recorded maps under those protocols that their runs lack; the records then"
        " hold all of them",
    )
    options.add_attributes(
        parser,
        "also write the scores by attribute of the images (size, shape, contrast, lists on the data set's"
        " card), with intervals",
    )
    parser.add_argument(
        "--figures", nargs="*", choices=FIGURES, help="figures to draw (all; with --layout wide none)"
    )
    add_layout(
        parser, "one table per data set, or data sets side by side in table.md, .tex, .html and .csv (long)"
    )
    scoring = parser.add_argument_group("with --rescore")
    options.add_data_root(scoring)
    options.add_scoring_workers(scoring)
    options.add_quiet(scoring)
    parser.set_defaults(run=run)


def add_layout(parser: argparse.ArgumentParser, text: str) -> None:
    """Adds --layout, described by `text`, and the options of the wide layout."""
    wide = parser.add_argument_group("the table of a paper")
    wide.add_argument(
        "--layout",
        choices=LAYOUTS,
        default="long",
        help=text,
    )
    wide.add_argument(
        "--average",
        action="store_true",
        help="means and average ranks over data sets where all methods are scored",
    )
    wide.add_argument(
        "--group-by",
        choices=GROUP_BY,
        help="headings of the rows: measured and published, years, none (origin)",
    )
    wide.add_argument(
        "--ours", nargs="+", metavar="NAME", default=[], help="methods to list last, under the heading Ours"
    )
    wide.add_argument(
        "--span",
        action=options.Bounded,
        kind=SPAN,
        metavar="N",
        help="columns of a two-column paper that the LaTeX table spans, 1 or 2 (1 if it fits, else 2)",
    )


def run(args: argparse.Namespace) -> int:
    """Writes the report; prints the path of each document, and notes on stderr."""
    from sodbench.reporting.write import report

    written = report(
        recorded_runs(args.reports),
        args.reports,
        formats=args.formats,
        **options.table_arguments(args),
        rescore=args.rescore,
        attributes=args.attributes,
        figures=args.figures,
        data_root=args.data_root,
        workers=args.scoring_workers,
        progress=not args.quiet,
        layout=args.layout,
        average=args.average,
        group_by=args.group_by,
        ours=args.ours,
        span=args.span,
    )
    for note in written.notes:
        say("note", note)
    print(written)
    return 0


def recorded_runs(reports: Path) -> "list[Run]":
    """The runs under `reports`; names damaged ones on stderr. InputError where there are none."""
    from sodbench.results.loading import read_records
    from sodbench.results.shard_records import merge_hint

    records = read_records(reports)
    for problem in records.problems:
        say("note", problem)
    if records.problems and not records.runs:
        raise InputError(f"none of the records in {reports / 'runs'} can be used; see the notes above")
    if not records.runs:
        raise InputError(
            f"no runs in {reports / 'runs'}; make one with 'sodbench run' or 'sodbench score',"
            f" or name another folder with --reports{merge_hint(reports)}"
        )
    return records.runs
