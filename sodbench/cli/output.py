"""What the commands print of runs: the public JSON object, or one line per data set and protocol."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sodbench.json_text import to_json
from sodbench.text import columns

if TYPE_CHECKING:
    from sodbench.results.run import Run


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
