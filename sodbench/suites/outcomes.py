"""What became of a suite's trainings and cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sodbench.results.run import Run
from sodbench.suites.durations import duration
from sodbench.suites.suite import Suite
from sodbench.text import columns

Ending = Literal["computed", "reused", "failed", "impossible"]


@dataclass(frozen=True)
class Outcome:
    """What became of one training or one cell.

    method, dataset, changed: those of its `Step`. reason: why it failed or is impossible. seconds: what it
    took.
    """

    method: str
    dataset: str | None
    state: Ending
    reason: str = ""
    changed: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def name(self) -> str:
        """The step in words."""
        return f"{self.method} on {self.dataset}" if self.dataset else f"training of {self.method}"


@dataclass(frozen=True, repr=False)
class SuiteRun:
    """A finished run of a suite: what became of every step, and the runs of its cells, also reused ones."""

    suite: Suite
    outcomes: tuple[Outcome, ...]
    runs: tuple[Run, ...]

    @property
    def failures(self) -> list[Outcome]:
        """The steps that failed or are impossible."""
        return [one for one in self.outcomes if one.state in ("failed", "impossible")]

    def as_dict(self) -> dict[str, Any]:
        """The public JSON object, without the scores."""
        return {"suite": self.suite.name, "steps": list(self.outcomes)}

    def __repr__(self) -> str:
        rows = [("method", "data set", "state", "time")]
        for one in self.outcomes:
            took = duration(one.seconds) if one.state == "computed" else ""
            rows.append((one.method, one.dataset or "(training)", one.state, took))
        return "\n".join(columns(rows))
