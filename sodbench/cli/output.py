"""What the commands print: notes and errors, and runs as JSON or one line per data set and protocol."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sodbench.json_text import to_json
from sodbench.shard import Shard
from sodbench.text import columns, visible

if TYPE_CHECKING:
    from sodbench.results.run import Run
    from sodbench.tree_scores import TreeScores


def say(kind: str, message: str = "") -> None:
    """Prints one line on stderr: `sodbench: error: ...`, `sodbench: note: ...`, `sodbench: interrupted`."""
    if sys.stderr is not None:  # print would take stdout
        line = f"{kind}: {message}" if message else kind
        print(f"sodbench: {visible(line, line=True)}", file=sys.stderr)


def results(runs: "Sequence[Run]", shard: str | None = None) -> dict[str, Any]:
    """The public JSON object: one result per data set and protocol, at full precision.

    shard: the part of each run that was scored; the object has one row per method and data set then.
    """
    if shard is not None:
        return {"shards": _shards(runs, Shard.parse(shard))}
    rows = [
        {
            "name": run.name,
            "dataset": run.dataset,
            "protocol": protocol,
            "scored": run.scored,
            "expected": run.expected,
            "scores": dict(table.scores),
        }
        for run in runs
        for protocol, table in run.tables.items()
    ]
    return {"results": rows}


def _shards(runs: "Sequence[Run]", shard: Shard) -> list[dict[str, Any]]:
    from sodbench.results.shard_records import shard_folder

    return [
        {
            "name": run.name,
            "dataset": run.dataset,
            "shard": str(shard),
            "scored": run.scored,
            "expected": run.expected,
            "folder": shard_folder(run.reports or "reports", run.name, run.dataset, shard),
        }
        for run in runs
    ]


def print_runs(runs: "Sequence[Run]", as_json: bool, shard: str | None = None) -> None:
    """Prints runs on stdout: the JSON object (undefined scores are null), or a table with a dash for them.

    shard: the part of each that was scored; printed are then how many images it has and where its record is.
    """
    found = results(runs, shard)
    if as_json:
        print(to_json(found))
    elif runs:
        lines = _table(found["results"]) if shard is None else _shard_table(found["shards"])
        print("\n".join(columns(lines)))


def print_tree(scores: "TreeScores", as_json: bool, shard: str | None = None) -> None:
    """Prints the runs of a tree of maps as `print_runs` does, and on stderr one line per folder that failed.

    The JSON object holds what was not scored, too: `failed`, `left_out`, `extra_maps`.
    """
    if as_json:
        more = {
            "failed": [vars(one) for one in scores.failed],
            "left_out": [vars(one) for one in scores.left_out],
            "extra_maps": [{**vars(one), "count": len(one.names)} for one in scores.extra_maps],
        }
        print(to_json({**results(scores.runs, shard), **more}))
    else:
        print_runs(scores.runs, False, shard)
    for one in scores.failed:
        say("error", str(one))
    if scores.failed:
        say("note", scores.summary)


def _table(rows: list[dict[str, Any]]) -> list[list[str]]:
    metrics = list(dict.fromkeys(metric for row in rows for metric in row["scores"]))
    lines = [["method", "data set", "images", "protocol", *metrics]]
    for row in rows:
        values = [row["scores"].get(metric, float("nan")) for metric in metrics]
        scores = ["-" if value != value else f"{value:.4f}" for value in values]
        count = f"{row['scored']}/{row['expected']}"
        lines.append([row["name"], row["dataset"], count, row["protocol"], *scores])
    return lines


def _shard_table(rows: list[dict[str, Any]]) -> list[list[str]]:
    lines = [["method", "data set", "shard", "images", "record"]]
    for row in rows:
        lines.append([str(row[key]) for key in ("name", "dataset", "shard", "scored", "folder")])
    return lines
