"""The table in docs/reliability.md: one row per fault, one column per command, `survived/trials`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .jobs import COMMANDS

BEGIN = "<!-- made by `python -m tests.faults` -->"
END = "<!-- end of what `python -m tests.faults` made -->"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"


@dataclass
class Count:
    """The trials of one command under one fault."""

    trials: int = 0
    failures: list[str] = field(default_factory=list)
    skipped: str = ""  # why

    def __str__(self) -> str:
        if not self.trials:
            return f"skipped: {self.skipped}" if self.skipped else "-"
        return f"{self.trials - len(self.failures)}/{self.trials}"


Cells = dict[tuple[str, str], str]


def cells_of(counts: Mapping[tuple[str, str], Count]) -> Cells:
    return {place: str(count) for place, count in counts.items() if str(count) != "-"}


def as_markdown(cells: Mapping[tuple[str, str], str], faults: list[str]) -> str:
    """The table, with the trials that were survived of all trials in each cell."""
    rows = [["fault", *COMMANDS], ["---", *["---:" for _ in COMMANDS]]]
    for fault in faults:
        row = [cells.get((fault, command), "-") for command in COMMANDS]
        if any(cell != "-" for cell in row):
            rows.append([fault, *row])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def read_cells(page: Path = PAGE) -> Cells:
    """The cells of the table as it is on the page; none without a table."""
    _, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    cells: Cells = {}
    commands: list[str] = []  # those of the page, which may lack new ones
    for line in rest.partition(END)[0].splitlines():
        if line.startswith("|") and not line.startswith("| ---"):
            first, *row = (cell.strip() for cell in line.strip("|").split("|"))
            if first == "fault":
                commands = row
            else:
                cells |= {(first, name): cell for name, cell in zip(commands, row, strict=True)}
    return cells


def write_cells(cells: Mapping[tuple[str, str], str], faults: list[str], page: Path = PAGE) -> None:
    """Puts the table between the page's two markers; rows and cells that were not measured stay."""
    head, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{page}: expected the lines {BEGIN!r} and {END!r}")
    table = as_markdown({**read_cells(page), **cells}, faults)
    page.write_text(f"{head}{BEGIN}\n\n{table}\n{END}{tail}", encoding="utf-8")
