"""What the commands print: notes and errors, and runs as JSON or one line per data set and protocol."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sodbench.json_text import to_json
from sodbench.text import columns, visible

if TYPE_CHECKING:
    from sodbench.results.run import Run


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
    if as_json:
        print(to_json({"shards": rows}))
        return
    lines = [["method", "data set", "shard", "images", "record"]]
    lines += [[str(row[key]) for key in ("name", "dataset", "shard", "scored", "folder")] for row in rows]
    print("\n".join(columns(lines)))


def print_runs(runs: "Sequence[Run]", as_json: bool) -> None:
    """Prints runs on stdout: the JSON object (undefined scores are null), or a table with a dash for them."""
    rows = results(runs)["results"]
    if as_json:
        print(to_json({"results": rows}))
        return
    metrics = list(dict.fromkeys(metric for row in rows for metric in row["scores"]))
    lines = [["method", "data set", "images", "protocol", *metrics]]
    for row in rows:
        values = [row["scores"].get(metric, float("nan")) for metric in metrics]
        scores = ["-" if value != value else f"{value:.4f}" for value in values]
        count = f"{row['scored']}/{row['expected']}"
        lines.append([row["name"], row["dataset"], count, row["protocol"], *scores])
    print("\n".join(columns(lines)))
