"""The kinds of corruption and their severities.

Parameters are those of ImageNet-C (Hendrycks and Dietterich, "Benchmarking neural network robustness to
common corruptions and perturbations", ICLR 2019, arXiv 1903.12261, and its published code), which are for
pictures of 224 x 224: lengths in pixels grow with the short side over 224. Frost is left out, because
ImageNet-C overlays photographs of it. The kinds of the group `storage` are this project's.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from sodbench.arguments import Whole, instances
from sodbench.data.corruptions import blur, digital, elastic, noise, weather
from sodbench.data.corruptions.filters import Pixels
from sodbench.data.corruptions.stream import Stream
from sodbench.errors import InputError, unknown_names

Group = Literal["noise", "blur", "weather", "digital", "storage"]
Corruption = Callable[[Pixels, tuple[float, ...], Stream, float], Pixels]
VERSION = 1  # grows when any corrupted byte changes
SEVERITY = Whole(1, 5)
SEVERITIES = (1, 2, 3, 4, 5)
_REFERENCE = 224  # the short side in pixels for which the parameters are


@dataclass(frozen=True)
class Kind:
    """A kind of corruption: its group, its numbers at severities 1 to 5, and what it does to pixels.

    `move` does to the mask what the corruption does to the objects; None where they stay in place.
    """

    group: Group
    severities: tuple[tuple[float, ...], ...]
    corruption: Corruption
    move: Corruption | None = None


def _single(*numbers: float) -> tuple[tuple[float, ...], ...]:
    return tuple((number,) for number in numbers)


def _zooms(*ends: tuple[int, int]) -> tuple[tuple[float, ...], ...]:
    """Enlargements in hundredths: from 100 in steps, up to an end."""
    return tuple(tuple(range(100, end + 1, step)) for end, step in ends)


KINDS: dict[str, Kind] = {
    "gaussian-noise": Kind("noise", _single(0.08, 0.12, 0.18, 0.26, 0.38), noise.gaussian_noise),
    "shot-noise": Kind("noise", _single(60, 25, 12, 5, 3), noise.shot_noise),
    "impulse-noise": Kind("noise", _single(0.03, 0.06, 0.09, 0.17, 0.27), noise.impulse_noise),
    "speckle-noise": Kind("noise", _single(0.15, 0.2, 0.35, 0.45, 0.6), noise.speckle_noise),
    "gaussian-blur": Kind("blur", _single(1, 2, 3, 4, 6), blur.gaussian_blur),
    "defocus-blur": Kind("blur", ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)), blur.defocus_blur),
    "glass-blur": Kind(
        "blur", ((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)), blur.glass_blur
    ),
    "motion-blur": Kind("blur", ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15)), blur.motion_blur),
    "zoom-blur": Kind("blur", _zooms((110, 1), (115, 1), (120, 2), (124, 2), (130, 3)), blur.zoom_blur),
    "fog": Kind("weather", ((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)), weather.fog),
    "snow": Kind(
        "weather",
        (
            (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
            (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
            (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
            (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
            (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
        ),
        weather.snow,
    ),
    "brightness": Kind("weather", _single(0.1, 0.2, 0.3, 0.4, 0.5), weather.brightness),
    "spatter": Kind(
        "weather",
        (
            (0.65, 0.3, 4, 0.69, 0.6, 0),
            (0.65, 0.3, 3, 0.68, 0.6, 0),
            (0.65, 0.3, 2, 0.68, 0.5, 0),
            (0.65, 0.3, 1, 0.65, 1.5, 1),
            (0.67, 0.4, 1, 0.65, 1.5, 1),
        ),
        weather.spatter,
    ),
    "contrast": Kind("digital", _single(0.4, 0.3, 0.2, 0.1, 0.05), digital.contrast),
    "elastic": Kind(
        "digital",
        (
            (488, 170.8, 24.4),
            (488, 19.52, 48.8),
            (12.2, 2.44, 4.88),
            (17.08, 2.44, 4.88),
            (29.28, 2.44, 4.88),
        ),
        elastic.elastic,
        elastic.elastic_mask,
    ),
    "pixelate": Kind("digital", _single(0.6, 0.5, 0.4, 0.3, 0.25), digital.pixelate),
    "jpeg": Kind("digital", _single(25, 18, 15, 10, 7), digital.jpeg),
    "saturate": Kind("digital", ((0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (20, 0.2)), digital.saturate),
    "jpeg-quality": Kind("storage", _single(90, 70, 50, 30, 10), digital.jpeg),
    "downscale": Kind("storage", _single(2, 3, 4, 6, 8), digital.downscale),
    "aspect": Kind("storage", _single(4 / 5, 2 / 3, 1 / 2, 1 / 3, 1 / 4), digital.aspect),
}


def corrupt(image: Pixels, kind: str, severity: int, name: str) -> Pixels:
    """A corrupted copy of an image: H x W x 3 uint8, narrower with the kind "aspect".

    Depends on the arguments alone: the pixels, the kind, the severity 1..5 and the image's name, from which
    the random numbers come. The same bytes everywhere, but for JPEG, which is libjpeg's.
    """
    of = KINDS[kind]
    stream, scale = Stream(name, kind, severity), _scale(image)
    return of.corruption(image, of.severities[severity - 1], stream, scale)


def moved_mask(mask: Pixels, kind: str, severity: int, name: str) -> Pixels:
    """The mask (H x W uint8) of the corrupted image: `mask` itself where the kind moves no object."""
    of = KINDS[kind]
    if of.move is None:
        return mask
    return of.move(mask, of.severities[severity - 1], Stream(name, kind, severity), _scale(mask))


def checked_kinds(kinds: Sequence[str] | str | None) -> list[str]:
    """The kinds in their own order, each once; None is all, and a group's name all of that group.

    Raises InputError for unknown ones, and for frost, which is left out.
    """
    if kinds is None:
        return list(KINDS)
    names = instances("kinds", [kinds] if isinstance(kinds, str) else kinds, str, "names of corruptions")
    if not names:
        raise InputError("no kind of corruption; expected at least one")
    if "frost" in names:
        raise InputError("kind 'frost': left out, because ImageNet-C overlays photographs of frost; use snow")
    groups = {of.group for of in KINDS.values()}
    unknown = [name for name in names if name not in KINDS and name not in groups]
    if unknown:
        raise unknown_names("kind of corruption", unknown, [*KINDS, *groups])
    return [kind for kind, of in KINDS.items() if kind in names or of.group in names]


def checked_severities(severities: Sequence[int] | int | None) -> list[int]:
    """The severities in increasing order, each once; None is all five. InputError outside 1..5."""
    if severities is None:
        return list(SEVERITIES)
    several = list(severities) if isinstance(severities, Iterable) else [severities]
    if not several:
        raise InputError("no severity; expected at least one of 1..5")
    return sorted({SEVERITY.checked("severity", severity) for severity in several})


def _scale(image: Pixels) -> float:
    return float(min(image.shape[:2]) / _REFERENCE)
