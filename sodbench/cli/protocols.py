"""`sodbench protocols`: the scoring conventions by name, and what they do to a set of maps."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodbench.cli import options
from sodbench.cli.output import say
from sodbench.errors import InputError
from sodbench.json_text import to_json
from sodbench.paths import real_path
from sodbench.text import columns

if TYPE_CHECKING:
    from sodbench.metrics.aggregate import ScoreTable
    from sodbench.metrics.protocol import Protocol


def register(subparsers: Any) -> None:
    """Adds the command and its four actions to the parser."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = subparsers.add_parser(
        "protocols",
        help="list, show and compare scoring conventions; explain a published number",
        description="A protocol states every convention that can change a score (docs/protocols.md).",
        epilog="example: sodbench protocols compare maps/DSS --dataset sod\n"
        "         sodbench protocols explain maps/DSS --dataset sod --published maxF=.844 MAE=.121",
        formatter_class=raw,
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    action = actions.add_parser(
        "list",
        help="list the shipped protocols",
        description="List the shipped protocols.",
        epilog="example: sodbench protocols list",
        formatter_class=raw,
    )
    options.add_json(action)

    action = actions.add_parser(
        "show",
        help="show every convention of a protocol",
        description="Show every convention of a protocol (a shipped one or your own TOML file), or how it "
        "differs from another protocol.",
        epilog="example: sodbench protocols show basnet2019\n"
        "         sodbench protocols show sodsurvey --against pysodmetrics",
        formatter_class=raw,
    )
    action.add_argument("name", help="a protocol's name, or a TOML file")
    action.add_argument(
        "--against", metavar="NAME", help="another protocol: print the differences only, in words"
    )
    options.add_json(action)

    action = actions.add_parser(
        "compare",
        help="score maps under several protocols",
        description="Score maps under several protocols; print each metric under each, and the range.",
        epilog="example: sodbench protocols compare maps/DSS --dataset sod",
        formatter_class=raw,
    )
    _add_maps(action)
    options.add_metrics(action, "metrics or metric families (all that are defined)")

    action = actions.add_parser(
        "explain",
        help="find the protocols that reproduce a published number",
        description="List the protocols that reproduce published numbers within their rounding, and for the "
        "others each change of a single convention that would.",
        epilog="example: sodbench protocols explain maps/DSS --dataset sod --published maxF=.844 MAE=.121",
        formatter_class=raw,
    )
    _add_maps(action)
    action.add_argument(
        "--published", nargs="+", required=True, metavar="METRIC=VALUE", help="numbers as printed: maxF=.844"
    )
    parser.set_defaults(run=run)


def _add_maps(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("maps", type=Path, help="folder of saliency maps, named like their images")
    options.add_dataset(parser)
    parser.add_argument("--masks", type=Path, metavar="DIR", help="folder of masks of an ad-hoc data set")
    options.add_data_root(parser)
    options.add_protocols(parser, default=None, text="names or TOML files (all shipped ones)")
    parser.add_argument("--allow-missing", action="store_true", help="score only the maps that exist")
    options.add_quiet(parser)
    options.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Runs one action; results on stdout."""
    actions = {"list": _list, "show": _show, "compare": _compare, "explain": _explain}
    actions[args.action](args)
    return 0


def _list(args: argparse.Namespace) -> None:
    from sodbench.metrics import load_protocol, protocol_names
    from sodbench.metrics.registry import all_families

    protocols = [load_protocol(name) for name in protocol_names()]
    if args.json:
        print(to_json({"protocols": protocols}))
        return
    rows = [[one.name, one.title, " ".join(one.families), one.source] for one in protocols]
    print("\n".join(columns([["name", "title", "metrics", "source"], *rows])))
    further = [family.name for family in all_families().values() if not family.standard]
    print(f"\nWith --metrics, every protocol also scores {' '.join(further)} (docs/protocols.md).")


def _show(args: argparse.Namespace) -> None:
    from sodbench.metrics import load_protocol
    from sodbench.metrics.differences import conventions_in_words
    from sodbench.metrics.protocol import DEFAULT, shown

    protocol = load_protocol(args.name)
    if args.against is not None:
        _show_against(protocol, load_protocol(args.against), args.json)
        return
    if args.json:
        print(to_json(protocol))
        return
    print(f"{protocol.name} (version {protocol.version}): {protocol.title}")
    for line in (protocol.description, f"source: {protocol.source}", *protocol.notes):
        print(f"  {line}")
    print()
    changes = protocol.changes()
    rows = []
    for key, words in conventions_in_words(protocol).items():
        mark = f"{DEFAULT}: {shown(changes[key][1])}" if key in changes else ""
        rows.append([key, shown(getattr(protocol, key)), words, mark])
    print("\n".join(columns(rows)))


def _show_against(protocol: "Protocol", other: "Protocol", as_json: bool) -> None:
    from sodbench.metrics.differences import differences_between

    found = differences_between(protocol, other)
    if as_json:
        print(to_json({"protocol": protocol.name, "against": other.name, "differences": found}))
        return
    if not found:
        print(f"{protocol.name} and {other.name} have the same conventions")
        return
    count = "1 convention differs" if len(found) == 1 else f"{len(found)} conventions differ"
    print(f"{protocol.name} against {other.name}: {count}")
    for one in found:
        print(f"\n{one.topic} ({one.field})")
        print(f"  {protocol.name}: {one.here}")
        print(f"  {other.name}: {one.there}")
        if one.moves:
            print(f"  affects: {', '.join(one.moves)}")
        if one.moves_little:
            print(f"  affects only the last digits, or few images: {', '.join(one.moves_little)}")


def _compare(args: argparse.Namespace) -> None:
    protocols = _protocols(args)
    # each protocol is asked for what it defines; those that define the same are scored in one pass
    groups: dict[tuple[str, ...] | None, list[Protocol]] = {}
    for protocol in protocols:
        wanted = None if args.metrics is None else _defined(protocol, args.metrics, protocols)
        if wanted != ():
            groups.setdefault(wanted, []).append(protocol)
    if not groups:
        names = ", ".join(protocol.name for protocol in protocols)
        raise InputError(f"none of the protocols {names} defines {', '.join(args.metrics)}")
    scored: dict[str, ScoreTable] = {}
    heading: dict[str, Any] = {}
    for wanted, members in groups.items():
        more, heading = _score(args, members, None if wanted is None else list(wanted))
        scored |= more
    tables = {protocol.name: scored[protocol.name] for protocol in protocols if protocol.name in scored}
    metrics = _metrics_of(tables)
    spread = {metric: _spread(tables, metric) for metric in metrics}
    if args.json:
        scores = {name: table.scores for name, table in tables.items()}
        print(to_json({**heading, "scores": scores, "spread": spread}))
        return
    print(_headline(heading))
    rows = [["metric", *tables, "spread"]]
    for metric in metrics:
        values = [_number(table.scores.get(metric)) for table in tables.values()]
        rows.append([metric, *values, _number(spread[metric])])
    print("\n".join(columns(rows)))


def _explain(args: argparse.Namespace) -> None:
    from sodbench.metrics.explain import explained, parse_published

    numbers = parse_published(args.published)
    protocols = _protocols(args)
    heading: dict[str, Any] = {}

    def score(chosen: "list[Protocol]", metrics: list[str] | None) -> "dict[str, ScoreTable]":
        tables, scored = _score(args, chosen, metrics)
        heading.update(scored)
        return tables

    results = explained(numbers, protocols, score)
    fit_all = [one.name for one in protocols if all(one.name in result["fits"] for result in results)]
    if args.json:
        print(to_json({**heading, "published": results, "fits_all": fit_all}))
        return
    print(_headline(heading))
    for result in results:
        print()
        _print_fit(result)
    print()
    which = {1: "it", 2: "both numbers"}.get(len(numbers), f"all {len(numbers)} numbers")
    print(f"protocols that reproduce {which}: {', '.join(fit_all) or 'none'}")


def _print_fit(result: dict[str, Any]) -> None:
    from sodbench.metrics.explain import changes_in_words

    metric = result["metric"]
    tried: dict[str, None] = {}
    interval = f"{result['from']:g} to {result['to']:g} before rounding"
    print(f"{metric} = {result['value']:g} published: {interval}")
    nearest = min(result["scores"].values(), key=lambda value: abs(value - result["value"]), default=None)
    rows = []
    for name, value in result["scores"].items():
        if name in result["fits"]:
            verdict = "matches"
        else:
            changes = result["single_changes_that_fit"].get(name, ())
            tried |= dict.fromkeys(changes)
            verdict = f"{value - result['value']:+.4f}"
            if changes:
                verdict += f"; would match with {' or '.join(changes)}"
        rows.append([f"  {name}", _number(value), verdict])
    print("\n".join(columns(rows)))
    words = changes_in_words(metric)
    for change in tried:
        print(f"  {change}: {words[change]}")
    for name, value in result["best_threshold_per_image"].items():
        print(f"  {name}: the mean of each image's own best threshold would be {value:.4f}: matches")
    if not result["scores"]:
        print("  none of the chosen protocols defines it")
    elif not result["fits"] and not any(result["single_changes_that_fit"].values()):
        print(
            f"  no protocol matches, nor does the nearest one ({nearest:.4f}) with a single change; possible "
            "causes: other maps, a different subset of images, maps of another size, or another definition"
        )


def _protocols(args: argparse.Namespace) -> "list[Protocol]":
    from sodbench.errors import unknown_names
    from sodbench.metrics import load_protocol, protocol_names

    names = args.protocols or protocol_names()
    unknown = [name for name in names if not name.endswith(".toml") and name not in protocol_names()]
    if unknown:
        raise unknown_names("protocol", unknown, protocol_names())
    return [load_protocol(name) for name in names]


def _defined(protocol: "Protocol", metrics: list[str], asked: "list[Protocol]") -> tuple[str, ...]:
    """The families that the metrics stand for and the protocol defines; InputError for unknown metrics."""
    from sodbench.metrics.registry import all_families, families_of, names_for

    families = all_families()
    wanted = families_of(names_for(protocol, metrics, asked))
    return tuple(name for name in wanted if not families[name].standard or name in protocol.families)


def _score(
    args: argparse.Namespace, protocols: "list[Protocol]", metrics: list[str] | None
) -> "tuple[dict[str, ScoreTable], dict[str, Any]]":
    """Scores the maps under each protocol; also what was scored."""
    from sodbench.data.folder import counting_maps, open_dataset, open_folders, pair_maps
    from sodbench.scoring import score_samples

    if not args.maps.is_dir():
        raise InputError(f"{args.maps}: no such folder; expected a folder of saliency maps")
    if args.masks is not None:
        dataset = open_folders(args.dataset or real_path(args.masks).name, args.masks)
    elif args.dataset is not None:
        dataset = open_dataset(args.dataset, args.data_root, masks_only=True)
    else:
        raise InputError("nothing to score against: name a data set with --dataset, or a folder with --masks")
    pairing = pair_maps(dataset, args.maps, args.allow_missing)
    if note := pairing.note():
        say("note", f"{args.maps}: {note}")
    pairs = pairing.pairs
    dataset = counting_maps(dataset, args.maps)
    tables = score_samples(
        pairs,
        protocols,
        metrics,
        progress=None if args.quiet else f"score {dataset.name}",
        keep_curves=False,
    )
    heading = {
        "name": real_path(args.maps).name,
        "dataset": dataset.name,
        "scored": len(pairs),
        "expected": dataset.expected,
    }
    return tables, heading


def _metrics_of(tables: "dict[str, ScoreTable]") -> list[str]:
    from sodbench.metrics.registry import all_metrics

    return [name for name in all_metrics() if any(name in table.scores for table in tables.values())]


def _spread(tables: "dict[str, ScoreTable]", metric: str) -> float:
    values = [table.scores[metric] for table in tables.values() if metric in table.scores]
    return max(values) - min(values)


def _number(value: float | None) -> str:
    return "-" if value is None or value != value else f"{value:.4f}"


def _headline(heading: dict[str, Any]) -> str:
    return "{name} on {dataset}: {scored}/{expected} maps".format(**heading)
