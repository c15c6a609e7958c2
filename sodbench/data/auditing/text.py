"""Cards, listings and audits as lines of text."""

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

from sodbench.data.auditing.audit import Audit
from sodbench.data.auditing.status import Status
from sodbench.data.card import Card

WIDTH = 100


def status_table(found: Sequence[Status]) -> list[str]:
    rows = [("name", "for", "state", "pairs", "size", "folder")]
    for one in found:
        size = f"{one.size / 1e6:,.1f} MB" if one.size else ""
        place = one.folder or one.problem
        rows.append((one.name, one.role, one.state, f"{one.here}/{one.expected}", size, place))
    return table(rows, right=(3, 4))


def card_lines(card: Card, status: Status) -> list[str]:
    """A card in full, every fact with its source."""
    lines = [f"{card.name}: {card.title}", *_wrapped(card.summary), ""]
    lines += [
        f"here:      {status.state}, {status.here} of {card.count} pairs {status.folder or status.problem}"
    ]
    lines += [*_fact("pairs", str(card.count), card.count_source)]
    names = f"{len(card.names)} known" if card.names is not None else card.names_pattern or "unknown"
    lines += [*_fact("names", names, card.names_source)]
    lines += [*_fact("also", ", ".join(card.aliases), "")] if card.aliases else []
    for layout in card.layouts:
        where = f"{card.folders[0]}/{layout.images} with {card.folders[0]}/{layout.masks} ({layout.name})"
        lines += _fact("layout", where, layout.source)
    for page in card.home:
        lines += _fact("home", page, card.home_source)
    for mirror in card.mirrors:
        what = ", ".join(archive.address for archive in mirror.archives)
        note = f" ({mirror.note})" if mirror.note and what else mirror.note
        lines += _fact("from", f"{mirror.kind}: {what}{note}", mirror.source)
    lines += _fact("licence", f"{card.licence}; redistribution: {card.redistribution}", card.terms_source)
    lines += _fact("cite", card.citation, card.citation_source)
    for quirk in card.quirks:
        lines += _fact("quirk", quirk.text, quirk.source)
    return lines


def audit_lines(audit: Audit) -> list[str]:
    """An audit as text: counts, findings, facts."""
    problems = "1 problem" if audit.problems == 1 else f"{audit.problems} problems"
    lines = [
        f"{audit.name}  ({audit.folder})",
        f"  {audit.pairs} of {audit.expected} pairs; {problems}",
    ]
    rows = [(f.level, f.kind, f.text) for f in sorted(audit.findings, key=lambda f: _ORDER.index(f.level))]
    lines += [f"  {line}" for line in table(rows)]
    for name, value in audit.facts.items():
        said = (
            "; ".join(f"{key} {entry}" for key, entry in value.items()) if isinstance(value, dict) else value
        )
        lines.append(f"  {name}: {said}")
    return lines


def table(rows: Sequence[Sequence[Any]], right: Sequence[int] = ()) -> list[str]:
    """Rows in columns as wide as their widest entry; the columns `right` are set to the right."""
    if not rows:
        return []
    widths = [max(len(str(row[index])) for row in rows) for index in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            str(cell).rjust(width) if index in right else str(cell).ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


_ORDER = ("problem", "known", "note")


def _fact(name: str, value: str, source: str) -> list[str]:
    indent = " " * 11
    lines = wrap(value, WIDTH, initial_indent=f"{name + ':':11}", subsequent_indent=indent) or [f"{name}:"]
    if source:
        lines += wrap(f"[{source}]", WIDTH, initial_indent=indent, subsequent_indent=indent + " ")
    return lines


def _wrapped(text: str) -> list[str]:
    return wrap(text, WIDTH)
