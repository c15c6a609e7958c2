"""`sodbench compare`: paired tests and confidence intervals between methods."""

import argparse
from typing import TYPE_CHECKING, Any

from sodbench.arguments import IMAGES, LEVEL, RESAMPLES, SEED
from sodbench.cli import options
from sodbench.cli.output import say
from sodbench.errors import InputError, unknown_names

if TYPE_CHECKING:
    from sodbench.results.run import Run


def register(subparsers: Any) -> None:
    """Adds the command to the command line."""
    parser = subparsers.add_parser(
        "compare",
        help="paired tests and confidence intervals between methods",
        description="Compare methods on the same images: bootstrap intervals, paired permutation tests with"
        " Holm's correction, wins and losses, and the images that differ most.",
        epilog="example: sodbench compare DSS PiCANet --datasets sod --metrics MAE maxF S",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("methods", nargs="+", metavar="METHOD", help="two or more recorded methods")
    options.add_datasets(parser, "data sets (all that the methods have in common)")
    options.add_former(parser, "--dataset", "--datasets", nargs="+")
    options.add_metrics(parser, "scores to compare (all)")
    parser.add_argument("--protocol", default="pysodmetrics", metavar="NAME", help="protocol (pysodmetrics)")
    parser.add_argument(
        "--resamples",
        action=options.Bounded,
        kind=RESAMPLES,
        default=5000,
        metavar="N",
        help="bootstrap and permutation resamples (5000)",
    )
    parser.add_argument(
        "--level", action=options.Bounded, kind=LEVEL, default=0.95, help="confidence level (0.95)"
    )
    parser.add_argument(
        "--seed", action=options.Bounded, kind=SEED, default=0, help="seed of the resampling (0)"
    )
    parser.add_argument(
        "--most-different",
        action=options.Bounded,
        kind=IMAGES,
        default=5,
        metavar="N",
        help="number of most different images to list (5)",
    )
    options.add_former(parser, "--images", "--most-different", kind=IMAGES)
    parser.add_argument(
        "--by", metavar="METRIC", help="per-image score that ranks these images (S, else the first available)"
    )
    options.add_reports(parser)
    options.add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compares and prints."""
    from sodbench.cli.report import recorded_runs
    from sodbench.json_text import to_json
    from sodbench.reporting.comparison import compare

    if len(set(args.methods)) < 2:
        raise InputError(f"nothing to compare {args.methods[0]!r} with; name two methods or more")
    recorded = recorded_runs(args.reports)
    datasets = list(dict.fromkeys(args.datasets or _shared(recorded, args.methods)))
    first, second, *others = [run for dataset in datasets for run in _chosen(recorded, args.methods, dataset)]
    comparison = compare(
        first,
        second,
        *others,
        protocol=args.protocol,
        metrics=args.metrics,
        resamples=args.resamples,
        level=args.level,
        seed=args.seed,
        images=args.most_different,
        by=args.by,
    )
    for note in comparison.notes:
        say("note", note)
    print(to_json(comparison.as_json()) if args.json else comparison)
    return 0


def _shared(runs: "list[Run]", methods: list[str]) -> list[str]:
    """The data sets on which all of the methods have a run; InputError where there is none."""
    known = {run.name for run in runs}
    unknown = [name for name in methods if name not in known]
    if unknown:
        raise unknown_names("method", unknown, known)
    of_method = [{run.dataset for run in runs if run.name == name} for name in methods]
    shared = set.intersection(*of_method)
    if not shared:
        raise InputError(f"{', '.join(methods)} have no data set in common; name one with --datasets")
    return sorted(shared)


def _chosen(runs: "list[Run]", methods: list[str], dataset: str) -> "list[Run]":
    """The runs of the methods on one data set, in the order asked for."""
    known = {run.dataset for run in runs}
    if dataset not in known:
        raise unknown_names("data set", [dataset], known)
    of_set = {run.name: run for run in runs if run.dataset == dataset}
    unknown = [name for name in methods if name not in of_set]
    if unknown:
        raise unknown_names(f"method on {dataset}", unknown, of_set)
    return [of_set[name] for name in dict.fromkeys(methods)]
