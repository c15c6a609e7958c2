"""Recorded runs as `sodbench runs` prints them: a line for each, or one run in full."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sodbench.reporting.headline import HEADLINE
from sodbench.results.run import Run
from sodbench.results.saving import record_place
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
    then = run.provenance
    lines = [f"{run.name} on {run.dataset} ({run.title}), {run.count} images"]
    lines += _section("provenance", list(_provenance(run)))
    metrics = list(dict.fromkeys(name for table in run.tables.values() for name in table.scores))
    rows = [("", *run.tables)]
    for metric in metrics:
        values = [table.scores.get(metric, float("nan")) for table in run.tables.values()]
        rows.append((metric, *("-" if value != value else f"{value:.4f}" for value in values)))
    lines += _section("scores", rows)
    lines += _section("files", [(name, size_text(size)) for name, size in files_of(run).items()])
    parts = list(then.depends_on.items()) or [("not recorded", "")]
    return lines + _section("depends on", parts)


def _section(title: str, rows: Sequence[Sequence[str]]) -> list[str]:
    return ["", title, *(f"  {line}" for line in columns(rows))]


def _provenance(run: Run) -> Iterator[tuple[str, str]]:
    then = run.provenance
    commit = str(then.code.get("commit") or "not recorded")[:12] + " (modified)" * bool(
        then.code.get("dirty")
    )
    yield "record", str(folder_of(run))
    if then.former_names:
        yield "former names", ", ".join(then.former_names)
    yield "scored", f"{then.started or 'not recorded'}, took {then.seconds} s"
    yield "command", " ".join(then.command) or "not recorded"
    yield "code", f"sodbench {then.versions.get('sodbench', '?')}, commit {commit}"
    if then.origin == "baseline":
        settings = [then.precision, f"batch size {then.batch}" if then.batch else None, then.inference_device]
        yield "predicted by", ", ".join(str(one) for one in (then.baseline, *settings) if one)
        yield "weights", f"{then.weights or 'its own'}, sha256 {run.weights_sha256 or 'not recorded'}"
    else:
        yield "predicted by", "maps made elsewhere"
    yield "maps", _place(then.maps, run.maps_folder()) if run.maps_kept else "not kept"
    yield "maps sha256", then.maps_sha256 or "not recorded"
    yield "data set", _place(then.data_folder, run.data_folder())
    yield "data digest", run.dataset_digest
    yield "self-check", str(then.self_check or "not recorded")
    if then.shards:
        yield "shards", str(len(then.shards))
    yield "packages", ", ".join(f"{name} {version}" for name, version in then.versions.items())
    device = [f"{value} cores" if key == "cores" else str(value) for key, value in then.device.items()]
    yield "device", ", ".join(device) or "not recorded"


def _place(recorded: str | None, here: Path | None) -> str:
    if recorded is None or here is None:
        return "not recorded"
    return str(here) if here.is_dir() else f"{here} (not available)"
