"""What a cell prints, the same in every format: numbers as papers print them, counts, differences."""

import math
from dataclasses import dataclass

from sodbench.reporting.table import DEVIATION, DIFFERENCE, HIGH, LOW, Row, Table

MINUS = "−"
# what folded parts of a table hold
REMARKS = "Remarks on the published values, and why others are not shown"
_EXPLANATIONS = {
    LOW: "In brackets after measured values: 95 % bootstrap confidence intervals over images.",
    DEVIATION: "After ±: standard deviation over seeds.",
}


@dataclass(frozen=True)
class Cell:
    """One value: as printed, as a number, its mark ("best", "second" or ""), what follows it (`spread`).

    `dagger`: in a wide table, of a different set of images or masks than the other methods, not ranked. A
    measured method without a score has a dash, a published row without a value no text.
    """

    text: str = ""
    value: float = math.nan
    mark: str = ""
    spread: str = ""
    dagger: bool = False


def number(value: float | None, digits: int = 3) -> str:
    """A score as papers print it, without the leading zero; a dash where there is none.

    >>> number(0.8439), number(1.0002), number(float("nan")), number(-0.0001)
    ('.844', '1.000', '–', '.000')
    """
    if value is None or math.isnan(value):
        return "–"
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    if text.startswith("0."):
        return text[1:]
    if text.startswith("-0."):
        return MINUS + text[2:]
    return text.replace("-", MINUS)


def score(row: Row, full: str, digits: int) -> str:
    """The value of one metric; a published one with no more digits than were printed."""
    printed = row.get("digits")
    if row["kind"] == "published" and printed is not None and not math.isnan(printed):
        digits = min(digits, int(printed))
    return number(row[full], digits)


def difference(row: Row, full: str, digits: int) -> str:
    """Measured minus published with its sign, `+.002`; empty where there is none."""
    value = row.get(f"{DIFFERENCE}{full}", math.nan)
    if value is None or math.isnan(value):
        return ""
    text = number(abs(value), digits)
    if float(text) == 0:
        return f"±{text}"
    return (MINUS if value < 0 else "+") + text


def spread(row: Row, full: str, digits: int) -> str:
    """What follows a value: the difference to a published one, the deviation over seeds, or the interval."""
    shift = difference(row, full, digits)
    if shift:
        return f"({shift})"
    deviation = row.get(f"{DEVIATION}{full}", math.nan)
    if deviation is not None and not math.isnan(deviation):
        return f"±{number(deviation, digits)}"
    low, high = row.get(f"{LOW}{full}", math.nan), row.get(f"{HIGH}{full}", math.nan)
    if low is not None and not math.isnan(low):
        return f"[{number(low, digits)}, {number(high, digits)}]"
    return ""


def spread_explanations(table: Table) -> list[str]:
    """One sentence for each kind of `spread` (intervals, deviations) that the table holds."""
    columns = [str(name) for name in table.frame if table.frame[name].notna().any()]
    return [text for start, text in _EXPLANATIONS.items() if any(name.startswith(start) for name in columns)]


def without_runs(rows: int) -> str:
    """What the folded published rows of a table are."""
    return f"Published values of methods without a run here: {rows} row{'s' * (rows > 1)}"


def count(row: Row) -> str:
    """Images scored of images expected, `201/1000`; for a published row its count or "n not stated"."""
    scored = row["scored"]
    if row["kind"] == "published":
        return "n not stated" if scored is None or math.isnan(scored) else f"{int(scored)}"
    return f"{int(scored)}/{int(row['expected'])}"
