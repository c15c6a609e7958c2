"""Whether a published number may be compared with a measured one: same convention, same images.

Two protocols agree on a metric when the fields that decide it agree. Each field of `metrics.Protocol` says
which metrics it decides, and of which it moves only the last digits (epsilons, 255 or 256 levels, rounding of
levels, empty images, mask thresholds near one half). Where such a field differs the value may be shown, but
is not called exact; docs/protocols.md shows the effects.
"""

from dataclasses import dataclass
from typing import Any

from sodbench.results.published import CURVE_OF_MEANS, MEAN_OF_CURVES, Published

# data sets whose number of images a source has to state
_AMBIGUOUS = {
    "hku-is": "the source does not say whether it used all 4447 images or the 1447 of the test split"
}


@dataclass(frozen=True)
class Verdict:
    """Whether a published value may be shown in a column, how sure that is, and why (not)."""

    shown: bool
    exact: bool
    reason: str


def verdict(value: Published, metric: str, protocol: Any, scored: int, expected: int) -> Verdict:
    """Judges one published value against measured values of `metric` under `protocol`.

    `scored` of `expected` images of the data set were measured; a measurement of a part of them compares with
    no published number. `protocol` has the fields of a `metrics.Protocol`; a field that an older record lacks
    counts as different.
    """
    if value.metric != metric:
        return Verdict(False, False, f"{value.printed_metric} is not the same metric as {metric}")
    if scored != expected:
        return Verdict(False, False, f"only {scored} of {expected} images are scored here")
    if value.n is not None and value.n != expected:
        return Verdict(False, False, f"published on {value.n} images; the data set has {expected}")
    if value.n is None and value.dataset in _AMBIGUOUS:
        return Verdict(False, False, _AMBIGUOUS[value.dataset])
    if value.protocol is not None:
        return _named(value, metric, protocol)
    if value.family is not None and metric == "maxF":
        here = CURVE_OF_MEANS if getattr(protocol, "f_average", None) == "means" else MEAN_OF_CURVES
        if here != value.family:
            return Verdict(False, False, f"published: max F of the {value.family}; here: max F of the {here}")
        return Verdict(True, False, f"toolkit not stated; same family of max F ({here})")
    return Verdict(False, False, "the source does not state its toolkit")


def _named(value: Published, metric: str, protocol: Any) -> Verdict:
    """Compares the fields of the published protocol with those of the measured one."""
    from sodbench.metrics.protocol import convention_fields, load_protocol
    from sodbench.metrics.registry import fields_that_move

    there = load_protocol(str(value.protocol))
    if all(getattr(there, key) == getattr(protocol, key, None) for key in ("version", *convention_fields())):
        return Verdict(True, True, "same protocol")
    decisive, minor = fields_that_move(metric)
    for key in decisive:
        if getattr(there, key) != getattr(protocol, key, None):
            return Verdict(
                False,
                False,
                f"published under {value.protocol}, whose {key} is {_shown(getattr(there, key))} and not"
                f" {_shown(getattr(protocol, key, None))} as in {protocol.name}",
            )
    same = all(getattr(there, key) == getattr(protocol, key, None) for key in ("version", *minor))
    return Verdict(True, same, f"{value.protocol} and {protocol.name} agree on {metric} up to rounding")


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) or "nothing" if isinstance(value, tuple | list) else str(value)
