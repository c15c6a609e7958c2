"""`sodbench check`: exit 1 when a metric drifted from the committed reference."""

import argparse
import dataclasses
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodbench.arguments import NOT_NEGATIVE
from sodbench.cli import options
from sodbench.errors import InputError

if TYPE_CHECKING:
    from sodbench.results.drift import Drift
    from sodbench.results.reference import Reference
    from sodbench.results.run import Run


def register(subparsers: Any) -> None:
    """Adds the command to the command line."""
    parser = subparsers.add_parser(
        "check",
        help="compare the recorded runs with a committed reference",
        description="Compare the recorded runs with a committed reference; exit code 1 if a metric drifted,"
        " with a table of what drifted and the likely causes.",
        epilog="example: sodbench check --against reports/reference.json --junit drift.xml\n"
        "         sodbench check --against reports/reference.json --update",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--against",
        type=Path,
        default=Path("reports/reference.json"),
        metavar="FILE",
        help="the reference (reports/reference.json)",
    )
    options.add_reports(parser)
    options.add_methods(parser)
    options.add_datasets(parser, "only these data sets")
    parser.add_argument("--exact", action="store_true", help="set all tolerances to 0")
    parser.add_argument(
        "--tolerances",
        nargs="+",
        default=[],
        metavar="METRIC=VALUE",
        help="tolerances instead of the reference's: MAE=1e-4, maxF@basnet2019=1e-3, or a number for all",
    )
    options.add_former(parser, "--tolerance", "--tolerances", nargs="+")
    parser.add_argument("--strict", action="store_true", help="fail the check on new runs and metrics, too")
    parser.add_argument(
        "--update", action="store_true", help="accept the runs: write their scores into the reference"
    )
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write JUnit XML")
    parser.add_argument("--summary", type=Path, metavar="FILE", help="append a markdown summary to this file")
    parser.add_argument(
        "--github", action="store_true", help="print GitHub annotations (automatic in GitHub Actions)"
    )
    options.add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compares, prints, and returns 1 where something drifted."""
    from sodbench.cli.report import recorded_runs
    from sodbench.files import write_text
    from sodbench.json_text import to_json
    from sodbench.reporting import drift_formats
    from sodbench.results.drift import check

    reference = _reference(args)
    for option, path in (("--junit", args.junit), ("--summary", args.summary)):
        if path is not None and path.exists() and args.against.exists() and path.samefile(args.against):
            raise InputError(f"{option} {path}: is the reference; name another file")
    runs = recorded_runs(args.reports)
    _check_names(args, runs, reference)
    chosen = [one for one in runs if _wanted(args, one.name, one.dataset)]
    if args.update:
        return _update(args, chosen, reference)
    entries = tuple(entry for entry in reference.entries if _wanted(args, entry.name, entry.dataset))
    if not entries:
        raise InputError(
            f"{args.against}: no entry for these runs, so there is nothing to compare; check their scores"
            " and add them with --update"
        )
    drift = check(dataclasses.replace(reference, entries=entries), chosen, args.exact)
    failed = drift.failed(args.strict)
    against = args.against.as_posix()
    if args.json:
        print(to_json(_as_json(drift, failed)))
    else:
        print(drift_formats.text(drift, against, args.strict))
    if args.github or os.environ.get("GITHUB_ACTIONS") == "true":
        # annotations are read from stdout; with --json that holds the object and nothing else
        stream = sys.stderr if args.json else sys.stdout
        for line in drift_formats.annotations(drift, against, args.strict):
            print(line, file=stream)
    if args.junit:
        write_text(args.junit, drift_formats.junit(drift, args.strict))
    summary = args.summary or os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        path = Path(summary)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(drift_formats.markdown(drift, against, args.strict) + "\n")
    return 1 if failed else 0


def _reference(args: argparse.Namespace) -> "Reference":
    """The reference with the tolerances of the command line; an empty one where --update makes the first."""
    from sodbench.results.reference import Reference, read_reference

    fresh = args.update and not args.against.exists()
    reference = Reference() if fresh else read_reference(args.against)
    return dataclasses.replace(reference, tolerances={**reference.tolerances, **_tolerances(args.tolerances)})


def _check_names(args: argparse.Namespace, runs: "list[Run]", reference: "Reference") -> None:
    """InputError for methods, data sets and metrics that neither the runs nor the reference have."""
    from sodbench.errors import unknown_names

    full = {name for one in runs for name in one.values()}
    full |= {name for entry in reference.entries for name in entry.values}
    for kind, asked, known in (
        ("method", args.methods, {r.name for r in runs} | {e.name for e in reference.entries}),
        ("data set", args.datasets, {r.dataset for r in runs} | {e.dataset for e in reference.entries}),
        (
            "metric",
            _tolerances(args.tolerances),
            full | {name.partition("@")[0] for name in full} | {"default"},
        ),
    ):
        unknown = [name for name in asked or [] if name not in known]
        if unknown:
            raise unknown_names(kind, unknown, known)


def _wanted(args: argparse.Namespace, name: str, dataset: str) -> bool:
    return (not args.methods or name in args.methods) and (not args.datasets or dataset in args.datasets)


def _tolerances(options: list[str]) -> dict[str, float]:
    """`MAE=1e-4` or a number for all metrics; InputError for anything else."""
    tolerances = {}
    for option in options:
        metric, _, value = option.rpartition("=")
        number = NOT_NEGATIVE.read(value)
        if number is None or NOT_NEGATIVE.problem(number):
            raise InputError(
                f"--tolerances {option!r}: expected METRIC=VALUE or VALUE, 0 or more and finite, such as"
                " MAE=1e-4"
            )
        tolerances[metric or "default"] = number
    return tolerances


def _update(args: argparse.Namespace, runs: "list[Run]", reference: "Reference") -> int:
    """Rewrites the reference; entries outside the selection stay as they are."""
    from sodbench.results.reference import updated, write_reference

    new = updated(reference, runs, keep_missing=bool(args.methods or args.datasets))
    write_reference(args.against, new)
    dropped = {entry.key for entry in reference.entries} - {entry.key for entry in new.entries}
    counts = f"{len(runs)} updated, {len(dropped)} removed, {len(new.entries)} in all"
    print(f"{args.against}: entries: {counts}")
    return 0


def _as_json(drift: "Drift", failed: bool) -> dict[str, object]:
    """The object that `--json` prints."""
    causes = [
        {"name": name, "dataset": dataset, "causes": causes}
        for (name, dataset), causes in drift.causes.items()
    ]
    return {"failed": failed, "compared": drift.compared, "findings": drift.findings, "causes": causes}
