"""Under which protocols published values that a report does not show become comparable, and the command."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sodbench.errors import first_of
from sodbench.results.matching import verdict
from sodbench.results.published import Published
from sodbench.results.run import Run


@dataclass(frozen=True)
class LeftOut:
    """A published value that is not shown: why, and how many images of its data set are scored here."""

    value: Published
    reason: str
    scored: int
    expected: int

    def comparable_under(self, protocol: str) -> bool:
        """Whether it may stand in the column of its metric under a shipped protocol."""
        from sodbench.metrics.protocol import load_protocol

        value = self.value
        if value.metric not in _metrics_of(protocol):
            return False
        return verdict(value, value.metric, load_protocol(protocol), self.scored, self.expected).shown


@dataclass(frozen=True)
class Comparable:
    """How many of the values left out are comparable under a protocol, and how to show them.

    `arguments` are those of `sodbench report` without the reports folder, `reports`.
    """

    protocol: str
    values: Sequence[Published]
    arguments: Sequence[str]
    reports: Path

    @property
    def text(self) -> str:
        """What the command is for: `28 more published values are comparable under basnet2019 (...)`."""
        count, names = len(self.values), dict.fromkeys(value.metric for value in self.values)
        sources = dict.fromkeys(value.short for value in self.values)
        more = "value is" if count == 1 else "values are"
        return (
            f"{count} more published {more} comparable under {self.protocol}"
            f" ({', '.join(names)} of {first_of(list(sources), 4)})"
        )

    @property
    def command(self) -> str:
        """The command that shows them, with the reports folder as it was given."""
        return self._command(self.reports)

    @property
    def portable_command(self) -> str:
        """The command without an absolute path, which would mean nothing to the readers of a page."""
        folder = self.reports
        if folder.is_absolute():
            here = Path.cwd()
            folder = folder.relative_to(here) if folder.is_relative_to(here) else Path(folder.name)
        return self._command(folder)

    def _command(self, reports: Path) -> str:
        place = [] if reports == Path("reports") else ["--reports", str(reports)]
        return shlex.join(["sodbench", "report", *self.arguments, *place])

    def __str__(self) -> str:
        return f"{self.text}: {self.portable_command}"


def comparable_protocols(
    left_out: Mapping[str, Sequence[LeftOut]],
    runs: Sequence[Run],
    arguments: Sequence[str],
    published: Sequence[str],
) -> dict[str, list[Comparable]]:
    """The protocols under which most of the values left out become comparable, by data set.

    left_out: by data set. arguments: those of the report, without protocols and published sources.
    published: the chosen sources; empty: all. Nothing for runs that are in no reports folder, or in several.
    """
    folders = {run.reports for run in runs}
    reports = folders.pop() if len(folders) == 1 else None
    if reports is None:
        return {}
    waiting = [one for values in left_out.values() for one in values]
    shown: dict[str, list[Comparable]] = {}
    for protocol, members in _cover(waiting):
        held = all(protocol in run.tables for run in runs)
        command = ["--protocols", protocol, "--published", *published, *([] if held else ["--rescore"])]
        ids = set(map(id, members))
        for dataset, values in left_out.items():
            here = [one.value for one in values if id(one) in ids]
            if here:
                line = Comparable(protocol, here, [*command, *arguments], reports)
                shown.setdefault(dataset, []).append(line)
    return shown


def over_all(comparable: Mapping[str, Sequence[Comparable]]) -> list[Comparable]:
    """The same over all data sets: one line per protocol."""
    joined: dict[str, Comparable] = {}
    for lines in comparable.values():
        for line in lines:
            before = joined.get(line.protocol)
            values = [*before.values, *line.values] if before else line.values
            joined[line.protocol] = Comparable(line.protocol, values, line.arguments, line.reports)
    return list(joined.values())


def _cover(waiting: Sequence[LeftOut]) -> list[tuple[str, list[LeftOut]]]:
    """The fewest protocols, about: again and again the one under which most of the rest is comparable."""
    from sodbench.metrics.protocol import DEFAULT

    # those under which somebody published, so that as many values as possible are exact
    candidates = sorted({one.value.protocol for one in waiting if one.value.protocol} | {DEFAULT})
    rest, chosen = list(waiting), []
    while rest:
        groups = {name: [one for one in rest if one.comparable_under(name)] for name in candidates}
        best = max(groups, key=lambda name: (len(groups[name]), _exact(groups[name], name)))
        if not groups[best]:
            break
        chosen.append((best, groups[best]))
        members = {id(one) for one in groups[best]}
        rest = [one for one in rest if id(one) not in members]
    return chosen


def _exact(values: Sequence[LeftOut], protocol: str) -> int:
    return sum(one.value.protocol == protocol for one in values)


def _metrics_of(protocol: str) -> set[str]:
    """The scores that a shipped protocol defines."""
    from sodbench.metrics.protocol import load_protocol
    from sodbench.metrics.registry import all_families

    loaded = load_protocol(protocol)
    return {
        info.name
        for family in all_families().values()
        if not family.standard or family.name in loaded.families
        for info in family.defined(loaded)
    }
