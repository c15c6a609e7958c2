"""What an audit is: findings about a set or a folder of maps, with the facts that go with them."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Finding:
    level: str  # "problem", "known" or "note"
    kind: str
    text: str
    files: tuple[str, ...] = ()


@dataclass
class Audit:
    """What was found about one set (or one folder of maps)."""

    name: str
    folder: str
    expected: int
    images: int = 0
    masks: int = 0
    pairs: int = 0
    findings: list[Finding] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def problems(self) -> int:
        return sum(finding.level == "problem" for finding in self.findings)

    def add(self, level: str, kind: str, text: str, files: Iterable[str] = ()) -> None:
        self.findings.append(Finding(level, kind, text, tuple(files)))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"problems": self.problems}
