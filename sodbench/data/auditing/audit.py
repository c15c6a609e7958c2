"""What an audit of a data set, or of a folder of maps, reports: issues, and the facts that go with them."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from sodbench.text import columns

# a problem makes numbers wrong or incomparable; a known one is a problem that the set is published with and
# that its card names; a note is worth knowing
Level = Literal["problem", "known", "note"]
LEVELS: tuple[Level, ...] = ("problem", "known", "note")
Fact = str | dict[str, str] | dict[str, int]


@dataclass(frozen=True)
class Issue:
    """One observation about a set, and the files that it concerns."""

    level: Level
    kind: str
    text: str
    files: tuple[str, ...] = ()


@dataclass
class Audit:
    """Counts, issues and facts of one set, or of one folder of maps."""

    name: str
    folder: str
    expected: int
    images: int = 0
    masks: int = 0
    pairs: int = 0
    issues: list[Issue] = field(default_factory=list)
    facts: dict[str, Fact] = field(default_factory=dict)

    @property
    def problems(self) -> int:
        """The number of issues of level "problem"."""
        return sum(issue.level == "problem" for issue in self.issues)

    def add(self, level: Level, kind: str, text: str, files: Iterable[str] = ()) -> None:
        """Adds an issue."""
        self.issues.append(Issue(level, kind, text, tuple(files)))

    def as_dict(self) -> dict[str, Any]:
        """The public JSON object; issues are called findings there."""
        content = asdict(self)
        content["findings"] = content.pop("issues")
        return content | {"problems": self.problems}

    def lines(self) -> list[str]:
        """The audit as text: counts, issues by level, facts."""
        problems = "1 problem" if self.problems == 1 else f"{self.problems} problems"
        lines = [f"{self.name}  ({self.folder})", f"  {self.pairs} of {self.expected} pairs; {problems}"]
        issues = sorted(self.issues, key=lambda issue: LEVELS.index(issue.level))
        lines += [f"  {line}" for line in columns([(one.level, one.kind, one.text) for one in issues])]
        for name, value in self.facts.items():
            if isinstance(value, dict):
                value = "; ".join(f"{key} {entry}" for key, entry in value.items())
            lines.append(f"  {name}: {value}")
        return lines
