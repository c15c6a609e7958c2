"""Recorded runs as `sodbench runs` prints them: a line for each, or one run in full."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sodbench.reporting.headline import HEADLINE
from sodbench.reporting.provenance_lines import provenance_lines
from sodbench.results.loading import record_place
from sodbench.results.run import Run
from sodbench.text import columns, size_text


def folder_of(run: Run) -> Path:
    """The folder of a recorded run."""
    return record_place(run.reports or "reports", run.name, run.dataset)


def files_of(run: Run) -> dict[str, int]:
    """The names and sizes in bytes of the files of a recorded run."""
    return {path.name: path.stat().st_size for path in sorted(folder_of(run).iterdir()) if path.is_file()}


def summary(run: Run) -> dict[str, Any]:
    """The public JSON object of a run in the list; `bytes` is the size of its record."""
    return {
        "name": run.name,
        "dataset": run.dataset,
        "scored": run.scored,
        "expected": run.expected,
        "protocols": list(run.tables),
        "scores": run.values(),
        "started": run.provenance.started,
        "bytes": sum(files_of(run).values()),
        "folder": folder_of(run).as_posix(),
    }


def summary_lines(runs: Sequence[Run]) -> list[str]:
    """A line of headings and one line per run; the scores are those of the first protocol of each."""
    rows: list[tuple[str, ...]] = [("method", "data set", "images", "protocols", *HEADLINE, "date", "size")]
    for run in runs:
        first = next(iter(run.tables.values())).scores
        values = [first.get(metric, float("nan")) for metric in HEADLINE]
        rows.append(
            (
                run.name,
                run.dataset,
                run.count,
                ", ".join(run.tables),
                *("-" if value != value else f"{value:.4f}" for value in values),
                run.provenance.started[:10] or "-",
                size_text(sum(files_of(run).values())),
            )
        )
    return columns(rows, right=(2, 4, 5, 6, 8))


def details(run: Run) -> dict[str, Any]:
    """The public JSON object of one run: its summary, title, digests, files and provenance."""
    return {
        **summary(run),
        "title": run.title,
        "dataset_digest": run.dataset_digest,
        "weights_sha256": run.weights_sha256,
        "files": files_of(run),
        "provenance": asdict(run.provenance),
    }


def detail_lines(run: Run) -> list[str]:
    """A run in full: provenance, scores by protocol, files, and what the scores depend on."""
    lines = [f"{run.name} on {run.dataset} ({run.title}), {run.count} images"]
    lines += _section("provenance", [("record", str(folder_of(run))), *provenance_lines(run, here=True)])
    metrics = list(dict.fromkeys(name for table in run.tables.values() for name in table.scores))
    rows = [("", *run.tables)]
    for metric in metrics:
        values = [table.scores.get(metric, float("nan")) for table in run.tables.values()]
        rows.append((metric, *("-" if value != value else f"{value:.4f}" for value in values)))
    lines += _section("scores", rows)
    lines += _section("files", [(name, size_text(size)) for name, size in files_of(run).items()])
    parts = list(run.provenance.depends_on.items()) or [("not recorded", "")]
    return lines + _section("depends on", parts)


def _section(title: str, rows: Sequence[Sequence[str]]) -> list[str]:
    return ["", title, *(f"  {line}" for line in columns(rows))]
