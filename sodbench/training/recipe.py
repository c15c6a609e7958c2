"""The training recipe: everything that decides the weights, as validated data.

A recipe is the `[training]` table of a baseline's TOML file; `--set training.batch=16` overrides one key.
"""

import dataclasses
import tomllib
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from sodbench.errors import InputError, unknown_names

if TYPE_CHECKING:
    from sodbench.training.samples import Augmentation


@dataclass(frozen=True)
class Recipe:
    """One training recipe; sizes are (height, width), one value stands for both.

    dataset: names of the training sets, mixed sample by sample.
    resize: the size every picture is brought to first; None keeps the picture's own.
    crop: the size of the random crop the network sees; None: no cropping.
    flip: mirror every second sample. The published "dataset doubled by flipping" is the same distribution.
    scale_jitter: (smallest, largest, step) of a random scale before the crop; step 0 draws continuously.
    aspect_jitter: largest ratio by which the scale's height and width differ; 1 keeps the shape.
    rotation: the crop is turned by up to so many degrees either way.
    colour_jitter: largest relative change of brightness, contrast and saturation.
    batch: samples a step, over all processes and accumulated parts together.
    accumulate: parts a batch is split into; batch statistics are then those of a part.
    clip: largest gradient norm, 0 switches clipping off. ema: decay of the averaged weights, 0 is off.
    encoder_factor: the pre-trained encoder's learning rate relative to `lr`.
    """

    dataset: tuple[str, ...]
    iterations: int
    batch: int
    lr: float
    resize: tuple[int, int] | None = None
    crop: tuple[int, int] | None = None
    flip: bool = True
    scale_jitter: tuple[float, float, float] | None = None
    aspect_jitter: float = 1.0
    rotation: float = 0.0
    colour_jitter: tuple[float, float, float] | None = None
    optimiser: Literal["adam", "adamw", "sgd"] = "adam"
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    momentum: float = 0.9
    weight_decay: float = 0.0
    encoder_factor: float = 1.0
    schedule: Literal["constant", "poly", "cosine"] = "constant"
    power: float = 0.9
    warmup: int = 0
    final_lr: float = 0.0
    accumulate: int = 1
    clip: float = 0.0
    ema: float = 0.0
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    channels_last: bool = True
    compile: bool = False
    seed: int = 0
    initialisation: str = "default"
    loss: Literal["hybrid", "boundary-aware"] = "hybrid"
    loss_terms: tuple[str, ...] = ("bce", "ssim", "iou")
    loss_options: Mapping[str, Any] = field(default_factory=dict)
    checkpoint_every: int = 1000
    samples_every: int = 0
    validate_on: tuple[str, ...] = ()
    validate_every: int = 0
    validate_limit: int = 0
    validate_metric: str = "MAE"

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as they are stored in checkpoints and records."""
        return _plain(dataclasses.asdict(self))  # type: ignore[no-any-return]

    def augmentation(self) -> "Augmentation":
        """How the recipe turns a sample into what the network sees."""
        from sodbench.training.samples import Augmentation

        return Augmentation(**{f.name: getattr(self, f.name) for f in dataclasses.fields(Augmentation)})

    def learning_rate(self, iteration: int) -> float:
        """The learning rate of a step (from 0): linear warm-up, then the schedule down to `final_lr`."""
        import math

        if iteration < self.warmup:
            return self.lr * (iteration + 1) / self.warmup
        done = (iteration - self.warmup) / max(1, self.iterations - self.warmup)
        if self.schedule == "poly":
            share = float((1 - done) ** self.power)
        elif self.schedule == "cosine":
            share = (1 + math.cos(math.pi * done)) / 2
        else:
            return self.lr
        return self.final_lr + (self.lr - self.final_lr) * share


# keys that say how a run is watched, not what it computes: they may differ when a run is resumed
WATCHING = frozenset({"checkpoint_every", "samples_every"})


def load_recipe(
    table: Mapping[str, Any], overrides: Mapping[str, Any] | None = None, source: str = "recipe"
) -> Recipe:
    """Builds a recipe from a `[training]` table and overrides by key.

    Raises InputError that names the source, the key, the value found and what was expected.
    """
    merged = {**table, **(overrides or {})}
    fields = {f.name: f for f in dataclasses.fields(Recipe)}
    unknown = [key for key in merged if key not in fields]
    if unknown:
        raise InputError(f"{source}: {unknown_names('training key', unknown, fields)}")
    missing = [
        name
        for name, f in fields.items()
        if name not in merged
        and f.default is dataclasses.MISSING
        and f.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise InputError(f"{source}: the training table lacks {', '.join(missing)}")
    hints = typing.get_type_hints(Recipe)
    values = {key: _convert(value, hints[key], f"{source}: training.{key}") for key, value in merged.items()}
    recipe = Recipe(**values)
    _check(recipe, source)
    return recipe


def parse_overrides(settings: Sequence[str]) -> dict[str, Any]:
    """Parses `--set training.batch=16`; values are TOML (`[256, 256]`, `true`), or else text."""
    overrides: dict[str, Any] = {}
    for setting in settings:
        key, separator, text = setting.partition("=")
        key = key.strip()
        if not separator or not key.startswith("training."):
            raise InputError(f"--set {setting}: expected training.KEY=VALUE, e.g. training.batch=16")
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text.strip()
        overrides[key.removeprefix("training.")] = value
    return overrides


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What two recipes disagree on, as `key: before -> after`; keys of watching alone are left out."""
    keys = sorted((set(before) | set(after)) - WATCHING)
    return [f"{k}: {before.get(k)!r} -> {after.get(k)!r}" for k in keys if before.get(k) != after.get(k)]


def _check(recipe: Recipe, source: str) -> None:
    def need(good: bool, key: str, expected: str) -> None:
        if not good:
            raise InputError(f"{source}: training.{key} is {getattr(recipe, key)!r}, expected {expected}")

    need(bool(recipe.dataset), "dataset", "at least one data set")
    for key in ("iterations", "batch", "accumulate", "checkpoint_every"):
        need(getattr(recipe, key) >= 1, key, "1 or more")
    for key in ("lr", "eps"):
        need(getattr(recipe, key) > 0, key, "a number above 0")
    for key in (
        "final_lr",
        "clip",
        "weight_decay",
        "warmup",
        "samples_every",
        "validate_every",
        "encoder_factor",
    ):
        need(getattr(recipe, key) >= 0, key, "0 or more")
    need(0 <= recipe.ema < 1, "ema", "0 (off) or a decay below 1")
    need(recipe.batch % recipe.accumulate == 0, "accumulate", f"a divisor of the batch, {recipe.batch}")
    for key in ("resize", "crop"):
        size = getattr(recipe, key)
        need(size is None or min(size) >= 1, key, "a positive size")
    need(
        recipe.resize is not None or recipe.crop is not None or recipe.batch == 1,
        "resize",
        "a size, or a crop, so that the samples of a batch have one size",
    )
    if recipe.crop and recipe.resize and not recipe.scale_jitter:
        fits = recipe.crop[0] <= recipe.resize[0] and recipe.crop[1] <= recipe.resize[1]
        need(fits, "crop", f"at most the resized picture, {recipe.resize}")
    if recipe.scale_jitter is not None:
        low, high, step = recipe.scale_jitter
        need(
            0 < low <= high and step >= 0,
            "scale_jitter",
            "[smallest, largest, step] with 0 < smallest <= largest",
        )
        need(recipe.crop is not None, "crop", "a size, since scale_jitter changes the picture's")
    need(recipe.aspect_jitter >= 1, "aspect_jitter", "a ratio, 1 (off) or more")
    if recipe.aspect_jitter > 1:
        need(recipe.scale_jitter is not None, "scale_jitter", "set, since aspect_jitter is a part of it")
    need(0 <= recipe.rotation <= 180, "rotation", "degrees from 0 (off) to 180")
    if recipe.colour_jitter is not None:
        need(
            all(0 <= v < 1 for v in recipe.colour_jitter), "colour_jitter", "three numbers from 0 to below 1"
        )
    if recipe.validate_every:
        need(bool(recipe.validate_on), "validate_on", "a data set, since validate_every is set")


def _convert(value: Any, hint: Any, where: str) -> Any:
    """Checks a TOML value against a field's type and turns lists into tuples."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        if value is None or value is False or value == "none":
            return None
        return _convert(value, next(a for a in args if a is not type(None)), where)
    if origin is Literal:
        if value not in args:
            raise InputError(f"{where} is {value!r}, expected one of {', '.join(args)}")
        return value
    if origin is tuple:
        many = len(args) == 2 and args[1] is Ellipsis
        items = list(value) if isinstance(value, (list, tuple)) else [value] * (1 if many else len(args))
        if many:
            return tuple(_convert(item, args[0], where) for item in items)
        if len(items) != len(args):
            raise InputError(f"{where} is {value!r}, expected {len(args)} values")
        return tuple(_convert(item, kind, where) for item, kind in zip(items, args, strict=True))
    if origin is not None:  # Mapping[str, Any]
        if not isinstance(value, Mapping):
            raise InputError(f"{where} is {value!r}, expected a table")
        return dict(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (hint is not bool and isinstance(value, bool)):
        names = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
        raise InputError(f"{where} is {value!r}, expected {names[hint]}")
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
