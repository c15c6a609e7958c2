"""`sodbench stress`: how much a baseline's scores fall on corrupted images."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from sodbench.arguments import LIMIT, Whole
from sodbench.cli import options
from sodbench.cli.output import say
from sodbench.errors import InputError
from sodbench.json_text import to_json

if TYPE_CHECKING:
    from sodbench.results.stress_record import StressRecord


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the parser."""
    parser = subparsers.add_parser(
        "stress",
        help="how much a baseline's scores fall on corrupted images",
        description="Predict corrupted images of data sets and score the maps: noise, blur, weather, digital "
        "and storage corruptions at five severities, the same bytes on every machine (docs/stress.md). "
        "Prints one table per data set, and writes a record, a figure and the worst images to "
        "reports/stress/NAME/DATASET. Cells that are recorded already are not predicted again.",
        epilog="example: sodbench stress basnet-tiny --datasets ecssd --limit 20 --kinds noise blur "
        "--severities 1 3 5",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "baselines",
        nargs="+",
        metavar="BASELINE",
        help="a baseline's name (sodbench baselines list), the path of a TOML or ONNX file or a"
        " transformers folder, or module:callable; several stand in one table",
    )
    options.add_datasets(parser, "data sets (sodbench datasets list)", required=True)
    parser.add_argument(
        "--kinds",
        nargs="+",
        metavar="KIND",
        help="kinds of corruption, e.g. fog jpeg, or groups: noise blur weather digital storage (all)",
    )
    parser.add_argument(
        "--severities",
        nargs="+",
        action=options.Bounded,
        kind=Whole(1, 5),
        metavar="N",
        help="severities, 1 to 5 (all)",
    )
    parser.add_argument(
        "--limit",
        action=options.Bounded,
        kind=LIMIT,
        metavar="N",
        help="only the first N images of each data set",
    )
    parser.add_argument(
        "--show",
        action="store_true",
        help="predict nothing: the table of what is recorded in --reports",
    )
    options.add_weights(parser)
    options.add_remote_code(parser)
    options.add_protocols(parser, default=["pysodmetrics"], text="scoring protocols (pysodmetrics)")
    options.add_metrics(parser, "scores, e.g. maxF MAE; the first is shown at every severity (all; S first)")
    options.add_prediction(parser)
    options.add_data_root(parser)
    options.add_reports(parser)
    options.add_replace(parser)
    options.add_quiet(parser)
    options.add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Runs the stress, or reads what is recorded; writes figures and sheets, prints the tables."""
    if args.weights is not None and len(args.baselines) > 1:
        raise InputError(
            f"--weights: one file, found {len(args.baselines)} baselines; run each alone with its weights, "
            "then put them into one table with --show"
        )
    by_set = _recorded(args) if args.show else _measured(args)
    if args.json:
        print(to_json({"stress": [record for records in by_set.values() for record in records]}, indent=2))
        return 0
    for number, (dataset, records) in enumerate(by_set.items()):
        if number:
            print()
        _print(dataset, records, args)
    return 0


def _measured(args: argparse.Namespace) -> "dict[str, list[StressRecord]]":
    """The records of all baselines by data set, measured now or found to be recorded."""
    from sodbench.reporting.stress_sheet import write_stress_sheet
    from sodbench.results.stress_record import record_folder
    from sodbench.robustness import stress

    by_set: dict[str, list[StressRecord]] = {}
    for baseline in args.baselines:
        for result in stress(
            baseline,
            args.datasets,
            kinds=args.kinds,
            severities=args.severities,
            protocols=args.protocols,
            metrics=args.metrics,
            limit=args.limit,
            weights=args.weights,
            trust_remote_code=args.trust_remote_code,
            device=args.device,
            precision=args.precision,
            batch=args.batch,
            data_root=args.data_root,
            reports=args.reports,
            replace=args.replace,
            progress=not args.quiet,
        ):
            record = result.record
            folder = record_folder(args.reports, record.name, record.dataset)
            write_stress_sheet(record, result.examples, folder / "worst.png")
            by_set.setdefault(record.dataset, []).append(record)
    return by_set


def _recorded(args: argparse.Namespace) -> "dict[str, list[StressRecord]]":
    """The records of the baselines by data set, with the kinds and severities asked for."""
    from dataclasses import replace

    from sodbench.data.card import load_cards
    from sodbench.data.corruptions import checked_kinds, checked_severities
    from sodbench.results.stress_record import load_stress, record_folder

    kinds, severities = checked_kinds(args.kinds), checked_severities(args.severities)
    by_set: dict[str, list[StressRecord]] = {}
    for card in load_cards(args.datasets):
        for name in args.baselines:
            record = load_stress(args.reports, name, card.name)
            if record is None:
                folder = record_folder(args.reports, name, card.name)
                raise InputError(
                    f"{folder}: no stress record; make it with: sodbench stress {name} --datasets {card.name}"
                )
            cells = tuple(cell for cell in record.cells if cell.kind in kinds and cell.severity in severities)
            if not cells:
                raise InputError(
                    f"the stress record of {name} on {card.name} has none of these kinds and severities"
                )
            by_set.setdefault(card.name, []).append(replace(record, cells=cells))
    return by_set


def _print(dataset: str, records: "list[StressRecord]", args: argparse.Namespace) -> None:
    """The table of one data set, and where record, figure and sheet are."""
    from sodbench.names import folder_name
    from sodbench.reporting.stress_figure import stress_figure
    from sodbench.reporting.stress_table import caption, shared_cells, shared_metrics, stress_table
    from sodbench.results.stress_record import record_folder

    most = max(len(record.cells) for record in records)
    records = shared_cells(records)
    if len(records[0].cells) < most:
        say("note", f"{dataset}: {len(records[0].cells)} cells are recorded for all; others are left out")
    metrics = shared_metrics(records, args.metrics)
    print(caption(records, metrics))
    print("\n".join(stress_table(records, metrics)))
    folders = [record_folder(args.reports, record.name, dataset) for record in records]
    if len(records) == 1:
        figure = folders[0] / "falls"
    else:
        figure = Path(args.reports) / "stress" / folder_name(dataset)
    for record, folder in zip(records, folders, strict=True):
        worst = record.worst_cell()
        if worst is not None:
            fall = record.fall(worst, record.leading)
            print(
                f"{record.name}: largest fall: {worst.kind} at severity {worst.severity} "
                f"({record.leading.partition('@')[0]} by {fall:.3f})"
                + ("" if args.show else f"; its images: {folder / 'worst.png'}")
            )
    print(f"figure: {stress_figure(records, metrics[0], figure)[0]}")
