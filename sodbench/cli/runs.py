"""`sodbench runs`: lists, shows, removes and renames recorded runs."""

import argparse
from typing import TYPE_CHECKING, Any

from sodbench.cli import options
from sodbench.json_text import to_json
from sodbench.paths import user_path

if TYPE_CHECKING:
    from sodbench.results.run import Run


def register(subparsers: Any) -> None:
    """Adds the command and its four sub-commands to the parser."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = subparsers.add_parser(
        "runs",
        help="list, show, remove and rename recorded runs",
        description="List, show, remove and rename recorded runs.",
        epilog="example: sodbench runs list --datasets sod\n"
        "         sodbench runs show DSS --dataset sod\n"
        "         sodbench runs mv DSS 'DSS (2017)'",
        formatter_class=raw,
    )
    commands = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def action(name: str, text: str, description: str, example: str) -> argparse.ArgumentParser:
        sub_parser: argparse.ArgumentParser = commands.add_parser(
            name,
            help=text,
            description=description,
            epilog=f"example: sodbench runs {example}",
            formatter_class=raw,
        )
        options.add_reports(sub_parser)
        options.add_json(sub_parser)
        return sub_parser

    text = "one line per recorded run"
    listing = action(
        "list",
        text,
        "Print one line per recorded run: images, protocols, scores under the first of them, date and size.",
        "list --methods DSS PiCANet --datasets sod",
    )
    options.add_methods(listing)
    options.add_datasets(listing, "only these data sets")
    listing.set_defaults(run=run_list)

    show = action(
        "show",
        "provenance, scores and files of a run, and what it depends on",
        "Print the provenance, scores and files of the runs of a method, and what their scores depend on.",
        "show DSS --dataset sod",
    )
    show.add_argument("name", metavar="NAME", help="a recorded method")
    options.add_dataset(show, "only the run on this data set")
    show.set_defaults(run=run_show)

    remove = action(
        "rm",
        "remove the runs of methods",
        "Remove the records of methods without asking for confirmation, and print what was removed. Names are"
        " matched exactly; wildcards are not expanded. Maps stay.",
        "rm DSS --dataset sod",
    )
    remove.add_argument("names", nargs="+", metavar="NAME", help="recorded methods")
    options.add_dataset(remove, "only the runs on this data set")
    remove.add_argument(
        "--with",
        dest="also",
        nargs="+",
        metavar="KIND",
        default=[],
        help="remove these as well: shards, stress, speed, thumbnails",
    )
    remove.set_defaults(run=run_remove)

    rename = action(
        "mv",
        "rename the runs of a method",
        "Rename the runs of a method. Maps, shards, stress studies and speeds keep the old name.",
        "mv DSS 'DSS (2017)'",
    )
    rename.add_argument("old", metavar="OLD", help="a recorded method")
    rename.add_argument("new", metavar="NEW", help="its new name; no recorded run may have it")
    rename.set_defaults(run=run_rename)


def run_list(args: argparse.Namespace) -> int:
    """Prints the runs."""
    from sodbench.cli.report import recorded_runs
    from sodbench.reporting.run_details import summary, summary_lines
    from sodbench.reporting.selection import Selection, select_runs

    chosen = Selection(methods=args.methods, datasets=args.datasets)
    runs = select_runs(recorded_runs(args.reports), chosen)
    if args.json:
        print(to_json({"runs": [summary(run) for run in runs]}))
    else:
        print("\n".join(summary_lines(runs)))
    return 0


def run_show(args: argparse.Namespace) -> int:
    """Prints one run in full, or those on all data sets."""
    from sodbench.reporting.run_details import detail_lines, details

    runs = _chosen(args)
    if args.json:
        print(to_json({"runs": [details(run) for run in runs]}))
    else:
        print("\n\n".join("\n".join(detail_lines(run)) for run in runs))
    return 0


def run_remove(args: argparse.Namespace) -> int:
    """Removes runs and prints what was removed and what is left of them."""
    from sodbench.results.removing import remove_runs

    removal = remove_runs(args.names, args.dataset, reports=args.reports, also=args.also)
    if args.json:
        print(to_json(removal.as_dict()))
    else:
        print(removal)
    return 0


def run_rename(args: argparse.Namespace) -> int:
    """Renames runs and prints where they are, and what keeps the former name."""
    from sodbench.reporting.run_details import folder_of, summary
    from sodbench.results.beside import beside
    from sodbench.results.renaming import rename_runs

    runs = rename_runs(args.old, args.new, reports=args.reports)
    left = beside(user_path(args.reports), args.old)
    if args.json:
        kept = [{"kind": one.kind, "path": one.path} for one in left]
        print(to_json({"runs": [summary(run) for run in runs], "left": kept}))
        return 0
    for run in runs:
        print(f"renamed {args.old} on {run.dataset} to {run.name}: {folder_of(run)}")
    for one in left:
        print(f"left    {one.path}: {one.kind}")
    return 0


def _chosen(args: argparse.Namespace) -> "list[Run]":
    """The runs of a method that can be read; InputError says what is wrong with one that cannot."""
    from sodbench.results.loading import read_sound_run
    from sodbench.results.removing import records_of

    reports = user_path(args.reports)
    records = records_of(reports, args.name, args.dataset)
    return [read_sound_run(one.folder, one.name, one.dataset, reports) for one in records]
