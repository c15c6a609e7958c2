"""`sodbench report`: tables, figures and the page from the recorded runs."""

import argparse
import sys
from pathlib import Path
from typing import Any

from sodbench.errors import InputError

FORMATS = ("markdown", "html", "latex", "csv", "json")
FIGURES = ("pr", "f", "e", "distribution", "size", "speed", "ranks")


def register(subparsers: Any) -> None:
    """Adds the command to the command line."""
    parser = subparsers.add_parser(
        "report",
        help="tables, figures and the page from the recorded runs",
        description="Write the leaderboard and its figures from the recorded runs into the reports folder.",
        epilog="example: sodbench report --format markdown latex --datasets ecssd sod --metrics MAE maxF S\n"
        "         sodbench report --protocols pysodmetrics basnet2019 --published",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--format", nargs="+", choices=FORMATS, default=["markdown"], help="what to write (markdown)"
    )
    parser.add_argument(
        "--reports", type=Path, default=Path("reports"), metavar="DIR", help="where the runs are (reports)"
    )
    parser.add_argument("--methods", nargs="+", metavar="NAME", help="only these methods")
    parser.add_argument("--datasets", nargs="+", metavar="NAME", help="only these data sets")
    parser.add_argument(
        "--metrics", nargs="+", metavar="NAME", help="only these metrics, e.g. MAE maxF@basnet2019"
    )
    parser.add_argument("--protocols", nargs="+", metavar="NAME", help="protocols to show side by side")
    parser.add_argument("--precision", type=int, default=3, metavar="N", help="digits after the point (3)")
    parser.add_argument("--sort", metavar="METRIC", help="order of the rows: a metric, or 'name' (maxF)")
    parser.add_argument(
        "--published",
        nargs="*",
        metavar="SOURCE",
        help="published numbers beside measured ones, of all sources or of these (e.g. basnet2019)",
    )
    parser.add_argument(
        "--intervals", action="store_true", help="95 %% bootstrap intervals behind every measured value"
    )
    parser.add_argument(
        "--seeds", action="store_true", help="join runs named <method>-seed<k>: mean and deviation"
    )
    parser.add_argument(
        "--gallery",
        type=int,
        default=6,
        metavar="N",
        help="worst, best and most disputed images a data set that get thumbnails on the page (6)",
    )
    parser.add_argument(
        "--figures", nargs="*", choices=FIGURES, default=list(FIGURES), help="figures to draw (all)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Writes the asked formats; prints the path of each file."""
    from sodbench.report.beside import with_published
    from sodbench.report.data import write_csv, write_json
    from sodbench.report.figures import draw
    from sodbench.report.frame import Selection, build, select
    from sodbench.report.latex import write_latex
    from sodbench.report.leaderboard import write_markdown
    from sodbench.report.spreads import over_seeds_table, with_intervals

    if not 1 <= args.precision <= 10:
        raise InputError(f"--precision is {args.precision}, expected 1 to 10 digits")
    if args.gallery < 0:
        raise InputError(f"--gallery is {args.gallery}, expected 0 or more")
    runs = recorded_runs(args.reports)
    selection = Selection(
        args.methods, args.datasets, args.metrics, args.protocols, args.precision, args.sort
    )
    measured = build(runs, selection, args.reports)
    for line in measured.left_out:
        print(f"sodbench: note: {line}", file=sys.stderr)
    chosen = select(runs, selection)
    table = with_intervals(measured, chosen) if args.intervals else measured
    if args.seeds:
        joined = over_seeds_table(table, chosen, args.sort)
        if joined is table:
            print("sodbench: note: no two runs named <method>-seed<k> to join", file=sys.stderr)
        table = joined
    if args.published is not None:
        table = with_published(table, chosen, args.published)
    drawn = draw(chosen, measured, args.reports / "figures", args.figures)
    written: list[Path] = []
    if "markdown" in args.format:
        shown = {
            dataset: files[0].relative_to(args.reports).as_posix()
            for dataset, kinds in drawn.items()
            if (files := kinds.get("pr" if dataset else "ranks"))
        }
        written.append(write_markdown(args.reports, table, shown))
    if "latex" in args.format:
        written += write_latex(args.reports, table)
    if "csv" in args.format:
        written.append(write_csv(args.reports, table))
    if "json" in args.format:
        written.append(write_json(args.reports, table))
    if "html" in args.format:
        from sodbench.report.page import write_page

        written.append(write_page(args.reports, table, chosen, drawn, args.gallery))
    for path in written:
        print(path)
    figures = sum(len(files) for kinds in drawn.values() for files in kinds.values())
    if figures:
        print(f"{args.reports / 'figures'}: {figures} files")
    return 0


def recorded_runs(reports: Path) -> list[Any]:
    """The runs under `reports`; notes damaged ones on stderr, InputError where there are none."""
    from sodbench.results.run_files import read_records

    records = read_records(reports)
    for problem in records.problems:
        print(f"sodbench: note: {problem}", file=sys.stderr)
    if not records.runs:
        raise InputError(
            f"no runs in {reports / 'runs'}; make one with 'sodbench run' or 'sodbench score',"
            " or name another folder with --reports"
        )
    return records.runs
