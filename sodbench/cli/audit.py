"""`sodbench audit`: whether recorded runs are as they were scored."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodbench.cli import options
from sodbench.json_text import to_json

if TYPE_CHECKING:
    from sodbench.record_audit import AuditedRun


def register(subparsers: Any) -> None:
    """Adds the command to the parser."""
    parser = subparsers.add_parser(
        "audit",
        help="check recorded runs: digests, scores, protocols, counts, maps",
        description="Check every recorded run: the digests of its files, the data set's scores derived from"
        " those of the images, protocols against those that ship, counts against cards, and, where maps and"
        " masks are here, every score computed again. One line per run; exit code 1 if something differs."
        " Data sets are checked by 'sodbench datasets verify'.",
        epilog="example: sodbench audit reports --data-root ~/data",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "reports",
        nargs="?",
        type=Path,
        default=Path("reports"),
        metavar="REPORTS",
        help="folder of recorded runs (reports)",
    )
    options.add_methods(parser)
    options.add_datasets(parser, "only these data sets")
    options.add_data_root(parser)
    options.add_scoring_workers(parser)
    options.add_quiet(parser)
    options.add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Audits and prints one line per record; returns 1 if a record differs."""
    from sodbench.record_audit import audit

    result = audit(
        args.reports,
        methods=args.methods,
        datasets=args.datasets,
        data_root=args.data_root,
        workers=args.scoring_workers,
        progress=not args.quiet,
    )
    if args.json:
        print(to_json({"failed": bool(result.failed), "runs": [_as_json(one) for one in result.runs]}))
    else:
        print(result)
    return 1 if result.failed else 0


def _as_json(one: "AuditedRun") -> dict[str, Any]:
    return {
        "name": one.name,
        "dataset": one.dataset,
        "ok": one.ok,
        "scores": one.scores,
        "images": one.images,
        "rescored": one.rescored,
        "not_rescored": one.not_rescored,
        "differences": one.differences,
    }
