"""A protocol: every scoring convention that can change a number, as data.

A `Protocol` names what a toolkit does between the 8-bit map and the number in the table; the engine reads
it and knows no toolkit. The shipped ones are the TOML files in `protocols/`; a user's own is a TOML file
with any of the fields below, on top of the protocol that its key `based_on` names. `docs/protocols.md`
derives the metrics and shows where the toolkits part.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from sodbench.catalog import read_toml
from sodbench.errors import InputError, unknown_names

DEFAULT = "pysodmetrics"
STANDARD = ("MAE", "F", "E", "S", "wF", "relaxF")
SHIPPED = Path(__file__).resolve().parent / "protocols"

Scale = Literal["255", "max", "min-max"]
Comparator = Literal[">", ">="]


@dataclass(frozen=True)
class Protocol:
    """The conventions of one toolkit. m is the 8-bit map, g the 8-bit mask, x the scaled map in 0..1."""

    name: str
    version: int = 1
    title: str = ""
    description: str = ""
    source: str = ""
    notes: tuple[str, ...] = ()
    # the metric families that the toolkit defines; others of the standard set are refused by name
    families: tuple[str, ...] = STANDARD

    # mask: g (scale "255") or 255 g / (max g + 1e-8) (scale "max"), compared with the threshold
    mask_scale: Literal["255", "max"] = "255"
    mask_threshold: float = 128.0
    mask_comparator: Comparator = ">"
    # MAE against the binary mask, or against the grey one divided by its maximum
    mask_in_mae: Literal["binary", "grey"] = "binary"
    # what happens when map and mask differ in size: refuse, or resample one to the other's size (bicubic)
    size_mismatch: Literal["error", "resize-map"] = "error"

    # how m becomes x, one for each use: m / 255, m / max, (m - min) / (max - min) (m / 255 where constant)
    f_scale: Scale = "min-max"
    e_scale: Scale = "min-max"
    s_scale: Scale = "min-max"
    wf_scale: Scale = "min-max"
    mae_scale: Scale = "min-max"
    scale_epsilon: float = 0.0  # added to the maximum of scale "max"

    # the curves: 255 x is truncated or rounded to an integer level, or x is compared with level / 255
    levels: int = 256
    quantise: Literal["truncate", "round", "exact"] = "truncate"

    # F-measure
    f_beta2: float = 0.3
    precision_epsilon: float = 0.0
    recall_epsilon: float = 0.0
    f_epsilon: float = 0.0
    f_average: Literal["images", "means"] = "images"  # mean of F, or F of mean precision and mean recall
    mean_f: Literal["curve", "adaptive"] = "curve"  # what the toolkit prints as "mean F"
    f_adaptive: bool = True
    f_left_out: tuple[Literal["empty-mask", "empty-map"], ...] = ()  # images outside F's averages

    # an empty mask: scores 0, or 1 where the map agrees that there is nothing (raw)
    empty_mask: Literal["zero", "agreement"] = "zero"

    # E-measure
    e_comparator: Comparator = ">="
    e_curve: bool = True
    e_denominator: Literal["N-1", "N"] = "N-1"
    e_epsilon: float = 2.0**-52

    # S-measure
    s_alpha: float = 0.5
    s_object_ddof: int = 1
    s_variance_ddof: int = 1
    s_covariance_ddof: int = 1
    s_centre_rounding: Literal["half-even", "half-up"] = "half-even"
    s_epsilon: float = 2.0**-52
    s_clip: bool = True

    # weighted F
    wf_beta2: float = 1.0
    wf_epsilon: float = 2.0**-52

    # relaxed boundary F
    boundary_beta2: float = 0.3
    boundary_erosion: Literal["cross", "square"] = "cross"
    boundary_window: Literal["square", "disk"] = "square"
    boundary_radius: int = 2
    boundary_average: Literal["images", "means"] = "means"

    def __post_init__(self) -> None:
        """Lets lists stand for tuples (JSON and TOML know no tuples) and checks every field."""
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, list):
                object.__setattr__(self, field.name, tuple(value))
            elif _types()[field.name] is float and isinstance(value, int) and not isinstance(value, bool):
                object.__setattr__(self, field.name, float(value))
            _check(f"protocol {self.name!r}", field.name, getattr(self, field.name))
        unknown = [name for name in self.families if name not in STANDARD]
        if unknown:
            raise unknown_names("metric family", unknown, STANDARD)
        if self.levels not in (255, 256):
            raise InputError(f"protocol {self.name!r}: levels is {self.levels}; expected 255 or 256")
        if not 1 <= self.boundary_radius <= 3:
            raise InputError(
                f"protocol {self.name!r}: boundary_radius is {self.boundary_radius}; expected 1, 2 or 3"
            )


def protocol_names() -> list[str]:
    """The shipped protocols, the default first.

    >>> protocol_names()[:2]
    ['pysodmetrics', 'basnet2019']
    """
    names = sorted(path.stem for path in SHIPPED.glob("*.toml"))
    order = [DEFAULT, "basnet2019", "sal-eval", "sodsurvey", "salod", "cod-toolbox", "raw"]
    return [name for name in order if name in names] + [name for name in names if name not in order]


def load_protocol(name: str | Path | Protocol) -> Protocol:
    """The protocol of a shipped name, or of a TOML file (a path that ends in `.toml`).

    Raises InputError for an unknown name (with the nearest ones), an unknown key or a wrong value.
    """
    if isinstance(name, Protocol):
        return name
    text = str(name)
    if text.endswith(".toml"):
        path = Path(text)
        if not path.is_file():
            raise InputError(f"{path}: no such protocol file; shipped ones: {', '.join(protocol_names())}")
        return _from_file(path)
    return _shipped(text)


@cache
def _shipped(name: str) -> Protocol:
    if name not in protocol_names():
        raise unknown_names("protocol", [name], protocol_names())
    return _from_file(SHIPPED / f"{name}.toml")


def _from_file(path: Path) -> Protocol:
    values = read_toml(path)
    base = values.pop("based_on", None)
    known = [field.name for field in dataclasses.fields(Protocol)]
    unknown = [key for key in values if key not in known]
    if unknown:
        raise InputError(f"{path}: {unknown_names('key', unknown, known)}")
    values.setdefault("name", path.stem)
    try:
        if base is None:
            return Protocol(**values)
        return dataclasses.replace(_shipped(str(base)), **values)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def from_dict(fields: Mapping[str, Any]) -> Protocol:
    """Rebuilds a protocol from `dataclasses.asdict`, as run records hold it."""
    return Protocol(**fields)


@cache
def _types() -> dict[str, Any]:
    return get_type_hints(Protocol)


def _check(where: str, key: str, value: Any) -> None:
    expected = _types()[key]
    if not _fits(value, expected):
        raise InputError(f"{where}: {key} is {value!r}; expected {_said(expected)}")


def _fits(value: Any, expected: Any) -> bool:
    origin = get_origin(expected)
    if origin is Literal:
        return value in get_args(expected)
    if origin is tuple:
        return isinstance(value, tuple) and all(_fits(item, get_args(expected)[0]) for item in value)
    if origin in (Union, UnionType):
        return any(_fits(value, one) for one in get_args(expected))
    if expected is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, expected)


def _said(expected: Any) -> str:
    origin = get_origin(expected)
    if origin is Literal:
        return " or ".join(repr(value) for value in get_args(expected))
    if origin is tuple:
        return f"a list of {_said(get_args(expected)[0])}"
    return {bool: "true or false", int: "an integer", float: "a number", str: "text"}.get(
        expected, str(expected)
    )
