"""Reads and writes all image files: images, masks and saliency maps.

Every image becomes H x W x 3 uint8 RGB, every mask and saliency map H x W uint8, whatever the mode of the
file. The EXIF orientation is applied to all three, so that their sizes agree. An animation, a damaged file
and an image over the limits of `picture_files` raise InputError with the file's name.

Conventions that can change numbers:

- colour images: alpha is dropped (as `convert("RGB")` does everywhere in the field); 16-bit grey is
  scaled by 1/257 and rounded; of 16-bit colours the upper 8 bits are taken;
- masks: a mask of only {0, 1} becomes {0, 255} (logged once); other grey levels are kept;
  transparent parts count as background; a two-colour palette of labels becomes background and object;
- maps: 8-bit grey; floating point in 0..1 (`.npy`, TIFF) becomes round(255 x); 16-bit and truly coloured
  maps (a heat map) raise InputError, because their scale is not known;
- a mask or map in which one level other than 0 is marked transparent raises InputError, because programs
  disagree on what it means.
"""

import hashlib
import io
import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sodbench.data.picture_files import check_size, load_picture, load_upright, named_errors
from sodbench.errors import InputError
from sodbench.files import atomic_path
from sodbench.paths import refuse_special

Pixels = NDArray[np.uint8]

COLOUR_TOLERANCE = 32  # grey masks stored as RGB with JPEG traces differ by up to 14 between channels (DUTS)

log = logging.getLogger(__name__)
_logged: set[str] = set()


def read_image(path: Path) -> Pixels:
    """An image as H x W x 3 uint8 RGB, upright; raises InputError if it cannot be read."""
    with named_errors(path):
        return _rgb(path, load_picture(path))


def rgb_pixels(picture: Image.Image, name: str) -> Pixels:
    """An opened image as `read_image` reads its file; `name` names it in errors."""
    check_size(picture, name)
    try:
        return _rgb(name, load_upright(picture, name))
    except InputError:
        raise
    except MemoryError:
        raise InputError(f"{name}: not enough memory to read it") from None
    except Exception as error:  # on damaged files Pillow raises nearly anything
        raise InputError(f"{name}: a damaged image ({error or type(error).__name__})") from error


def read_mask(path: Path) -> Pixels:
    """A ground-truth mask as H x W uint8, 0 background to 255 object, grey levels kept.

    A mask of only {0, 1} (or boolean) becomes {0, 255}.
    """
    mask, zero_one = decode_mask(path)
    if zero_one:
        _log_once(f"{path}: a mask of only {{0, 1}}, read as {{0, 255}}")
    return mask


def decode_mask(path: Path) -> tuple[Pixels, bool]:
    """The mask as `read_mask` returns it, and whether the file holds {0, 1} where {0, 255} is meant."""
    from sodbench.data.grey_png import read_grey_png

    with named_errors(path):
        refuse_special(path)
        if (plain := read_grey_png(path)) is not None:
            zero_one = not plain.bilevel and is_zero_one(plain.values)
            return (plain.values * np.uint8(255) if zero_one else plain.values), zero_one
        picture = load_picture(path)
        _check_transparent_level(path, picture, "mask")
        if picture.mode == "L":
            mask: Pixels = np.array(picture)
        elif picture.mode == "1":
            return _bilevel(picture), False
        elif picture.mode.startswith("I"):
            mask = _eight_bits(path, picture)
        elif picture.mode == "P":
            mask = _from_palette(path, picture)
        else:
            mask = _grey(path, picture, "mask")
        zero_one = is_zero_one(mask)
        return (mask * np.uint8(255) if zero_one else mask), zero_one


def read_map(path: Path) -> Pixels:
    """A saliency map as H x W uint8; raises InputError for 16-bit and coloured maps.

    8-bit grey is taken as it is stored; floating point in 0..1 (`.npy`, TIFF) becomes round(255 x).
    """
    from sodbench.data.float_maps import eight_bit_levels
    from sodbench.data.grey_png import read_grey_png

    if path.suffix.lower() == ".npy":
        from sodbench.data.npy_maps import read_npy

        return eight_bit_levels(read_npy(path), path)
    with named_errors(path):
        refuse_special(path)
        if (plain := read_grey_png(path)) is not None:
            return plain.values
        picture = load_picture(path, sixteen_bits=False)
        _check_transparent_level(path, picture, "saliency map")
        if picture.mode == "L":
            return np.array(picture)
        if picture.mode == "1":
            return _bilevel(picture)
        if picture.mode == "F":
            return eight_bit_levels(np.asarray(picture), path)
        if picture.mode.startswith("I"):
            raise InputError(
                f"{path}: a saliency map of mode {picture.mode} (more than 8 bits); "
                "expected 8-bit grey: save it as round(255 * probability)"
            )
        if picture.mode == "P" and "transparency" not in picture.info:
            picture = picture.convert("RGB")
        return _grey(path, picture, "saliency map")


def write_map(path: Path, values: Pixels) -> str:
    """Writes an H x W uint8 map as an 8-bit grey PNG, whole or not at all; returns the file's SHA-256."""
    if values.dtype != np.uint8 or values.ndim != 2:
        raise TypeError(f"a map is H x W uint8, not {values.dtype} of shape {values.shape}")
    encoded = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(values)).save(encoded, format="PNG", compress_level=3)
    content = encoded.getbuffer()
    with atomic_path(path) as part:
        part.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def is_zero_one(values: Pixels) -> bool:
    """True for a mask or map whose highest value is 1: stored as {0, 1} where {0, 255} was meant."""
    return bool(values.size) and int(values.max()) == 1


def _rgb(name: str | Path, picture: Image.Image) -> Pixels:
    if picture.mode == "RGB":
        return np.array(picture)
    if picture.mode.startswith("I"):
        grey = _eight_bits(name, picture)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if picture.mode == "F":
        raise InputError(f"{name}: an image of floating-point numbers; expected 8 or 16 bits per channel")
    if picture.mode == "P" and "transparency" in picture.info:
        picture = picture.convert("RGBA")
    return np.array(picture.convert("RGB"))


def _bilevel(picture: Image.Image) -> Pixels:
    # mode "1" stores one byte per pixel, 0 or 255: take the bytes without converting to booleans
    values = np.frombuffer(picture.tobytes("raw", "L"), dtype=np.uint8)
    return values.reshape(picture.height, picture.width).copy()


def _eight_bits(path: str | Path, picture: Image.Image) -> Pixels:
    """16-bit grey to 8 bits; values that already fit 8 bits are kept."""
    values = np.asarray(picture)
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 65535:
        raise InputError(f"{path}: grey values from {low} to {high}; expected 8 or 16 bits")
    if high > 255:
        values = (values.astype(np.uint32) * 255 + 32767) // 65535
    return values.astype(np.uint8)


def _check_transparent_level(path: Path, picture: Image.Image, what: str) -> None:
    """InputError where a grey level or colour other than black is used and marked transparent."""
    level = picture.info.get("transparency")
    if level is None or picture.mode == "P":
        return
    values = _bilevel(picture) if picture.mode == "1" else np.asarray(picture)
    if np.any(level) and (values.reshape(picture.height, picture.width, -1) == level).all(2).any():
        raise InputError(
            f"{path}: a {what} whose value {level} is marked transparent; save it without transparency"
        )


def _from_palette(path: Path, picture: Image.Image) -> Pixels:
    """A paletted mask: grey palettes by their grey, coloured palettes as labels, where 0 is background."""
    transparent = "transparency" in picture.info
    colours = np.asarray(picture.convert("RGBA") if transparent else picture.convert("RGB"))
    if _channel_spread(colours[:, :, :3]) <= COLOUR_TOLERANCE:
        grey = picture.convert("RGBA" if transparent else "RGB")
        return _grey(path, grey, "mask")
    labels = np.asarray(picture)
    used = np.unique(labels)
    if used.size > 2 or used[0] != 0:
        raise InputError(
            f"{path}: a palette of {used.size} coloured labels; expected a mask of background and object"
        )
    return np.where(labels > 0, np.uint8(255), np.uint8(0))


def _grey(path: Path, picture: Image.Image, what: str) -> Pixels:
    """Colour or transparency that only stores grey, as grey; transparent pixels count as 0."""
    if picture.mode in ("P", "PA", "La", "RGBa"):
        picture = picture.convert("LA" if picture.mode == "La" else "RGBA")
    if picture.mode == "F":
        raise InputError(f"{path}: a {what} of floating-point numbers; expected 8-bit grey")
    alpha = None
    if picture.mode in ("LA", "RGBA"):
        alpha = np.asarray(picture.getchannel("A")).astype(np.uint16)
    if picture.mode == "LA":
        grey: Pixels = np.array(picture.getchannel("L"))
    else:
        colours = np.asarray(picture.convert("RGB"))
        if _channel_spread(colours) > COLOUR_TOLERANCE:
            raise InputError(f"{path}: a {what} in colours; expected grey, 0 background to 255 object")
        grey = np.array(picture.convert("RGB").convert("L"))
    if alpha is not None and int(alpha.min()) < 255:
        grey = ((grey * alpha + 127) // 255).astype(np.uint8)
    return grey


def _channel_spread(colours: Pixels) -> int:
    return int((colours.max(axis=2) - colours.min(axis=2)).max(initial=0))


def _log_once(message: str) -> None:
    if not _logged:
        _logged.add("zero-one")
        log.warning("%s (further ones are not listed)", message)
