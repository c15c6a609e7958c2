"""Published numbers as data: every value with its table, paper, toolkit and remarks.

`literature/*.toml` holds one file a source, transcribed as printed; `methods.toml` says which printed names
mean the same method, `citations.bib` how to cite them. Values keep their printed digits, so that `.860`
is known to be rounded to three places.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sodbench.catalog import read_toml
from sodbench.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

FOLDER = Path(__file__).with_name("literature")
# the two ways of making a data set's F curve; max F differs by up to .04 between them
CURVE_OF_MEANS = "curve of means"
MEAN_OF_CURVES = "mean of curves"


@dataclass(frozen=True)
class Published:
    """One printed value. `protocol` is None where the source does not state its toolkit."""

    source: str
    short: str
    title: str
    venue: str
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
        """All remarks in one line, empty where there is none."""
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
    """The method that a run's or a table's name means, letter case and punctuation aside.

    >>> method_of("basnet").name, method_of("U2-Net").name, method_of("mine")
    ('BASNet', 'U²-Net', None)
    """
    return _by_plain_name().get(_plain(name))


@cache
def _by_plain_name() -> dict[str, Method]:
    found: dict[str, Method] = {}
    for method in methods().values():
        for name in (method.name, *method.printed):
            if found.setdefault(_plain(name), method) is not method:
                raise InputError(f"{FOLDER / 'methods.toml'}: {name!r} belongs to two methods")
    return found


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9†+]", "", name.lower().replace("²", "2"))


@cache
def published_values() -> tuple[Published, ...]:
    """Every published value, in the order of the files."""
    files = sorted(path for path in FOLDER.glob("*.toml") if path.name != "methods.toml")
    return tuple(value for path in files for value in _read(path))


def published_frame() -> "pd.DataFrame":
    """The published values as a table, a row a value, a column a field of `Published`."""
    import pandas as pd

    return pd.DataFrame([vars(value) for value in published_values()])


@cache
def bibliography() -> dict[str, str]:
    """The entries of `citations.bib` by key."""
    text = (FOLDER / "citations.bib").read_text(encoding="utf-8")
    found = {}
    for entry in re.split(r"\n(?=@)", text):
        key = re.match(r"@\w+\{([^,]+),", entry)
        if key:
            found[key.group(1)] = entry.strip()
    return found


def _read(path: Path) -> Iterator[Published]:
    """The values of one source; InputError names the file, table and row of a slip."""
    content = read_toml(path)
    source = content["source"]
    for table in content["tables"]:
        for printed_method, cells in table["rows"].items():
            for dataset, text in cells.items():
                where = f"{path}: {table['name']}: {printed_method}: {dataset}"
                yield from _cell(where, path.stem, source, table, printed_method, dataset, text)


def _cell(
    where: str,
    key: str,
    source: dict[str, Any],
    table: dict[str, Any],
    printed_method: str,
    dataset: str,
    text: str,
) -> Iterator[Published]:
    """The values of one cell, one a metric of the table: `.860 .758 .047`, a remark's mark behind a value."""
    parts = text.split()
    metrics = table["metrics"]
    if len(parts) != len(metrics):
        raise InputError(f"{where}: {len(parts)} values for {len(metrics)} metrics ({', '.join(metrics)})")
    method = method_of(printed_method)
    name = method.name if method else printed_method
    for metric, printed_metric, part in zip(metrics, table.get("printed", metrics), parts, strict=True):
        number = part.rstrip("*‡†")
        try:
            value = float(number)
        except ValueError:
            raise InputError(f"{where}: {part!r} is no number") from None
        remarks = (
            table.get("marks", {}).get(part[len(number) :], ""),
            table.get("remarks", {}).get(f"{name}/{dataset}/{metric}", ""),
            table.get("dataset_remarks", {}).get(dataset, ""),
            table.get("remark", ""),
        )
        yield Published(
            source=key,
            short=source["short"],
            title=source["title"],
            venue=source["venue"],
            table=table["name"],
            method=name,
            printed_method=printed_method,
            variant=table.get("variant"),
            dataset=dataset,
            n=table.get("counts", {}).get(dataset),
            metric=metric,
            printed_metric=printed_metric,
            value=value,
            printed=number,
            protocol=table.get("protocol", {}).get(metric),
            family=table.get("family", {}).get(metric),
            toolkit=source["toolkit"],
            cite=source.get("cite"),
            read_from=table["read_from"],
            remarks=tuple(remark for remark in remarks if remark),
        )
