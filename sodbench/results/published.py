"""Published numbers as data: every value with its table, paper, toolkit and remarks.

`literature/` holds one TOML file per source, transcribed as printed; `methods.toml` says which printed names
mean the same method, `citations.bib` how to cite them. Values keep their printed digits, so that `.860`
is known to be rounded to three digits.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sodbench.catalog import read_toml
from sodbench.errors import InputError
from sodbench.schema import parse

if TYPE_CHECKING:
    import pandas as pd

FOLDER = Path(__file__).with_name("literature")
# the two ways of making the F curve of a data set; max F differs by up to .05 between them
CURVE_OF_MEANS = "curve of means"
MEAN_OF_CURVES = "mean of curves"


@dataclass(frozen=True)
class Published:
    """One printed value.

    `protocol` is None where the source does not state its toolkit, `n` (number of images) where it is not
    printed. `family` is the kind of F curve of a max F, where it is known. `link` is the address of the paper
    (DOI, else arXiv) or of the repository that printed the value; None where it is neither.
    """

    source: str
    short: str
    title: str
    venue: str
    link: str | None
    table: str
    method: str
    printed_method: str
    variant: str | None
    dataset: str
    n: int | None
    metric: str
    printed_metric: str
    value: float
    printed: str
    protocol: str | None
    family: str | None
    toolkit: str
    cite: str | None
    read_from: str
    remarks: tuple[str, ...]

    @property
    def digits(self) -> int:
        """Digits after the point as printed."""
        return len(self.printed.partition(".")[2])

    @property
    def remark(self) -> str:
        """All remarks in one line; empty without any."""
        return "; ".join(self.remarks)


@dataclass(frozen=True)
class Method:
    """A method of the literature: its name, the key of its citation, the names under which it is printed."""

    name: str
    cite: str
    printed: tuple[str, ...]


@cache
def methods() -> dict[str, Method]:
    """All methods of `methods.toml` by name."""
    content = read_toml(FOLDER / "methods.toml")
    return {name: Method(name, entry["cite"], tuple(entry["printed"])) for name, entry in content.items()}


def method_of(name: str) -> Method | None:
    """The method that the name of a run or of a printed row means; letter case and punctuation do not count.

    >>> method_of("basnet").name, method_of("U2-Net").name, method_of("mine")
    ('BASNet', 'U²-Net', None)
    """
    return _by_plain_name().get(_plain(name))


@cache
def _by_plain_name() -> dict[str, Method]:
    by_name: dict[str, Method] = {}
    for method in methods().values():
        for name in (method.name, *method.printed):
            if by_name.setdefault(_plain(name), method) is not method:
                raise InputError(f"{FOLDER / 'methods.toml'}: {name!r} belongs to two methods")
    return by_name


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9†+]", "", name.lower().replace("²", "2"))


@cache
def published_values() -> tuple[Published, ...]:
    """Every published value, in the order of the files."""
    files = sorted(path for path in FOLDER.glob("*.toml") if path.name != "methods.toml")
    return tuple(value for path in files for value in _read(path))


def published_frame() -> "pd.DataFrame":
    """The published values as a table: one row per value, one column per field of `Published`."""
    import pandas as pd

    return pd.DataFrame([vars(value) for value in published_values()])


@cache
def bibliography() -> dict[str, str]:
    """The entries of `citations.bib` by key."""
    text = (FOLDER / "citations.bib").read_text(encoding="utf-8")
    entries = {}
    for entry in re.split(r"\n(?=@)", text):
        key = re.match(r"@\w+\{([^,]+),", entry)
        if key:
            entries[key.group(1)] = entry.strip()
    return entries


@dataclass(frozen=True)
class _Source:
    """The table `source` of a file of `literature/`."""

    short: str
    title: str
    venue: str
    toolkit: str
    cite: str | None = None
    link: str | None = None


@dataclass(frozen=True)
class _PrintedTable:
    """One of the `tables` of a file: each cell of `rows` (method, data set) holds one value per metric.

    `printed` are the metrics' names in the source, where they differ. `marks` explains the signs behind
    values, `remarks` the values themselves (`method/dataset/metric`).
    """

    name: str
    read_from: str
    metrics: tuple[str, ...]
    rows: dict[str, dict[str, str]]
    printed: tuple[str, ...] = ()
    variant: str | None = None
    protocol: dict[str, str] = field(default_factory=dict)
    family: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)
    dataset_remarks: dict[str, str] = field(default_factory=dict)
    remark: str = ""


@dataclass(frozen=True)
class _File:
    """A file of `literature/`."""

    source: _Source
    tables: tuple[_PrintedTable, ...]


def _read(path: Path) -> Iterator[Published]:
    """The values of one source; InputError names the file, table and row of a mistake."""
    content = parse(_File, read_toml(path), path)
    for table in content.tables:
        for printed_method, cells in table.rows.items():
            for dataset, text in cells.items():
                try:
                    yield from _values(path.stem, content.source, table, printed_method, dataset, text)
                except ValueError as error:
                    raise InputError(f"{path}: {table.name}: {printed_method}: {dataset}: {error}") from None


def _values(
    key: str, source: _Source, table: _PrintedTable, printed_method: str, dataset: str, text: str
) -> Iterator[Published]:
    """The values of one cell, one per metric of the table: `.860 .758 .047*`, with marks behind values."""
    parts = text.split()
    metrics = table.metrics
    if len(parts) != len(metrics):
        raise ValueError(f"found {len(parts)} values, expected {len(metrics)} ({', '.join(metrics)})")
    method = method_of(printed_method)
    name = method.name if method else printed_method
    for metric, printed_metric, part in zip(metrics, table.printed or metrics, parts, strict=True):
        number = part.rstrip("*‡†")
        try:
            value = float(number)
        except ValueError:
            raise ValueError(f"found {part!r}, expected a number") from None
        remarks = (
            table.marks.get(part[len(number) :], ""),
            table.remarks.get(f"{name}/{dataset}/{metric}", ""),
            table.dataset_remarks.get(dataset, ""),
            table.remark,
        )
        yield Published(
            source=key,
            short=source.short,
            title=source.title,
            venue=source.venue,
            link=source.link,
            table=table.name,
            method=name,
            printed_method=printed_method,
            variant=table.variant,
            dataset=dataset,
            n=table.counts.get(dataset),
            metric=metric,
            printed_metric=printed_metric,
            value=value,
            printed=number,
            protocol=table.protocol.get(metric),
            family=table.family.get(metric),
            toolkit=source.toolkit,
            cite=source.cite,
            read_from=table.read_from,
            remarks=tuple(remark for remark in remarks if remark),
        )
