"""How two protocols differ, in words: one sentence per convention, what one does and what the other does."""

from dataclasses import dataclass
from typing import Any

from sodbench.metrics.protocol import EVERY, Protocol, convention_fields, shown
from sodbench.metrics.registry import all_families

_SCALE = {
    "255": "divides the map by 255",
    "max": "divides the map by its own maximum",
    "min-max": "min-max normalises the map",
}
EPSILON = 2.0**-52  # MATLAB's and numpy's eps
_ADDS = "adds {} to the denominators"
# topic and phrase of each field: a phrase per value, or one phrase with a place for the value
_WORDS: dict[str, tuple[str, dict[Any, str] | str]] = {
    "families": ("metrics", "defines {}"),
    "size_mismatch": (
        "a map whose size differs from its mask's",
        {
            "error": "is refused",
            "resize-map": "is resized, bicubic",
            "resize-map-opencv": "is resized as by OpenCV, bilinear and to 8 bits",
        },
    ),
    "mae_scale": ("MAE", _SCALE),
    "mask_in_mae": (
        "MAE",
        {"binary": "compares with the binary mask", "grey": "compares with the grey mask over its maximum"},
    ),
    "mean_f": ("mean F", {"curve": "is the mean of the F curve", "adaptive": "is the adaptive F"}),
    "f_average": (
        "F curve",
        {"images": "is the mean over images", "means": "is F of mean precision and mean recall"},
    ),
    "f_scale": ("F-measure", _SCALE),
    "f_beta2": ("F-measure", "has beta^2 = {}"),
    "f_adaptive": ("adaptive F", {True: "is reported", False: "is not reported"}),
    "e_scale": ("E-measure", _SCALE),
    "e_comparator": ("E-measure", "binarises with x {} threshold"),
    "e_denominator": ("E-measure", "divides by {} for an image of N pixels"),
    "e_epsilon": ("E-measure", _ADDS),
    "e_curve": ("max E and mean E", {True: "are reported", False: "are not reported"}),
    "quantise": (
        "curves",
        {
            "truncate": "truncate 255 x to a grey level",
            "round": "round 255 x to a grey level",
            "exact": "compare x as it is with the thresholds",
        },
    ),
    "f_left_out": (
        "averages of F",
        {
            (): "count every image",
            ("empty-mask",): "leave out images with an empty mask",
            ("empty-map",): "leave out images with an empty map",
            ("empty-mask", "empty-map"): "leave out images with an empty mask or an empty map",
        },
    ),
    "levels": ("curves", "have {} thresholds"),
    "precision_epsilon": ("precision", _ADDS),
    "recall_epsilon": ("recall", _ADDS),
    "f_epsilon": ("F-measure", _ADDS),
    "s_scale": ("S-measure", _SCALE),
    "s_alpha": ("S-measure", "weighs the object term by {}"),
    "s_object_ddof": ("S-measure, object term", "divides the variance by n{}"),
    "s_variance_ddof": ("S-measure, region term", "divides variances by n{}"),
    "s_covariance_ddof": ("S-measure, region term", "divides covariances by n{}"),
    "s_centre_rounding": (
        "S-measure, centroid of the object",
        {"half-even": "is rounded half to even", "half-up": "is rounded half up"},
    ),
    "s_epsilon": ("S-measure", _ADDS),
    "s_clip": ("S-measure", {True: "clips negative scores to 0", False: "keeps negative scores"}),
    "wf_scale": ("weighted F-measure", _SCALE),
    "wf_beta2": ("weighted F-measure", "has beta^2 = {}"),
    "wf_epsilon": ("weighted F-measure", _ADDS),
    "boundary_window": ("relaxed F-measure", "accepts boundaries within a {}"),
    "boundary_radius": ("relaxed F-measure", "accepts boundaries up to {} pixels apart"),
    "boundary_average": (
        "relaxed F-measure",
        {"images": "is the mean over images", "means": "is F of mean precision and mean recall"},
    ),
    "boundary_erosion": ("relaxed F-measure", "finds the boundary by erosion with a {}"),
    "boundary_beta2": ("relaxed F-measure", "has beta^2 = {}"),
    "empty_mask": (
        "an image with an empty mask",
        {"zero": "scores 0", "agreement": "scores 1 where the map is empty, too, else 0"},
    ),
    "mask_threshold": ("mask", "is binarised at grey level {}"),
    "mask_scale": (
        "mask",
        {"255": "is used as stored", "max": "is first scaled so that its maximum is 255"},
    ),
    "mask_comparator": (
        "mask",
        {
            ">": "counts a grey level equal to the threshold as background",
            ">=": "counts a grey level equal to the threshold as object",
        },
    ),
    "scale_epsilon": ("map and grey mask", "are divided by the maximum plus {}"),
}


@dataclass(frozen=True)
class Difference:
    """One convention in which two protocols differ.

    `here` and `there` say what each does; `moves` are the metrics that it moves by more than rounding, and
    `moves_little` those of which it moves the last digits or rare images only.
    """

    field: str
    topic: str
    here: str
    there: str
    moves: tuple[str, ...]
    moves_little: tuple[str, ...]


def differences_between(protocol: Protocol, other: Protocol) -> list[Difference]:
    """The conventions in which two protocols differ, in the order of their fields; empty for none.

    A convention of a metric that one of the two does not define is left out: there is nothing to compare.
    The metrics that it moves are those that both report; metrics beyond the standard set are not listed.
    """
    shared = set(protocol.families) & set(other.families)
    both = _reported(protocol) & _reported(other) | {EVERY}
    found = []
    for field, convention in convention_fields().items():
        mine, theirs = getattr(protocol, field), getattr(other, field)
        if mine == theirs or not _families_of(field) <= shared:
            continue
        topic, _ = _WORDS[field]
        found.append(
            Difference(
                field,
                topic,
                in_words(field, mine),
                in_words(field, theirs),
                tuple(name for name in convention.decisive if name in both),
                tuple(name for name in convention.minor if name in both),
            )
        )
    return found


def _reported(protocol: Protocol) -> set[str]:
    """The metrics of the standard set that a protocol has a score for."""
    infos = (info for name in protocol.families for info in all_families()[name].metrics)
    return {info.name for info in infos if info.only_if is None or getattr(protocol, info.only_if)}


def conventions_in_words(protocol: Protocol) -> dict[str, str]:
    """What a protocol does, by field; conventions of metrics that it does not define are left out."""
    defined = set(protocol.families)
    return {
        field: f"{topic_of(field)}: {in_words(field, getattr(protocol, field))}"
        for field in convention_fields()
        if _families_of(field) <= defined
    }


def topic_of(field: str) -> str:
    """What a field is about: the subject of the phrase of `in_words`.

    >>> topic_of("f_average")
    'F curve'
    """
    return _WORDS[field][0]


def in_words(field: str, value: Any) -> str:
    """What a protocol with this value of a field does, as a phrase without its subject.

    >>> in_words("f_scale", "max")
    'divides the map by its own maximum'
    """
    _, phrase = _WORDS[field]
    if not isinstance(phrase, str):
        return phrase[value]
    if phrase is _ADDS and not value:
        return "adds nothing to the denominators"
    if field == "scale_epsilon" and not value:
        return "are divided by the maximum"
    if field.endswith("_ddof"):
        return phrase.format(f" - {value}" if value else "")
    return phrase.format("2^-52" if value == EPSILON else shown(value))


def _families_of(field: str) -> set[str]:
    """The standard family that a field belongs to alone, by the field's first word."""
    first = field.partition("_")[0]
    owner = {"mae": "MAE", "f": "F", "e": "E", "s": "S", "wf": "wF", "boundary": "relaxF"}.get(first)
    if field == "mask_in_mae":
        owner = "MAE"
    return {owner} if owner else set()
