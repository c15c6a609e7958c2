"""Which protocols reproduce a published number, and which single convention would have to differ."""

import dataclasses
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sodbench.errors import InputError, unknown_names
from sodbench.metrics.aggregate import ScoreTable
from sodbench.metrics.differences import in_words, topic_of
from sodbench.metrics.protocol import Protocol, convention_fields
from sodbench.metrics.registry import all_families, families_of, fields_that_move

Score = Callable[[list[Protocol], list[str] | None], Mapping[str, ScoreTable]]


@dataclass(frozen=True)
class PrintedNumber:
    """A number as a paper prints it: `value` to `digits` decimals."""

    metric: str
    value: float
    digits: int

    @property
    def half_step(self) -> float:
        """How far the true value may be from the printed one."""
        return 0.5 * 10.0**-self.digits

    def fits(self, value: float) -> bool:
        """True where a value rounds to the printed one (a last digit in doubt counts as right)."""
        return abs(value - self.value) <= self.half_step * (1 + 1e-6)


def parse_published(texts: Sequence[str]) -> list[PrintedNumber]:
    """Reads `maxF=.844` and the like; raises InputError that names every bad one.

    >>> parse_published(["maxF=.844"])
    [PrintedNumber(metric='maxF', value=0.844, digits=3)]
    """
    known = [info.name for family in all_families().values() if family.standard for info in family.metrics]
    numbers, unknown, bad = [], [], []
    for text in texts:
        match = re.fullmatch(r"(\w+)=(\d*)(?:\.(\d+))?", text)
        if match is None or not (match[2] or match[3]):
            bad.append(f"{text!r}: expected METRIC=NUMBER, for example maxF=.844")
        elif match[1] not in known:
            unknown.append(match[1])
        else:
            value = float(f"{match[2] or 0}.{match[3] or 0}")
            if value > 1:
                bad.append(f"{text!r}: expected a value in 0..1 (divide percentages by 100)")
            numbers.append(PrintedNumber(match[1], value, len(match[3] or "")))
    if unknown:
        raise unknown_names("metric", unknown, known)
    if bad:
        raise InputError("; ".join(bad))
    return numbers


def single_changes(protocol: Protocol, family: str) -> list[tuple[str, Protocol]]:
    """The protocols that differ from this one in one convention of the family, with what was changed."""
    variants = []
    for key, values in values_to_try(family).items():
        for value in values:
            if value != getattr(protocol, key):
                change = f"{key} = {_shown(value)}"
                name = f"{protocol.name}, {change}"
                variants.append((change, dataclasses.replace(protocol, name=name, **{key: value})))
    return variants


def changes_in_words(metric: str) -> dict[str, str]:
    """The changes of `single_changes`, each with what it means.

    >>> changes_in_words("maxF")["f_average = means"]
    'F curve is F of mean precision and mean recall'
    """
    words = {}
    for key, values in values_to_try(families_of([metric])[0]).items():
        for value in values:
            change = f"{key} = {_shown(value)}"
            words[change] = f"{topic_of(key)} {in_words(key, value)}"
    return words


def values_to_try(family: str) -> dict[str, tuple[Any, ...]]:
    """The fields that move a standard family's scores, with the values that toolkits use."""
    metrics = [info.name for info in all_families()[family].metrics]
    moving = {key for metric in metrics for keys in fields_that_move(metric) for key in keys}
    return {
        key: convention.values
        for key, convention in convention_fields().items()
        if key in moving and convention.values and family in (convention.explains or [family])
    }


def explained(
    numbers: Sequence[PrintedNumber], protocols: Sequence[Protocol], score: Score
) -> list[dict[str, Any]]:
    """For each published number: every protocol's value, those that fit, and single changes that would fit.

    `score(protocols, families)` returns a score table for each protocol by name. Single changes are tried on
    every protocol that does not fit; if none fits, on the nearest.
    """
    families = {families_of([one.metric])[0] for one in numbers}
    defined = [one for one in protocols if families & set(one.families)]
    tables = score(defined, None) if defined else {}
    return [_explained(one, {p.name: p for p in defined}, tables, score) for one in numbers]


def _explained(
    number: PrintedNumber, protocols: dict[str, Protocol], tables: Mapping[str, ScoreTable], score: Score
) -> dict[str, Any]:
    metric = number.metric
    family = families_of([metric])[0]
    values = {name: tables[name].scores.get(metric, math.nan) for name in protocols}
    values = {name: value for name, value in values.items() if not math.isnan(value)}
    fits = [name for name, value in values.items() if number.fits(value)]
    others = [name for name in values if name not in fits]
    others.sort(key=lambda name: abs(values[name] - number.value))
    if not fits:
        others = others[:1]
    tried = {name: single_changes(protocols[name], family) for name in others}
    variants = [variant for pairs in tried.values() for _, variant in pairs]
    scored = score(variants, [family]) if variants else {}
    changes = {}
    for name, pairs in tried.items():
        moved = {change: scored[variant.name].scores.get(metric, math.nan) for change, variant in pairs}
        changes[name] = {change: value for change, value in moved.items() if number.fits(value)}
    own_best = {}
    if metric in ("maxF", "maxE"):
        own_best = {name: float(tables[name].per_image[metric].mean()) for name in values}
    return {
        "metric": metric,
        "value": number.value,
        "from": number.value - number.half_step,
        "to": number.value + number.half_step,
        "scores": values,
        "fits": fits,
        "single_changes_that_fit": changes,
        "best_threshold_per_image": {name: value for name, value in own_best.items() if number.fits(value)},
    }


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return "+".join(value) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
