"""The reader of `.npy` maps: whole files with edits, and headers made of parts that lie."""

import io
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from sodbench.data.float_maps import holds_floats
from sodbench.data.images import read_map
from sodbench.errors import InputError

from .bounds import bounded
from .choices import EDITED, VERBATIM, Choices, edited_bytes

KINDS = ("|u1", "|b1", "<f4", ">f8", "<f2", "|O", "<i8", "<U9", "|V8", "", "<f4'")
ORDERS = ("False", "True", "None", "0")
SHAPES = ("(7, 9)", "(1, 7, 9)", "(7, 9, 1)", "(63,)", "()", "(0, 9)", "(-7, 9)", "(2, 7, 9)", "(9**9, 9)")
SHAPES += ("(65535, 65535)", "(99999999999, 1)", "(7L, 9L)", "( 7 ,9 , )", "(1, 63)", "7, 9", "(((7, 9)))")


def one_input(data: bytes) -> None:
    """Reads one file: levels H x W, or InputError in one line."""
    content = content_of(data)
    if content is None:
        return
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder, bounded(seconds=20):
        path = Path(folder) / "0001.npy"
        path.write_bytes(content)
        floats = holds_floats(path)
        assert isinstance(floats, bool)
        try:
            levels = read_map(path)
        except InputError as error:
            assert "0001.npy" in str(error) and "\n" not in str(error), repr(str(error))
            return
        assert levels.dtype == np.uint8 and levels.ndim == 2 and levels.size
        assert levels.size * (2 if floats else 1) < len(content)


def content_of(data: bytes) -> bytes | None:
    """The file that an input stands for."""
    if len(data) < 2:
        return None
    if data[0] == VERBATIM:
        return data[2:]
    choices = Choices(data[2:])
    if data[0] % 2:
        return edited_bytes(files()[data[1] % len(files())], choices)
    kind, order, shape = choices.pick(KINDS), choices.pick(ORDERS), choices.pick(SHAPES)
    keys = [f"'descr': '{kind}'", f"'fortran_order': {order}", f"'shape': {shape}"]
    text = ("{" + ", ".join(keys[choices.number(3) :] + keys[: choices.number(4)]) + ", }\n").encode()
    version = choices.pick((b"\1\0", b"\2\0", b"\3\0", b"\0\0"))
    length = (len(text) + choices.pick((0, 0, 0, 1, 255))).to_bytes(2 if version == b"\1\0" else 4, "little")
    values = bytes(choices.number(256) for _ in range(8)) * choices.pick((0, 1, 8, 32, 63))
    return b"\x93NUMPY" + version + length + text + values[: choices.pick((63, 126, 252, 504, 9999))]


def seeds() -> list[bytes]:
    """Inputs to start from: every valid file, one to be edited, and a header of parts."""
    whole = [bytes((VERBATIM, 0)) + content for content in files()]
    return whole + [bytes((EDITED, kind, 0)) for kind in range(len(files()))] + [bytes((2, 0, 0))]


@cache
def files() -> tuple[bytes, ...]:
    """Small valid files of every type, order, shape and version."""
    grey = np.arange(63, dtype=np.uint8).reshape(7, 9) * 4
    arrays = [grey, grey > 90, *((grey / 255).astype(kind) for kind in ("<f2", "<f4", ">f4", "<f8"))]
    arrays += [np.asfortranarray(grey), grey[None], grey[..., None] / 255]
    made = []
    for array in arrays:
        file = io.BytesIO()
        np.lib.format.write_array(file, array, version=(2, 0) if array.ndim == 3 else (1, 0))
        made.append(file.getvalue())
    return tuple(made)
