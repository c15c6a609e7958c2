"""Published rows next to measured ones: only comparable values; the others are counted with the reason."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sodbench.errors import first_of, unknown_names
from sodbench.reporting.comparable_protocols import LeftOut, comparable_protocols
from sodbench.reporting.labels import split_name
from sodbench.reporting.table import DIFFERENCE, Table
from sodbench.results.matching import Verdict, verdict
from sodbench.results.published import Published, method_of, published_values
from sodbench.results.run import Run, protocol_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class _Shown:
    """A published value with the column in which it stands and why it may stand there."""

    column: str
    value: Published
    verdict: Verdict


@dataclass
class _PublishedRow:
    """One row of a published table; `owner` is the measured method that it belongs to."""

    facts: dict[str, object]
    owner: str | None
    values: dict[str, float] = field(default_factory=dict)
    digits: int = 0
    notes: list[str] = field(default_factory=list)

    def cells(self) -> dict[str, object]:
        note = "; ".join(dict.fromkeys(self.notes)) or None
        return {**self.facts, **self.values, "digits": self.digits, "note": note}


def check_sources(sources: Sequence[str]) -> None:
    """Raises InputError for a source that is no file of `results/literature/`."""
    known = {value.source for value in published_values()}
    unknown = [source for source in sources if source not in known]
    if unknown:
        raise unknown_names("published source", unknown, known)


def with_published(
    table: Table,
    runs: Sequence[Run],
    sources: Sequence[str] = (),
    *,
    measured_methods: bool = False,
    arguments: Sequence[str] | None = None,
) -> Table:
    """Adds the published rows of the data sets in the table.

    `sources` are file names of `results/literature/` without their ending; empty means all. A published row
    follows the measured row of the same method and holds the differences, measured minus published; methods
    that were not measured come last, and are passed over with `measured_methods`. The remarks count what is
    left out. `arguments` are those of the report, for the commands that show more (None: no commands).
    Raises InputError for an unknown source.
    """
    import pandas as pd

    check_sources(sources)
    published = published_values()
    parts, remarks, waiting = [], dict(table.remarks), {}
    for dataset, _, rows in table.datasets():
        values = [v for v in published if v.dataset == dataset and (not sources or v.source in sources)]
        if measured_methods:
            values = [value for value in values if value.method in set(rows["literature"])]
        shown, left_out = _judged(values, table.metrics, rows, [r for r in runs if r.dataset == dataset])
        parts.append(_merged(rows, shown, table.metrics))
        remarks[dataset] = [*remarks.get(dataset, []), *_remarks(shown), *_reasons(left_out)]
        waiting[dataset] = left_out
    columns = [*table.frame.columns, *(f"{DIFFERENCE}{full}" for full in table.metrics)]
    frame = pd.concat(parts, ignore_index=True).reindex(columns=columns)
    comparable = {} if arguments is None else comparable_protocols(waiting, runs, arguments, sources)
    return replace(table, frame=frame, remarks=remarks, comparable=comparable)


def _judged(
    values: Iterable[Published], metrics: Sequence[str], rows: "pd.DataFrame", runs: Sequence[Run]
) -> tuple[list[_Shown], list[LeftOut]]:
    """The values that may be shown, and those that may not."""
    protocols = {name: protocol_of(table) for run in runs for name, table in run.tables.items()}
    largest = rows.sort_values("scored").iloc[-1]
    scored, expected = int(largest["scored"]), int(largest["expected"])
    shown, left_out = [], []
    for value in values:
        judged = []
        for full in metrics:
            metric, protocol = split_name(full)
            if metric == value.metric and protocol in protocols:
                judgement = verdict(value, metric, protocols[protocol], scored, expected)
                judged.append(_Shown(full, value, judgement))
        comparable = [one for one in judged if one.verdict.shown]
        shown += comparable
        if judged and not comparable:
            left_out.append(LeftOut(value, judged[0].verdict.reason, scored, expected))
    return shown, left_out


def _merged(rows: "pd.DataFrame", shown: Sequence[_Shown], metrics: Sequence[str]) -> "pd.DataFrame":
    """The measured rows of one data set, each followed by the published rows of its method."""
    import pandas as pd

    published: dict[tuple[str, ...], _PublishedRow] = {}
    for one in shown:
        value = one.value
        key = (value.source, value.table, value.printed_method, value.variant or "")
        row = published.setdefault(key, _published_row(rows, value))
        row.values[one.column] = value.value
        row.digits = max(row.digits, value.digits)
        if not one.verdict.exact:
            row.notes.append(f"{split_name(one.column)[0]}: {one.verdict.reason}")
        if value.remark:
            row.notes.append(value.remark)
    merged: list[dict[str, object]] = []
    for measured in rows.to_dict("records"):
        merged.append({str(key): value for key, value in measured.items()})
        for row in published.values():
            if row.owner == measured["method"]:
                cells = row.cells()
                if measured["scored"] == measured["expected"]:
                    for full in metrics:
                        cells[f"{DIFFERENCE}{full}"] = measured[full] - row.values.get(full, math.nan)
                merged.append(cells)
    others = [row for row in published.values() if row.owner is None]
    others.sort(key=lambda row: (str(row.facts["method"]).lower(), str(row.facts["source"])))
    return pd.DataFrame([*merged, *(row.cells() for row in others)])


def _published_row(rows: "pd.DataFrame", value: Published) -> _PublishedRow:
    """The row that a published value stands in, without values yet."""
    owner = None
    if value.variant is None:
        owner = next(iter(rows.loc[rows["literature"] == value.method, "method"]), None)
    first = rows.iloc[0]
    method = method_of(value.printed_method)
    facts = {
        "dataset": value.dataset,
        "title": first["title"],
        "method": value.printed_method + (f" ({value.variant})" if value.variant else ""),
        "literature": value.method,
        "kind": "published",
        "scored": value.n,
        "expected": first["expected"],
        "comparable": None,
        "cite": value.cite or (method.cite if method else None),
        "source": f"{value.short}, {value.table}",
        "link": value.link,
        "measured_as": owner,
    }
    return _PublishedRow(facts, owner)


def _remarks(shown: Sequence[_Shown]) -> list[str]:
    """One line per remark on shown values; it names the values unless all of the table are meant."""
    counts: Counter[str] = Counter()
    subjects: dict[tuple[str, str], list[str]] = {}
    inexact: dict[str, None] = {}
    for one in shown:
        value = one.value
        table = f"{value.short}, {value.table}"
        counts[table] += 1
        for remark in value.remarks:
            subjects.setdefault((table, remark), []).append(
                f"{value.printed_metric} of {value.printed_method}"
            )
        if not one.verdict.exact:
            inexact[f"{table}: {one.verdict.reason}"] = None
    lines = []
    for (table, remark), names in subjects.items():
        which = "" if len(names) == counts[table] else f", {first_of(names, 3)}"
        lines.append(f"{table}{which}: {remark}")
    return lines + list(inexact)


def _reasons(left_out: Sequence[LeftOut]) -> list[str]:
    """One line per reason: how many published values it excludes, and of which sources."""
    counts = Counter(one.reason for one in left_out)
    lines = []
    for reason, count in counts.most_common():
        values = [one.value for one in left_out if one.reason == reason]
        names = sorted({f"{value.printed_metric} of {value.short}" for value in values})
        lines.append(f"{count} published value{'s' * (count > 1)} not shown: {reason} ({', '.join(names)})")
    return lines
