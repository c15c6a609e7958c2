"""Whether a published number may stand beside a measured one: same convention, same images.

Two protocols agree on a metric when the fields that move it agree. Fields that only touch the last digits
(epsilons, 255 or 256 levels, rounding of levels, what becomes of empty images) do not part them, but such
a value is not called exact; docs/protocols.md shows their effect.
"""

from dataclasses import dataclass
from typing import Any

from sodbench.results.published import CURVE_OF_MEANS, MEAN_OF_CURVES, Published

_MASK = ("mask_scale", "mask_threshold", "mask_comparator")
# what moves a metric by more than rounding; mask thresholds near one half do so only on grey masks
DECISIVE = {
    "MAE": ("mae_scale", "mask_in_mae"),
    "maxF": ("f_average", "f_scale", "f_beta2"),
    "meanF": ("mean_f", "f_average", "f_scale", "f_beta2"),
    "adpF": ("f_scale", "f_beta2"),
    "wF": ("wf_scale", "wf_beta2"),
    "S": ("s_scale", "s_alpha", "s_object_ddof", "s_variance_ddof"),
    "maxE": ("e_scale",),
    "meanE": ("e_scale",),
    "adpE": ("e_scale",),
    "relaxF": ("boundary_window", "boundary_radius", "boundary_average"),
}
_LEVELS = ("levels", "quantise", "f_left_out", "precision_epsilon", "recall_epsilon", "f_epsilon")
MINOR = {
    "maxF": _LEVELS,
    "meanF": _LEVELS,
    "adpF": _LEVELS,
    "wF": ("wf_epsilon", "empty_mask"),
    "S": ("s_covariance_ddof", "s_centre_rounding", "s_epsilon", "s_clip"),
    "maxE": ("e_comparator", "e_denominator", "e_epsilon"),
    "meanE": ("e_comparator", "e_denominator", "e_epsilon"),
    "adpE": ("e_comparator", "e_denominator", "e_epsilon"),
}
# counts that sources leave out although it matters
_AMBIGUOUS = {
    "hku-is": "the source does not print whether it means all 4447 images or the 1447 of the test split"
}


@dataclass(frozen=True)
class Verdict:
    """Whether a published value may be shown in a column, how sure that is, and why (not)."""

    shown: bool
    exact: bool
    reason: str


def verdict(value: Published, metric: str, protocol: Any, scored: int, expected: int) -> Verdict:
    """Judges one published value against measured ones of `metric` under `protocol`.

    `scored` of `expected` images is what the measured rows of the data set have; a partial measurement
    compares with nothing that is published.
    """
    if value.metric != metric:
        return Verdict(False, False, f"{value.printed_metric} is another metric than {metric}")
    if scored != expected:
        return Verdict(False, False, f"only {scored} of {expected} images are scored here")
    if value.n is not None and value.n != expected:
        return Verdict(False, False, f"published on {value.n} images, {expected} here")
    if value.n is None and value.dataset in _AMBIGUOUS:
        return Verdict(False, False, _AMBIGUOUS[value.dataset])
    if value.protocol is not None:
        return _named(value, metric, protocol)
    if value.family is not None and metric == "maxF":
        here = CURVE_OF_MEANS if getattr(protocol, "f_average", None) == "means" else MEAN_OF_CURVES
        if here != value.family:
            return Verdict(False, False, f"max F of the {value.family} there, of the {here} here")
        return Verdict(True, False, f"toolkit not stated; same family of max F ({here})")
    return Verdict(False, False, "the source does not state its toolkit")


def _named(value: Published, metric: str, protocol: Any) -> Verdict:
    """Compares the fields of the published protocol with those of the measured one."""
    from sodbench.metrics.protocol import load_protocol

    if value.protocol == protocol.name:
        return Verdict(True, True, "same protocol")
    there = load_protocol(str(value.protocol))
    for name in DECISIVE.get(metric, ()):
        if getattr(there, name) != getattr(protocol, name, None):
            return Verdict(
                False,
                False,
                f"published under {value.protocol}, whose {name} is {_said(getattr(there, name))} and not"
                f" {_said(getattr(protocol, name, None))} as in {protocol.name}",
            )
    minor = (*_MASK, *MINOR.get(metric, ()))
    same = all(getattr(there, name) == getattr(protocol, name, None) for name in minor)
    return Verdict(True, same, f"{value.protocol} and {protocol.name} agree on {metric} up to rounding")


def _said(value: object) -> str:
    return ", ".join(map(str, value)) or "nothing" if isinstance(value, tuple | list) else str(value)
