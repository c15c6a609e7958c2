"""The schema of a baseline's TOML file; every error names the file and the key."""

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from sodbench.data.preprocessing import InputSpec
from sodbench.data.resizing import MapFilter
from sodbench.errors import InputError, Note
from sodbench.paths import user_path
from sodbench.schema import ABOVE_0, AT_LEAST_1, FILE_PATH, NOT_EMPTY, SHA256, Check, parse, wrong

Precision = Literal["fp32", "bf16", "fp16"]
PRECISIONS: tuple[str, ...] = get_args(Precision)
_Scale = Annotated[float, ABOVE_0, Check("16 or less", lambda value: value <= 16)]


@dataclass(frozen=True)
class Output:
    """What the network's maps are ("auto": see `outputs.map_kind`), and how they become levels.

    `stretch` maps each map's smallest value to 0 and its largest to 255. `gain` multiplies the logits:
    above 1 maps are closer to black and white, which lowers MAE and hardly changes F. `resample` is Pillow's
    filter that brings the levels to the image's size.
    """

    kind: Literal["logits", "probability", "auto"] = "logits"
    stretch: bool = True
    gain: Annotated[float, ABOVE_0, Check("1000 or less", lambda value: value <= 1000)] = 1.0
    resample: MapFilter = "bilinear"


@dataclass(frozen=True)
class Weights:
    """A weights file and where to fetch it; an h5 file is converted from Keras when it is loaded."""

    file: Annotated[str | None, FILE_PATH] = None
    url: str | None = None
    drive: str | None = None
    size: Annotated[int | None, AT_LEAST_1] = None
    sha256: Annotated[str | None, SHA256] = None
    licence: str | None = None
    note: str | None = None

    @property
    def fetchable(self) -> bool:
        """Whether there is an address to fetch the file from."""
        return self.url is not None or self.drive is not None

    @property
    def addresses(self) -> str:
        """The addresses in words."""
        drive = f"https://drive.google.com/uc?id={self.drive}" if self.drive else None
        return " or ".join(a for a in (self.url, drive) if a) or "no address known"


@dataclass(frozen=True)
class Inference:
    """How maps are computed: the precision per kind of device, and the views of an image that are averaged.

    `scales` are sizes relative to the input size; `mirror` adds the mirror image at each scale ("MS" and
    "Flip" of Chen et al., "Rethinking Atrous Convolution for Semantic Image Segmentation", 2017, section 4.2;
    here the logits are averaged).
    """

    cpu: Precision = "fp32"
    cuda: Precision = "fp32"
    scales: Annotated[tuple[_Scale, ...], NOT_EMPTY, Check("16 or fewer", lambda value: len(value) <= 16)] = (
        1.0,
    )
    mirror: bool = False


@dataclass(frozen=True)
class Published:
    """The numbers that a recipe is judged against: its own, or those `of` another baseline, with a `note`."""

    source: str = ""
    protocol: str = ""
    scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    voc2012: Mapping[str, float] = field(default_factory=dict)
    of: str | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class BaselineTable:
    """The keys of a baseline's TOML file, or of the `baseline` table that a callable carries.

    `training` is checked by `training.recipe`; `options` are the arguments of the network's callable;
    `published` may hold more than `Published`.
    """

    title: str
    network: str
    description: str = ""
    source: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    input: InputSpec = field(default_factory=InputSpec)
    output: Output = field(default_factory=Output)
    weights: Weights | None = None
    inference: Inference = field(default_factory=Inference)
    training: dict[str, Any] = field(default_factory=dict)
    published: dict[str, Any] = field(default_factory=dict)


def read_table(table: Mapping[str, Any], source: str | Path) -> BaselineTable:
    """Checks a baseline's table; `source` names the file in errors."""
    parsed = parse(BaselineTable, in_new_words(table, source), source)
    parse(Published, parsed.published, source, "published.", more=True)
    if parsed.input.fixed and parsed.inference.scales != (1.0,):
        raise wrong(source, "inference.scales", "[1.0], because input.fixed is true", parsed.inference.scales)
    if parsed.input.fixed and parsed.input.fit == "long-side":
        raise wrong(source, "input.fit", "'stretch' or 'pad', because input.fixed is true", parsed.input.fit)
    return parsed


def in_new_words(table: Mapping[str, Any], source: str | Path) -> Mapping[str, Any]:
    """The table with the former key `input.antialias` as `input.resample`, and a note that says so.

    Raises InputError where it is neither true nor false, or where both keys are there.
    """
    given = table.get("input")
    if not isinstance(given, Mapping) or "antialias" not in given:
        return table
    values = dict(given)
    antialias = values.pop("antialias")
    if not isinstance(antialias, bool):
        raise wrong(source, "input.antialias", "true or false", antialias)
    if "resample" in values:
        raise InputError(
            f"{source}: input.antialias is the former name of input.resample, which is there, too; "
            "remove input.antialias"
        )
    values["resample"] = "bilinear-antialias" if antialias else "bilinear"
    warnings.warn(
        f'{source}: input.antialias is now called input.resample = "{values["resample"]}"; the former key '
        "works in this version only",
        Note,
        stacklevel=4,
    )
    return {**table, "input": values}


def weights_folder() -> Path:
    """The folder of fetched weights: `$SODBENCH_WEIGHTS`, else one in the user's data folder."""
    if named := os.environ.get("SODBENCH_WEIGHTS"):
        return user_path(named)
    home = os.environ.get("XDG_DATA_HOME")
    try:
        base = Path(home) if home else Path.home() / ".local" / "share"
    except RuntimeError:
        raise InputError("this user has no home folder; set SODBENCH_WEIGHTS to a folder") from None
    return base / "sodbench" / "weights"
