"""All metric families by name: one file in `families/` each, found without being listed anywhere.

A new metric is one file there that defines `FAMILY` (see `sodbench.metrics.family`). A score's full name is
`metric@protocol`; without the protocol it means the default one.
"""

import importlib
import pkgutil
from collections.abc import Iterable
from functools import cache

from sodbench.errors import InputError, unknown_names
from sodbench.metrics import families
from sodbench.metrics.family import Family, MetricInfo
from sodbench.metrics.protocol import DEFAULT, STANDARD, Protocol

__all__ = [
    "STANDARD",
    "MetricInfo",
    "all_families",
    "all_metrics",
    "chosen",
    "families_of",
    "full_name",
    "metric_info",
    "split_name",
]


@cache
def all_families() -> dict[str, Family]:
    """Every family by name, the standard ones first."""
    found = {}
    for module in pkgutil.iter_modules(families.__path__):
        family = importlib.import_module(f"{families.__name__}.{module.name}").FAMILY
        found[family.name] = family
    order = [*STANDARD, *sorted(set(found) - set(STANDARD))]
    return {name: found[name] for name in order if name in found}


@cache
def all_metrics() -> dict[str, MetricInfo]:
    """Every score by name, in the order in which tables print them."""
    known = {info.name: info for family in all_families().values() for info in family.metrics}
    first = ["MAE", "maxF", "meanF", "adpF", "wF", "S", "maxE", "meanE", "adpE", "relaxF"]
    return {name: known[name] for name in [*first, *known] if name in known}


def metric_info(name: str) -> MetricInfo:
    """Title, direction, range and source of a score (`maxF`, or `maxF@basnet2019`)."""
    metric, _ = split_name(name)
    if metric not in all_metrics():
        raise unknown_names("metric", [metric], all_metrics())
    return all_metrics()[metric]


def full_name(metric: str, protocol: str) -> str:
    """The name that identifies a number: `maxF@basnet2019`."""
    return f"{metric}@{protocol}"


def split_name(name: str) -> tuple[str, str]:
    """The metric and the protocol of a full name; without `@` the default protocol.

    >>> split_name("maxF@basnet2019"), split_name("S")
    (('maxF', 'basnet2019'), ('S', 'pysodmetrics'))
    """
    metric, _, protocol = name.partition("@")
    return metric, protocol or DEFAULT


def families_of(names: Iterable[str]) -> list[str]:
    """The families that names of families or scores stand for; raises InputError for unknown ones.

    >>> families_of(["maxF", "S", "meanF"])
    ['F', 'S']
    """
    known = all_families()
    owner = {info.name: family.name for family in known.values() for info in family.metrics}
    given = list(names)
    unknown = [name for name in given if name not in owner and name not in known]
    if unknown:
        raise unknown_names("metric", unknown, {*known, *owner})
    return list(dict.fromkeys(owner.get(name, name) for name in given))


def chosen(names: Iterable[str] | None, protocol: Protocol) -> tuple[Family, ...]:
    """The families to compute: all that the protocol defines, or the named ones (a score's name will do).

    Raises InputError for unknown names, and for a standard family that the protocol does not define.
    """
    known = all_families()
    if names is None:
        return tuple(known[name] for name in known if name in protocol.families)
    wanted = families_of(names)
    undefined = [name for name in wanted if known[name].standard and name not in protocol.families]
    if undefined:
        raise InputError(
            f"protocol {protocol.name!r} does not define {', '.join(undefined)}; it defines "
            f"{', '.join(protocol.families)}: choose among these, or another protocol"
        )
    return tuple(known[name] for name in known if name in wanted)
