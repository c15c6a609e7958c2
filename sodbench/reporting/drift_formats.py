"""Output formats of the drift check: text, markdown, GitHub annotations, JUnit XML."""

import math
import xml.etree.ElementTree as ElementTree  # nosec B405 # writes XML and parses none

from sodbench.reporting.markdown import escape
from sodbench.results.drift import Drift, Finding
from sodbench.text import columns

_HEADS = ("", "method", "data set", "metric", "expected", "found", "difference", "tolerance")


def text(drift: Drift, against: str, strict: bool = False) -> str:
    """The table of what drifted, with the likely causes, for a terminal."""
    lines = [_headline(drift, against, strict)]
    if drift.findings:
        lines += columns([_HEADS, *map(_cells, drift.findings)], right=range(4, 8))
    for (name, dataset), causes in drift.causes.items():
        lines.append(f"likely cause for {name} on {dataset}: {causes[0]}")
        lines += [f"  also different: {cause}" for cause in causes[1:]]
    return "\n".join(lines)


def markdown(drift: Drift, against: str, strict: bool = False) -> str:
    """The same as a summary for a pull request."""
    lines = [f"### {_headline(drift, escape(against), strict)}", ""]
    if drift.findings:
        lines.append(f"| {' | '.join(_HEADS)} |")
        lines += ["|---|---|---|---|---:|---:|---:|---:|"]
        for finding in drift.findings:
            lines.append(f"| {' | '.join(escape(cell) for cell in _cells(finding))} |")
        lines.append("")
    for (name, dataset), causes in drift.causes.items():
        lines.append(f"Likely cause for {escape(name)} on {escape(dataset)}:")
        lines += [f"- {escape(cause)}" for cause in causes]
        lines.append("")
    return "\n".join(lines)


def annotations(drift: Drift, against: str, strict: bool = False) -> list[str]:
    """GitHub workflow commands: one error or notice per finding."""
    lines = []
    for finding in drift.findings:
        level = "error" if finding.failed or strict else "notice"
        title = f"{finding.name} on {finding.dataset}: {finding.kind}"
        message = _sentence(finding)
        causes = drift.causes.get((finding.name, finding.dataset))
        if finding.failed and causes:
            message += f"; likely cause: {causes[0]}"
        lines.append(f"::{level} file={_property(against)},title={_property(title)}::{_data(message)}")
    return lines


def junit(drift: Drift, strict: bool = False) -> str:
    """JUnit XML: one test case per compared value, and one per missing or new entry."""
    failed = sum(strict or finding.failed for finding in drift.findings)
    total = len(drift.findings) + len(drift.passed)
    suite = ElementTree.Element(
        "testsuite", name="sodbench check", tests=str(total), failures=str(failed), errors="0"
    )
    for name, dataset, metric in drift.passed:
        ElementTree.SubElement(suite, "testcase", classname=_xml(f"{name}.{dataset}"), name=_xml(metric))
    for finding in drift.findings:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=_xml(f"{finding.name}.{finding.dataset}"),
            name=_xml(finding.metric or finding.kind),
        )
        if strict or finding.failed:
            failure = ElementTree.SubElement(case, "failure", message=_xml(_sentence(finding)))
            causes = drift.causes.get((finding.name, finding.dataset), [])
            failure.text = _xml("\n".join(f"likely cause: {cause}" for cause in causes))
    ElementTree.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suite, encoding="unicode") + "\n"


def _headline(drift: Drift, against: str, strict: bool) -> str:
    failures = sum(strict or finding.failed for finding in drift.findings)
    if failures:
        counts = f"{failures} finding{'s' * (failures > 1)}, {drift.compared} values compared"
        return f"drift: the runs differ from {against} ({counts})"
    new = f", {len(drift.findings)} new" if drift.findings else ""
    return f"no drift: {drift.compared} values agree with {against}{new}"


def _cells(finding: Finding) -> tuple[str, ...]:
    kind: str = finding.kind
    if finding.better is not None:
        kind += ", better" if finding.better else ", worse"
    return (
        kind,
        finding.name,
        finding.dataset,
        finding.metric or "",
        _number(finding.expected),
        _number(finding.found),
        "" if math.isnan(finding.difference) else f"{finding.difference:+.3g}",
        "" if finding.tolerance is None else f"{finding.tolerance:g}",
    )


def _sentence(finding: Finding) -> str:
    where = f"{finding.name} on {finding.dataset}"
    if finding.kind == "drifted":
        return (
            f"{finding.metric} of {where} is {_number(finding.found)}, expected {_number(finding.expected)}"
            f" (difference {finding.difference:+.3g}, tolerance {finding.tolerance:g})"
        )
    if finding.kind == "count changed":
        return f"{where}: {_number(finding.found)} images scored, expected {_number(finding.expected)}"
    return {
        "metric missing": f"{finding.metric} of {where} is in the reference but not in the run",
        "entry missing": f"{where} is in the reference but has no run",
        "new metric": f"{finding.metric} of {where} is not in the reference yet",
        "new entry": f"{where} is not in the reference yet",
    }[finding.kind]


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return "NaN" if math.isnan(value) else f"{value:.8g}"


def _data(message: str) -> str:
    return message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")


def _xml(value: str) -> str:
    """The text without characters that XML 1.0 cannot hold."""
    return "".join(c for c in value if c in "\t\n\r" or 0x20 <= ord(c) < 0xD800 or 0xE000 <= ord(c) < 0xFFFE)
