"""PNG files whose bytes are the same everywhere: stored, not compressed.

Compressed bytes differ between versions of zlib; "stored" blocks leave nothing to choose. The sample is
small, so the size (about 75 kB per picture) matters less than one digest for all machines.
"""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_BLOCK = 65535


def png_bytes(pixels: NDArray[np.uint8]) -> bytes:
    """H x W x 3 uint8 as an RGB file; H x W uint8 of 0 and 255 as a one-bit grey file."""
    height, width = pixels.shape[:2]
    if pixels.ndim == 3:
        depth, colour, lines = 8, 2, pixels.reshape(height, width * 3)
    else:
        depth, colour, lines = 1, 0, np.packbits(pixels > 127, axis=1)
    rows = np.concatenate([np.zeros((height, 1), dtype=np.uint8), lines], axis=1).tobytes()
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", _stored(rows)) + _chunk(b"IEND", b"")
    )


def _stored(data: bytes) -> bytes:
    parts = [b"\x78\x01"]
    for start in range(0, len(data), _BLOCK):
        block = data[start : start + _BLOCK]
        last = start + _BLOCK >= len(data)
        parts.append(struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF) + block)
    return b"".join(parts) + struct.pack(">I", zlib.adler32(data))


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
