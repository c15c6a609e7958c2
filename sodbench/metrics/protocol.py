"""A protocol: every scoring convention that can change a number, as data.

A `Protocol` states what a toolkit does between the 8-bit map and the number in the table. The engine reads
it and knows no toolkit. The shipped protocols are the TOML files in `protocols/`. A protocol of one's own is
a TOML file with any of the fields below, on top of the protocol that its key `based_on` names.

Each field also says which metrics it moves, by how much, and which values toolkits use (`Convention`).
`protocols explain` and the comparison with published numbers read this from the field.
`docs/protocols.md` derives the metrics and shows where the toolkits differ.
"""

import dataclasses
import html
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_type_hints

from sodbench.catalog import read_toml
from sodbench.errors import InputError, first_of, unknown_names
from sodbench.schema import ABOVE_0, AT_LEAST_0, NOT_EMPTY, Check, parse, value_of

DEFAULT = "pysodmetrics"
SHIPPED = Path(__file__).resolve().parent / "protocols"

FamilyName = Literal["MAE", "F", "E", "S", "wF", "relaxF"]
STANDARD: tuple[FamilyName, ...] = get_args(FamilyName)
Scale = Literal["255", "max", "min-max"]
_SCALES = get_args(Scale)
Comparator = Literal[">", ">="]

_NAME = Check(
    "a name without @, control characters and spaces at its ends",
    lambda name: bool(name) and "@" not in name and name.isprintable() and name == name.strip(),
)
_VERSION = Check("1 or more, at most 9999", lambda value: 1 <= value <= 9999)
_GREY = Check("a grey value in 0..255", lambda value: 0 <= value <= 255)
_SHARE = Check("a number in 0..1", lambda value: 0 <= value <= 1)
_RADIUS = Check("1, 2 or 3", lambda value: value in (1, 2, 3))

# the metrics that a field moves: their names, or one of these two; a scaled metric is one that takes the map
# on the protocol's scale, not as it was saved
EVERY = "every metric"
FURTHER = "every scaled metric beyond the standard set"
_F_CURVE = ("maxF", "meanF")
_F = (*_F_CURVE, "adpF")
_E_CURVE = ("maxE", "meanE")
_E = (*_E_CURVE, "adpE")
_OVERLAP_CURVE = ("maxIoU", "meanIoU", "maxDice", "meanDice")
_OVERLAP = (*_OVERLAP_CURVE, "IoU", "adpIoU", "Dice", "adpDice")
_MSIOU_CURVE = ("maxMSIoU", "meanMSIoU")
_SI = ("siMaxF", "siMeanF", "siAdpF")


@dataclass(frozen=True)
class Convention:
    """What a field of a protocol does to the metrics.

    `decisive`: the metrics that it moves by more than rounding, so that two values of the field make two
    metrics. `minor`: those of which it moves the last digits, or only rare images (an empty mask, a grey
    pixel of a mask). `values`: what toolkits use. `explains`: the families for which `protocols explain`
    tries these values; None means every standard family that the field moves.
    """

    decisive: tuple[str, ...] = ()
    minor: tuple[str, ...] = ()
    values: tuple[Any, ...] = ()
    explains: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Protocol:
    """The conventions of one toolkit. m is the 8-bit map, g the 8-bit mask, x the scaled map in 0..1.

    Raises InputError that names the field for a value that is not allowed. Lists may stand for tuples.
    """

    name: Annotated[str, _NAME]
    version: Annotated[int, _VERSION] = 1
    title: str = ""
    description: str = ""
    source: str = ""
    notes: tuple[str, ...] = ()
    # the metric families that the toolkit defines; the other standard families are refused by name
    families: Annotated[tuple[FamilyName, ...], NOT_EMPTY] = STANDARD
    # maps of another size than their mask: refused, or resampled to the mask's size, bicubic as by MATLAB and
    # Pillow or bilinear as by OpenCV (`resizing.resized`)
    size_mismatch: Literal["error", "resize-map", "resize-map-opencv"] = "error"

    # How m becomes x (`*_scale`): m / 255, m / (max m + scale_epsilon), or (m - min m) / (max m - min m).
    # A map that cannot be scaled (constant, or all zero) is taken as m / 255.

    # MAE, against the binary mask or against the grey mask divided by its maximum
    mae_scale: Annotated[Scale, Convention(("MAE",), values=_SCALES)] = "min-max"
    mask_in_mae: Annotated[Literal["binary", "grey"], Convention(("MAE",), values=("binary", "grey"))] = (
        "binary"
    )

    # F-measure: the score that the toolkit prints as "mean F"; the mean of F over images, or F of the mean
    # precision and the mean recall; the scale of x, also for the metrics beyond the standard set
    mean_f: Annotated[Literal["curve", "adaptive"], Convention(("meanF",), values=("curve", "adaptive"))] = (
        "curve"
    )
    f_average: Annotated[Literal["images", "means"], Convention(_F_CURVE, values=("images", "means"))] = (
        "images"
    )
    f_scale: Annotated[Scale, Convention((*_F, FURTHER), values=_SCALES)] = "min-max"
    f_beta2: Annotated[float, ABOVE_0, Convention((*_F, *_SI), values=(0.3, 1.0))] = 0.3
    f_adaptive: Annotated[bool, Convention(minor=("siAdpF",))] = True  # whether the toolkit prints adpF

    # E-measure
    e_scale: Annotated[Scale, Convention(_E, values=_SCALES)] = "min-max"
    e_comparator: Annotated[Comparator, Convention(minor=_E, values=(">", ">="))] = ">="
    e_denominator: Annotated[Literal["N-1", "N"], Convention(minor=_E, values=("N-1", "N"))] = "N-1"
    e_epsilon: Annotated[float, AT_LEAST_0, Convention(minor=_E)] = 2.0**-52
    e_curve: bool = True  # whether the toolkit prints maxE and meanE

    # curves: 255 x is truncated or rounded to a grey level, or x is compared with the thresholds k / 255
    quantise: Annotated[
        Literal["truncate", "round", "exact"],
        Convention(
            minor=(*_F_CURVE, *_E_CURVE, *_OVERLAP_CURVE, "siMeanF"), values=("truncate", "round", "exact")
        ),
    ] = "truncate"

    # details of the F-measure: images left out of its averages; the number of thresholds (no toolkit draws
    # the E curve over 255); what is added to the denominators of precision, recall and F
    f_left_out: Annotated[
        tuple[Literal["empty-mask", "empty-map"], ...],
        Convention(
            minor=(*_F, *_SI),
            values=((), ("empty-mask",), ("empty-map",), ("empty-mask", "empty-map")),
        ),
    ] = ()
    levels: Annotated[
        Literal[255, 256],
        Convention(
            minor=(*_F_CURVE, *_E_CURVE, *_OVERLAP_CURVE, "siMaxF", "siMeanF", *_MSIOU_CURVE),
            values=(255, 256),
            explains=("F",),
        ),
    ] = 256
    precision_epsilon: Annotated[
        float, AT_LEAST_0, Convention(minor=(*_F, *_SI), values=(0.0, 1e-8, 1e-5))
    ] = 0.0
    recall_epsilon: Annotated[float, AT_LEAST_0, Convention(minor=(*_F, *_SI))] = 0.0
    f_epsilon: Annotated[float, AT_LEAST_0, Convention(minor=(*_F, *_SI))] = 0.0

    # S-measure: `ddof` as in numpy.var, of the object's deviation and of the regions' (co)variances
    s_scale: Annotated[Scale, Convention(("S",), values=_SCALES)] = "min-max"
    s_alpha: Annotated[float, _SHARE, Convention(("S",))] = 0.5
    s_object_ddof: Annotated[Literal[0, 1], Convention(("S",), values=(0, 1))] = 1
    s_variance_ddof: Annotated[Literal[0, 1], Convention(("S",), values=(0, 1))] = 1
    s_covariance_ddof: Annotated[Literal[0, 1], Convention(minor=("S",))] = 1
    s_centre_rounding: Annotated[
        Literal["half-even", "half-up"], Convention(minor=("S",), values=("half-even", "half-up"))
    ] = "half-even"
    s_epsilon: Annotated[float, AT_LEAST_0, Convention(minor=("S",))] = 2.0**-52
    s_clip: Annotated[bool, Convention(minor=("S",))] = True

    # weighted F-measure
    wf_scale: Annotated[Scale, Convention(("wF",), values=_SCALES)] = "min-max"
    wf_beta2: Annotated[float, ABOVE_0, Convention(("wF",), values=(0.3, 1.0))] = 1.0
    wf_epsilon: Annotated[float, AT_LEAST_0, Convention(minor=("wF",))] = 2.0**-52

    # relaxed boundary F
    boundary_window: Annotated[
        Literal["square", "disk"], Convention(("relaxF",), values=("square", "disk"))
    ] = "square"
    boundary_radius: Annotated[int, _RADIUS, Convention(("relaxF",), values=(1, 2, 3))] = 2
    boundary_average: Annotated[
        Literal["images", "means"], Convention(("relaxF",), values=("images", "means"))
    ] = "means"
    boundary_erosion: Annotated[
        Literal["cross", "square"], Convention(("relaxF",), values=("cross", "square"))
    ] = "cross"
    boundary_beta2: Annotated[float, ABOVE_0, Convention(("relaxF",))] = 0.3

    # an image whose mask is empty: scores 0, or 1 where the map agrees that there is no object
    empty_mask: Annotated[
        Literal["zero", "agreement"],
        Convention(
            minor=(*_F, "adpE", "wF", "relaxF", *_OVERLAP, "BER", "bIoU", "siAdpF"),
            values=("zero", "agreement"),
            explains=("wF",),
        ),
    ] = "zero"

    # the object: where g (scale "255") or 255 g / (max g + 1e-8) (scale "max") passes the threshold
    mask_threshold: Annotated[float, _GREY, Convention(minor=(EVERY,), values=(25.5, 127.0, 128.0))] = 128.0
    mask_scale: Annotated[Literal["255", "max"], Convention(minor=(EVERY,), values=("255", "max"))] = "255"
    mask_comparator: Annotated[Comparator, Convention(minor=(EVERY,), values=(">", ">="))] = ">"
    # added to the maximum by which a map (scale "max") or a grey mask (MAE) is divided
    scale_epsilon: Annotated[float, AT_LEAST_0, Convention(minor=("MAE", *_F, *_E, "S", "wF", FURTHER))] = 0.0

    def __post_init__(self) -> None:
        """Checks every field against its annotation; a whole number becomes a number, a list a tuple."""
        for key, annotation in _annotations().items():
            value = value_of(annotation, getattr(self, key), f"protocol {self.name!r}", key)
            object.__setattr__(self, key, value)

    def differing(self, other: "Protocol") -> list[str]:
        """The conventions, and `version`, in which two protocols differ; none: they are one protocol.

        Names and texts do not count.
        """
        keys = ("version", *convention_fields())
        return [key for key in keys if getattr(self, key) != getattr(other, key)]

    def changes(self) -> dict[str, tuple[Any, Any]]:
        """The conventions that differ from the default protocol: field -> (value here, value there)."""
        default = load_protocol(DEFAULT)
        pairs = {key: (getattr(self, key), getattr(default, key)) for key in convention_fields()}
        return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}

    def _repr_html_(self) -> str:
        """The title and the conventions that differ from the default protocol, for a notebook."""
        heading = f"<b>{html.escape(self.name)}</b> {html.escape(self.title)}"
        rows = "".join(
            f"<tr><td>{key}</td><td>{html.escape(shown(here))}</td><td>{html.escape(shown(there))}</td></tr>"
            for key, (here, there) in self.changes().items()
        )
        if not rows:
            return f"<div>{heading}: the conventions of {DEFAULT}</div>"
        return (
            f"<table><caption>{heading}</caption><thead><tr><th>convention</th><th>here</th>"
            f"<th>{DEFAULT}</th></tr></thead><tbody>{rows}</tbody></table>"
        )


@cache
def _annotations() -> dict[str, Any]:
    return get_type_hints(Protocol, include_extras=True)


@cache
def convention_fields() -> dict[str, Convention]:
    """The fields of a protocol that decide what a number is, without its name and texts, in their order."""
    texts = ("name", "version", "title", "description", "source", "notes")
    conventions = {}
    for key, annotation in _annotations().items():
        if key not in texts:
            marks = getattr(annotation, "__metadata__", ())
            conventions[key] = next((mark for mark in marks if isinstance(mark, Convention)), Convention())
    return conventions


def protocol_names() -> list[str]:
    """The shipped protocols, the default first.

    >>> protocol_names()[:2]
    ['pysodmetrics', 'basnet2019']
    """
    names = sorted(path.stem for path in SHIPPED.glob("*.toml"))
    order = [DEFAULT, "basnet2019", "sal-eval", "sodsurvey", "salod", "cod-toolbox"]
    order += ["pysodevaltoolkit", "birefnet", "raw"]
    return [name for name in order if name in names] + [name for name in names if name not in order]


def load_protocol(name: str | Path | Protocol) -> Protocol:
    """The protocol of a shipped name, or of a TOML file (a path that ends in `.toml`).

    Raises InputError for an unknown name (with the nearest ones), an unknown key, a wrong value, and for a
    file that gives other conventions the name of a shipped protocol.
    """
    if isinstance(name, Protocol):
        return name
    text = str(name)
    if text.endswith(".toml"):
        path = Path(text)
        if not path.is_file():
            raise InputError(f"{path}: no such protocol file; shipped ones: {', '.join(protocol_names())}")
        return own_or_shipped(_from_file(path), path)
    return _shipped(text)


def own_or_shipped(protocol: Protocol, source: str | Path) -> Protocol:
    """The protocol, or the shipped one of which it is a copy.

    The names of shipped protocols are reserved, in any letter case: tables and comparisons go by them. Raises
    InputError that names `source` for a protocol that gives such a name to other conventions.
    """
    shipped = reserved_as(protocol.name)
    if shipped is None:
        return protocol
    differing = protocol.differing(shipped)
    if differing:
        raise InputError(
            f"{source}: the name {shipped.name!r} is reserved for the shipped protocol, from which this one"
            f" differs in {first_of(differing, 3)}; choose another name"
        )
    return shipped


def reserved_as(name: str) -> Protocol | None:
    """The shipped protocol whose name this is, in any letter case; None where the name is free."""
    key = _plain(name)
    return next((_shipped(one) for one in protocol_names() if _plain(one) == key), None)


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold().strip()


@cache
def _shipped(name: str) -> Protocol:
    if name not in protocol_names():
        raise unknown_names("protocol", [name], protocol_names())
    return _from_file(SHIPPED / f"{name}.toml")


def _from_file(path: Path) -> Protocol:
    table = {"name": path.stem, **read_toml(path)}
    base = table.pop("based_on", None)
    if base is None:
        return from_dict(table, path)
    try:
        inherited = dataclasses.asdict(_shipped(str(base)))
    except InputError as error:
        raise InputError(f"{path}: based_on: {error}") from error
    return from_dict(inherited | table, path)


def from_dict(fields: Mapping[str, Any], source: str | Path = "protocol") -> Protocol:
    """The protocol of a table of its fields, as TOML files and run records hold it.

    Raises InputError that names `source` and the key for an unknown key or a wrong value.
    """
    return parse(Protocol, fields, source)


def shown(value: object) -> str:
    """A field's value in print: `true`, `none` for an empty list, `0.3`, `128`."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, tuple):
        return " ".join(str(item) for item in value) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
