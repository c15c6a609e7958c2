"""Inference: BASNet's forms against the plain eager fp32 network in the default layout, in one run.

    python benchmarks/inference.py                        the full network, 256 x 256
    python benchmarks/inference.py --device cuda --batch 32 --forms fp32 folded bf16 fp16 compiled-bf16
    python benchmarks/inference.py --baseline basnet-tiny --images DIR

Forms take turns, and each one's fastest pass counts: ratios are stable where seconds are not. With --images
maps of real pictures are compared too, as they are saved: 8 bits, at the pictures' own size.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from sodbench.data.folder import list_images
from sodbench.data.images import read_image
from sodbench.data.preprocessing import finish, prepare
from sodbench.models import Baseline, load_baseline
from sodbench.models.efficiency import FORMS, count_flops, count_parameters, make_form, measure


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--baseline", default="basnet")
    parser.add_argument("--weights", type=Path, help="without any random ones are used")
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seconds", type=float, default=8.0, help="for each form")
    parser.add_argument(
        "--forms", nargs="+", choices=list(FORMS), default=["fp32", "channels-last", "folded", "bf16"]
    )
    parser.add_argument(
        "--processor-time",
        action="store_true",
        help="time spent on the processor, one thread: for a machine that others use at the same time",
    )
    parser.add_argument("--images", type=Path, help="a folder of pictures whose saved maps are compared")
    parser.add_argument("--limit", type=int, default=50, help="pictures compared")
    args = parser.parse_args()

    clock = time.perf_counter
    if args.processor_time:
        torch.set_num_threads(1)
        clock = time.process_time
    baseline = load_baseline(args.baseline)
    network = network_of(baseline, args.weights)
    size = (baseline.input.height, baseline.input.width)
    flops = count_flops(network, size)
    print(f"{baseline.name}: {count_parameters(network):,} parameters, {flops / 1e9:.1f} GFLOPs at {size}, "
          f"torch {torch.__version__}, {args.device}, {torch.get_num_threads()} threads")  # fmt: skip
    for batch in args.batch:
        pictures = np.random.default_rng(0).standard_normal((batch, 3, *size)).astype(np.float32)
        results = measure(
            network, baseline, pictures, args.forms, device=args.device, seconds=args.seconds, clock=clock
        )
        plain = results[0].images_per_second
        print(f"batch {batch}")
        for m in results:
            if m.remark:
                print(f"  {m.form:<14} not measured: {m.remark}")
                continue
            print(f"  {m.form:<14} {m.images_per_second:9.2f} images/s  {m.images_per_second / plain:6.2f}x")
    if args.images:
        compare_saved_maps(network, baseline, args)


def network_of(baseline: Baseline, weights: Path | None) -> torch.nn.Module:
    """The network with the given weights, its own, or random ones whose statistics are not trivial."""
    network, loaded = baseline.load_or_build(weights)
    if loaded is None:
        torch.manual_seed(0)
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.9, 1.1)
    return network


def compare_saved_maps(network: torch.nn.Module, baseline: Baseline, args: argparse.Namespace) -> None:
    """Prints how far each form's saved maps are from those of the plain network."""
    images = [read_image(path) for path in list(list_images(args.images).values())[: args.limit]]
    saved = {}
    for form in args.forms:
        predictor = make_form(network, baseline, form, args.device)
        saved[form] = [
            finish(
                predictor(prepare(image, baseline.input)[None])[0],
                image.shape[:2],
                baseline.output.stretch,
                baseline.output.resample,
                baseline.input.fit,
            )
            for image in images
        ]
    print(f"saved maps of {len(images)} pictures against fp32: largest difference in levels of 255")
    for form in args.forms[1:]:
        pairs = zip(saved[args.forms[0]], saved[form], strict=True)
        worst = np.array([np.abs(a.astype(int) - b).max() for a, b in pairs])
        print(f"  {form:<14} worst {worst.max():3d}, median picture {np.median(worst):.0f}, "
              f"within one level {np.mean(worst <= 1):.0%} of the pictures")  # fmt: skip


if __name__ == "__main__":
    main()
