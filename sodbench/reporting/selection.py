"""What a report shows, in which columns and in which order."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, overload

from sodbench.errors import InputError, first_of, unknown_names
from sodbench.metrics.protocol import Protocol, load_protocol, protocol_names
from sodbench.reporting.labels import DEFAULT_PROTOCOL, label, main_metric, order, split_name
from sodbench.results.run import Run, protocol_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Selection:
    """The methods, data sets, metrics and protocols of a report (None: all), its digits and its order.

    `protocols` are names or `Protocol` objects; the path of a TOML file becomes the protocol that it defines.
    """

    methods: Sequence[str] | None = None
    datasets: Sequence[str] | None = None
    metrics: Sequence[str] | None = None
    protocols: Sequence[str | Path | Protocol] | None = None
    digits: int = 3
    sort: str | None = None

    def __post_init__(self) -> None:
        for name in ("methods", "datasets", "metrics", "protocols"):
            object.__setattr__(self, name, listed(getattr(self, name)))
        if self.protocols is not None:
            object.__setattr__(self, "protocols", [_defined(one) for one in self.protocols])

    @property
    def named_protocols(self) -> list[str]:
        """The names of the protocols."""
        return [one.name if isinstance(one, Protocol) else str(one) for one in self.protocols or ()]

    @property
    def defined_protocols(self) -> dict[str, Protocol]:
        """The protocols that are given by their conventions, by name."""
        return {one.name: one for one in self.protocols or () if isinstance(one, Protocol)}


@overload
def listed(names: str | Sequence[str]) -> Sequence[str]: ...
@overload
def listed(names: None) -> None: ...
def listed(names: str | Sequence[str] | None) -> Sequence[str] | None:
    """A single name, path or protocol as a list of one."""
    return [names] if isinstance(names, str | Path | Protocol) else names


def select_runs(runs: Iterable[Run], selection: Selection) -> list[Run]:
    """The runs of the chosen methods and data sets; InputError names what no run has."""
    runs = list(runs)
    _check("method", selection.methods, {run.name for run in runs})
    _check("data set", selection.datasets, {run.dataset for run in runs})
    _check_protocols(selection, runs)
    return [
        run
        for run in runs
        if (selection.methods is None or run.name in selection.methods)
        and (selection.datasets is None or run.dataset in selection.datasets)
    ]


def of_one_meaning(runs: Sequence[Run], selection: Selection) -> tuple[list[Run], list[str]]:
    """The runs without the tables whose protocol has the name, not the conventions, of the others'; notes.

    A name means the protocol that the selection defines, else the shipped one of that name, else what it
    meant in the latest run: one column holds one convention.
    """
    from sodbench.metrics.protocol import reserved_as

    asked = selection.defined_protocols
    latest: dict[str, Run] = {}
    for run in sorted(runs, key=lambda run: run.provenance.started):
        latest |= dict.fromkeys(run.tables, run)
    kept, notes = [], []
    for run in runs:
        tables = dict(run.tables)
        for name, other in latest.items():
            if name in tables and (name in asked or tables[name] is not other.tables[name]):
                meant = asked.get(name) or reserved_as(name) or protocol_of(other.tables[name])
                differing = protocol_of(tables[name]).differing(meant)
                if differing:
                    del tables[name]
                    whose = "the one asked for" if name in asked else f"that of {other.name}"
                    notes.append(
                        f"{run.name} on {run.title} is left out under protocol {name!r}, which differs from"
                        f" {whose} in {first_of(differing, 3)}; score its maps again"
                    )
        if tables:
            kept.append(run if len(tables) == len(run.tables) else replace(run, tables=tables))
    return kept, notes


def select_metrics(runs: Sequence[Run], selection: Selection) -> list[str]:
    """Full names of the metrics to show, in the order of papers, the protocols of a metric side by side.

    Without a choice of protocols: the default one if any run has it, else all.
    """
    recorded = {full for run in runs for full in run.values()}
    protocols = selection.named_protocols
    if not protocols:
        used = sorted({split_name(full)[1] for full in recorded})
        protocols = [DEFAULT_PROTOCOL] if DEFAULT_PROTOCOL in used else used
    if selection.metrics is None:
        shown = [full for full in recorded if split_name(full)[1] in protocols]
        return sorted(
            shown,
            key=lambda full: (order(full)[0], split_name(full)[0], protocols.index(split_name(full)[1])),
        )
    _check("metric", selection.metrics, recorded | {split_name(full)[0] for full in recorded})
    asked = [
        full
        for metric in selection.metrics
        for full in ([metric] if "@" in metric else [f"{metric}@{protocol}" for protocol in protocols])
    ]
    return list(dict.fromkeys(full for full in asked if full in recorded))


def sort_rows(frame: "pd.DataFrame", metrics: Sequence[str], sort: str | None) -> "pd.DataFrame":
    """Data sets by name; in each the best row first, by `sort` (default: max F, else the first metric).

    `sort` is a metric, by plain or full name, or "name".
    """
    key = None
    if sort is None:
        key = main_metric(metrics)
    elif sort != "name":
        key = next((full for full in metrics if sort in (full, split_name(full)[0])), None)
        known = {*metrics, *(split_name(full)[0] for full in metrics), "name"}
        _check("metric to sort by", None if key else [sort], known)
    if key is None:
        return frame.sort_values(["dataset", "method"], ignore_index=True)
    ascending = label(key).higher_is_better is False
    return frame.sort_values(["dataset", key, "method"], ascending=[True, ascending, True], ignore_index=True)


def is_scored_under(run: Run, protocol: str | Path | Protocol) -> bool:
    """Whether a run has scores of a protocol: of its name, or of its conventions where these are given."""
    if not isinstance(protocol, Protocol):
        return str(protocol) in run.tables
    table = run.tables.get(protocol.name)
    return table is not None and not protocol_of(table).differing(protocol)


def _check_protocols(selection: Selection, runs: Sequence[Run]) -> None:
    recorded = {name for run in runs for name in run.tables}
    lacking = []
    for one, name in zip(selection.protocols or (), selection.named_protocols, strict=True):
        if any(is_scored_under(run, one) for run in runs):
            continue
        if isinstance(one, Protocol):
            lacking.append(f"{name} with the conventions asked for" if name in recorded else name)
        elif name in protocol_names():
            lacking.append(name)
    if lacking:
        raise InputError(
            f"no run is scored under protocol {first_of(lacking)}, only under {', '.join(sorted(recorded))};"
            " --rescore (rescore=True) scores the recorded maps under it"
        )
    _check("protocol", selection.named_protocols, recorded)


def _defined(protocol: str | Path | Protocol) -> str | Protocol:
    """The protocol that a file defines; a name stays one, because a record may know it and nobody else."""
    if isinstance(protocol, Protocol):
        return protocol
    return load_protocol(protocol) if str(protocol).endswith(".toml") else str(protocol)


def _check(kind: str, asked: Sequence[str] | None, known: Collection[str]) -> None:
    unknown = [name for name in asked or [] if name not in known]
    if unknown:
        raise unknown_names(kind, unknown, known)
