"""The training recipe: everything that decides the weights, as validated data.

A recipe is the `[training]` table of a baseline's TOML file; `--set training.batch=16` overrides one key.
"""

import dataclasses
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

from sodbench.errors import InputError
from sodbench.json_text import plain
from sodbench.schema import ABOVE_0, AT_LEAST_0, AT_LEAST_1, NOT_EMPTY, SIDE, Check, OneForAll, parse, wrong

if TYPE_CHECKING:
    from sodbench.training.augmentation import Augmentation

_Side = Annotated[int, AT_LEAST_1, SIDE]
_Size = tuple[_Side, _Side]
_Fraction = Annotated[float, Check("a number from 0 to below 1", lambda value: 0 <= value < 1)]
_SCALES = Check(
    "[smallest, largest, step] with 0 < smallest <= largest <= 16 and step 0 or more",
    lambda scales: 0 < scales[0] <= scales[1] <= 16 and scales[2] >= 0,
)
_RATIO = Check("a ratio, 1 (off) or more", lambda value: value >= 1)
_DEGREES = Check("degrees from 0 (off) to 180", lambda value: 0 <= value <= 180)
_DECAY = Check("0 (off) or a decay below 1", lambda value: 0 <= value < 1)


@dataclass(frozen=True)
class Recipe:
    """One training recipe; sizes are (height, width), and one number stands for both.

    dataset: names of the training sets; an epoch draws from all of them, without replacement.
    resize: the size that every image is resized to first; None keeps the image's own.
    crop: the size of the random crop that the network sees; None: no cropping.
    flip: mirror every sample with probability 1/2. A data set "doubled by flipping", as papers write, is the
    same distribution.
    scale_jitter: (smallest, largest, step) of a random scale before the crop; step 0 draws continuously.
    aspect_jitter: largest ratio by which the scales of height and width differ; 1 keeps the aspect ratio.
    rotation: the crop is rotated by a random angle up to this many degrees, in either direction.
    colour_jitter: largest relative change of brightness, contrast and saturation.
    batch: samples per step, over all processes and accumulated parts together.
    accumulate: parts that a batch is split into; batch statistics are then those of a part.
    clip: largest norm of the gradient; 0 switches clipping off.
    ema: decay of the exponential moving average of the weights; 0 switches it off.
    encoder_factor: the learning rate of the network's encoder, relative to `lr`.
    checkpoint_every, samples_every, validate_every: in steps; 0 switches the last two off.
    validate_limit: only the first so many images of each validation set; 0: all.
    validate_metric: the score that chooses `best.pt`.
    """

    dataset: Annotated[tuple[str, ...], OneForAll(), NOT_EMPTY]
    iterations: Annotated[int, AT_LEAST_1]
    batch: Annotated[int, AT_LEAST_1]
    lr: Annotated[float, ABOVE_0]
    resize: Annotated[_Size | None, OneForAll()] = None
    crop: Annotated[_Size | None, OneForAll()] = None
    flip: bool = True
    scale_jitter: Annotated[tuple[float, float, float] | None, _SCALES] = None
    aspect_jitter: Annotated[float, _RATIO] = 1.0
    rotation: Annotated[float, _DEGREES] = 0.0
    colour_jitter: Annotated[tuple[_Fraction, _Fraction, _Fraction] | None, OneForAll()] = None
    optimiser: Literal["adam", "adamw", "sgd"] = "adam"
    betas: tuple[_Fraction, _Fraction] = (0.9, 0.999)
    eps: Annotated[float, ABOVE_0] = 1e-8
    momentum: Annotated[float, AT_LEAST_0] = 0.9
    weight_decay: Annotated[float, AT_LEAST_0] = 0.0
    encoder_factor: Annotated[float, AT_LEAST_0] = 1.0
    schedule: Literal["constant", "poly", "cosine"] = "constant"
    power: Annotated[float, ABOVE_0] = 0.9
    warmup: Annotated[int, AT_LEAST_0] = 0
    final_lr: Annotated[float, AT_LEAST_0] = 0.0
    accumulate: Annotated[int, AT_LEAST_1] = 1
    clip: Annotated[float, AT_LEAST_0] = 0.0
    ema: Annotated[float, _DECAY] = 0.0
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    channels_last: bool = True
    compile: bool = False
    seed: Annotated[int, AT_LEAST_0] = 0
    initialisation: str = "default"
    loss: Literal["hybrid", "boundary-aware"] = "hybrid"
    loss_terms: Annotated[tuple[Literal["bce", "ssim", "iou"], ...], OneForAll(), NOT_EMPTY] = (
        "bce",
        "ssim",
        "iou",
    )
    loss_options: Mapping[str, Any] = field(default_factory=dict)
    checkpoint_every: Annotated[int, AT_LEAST_1] = 1000
    samples_every: Annotated[int, AT_LEAST_0] = 0
    validate_on: Annotated[tuple[str, ...], OneForAll()] = ()
    validate_every: Annotated[int, AT_LEAST_0] = 0
    validate_limit: Annotated[int, AT_LEAST_0] = 0
    validate_metric: str = "MAE"

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as they are stored in checkpoints and records."""
        return plain(self)  # type: ignore[no-any-return]

    def augmentation(self) -> "Augmentation":
        """How the recipe turns a sample into what the network sees."""
        from sodbench.training.augmentation import Augmentation

        return Augmentation(**{f.name: getattr(self, f.name) for f in dataclasses.fields(Augmentation)})

    def learning_rate(self, iteration: int) -> float:
        """The learning rate of a step (from 0): linear warm-up, then the schedule down to `final_lr`."""
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


# what is written along the way; it decides no weights, so a resumed training may change it
MONITORING = frozenset({"checkpoint_every", "samples_every"})


def load_recipe(
    table: Mapping[str, Any], overrides: Mapping[str, Any] | None = None, source: str = "recipe"
) -> Recipe:
    """The recipe of a `[training]` table, with some of its keys overridden.

    Raises InputError that names the source, the key (`training.KEY`), what was expected and what was found.
    """
    recipe = parse(Recipe, {**table, **(overrides or {})}, source, "training.")
    _check_together(recipe, source)
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
        except (ValueError, RecursionError):  # text, or what the schema refuses as text
            value = text.strip()
        overrides[key.removeprefix("training.")] = value
    return overrides


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The keys in which two recipes differ, as `key: before -> after`, except those of `MONITORING`."""
    keys = sorted((set(before) | set(after)) - MONITORING)
    return [f"{k}: {before.get(k)!r} -> {after.get(k)!r}" for k in keys if before.get(k) != after.get(k)]


def _check_together(recipe: Recipe, source: str) -> None:
    """The conditions on several keys; those on one are in the annotations."""

    def need(condition: bool, key: str, expected: str) -> None:
        if not condition:
            raise wrong(source, f"training.{key}", expected, getattr(recipe, key))

    need(recipe.batch % recipe.accumulate == 0, "accumulate", f"a divisor of the batch, {recipe.batch}")
    need(
        recipe.resize is not None or recipe.crop is not None or recipe.batch == 1,
        "resize",
        "a size, or a crop, so that the samples of a batch have one size",
    )
    if recipe.crop and recipe.resize and not recipe.scale_jitter:
        fits = recipe.crop[0] <= recipe.resize[0] and recipe.crop[1] <= recipe.resize[1]
        need(fits, "crop", f"at most the size after resizing, {recipe.resize}")
    if recipe.scale_jitter is not None:
        need(recipe.crop is not None, "crop", "a size, because scale_jitter changes the image's")
    if recipe.aspect_jitter > 1:
        need(recipe.scale_jitter is not None, "scale_jitter", "a range, because aspect_jitter is part of it")
    if recipe.validate_every:
        need(bool(recipe.validate_on), "validate_on", "a data set, because validate_every is set")
