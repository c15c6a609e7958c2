"""The fast way to read what nearly all maps and masks are: grey PNGs of 8 or 1 bits, not interlaced.

libdeflate inflates the pixels, a kernel undoes the filters of the rows (PNG specification, section 9). What
is anything else, or not entirely in order, is left to Pillow: a chunk that could change the pixels or their
orientation, a checksum that does not match, a stream that ends early. So the pixels are Pillow's, and so are
the messages.
"""

import os
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

import deflate
import numba
import numpy as np
from numpy.typing import NDArray

from sodbench.data.picture_files import MAX_PIXELS, MAX_SIDE

Pixels = NDArray[np.uint8]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# chunks that change neither pixels nor their orientation, and texts that Pillow takes for nothing else
HARMLESS = (b"tIME", b"pHYs", b"gAMA", b"cHRM", b"sRGB", b"bKGD", b"tEXt")
TEXTS = (b"Software", b"Title", b"Author", b"Comment", b"Creation Time", b"Description", b"date:create",
         b"date:modify", b"date:timestamp")  # fmt: skip
MOST_EXTRA = 10_000  # bytes of a chunk without pixels
MOST_BYTES = 2 * MAX_PIXELS  # of a file
_HEADER = struct.Struct(">IIBBBBB")
_CHUNK = struct.Struct(">I4s")


class GreyPng(NamedTuple):
    """The pixels, H x W uint8; `bilevel`: the file has 1 bit per pixel, given here as 0 and 255."""

    values: Pixels
    bilevel: bool


def read_grey_png(path: Path) -> GreyPng | None:
    """The pixels of a plain grey PNG; None for any other file, a damaged or an unreadable one included.

    `path` must not be a pipe or a device: it is read to its end.
    """
    if path.suffix.lower() != ".png":
        return None
    try:
        with path.open("rb", buffering=0) as file:
            if os.fstat(file.fileno()).st_size > MOST_BYTES:
                return None
            content = file.read()
    except (OSError, ValueError, MemoryError):
        return None
    return decode_grey_png(content)


def decode_grey_png(content: bytes) -> GreyPng | None:
    """As `read_grey_png`, from the bytes of the file."""
    if not content.startswith(SIGNATURE) or content[12:16] != b"IHDR" or content[8:12] != b"\0\0\0\x0d":
        return None
    width, height, depth, *rest = _HEADER.unpack_from(content, 16) if len(content) >= 33 else (0,) * 7
    # grey, the only compression and filter method, not interlaced
    if rest != [0, 0, 0, 0] or depth not in (1, 8) or not width or not height:
        return None
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        return None
    packed = _packed_pixels(content)
    stride = 1 + (width * depth + 7) // 8
    if packed is None:
        return None
    try:
        rows = deflate.zlib_decompress(packed, height * stride)
    except (deflate.DeflateError, ValueError, MemoryError):
        return None
    if len(rows) != height * stride:
        return None
    values = np.empty((height, width), np.uint8)
    undo = _undo_bits if depth == 1 else _undo_bytes
    if not undo(np.frombuffer(rows, np.uint8).reshape(height, stride), values):
        return None
    return GreyPng(values, depth == 1)


def _packed_pixels(content: bytes) -> bytes | None:
    """The joined IDAT chunks; None where a chunk is not known to be harmless, or its checksum is wrong."""
    start, end = 8, len(content)
    parts: list[bytes] = []
    former = b""
    while start + 12 <= end:
        length, kind = _CHUNK.unpack_from(content, start)
        after = start + 8 + length
        if after + 4 > end:
            return None
        if zlib.crc32(memoryview(content)[start + 4 : after]) != int.from_bytes(content[after : after + 4]):
            return None
        if kind == b"IDAT":
            if parts and former != b"IDAT":
                return None
            parts.append(content[start + 8 : after])
        elif kind == b"IEND":
            return b"".join(parts) if parts and not length else None
        elif kind == b"IHDR":
            if former:
                return None
        elif not _is_harmless(kind, content[start + 8 : after]):
            return None
        former = kind
        start = after + 4
    return None


def _is_harmless(kind: bytes, body: bytes) -> bool:
    """Whether a chunk changes nothing that is read."""
    if kind == b"tEXt" and body.partition(b"\0")[0] not in TEXTS:
        return False
    return kind in HARMLESS and len(body) <= MOST_EXTRA


_ROWS = numba.types.Array(numba.uint8, 2, "C", readonly=True)
# the eight pixels of a byte
_BITS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1) * np.uint8(255)
_OUT = numba.types.Array(numba.uint8, 2, "C")


@numba.njit(inline="always")
def _paeth(packed: np.uint8, a: np.int32, b: np.int32, c: np.int32) -> np.int32:
    """A pixel by Paeth's filter: its packed value and whichever of left, above and corner is nearest."""
    # p = a + b - c: the distances of p to a, b and c
    to_a, to_b = b - c, a - c
    to_c = abs(to_a + to_b)
    to_a, to_b = abs(to_a), abs(to_b)
    nearest = b if to_b <= to_c else c
    if to_a <= to_b and to_a <= to_c:
        nearest = a
    return (np.int32(packed) + nearest) & np.int32(255)


@numba.njit(inline="always")
def _undo_two_paeth(upper: Pixels, lower: Pixels, above: Pixels, out: Pixels, below: Pixels) -> None:
    """Two rows of Paeth's filter at once, the lower one pixel behind: pixels wait for their left ones."""
    n = out.size
    zero = np.int32(0)
    b = np.int32(above[0])
    a = _paeth(upper[1], zero, b, zero)
    out[0] = a
    c = b
    # of the lower row: left, and the pixel above the left one
    left, corner = zero, zero
    for x in range(1, n):
        over = a
        b = np.int32(above[x])
        a = _paeth(upper[x + 1], a, b, c)
        out[x] = a
        c = b
        left = _paeth(lower[x], left, over, corner)
        below[x - 1] = left
        corner = over
    below[n - 1] = _paeth(lower[n], left, a, corner)


@numba.njit(inline="always")
def _undo_row(packed: Pixels, above: Pixels, out: Pixels) -> bool:
    """Filters 0 to 4 of section 9.2: none, left, above, their mean, Paeth's choice."""
    kind = packed[0]
    n = out.size
    left = np.uint8(0)
    if kind == 0:
        for x in range(n):
            out[x] = packed[x + 1]
    elif kind == 1:
        for x in range(n):
            left = np.uint8(packed[x + 1] + left)
            out[x] = left
    elif kind == 2:
        for x in range(n):
            out[x] = packed[x + 1] + above[x]
    elif kind == 3:
        for x in range(n):
            left = np.uint8(packed[x + 1] + ((np.int32(left) + np.int32(above[x])) >> 1))
            out[x] = left
    elif kind == 4:
        a, c = np.int32(0), np.int32(0)
        for x in range(n):
            b = np.int32(above[x])
            a = _paeth(packed[x + 1], a, b, c)
            out[x] = a
            c = b
    else:
        return False
    return True


@numba.njit([(_ROWS, _OUT)], cache=True, nogil=True)
def _undo_bytes(rows: Pixels, out: Pixels) -> bool:
    """One byte per pixel; the first of each row is its filter's number. False for an unknown filter."""
    height, width = out.shape
    above = np.zeros(width, np.uint8)
    y = 0
    while y < height:
        if rows[y, 0] == 4 and y + 1 < height and rows[y + 1, 0] == 4:
            _undo_two_paeth(rows[y], rows[y + 1], above, out[y], out[y + 1])
            y += 1
        elif not _undo_row(rows[y], above, out[y]):
            return False
        above = out[y]
        y += 1
    return True


@numba.njit([(_ROWS, _OUT)], cache=True, nogil=True)
def _undo_bits(rows: Pixels, out: Pixels) -> bool:
    """Eight pixels per byte, the leftmost in the highest bit, made 0 and 255."""
    height, width = out.shape
    above = np.zeros(rows.shape[1] - 1, np.uint8)
    row = np.zeros_like(above)
    for y in range(height):
        if not _undo_row(rows[y], above, row):
            return False
        for byte in range(width // 8):
            for bit in range(8):
                out[y, 8 * byte + bit] = _BITS[row[byte], bit]
        for x in range(width // 8 * 8, width):
            out[y, x] = _BITS[row[x >> 3], x & 7]
        above, row = row, above
    return True
