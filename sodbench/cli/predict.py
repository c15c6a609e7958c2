"""`sodbench predict`: saliency maps for any images."""

import argparse
from pathlib import Path

from sodbench.cli import options
from sodbench.errors import InputError


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the parser."""
    parser = subparsers.add_parser(
        "predict",
        help="write saliency maps for any images",
        description="Write the saliency map of every image: an 8-bit grey PNG of the image's own size.",
        epilog="example: sodbench predict basnet-tiny --images photos --out maps",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_baseline(parser)
    parser.add_argument(
        "--images", type=Path, required=True, metavar="PATH", help="folder of images, or one image"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder of the maps, <image>.png"
    )
    options.add_weights(parser)
    options.add_prediction(parser)
    options.add_remote_code(parser)
    options.add_quiet(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Predicts; prints how many maps were written and where."""
    from sodbench.data.folder import list_images
    from sodbench.data.overwriting import refuse_overwriting
    from sodbench.models import choose_device, load_baseline
    from sodbench.prediction import predict_files

    baseline = load_baseline(args.baseline, trust_remote_code=args.trust_remote_code)
    if not args.images.exists():
        raise InputError(f"--images {args.images}: no such folder or image")
    images = list_images(args.images) if args.images.is_dir() else {args.images.stem: args.images}
    if not images:
        raise InputError(f"--images {args.images}: no images in this folder")
    pairs = [(path, args.out / f"{name}.png") for name, path in images.items()]
    refuse_overwriting((path for _, path in pairs), images.values(), f"--out {args.out}")
    device = choose_device(args.device)
    loaded = baseline.load(args.weights, device)
    count = predict_files(
        loaded.network,
        loaded.baseline,
        pairs,
        batch=args.batch,
        device=device,
        precision=args.precision,
        progress=None if args.quiet else "predict",
    )
    print(f"{count} maps in {args.out}")
    return 0
