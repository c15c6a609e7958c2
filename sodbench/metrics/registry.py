"""All metric families by name: one file in `families/` each, found without being listed anywhere.

A new metric is one file there that defines `FAMILY` (see `sodbench.metrics.family`). A score's full name is
`metric@protocol`; without the protocol it means the default one.
"""

import importlib
import pkgutil
from collections.abc import Iterable, Sequence
from functools import cache

from sodbench.arguments import instances
from sodbench.errors import InputError, unknown_names
from sodbench.metrics import families
from sodbench.metrics.family import Family, MetricInfo
from sodbench.metrics.protocol import DEFAULT, EVERY, FURTHER, STANDARD, Protocol, convention_fields

__all__ = [
    "MetricInfo",
    "all_families",
    "all_metrics",
    "chosen",
    "families_of",
    "fields_that_move",
    "full_name",
    "names_for",
    "split_name",
]


@cache
def all_families() -> dict[str, Family]:
    """Every family by name, the standard ones first."""
    modules = [
        importlib.import_module(f"{families.__name__}.{module.name}")
        for module in pkgutil.iter_modules(families.__path__)
    ]
    by_name: dict[str, Family] = {module.FAMILY.name: module.FAMILY for module in modules}
    order = [*STANDARD, *sorted(set(by_name) - set(STANDARD))]
    return {name: by_name[name] for name in order if name in by_name}


@cache
def all_metrics() -> dict[str, MetricInfo]:
    """Every score by name, in the order in which tables print them."""
    known = {info.name: info for family in all_families().values() for info in family.metrics}
    first = ["MAE", "maxF", "meanF", "adpF", "wF", "S", "maxE", "meanE", "adpE", "relaxF"]
    return {name: known[name] for name in [*first, *known] if name in known}


@cache
def fields_that_move(metric: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The fields of a protocol that move a metric: by more than rounding, and in the last digits only.

    >>> fields_that_move("MAE")[0]
    ('mae_scale', 'mask_in_mae')
    """
    own = [
        info.name
        for family in all_families().values()
        for info in family.metrics
        if family.standard or family.as_saved
    ]
    names = {metric, EVERY} if metric in own else {metric, EVERY, FURTHER}
    conventions = convention_fields().items()
    return (
        tuple(key for key, one in conventions if names & set(one.decisive)),
        tuple(key for key, one in conventions if names & set(one.minor)),
    )


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


def metric_names(names: str | Sequence[str]) -> list[str]:
    """The chosen names as a list; InputError for an empty choice and for what is no name."""
    given = instances("metrics", [names] if isinstance(names, str) else names, str, "names of metrics")
    if not given:
        raise InputError("metrics: none is chosen; name one at least, or leave the choice out for all")
    return given


def names_for(protocol: Protocol, names: Sequence[str], asked: Sequence[Protocol]) -> list[str]:
    """Those of the chosen names that a protocol is asked for, without their `@protocol`.

    A plain name (`MAE`) is meant for every protocol, a full name (`MAE@raw`) for that one. Raises
    InputError for a full name whose protocol is not among those `asked` for.
    """
    names = metric_names(names)
    protocols = [one.name for one in asked]
    split = [(name, *name.partition("@")) for name in names]
    strange = [name for name, _, at, wanted in split if at and wanted not in protocols]
    if strange:
        raise InputError(
            f"{', '.join(strange)}: that protocol is not selected (only {', '.join(protocols)}): add it "
            "to the protocols, or write the metric without @"
        )
    return [metric for _, metric, at, wanted in split if not at or wanted == protocol.name]


def chosen(names: Sequence[str] | None, protocol: Protocol) -> tuple[Family, ...]:
    """The families to compute: all that the protocol defines, or the named ones.

    Names are those of families or scores, plain or with `@` and the protocol's name. Raises InputError for
    unknown names, for a name `@` another protocol, and for a standard family that the protocol does not
    define.
    """
    known = all_families()
    if names is None:
        return tuple(known[name] for name in known if name in protocol.families)
    wanted = families_of(names_for(protocol, names, [protocol]))
    undefined = [name for name in wanted if known[name].standard and name not in protocol.families]
    if undefined:
        raise InputError(
            f"protocol {protocol.name!r} does not define {', '.join(undefined)}; it defines "
            f"{', '.join(protocol.families)}: choose among these, or another protocol"
        )
    return tuple(known[name] for name in known if name in wanted)
