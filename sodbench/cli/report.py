"""`sodbench report`: tables and figures from the recorded runs."""

import argparse
import sys
from pathlib import Path

from sodbench.errors import InputError

FORMATS = ("markdown",)


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the command line."""
    parser = subparsers.add_parser(
        "report",
        help="tables and figures from the recorded runs",
        description="Writes the leaderboard and its figures from the recorded runs into the reports folder.",
        epilog="example: sodbench report --format markdown --datasets ecssd sod --metrics MAE maxF S",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--format", nargs="+", choices=FORMATS, default=["markdown"], help="what to write")
    parser.add_argument(
        "--reports", type=Path, default=Path("reports"), metavar="DIR", help="where the runs are"
    )
    parser.add_argument("--methods", nargs="+", metavar="NAME", help="only these methods")
    parser.add_argument("--datasets", nargs="+", metavar="NAME", help="only these data sets")
    parser.add_argument(
        "--metrics", nargs="+", metavar="NAME", help="only these metrics, e.g. MAE maxF@basnet2019"
    )
    parser.add_argument("--protocols", nargs="+", metavar="NAME", help="protocols to show side by side")
    parser.add_argument("--precision", type=int, default=3, metavar="DIGITS", help="digits after the point")
    parser.add_argument(
        "--sort", metavar="METRIC", help="order of the rows: a metric or 'name' (default maxF)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Writes the asked formats; prints the path of each file."""
    from sodbench.report.curves import pr_figure
    from sodbench.report.frame import Selection, build, metric_columns, select
    from sodbench.report.labels import split_name
    from sodbench.report.leaderboard import write_markdown
    from sodbench.results.load import read_records

    if not 1 <= args.precision <= 10:
        raise InputError(f"--precision is {args.precision}; expected 1 to 10 digits")
    records = read_records(args.reports)
    for problem in records.problems:
        print(f"sodbench: note: {problem}", file=sys.stderr)
    if not records.runs:
        raise InputError(
            f"no runs in {args.reports / 'runs'}; make one with 'sodbench run' or 'sodbench score',"
            " or name another folder with --reports"
        )
    selection = Selection(
        args.methods, args.datasets, args.metrics, args.protocols, args.precision, args.sort
    )
    frame = build(records.runs, selection)
    protocols = list(dict.fromkeys(split_name(full)[1] for full in metric_columns(frame)))
    chosen = select(records.runs, selection)
    written: list[Path] = []
    figures: dict[str, str] = {}
    for dataset in dict.fromkeys(frame["dataset"]):
        of_dataset = [r for r in chosen if r.dataset == dataset]
        for protocol in protocols[:1]:
            files = pr_figure(of_dataset, protocol, args.reports / "figures")
            written += files
            if files:
                figures[dataset] = files[0].relative_to(args.reports).as_posix()
    written.append(write_markdown(args.reports, frame, args.precision, figures))
    for path in written:
        print(path)
    return 0
