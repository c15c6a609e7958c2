"""`sodbench bench`: parameters, FLOPs, speed and memory of baselines, in each form."""

import argparse
from typing import TYPE_CHECKING, Any

from sodbench.arguments import BATCH, SECONDS, THREADS
from sodbench.cli import options
from sodbench.json_text import to_json

if TYPE_CHECKING:
    from sodbench.models.baseline import Baseline
    from sodbench.models.efficiency import Measured


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the parser."""
    parser = subparsers.add_parser(
        "bench",
        help="measure speed, parameters, FLOPs and memory of baselines",
        description="Measure speed, parameters, FLOPs and memory of baselines in fp32, channels-last, "
        "folded, bf16, compiled and ONNX form; leaderboards show the results. Speed does not depend on the "
        "weights: a baseline without weights is measured with random ones. The differences between the "
        "maps of the forms are then not those of a trained network.",
        epilog="example: sodbench bench basnet --batch 1 --forms fp32 default bf16\n"
        "`sodbench bench sweep` measures one baseline at several input sizes; a baseline of your own that\n"
        "is called sweep is named by its file: sodbench bench baselines/sweep.toml",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("baselines", nargs="+", metavar="NAME", help="baselines, or module:callable")
    options.add_weights(parser)
    options.add_size(parser)
    parser.add_argument(
        "--batch", action=options.Bounded, kind=BATCH, default=1, metavar="N", help="batch size (1)"
    )
    parser.add_argument(
        "--seconds",
        action=options.Bounded,
        kind=SECONDS,
        default=5.0,
        metavar="S",
        help="seconds per form (5)",
    )
    parser.add_argument(
        "--forms",
        nargs="+",
        default=["fp32", "channels-last", "folded", "bf16", "default"],
        metavar="FORM",
        help="among fp32, channels-last, folded, bf16, fp16, compiled, compiled-bf16, onnx, default",
    )
    options.add_device(parser)
    options.add_remote_code(parser)
    parser.add_argument(
        "--threads", action=options.Bounded, kind=THREADS, metavar="N", help="CPU threads (torch's choice)"
    )
    options.add_reports(parser)
    options.add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measures and records one baseline after the other."""
    from sodbench.models import choose_device, load_baseline

    baselines = [load_baseline(name, trust_remote_code=args.trust_remote_code) for name in args.baselines]
    device = choose_device(args.device)
    records = []
    for baseline in baselines:
        record, measured = _measure(args, baseline, device)
        records.append(record)
        if not args.json:
            _print(record, measured)
    if args.json:
        print(to_json({"efficiency": records}, indent=2))
    return 0


def _measure(
    args: argparse.Namespace, baseline: "Baseline", device: str
) -> "tuple[dict[str, Any], list[Measured]]":
    import sys

    import numpy as np
    import torch

    from sodbench.files import write_text
    from sodbench.models.efficiency import FLOPS_CONVENTION, count_flops, count_parameters, measure
    from sodbench.names import folder_name
    from sodbench.results.environment import environment, processor_name

    if args.threads:
        torch.set_num_threads(args.threads)
    network, loaded = baseline.load_or_build(args.weights)
    baseline = loaded.baseline if loaded else baseline
    size = tuple(args.size) if args.size else (baseline.input.height, baseline.input.width)
    pictures = np.random.default_rng(0).standard_normal((args.batch, 3, *size)).astype(np.float32)
    measured = measure(
        network,
        baseline,
        pictures,
        args.forms,
        device=device,
        seconds=args.seconds,
        report=lambda line: print(f"{baseline.name}: {line}", file=sys.stderr),
        random_weights=loaded is None,
    )
    chosen = next((m for m in measured if m.form == "default"), measured[-1])
    record = {
        "schema": 1,
        "name": baseline.name,
        "input": list(size),
        "batch": args.batch,
        "device": processor_name(device),
        "threads": torch.get_num_threads(),
        "weights_sha256": loaded.weights_sha256 if loaded else None,
        "parameters": count_parameters(network),
        "flops": count_flops(network, size),
        "flops_convention": FLOPS_CONVENTION,
        "images_per_second": chosen.images_per_second,
        "measured_form": chosen.form,
        "forms": measured,
        "provenance": environment(),
    }
    path = args.reports / "efficiency" / f"{folder_name(baseline.name)}.json"
    write_text(path, to_json(record, indent=2) + "\n")
    return record, measured


def _print(record: dict[str, Any], measured: "list[Measured]") -> None:
    weights = "" if record["weights_sha256"] else ", random weights"
    at = f"{record['input'][0]} x {record['input'][1]}"
    flops = "FLOPs not counted" if record["flops"] is None else f"{record['flops'] / 1e9:.2f} GFLOPs"
    print(f"{record['name']}: {record['parameters']:,} parameters, {flops} at {at} "
          f"({record['flops_convention']})")  # fmt: skip
    print(f"{record['device']}, threads: {record['threads']}, batch size: {record['batch']}{weights}")
    heads = ("images/s", "p50 ms", "p95 ms", "peak MB", "params M", "GFLOPs", "levels")
    print(f"{'form':<14} {' '.join(f'{head:>9}' for head in heads)}")
    for m in measured:
        if m.remark:
            print(f"{m.form:<14} not measured: {m.remark}")
            continue
        points = " ".join(f"{m.latency_1_ms[p]:9.1f}" for p in ("p50", "p95"))
        memory = "-" if m.peak_memory_bytes is None else f"{m.peak_memory_bytes / 1e6:.0f}"
        parameters = "-" if m.parameters is None else f"{m.parameters / 1e6:.2f}"
        flops = "-" if m.flops is None else f"{m.flops / 1e9:.2f}"
        costs = f"{memory:>9} {parameters:>9} {flops:>9}"
        print(f"{m.form:<14} {m.images_per_second:9.2f} {points} {costs} {m.levels_apart:9.3f}")
    if any(m.peak_memory_bytes is None and not m.remark for m in measured):
        print("peak memory: not available on this system")
    print("p50, p95: latency of a batch of one image; params: of this form; GFLOPs: of this form for one")
    print("image, in the same passes as images/s; levels: largest difference from the fp32 map, of 255;")
    print(f"leaderboards show images/s and GFLOPs of the form {record['measured_form']}\n")
