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
# max F by the kind of F curve
_MAX_F = {
    CURVE_OF_MEANS: "max F of averaged precision and recall",
    MEAN_OF_CURVES: "max F of averaged F curves",
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
            reason = f"published: {_MAX_F[value.family]}; here: {_MAX_F[here]}"
            return Verdict(False, False, reason)
        return Verdict(True, False, f"toolkit not stated; both are {_MAX_F[here]}")
    return Verdict(False, False, "the source does not state its toolkit")


def _named(value: Published, metric: str, protocol: Any) -> Verdict:
    """Compares the fields of the published protocol with those of the measured one."""
    from sodbench.metrics.differences import topic_of
    from sodbench.metrics.protocol import convention_fields, load_protocol
    from sodbench.metrics.registry import fields_that_move

    there = load_protocol(str(value.protocol))
    if all(getattr(there, key) == getattr(protocol, key, None) for key in ("version", *convention_fields())):
        return Verdict(True, True, "same protocol")
    decisive, minor = fields_that_move(metric)
    for key in decisive:
        if getattr(there, key) != getattr(protocol, key, None):
            theirs, ours = (_in_words(key, getattr(one, key, None)) for one in (there, protocol))
            there_and_here = f"whose {topic_of(key)} {theirs}; that of {protocol.name} {ours}"
            return Verdict(False, False, f"published under {value.protocol}, {there_and_here}")
    same = all(getattr(there, key) == getattr(protocol, key, None) for key in ("version", *minor))
    return Verdict(True, same, f"{value.protocol} and {protocol.name} agree on {metric} up to rounding")


def _in_words(key: str, value: object) -> str:
    """What a protocol does by one field; a record of another version may lack it, or hold another value."""
    from sodbench.metrics.differences import in_words

    if value is None:
        return "is not stated"
    try:
        return in_words(key, tuple(value) if isinstance(value, list) else value)
    except KeyError:
        return f"has {key} = {value}"
