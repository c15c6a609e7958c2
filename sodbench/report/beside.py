"""Published rows beside measured ones: only what is comparable, the rest counted with the reason."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sodbench.errors import first_of, unknown_names
from sodbench.report.frame import DIFFERENCE, Table
from sodbench.report.labels import split_name
from sodbench.results.matching import Verdict, verdict
from sodbench.results.published import Published, method_of, published_values
from sodbench.results.run import Run, conventions

if TYPE_CHECKING:
    import pandas as pd


def with_published(table: Table, runs: Sequence[Run], sources: Sequence[str] | None = None) -> Table:
    """Adds the published rows of the shown data sets; `sources` (file names of published/) limits them.

    A published row follows the measured row of the same method and carries the differences, measured minus
    published; methods that were not measured come last. What is left out is counted in the notes.
    """
    import pandas as pd

    values = published_values()
    known = {value.source for value in values}
    unknown = [source for source in sources or [] if source not in known]
    if unknown:
        raise unknown_names("published source", unknown, known)
    parts, notes = [], dict(table.notes)
    for dataset, _, rows in table.datasets():
        of_set = [v for v in values if v.dataset == dataset and (not sources or v.source in sources)]
        kept, left_out = _judged(of_set, table.metrics, rows, [r for r in runs if r.dataset == dataset])
        parts.append(_merged(rows, kept, table.metrics))
        notes[dataset] = [*notes.get(dataset, []), *_remarks(kept), *_reasons(left_out)]
    columns = [*table.frame.columns, *(f"{DIFFERENCE}{full}" for full in table.metrics)]
    frame = pd.concat(parts, ignore_index=True).reindex(columns=columns)
    return replace(table, frame=frame, notes=notes)


def _judged(
    values: Iterable[Published], metrics: Sequence[str], rows: "pd.DataFrame", runs: Sequence[Run]
) -> tuple[list[tuple[str, Published, Verdict]], list[tuple[str, str]]]:
    """(column, value, verdict) of what may be shown, and (value's name, reason) of what may not."""
    protocols = {name: conventions(table) for run in runs for name, table in run.tables.items()}
    largest = rows.sort_values("scored").iloc[-1]
    kept, left_out = [], []
    for value in values:
        found: list[tuple[str, Verdict]] = []
        for full in metrics:
            metric, protocol = split_name(full)
            if metric == value.metric and protocol in protocols:
                scored, expected = int(largest["scored"]), int(largest["expected"])
                found.append((full, verdict(value, metric, protocols[protocol], scored, expected)))
        kept += [(full, value, one) for full, one in found if one.shown]
        if found and not any(one.shown for _, one in found):
            left_out.append((f"{value.printed_metric} of {value.short}", found[0][1].reason))
    return kept, left_out


def _merged(
    rows: "pd.DataFrame", kept: Sequence[tuple[str, Published, Verdict]], metrics: Sequence[str]
) -> "pd.DataFrame":
    """The measured rows of one data set with its published rows sorted in."""
    import pandas as pd

    groups: dict[tuple[str, ...], dict[str, Any]] = {}
    for full, value, one in kept:
        key = (value.source, value.table, value.printed_method, value.variant or "")
        row = groups.setdefault(key, _row(rows, value))
        row[full] = value.value
        row["digits"] = max(row["digits"], value.digits)
        if not one.exact:
            row["notes"].append(f"{split_name(full)[0]}: {one.reason}")
        if value.remark:
            row["notes"].append(value.remark)
    merged: list[dict[str, Any]] = []
    for own in ({str(key): value for key, value in row.items()} for row in rows.to_dict("records")):
        merged.append(own)
        for row in groups.values():
            if row["owner"] == own["method"]:
                for full in metrics if own["scored"] == own["expected"] else ():
                    row[f"{DIFFERENCE}{full}"] = own[full] - row.get(full, math.nan)
                merged.append(row)
    rest = [row for row in groups.values() if row["owner"] is None]
    rest.sort(key=lambda row: (row["method"].lower(), row["source"]))
    merged += rest
    for row in merged:
        row["note"] = "; ".join(dict.fromkeys(row.pop("notes", []))) or None
        row.pop("owner", None)
    return pd.DataFrame(merged)


def _row(rows: "pd.DataFrame", value: Published) -> dict[str, Any]:
    """A published row without its values; `owner` is the measured run of the same method, if there is one."""
    owner = None
    if value.variant is None:
        owner = next(iter(rows.loc[rows["literature"] == value.method, "method"]), None)
    first = rows.iloc[0]
    method = method_of(value.printed_method)
    return {
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
        "owner": owner,
        "notes": [],
        "digits": 0,
    }


def _remarks(kept: Sequence[tuple[str, Published, Verdict]]) -> list[str]:
    """One line a remark on shown values: source and table, and the values where it is not about all."""
    shown: Counter[str] = Counter()
    about: dict[tuple[str, str], list[str]] = {}
    judged: dict[str, None] = {}
    for _, value, one in kept:
        table = f"{value.short}, {value.table}"
        shown[table] += 1
        for remark in value.remarks:
            about.setdefault((table, remark), []).append(f"{value.printed_metric} of {value.printed_method}")
        if not one.exact:
            judged[f"{table}: {one.reason}"] = None
    lines = []
    for (table, remark), names in about.items():
        which = "" if len(names) == shown[table] else f", {first_of(names, 3)}"
        lines.append(f"{table}{which}: {remark}")
    return lines + list(judged)


def _reasons(left_out: Sequence[tuple[str, str]]) -> list[str]:
    """One line a reason: how many published values it keeps out, and of which sources."""
    counts = Counter(reason for _, reason in left_out)
    lines = []
    for reason, count in counts.most_common():
        names = sorted({name for name, why in left_out if why == reason})
        lines.append(f"{count} published value{'s' * (count > 1)} not shown: {reason} ({', '.join(names)})")
    return lines
