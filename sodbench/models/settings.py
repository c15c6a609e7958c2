"""What a baseline's TOML may say; every mistake is an InputError with the file and the key."""

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sodbench.data.preprocessing import InputSpec
from sodbench.errors import InputError

Kind = Literal["logits", "probability", "auto"]


@dataclass(frozen=True)
class Output:
    """What the network's maps are ("auto": see outputs.py), and whether a map is stretched to 0..255.

    `gain` multiplies the logits: above 1 maps are nearer to a decision, which MAE rewards and F hardly sees.
    """

    kind: Kind = "logits"
    stretch: bool = True
    gain: float = 1.0


@dataclass(frozen=True)
class Weights:
    """A file and where it can be had; an h5 file is converted from Keras when it is loaded."""

    file: str | None = None
    url: str | None = None
    drive: str | None = None
    size: int | None = None
    sha256: str | None = None
    licence: str | None = None
    note: str | None = None

    @property
    def fetchable(self) -> bool:
        """Whether there is an address to fetch the file from."""
        return self.url is not None or self.drive is not None

    def where(self) -> str:
        """The addresses in words."""
        drive = f"https://drive.google.com/uc?id={self.drive}" if self.drive else None
        return " or ".join(a for a in (self.url, drive) if a) or "no address known"


@dataclass(frozen=True)
class Inference:
    """How maps are made: precision by kind of device, and the views of a picture that are averaged.

    `scales` are sizes relative to the input's, `mirror` adds each one's mirror image ("MS" and "Flip" of Chen
    et al., "Rethinking Atrous Convolution for Semantic Image Segmentation", 2017, section 4.2; here it is the
    logits that are averaged).
    """

    cpu: str = "fp32"
    cuda: str = "fp32"
    scales: tuple[float, ...] = (1.0,)
    mirror: bool = False


_TYPES: dict[str, tuple[type, ...]] = {
    "a string": (str,),
    "true or false": (bool,),
    "a positive whole number": (int,),
    "a table": (dict,),
}
_TOP = ("title", "description", "network", "options", "input", "output", "weights", "inference", "training",
        "published", "source")  # fmt: skip
PRECISIONS = ("fp32", "bf16", "fp16")


def read_baseline_table(table: dict[str, Any], path: Path) -> dict[str, Any]:
    """Checks a parsed TOML and returns the fields of `Baseline` other than name and path."""
    check = _Checker(path)
    check.keys(table, _TOP, "")
    for key in ("title", "network"):
        if key not in table:
            raise InputError(f"{path}: {key}: missing; expected a string")
        check.value(table, key, "", "a string")
    check.optional(table, ("description", "source"), "", "a string")
    check.optional(table, ("options", "training", "published"), "", "a table")
    return {
        "title": table["title"],
        "network": table["network"],
        "options": dict(table.get("options", {})),
        "input": _input(table.get("input", {}), check),
        "output": _output(table.get("output", {}), check),
        "weights": _weights(table["weights"], check) if "weights" in table else None,
        "inference": _inference(table.get("inference", {}), check),
        "training": dict(table.get("training", {})),
        "published": dict(table.get("published", {})),
        "description": table.get("description", ""),
    }


def _input(table: Any, check: "_Checker") -> InputSpec:
    check.table(table, "input")
    check.keys(table, ("height", "width", "scaling", "mean", "std", "antialias"), "input.")
    check.optional(table, ("antialias",), "input.", "true or false")
    check.optional(table, ("height", "width"), "input.", "a positive whole number")
    check.choice(table, "scaling", "input.", ("max", "255"))
    given = dict(table)
    for key in ("mean", "std"):
        if key in table:
            given[key] = check.triple(table, key, "input.")
    if any(s <= 0 for s in given.get("std", (1,))):
        raise check.wrong("input.std", given["std"], "three numbers above 0")
    return InputSpec(**given)


def _output(table: Any, check: "_Checker") -> Output:
    check.table(table, "output")
    check.keys(table, ("kind", "stretch", "gain"), "output.")
    check.choice(table, "kind", "output.", ("logits", "probability", "auto"))
    check.optional(table, ("stretch",), "output.", "true or false")
    given = dict(table)
    if "gain" in table:
        if not _is_positive(table["gain"]):
            raise check.wrong("output.gain", table["gain"], "a number above 0")
        given["gain"] = float(table["gain"])
    return Output(**given)


def _weights(table: Any, check: "_Checker") -> Weights:
    check.table(table, "weights")
    text = ("file", "url", "drive", "sha256", "licence", "note")
    check.keys(table, (*text, "size"), "weights.")
    check.optional(table, text, "weights.", "a string")
    check.optional(table, ("size",), "weights.", "a positive whole number")
    digest = table.get("sha256", "0" * 64)
    if len(digest) != 64 or set(digest.lower()) - set("0123456789abcdef"):
        raise check.wrong("weights.sha256", digest, "64 hexadecimal digits")
    return Weights(**table)


def _inference(table: Any, check: "_Checker") -> Inference:
    check.table(table, "inference")
    check.keys(table, ("cpu", "cuda", "scales", "mirror"), "inference.")
    check.optional(table, ("mirror",), "inference.", "true or false")
    for key in ("cpu", "cuda"):
        check.choice(table, key, "inference.", PRECISIONS)
    given = dict(table)
    if "scales" in table:
        scales = table["scales"]
        if not isinstance(scales, list) or not scales or not all(map(_is_positive, scales)):
            raise check.wrong("inference.scales", scales, "a list of numbers above 0")
        given["scales"] = tuple(map(float, scales))
    return Inference(**given)


def _is_positive(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < float("inf")


class _Checker:
    """Checks values of one TOML file, so that each error can name it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def wrong(self, key: str, found: object, expected: str) -> InputError:
        return InputError(f"{self.path}: {key}: expected {expected}, found {found!r}")

    def keys(self, table: dict[str, Any], known: tuple[str, ...], prefix: str) -> None:
        unknown = [key for key in table if key not in known]
        if not unknown:
            return
        said = []
        for key in unknown:
            near = difflib.get_close_matches(key, known, n=1)
            said.append(f"{prefix}{key}" + (f" (did you mean {prefix}{near[0]}?)" if near else ""))
        places = ", ".join(prefix + k for k in known)
        raise InputError(f"{self.path}: unknown key {', '.join(said)}; known: {places}")

    def table(self, value: object, key: str) -> None:
        if not isinstance(value, dict):
            raise self.wrong(key, value, "a table")

    def value(self, table: dict[str, Any], key: str, prefix: str, expected: str) -> None:
        value = table[key]
        right = isinstance(value, _TYPES[expected])
        if expected == "a positive whole number":
            right = right and not isinstance(value, bool) and value > 0
        if not right:
            raise self.wrong(prefix + key, value, expected)

    def optional(self, table: dict[str, Any], keys: tuple[str, ...], prefix: str, expected: str) -> None:
        for key in keys:
            if key in table:
                self.value(table, key, prefix, expected)

    def choice(self, table: dict[str, Any], key: str, prefix: str, choices: tuple[str, ...]) -> None:
        if key in table and table[key] not in choices:
            raise self.wrong(prefix + key, table[key], " or ".join(repr(c) for c in choices))

    def triple(self, table: dict[str, Any], key: str, prefix: str) -> tuple[float, float, float]:
        value = table[key]
        numbers = isinstance(value, list) and len(value) == 3
        if not numbers or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in value):
            raise self.wrong(prefix + key, value, "three numbers")
        return float(value[0]), float(value[1]), float(value[2])
