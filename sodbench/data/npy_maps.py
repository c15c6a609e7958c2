"""Reads a saliency map from a `.npy` file (numpy's format, versions 1.0 and 2.0), without numpy's own reader.

That one evaluates the header as Python, and unpickles objects if told to. Here three patterns find what a map
needs, so that a stranger's file can do nothing; the size is checked before any value is read.
"""

import os
import re
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sodbench.data.picture_files import check_sides
from sodbench.errors import InputError, cut
from sodbench.paths import refuse_special

MAGIC = b"\x93NUMPY"
MOST_HEADER = 10_000  # bytes, numpy's own limit
TYPES = re.compile(r"[<>|=]?(?:u1|b1|f2|f4|f8)")
EXPECTED = "expected uint8 (0..255), bool, or floating point in 0..1"
_DTYPE = re.compile(r"""["']descr["']\s*:\s*["']([^"']{1,40})["']""")
_ORDER = re.compile(r"""["']fortran_order["']\s*:\s*(True|False)""")
_SHAPE = re.compile(r"""["']shape["']\s*:\s*\(((?:\s*[0-9]{1,12}\s*,?){0,32})\)""")


class NpyHeader(NamedTuple):
    """What the header says: the values' type, their order, the array's shape, and where its values start."""

    dtype: np.dtype[Any]
    by_columns: bool
    shape: tuple[int, ...]
    start: int


def read_npy(path: Path) -> NDArray[Any]:
    """The map H x W of a file that holds H x W, 1 x H x W or H x W x 1: uint8, bool or floating point.

    Raises InputError that names the file for anything else, and for a file that is cut, longer than its array
    or over the limits of images.
    """
    with _opened(path) as file:
        header = _header(file, path)
        height, width = _sides(header.shape, path)
        check_sides(width, height, path)
        due = height * width * header.dtype.itemsize
        there = os.fstat(file.fileno()).st_size - header.start
        if there != due:
            raise InputError(
                f"{path}: {there} bytes of values, expected {due} of an array of shape {header.shape}: cut, "
                "or of several arrays; save one map per file"
            )
        try:
            content = file.read(due)
            values = np.frombuffer(content, header.dtype).reshape(
                (height, width), order="F" if header.by_columns else "C"
            )
        except MemoryError:
            raise InputError(f"{path}: not enough memory to read it") from None
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: not readable ({error})") from None
    return np.array(values, header.dtype.newbyteorder("="), order="C")


def read_npy_header(path: Path) -> NpyHeader:
    """The header alone; InputError names the file where it is not that of a map."""
    with _opened(path) as file:
        return _header(file, path)


def _opened(path: Path) -> IO[bytes]:
    refuse_special(path)
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not readable ({getattr(error, 'strerror', None) or error})") from None


def _header(file: IO[bytes], path: Path) -> NpyHeader:
    try:
        first = file.read(len(MAGIC) + 2)
        version = tuple(first[len(MAGIC) :])
        if not first.startswith(MAGIC) or version not in ((1, 0), (2, 0)):
            raise InputError(
                f"{path}: not a .npy file of version 1.0 or 2.0; save the map with numpy.save, or as an image"
            )
        width = 2 if version == (1, 0) else 4
        length = int.from_bytes(file.read(width), "little")
        text = file.read(length).decode("latin-1") if length <= MOST_HEADER else ""
        start = file.tell()
    except OSError as error:
        raise InputError(f"{path}: not readable ({error.strerror})") from None
    found = [pattern.findall(text) for pattern in (_DTYPE, _ORDER, _SHAPE)]
    if [len(one) for one in found] != [1, 1, 1] or start != len(MAGIC) + 2 + width + length:
        raise InputError(
            f"{path}: a .npy file whose header is not that of one plain array; {EXPECTED}: save the map with "
            "numpy.save"
        )
    kind, order, shape = (str(one[0]) for one in found)
    if not TYPES.fullmatch(kind):
        raise InputError(
            f"{path}: an array of type {cut(kind, 20)!r}; {EXPECTED}: convert a 0..255 map with "
            ".astype('uint8'), divide a 16-bit one by 65535"
        )
    sides = tuple(int(side) for side in re.findall("[0-9]+", shape))
    return NpyHeader(np.dtype(kind), order == "True", sides, start)


def _sides(shape: tuple[int, ...], path: Path) -> tuple[int, int]:
    """Height and width; an axis of length 1 before or behind them is left out."""
    sides = shape
    if len(sides) == 3 and sides[0] == 1:
        sides = sides[1:]
    elif len(sides) == 3 and sides[2] == 1:
        sides = sides[:2]
    if len(sides) != 2:
        raise InputError(
            f"{path}: an array of shape {shape}; expected one map: H x W, 1 x H x W or H x W x 1"
        )
    if 0 in sides:
        raise InputError(f"{path}: an array of shape {shape} has no values; expected at least 1 x 1")
    return sides[0], sides[1]
