"""`sodbench compare`: paired tests between methods; with `--parity`, two forms of one network."""

import argparse
from typing import TYPE_CHECKING, Any

from sodbench.arguments import IMAGES, LEVEL, LEVELS, LIMIT, NOT_NEGATIVE, RESAMPLES, SEED
from sodbench.cli import options
from sodbench.cli.output import say
from sodbench.errors import InputError, unknown_names

if TYPE_CHECKING:
    from sodbench.results.run import Run

PARITY_ONLY = ("limit", "levels", "score", "weights", "data_root", "trust_remote_code", "quiet")


def register(subparsers: Any) -> None:
    """Adds the command to the command line."""
    parser = subparsers.add_parser(
        "compare",
        help="paired tests and confidence intervals between methods; parity of two forms of a network",
        description="Compare methods on the same images: bootstrap intervals, paired permutation tests with"
        " Holm's correction, wins and losses, and the images that differ most. With --parity, compare two"
        " forms of one network, or two folders of maps, pixel by pixel; exit code 1 where they are further"
        " apart than --levels or --score allow.",
        epilog="example: sodbench compare DSS PiCANet --datasets sod --metrics MAE maxF S\n"
        "         sodbench compare DSS PiCANet --datasets sod --metrics S --attributes\n"
        "         sodbench compare --parity basnet-tiny basnet-tiny@bf16 --dataset sod --limit 20",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("methods", nargs="+", metavar="METHOD", help="two or more recorded methods")
    _add_parity(parser)
    options.add_datasets(parser, "data sets (all that the methods have in common)")
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
    options.add_attributes(
        parser,
        "also test within each group of images that share an attribute (size, shape, contrast, the lists of"
        " the card), with Holm's correction over the groups",
    )
    options.add_reports(parser)
    options.add_json(parser)
    parser.set_defaults(run=run)


def _add_parity(parser: argparse.ArgumentParser) -> None:
    """Adds `--parity` and the options that go with it."""
    group = parser.add_argument_group(
        "parity",
        "With --parity, give two METHODs: each a folder of maps, or a baseline with its form, NAME,"
        " NAME@bf16, NAME@cuda or NAME@cuda@fp16. Without a device in its name a baseline runs on the CPU.",
    )
    group.add_argument("--parity", action="store_true", help="compare two forms of a network")
    group.add_argument(
        "--dataset", nargs="+", metavar="NAME", help="the data set (with --parity: exactly one)"
    )
    group.add_argument(
        "--limit", action=options.Bounded, kind=LIMIT, metavar="N", help="only the first N images"
    )
    group.add_argument(
        "--levels",
        action=options.Bounded,
        kind=LEVELS,
        metavar="N",
        help="largest allowed difference of a pixel, in grey levels 0..255 (1)",
    )
    group.add_argument(
        "--score",
        action=options.Bounded,
        kind=NOT_NEGATIVE,
        metavar="X",
        help="largest allowed difference of a score of the data set (0.001)",
    )
    options.add_weights(
        group, "weights for the baselines instead of their own (not for ONNX files and transformers models)"
    )
    options.add_data_root(group)
    options.add_remote_code(group)
    options.add_quiet(group)


def run(args: argparse.Namespace) -> int:
    """Compares and prints."""
    if args.parity:
        return _parity(args)
    for option in PARITY_ONLY:
        if getattr(args, option) not in (None, False):
            raise InputError(f"--{option.replace('_', '-')} goes with --parity; add it, or leave this out")
    if args.dataset is not None:
        say("note", "--dataset is now called --datasets; the former spelling works in this version only")
        args.datasets = args.dataset
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
        attributes=args.attributes,
    )
    for note in comparison.notes:
        say("note", note)
    print(to_json(comparison.as_json()) if args.json else comparison)
    return 0


def _parity(args: argparse.Namespace) -> int:
    """Compares two forms; returns 1 where parity does not hold."""
    from sodbench.json_text import to_json
    from sodbench.map_parity import parity

    datasets = args.dataset or args.datasets or []
    if args.attributes:
        raise InputError("--attributes goes with recorded runs; leave it or --parity out")
    if len(args.methods) != 2:
        raise InputError(f"--parity compares two forms, found {len(args.methods)}: {', '.join(args.methods)}")
    if len(datasets) != 1:
        raise InputError("--parity compares on one data set; name it with --dataset")
    first, second = args.methods
    result = parity(
        first,
        second,
        datasets[0],
        limit=args.limit,
        levels=1 if args.levels is None else args.levels,
        score=1e-3 if args.score is None else args.score,
        protocol=args.protocol,
        metrics=args.metrics,
        weights=args.weights,
        data_root=args.data_root,
        trust_remote_code=args.trust_remote_code,
        progress=not args.quiet,
    )
    print(to_json(result.as_json()) if args.json else result)
    return 0 if result.holds else 1


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
