"""The record of a stress run: one baseline on one data set, clean and under every corruption.

reports/stress/<name>/<dataset>/stress.json
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from sodbench.data.corruptions import KINDS, SEVERITY
from sodbench.errors import InputError
from sodbench.files import write_text
from sodbench.json_text import number_or_nan, read_json, to_json
from sodbench.metrics.registry import all_metrics, split_name
from sodbench.names import folder_name
from sodbench.results.provenance import Provenance
from sodbench.schema import AT_LEAST_1, NOT_EMPTY, Check, parse

SCHEMA = 1
FILE = "stress.json"
Scores = dict[str, float | None]  # by full name, such as maxF@pysodmetrics; None where undefined
_KIND = Check("a kind of corruption (docs/stress.md)", lambda value: value in KINDS)
_SEVERITY = Check("1 to 5", lambda value: SEVERITY.problem(value) is None)


@dataclass(frozen=True)
class Cell:
    """The scores of one kind and severity. `worst`: images with the largest falls in the leading metric."""

    kind: Annotated[str, _KIND]
    severity: Annotated[int, _SEVERITY]
    scores: Scores
    worst: tuple[str, ...] = ()


@dataclass(frozen=True)
class StressRecord:
    """Scores of a baseline on clean and on corrupted images of a data set.

    images: how many were scored, of `expected`. protocols: the names. depends: what every score here depends
    on, as text; cells of a record are used again where all of it is equal. clean: the scores of the images as
    they are, and clean_images the leading metric of each. seconds: how long predicting and scoring took per
    map, corruption included.
    """

    schema: int
    name: Annotated[str, NOT_EMPTY]
    dataset: Annotated[str, NOT_EMPTY]
    title: str
    images: Annotated[int, AT_LEAST_1]
    expected: int
    protocols: Annotated[tuple[str, ...], NOT_EMPTY]
    leading: str
    depends: dict[str, str]
    clean: Scores
    clean_images: Scores
    cells: tuple[Cell, ...]
    provenance: Provenance
    seconds: float = 0.0

    @property
    def kinds(self) -> list[str]:
        """The kinds of corruption, in the order of the cells."""
        return list(dict.fromkeys(cell.kind for cell in self.cells))

    @property
    def severities(self) -> list[int]:
        """The severities, in increasing order."""
        return sorted({cell.severity for cell in self.cells})

    def fall(self, cell: Cell, metric: str) -> float:
        """How much worse a score is than the clean one: clean - corrupted, or the rise where lower is better.

        NaN where either is undefined.
        """
        clean, corrupted = (number_or_nan(scores.get(metric)) for scores in (self.clean, cell.scores))
        return corrupted - clean if lower_is_better(metric) else clean - corrupted

    def falls(self, metric: str) -> dict[tuple[str, int], float]:
        """The fall in a metric, by kind and severity."""
        return {(cell.kind, cell.severity): self.fall(cell, metric) for cell in self.cells}

    def mean_fall(self, metric: str, kinds: Iterable[str] | None = None) -> float:
        """The mean over kinds (None: all) of the mean over severities; NaN where a fall is undefined."""
        falls = self.falls(metric)
        by_kind = [
            mean([fall for (kind, _), fall in falls.items() if kind == one])
            for one in (self.kinds if kinds is None else kinds)
        ]
        return mean(by_kind)

    def relative(self, fall: float, metric: str) -> float:
        """A fall as a share of the clean score; NaN where that is 0 or undefined."""
        clean = number_or_nan(self.clean.get(metric))
        return fall / clean if clean else math.nan

    def worst_cell(self) -> Cell | None:
        """The cell with the largest fall in the leading metric."""
        falls = [(self.fall(cell, self.leading), cell) for cell in self.cells]
        known = [pair for pair in falls if not math.isnan(pair[0])]
        return max(known, key=lambda pair: pair[0])[1] if known else None


def lower_is_better(metric: str) -> bool:
    """Whether lower values of a metric are better, such as of MAE."""
    info = all_metrics().get(split_name(metric)[0])
    return info is not None and not info.higher_is_better


def mean(values: Sequence[float]) -> float:
    """The mean; NaN of none."""
    return math.fsum(values) / len(values) if values else math.nan


def record_folder(reports: Path, name: str, dataset: str) -> Path:
    """The folder of a stress record."""
    return reports / "stress" / folder_name(name) / folder_name(dataset)


def save_stress(reports: Path, record: StressRecord) -> Path:
    """Writes the record atomically; returns its file."""
    path = record_folder(reports, record.name, record.dataset) / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, to_json(record, indent=1) + "\n")
    return path


def load_stress(reports: Path, name: str, dataset: str) -> StressRecord | None:
    """The stress record of a baseline on a data set; None where there is none.

    Raises InputError that names the file and what is wrong with it.
    """
    path = record_folder(reports, name, dataset) / FILE
    if not path.exists():
        return None
    content = read_json(path)
    schema = content.get("schema") if isinstance(content, Mapping) else None
    if isinstance(schema, int) and schema > SCHEMA:
        raise InputError(f"{path}: schema {schema} is of a later version of sodbench; upgrade sodbench")
    return parse(StressRecord, content, path, more=True)
