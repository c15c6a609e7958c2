"""`sodbench reproduce`: repeats a recorded run or training, and reports which numbers agree."""

import argparse
from pathlib import Path
from typing import Any

from sodbench.arguments import NOT_NEGATIVE
from sodbench.cli import options
from sodbench.json_text import to_json


def register(subparsers: Any) -> None:
    """Adds the command to the parser."""
    parser = subparsers.add_parser(
        "reproduce",
        help="repeat a recorded run or training and compare",
        description="Repeat a recorded run (run.json) or training (training.json) with the same recipe, "
        "seed, weights and protocols. Report which numbers are bit-identical, agree within a "
        "tolerance, or differ; exit code 1 if one differs.",
        epilog="example: sodbench reproduce reports/runs/basnet-tiny/sample\n"
        "         sodbench reproduce baselines/weights/basnet-tiny.training.json --out training/again",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("record", type=Path, help="training.json, run.json, or the folder that holds one")
    options.add_data_root(parser)
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder of the maps or checkpoints (reproduced/<record>)"
    )
    options.add_weights(parser, "the run's weights, if they have moved")
    parser.add_argument("--maps", type=Path, metavar="DIR", help="the scored maps, if they have moved")
    parser.add_argument(
        "--tolerance",
        action=options.Bounded,
        kind=NOT_NEGATIVE,
        default=1e-3,
        metavar="X",
        help="largest difference that still agrees where a network gives other maps or weights (1e-3);"
        " scores of the same maps must be equal",
    )
    options.add_device(parser, "the record's")
    options.add_trust(parser, "run the code of a network outside sodbench that the record names")
    parser.add_argument("--resume", action="store_true", help="continue an interrupted training")
    options.add_quiet(parser)
    options.add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Repeats the record and prints the comparison; returns 1 if a number does not agree."""
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
        trust=args.trust,
        progress=not args.quiet,
    )
    if args.json:
        print(to_json({"record": str(result.record), "notes": list(result.notes), "numbers": result.numbers}))
    else:
        print(result)
    return 1 if result.failed else 0
