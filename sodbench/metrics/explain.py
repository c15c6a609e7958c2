"""Which conventions reproduce a published number, and which single one would have to differ."""

import dataclasses
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sodbench.errors import InputError, unknown_names
from sodbench.metrics.protocol import Protocol
from sodbench.metrics.registry import all_families, families_of
from sodbench.metrics.table import ScoreTable

Score = Callable[[list[Protocol], list[str] | None], Mapping[str, ScoreTable]]

# the fields that can move a family's scores, with the values that toolkits use
_MASK: dict[str, tuple[Any, ...]] = {
    "mask_threshold": (25.5, 127.0, 128.0),
    "mask_scale": ("255", "max"),
    "mask_comparator": (">", ">="),
}
_SCALES = ("255", "max", "min-max")
FIELDS: dict[str, dict[str, tuple[Any, ...]]] = {
    "MAE": {"mae_scale": _SCALES, "mask_in_mae": ("binary", "grey"), **_MASK},
    "F": {
        "f_average": ("images", "means"),
        "f_scale": _SCALES,
        "mean_f": ("curve", "adaptive"),
        "f_beta2": (0.3, 1.0),
        "quantise": ("truncate", "round", "exact"),
        "f_left_out": ((), ("empty-mask",), ("empty-map",), ("empty-mask", "empty-map")),
        "levels": (255, 256),
        "precision_epsilon": (0.0, 1e-8, 1e-5),
        **_MASK,
    },
    "E": {
        "e_scale": _SCALES,
        "e_comparator": (">", ">="),
        "e_denominator": ("N-1", "N"),
        "quantise": ("truncate", "round", "exact"),
        **_MASK,
    },
    "S": {
        "s_scale": _SCALES,
        "s_object_ddof": (0, 1),
        "s_variance_ddof": (0, 1),
        "s_centre_rounding": ("half-even", "half-up"),
        **_MASK,
    },
    "wF": {"wf_scale": _SCALES, "wf_beta2": (0.3, 1.0), "empty_mask": ("zero", "agreement"), **_MASK},
    "relaxF": {
        "boundary_window": ("square", "disk"),
        "boundary_radius": (1, 2, 3),
        "boundary_average": ("images", "means"),
        "boundary_erosion": ("cross", "square"),
        **_MASK,
    },
}


@dataclass(frozen=True)
class Published:
    """A number as printed: `value` to `digits` decimals."""

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


def parse_published(texts: Sequence[str]) -> list[Published]:
    """Reads `maxF=.844` and the like; raises InputError that names every bad one.

    >>> parse_published(["maxF=.844"])
    [Published(metric='maxF', value=0.844, digits=3)]
    """
    known = [info.name for family in all_families().values() if family.standard for info in family.metrics]
    found, unknown, bad = [], [], []
    for text in texts:
        match = re.fullmatch(r"(\w+)=(\d*)(?:\.(\d+))?", text)
        if match is None or not (match[2] or match[3]):
            bad.append(f"{text!r}: expected METRIC=NUMBER, for example maxF=.844")
        elif match[1] not in known:
            unknown.append(match[1])
        else:
            value = float(f"{match[2] or 0}.{match[3] or 0}")
            if value > 1:
                bad.append(f"{text!r}: expected a value in 0..1 (divide per cents by 100)")
            found.append(Published(match[1], value, len(match[3] or "")))
    if unknown:
        raise unknown_names("metric", unknown, known)
    if bad:
        raise InputError("; ".join(bad))
    return found


def single_changes(protocol: Protocol, family: str) -> list[tuple[str, Protocol]]:
    """The protocols that differ from this one in one convention of the family, with what was changed."""
    found = []
    for field, values in FIELDS[family].items():
        for value in values:
            if value != getattr(protocol, field):
                change = f"{field} = {_shown(value)}"
                name = f"{protocol.name}, {change}"
                found.append((change, dataclasses.replace(protocol, name=name, **{field: value})))
    return found


def explained(
    published: Sequence[Published], protocols: Sequence[Protocol], score: Score
) -> list[dict[str, Any]]:
    """For each published number: every protocol's value, those that fit, and single changes that would.

    `score(protocols, families)` returns a score table for each protocol by name. Single changes are tried on
    every protocol that does not fit; if none fits, on the nearest.
    """
    families = {families_of([one.metric])[0] for one in published}
    defined = [one for one in protocols if families & set(one.families)]
    tables = score(defined, None) if defined else {}
    return [_explained(one, {p.name: p for p in defined}, tables, score) for one in published]


def _explained(
    one: Published, protocols: dict[str, Protocol], tables: Mapping[str, ScoreTable], score: Score
) -> dict[str, Any]:
    metric = one.metric
    family = families_of([metric])[0]
    values = {name: tables[name].scores.get(metric, math.nan) for name in protocols}
    values = {name: value for name, value in values.items() if not math.isnan(value)}
    fits = [name for name, value in values.items() if one.fits(value)]
    others = sorted(set(values) - set(fits), key=lambda name: abs(values[name] - one.value))
    if not fits:
        others = others[:1]
    tried = {name: single_changes(protocols[name], family) for name in others}
    variants = [variant for pairs in tried.values() for _, variant in pairs]
    scored = score(variants, [family]) if variants else {}
    changes = {}
    for name, pairs in tried.items():
        moved = {change: scored[variant.name].scores.get(metric, math.nan) for change, variant in pairs}
        changes[name] = {change: value for change, value in moved.items() if one.fits(value)}
    own_best = {}
    if metric in ("maxF", "maxE"):
        own_best = {name: float(tables[name].per_image[metric].mean()) for name in values}
    return {
        "metric": metric,
        "value": one.value,
        "from": one.value - one.half_step,
        "to": one.value + one.half_step,
        "scores": values,
        "fits": fits,
        "single_changes_that_fit": changes,
        "best_threshold_per_image": {name: value for name, value in own_best.items() if one.fits(value)},
    }


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return "+".join(value) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
