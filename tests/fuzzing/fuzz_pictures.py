"""The picture readers: an image, a mask and a map are read from the same file."""

import contextlib
import io
import struct
import tempfile
import zlib
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from sodbench.data.images import read_image, read_map, read_mask
from sodbench.errors import InputError

from .bounds import bounded
from .choices import EDITED, EDITS, VERBATIM, Choices, edited_bytes


def one_input(data: bytes) -> None:
    """Reads one file with every reader; they agree on its size or raise InputError."""
    content = content_of(data)
    if content is None:
        return
    # three readers of up to 89 million pixels, of which each takes .05 s per million
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder, bounded(seconds=20):
        path = Path(folder) / "0001.png"  # the readers go by the content
        path.write_bytes(content)
        sizes = set()
        for read in (read_image, read_mask, read_map):
            with contextlib.suppress(InputError):
                pixels = read(path)
                assert pixels.dtype == np.uint8, f"{read.__name__} returned {pixels.dtype}"
                assert pixels.ndim == (3 if read is read_image else 2)
                sizes.add(pixels.shape[:2])
        assert len(sizes) <= 1, f"the readers disagree on the size: {sizes}"


def content_of(data: bytes) -> bytes | None:
    """The file that an input stands for."""
    if len(data) < 2:
        return None
    if data[0] == VERBATIM:
        return data[2:]
    seed = files()[data[1] % len(files())]
    choices = Choices(data[2:])
    if seed.startswith(b"\x89PNG") and choices.number(2):
        return _edited_png(seed, choices)
    return edited_bytes(seed, choices)


def seeds() -> list[bytes]:
    """Inputs to start from: every valid file, and one to be edited."""
    whole = [bytes((VERBATIM, 0)) + content for content in files()]
    return whole + [bytes((EDITED, kind, 0)) for kind in range(len(files()))]


@cache
def files() -> tuple[bytes, ...]:
    """Small valid files of every format and mode."""
    grey = (np.arange(63).reshape(7, 9) * 4).astype(np.uint8)
    mask = Image.fromarray(((grey > 90) * 255).astype(np.uint8))
    colour = Image.fromarray(np.stack([grey, grey[::-1], grey[:, ::-1]], axis=2))
    pictures = [Image.fromarray(grey), mask.convert("1"), mask.convert("P"), colour, colour.convert("RGBA")]
    pictures += [mask.convert("LA"), Image.fromarray(grey.astype(np.uint16) * 257)]
    exif = Image.Exif()
    exif[0x0112] = 6
    made = []
    for picture in pictures:
        made.append(_saved(picture, "PNG"))
    made.append(_saved(colour, "PNG", exif=exif))
    made.append(_saved(colour.convert("P"), "PNG", transparency=0))
    for picture in (pictures[0], colour):
        made += [_saved(picture, "JPEG"), _saved(picture, "BMP"), _saved(picture, "WEBP", lossless=True)]
        made += [_saved(picture, "TIFF"), _saved(picture, "TIFF", compression="tiff_lzw")]
    made += [_saved(colour, "JPEG", exif=exif), _saved(colour, "TIFF", exif=exif)]
    made += [_saved(Image.fromarray(grey / 255.0).convert("F"), "TIFF"), _saved(pictures[-1], "TIFF")]
    made += [_saved(pictures[2], "GIF"), _saved(pictures[1], "BMP"), _saved(pictures[2], "BMP")]
    frames = [colour, colour.transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    made += [_saved(colour, kind, save_all=True, append_images=frames) for kind in ("GIF", "TIFF", "PNG")]
    return tuple(made)


def _saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def _edited_png(content: bytes, choices: Choices) -> bytes:
    """A PNG with chunks edited, moved, removed or added, and right check sums."""
    chunks, at = [], 8
    while at < len(content):
        (size,) = struct.unpack(">I", content[at : at + 4])
        chunks.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + size]))
        at += 12 + size
    for _ in range(EDITS):
        if not choices.more:
            break
        action, at = choices.number(6), choices.number(len(chunks) or 1)
        if at >= len(chunks):
            break
        kind, body = chunks[at]
        if action == 0:
            chunks[at] = kind, edited_bytes(body, Choices(bytes(choices.number(256) for _ in range(6))))
        elif action == 1:
            del chunks[at]
        elif action == 2:
            chunks.insert(choices.number(len(chunks)), (kind, body))
        elif action == 3 and kind == b"IHDR":
            limits = (0, 1, 7, 9, 65535, 9459, 9460, 89_478_485, 2**31 - 1, 2**32 - 1)
            width, height = choices.pick(limits), choices.pick(limits)
            rest = bytes(
                (choices.pick((1, 2, 4, 8, 16)), choices.pick((0, 2, 3, 4, 6)), 0, 0, choices.number(3))
            )
            chunks[at] = kind, struct.pack(">II", width, height) + rest
        elif action == 4:
            name = choices.pick(
                (b"PLTE", b"tRNS", b"eXIf", b"acTL", b"fcTL", b"gAMA", b"iCCP", b"zTXt", b"IEND")
            )
            chunks.insert(at, (name, bytes(choices.number(256) for _ in range(choices.number(32)))))
        elif action == 5:
            chunks[at] = b"IDAT", zlib.compress(bytes(choices.number(65536)))
    packed = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
    return content[:8] + packed
