"""`sodbench compare`: paired tests and confidence intervals between methods."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodbench.errors import InputError

if TYPE_CHECKING:
    from sodbench.results.comparison import Compared
    from sodbench.results.run import Run


def register(subparsers: Any) -> None:
    """Adds the command to the command line."""
    parser = subparsers.add_parser(
        "compare",
        help="paired tests and confidence intervals between methods",
        description="Compare methods on the same images: bootstrap intervals, paired permutation tests with"
        " Holm's correction, wins and losses, and the images that differ most.",
        epilog="example: sodbench compare DSS PiCANet --dataset sod --metrics MAE maxF S",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("methods", nargs="+", metavar="METHOD", help="two recorded methods or more")
    parser.add_argument("--dataset", nargs="+", required=True, metavar="NAME", help="data sets")
    parser.add_argument("--metrics", nargs="+", metavar="NAME", help="scores to compare (all)")
    parser.add_argument("--protocol", default="pysodmetrics", metavar="NAME", help="protocol (pysodmetrics)")
    parser.add_argument(
        "--resamples", type=int, default=5000, metavar="N", help="bootstrap and permutation resamples (5000)"
    )
    parser.add_argument("--level", type=float, default=0.95, help="confidence level (0.95)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the resampling (0)")
    parser.add_argument(
        "--images", type=int, default=5, metavar="N", help="images that differ most to name (5)"
    )
    parser.add_argument(
        "--by", metavar="METRIC", help="per-image score by which images differ (S, else the first there is)"
    )
    parser.add_argument(
        "--reports", type=Path, default=Path("reports"), metavar="DIR", help="where the runs are (reports)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compares and prints."""
    from itertools import combinations

    from sodbench.cli.report import recorded_runs
    from sodbench.results.comparison import compare, correct, most_different

    _check(args)
    runs = recorded_runs(args.reports)
    rows: list[Compared] = []
    images: dict[str, Any] = {}
    of_sets = [_chosen(runs, args.methods, dataset) for dataset in dict.fromkeys(args.dataset)]
    for chosen in of_sets:
        options = (args.resamples, args.level, args.seed)
        rows += compare(chosen, args.protocol, args.metrics, *options)
        for first, second in combinations(chosen, 2):
            by = args.by or _by(first, args.protocol)
            found = most_different(first, second, args.protocol, by, args.images)
            images[f"{first.name} and {second.name} on {first.title}, by {by}"] = found
    rows = correct(rows)
    ranking = _ranking(args, of_sets) if len(of_sets) > 1 else {}
    if args.json:
        _print_json(args, rows, images, ranking)
    else:
        _print_text(args, rows, images, ranking)
    return 0


def _check(args: argparse.Namespace) -> None:
    if len(set(args.methods)) < 2:
        raise InputError(f"nothing to compare {args.methods[0]!r} with; name two methods or more")
    if args.resamples < 100:
        raise InputError(f"--resamples is {args.resamples}, expected 100 or more")
    if args.images < 0:
        raise InputError(f"--images is {args.images}, expected 0 or more")
    if not 0.5 <= args.level < 1:
        raise InputError(f"--level is {args.level}, expected a level from 0.5 to below 1, such as 0.95")


def _chosen(runs: "list[Run]", methods: list[str], dataset: str) -> "list[Run]":
    """The runs of the methods on one data set, in the order asked for."""
    from sodbench.errors import unknown_names

    known = {run.dataset for run in runs}
    if dataset not in known:
        raise unknown_names("data set", [dataset], known)
    of_set = {run.name: run for run in runs if run.dataset == dataset}
    unknown = [name for name in methods if name not in of_set]
    if unknown:
        raise unknown_names(f"method on {dataset}", unknown, of_set)
    return [of_set[name] for name in dict.fromkeys(methods)]


def _by(run: "Run", protocol: str) -> str:
    """The per-image score by which images differ where none was asked for."""
    columns = run.tables[protocol].per_image.columns
    return "S" if "S" in columns else str(columns[0])


def _ranking(args: argparse.Namespace, of_sets: "list[list[Run]]") -> dict[str, Any]:
    """Average ranks for each score that all runs have, over the data sets of which all scored the same."""
    from sodbench.metrics.registry import all_metrics
    from sodbench.results.average_ranks import rank

    rankable = [of_set for of_set in of_sets if len({run.scored_on for run in of_set}) == 1]
    for of_set in of_sets:
        if of_set not in rankable:
            print(
                f"sodbench: note: {of_set[0].dataset} is left out of the ranks: the methods were scored on"
                " different images of it",
                file=sys.stderr,
            )
    if len(rankable) < 2:
        return {}
    found: dict[str, Any] = {}
    tables = [[run.tables[args.protocol].scores for run in of_set] for of_set in rankable]
    names = [run.name for run in rankable[0]]
    shared = [m for m in tables[0][0] if all(m in scores for row in tables for scores in row)]
    for metric in args.metrics or shared:
        values = {name: [row[place][metric] for row in tables] for place, name in enumerate(names)}
        if all(value == value for row in values.values() for value in row):
            found[metric] = rank(values, all_metrics()[metric].higher_is_better)
    return found


def _print_text(
    args: argparse.Namespace, rows: "list[Compared]", images: dict[str, Any], ranking: dict[str, Any]
) -> None:
    percent = f"{args.level * 100:g} %"
    pair = None
    for row in rows:
        if (row.dataset, row.first, row.second) != pair:
            pair = (row.dataset, row.first, row.second)
            print(f"{'' if row is rows[0] else chr(10)}{row.first} and {row.second} on {row.dataset}", end="")
            print(f" ({row.images} images, protocol {args.protocol}, {percent} intervals)")
            print(
                f"{'':8}{row.first[:24]:>26}{row.second[:24]:>26}{'difference':>27}"
                f"{'p':>9}{'p (Holm)':>10}  win/tie/loss"
            )
        sign = "" if row.corrected != row.corrected or row.corrected >= 1 - args.level else " *"
        counts = "" if row.win_tie_loss is None else "/".join(map(str, row.win_tie_loss))
        print(
            f"{row.metric:8}{_interval(row.values[0]):>26}{_interval(row.values[1]):>26}"
            f"{_interval(row.difference, signed=True):>27}{row.p_value:>9.4f}{row.corrected:>10.4f}"
            f"  {counts}{sign}"
        )
    tests = f"{len(rows)} test{'s' * (len(rows) != 1)}"
    print(f"\n* differs at level {1 - args.level:.2g} after Holm's correction over {tests}")
    for title, found in images.items() if args.images else ():
        print(f"\nimages that differ most: {title}")
        for image in found:
            print(
                f"  {image.name:32} {image.first:.4f}  {image.second:.4f}  {image.first - image.second:+.4f}"
            )
    for metric, one in ranking.items():
        ranks = ", ".join(
            f"{name} {value:.2f}" for name, value in sorted(one.ranks.items(), key=lambda r: r[1])
        )
        print(f"\naverage rank by {metric} over {one.datasets} data sets: {ranks}", end="")
        # Friedman's test needs three methods
        friedman = "" if one.p_value != one.p_value else f", Friedman p {one.p_value:.3f}"
        print(f" (critical difference {one.critical_difference:.2f}{friedman})")


def _interval(value: Any, signed: bool = False) -> str:
    sign = "+" if signed else ""
    return f"{value.value:{sign}.4f} [{value.low:{sign}.4f}, {value.high:{sign}.4f}]"


def _print_json(
    args: argparse.Namespace, rows: "list[Compared]", images: dict[str, Any], ranking: dict[str, Any]
) -> None:
    import json
    from dataclasses import asdict

    content = {
        "protocol": args.protocol,
        "level": args.level,
        "resamples": args.resamples,
        "seed": args.seed,
        "comparisons": [asdict(row) for row in rows],
        "images": {title: [asdict(image) for image in found] for title, found in images.items()},
        "ranks": {metric: asdict(one) for metric, one in ranking.items()},
    }
    print(json.dumps(_finite(content)))


def _finite(value: Any) -> Any:
    """The value with null for every number that JSON cannot hold."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and value != value else value
