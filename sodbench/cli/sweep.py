"""`sodbench bench sweep`: scores, seconds and memory of one baseline at several input sizes."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodbench.arguments import LIMIT, ROUNDS, SIDE, THREADS
from sodbench.cli import options
from sodbench.json_text import to_json
from sodbench.text import columns

if TYPE_CHECKING:
    from sodbench.size_sweep import Sweep


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the parser."""
    parser = subparsers.add_parser(
        "bench sweep",
        help="scores, seconds and memory of a baseline at several input sizes",
        description="Evaluate and time a baseline at several input sizes. Prints one table, and writes a "
        "figure and a record to reports/efficiency/sweep. Time is that of one image at a time, the sizes in "
        "turns: `network` is the forward pass, `total` everything from opening the file to the finished map.",
        epilog="example: sodbench bench sweep basnet-tiny --sizes 96 128 160 224 --datasets ecssd --limit 60",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_baseline(parser)
    parser.add_argument(
        "--sizes",
        nargs="+",
        action=options.Bounded,
        kind=SIDE,
        metavar="N",
        required=True,
        help="input sizes, N x N pixels (multiples of 32 suit every network)",
    )
    options.add_datasets(parser, "data sets (sodbench datasets list)", required=True)
    parser.add_argument(
        "--limit",
        action=options.Bounded,
        kind=LIMIT,
        metavar="N",
        help="only the first N images of each data set",
    )
    options.add_weights(parser)
    options.add_remote_code(parser)
    parser.add_argument(
        "--protocol", metavar="NAME", default="pysodmetrics", help="scoring protocol (pysodmetrics)"
    )
    options.add_metrics(parser, "scores in table and figure, e.g. MAE maxF (MAE, maxF, S, wF)")
    options.add_prediction(parser)
    parser.add_argument(
        "--rounds",
        action=options.Bounded,
        kind=ROUNDS,
        default=5,
        metavar="N",
        help="how often the timed images are predicted at each size (5)",
    )
    parser.add_argument(
        "--threads", action=options.Bounded, kind=THREADS, metavar="N", help="CPU threads (torch's choice)"
    )
    options.add_data_root(parser)
    options.add_reports(parser)
    options.add_quiet(parser)
    options.add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Evaluates and times the baseline, writes figure and record, prints the table."""
    import torch

    from sodbench.files import write_text
    from sodbench.names import folder_name
    from sodbench.reporting.sweep_figure import sweep_figure
    from sodbench.results.environment import environment, processor_name
    from sodbench.size_sweep import sweep_sizes

    if args.threads:
        torch.set_num_threads(args.threads)
    sweep = sweep_sizes(
        args.baseline,
        args.datasets,
        args.sizes,
        protocol=args.protocol,
        metrics=args.metrics,
        limit=args.limit,
        weights=args.weights,
        trust_remote_code=args.trust_remote_code,
        device=args.device,
        precision=args.precision,
        batch=args.batch,
        rounds=args.rounds,
        data_root=args.data_root,
        progress=(lambda line: None) if args.quiet else _progress,
    )
    metrics = _shown(sweep, args.metrics is not None)
    path = args.reports / "efficiency" / "sweep" / folder_name(sweep.name)
    record = {
        "schema": 1,
        **vars(sweep),
        "processor": processor_name(sweep.device),
        "threads": torch.get_num_threads(),
        "provenance": environment(),
    }
    write_text(path.with_name(f"{path.name}.json"), to_json(record, indent=2) + "\n")
    figures = sweep_figure(sweep, metrics, str(record["processor"]), path)
    if args.json:
        print(to_json({"sweep": record}, indent=2))
    else:
        _print(sweep, metrics, record, figures)
    return 0


def _progress(line: str) -> None:
    print(line, file=sys.stderr)


def _shown(sweep: "Sweep", chosen: bool) -> list[str]:
    """The scores of the table and the figure: those asked for, else the usual ones."""
    from sodbench.reporting.headline import OF_STUDY, headline

    names = list(dict.fromkeys(name for scores in sweep.points[0].scores.values() for name in scores))
    return headline(names, chosen, OF_STUDY)


def _print(sweep: "Sweep", metrics: list[str], record: dict[str, Any], figures: list[Path]) -> None:
    sets = ", ".join(f"{name} ({count} images)" for name, count in sweep.images.items())
    print(f"{sweep.name} on {sets}, protocol {sweep.protocol}")
    rounds = f"{sweep.rounds} round{'s' * (sweep.rounds != 1)}"
    print(f"{record['processor']}, threads: {record['threads']}, {sweep.precision}, batch size 1; time: "
          f"mean of {sweep.timed} images, median and best of {rounds}")  # fmt: skip
    several = len(sweep.images) > 1
    heads = [f"{name} {metric}" if several else metric for name in sweep.images for metric in metrics]
    rows = [["size", *heads, "network ms", "best", "total ms", "best", "peak MB", "GFLOPs"]]
    for point in sweep.points:
        scores = [point.scores[name].get(metric, float("nan")) for name in sweep.images for metric in metrics]
        seconds = (point.network.median, point.network.best, point.total.median, point.total.best)
        memory = point.peak_memory_bytes
        rows.append(
            [
                str(point.height),
                *("-" if score != score else f"{score:.4f}" for score in scores),
                *(f"{1000 * one:.1f}" for one in seconds),
                "-" if memory is None else f"{memory / 1e6:.0f}",
                f"{point.flops / 1e9:.2f}" if point.flops else "-",  # an ONNX network does not tell
            ]
        )
    print("\n".join(columns(rows, right=range(len(rows[0])))))
    print("network: forward pass; total: from opening the file to the finished map; peak: memory of the "
          f"{'GPU' if sweep.device.startswith('cuda') else 'process'} during a forward pass")  # fmt: skip
    print(f"figure: {figures[0]}")
