"""What `run` and `score` share: their scoring options, from pairs to a record, and what is printed of it."""

import argparse
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodbench.cli.columns import print_columns
from sodbench.errors import InputError

if TYPE_CHECKING:
    from sodbench.data.folder import DataSet, Sample
    from sodbench.results.run import Run


def add_scoring_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options that say how maps are scored and where the record goes."""
    parser.add_argument(
        "--protocol",
        nargs="+",
        default=["pysodmetrics"],
        metavar="NAME",
        help="scoring conventions (pysodmetrics)",
    )
    parser.add_argument(
        "--metrics", nargs="+", metavar="NAME", help="metric families, e.g. MAE F E S wF relaxF (these)"
    )
    parser.add_argument(
        "--data-root", type=Path, metavar="DIR", help="folder that holds one folder a data set"
    )
    parser.add_argument(
        "--reports", type=Path, default=Path("reports"), metavar="DIR", help="where records go (reports)"
    )
    parser.add_argument("--scoring-workers", type=int, metavar="N", help="threads that score (one a core)")
    parser.add_argument("--quiet", action="store_true", help="no progress bars")
    parser.add_argument("--json", action="store_true", help="print the results as one JSON object")


def check_scoring_options(args: argparse.Namespace) -> None:
    """Refuses unknown protocols and metrics before any work is done."""
    from sodbench.metrics.scorer import scorers_for

    if args.scoring_workers is not None and args.scoring_workers < 1:
        raise InputError(f"--scoring-workers is {args.scoring_workers}, expected 1 or more")
    scorers_for(args.protocol, args.metrics)


def score_and_record(
    args: argparse.Namespace,
    name: str,
    dataset: "DataSet",
    pairs: "Sequence[tuple[Sample, Path]]",
    maps: Path,
    started: float,
    weights_sha256: str | None = None,
    extra: Mapping[str, Any] | None = None,
) -> "Run":
    """Scores maps against masks under every protocol asked for, and saves the record."""
    from sodbench.results.run import new_run, save_run
    from sodbench.scoring import score_samples

    tables = score_samples(
        pairs,
        protocols=args.protocol,
        metrics=args.metrics,
        workers=args.scoring_workers,
        progress=None if args.quiet else f"score {dataset.name}",
    )
    provenance = {"maps": str(maps.resolve()), "manifest": _manifest(dataset), **(extra or {})}
    run = new_run(name, dataset, tables, weights_sha256=weights_sha256, extra=provenance, started=started)
    save_run(args.reports, run)
    return run


def _manifest(dataset: "DataSet") -> str | None:
    """The digest of the data set's manifest, where the user pinned one; says when the data are others."""
    import sys

    from sodbench.data.auditing.manifest import changes, manifest_path
    from sodbench.files import sha256_of

    changed = changes(dataset)
    if changed is None:
        return None
    if changed:
        print(
            f"sodbench: note: {dataset.name} is not what its manifest says: {changed.line()}", file=sys.stderr
        )
    return sha256_of(manifest_path(dataset.name))


def results(runs: "Sequence[Run]") -> dict[str, Any]:
    """The public JSON object: a result a data set and protocol, full precision; undefined scores are null."""
    rows = []
    for run in runs:
        for protocol, table in run.tables.items():
            scores = {k: None if math.isnan(v) else float(v) for k, v in table.scores.items()}
            rows.append(
                {
                    "name": run.name,
                    "dataset": run.dataset,
                    "protocol": protocol,
                    "scored": run.scored,
                    "expected": run.expected,
                    "scores": scores,
                }
            )
    return {"results": rows}


def print_results(runs: "Sequence[Run]", as_json: bool) -> None:
    """Prints the runs on stdout: one JSON object, or a line a data set and protocol below a line of names."""
    import json

    table = results(runs)
    if as_json:
        print(json.dumps(table))
        return
    rows = table["results"]
    metrics = list(dict.fromkeys(metric for row in rows for metric in row["scores"]))
    lines = [["method", "data set", "images", "protocol", *metrics]]
    for row in rows:
        count = f"{row['scored']}/{row['expected']}"
        values = [row["scores"].get(metric) for metric in metrics]
        shown = ["-" if value is None else f"{value:.4f}" for value in values]
        lines.append([row["name"], row["dataset"], count, row["protocol"], *shown])
    print_columns(lines)
