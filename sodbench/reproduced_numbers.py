"""What came of reproducing a record: each recorded number beside the new one, and how far they agree."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from sodbench.text import columns


@dataclass(frozen=True)
class ReproducedNumber:
    """A recorded value and the new one.

    `agrees` is "to the bit" (printed as bit-identical), "to 1.2e-05" (the difference) or "no".
    """

    name: str
    recorded: Any
    now: Any
    agrees: str

    @property
    def agreement(self) -> str:
        """`agrees` as it is printed."""
        return "bit-identical" if self.agrees == "to the bit" else self.agrees


@dataclass(frozen=True, repr=False)
class Reproduction:
    """The result of `reproduce`: notes on changed circumstances, and the comparison of every number."""

    record: Path
    notes: tuple[str, ...]
    numbers: tuple[ReproducedNumber, ...]

    @property
    def failed(self) -> tuple[ReproducedNumber, ...]:
        """The numbers that do not agree."""
        return tuple(number for number in self.numbers if number.agrees == "no")

    @property
    def summary(self) -> str:
        """How many of the numbers agree."""
        return f"{len(self.numbers) - len(self.failed)} of {len(self.numbers)} numbers agree"

    def __str__(self) -> str:
        """The notes, one line per number, and the summary."""
        rows = [(one.agreement, one.name, str(one.recorded), str(one.now)) for one in self.numbers]
        return "\n".join([*(f"note: {note}" for note in self.notes), *columns(rows), self.summary])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{title}</th>" for title in ("agrees", "number", "recorded", "now"))
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(str(value))}</td>" for value in cells) + "</tr>"
            for cells in ((one.agreement, one.name, one.recorded, one.now) for one in self.numbers)
        )
        notes = "".join(f"<li>{escape(note)}</li>" for note in self.notes)
        return f"<p>{self.summary}</p><ul>{notes}</ul><table><tr>{head}</tr>{rows}</table>"


def compared(name: str, then: Any, now: Any, tolerance: float) -> ReproducedNumber:
    """How far a recorded value and today's agree: bit-identical, within the tolerance, or not."""
    if then == now or (then != then and now != now):
        agrees = "to the bit"
    elif isinstance(then, float) and isinstance(now, float) and abs(then - now) <= tolerance:
        agrees = f"to {abs(then - now):.1e}"
    else:
        agrees = "no"
    return ReproducedNumber(name, then, now, agrees)
