"""`sodbench reproduce`: does again what a committed record says, and reports which numbers agree."""

import argparse
from pathlib import Path
from typing import Any

from sodbench.cli import options
from sodbench.json_text import to_json


def register(subparsers: Any) -> None:
    """Adds the command to the parser."""
    parser = subparsers.add_parser(
        "reproduce",
        help="do again what a record says, and compare",
        description="Rebuild a committed record - a training's training.json, or a run's run.json - from its "
        "recipe, seed, weights and protocols, and report which numbers agree to the bit, within a tolerance, "
        "or not. Exit code 1 if one does not.",
        epilog="example: sodbench reproduce reports/runs/basnet-tiny/sample\n"
        "         sodbench reproduce baselines/weights/basnet-tiny.training.json --out training/again",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("record", type=Path, help="training.json, run.json, or the folder that holds one")
    options.add_data_root(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the work goes (reproduced/<record>)")
    options.add_weights(parser, "the run's weights, if they lie elsewhere now")
    parser.add_argument("--maps", type=Path, metavar="DIR", help="the scored maps, if they lie elsewhere now")
    parser.add_argument(
        "--tolerance", type=float, default=1e-3, metavar="X", help="largest difference (1e-3)"
    )
    options.add_device(parser, "the record's")
    parser.add_argument("--resume", action="store_true", help="go on with a training that was interrupted")
    options.add_quiet(parser)
    options.add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Does the record again and prints the comparison; 1 where a number does not agree."""
    from sodbench.reproduction import reproduce

    result = reproduce(
        args.record,
        data_root=args.data_root,
        out=args.out,
        weights=args.weights,
        maps=args.maps,
        tolerance=args.tolerance,
        device=args.device,
        resume=args.resume,
        progress=not args.quiet,
    )
    if args.json:
        print(to_json({"record": str(result.record), "notes": list(result.notes), "numbers": result.numbers}))
    else:
        print(result)
    return 1 if result.failed else 0
