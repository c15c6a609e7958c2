"""Weights files named `.safetensors`: pickles in their place, headers that lie, values that are none."""

import json
import struct
from collections.abc import Callable

from .case import Build, Case
from .weights import FILES
from .world import World

RUN = ("run", "net.py:create", "--datasets", "sod", "--quiet", "--device", "cpu", "--name", "n", "--weights")
GAIN = {"dtype": "F32", "shape": [], "data_offsets": [0, 4]}
BIAS = {"dtype": "F32", "shape": [1, 3, 1, 1], "data_offsets": [4, 16]}
GOOD = {"gain": GAIN, "bias": BIAS}
VALUES = struct.pack("<4f", 4, 0, 0, 0)


def _header(text: bytes, values: bytes = VALUES, length: int | None = None) -> Callable[[World], bytes]:
    return lambda world: struct.pack("<Q", len(text) if length is None else length) + text + values


def _table(table: object, values: bytes = VALUES) -> Callable[[World], bytes]:
    return _header(json.dumps(table).encode(), values)


# content -> what the error says besides the file's name
BAD: dict[str, tuple[Callable[[World], bytes], str]] = {
    **{
        name: (FILES[name][0], "not a safetensors")
        for name in ("empty", "text", "html", "git-lfs", "picture", "pickle-0")
    },
    **{
        name: (FILES[name][0], "torch\\.save|pickle")
        for name in ("pickled-code", "zipped-code", "storage-bomb", "script", "pickle-endless")
    },
    "a-good-pth": (lambda w: (w.work / "net.pth").read_bytes(), "rename it to \\.pth"),
    "length-endless": (_header(b"{}", length=(1 << 64) - 1), "not a safetensors"),
    "length-over-the-end": (_header(b"{}", length=1000), "not a safetensors"),
    "length-of-nothing": (_header(b"", length=0), "not a safetensors"),
    "no-json": (_header(b"\xff" * 40), "not a safetensors"),
    "json-list": (_table([1, 2]), "not a safetensors"),
    "json-nested": (_header(b"[" * 100_000), "not a safetensors"),
    "no-values": (_table(GOOD, b""), "not a safetensors"),
    "overlapping": (_table({"gain": GAIN, "bias": BIAS | {"data_offsets": [0, 12]}}), "not a safetensors"),
    "outside": (_table({"gain": GAIN, "bias": BIAS | {"data_offsets": [1004, 1016]}}), "not a safetensors"),
    "backwards": (_table({"gain": GAIN, "bias": BIAS | {"data_offsets": [16, 4]}}), "not a safetensors"),
    "negative-shape": (_table({"gain": GAIN, "bias": BIAS | {"shape": [-1, 3]}}), "not a safetensors"),
    "endless-shape": (_table({"gain": GAIN, "bias": BIAS | {"shape": [1 << 40] * 3}}), "not a safetensors"),
    "unknown-type": (_table({"gain": GAIN | {"dtype": "F31"}, "bias": BIAS}), "not a safetensors"),
    "no-tensors": (_table({}, b""), "no tensors"),
    "no-such-tensor": (_table({"gain": GAIN}, VALUES[:4]), "1 missing .bias"),
    "other-shape": (_table({"gain": GAIN, "bias": BIAS | {"shape": [3]}}), "bias 3 in the file"),
    "not-a-number": (_table(GOOD, struct.pack("<4f", float("nan"), 0, 0, 0)), "finite"),
    "complex": (
        _table({"gain": GAIN, "bias": {"dtype": "C64", "shape": [1], "data_offsets": [4, 12]}}, VALUES[:12]),
        "complex",
    ),
    "key-escape": (_table({"\x1b[31m\nx": GAIN | {"data_offsets": [900, 904]}}), "not a safetensors"),
}


def _file(content: Callable[[World], bytes], name: str = "bad.safetensors") -> Build:
    def build(world: World) -> None:
        world.write(name, content(world))

    return build


CASES = [
    *(
        Case(
            f"safetensors/{what}",
            (*RUN, "bad.safetensors"),
            says=f"bad\\.safetensors.*({says})",
            build=_file(content),
            megabytes=1200,
        )
        for what, (content, says) in BAD.items()
    ),
    Case(
        "safetensors/under-another-name",
        (*RUN, "bad.pth"),
        says="bad\\.pth.*rename it to bad\\.safetensors",
        build=_file(_table(GOOD), "bad.pth"),
    ),
    Case(
        "safetensors/fetched-in-place-of-pth",
        ("baselines", "fetch", "basnet", "--quiet", "--from", "bad.safetensors"),
        says="bad\\.safetensors: another format than basnet\\.pth",
        build=_file(_table(GOOD)),
    ),
    Case(
        "safetensors/fetched-pickle",
        ("baselines", "fetch", "own", "--quiet", "--from", "bad.safetensors"),
        says="own\\.safetensors.*torch\\.save",
        build=lambda w: [
            _file(FILES["zipped-code"][0])(w),
            w.write(
                "baselines/own.toml",
                'title = "O"\nnetwork = "unet"\n[weights]\nfile = "own.safetensors"\nurl = "http://x/y"\n',
            ),
        ],
        changes=("home/weights",),
    ),
]
