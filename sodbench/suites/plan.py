"""The plan of a suite: its trainings and cells, and which of them are done, to do, or impossible and why.

    import sodbench as sb

    plan = sb.plan_suite("basnet-table2")
    plan.steps                 # one per training and cell: state, reason, what changed, seconds
    plan.fetch                 # the commands that fetch what is missing

In a notebook a plan is shown as a table.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any, Literal

from sodbench.errors import first_of
from sodbench.json_text import plain
from sodbench.results.run import Run
from sodbench.suites.durations import duration
from sodbench.suites.suite import Suite
from sodbench.text import columns

State = Literal["done", "running", "to do", "impossible"]
TRAINING = "(training)"  # in place of the data set, where tables print a training


@dataclass(frozen=True)
class Step:
    """One training or one cell of a suite, and its state.

    method: its row's name. dataset: None for a training. images: how many are on this disk, of expected ones.
    steps: of a training, how many its recipe has. reason: why it is not done. changed: what its record, or
    its former training, depended on and what it would depend on now. fetch: the command that fetches what is
    missing. seconds: an estimate from recorded speeds; None: unknown. run: its record, also where that is of
    other settings.
    """

    method: str
    dataset: str | None
    state: State
    images: int | None = None
    expected: int | None = None
    steps: int | None = None
    reason: str = ""
    changed: tuple[str, ...] = ()
    fetch: str | None = None
    seconds: float | None = None
    run: Run | None = field(default=None, repr=False, compare=False)

    @property
    def size(self) -> str:
        """What there is to do: `201/1000 images`, `800 steps`."""
        if self.steps is not None:
            return f"{self.steps} steps"
        return "" if self.images is None else f"{self.images}/{self.expected} images"

    def as_dict(self) -> dict[str, Any]:
        """The public JSON object."""
        fields: dict[str, Any] = plain(replace(self, run=None))
        del fields["run"]
        return {"kind": "training" if self.dataset is None else "cell", **fields}


@dataclass(frozen=True, repr=False)
class Plan:
    """The steps of a suite, in the order in which they are computed."""

    suite: Suite
    steps: tuple[Step, ...]

    @property
    def counts(self) -> dict[str, int]:
        """The number of steps in each state."""
        return dict(Counter(step.state for step in self.steps))

    @property
    def fetch(self) -> list[str]:
        """The commands that fetch what is missing, each once."""
        return list(dict.fromkeys(step.fetch for step in self.steps if step.fetch))

    @property
    def seconds(self) -> float:
        """The estimated seconds of what is to do and of known speed."""
        return sum(step.seconds or 0 for step in self.steps if step.state == "to do")

    @property
    def unknown(self) -> int:
        """The number of steps to do of unknown speed."""
        return sum(step.state == "to do" and step.seconds is None for step in self.steps)

    def as_dict(self) -> dict[str, Any]:
        """The public JSON object."""
        return {
            "suite": self.suite.name,
            "title": self.suite.title,
            "counts": self.counts,
            "seconds": self.seconds,
            "unknown": self.unknown,
            "fetch": self.fetch,
            "steps": [step.as_dict() for step in self.steps],
        }

    def lines(self) -> list[str]:
        """The plan as text: one line per step, then why and what to do."""
        rows = [("method", "data set", "", "state", "time")]
        for step in self.steps:
            time = "" if step.state != "to do" else duration(step.seconds)
            rows.append((step.method, step.dataset or TRAINING, step.size, step.state, time))
        lines = [*columns(rows), "", self.summary()]
        reasons: dict[str, list[str]] = {}
        for step in self.steps:
            if step.reason:
                reasons.setdefault(step.reason, []).append(_named(step))
            if step.changed:
                reasons.setdefault(f"changed: {'; '.join(step.changed)}", []).append(_named(step))
        lines += [f"{first_of(names, 3)}: {reason}" for reason, names in reasons.items()]
        return lines + [f"to fetch: {command}" for command in self.fetch]

    def summary(self) -> str:
        """One line: how many steps are in each state, and the time that the rest takes."""
        trainings = sum(step.dataset is None for step in self.steps)
        cells = len(self.steps) - trainings
        counted = [f"{trainings} training{'s' * (trainings != 1)}"] * bool(trainings)
        counted.append(f"{cells} cell{'s' * (cells != 1)}")
        order = ("done", "running", "to do", "impossible")
        states = ", ".join(f"{self.counts[one]} {one}" for one in order if one in self.counts)
        line = f"{self.suite.name}: {' and '.join(counted)}: {states}"
        return f"{line}; {time_left(self.seconds, self.unknown)}" if "to do" in self.counts else line

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        heads = ("method", "data set", "size", "state", "time", "why")
        rows = [
            (
                step.method,
                step.dataset or TRAINING,
                step.size,
                step.state,
                duration(step.seconds) if step.state == "to do" else "",
                "; ".join([step.reason] * bool(step.reason) + [*step.changed]),
            )
            for step in self.steps
        ]
        head = "".join(f"<th>{text}</th>" for text in heads)
        body = "".join(f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in row)}</tr>" for row in rows)
        return f"<table><caption>{escape(self.summary())}</caption><tr>{head}</tr>{body}</table>"


def time_left(seconds: float, unknown: int) -> str:
    """How long the rest takes, in words: `about 3 min left`, `3 min and 2 steps of unknown time left`."""
    steps = f"{unknown} step{'s' * (unknown != 1)} of unknown time"
    if unknown:
        return f"about {duration(seconds)} and {steps} left" if seconds else f"{steps} left"
    return f"about {duration(seconds)} left"


def _named(step: Step) -> str:
    return f"{step.method} on {step.dataset}" if step.dataset else f"training of {step.method}"
