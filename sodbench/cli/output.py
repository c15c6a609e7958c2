"""What the commands print: notes and errors, and runs as JSON or one line per data set and protocol."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sodbench.json_text import to_json
from sodbench.text import columns, visible

if TYPE_CHECKING:
    from sodbench.results.run import Run
    from sodbench.tree_scores import TreeScores


def say(kind: str, message: str = "") -> None:
    """Prints one line on stderr: `sodbench: error: ...`, `sodbench: note: ...`, `sodbench: interrupted`."""
    if sys.stderr is not None:  # print would take stdout
        line = f"{kind}: {message}" if message else kind
        print(f"sodbench: {visible(line, line=True)}", file=sys.stderr)


def results(runs: "Sequence[Run]") -> dict[str, Any]:
    """The public JSON object: one result per data set and protocol, at full precision."""
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


def print_shards(runs: "Sequence[Run]", shard: str, as_json: bool) -> None:
    """Prints on stdout, for each data set, how many images a shard has and where its record is."""
    rows = shard_results(runs, shard)
    if as_json:
        print(to_json(rows))
        return
    lines = [["method", "data set", "shard", "images", "record"]]
    lines += [
        [str(row[key]) for key in ("name", "dataset", "shard", "scored", "folder")] for row in rows["shards"]
    ]
    print("\n".join(columns(lines)))


def shard_results(runs: "Sequence[Run]", shard: str) -> dict[str, Any]:
    """The public JSON object of shards: one row per method and data set."""
    from sodbench.results.shard_records import shard_folder
    from sodbench.shard import Shard

    of = Shard.parse(shard)
    rows = [
        {
            "name": run.name,
            "dataset": run.dataset,
            "shard": str(of),
            "scored": run.scored,
            "expected": run.expected,
            "folder": shard_folder(run.reports or "reports", run.name, run.dataset, of),
        }
        for run in runs
    ]
    return {"shards": rows}


def print_runs(runs: "Sequence[Run]", as_json: bool) -> None:
    """Prints runs on stdout: the JSON object (undefined scores are null), or a table with a dash for them."""
    if as_json:
        print(to_json(results(runs)))
    else:
        _print_table(runs)


def print_tree(scores: "TreeScores", as_json: bool, shard: str | None = None) -> None:
    """Prints the runs of a tree of maps on stdout, and on stderr one line for each folder that failed.

    The JSON object holds what was not scored, too: `failed`, `left_out`, `extra_maps`. `shard`: the part of
    each that was scored.
    """
    if as_json:
        more = {
            "failed": [{**vars(one)} for one in scores.failed],
            "left_out": [{**vars(one)} for one in scores.left_out],
            "extra_maps": [{**vars(one), "count": len(one.names)} for one in scores.extra_maps],
        }
        rows = results(scores.runs) if shard is None else shard_results(scores.runs, shard)
        print(to_json(rows | more))
    elif scores.runs and shard is None:
        _print_table(scores.runs)
    elif scores.runs:
        print_shards(scores.runs, str(shard), as_json=False)
    for one in scores.failed:
        say("error", str(one))
    if scores.failed:
        say("note", scores.summary)


def _print_table(runs: "Sequence[Run]") -> None:
    rows = results(runs)["results"]
    metrics = list(dict.fromkeys(metric for row in rows for metric in row["scores"]))
    lines = [["method", "data set", "images", "protocol", *metrics]]
    for row in rows:
        values = [row["scores"].get(metric, float("nan")) for metric in metrics]
        scores = ["-" if value != value else f"{value:.4f}" for value in values]
        count = f"{row['scored']}/{row['expected']}"
        lines.append([row["name"], row["dataset"], count, row["protocol"], *scores])
    print("\n".join(columns(lines)))
