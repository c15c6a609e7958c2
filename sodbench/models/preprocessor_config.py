"""`preprocessor_config.json` of a `transformers` model as the `[input]` of a baseline.

The keys are those of transformers' image processors: size, resample (a number of Pillow's), rescale_factor,
image_mean and image_std.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from sodbench.data.preprocessing import IMAGENET_MEAN, IMAGENET_STD
from sodbench.errors import InputError, Note
from sodbench.json_text import read_json
from sodbench.schema import ABOVE_0, parse, wrong

FILE = "preprocessor_config.json"
# Pillow's numbers of its filters, by this project's names
_FILTERS = {1: "lanczos", 2: "bilinear-antialias", 3: "bicubic"}
# what a model takes of which nothing is known; it is the size and the normalisation of BiRefNet
UNKNOWN_SIDE = 1024


@dataclass(frozen=True)
class _Processor:
    """The keys that are read; other keys are passed over."""

    size: Any = None
    crop_size: Any = None
    do_center_crop: bool | None = None
    do_rescale: bool | None = True
    do_normalize: bool | None = True
    do_flip_channel_order: bool | None = None
    keep_aspect_ratio: bool | None = None
    rescale_factor: Annotated[float | None, ABOVE_0] = None
    resample: int | None = 2
    image_mean: tuple[float, float, float] | None = None
    image_std: tuple[float, float, float] | None = None


def input_table(folder: Path, stated: Mapping[str, Any]) -> dict[str, Any]:
    """The `[input]` of the model in `folder`; keys that a TOML file has `stated` win.

    Without the file the input is 1024 x 1024 with ImageNet's mean and standard deviation, with a note where
    that is not stated. Raises InputError, which names the file, for values that cannot be kept.
    """
    file = folder / FILE
    if not file.is_file():
        return _assumed(folder, stated)
    read = parse(_Processor, read_json(file), file, more=True)
    if read.do_flip_channel_order:
        raise InputError(f"{file}: do_flip_channel_order: the model takes BGR, which is not supported")
    table: dict[str, Any] = {"scaling": "255"}
    if not {"height", "width"} <= stated.keys():
        table["height"], table["width"] = _size(read, file)
    if "resample" not in stated:
        table["resample"] = _filter(read, file)
    # levels / 255 is what (levels * factor - mean) / std becomes with mean and std divided by 255 * factor
    scale = 255 * (read.rescale_factor or 1 / 255) if read.do_rescale in (True, None) else 255.0
    mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    if read.do_normalize in (True, None):
        for key, value in (("image_mean", read.image_mean), ("image_std", read.image_std)):
            if value is None and key.removeprefix("image_") not in stated:
                name = key.removeprefix("image_")
                raise InputError(f"{file}: {key}: missing; add it, or state {name} in [input] of a TOML file")
        mean, std = read.image_mean or mean, read.image_std or std
    table["mean"] = [_short(value / scale) for value in mean]
    table["std"] = [_short(value / scale) for value in std]
    return {**table, **stated}


def _assumed(folder: Path, stated: Mapping[str, Any]) -> dict[str, Any]:
    table = {
        "height": UNKNOWN_SIDE,
        "width": UNKNOWN_SIDE,
        "scaling": "255",
        "resample": "bilinear-antialias",
        "mean": list(IMAGENET_MEAN),
        "std": list(IMAGENET_STD),
    }
    if not {"height", "width", "mean", "std"} <= stated.keys():
        warnings.warn(
            f"{folder}: has no {FILE}: images are resized to {UNKNOWN_SIDE} x {UNKNOWN_SIDE} and normalised "
            "by ImageNet's mean and standard deviation, unless [input] of a TOML file says otherwise",
            Note,
            stacklevel=2,
        )
    return {**table, **stated}


def _size(read: _Processor, file: Path) -> tuple[int, int]:
    """Height and width; a note where the model's own processor keeps the aspect or crops."""
    size = read.crop_size if read.do_center_crop and read.crop_size is not None else read.size
    if isinstance(size, int) and not isinstance(size, bool):
        size = {"height": size, "width": size}
    expected = "a whole number, or a table with height and width"
    if not isinstance(size, Mapping):
        raise wrong(file, "size", expected, size)
    own = read.keep_aspect_ratio or read.do_center_crop
    if {"height", "width"} <= size.keys():
        sides = size["height"], size["width"]
    elif sides_of := [size[key] for key in ("shortest_edge", "longest_edge") if key in size]:
        sides, own = (sides_of[0], sides_of[0]), True
    else:
        raise wrong(file, "size", expected, dict(size))
    for side in sides:
        if not isinstance(side, int) or isinstance(side, bool) or not 1 <= side <= 16384:
            raise wrong(file, "size", "whole numbers from 1 to 16384", side)
    if own:
        warnings.warn(
            f"{file}: the model's own processor crops images or keeps their aspect; here they are stretched "
            f"to {sides[0]} x {sides[1]}, unless [input] of a TOML file says otherwise",
            Note,
            stacklevel=4,
        )
    return sides


def _filter(read: _Processor, file: Path) -> str:
    number = 2 if read.resample is None else read.resample
    if number not in _FILTERS:
        known = ", ".join(f"{key} ({name})" for key, name in _FILTERS.items())
        raise InputError(
            f"{file}: resample: expected {known}, found {number}; state resample in [input] of a TOML file"
        )
    return _FILTERS[number]


def _short(value: float) -> float:
    """Without the rounding of the division: 0.485 stays 0.485."""
    return round(value, 12)
