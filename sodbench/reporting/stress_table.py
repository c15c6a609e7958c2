"""The table of `sodbench stress`: how much the scores of one or several baselines fall, by kind."""

from collections.abc import Sequence
from dataclasses import replace

from sodbench.data.corruptions import KINDS
from sodbench.errors import InputError
from sodbench.metrics.registry import families_of, split_name
from sodbench.reporting.headline import OF_STUDY, headline
from sodbench.reporting.labels import arrow
from sodbench.results.stress_record import StressRecord, lower_is_better
from sodbench.text import columns


def stress_table(records: "Sequence[StressRecord]", metrics: Sequence[str]) -> list[str]:
    """The lines of the table for one data set: one row per kind of corruption, grouped, with means.

    For the first of `metrics` the fall at each severity and the mean, for the others the mean. Falls are
    clean minus corrupted, or the rise where lower is better, so that more is always worse. The last row is
    the mean over kinds as a share of the clean score.
    """
    leading, *others = metrics
    severities = sorted({severity for record in records for severity in record.severities})
    short = _short(metrics)
    heads, first, clean, total, share = ["kind"], [""], ["clean score"], ["all kinds"], ["  relative"]
    for record in records:
        levels = [f"sev. {severity}" for severity in severities]
        heads += [*levels, f"mean {short[leading]}", *(short[one] for one in others)]
        first += [record.name, *[""] * (len(levels) + len(others))]
        clean += [*[""] * len(levels), *(_number(record.clean.get(one)) for one in metrics)]
        total += [_number(_at(record, severity, leading)) for severity in severities]
        total += [_number(record.mean_fall(one)) for one in metrics]
        share += [*[""] * len(levels), *(_percent(record, one) for one in metrics)]
    rows = [heads, clean]
    if len(records) > 1:
        rows.insert(0, first)
    for group in dict.fromkeys(kind.group for kind in KINDS.values()):
        members = [
            kind
            for kind, of in KINDS.items()
            if of.group == group and any(kind in record.kinds for record in records)
        ]
        if not members:
            continue
        rows.append([group, *_means(records, members, severities, metrics)])
        rows += [[f"  {kind}", *_means(records, [kind], severities, metrics)] for kind in members]
    rows += [total, share]
    return columns(rows, right=range(1, len(heads)))


def caption(records: "Sequence[StressRecord]", metrics: Sequence[str]) -> str:
    """What the table's numbers are."""
    leading = metrics[0]
    what = "rise" if lower_is_better(leading) else "fall"
    protocols = ", ".join(dict.fromkeys(split_name(one)[1] for one in metrics))
    one = records[0]
    count = f"{one.images} of {one.expected} images" if one.images < one.expected else f"{one.images} images"
    return (
        f"{one.dataset} ({count}), protocol {protocols}: {what} of {_short(metrics)[leading]} by severity, "
        "then the mean fall of each score (rise where lower is better)"
    )


def _means(
    records: "Sequence[StressRecord]", kinds: Sequence[str], severities: Sequence[int], metrics: Sequence[str]
) -> list[str]:
    cells = []
    for record in records:
        present = [kind for kind in kinds if kind in record.kinds]
        cells += [_number(_at(record, severity, metrics[0], present)) for severity in severities]
        cells += [_number(record.mean_fall(metric, present)) for metric in metrics]
    return cells


def _at(record: StressRecord, severity: int, metric: str, kinds: Sequence[str] | None = None) -> float | None:
    """The mean fall over kinds at one severity; None where a kind lacks it."""
    falls = record.falls(metric)
    places = [(kind, severity) for kind in (record.kinds if kinds is None else kinds)]
    if not places or any(place not in falls for place in places):
        return None
    return sum(falls[place] for place in places) / len(places)


def _short(metrics: Sequence[str]) -> dict[str, str]:
    """Metrics as column heads: without the protocol where there is one only."""
    several = len({split_name(metric)[1] for metric in metrics}) > 1
    return {full: (full if several else split_name(full)[0]) + arrow(full) for full in metrics}


def _percent(record: StressRecord, metric: str) -> str:
    share = record.relative(record.mean_fall(metric), metric)
    return "-" if share != share else f"{100 * share:.0f} %"


def _number(value: float | None) -> str:
    return "-" if value is None or value != value else f"{value:.3f}"


def shared_cells(records: "Sequence[StressRecord]") -> list[StressRecord]:
    """The records with the cells that all of them hold, so that their means are of the same corruptions.

    Raises InputError where there is none, and for records of different images or corruptions.
    """
    first = records[0]
    for other in records[1:]:
        for key in ("images", "masks", "corruptions"):
            if other.depends.get(key) != first.depends.get(key):
                raise InputError(
                    f"the stress records of {first.name} and {other.name} on {first.dataset} are of "
                    f"different {key} ({first.images} and {other.images} of them): stress both on the same"
                )
    places = set.intersection(*({(c.kind, c.severity) for c in record.cells} for record in records))
    if not places:
        names = " and ".join(record.name for record in records)
        raise InputError(
            f"the stress records of {names} on {first.dataset} have no kind and severity in common"
        )
    return [
        replace(record, cells=tuple(c for c in record.cells if (c.kind, c.severity) in places))
        for record in records
    ]


def shared_metrics(records: "Sequence[StressRecord]", chosen: Sequence[str] | None) -> list[str]:
    """The full names of the metrics to show, the leading one first, which all records hold.

    `chosen` are scores or families, plain or full; None: the usual ones. Raises InputError where the records
    share none of them.
    """
    first = records[0]
    common = [name for name in first.clean if all(name in record.clean for record in records)]
    if chosen is None:
        shown = headline(common, usual=OF_STUDY)
        lead = [name for name in shown if name == first.leading]
        shown = lead + [name for name in shown if name not in lead]
    else:
        families = set(families_of([name.partition("@")[0] for name in chosen]))
        exact = [name for one in chosen for name in common if one in (name, split_name(name)[0])]
        further = [name for name in common if families_of([split_name(name)[0]])[0] in families]
        shown = list(dict.fromkeys(exact)) or further
    if not shown:
        raise InputError(
            f"the stress records on {first.dataset} have no score in common that was asked for; they hold "
            f"{', '.join(common) or 'none'}"
        )
    return shown
