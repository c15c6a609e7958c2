"""The drift check: values outside their tolerance, missing and new entries, and the likely causes."""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sodbench.results.reference import Entry, Reference, entry_of
from sodbench.results.run import Run

# the kinds of findings; the first four fail the check
Kind = Literal["drifted", "metric missing", "entry missing", "count changed", "new metric", "new entry"]
FAILURES = ("drifted", "metric missing", "entry missing", "count changed")


@dataclass(frozen=True)
class Finding:
    """One difference from the reference; `better` says whether the value improved, None where unknown."""

    kind: Kind
    name: str
    dataset: str
    metric: str | None = None
    expected: float | None = None
    found: float | None = None
    tolerance: float | None = None
    better: bool | None = None

    @property
    def difference(self) -> float:
        """Found minus expected, NaN where one of them is missing."""
        if self.expected is None or self.found is None:
            return math.nan
        return self.found - self.expected

    @property
    def failed(self) -> bool:
        return self.kind in FAILURES


@dataclass(frozen=True)
class Drift:
    """The result of a check.

    `compared` counts values. `causes` are by (method, data set), the likeliest first; `passed` holds (method,
    data set, metric) of the values that agree.
    """

    compared: int
    findings: tuple[Finding, ...]
    causes: dict[tuple[str, str], list[str]]
    passed: tuple[tuple[str, str, str], ...] = ()

    def failed(self, strict: bool = False) -> bool:
        """Whether the check fails; with `strict` new entries and metrics fail it too."""
        return any(strict or finding.failed for finding in self.findings)


def check(reference: Reference, runs: Sequence[Run], exact: bool = False) -> Drift:
    """Compares runs with the reference; `exact` sets all tolerances to 0.

    Values that are NaN in both agree. A new run or metric is a finding, but does not fail the check.
    """
    known = {entry.key: entry for entry in reference.entries}
    findings: list[Finding] = []
    causes: dict[tuple[str, str], list[str]] = {}
    passed: list[tuple[str, str, str]] = []
    for entry in map(entry_of, runs):
        old = known.pop(entry.key, None)
        if old is None:
            findings.append(Finding("new entry", entry.name, entry.dataset))
            continue
        of_entry = list(_compared(reference, old, entry, exact))
        differing = {finding.metric for finding in of_entry}
        passed += [(*entry.key, full) for full in old.values if full not in differing]
        if any(finding.failed for finding in of_entry):
            causes[entry.key] = likely_causes(old.depends, entry.depends)
        findings += of_entry
    findings += [Finding("entry missing", name, dataset) for name, dataset in known]
    compared = len(passed) + sum(finding.kind == "drifted" for finding in findings)
    return Drift(compared, tuple(findings), causes, tuple(passed))


def likely_causes(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What differs between two sets of `Entry.depends`, the likeliest cause first."""
    causes = []
    for key, cause in (
        ("data", "the data: masks or list of images differ (data-set digest)"),
        ("images", "other images of the data set were scored"),
        ("weights", "the weights differ (sha256)"),
    ):
        if old.get(key) != new.get(key):
            causes.append(cause)
    causes += _prediction_changes(old.get("prediction") or {}, new.get("prediction") or {})
    causes += _protocol_changes(old.get("protocols", {}), new.get("protocols", {}))
    if old.get("maps") and new.get("maps") and old["maps"] != new["maps"]:
        causes.append("the maps differ (sha256)")
    elif old.get("maps") and old["maps"] == new.get("maps") and not causes:
        causes.append("the maps are the same files, so the scoring changed")
    versions = _changes(old.get("versions", {}), new.get("versions", {}))
    if versions:
        causes.append("package versions: " + ", ".join(versions))
    device = _changes(old.get("device", {}), new.get("device", {}))
    if device:
        causes.append("device: " + ", ".join(device))
    if old.get("commit") != new.get("commit"):
        was, now = (str(one.get("commit"))[:12] for one in (old, new))
        causes.append(f"code: commit {was} then, {now} now")
    return causes or ["everything recorded is the same: look for a step that is not deterministic"]


def _compared(reference: Reference, old: Entry, new: Entry, exact: bool) -> Iterable[Finding]:
    where = (new.name, new.dataset)
    if (old.scored, old.expected) != (new.scored, new.expected):
        yield Finding("count changed", *where, None, float(old.scored), float(new.scored))
    for full, expected in old.values.items():
        if full not in new.values:
            yield Finding("metric missing", *where, full, expected)
            continue
        value = new.values[full]
        tolerance = 0.0 if exact else reference.tolerance(full)
        if not _agree(expected, value, tolerance):
            yield Finding("drifted", *where, full, expected, value, tolerance, _better(full, expected, value))
    for full in new.values:
        if full not in old.values:
            yield Finding("new metric", *where, full, None, new.values[full])


def _agree(expected: float, value: float, tolerance: float) -> bool:
    if math.isnan(expected) or math.isnan(value):
        return math.isnan(expected) and math.isnan(value)
    return abs(value - expected) <= tolerance


def _better(full: str, expected: float, value: float) -> bool | None:
    """Whether the value improved; None for an unknown metric and for NaN."""
    from sodbench.metrics.registry import all_metrics

    info = all_metrics().get(full.partition("@")[0])
    if info is None or math.isnan(expected) or math.isnan(value):
        return None
    return (value > expected) == info.higher_is_better


CODE = {
    "network": "the code or the options of the network differ",
    "prediction code": "sodbench's code of prediction differs",
}


def _prediction_changes(old: dict[str, str], new: dict[str, str]) -> list[str]:
    """What differs in how the maps were made; nothing where one of the entries does not say."""
    causes = []
    for part in sorted(old.keys() & new.keys()):
        if old[part] == new[part]:
            continue
        then, now = (one if isinstance(one, dict) else {} for one in map(_read, (old[part], new[part])))
        if then or now:
            causes.append(f"{part}: {', '.join(_changes(then, now))}")
        elif part in CODE:
            causes.append(CODE[part])
        else:
            causes.append(f"{part} {old[part]} -> {new[part]}")
    return causes


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _protocol_changes(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    causes = []
    for name in sorted(old.keys() & new.keys()):
        changes = _changes(old[name], new[name])
        if changes:
            causes.append(f"protocol {name}: {', '.join(changes)}")
    return causes


def _changes(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """`name then -> now` for every key whose value differs."""
    keys = sorted(old.keys() | new.keys())
    return [f"{key} {old.get(key)} -> {new.get(key)}" for key in keys if old.get(key) != new.get(key)]
