"""Opens and decodes image files: still images only, undamaged, upright, of a bounded size.

The size is checked in the header, before anything is decoded: at most `MAX_PIXELS` pixels and `MAX_SIDE`
pixels per side. One image at the limit takes about 1 GB while it is read.

Damage that Pillow does not notice is looked for: a PNG whose pixels do not match their checksum, a palette
that is missing or too short, 16-bit channels of which Pillow keeps the upper half only.
"""

import logging
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from sodbench.errors import InputError
from sodbench.paths import refuse_special

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".gif")
FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "GIF")
MAX_PIXELS = 89_478_485  # Pillow's own limit; the largest image of the field's sets has about 35 million
MAX_SIDE = 65_535  # JPEG's own limit
ORIENTATION, PHOTOMETRIC = 0x0112, 0x0106  # tags of EXIF and TIFF
WHITE_IS_ZERO = 0
PNG_PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT")  # the chunks that pixels depend on
BLOCK = 2**20
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# images over the limit are refused below with the file's name; Pillow would warn as well
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
# warnings about odd metadata, which is not used; damaged pixels are an error
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
# what Pillow logs of damaged files would be printed as well where no logging is set up
logging.getLogger("PIL").addHandler(logging.NullHandler())


def open_picture(path: Path) -> Image.Image:
    """The file opened by Pillow, with only its header read; InputError if it is not a still image."""
    refuse_special(path)
    with named_errors(path):
        picture = Image.open(path, formats=FORMATS)
        try:
            check_size(picture, path)
            # the frames of GIF and TIFF are counted by walking through the file
            frames = int(getattr(picture, "n_frames", 1))
        except BaseException:
            picture.close()
            raise
    # Pillow counts a JPEG with a preview behind it (MPO) as two frames; it is a still image
    if frames > 1 and picture.format != "MPO":
        picture.close()
        raise InputError(f"{path}: an animation of {frames} frames; expected a still image")
    return picture


def load_picture(path: Path, *, sixteen_bits: bool = True) -> Image.Image:
    """The file decoded and upright; InputError if it cannot be read, or is damaged.

    Without `sixteen_bits`, colour or transparency of more than 8 bits per channel is refused.
    """
    with named_errors(path), open_picture(path) as picture:
        if picture.format == "PNG":
            _check_png(getattr(picture, "fp", None), path)
        wide = _has_wide_channels(picture)
        if wide and not sixteen_bits:
            raise InputError(f"{path}: 16 bits per channel; expected 8-bit grey: convert it to 8 bits")
        upright = load_upright(picture, path)
        if wide and not np.asarray(upright.convert("RGB")).any():
            raise InputError(
                f"{path}: 16-bit colours that all lie below 256, so that their 8-bit values are 0; "
                "save it with 8 bits per channel"
            )
        return upright


def load_upright(picture: Image.Image, name: str | Path) -> Image.Image:
    """Decodes an opened image and applies its EXIF orientation; checks its palette."""
    colours = _palette_size(picture)
    if picture.format == "TIFF":
        white_is_zero = getattr(picture, "tag_v2", {}).get(PHOTOMETRIC) == WHITE_IS_ZERO
        if white_is_zero and picture.mode.startswith("I"):
            raise InputError(f"{name}: a 16-bit TIFF in which 0 is white; save it with 0 as black")
    filename = getattr(picture, "filename", "")
    try:
        # Pillow maps a file whose name it knows into memory and exchanges the sides of a TIFF that is to be
        # turned by 90 degrees before it has turned it
        picture.filename = ""  # type: ignore[attr-defined]
        picture.load()
    finally:
        picture.filename = filename  # type: ignore[attr-defined]
    if colours is not None and (most := int(np.asarray(picture).max(initial=0))) >= colours:
        has = f"has {colours} colours" if colours else "is missing"
        raise InputError(
            f"{name}: a damaged image (it uses colour {most}, and its palette {has}); save it again"
        )
    turn = UPRIGHT.get(_orientation(picture))
    return picture if turn is None else picture.transpose(turn)


def check_size(picture: Image.Image, name: str | Path) -> None:
    """InputError for an image over the limits."""
    check_sides(*picture.size, name)


def check_sides(width: int, height: int, name: str | Path) -> None:
    """InputError for a width and height, in pixels, over the limits."""
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise InputError(
            f"{name}: {width} x {height} pixels; images over {MAX_PIXELS:,} pixels, or over {MAX_SIDE:,} "
            "pixels on a side, are refused: resize it"
        )


@contextmanager
def named_errors(path: Path) -> Iterator[None]:
    """Turns whatever is raised while a file is read into an InputError that names the file.

    On damaged files Pillow raises nearly anything (struct.error, zlib.error, TypeError, IndexError, ...), so
    any exception is accepted here.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> InputError:
    if isinstance(error, FileNotFoundError):
        return InputError(f"{path}: no such file")
    if isinstance(error, MemoryError):
        return InputError(f"{path}: not enough memory to read it")
    if isinstance(error, OSError) and error.errno is not None:
        return InputError(f"{path}: not readable ({error.strerror})")
    try:
        size = path.stat().st_size
    except (OSError, ValueError):
        return InputError(f"{str(path)!r}: not readable ({error})")
    if size == 0:
        return InputError(f"{path}: an empty file; expected an image")
    if isinstance(error, UnidentifiedImageError):
        return InputError(f"{path}: not an image ({size} bytes); expected one of {', '.join(FORMATS)}")
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return InputError(f"{path}: images over {MAX_PIXELS:,} pixels are refused: resize it")
    why = " ".join(str(error).split()) or type(error).__name__
    return InputError(f"{path}: a damaged image ({why}); fetch or save it again")


def _orientation(picture: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 (upright) for a TIFF, which Pillow has turned on loading."""
    if picture.format == "TIFF":
        return 1
    try:
        value: Any = _exif(picture.info).get(ORIENTATION, 1)
    except Exception:  # a damaged EXIF block does not make the pixels unreadable
        return 1
    return value if isinstance(value, int) else 1


def _exif(info: dict[Any, Any]) -> Image.Exif | dict[int, Any]:
    content = info.get("exif")
    if content is None:
        text = info.get("Raw profile type exif")  # as ImageMagick stores it in PNG
        if text is None:
            return {}
        content = bytes.fromhex("".join(text.split("\n")[3:]))
    exif = Image.Exif()
    exif.load(content)
    return exif


def _check_png(file: IO[bytes] | None, path: Path) -> None:
    """InputError where pixels of a PNG do not match their checksum: Pillow decodes them to others."""
    if file is None:
        return
    start = file.tell()
    file.seek(8)
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind not in PNG_PIXELS:
            file.seek(length + 4, 1)
            continue
        checksum = zlib.crc32(kind)
        while length and (block := file.read(min(length, BLOCK))):
            checksum = zlib.crc32(block, checksum)
            length -= len(block)
        stored = file.read(4)
        if len(stored) == 4 and stored != struct.pack(">I", checksum):
            raise InputError(
                f"{path}: a damaged image ({kind.decode()} does not match its checksum); "
                "fetch or save it again"
            )
    file.seek(start)


def _palette_size(picture: Image.Image) -> int | None:
    """How many colours the palette of an image that is not yet decoded has; None for no such image."""
    if picture.mode != "P" or not getattr(picture, "tile", None):
        return None
    palette = picture.palette
    if palette is None:
        return 0
    channels = (palette.rawmode or palette.mode).partition(";")[0]  # "RGB;L" has three
    return len(palette.palette) // len(channels)


def _has_wide_channels(picture: Image.Image) -> bool:
    """True where Pillow takes the upper 8 of 16 bits per channel: colour and transparency."""
    if picture.format not in ("PNG", "TIFF") or picture.mode.startswith(("I", "F")):
        return False
    return any(";16" in str(tile[3]) for tile in getattr(picture, "tile", ()))
